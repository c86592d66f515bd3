"""The heart of the promise: what the engine computes is the reference, and removing one unit moves it no further than
the plan says."""

import datetime
import math
from itertools import product

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.dp.arithmetic import (
    PRIME,
    Engine,
    integer,
    number_of_text,
    number_of_unit,
    order_of_code,
    shrunk,
    wide_quotient,
)
from privkit.dp.bounding import aggregate
from privkit.dp.dialects import engine_of
from privkit.dp.grid import Grid
from privkit.dp.plan import plan
from privkit.dp.prefix import strategy_for
from privkit.dp.sources import Table
from privkit.dp.vectors import Bernstein, Cells, CentredSum, Joint, RowCount, Total
from privkit.errors import AggregateError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    Count,
    CountUnits,
    Mean,
    Query,
    Variance,
)
from tests.dp import reference
from tests.dp.made import (
    CATEGORIES,
    DAY,
    FAR,
    GROUPS,
    QUICK,
    SOURCES,
    STATISTICS,
    VALUES,
    arrow_of,
    plans,
    same,
    spec_of,
    tables,
)

# ---- the engine

CONNECTION = ibis.duckdb.connect()


class Bare(Table):
    """Shows the engine's own error: the data here is ours."""

    def fetch(self, expression):
        return self.backend.to_pyarrow(expression)


def table_of(rows, kinds, engine="duckdb"):
    held = ibis.memtable(arrow_of(rows, kinds))
    return Bare(
        CONNECTION, held, dict(held.schema().items()), (engine_of(engine) if engine == "duckdb" else Engine(engine))
    )


@given(tables(), plans(), st.sampled_from(["duckdb", "duckdb", "another"]))
@settings(QUICK, max_examples=100)
def test_engine_equals_reference(table, made, engine):
    rows, kinds = table
    same(aggregate(made, table_of(rows, kinds, engine)), reference.aggregate(made, rows))


@given(tables(), plans(), st.randoms())
@settings(QUICK, max_examples=15)
def test_order_of_rows_does_not_matter(table, made, random):
    rows, kinds = table
    other = list(rows)
    random.shuffle(other)
    if made.bounds.column is not None:
        same(aggregate(made, table_of(rows, kinds)), aggregate(made, table_of(other, kinds)))


@given(
    tables(most=40),
    st.lists(st.sampled_from(STATISTICS), min_size=1, max_size=4, unique_by=lambda s: s.name),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["zcdp", "pure"]),
    st.sampled_from(["int", "int", "text"]),
    st.sampled_from(["duckdb", "another"]),
)
@settings(QUICK, max_examples=60)
def test_one_group_a_unit_equals_the_reference(table, statistics, most, measure, unit, engine):
    """Units with numbers go through one pass over ordered rows; the others are hashed and ranked."""
    rows, kinds = table
    numbers = dict(zip(VALUES["u", kinds["u"]], VALUES["u", unit], strict=True))
    rows = [{**row, "u": numbers.get(row["u"])} for row in rows]
    made = plan(Query(statistics=tuple(statistics), groups=(GROUPS[0],)), spec_of(1, most, measure=measure))
    held = table_of(rows, {**kinds, "u": unit}, engine)
    same(aggregate(made, held), reference.aggregate(made, rows))


@pytest.mark.parametrize(("unit", "groups", "one_pass"), [("int", 1, True), ("text", 1, False), ("int", 2, False)])
def test_which_way_a_units_group_is_found_follows_from_declarations(unit, groups, one_pass):
    made = plan(Query(statistics=(Mean(name="m", column="x"),), groups=(GROUPS[0],)), spec_of(groups, 2))
    asked = []

    class Watched(Bare):
        def fetch(self, expression):
            asked.append(ibis.to_sql(expression, dialect="duckdb"))
            return super().fetch(expression)

    kinds = {name: min(of) for name, of in SOURCES.items()} | {"u": unit}
    for rows in ([], [dict.fromkeys(SOURCES)]):
        held = table_of(rows, kinds)
        aggregate(made, Watched(held.backend, held.rows, held.schema, held.engine))
    assert ["RANGE BETWEEN" in sql for sql in asked] == [one_pass] * 2


# ---- neighbours


def check_neighbours(made, rows, aggregated=reference.aggregate):
    """Every unit of the table, removed: each block of the plan moves at most as far as it is charged for."""
    whole = aggregated(made, rows)
    units = range(len(rows)) if made.bounds.column is None else {row["u"] for row in rows} - {None}
    for unit in units:
        left = [row for i, row in enumerate(rows) if (i if made.bounds.column is None else row["u"]) != unit]
        moved = reference.distances(made, whole, aggregated(made, left))
        assert moved.pop("units of keys", (0,))[0] <= made.bounds.groups
        for block in made.blocks:
            l1, l2 = moved[block.vector.name]
            assert l1 <= made.l1(block.vector)
            assert l2 <= made.l2_squared(block.vector)


