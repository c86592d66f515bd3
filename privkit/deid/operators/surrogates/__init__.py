"""Realistic values of the same kind and format, chosen by the key.

The same value gets the same surrogate under one key; different values may share one. A surrogate is made up, but what
is made up may exist: somewhere lives a person of that name. Where ranges are set aside for examples they are used:
e-mail and web domains, IP networks, North American telephone numbers, social security numbers. Card numbers, IBANs and
telephone numbers of other countries are well-formed and may be somebody's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache

import pyarrow as pa

from privkit.deid.operators.base import Draws, RowContext, is_empty, mapped, placeholder, row_of, texts_of
from privkit.deid.operators.dates import read_date
from privkit.deid.operators.surrogates import network, numbers, places
from privkit.deid.operators.surrogates.draws import Stream, chosen, like, normal
from privkit.deid.operators.surrogates.names import Names, Part, known_locale
from privkit.errors import PolicyError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.model.operators import Surrogate

_PEOPLE: dict[str, Part | None] = {
    "PERSON": None, "NAME": None, "FULL_NAME": None, "FIRST_NAME": "first", "GIVEN_NAME": "first", "GIVENNAME": "first",
    "LAST_NAME": "last", "SURNAME": "last", "FAMILY_NAME": "last",
}  # fmt: skip
_EMAILS = frozenset({"EMAIL_ADDRESS", "EMAIL"})
_PHONES = frozenset({"PHONE_NUMBER", "PHONE", "TELEPHONE", "FAX_NUMBER", "UK_PHONE_NUMBER"})
_DATES = frozenset({"DATE_TIME", "DATE", "DATE_OF_BIRTH", "BIRTH_DATE", "DOB"})
_PLACES = frozenset({"LOCATION", "ADDRESS", "STREET_ADDRESS", "CITY", "GPE", "LOC", "COARSE_LOCATION", "STREET_NAME"})
_COMPANIES = frozenset({"ORGANIZATION", "ORGANISATION", "ORG", "COMPANY"})
_FIRST_COLUMN = ("first", "given", "forename", "vorname", "prenom")
_LAST_COLUMN = ("last", "surname", "family", "nachname", "nom_de")
_TWO_YEARS = 730
_YOUNGEST, _OLDEST = 18, 89


class SurrogateOperator:
    """Realistic values; see the package's docstring.

    Args:
        spec: The locale.
        entity: Entity type, which says what kind of value to make; characters of the same classes for those unknown.
        key: Chooses.

    Raises:
        PolicyError: Faker does not have the locale.
    """

    def __init__(self, spec: Surrogate, entity: str | None, key: Key) -> None:
        if not known_locale(spec.locale):
            raise PolicyError(
                f"surrogate: Faker has no locale {spec.locale}", hint="For example en_US, de_DE or ja_JP."
            )
        self._draws = Draws(key, "surrogates")
        self._names = Names(self._draws, spec.locale)
        self._locale = spec.locale
        self._entity = (entity or "").upper()
        self._placeholder = placeholder(entity)
        # A name comes up in many blocks; making its surrogate takes longer than looking it up.
        self._made = lru_cache(maxsize=65536)(self._make)

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """Text, whatever was given."""
        del given
        return pa.string()

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """See `ColumnOperator.apply`."""
        texts = texts_of(leaf)
        if self._entity in _EMAILS and context.name_of_row:
            values = texts.to_pylist()
            return pa.array(
                [
                    value if value is None else self.apply_text(value, row_of(leaf, cell), context)
                    for cell, value in enumerate(values)
                ],
                pa.string(),
            )
        part = _part_of_column(leaf.name)
        return mapped(texts, lambda distinct: [self._made(text, None, part) for text in distinct])

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """The surrogate of one finding; a single name is taken for the part that it is of its row's name."""
        if is_empty(value):
            return value
        name = context.name_of_row.get(row)
        if self._entity in _EMAILS:
            return self._made(value, name, None)
        if name is not None and self._entity in _PEOPLE and len(value.split()) == 1:
            return self._made(value, None, self._part_of_row(value, name))
        return self._made(value, None, None)

    def _part_of_row(self, value: str, name: str) -> Part | None:
        word = normal(value)
        first, last = self._names.first_and_last(name)
        if word == normal(last) or word in normal(last).split("-"):
            return "last"
        return "first" if word == normal(first) or word in normal(first).split("-") else None

    def _make(self, value: str, name: str | None, part: Part | None) -> str:
        inner = value.strip()
        made = self._surrogate(inner, name, part)
        if made is None or normal(made) == normal(inner):
            made = self._code(inner)
        start = value.index(inner)
        return value[:start] + made.strip() + value[start + len(inner) :]

    def _surrogate(self, value: str, name: str | None, part: Part | None) -> str | None:
        """A surrogate of the entity's kind, or None where the value does not look like one."""
        entity, draws = self._entity, self._draws
        if "@" in value and (entity in _EMAILS or entity in _PEOPLE):
            return network.email(draws, self._names, value, name)
        if entity in _PEOPLE:
            return self._names.whole(value, _PEOPLE[entity] or part)
        if entity in _DATES:
            return self._date(value) or self._placeholder
        if entity in _PLACES:
            return places.place(draws, value, self._locale)
        if entity in _COMPANIES:
            return places.company(draws, value, self._locale)
        if entity == "NRP":
            return places.people(draws, value)
        if entity == "URL" or entity == "DOMAIN_NAME":
            return network.url(draws, value)
        if entity == "AGE" and value.isdecimal():
            return chosen(draws, "age", value, lambda stream: str(_YOUNGEST + stream.below(_OLDEST - _YOUNGEST + 1)))
        maker = _BY_ENTITY.get(entity)
        return maker(draws, value) if maker is not None else None

    def _code(self, value: str) -> str:
        """Keyed characters of the same classes; `<ENTITY>` where there is neither letter nor digit."""
        if not any(character.isalnum() for character in value):
            return self._placeholder
        return chosen(self._draws, f"code {self._entity}", normal(value), lambda stream: like(stream, value)) or (
            self._placeholder
        )

    def _date(self, value: str) -> str | None:
        moment = read_date(value)
        if moment is None:
            return None

        def make(stream: Stream) -> str:
            days = stream.below(2 * _TWO_YEARS + 1) - _TWO_YEARS
            date = _clamped(moment.date.toordinal() + days)
            return moment.form.write(value, moment, date)

        # By the day it means, so that two ways of writing it get the same surrogate.
        for attempt in range(16):
            made = make(Stream(self._draws.number("date", moment.date.isoformat(), str(attempt))))
            if made != value:
                return made
        return None


_BY_ENTITY: dict[str, Callable[[Draws, str], str | None]] = {
    **dict.fromkeys(_PHONES, numbers.phone),
    "US_SSN": numbers.ssn,
    "SSN": numbers.ssn,
    "CREDIT_CARD": numbers.card,
    "IBAN_CODE": numbers.iban,
    "IBAN": numbers.iban,
    "IP_ADDRESS": network.ip,
    "MAC_ADDRESS": network.mac,
}


def _part_of_column(name: str) -> Part | None:
    """What a column of single names holds, by its own name."""
    lowered = name.casefold()
    if any(word in lowered for word in _LAST_COLUMN):
        return "last"
    return "first" if any(word in lowered for word in _FIRST_COLUMN) else None


def _clamped(ordinal: int) -> dt.date:
    return dt.date.fromordinal(min(max(ordinal, 1), dt.date.max.toordinal()))
