"""What every estimate says about itself: how its interval is made, and what to know when reading it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from privkit.dp.grid import Grid, grid_of
from privkit.dp.plan import Plan
from privkit.dp.vectors import Cells, Moments, Total
from privkit.model.dataset import CategoryColumn, FloatColumn
from privkit.model.query import (
    Count,
    CountUnits,
    Covariance,
    Histogram,
    Mean,
    Quantile,
    Regression,
    Statistic,
    Sum,
    Variance,
    columns_of,
)

_LAWS = {"zcdp": "discrete Gaussian", "pure": "discrete Laplace"}


def method(statistic: Statistic, plan: Plan) -> str:
    """How the statistic's interval is made, in one sentence."""
    law = _LAWS[plan.measure]
    match statistic:
        case CountUnits() if plan.threshold is not None:
            return "Inversion of tests of the noisy number, given that it reached the threshold."
        case Count() | CountUnits() | Sum() | Histogram():
            return f"The noisy number plus and minus the quantile of its {law} noise, cut to what is possible."
        case Mean():
            return f"Inversion of the test that sum − mean·count is {law} noise (Fieller), cut to the bounds."
        case Variance():
            root = ", the root of its ends" if statistic.root else ""
            return f"Inversion of the test that Σ(x − m)² − variance·count is {law} noise (Fieller), m the mean{root}."
        case Quantile():
            return f"Inversion of the noisy cumulative distribution with the pointwise band of its {law} noise."
        case Covariance(scaled=True):
            return f"Fisher's z with the first-order effect of the {law} noise on it (delta method)."
        case Covariance():
            return f"Inversion of the test that Σ(x − m)(y − m′) − covariance·count is {law} noise (Fieller)."
        case _:
            return (
                f"Least squares on the noisy moments with the first-order effect of their {law} noise (delta method)."
            )


def notes(statistic: Statistic, plan: Plan) -> tuple[str, ...]:
    """What to know when reading it."""
    return (
        *_own(statistic, plan),
        *_grids(statistic, plan),
        "the interval covers the noise of this one number; not clipping, rounding, bounding of units, or sampling",
    )


def _own(statistic: Statistic, plan: Plan) -> Iterator[str]:
    match statistic:
        case CountUnits() if plan.threshold is not None:
            yield "only groups whose noisy number of units reached the threshold appear: near it, numbers are too high"
        case Count() | CountUnits() | Histogram():
            yield "a noisy count is left as it was drawn and may be negative; its interval is cut at 0"
        case Mean():
            yield "weak where the noisy number of rows is below 4 standard deviations of its noise"
        case Quantile():
            yield "weak where the noisy number of rows is below 4 standard deviations of its noise"
            yield "quantile intervals are conservative: they end at the edges of cells"
            vector = plan.block(plan.sources[statistic.name][0]).vector
            if isinstance(vector, Cells) and vector.cells <= vector.grid.steps:
                yield f"read off {vector.cells:,} cells of equal width"
        case Covariance(scaled=True):
            yield "weak where a column's noisy variance is below 14 standard deviations of its noise"
        case Variance() | Covariance():
            yield "divided by the number of rows, not by one less"
            yield "weak where the noisy number of rows is below 8 standard deviations of its noise"
        case Regression():
            yield "weak where the noise is not small beside the least spread of the predictors"
            if any(_grid(column, plan).kind == "date" for column in columns_of(statistic)):
                yield "days are counted from 1970-01-01"


def _grids(statistic: Statistic, plan: Plan) -> Iterator[str]:
    """How values were rounded: to a column's own grid, or to one common grid of several columns."""
    if isinstance(statistic, (Count, CountUnits)):
        return
    blocks = plan.sources[statistic.name]
    used = {g.column: g for name in blocks for g in _vector_grids(plan, name)}
    coarse = [c for c in columns_of(statistic) if c in used and used[c].steps % _grid(c, plan).steps]
    if coarse:
        yield f"values of {', '.join(coarse)} are on a common grid of {used[coarse[0]].steps:,} steps"
    for column in columns_of(statistic):
        if column not in coarse and isinstance(plan.spec.columns[column], FloatColumn):
            yield f"values of {column} are rounded to steps of {_short(_grid(column, plan).step)}"


def _vector_grids(plan: Plan, block: str) -> tuple[Grid, ...]:
    vector = plan.block(block).vector
    if isinstance(vector, Cells):
        return (vector.grid,)
    return vector.grids if isinstance(vector, (Moments, Total)) else ()


def _grid(column: str, plan: Plan) -> Grid:
    declared = plan.spec.columns[column]
    grid = None if isinstance(declared, CategoryColumn) else grid_of(column, declared)
    assert grid is not None
    return grid


def _short(step: Fraction) -> str:
    return f"{float(step):.6g}"
