"""No data makes a release fail, and no names of columns loosen its bounds: both were broken once, case by case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.dataset import Dataset
from privkit.dp.bounding import aggregate
from privkit.dp.plan import Aggregates, Plan, plan
from privkit.dp.sources import open_table
from privkit.dp.sql import parse_sql
from privkit.errors import DatasetError

INTEGER = {"type": "integer", "bounds": (0, 10)}
WIDE = {"type": "integer", "bounds": (-(10**15), 10**15)}
DATE = {"type": "date", "bounds": ("2000-01-01", "2030-01-01")}


def counted(data: Any, columns: dict[str, Any], sql: str, **more: Any) -> tuple[Plan, Aggregates]:
    """The exact vectors; a unit counts in one group with one row."""
    unit = {"column": "u", "max_groups": 1, "max_rows_per_group": 1, "max_units": 1000}
    budget = {"epsilon": 3, "delta": "1e-6", "threshold_delta": "1e-8"}
    dataset = Dataset(data, name="data", unit=unit, columns=columns, budget=budget, **more)
    made = plan(parse_sql(sql, dataset.spec), dataset.spec)
    with open_table(dataset.spec, dataset.folder, dataset.frame) as table:
        return made, aggregate(made, table)


@pytest.mark.parametrize("there", [["a", "b"], ["a_b"]])
def test_columns_that_joined_spell_another_are_bounded_by_their_own_rows(there: list[str]) -> None:
    """COVAR needs rows with a and b, AVG rows with a_b: one unit with 100 rows of the one and none of the other."""
    rows = pd.DataFrame({"u": ["x"] * 100, **{c: [10.0 if c in there else None] * 100 for c in ("a", "b", "a_b")}})
    made, found = counted(rows, dict.fromkeys(("a", "b", "a_b"), INTEGER), "SELECT COVAR(a, b), AVG(a_b) FROM data")
    for block in made.blocks:
        weighted = block.vector.weighted(found.vectors[block.vector.name]).astype(object)
        assert (weighted**2).sum() <= made.l2_squared(block.vector), block.vector.name


@pytest.mark.parametrize("age", [0, 9, 12, 99, 110, 2**63 - 1, -(2**63)])
def test_buckets_whose_ends_have_many_digits_hold_every_number(age: int) -> None:
    """Over the product of the ends' denominators, 10^35 here, ages from 10 on left 38 digits."""
    bucket = "WIDTH_BUCKET(a, 0.000000000000000001, 99.99999999999999999, 90)"
    sql = f"SELECT {bucket} AS g, COUNT(*) AS n FROM data GROUP BY g"
    _, found = counted(pd.DataFrame({"u": ["x"], "a": [age]}), {"a": INTEGER}, sql)
    place = 0 if age <= 0 else 91 if age >= 100 else age * 90 // 100 + 1
    assert found.vectors["rows"][:, 0].tolist() == [int(i == place) for i in range(92)]


def test_bounds_whose_distance_leaves_64_bits_are_refused() -> None:
    columns = {"a": {"type": "integer", "bounds": (-9 * 10**18, 9 * 10**18)}}
    with pytest.raises(DatasetError, match="within 10"):
        counted(pd.DataFrame({"u": ["x"], "a": [0]}), columns, "SELECT MEDIAN(a) FROM data")


@pytest.mark.parametrize(
    ("digits", "scale", "value"),
    [(4, 2, "-99.99"), (10, 2, "-99999999.99"), (18, 18, "-0." + "9" * 18), (19, 19, "0." + "9" * 19)],
)
def test_decimals_at_the_end_of_their_digits_are_rounded(tmp_path: Path, digits: int, scale: int, value: str) -> None:
    """⌊−99.99⌋ has a digit more than DECIMAL(4, 2) holds."""
    column = pa.array([value]).cast(pa.decimal128(digits, scale))
    pq.write_table(pa.table({"u": ["x"], "a": column}), tmp_path / "a.parquet")
    _, found = counted(os.fspath(tmp_path / "a.parquet"), {"a": WIDE}, "SELECT AVG(a) FROM data")
    assert found.vectors["centred sum of a"].tolist() == [[2 * int(np.floor(float(value) + 0.5))]]


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("ticks", [0, 2**62, -(2**62), 2**63 - 1])
def test_timestamps_of_no_year_are_missing(unit: str, ticks: int) -> None:
    times = np.array([ticks, 0], dtype=np.int64).view(f"datetime64[{unit}]")
    _, found = counted(pd.DataFrame({"u": ["x", "y"], "a": times}), {"a": DATE}, "SELECT AVG(a) FROM data")
    assert found.vectors["rows with a"].tolist() in ([[1]], [[2]])


