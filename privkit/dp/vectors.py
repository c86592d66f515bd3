"""The vectors that statistics are functions of, and how far one row can move each.

A vector is a tuple of integer coordinates, summed over rows. `row_l1` and `row_l2_squared` bound what one row can add,
after every coordinate was multiplied by its weight (a weight brings coordinates of different range to one noise).
A unit adds at most M rows to each of at most G groups, so the vector of all groups moves by at most

    L1 ≤ G·M·row_l1        L2² ≤ G·M²·row_l2_squared

(MATH: the norm is convex, so that M rows that pull the same way are the worst.) A unit with more than M rows in a group
is scaled to M rows, each coordinate truncated towards zero, which shrinks its absolute value: the bounds stand.
With t = (2k − R)/R in −1 … 1 and f = k/R in 0 … 1; every bound below is reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from privkit.dp.grid import Grid
from privkit.dp.prefix import Strategy

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vector(ABC):
    """One vector of a query.

    Attributes:
        name: What it is called in plans and releases; unique within a query.
        present: The columns that must not be missing in a row that counts.
    """

    name: str
    present: frozenset[str]

    @property
    @abstractmethod
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates as they are aggregated."""

    @property
    @abstractmethod
    def row_l1(self) -> int:
        """Largest L1 norm that one row can add, weights included."""

    @property
    @abstractmethod
    def row_l2_squared(self) -> int:
        """Largest squared L2 norm that one row can add, weights included."""

    @property
    @abstractmethod
    def row_highest(self) -> int:
        """Largest absolute value of one weighted coordinate that one row can add."""

    @property
    def measured_coordinates(self) -> int:
        """Number of coordinates that get noise, in one group."""
        return len(self.coordinates)

    @abstractmethod
    def weighted(self, values: Integers) -> Integers:
        """What noise is added to.

        Args:
            values: int64, shape (groups, len(coordinates)): the aggregate, without weights.

        Returns:
            int64, shape (groups, measured_coordinates).
        """


@dataclass(frozen=True)
class Units(Vector):
    """Distinct units: one each, however many rows they have."""

    coordinates = ("u",)
    row_l1 = row_l2_squared = row_highest = 1

    def weighted(self, values: Integers) -> Integers:
        """As it is."""
        return values


@dataclass(frozen=True)
class Moments(Vector):
    """Sums over rows of functions of the grid indices k.

    Attributes:
        grids: The columns; one grid (equal `steps`) where there are several.
    """

    grids: tuple[Grid, ...] = ()

    @property
    @abstractmethod
    def weights(self) -> tuple[int, ...]:
        """Integer factor of each coordinate before noise."""

    @abstractmethod
    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """Coordinates of one row.

        Args:
            indices: k of each of `grids`: Python integers, or integer expressions of an engine.
            one: The number 1, in the same kind.
        """

    @property
    @abstractmethod
    def row_ranges(self) -> tuple[tuple[int, int], ...]:
        """Lowest and highest value of each coordinate of one row, without weights."""

    @property
    def steps(self) -> int:
        """R of the columns."""
        return self.grids[0].steps if self.grids else 1

    @property
    def affine(self) -> tuple[tuple[int, int], ...] | None:
        """(a, b) of each coordinate, where every one is a + b·k of one column; else None.

        All follow then from the number of rows and Σk. Coordinates are of degree 2 at most: three values tell.
        """
        if len(self.grids) != 1:
            return None
        first, second, third = (self.row([k]) for k in range(3))
        found = tuple((a, b - a) for a, b in zip(first, second, strict=True))
        return found if all(a + 2 * b == c for (a, b), c in zip(found, third, strict=True)) else None

    @property
    def row_highest(self) -> int:
        """Largest absolute value of one weighted coordinate that one row can add."""
        return max(w * max(abs(a), abs(b)) for w, (a, b) in zip(self.weights, self.row_ranges, strict=True))

    def weighted(self, values: Integers) -> Integers:
        """Each coordinate times its weight."""
        return values * np.array(self.weights, dtype=np.int64)


@dataclass(frozen=True)
class RowCount(Moments):
    """n: one a row."""

    coordinates = ("n",)
    weights = (1,)
    row_l1 = row_l2_squared = 1
    row_ranges = ((0, 1),)

    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """(1,)."""
        del indices
        return (one,)


@dataclass(frozen=True)
class CentredSum(Moments):
    """s = Σ(2k − R): the sum about the middle of the bounds, in half steps."""

    coordinates = ("s",)
    weights = (1,)

    @property
    def row_l1(self) -> int:
        """R, at a bound."""
        return self.steps

    @property
    def row_l2_squared(self) -> int:
        """R²."""
        return self.steps**2

    @property
    def row_ranges(self) -> tuple[tuple[int, int], ...]:
        """−R … R."""
        return ((-self.steps, self.steps),)

    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """(2k − R,)."""
        return (2 * indices[0] - self.steps * one,)


@dataclass(frozen=True)
class Total(Moments):
    """Σ(offset + factor·k): the sum itself, in units of step/factor. For a sum that is asked for alone.

    Under zCDP this equals the best split between a count and a centred sum: the variance of m·n + h·s is smallest at
    (|m| + h)² = max(|low|, |high|)² over ρ.
    """

    offset: int = 0
    factor: int = 1

    coordinates = ("y",)
    weights = (1,)

    @property
    def row_l1(self) -> int:
        """The larger bound, in absolute value."""
        return max(abs(self.offset), abs(self.offset + self.factor * self.steps))

    @property
    def row_l2_squared(self) -> int:
        """Its square."""
        return self.row_l1**2

    @property
    def row_ranges(self) -> tuple[tuple[int, int], ...]:
        """From bound to bound."""
        return ((self.offset, self.offset + self.factor * self.steps),)

    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """(offset + factor·k,)."""
        return (self.offset * one + self.factor * indices[0],)


