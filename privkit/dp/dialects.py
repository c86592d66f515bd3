"""What each engine does in its own way, so that all of them give the same integers.

`tests/dp/test_engines.py` compares DuckDB, Spark and PostgreSQL over everything that a query can ask; for BigQuery,
Snowflake and Trino only the SQL is looked at. What stands here of these three is from their documentation.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from privkit.dp.arithmetic import WIDE, Engine, double, integer
from privkit.errors import DatasetError, QueryError

TESTED = ("duckdb", "pyspark", "postgres")
"""Engines that the tests run on, by Ibis's names."""

COMPILED = ("bigquery", "snowflake", "trino")
"""Engines for which the tests look at the SQL only."""

_MOST_CASES = 500  # labels of a CASE: beyond, some engine's parser or planner gives up
_MOST_LETTERS = 1000  # of a text that spells a number
_INT64 = (-(2**63), 2**63 - 1)


def engine_of(name: str, *, collated: bool = False) -> Engine:
    """The engine with Ibis's name for its backend.

    Args:
        name: One of `TESTED` and `COMPILED`.
        collated: Whether text columns may have a collation that takes different texts for equal.

    Raises:
        DatasetError: Nobody knows whether this one computes what is charged for.
    """
    if name == "duckdb":
        return DuckDB(collated=collated)
    if name not in _KINDS:
        raise DatasetError(
            f"{name}: not an engine that private statistics are known to be right on",
            hint=f"Known: {', '.join(TESTED)}; and {', '.join(COMPILED)} with `accept_untested_engine: true`.",
        )
    return _KINDS[name](name)


def _function(name: str, of: tuple[Any, ...], gives: Any, database: str | None = None) -> Any:
    """A function of an engine's own, by its name and types."""

    def called(*arguments: Any) -> Any:
        """Stands for what the engine has."""

    names = [f"a{i}" for i in range(len(of))]
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in names]
    )
    return ibis.udf.scalar.builtin(called, name=name, database=database, signature=(of, gives))


def _own(name: str, of: tuple[Any, ...], gives: Any) -> Any:
    """A function of PostgreSQL's own, whatever else the search path has."""
    return _function(name, of, gives, "pg_catalog")


_TEXT, _BYTES, _SMALL = dt.string, dt.binary, dt.int32
_EXACT = dt.Decimal(38, 0)
_ANY = dt.Decimal()


# ---- DuckDB

_duckdb_divide = _function("divide", (_EXACT, _EXACT), _EXACT)  # its `//`: exact, towards zero, also of HUGEINT
_duckdb_encode = _function("encode", (_TEXT,), _BYTES)
_duckdb_decode = _function("decode", (_BYTES,), _TEXT)  # a text without a collation


@dataclass(frozen=True)
class DuckDB(Engine):
    """DuckDB: a sum of 64-bit integers is a HUGEINT, which `//` divides exactly.

    Attributes:
        collated: Whether columns may have a collation: in files they have none.
    """

    name: str = "duckdb"
    collated: bool = False

    def total(self, values: Any) -> Any:
        return values.sum()

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        return _duckdb_divide(dividend, divisor)

    def plain(self, text: Any) -> Any:
        return _duckdb_decode(_duckdb_encode(text)) if self.collated else text

    def first_bits(self, text: Any) -> Any:
        return (ibis.literal("0x") + text.hexdigest("md5").substr(0, 8)).cast("int64")

    def spelled_double(self, text: Any) -> Any:
        """DuckDB would read 9_007_199_254_740_993 as 9."""
        return ibis.ifelse(_short(text) & ~text.contains("_"), text, ibis.null("string")).try_cast("float64")


# ---- what texts spell, for engines whose casts read more, or fail

_FINITE = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_PLAIN = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$"
_TIME = (
    r"([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9]([.][0-9]*)?)?"
    r"(Z|[+-][0-9][0-9](:?[0-9][0-9])?)?( .*)?"
)
_SEPARATED = r"(-[0-9][0-9]?-|/[0-9][0-9]?/| [0-9][0-9]? )"  # DuckDB takes the three, each with itself
_DATE = rf"^(-?[0-9]+{_SEPARATED}[0-9][0-9]?)((T| +){_TIME})?$"
_FAR, _LONG_AGO = "200000-1-1", "-4000-1-1"  # what stands for dates without end
_YEAR_DIGITS = 6


def _short(text: Any) -> Any:
    """Longer texts spell no number: engines differ in how many digits they can read."""
    return text.length() <= integer(_MOST_LETTERS)


def _infinite(word: Any) -> tuple[tuple[Any, Any], ...]:
    lower = word.lower()
    return (
        (lower.isin(("inf", "+inf", "infinity", "+infinity")), double(float("inf"))),
        (lower.isin(("-inf", "-infinity")), double(float("-inf"))),
    )


