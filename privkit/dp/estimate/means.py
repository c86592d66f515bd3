"""Means, variances and covariances: ratios of noisy moments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.ratio import FEW, SCARCE, Ratios, enough, ratios
from privkit.dp.estimate.readings import Readings
from privkit.dp.estimate.shown import Intervals

Floats = npt.NDArray[np.float64]


def mean(readings: Readings, column: str, confidence: float) -> Intervals:
    """Σt/n, in the column's unit."""
    grid = readings.grids[column]
    found = ratios(readings, readings.forms["s", column], (-1.0, 1.0), confidence)
    middle, half = float(grid.middle), float(grid.half)
    return Intervals(
        middle + half * found.point,
        middle + half * found.low,
        middle + half * found.high,
        weak=_weak(readings, found, SCARCE),
        shown=found.shown,
    )


def variance(readings: Readings, column: str, root: bool, confidence: float) -> Intervals:
    """Σ(t − m)²/n at the noisy mean m, or its root, in the column's unit."""
    found = product(readings, column, column, (0.0, 1.0), confidence)
    scale = float(readings.grids[column].half) ** 2
    ends = [scale * part for part in (found.point, found.low, found.high)]
    point, low, high = (np.sqrt(end) for end in ends) if root else ends
    return Intervals(point, low, high, weak=_weak(readings, found, FEW), shown=found.shown)


def covariance(readings: Readings, x: str, y: str, confidence: float) -> Intervals:
    """Σ(t − m)(t′ − m′)/n at the noisy means, in the product of the columns' units."""
    found = product(readings, x, y, (-1.0, 1.0), confidence)
    scale = float(readings.grids[x].half * readings.grids[y].half)
    return Intervals(
        scale * found.point,
        scale * found.low,
        scale * found.high,
        weak=_weak(readings, found, FEW),
        shown=found.shown,
    )


def product(readings: Readings, x: str, y: str, bounds: tuple[float, float], confidence: float) -> Ratios:
    """Mean product of two columns' distances from their noisy means, in t units; the variance where they are equal."""
    return ratios(readings, product_form(readings, x, y), bounds, confidence)


def product_form(readings: Readings, x: str, y: str) -> Floats:
    """Σ(t − m)(t′ − m′) as a combination of coordinates, the noisy means m and m′ plugged in.

    At the true means it would be linear in the noise; an error d in m and d′ in m′ adds n·d·d′ to its expectation,
    which is of second order.

    Returns:
        float64, shape (groups, coordinates).
    """
    forms, m, other = readings.forms, plug_in(readings, x)[:, None], plug_in(readings, y)[:, None]
    second = forms["q", x] if x == y else forms["x", x, y]
    found: Floats = second - other * forms["s", x] - m * forms["s", y] + m * other * forms["n",]
    return found


def plug_in(readings: Readings, column: str) -> Floats:
    """Noisy mean of t, in −1 … 1; 0 where there are too few rows."""
    count = readings.moment("n")
    safe = np.where(count > 0, count, 1.0)
    found: Floats = np.where(count > 0, np.clip(readings.moment("s", column) / safe, -1.0, 1.0), 0.0)
    return found


def _weak(readings: Readings, found: Ratios, deviations: float) -> npt.NDArray[np.bool_]:
    return found.shown & ~enough(readings, deviations)
