"""A plan's exact vectors, with the bounds on what one unit can add enforced. One expression, wherever the data is.

The order is binding: WHERE; rows without a unit out; rows in no group out; values to indices on their grids; sums for
each unit and group; a unit with more than M rows in a group scaled to M; of each unit at most G groups kept; sums for
each group in 128 bits; cut to the declared range. Nothing about the data chooses what runs: the steps follow from the
plan alone. Which groups of a unit are kept depends on that unit's own rows alone, so that removing it moves nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial, reduce
from math import prod
from operator import and_
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from privkit.dp.arithmetic import (
    Engine,
    bit,
    clamped,
    integer,
    number_of_text,
    number_of_unit,
    order_of_code,
    order_of_group,
    shrunk,
)
from privkit.dp.conditions import band_code, bucket_code, condition
from privkit.dp.grid import Grid, grid_of
from privkit.dp.plan import Aggregates, Plan, group_labels
from privkit.dp.reading import Reading, cell_of, indices, read, regridded, unit_names
from privkit.dp.sources import Table, attempted
from privkit.dp.vectors import Cells, Integers, Moments, RowCount, Units, Vector
from privkit.errors import QueryError
from privkit.model.dataset import CategoryColumn
from privkit.model.query import ByBands, ByBuckets, ByColumn, Group

_UNIT, _CODE, _CELL, _ROWS, _ORDER, _PLACE = "unit", "code", "cell", "rows", "order", "place"
_NUMBER = "number"
_FEW_LABELS = 4  # up to here a CASE is as fast as a join


def aggregate(plan: Plan, table: Table) -> Aggregates:
    """The exact vectors of a plan.

    Args:
        plan: From `privkit.dp.plan.plan`.
        table: From `privkit.dp.sources.open_table`, of the same description.

    Returns:
        What noise is added to: private.

    Raises:
        AggregateError: The engine could not compute it; the message says nothing about the data.
    """
    question = _Question(plan.key, table.rows.op(), table.engine, plan)
    asked = (_asked if table.named else _asked.__wrapped__)(question)
    found = None if asked.sums is None else table.fetch(asked.sums)
    cells = {name: table.fetch(expression) for name, expression in asked.cells.items()}
    keys = _Keys(plan, asked.keys, found)
    vectors = {b.vector.name: _array(plan, keys, b.vector, found, cells.get(b.vector.name)) for b in plan.blocks}
    units = None
    if plan.threshold is not None:
        assert found is not None
        units = keys.placed(found, [_UNIT])[:, 0]
    return Aggregates(keys.texts, vectors, units)


def check_askable(plan: Plan, table: Table) -> None:
    """Whether the engine can be asked at all, found out before anything is paid: no row is read for it.

    Raises:
        QueryError: It cannot; the message says what it lacks.
    """
    if table.engine.name == "duckdb":
        return  # it can, whatever the plan
    asked = _asked.__wrapped__(_Question(plan.key, table.rows.op(), table.engine, plan))
    failure = QueryError(f"{table.engine.name} cannot be asked this query: Ibis has no SQL for it there")
    for expression in (asked.sums, *asked.cells.values()):
        if expression is not None:
            attempted(partial(table.backend.compile, expression), failure)


# ---- what an engine is asked: it follows from plan and schema


@dataclass(frozen=True)
class _Question:
    """What makes expressions equal. A plan's key stands for the plan: other names of results change nothing here."""

    key: str
    source: ops.Relation
    engine: Engine
    plan: Plan = field(compare=False)


@dataclass(frozen=True)
class _Asked:
    """Expressions.

    Attributes:
        keys: The columns that tell groups apart.
        sums: All moments and units; None where there are none.
        cells: For each vector of cells its counts.
    """

    keys: tuple[str, ...]
    sums: Any
    cells: Mapping[str, Any]


