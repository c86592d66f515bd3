"""A measurement of detection as one self-contained HTML page: nothing is loaded, nothing runs."""

from __future__ import annotations

from privkit.model.evaluation import Evaluation
from privkit.report import evaluation_wording as told
from privkit.report.evaluation_outline import key_numbers, sections
from privkit.report.pages import page
from privkit.report.release_html import answer_environment
from privkit.report.wording import shown


def evaluation_html(evaluation: Evaluation) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser."""
    content = (
        answer_environment()
        .get_template("publication.html")
        .render(
            title="How well detection finds people",
            made=f"{shown(evaluation.source)}. {told.made_text(evaluation)}",
            lead=told.READ,
            statement=told.SHOWN_TEXT if any(one.examples for one in evaluation.misses) else None,
            numbers=key_numbers(evaluation),
            sections=sections(evaluation),
            part=None,
        )
    )
    return page(f"privkit evaluate: {shown(evaluation.source)}", content)
