"""Columns as an engine reads them: the source's values as the declared type, and as indices on a grid.

One rule for what is missing: null, NaN, and a text that does not spell a value of the declared type. No expression here
can fail on any data: everything is clipped before it is cast.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from privkit.dp.arithmetic import Engine, bit, double, integer
from privkit.dp.grid import Grid
from privkit.model.dataset import BooleanColumn, CategoryColumn, Column, DateColumn, FloatColumn, IntegerColumn

_EXACT = 2.0**53  # up to here every whole number is a double
_DIGITS = 38  # of the widest decimal
_EXACT_SCALE = 19  # of decimals: with 19 digits before the point they fit into 38
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_DAY_ZERO = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class Reading:
    """A declared column, read.

    Attributes:
        declared: Its declaration.
        value: 64-bit integer, decimal, double, date, boolean or text; null where it is missing.
        single: Whether the source holds floats of 32 bits.
    """

    declared: Column
    value: Any
    single: bool = False


def can_be_read(source: dt.DataType, declared: Column) -> bool:
    """Whether values of the source's type can be read as the declared type; from the types alone."""
    match declared:
        case CategoryColumn():
            kinds: tuple[type[dt.DataType], ...] = (dt.String, dt.Integer, dt.Boolean, dt.UUID)
        case DateColumn():
            kinds = (dt.String, dt.Date, dt.Timestamp)
        case BooleanColumn():
            kinds = (dt.String, dt.Integer, dt.Boolean)
        case _:
            kinds = (dt.String, dt.Integer, dt.Boolean, dt.Floating, dt.Decimal)
    return isinstance(source, kinds)


def can_name_units(source: dt.DataType) -> bool:
    """Whether values of this type are the same texts on every engine; floats, times and dates are not."""
    return isinstance(source, dt.Integer | dt.String | dt.UUID)


def read(engine: Engine, column: Any, declared: Column) -> Reading:
    """The column of the source as its declaration says."""
    source = column.type()
    if source.is_string():
        column = engine.plain(column)
    if isinstance(declared, CategoryColumn):
        return Reading(declared, column if source.is_string() else column.cast("string"))
    if isinstance(declared, DateColumn):
        return Reading(declared, _dates(engine, column, source))
    if isinstance(declared, BooleanColumn):
        return Reading(declared, _booleans(column, source))
    value = _numbers(engine, column, source, declared)
    return Reading(declared, value, bool(source.is_float32() or source.is_float16()))


def unit_names(engine: Engine, column: Any) -> Any:
    """The column that names the units: whole numbers, texts or UUIDs."""
    return engine.plain(column) if column.type().is_string() else column


def _dates(engine: Engine, column: Any, source: dt.DataType) -> Any:
    if source.is_string():
        return engine.spelled_date(column)
    return engine.day(column) if source.is_timestamp() else column


def _booleans(column: Any, source: dt.DataType) -> Any:
    if source.is_boolean():
        return column
    word = column.strip().lower() if source.is_string() else column
    true, false = (_TRUE, _FALSE) if source.is_string() else ((1,), (0,))
    return ibis.cases((word.isin(true), ibis.literal(True)), (word.isin(false), ibis.literal(False)))


def _numbers(engine: Engine, column: Any, source: dt.DataType, declared: IntegerColumn | FloatColumn) -> Any:
    if source.is_string():
        return _spelled_numbers(engine, column, declared)
    if source.is_floating():
        return _without_nan(column.cast("float64"))
    if source.is_decimal():
        column = engine.decimal(column)
        source = column.type()
        return _cut_to_64_bits(column) if source.scale == 0 and source.precision == _DIGITS else column
    return bit(column) if source.is_boolean() else column.cast(engine.wide if source.is_uint64() else "int64")


def _cut_to_64_bits(numbers: Any) -> Any:
    """What Ibis takes for DECIMAL(38, 0) is DuckDB's HUGEINT, where no decimal may hold what it is compared with."""
    inside = _clipped(numbers, integer(-(2**63)), integer(2**63 - 1)).cast("int64")
    return ibis.ifelse(numbers.isnull(), ibis.null("int64"), inside)


def _without_nan(numbers: Any) -> Any:
    return ibis.ifelse(numbers.isnan(), ibis.null("float64"), numbers)