@given(tables(), plans())
@settings(QUICK, max_examples=1500)
def test_removing_a_unit_moves_it_no_further_than_stated(table, made):
    check_neighbours(made, table[0])


@given(tables(most=6), plans())
@settings(QUICK, max_examples=6)
def test_removing_a_unit_from_the_engines_table(table, made):
    rows, kinds = table
    check_neighbours(made, rows, lambda made, rows: aggregate(made, table_of(rows, kinds)))


def test_an_unbounded_aggregate_is_caught(monkeypatch):
    """The control: without either bound the same check fails."""
    made = plan(Query(statistics=(Count(name="n"),), groups=(GROUPS[0],)), spec_of(2, 2))
    row = {"u": 1, "x": 1.0, "y": 1, "z": 1, "b": True, "d": DAY, "h": "p"}
    many = [{**row, "g": "a"} for _ in range(3)]
    wide = [{**row, "g": g} for g in "abA" for _ in range(2)]
    check_neighbours(made, many)
    check_neighbours(made, wide)
    with monkeypatch.context() as patch:
        patch.setattr(reference, "scaled", lambda total, rows, most: total)
        check_neighbours(made, wide)
        with pytest.raises(AssertionError):
            check_neighbours(made, many)
    monkeypatch.setattr(reference, "_kept", lambda plan, held: held)
    with pytest.raises(AssertionError):
        check_neighbours(made, wide)


@pytest.mark.parametrize("extra", [0, 1, 5])
@pytest.mark.parametrize(("groups", "rows"), [(1, 1), (2, 3), (4, 2)])
@pytest.mark.parametrize("measure", ["zcdp", "pure"])
@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda s: s.name)
def test_a_worst_case_reaches_the_bound(statistic, measure, groups, rows, extra):
    made = plan(Query(statistics=(statistic,), groups=(GROUPS[0],)), spec_of(groups, rows, measure=measure))
    ends = {"x": (0.0, 10.0, 5.0), "y": (-3, 12), "b": (False, True), "d": (DAY, datetime.date(2024, 3, 5))}
    best: dict[str, tuple[int, int]] = {}
    names = sorted({"x", *(n for n in reference_columns(statistic) if n in ends)})
    for chosen in product(*(ends[name] for name in names)):
        row = {
            "u": 1,
            "x": 1.0,
            "y": 1,
            "z": FAR,
            "b": True,
            "d": DAY,
            "h": "p",
            **dict(zip(names, chosen, strict=True)),
        }
        table = [{**row, "g": g} for g in CATEGORIES[: groups + 1] for _ in range(rows + extra)]
        moved = reference.distances(made, reference.aggregate(made, table), reference.aggregate(made, []))
        best = {name: tuple(map(max, best.get(name, (0, 0)), move)) for name, move in moved.items()}
    for block in made.blocks:
        l1, l2 = best[block.vector.name]
        if measure == "pure" or isinstance(block.vector, CentredSum | RowCount):
            assert l1 == made.l1(block.vector)
        else:
            strategic = isinstance(block.vector, Cells) and block.vector.strategy is not None
            assert l2 == made.l2_squared(block.vector) or (strategic and l2 <= made.l2_squared(block.vector))


def reference_columns(statistic):
    return Query(statistics=(statistic,)).columns()


def test_more_units_than_declared_are_cut():
    made = plan(Query(statistics=(Count(name="n"), CountUnits(name="u"), Mean(name="m", column="y"))), spec_of(1, 2, 3))
    kinds = dict.fromkeys(SOURCES, "int") | {"x": "float", "d": "date", "g": "text"}
    row = {"x": 1.0, "y": 12, "z": 1, "b": 1, "d": DAY, "g": "a", "h": 1}
    found = aggregate(made, table_of([{**row, "u": u} for u in range(10) for _ in range(2)], kinds)).vectors
    assert [values.tolist() for values in found.values()] == [[[3]], [[6]], [[6]], [[3 * 2 * 15]]]


