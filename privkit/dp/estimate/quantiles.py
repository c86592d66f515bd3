"""Quantiles by inverting a noisy cumulative distribution with its band."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.halfwidths import deviation, half_width
from privkit.dp.estimate.ratio import SCARCE, TOO_FEW
from privkit.dp.estimate.shown import Intervals, cell_ends
from privkit.dp.prefix import Strategy
from privkit.dp.vectors import Cells, Integers
from privkit.model.dataset import Measure

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_AT_ONCE = 2048  # groups


class Distribution:
    """A column's noisy cumulative distribution in every group.

    Args:
        vector: The cells.
        noisy: int64, shape (groups, measured coordinates).
        scale: Scale of the noise.
        measure: Says which law.
    """

    def __init__(self, vector: Cells, noisy: Integers, scale: float, measure: Measure) -> None:
        assert vector.strategy is not None
        self._vector, self._strategy = vector, vector.strategy
        self._scale, self._measure = scale, measure
        self._curve = np.empty((len(noisy), vector.cells))
        self._rows = np.empty(len(noisy))
        for start in range(0, len(noisy), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            # einsum, as BLAS's second thread spins longer than such a product takes
            curve = np.einsum("gm,cm->gc", noisy[part].astype(np.float64), self._strategy.reconstruct)
            self._rows[part] = curve[:, -1]
            self._curve[part] = _monotone(curve)

    def quantile(self, q: Fraction, confidence: float) -> Intervals:
        """The smallest value that at least a share q of the rows do not exceed, in the column's unit.

        The true cell c has F(c) ≥ q·n > F(c − 1). A cell below it is left out where F − q·n is surely below 0, one
        above where the cell before it is surely at or above 0; each surely is one-sided at half the miss rate. The
        interval runs from the lowest value of its first cell to the highest of its last: it covers more often than it
        says where the noise is below a cell.
        """
        band = rank_half_widths(self._strategy, q, self._scale, self._measure, confidence)
        excess = self._curve - float(q) * self._rows[:, None]
        low = _first(excess >= -band)
        high = np.maximum(_first(excess > band), low)
        at = np.clip(_first(excess >= 0), low, high)
        clear = self._rows / (self._scale * self._rows_deviation())
        first, last = cell_ends(self._vector)
        inside = _inside(excess, -float(q) * self._rows, at, first, last)
        return Intervals(
            self._in_unit(inside),
            self._in_unit(first[low]),
            self._in_unit(last[high]),
            clear < SCARCE,
            clear >= TOO_FEW,
        )

    def _rows_deviation(self) -> float:
        return deviation(1.0, self._measure) * float(np.linalg.norm(self._strategy.reconstruct[-1]))

    def _in_unit(self, index: Indices | Floats) -> Floats:
        grid = self._vector.grid
        found: Floats = float(grid.low) + index.astype(np.float64) * float(grid.step)
        return found


def rank_half_widths(strategy: Strategy, q: Fraction, scale: float, measure: Measure, confidence: float) -> Floats:
    """Half-widths of F(c) − q·F(last) at each cell c, in rows: float64, shape (cells,)."""
    found: Floats = scale * _of_scale_one(strategy, q, measure, confidence)
    return found


@lru_cache(maxsize=64)
def _of_scale_one(strategy: Strategy, q: Fraction, measure: Measure, confidence: float) -> Floats:
    combined = strategy.reconstruct - float(q) * strategy.reconstruct[-1]
    return half_width(combined, measure, confidence)


def _monotone(curve: Floats) -> Floats:
    """Half way between the highest value so far and the lowest to come."""
    highest = np.maximum.accumulate(curve, axis=1)
    lowest = np.minimum.accumulate(curve[:, ::-1], axis=1)[:, ::-1]
    found: Floats = (highest + lowest) / 2
    return found


def _first(wanted: npt.NDArray[np.bool_]) -> Indices:
    """Index of the first True of each row; the last index where there is none."""
    found: Indices = np.where(wanted.any(axis=1), wanted.argmax(axis=1), wanted.shape[1] - 1)
    return found


def _inside(excess: Floats, least: Floats, at: Indices, first: Indices, last: Indices) -> Floats:
    """The k within each group's cell `at`, as if the cell's rows were spread evenly; `least` is F − q·n before all."""
    groups = np.arange(len(at))
    above = excess[groups, at]
    before = np.where(at > 0, excess[groups, np.maximum(at - 1, 0)], least)
    rise = above - before
    share = np.clip(-before / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
    found: Floats = np.floor(first[at] + share * (last[at] - first[at]) + 0.5)
    return found
