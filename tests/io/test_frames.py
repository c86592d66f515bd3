import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import ColumnError, InputError
from privkit.io.frames import ArrowFrame, RecordFrame, leaf_names, output_schema, plain_type


def batch(**columns):
    return pa.RecordBatch.from_arrays([pa.array(v) if isinstance(v, list) else v for v in columns.values()], [*columns])


def shape(frame):
    return [
        (leaf.name, leaf.values.to_pylist(), None if leaf.rows is None else leaf.rows.tolist())
        for leaf in frame.leaves()
    ]


# --- Arrow -----------------------------------------------------------------------------------------------------------


def test_arrow_leaves_are_named_by_path_and_know_their_rows():
    frame = ArrowFrame(
        batch(
            name=["a", None],
            patient=[{"name": "x", "age": 3}, None],
            tags=[["t", "u"], []],
            visits=[None, [{"doctor": "d"}, {"doctor": None}]],
        )
    )
    assert shape(frame) == [
        ("name", ["a", None], None),
        ("patient.name", ["x", None], None),
        ("patient.age", [3, None], None),
        ("tags[]", ["t", "u"], [0, 0]),
        ("visits[].doctor", ["d", None], [1, 1]),
    ]


def test_arrow_leaves_keep_their_types_and_decode_dictionaries():
    when = pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("ms", tz="Europe/Rome"))
    frame = ArrowFrame(
        batch(
            when=when,
            amount=pa.array([Decimal("1.50")]),
            city=pa.array(["x"]).dictionary_encode(),
            n=pa.array([1], pa.int8()),
        )
    )
    assert [leaf.values.type for leaf in frame.leaves()] == [when.type, pa.decimal128(3, 2), pa.string(), pa.int8()]


def test_arrow_rebuilt_changes_drops_and_leaves_the_rest_alone():
    frame = ArrowFrame(
        batch(
            name=["a", "b"],
            patient=[{"name": "x", "age": 3}, None],
            tags=[["t", "u"], None],
            gone=[[{"x": [1]}], []],
        )
    )
    made = frame.rebuilt(
        {
            "patient.age": pa.array(["3-5", None]),
            "tags[]": pa.array([dt.date(2020, 1, 1), None]),
            "name": None,
            "gone[].x[]": None,
        }
    )
    assert made.batch.to_pylist() == [
        {"patient": {"name": "x", "age": "3-5"}, "tags": [dt.date(2020, 1, 1), None]},
        {"patient": None, "tags": None},
    ]
    assert made.rows == 2
    assert frame.batch.schema.names == ["name", "patient", "tags", "gone"]


def test_arrow_rebuilt_keeps_rows_when_every_column_is_dropped():
    made = ArrowFrame(batch(a=[1, 2, 3])).rebuilt({"a": None})
    assert (made.rows, made.leaves()) == (3, ())


def test_every_nesting_of_fixed_and_large_lists_can_change():
    fixed = pa.array([["a", "b"], None, ["c", None]], pa.list_(pa.string(), 2))
    large = pa.array([["a"], None, []], pa.large_list(pa.large_string()))
    frame = ArrowFrame(batch(fixed=fixed, large=large))
    made = frame.rebuilt({"fixed[]": pa.array(["A", "B", "C", None]), "large[]": pa.array([1])})
    made.batch.validate(full=True)
    assert made.batch.to_pydict() == {"fixed": [["A", "B"], None, ["C", None]], "large": [[1], None, []]}
    assert made.batch.schema.types == [pa.list_(pa.string(), 2), pa.large_list(pa.int64())]


def test_maps_and_binaries_are_opaque_leaves():
    mapped = pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))
    frame = ArrowFrame(batch(m=mapped, b=[b"x"]))
    assert [(leaf.name, leaf.values.type) for leaf in frame.leaves()] == [("m", mapped.type), ("b", pa.binary())]
    assert frame.rebuilt({"m": pa.array(["<redacted>"])}).batch.to_pydict() == {"m": ["<redacted>"], "b": [b"x"]}


