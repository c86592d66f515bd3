"""A report like that of a clinic's file."""

from typing import Any

from privkit.model.report import ColumnReport, ModelInfo, PolicyInfo, Report, Residual, ScannedColumn, ScanReport

HOSTILE = "visit <script>alert('x')</script> \" onload=\"alert(1) & \x1b[31m \u202e"


def report(**changes: Any) -> Report:
    fields: dict[str, Any] = {
        "source": "clinic.csv",
        "rows": 12_000,
        "columns": {
            "patient_id": _column("identifier", "ID", "pseudonym", 12_000, {"ID": 12_000}),
            "name": _column("identifier", "PERSON", "pseudonym", 11_420, {"PERSON": 11_420}),
            HOSTILE: _column("other", None, "keep", 0, {}),
            "notes": _column("free_text", None, "replace", 7_003, {"PERSON": 6_210, "DATE_TIME": 2_203, "URL": 12}),
        },
        "detector": "full",
        "models": [ModelInfo(name="en_core_web_sm", version="3.8.0", sha256="cd93e9ca" * 8)],
        "policy": PolicyInfo(name="default", sha256="ab" * 32),
        "key_id": "3f9a01bc",
        "residual": Residual(
            rows_checked=1_000, cells_with_findings=14, input_identifiers_found=2, columns={"notes": 16}
        ),
        "seconds": 83.4,
        "warnings": ["ward: 2 % of the cells look like <b>names</b>"],
    }
    return Report(**fields | changes)


def scan_report(**changes: Any) -> ScanReport:
    fields: dict[str, Any] = {
        "source": "clinic.csv",
        "rows": 12_000,
        "columns": {
            "name": ScannedColumn(role="identifier", entity="PERSON", cells=11_420, entities={"PERSON": 11_420}),
            HOSTILE: ScannedColumn(role="other", entity=None, cells=0, entities={}),
        },
        "detector": "patterns",
        "models": [],
        "policy": PolicyInfo(name="default", sha256="ab" * 32),
        "pii_found": True,
        "seconds": 1.25,
    }
    return ScanReport(**fields | changes)


def _column(role: Any, entity: str | None, operator: str, changed: int, entities: dict[str, int]) -> ColumnReport:
    return ColumnReport(role=role, entity=entity, operator=operator, cells_changed=changed, entities=entities)
