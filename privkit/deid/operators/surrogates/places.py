"""Places, organisations and nationalities."""

from __future__ import annotations

import re
from functools import lru_cache

from faker import Faker

from privkit.deid.operators.base import Draws
from privkit.deid.operators.postcodes import cut_postcode
from privkit.deid.operators.surrogates.draws import Stream, chosen, in_case_of, like, normal
from privkit.deid.operators.surrogates.names import locale_for, script_of

_PIECES = re.compile(r"(\s*[,;\n]\s*)")
_STATE = re.compile(r"[A-Z]{2}")
_STATE_AND_ZIP = re.compile(r"([A-Z]{2})(\s+)([0-9]{5}(?:-[0-9]{4})?)")
_LONG_WORD = re.compile(r"[^\W\d_]{4}")
_PEOPLES = (
    "American", "Argentine", "Australian", "Austrian", "Belgian", "Brazilian", "Bulgarian", "Canadian", "Chilean",
    "Chinese", "Colombian", "Croatian", "Cuban", "Czech", "Danish", "Dutch", "Egyptian", "Estonian", "Ethiopian",
    "Finnish", "French", "German", "Ghanaian", "Greek", "Hungarian", "Icelandic", "Indian", "Irish", "Italian",
    "Jamaican", "Japanese", "Kenyan", "Korean", "Latvian", "Lithuanian", "Mexican", "Moroccan", "Nepalese", "Nigerian",
    "Norwegian", "Peruvian", "Polish", "Portuguese", "Romanian", "Slovak", "Spanish", "Swedish", "Swiss", "Thai",
    "Turkish", "Vietnamese", "Welsh",
)  # fmt: skip


def place(draws: Draws, value: str, locale: str) -> str:
    """Another place: a street for what has a house number, a city for what has none, part by part between commas."""
    pieces = _PIECES.split(value)
    return "".join(
        piece if index % 2 or not piece else _piece(draws, piece, locale) for index, piece in enumerate(pieces)
    )


def company(draws: Draws, value: str, locale: str) -> str:
    """Another organisation's name."""
    faker = faker_for(value, locale)
    made = chosen(draws, "company", normal(value), lambda stream: str(_seeded(faker, stream).company()))
    return in_case_of(value, made or "")


def people(draws: Draws, value: str) -> str:
    """Another nationality."""
    made = chosen(draws, "people", normal(value), lambda stream: stream.of(_PEOPLES))
    return in_case_of(value, made or "")


def faker_for(value: str, locale: str) -> Faker:
    """A Faker that writes in the value's script."""
    return _faker(locale_for(script_of(value), locale))


def _piece(draws: Draws, piece: str, locale: str) -> str:
    state = _STATE_AND_ZIP.fullmatch(piece)
    if state is not None:
        return _state(draws, state[1]) + state[2] + _code(draws, state[3])
    if _STATE.fullmatch(piece):
        return _state(draws, piece)
    faker = faker_for(piece, locale)
    if any(character.isdecimal() for character in piece):
        if not _LONG_WORD.search(piece) and cut_postcode(piece, 3, low_population=False) is not None:
            return _code(draws, piece)
        if not any(character.isalpha() for character in piece):
            return _code(draws, piece)
        made = chosen(draws, "street", normal(piece), lambda stream: str(_seeded(faker, stream).street_address()))
    else:
        made = chosen(draws, "city", normal(piece), lambda stream: str(_seeded(faker, stream).city()))
    return in_case_of(piece, " ".join((made or "").split()))


def _state(draws: Draws, state: str) -> str:
    faker = _faker("en_US")
    return chosen(draws, "state", state, lambda stream: str(_seeded(faker, stream).state_abbr())) or ""


def _code(draws: Draws, code: str) -> str:
    return chosen(draws, "code", normal(code), lambda stream: like(stream, code)) or ""


def _seeded(faker: Faker, stream: Stream) -> Faker:
    faker.seed_instance(stream.below(1 << 62))
    return faker


@lru_cache(maxsize=32)
def _faker(locale: str) -> Faker:
    return Faker(locale)
