"""Tables and plans for tests of the bounded aggregate: what a source can hold, and what can be asked of it."""

import datetime
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from privkit.dp.arithmetic import PRIME
from privkit.dp.plan import plan
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    And,
    Band,
    ByBands,
    ByBuckets,
    ByColumn,
    Comparison,
    Count,
    CountUnits,
    Covariance,
    Histogram,
    In,
    IsMissing,
    Mean,
    Not,
    Or,
    Quantile,
    Query,
    Regression,
    Sum,
    Variance,
)

DAY = datetime.date(2024, 2, 28)
CATEGORIES = ("a", "b", "é|", "e\u0301|", "a|b", "A")
FAR = 2**49  # bounds far from zero
SOURCES = {
    "u": {"int": pa.int64(), "text": pa.string()},
    "x": {"float": pa.float64(), "text": pa.string(), "int": pa.int64(), "single": pa.float32()},
    "y": {"int": pa.int64(), "float": pa.float64(), "text": pa.string(), "small": pa.int8()},
    "z": {"int": pa.int64(), "text": pa.string(), "decimal": pa.decimal128(24, 3)},
    "b": {"bool": pa.bool_(), "text": pa.string(), "int": pa.int32()},
    "d": {"date": pa.date32(), "time": pa.timestamp("us"), "text": pa.string()},
    "g": {"text": pa.string()},
    "h": {"text": pa.string(), "int": pa.int64()},
}
NUMBERS = [
    0.0,
    -0.0,
    10.0,
    5.0,
    2.25,
    0.25,
    4.999999999,
    -1e300,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    0.49999999999999994,
]
INTEGERS = [0, -3, 12, 5, 2, -(2**63), 2**63 - 1, 2**53 + 1]
TEXTS = [
    "3.7",
    " 12 ",
    "x",
    "",
    "1e3",
    "nan",
    "inf",
    "-Infinity",
    "-2.5",
    "2.5",
    "9223372036854775808",
    "9007199254740993",
]
VALUES = {
    ("u", "int"): [1, 2, 3, -4, 2**63 - 1, -(2**63), PRIME, 0],
    ("u", "text"): ["1", "a|b", "a", "é", "e\u0301", "", "ABC", " a"],
    ("x", "float"): NUMBERS,
    ("x", "single"): [0.0, 0.25, 2.25, 10.0, math.inf, math.nan, 7.75],
    ("x", "text"): TEXTS,
    ("x", "int"): INTEGERS,
    ("y", "int"): INTEGERS,
    ("y", "float"): [*NUMBERS, 2.5, -2.5, -0.5, 2.0**53 + 2, 11.5],
    ("y", "text"): TEXTS,
    ("y", "small"): [-128, 127, 0, 3],
    ("z", "int"): [FAR, FAR + 1, FAR + 7, -(2**63), 2**63 - 1, 0],
    ("z", "text"): [str(FAR + 3), str(FAR + 1), f"{FAR + 6}.4", "-9223372036854775809", "q"],
    ("z", "decimal"): [
        Decimal(FAR + 1),
        Decimal("1152921504606846978.5"),
        Decimal("1152921504606846979.499"),
        Decimal("-5.5"),
    ],
    ("b", "bool"): [True, False],
    ("b", "text"): ["true", " FALSE", "1", "0", "no", "2", ""],
    ("b", "int"): [0, 1, 2, -1],
    ("d", "date"): [DAY, DAY + datetime.timedelta(2), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
    ("d", "time"): [datetime.datetime(2024, 2, 28, 23, 59, 59, 999999), datetime.datetime(1960, 1, 1, 0, 0, 1)],
    ("d", "text"): ["2024-02-29", "2024-02-30", "x", " 2024-03-01 ", ""],
    ("g", "text"): [*CATEGORIES, "other", "a ", "ß"],
    ("h", "text"): ["p", "q", "p|q", "é", "e\u0301", "", "😀", "ﬀ"],
    ("h", "int"): [1, 2, -1],
}
COLUMNS = {
    "x": {"type": "float", "bounds": [0, 10], "granularity": "0.5"},
    "y": {"type": "integer", "bounds": [-3, 12]},
    "z": {"type": "integer", "bounds": [FAR, FAR + 7]},
    "b": {"type": "boolean"},
    "d": {"type": "date", "bounds": ["2024-02-27", "2024-03-05"]},
    "g": {"type": "category", "categories": list(CATEGORIES)},
    "h": {"type": "category"},
}


def spec_of(groups=2, rows=2, units=1000, measure="zcdp", missing=(), by_row=False):
    columns = {name: dict(column) for name, column in COLUMNS.items()}
    for name, value in missing:
        columns[name]["missing"] = value
    unit = {"column": "u", "max_groups": groups, "max_rows_per_group": rows, "max_units": units}
    budget = {"epsilon": 1, "delta": "1e-7", "threshold_delta": "1e-8"} if measure == "zcdp" else {"epsilon": 1}
    return DatasetSpec.model_validate(
        {
            "name": "t",
            "version": "1",
            "privacy_unit": {"row": True, "max_units": units} if by_row else unit,
            "budget": {**budget, "measure": measure},
            "ledger": "l",
            "columns": columns,
        }
    )


# ---- strategies

STATISTICS = [
    Count(name="n"),
    Count(name="nx", column="x"),
    Count(name="ng", column="g"),
    CountUnits(name="u"),
    Sum(name="sx", column="x"),
    Sum(name="sy", column="y"),
    Mean(name="mx", column="x"),
    Mean(name="my", column="y"),
    Mean(name="mb", column="b"),
    Mean(name="md", column="d"),
    Mean(name="mz", column="z"),
    Variance(name="vx", column="x"),
    Variance(name="vy", column="y", root=True),
    Quantile(name="qx", column="x", q=Decimal("0.5")),
    Quantile(name="qd", column="d", q=Decimal("0.5")),
    Histogram(name="hx", column="x", bins=3),
    Histogram(name="hz", column="z", bins=3),
    Covariance(name="cxy", x="x", y="y"),
    Regression(name="r", outcome="y", predictors=("x", "b")),
]
LEAVES = [
    Comparison(column="x", operator="<", value="2.25"),
    Comparison(column="x", operator="!=", value="0.1"),
    Comparison(column="x", operator=">=", value="-0"),
    Comparison(column="y", operator=">", value="2.5"),
    Comparison(column="y", operator="<=", value="-2.5"),
    Comparison(column="y", operator="=", value="9007199254740993"),
    Comparison(column="y", operator="<", value="100000000000000000000"),
    Comparison(column="z", operator="!=", value=str(FAR + 1)),
    Comparison(column="z", operator="<", value="1.0001"),
    Comparison(column="g", operator="!=", value="é|"),
    Comparison(column="b", operator="=", value="true"),
    Comparison(column="d", operator=">=", value="2024-02-29"),
    In(column="g", values=("a", "e\u0301|")),
    In(column="y", values=("2", "2.5", "5")),
    In(column="d", values=("2024-02-28", "9999-12-31")),
    IsMissing(column="x"),
    IsMissing(column="g"),
]
CONDITIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda a, b: And(parts=(a, b)), inner, inner),
        st.builds(lambda a, b: Or(parts=(a, b)), inner, inner),
        st.builds(lambda a: Not(part=a), inner),
    ),
    max_leaves=4,
)
BANDS = ByBands(
    column="x",
    name="band",
    bands=(
        Band(label="low", condition=Comparison(column="x", operator="<", value="2.25")),
        Band(label="mid", condition=In(column="x", values=("5", "4.999999999"))),
        Band(label="low", condition=Not(part=Comparison(column="x", operator="<", value="8"))),
    ),
)
GROUPS = [
    ByColumn(column="g", name="g"),
    ByColumn(column="b", name="b"),
    ByColumn(column="h", name="h"),
    BANDS,
    BANDS.model_copy(update={"otherwise": "rest"}),
    ByBuckets(column="y", name="bucket", low="-2.5", high="9", count=3),
    ByBuckets(column="x", name="bucket", low="0", high="8", count=3),
    ByBuckets(column="z", name="bucket", low=str(FAR), high=str(FAR + 5), count=2),
    ByBuckets(column="d", name="bucket", low="2024-02-27", high="2024-03-02", count=2),
]


