import datetime as dt
import decimal
import uuid

import numpy as np
import pandas as pd
import pandas.testing as pdt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import ColumnError, InputError, UsageError
from privkit.io.blocks import batch_to_ipc
from privkit.io.memory import frame_from_blocks, open_frame, open_records, records_from_blocks


def run(frame, change=None):
    """The frame through blocks and back; `change` maps a leaf's name to a function of its Arrow values (None: drop)."""
    outputs = []
    for block in open_frame(frame).blocks(0):
        decoded = block.frame()
        leaves = {leaf.name: leaf.values for leaf in decoded.leaves()}
        new = {name: None if how is None else how(leaves[name]) for name, how in (change or {}).items()}
        outputs.append(batch_to_ipc(decoded.rebuilt(new).batch))
    return frame_from_blocks(frame, outputs, {name for name, how in (change or {}).items() if how is None})


def upper(values):
    return pa.array([None if v is None else v.upper() for v in values.to_pylist()], pa.string())


def columns():
    return {
        "text": pd.Series(["a", None, "c"]),
        "string": pd.Series(["a", None, "c"], dtype="string"),
        "category": pd.Series(["x", "y", None], dtype="category"),
        "int": pd.Series([1, 2, 3]),
        "int8": pd.Series([1, 2, 3], dtype="int8"),
        "Int64": pd.Series([2**60 + 1, None, 3], dtype="Int64"),
        "boolean": pd.Series([True, None, False], dtype="boolean"),
        "float": pd.Series([1.5, np.nan, -0.0]),
        "when": pd.Series(pd.to_datetime(["2020-01-01", None, "2021-01-01"])),
        "zoned": pd.Series(pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Rome")),
        "delta": pd.Series(pd.to_timedelta(["1D", None, "2h"])),
        "arrow": pd.Series([1, None, 3], dtype=pd.ArrowDtype(pa.int16())),
        "arrow_text": pd.Series(["a", None, "c"], dtype=pd.ArrowDtype(pa.string())),
        "arrow_float": pd.Series([1.0, float("nan"), None], dtype=pd.ArrowDtype(pa.float64())),
        "mixed": pd.Series([1, "a", None], dtype=object),
        "mixed_more": pd.Series([np.int64(2), {"k": [1]}, uuid.UUID(int=5)], dtype=object),
        "with_nan": pd.Series(["a", float("nan"), pd.NA], dtype=object),
        "bytes": pd.Series([b"a", None, b"c"], dtype=object),
        "bytes_and_text": pd.Series([b"\xff", "a", b"c"], dtype=object),
        "dates": pd.Series([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)], dtype=object),
        "decimals": pd.Series([decimal.Decimal("1.5"), None, decimal.Decimal("22.75")], dtype=object),
        "dicts": pd.Series([{"a": 1}, None, {"b": {"c": "x"}}], dtype=object),
        "lists": pd.Series([["a"], [], None], dtype=object),
        "sets": pd.Series([{1}, None, set()], dtype=object),
        "arrays": pd.Series([np.array([1, 2]), None, np.array([3])], dtype=object),
        "big": pd.Series([2**80, None, 1], dtype=object),
        "uuid": pd.Series([uuid.UUID(int=1), None, uuid.UUID(int=2)], dtype=object),
        "surrogate": pd.Series(["\ud800", None, "x"], dtype=object),
        "period": pd.Series(pd.period_range("2020-01", periods=3, freq="M")),
        "interval": pd.Series(pd.interval_range(0, 3)),
        "complex": pd.Series([1 + 2j, 0, 1]),
        "sparse": pd.Series([1, 0, 0], dtype="Sparse[int]"),
        "none": pd.Series([None, None, None], dtype=object),
    }


@pytest.mark.parametrize("name", columns())
def test_what_is_not_changed_is_the_original(name):
    frame = pd.DataFrame({name: columns()[name], "n": ["p", "q", "r"]}).set_axis(["i", "j", "i"])
    made = run(frame, {"n": upper})
    pdt.assert_frame_equal(made[[name]], frame[[name]])
    assert made["n"].tolist() == ["P", "Q", "R"]
    if frame[name].dtype == object:
        assert all(new is old for new, old in zip(made[name], frame[name], strict=True))


