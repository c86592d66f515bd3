"""Columns as numbers: what is none is counted and named by its column."""

import numpy as np
import pandas as pd
import pytest

from privkit.errors import ColumnError, InputError
from privkit.io.memory import open_frame, open_records
from privkit.io.numeric import numbers
from privkit.io.sources import open_source


def test_columns_in_the_order_that_is_asked_for(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1, 2.5 ,x\n-3e2,+.5,y\n")
    assert numbers(open_source(path), ["b", "a"]).tolist() == [[2.5, 1.0], [0.5, -300.0]]


def test_many_blocks():
    frame = pd.DataFrame({"a": np.arange(5000), "b": np.arange(5000) / 4})
    assert np.array_equal(numbers(open_frame(frame), ["a", "b"]), frame.to_numpy())


@pytest.mark.parametrize("cell", ["", "x", "1,5", "1_000", "0x10", "nan", "inf", "1e999", "١"])
def test_cells_that_are_no_numbers(cell):
    frame = pd.DataFrame({"a": ["1", cell, cell]})
    with pytest.raises(ColumnError, match="2 cells of column a are") as caught:
        numbers(open_frame(frame), ["a"])
    assert caught.value.columns == ("a",)


def test_records_with_and_without_a_key():
    assert numbers(open_records([{"a": 1}, {"a": 2.5}]), ["a"]).tolist() == [[1.0], [2.5]]
    for records in ([{"a": 1}, {"b": 2}], [{"a": [1, 2]}, {"a": []}], [{"a": {"b": 1}}]):
        with pytest.raises(ColumnError):
            numbers(open_records(records), ["a"])


def test_no_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n")
    with pytest.raises(InputError, match="no rows"):
        numbers(open_source(path), ["a"])