@st.composite
def plans(draw, measures=("zcdp", "pure")):
    measure = draw(st.sampled_from(measures))
    groups = tuple(draw(st.lists(st.sampled_from(GROUPS), max_size=3, unique_by=lambda g: g.name)))
    assume(measure == "zcdp" or all(group.column != "h" for group in groups))
    statistics = tuple(draw(st.lists(st.sampled_from(STATISTICS), min_size=1, max_size=4, unique_by=lambda s: s.name)))
    missing = draw(st.lists(st.sampled_from([("x", 5), ("y", 0), ("b", True), ("z", FAR + 1)]), unique=True))
    spec = spec_of(
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        draw(st.sampled_from([1000, 1000, 3])),
        measure,
        missing,
        by_row=draw(st.sampled_from([False] * 7 + [True])),
    )
    return plan(Query(statistics=statistics, where=draw(st.none() | CONDITIONS), groups=groups), spec)


@st.composite
def tables(draw, most=24):
    """Rows as dictionaries, and the kind of each column in the source."""
    kinds = {name: draw(st.sampled_from(sorted(of))) for name, of in SOURCES.items()}
    fields = {
        n: draw(st.lists(st.sampled_from([*VALUES[n, k], None]), min_size=1, max_size=4)) for n, k in kinds.items()
    }
    row = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in fields.items()})
    return draw(st.lists(row, max_size=most)), kinds


def _stored(value):
    return value.quantize(Decimal("0.001")) if isinstance(value, Decimal) else value


def arrow_of(rows, kinds):
    """Rows as an Arrow table, each column of the type that `kinds` names."""
    types = {name: SOURCES[name][kind] for name, kind in kinds.items()}
    arrays = {n: pa.array([_stored(row[n]) for row in rows], types[n], from_pandas=False) for n in types}
    return pa.table(arrays)


def same(one, other):
    assert one.keys == other.keys
    assert one.vectors.keys() == other.vectors.keys()
    for name, values in one.vectors.items():
        assert values.dtype == np.int64
        np.testing.assert_array_equal(values, other.vectors[name], name)
    assert (one.units is None) == (other.units is None)
    if one.units is not None:
        np.testing.assert_array_equal(one.units, other.units)


QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))
