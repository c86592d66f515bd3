"""A report as a file: JSON or HTML by extension, whole or not there."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel

from privkit.errors import OutputError, UsageError
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
        OutputError: The file exists and `force` is not given, or its folder does not exist.
    """
    if path.suffix.lower() not in _EXTENSIONS:
        raise UsageError(f"--report {path}: the name must end in .json or .html")
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else f"the folder {path.parent} does not exist"
        raise OutputError(f"the report cannot be written to {path}: {what}")
    if path.exists() and not force:
        raise OutputError(f"the report {path} exists already", hint="Give another name, or --force to replace it.")


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
    text = report_json(report) + "\n" if path.suffix.lower() == ".json" else report_html(report)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as err:
        raise OutputError(f"the report {path} cannot be written ({err.strerror})") from None
    finally:
        temporary.unlink(missing_ok=True)
