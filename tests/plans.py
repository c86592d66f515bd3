"""Plans for tests of noise, and the rows of one unit that move their vectors furthest."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import numpy as np

from privkit.dp.plan import Aggregates, Plan, plan
from privkit.dp.vectors import Cells, Moments, Units, Vector
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    ByColumn,
    Count,
    CountUnits,
    Covariance,
    Histogram,
    Mean,
    Quantile,
    Query,
    Statistic,
    Sum,
    Variance,
)

COUNT = Count(name="n")
UNITS = CountUnits(name="u")
SUM = Sum(name="s", column="age")
MEAN = Mean(name="m", column="age")
VARIANCE = Variance(name="v", column="age")
HISTOGRAM = Histogram(name="h", column="age", bins=4)
QUANTILE = Quantile(name="q", column="age", q="0.5")
COVARIANCE = Covariance(name="c", x="age", y="score")
REGION, WARD = "region", "ward"


def planned(
    *statistics: Statistic,
    measure: str = "zcdp",
    by: str | None = REGION,
    groups: int = 2,
    rows: int = 3,
    units: int = 1000,
    steps: int = 8,
    threshold_delta: str | None = None,
) -> Plan:
    """A plan on integer columns `age` and `score` of 0 … steps, by a public (region) or a private (ward) category."""
    budget = {"epsilon": "3", "measure": measure}
    if measure == "zcdp":
        aside = Decimal(0) if threshold_delta is None else max(Decimal(threshold_delta), Decimal("1e-12"))
        budget |= {"delta": str(2 * aside or "1e-12"), "threshold_delta": str(aside)}
    column = {"type": "integer", "bounds": [0, steps]}
    spec = DatasetSpec.model_validate(
        {
            "name": "data",
            "version": "1",
            "ledger": "ledger.sqlite3",
            "privacy_unit": {"column": "unit", "max_groups": groups, "max_rows_per_group": rows, "max_units": units},
            "budget": budget,
            "columns": {
                "age": column,
                "score": column,
                "region": {"type": "category", "categories": [f"r{i}" for i in range(8)]},
                "ward": {"type": "category"},
            },
        }
    )
    keys = () if by is None else (ByColumn(column=by, name=by),)
    return plan(
        Query(statistics=statistics, groups=keys), spec, None if threshold_delta is None else Decimal(threshold_delta)
    )


def aggregates(made: Plan, values: dict[str, np.ndarray], units: np.ndarray | None = None) -> Aggregates:
    """Aggregates of as many groups as the arrays have rows."""
    size = len(next(iter(values.values()))) if values else len(units)
    return Aggregates(tuple((f"g{i:07d}",) for i in range(size)), values, units)


def furthest(made: Plan, vector: Vector) -> np.ndarray:
    """The M rows of a unit in one group that move `vector` furthest: int64, shape (1, coordinates), no weights."""
    if isinstance(vector, Units):
        return np.ones((1, 1), dtype=np.int64)
    if isinstance(vector, Cells):
        rows = np.eye(vector.cells, dtype=np.int64)
    else:
        assert isinstance(vector, Moments)
        corners = product(*[(0, grid.steps) for grid in vector.grids])
        rows = np.array([vector.row(corner) for corner in corners], dtype=np.int64)
    moved = vector.weighted(made.bounds.rows * rows).astype(object)
    norms = (moved**2).sum(axis=1) if made.measure == "zcdp" else abs(moved).sum(axis=1)
    best = int(np.argmax(norms))
    assert made.bounds.groups * norms[best] == (
        made.l2_squared(vector) if made.measure == "zcdp" else made.l1(vector)
    ), "no row reaches the stated distance"
    return made.bounds.rows * rows[best : best + 1]
