"""Exact whole-number arithmetic as engine expressions, and the order in which a unit's groups are kept.

Written for any engine that Ibis reaches. Traps that shape it: Ibis's `//` is the floor of a division of doubles, wrong
above 2^53; `%` truncates towards zero; GREATEST and LEAST pass over nulls; a sum of 64-bit integers leaves 64 bits as
HUGEINT on DuckDB, as an error on Spark. What differs by engine is in `Engine` (its kinds: `privkit.dp.dialects`), and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

WIDE = dt.Decimal(38, 0)
"""Whole numbers of up to 38 digits, nearly everywhere: see `Engine.wide`."""

PRIME = 2**31 - 1
"""The order of groups is computed modulo this: every product stays below 2^62."""

_CODES = 2**20  # above the number of public groups
_HEX_DIGITS = 8


@dataclass(frozen=True)
class Engine:
    """What an engine does in its own way; here, what any engine does that keeps SQL's word.

    Attributes:
        name: Ibis's name of the backend.
    """

    name: str

    @property
    def orders_well(self) -> bool:
        """Whether sums so far over ordered rows cost less than groups by hash: see `privkit.dp.bounding`."""
        return True

    # ---- whole numbers

    @property
    def wide(self) -> dt.Decimal:
        """The type of whole numbers of up to 38 digits."""
        return WIDE

    def whole(self, number: int) -> Any:
        """A literal of that type."""
        return ibis.literal(str(number)).cast(self.wide)

    def total(self, values: Any) -> Any:
        """The sum of 64-bit (or wider) whole numbers, in at least 126 bits."""
        return values.cast(self.wide).sum()

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        """⌊dividend/divisor⌋, exactly, of 64-bit integers or of what `total` gives; dividend ≥ 0, divisor > 0.

        The quotient itself has to fit into 63 bits.
        """
        return wide_quotient(dividend, divisor)

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        """The same for whole numbers of up to 126 bits as `WIDE`."""
        return wide_quotient(dividend, divisor)

    # ---- texts

    def plain(self, text: Any) -> Any:
        """A text column whose values are equal where their bytes are, and not otherwise."""
        return text

    def in_byte_order(self, text: Any) -> Any:
        """What sorts as the text's UTF-8 bytes do."""
        return text

    def first_bits(self, text: Any) -> Any:
        """The first 32 bits of the MD5 of a text's UTF-8 bytes, as a 64-bit integer."""
        return spelled_out(text.hexdigest("md5").substr(0, _HEX_DIGITS))

    def numbered(self, rows: Any, name: str, labels: Sequence[str]) -> Any:
        """The rows with the text column `name` replaced by its number among many labels; other texts out."""
        numbers = pa.table({"label": pa.array(labels, pa.string()), "number": pa.array(range(len(labels)), pa.int64())})
        table = ibis.memtable(numbers)
        joined = rows.inner_join(table, rows[name] == table.label)
        return joined.select(*(c for c in rows.columns if c != name), **{name: table.number})

    # ---- values of the source

    def spelled_double(self, text: Any) -> Any:
        """The number that a text spells, as a double; null, or NaN, where it spells none."""
        return text.try_cast("float64")

    def spelled_integer(self, text: Any) -> Any:
        """The same as a 64-bit integer, halves away from zero; null where it does not fit."""
        return text.try_cast("int64")

    def spelled_date(self, text: Any) -> Any:
        """The day that a text spells, with or without a time after it; null where it spells none."""
        return text.try_cast("date")

    def day(self, time: Any) -> Any:
        """The day of a timestamp; null where it has none."""
        return time.try_cast("date")

    def decimal(self, numbers: Any) -> Any:
        """A decimal column, with null for what is no number, and no more digits than its type says."""
        return numbers

    def above_underflow(self, numbers: Any) -> Any:
        """Doubles; those next to 0, which an engine might fail to divide, may be 0."""
        return numbers


def spelled_out(digits: Any) -> Any:
    """The integer of eight hexadecimal digits, from their character codes: what every engine has."""
    number = integer(0)
    for place in range(_HEX_DIGITS):
        code = digits.substr(place, 1).ascii_str().cast("int64")
        number = number * integer(16) + code - ibis.ifelse(code >= integer(97), integer(87), integer(48))
    return number


