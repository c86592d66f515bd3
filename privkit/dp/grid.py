"""The grid of a column: a number becomes a whole number of steps above its lower bound."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from privkit.model.dataset import BooleanColumn, DateColumn, FloatColumn, IntegerColumn, steps_of

EPOCH = datetime.date(1970, 1, 1)
"""Days are counted from here."""


@dataclass(frozen=True)
class Grid:
    """A column on k = 0 … steps: k = ⌊(clip(x) − low)/step + ½⌋.

    Attributes:
        column: The declared name.
        kind: What the source's values are read as.
        steps: R, the number of steps from bound to bound.
        low: The lower bound in the column's unit (days since 1970-01-01 for dates, 0 for booleans).
        step: One step in the column's unit.
        missing: The k that a missing value counts as; None: its row is left out.
    """

    column: str
    kind: Literal["integer", "float", "boolean", "date"]
    steps: int
    low: Fraction
    step: Fraction
    missing: int | None = None

    @property
    def high(self) -> Fraction:
        """The upper bound in the column's unit."""
        return self.low + self.steps * self.step

    @property
    def middle(self) -> Fraction:
        """Half way between the bounds, about which moments are taken."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> Fraction:
        """Half the distance between the bounds: x = middle + half·t, t in −1 … 1."""
        return (self.high - self.low) / 2

    def regridded(self, steps: int) -> Grid:
        """The same column on another number of steps (see `regrid`)."""
        missing = None if self.missing is None else int(regrid(self.missing, self.steps, steps))
        return Grid(self.column, self.kind, steps, self.low, (self.high - self.low) / steps, missing)


def regrid(index: int, steps: int, wanted: int) -> int:
    """The nearest of 0 … wanted to `index` of 0 … steps, halves upwards: exact where `steps` divides `wanted`."""
    return index * (wanted // steps) if wanted % steps == 0 else (2 * index * wanted + steps) // (2 * steps)


def grid_of(name: str, column: IntegerColumn | FloatColumn | BooleanColumn | DateColumn) -> Grid | None:
    """A column's own grid; None without bounds."""
    steps = steps_of(column)
    if steps is None:
        return None
    if isinstance(column, BooleanColumn):
        return Grid(name, "boolean", 1, Fraction(0), Fraction(1), None if column.missing is None else column.missing)
    assert column.bounds is not None
    if isinstance(column, DateColumn):
        return Grid(name, "date", steps, Fraction((column.bounds[0] - EPOCH).days), Fraction(1))
    low, high = Fraction(column.bounds[0]), Fraction(column.bounds[1])
    step = (high - low) / steps
    missing = None if column.missing is None else (Fraction(column.missing) - low) / step + Fraction(1, 2)
    return Grid(name, column.type, steps, low, step, None if missing is None else missing.__floor__())