@dataclass(frozen=True)
class _Strict(Engine):
    """An engine whose casts from text are told what they may read."""

    def matches(self, text: Any, pattern: str) -> Any:
        """Whether a pattern is found."""
        return text.re_search(pattern)

    def part(self, text: Any, pattern: str) -> Any:
        """What the first group of a pattern matches; null where the pattern does not."""
        return text.re_extract(pattern, 1)

    def finite_double(self, word: Any) -> Any:
        """The double nearest to a number in the form of `_FINITE`."""
        return word.try_cast("float64")

    def of_calendar(self, date: Any) -> Any:
        """A day from year-month-day, the year with up to six digits; null where there is none."""
        padded = date.re_replace("^(-?)([0-9]{1,3}-)", "$1000$2")  # Spark wants four of them
        return padded.try_cast("date")

    def spelled_double(self, text: Any) -> Any:
        word = _word(text)
        return ibis.cases((self.matches(word, _FINITE), self.finite_double(word)), *_infinite(word))

    def spelled_date(self, text: Any) -> Any:
        word, lower = _word(text), text.lower()
        date = self.part(word, _DATE).replace("/", "-").replace(" ", "-")
        usual = self.matches(word, _DATE) & self.matches(date, rf"^-?[0-9]{{1,{_YEAR_DIGITS}}}-")
        far, long_ago, epoch = (self.of_calendar(ibis.literal(day)) for day in (_FAR, _LONG_AGO, "1970-1-1"))
        return ibis.cases(
            (usual, self.of_calendar(date)),
            (lower.isin(("inf", "infinity")), far),
            (lower.isin(("-inf", "-infinity")), long_ago),
            (word.lower() == ibis.literal("epoch"), epoch),
        )


def _word(text: Any) -> Any:
    return ibis.ifelse(_short(text), text.strip(), ibis.literal(""))


# ---- Spark


_spark_div = _function("div", (_EXACT, _EXACT), dt.int64)  # exact for decimals of up to 38 digits
_spark_string = _function("string", (_TEXT,), _TEXT)  # a cast to STRING, whose collation is that of bytes
_spark_conv = _function("conv", (_TEXT, _SMALL, _SMALL), _TEXT)  # a number in another base


@dataclass(frozen=True)
class Spark(_Strict):
    """Spark 4, in ANSI mode: casts fail and sums overflow with an error, decimals hold 38 digits."""

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        return _spark_div(dividend.cast(WIDE), divisor.cast(WIDE))

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        return self.quotient(dividend, divisor)

    def plain(self, text: Any) -> Any:
        return _spark_string(text)

    def first_bits(self, text: Any) -> Any:
        return _spark_conv(text.hexdigest("md5").substr(0, 8), 16, 10).cast("int64")

    def spelled_integer(self, text: Any) -> Any:
        exact = text.strip().try_cast(WIDE)
        low, high = (ibis.literal(end, WIDE) for end in _INT64)
        return ibis.ifelse(
            exact.isnull(), ibis.null("int64"), ibis.greatest(low, ibis.least(high, exact)).cast("int64")
        )


# ---- PostgreSQL

_postgres_div = _own("div", (_ANY, _ANY), _ANY)  # the integer part of a quotient of numerics, exactly
_postgres_text = _own("text", (_TEXT,), _TEXT)  # of char(n) without blanks at its end, of citext with capitals apart
_postgres_bytes = _own("convert_to", (_TEXT, _TEXT), _BYTES)  # sorts as bytes do
_postgres_md5 = _own("md5", (_BYTES,), _TEXT)
_postgres_out = _own("textout", (_TEXT,), _TEXT)  # as a cstring, which a type's input takes
_postgres_bits = _own("bit_in", (_TEXT, _SMALL, _SMALL), _BYTES)  # bits from x and hexadecimal digits
_postgres_int8 = _own("int8", (_BYTES,), dt.int64)
_postgres_matches = _own("textregexeq", (_TEXT, _TEXT), dt.boolean)  # the operator ~
_postgres_part = _own("substring", (_TEXT, _TEXT), _TEXT)  # what the first group matches
_postgres_date = _own("make_date", (_SMALL, _SMALL, _SMALL), dt.date)  # there is no year 0
_postgres_field = _own("jsonb_object_field_text", (dt.JSON(binary=True), _TEXT), _TEXT)  # ->>: a search by halving

_LARGEST = str(2**1024 - 2**970)  # from here on the nearest double is infinite
_SMALLEST = "2.4703282292062328e-324"  # below it, 0
_UNDERFLOW = 1e-290
_WHOLE_DIGITS = "9" * 19  # of a numeric without declared digits
_UNBOUNDED = dt.Decimal(38, 19)