@lru_cache(maxsize=64)
def _asked(question: _Question) -> _Asked:
    prepared = _prepared(question.plan, question.source.to_expr(), question.engine)
    vectors = [block.vector for block in question.plan.blocks if isinstance(block.vector, Cells)]
    return _Asked(prepared.keys, _sums(prepared), {v.name: _cell_counts(prepared, v) for v in vectors})


# ---- rows: what passes WHERE, has a unit and is in a group


@dataclass(frozen=True)
class _Prepared:
    """Rows that can count.

    Attributes:
        plan: What is wanted.
        engine: Where it runs.
        rows: One a row: the unit, the group's columns, `v_`column readings that a vector needs, `k_`column indices.
        keys: The group's columns: the code of the public part, if any, and the texts of private categories.
    """

    plan: Plan
    engine: Engine
    rows: Any
    keys: tuple[str, ...]

    @property
    def by_unit(self) -> bool:
        """Whether rows have to be bounded: not where every row is a unit."""
        return self.plan.bounds.column is not None

    @property
    def ranked(self) -> bool:
        """Whether a unit can be in more groups than count."""
        cells = self.plan.keys.cells
        return self.by_unit and (cells is None or self.plan.bounds.groups < len(cells))

    @property
    def in_one_pass(self) -> bool:
        """Whether a unit's one group is found while its rows are summed: not where that hashed a text of every row."""
        numbered = self.by_unit and isinstance(self.rows[_UNIT], ir.NumericColumn)
        one = self.ranked and self.plan.bounds.groups == 1 and self.keys == (_CODE,)
        return one and numbered and self.engine.orders_well


def _prepared(plan: Plan, source: Any, engine: Engine) -> _Prepared:
    spec = plan.spec
    readings = {name: read(engine, source[spec.source_name(name)], spec.columns[name]) for name in plan.query.columns()}
    codes = [_code(engine, group, group_labels(group, spec), readings) for group in plan.query.groups]
    columns: dict[str, Any] = {f"g{i}": code for i, code in enumerate(codes)}
    if plan.bounds.column is not None:
        columns[_UNIT] = unit_names(engine, source[plan.bounds.column])
    columns |= dict(_measured(engine, plan, readings))
    if not columns:
        columns["nothing"] = integer(0)
    kept = source if plan.query.where is None else source.filter(condition(plan.query.where, readings))
    rows = kept.select(**columns)
    if plan.bounds.column is not None:
        rows = rows.filter(rows[_UNIT].notnull())
    return _grouped(plan, engine, rows)


def _measured(engine: Engine, plan: Plan, readings: Mapping[str, Reading]) -> Iterator[tuple[str, Any]]:
    """`k_column` of every column on a grid, `p_column` (1 or null) of every other one whose presence counts."""
    vectors = [block.vector for block in plan.blocks]
    gridded = {grid.column for vector in vectors for grid in _grids(vector)}
    for column in sorted(gridded):
        declared = plan.spec.columns[column]
        assert not isinstance(declared, CategoryColumn)
        grid = grid_of(column, declared)
        assert grid is not None
        yield f"k_{column}", indices(engine, readings[column], grid)
    for column in sorted(set().union(*(vector.present for vector in vectors)) - gridded):
        yield f"k_{column}", ibis.ifelse(readings[column].value.isnull(), ibis.null("int64"), integer(1))


def _grids(vector: Vector) -> Iterable[Any]:
    match vector:
        case Moments():
            return vector.grids
        case Cells():
            return (vector.grid,)
        case _:
            return ()


def _code(engine: Engine, group: Group, labels: tuple[str, ...] | None, readings: Mapping[str, Reading]) -> Any:
    """A public group's number among its labels, or the text itself (see `_grouped`)."""
    match group:
        case ByBands():
            assert labels is not None
            return band_code(group, labels, readings)
        case ByBuckets():
            return bucket_code(engine, group, readings[group.column])
        case ByColumn():
            value = readings[group.column].value
            if isinstance(readings[group.column].declared, CategoryColumn):
                return value if labels is None or len(labels) > _FEW_LABELS else _coded(value, labels)
            return bit(value)


