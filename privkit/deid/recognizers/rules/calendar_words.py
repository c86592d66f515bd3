"""The names of months and weekdays, in six languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

_MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december"),
    "de": ("januar jänner", "februar feber", "märz maerz", "april", "mai", "juni", "juli", "august", "september",
           "oktober", "november", "dezember"),
    "fr": ("janvier", "février fevrier", "mars", "avril", "mai", "juin", "juillet", "août aout", "septembre",
           "octobre", "novembre", "décembre decembre"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre setiembre",
           "octubre", "noviembre", "diciembre"),
    "it": ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre",
           "novembre", "dicembre"),
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december"),
}  # fmt: skip
_SHORT: Mapping[str, tuple[str, ...]] = {
    "en": ("jan", "feb", "mar", "apr", "", "jun", "jul", "aug", "sep sept", "oct", "nov", "dec"),
    "de": ("jän", "", "mrz mär", "", "", "", "", "", "", "okt", "", "dez"),
    "fr": ("janv", "févr fév fevr fev", "", "avr", "", "", "juil", "", "", "", "", "déc"),
    "es": ("ene", "", "", "abr", "", "", "", "ago", "set", "", "", "dic"),
    "it": ("gen", "", "", "", "mag", "giu", "lug", "ago", "set sett", "ott", "", "dic"),
    "nl": ("", "", "mrt", "", "", "", "", "", "", "okt", "", ""),
}
_WEEKDAYS = """
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
lundi mardi mercredi jeudi vendredi samedi dimanche
lunes martes miércoles jueves viernes sábado domingo
lunedì martedì mercoledì giovedì venerdì sabato domenica
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
"""
WEEKDAYS: tuple[str, ...] = tuple(_WEEKDAYS.split())
"""Names of the days of the week in lower case, of all six languages; short ones in English."""

ORDINALS: Mapping[str, int] = {
    word: number
    for number, word in enumerate(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
            *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
            *("eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third"),
            *("twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth"),
            *("thirtieth", "thirty-first"),
        ),
        start=1,
    )
}
"""Days of the month in English words."""

AMBIGUOUS = frozenset(("may", "march", "mar", "mars", "set", "sett", "ago", "mag", "gen", "dic", "dec", "sept", "jan"))
"""Months whose names in lower case are words of other kinds as well: "may 3 people", "they march 3 miles"."""


@lru_cache(maxsize=64)
def months(language: str) -> Mapping[str, int]:
    """Number of the month, 1 to 12, by its name in lower case.

    Full names are those of all six languages. Short ones are English and of `language` alone: "set" and "ago" are
    months in Spanish and Italian, and words in English.
    """
    found: dict[str, int] = {}
    for table, languages in ((_MONTHS, tuple(_MONTHS)), (_SHORT, ("en", language))):
        for each in languages:
            for number, names in enumerate(table.get(each, ()), start=1):
                for name in names.split():
                    found.setdefault(name, number)
    return found
