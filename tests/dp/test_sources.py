"""Sources: what a file, a frame or a database is read as, and that only its schema decides what is refused."""

import datetime
import gzip
import stat
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from privkit.dp import sources
from privkit.dp.bounding import aggregate
from privkit.dp.plan import plan
from privkit.dp.sources import open_table, schema_of
from privkit.errors import AggregateError, DatasetError, MissingExtraError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import ByColumn, Comparison, Count, CountUnits, Mean, Query

COLUMNS = {
    "age": {"type": "integer", "bounds": [0, 110]},
    "los": {"type": "float", "bounds": [0, 60], "granularity": "0.5", "from": "LENGTH"},
    "region": {"type": "category", "categories": ["north", "south"]},
    "well": {"type": "boolean"},
    "seen": {"type": "date", "bounds": ["2024-01-01", "2024-12-31"]},
}
CSV = (
    "id,age,LENGTH,region,well,seen,unused\n"
    "1,40,2.5,north,true,2024-02-01,x\n"
    "2,50, 3 ,south,0,2024-02-30,x\n"
    '2,"x",nan,north,,,x\n'
    ",60,1,north,1,2024-03-01,x\n"
    '"3",1e2,,"south",maybe,2024-03-01,x\n'
)
FRAME = pd.DataFrame(
    {
        "id": [1, 2, 2, None, 3],
        "age": [40, 50, None, 60, 100],
        "LENGTH": [2.5, 3, np.nan, 1, np.nan],
        "region": ["north", "south", "north", "north", "south"],
        "well": [True, False, None, True, None],
        "seen": pd.to_datetime(["2024-02-01", None, None, "2024-03-01", "2024-03-01 23:59"], format="mixed"),
    }
).astype({"id": "Int64", "age": "Int64", "well": "boolean"})
QUERY = Query(
    statistics=(
        CountUnits(name="u"),
        Count(name="n"),
        Mean(name="age", column="age"),
        Mean(name="los", column="los"),
        Mean(name="well", column="well"),
        Mean(name="seen", column="seen"),
    ),
    groups=(ByColumn(column="region", name="region"),),
)


def spec_of(source=None, columns=None, unit="id", **more):
    return DatasetSpec.model_validate(
        {
            "name": "visits",
            "source": source,
            "version": "1",
            "privacy_unit": {"column": unit, "max_groups": 2, "max_rows_per_group": 3, "max_units": 100},
            "budget": {"epsilon": 1, "delta": "1e-6"},
            "ledger": "l",
            "columns": COLUMNS if columns is None else columns,
            **more,
        }
    )


def found(spec, folder, query=QUERY, frame=None):
    with open_table(spec, folder, frame) as table:
        return {name: values.tolist() for name, values in aggregate(plan(query, spec), table).vectors.items()}


EXPECTED = {
    "units": [[2], [2]],
    "rows": [[2], [2]],
    "rows with age": [[1], [2]],
    "centred sum of age": [[2 * 40 - 110], [2 * 150 - 220]],
    "rows with los": [[1], [1]],
    "centred sum of los": [[2 * 5 - 120], [2 * 6 - 120]],
    "rows with well": [[1], [1]],
    "centred sum of well": [[1], [-1]],
    "rows with seen": [[1], [1]],
    "centred sum of seen": [[2 * 31 - 365], [2 * 60 - 365]],
}


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst", "tsv", "parquet"])
def test_every_kind_of_file_gives_the_same_integers(tmp_path, ending):
    path = tmp_path / f"visits.{ending}"
    if ending == "parquet":
        FRAME.to_parquet(path)
    else:
        data = (CSV.replace(",", "\t") if ending == "tsv" else CSV).encode()
        wrap = {"gz": gzip.compress, "zst": zstandard.compress}.get(ending.rpartition(".")[2], bytes)
        path.write_bytes(wrap(data))
    assert found(spec_of(path.name), tmp_path) == EXPECTED
    assert list(schema_of(path.name, tmp_path))[:6] == ["id", "age", "LENGTH", "region", "well", "seen"]