def test_equal_paths_unknown_leaves_and_wrong_lengths_are_refused():
    doubled = ArrowFrame(batch(**{"a.b": [1], "a": [{"b": 2}]}))
    with pytest.raises(ColumnError, match=r"a\.b"):
        doubled.leaves()
    with pytest.raises(ColumnError, match=r"a\.b"):
        leaf_names(doubled.batch.schema)
    frame = ArrowFrame(batch(a=[1, 2]))
    with pytest.raises(ColumnError, match="no column zz"):
        frame.rebuilt({"zz": None})
    with pytest.raises(ColumnError, match="2 cells and was given 1"):
        frame.rebuilt({"a": pa.array([1])})


def test_output_schema_is_what_rebuilt_makes():
    schema = pa.schema(
        [("a", pa.int32()), pa.field("s", pa.struct([("x", pa.string()), ("y", pa.int8())]), nullable=False)]
    )
    made = output_schema(schema, {"a": pa.string(), "s.x": None})
    assert made == pa.schema([("a", pa.string()), ("s", pa.struct([("y", pa.int8())]))])
    assert leaf_names(made) == ("a", "s.y")


def test_plain_type_reaches_into_lists_and_structs():
    words = pa.dictionary(pa.int8(), pa.string())
    assert plain_type(pa.list_(pa.struct([("w", words)]))) == pa.list_(pa.struct([("w", pa.string())]))
    assert plain_type(pa.timestamp("us", "UTC")) == pa.timestamp("us", "UTC")


scalars = st.sampled_from(
    [pa.string(), pa.large_string(), pa.int64(), pa.bool_(), pa.timestamp("us"), pa.date32(), pa.binary(), pa.float64()]
)
members = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)
types = st.recursive(
    scalars,
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(pa.large_list),
        inner.map(lambda kind: pa.list_(kind, 2)),
        members.flatmap(
            lambda names: st.tuples(*[inner] * len(names)).map(
                lambda kinds: pa.struct(list(zip(names, kinds, strict=True)))
            )
        ),
    ),
    max_leaves=5,
)


def values(kind):
    if pa.types.is_struct(kind):
        inner = st.fixed_dictionaries({field.name: values(field.type) for field in kind.fields})
    elif pa.types.is_fixed_size_list(kind):
        inner = st.lists(values(kind.value_type), min_size=2, max_size=2)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = st.lists(values(kind.value_type), max_size=3)
    else:
        inner = {
            pa.string(): st.text(max_size=4),
            pa.large_string(): st.text(max_size=4),
            pa.int64(): st.integers(-9, 9),
            pa.bool_(): st.booleans(),
            pa.timestamp("us"): st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1)),
            pa.date32(): st.dates(),
            pa.binary(): st.binary(max_size=3),
            pa.float64(): st.floats(-9, 9),
        }[kind]
    return st.none() | inner


@st.composite
def nested_batches(draw):
    kind = draw(types)
    column = pa.array(draw(st.lists(values(kind), max_size=6)), kind)
    start = draw(st.integers(0, len(column)))
    column = column.slice(start, draw(st.integers(0, len(column) - start)))
    return pa.RecordBatch.from_arrays([column, pa.array(range(len(column)))], ["c", "n"])


@given(nested_batches())
@settings(max_examples=150, deadline=None)
def test_arrow_with_every_leaf_replaced_by_itself_is_the_same(given_batch):
    frame = ArrowFrame(given_batch)
    copies = {leaf.name: pa.array(leaf.values.to_pylist(), leaf.values.type) for leaf in frame.leaves()}
    made = frame.rebuilt(copies).batch
    made.validate(full=True)
    assert made.to_pylist() == given_batch.to_pylist()
    assert made.schema == given_batch.schema
    for leaf in frame.leaves():
        if leaf.rows is not None:
            assert len(leaf.rows) == len(leaf.values)
            assert np.all(np.diff(leaf.rows) >= 0)


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_record_leaves_are_texts_and_know_their_rows():
    frame = RecordFrame(
        [
            {"name": "a", "n": 12, "ok": True, "visits": [{"doctor": "d"}, {"doctor": None}], "tags": ["t", 1.5]},
            {"name": None, "visits": None, "tags": []},
        ]
    )
    assert shape(frame) == [
        ("name", ["a", None], None),
        ("n", ["12"], [0]),
        ("ok", ["true"], [0]),
        ("visits[].doctor", ["d", None], [0, 0]),
        ("tags[]", ["t", "1.5"], [0, 0]),
    ]


