"""Simulated tables and repeated releases of them, drawn with numpy: every replicate is a group of one release."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np

from privkit.dp.estimate import estimate
from privkit.dp.plan import Measured, Plan, plan
from privkit.dp.vectors import Cells, Moments, Vector
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    Count,
    Covariance,
    Mean,
    Quantile,
    Query,
    Regression,
    Statistic,
    Sum,
    Variance,
)

RHO = {"0.1": 0.000321048, "0.5": 0.00664152, "1": 0.02435597}
"""ρ of (ε, 1e-6)."""


def spec(measure: str = "zcdp", **unit: object) -> DatasetSpec:
    budget = {"epsilon": "3", "delta": "1e-10"} if measure == "zcdp" else {"epsilon": "3"}
    return DatasetSpec.model_validate(
        {
            "name": "people",
            "version": "1",
            "ledger": "ledger.sqlite3",
            "privacy_unit": {"column": "id", "max_units": 200_000, **unit},
            "budget": {**budget, "measure": measure},
            "columns": {
                "age": {"type": "integer", "bounds": [0, 110]},
                "income": {"type": "float", "bounds": [0, 200_000]},
                "seen": {"type": "date", "bounds": ["2020-01-01", "2023-12-31"]},
                "ill": {"type": "boolean"},
                "x": {"type": "float", "bounds": [-1, 1]},
                "z": {"type": "float", "bounds": [10, 20], "granularity": "0.01"},
                "y": {"type": "float", "bounds": [0, 4]},
                "town": {"type": "category"},
            },
        }
    )


def planned(*statistics: Statistic, measure: str = "zcdp", **unit: object) -> Plan:
    return plan(Query(statistics=statistics), spec(measure, **unit))


@lru_cache(maxsize=8)
def table(rows: int, seed: int = 1) -> Mapping[str, np.ndarray]:
    """Skewed incomes, a normal age, and y on x and z, in the columns' units before clipping."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(0, 0.4, rows), rng.normal(0, 0.4, rows)
    return {
        "age": rng.normal(48, 20, rows),
        "income": rng.lognormal(10, 1, rows),
        "seen": 18262 + rng.integers(0, 1460, rows).astype(float),
        "ill": (rng.random(rows) < 0.2).astype(float),
        "x": x,
        "z": 15 + 5 * z,
        "y": 2 * (1 + 0.1 + 0.5 * x - 0.3 * z + rng.normal(0, 0.2, rows)),
    }


def indices(grid, values: np.ndarray) -> np.ndarray:
    """k of each value: float64 is exact here, as the grids are small."""
    low, high, step = float(grid.low), float(grid.high), float(grid.step)
    return np.clip(np.floor((np.clip(values, low, high) - low) / step + 0.5).astype(np.int64), 0, grid.steps)