def test_a_frame_gives_the_same_integers(tmp_path):
    assert found(spec_of(), tmp_path, frame=FRAME) == EXPECTED
    texts = FRAME.astype({"age": object, "region": "category", "id": object, "well": object})
    assert found(spec_of(), tmp_path, frame=texts) == EXPECTED


def test_a_glob_is_one_table(tmp_path):
    lines = CSV.splitlines(keepends=True)
    (tmp_path / "part-1.csv").write_text("".join(lines[:3]))
    (tmp_path / "part-2.csv").write_text(lines[0] + "".join(lines[3:]))
    assert found(spec_of("part-*.csv"), tmp_path) == EXPECTED
    (tmp_path / "part-3.csv").write_text("id,age\n")
    with pytest.raises(DatasetError, match=r"part-3\.csv has another header than part-1\.csv"):
        open_table(spec_of("part-*.csv"), tmp_path)


def test_a_duckdb_file_gives_the_same_integers(tmp_path):
    with duckdb.connect(str(tmp_path / "clinic.db")) as connection:
        connection.register("frame", FRAME)
        connection.execute("CREATE TYPE place AS ENUM ('north', 'south')")
        connection.execute("CREATE TABLE visits AS SELECT * REPLACE (region::place AS region) FROM frame")
        connection.execute("CREATE TABLE other AS SELECT 1 AS id")
    assert found(spec_of("duckdb://clinic.db"), tmp_path) == EXPECTED
    assert found(spec_of("duckdb://clinic.db", table="visits"), tmp_path) == EXPECTED
    assert set(schema_of("duckdb://clinic.db", tmp_path, "visits")) == set(FRAME.columns)
    for table in ("nothing", "other"):
        with pytest.raises(DatasetError):
            open_table(spec_of("duckdb://clinic.db", table=table), tmp_path)


# ---- nothing about the data decides

