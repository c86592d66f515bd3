"""WHERE, and the groups that rows are in, as engine expressions.

Numbers are compared as the source holds them, not on a grid: whole numbers and decimals exactly, with any decimal;
floats with the float nearest to it. A comparison with a missing value is unknown (SQL's three-valued logic).
"""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import numpy as np

from privkit.dp.arithmetic import Engine, bit, double, integer
from privkit.dp.reading import Reading, days, scaled_down
from privkit.model.dataset import BooleanColumn, CategoryColumn, DateColumn
from privkit.model.query import And, ByBands, ByBuckets, Comparison, Condition, In, IsMissing, Not, Or

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_INT64 = (-(2**63), 2**63 - 1)
_DIGITS = 38
_ALL_DIGITS = Context(prec=_DIGITS)  # the usual context rounds to 28
_EXACT_BUCKETS = 2**62
_DAY_ZERO = datetime.date(1970, 1, 1)


def condition(wanted: Condition, readings: Mapping[str, Reading]) -> Any:
    """A boolean expression: true, false or null."""
    match wanted:
        case And():
            return _balanced(operator.and_, [condition(part, readings) for part in wanted.parts])
        case Or():
            return _balanced(operator.or_, [condition(part, readings) for part in wanted.parts])
        case Not():
            return ~condition(wanted.part, readings)
        case IsMissing():
            return readings[wanted.column].value.isnull()
        case In():
            return _one_of(readings[wanted.column], wanted.values)
        case Comparison():
            return _compared(readings[wanted.column], wanted.operator, wanted.value)


def _one_of(reading: Reading, values: tuple[str, ...]) -> Any:
    if isinstance(reading.declared, CategoryColumn):
        return reading.value.isin(values)
    return _balanced(operator.or_, [_compared(reading, "=", value) for value in values])


def _balanced(join: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    """Thousands of parts, a few levels deep: an engine's stack is short."""
    while len(parts) > 1:
        parts = [join(*parts[i : i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


def _compared(reading: Reading, sign: str, text: str) -> Any:
    declared, value = reading.declared, reading.value
    if isinstance(declared, CategoryColumn):
        return _OPERATORS[sign](value, ibis.literal(text))
    if isinstance(declared, DateColumn):
        return _OPERATORS[sign](value, ibis.literal(datetime.date.fromisoformat(text)))
    if isinstance(declared, BooleanColumn):
        return _OPERATORS[sign](bit(value), integer(text == "true"))
    if value.type().is_floating():
        return _OPERATORS[sign](value, double(nearest_float(Fraction(text), reading.single)))
    return _exactly_compared(value, sign, Fraction(text))


def nearest_float(number: Fraction, single: bool = False) -> float:
    """The nearest float of 64 bits, or of 32 with `single`; infinite beyond the largest."""
    try:
        nearest = float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
    with np.errstate(over="ignore"):
        return float(np.float32(nearest)) if single else nearest


def _exactly_compared(value: Any, sign: str, number: Fraction) -> Any:
    """Compares with the next value above or below that the type can hold, which comes to the same."""
    kind = value.type()
    scale = 0 if kind.is_integer() else (_DIGITS // 2 if kind.scale is None else int(kind.scale))
    units = number * 10**scale
    if sign in ("=", "!=") and units.denominator != 1:
        return _known(value, sign == "!=")
    nearest = ceil(units) if sign in ("<", ">=") else floor(units)
    lowest, highest = _INT64 if kind.is_integer() else (1 - 10**_DIGITS, 10**_DIGITS - 1)
    if not lowest <= nearest <= highest:
        return _known(value, _OPERATORS[sign](0, nearest))
    if scale == 0 and _INT64[0] <= nearest <= _INT64[1]:
        return _OPERATORS[sign](value, integer(nearest))
    return _OPERATORS[sign](
        value, ibis.literal(_ALL_DIGITS.scaleb(Decimal(nearest), -scale), dt.Decimal(_DIGITS, scale))
    )


def _known(value: Any, truth: bool) -> Any:
    return ibis.ifelse(value.isnull(), ibis.null("boolean"), ibis.literal(truth))


# ---- groups


def band_code(group: ByBands, labels: tuple[str, ...], readings: Mapping[str, Reading]) -> Any:
    """The number of the first band that fits, among `labels`; null for a missing value and where none fits."""
    branches = [(condition(b.condition, readings), integer(labels.index(b.label))) for b in group.bands]
    rest = ibis.null("int64") if group.otherwise is None else integer(labels.index(group.otherwise))
    value = readings[group.column].value
    return ibis.ifelse(value.isnull(), ibis.null("int64"), ibis.cases(*branches, else_=rest))


def bucket_code(engine: Engine, group: ByBuckets, reading: Reading) -> Any:
    """0 below `low`, count + 1 from `high` on, 1 … count between; null for a missing value."""
    low, high = _position(group.low, reading), _position(group.high, reading)
    value, kind = reading.value, reading.value.type()
    whole = not kind.is_floating() and (not kind.is_decimal() or kind.scale == 0)
    if whole and _countable(low, high, group.count):
        numbers = days(_finite(value)) if kind.is_date() else value
        code = _exact_bucket(engine, numbers, low, high, group.count)
    else:
        code = _float_bucket(engine, value.cast("float64"), low, high, group.count)
    return ibis.ifelse(value.isnull(), ibis.null("int64"), code)


def _finite(dates: Any) -> Any:
    """Some engines have dates without end, which are no number of days from any other."""
    return ibis.greatest(ibis.literal(datetime.date.min), ibis.least(ibis.literal(datetime.date.max), dates))


def _position(text: str, reading: Reading) -> Fraction:
    if isinstance(reading.declared, DateColumn):
        return Fraction((datetime.date.fromisoformat(text) - _DAY_ZERO).days)
    return Fraction(text)


def _countable(low: Fraction, high: Fraction, count: int) -> bool:
    """Whether every product in `_exact_bucket` stays within what its quotient takes, whatever the number."""
    divisor = (high - low) * low.denominator * high.denominator
    return max(abs(low), abs(high)) < _EXACT_BUCKETS and divisor < 2**64 and divisor * count < 2**120


def _exact_bucket(engine: Engine, numbers: Any, low: Fraction, high: Fraction, count: int) -> Any:
    """⌊(x − low)·count/(high − low)⌋ + 1 in whole numbers, over the denominators' product."""
    first, end = ceil(low), ceil(high)
    unit = low.denominator * high.denominator
    inside = ibis.greatest(integer(first), ibis.least(integer(end), numbers)).cast("int64") - integer(first)
    offset, divisor = int((first - low) * unit) * count, int((high - low) * unit)
    code = scaled_down(engine, inside, unit * count, offset, divisor, end - first) + integer(1)
    return ibis.cases((numbers < integer(first), integer(0)), (numbers >= integer(end), integer(count + 1)), else_=code)


def _float_bucket(engine: Engine, numbers: Any, low: Fraction, high: Fraction, count: int) -> Any:
    first, end, width = (double(nearest_float(n)) for n in (low, high, high - low))
    inside = engine.above_underflow(ibis.greatest(first, ibis.least(end, numbers)) - first)
    index = (inside * double(float(count)) / width).floor()
    code = ibis.greatest(integer(0), ibis.least(integer(count - 1), index)) + integer(1)
    return ibis.cases((numbers < first, integer(0)), (numbers >= end, integer(count + 1)), else_=code)
