"""The same integers from DuckDB, Spark and PostgreSQL, and the bounds hold on each of them."""

import datetime
import random
import uuid
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.dp.arithmetic import PRIME, integer, number_of_text, number_of_unit, order_of_code, shrunk
from privkit.dp.bounding import aggregate
from privkit.dp.dialects import DuckDB as CollatedDuckDB
from privkit.dp.dialects import engine_of
from privkit.dp.plan import plan
from privkit.dp.reading import read
from privkit.errors import DatasetError
from privkit.model.dataset import CategoryColumn, DatasetSpec, DateColumn, FloatColumn, IntegerColumn
from privkit.model.query import And, ByColumn, Comparison, Count, Mean, Not, Quantile, Query, Sum, Variance
from tests.contracts import engine as engines
from tests.dp import made as given_data
from tests.dp import reference
from tests.dp.made import GROUPS, LEAVES, QUICK, STATISTICS, VALUES, arrow_of, same, spec_of

ENGINES = ("duckdb", "pyspark", "postgres")
FEW = {"duckdb": 1, "pyspark": 1, "postgres": 4}  # tables that Hypothesis makes: Spark takes long over each query


@pytest.fixture(scope="module")
def opened(request, tmp_path_factory):
    """Opens engines by name, each once."""
    held = {}

    def get(name):
        if name not in held:
            if name == "duckdb":
                held[name] = engines.DuckDB()
            elif name == "postgres":
                held[name] = engines.Postgres(request.getfixturevalue("postgres"))
            else:
                held[name] = engines.Spark(request.getfixturevalue("spark"), tmp_path_factory.mktemp("spark"))
        return held[name]

    yield get
    for engine in held.values():
        if engine.name == "pyspark":
            engine.compiled(True)
        else:
            engine.backend.disconnect()


# ---- everything that can be asked

NATIVE = {"u": "int", "x": "float", "y": "int", "z": "decimal", "b": "bool", "d": "date", "g": "text", "h": "text"}
TEXTS = {"u": "text", "x": "text", "y": "text", "z": "text", "b": "text", "d": "text", "g": "text", "h": "text"}
MIXED = {"u": "int", "x": "single", "y": "float", "z": "int", "b": "int", "d": "time", "g": "text", "h": "int"}


def rich(kinds, seed):
    """200 rows with every value in every column, and nulls; units with many rows, in many groups."""
    pick = random.Random(seed)
    fields = {}
    for name, kind in kinds.items():
        values = [*VALUES[name, kind], None]
        values = values[:6] + [None] if name == "u" else values
        column = [*values, *(pick.choice(values) for _ in range(200 - len(values)))]
        pick.shuffle(column)
        fields[name] = column
    return [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]


def everything():
    """Plans that have every statistic, every kind of group and every comparison, within different bounds."""
    wheres = [None, *LEAVES, Not(part=LEAVES[0]), And(parts=(LEAVES[3], Not(part=LEAVES[9])))]
    groups = [
        (),
        *((group,) for group in GROUPS),
        (GROUPS[0], GROUPS[1]),
        (GROUPS[2], GROUPS[5]),
        (GROUPS[4], GROUPS[2]),
    ]
    bounds = [(1, 1), (2, 2), (4, 3), (1, 3), (2, 1)]
    chunks = [STATISTICS[i::4] for i in range(4)]
    total = max(len(wheres), len(groups), len(bounds), len(chunks))
    for i in range(total):
        of, where, (most, rows) = groups[i % len(groups)], wheres[i % len(wheres)], bounds[i % len(bounds)]
        missing = ([("x", 5)], [("y", 0), ("b", True)], [])[i % 3]
        spec = spec_of(most, rows, (1000, 3)[i % 7 == 0], missing=missing, by_row=i % 9 == 8)
        yield plan(Query(statistics=tuple(chunks[i % 4]), where=where, groups=of), spec)


@pytest.mark.parametrize("kinds", [NATIVE, TEXTS, MIXED], ids=["native", "texts", "mixed"])
@pytest.mark.parametrize("name", ENGINES)
def test_everything_that_can_be_asked(opened, name, kinds):
    rows = rich(kinds, str(kinds))
    table = opened(name).table(arrow_of(rows, kinds))
    plans = list(everything())
    if name == "pyspark":  # each third: the other kinds of columns bring the others
        plans = plans[[NATIVE, TEXTS, MIXED].index(kinds) :: 3]
    for made in plans:
        same(aggregate(made, table), reference.aggregate(made, rows))