def test_a_sum_beyond_64_bits_is_cut_and_not_refused():
    columns = {"v": {"type": "integer", "bounds": [0, 2**30]}}
    unit = {"column": "u", "max_units": 1, "max_rows_per_group": 1}
    budget = {"epsilon": 1, "measure": "pure"}
    spec = DatasetSpec.model_validate(
        {"name": "t", "version": "1", "privacy_unit": unit, "budget": budget, "ledger": "l", "columns": columns}
    )
    made = plan(Query(statistics=(Variance(name="s", column="v"),)), spec)
    held = ibis.memtable(pa.table({"u": [i // 50 for i in range(1000)], "v": [2**62] * 1000}))
    for engine in ("duckdb", "another"):
        table = Table(
            CONNECTION, held, dict(held.schema().items()), (engine_of(engine) if engine == "duckdb" else Engine(engine))
        )
        assert aggregate(made, table).vectors["moments of v"].tolist() == [[0, 0, 2**60]]


def test_an_engines_own_words_never_show():
    made = plan(Query(statistics=(Count(name="n", column="x"),)), spec_of())
    held = ibis.memtable(pa.table({"u": [1], "x": ["secret 4711"]}))
    broken = held.mutate(x=held.x.cast("float64"))
    table = Table(CONNECTION, broken, dict(broken.schema().items()), engine_of("duckdb"))
    with pytest.raises(AggregateError) as caught:
        aggregate(made, table)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "4711" not in str(caught.value) + str(caught.value.hint)


# ---- vectors.py by brute force


def grid(name, steps, kind="integer"):
    from fractions import Fraction

    return Grid(name, kind, steps, Fraction(0), Fraction(1))


def row_norms(vector, size):
    """Largest L1 and squared L2 norms of a weighted row, over all indices, and the range of each coordinate."""
    l1 = l2 = highest = 0
    lows, highs = None, None
    for ks in product(range(vector.steps + 1), repeat=size):
        row = [int(v) for v in vector.row(ks)]
        weighted = vector.weighted(np.array([row], dtype=np.int64))[0].tolist()
        l1, l2 = max(l1, sum(map(abs, weighted))), max(l2, sum(w * w for w in weighted))
        highest = max([highest, *map(abs, weighted)])
        lows = row if lows is None else list(map(min, lows, row))
        highs = row if highs is None else list(map(max, highs, row))
    return l1, l2, highest, tuple(zip(lows, highs, strict=True))


NONE = frozenset()
SMALL = [1, 2, 3, 4, 7, 8, 12]
VECTORS = [
    *((CentredSum("v", NONE, (grid("a", r),)), True, True) for r in SMALL),
    *((Total("v", NONE, (grid("a", r),), o, f), True, True) for r in SMALL for o, f in ((-3, 1), (5, 2), (-40, 3))),
    *((Bernstein("v", NONE, (grid("a", r),), 1, (1, 1)), True, True) for r in SMALL),
    *((Bernstein("v", NONE, (grid("a", r),), 2, (1, 1, 1)), True, True) for r in SMALL),
    *((Bernstein("v", NONE, (grid("a", r),), 2, (7, 13, 7)), False, True) for r in SMALL),
    *((Joint("v", NONE, (grid("a", r), grid("b", r))), True, True) for r in SMALL),
    *((Joint("v", NONE, (grid("a", r), grid("b", r), grid("c", r))), True, True) for r in (1, 2, 3, 4, 8)),
]


@pytest.mark.parametrize(("vector", "l1_reached", "l2_reached"), VECTORS)
def test_a_rows_norms(vector, l1_reached, l2_reached):
    l1, l2, highest, ranges = row_norms(vector, len(vector.grids))
    assert l1 <= vector.row_l1
    assert l2 <= vector.row_l2_squared
    assert highest <= vector.row_highest
    assert all(low <= a and b <= high for (a, b), (low, high) in zip(ranges, vector.row_ranges, strict=True))
    assert (l1 == vector.row_l1) >= l1_reached
    assert (l2 == vector.row_l2_squared) >= l2_reached


@pytest.mark.parametrize("vector", [vector for vector, *_ in VECTORS])
def test_coordinates_that_follow_from_rows_and_the_sum_of_indices(vector):
    if isinstance(vector, Joint) or (isinstance(vector, Bernstein) and vector.degree == 2):
        assert vector.affine is None
    else:
        rows = [vector.row([k]) for k in range(vector.steps + 1)]
        assert rows == [tuple(a + b * k for a, b in vector.affine) for k in range(vector.steps + 1)]


@pytest.mark.parametrize("cells", [1, 2, 5, 64])
def test_a_rows_norms_under_a_strategy(cells):
    strategy = strategy_for(cells, "zcdp")
    vector = Cells("v", NONE, grid("a", 100), cells, strategy)
    moved = vector.weighted(np.eye(cells, dtype=np.int64))
    assert int(np.abs(moved).sum(axis=1).max()) == vector.row_l1
    assert int((moved**2).sum(axis=1).max()) == vector.row_l2_squared
    assert int(np.abs(moved).max()) <= vector.row_highest == int(strategy.matrix.sum(axis=1).max())


@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.sampled_from([1, 5, 64]))
def test_rows_of_a_unit_in_several_cells_move_a_strategy_no_further_than_in_one(counts, cells):
    """M rows of one unit spread over cells: the norm is convex."""
    vector = Cells("v", NONE, grid("a", 100), cells, strategy_for(cells, "zcdp"))
    spread = np.zeros((1, cells), dtype=np.int64)
    for i, count in enumerate(counts):
        spread[0, (i * 31) % cells] += count
    moved, most = vector.weighted(spread)[0].tolist(), sum(counts)
    assert sum(map(abs, moved)) <= most * vector.row_l1
    assert sum(m * m for m in moved) <= most**2 * vector.row_l2_squared


# ---- exact arithmetic, and the fair order


@given(
    st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**40)), min_size=1, max_size=40), st.integers(1, 9)
)
@settings(QUICK, max_examples=20)
def test_scaling_is_exact(pairs, most):
    rows = [(i, s, n) for i, (s, n) in enumerate(pairs)]
    held = ibis.memtable(pa.table({"i": [r[0] for r in rows], "s": [r[1] for r in rows], "n": [r[2] for r in rows]}))
    for engine in (engine_of("duckdb"), Engine("another")):
        each = held.group_by("i").aggregate(s=engine.total(held.s), n=held.n.max())
        size = shrunk(engine, each.s, each.n, most).cast("decimal(38, 0)")
        found = CONNECTION.to_pyarrow(each.select("i", v=size).order_by("i"))["v"].to_pylist()
        assert [int(v) for v in found] == [reference.scaled(s, n, most) for _, s, n in rows]


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**62), st.integers(1, 2**63 - 1)), min_size=1))
@settings(QUICK, max_examples=20)
def test_the_repaired_quotient_is_exact(triples):
    a, b, n = ([t[i] for t in triples] for i in range(3))
    held = ibis.memtable(pa.table({"i": range(len(a)), "a": a, "b": b, "n": n}))
    dividend = held.a.cast("decimal(38, 0)") * held.b.cast("decimal(38, 0)")
    found = CONNECTION.to_pyarrow(held.select("i", q=wide_quotient(dividend, held.n)).order_by("i"))["q"].to_pylist()
    assert [int(q) for q in found] == [x * y // z for x, y, z in zip(a, b, n, strict=True)]


def test_kept_ranks_are_counted_as_they_are_listed():
    for rows in range(1, 60):
        for most in range(1, 12):
            ranks = reference.ranks(rows, most)
            assert len(set(ranks)) == min(rows, most)
            if rows > most:
                before = [(2 * most * b + rows - 1) // (2 * rows) for b in range(rows + 1)]
                assert [b for b in range(rows) if before[b + 1] > before[b]] == ranks


@pytest.mark.parametrize("step", [1, 7919, 2**20, -3])
def test_every_group_of_a_unit_is_about_as_likely_to_be_kept(step):
    """Chi-square over 20,000 units in a row, 5 sets of groups: false alarm about 1e-6."""
    held = ibis.memtable(pa.table({"u": pa.array([i * step for i in range(20_000)], pa.int64())}))
    unit = number_of_unit(engine_of("duckdb"), held.u)
    for codes in ((0, 1), (0, 49), (3, 4, 5), tuple(range(12)), (1, 2, 4, 8, 16, 32)):
        orders = {f"o{code}": order_of_code(unit, integer(code)) for code in codes}
        found = CONNECTION.to_pyarrow(held.select(**orders))
        first = np.stack([found[name].to_numpy() for name in orders]).argmin(axis=0)
        expected = 20_000 / len(codes)
        chi = float(((np.bincount(first, minlength=len(codes)) - expected) ** 2 / expected).sum())
        freedom = len(codes) - 1
        assert chi < freedom + 5 * math.sqrt(2 * freedom) + 25


def test_numbers_of_units_and_orders_equal_the_references():
    units, texts = [0, 5, -5, 2**63 - 1, -(2**63), PRIME], ["", "a|b", "é", "e\u0301", "x" * 1000, "😀"]
    held = ibis.memtable(pa.table({"i": range(6), "u": units, "t": texts}))
    for engine in (engine_of("duckdb"), Engine("another")):
        number, text = number_of_unit(engine, held.u), number_of_text(engine, held.t)
        found = CONNECTION.to_pyarrow(
            held.select(
                "i", n=number, t=text, o=order_of_code(text, integer(7)), p=order_of_code(number, integer(7))
            ).order_by("i")
        )
        assert [n % PRIME for n in found["n"].to_pylist()] == [reference.number_of(u) for u in units]
        assert found["p"].to_pylist() == [reference.mixed(reference.number_of(u), 7) * 2**20 + 7 for u in units]
        assert found["t"].to_pylist() == [reference.number_of(t) for t in texts]
        assert found["o"].to_pylist() == [reference.mixed(reference.number_of(t), 7) * 2**20 + 7 for t in texts]
