"""Noisy coordinates with the law of their noise, and the moments that are linear in them.

Whatever vector a release measured, estimators see one shape: independent noisy coordinates, and for each moment of
t = (x − middle)/half in −1 … 1 the combination of coordinates that it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.halfwidths import deviation, half_width, integer_half_width
from privkit.dp.grid import Grid
from privkit.dp.plan import Measured, Plan
from privkit.dp.vectors import Bernstein, CentredSum, Joint, Moments, RowCount
from privkit.model.dataset import Measure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """Coordinates of one or more blocks side by side.

    Attributes:
        values: float64, shape (groups, coordinates), without weights, in rows (t-sums, not k-sums).
        scales: float64, shape (coordinates,): scale of each coordinate's noise, in the same unit.
        lattice: float64, shape (coordinates,): the step in which each coordinate's noise is drawn.
        forms: "n" (rows), ("s", column) Σt, ("q", column) Σt², ("x", column, column) Σt·t′ → float64, shape
            (coordinates,): the combination that the moment is.
        grids: The columns, by name.
        measure: Says which law.
    """

    values: Floats
    scales: Floats
    lattice: Floats
    forms: Mapping[tuple[str, ...], Floats]
    grids: Mapping[str, Grid]
    measure: Measure

    @property
    def deviations(self) -> Floats:
        """Standard deviation of each coordinate's noise."""
        return self.scales * deviation(1.0, self.measure)

    def moment(self, *name: str) -> Floats:
        """A noisy moment of every group: float64, shape (groups,)."""
        found: Floats = self.values @ self.forms[name]
        return found

    def deviation(self, form: Floats) -> Floats:
        """Standard deviation of a combination's noise; `form` has shape (…, coordinates)."""
        found: Floats = np.sqrt(((form * self.deviations) ** 2).sum(axis=-1))
        return found

    def half_width(self, form: Floats, confidence: float) -> Floats:
        """Half-width of a combination's noise by the continuous law; `form` has shape (…, coordinates)."""
        return half_width(form * self.scales, self.measure, confidence)

    def exact_half_width(self, form: Floats, confidence: float) -> float:
        """Half-width of a combination's noise by the discrete law where all its terms are on one lattice."""
        used = form != 0
        steps = np.abs(form * self.lattice)[used]
        scales = (self.scales / self.lattice)[used]
        if np.ptp(steps) > 1e-9 * steps[0] or np.ptp(scales) > 1e-9 * scales[0]:
            return float(self.half_width(form, confidence))
        return float(steps[0]) * integer_half_width(float(scales[0]), self.measure, confidence, int(used.sum()))


@dataclass
class _Side:
    """One block's part of the coordinates."""

    values: Floats
    lattice: Floats
    scale: float
    forms: dict[tuple[str, ...], list[float]] = field(default_factory=dict)


def readings(plan: Plan, measured: Measured, blocks: Sequence[str]) -> Readings:
    """The coordinates of these blocks, which are of one family: moments over the same rows.

    Args:
        plan: What was measured.
        measured: The noisy integers.
        blocks: Names of blocks with moments; none is a `Total`.
    """
    vectors = [cast(Moments, plan.block(name).vector) for name in blocks]
    sides = [_side(v, measured.noisy[v.name], measured.scales[v.name]) for v in vectors]
    widths = [len(side.lattice) for side in sides]
    forms: dict[tuple[str, ...], Floats] = {}
    for at, side in enumerate(sides):
        for name, form in side.forms.items():
            padded = [np.zeros(width) for width in widths]
            padded[at] = np.array(form)
            forms.setdefault(name, np.concatenate(padded))
    return Readings(
        np.hstack([side.values for side in sides]),
        np.concatenate([side.scale * side.lattice for side in sides]),
        np.concatenate([side.lattice for side in sides]),
        forms,
        {grid.column: grid for vector in vectors for grid in vector.grids},
        plan.measure,
    )


def _side(vector: Moments, noisy: npt.NDArray[np.int64], scale: float) -> _Side:
    lattice = np.array([1.0 / (unit * weight) for unit, weight in zip(_units(vector), vector.weights, strict=True)])
    side = _Side(noisy * lattice, lattice, scale)
    match vector:
        case RowCount():
            side.forms = {("n",): [1]}
        case CentredSum():
            side.forms = {("s", vector.grids[0].column): [1]}
        case Bernstein():
            side.forms = _bernstein(vector)
        case Joint():
            side.forms = _joint(vector)
        case _:
            raise AssertionError(f"{vector.name} holds no moments about the middle")
    return side


def _units(vector: Moments) -> list[float]:
    """Size of each coordinate, without weight, at which it is one row's worth of 1, t, t·t′ or the Bernstein basis."""
    steps = float(vector.steps)
    match vector:
        case RowCount():
            return [1.0]
        case CentredSum():
            return [steps]
        case Bernstein():
            return [steps**vector.degree] * (vector.degree + 1)
        case _:
            return [steps**2 / weight for weight in vector.weights]


def _bernstein(vector: Bernstein) -> dict[tuple[str, ...], list[float]]:
    """With f = k/R = (1 + t)/2 the basis adds up to 1; t and t² are differences of its coordinates."""
    column = vector.grids[0].column
    if vector.degree == 1:
        return {("n",): [1, 1], ("s", column): [-1, 1]}
    return {("n",): [1, 1, 1], ("s", column): [-1, 0, 1], ("q", column): [1, -1, 1]}


def _joint(vector: Joint) -> dict[tuple[str, ...], list[float]]:
    """Weighted, a row is R²·(1, t_i, 1 − t_i², t_i·t_j)."""
    columns = [grid.column for grid in vector.grids]
    at = {name: np.eye(len(vector.coordinates))[i] for i, name in enumerate(vector.coordinates)}
    forms: dict[tuple[str, ...], Floats] = {("n",): at["n"]}
    for i, column in enumerate(columns):
        forms["s", column] = at[f"s{i}"]
        forms["q", column] = at["n"] - at[f"p{i}"]
        forms["x", column, column] = forms["q", column]
    for i, j in vector.pairs:
        forms["x", columns[i], columns[j]] = forms["x", columns[j], columns[i]] = at[f"x{i}_{j}"]
    return {name: [float(entry) for entry in form] for name, form in forms.items()}
