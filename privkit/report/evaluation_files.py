"""A measurement of detection as a file: JSON or HTML by extension."""

from __future__ import annotations

from pathlib import Path

from privkit.model.evaluation import Evaluation
from privkit.report.evaluation_html import evaluation_html
from privkit.report.files import report_json


def evaluation_text(evaluation: Evaluation, path: Path) -> str:
    """What is to be written to `path`, by its extension."""
    return report_json(evaluation) + "\n" if path.suffix.lower() == ".json" else evaluation_html(evaluation)
