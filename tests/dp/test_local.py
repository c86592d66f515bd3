"""Local mechanisms: what one value costs, which rows keep theirs, and that nothing else of a block changes."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats

from privkit.dp.local import LocalColumn, LocalJob, check_local, mechanisms, places_of_units, response
from privkit.errors import QueryError
from privkit.io.blocks import Block, batch_to_ipc
from privkit.model.dataset import Column

CATEGORY = {"type": "category", "categories": ["a", "b", "c"]}
NUMBER = {"type": "integer", "bounds": [0, 10]}
COLUMN = TypeAdapter(Column)


def job(column, mechanism, *, epsilon="1", max_rows=1, places=()):
    one = LocalColumn(
        name="x", column=COLUMN.validate_python(column), mechanism=mechanism, epsilon=epsilon, max_rows=max_rows
    )
    return LocalJob(columns=(one,), places=places)


def drawn(made, values, *, kind=None, first_row=0):
    batch = pa.record_batch({"x": pa.array(values, kind), "other": pa.array(range(len(values)))})
    block = Block(0, 0, first_row, len(values), "arrow", batch_to_ipc(batch))
    return mechanisms(made.to_bytes())(block).batch


# ---- what it costs


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 50), st.decimals("0.01", "8", places=3))
def test_a_response_costs_at_most_its_epsilon_and_hardly_less(categories, epsilon):
    measurement, cost = response(categories, epsilon)
    assert cost <= Fraction(epsilon)
    assert cost >= Fraction(epsilon) * Fraction(999_999_999, 1_000_000_000)
    assert cost == Fraction(measurement.map(1))


@pytest.mark.parametrize("values", [("a", "b"), ("a", None), ("a", "undeclared")])
def test_an_audit_of_randomized_response_stays_below_its_claim(values):
    """Clopper and Pearson's bounds at 1e-7 a side; the best of three events."""
    assert audited(values, epsilon=1.0, claimed=1.0) <= 1.0


def test_the_audit_finds_a_response_that_tells_the_truth_too_often():
    assert audited(("a", "b"), epsilon=2.0, claimed=1.0) > 1.0


def audited(values, epsilon, claimed):
    del claimed
    counts = []
    for value in values:
        found = drawn(job(CATEGORY, "randomize", epsilon=str(epsilon)), [value] * 6_000, kind=pa.string())
        counts.append([found.column("x").to_pylist().count(label) for label in "abc"])
    return max(lower_epsilon(one, other, 6_000) for one, other in zip(*counts, strict=True))


def lower_epsilon(first, second, draws, miss=1e-7):
    high, low = max(first, second), min(first, second)
    at_least = stats.beta.ppf(miss, high, draws - high + 1) if high else 0.0
    at_most = stats.beta.ppf(1 - miss, low + 1, draws - low)
    return math.log(at_least / at_most) if at_least else 0.0


def test_an_audit_of_noise_stays_below_its_claim_and_catches_half_of_it():
    draws, above = 200_000, 6
    honest = [
        int((drawn(job(NUMBER, "noise"), [value] * draws).column("x").to_numpy() >= above).sum()) for value in (0, 10)
    ]
    assert 0.5 < lower_epsilon(*honest, draws) <= 1.0
    broken = [
        int((drawn(job(NUMBER, "noise", epsilon="2"), [value] * draws).column("x").to_numpy() >= above).sum())
        for value in (0, 10)
    ]
    assert lower_epsilon(*broken, draws) > 1.0


def test_noise_has_the_scale_of_the_whole_range():
    found = drawn(job(NUMBER, "noise", epsilon="0.5"), [5] * 100_000).column("x").to_numpy() - 5
    scale = 10 / 0.5
    q = math.exp(-1 / scale)
    assert np.var(found) == pytest.approx(2 * q / (1 - q) ** 2, rel=0.05)
    assert abs(found.mean()) < 6 * math.sqrt(2) * scale / math.sqrt(100_000)


# ---- which values


def test_values_beyond_the_bounds_and_missing_ones_count_as_the_description_says():
    tiny = {"type": "integer", "bounds": [0, 10], "missing": 3}
    found = drawn(job(tiny, "noise", epsilon="1000000"), [-50, 99, None, 4], kind=pa.int64())
    assert found.column("x").to_pylist() == [0, 10, 3, 4]
    middle = drawn(job(NUMBER, "noise", epsilon="1000000"), [None], kind=pa.int64())
    assert middle.column("x").to_pylist() == [5]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        (NUMBER, [1, 2], pa.int64()),
        (NUMBER, [1.0, 2.0], pa.float64()),
        (NUMBER, ["1", "no number"], pa.string()),
        ({"type": "float", "bounds": [0, 1], "granularity": "0.25"}, [0.25, 0.8], pa.float64()),
        ({"type": "float", "bounds": [0, 1], "granularity": "0.25"}, ["0.25", ""], pa.string()),
    ],
)
def test_a_column_keeps_its_type_and_the_others_stay(column, values, kind):
    found = drawn(job(column, "noise"), values, kind=kind)
    assert found.schema.field("x").type == kind
    assert found.column("other").to_pylist() == [0, 1]
    assert found.column("x").null_count == 0


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.uint32()])
def test_noise_does_not_wrap_around_in_a_narrow_type(kind):
    found = drawn(job(NUMBER, "noise", epsilon="0.02"), [5] * 2000, kind=kind).column("x")
    assert found.type == pa.int64()
    assert min(found.to_pylist()) < -200
    assert max(found.to_pylist()) > 300