def test_record_cells_that_keep_their_text_keep_their_json_value():
    records = [{"n": 12, "f": 12.5, "big": 2**80, "b": False, "s": "x"}, {"n": 13, "s": "12"}]
    frame = RecordFrame(records)
    given_back = {leaf.name: leaf.values for leaf in frame.leaves()}
    assert frame.rebuilt(given_back).records == records
    assert [type(v) for v in frame.rebuilt(given_back).records[0].values()] == [int, float, int, bool, str]
    assert frame.rebuilt({"n": pa.array(["12", "*"])}).records[1]["n"] == "*"
    assert frame.rebuilt({"n": pa.array([1, 2])}).records[0]["n"] == 1
    assert frame.rebuilt({"n": pa.array([dt.date(2020, 1, 2), None])}).records[0]["n"] == "2020-01-02"
    assert records[0]["n"] == 12


def test_record_values_go_to_their_own_cells_in_any_nesting():
    records = [
        {"v": [{"d": "a", "t": ["x", "y"]}, {"d": "b"}], "d": "top"},
        {"d": "second"},
        {"v": [{"t": ["z"], "d": "c"}]},
    ]
    frame = RecordFrame(records)
    upper = {leaf.name: pa.array([v.upper() for v in leaf.values.to_pylist()]) for leaf in frame.leaves()}
    assert frame.rebuilt(upper).records == [
        {"v": [{"d": "A", "t": ["X", "Y"]}, {"d": "B"}], "d": "TOP"},
        {"d": "SECOND"},
        {"v": [{"t": ["Z"], "d": "C"}]},
    ]


def test_record_drop_takes_emptied_lists_and_objects_with_it():
    frame = RecordFrame([{"a": {"x": 1}, "t": ["p"], "v": [{"d": 1, "e": 2}], "k": {}, "l": []}, {"t": [], "n": 1}])
    assert frame.rebuilt({"a.x": None, "t[]": None, "v[].d": None, "never": None}).records == [
        {"v": [{"e": 2}], "k": {}, "l": []},
        {"n": 1},
    ]


def test_record_keys_with_dots_share_the_leaf_of_that_path():
    frame = RecordFrame([{"a.b": "x", "a": {"b": "y"}, "": {"": "z"}}])
    assert shape(frame) == [("a.b", ["x", "y"], [0, 0]), (".", ["z"], None)]
    assert frame.rebuilt({"a.b": pa.array(["1", "2"])}).records == [{"a.b": "1", "a": {"b": "2"}, "": {"": "z"}}]


def test_record_nested_without_end_is_refused_with_its_row():
    deep = "canary-7"
    for _ in range(400):
        deep = [deep]
    with pytest.raises(InputError, match="row 12 is nested deeper") as caught:
        RecordFrame([{}, {"a": deep}], first_row=10).leaves()
    assert caught.value.row == 12
    assert "canary" not in str(caught.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b", "", "[]"]), inner, max_size=3)
    ),
    max_leaves=12,
)
records_ = st.lists(st.dictionaries(st.sampled_from(["a", "b", "a.b", "c[]", ""]), json_values, max_size=4), max_size=5)


@given(records_)
@settings(max_examples=150, deadline=None)
def test_records_with_every_leaf_replaced_by_itself_are_the_same(records):
    frame = RecordFrame(records)
    made = frame.rebuilt({leaf.name: leaf.values for leaf in frame.leaves()})
    assert repr(made.records) == repr(records)


@given(records_)
@settings(max_examples=100, deadline=None)
def test_every_scalar_of_a_record_is_in_some_leaf(records):
    frame = RecordFrame(records)
    made = frame.rebuilt({leaf.name: pa.array(["#"] * len(leaf.values)) for leaf in frame.leaves()})

    def scalars_of(value):
        if isinstance(value, dict):
            return [s for v in value.values() for s in scalars_of(v)]
        if isinstance(value, list):
            return [s for v in value for s in scalars_of(v)]
        return [value]

    assert set(scalars_of(made.records)) <= {"#", None}


def test_head_cuts_both_kinds():
    assert ArrowFrame(batch(a=[1, 2, 3])).head(2).batch.to_pydict() == {"a": [1, 2]}
    assert RecordFrame([{"a": 1}, {"a": 2}]).head(1).records == [{"a": 1}]
    assert RecordFrame([{"a": 1}]).head(9).rows == 1