@dataclass(frozen=True)
class Postgres(_Strict):
    """PostgreSQL: numerics of any size, casts that fail, float8 that refuses to become 0 or infinite."""

    @property
    def orders_well(self) -> bool:
        return False  # at 1e6 rows 4.1 processor seconds against 3.3

    def total(self, values: Any) -> Any:
        return values.sum()  # of bigint a numeric

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        return _postgres_div(dividend, divisor)

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        return _postgres_div(dividend, divisor)

    def plain(self, text: Any) -> Any:
        return _postgres_text(text)

    def in_byte_order(self, text: Any) -> Any:
        return _postgres_bytes(text, "UTF8")

    def first_bits(self, text: Any) -> Any:
        digits = _postgres_md5(_postgres_bytes(text, "UTF8")).substr(0, 8)
        return _postgres_int8(_postgres_bits(_postgres_out(ibis.literal("x") + digits), 0, 32))

    def numbered(self, rows: Any, name: str, labels: Sequence[str]) -> Any:
        """Without a temporary table, which a role that may only read cannot make."""
        known = {label: number for number, label in enumerate(labels) if "\0" not in label}
        found = _postgres_field(
            ibis.literal(json.dumps(known, ensure_ascii=False)).cast(dt.JSON(binary=True)), rows[name]
        )
        return rows.mutate(**{name: found.cast("int64")})

    def matches(self, text: Any, pattern: str) -> Any:
        return _postgres_matches(text, pattern)

    def part(self, text: Any, pattern: str) -> Any:
        return _postgres_part(text, pattern)

    def finite_double(self, word: Any) -> Any:
        exponent = self.part(word, "[eE][+-]?0*([0-9]*)$")
        small = ibis.coalesce(exponent.length(), 0) <= integer(4)
        exact = word.cast(_ANY)
        size = exact.abs()
        far = ibis.cases(
            (_postgres_matches(word, "^[+-]?[0.]*[eE]"), double(0.0)),
            (_postgres_matches(word, "[eE]-"), double(0.0)),
            (word.startswith("-"), double(float("-inf"))),
            else_=double(float("inf")),
        )
        near = ibis.cases(
            (size < ibis.literal(_SMALLEST).cast(_ANY), double(0.0)),
            (size < ibis.literal(_LARGEST).cast(_ANY), exact.cast("float64")),
            (exact > ibis.literal("0").cast(_ANY), double(float("inf"))),
            else_=double(float("-inf")),
        )
        plain = _postgres_matches(word, _PLAIN) & (word.length() <= integer(250))
        return ibis.cases((plain, word.cast("float64")), (small, near), else_=far)

    def spelled_integer(self, text: Any) -> Any:
        word = text.strip()
        small = ibis.coalesce(self.part(word, "[eE][+-]?0*([0-9]*)$").length(), 0) <= integer(4)
        low, high = (ibis.literal(str(end)).cast(_ANY) for end in _INT64)
        exact = ibis.greatest(low, ibis.least(high, word.cast(_ANY))).cast("int64")
        return ibis.cases((self.matches(word, _FINITE) & small, exact))

    def of_calendar(self, date: Any) -> Any:
        patterns = ("^(-?[0-9]+)-", "^-?[0-9]+-([0-9]+)-", "-([0-9]+)$")
        number, of, at = (self.part(date, pattern).cast("int64") for pattern in patterns)
        leap = (number % integer(4) == 0) & ((number % integer(100) != 0) | (number % integer(400) == 0))
        short = ibis.ifelse(leap, integer(29), integer(28))
        last = ibis.cases((of == 2, short), (of.isin((4, 6, 9, 11)), integer(30)), else_=integer(31))
        there = (of >= 1) & (of <= 12) & (at >= 1) & (at <= last)
        held = ibis.greatest(number, integer(-4000))
        held = ibis.ifelse(held <= 0, held - integer(1), held)
        return ibis.cases((there, _postgres_date(held.cast("int32"), of.cast("int32"), at.cast("int32"))))

    def day(self, time: Any) -> Any:
        return time.cast("date")  # a timestamp without end is a date without end

    def decimal(self, numbers: Any) -> Any:
        kind = numbers.type()
        known = kind.precision is not None and kind.scale is not None and kind.precision <= 38
        if not known:
            low, high = (ibis.literal(sign + _WHOLE_DIGITS).cast(_ANY) for sign in "-+")
            inside = ibis.greatest(low, ibis.least(high, _without_nan(numbers))).cast(_UNBOUNDED)
            return ibis.ifelse(_without_nan(numbers).isnull(), ibis.null(_UNBOUNDED), inside)
        return _without_nan(numbers)

    def above_underflow(self, numbers: Any) -> Any:
        return ibis.ifelse(numbers.abs() < double(_UNDERFLOW), double(0.0), numbers)


def _without_nan(numbers: Any) -> Any:
    return numbers.nullif(ibis.literal("NaN").cast(numbers.type()))