def exact(vector: Vector, data: Mapping[str, np.ndarray]) -> np.ndarray:
    """The aggregate of one group: int64, shape (coordinates,)."""
    rows = len(data["x"])
    if isinstance(vector, Cells):
        k = indices(vector.grid, data[vector.grid.column])
        return np.bincount(k * vector.cells // (vector.grid.steps + 1), minlength=vector.cells)
    if not isinstance(vector, Moments):
        return np.array([rows])
    ks = [indices(grid, data[grid.column]) for grid in vector.grids]
    return np.array([int(np.sum(c)) for c in vector.row(ks, np.ones(rows, dtype=np.int64))])


def scales(made: Plan, loss: float) -> dict[str, float]:
    """√(L2²/2ρ), or L1/ε, of each block's share of the loss, in weighted units."""
    found = {}
    for block in made.blocks:
        part, vector = float(block.share) * loss, block.vector
        gauss = np.sqrt(made.l2_squared(vector) / (2 * part))
        found[vector.name] = float(gauss if made.measure == "zcdp" else made.l1(vector) / part)
    return found


def scales_of(made: Plan) -> Callable[[Decimal], dict[str, float]]:
    return lambda loss: scales(made, float(loss))


def draw(scale: float, measure: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A rounded Gaussian (beyond σ = 2 within 1e-8 of the discrete one but for a variance larger by 1/12), or the
    difference of two geometrics, which is the discrete Laplace."""
    if measure == "zcdp":
        return np.rint(rng.normal(0, scale, shape)).astype(np.int64)
    p = -np.expm1(-1 / scale)
    return rng.geometric(p, shape) - rng.geometric(p, shape)


def released(
    made: Plan, data: Mapping[str, np.ndarray], loss: float, runs: int, seed: int, noise: float = 1.0
) -> Measured:
    """`runs` releases of one table; `noise` other than 1 draws more or less of it than the release says."""
    rng, widths, noisy = np.random.default_rng(seed), scales(made, loss), {}
    for block in made.blocks:
        vector = block.vector
        aggregate = vector.weighted(exact(vector, data)[None, :])
        drawn = draw(widths[vector.name] * noise, made.measure, (runs, vector.measured_coordinates), rng)
        noisy[vector.name] = aggregate + drawn
    return Measured(tuple((str(i),) for i in range(runs)), noisy, widths)


def gridded(made: Plan, data: Mapping[str, np.ndarray], column: str) -> np.ndarray:
    """The bounded values of a column, on the grid that the plan's vectors use."""
    for block in made.blocks:
        vector = block.vector
        grids = (vector.grid,) if isinstance(vector, Cells) else getattr(vector, "grids", ())
        for grid in grids:
            if grid.column == column:
                return float(grid.low) + indices(grid, data[column]) * float(grid.step)
    raise AssertionError(column)


def truths(made: Plan, data: Mapping[str, np.ndarray], statistic: Statistic) -> list[float]:
    """The statistic of the bounded data, by numpy's own means."""

    def column(name: str) -> np.ndarray:
        return gridded(made, data, name)

    match statistic:
        case Count():
            return [float(len(data["x"]))]
        case Sum():
            return [column(statistic.column).sum()]
        case Mean():
            return [column(statistic.column).mean()]
        case Variance():
            found = column(statistic.column).var()
            return [found**0.5 if statistic.root else found]
        case Quantile():
            ordered = np.sort(column(statistic.column))
            return [ordered[math.ceil(Fraction(statistic.q) * len(ordered)) - 1]]
        case Covariance():
            pair = np.cov(column(statistic.x), column(statistic.y), bias=True)
            return [pair[0, 1] / np.sqrt(pair[0, 0] * pair[1, 1]) if statistic.scaled else pair[0, 1]]
        case Regression():
            design = np.column_stack([np.ones(len(data["x"])), *(column(c) for c in statistic.predictors)])
            return list(np.linalg.lstsq(design, column(statistic.outcome), rcond=None)[0])
        case _:
            raise AssertionError(statistic)


@dataclass(frozen=True)
class Coverage:
    """Of one number: how often its interval holds the truth where it is shown, how often it is shown, and weak."""

    name: str
    covered: float
    shown: float
    weak: float
    half_width: float


def coverage(made: Plan, rows: int, epsilon: str, runs: int, seed: int, noise: float = 1.0) -> list[Coverage]:
    data, loss = table(rows), RHO[epsilon] if made.measure == "zcdp" else float(epsilon)
    found = []
    for one, statistic in zip(
        estimate(made, released(made, data, loss, runs, seed, noise)), made.query.statistics, strict=True
    ):
        for at, truth in enumerate(truths(made, data, statistic)):
            every = [group[at] for group in one.values]
            shown = [value for value in every if value.withheld is None]
            slack = 1e-9 * max(1.0, abs(truth))
            held = [value.low - slack <= truth <= value.high + slack for value in shown]
            name = one.name + (f" {shown[0].label}" if shown and shown[0].label else "")
            weak, wide = np.mean([v.weak for v in every]), [v.high - v.low for v in shown]
            found.append(
                Coverage(
                    name,
                    float(np.mean(held)) if held else float("nan"),
                    len(shown) / runs,
                    float(weak),
                    float(np.median(wide)) / 2 if wide else float("nan"),
                )
            )
    return found