def _coded(text: Any, labels: Sequence[str]) -> Any:
    return ibis.cases(*((text == ibis.literal(label), integer(i)) for i, label in enumerate(labels)))


def _grouped(plan: Plan, engine: Engine, rows: Any) -> _Prepared:
    """One code for the public groups, in the order of the plan's keys; rows in no group out."""
    parts: list[tuple[str, int]] = []
    private: list[str] = []
    spec, stride = plan.spec, 1
    groups = plan.query.groups
    for i, group in reversed(list(enumerate(groups))):
        labels, name = group_labels(group, spec), f"g{i}"
        if labels is None:
            private.insert(0, name)
            continue
        if rows[name].type().is_string():
            rows = engine.numbered(rows, name, labels)  # many times faster than a long CASE
        parts.append((name, stride))
        stride *= len(labels)
    rows = rows.filter(*(rows[f"g{i}"].notnull() for i in range(len(groups)))) if groups else rows
    keys = tuple(private)
    if parts:
        code = sum(
            (rows[name] * integer(step) if step > 1 else rows[name] for name, step in parts[1:]), rows[parts[0][0]]
        )
        rows = rows.mutate(**{_CODE: code})
        keys = (_CODE, *private)
    dropped = {name for name, _ in parts}
    return _Prepared(plan, engine, rows.select(*(name for name in rows.columns if name not in dropped)), keys)


# ---- moments: all of them in one pass


def _sums(prepared: _Prepared) -> Any:
    """One row a group: its columns, `unit` (distinct units) and the coordinates `c{block}_{coordinate}`."""
    plan = prepared.plan
    moments = [(i, b.vector) for i, b in enumerate(plan.blocks) if isinstance(b.vector, Moments)]
    counted = plan.threshold is not None or any(isinstance(b.vector, Units) for b in plan.blocks)
    if not moments and not counted:
        return None
    if prepared.in_one_pass:
        prepared = _ordered(prepared)
    if not prepared.by_unit:
        return _finished(prepared, prepared.rows, _totals(prepared, moments), counted)
    totals = _totals(prepared, [(i, vector) for i, vector in moments if vector.affine is None and vector.grids])
    totals |= _powers(prepared, [vector for _, vector in moments])
    each = _first_group(prepared, totals) if prepared.in_one_pass else _kept_groups(prepared, totals)
    bounded = {name: prepared.engine.total(value) for name, value in _bounded(prepared, each, moments).items()}
    return _finished(prepared, each, bounded, counted)


def _presence(vector: Vector) -> str:
    """The name of the count of rows in which what the vector needs is there.

    With lengths, so that a and b are not taken for a_b: a comma would not do, as BigQuery's names have none.
    """
    return "_".join([_ROWS, *(f"{len(column)}{column}" for column in sorted(vector.present))])


def _rows(prepared: _Prepared, present: frozenset[str]) -> Any:
    """How many rows have all of these columns."""
    if not present:
        return prepared.rows.count()
    return sum((prepared.rows[f"k_{c}"] for c in sorted(present)[1:]), prepared.rows[f"k_{min(present)}"]).count()


def _totals(prepared: _Prepared, moments: Sequence[tuple[int, Moments]]) -> dict[str, Any]:
    """The sum of each coordinate over rows that count."""
    found = {}
    for i, vector in moments:
        values = vector.row([_index(prepared, grid.column, grid.steps) for grid in vector.grids], integer(1))
        for j, value in enumerate(values):
            found[f"c{i}_{j}"] = _total(prepared, vector, value)
    return found


