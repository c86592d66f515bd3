"""What happened to a block, in numbers that can be added up. Never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ColumnCounts:
    """One column of one or more blocks.

    Attributes:
        cells: Non-empty cells that hold personal data (all of an identifier or quasi column; texts with findings).
        changed: Cells whose text differs in the output.
        entities: Findings by entity type.
        unread: Texts of a script that no detector reads.
    """

    cells: int = 0
    changed: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    unread: int = 0


@dataclass
class Counts:
    """One or more blocks; `residual` counts findings that are still in the output, by column."""

    rows: int = 0
    columns: dict[str, ColumnCounts] = field(default_factory=dict)
    rows_checked: int = 0
    residual: Counter[str] = field(default_factory=Counter)
    identifiers: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    foreign_tokens: int = 0

    def column(self, name: str) -> ColumnCounts:
        """The counts of one column, made when first asked for."""
        return self.columns.setdefault(name, ColumnCounts())

    def add(self, other: Counts) -> None:
        """Adds another block's counts to these."""
        self.rows += other.rows
        self.rows_checked += other.rows_checked
        self.residual.update(other.residual)
        self.identifiers.update(other.identifiers)
        self.tokens += other.tokens
        self.foreign_tokens += other.foreign_tokens
        for name, counts in other.columns.items():
            mine = self.column(name)
            mine.cells += counts.cells
            mine.changed += counts.changed
            mine.entities.update(counts.entities)
            mine.unread += counts.unread

    def to_note(self) -> dict[str, Any]:
        """Plain JSON data, for a journal or a pipe."""
        return {
            "rows": self.rows,
            "columns": {
                name: [counts.cells, counts.changed, dict(counts.entities), counts.unread]
                for name, counts in self.columns.items()
            },
            "rows_checked": self.rows_checked,
            "residual": dict(self.residual),
            "identifiers": dict(self.identifiers),
            "tokens": [self.tokens, self.foreign_tokens],
        }

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> Counts:
        """The inverse of `to_note`."""
        return cls(
            rows=note["rows"],
            columns={
                name: ColumnCounts(cells, changed, Counter(entities), unread)
                for name, (cells, changed, entities, unread) in note["columns"].items()
            },
            rows_checked=note["rows_checked"],
            residual=Counter(note["residual"]),
            identifiers=Counter(note["identifiers"]),
            tokens=note["tokens"][0],
            foreign_tokens=note["tokens"][1],
        )
