"""A dataset, described once: whom it protects, what its columns may hold, what may be spent on it.

Everything that stands here is public, declared by a person and never read off the data: every plan, cost and refusal
is computed from it. What it does not say is private, the number of rows included.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from privkit.model.amounts import Amount, spelled
from privkit.model.places import check_no_secret

Measure = Literal["zcdp", "pure"]

MOST_ROWS = 2**32
"""Rows that every range is computed for where `max_units` is not declared (privacy unit `row`)."""

EPSILON_CAP = Decimal(8)
"""Largest ε of a budget that needs no reason (see `privkit budget create --accept-high-loss`)."""

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
"""What a dataset may be called."""

_DEFAULT_STEPS = 4096  # of a float column without granularity: the grid's rounding then stays below most noise
_MOST_STEPS = 2**40
_LEAST_THRESHOLD_DELTA = Decimal("1e-12")  # OpenDP's δ of a threshold never goes below 1.1e-16
_MOST_DIGITS = 17  # of a bound: what a double can tell apart
_LARGEST = Decimal(10) ** 15
_UNDECLARED_UNITS = 10**5  # δ must stay below one over this where `max_units` is not declared


def _number(value: object) -> Decimal:
    text = value.strip() if isinstance(value, str) else repr(float(value)) if isinstance(value, float) else value
    if isinstance(text, bool) or not isinstance(text, (str, int, Decimal)):
        raise ValueError("a number is wanted")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number is wanted") from None
    if not number.is_finite():
        raise ValueError("a finite number is wanted")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) > _MOST_DIGITS or abs(number) > _LARGEST or exponent < -_MOST_DIGITS:
        raise ValueError("a number of at most 17 digits, and below 10^15, is wanted")
    return number + 0  # -0 is 0


def _spelled(value: Decimal) -> str:
    return "-" + spelled(-value) if value < 0 else spelled(value)


Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    PlainSerializer(_spelled, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
Location = Annotated[str, AfterValidator(check_no_secret)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class PrivacyUnit(_Record):
    """Whom the promise protects, and how much of one unit can count.

    Neighbouring tables differ by all rows of one unit, added or removed. The bounds are enforced by every aggregate,
    not only declared. `row` alone means `{row: true}`: every row is another unit.
    """

    column: str | None = Field(None, min_length=1, description="The column that names the unit; absent: every row.")
    row: bool = Field(False, description="True: every row is a unit of its own.")
    max_groups: int = Field(1, ge=1, le=10**6, description="Groups of one query that a unit can count in.")
    max_rows_per_group: int = Field(1, ge=1, le=10**6, description="Rows of a unit that count in one group.")
    max_units: int | None = Field(
        None, ge=1, le=2**40, description="A public upper bound on the number of units; every range follows from it."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, str) and data != "row":
            raise ValueError("`row`, or {column: NAME, max_groups: …, max_rows_per_group: …, max_units: …}, is wanted")
        return {"row": True} if data == "row" else data

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.row == (self.column is not None):
            raise ValueError("either `column: NAME` or `row: true` is wanted")
        if self.column == "row":
            raise ValueError("a ledger would take a unit column called row for `row: true`: give it another name")
        if self.row and (self.max_groups, self.max_rows_per_group) != (1, 1):
            raise ValueError("a row is in one group and counts once: leave max_groups and max_rows_per_group out")
        if self.column is not None and self.max_units is None:
            raise ValueError(
                "max_units is wanted: a public upper bound on the number of units, never counted from data"
            )
        return self

    @property
    def most_units(self) -> int:
        """`max_units`, or what stands in for it."""
        return self.max_units if self.max_units is not None else MOST_ROWS

    @property
    def highest_delta(self) -> Fraction:
        """δ must stay below this: at 1/units, publishing one whole record at random would pass for private."""
        return Fraction(1, self.max_units if self.max_units is not None else _UNDECLARED_UNITS)

    @property
    def name(self) -> str:
        """The column's name, or `row`."""
        return self.column or "row"