def wide_quotient(dividend: Any, divisor: Any) -> Any:
    """⌊dividend/divisor⌋, exactly, of whole numbers: 0 ≤ dividend < 2^126, 0 < divisor < 2^64.

    A rounded division of doubles, repaired: each round divides what the one before left over, of either sign. A
    quotient of doubles is off by less than 2^-50 of itself, so that three rounds bring 2^126 to below two divisors;
    what is then left is put right by comparison.
    """
    quotient, rest = ibis.literal(0, WIDE), dividend.cast(WIDE)
    for _ in range(4):
        part = (rest.cast("float64") / divisor.cast("float64")).cast(WIDE)  # not floor(): Ibis casts that to 64 bits
        quotient, rest = quotient + part, rest - part * divisor.cast(WIDE)
    over = ibis.ifelse(rest >= divisor.cast(WIDE), 1, ibis.ifelse(rest < 0, -1, 0))
    return quotient + over.cast(WIDE)


def shrunk(engine: Engine, total: Any, rows: Any, most: int, *, signed: bool = True) -> Any:
    """trunc(total·most/rows) towards zero where rows > most, else the total itself.

    Truncation shrinks the absolute value, so what `most` rows could add at most still bounds it. A total that is never
    below 0 (not `signed`) needs no look at its sign.
    """
    size = total.abs() if signed else total
    part = engine.quotient(size * integer(most) if most > 1 else size, rows)
    if signed:
        part = ibis.ifelse(total < integer(0), -part, part)
    return ibis.ifelse(rows > integer(most), part, total)


def clamped(engine: Engine, total: Any, low: int, high: int) -> Any:
    """A sum cut to low … high, as a 64-bit integer; 0 where there was nothing to sum."""
    found = total.cast(engine.wide).fill_null(engine.whole(0))
    return ibis.greatest(engine.whole(low), ibis.least(engine.whole(high), found)).cast("int64")


def integer(value: int) -> Any:
    """A 64-bit literal, from its text: a plain number would get the narrowest type, whose products overflow."""
    return ibis.literal(str(int(value))).cast("int64")


def double(value: float) -> Any:
    """A literal of 64-bit floating point, from its text: DuckDB would read 0.30000000000000004 as a decimal."""
    return ibis.literal(repr(value).replace("inf", "Infinity")).cast("float64")


def bit(truth: Any) -> Any:
    """1 for true, 0 for false, as a 64-bit integer: by way of 32 bits, which is all that PostgreSQL's casts know."""
    return truth.cast("int32").cast("int64")


# ---- the order in which a unit's groups are kept


def order_of_group(unit: Any, code: Any) -> Any:
    """A number that orders the groups of a unit, each order about as likely: the unit counts in those with the lowest.

    Squares forget a sign, and the last step is from a square: a `unit` between −PRIME and 0 gives what unit + PRIME
    gives, so that nobody has to make it positive first.

    Args:
        unit: From `number_of_unit`, or a number that this function gave.
        code: The group's number, below 2^31.
    """
    mixed = (unit * integer(48271) + (code + integer(1)) * integer(1640531527)) % integer(PRIME)
    mixed = (mixed * mixed + unit) % integer(PRIME)
    return (mixed * mixed + code) % integer(PRIME)


def order_of_code(unit: Any, code: Any) -> Any:
    """The same for a public group's code: one number, different for every group of a unit."""
    return order_of_group(unit, code) * integer(_CODES) + code


def number_of_unit(engine: Engine, unit: Any) -> Any:
    """A unit's number modulo `PRIME`, between −PRIME and PRIME: of a text, from its MD5."""
    if not isinstance(unit, ir.NumericColumn):
        return number_of_text(engine, unit.cast("string"))
    return (unit % integer(PRIME)).cast("int64")


def number_of_text(engine: Engine, text: Any) -> Any:
    """A text's number modulo `PRIME`: the first 32 bits of the MD5 of its UTF-8 bytes."""
    return engine.first_bits(text) % integer(PRIME)
