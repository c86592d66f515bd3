"""Columns that say who a row is about although nothing in them looks like it: `scans/guerra_sarah.dcm`, copied ids.

A column by itself may be paths, labels or numbers. Beside the row's name and record number it shows what it is: where
the row's own identifiers stand in its cells, and other rows' do not, it is no column to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from privkit.deid.cells import is_text
from privkit.deid.columns import Decision
from privkit.deid.linked import linked_findings
from privkit.deid.rows import RowTerms, cells_of, row_terms
from privkit.io.frames import Frame, Leaf
from privkit.model.policy import ColumnRule

_ROWS = 600
_FEWEST = 2
# Chance: a ward is called Jordan, and so is a patient. Another row's identifiers must be so much rarer than the own.
_TIMES_CHANCE = 3
_COPY = 0.9
_SHORTEST_COPY = 4


@dataclass
class _Tally:
    cells: int = 0
    own: int = 0
    others: int = 0
    copies: int = 0
    copies_by_chance: int = 0
    entity: str | None = None


def with_mentions(decisions: Sequence[Decision], sample: Sequence[Frame]) -> tuple[Decision, ...]:
    """The decisions, those about columns that would be kept corrected where they hold their row's identifiers.

    Texts become free text, so that the identifiers in them are found again and replaced; copies of an identifier
    become identifiers.

    Args:
        decisions: What each column was taken for by itself.
        sample: The frames that they were decided from.
    """
    identifiers = {one.name for one in decisions if one.role == "identifier" and one.entity is not None}
    open_columns = {one.name for one in decisions if one.role == "other"}
    if not identifiers or not open_columns:
        return tuple(decisions)
    rules = {one.name: ColumnRule(role=one.role, entity=one.entity) for one in decisions}
    tallies: dict[str, _Tally] = {}
    left = _ROWS
    for frame in sample:
        if left <= 0:
            break
        head = frame.head(left)
        left -= head.rows
        _count(head, rules, open_columns, tallies)
    return tuple(_corrected(one, tallies.get(one.name)) for one in decisions)


def _count(frame: Frame, rules: Mapping[str, ColumnRule], names: set[str], tallies: dict[str, _Tally]) -> None:
    leaves = frame.leaves()
    terms = row_terms(leaves, rules, ())
    whole: dict[int, dict[str, str]] = {}
    for leaf in leaves:
        rule = rules.get(leaf.name)
        if rule is not None and rule.role == "identifier" and rule.entity is not None:
            for row, value in cells_of(leaf):
                whole.setdefault(row, {})[value.strip()] = rule.entity
    # The row that stands for chance: far away, so that one person's neighbouring rows are not compared.
    far = frame.rows // 2 + 1

    def other(row: int) -> int:
        return (row + far) % frame.rows

    for leaf in leaves:
        if leaf.name in names:
            tally = tallies.setdefault(leaf.name, _Tally())
            _count_leaf(leaf, terms, whole, other, tally)


def _count_leaf(
    leaf: Leaf,
    terms: RowTerms,
    whole: Mapping[int, Mapping[str, str]],
    other: Callable[[int], int],
    tally: _Tally,
) -> None:
    text = is_text(leaf.values.type)
    if not text and not pa.types.is_integer(leaf.values.type):
        return
    for row, value in cells_of(leaf):
        cell = value.strip()
        tally.cells += 1
        entity = whole.get(row, {}).get(cell)
        if entity is not None and len(cell) >= _SHORTEST_COPY:
            tally.copies += 1
            tally.entity = entity
        tally.copies_by_chance += cell in whole.get(other(row), {})
        if text:
            tally.own += bool(linked_findings(cell, terms.of(row)))
            tally.others += bool(linked_findings(cell, terms.of(other(row))))


def _corrected(decision: Decision, tally: _Tally | None) -> Decision:
    if tally is None or not tally.cells:
        return decision
    if tally.copies >= max(_FEWEST, _COPY * tally.cells) and tally.copies > _TIMES_CHANCE * tally.copies_by_chance:
        share = tally.copies / tally.cells
        return replace(
            decision,
            role="identifier",
            entity=tally.entity,
            share=round(share, 4),
            evidence="values: copies of the row's identifiers",
            certain=True,
            format=None,
        )
    if tally.own >= _FEWEST and tally.own > _TIMES_CHANCE * tally.others:
        return replace(
            decision,
            role="free_text",
            entity=None,
            share=round(tally.own / tally.cells, 4),
            evidence="values: the row's own identifiers inside",
            certain=True,
            format=None,
        )
    return decision
