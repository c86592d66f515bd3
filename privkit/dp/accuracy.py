"""Half-widths of intervals before anything is drawn, and the loss that a wanted half-width costs.

All follows from declarations. Noise on counts, sums, histograms and ranks does not depend on the data; how far it moves
a mean does, through the number of rows: that is known only where somebody assumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import inf, isfinite, sqrt

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.counts import sum_form
from privkit.dp.estimate.halfwidths import integer_half_width
from privkit.dp.estimate.means import product_form
from privkit.dp.estimate.quantiles import rank_half_widths
from privkit.dp.estimate.ratio import ratios
from privkit.dp.estimate.readings import Readings, readings
from privkit.dp.grid import Grid
from privkit.dp.plan import KEYS, Measured, Plan
from privkit.dp.vectors import Cells, Total
from privkit.errors import QueryError, UsageError
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
)
from privkit.model.release import HalfWidth

Floats = npt.NDArray[np.float64]

_LEAST_EXPONENT, _MOST_EXPONENT = -14, 0  # losses are tried from 100·10^least to 999·10^most
_WIDE = 4.0  # in half ranges: ratios are searched this far, so that a cut at the bounds does not hide the width
_MEANS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)

_ROWS = "it depends on the number of rows"
_SPREAD = "it depends on how the columns spread and not only on the number of rows"


def half_widths(
    plan: Plan, scales: Mapping[str, float], confidence: float, assume_units: int | None = None
) -> tuple[HalfWidth, ...]:
    """Half of each interval's width, in the query's order.

    Args:
        plan: What would be measured.
        scales: Scale of the noise by block, in weighted units.
        confidence: Of the intervals.
        assume_units: Rows that a group is assumed to have: N units have at least as many. Widths of means, variances
            and covariances are then the largest that N rows can have, whatever their values, but for the noise on N.
    """
    return tuple(_half_width(s, plan, scales, confidence, assume_units) for s in plan.query.statistics)


def loss_for(
    plan: Plan,
    wanted: float,
    confidence: float,
    scales_of: Callable[[Decimal], Mapping[str, float]],
    assume_units: int | None = None,
) -> Decimal:
    """The smallest loss, to three digits, at which every half-width is at most `wanted`.

    Args:
        plan: What would be measured.
        wanted: Half-width in each statistic's own unit; of quantiles in ranks.
        confidence: Of the intervals.
        scales_of: Scales of the noise by block at a loss (ρ under zcdp, ε under pure).
        assume_units: As in `half_widths`.

    Raises:
        UsageError: A half-width that cannot be known without data, or that no loss below 1,000 reaches.
    """
    if not (isfinite(wanted) and wanted > 0):
        raise UsageError("an accuracy above 0 is wanted: the half-width of the intervals")
    for statistic in plan.query.statistics:
        _check_known(statistic, assume_units)

    def reached(loss: Decimal) -> bool:
        try:
            scales = scales_of(loss)
        except QueryError:  # so little loss that the noise could leave 64 bits
            return False
        found = half_widths(plan, scales, confidence, assume_units)
        return all((inf if one.half_width is None else one.half_width) <= wanted for one in found)

    return _smallest(reached, wanted)


def _smallest(reached: Callable[[Decimal], bool], wanted: float) -> Decimal:
    """By halving: more loss never widens an interval."""
    low, high = 0, 900 * (_MOST_EXPONENT - _LEAST_EXPONENT + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(_loss(middle)) else (middle + 1, high)
    if low == 900 * (_MOST_EXPONENT - _LEAST_EXPONENT + 1):
        raise UsageError(f"no loss below 1,000 gives a half-width of {wanted:g}", hint="Ask for a larger one.")
    return _loss(low)


def _loss(index: int) -> Decimal:
    """100, 101, … 999, 1000, 1010, … times 10^least."""
    return Decimal(100 + index % 900).scaleb(_LEAST_EXPONENT + index // 900)


def _check_known(statistic: Statistic, assume_units: int | None) -> None:
    hint = "Give --epsilon, or ask for this statistic in a query of its own."
    if isinstance(statistic, Regression) or (isinstance(statistic, Covariance) and statistic.scaled):
        raise UsageError(f"{statistic.name}: its accuracy cannot be known beforehand: {_SPREAD}", hint=hint)
    if isinstance(statistic, (Mean, Variance, Covariance)) and assume_units is None:
        raise UsageError(
            f"{statistic.name}: its accuracy cannot be known beforehand: {_ROWS}",
            hint="Assume a number with --assume-units N, or give --epsilon.",
        )


# ---- one statistic


def _half_width(
    statistic: Statistic, plan: Plan, scales: Mapping[str, float], confidence: float, rows: int | None
) -> HalfWidth:
    name = statistic.name
    match statistic:
        case CountUnits() | Histogram():
            return _counted(statistic, plan, scales, confidence)
        case Quantile():
            return _rank(statistic, plan, scales, confidence, rows)
        case Count() | Sum():
            return _linear(statistic, plan, scales, confidence)
        case Regression() | Covariance(scaled=True):
            return HalfWidth(name=name, half_width=None, unit="", note=_SPREAD)
        case _ if rows is None:
            return HalfWidth(name=name, half_width=None, unit="", note=f"{_ROWS}: --assume-units N assumes one")
        case _:
            return _assumed(statistic, _empty(statistic, plan, scales), confidence, rows)


def _counted(
    statistic: CountUnits | Histogram, plan: Plan, scales: Mapping[str, float], confidence: float
) -> HalfWidth:
    unit = "units" if isinstance(statistic, CountUnits) else "rows"
    block = plan.sources[statistic.name][0]
    private = plan.threshold is not None and isinstance(statistic, CountUnits)
    scale = scales.get(KEYS) if private else scales[block]
    if scale is None:
        return HalfWidth(name=statistic.name, half_width=None, unit=unit, note="measured with the private keys")
    half = float(integer_half_width(scale, plan.measure, confidence))
    note = "far above the threshold; wider near it" if private else ""
    return HalfWidth(name=statistic.name, half_width=half, unit=unit, note=note)


def _rank(
    statistic: Quantile, plan: Plan, scales: Mapping[str, float], confidence: float, rows: int | None
) -> HalfWidth:
    block = plan.sources[statistic.name][0]
    vector = plan.block(block).vector
    assert isinstance(vector, Cells)
    assert vector.strategy is not None
    band = rank_half_widths(vector.strategy, Fraction(statistic.q), scales[block], plan.measure, confidence)
    half = float(band.max())
    note = "error of the rank, in rows"
    if rows:
        note += f": {100 * half / rows:.3g} % if a group has {rows:,} rows"
    return HalfWidth(name=statistic.name, half_width=half, unit="ranks", note=note)


def _linear(statistic: Count | Sum, plan: Plan, scales: Mapping[str, float], confidence: float) -> HalfWidth:
    block = plan.sources[statistic.name][0]
    vector = plan.block(block).vector
    if isinstance(vector, Total):
        grid = vector.grids[0]
        half = integer_half_width(scales[block], plan.measure, confidence) * float(grid.step / vector.factor)
        return HalfWidth(name=statistic.name, half_width=half, unit=_unit(grid))
    held = _empty(statistic, plan, scales)
    if isinstance(statistic, Count):
        half = held.exact_half_width(held.forms["n",], confidence)
        return HalfWidth(name=statistic.name, half_width=half, unit="rows")
    half = held.exact_half_width(sum_form(held, statistic.column), confidence)
    return HalfWidth(name=statistic.name, half_width=half, unit=_unit(held.grids[statistic.column]))


def _empty(statistic: Statistic, plan: Plan, scales: Mapping[str, float]) -> Readings:
    """Readings of no group, with the noise that there would be."""
    blocks = plan.sources[statistic.name]
    none = {b: np.zeros((0, plan.block(b).vector.measured_coordinates), dtype=np.int64) for b in blocks}
    return readings(plan, Measured((), none, scales), blocks)


# ---- under an assumed number of rows


def _assumed(statistic: Mean | Variance | Covariance, held: Readings, confidence: float, rows: int) -> HalfWidth:
    grids = [held.grids[c] for c in _columns(statistic)]
    half = _widest(statistic, held, confidence, rows)
    if half is None:
        note = f"{rows:,} rows are too few beside the noise"
        return HalfWidth(name=statistic.name, half_width=None, unit=_units(statistic, grids), note=note)
    # of an interval V ± h, cut at 0, the roots are furthest apart at V = h: √(2h)
    scale = float(np.prod([float(grid.half) for grid in grids]))
    if isinstance(statistic, Variance):
        half, scale = (sqrt(half / 2), scale) if statistic.root else (half, scale**2)
    note = f"at most, if a group has {rows:,} rows"
    return HalfWidth(name=statistic.name, half_width=half * scale, unit=_units(statistic, grids), note=note)


def _widest(statistic: Mean | Variance | Covariance, held: Readings, confidence: float, rows: int) -> float | None:
    """The widest interval in t units over tables of so many rows, as noise without error would show it.

    The half-width of a combination's noise is convex in the combination, so the extremes are where a variance or a
    covariance is at an end of its range for given means, and for a mean at the bounds.
    """
    columns = _columns(statistic)
    names, tables, limit = _extremes(statistic, columns)
    forms = np.array([held.forms[name] for name in names])
    shown = replace(held, values=rows * np.array(tables) @ np.linalg.pinv(forms).T)
    form = forms[1] if isinstance(statistic, Mean) else product_form(shown, columns[0], columns[-1])
    found = ratios(shown, form, (-_WIDE, _WIDE), confidence)
    return min(limit, float(((found.high - found.low) / 2).max())) if found.shown.all() else None


def _extremes(
    statistic: Mean | Variance | Covariance, columns: tuple[str, ...]
) -> tuple[Sequence[tuple[str, ...]], Sequence[tuple[float, ...]], float]:
    """Moments, what they are per row in the tables to try, and half the range of the statistic in t units."""
    count, sums = ("n",), [("s", column) for column in columns]
    if isinstance(statistic, Mean):
        return [count, *sums], [(1.0, mean) for mean in (-1.0, 0.0, 1.0)], 1.0
    if isinstance(statistic, Variance):
        return [count, *sums, ("q", *columns)], [(1.0, m, q) for m in _MEANS for q in (m * m, 1.0)], 0.5
    pairs = product(_MEANS, repeat=2)
    return [count, *sums, ("x", *columns)], [(1.0, m, o, m * o + c) for m, o in pairs for c in _reach(m, o)], 1.0


def _reach(mean: float, other: float) -> tuple[float, ...]:
    """Largest covariance, either way, of values in −1 … 1 with these means."""
    most = sqrt((1 - mean**2) * (1 - other**2))
    return (-most, 0.0, most)


def _columns(statistic: Mean | Variance | Covariance) -> tuple[str, ...]:
    return (statistic.x, statistic.y) if isinstance(statistic, Covariance) else (statistic.column,)


def _units(statistic: Mean | Variance | Covariance, grids: Sequence[Grid]) -> str:
    if isinstance(statistic, Variance) and not statistic.root:
        return f"{_unit(grids[0])}²"
    return "·".join(_unit(grid) for grid in grids)


def _unit(grid: Grid) -> str:
    return "days" if grid.kind == "date" else grid.column
