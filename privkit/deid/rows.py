"""Rows across their columns: which cells belong together, and what each row's identifiers are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from privkit.deid.cells import as_text
from privkit.deid.linked import Term, joined_terms, terms_of
from privkit.io.frames import Leaf
from privkit.model.policy import ColumnRule


@dataclass(frozen=True)
class KnownNames:
    """Names that stand in another file: by the text of the key column `on` of this one."""

    on: str
    names: Mapping[str, tuple[str, ...]]


_LONG_ENOUGH = 4


class RowTerms:
    """What linked detection looks for, by row; made when a row is first asked for."""

    def __init__(self, values: Mapping[int, list[tuple[str, str]]]) -> None:
        self._values = values
        self._made: dict[int, tuple[Term, ...]] = {}

    def of(self, row: int) -> tuple[Term, ...]:
        made = self._made.get(row)
        if made is None:
            found: dict[str, Term] = {}
            values = self._values.get(row, ())
            for value, entity in values:
                for term in terms_of(value, entity):
                    found.setdefault(term.folded, term)
            for term in joined_terms(tuple(value for value, entity in values if entity == "PERSON")):
                found.setdefault(term.folded, term)
            made = self._made[row] = tuple(found.values())
        return made

    def whole(self, row: int) -> tuple[Term, ...]:
        """Whole values only, long enough to be searched without false alarms."""
        return tuple(
            terms[0]
            for value, entity in self._values.get(row, ())
            if (terms := terms_of(value, entity)) and len(terms[0].needle) >= _LONG_ENOUGH
        )

    def parts(self, row: int) -> tuple[Term, ...]:
        """Everything that is looked for, as far as it is long enough."""
        return tuple(term for term in self.of(row) if len(term.folded) >= _LONG_ENOUGH)

    def __bool__(self) -> bool:
        return bool(self._values)


def row_terms(leaves: Sequence[Leaf], rules: Mapping[str, ColumnRule], known: Sequence[KnownNames]) -> RowTerms:
    """What the identifier columns, and names known from other files, give to look for in each row."""
    values: dict[int, list[tuple[str, str]]] = {}
    if any(rule.role == "free_text" or rule.role == "other" for rule in rules.values()):
        for leaf in leaves:
            rule = rules[leaf.name]
            if rule.role == "identifier" and rule.entity is not None:
                for row, value in cells_of(leaf):
                    values.setdefault(row, []).append((value, rule.entity))
    for file in known:
        for leaf in leaves:
            if leaf.name == file.on:
                for row, value in cells_of(leaf):
                    for name in file.names.get(value.strip(), ()):
                        values.setdefault(row, []).append((name, "PERSON"))
    return RowTerms(values)


def cells_of(leaf: Leaf) -> Iterable[tuple[int, str]]:
    """Row and text of each non-empty cell."""
    for cell, value in enumerate(as_text(leaf.values).to_pylist()):
        if value and not value.isspace():
            yield row_of(leaf, cell), value


def row_of(leaf: Leaf, cell: int) -> int:
    """The row that a cell of `leaf` belongs to."""
    return cell if leaf.rows is None else int(leaf.rows[cell])


def row_keys(rows: int, leaves: Sequence[Leaf]) -> list[bytes]:
    """A key for each row, made from its own cells: the same on every engine and after a restart."""
    hashes = [hashlib.sha256() for _ in range(rows)]
    for leaf in leaves:
        name = leaf.name.encode()
        for row, value in cells_of(leaf):
            cell = value.encode()
            hashes[row].update(b"%d:%s%d:%s" % (len(name), name, len(cell), cell))
    return [one.digest() for one in hashes]