@dataclass(frozen=True)
class Bernstein(Moments):
    """Count, sum and, with degree 2, sum of squares in the Bernstein basis, whose coordinates are ≥ 0 and add up to Rᵈ.

    Degree 1: (R − k, k). Degree 2: ((R − k)², 2k(R − k), k²). Weighted 7, 13, 7 under zCDP: ‖(7(1−f)², 26f(1−f), 7f²)‖²
    is highest at f = 0 and f = 1, where it is 49 (at f = ½: 3.0625 + 42.25 + 3.0625 = 48.375).
    """

    degree: int = 1
    weights: tuple[int, ...] = (1, 1)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """b0, b1 and, with degree 2, b2."""
        return ("b0", "b1", "b2")[: self.degree + 1]

    @property
    def row_l1(self) -> int:
        """Highest weight times Rᵈ: the coordinates are ≥ 0 and add up to Rᵈ."""
        return max(self.weights) * int(self.steps**self.degree)

    @property
    def row_l2_squared(self) -> int:
        """Squared outer weight times R²ᵈ, for equal weights and for 7, 13, 7."""
        assert len(set(self.weights)) == 1 or self.weights == (7, 13, 7)
        return self.weights[0] ** 2 * int(self.steps ** (2 * self.degree))

    @property
    def row_ranges(self) -> tuple[tuple[int, int], ...]:
        """0 … Rᵈ, and 0 … R²/2 for the middle one of degree 2."""
        full = (0, self.steps**self.degree)
        return (full, full) if self.degree == 1 else (full, (0, self.steps**2 // 2), full)

    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """The basis at k."""
        k, rest = indices[0], self.steps * one - indices[0]
        return (rest, k) if self.degree == 1 else (rest * rest, 2 * k * rest, k * k)


@dataclass(frozen=True)
class Joint(Moments):
    """n, s_i = Σ(2k_i − R), p_i = Σk_i(R − k_i) and x_ij = Σ(2k_i − R)(2k_j − R) of K ≥ 2 columns, for covariance,
    correlation and regression. Weighted R², R, 4 and 1, a row is R²·(1, t_i, 1 − t_i², t_i·t_j).

    L2²: 1 + Σ(t_i² + (1 − t_i²)²) + Σ t_i²t_j² is convex in each t_i², so highest at |t| = 1: 1 + K + K(K − 1)/2.
    L1: 1 + Σ(|t_i| + 1 − t_i²) + Σ|t_i t_j| is highest at |t| = 1 for K ≥ 2: 1 + K(K + 1)/2 (checked by the tests).
    """

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs i < j, in the order of the coordinates."""
        return tuple(combinations(range(len(self.grids)), 2))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """n, s0 …, p0 …, x0_1 …"""
        every = range(len(self.grids))
        return ("n", *(f"s{i}" for i in every), *(f"p{i}" for i in every), *(f"x{i}_{j}" for i, j in self.pairs))

    @property
    def weights(self) -> tuple[int, ...]:
        """R², R, 4, 1."""
        size = len(self.grids)
        return (self.steps**2, *[self.steps] * size, *[4] * size, *[1] * len(self.pairs))

    @property
    def row_l1(self) -> int:
        """(1 + K(K + 1)/2)·R²."""
        size = len(self.grids)
        return (1 + size * (size + 1) // 2) * self.steps**2

    @property
    def row_l2_squared(self) -> int:
        """(1 + K + K(K − 1)/2)·R⁴."""
        return (1 + len(self.grids) + len(self.pairs)) * self.steps**4

    @property
    def row_ranges(self) -> tuple[tuple[int, int], ...]:
        """By coordinate: 1, ±R, R²/4, ±R²."""
        size, steps = len(self.grids), self.steps
        return (
            (0, 1),
            *[(-steps, steps)] * size,
            *[(0, steps**2 // 4)] * size,
            *[(-(steps**2), steps**2)] * len(self.pairs),
        )

    def row(self, indices: Sequence[Any], one: Any = 1) -> tuple[Any, ...]:
        """The moments of one row."""
        steps = self.steps
        centred = [2 * k - steps * one for k in indices]
        crossed = [centred[i] * centred[j] for i, j in self.pairs]
        return (one, *centred, *[k * (steps * one - k) for k in indices], *crossed)


@dataclass(frozen=True)
class Cells(Vector):
    """Rows in each of `cells` cells of equal width between a column's bounds: cell ⌊k·cells/R⌋, the upper bound
    in the last one.

    A unit's M rows may all be in one cell. With a strategy, noise is added to `strategy.matrix` times the counts.
    """

    grid: Grid
    cells: int
    strategy: Strategy | None = field(default=None, compare=False)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """c0, c1, …"""
        return tuple(f"c{i}" for i in range(self.cells))

    @property
    def measured_coordinates(self) -> int:
        """Rows of the strategy's matrix, or the cells."""
        return self.cells if self.strategy is None else int(self.strategy.matrix.shape[0])

    @property
    def row_l1(self) -> int:
        """1, or the largest L1 norm of a column of the strategy's matrix."""
        return 1 if self.strategy is None else self.strategy.l1

    @property
    def row_l2_squared(self) -> int:
        """1, or the largest squared L2 norm of a column of the strategy's matrix."""
        return 1 if self.strategy is None else self.strategy.l2_squared

    @property
    def row_highest(self) -> int:
        """1, or the largest row sum of the strategy's matrix: every cell may be at its highest."""
        return 1 if self.strategy is None else self.strategy.highest

    def weighted(self, values: Integers) -> Integers:
        """The counts, or the strategy's matrix times them; exact."""
        return values if self.strategy is None else self.strategy.applied(values)
