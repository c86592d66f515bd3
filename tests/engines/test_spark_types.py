"""Which of Arrow's types Spark holds, and as what. No Spark is started."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from privkit.engines.spark import is_address, is_spark_frame
from privkit.engines.spark_types import arrow_schema, fitted, held_by_spark, spark_schema
from privkit.errors import InputError

HELD = {
    pa.large_string(): pa.string(),
    pa.uint8(): pa.int16(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.null(): pa.string(),
    pa.timestamp("ns"): pa.timestamp("us"),
    pa.timestamp("s", "Europe/Berlin"): pa.timestamp("us", "UTC"),
    pa.binary(4): pa.binary(),
    pa.date64(): pa.date32(),
    pa.large_list(pa.uint16()): pa.list_(pa.field("element", pa.int32())),
    pa.struct([("a", pa.list_(pa.string(), 2))]): pa.struct([("a", pa.list_(pa.field("element", pa.string())))]),
    pa.map_(pa.string(), pa.uint8()): pa.map_(pa.string(), pa.int16()),
}


@pytest.mark.parametrize("given", HELD, ids=str)
def test_what_a_type_becomes_is_what_spark_gives_back(given):
    held = held_by_spark(pa.schema([("a", given)]))
    assert held.field("a").type == HELD[given]
    assert arrow_schema(spark_schema(held)).field("a").type == HELD[given]
    assert held_by_spark(held) == held


@pytest.mark.parametrize(
    "given",
    [
        pa.float16(),
        pa.time64("us"),
        pa.duration("s"),
        pa.decimal256(50, 2),
        pa.decimal128(5, -2),
        pa.list_(pa.time32("s")),
    ],
    ids=str,
)
def test_what_spark_has_no_type_for_is_refused_by_name(given):
    with pytest.raises(InputError, match=r"no type for the column\(s\) inner \("):
        held_by_spark(pa.schema([("fine", pa.string()), ("inner", given)]))


def test_notes_on_columns_go_with_them():
    schema = pa.schema([pa.field("a", pa.string(), metadata={b"privkit.type": b"abc"})])
    assert spark_schema(held_by_spark(schema))["a"].metadata == {"privkit.type": "abc"}


def test_cells_in_other_types():
    given = pa.record_batch(
        {
            "a": pa.array([1, None], pa.uint64()),
            "b": pa.array([None, None], pa.string()),
            "c": pa.array([dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")),
        }
    )
    wanted = pa.schema([("a", pa.decimal128(20, 0)), ("b", pa.null()), ("c", pa.timestamp("ms", "Asia/Tokyo"))])
    made = fitted(given, wanted)
    assert made.schema == wanted
    assert made.column(0).to_pylist() == [Decimal(1), None]
    assert made.column(2).cast(pa.timestamp("us", "UTC")).equals(given.column(2))
    with pytest.raises(pa.ArrowInvalid):
        fitted(pa.record_batch({"a": [70_000]}), pa.schema([("a", pa.int16())]))


def test_addresses_and_frames_are_told_without_spark():
    assert is_address("hdfs://host/in")
    assert is_address("s3a://bucket")
    assert not any(map(is_address, ("a.csv", "/a/b", "C:\\a", "-", None)))
    assert not is_spark_frame(pa.table({}))
