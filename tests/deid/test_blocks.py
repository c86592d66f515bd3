"""What becomes of a cell does not depend on the rows that stand beside it, nor on how its moment is kept."""

import datetime as dt

import pyarrow as pa
import pytest

from privkit.deid.cells import as_text
from privkit.deid.rows import row_keys
from privkit.deid.transform import Transformer
from privkit.deid.work import detector_of
from privkit.io.frames import ArrowFrame, Leaf
from privkit.keys.keyfile import Key
from privkit.model.policy import ColumnRule, Policy

KEY = Key.from_secret(bytes(range(32)), kept=True)


@pytest.mark.parametrize("cut", [1, 3, 20, 99])
def test_a_column_that_the_sample_showed_empty_is_treated_alike_in_every_block(cut):
    policy = Policy(columns={"late": ColumnRule(role=None)}, deny={"WARD": ("north",)}, detector="patterns")
    transformer = Transformer(policy, detector_of(policy), KEY)
    batch = pa.record_batch({"late": ["north", "south"] * 50})
    whole = transformer.transform(ArrowFrame(batch))[0].batch.column(0).to_pylist()
    pieces = [transformer.transform(ArrowFrame(piece))[0] for piece in (batch.slice(0, cut), batch.slice(cut))]
    assert [cell for piece in pieces for cell in piece.batch.column(0).to_pylist()] == whole
    assert whole[:2] == ["<WARD>", "south"]


MOMENTS = [
    dt.datetime(2020, 2, 29, 10, 0, tzinfo=dt.UTC),
    dt.datetime(2020, 2, 29, 10, 30, 10, tzinfo=dt.UTC),
    None,
    dt.datetime(2020, 2, 29, 23, 59, 59, 120_000, tzinfo=dt.UTC),
    dt.datetime(2020, 2, 29, 23, 59, 59, 5_000, tzinfo=dt.UTC),
]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
def test_a_moment_is_one_text_in_every_unit_and_zone(unit, zone):
    values = pa.array(MOMENTS, pa.timestamp(unit, zone))
    assert as_text(values).to_pylist() == [
        "2020-02-29 10:00:00Z",
        "2020-02-29 10:30:10Z",
        None,
        "2020-02-29 23:59:59.12Z",
        "2020-02-29 23:59:59.005Z",
    ]
    plain = pa.array(MOMENTS, pa.timestamp("ms", "UTC"))
    assert row_keys(5, [Leaf("at", values)]) == row_keys(5, [Leaf("at", plain)])


def test_whole_seconds_and_times_of_day():
    assert as_text(pa.array([dt.datetime(2020, 1, 1, 10)], pa.timestamp("s"))).to_pylist() == ["2020-01-01 10:00:00"]
    assert as_text(pa.array([dt.datetime(2020, 1, 1, 10)], pa.timestamp("us"))).to_pylist() == ["2020-01-01 10:00:00"]
    assert as_text(pa.array([dt.time(10), dt.time(10, 0, 0, 500)])).to_pylist() == ["10:00:00", "10:00:00.0005"]
    assert as_text(pa.array([dt.time(10)], pa.time32("s"))).to_pylist() == ["10:00:00"]
