"""Intervals for ratios of noisy moments by inverting a test whose noise is known (Fieller 1954).

At the true ratio θ the combination A − θ·n has noise of exactly known law and mean 0, at any n: those θ are kept at
which |A − θ·n| is within its half-width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.halfwidths import normal_quantile
from privkit.dp.estimate.readings import Readings

Floats = npt.NDArray[np.float64]

TOO_FEW = 1.96
"""Below so many standard deviations of its noise, a noisy number of rows gives no mean."""

SCARCE = 4.0
"""Below so many, a mean or quantile is weak: where the true rows are too few it appears only by a lucky draw of their
number, and covers less often (.77–.97 where .08–.2 of the draws show it)."""

FEW = 8.0
"""Below so many, an estimate about a mean that is itself mostly noise is weak."""

_POINTS = 513


@dataclass(frozen=True)
class Ratios:
    """Ratios of every group: float64, shape (groups,) each. `shown` is False where the rows are too few."""

    point: Floats
    low: Floats
    high: Floats
    shown: npt.NDArray[np.bool_]


def enough(readings: Readings, deviations: float = TOO_FEW) -> npt.NDArray[np.bool_]:
    """Where the noisy number of rows is at least so many standard deviations of its noise."""
    found: npt.NDArray[np.bool_] = readings.moment("n") >= deviations * readings.deviation(readings.forms["n",])
    return found


def ratios(readings: Readings, numerator: Floats, bounds: tuple[float, float], confidence: float) -> Ratios:
    """Numerator over rows.

    Args:
        readings: The noisy coordinates.
        numerator: float64, shape (coordinates,) or (groups, coordinates): the combination A.
        bounds: What the ratio lies between by declaration; the interval is cut to it.
        confidence: Of the interval.
    """
    above, below = (readings.values * numerator).sum(axis=1), readings.moment("n")
    shown = enough(readings)
    safe = np.where(shown, below, 1.0)
    point = np.clip(above / safe, *bounds)
    quadratic = _Quadratic(readings, numerator, above, below, bounds)
    if readings.measure == "zcdp":
        low, high = quadratic.ends(*[np.full(len(below), normal_quantile(confidence))] * 2)
    else:  # the Laplace noise's factor hardly changes along an interval (2.0 … 2.2 at 95 %): one correction is enough
        factor = _factors(readings, numerator, bounds, confidence)
        low, high = quadratic.ends(*[factor(np.where(shown, point, 0.0))] * 2)
        low, high = quadratic.ends(factor(low), factor(high))
    return Ratios(point, np.minimum(low, point), np.maximum(high, point), shown)


def _factors(
    readings: Readings, numerator: Floats, bounds: tuple[float, float], confidence: float
) -> Callable[[Floats], Floats]:
    """At a ratio of each group, the half-width of numerator − ratio·n in its standard deviations."""
    count = readings.forms["n",]
    if numerator.ndim > 1:
        return lambda ends: _factor(readings, numerator - ends[:, None] * count, confidence)
    at = np.linspace(*bounds, _POINTS)  # one curve for all groups, read between points
    curve = _factor(readings, numerator - at[:, None] * count, confidence)
    return lambda ends: np.interp(ends, at, curve)


def _factor(readings: Readings, form: Floats, confidence: float) -> Floats:
    """Half-width of a combination's noise in its standard deviations."""
    deviation = readings.deviation(form)
    found: Floats = readings.half_width(form, confidence) / np.where(deviation > 0, deviation, 1.0)
    return found


class _Quadratic:
    """(A − θn)² ≤ z²·var(A − θn), as a quadratic in θ."""

    def __init__(
        self, readings: Readings, numerator: Floats, above: Floats, below: Floats, bounds: tuple[float, float]
    ) -> None:
        squares, count = readings.deviations**2, readings.forms["n",]
        self._above, self._below, self._bounds = above, below, bounds
        self._numerator = (numerator**2 * squares).sum(axis=-1)
        self._cross = (numerator * count * squares).sum(axis=-1)
        self._count = (count**2 * squares).sum()

    def ends(self, z_low: Floats, z_high: Floats) -> tuple[Floats, Floats]:
        """The lower end at its z and the upper one at its; the bounds where the test keeps everything."""
        return self._end(z_low, -1), self._end(z_high, 1)

    def _end(self, z: Floats, sign: int) -> Floats:
        above, below, square = self._above, self._below, z**2
        lead = below**2 - square * self._count
        half = above * below - square * self._cross
        # half² − lead·rest with its large terms, which cancel, left out
        spread = below**2 * self._numerator - 2 * above * below * self._cross + above**2 * self._count
        under = square * (spread - square * (self._numerator * self._count - self._cross**2))
        bounded = (lead > 0) & (below > 0)
        end = (half + sign * np.sqrt(np.maximum(under, 0.0))) / np.where(bounded, lead, 1.0)
        low, high = self._bounds
        return np.clip(np.where(bounded, end, high if sign > 0 else low), low, high)
