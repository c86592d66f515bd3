"""A query in Python, step by step; it becomes the same record as the same query in SQL.

query().where("age >= 18").by("region").count().mean("income").build(spec)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from privkit.dp.canonical import canonical_query
from privkit.dp.checks import check
from privkit.dp.spelling import made
from privkit.errors import QueryError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    And,
    Band,
    ByBands,
    ByBuckets,
    ByColumn,
    Condition,
    Count,
    CountUnits,
    Covariance,
    Group,
    Histogram,
    Mean,
    Quantile,
    Query,
    Regression,
    Statistic,
    Sum,
    Variance,
)

Conditional = str | Condition
"""A condition as SQL text ("age >= 18 AND region <> 'north'") or as a record of `privkit.model.query`."""


@dataclass(frozen=True)
class Bands:
    """Bands of a number or date column (see `bands`)."""

    column: str
    labels: tuple[tuple[str, Conditional], ...]
    otherwise: str | None


@dataclass(frozen=True)
class Buckets:
    """Buckets of equal width (see `buckets`)."""

    column: str
    low: str
    high: str
    count: int


def bands(column: str, labels: Mapping[str, Conditional], *, otherwise: str | None = None) -> Bands:
    """`CASE WHEN … THEN label … ELSE otherwise END`: each row is in the first band that fits.

    Args:
        column: The number or date column that all conditions are about.
        labels: Label → condition, in order: {"child": "age < 18", "adult": "age < 65"}.
        otherwise: Label of values that fit no band; without it such rows are left out. Missing values always are.
    """
    return Bands(column, tuple(labels.items()), otherwise)


def buckets(column: str, low: object, high: object, count: int) -> Buckets:
    """`WIDTH_BUCKET(column, low, high, count)`: 1 … count of equal width, 0 below low, count + 1 from high on.

    Args:
        column: A number or date column.
        low: Lower end: a number or a day.
        high: Upper end.
        count: Number of buckets, 1 to 1,000.
    """
    return Buckets(column, str(low), str(high), count)


def query() -> QueryBuilder:
    """A query that asks nothing yet."""
    return QueryBuilder()


@dataclass(frozen=True)
class QueryBuilder:
    """A query under construction. Every step gives a new one; columns are looked up only by `build`.

    A result is called by its `name`; without one as in SQL: count, units, sum_age, avg_age, quantile_age_0_9, ….
    """

    _conditions: tuple[Conditional, ...] = ()
    _groups: tuple[tuple[str, str | Bands | Buckets], ...] = ()
    _statistics: tuple[Statistic, ...] = ()

    def where(self, *conditions: Conditional) -> QueryBuilder:
        """Only rows for which all conditions are true, those of earlier steps included."""
        return replace(self, _conditions=self._conditions + conditions)

    def by(self, *columns: str | Bands | Buckets, **named: str | Bands | Buckets) -> QueryBuilder:
        """Groups, after those of earlier steps.

        Args:
            columns: Category or boolean columns, `bands(…)` or `buckets(…)`.
            named: The same, each under the name it has in the result.
        """
        added = tuple(("", column) for column in columns) + tuple(named.items())
        return replace(self, _groups=self._groups + added)

    def count(self, column: str | None = None, *, name: str = "") -> QueryBuilder:
        """Rows; with a column, those in which it is not missing."""
        return self._with(made(Count, name=name, column=column))

    def count_units(self, *, name: str = "") -> QueryBuilder:
        """Distinct privacy units."""
        return self._with(made(CountUnits, name=name))

    def sum(self, column: str, *, name: str = "") -> QueryBuilder:
        """Sum of a column."""
        return self._with(made(Sum, name=name, column=column))

    def mean(self, column: str, *, name: str = "") -> QueryBuilder:
        """Mean of a column."""
        return self._with(made(Mean, name=name, column=column))

    def variance(self, column: str, *, name: str = "") -> QueryBuilder:
        """Variance of a column (divided by the number of rows)."""
        return self._with(made(Variance, name=name, column=column))

    def stddev(self, column: str, *, name: str = "") -> QueryBuilder:
        """Root of the variance."""
        return self._with(made(Variance, name=name, column=column, root=True))

    def median(self, column: str, *, name: str = "") -> QueryBuilder:
        """The quantile at 0.5."""
        return self.quantile(column, "0.5", name=name)

    def quantile(self, column: str, q: Decimal | float | str, *, name: str = "") -> QueryBuilder:
        """The smallest value that at least a share `q` of the rows do not exceed.

        Raises:
            QueryError: `q` is not above 0 and below 1.
        """
        return self._with(made(Quantile, name=name, column=column, q=q))

    def histogram(self, column: str, *, bins: int, name: str = "") -> QueryBuilder:
        """Rows in each of `bins` bins of equal width between the column's bounds.

        Raises:
            QueryError: There are not 1 to 10,000 bins.
        """
        return self._with(made(Histogram, name=name, column=column, bins=bins))

    def correlation(self, x: str, y: str, *, name: str = "") -> QueryBuilder:
        """Pearson's correlation of two columns."""
        return self._with(made(Covariance, name=name, x=x, y=y, scaled=True))

    def covariance(self, x: str, y: str, *, name: str = "") -> QueryBuilder:
        """Covariance of two columns (divided by the number of rows)."""
        return self._with(made(Covariance, name=name, x=x, y=y))

    def regression(self, outcome: str, predictors: Sequence[str], *, name: str = "") -> QueryBuilder:
        """Least-squares coefficients of `outcome` on `predictors`, with an intercept.

        Raises:
            QueryError: There are not 1 to 20 predictors.
        """
        if isinstance(predictors, str):
            predictors = (predictors,)
        return self._with(made(Regression, name=name, outcome=outcome, predictors=tuple(predictors)))

    def build(self, spec: DatasetSpec) -> Query:
        """The checked query, in its canonical spelling.

        Raises:
            ColumnError: A column is not declared.
            QueryError: A condition is not understood, or the description does not allow what is asked.
        """
        if not self._statistics:
            raise QueryError("the query asks for no statistic", hint="For example: query().count().")
        built = canonical_query(
            made(
                Query,
                statistics=self._statistics,
                where=_where(self._conditions, spec),
                groups=tuple(_group(name, group, spec) for name, group in self._groups),
            ),
            spec,
        )
        check(built, spec)
        return built

    def _with(self, statistic: Statistic) -> QueryBuilder:
        return replace(self, _statistics=(*self._statistics, statistic))


def _where(conditions: tuple[Conditional, ...], spec: DatasetSpec) -> Condition | None:
    read = tuple(_condition(condition, spec) for condition in conditions)
    return made(And, parts=read) if len(read) > 1 else read[0] if read else None


def _condition(condition: Conditional, spec: DatasetSpec) -> Condition:
    if not isinstance(condition, str):
        return condition
    from privkit.dp.sql import parse_condition  # sqlglot is loaded only where there is SQL to read

    return parse_condition(condition, spec)


def _group(name: str, group: str | Bands | Buckets, spec: DatasetSpec) -> Group:
    match group:
        case Bands():
            found = tuple(made(Band, label=label, condition=_condition(c, spec)) for label, c in group.labels)
            return made(ByBands, name=name, column=group.column, bands=found, otherwise=group.otherwise)
        case Buckets():
            low, high, count = group.low, group.high, group.count
            return made(ByBuckets, name=name, column=group.column, low=low, high=high, count=count)
    return made(ByColumn, name=name, column=group)
