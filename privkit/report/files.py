"""A report as a file: JSON or HTML by extension, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from privkit.errors import UsageError
from privkit.io.staged import Staged, check_place
from privkit.model.report import Report
from privkit.report.html import report_html

_EXTENSIONS = (".json", ".html", ".htm")


def report_json(record: BaseModel) -> str:
    """A report, a scan report or another record as indented JSON, without a newline at the end."""
    return json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False)


def check_report_path(path: Path, *, force: bool = False) -> None:
    """Refuses a report path before a long run, where it would be refused after it.

    Raises:
        UsageError: The extension is neither .json nor .html.
        OutputError: The file exists and `force` is not given, or its folder does not exist or is closed.
    """
    if path.suffix.lower() not in _EXTENSIONS:
        raise UsageError(f"--report {path}: the name must end in .json or .html")
    check_place(path, "the report", force=force)


def report_text(report: Report, path: Path) -> str:
    """What is to be written to `path`: JSON or a page of HTML, by its extension."""
    return report_json(report) + "\n" if path.suffix.lower() == ".json" else report_html(report)


def write_report(report: Report, path: Path, *, force: bool = False) -> None:
    """Writes `report` to `path` as JSON or HTML; a reader sees the old file or the new one, never a part.

    Args:
        report: What the run did.
        path: Ends in .json, .html or .htm.
        force: Replace a file that exists.

    Raises:
        UsageError: The extension is neither .json nor .html.
        OutputError: The file exists and `force` is not given, or it cannot be written.
    """
    check_report_path(path, force=force)
    with Staged() as staged:
        staged.add(path, report_text(report, path))
        staged.publish()
