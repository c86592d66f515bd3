"""A study's result as files: JSON with everything, a page, the card. Whole or not there."""

from __future__ import annotations

from pathlib import Path

from privkit.io.staged import Staged
from privkit.model.study import StudyResult
from privkit.report.files import report_json
from privkit.report.study_html import study_html


def write_study_result(
    result: StudyResult, *, json: Path | None = None, html: Path | None = None, card: Path | None = None
) -> None:
    """Writes a result's files together; a reader sees an old file or a new one, never a part.

    Args:
        result: The result.
        json: Where the whole record goes.
        html: Where the page goes.
        card: Where the card goes, as Markdown.

    Raises:
        OutputError: One cannot be written.
    """
    with Staged() as staged:
        if json is not None:
            staged.add(json, report_json(result) + "\n")
        if html is not None:
            staged.add(html, study_html(result))
        if card is not None:
            staged.add(card, result.card)
        staged.publish()