def test_numbers_stay_on_their_grid():
    column = {"type": "float", "bounds": [0, 60], "granularity": "0.1"}
    found = drawn(job(column, "noise", epsilon="5"), [12.34] * 1000).column("x").to_numpy()
    assert np.allclose(np.round(found * 10), found * 10)


def test_booleans_are_randomized_as_booleans():
    found = drawn(job({"type": "boolean"}, "randomize", epsilon="100"), [True, False, True], kind=pa.bool_())
    assert found.column("x").to_pylist() == [True, False, True]
    texts = drawn(job({"type": "boolean"}, "randomize", epsilon="100"), ["Yes", "0", " TRUE "], kind=pa.string())
    assert texts.column("x").to_pylist() == ["true", "false", "true"]


# ---- rows of one unit


@given(st.lists(st.lists(st.one_of(st.none(), st.sampled_from("pqr")), max_size=12), min_size=1, max_size=4))
def test_places_count_a_units_rows_over_all_parts(parts):
    found = places_of_units([pa.array(part, pa.string()) for part in parts])
    seen: dict[str, int] = {}
    for part, packed in zip(parts, found, strict=True):
        import base64

        expected = []
        for unit in part:
            if unit is None:
                expected.append(0)
            else:
                seen[unit] = seen.get(unit, 0) + 1
                expected.append(seen[unit])
        assert np.frombuffer(base64.b64decode(packed), "<u2").tolist() == expected


def test_only_so_many_rows_of_a_unit_keep_a_value():
    units = pa.array(["p", "q", "p", None, "p", "q"])
    places = places_of_units([units])
    one = drawn(job(CATEGORY, "randomize", epsilon="100", places=places), ["a"] * 6)
    assert one.column("x").to_pylist() == ["a", "a", None, None, None, None]
    two = drawn(job(CATEGORY, "randomize", epsilon="100", max_rows=2, places=places), ["a"] * 3, first_row=3)
    assert two.column("x").to_pylist() == [None, None, "a"]


def test_a_unit_with_very_many_rows_keeps_as_many_values_as_it_may():
    places = places_of_units([pa.array(["p"] * 600)])
    for most in (255, 300, 500):
        found = drawn(job(CATEGORY, "randomize", max_rows=most, places=places), ["a"] * 600)
        assert 600 - found.column("x").null_count == most


# ---- what does not fit


@pytest.mark.parametrize(
    ("column", "mechanism"),
    [
        ({"type": "category"}, "randomize"),
        ({"type": "category", "categories": ["a"]}, "randomize"),
        (NUMBER, "randomize"),
        (CATEGORY, "noise"),
        ({"type": "boolean"}, "noise"),
        ({"type": "float"}, "noise"),
        ({"type": "date", "bounds": ["2026-01-01", "2026-12-31"]}, "noise"),
    ],
)
def test_a_mechanism_that_does_not_fit_its_column_is_refused(column, mechanism):
    with pytest.raises(QueryError, match="x:"):
        check_local("x", COLUMN.validate_python(column), mechanism)


def test_an_epsilon_whose_noise_does_not_fit_and_bytes_are_refused():
    with pytest.raises(QueryError, match="64 bits"):
        check_local("x", COLUMN.validate_python(NUMBER), "noise", Decimal("1e-17"))
    check_local("x", COLUMN.validate_python(NUMBER), "noise", Decimal("1e-9"))
    with pytest.raises(QueryError, match="bytes"):
        drawn(job(CATEGORY, "randomize"), [b"\xff"], kind=pa.binary())


def test_records_without_columns_and_sources_without_the_column_are_refused():
    made = mechanisms(job(CATEGORY, "randomize").to_bytes())
    with pytest.raises(QueryError, match="a table"):
        made(Block(0, 0, 0, 1, "jsonl", b'{"x": "a"}\n'))
    batch = pa.record_batch({"y": pa.array(["a"])})
    with pytest.raises(QueryError, match="no column x"):
        made(Block(0, 0, 0, 1, "arrow", batch_to_ipc(batch)))
    assert Decimal("1") == job(CATEGORY, "randomize").columns[0].epsilon
