"""What a run of `deidentify` or `scan` did, in counts: never a value.

These records hold exact counts and are internal to the organisation that holds the data.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from privkit.model.policy import Role


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelInfo(_Record):
    """A detector's model: name, version, SHA-256 of its weights (hexadecimal)."""

    name: str
    version: str
    sha256: str


class DecidedColumn(_Record):
    """What was decided about one column before the run: shown in the table, and printed by a dry run.

    `share` is the part of the non-empty sampled cells that matched, in 0..1; `evidence` says in a few words what the
    decision rests on, without any value; `operator` is null where the column does not reach the output.
    """

    name: str
    role: Role
    entity: str | None
    operator: str | None
    share: float
    evidence: str
    warnings: tuple[str, ...] = ()


class ColumnReport(_Record):
    """One column.

    `cells_changed` counts cells whose text differs in the output; `entities` counts findings by type: cells of an
    identifier or quasi column under its entity, findings inside free text under theirs. `cells_unread` counts texts
    of which more than a third of the letters are of a script that no detector reads: people in them are not found.
    """

    role: Role
    entity: str | None
    operator: str | None
    cells_changed: int
    entities: dict[str, int]
    cells_unread: int = 0


class PolicyInfo(_Record):
    """The policy's name and the SHA-256 of its canonical JSON, the columns' rules included."""

    name: str
    sha256: str


class Residual(_Record):
    """What a second look at the output found.

    `cells_with_findings` counts output cells, among `rows_checked` sampled rows, in which the detector still finds
    something; `input_identifiers_found` counts places in the whole output where an identifier of the input (the
    row's own, or one of a keyed sample of the file's) still stands.
    """

    rows_checked: int
    cells_with_findings: int
    input_identifiers_found: int
    columns: dict[str, int] = {}


class Report(_Record):
    """A run of `deidentify`. `remote` names the recognizers that sent texts to a service."""

    source: str
    rows: int
    columns: dict[str, ColumnReport]
    detector: str
    models: list[ModelInfo]
    policy: PolicyInfo
    key_id: str | None
    residual: Residual
    seconds: float
    warnings: list[str] = []
    remote: list[str] = []
    internal: Literal["This report holds exact counts: it is internal."] = (
        "This report holds exact counts: it is internal."
    )


class ScannedColumn(_Record):
    """One column as `scan` sees it: `cells` counts cells that hold PII; none is changed. `cells_unread`: see above."""

    role: Role
    entity: str | None
    cells: int
    cells_changed: Literal[0] = 0
    entities: dict[str, int]
    cells_unread: int = 0


class ScanReport(_Record):
    """A run of `scan`: the decision and the counts, no output. `remote`: see `Report`."""

    source: str
    rows: int
    columns: dict[str, ScannedColumn]
    detector: str
    models: list[ModelInfo]
    policy: PolicyInfo
    key_id: None = None
    pii_found: bool
    seconds: float
    warnings: list[str] = []
    remote: list[str] = []