@pytest.mark.parametrize("name", ENGINES)
def test_made_tables(opened, name):
    @given(given_data.tables(), st.lists(given_data.plans(), min_size=3, max_size=3))
    @settings(QUICK, max_examples=3 * FEW[name], database=None)
    def check(table, plans):
        rows, kinds = table
        held = opened(name).table(arrow_of(rows, kinds))
        for made in plans:
            same(aggregate(made, held), reference.aggregate(made, rows))

    check()


@pytest.mark.parametrize("name", ENGINES[1:])
def test_removing_a_unit_moves_it_no_further_than_stated(opened, name):
    @given(given_data.tables(most=10), given_data.plans())
    @settings(QUICK, max_examples=2 * FEW[name], database=None)
    def check(table, made):
        rows, kinds = table
        if made.bounds.column is None:
            return
        held = opened(name).table(arrow_of(rows, kinds))
        whole = aggregate(made, held)
        for unit in sorted({row["u"] for row in rows} - {None})[:3]:
            moved = reference.distances(made, whole, aggregate(made, held.without("u", unit)))
            assert moved.pop("units of keys", (0,))[0] <= made.bounds.groups
            for block in made.blocks:
                l1, l2 = moved[block.vector.name]
                assert l1 <= made.l1(block.vector)
                assert l2 <= made.l2_squared(block.vector)

    check()


def test_a_million_rows(opened, tmp_path):
    """Units of ten rows in up to 50 groups; sums, squares, quantiles, ranked and in one pass."""
    generator, size = np.random.default_rng(7), 1_000_000
    region = generator.integers(0, 50, size)
    names = np.array([f"r{i}" for i in range(48)] + ["é", "e\u0301"])
    x = np.round(generator.normal(5, 4, size) * 4) / 4
    x[::97], x[::89], x[::83] = np.nan, np.inf, -np.inf
    held = pa.table(
        {
            "u": pa.array(generator.integers(-50_000, 50_000, size)),
            "x": pa.array(x, mask=generator.random(size) < 0.05),
            "y": pa.array(generator.integers(-10, 20, size)),
            "g": pa.array(names[region]),
        }
    )
    columns = {**given_data.COLUMNS, "g": {"type": "category", "categories": names.tolist()}}
    spec = spec_of(1, 2, 10**6)
    many = spec.model_copy(
        update={"columns": DatasetSpec.model_validate({**spec.model_dump(), "columns": columns}).columns}
    )
    statistics = (
        Count(name="n"),
        Mean(name="m", column="x"),
        Sum(name="s", column="y"),
        Variance(name="v", column="y"),
    )
    by_region = (ByColumn(column="g", name="g"),)
    plans = [
        plan(Query(statistics=statistics, groups=by_region), many),
        plan(
            Query(statistics=(*statistics, Quantile(name="q", column="x", q=Decimal("0.5"))), groups=by_region),
            many.model_copy(update={"privacy_unit": many.privacy_unit.model_copy(update={"max_groups": 3})}),
        ),
    ]
    found = {}
    for name in ENGINES:
        engine = opened(name)
        if name == "pyspark":
            engine.compiled(True)
        table = engine.large_table(held) if name == "postgres" else engine.table(held)
        found[name] = [aggregate(made, table) for made in plans]
    for first, *others in zip(*found.values(), strict=True):
        assert first.vectors[next(iter(first.vectors))].sum() > 0
        for other in others:
            same(first, other)


# ---- the parts

