"""Makes values coarser: dates to years or months, numbers to bands, postcodes to their first digits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.operators.base import RowContext, is_empty, mapped, placeholder, texts_of
from privkit.deid.operators.dates import DateForm, form_of, read_date
from privkit.deid.operators.postcodes import cut_number, cut_postcode
from privkit.errors import PolicyError
from privkit.io.frames import Leaf
from privkit.model.operators import Generalize

_DATES = frozenset({"DATE", "DATE_TIME", "DATE_OF_BIRTH", "BIRTH_DATE", "DOB"})
_BIRTHS = frozenset({"DATE_OF_BIRTH", "BIRTH_DATE", "DOB"})
_AGES = frozenset({"AGE"})
_POSTCODES = frozenset({"POSTCODE", "POSTAL_CODE", "ZIP", "ZIP_CODE", "ZIPCODE"})
_AGE_BAND, _AGE_TOP, _POSTCODE_DIGITS = 5.0, 90, 3
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 400


class GeneralizeOperator:
    """Makes values coarser; with no parameter, in the way the entity type asks for.

    Dates become `1980` or `1980-05`; with `oldest`, years in which somebody older than that may have been born become
    `<=1935`. Whole numbers become closed bands (`30-34`), other numbers half-open ones (`30.0-35.0` is 30 ≤ x < 35);
    `top` and above become `90+`. Postcodes become their first digits. What is not understood becomes `<ENTITY>`.

    Args:
        spec: One kind of parameter, or none.
        entity: Entity type of the values.
        today: The date that ages are counted from.

    Raises:
        PolicyError: A format that cannot give what is asked for, or no parameter and an entity type without a rule.
    """

    def __init__(self, spec: Generalize, entity: str | None, today: dt.date) -> None:
        self._spec = spec
        self._entity = entity
        self._form: DateForm | None = form_of(spec.format) if spec.format is not None else None
        self._placeholder = placeholder(entity)
        self._today = today
        self._newest_hidden = today.year - spec.oldest - 1 if spec.oldest is not None else None
        self._rule = self._rule_for(entity)
        if self._form is not None and spec.to == "month" and not self._form.has_month:
            raise PolicyError(f"generalize to month: the format {spec.format!r} names no month")

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """Text, whatever was given.

        Raises:
            PolicyError: Nothing says how such values are made coarser.
        """
        self._rule_of(given)
        return pa.string()

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """See `ColumnOperator.apply`.

        Raises:
            PolicyError: Nothing says how such values are made coarser.
        """
        del context
        kind = leaf.values.type
        rule = self._rule_of(kind)
        if rule == self._date and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
            return self._typed_dates(leaf.values)
        if rule == self._postcode and pa.types.is_floating(kind):
            rule = self._float_postcode
        elif rule == self._postcode and pa.types.is_integer(kind):
            rule = self._whole_postcode
        elif rule == self._number and pa.types.is_floating(kind):
            rule = self._float
        return mapped(texts_of(leaf), _each(rule))

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """A coarser value in place of one finding."""
        del row, context
        return value if is_empty(value) else self._rule_of(pa.string())(value)

    def _rule_for(self, entity: str | None) -> Callable[[str], str] | None:
        spec = self._spec
        if spec.to is not None or spec.oldest is not None or spec.format is not None:
            return self._date
        if spec.band is not None or spec.top is not None:
            return self._number
        if spec.digits is not None:
            return self._postcode
        name = (entity or "").upper()
        for names, rule in ((_DATES, self._date), (_AGES, self._number), (_POSTCODES, self._postcode)):
            if name in names:
                return rule
        return None

    def _rule_of(self, kind: pa.DataType) -> Callable[[str], str]:
        if self._rule is not None:
            return self._rule
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            return self._date
        raise PolicyError(
            f"generalize: nothing says how values of type {self._entity or kind} are made coarser",
            hint="Give band= (numbers), to=year or to=month (dates), or digits= (postcodes).",
        )

    # Dates

    def _date(self, text: str) -> str:
        moment = read_date(text, self._form)
        if moment is None or (self._spec.to == "month" and not moment.form.has_month):
            return self._placeholder
        year = moment.date.year
        if "Y" not in moment.form.directives and year > self._today.year and self._is_birth:
            year -= 100  # two digits of a birth year mean the past
        return self._year_or_month(year, moment.date.month)

    @property
    def _is_birth(self) -> bool:
        return self._newest_hidden is not None or (self._entity or "").upper() in _BIRTHS

    def _year_or_month(self, year: int, month: int) -> str:
        if self._newest_hidden is not None and year <= self._newest_hidden:
            return f"<={self._newest_hidden}"
        return f"{year:04d}-{month:02d}" if self._spec.to == "month" else f"{year:04d}"

    def _typed_dates(self, values: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(values.type) and values.type.tz is not None:
            values = pc.local_timestamp(values)
        # Years and months are few: each pair is written once.
        pairs = pc.add(pc.multiply(pc.year(values), 12), pc.subtract(pc.month(values), 1)).dictionary_encode()
        written = [self._year_or_month(*_year_and_month(pair)) for pair in pairs.dictionary.to_pylist()]
        return pa.array(written, pa.string()).take(pairs.indices)

    # Numbers

    def _number(self, text: str) -> str:
        return self._banded(text, whole=True)

    def _float(self, text: str) -> str:
        return self._banded(text, whole=False)

    def _banded(self, text: str, *, whole: bool) -> str:
        digits = text.strip()
        if len(digits) > _LONGEST_NUMBER or _DECIMAL.fullmatch(digits) is None:
            return self._placeholder
        value = Fraction(digits)
        band, top = self._spec.band, self._spec.top
        if band is None and top is None:
            band, top = _AGE_BAND, _AGE_TOP
        if top is not None and value >= top:
            return f"{top}+"
        if band is None:
            return digits
        if (self._entity or "").upper() in _AGES:
            value, digits, whole = Fraction(floor(value)), str(floor(value)), True  # an age is in completed years
        width = Fraction(str(band))
        low = floor(value / width) * width
        high = low + width
        if whole and width.denominator == 1 and _WHOLE.fullmatch(digits):
            last = int(high) - 1 if top is None else min(int(high), top) - 1
            return str(int(low)) if last == int(low) else f"{int(low)}-{last}"
        return f"{_plain(low)}-{_plain(high if top is None else min(high, Fraction(top)))}"

    # Postcodes

    def _postcode(self, text: str) -> str:
        cut = cut_postcode(text, self._digits, low_population=self._spec.suppress_low_population)
        return self._placeholder if cut is None else cut

    def _whole_postcode(self, text: str) -> str:
        cut = cut_number(int(text), self._digits, low_population=self._spec.suppress_low_population)
        return self._placeholder if cut is None else cut

    def _float_postcode(self, text: str) -> str:
        """A column of numbers with gaps is one of floats in pandas: 2139.0 is 02139."""
        number = Fraction(text) if _DECIMAL.fullmatch(text) else None
        if number is None or number.denominator != 1:
            return self._placeholder
        return self._whole_postcode(str(int(number)))

    @property
    def _digits(self) -> int:
        return self._spec.digits or _POSTCODE_DIGITS


def _each(rule: Callable[[str], str]) -> Callable[[Sequence[str]], Sequence[str]]:
    return lambda values: [rule(value) for value in values]


def _year_and_month(months: int) -> tuple[int, int]:
    return months // 12, months % 12 + 1


def _plain(number: Fraction) -> str:
    """A decimal number with at least one digit after the point, without an exponent."""
    places = 1
    while (number * 10**places).denominator != 1 and places < 20:
        places += 1
    digits = str(abs(int(number * 10**places))).zfill(places + 1)
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"
