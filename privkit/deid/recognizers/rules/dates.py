"""Dates as people write them, checked against the calendar.

A date has at least two of day, month and year. One of them alone (a year, a month, a weekday) tells nobody apart and is
left as it is; so are times, versions, ratios and amounts. A time or a weekday that stands beside a date goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date

from privkit.deid.recognizers.rules.calendar_words import AMBIGUOUS, ORDINALS, WEEKDAYS, months
from privkit.deid.recognizers.rules.rule import Rule, Span

_FIRST_YEAR, _LAST_YEAR = 1850, 2100
_SURE, _LIKELY, _WEAK = 0.95, 0.6, 0.3
_LONGEST_BEFORE = 48  # characters of a written date that stand before its month
_LONGEST_GAP = 12  # from the last digit of a day to its month

_DAY = (
    r"(?:(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|ère|ste|de|[ºª°.])?(?![^\W\d_])|"
    + "|".join(sorted(ORDINALS, key=len, reverse=True))
    + ")"
)
_YEAR = r"(?:1[89]\d\d|20\d\d)(?!\d)"
_SHORT_YEAR = r"['’]\d\d(?!\d)"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[CEMP][DES]T)\b|\s?[+-]\d\d:?\d\d\b)?"
_CLOCK = r"[0-2]?\d[:.h][0-5]\d(?:[:.][0-5]\d(?:[.,]\d{1,9})?)?(?:\s?(?:[ap]\.?m\b|Uhr\b))?"
_TIME = rf"(?:,?(?:T|\s{{1,2}})(?:(?:at|um|à|alle|om)\s)?{_CLOCK}{_ZONE})?"
_RANGE = r"(?:\s?[-–—/&]\s?|\s(?:to|and|through|bis|und|au|et|al?|y|e|t/m|tot|en)\s)"
# A number beside a month may be a time, a share or an amount, and a street may be called after a day of the year.
_NOT_AFTER = (
    r"(?![\w:€$£]|[.,/]\d|\s?(?:%|[ap]\.?m\b|percent\b|(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Court|Way)\b))"
)
_NOT_BEFORE = r"(?<![\w$€£#§])(?<!\d[.,:/-])"
_WEEKDAY = (
    rf"(?:(?<!\w)(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\b\.?,?\s(?:(?:the|den|le|dem|il|el)\s)?)"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_WORD = re.compile(r"[^\W\d_]{3,}")
_MAY_BE_DAY = _compiled(r"(?:\d\w{0,3}|[a-z]{2}th|st|nd|rd)[.ºª°]?(?:\s(?:of|de|di)\s|\sd[eu]l?\s|[\s.\-/,]{0,2})$")
# What may stand around the name of a month.
_DAY_BEFORE = _compiled(
    rf"{_WEEKDAY}?{_NOT_BEFORE}(?P<day>{_DAY})(?:{_RANGE}(?P<last>{_DAY}))?"
    r"(?:\s(?:of|de|di)\s|\sd[eu]l?\s|\s{1,2}|[.\-/,]\s?)?$"
)
_YEAR_BEFORE = _compiled(rf"{_NOT_BEFORE}(?P<year>{_YEAR})[-/,.]?\s?$")
_WEEKDAY_BEFORE = _compiled(rf"{_WEEKDAY}$")
_YEAR_AFTER = _compiled(
    rf"\.?(?:(?:\s?[,.\-/]?\s?|\s(?:of|de|del|di)\s)(?P<year>{_YEAR}|{_SHORT_YEAR}|(?<=[-/])\d\d(?!\d)))?"
    # The second is how web servers write it: 17/Dec/2023:12:00:01.
    rf"(?:{_TIME}{_NOT_AFTER}|:{_CLOCK}{_ZONE}(?![\w:]))"
)
_DAY_AFTER = _compiled(
    rf"(?:\.?\s(?:the\s)?|\.?[-/]|\.)(?P<day>{_DAY})(?:{_RANGE}(?P<last>{_DAY}))?"
    rf"(?:(?:\s{_CLOCK}{_ZONE})?(?:,?\s|,|-|/|,?\sof\s)(?P<year>{_YEAR}|{_SHORT_YEAR}|(?<=[-/])\d\d(?!\d)))?"
    rf"{_TIME}{_NOT_AFTER}"
)
_ONLY_YEAR_AFTER = _compiled(
    rf"\.?(?:(?:,?\s(?:of\s|de\s|del\s)?|[-/])(?P<year>{_YEAR})|\s?(?P<short>{_SHORT_YEAR})|-(?P<bare>\d\d))(?![\w]|[.,:]\d)"
)

_ISO = re.compile(
    r"(?<![\w.])(?P<year>(?:1[89]|20)\d\d)(?P<mark>[-/.])(?P<month>0?[1-9]|1[0-2])(?P=mark)(?P<day>0?[1-9]|[12]\d|3[01])"
    rf"(?!\d){_TIME}(?![%\d]|[-/.]\d)"
)
_FIGURES = re.compile(
    r"(?<![\w$€£#§.])(?<!\d[,:/-])(?P<a>\d{1,2})(?P<mark>[-/.]|\.\s)(?P<b>\d{1,2})(?P=mark)(?P<c>(?:1[89]|20)\d\d|\d\d)"
    rf"(?!\d){_TIME}(?![\w%]|[-/.:,]\d)",
    re.IGNORECASE,
)
_BARE = re.compile(r"\d{8}|\d\s\d{1,2}\s\d{4}")
_BORN = re.compile(
    r"\b(?:dob|d\.o\.b\.?|born|birth(?:day|date)?|date|datum|geb(?:oren|\.)?|née?|nacid[oa]|nat[oa])\W{1,3}"
    r"(?:(?:on|of birth|le|el|il|am)\W{1,3})?"
    r"(?P<whole>(?P<compact>(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    r"|\d{1,2}\s\d{1,2}\s(?:1[89]|20)\d\d)(?!\w)",
    re.IGNORECASE,
)
_MONTH_AND_YEAR = re.compile(r"(?<![\w/.$€£-])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?![\w/%]|[-.]\d)")
# A day and a month in figures are a date only where the words before say so: most such pairs are ratios.
_PAIR = re.compile(
    r"(?<![\w/.,-])(?:(?P<a>\d{1,2})/(?P<b>\d{1,2})|(?P<c>\d{1,2})\.\s?(?P<d>\d{1,2})\.)"
    r"(?![\w%/:-]|[.,]\d|\s(?:of|scale|stars?|points?|inch|cups?|mile|in\b|hp|pain|strength|lb|kg|times|basis))"
)
_BEFORE_PAIR = re.compile(
    r"\b(?:on|since|until|till|dated|due|dob|born|admitted|discharged|seen|scheduled for|appointment|effective)"
    r"(?:\s(?:on|the))?:?\s$",
    re.IGNORECASE,
)
_BEFORE_GERMAN_PAIR = re.compile(r"\b(?:am|vom|seit|bis|zum)\s(?:den\s)?$", re.IGNORECASE)
_VERSION = re.compile(
    r"\b(?:v|ver|version|release|rev|build|section|sec|chapter|python|java|ios|android|ip|art|par|fig|table|room|item|"
    r"no|ratio|ratio of|score|score of|scored|won|lost|record)\.?\s{0,2}#?$",
    re.IGNORECASE,
)
_ASKS_FOR_DAY = re.compile(
    r"\b(?:on|by|until|till|since|from|of|the|born|dated|due|dob|before|after):?\s$", re.IGNORECASE
)


_MONTHS_GATE = 1


class DateRule(Rule):
    """Finds dates: ISO, figures, month names in six languages, ordinals, ranges."""

    entities = ("DATE_TIME",)
    gates = (
        (r"\d(?:[-/]|\.\s?)\d{1,2}(?:[-/.]|\d)", 0),
        # The beginnings of the months' names; whole words are compared later.
        (
            r"(?:\b|\d|_)(?:jan|jän|feb|fév|fev|mar|mär|maer|mrz|mrt|maa|apr|avr|abr|may|mai|mei|mag|jun|jui|giu|jul|"
            r"lug|aug|aoû|aou|ago|sep|set|oct|okt|ott|nov|dec|déc|dez|dic|ene|gen)",
            re.IGNORECASE,
        ),
        (r"(?:1[89]|20)\d{6}", 0),
        (r"\d\s\d{1,2}\s(?:1[89]|20)\d\d", 0),
    )

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language)
        self._months = months(supported_language)

    def find(self, text: str, opened: Collection[int]) -> Iterator[Span]:
        """See `Rule.find`."""
        for word in _WORD.finditer(text) if _MONTHS_GATE in opened else ():
            if word[0].lower() in self._months:
                span = self._written(text, word)
                if span is not None:
                    yield span
        if any(number != _MONTHS_GATE for number in opened):
            yield from _in_figures(text)

    def _written(self, text: str, month: re.Match[str]) -> Span | None:
        """The date that a month's name belongs to: `3rd of May 2020`, `May 3`, `2020-May-03`, `May 2020`."""
        first = max(month.start() - _LONGEST_BEFORE, 0)
        near = max(month.start() - _LONGEST_GAP, 0)
        before = None
        if _MAY_BE_DAY.search(text, near, month.start()):
            before = _DAY_BEFORE.search(text, first, month.start())
        if before is not None:
            after = _YEAR_AFTER.match(text, month.end())
            if after is not None and self._fits(text, month, before, before, after):
                return Span(before.start(), _end(text, after), "DATE_TIME", _SURE)
        before = _YEAR_BEFORE.search(text, first, month.start())
        after = _DAY_AFTER.match(text, month.end())
        if after is not None and self._fits(text, month, after, before, after):
            weekday = before or _WEEKDAY_BEFORE.search(text, first, month.start())
            start = month.start() if weekday is None else weekday.start()
            return Span(start, _end(text, after), "DATE_TIME", _SURE)
        after = _ONLY_YEAR_AFTER.match(text, month.end())
        if after is None or (month[0].islower() and month[0] in AMBIGUOUS):
            return None
        # "Sep-12" may be a day or a year, "sep-12" an identifier.
        return Span(month.start(), after.end(), "DATE_TIME", _LIKELY if after["bare"] else _SURE)

    def _fits(
        self,
        text: str,
        month: re.Match[str],
        days: re.Match[str],
        before: re.Match[str] | None,
        after: re.Match[str],
    ) -> bool:
        """Whether the calendar has the day, and the month's name is not some other word."""
        number = self._months[month[0].lower()]
        year = _year(after.groupdict().get("year")) or (_year(before.groupdict().get("year")) if before else None)
        for name in ("day", "last"):
            if days[name] is not None and not _possible(year, number, _day(days[name])):
                return False
        if not month[0].islower() or month[0] not in AMBIGUOUS or after.groupdict().get("year"):
            return True
        if not days["day"].isdecimal():
            return True
        start = before.start() if before is not None else month.start()
        return _ASKS_FOR_DAY.search(text, max(start - 8, 0), start) is not None


