"""Estimates: right without noise, in the columns' units, honest about what they do not know."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from privkit.dp.estimate import estimate
from privkit.dp.plan import Measured, plan
from privkit.errors import UsageError
from privkit.model.query import (
    ByColumn,
    Count,
    CountUnits,
    Covariance,
    Histogram,
    Mean,
    Quantile,
    Query,
    Regression,
    Sum,
    Variance,
)
from tests.dp.simulation import planned, released, scales, spec, table, truths

MEASURES = ("zcdp", "pure")
MOMENTS = (
    Count(name="n"),
    Sum(name="s", column="x"),
    Mean(name="m", column="x"),
    Variance(name="v", column="x"),
    Variance(name="sd", column="x", root=True),
)
PAIR = (Covariance(name="c", x="z", y="y"), Covariance(name="r", x="z", y="y", scaled=True))
QUERIES = {
    "count": MOMENTS[:1],
    "total": (Sum(name="s", column="age"),),
    "total of a boolean": (Sum(name="s", column="ill"),),
    "mean": (Mean(name="m", column="age"),),
    "count, sum and mean": (*MOMENTS[:3], Sum(name="s2", column="age"), Mean(name="m2", column="age")),
    "all from one vector": MOMENTS,
    "pair": (*PAIR, Mean(name="m", column="z"), Variance(name="v", column="y"), Sum(name="s", column="y")),
    "regression": (Regression(name="b", outcome="y", predictors=("z", "x")),),
    "quantiles": tuple(Quantile(name=f"q{q}", column="age", q=q) for q in ("0.01", "0.5", "0.93")),
}  # fmt: skip


def noiseless(made, rows=2000):
    """One release whose noise rounds to nothing, at a loss that would allow it."""
    return estimate(made, released(made, table(rows), 1e12, 1, 0))


def drawn(statistics, measure="zcdp", rows=5000, loss=0.02, runs=50, confidence=0.95, noise=1.0):
    made = planned(*statistics, measure=measure)
    return estimate(made, released(made, table(rows), loss, runs, 3, noise), confidence)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("query", QUERIES)
def test_without_noise_they_are_the_statistics_of_the_bounded_data(query, measure):
    made = planned(*QUERIES[query], measure=measure)
    for one, statistic in zip(noiseless(made), made.query.statistics, strict=True):
        assert one.name == statistic.name
        assert len(one.values) == 1
        for value, truth in zip(one.values[0], truths(made, table(2000), statistic), strict=True):
            assert value.value == pytest.approx(truth, rel=1e-5, abs=1e-5)
            assert value.low <= value.value <= value.high
            assert value.high - value.low < 1e-3 * max(1, abs(truth))


@pytest.mark.parametrize("measure", MEASURES)
def test_quantiles_within_cells(measure):
    """1,024 cells of about four grid values: without noise the interval is the cell of the true value."""
    made = planned(Quantile(name="q", column="income", q="0.5"), measure=measure)
    (value,) = noiseless(made)[0].values[0]
    (truth,) = truths(made, table(2000), made.query.statistics[0])
    step = 200_000 / 4096
    assert value.low <= truth <= value.high
    assert value.high - value.low == pytest.approx(3 * step)
    assert value.low <= value.value <= value.high
    assert value.value / step == pytest.approx(round(value.value / step))


def test_quantiles_of_one_column_do_not_cross():
    statistics = [Quantile(name=f"q{q}", column="income", q=f"0.{q:02}") for q in range(5, 100, 5)]
    found = drawn(statistics, rows=500, loss=0.002, runs=300)
    points = np.array([[values[0].value for values in one.values] for one in found])
    assert np.all(np.diff(points, axis=0) >= 0)


def test_kinds_of_numbers():
    statistics = (Count(name="n"), Sum(name="s", column="age"), Sum(name="t", column="income"))
    n, s, t = drawn((Count(name="n"),)) + drawn(statistics[1:2]) + drawn(statistics[2:])
    assert all(isinstance(v.value, int) and isinstance(v.low, int) for (v,) in (*n.values, *s.values))
    assert all(isinstance(v.value, float) for (v,) in t.values)
    units, bins, median, mean = drawn(
        (
            CountUnits(name="u"),
            Histogram(name="h", column="age", bins=3),
            Quantile(name="q", column="age", q="0.5"),
            Mean(name="m", column="age"),
        )
    )
    for one in (units, bins, median):
        assert all(isinstance(v.value, int) for values in one.values for v in values)
    assert all(isinstance(v.value, float) for (v,) in mean.values)


@pytest.mark.parametrize("measure", MEASURES)
def test_days_come_back_as_days(measure):
    mean, middle = drawn(
        (Mean(name="m", column="seen"), Quantile(name="q", column="seen", q="0.5")), measure, 5000, 2.0
    )
    data = table(5000)["seen"]
    for (value,) in (*mean.values, *middle.values):
        days = [(datetime.date.fromisoformat(end) - datetime.date(1970, 1, 1)).days for end in
                (value.low, value.value, value.high)]  # fmt: skip
        assert days == sorted(days)
        assert abs(days[1] - np.median(data)) < 60


@pytest.mark.parametrize("measure", MEASURES)
def test_the_days_of_a_mean_hold_what_lies_between_days(measure):
    made = planned(Mean(name="m", column="seen"), measure=measure)
    (value,) = noiseless(made)[0].values[0]
    (truth,) = truths(made, table(2000), made.query.statistics[0])
    low, high = ((datetime.date.fromisoformat(end) - datetime.date(1970, 1, 1)).days for end in (value.low, value.high))
    assert truth != round(truth)
    assert low < truth < high == low + 1
    assert value.value in (value.low, value.high)


def test_a_histogram_has_a_value_for_each_bin():
    made = planned(Histogram(name="h", column="age", bins=3), Histogram(name="d", column="seen", bins=2))
    ages, days = noiseless(made)
    assert [v.label for v in ages.values[0]] == ["[0, 37)", "[37, 74)", "[74, 110]"]
    assert [v.label for v in days.values[0]] == ["[2020-01-01, 2021-12-31)", "[2021-12-31, 2023-12-31]"]
    k = np.clip(np.floor(table(2000)["age"] + 0.5), 0, 110)
    assert [v.value for v in ages.values[0]] == [
        int(((k >= a) & (k < b)).sum()) for a, b in ((0, 37), (37, 74), (74, 111))
    ]
    fine = planned(Histogram(name="h", column="income", bins=1000))
    labels = [v.label for v in noiseless(fine)[0].values[0]]
    assert len(set(labels)) == 1000


def test_regression_terms_are_named_and_in_the_columns_units():
    made = planned(Regression(name="b", outcome="y", predictors=("z", "x")))
    assert [v.label for v in noiseless(made)[0].values[0]] == ["(intercept)", "z", "x"]


# ---- what is not known


@pytest.mark.parametrize("measure", MEASURES)
def test_too_few_rows_give_no_mean(measure):
    statistics = (
        Mean(name="m", column="age"),
        Variance(name="v", column="x"),
        Quantile(name="q", column="income", q="0.5"),
    )
    for one in drawn(statistics, measure, rows=3, loss=1e-6, runs=40):
        hidden = [v for (v,) in one.values if v.withheld]
        assert len(hidden) > 25
        assert all("too few" in v.withheld and v.value is v.low is v.high is None for v in hidden)
    counts = drawn((Count(name="n"),), measure, rows=3, loss=1e-4, runs=400)[0]
    assert all(v.withheld is None for (v,) in counts.values)
    negative = [v for (v,) in counts.values if v.value < 0]
    assert negative
    assert all(v.low == 0 <= v.high for v in negative)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_correlation_lost_in_noise_is_withheld_and_one_near_it_weak(measure):
    found = drawn(PAIR, measure, rows=500, loss=0.001)[1]
    assert all(v.value is None and "noise" in v.withheld for (v,) in found.values)
    clear = drawn(PAIR, measure, rows=50_000, loss=0.5)[1]
    assert all(v.value is not None and not v.weak for (v,) in clear.values)
    assert all(-1 <= v.low <= v.value <= v.high <= 1 for (v,) in clear.values)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_weak_regression_is_shown_and_says_so(measure):
    weak = drawn((Regression(name="b", outcome="y", predictors=("x",)),), measure, rows=300, loss=0.001)[0]
    assert all(v.weak and v.value is not None for values in weak.values for v in values)
    strong = drawn((Regression(name="b", outcome="y", predictors=("x",)),), measure, rows=50_000, loss=1.0)[0]
    assert not any(v.weak for values in strong.values for v in values)


# ---- intervals


@pytest.mark.parametrize("measure", MEASURES)
def test_more_confidence_is_wider(measure):
    statistics = (
        *MOMENTS,
        *PAIR,
        Quantile(name="q", column="income", q="0.5"),
        Histogram(name="h", column="age", bins=4),
    )
    widths = []
    for confidence in (0.5, 0.9, 0.95, 0.999):
        found = drawn(
            statistics, measure, rows=50_000, loss=0.002 if measure == "zcdp" else 0.1, runs=5, confidence=confidence
        )
        widths.append([v.high - v.low for one in found for values in one.values for v in values])
    assert np.all(np.diff(np.array(widths), axis=0) >= 0)
    assert np.all(np.array(widths[-1]) > np.array(widths[0]))


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95])
def test_a_confidence_is_between_0_and_1(confidence):
    with pytest.raises(UsageError, match="confidence"):
        drawn((Count(name="n"),), confidence=confidence)


def test_intervals_stay_within_what_is_declared():
    found = drawn((Mean(name="m", column="age"), Sum(name="s", column="age"), Variance(name="v", column="x")),
                  rows=60, loss=0.002, runs=500)  # fmt: skip
    mean, total, variance = ([v for (v,) in one.values if v.withheld is None] for one in found)
    assert all(0 <= v.low <= v.value <= v.high <= 110 for v in mean)
    assert any(v.low == 0 and v.high == 110 for v in mean)
    assert all(v.low >= 0 for v in total)
    assert all(0 <= v.low <= v.value <= v.high <= 1 for v in variance)


def test_a_million_times_more_rows_do_not_drown_the_noise():
    """n = 1e9 with σ near 5: half² − lead·rest would lose every digit of the width."""
    made = planned(Mean(name="m", column="x"), max_units=None, column=None, row=True)
    widths = scales(made, 0.02)
    rows, centred = (block.vector.name for block in made.blocks)
    noisy = {rows: np.array([[1_000_000_000]]), centred: np.array([[1_000_000_000 * 1024]])}
    (value,) = estimate(made, Measured((("",),), noisy, widths))[0].values[0]
    sigma = np.hypot(widths[centred] / 4096, 0.25 * widths[rows])
    assert value.value == pytest.approx(0.25)
    assert value.high - value.low == pytest.approx(2 * 1.959964 * sigma / 1e9, rel=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_statistic_says_how_its_interval_is_made(measure):
    statistics = (
        *MOMENTS,
        *PAIR,
        CountUnits(name="u"),
        Quantile(name="q", column="income", q="0.5"),
        Histogram(name="h", column="age", bins=4),
        Regression(name="b", outcome="y", predictors=("z", "x")),
    )
    law = "Gaussian" if measure == "zcdp" else "Laplace"
    for one in drawn(statistics, measure, runs=1):
        assert law in one.method
        assert one.method.endswith(".")
        assert any("not clipping" in note for note in one.notes)
    notes = {one.name: " ".join(one.notes) for one in drawn(statistics, measure, runs=1)}
    assert "conservative" in notes["q"]
    assert "1,024 cells" in notes["q"]
    assert "common grid of 4,096 steps" in notes["b"]
    assert "negative" in notes["u"]


def test_the_order_is_the_querys():
    made = planned(*reversed(MOMENTS))
    assert [one.name for one in noiseless(made)] == [s.name for s in reversed(MOMENTS)]


# ---- private keys


def private_plan():
    declared = spec().model_dump(mode="json")
    declared["budget"]["threshold_delta"] = "1e-11"
    query = Query(statistics=(CountUnits(name="u"), Count(name="n")), groups=(ByColumn(column="town", name="town"),))
    return plan(query, type(spec()).model_validate(declared))


def selected(true: int, scale: float, threshold: int, runs: int, noise: float = 1.0) -> list:
    made = private_plan()
    noisy = true + np.rint(np.random.default_rng(11).normal(0, scale * noise, runs)).astype(np.int64)
    kept = noisy[noisy >= threshold]
    keys = tuple((str(i),) for i in range(len(kept)))
    rows = {block.vector.name: kept[:, None] for block in made.blocks}
    measured = Measured(keys, rows, scales(made, 0.02), kept, scale, threshold)
    return [v for (v,) in estimate(made, measured)[0].values]


@pytest.mark.parametrize(("true", "shown"), [(40, 0.02), (60, 0.3), (90, 0.99), (300, 1)])
def test_units_of_private_groups_cover_among_those_that_appear(true, shown):
    values = selected(true, 10, 66, int(4000 / shown))
    covered = np.mean([v.low <= true <= v.high for v in values])
    assert len(values) > 300
    assert 0.935 <= covered <= (0.98 if true < 300 else 0.97)
    assert all(v.low <= v.value <= v.high for v in values)


def test_the_usual_interval_does_not_cover_near_the_threshold():
    values = selected(40, 10, 66, 200_000)
    usual = np.mean([abs(v.value - 40) <= 19.6 for v in values])
    assert usual < 0.5


def test_values_of_units_are_what_was_drawn():
    values = selected(90, 10, 66, 100)
    assert dataclasses.is_dataclass(Measured)
    assert all(isinstance(v.value, int) and v.value >= 66 and v.low >= 1 for v in values)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_group_at_all(measure):
    statistics = (*MOMENTS, *PAIR, Quantile(name="q", column="income", q="0.5"), QUERIES["regression"][0])
    assert all(one.values == () for one in drawn(statistics, measure, runs=0))