# ---- warehouses: from their documentation; no test has run there


@dataclass(frozen=True)
class _Warehouse(Engine):
    """What the three have in common: a CASE instead of a table of labels, and no texts that spell other things."""

    @property
    def orders_well(self) -> bool:
        return False  # nobody knows; the plainer SQL

    def numbered(self, rows: Any, name: str, labels: Sequence[str]) -> Any:
        if len(labels) > _MOST_CASES:
            raise QueryError(
                f"{len(labels):,} categories: on {self.name} at most {_MOST_CASES} can be told apart",
                hint="Ask for fewer, or release from a copy of the rows as Parquet.",
            )
        numbers = ibis.cases(*((rows[name] == ibis.literal(label), integer(i)) for i, label in enumerate(labels)))
        return rows.mutate(**{name: numbers})

    def day(self, time: Any) -> Any:
        if time.type().timezone is not None:
            raise self._refused("the day of a time with a zone", "a view that casts it to a date")
        return time.cast("date")

    def spelled_double(self, text: Any) -> Any:  # noqa: ARG002 - refused whatever it is
        raise self._refused("a text that spells a number", "a view that casts it")

    def spelled_date(self, text: Any) -> Any:  # noqa: ARG002 - refused whatever it is
        raise self._refused("a text that spells a date", "a view that casts it")

    def _refused(self, what: str, instead: str) -> QueryError:
        return QueryError(f"{self.name}: {what} is not read there as elsewhere", hint=f"Make {instead}.")


_bigquery_div = _function("DIV", (_ANY, _ANY), dt.Decimal(76, 38))
_bigquery_md5 = _function("MD5", (_TEXT,), _BYTES)
_bigquery_hex = _function("TO_HEX", (_BYTES,), _TEXT)
_bigquery_text = _function("SAFE_CONVERT_BYTES_TO_STRING", (_BYTES,), _TEXT)


@dataclass(frozen=True)
class BigQuery(_Warehouse):
    """BigQuery: a SUM of INT64 overflows and NUMERIC has 29 digits: sums are BIGNUMERIC. DIV is exact."""

    @property
    def wide(self) -> dt.Decimal:
        return dt.Decimal(76, 38)

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        return _bigquery_div(dividend, divisor)

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        return _bigquery_div(dividend, divisor)

    def plain(self, text: Any) -> Any:
        """Out of bytes a text has no collation."""
        return _bigquery_text(text.cast("binary"))

    def first_bits(self, text: Any) -> Any:
        digits = _bigquery_hex(_bigquery_md5(text)).substr(0, 8)
        return (ibis.literal("0x") + digits).cast("int64")  # a cast reads hexadecimal digits


_snowflake_number = _function("TO_NUMBER", (_TEXT, _TEXT), dt.int64)
_snowflake_md5 = _function("MD5_HEX", (_TEXT,), _TEXT)
_collate = _function("COLLATE", (_TEXT, _TEXT), _TEXT)


@dataclass(frozen=True)
class Snowflake(_Warehouse):
    """Snowflake: whole numbers are NUMBER(38, 0), whatever their name; a quotient is rounded to six digits."""

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        whole = dividend.cast(WIDE)
        return ((whole - whole % divisor.cast(WIDE)) / divisor.cast(WIDE)).cast(WIDE)

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        return self.quotient(dividend, divisor)

    def plain(self, text: Any) -> Any:
        return _collate(text, "")

    def first_bits(self, text: Any) -> Any:
        return _snowflake_number(_snowflake_md5(text).substr(0, 8), "XXXXXXXX")


_trino_utf8 = _function("to_utf8", (_TEXT,), _BYTES)
_trino_md5 = _function("md5", (_BYTES,), _BYTES)
_trino_hex = _function("to_hex", (_BYTES,), _TEXT)
_trino_base = _function("from_base", (_TEXT, dt.int64), dt.int64)


@dataclass(frozen=True)
class Trino(_Warehouse):
    """Trino: a sum of DECIMAL(38, 0) is one; a quotient of two such is rounded, of a multiple exact."""

    def quotient(self, dividend: Any, divisor: Any) -> Any:
        whole = dividend.cast(WIDE)
        return (whole - whole % divisor.cast(WIDE)) / divisor.cast(WIDE)

    def wide_quotient(self, dividend: Any, divisor: Any) -> Any:
        return self.quotient(dividend, divisor)

    def first_bits(self, text: Any) -> Any:
        return _trino_base(_trino_hex(_trino_md5(_trino_utf8(text))).substr(0, 8), 16)


_KINDS: dict[str, type[Engine]] = {
    "pyspark": Spark,
    "postgres": Postgres,
    "bigquery": BigQuery,
    "snowflake": Snowflake,
    "trino": Trino,
}