SPELLED = [
    *("1", "+1", " -2.5 ", "\t3", "4\n", ".5", "5.", "1e3", "1E-3", "1e+2", "-0", "007", "1e0005", "0e0", "-.5e1"),
    *("inf", "-Infinity", "+INF", "nan", "-nan", "1e999", "-1e999", "1e-999", "4.9e-324", "2e-324", "3e-324", "1e-300"),
    *("9" * 400, "0." + "0" * 400 + "1", "0e999999999", "1e-999999999", "-1e99999999999", "1.7976931348623157e308"),
    *("1.7976931348623159e308", "9007199254740993", "123456789012345678901234567890", "0.1", "0.30000000000000004"),
    *("", " ", "x", "1_000", "9_007_199_254_740_993", "0x10", "0x1p3", "1e", "e1", ".", "+", "--1", "1 2", "1,5", "1d"),
    *("1f", "1L", "１", "true", "NULL", "infin", "1e1e1", "1.2.3", "$1", "1%", "\u00a01", "1\u2028", "9" * 1001),
]
WHOLE = [
    *("9007199254740993", "-9007199254740993", "9007199254740993.4", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775809", "1e17", "1e18", "9.3e18", "1e30", "-1e400", "inf", "-inf", "2.5", "-2.5", "x"),
]
DATES = [
    *("2024-02-29", "2024-02-30", "2023-02-29", "1900-02-29", "2000-02-29", "2024-2-9", " 2024-03-01 ", "2024/03/01"),
    *("2024 03 01", "2024-03/01", "20240301", "2024-03-01 12:00", "2024-03-01T23:59:59.999999", "2024-03-01 25:00"),
    *("2024-03-01 12:60", "2024-03-01 x", "2024-03-01 12:00:00Z", "2024-03-01 23:00:00-05", "2024-03-01 1:2"),
    *("2024-03-01 23:00:00+05:30", "2024-13-01", "2024-00-10", "2024-03-00", "2024-04-31", "0001-01-01", "1969-12-31"),
    *("9999-12-31", "24-03-01", "99999-01-01", "infinity", "-infinity", "epoch", "today", "now", "", "x", "2024-03"),
    *(
        "2024-03-01Z",
        "2024-03-01+00",
        "01/02/2024",
        "1.3.2024",
        "March 1 2024",
        "2024-003-01",
        "-0001-01-01",
        "0000-01-01",
    ),
]


def answers(table, columns):
    found = table.fetch(table.rows.select("i", **columns).order_by("i"))
    return {name: found[name].to_pylist() for name in columns}


@pytest.mark.parametrize("name", ENGINES)
def test_what_texts_spell(opened, name):
    engine = opened(name)
    both = {
        name: np.array([*words, *[None] * 80])[:80].tolist()
        for name, words in {"x": SPELLED, "w": WHOLE, "d": DATES}.items()
    }
    held = pa.table({"i": pa.array(range(80), pa.int64()), **{n: pa.array(v, pa.string()) for n, v in both.items()}})
    table = engine.table(held)
    number = read(table.engine, table.rows.x, FloatColumn(type="float")).value
    whole = read(table.engine, table.rows.w, IntegerColumn(type="integer")).value
    date = read(table.engine, table.rows.d, DateColumn(type="date")).value
    far, long_ago = ibis.literal(datetime.date(9999, 12, 31)), ibis.literal(datetime.date(1, 1, 1))
    found = answers(
        table, {"x": number, "w": whole, "d": ibis.greatest(long_ago, ibis.least(far, date)), "none": date.isnull()}
    )
    for word, value in zip(both["x"], found["x"], strict=True):
        expected = None if word is None or len(word) > 1000 or "_" in word else reference._float(word)
        expected = None if word in ("１", "\u00a01", "1\u2028") or expected != expected else expected
        assert value == expected, word
    for word, value in zip(both["w"], found["w"], strict=True):
        assert value == (None if word is None else reference._whole(word)), word
    dates = ["" if none else str(value) for value, none in zip(found["d"], found["none"], strict=True)]
    expected = {
        **dict.fromkeys(DATES, ""),
        **{"2024-02-29": "2024-02-29", "2000-02-29": "2000-02-29", "2024-2-9": "2024-02-09", "24-03-01": "0024-03-01"},
        **dict.fromkeys(
            [
                word
                for word in DATES
                if "2024" in word and word.strip()[:10] in ("2024-03-01", "2024/03/01", "2024 03 01")
            ],
            "2024-03-01",
        ),
        **dict.fromkeys(["2024-03-01 25:00", "2024-03-01 12:60", "2024-03-01 x", "2024-03-01Z", "2024-03-01+00"], ""),
        **{word: word for word in ("0001-01-01", "1969-12-31", "9999-12-31")},
        **{"99999-01-01": "9999-12-31", "infinity": "9999-12-31", "-infinity": "0001-01-01", "epoch": "1970-01-01"},
        **{"-0001-01-01": "0001-01-01", "0000-01-01": "0001-01-01"},
    }
    for word, value in zip(both["d"], dates, strict=True):
        assert value == ("" if word is None else expected[word]), word


@pytest.mark.parametrize("name", ENGINES)
def test_orders_and_quotients(opened, name):
    units, texts = [0, 5, -5, 2**63 - 1, -(2**63), PRIME], ["", "a|b", "é", "e\u0301", "x" * 1000, "😀"]
    sums, rows = [2**62, -(2**62), 7, -7, 2**62 - 1, 0], [2**40, 3, 2, 2, 7, 5]
    columns = {"i": range(6), "u": units, "s": sums, "n": rows}
    held = pa.table({**{n: pa.array(v, pa.int64()) for n, v in columns.items()}, "t": texts})
    table = opened(name).table(held)
    engine, source = table.engine, table.rows
    number, text = number_of_unit(engine, source.u), number_of_text(engine, source.t)
    each = source.group_by("i").aggregate(s=engine.total(source.s), n=source.n.max())
    parts = table.fetch(each.select("i", v=shrunk(engine, each.s, each.n, 3).cast(engine.wide)).order_by("i"))
    assert [int(v) for v in parts["v"].to_pylist()] == [
        reference.scaled(s, n, 3) for s, n in zip(sums, rows, strict=True)
    ]
    found = answers(table, {"n": number, "t": text, "o": order_of_code(text, integer(7))})
    assert [n % PRIME for n in found["n"]] == [reference.number_of(u) for u in units]
    assert found["t"] == [reference.number_of(t) for t in texts]
    assert found["o"] == [reference.mixed(reference.number_of(t), 7) * 2**20 + 7 for t in texts]


# ---- what only one of them has


def counted(table, columns, query, unit="u"):
    """The exact vectors of one query."""
    spec = DatasetSpec.model_validate(
        {
            "name": "t",
            "version": "1",
            "privacy_unit": {"column": unit, "max_groups": 2, "max_rows_per_group": 2, "max_units": 1000},
            "budget": {"epsilon": 1, "delta": "1e-7", "threshold_delta": "1e-8"},
            "ledger": "l",
            "columns": columns,
        }
    )
    return aggregate(plan(query, spec), table)


def test_postgresqls_own_types(opened):
    """char(n) padded, numerics without an end, NaN of a numeric, dates without end, UUIDs, times with a zone."""
    engine = opened("postgres")
    units = [str(uuid.UUID(int=i)) for i in range(6)]
    with engine.backend.con.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE own (u uuid, c char(5), n numeric, w numeric(60, 30), d date, t timestamptz,"
            " e double precision)"
        )
        for row in zip(
            units,
            ["a", "b", "a", "é", None, "A"],
            ["NaN", "1e500", "-1e500", "2.5", "1e-400", "Infinity"],
            ["1e29", "0.5", "-0.5", "NaN", "3", "1e-30"],
            ["infinity", "-infinity", "2024-01-02", "1969-12-31", None, "4000-01-01 BC"],
            ["infinity", "2024-01-01 23:30:00-05", "2024-01-02 00:30:00+01", "-infinity", None, "1969-12-31 23:59+00"],
            [5e-324, -5e-324, 1e-310, 1.7e308, -1.7e308, 0.25],
            strict=True,
        ):
            cursor.execute("INSERT INTO own VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
        cursor.execute("SET TIME ZONE 'Asia/Tokyo'")  # whoever else uses the connection
    try:
        table = engines.shown(engine.backend, engine.backend.table("own"))
        columns = {
            "c": {"type": "category"},
            "n": {"type": "integer", "bounds": [0, 10]},
            "w": {"type": "float", "bounds": [0, 10], "granularity": "0.5"},
            "d": {"type": "date", "bounds": ["2024-01-01", "2024-01-05"]},
            "t": {"type": "date", "bounds": ["2023-12-30", "2024-01-05"]},
            "e": {"type": "float", "bounds": [0, 4], "granularity": "4"},
        }
        means = tuple(Mean(name=c, column=c) for c in "nwdte")
        found = counted(table, columns, Query(statistics=means)).vectors
        assert found["rows with n"].tolist() == [[5]]
        assert found["centred sum of n"].tolist() == [[2 * (10 + 0 + 3 + 0 + 10) - 50]]
        assert found["rows with w"].tolist() == [[5]]
        assert found["centred sum of w"].tolist() == [[2 * (20 + 1 + 0 + 6 + 0) - 100]]
        assert found["centred sum of d"].tolist() == [[2 * (4 + 0 + 1 + 0 + 0) - 20]]
        assert found["centred sum of t"].tolist() == [[2 * (6 + 3 + 2 + 0 + 0) - 30]]
        assert found["centred sum of e"].tolist() == [[2 * (0 + 0 + 0 + 1 + 0 + 0) - 6]]
        keys = counted(table, columns, Query(statistics=(Count(name="n"),), groups=(ByColumn(column="c", name="c"),)))
        assert keys.keys == (("A",), ("a",), ("b",), ("é",))
        where = And(
            parts=(Comparison(column="n", operator=">", value="99"), Comparison(column="w", operator="<", value="1"))
        )
        assert counted(table, columns, Query(statistics=(Count(name="n"),), where=where)).vectors["rows"].tolist() == [
            [2]
        ]
        assert engine.backend.raw_sql("SHOW TIME ZONE").fetchone() == ("Asia/Tokyo",)
    finally:
        engine.backend.raw_sql("SET TIME ZONE 'UTC'")


def test_sparks_own_types(opened, spark):
    """Moments under a session's zone, texts under a collation, days before 1582."""
    rows = spark.sql(
        "SELECT * FROM VALUES ('1', 'a' COLLATE UTF8_LCASE, timestamp'2024-01-01 23:30:00-05:00', date'1500-01-01'),"
        " ('2', 'A' COLLATE UTF8_LCASE, timestamp'2024-01-02 00:30:00+01:00', date'1582-10-10'),"
        " ('3', 'a' COLLATE UTF8_LCASE, null, date'-3000-01-01') AS t(u, c, t, d)"
    )
    from privkit.dp.clusters import given_frame

    columns = {
        "c": {"type": "category"},
        "t": {"type": "date", "bounds": ["2023-12-30", "2024-01-05"]},
        "d": {"type": "date", "bounds": ["1500-01-01", "1600-01-01"]},
    }
    opened("pyspark")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        with given_frame(rows, ("u", "c", "t", "d")) as table:
            shown = engines.Shown(table.backend, table.rows, table.schema, table.engine)
            by = (ByColumn(column="c", name="c"),)
            keys = counted(shown, columns, Query(statistics=(Count(name="n"),), groups=by))
            assert keys.keys == (("A",), ("a",))
            assert keys.vectors["rows"].tolist() == [[1], [2]]
            found = counted(shown, columns, Query(statistics=(Mean(name="t", column="t"), Mean(name="d", column="d"))))
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    days = (datetime.date(1582, 10, 10) - datetime.date(1500, 1, 1)).days
    steps = (datetime.date(1600, 1, 1) - datetime.date(1500, 1, 1)).days
    assert found.vectors["centred sum of t"].tolist() == [[2 * (3 + 2) - 12]]
    assert found.vectors["centred sum of d"].tolist() == [[2 * days - 3 * steps]]


def test_a_duckdb_column_with_a_collation(tmp_path):
    """As it was, removing the row with A took a's group away as well."""
    backend = ibis.duckdb.connect()
    backend.con.execute("CREATE TABLE t (u VARCHAR, c VARCHAR COLLATE NOCASE)")
    backend.con.execute("INSERT INTO t VALUES ('1', 'A'), ('2', 'a'), ('3', 'a')")
    rows = ibis.table({"u": "string", "c": "string"}, name="t")
    table = engines.Shown(backend, rows, dict(rows.schema().items()), engine_of("duckdb", collated=True))
    query = Query(statistics=(Count(name="n"),), groups=(ByColumn(column="c", name="c"),))
    assert counted(table, {"c": {"type": "category"}}, query).keys == (("A",), ("a",))
    assert isinstance(table.engine, CollatedDuckDB)
    declared = CategoryColumn(type="category")
    assert read(engine_of("duckdb"), rows.c, declared).value.equals(rows.c)


def test_engines_are_known_or_refused():
    for name in ENGINES:
        assert engine_of(name).name == name
    with pytest.raises(DatasetError, match="sqlite: not an engine") as caught:
        engine_of("sqlite")
    assert all(name in caught.value.hint for name in (*ENGINES, "bigquery", "snowflake", "trino"))