def _powers(prepared: _Prepared, vectors: Sequence[Moments]) -> dict[str, Any]:
    """The numbers of rows, and Σk of each column whose coordinates follow from both.

    Such a number of rows is summed and not counted, which makes it as wide as any sum.
    """
    found: dict[str, Any] = {}
    for vector in vectors:
        name = _presence(vector)
        if vector.affine is None:
            found.setdefault(name, _rows(prepared, vector.present))
            continue
        (grid,) = vector.grids
        k = _index(prepared, grid.column, grid.steps)
        found[name] = prepared.engine.total(ibis.ifelse(k.notnull(), integer(1), ibis.null("int64")))
        found[_sum_of(grid)] = prepared.engine.total(k)
    return found


def _sum_of(grid: Grid) -> str:
    return f"sum_{grid.column}_{grid.steps}"


def _total(prepared: _Prepared, vector: Moments, value: Any) -> Any:
    """A coordinate's sum over the rows where all that the vector needs is present."""
    if isinstance(value, ir.Scalar):  # one a row
        return _rows(prepared, vector.present)
    if len(vector.grids) > 1 and vector.present:  # else the coordinate itself is null where the row does not count
        there = reduce(and_, (prepared.rows[f"k_{column}"].notnull() for column in sorted(vector.present)))
        value = ibis.ifelse(there, value, ibis.null("int64"))
    return prepared.engine.total(value)


def _index(prepared: _Prepared, column: str, steps: int) -> Any:
    declared = prepared.plan.spec.columns[column]
    assert not isinstance(declared, CategoryColumn)
    grid = grid_of(column, declared)
    assert grid is not None
    return regridded(prepared.engine, prepared.rows[f"k_{column}"], grid.steps, steps)


def _bounded(prepared: _Prepared, each: Any, moments: Sequence[tuple[int, Moments]]) -> dict[str, Any]:
    """Each coordinate of each unit in each group, scaled to M rows."""
    most, found = prepared.plan.bounds.rows, {}
    for i, vector in moments:
        rows = each[_presence(vector)]
        if isinstance(vector, RowCount):
            found[f"c{i}_0"] = ibis.ifelse(rows > integer(most), integer(most), rows)  # LEAST would pass over a null
            continue
        for j, (lowest, _) in enumerate(vector.row_ranges):
            found[f"c{i}_{j}"] = shrunk(prepared.engine, _summed(each, i, j, vector), rows, most, signed=lowest < 0)
    return found


def _summed(each: Any, i: int, j: int, vector: Moments) -> Any:
    """A coordinate's sum over the rows of each unit in each group."""
    if vector.affine is None:
        return each[f"c{i}_{j}"]
    (offset, factor), total = vector.affine[j], each[_sum_of(vector.grids[0])]
    scaled = total if factor == 1 else -total if factor == -1 else total * integer(factor)
    return scaled + each[_presence(vector)] * integer(offset) if offset else scaled


def _kept_groups(prepared: _Prepared, totals: Mapping[str, Any]) -> Any:
    """Totals of at most G groups of each unit: always ranked, whatever the data, unless there are no more than G."""
    each = prepared.rows.group_by([_UNIT, *prepared.keys]).aggregate(**totals)
    return _first_groups(prepared, each, ibis.row_number()) if prepared.ranked else each


def _ordered(prepared: _Prepared) -> _Prepared:
    """Each row with its group's place in the unit's order."""
    return replace(prepared, rows=_in_order(prepared, prepared.rows))


def _first_group(prepared: _Prepared, totals: Mapping[str, Any]) -> Any:
    """The same for G = 1, in one pass over rows that are ordered by unit and group instead of hashed by both.

    Up to a row of a unit's first group, together with its peers, there is that group and nothing else: sums so far are
    its totals, and the first row has them. On DuckDB that takes two thirds of the time and half of the memory where
    units have few rows, and about as long however rows are spread over units.
    """
    so_far = ibis.range_window(group_by=_UNIT, order_by=_ORDER, preceding=None, following=0)
    found = {name: total.over(so_far) for name, total in totals.items()}
    place = ibis.row_number().over(ibis.window(group_by=_UNIT, order_by=_ORDER))
    return prepared.rows.select(_CODE, **found, **{_PLACE: place}).filter(ibis._[_PLACE] < 1)


