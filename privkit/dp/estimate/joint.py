"""Correlations and regressions from joint moments, linearised in their noise (the delta method)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.means import product_form
from privkit.dp.estimate.ratio import enough
from privkit.dp.estimate.readings import Readings
from privkit.dp.estimate.shown import Intervals

Floats = npt.NDArray[np.float64]

MEANINGLESS = "the noise on a column's variance is more than a tenth of it: a correlation would mean nothing"
SINGULAR = "the noisy moments have no least-squares solution"

_CLEAR = 10.0  # standard deviations of its noise that each variance must be for a correlation
_DOUBTFUL = 14.0  # up to which a correlation is weak: one that only luck made clear covers less often
_WEAK = 4.0  # noise norms that the smallest eigenvalue must be
_EDGE = 1 - 1e-6


def correlation(readings: Readings, x: str, y: str, confidence: float) -> Intervals:
    """Pearson's r with an interval in Fisher's z; withheld where either variance is not clear of its noise.

    r = c/√(v·w): dr = dc/√(v·w) − r/2·(dv/v + dw/w) and dz = dr/(1 − r²).
    """
    count = np.where(enough(readings), readings.moment("n"), 1.0)
    squares = [_centred(readings, column, column, count) for column in (x, y)]
    clear, sure = enough(readings), enough(readings)
    for value, change in squares:
        clear = clear & (value >= _CLEAR * readings.deviation(change))
        sure = sure & (value >= _DOUBTFUL * readings.deviation(change))
    (v, dv), (w, dw) = ((np.where(clear, value, 1.0), change) for value, change in squares)
    c, dc = _centred(readings, x, y, count)
    r = np.clip(c / np.sqrt(v * w), -_EDGE, _EDGE)
    change = dc / np.sqrt(v * w)[:, None] - (r / 2)[:, None] * (dv / v[:, None] + dw / w[:, None])
    half = readings.half_width(change / (1 - r**2)[:, None], confidence)
    z = np.arctanh(r)
    return Intervals(r, np.tanh(z - half), np.tanh(z + half), weak=clear & ~sure, shown=clear, why=MEANINGLESS)


def _centred(readings: Readings, x: str, y: str, count: Floats) -> tuple[Floats, Floats]:
    """A covariance in t units, and how each coordinate's noise moves it: shapes (groups,), (groups, coordinates)."""
    form = product_form(readings, x, y)
    found = (readings.values * form).sum(axis=1) / count
    return found, (form - found[:, None] * readings.forms["n",]) / count[:, None]


def regression(readings: Readings, outcome: str, predictors: Sequence[str], confidence: float) -> list[Intervals]:
    """Least-squares terms, the intercept first, in the columns' units.

    Aβ = b with A = Σzzᵀ, b = Σz·y, z = (1, t…). To first order β̃ − β = Ã⁻¹(e_b − E_A β̃), which is linear in the
    coordinates' noise. Weak where Ã's smallest eigenvalue is below four times the noise's norm √D·σ: a term is shown
    there too, as leaving it out would select what is shown.
    """
    moments, sides = _normal_equations(readings, outcome, predictors)
    size = len(predictors) + 1
    matrix, vector = moments @ readings.values.T, sides @ readings.values.T
    eigenvalues, axes = np.linalg.eigh(np.moveaxis(matrix, 2, 0))
    shown = np.abs(eigenvalues).min(axis=1) > 0
    inverse = (axes / np.where(shown[:, None], eigenvalues, 1.0)[:, None, :]) @ np.swapaxes(axes, 1, 2)
    beta = np.einsum("gij,jg->gi", inverse, vector)
    changes = inverse @ (sides[None] - np.einsum("ijm,gj->gim", moments, beta))
    weak = eigenvalues[:, 0] < _WEAK * np.sqrt(size) * readings.deviations.max()
    units, offset = _to_units(readings, outcome, predictors)
    terms = beta @ units.T + offset
    halves = readings.half_width(np.einsum("ij,gjm->gim", units, changes), confidence)
    names = ("(intercept)", *predictors)
    return [
        Intervals(terms[:, i], terms[:, i] - halves[:, i], terms[:, i] + halves[:, i], weak, shown, SINGULAR, name)
        for i, name in enumerate(names)
    ]


def _normal_equations(readings: Readings, outcome: str, predictors: Sequence[str]) -> tuple[Floats, Floats]:
    """A and b as combinations of coordinates: shapes (D, D, coordinates) and (D, coordinates)."""
    forms = readings.forms

    def cell(a: str | None, b: str | None) -> Floats:
        if a is None and b is None:
            return forms["n",]
        if a is None or b is None:
            return forms["s", a or b or ""]
        return forms["x", a, b]

    names = (None, *predictors)
    return np.array([[cell(a, b) for b in names] for a in names]), np.array([cell(a, outcome) for a in names])


def _to_units(readings: Readings, outcome: str, predictors: Sequence[str]) -> tuple[Floats, Floats]:
    """Terms of y on x from those of t_y on t: y = m + h·t_y and t = (x − m_x)/h_x make slopes
    h·β/h_x and the intercept m + h·β₀ − Σ h·β·m_x/h_x.

    Returns:
        float64, shapes (D, D) and (D,): terms in the columns' units are the matrix times β, plus the offset.
    """
    grids = [readings.grids[column] for column in predictors]
    scale = float(readings.grids[outcome].half)
    units = np.diag([scale, *(scale / float(grid.half) for grid in grids)])
    units[0, 1:] = [-scale * float(grid.middle / grid.half) for grid in grids]
    offset = np.zeros(len(units))
    offset[0] = float(readings.grids[outcome].middle)
    return units, offset