BROKEN = {
    "short": b"5,6\n",
    "long": b"5,6,7,north,1,2024-01-01,x,y,z\n",
    "bytes": b"5,\xff\xfe,1,north,1,2024-01-01,x\n",
    "open quote": b'5,"6,1,north,1,2024-01-01,x\n',
    "stray quote": b'5,6"x",1,"no"rth,1,2024-01-01,x\n',
    "nul": b"5,\x00,1,north,1,2024-01-01,x\n",
    "mixed ends": b"5,6,1,north,1,2024-01-01,x\r\n6,6,1,north,1,2024-01-01,x\r",
    "huge": b"5," + b"9" * 3_000_000 + b",1,north,1,2024-01-01,x\n",
    "huge number": b"5,1e999,-1e999,north,7,99999-01-01,x\n",
    "dates": b"5,0x10,1_0,north,T,infinity,x\n",
    "blank": b"\n\n,,,,,,\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_line_of_a_csv_makes_an_error(tmp_path, name):
    (tmp_path / "a.csv").write_bytes(CSV.encode() + BROKEN[name])
    spec = spec_of("a.csv")
    assert found(spec, tmp_path)["rows"][1] >= [2]


def test_extreme_values_make_no_error(tmp_path):
    columns = {
        "h": {"type": "integer", "bounds": [-5, 5]},
        "d": {"type": "integer", "bounds": [0, 3]},
        "t": {"type": "date", "bounds": ["2024-01-01", "2024-01-02"]},
        "s": {"type": "date", "bounds": ["2024-01-01", "2024-01-02"]},
        "f": {"type": "float", "bounds": ["-1", "1"]},
        "w": {"type": "integer", "bounds": [0, 9]},
    }
    with duckdb.connect(str(tmp_path / "a.db")) as connection:
        connection.execute(
            """CREATE TABLE visits AS SELECT * FROM (VALUES
                 (1::UBIGINT, -170141183460469231731687303715884105727::HUGEINT, 1e29::DECIMAL(38,8), '-infinity'::DATE,
                  'infinity'::TIMESTAMP, 'inf'::FLOAT, 0::UBIGINT),
                 (18446744073709551615, 170141183460469231731687303715884105727, -1e29, 'infinity', '-infinity', 'nan',
                  18446744073709551615),
                 (2, NULL, NULL, NULL, NULL, NULL, NULL)) v(id, h, d, t, s, f, w)"""
        )
    names = tuple(Mean(name=c, column=c) for c in columns)
    got = found(spec_of("duckdb://a.db", columns), tmp_path, Query(statistics=names))
    assert {name: v[0][0] for name, v in got.items() if name.startswith("centred")} == {
        "centred sum of h": 0,
        "centred sum of d": 0,
        "centred sum of t": 0,
        "centred sum of s": 0,
        "centred sum of f": 4096,
        "centred sum of w": 0,
    }
    where = Comparison(column="h", operator=">", value="99999999999999999999999999999999999999999")
    assert found(spec_of("duckdb://a.db", columns), tmp_path, Query(statistics=names, where=where))


@pytest.mark.parametrize(
    "values",
    [
        ["a\ud800", None],
        [object(), [1, 2]],
        [np.array([1, 2]), float("nan")],
        [pd.NaT, pd.NA],
        [b"x", 1.5],
        [None, None],
    ],
)
def test_no_object_in_a_frame_makes_an_error(tmp_path, values):
    frame = FRAME.head(2).assign(region=pd.Series(values, dtype=object), id=pd.Series(values, dtype=object))
    columns = {"region": {"type": "category"}}
    spec = spec_of(columns=columns, budget={"epsilon": 1, "delta": "1e-6", "threshold_delta": "1e-7"})
    with open_table(spec, tmp_path, frame) as table:
        made = plan(Query(statistics=(Count(name="n"),), groups=(ByColumn(column="region", name="r"),)), spec)
        aggregate(made, table)


@pytest.mark.parametrize(
    ("kind", "values", "fine"),
    [
        (pa.string(), ["a"], True),
        (pa.int8(), [1], True),
        (pa.uint64(), [2**64 - 1], True),
        (pa.float64(), [1.0], False),
        (pa.timestamp("us"), [datetime.datetime(2024, 1, 1)], False),
        (pa.date32(), [datetime.date(2024, 1, 1)], False),
        (pa.decimal128(9, 2), [Decimal("1.00")], False),
        (pa.bool_(), [True], False),
        (pa.binary(), [b"x"], False),
    ],
)
def test_types_that_can_name_units(tmp_path, kind, values, fine):
    pq.write_table(pa.table({"id": pa.array(values, kind), "age": pa.array([1])}), tmp_path / "a.parquet")
    spec = spec_of("a.parquet", {"age": COLUMNS["age"]})
    if fine:
        assert found(spec, tmp_path, Query(statistics=(CountUnits(name="u"),))) == {"units": [[1]]}
        return
    with pytest.raises(DatasetError, match="privacy unit's column id has type"):
        open_table(spec, tmp_path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("age", pa.date32()),
        ("age", pa.binary()),
        ("age", pa.list_(pa.int64())),
        ("region", pa.float64()),
        ("region", pa.timestamp("us")),
        ("well", pa.float64()),
        ("seen", pa.int64()),
        ("seen", pa.duration("us")),
    ],
)
def test_a_type_that_cannot_be_read_as_declared_is_refused_by_the_schema(tmp_path, name, kind):
    pq.write_table(pa.table({"id": pa.array([], pa.int64()), name: pa.array([], kind)}), tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match=rf"column {name} is declared .* has type"):
        open_table(spec_of("a.parquet", {name: COLUMNS[name]}), tmp_path)