def _in_figures(text: str) -> Iterator[Span]:
    for match in _ISO.finditer(text):
        if _possible(int(match["year"]), int(match["month"]), int(match["day"])):
            yield Span(match.start(), match.end(), "DATE_TIME", _SURE)
    for match in _FIGURES.finditer(text):
        score = _figures_score(text, match)
        if score:
            yield Span(match.start(), match.end(), "DATE_TIME", score)
    for match in _MONTH_AND_YEAR.finditer(text):
        yield Span(match.start(), match.end(), "DATE_TIME", _LIKELY)
    if _BARE.search(text):
        for match in _BORN.finditer(text):
            yield Span(*match.span("whole"), "DATE_TIME", _SURE)
    for match in _PAIR.finditer(text):
        english = match["a"] is not None
        one, other = (int(match[name]) for name in (("a", "b") if english else ("c", "d")))
        if (one, other) == (24, 7) or not (_possible(None, other, one) or _possible(None, one, other)):
            continue
        before = _BEFORE_PAIR if english else _BEFORE_GERMAN_PAIR
        if before.search(text, max(match.start() - 20, 0), match.start()):
            yield Span(match.start(), match.end(), "DATE_TIME", _LIKELY)


def _figures_score(text: str, match: re.Match[str]) -> float:
    """How sure a date in figures with its year last is one; 0 where it cannot be."""
    a, mark, b, c = match["a"], match["mark"], match["b"], match["c"]
    year = int(c) if len(c) == 4 else None
    if not (_possible(year, int(b), int(a)) or _possible(year, int(a), int(b))):
        return 0.0
    if _VERSION.search(text, max(match.start() - 12, 0), match.start()):
        return 0.0
    if year is not None:
        return _SURE
    if len(mark) > 1:
        return 0.0
    if mark == "/":
        return _SURE
    # Results, versions and numbers of parts look like this as well.
    return _LIKELY if len(a) == len(b) == 2 else _WEAK


def _possible(year: int | None, month: int, day: int) -> bool:
    """Whether the calendar has such a day; without a year, in a leap year."""
    if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
        return False
    try:
        date(2000 if year is None else year, month, day)
    except ValueError:
        return False
    return True


def _year(found: str | None) -> int | None:
    """The year, if all its digits are there."""
    return int(found) if found is not None and len(found) == 4 and found.isdecimal() else None


def _day(found: str) -> int:
    known = ORDINALS.get(found.lower())
    if known is not None:
        return known
    return int("".join(character for character in found if character.isdecimal()))


def _end(text: str, match: re.Match[str]) -> int:
    """Where a date ends: not with the mark that ends its sentence."""
    end = match.end()
    return end - 1 if text[end - 1 : end] in (".", ",") else end