class Budget(_Record):
    """What may be spent on a dataset, by everyone and for ever.

    `pure`: ε, Laplace noise, losses add. `zcdp`: (ε, δ) is converted once to ρ at δ − threshold_delta, Gaussian
    noise, ρ adds. `threshold_delta` is the part of δ that releases with private categories may use.
    """

    epsilon: Amount
    delta: Amount = Decimal(0)
    measure: Measure = "zcdp"
    threshold_delta: Amount = Decimal(0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.epsilon == 0:
            raise ValueError("epsilon must be above 0")
        if self.measure == "pure" and (self.delta or self.threshold_delta):
            raise ValueError("a pure budget has delta 0 and threshold_delta 0; take `measure: zcdp` for a delta")
        if self.measure == "zcdp" and self.delta == 0:
            raise ValueError("a zcdp budget needs a delta, e.g. 1e-6; take `measure: pure` for delta 0")
        if self.delta >= 1:
            raise ValueError("delta must be below 1")
        if self.threshold_delta and self.threshold_delta >= self.delta:
            raise ValueError("threshold_delta is a part of delta: it must be below it")
        if 0 < self.threshold_delta < _LEAST_THRESHOLD_DELTA:
            raise ValueError("threshold_delta must be 0 or at least 1e-12: below it no threshold can be computed")
        return self


class _Column(_Record):
    from_: str | None = Field(None, alias="from", min_length=1, description="The source's own name of the column.")


class IntegerColumn(_Column):
    """Whole numbers. Values beyond the bounds count as the nearest bound."""

    type: Literal["integer"]
    bounds: tuple[int, int] | None = None
    missing: int | None = Field(None, description="What a missing value counts as; absent: its row is left out.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_bounds(self.bounds)
        _check_missing(self.missing, self.bounds)
        return self


class FloatColumn(_Column):
    """Numbers, rounded to the grid of `granularity` and clipped to the bounds.

    Without a granularity the grid has 4,096 steps from bound to bound.
    """

    type: Literal["float"]
    bounds: tuple[Number, Number] | None = None
    granularity: Number | None = None
    missing: Number | None = Field(None, description="What a missing value counts as; absent: its row is left out.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_bounds(self.bounds)
        _check_missing(self.missing, self.bounds)
        if self.granularity is not None:
            if self.granularity <= 0:
                raise ValueError("granularity must be above 0")
            if self.bounds is None:
                raise ValueError("granularity without bounds has no meaning")
            steps = Fraction(self.bounds[1] - self.bounds[0]) / Fraction(self.granularity)
            if steps.denominator != 1:
                raise ValueError("the bounds must be a whole number of granularity steps apart")
            if steps > _MOST_STEPS:
                raise ValueError("more than 2^40 steps from bound to bound: take a coarser granularity")
        return self


class CategoryColumn(_Column):
    """Texts. With `categories` they are public and all appear in a result; without, they are private."""

    type: Literal["category"]
    categories: tuple[str, ...] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.categories is not None and len(set(self.categories)) != len(self.categories):
            raise ValueError("a category stands twice")
        return self


class BooleanColumn(_Column):
    """True or false; as a number, 1 or 0."""

    type: Literal["boolean"]
    missing: bool | None = Field(None, description="What a missing value counts as; absent: its row is left out.")


class DateColumn(_Column):
    """Calendar days; the time of a timestamp is cut off."""

    type: Literal["date"]
    bounds: tuple[datetime.date, datetime.date] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_bounds(self.bounds)
        return self


Column = Annotated[
    IntegerColumn | FloatColumn | CategoryColumn | BooleanColumn | DateColumn, Field(discriminator="type")
]


class DatasetSpec(_Record):
    """A dataset's description, as `*.dataset.yaml` holds it."""

    name: str = Field(pattern=NAME.pattern, description="What queries call it after FROM.")
    source: Location | None = Field(
        None, min_length=1, description="File, glob, or an Ibis URL such as duckdb://file.db."
    )
    table: str | None = Field(None, description="The table, where the source is a database; its name by default.")
    engine: Literal["duckdb", "spark"] = Field(
        "duckdb", description="What reads files: DuckDB on this machine, or Spark (Parquet only)."
    )
    master: str | None = Field(
        None, min_length=1, description="Where Spark runs, e.g. spark://host:7077 or yarn; this machine by default."
    )
    accept_untested_engine: bool = Field(
        False, description="True: the source may be BigQuery, Snowflake or Trino, where no test has run."
    )
    version: str = Field(description="The owner's label: equal queries on an equal label repeat free.")
    privacy_unit: PrivacyUnit
    budget: Budget
    ledger: Location = Field(
        min_length=1, description="SQLite file beside this one, or postgresql://USER@HOST/DATABASE."
    )
    columns: Mapping[str, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.master is not None and not (self.engine == "spark" or (self.source or "").startswith("pyspark://")):
            raise ValueError("master says where Spark runs: it needs `engine: spark`, or a pyspark:// source")
        if self.budget.delta >= self.privacy_unit.highest_delta:
            bound = self.privacy_unit.highest_delta
            raise ValueError(f"delta must be below 1/{bound.denominator:,} for this many units, better far below")
        folded: dict[str, str] = {}
        for name in self.columns:
            if not name.isidentifier():
                raise ValueError(f"{name!r} cannot be written in a query: rename it here and say `from: {name}`")
            if (other := folded.setdefault(name.casefold(), name)) != name:
                raise ValueError(f"columns {other} and {name} differ in case only: queries could not tell them apart")
        return self

    def source_name(self, column: str) -> str:
        """What the source calls `column`."""
        return self.columns[column].from_ or column


def steps_of(column: IntegerColumn | FloatColumn | BooleanColumn | DateColumn) -> int | None:
    """R, the number of steps from bound to bound of a column's own grid; None without bounds."""
    if isinstance(column, BooleanColumn):
        return 1
    if column.bounds is None:
        return None
    if isinstance(column, DateColumn):
        return (column.bounds[1] - column.bounds[0]).days
    if isinstance(column, IntegerColumn):
        return column.bounds[1] - column.bounds[0]
    if column.granularity is None:
        return _DEFAULT_STEPS
    return int(Fraction(column.bounds[1] - column.bounds[0]) / Fraction(column.granularity))


def _check_bounds(bounds: tuple[Any, Any] | None) -> None:
    if bounds is not None and not bounds[0] < bounds[1]:
        raise ValueError("the lower bound must be below the upper one")
    if bounds is not None and isinstance(bounds[0], int) and max(-bounds[0], bounds[1]) > _LARGEST:
        raise ValueError("bounds within 10^15 are wanted: an index beyond would leave 64 bits for some data only")


def _check_missing(missing: Any, bounds: tuple[Any, Any] | None) -> None:
    if missing is not None and (bounds is None or not bounds[0] <= missing <= bounds[1]):
        raise ValueError("missing must lie within the bounds")