def _spelled_numbers(engine: Engine, text: Any, declared: IntegerColumn | FloatColumn) -> Any:
    """A text that spells a number; for a column of whole numbers rounded, halves upwards, and cut to 64 bits."""
    number = _without_nan(engine.spelled_double(text))
    if isinstance(declared, FloatColumn):
        return number
    small = half_up(ibis.greatest(ibis.least(number, double(_EXACT)), double(-_EXACT)))
    end = ibis.ifelse(number > 0, integer(2**63 - 1), integer(-(2**63)))
    large = ibis.coalesce(engine.spelled_integer(text), end)
    return ibis.cases(
        (number.abs() < double(_EXACT), small),
        (number.notnull(), large),
    )


def half_up(numbers: Any) -> Any:
    """Doubles or decimals within ±2^62 to the nearest integer, halves upwards. Not ⌊x + ½⌋: that rounds a sum first."""
    floor = numbers.floor().cast("int64")
    back = floor.cast("float64") if numbers.type().is_floating() else floor
    return floor + ibis.ifelse((numbers - back) * integer(2) >= integer(1), integer(1), integer(0))


# ---- grid indices


def indices(engine: Engine, reading: Reading, grid: Grid) -> Any:
    """Index k of each row, 64-bit; null where the value is missing and no k is declared for that."""
    inside = _INDICES[grid.kind](engine, reading, grid)
    absent = ibis.null("int64") if grid.missing is None else integer(int(grid.missing))
    return ibis.ifelse(reading.value.isnull(), absent, inside)


def _clipped(value: Any, low: Any, high: Any) -> Any:
    """Also of a NaN something finite: engines order it above all numbers."""
    return ibis.greatest(low, ibis.least(high, value))


def _integer_indices(engine: Engine, reading: Reading, grid: Grid) -> Any:
    del engine
    low, high = int(grid.low), int(grid.high)
    kind, value = reading.value.type(), reading.value
    if kind.is_decimal() and kind.scale is not None and kind.scale <= _EXACT_SCALE:
        inside = _clipped(value, integer(low), integer(high)).cast(dt.Decimal(_DIGITS, kind.scale))  # a floor may
        value = inside.cast("int64") if kind.scale == 0 else half_up(inside)  # have a digit more than the value
    elif not kind.is_integer():
        value = half_up(_clipped(value.cast("float64"), double(float(low)), double(float(high))))
    return _clipped(value, integer(low), integer(high)) - integer(low)


def _float_indices(engine: Engine, reading: Reading, grid: Grid) -> Any:
    low, high, step = (double(float(number)) for number in (grid.low, grid.high, grid.step))
    scaled = engine.above_underflow(_clipped(reading.value.cast("float64"), low, high) - low) / step
    return _clipped((scaled + double(0.5)).floor(), integer(0), integer(grid.steps))


def _boolean_indices(engine: Engine, reading: Reading, grid: Grid) -> Any:
    del engine, grid
    return ibis.ifelse(reading.value, integer(1), integer(0))


def _date_indices(engine: Engine, reading: Reading, grid: Grid) -> Any:
    del engine
    low = _DAY_ZERO + datetime.timedelta(days=int(grid.low))
    high = _DAY_ZERO + datetime.timedelta(days=int(grid.high))
    return days(_clipped(reading.value, ibis.literal(low), ibis.literal(high))) - integer(int(grid.low))


_INDICES = {
    "integer": _integer_indices,
    "float": _float_indices,
    "boolean": _boolean_indices,
    "date": _date_indices,
}


def days(dates: Any) -> Any:
    """Days since 1970-01-01."""
    return dates.delta(ibis.literal(_DAY_ZERO), unit="day").cast("int64")


def scaled_down(engine: Engine, index: Any, factor: int, offset: int, divisor: int, highest: int) -> Any:
    """⌊(index·factor + offset)/divisor⌋ exactly, for 0 ≤ index ≤ highest."""
    if highest * factor + offset < 2**63 and divisor < 2**63:
        return engine.quotient(index * integer(factor) + integer(offset), integer(divisor)).cast("int64")
    wide = index.cast(engine.wide) * engine.whole(factor) + engine.whole(offset)
    return engine.wide_quotient(wide, engine.whole(divisor)).cast("int64")


def regridded(engine: Engine, index: Any, steps: int, wanted: int) -> Any:
    """`grid.regrid` as an expression."""
    if wanted % steps == 0:
        return index * integer(wanted // steps) if wanted != steps else index
    return scaled_down(engine, index, 2 * wanted, steps, 2 * steps, steps)


def cell_of(engine: Engine, index: Any, steps: int, cells: int) -> Any:
    """⌊k·cells/R⌋, the upper bound in the last cell."""
    if cells == steps + 1:
        return index
    cell = scaled_down(engine, index, cells, 0, steps, steps)
    return ibis.ifelse(cell >= integer(cells), integer(cells - 1), cell)  # LEAST would pass over a null