def _first_groups(prepared: _Prepared, each: Any, place: Any) -> Any:
    """The order is a column of its own: inside a window its common parts would be computed over and over."""
    each = _in_order(prepared, each)
    ties = [] if prepared.keys == (_CODE,) else [_sorted_by(prepared.engine, each[key]) for key in prepared.keys]
    place = place.over(ibis.window(group_by=_UNIT, order_by=[each[_ORDER], *ties]))
    return each.mutate(**{_PLACE: place}).filter(ibis._[_PLACE] < prepared.plan.bounds.groups)


def _sorted_by(engine: Engine, key: Any) -> Any:
    return engine.in_byte_order(key) if key.type().is_string() else key


def _in_order(prepared: _Prepared, each: Any) -> Any:
    """With the order, from numbers that are columns first: in it they stand many times, and a text's is an MD5."""
    numbers = {_NUMBER: number_of_unit(prepared.engine, each[_UNIT])}
    numbers |= {f"{_NUMBER}_{key}": number_of_text(prepared.engine, each[key]) for key in prepared.keys if key != _CODE}
    names = each.columns
    each = each.mutate(**numbers)
    if prepared.keys == (_CODE,):
        order = order_of_code(each[_NUMBER], each[_CODE])
    else:
        order = each[_NUMBER]
        for key in prepared.keys:
            order = order_of_group(order, each[key] if key == _CODE else each[f"{_NUMBER}_{key}"])
    return each.select(*names, **{_ORDER: order})  # what is dropped Ibis would name in any order


def _finished(prepared: _Prepared, each: Any, sums: dict[str, Any], counted: bool) -> Any:
    """Sums for each group, in 128 bits, cut to what the plan declares."""
    plan = prepared.plan
    if counted:
        sums[_UNIT] = each.count()
    ranges = {
        f"c{i}_{j}": limits
        for i, block in enumerate(plan.blocks)
        for j, limits in enumerate(plan.ranges(block.vector) if isinstance(block.vector, Moments) else ())
    }
    ranges[_UNIT] = (0, plan.bounds.units)
    table = each.group_by(list(prepared.keys)).aggregate(**sums) if prepared.keys else each.aggregate(**sums)
    return table.select(*prepared.keys, **{name: clamped(prepared.engine, table[name], *ranges[name]) for name in sums})


# ---- cells


def _cell_counts(prepared: _Prepared, vector: Cells) -> Any:
    """One row for each cell of each group with rows in it: the group's columns, `cell`, `rows`."""
    rows = prepared.rows
    index = _index(prepared, vector.grid.column, vector.grid.steps)
    cell = cell_of(prepared.engine, index, vector.grid.steps, vector.cells)
    each = rows.mutate(**{_CELL: cell})
    if prepared.by_unit:
        each = _kept_rows(prepared, each)
        sums = prepared.engine.total(each[_ROWS])
    else:
        each = each.filter(each[_CELL].notnull())
        sums = each.count()
    table = each.group_by([*prepared.keys, _CELL]).aggregate(**{_ROWS: sums})
    low, high = prepared.plan.ranges(vector)[0]
    return table.select(*prepared.keys, _CELL, **{_ROWS: clamped(prepared.engine, table[_ROWS], low, high)})


