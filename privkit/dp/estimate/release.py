"""Every statistic of a release from the vectors that it measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from privkit.dp.estimate import counts, joint, means
from privkit.dp.estimate.quantiles import Distribution
from privkit.dp.estimate.readings import Readings, readings
from privkit.dp.estimate.selection import above_threshold
from privkit.dp.estimate.shown import Intervals, Kind, kind_of_mean, kind_of_value, values
from privkit.dp.estimate.wording import method, notes
from privkit.dp.plan import Measured, Plan
from privkit.dp.vectors import Cells, Total
from privkit.errors import UsageError
from privkit.model.estimates import Estimated
from privkit.model.query import (
    Count,
    CountUnits,
    Covariance,
    Histogram,
    Mean,
    Quantile,
    Regression,
    Statistic,
    Sum,
    Variance,
)


def estimate(plan: Plan, measured: Measured, confidence: float = 0.95) -> tuple[Estimated, ...]:
    """The statistics of a query, in its order.

    Args:
        plan: What was measured.
        measured: The noisy integers; any number of groups.
        confidence: Of each interval by itself, over the noise.

    Raises:
        UsageError: A confidence that is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise UsageError("a confidence between 0 and 1 is wanted")
    estimator = _Estimator(plan, measured, confidence)
    return tuple(estimator.estimated(statistic) for statistic in plan.query.statistics)


@dataclass(frozen=True)
class _Found:
    """One statistic's intervals: one, or one for each bin or term."""

    parts: Sequence[Intervals]
    kind: Kind = "float"


class _Estimator:
    def __init__(self, plan: Plan, measured: Measured, confidence: float) -> None:
        self._plan, self._measured, self._confidence = plan, measured, confidence
        self._most = plan.bounds.units * plan.bounds.rows
        self._readings: dict[tuple[str, ...], Readings] = {}
        self._distributions: dict[str, Distribution] = {}

    def estimated(self, statistic: Statistic) -> Estimated:
        found = self._found(statistic)
        columns = [values(part, found.kind) for part in found.parts]
        every = tuple(zip(*columns, strict=True))
        plan = self._plan
        return Estimated(
            name=statistic.name, values=every, method=method(statistic, plan), notes=notes(statistic, plan)
        )

    def _found(self, statistic: Statistic) -> _Found:
        match statistic:
            case Count():
                return _Found([counts.count(self._moments(statistic), self._most, self._confidence)], "integer")
            case CountUnits():
                return _Found([self._units(statistic)], "integer")
            case Sum():
                return self._sum(statistic)
            case Histogram():
                return _Found(self._cells(statistic, counts.histogram), "integer")
            case Quantile():
                vector = cast(Cells, self._plan.block(self._source(statistic)).vector)
                found = self._distribution(vector).quantile(Fraction(statistic.q), self._confidence)
                return _Found([found], kind_of_value(vector.grid))
            case _:
                return self._from_moments(statistic)

    def _from_moments(self, statistic: Statistic) -> _Found:
        held, confidence = self._moments(statistic), self._confidence
        match statistic:
            case Mean():
                found = means.mean(held, statistic.column, confidence)
                return _Found([found], kind_of_mean(held.grids[statistic.column]))
            case Variance():
                return _Found([means.variance(held, statistic.column, statistic.root, confidence)])
            case Covariance():
                make: Callable[..., Intervals] = joint.correlation if statistic.scaled else means.covariance
                return _Found([make(held, statistic.x, statistic.y, confidence)])
            case _:
                assert isinstance(statistic, Regression)
                return _Found(joint.regression(held, statistic.outcome, statistic.predictors, confidence))

    def _sum(self, statistic: Sum) -> _Found:
        vector = self._plan.block(self._source(statistic)).vector
        if not isinstance(vector, Total):
            return _Found([counts.moment_sum(self._moments(statistic), statistic.column, self._most, self._confidence)])
        noisy, scale = self._measured.noisy[vector.name], self._measured.scales[vector.name]
        found = counts.total(vector, noisy, scale, self._plan.measure, self._most, self._confidence)
        whole = vector.grids[0].kind in ("integer", "boolean")
        return _Found([found], "integer" if whole else "float")

    def _units(self, statistic: CountUnits) -> Intervals:
        plan, measured = self._plan, self._measured
        if measured.units is not None:
            assert measured.units_scale is not None
            assert measured.threshold is not None
            return above_threshold(
                measured.units, measured.units_scale, measured.threshold, plan.bounds.units, self._confidence
            )
        name = self._source(statistic)
        noisy, scale = measured.noisy[name][:, 0], measured.scales[name]
        return counts.number(noisy, scale, plan.measure, plan.bounds.units, self._confidence)

    def _cells(self, statistic: Statistic, make: Callable[..., list[Intervals]]) -> list[Intervals]:
        name = self._source(statistic)
        noisy, scale = self._measured.noisy[name], self._measured.scales[name]
        return make(self._plan.block(name).vector, noisy, scale, self._plan.measure, self._most, self._confidence)

    def _source(self, statistic: Statistic) -> str:
        return self._plan.sources[statistic.name][0]

    def _moments(self, statistic: Statistic) -> Readings:
        blocks = self._plan.sources[statistic.name]
        if blocks not in self._readings:
            self._readings[blocks] = readings(self._plan, self._measured, blocks)
        return self._readings[blocks]

    def _distribution(self, vector: Cells) -> Distribution:
        if vector.name not in self._distributions:
            noisy, scale = self._measured.noisy[vector.name], self._measured.scales[vector.name]
            self._distributions[vector.name] = Distribution(vector, noisy, scale, self._plan.measure)
        return self._distributions[vector.name]
