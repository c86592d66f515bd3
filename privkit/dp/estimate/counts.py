"""Counts, sums and histograms: the noisy number, and around it the quantile of its noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.halfwidths import integer_half_width
from privkit.dp.estimate.readings import Readings
from privkit.dp.estimate.shown import Intervals, bin_labels
from privkit.dp.grid import Grid
from privkit.dp.vectors import Cells, Integers, Total
from privkit.model.dataset import Measure

Floats = npt.NDArray[np.float64]


def count(readings: Readings, most: int, confidence: float) -> Intervals:
    """Rows.

    Args:
        readings: Coordinates that hold the number of rows.
        most: What it cannot exceed by declaration.
        confidence: Of the interval.
    """
    half = readings.exact_half_width(readings.forms["n",], confidence)
    return _around(readings.moment("n"), half, (0.0, float(most)))


def number(noisy: Integers, scale: float, measure: Measure, most: int, confidence: float) -> Intervals:
    """Integers with their own noise.

    Args:
        noisy: int64, shape (groups,).
        scale: Scale of the noise.
        measure: Says which law.
        most: What it cannot exceed by declaration.
        confidence: Of the interval.
    """
    half = integer_half_width(scale, measure, confidence)
    return _around(noisy.astype(np.float64), half, (0.0, float(most)))


def histogram(
    vector: Cells, noisy: Integers, scale: float, measure: Measure, most: int, confidence: float
) -> list[Intervals]:
    """The bins, one after the other; `noisy` is int64, shape (groups, bins)."""
    half = integer_half_width(scale, measure, confidence)
    return [
        _around(noisy[:, at].astype(np.float64), half, (0.0, float(most)), label)
        for at, label in enumerate(bin_labels(vector))
    ]


def total(vector: Total, noisy: Integers, scale: float, measure: Measure, most: int, confidence: float) -> Intervals:
    """A sum that was measured itself, in units of step/factor; `noisy` is int64, shape (groups, 1)."""
    grid = vector.grids[0]
    unit = float(grid.step / vector.factor)
    half = integer_half_width(scale, measure, confidence) * unit
    points: Floats = noisy[:, 0] * np.float64(unit)
    return _around(points, half, sum_bounds(grid, most))


def moment_sum(readings: Readings, column: str, most: int, confidence: float) -> Intervals:
    """middle·n + half·Σt."""
    form = sum_form(readings, column)
    half = readings.exact_half_width(form, confidence)
    points: Floats = readings.values @ form
    return _around(points, half, sum_bounds(readings.grids[column], most))


def sum_form(readings: Readings, column: str) -> Floats:
    """The combination of coordinates that a column's sum is, in the column's unit: float64, shape (coordinates,)."""
    grid = readings.grids[column]
    found: Floats = float(grid.middle) * readings.forms["n",] + float(grid.half) * readings.forms["s", column]
    return found


def sum_bounds(grid: Grid, most: int) -> tuple[float, float]:
    """What a sum over at most so many rows lies between."""
    return most * min(0.0, float(grid.low)), most * max(0.0, float(grid.high))


def _around(points: Floats, half: float, bounds: tuple[float, float], label: str | None = None) -> Intervals:
    """The point is left as it was drawn, so that it stays unbiased; the interval is cut to what is possible."""
    return Intervals(points, np.clip(points - half, *bounds), np.clip(points + half, *bounds), label=label)