def test_index_columns_and_order_survive():
    frame = pd.DataFrame(
        [[1, "a", 2.5], [2, "b", None]],
        columns=pd.MultiIndex.from_tuples([("x", 1), ("y", 2), ("z", 3)], names=["p", "q"]),
        index=pd.MultiIndex.from_tuples([("u", 1), ("v", 2)], names=["k", None]),
    )
    made = run(frame, {"('y', 2)": upper})
    assert made.columns.equals(frame.columns)
    assert made.columns.names == ["p", "q"]
    assert made.index.equals(frame.index)
    assert made.index.names == ["k", None]
    assert made[("y", 2)].tolist() == ["A", "B"]
    pdt.assert_frame_equal(run(frame, {"('x', 1)": None}), frame.iloc[:, 1:])


def test_names_that_are_no_text_and_names_that_collide():
    frame = pd.DataFrame([["a", 1, 2]], columns=pd.Index([0, None, 2.5], dtype=object))
    assert open_frame(frame).schema().names == ["0", "None", "2.5"]
    assert list(run(frame, {"0": upper}).columns) == [0, None, 2.5]
    with pytest.raises(ColumnError, match="more than one column is named 1") as caught:
        open_frame(pd.DataFrame([["secret", "secret"]], columns=[1, "1"]))
    assert caught.value.columns == ("1",)
    with pytest.raises(ColumnError):
        open_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ColumnError, match=r"a\.b"):
        open_frame(pd.DataFrame({"a": [{"b": 1}], "a.b": [1]}))


def test_frames_without_rows_or_columns():
    frame = pd.DataFrame({"a": pd.Series([], dtype="str"), "b": pd.Series([], dtype="Int64")})
    source = open_frame(frame)
    assert list(source.blocks(0)) == []
    assert source.sample() == ()
    assert source.schema().names == ["a", "b"]
    pdt.assert_frame_equal(frame_from_blocks(frame, []), frame)
    pdt.assert_frame_equal(frame_from_blocks(frame, [], {"a"}), frame[["b"]])
    bare = pd.DataFrame(index=[5, 6])
    assert list(open_frame(bare).blocks(0)) == []
    pdt.assert_frame_equal(frame_from_blocks(bare, []), bare)
    pdt.assert_frame_equal(frame_from_blocks(pd.DataFrame(), []), pd.DataFrame())


def test_changed_text_becomes_str_and_keeps_missing_cells():
    frame = pd.DataFrame({name: columns()[name] for name in ("text", "string", "arrow_text", "with_nan")})
    made = run(frame, dict.fromkeys(frame, upper))
    assert made["text"].dtype == "str"
    assert made["string"].dtype == frame["string"].dtype
    assert made["arrow_text"].dtype == frame["arrow_text"].dtype
    assert made["with_nan"].dtype == "str"
    assert made.isna().equals(frame.isna())
    assert made["text"].dropna().tolist() == ["A", "C"]
    category = run(pd.DataFrame({"c": columns()["category"]}), {"c": upper})["c"]
    assert (category.dtype, category.tolist()[:2]) == ("str", ["X", "Y"])
    numbers = run(pd.DataFrame({"n": [1, 2]}), {"n": lambda v: pa.array(["#1", "#2"])})["n"]
    assert (numbers.dtype, numbers.tolist()) == ("str", ["#1", "#2"])


@pytest.mark.parametrize(
    "name", ["when", "zoned", "Int64", "int", "int8", "boolean", "float", "delta", "arrow", "dates", "decimals"]
)
def test_changed_values_of_the_same_type_keep_the_dtype(name):
    frame = pd.DataFrame({name: columns()[name]})
    made = run(frame, {name: lambda v: v.take(pa.array([2, 1, 0]))})
    pdt.assert_series_equal(made[name], frame[name].iloc[::-1].reset_index(drop=True))


def test_a_whole_number_column_that_got_nulls_still_fits():
    made = run(pd.DataFrame({"n": [1, 2]}), {"n": lambda v: pa.array([None, 2])})
    assert made["n"].isna().tolist() == [True, False]


def test_mixed_cells_change_one_by_one():
    inner = {"k": "v"}
    frame = pd.DataFrame({"m": pd.Series([1, "ann", None, 2.50, True, inner, float("nan")], dtype=object)})
    leaf = next(open_frame(frame).blocks(0)).frame().leaves()[0]
    assert leaf.values.to_pylist() == ["1", "ann", None, "2.5", "true", '{"k": "v"}', None]
    made = run(frame, {"m": lambda v: pa.array([x if x != "ann" else "<PERSON>" for x in v.to_pylist()])})["m"]
    assert made[1] == "<PERSON>"
    for i in (0, 2, 3, 4, 5, 6):
        assert made[i] is frame["m"][i]


