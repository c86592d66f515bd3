"""The explanation of some rows as a file that holds their texts: JSON or one self-contained HTML page."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2

from privkit.errors import UsageError
from privkit.io.staged import Staged, check_place
from privkit.model.explanation import ExplainedRows, Explanation
from privkit.report import wording
from privkit.report.files import report_json
from privkit.report.pages import environment, page

_BECAUSE = {
    "option": "an option of this run",
    "column": "the policy's rule for the column",
    "entity": "the policy's rule for the entity",
    "role": "the policy's operator for the role",
    "unknown": "the policy's `unknown: drop`",
    "accept_free_text": "the policy's `accept_free_text: false`",
}
_OUTCOMES = {
    "replaced": "replaced",
    "kept": "kept",
    "merged": "part of another",
    "below_threshold": "below threshold",
    "allowed": "allowed",
    "refused": "let go",
    "blank": "blank",
}


@dataclass(frozen=True)
class _Piece:
    """A run of a text: as it was, or a place that was written anew."""

    text: str
    entity: str = ""


def check_explanation_path(path: Path, *, force: bool = False) -> None:
    """Refuses a place for an explanation before a long run, where it would be refused after it.

    Raises:
        UsageError: It is standard output.
        OutputError: The file exists and `force` is not given, or its folder does not exist or is closed.
    """
    if str(path) == "-":
        raise UsageError(
            "an explanation holds the texts themselves and is not written to standard output",
            hint="Name a file: --explain why.html, or why.json.",
        )
    check_place(path, "the explanation", force=force)


def stage_explanation(staged: Staged, path: Path, record: ExplainedRows) -> None:
    """Prepares the file: JSON where its name ends in .json, else HTML; nobody but its owner can open it (mode 0600).

    Raises:
        OutputError: It cannot be written.
    """
    text = report_json(record) + "\n" if path.suffix.lower() == ".json" else explanation_html(record)
    with staged.open(path, private=True) as file:
        file.write(text.encode())


def explanation_html(record: ExplainedRows) -> str:
    """The whole page."""
    content = _environment().get_template("explanation.html").render(record=record, because=_BECAUSE)
    return page(f"privkit explanation: {wording.shown(record.source)}", content)


@functools.cache
def _environment() -> jinja2.Environment:
    return environment(
        shown=wording.shown,
        shown_text=_shown_text,
        score=_score,
        pieces=lambda explanation: list(_pieces(explanation)),
        outcome=lambda outcome: _OUTCOMES[outcome],
    )


def _pieces(explanation: Explanation) -> Iterator[_Piece]:
    done = 0
    for place in explanation.replacements:
        if place.start > done:
            yield _Piece(explanation.text[done : place.start])
        yield _Piece(place.text, place.entity)
        done = place.end
    if done < len(explanation.text):
        yield _Piece(explanation.text[done:])


def _shown_text(text: str) -> str:
    """`text` with its line ends kept, and everything else that is not printable written out."""
    return "\n".join(wording.shown(line) for line in text.replace("\r\n", "\n").split("\n"))


def _score(value: float) -> str:
    """Two decimals, as scores are given."""
    return f"{value:.2f}"
