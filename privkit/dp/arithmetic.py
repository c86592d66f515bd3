"""Exact whole-number arithmetic as engine expressions, and the order in which a unit's groups are kept.

Written for any engine that Ibis reaches. Traps that shape it: Ibis's `//` is the floor of a division of doubles, wrong
above 2^53; `%` truncates towards zero; GREATEST and LEAST pass over nulls; a sum of 64-bit integers leaves 64 bits as
HUGEINT on DuckDB, as an error on Spark. What differs by engine is in `Engine`, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

WIDE = "decimal(38, 0)"
"""Whole numbers of up to 38 digits."""

PRIME = 2**31 - 1
"""The order of groups is computed modulo this: every product stays below 2^62."""

_CODES = 2**20  # above the number of public groups
_HEX_DIGITS = 8


@ibis.udf.scalar.builtin(name="divide")  # type: ignore[untyped-decorator]
def _duckdb_divide(dividend: dt.Decimal(38, 0), divisor: dt.Decimal(38, 0)) -> dt.Decimal(38, 0):  # type: ignore[valid-type]
    """DuckDB's `//`: exact, towards zero, for BIGINT and HUGEINT."""


@dataclass(frozen=True)
class Engine:
    """What an engine does in its own way.

    Attributes:
        name: Ibis's name of the backend.
    """

    name: str

    @property
    def sums_widen(self) -> bool:
        """Whether a sum of 64-bit integers has 128 bits by itself."""
        return self.name == "duckdb"

    def total(self, values: Any) -> Any:
        """The sum of 64-bit (or wider) whole numbers, in at least 126 bits."""
        return values.sum() if self.sums_widen else values.cast(WIDE).sum()

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        """⌊dividend/divisor⌋, exactly, of 64-bit integers or of what `total` gives; dividend ≥ 0, divisor > 0."""
        return _duckdb_divide(dividend, divisor) if self.name == "duckdb" else wide_quotient(dividend, divisor)

    def hexadecimal(self, digits: Any) -> Any:
        """The 64-bit integer that eight lower-case hexadecimal digits spell."""
        return (ibis.literal("0x") + digits).cast("int64") if self.name == "duckdb" else spelled_out(digits)


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


def clamped(total: Any, low: int, high: int) -> Any:
    """A sum cut to low … high, as a 64-bit integer; 0 where there was nothing to sum."""
    wide = total.cast(WIDE).fill_null(ibis.literal(0, WIDE))
    return ibis.greatest(ibis.literal(low, WIDE), ibis.least(ibis.literal(high, WIDE), wide)).cast("int64")


def integer(value: int) -> Any:
    """A 64-bit literal, from its text: a plain number would get the narrowest type, whose products overflow."""
    return ibis.literal(str(int(value))).cast("int64")


def double(value: float) -> Any:
    """A literal of 64-bit floating point, from its text: DuckDB would read 0.30000000000000004 as a decimal."""
    return ibis.literal(repr(value).replace("inf", "Infinity")).cast("float64")


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
    return engine.hexadecimal(text.hexdigest("md5").substr(0, _HEX_DIGITS)) % integer(PRIME)
