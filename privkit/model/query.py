"""A query: which statistics, over which rows, by which groups. What SQL is parsed into and what the builder builds.

Literals are texts in one spelling (numbers as decimals, days as YYYY-MM-DD, true and false), so that equal queries
are equal records.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.amounts import Amount


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- conditions: comparisons with a missing value (null or NaN) are not true, and neither is their negation


class Comparison(_Record):
    """`column operator value`."""

    kind: Literal["comparison"] = "comparison"
    column: str
    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    value: str


class In(_Record):
    """`column IN (values)`."""

    kind: Literal["in"] = "in"
    column: str
    values: tuple[str, ...] = Field(min_length=1)


class IsMissing(_Record):
    """`column IS NULL`; true for NaN as well."""

    kind: Literal["is_missing"] = "is_missing"
    column: str


class And(_Record):
    """All of `parts`."""

    kind: Literal["and"] = "and"
    parts: tuple[Condition, ...] = Field(min_length=2)


class Or(_Record):
    """Any of `parts`."""

    kind: Literal["or"] = "or"
    parts: tuple[Condition, ...] = Field(min_length=2)


class Not(_Record):
    """The negation, in SQL's three-valued logic."""

    kind: Literal["not"] = "not"
    part: Condition


Condition = Annotated[Comparison | In | IsMissing | And | Or | Not, Field(discriminator="kind")]


# ---- groups


class ByColumn(_Record):
    """Groups by a category or boolean column."""

    kind: Literal["column"] = "column"
    column: str
    name: str


class Band(_Record):
    """One WHEN … THEN …: the condition names the banded column alone."""

    label: str
    condition: Condition


class ByBands(_Record):
    """`CASE WHEN … THEN label … [ELSE otherwise] END` over one number or date column: the first band that fits.

    A missing value is in no band, not even in ELSE; nor, without ELSE, is a value that fits none. Such rows are left
    out.
    """

    kind: Literal["bands"] = "bands"
    column: str
    name: str
    bands: tuple[Band, ...] = Field(min_length=1)
    otherwise: str | None = None


class ByBuckets(_Record):
    """`WIDTH_BUCKET(column, low, high, count)`: 1 … count of equal width, 0 below, count + 1 at `high` and above."""

    kind: Literal["buckets"] = "buckets"
    column: str
    name: str
    low: str
    high: str
    count: int = Field(ge=1, le=1000)


Group = Annotated[ByColumn | ByBands | ByBuckets, Field(discriminator="kind")]


# ---- statistics. `name` is the alias under which it appears in the result.


class Count(_Record):
    """Rows; with a column, rows in which it is not missing."""

    kind: Literal["count"] = "count"
    name: str
    column: str | None = None


class CountUnits(_Record):
    """Distinct privacy units."""

    kind: Literal["count_units"] = "count_units"
    name: str


class Sum(_Record):
    """Sum of a column."""

    kind: Literal["sum"] = "sum"
    name: str
    column: str


class Mean(_Record):
    """Mean of a column."""

    kind: Literal["mean"] = "mean"
    name: str
    column: str


class Variance(_Record):
    """Variance of a column (divided by the number of rows); its root with `root`."""

    kind: Literal["variance"] = "variance"
    name: str
    column: str
    root: bool = False


class Quantile(_Record):
    """The smallest value that at least a share `q` of the rows do not exceed."""

    kind: Literal["quantile"] = "quantile"
    name: str
    column: str
    q: Amount = Field(gt=0, lt=1)


class Histogram(_Record):
    """Rows in each of `bins` bins of equal width between the column's bounds."""

    kind: Literal["histogram"] = "histogram"
    name: str
    column: str
    bins: int = Field(ge=1, le=10_000)


class Covariance(_Record):
    """Covariance of two columns (divided by the number of rows); divided by both deviations with `scaled`."""

    kind: Literal["covariance"] = "covariance"
    name: str
    x: str
    y: str
    scaled: bool = False


class Regression(_Record):
    """Least-squares coefficients of `outcome` on `predictors`, with an intercept."""

    kind: Literal["regression"] = "regression"
    name: str
    outcome: str
    predictors: tuple[str, ...] = Field(min_length=1, max_length=20)


Statistic = Annotated[
    Count | CountUnits | Sum | Mean | Variance | Quantile | Histogram | Covariance | Regression,
    Field(discriminator="kind"),
]


class Query(_Record):
    """Statistics of a dataset's rows."""

    statistics: tuple[Statistic, ...] = Field(min_length=1)
    where: Condition | None = None
    groups: tuple[Group, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """Every column that is named, each once, sorted."""
        found: set[str] = set()
        for statistic in self.statistics:
            found |= set(columns_of(statistic))
        for group in self.groups:
            found.add(group.column)
        if self.where is not None:
            found |= condition_columns(self.where)
        return tuple(sorted(found))


def columns_of(statistic: Statistic) -> tuple[str, ...]:
    """The columns a statistic is computed from."""
    match statistic:
        case CountUnits() | Count(column=None):
            return ()
        case Covariance():
            return (statistic.x, statistic.y)
        case Regression():
            return (statistic.outcome, *statistic.predictors)
        case _:
            assert statistic.column is not None
            return (statistic.column,)


def condition_columns(condition: Condition) -> set[str]:
    """The columns a condition names."""
    match condition:
        case And() | Or():
            return set().union(*(condition_columns(part) for part in condition.parts))
        case Not():
            return condition_columns(condition.part)
        case _:
            return {condition.column}


for _record in (And, Or, Not, Band, ByBands, Query):
    _record.model_rebuild()
