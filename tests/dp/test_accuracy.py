"""Half-widths before the fact, and what a wanted one costs."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from privkit.dp.accuracy import half_widths, loss_for
from privkit.dp.estimate import estimate
from privkit.errors import UsageError
from privkit.model.query import Count, CountUnits, Covariance, Histogram, Mean, Quantile, Regression, Sum, Variance
from tests.dp.simulation import planned, released, scales, scales_of, table

MEASURES = ("zcdp", "pure")
KNOWN = {
    "count": (Count(name="n"),),
    "count of several": (Count(name="n"), Mean(name="m", column="ill"), Variance(name="v", column="x")),
    "total": (Sum(name="s", column="age"),),
    "sum beside a mean": (Sum(name="s", column="income"), Mean(name="m", column="income")),
    "units": (CountUnits(name="u"),),
    "histogram": (Histogram(name="h", column="age", bins=5),),
}
ASSUMED = {
    "mean": (Mean(name="m", column="age"),),
    "variance": (Variance(name="v", column="income"),),
    "deviation": (Variance(name="d", column="income", root=True),),
    "covariance": (Covariance(name="c", x="x", y="z"),),
}
HIDDEN = (
    Covariance(name="r", x="x", y="z", scaled=True),
    Regression(name="b", outcome="y", predictors=("x",)),
)


def widths(one) -> np.ndarray:
    return np.array([(v.high - v.low) / 2 for values in one.values for v in values])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("query", KNOWN)
def test_what_does_not_depend_on_the_data_is_the_width_that_comes(query, confidence, measure):
    made = planned(*KNOWN[query], measure=measure)
    loss = 0.02 if measure == "zcdp" else 0.5
    said = half_widths(made, scales(made, loss), confidence)[0]
    found = estimate(made, released(made, table(50_000), loss, 20, 1), confidence)[0]
    whole = 0.5 if query == "count of several" else 0  # its interval's ends are rounded inwards
    np.testing.assert_allclose(widths(found), said.half_width, rtol=1e-9, atol=whole)
    assert said.note == ""
    assert said.unit == {"total": "age", "sum beside a mean": "income", "units": "units"}.get(query, "rows")


@pytest.mark.parametrize("measure", MEASURES)
def test_a_rank_error_holds_at_every_quantile(measure):
    """The rank of an interval's ends is off by no more than the band, but for the rows of the ends' own cells."""
    made = planned(*(Quantile(name=f"q{q}", column="income", q=q) for q in ("0.2", "0.5", "0.8")), measure=measure)
    loss = 0.005 if measure == "zcdp" else 0.2
    said = half_widths(made, scales(made, loss), 0.95, 20_000)
    ordered = np.sort(table(20_000)["income"])
    for one, half, q in zip(
        estimate(made, released(made, table(20_000), loss, 200, 1), 0.95), said, (0.2, 0.5, 0.8), strict=True
    ):
        points = np.array([values[0].value for values in one.values])
        off = np.abs(np.searchsorted(ordered, points) - q * 20_000)
        assert (off <= half.half_width + 60).mean() >= 0.94
        assert (off > half.half_width / 8).any()
        assert half.unit == "ranks"
        assert "% if a group has 20,000 rows" in half.note
    assert "%" not in half_widths(made, scales(made, loss), 0.95)[0].note


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("query", ASSUMED)
def test_means_need_a_number_of_rows(query, measure):
    made = planned(*ASSUMED[query], measure=measure)
    loss = 0.02 if measure == "zcdp" else 0.5
    (unknown,) = half_widths(made, scales(made, loss), 0.95)
    assert unknown.half_width is None
    assert "rows" in unknown.note
    (said,) = half_widths(made, scales(made, loss), 0.95, 5000)
    assert said.note == "at most, if a group has 5,000 rows"
    (found,) = estimate(made, released(made, table(5000), loss, 200, 1), 0.95)
    assert np.median(widths(found)) <= 1.02 * said.half_width
    if query != "deviation":  # whose worst case is a column without any spread
        assert np.median(widths(found)) >= 0.3 * said.half_width
    (few,) = half_widths(made, scales(made, loss), 0.95, 2)
    assert few.half_width is None
    assert "too few" in few.note


def test_units_of_columns():
    statistics = (Mean(name="d", column="seen"), Variance(name="v", column="age"), Covariance(name="c", x="x", y="age"))
    for statistic, unit in zip(statistics, ("days", "age²", "x·age"), strict=True):
        made = planned(statistic)
        assert half_widths(made, scales(made, 0.02), 0.95, 5000)[0].unit == unit


@pytest.mark.parametrize("statistic", HIDDEN)
def test_what_depends_on_the_spread_is_not_known(statistic):
    made = planned(statistic)
    (one,) = half_widths(made, scales(made, 0.02), 0.95, 5000)
    assert one.half_width is None
    assert "spread" in one.note
    with pytest.raises(UsageError, match=f"^{statistic.name}:") as refused:
        loss_for(made, 1.0, 0.95, scales_of(made), 5000)
    assert refused.value.exit_code == 2


# ---- the loss for an accuracy


def step_below(loss: Decimal) -> Decimal:
    """The next lower number of three digits."""
    return loss - Decimal(1).scaleb(loss.adjusted() - 2)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("statistics", "wanted", "rows"),
    [
        ((Count(name="n"),), 10, None),
        ((Count(name="n"), Histogram(name="h", column="age", bins=5)), 40, None),
        ((Sum(name="s", column="income"),), 1e6, None),
        ((Quantile(name="q", column="income", q="0.5"),), 200, None),
        ((Mean(name="m", column="age"), Mean(name="m2", column="ill")), 0.5, 10_000),
        ((Variance(name="v", column="x", root=True),), 0.02, 10_000),
    ],
)
def test_the_loss_is_the_smallest_of_three_digits(statistics, wanted, rows, measure):
    made = planned(*statistics, measure=measure)
    loss = loss_for(made, wanted, 0.95, scales_of(made), rows)

    def worst(at: Decimal) -> float:
        found = half_widths(made, scales_of(made)(at), 0.95, rows)
        return max(np.inf if one.half_width is None else one.half_width for one in found)

    assert len(loss.normalize().as_tuple().digits) <= 3
    assert worst(loss) <= wanted
    assert worst(step_below(loss)) > wanted


def test_a_count_costs_what_its_formula_says():
    """± 10 under pure ε: 2e^(−11ε)/(1 + e^(−ε)) ≤ 0.05."""
    made = planned(Count(name="n"), measure="pure")
    loss = float(loss_for(made, 10, 0.95, scales_of(made)))
    tail = [2 * np.exp(-11 * e) / (1 + np.exp(-e)) for e in (loss, loss - 0.001)]
    assert tail[0] <= 0.05 < tail[1]


def test_a_mean_wants_an_assumption():
    made = planned(Count(name="n"), Mean(name="avg_age", column="age"))
    with pytest.raises(UsageError, match=r"^avg_age:") as refused:
        loss_for(made, 1.0, 0.95, scales_of(made))
    assert "--assume-units" in refused.value.hint


@pytest.mark.parametrize("wanted", [0, -1, float("nan"), float("inf")])
def test_an_accuracy_is_above_0(wanted):
    with pytest.raises(UsageError, match="accuracy"):
        loss_for(planned(Count(name="n")), wanted, 0.95, scales_of(planned(Count(name="n"))))


def test_an_accuracy_that_nothing_reaches():
    made = planned(Sum(name="s", column="income"))
    with pytest.raises(UsageError, match="no loss below 1,000"):
        loss_for(made, 1e-9, 0.95, scales_of(made))