@pytest.mark.parametrize("value", [5, 2**127 - 1, -(2**127) + 1])
def test_integers_of_128_bits_are_compared_with_any_literal(tmp_path: Path, value: int) -> None:
    """They are cut to 64 bits, as texts are: DuckDB cannot compare them with a decimal of 38 digits."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(os.fspath(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE data (u VARCHAR, a HUGEINT)")
        connection.execute(f"INSERT INTO data VALUES ('x', {value})")
    source = f"duckdb://{tmp_path / 'a.duckdb'}"
    for literal in (5, 2**63, -(2**63) - 1):
        sql = f"SELECT COUNT(*) AS n FROM data WHERE a <= {literal}"
        _, found = counted(source, {"a": INTEGER}, sql, table="data")
        assert found.vectors["rows"].tolist() == [[int(min(max(value, -(2**63)), 2**63 - 1) <= literal)]]


def test_objects_that_cannot_be_printed_are_missing() -> None:
    rows = pd.DataFrame({"u": ["x", "y"], "a": pd.Series([10**5000, 3], dtype=object)})
    _, found = counted(rows, {"a": INTEGER}, "SELECT COUNT(a) FROM data")
    assert found.vectors["rows with a"].tolist() == [[1]]


def test_decimals_are_compared_to_the_last_digit(tmp_path: Path) -> None:
    exact = pa.array(["1234567890123456789.123456789012345678"]).cast(pa.decimal128(38, 18))
    pq.write_table(pa.table({"u": ["x"], "a": exact}), tmp_path / "a.parquet")
    for end, truth in (("78", 1), ("77", 0), ("79", 0)):
        sql = f"SELECT COUNT(*) FROM data WHERE a = 1234567890123456789.1234567890123456{end}"
        _, found = counted(os.fspath(tmp_path / "a.parquet"), {"a": INTEGER}, sql)
        assert found.vectors["rows"].tolist() == [[truth]]


@pytest.mark.parametrize("kind", ["float", "integer"])
def test_a_list_of_thousands_is_no_deeper_than_the_stack(kind: str) -> None:
    column = {"type": kind, "bounds": (0, 10)}
    values = ", ".join(str(number) for number in range(6000))
    _, found = counted(
        pd.DataFrame({"u": ["x"], "a": [5]}), {"a": column}, f"SELECT COUNT(*) FROM data WHERE a IN ({values})"
    )
    assert found.vectors["rows"].tolist() == [[1]]


def test_categories_without_one_value_are_read_as_any_declared_type() -> None:
    rows = pd.DataFrame({"u": ["x"], "a": pd.Categorical([None])})
    _, found = counted(rows, {"a": {"type": "category"}}, "SELECT COUNT(a) FROM data")
    assert found.vectors["rows with a"].tolist() == [[0]]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_that_looks_like_a_column_hides_none(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a=1").mkdir()
    rows, file = pd.DataFrame({"u": ["x"], "a": [5]}), tmp_path / "a=1" / f"rows.{kind}"
    rows.to_parquet(file) if kind == "parquet" else rows.to_csv(file, index=False)
    for source in (file, tmp_path / "*" / f"rows.{kind}"):
        _, found = counted(os.fspath(source), {"a": INTEGER}, "SELECT SUM(a) FROM data")
        assert found.vectors["sum of a"].tolist() == [[5]]


def test_a_unit_column_called_row_is_not_taken_for_rows() -> None:
    with pytest.raises(DatasetError, match="called row"):
        Dataset(
            pd.DataFrame({"row": ["x"]}),
            name="data",
            unit={"column": "row", "max_units": 10},
            columns={"a": INTEGER},
            budget={"epsilon": 1, "measure": "pure"},
        )
