"""Strategies for a noisy cumulative distribution: which integer combinations of cell counts get noise.

A strategy is an integer matrix A and a real one B with B·A = the ones-triangle: A·counts + noise is released, and
B times that is the cumulative distribution. The noise of one entry of it is far below that of adding up noisy counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from privkit.model.dataset import Measure

_Number = TypeVar("_Number", np.int64, np.float64)
_SCALE = 2**20  # integer units of 1 in the square-root factor
_FLAT_UP_TO: Mapping[Measure, int] = {"zcdp": 4, "pure": 32}  # cells; the tests compare with what else there is
_TWO_LEVELS_UP_TO: Mapping[Measure, int] = {"zcdp": 24, "pure": 480}


@dataclass(frozen=True, eq=False)
class Strategy:
    """What gets noise, and how the cumulative distribution comes of it.

    Attributes:
        name: How releases name it.
        matrix: A, int64, shape (measured, cells), entries ≥ 0.
        reconstruct: B, float64, shape (cells, measured).
    """

    name: str
    matrix: npt.NDArray[np.int64]
    reconstruct: npt.NDArray[np.float64]

    @cached_property
    def l1(self) -> int:
        """Largest L1 norm of a column of A: how far one row in one cell moves A·counts."""
        return int(self.matrix.sum(axis=0).max())

    @cached_property
    def l2_squared(self) -> int:
        """Largest squared L2 norm of a column of A, exactly."""
        return int((self.matrix**2).sum(axis=0).max())

    @cached_property
    def highest(self) -> int:
        """Largest sum of a row of A: counts are cut cell by cell, and all of them may be at their highest."""
        return int(self.matrix.sum(axis=1).max())

    def applied(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A·counts for each group, exactly.

        Args:
            counts: int64, shape (groups, cells).

        Returns:
            int64, shape (groups, measured).
        """
        return counts @ self.matrix.T


@lru_cache(maxsize=32)
def strategy_for(cells: int, measure: Measure) -> Strategy:
    """The strategy with the lowest error for so many cells under so measured noise.

    What counts is the mean over the cells of the variance of F(k) − F(last)/2, with noise for one row's change: its
    L2 under zCDP, its L1 under pure ε. At 1,024 cells its root, in deviations of a single count's noise, is
    3.2 for the square root and 16 for the cells themselves under zCDP (no strategy is below 2.7); under pure ε 6.8 for
    the tree, 16 for the cells themselves and 64 for the square root. Few cells are best left as they are.

    Args:
        cells: Number of cells, at least 1.
        measure: How loss is measured.
    """
    if cells <= _FLAT_UP_TO[measure]:
        return Strategy("cells", np.eye(cells, dtype=np.int64), np.tril(np.ones((cells, cells))))
    if cells <= _TWO_LEVELS_UP_TO[measure]:
        return _tree(cells, 2)
    return _square_root(cells) if measure == "zcdp" else _tree(cells, 3)


def _tree(cells: int, levels: int) -> Strategy:
    """Counts of runs of 1, b, b² … cells, b the least number with b^levels ≥ cells; no total, which would cost a level
    and hold nothing new. B is the least-squares estimate from all levels (Hay, Rastogi, Miklau, Suciu 2010).

    A cell is in one run a level: its column of A has L1 norm `levels`.
    """
    branching = next(b for b in range(2, cells + 1) if b**levels >= cells)
    starts = [np.arange(0, cells, branching**level) for level in range(levels)]
    inverse = _inverse_square(cells, starts)
    matrix = np.hstack([np.add.reduceat(np.eye(cells, dtype=np.int64), begin, axis=1) for begin in starts]).T
    least = np.hstack([np.add.reduceat(inverse, begin, axis=1) for begin in starts])  # (AᵀA)⁻¹Aᵀ
    return Strategy(f"tree of {levels} levels", matrix, np.cumsum(least, axis=0))


def _inverse_square(cells: int, starts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.float64]:
    """(AᵀA)⁻¹: each run adds 11ᵀ to a block that the levels below leave diagonal (Sherman and Morrison)."""
    inverse = np.eye(cells)
    for begin in starts[1:]:
        for first, last in zip(begin, [*begin[1:], cells], strict=True):
            block = inverse[first:last, first:last]
            ones = block.sum(axis=1)
            block -= np.outer(ones, ones) / (1 + ones.sum())
    return inverse


def _square_root(cells: int) -> Strategy:
    """The ones-triangle is F·F with F lower Toeplitz, f₀ = 1, f_k = f_{k−1}(2k − 1)/2k (Fichtenberger, Henzinger,
    Upadhyay 2023). A is F in units of 2⁻²⁰, rounded; B inverts the rounded one, so the estimate stays unbiased.
    """
    factor = np.ones(cells)
    for k in range(1, cells):
        factor[k] = factor[k - 1] * (2 * k - 1) / (2 * k)
    rounded = np.rint(factor * _SCALE).astype(np.int64)
    inverse = np.zeros(cells)  # of the power series: 1/((1 − z)·rounded(z))
    for k in range(cells):
        inverse[k] = (1.0 - np.dot(rounded[1 : k + 1].astype(float), inverse[:k][::-1])) / rounded[0]
    return Strategy("square root", _toeplitz(rounded), _toeplitz(inverse))


def _toeplitz(column: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    index = np.arange(len(column))
    lags = index[:, None] - index[None, :]
    entries: npt.NDArray[_Number] = np.where(lags >= 0, column[np.abs(lags)], 0).astype(column.dtype)
    return entries