def test_nested_cells_change_inside_and_keep_absent_keys_absent():
    kept = {"note": "n", "age": None}
    frame = pd.DataFrame(
        {
            "p": [{"name": "ann", "tags": ("x", "y"), "age": 3}, kept, None],
            "l": [["a", "b"], [], None],
        }
    )
    made = run(frame, {"p.name": upper, "p.tags[]": upper, "l[]": upper})
    assert made["p"][0] == {"name": "ANN", "tags": ("X", "Y"), "age": 3}
    assert made["p"][1] is kept
    assert made["l"][0] == ["A", "B"]
    assert frame["p"][0]["name"] == "ann"
    assert run(frame, {"p.name": None})["p"][0] == {"tags": ("x", "y"), "age": 3}


def test_the_frame_source_is_read_again_and_skips():
    frame = pd.DataFrame({"a": range(5_000), "b": ["x" * 3_000] * 5_000})
    source = open_frame(frame)
    blocks = list(source.blocks(0))
    assert all(b.rows <= 2_048 and len(b.payload) < (4 << 20) + 10_000 for b in blocks)
    assert list(source.blocks(0, skip=2)) == blocks[2:]
    assert sum(f.rows for f in source.sample(rows=3_000)) == 3_000
    assert source.consumed > 0
    assert not source.resumable
    assert run(frame)["a"].tolist() == list(range(5_000))


cells = {
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.none(),
    "object": st.none()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=3)
    | st.booleans()
    | st.lists(st.integers(0, 3), max_size=2),
    "Int64": st.integers(-(2**63), 2**63 - 1) | st.none(),
    "float64": st.floats(),
}


@given(
    st.lists(st.sampled_from(sorted(cells)), max_size=4).flatmap(
        lambda kinds: st.integers(0, 5).flatmap(
            lambda n: st.tuples(st.just(kinds), *[st.lists(cells[k], min_size=n, max_size=n) for k in kinds])
        )
    )
)
@settings(max_examples=80, deadline=None)
def test_any_frame_comes_back_as_it_was(drawn):
    kinds, *lists = drawn
    frame = pd.DataFrame({i: pd.Series(v, dtype=k) for i, (k, v) in enumerate(zip(kinds, lists, strict=True))})
    pdt.assert_frame_equal(run(frame), frame)


# --- records ---------------------------------------------------------------------------------------------------------


def test_records_go_in_and_come_out():
    given_records = [{"a": 1, "b": {"c": ["x", None]}}, {}, {"big": 2**80, "f": 1.5}] * 1_000
    source = open_records(given_records)
    blocks = list(source.blocks(0))
    assert [b.rows for b in blocks] == [2_048, 952]
    assert source.schema() is None
    assert records_from_blocks(b.payload for b in blocks) == given_records
    assert list(source.blocks(0, skip=1)) == blocks[1:]
    assert [f.rows for f in source.sample(rows=10)] == [10]
    assert records_from_blocks([batch_to_ipc(pa.RecordBatch.from_pylist([{"a": "x"}]))]) == [{"a": "x"}]
    assert records_from_blocks([]) == []
    assert list(open_records([]).blocks(0)) == []


def test_records_of_what_json_has_not_become_text_or_null():
    given_records = [
        {"d": dt.date(2020, 1, 2), "n": np.int64(3), "m": decimal.Decimal("1.50"), "x": float("nan"), 5: "k"}
    ]
    given_records.append({"big": 2**80, "x": [float("inf")], "n": {"d": dt.date(2020, 1, 2)}})
    (block,) = open_records(given_records).blocks(0)
    assert records_from_blocks([block.payload])[1] == {"big": 2**80, "x": [None], "n": {"d": "2020-01-02"}}
    assert records_from_blocks([block.payload])[0] == {"d": "2020-01-02", "n": 3, "m": "1.50", "x": None, "5": "k"}


@pytest.mark.parametrize(
    "bad", ["canary-9", ["canary-9"], {("canary-9",): 1}, {"canary-9": "\ud800"}, {"x": 2**80, "canary-9": "\ud800"}]
)
def test_records_that_are_none_are_refused_without_their_values(bad):
    with pytest.raises(InputError, match="record 2") as caught:
        list(open_records([{}, bad]).blocks(0))
    assert caught.value.row == 2
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_memory_has_one_part():
    for source in (open_frame(pd.DataFrame({"a": [1]})), open_records([{"a": 1}])):
        assert len(source.parts) == 1
        assert source.parts[0].path is None
        with pytest.raises(IndexError):
            list(source.blocks(1))
        assert source.fingerprint() != source.fingerprint()
    assert issubclass(UsageError, Exception)
