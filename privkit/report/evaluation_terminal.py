"""A measurement of detection on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from privkit.model.evaluation import Evaluation
from privkit.report import evaluation_wording as told
from privkit.report import terminal
from privkit.report.card_terminal import print_section
from privkit.report.evaluation_outline import key_numbers, sections
from privkit.report.wording import shown

_ON_THE_PAGE = ("read",)  # what a page explains and a terminal need not repeat


def print_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Prints the measures, groups, misses and confusions.

    Args:
        console: Where.
        evaluation: What was measured.
    """
    lines = [Text(shown(evaluation.source), style="bold"), Text(f"{told.made_text(evaluation)}.", style="dim")]
    lines += [Text(f"{name}: {text}") for name, text in key_numbers(evaluation)]
    terminal.print_lines(console, lines)
    for section in sections(evaluation):
        if section.id not in _ON_THE_PAGE:
            print_section(console, section)