def test_columns_that_lack_or_stand_twice(tmp_path):
    (tmp_path / "b.csv").write_text("id,AGE\n1,2\n")
    with pytest.raises(DatasetError, match="column age: the source has no column age") as caught:
        open_table(spec_of("b.csv", {"age": COLUMNS["age"]}), tmp_path)
    assert caught.value.hint == "The source has AGE."
    (tmp_path / "a.csv").write_text("id,AGE,Age,region,other,other\n1,2,3,north,4,5\n")
    assert found(spec_of("a.csv", {"region": COLUMNS["region"]}), tmp_path, Query(statistics=(Count(name="n"),)))
    used = {"age": {**COLUMNS["age"], "from": "AGE"}}
    with pytest.raises(DatasetError, match="AGE stands more than once"):
        open_table(spec_of("a.csv", used), tmp_path)
    with pytest.raises(DatasetError, match="more than once"):
        schema_of("a.csv", tmp_path)
    doubled = FRAME.assign(x=1).rename(columns={"x": "age"})
    with pytest.raises(DatasetError, match="age stands more than once"):
        open_table(spec_of(), tmp_path, doubled)


def test_sources_that_are_not_there(tmp_path):
    (tmp_path / "broken.parquet").write_text("4711")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "cut.csv.gz").write_bytes(b"\x1f\x8b4711")
    (tmp_path / "broken.db").write_text("4711" * 9999)
    (tmp_path / "a.xlsx").write_text("")
    for source in (
        "no.csv",
        "no-*.parquet",
        "broken.parquet",
        "empty.csv",
        "cut.csv.gz",
        "a.xlsx",
        "duckdb://no.db",
        "duckdb://broken.db",
        "https://example.org/a.csv",
        "s3://bucket/a.parquet",
    ):
        with pytest.raises(DatasetError) as caught:
            open_table(spec_of(source), tmp_path)
        assert caught.value.__context__ is None
        assert "4711" not in str(caught.value) + str(caught.value.hint)
    with pytest.raises(DatasetError, match="names no source"):
        open_table(spec_of(), tmp_path)


def test_a_missing_engine_names_its_package(tmp_path):
    with pytest.raises(MissingExtraError) as caught:
        open_table(spec_of("snowflake://me@account/db", accept_untested_engine=True), tmp_path)
    assert "ibis-framework[snowflake]" in str(caught.value.hint)


# ---- what is remembered


def test_an_expression_is_remembered_for_equal_files_and_asked_of_each(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_text(CSV + "4,40,2.5,north,true,2024-02-01,x\n")
    sources._compiled.cache_clear()
    one, other = (found(spec_of(name), tmp_path) for name in ("a.csv", "b.csv"))
    assert sources._compiled.cache_info()[:2] == (1, 1)
    assert [b[0] - a[0] for a, b in zip(one["units"], other["units"], strict=True)] == [1, 0]


def test_what_a_frame_holds_is_not_remembered(tmp_path):
    sources._compiled.cache_clear()
    found(spec_of(), tmp_path, frame=FRAME)
    assert sources._compiled.cache_info().currsize == 0


# ---- the embedded engine is shut in


def test_the_engine_reads_nothing_else_and_cannot_be_opened_up(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "other.csv").write_text("secret\n")
    with open_table(spec_of("a.csv"), tmp_path) as table:
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/other.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
            "LOAD httpfs",
        ):
            with pytest.raises(duckdb.Error):
                table.backend.raw_sql(sql)
    assert not (tmp_path / "out.csv").exists()


def test_what_is_spilled_is_private_and_goes(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text(CSV)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with open_table(spec_of("a.csv"), tmp_path) as table:
        assert table.spill is not None
        spill = table.spill.path
        assert stat.S_IMODE(spill.stat().st_mode) == 0o700
        assert Path(table.backend.raw_sql("SELECT current_setting('temp_directory')").fetchone()[0]) == spill
    assert not spill.exists()
    with pytest.raises(DatasetError):
        open_table(spec_of("a.csv", {"no": {"type": "boolean"}}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    with pytest.raises(AggregateError):
        table.fetch(table.rows)
