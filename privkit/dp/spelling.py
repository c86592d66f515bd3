"""One spelling of names and literals, and what results are called where nobody says."""

from __future__ import annotations

import datetime
import difflib
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from privkit.errors import ColumnError, QueryError
from privkit.model.amounts import spelled
from privkit.model.dataset import BooleanColumn, CategoryColumn, Column, DatasetSpec, DateColumn
from privkit.model.query import (
    ByBands,
    ByBuckets,
    ByColumn,
    Count,
    CountUnits,
    Covariance,
    Group,
    Histogram,
    In,
    Mean,
    Quantile,
    Query,
    Regression,
    Statistic,
    Sum,
    Variance,
)

_NUMBER = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_WHOLE_DIGITS = 19  # and so many of a fraction fit in DECIMAL(38, 18), which every engine has
_MOST_FRACTION_DIGITS = 18

_R = TypeVar("_R", bound=BaseModel)
_LIMITS: dict[type[BaseModel], str] = {
    Quantile: "a quantile is above 0 and below 1, such as 0.9",
    Histogram: "a histogram has 1 to 10,000 bins",
    ByBuckets: "WIDTH_BUCKET makes 1 to 1,000 buckets",
    Regression: "a regression has 1 to 20 predictors",
    In: "IN needs at least one value",
    ByBands: "bands need at least one WHEN … THEN …",
    Query: "a query has at least one statistic",
}
_EXTREMES = "The least and the greatest value are one person's: ask for a quantile such as 0.01 or 0.99."


def made(record: type[_R], **fields: Any) -> _R:
    """A record, or what its fields must be.

    Raises:
        QueryError: A field is out of its range.
    """
    try:
        return record(**fields)
    except ValidationError:
        limit = _LIMITS.get(record, f"{record.__name__}: a field has the wrong type")
        word = next((str(fields[field])[:40] for field in ("q", "bins", "count") if field in fields), None)
        raise QueryError(limit, word=word, hint=_EXTREMES if record is Quantile else None) from None


# ---- names


def declared(name: str, spec: DatasetSpec) -> str:
    """The declared spelling of a column's name; upper and lower case are the same.

    Raises:
        ColumnError: There is no such column.
        QueryError: It is the privacy unit's column, which only COUNT(DISTINCT …) may name.
    """
    folded = {column.casefold(): column for column in spec.columns}
    found = name if name in spec.columns else folded.get(name.casefold())
    unit = spec.privacy_unit.column
    source = found and spec.source_name(found)
    if unit is not None and (unit in (found, source) or (found is None and names_unit(name, spec))):
        raise QueryError(
            f"{name} names the privacy unit and identifies people: it cannot be asked about",
            word=name,
            hint=f"COUNT(DISTINCT {name}) counts the units.",
        )
    if found is None:
        raise ColumnError(f"there is no column {name}", columns=(name,), hint=_near(name, spec.columns, "Its columns"))
    return found


def names_unit(name: str, spec: DatasetSpec) -> bool:
    """Whether `name` is the privacy unit's column, by the source's name or by the declared one."""
    unit = spec.privacy_unit.column
    if unit is None:
        return False
    known = {unit.casefold()} | {n.casefold() for n in spec.columns if spec.source_name(n) == unit}
    return name.casefold() in known


def _near(name: str, known: Iterable[str], what: str) -> str:
    known = list(known)
    close = difflib.get_close_matches(name.casefold(), [k.casefold() for k in known], n=3)
    if near := [k for k in known if k.casefold() in close]:
        return f"Did you mean {' or '.join(near)}?"
    return f"{what}: {', '.join(known[:20])}{', …' if len(known) > 20 else ''}."


def function_of(statistic: Statistic) -> str:
    """The SQL function that a statistic is asked for by."""
    match statistic:
        case Variance():
            return "STDDEV" if statistic.root else "VARIANCE"
        case Quantile():
            return "MEDIAN" if statistic.q == Decimal("0.5") else "QUANTILE_CONT"
        case Covariance():
            return "CORR" if statistic.scaled else "COVAR"
    plain = {Count: "COUNT", CountUnits: "COUNT", Sum: "SUM", Mean: "AVG", Histogram: "HISTOGRAM", Regression: "REGR"}
    return plain[type(statistic)]


def default_name(item: Statistic | Group) -> str:
    """What a result or a group is called where nobody says: count, sum_age, quantile_age_0_9, region, age_band."""
    match item:
        case ByColumn():
            return item.column
        case ByBands():
            return f"{item.column}_band"
        case ByBuckets():
            return f"{item.column}_bucket"
        case CountUnits():
            return "units"
        case Count(column=None):
            return "count"
        case Covariance():
            return f"{function_of(item).lower()}_{item.x}_{item.y}"
        case Regression():
            return "_".join(("regr", item.outcome, *item.predictors))
        case Quantile() if item.q != Decimal("0.5"):
            return f"quantile_{item.column}_{spelled(item.q).replace('.', '_')}"
    return f"{function_of(item).lower()}_{item.column}"


def kind_of(column: Column) -> str:
    """What messages call a column's type."""
    return "a number" if column.type in ("integer", "float") else f"a {column.type}"


# ---- literals


def value_text(text: str, column: Column, name: str) -> str:
    """The one spelling of a literal that `column` is compared with.

    Args:
        text: A number, a day, true or false, or a category.
        column: The column's declaration.
        name: Its name.

    Raises:
        QueryError: The text is of another type, or not one of the declared categories.
    """
    match column:
        case CategoryColumn():
            return _category(text, column, name)
        case BooleanColumn():
            return _truth(text, name)
        case DateColumn():
            return _day(text, name)
    return _number(text, name)


def _category(text: str, column: CategoryColumn, name: str) -> str:
    check_text(text, f"a category of {name}")
    if column.categories is not None and text not in column.categories:
        hint = _near(text, column.categories, "Declared are")
        raise QueryError(f"{text!r} is not one of the declared categories of {name}", word=text, hint=hint)
    return text


def _truth(text: str, name: str) -> str:
    if text.casefold() not in ("true", "false"):
        raise QueryError(f"{name} is true or false, not {text}", word=text, hint=f"Write {name} = TRUE, or {name}.")
    return text.casefold()


def _day(text: str, name: str) -> str:
    try:
        if _DAY.fullmatch(text):
            return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise QueryError(
        f"{name} is a date and {text!r} is no calendar day",
        word=text,
        hint="Write DATE '2026-01-31'; a time of day is cut off when the data is read.",
    )


def _number(text: str, name: str) -> str:
    if (match := _NUMBER.fullmatch(text.strip())) is None:
        raise QueryError(f"{name} is a number and {text!r} is not", word=text)
    value = Decimal(match[2] + (match[3] or "")) if len(match[2]) <= 200 else Decimal("1E+100")
    shown = "0" if not value else spelled(value) if -100 < value.adjusted() < 100 else "x" * 100
    whole, _, fraction = shown.partition(".")
    if len(whole) > _MOST_WHOLE_DIGITS or len(fraction) > _MOST_FRACTION_DIGITS:
        raise QueryError(
            f"a number that {name} is compared with has too many digits",
            word=text[:40],
            hint=f"At most {_MOST_WHOLE_DIGITS} before the point and {_MOST_FRACTION_DIGITS} after it are compared.",
        )
    return "-" + shown if match[1] == "-" and value else shown


def check_text(text: str, what: str) -> None:
    """Refuse what no text file, terminal or engine takes well: control characters and halves of characters.

    Raises:
        QueryError: There is one.
    """
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise QueryError(f"{what} holds a control character", hint="Tabs and line breaks count as such.")