def _kept_rows(prepared: _Prepared, rows: Any) -> Any:
    """Of each unit in each group, how many rows count in each cell.

    Of n > M rows those at the sorted ranks ⌊(2j + 1)n/2M⌋, j < M, count. Before rank b there are ⌊(2Mb + n − 1)/2n⌋ of
    them: the j with (2j + 1)n < 2Mb. A cell that ends before rank b and holds c rows has the difference.
    """
    most, keys = prepared.plan.bounds.rows, [_UNIT, *prepared.keys]
    each = rows.group_by([*keys, _CELL]).aggregate(held=rows.count())
    if prepared.ranked:
        each = _first_groups(prepared, each, ibis.dense_rank())
    each = each.filter(each[_CELL].notnull())
    until = ibis.window(group_by=keys, order_by=_CELL, preceding=None, following=0)
    each = each.mutate(all=each.held.sum().over(ibis.window(group_by=keys)).cast("int64"))
    each = each.mutate(end=each.held.sum().over(until).cast("int64"))

    def before(rank: Any) -> Any:
        numerator = rank * integer(2 * most) + each["all"] - integer(1)
        return prepared.engine.quotient(numerator, each["all"] * integer(2)).cast("int64")

    kept = before(each.end) - before(each.end - each.held)
    return each.mutate(**{_ROWS: ibis.ifelse(each["all"] > integer(most), kept, each.held)})


# ---- results


class _Keys:
    """Where each group's row of the results belongs."""

    def __init__(self, plan: Plan, names: tuple[str, ...], found: pa.Table | None) -> None:
        self._names = names
        self._public = plan.keys.cells is not None
        if plan.keys.cells is not None:
            self.texts = plan.keys.cells
            self._places: dict[tuple[Any, ...], int] = {}
            return
        assert found is not None
        decoded = {raw: _decoded(plan, raw) for raw in self._raw(found)}
        ordered = sorted(decoded, key=lambda raw: [text.encode() for text in decoded[raw]])
        self.texts = tuple(decoded[raw] for raw in ordered)
        self._places = {raw: place for place, raw in enumerate(ordered)}

    def _raw(self, found: pa.Table) -> list[tuple[Any, ...]]:
        return list(zip(*(found[name].to_pylist() for name in self._names), strict=True))

    def rows(self, found: pa.Table) -> Integers:
        """int64, shape (rows of `found`,): the place of each row's group; −1 for one that came meanwhile."""
        if not self._names:
            return np.zeros(found.num_rows, dtype=np.int64)
        if self._public:
            return np.asarray(found[_CODE].to_numpy(), dtype=np.int64)
        return np.array([self._places.get(raw, -1) for raw in self._raw(found)], dtype=np.int64)

    def placed(self, found: pa.Table, columns: Sequence[str]) -> Integers:
        """int64, shape (groups, columns); zeros for groups without rows."""
        values, places = np.zeros((len(self.texts), len(columns)), dtype=np.int64), self.rows(found)
        for j, name in enumerate(columns):
            values[places, j] = found[name].to_numpy()
        return values


def _decoded(plan: Plan, raw: tuple[Any, ...]) -> tuple[str, ...]:
    """A group's texts from its code and its private categories."""
    labels = [group_labels(group, plan.spec) for group in plan.query.groups]
    texts = list(raw)
    code = texts.pop(0) if any(label is not None for label in labels) else 0
    stride, found = prod(len(label) for label in labels if label is not None), []
    for label in labels:
        if label is None:
            found.append(texts.pop(0))
            continue
        stride //= len(label)
        found.append(label[code // stride])
        code %= stride
    return tuple(found)


def _array(plan: Plan, keys: _Keys, vector: Vector, found: pa.Table | None, cells: pa.Table | None) -> Integers:
    if isinstance(vector, Cells):
        assert cells is not None
        values = np.zeros((len(keys.texts), vector.cells), dtype=np.int64)
        places = keys.rows(cells)
        there = places >= 0
        values[places[there], cells[_CELL].to_numpy()[there]] = cells[_ROWS].to_numpy()[there]
        return values
    assert found is not None
    if isinstance(vector, Units):
        return keys.placed(found, [_UNIT])
    i = next(i for i, block in enumerate(plan.blocks) if block.vector is vector)
    return keys.placed(found, [f"c{i}_{j}" for j in range(len(vector.coordinates))])
