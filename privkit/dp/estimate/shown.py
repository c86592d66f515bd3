"""From arrays to records: units, days, whole numbers, labels, and what every estimate says about itself."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import numpy as np
import numpy.typing as npt

from privkit.dp.grid import EPOCH, Grid
from privkit.dp.vectors import Cells
from privkit.model.estimates import Value

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
Kind = Literal["integer", "float", "date", "mean date"]

FEW_ROWS = "too few rows: their noisy number is below 1.96 standard deviations of its noise"

_SLACK = 1e-9  # of floating-point sums, before an interval's ends are rounded to whole numbers


@dataclass(frozen=True)
class Intervals:
    """A statistic's numbers, one a group.

    Attributes:
        point, low, high: float64, shape (groups,), in the column's unit.
        weak: Where the noise is too large for the method to be relied on.
        shown: Where there is a value; None: everywhere.
        why: Why there is none elsewhere.
        label: As in `Value`.
    """

    point: Floats
    low: Floats
    high: Floats
    weak: Truths | None = None
    shown: Truths | None = None
    why: str = FEW_ROWS
    label: str | None = None


def values(found: Intervals, kind: Kind = "float") -> list[Value]:
    """One record a group.

    Whole numbers and days: the point is rounded, and of the interval the whole numbers in it are kept: a true value
    that is whole is covered exactly as often. A mean of days is not whole: its interval ends at the days around it.
    """
    size = len(found.point)
    weak = np.zeros(size, dtype=bool) if found.weak is None else found.weak
    shown = np.ones(size, dtype=bool) if found.shown is None else found.shown
    rows = zip(
        found.point.tolist(), found.low.tolist(), found.high.tolist(), weak.tolist(), shown.tolist(), strict=True
    )
    return [
        _value(found.label, _read(point, low, high, kind), flag)
        if there
        else Value(label=found.label, weak=flag, withheld=found.why)
        for point, low, high, flag, there in rows
    ]


def _value(label: str | None, read: tuple[int | float | str, ...], weak: bool) -> Value:
    return Value(label=label, value=read[0], low=read[1], high=read[2], weak=weak)


def _read(point: float, low: float, high: float, kind: Kind) -> tuple[int | float | str, ...]:
    if kind == "float":
        return point, low, high
    nearest = floor(point + 0.5)
    if kind == "mean date":
        return day(nearest), day(floor(low)), day(ceil(high))
    inside = ceil(low - _SLACK * abs(low)), floor(high + _SLACK * abs(high))
    if inside[0] > inside[1]:
        inside = (min(max(nearest, inside[1]), inside[0]),) * 2
    whole = (nearest, *inside)
    return whole if kind == "integer" else tuple(day(number) for number in whole)


def day(number: float | Fraction) -> str:
    """Days since 1970-01-01 as YYYY-MM-DD."""
    return (EPOCH + datetime.timedelta(days=round(number))).isoformat()


def kind_of_mean(grid: Grid) -> Kind:
    """A mean of days is a day, to the nearest; any other mean is a number."""
    return "mean date" if grid.kind == "date" else "float"


def kind_of_value(grid: Grid) -> Kind:
    """Quantiles are values of the column."""
    return "date" if grid.kind == "date" else "float" if grid.kind == "float" else "integer"


def cell_ends(vector: Cells) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and last k of each cell: int64, shape (cells,). Cell c has the k with ⌊k·cells/R⌋ = c, the last R too."""
    steps = vector.grid.steps
    first = [-(-c * steps // vector.cells) for c in range(vector.cells)]
    after = [*first[1:], steps + 1]
    return np.array(first, dtype=np.int64), np.array(after, dtype=np.int64) - 1


def bin_labels(vector: Cells) -> tuple[str, ...]:
    """Names such as "[0, 10)": from a bin's lowest grid value to the next bin's; the last, "[100, 110]", has both."""
    grid, (first, last) = vector.grid, cell_ends(vector)
    edges = [grid.low + int(k) * grid.step for k in [*first, last[-1]]]
    texts = [day(edge) for edge in edges] if grid.kind == "date" else _spelled(edges)
    closing = [")"] * (len(first) - 1) + ["]"]
    return tuple(f"[{a}, {b}{end}" for a, b, end in zip(texts[:-1], texts[1:], closing, strict=True))


def _spelled(edges: Sequence[Fraction]) -> list[str]:
    """Shortest texts that keep different edges apart."""
    if all(edge.denominator == 1 for edge in edges):
        return [str(edge.numerator) for edge in edges]
    for digits in (6, 9, 12):
        texts = [f"{float(edge):.{digits}g}" for edge in edges]
        if len(set(texts)) >= len(set(edges)):
            return texts
    return [repr(float(edge)) for edge in edges]
