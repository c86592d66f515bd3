"""Dates written as text: which format a column has, what a value says, and writing another date the same way.

A format is a strptime format. It is read and written here, not by `datetime.strptime`, because the month names must
not depend on the process's locale, and because a value must come out as it came in: `3/7/2024` without zeros,
`31-JAN-2024` in capitals, fractions of a second and the offset from UTC digit by digit.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from privkit.errors import PolicyError

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_OF = {name.casefold()[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))}
_SHORT_MONTHS = "|".join(name[:3] for name in _MONTHS)
_LONG_MONTHS = "|".join(_MONTHS)
# What each directive matches. Two digits where strptime takes one or two.
_DIRECTIVES = {
    "Y": r"[0-9]{4}",
    "y": r"[0-9]{2}",
    "m": r"1[0-2]|0[1-9]|[1-9]",
    "d": r"3[01]|[12][0-9]|0[1-9]|[1-9]",
    "j": r"36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9]",
    "b": _SHORT_MONTHS,
    "B": _LONG_MONTHS,
    "a": "|".join(name[:3] for name in _DAYS),
    "A": "|".join(_DAYS),
    "H": r"2[0-3]|[01][0-9]|[0-9]",
    "I": r"1[0-2]|0[1-9]|[1-9]",
    "M": r"[0-5][0-9]",
    "S": r"6[01]|[0-5][0-9]",
    "f": r"[0-9]{1,9}",
    "p": r"[AaPp]\.?[Mm]\.?",
    "z": r"Z|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?",
    "Z": r"[A-Za-z]{1,5}",
}
_TIMES = (
    "", "{sep}%H:%M", "{sep}%H:%M:%S", "{sep}%H:%M:%S.%f",
    "{sep}%H:%M%z", "{sep}%H:%M:%S%z", "{sep}%H:%M:%S.%f%z",
    "{sep}%H:%M:%S %z", "{sep}%I:%M %p", "{sep}%I:%M%p", "{sep}%I:%M:%S %p", "{sep}%H:%M:%S %Z",
)  # fmt: skip
_ISO_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d")
_NAMED_DATES = (
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%B-%Y", "%d/%b/%Y",
    "%d-%b-%y", "%d %b %y", "%d. %B %Y", "%d. %b %Y", "%d%b%Y", "%Y-%b-%d",
    "%a, %d %b %Y", "%a %d %b %Y", "%A, %B %d, %Y", "%A, %d %B %Y", "%a, %b %d, %Y",
)  # fmt: skip
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ")
# (month first, day first): the same digits, two readings. The convention of the separator stands first.
_TWO_WAYS = (
    ("%m/%d/%Y", "%d/%m/%Y"), ("%d.%m.%Y", "%m.%d.%Y"), ("%m-%d-%Y", "%d-%m-%Y"), ("%d %m %Y", "%m %d %Y"),
    ("%m/%d/%y", "%d/%m/%y"), ("%d.%m.%y", "%m.%d.%y"), ("%m-%d-%y", "%d-%m-%y"),
)  # fmt: skip
_COARSE = ("%Y-%m", "%m/%Y", "%b %Y", "%B %Y")
# Four digits are a year only where a date is expected: a column of four-digit codes is not one of dates.
_YEAR = "%Y"
_YEARS = range(1700, 2200)
# A sample may hold a few cells that are no dates ("unknown"); the column still is one of dates.
_ENOUGH = 0.9
_MAX_LENGTH = 64


@dataclass(frozen=True)
class Moment:
    """A date read from text.

    Attributes:
        date: Its day; the first of the month, or of the year, where the text names no day or no month.
        form: The format that read it.
        spans: What each directive of `form` matched: (directive, first character, one past the last).
    """

    date: dt.date
    form: DateForm
    spans: tuple[tuple[str, int, int], ...]


class DateForm:
    """One strptime format, ready to read and to write.

    Args:
        format: Directives `%Y %y %m %b %B %d %j %a %A %H %I %M %S %f %p %z %Z %%`.

    Raises:
        PolicyError: A directive that is not one of these, one that stands twice, or a format without a year.
    """

    def __init__(self, format: str) -> None:
        self.format = format
        pattern: list[str] = []
        self.directives: list[str] = []
        pieces = re.split(r"%(.)", format, flags=re.DOTALL)
        for index, piece in enumerate(pieces):
            if index % 2 == 0 or piece == "%":
                pattern.append(re.escape("%" if index % 2 else piece))
                continue
            if piece not in _DIRECTIVES or piece in self.directives:
                raise PolicyError(
                    f"date format {format!r}: %{piece} is not understood, or stands twice",
                    hint="Use strptime's %Y %y %m %b %B %d %j %a %A %H %I %M %S %f %p %z %Z.",
                )
            self.directives.append(piece)
            pattern.append(f"(?P<{piece}>{_DIRECTIVES[piece]})")
        if not {"Y", "y"} & set(self.directives):
            raise PolicyError(f"date format {format!r} has no year", hint="A year is %Y or %y.")
        self._pattern = re.compile("".join(pattern), re.IGNORECASE)

    @property
    def has_day(self) -> bool:
        """Whether the format says which day it is."""
        given = set(self.directives)
        return "j" in given or ("d" in given and bool(given & {"m", "b", "B"}))

    @property
    def has_month(self) -> bool:
        """Whether the format says which month it is."""
        return bool(set(self.directives) & {"m", "b", "B", "j"})

    def read(self, text: str) -> Moment | None:
        """The date that `text` says in this format, or None; white space around it does not matter."""
        start = len(text) - len(text.lstrip())
        match = self._pattern.fullmatch(text, start, len(text.rstrip()))
        if match is None:
            return None
        found = match.groupdict()
        try:
            date = _date_of(found)
        except ValueError:
            return None
        return Moment(date, self, tuple((name, *match.span(name)) for name in self.directives))

    def write(self, text: str, moment: Moment, date: dt.date) -> str:
        """`text` with another date in it; its time of day, offset and way of writing stay.

        Args:
            text: What `moment` was read from.
            moment: What `read` gave.
            date: The date to write.
        """
        numbers = [text[start:end] for name, start, end in moment.spans if name in "dm"]
        padded = all(len(number) == 2 for number in numbers)
        pieces: list[str] = []
        done = 0
        for name, start, end in moment.spans:
            pieces += (text[done:start], _written(name, text[start:end], date, padded))
            done = end
        pieces.append(text[done:])
        return "".join(pieces)


def read_date(text: str, form: DateForm | None = None) -> Moment | None:
    """Reads a date, in the column's format, else in any that is known.

    Where day and month could change places, a number above 12 decides; otherwise the month stands first before `/` and
    `-`, the day before `.`. A year from 1700 to 2199 may stand alone.

    Args:
        text: One cell.
        form: The column's format, if it is known.
    """
    if form is not None:
        return form.read(text)
    return _read_any(text)


def date_format(values: Sequence[str]) -> tuple[str | None, bool]:
    """Finds the strptime format of a text column from a sample of it.

    Args:
        values: Texts of cells; empty ones do not count. Distinct ones are enough.

    Returns:
        The format that reads at least 9 in 10 of them, or None; and whether day and month could change places, so
        that the format is a convention (month first before `/` and `-`, day first before `.`) and not a finding.
    """
    texts = [text.strip() for text in values if text and not text.isspace()]
    if not texts:
        return None, False
    needed = _ENOUGH * len(texts)
    tally: Counter[str] = Counter()
    for text in texts:
        tally.update(form.format for form in _forms_like(_shape(text)) if form.read(text) is not None)
    best = max(tally, key=lambda format: (tally[format], -_ORDER[format]), default=None)
    if best is None or tally[best] < needed:
        return None, False
    return best, tally.get(_OTHER_WAY.get(best, ""), 0) == tally[best]


def read_distinct(values: pa.Array, form: DateForm | None = None) -> dict[str, Moment | None]:
    """`read_date` of each distinct text of a string array, nulls left out."""
    return {text: read_date(text, form) for text in values.unique().to_pylist() if text is not None}


def today_utc() -> dt.date:
    """Today's date in UTC."""
    return dt.datetime.now(dt.UTC).date()


def shifted(date: dt.date, days: int) -> dt.date | None:
    """`date` moved by `days`; the other way where the calendar (years 1 to 9999) ends, None where both ways do."""
    for step in (days, -days):
        ordinal = date.toordinal() + step
        if 1 <= ordinal <= dt.date.max.toordinal():
            return dt.date.fromordinal(ordinal)
    return None


def _date_of(found: dict[str, str | None]) -> dt.date:
    def number(name: str) -> int | None:
        digits = found.get(name)
        return int(digits) if digits is not None else None

    year = number("Y")
    if year is None:
        short = number("y") or 0
        year = short + (2000 if short < 69 else 1900)  # POSIX's reading of two digits
    day_of_year = number("j")
    if day_of_year is not None:
        if day_of_year > 365 + calendar.isleap(year):
            raise ValueError
        return dt.date(year, 1, 1) + dt.timedelta(days=day_of_year - 1)
    name = found.get("b") or found.get("B")
    month = _MONTH_OF[name.casefold()] if name else number("m")
    return dt.date(year, month or 1, number("d") or 1)


def _written(name: str, old: str, date: dt.date, padded: bool) -> str:
    writer = _WRITERS.get(name)
    if writer is None:
        return old
    new = writer(date)
    if name in "dm":
        return new.zfill(2) if padded else new
    if name in "bBaA":
        return new.upper() if old.isupper() else new.lower() if old.islower() else new
    return new


_WRITERS: dict[str, Callable[[dt.date], str]] = {
    "Y": lambda date: f"{date.year:04d}",
    "y": lambda date: f"{date.year % 100:02d}",
    "m": lambda date: str(date.month),
    "d": lambda date: str(date.day),
    "j": lambda date: f"{date.timetuple().tm_yday:03d}",
    "b": lambda date: _MONTHS[date.month - 1][:3],
    "B": lambda date: _MONTHS[date.month - 1],
    "a": lambda date: _DAYS[date.weekday()][:3],
    "A": lambda date: _DAYS[date.weekday()],
}


def _all_formats() -> tuple[str, ...]:
    dates = [*_ISO_DATES, *_NAMED_DATES, *(format for pair in _TWO_WAYS for format in pair)]
    separators = {date: (" ", "T") if date in _ISO_DATES else (" ", ", ") for date in dates}
    timed = [
        date + time.format(sep=separator)
        for date in dates
        for time in _TIMES
        for separator in (separators[date] if time else ("",))
    ]
    return tuple(dict.fromkeys([*timed, *_COMPACT, *_COARSE]))


_FORMATS = _all_formats()
_ORDER = {format: rank for rank, format in enumerate(_FORMATS)}
_OTHER_WAY = {
    one + rest: other + rest
    for pair in _TWO_WAYS
    for one, other in (pair, pair[::-1])
    for rest in {format[len(one) :] for format in _FORMATS if format.startswith(one)}
}


@lru_cache(maxsize=512)
def form_of(format: str) -> DateForm:
    """The `DateForm` of a format, made once.

    Raises:
        PolicyError: As `DateForm`.
    """
    return DateForm(format)


def _shape(text: str) -> str:
    """What kinds of characters stand in a text, runs made one: it decides which formats are worth trying."""
    if len(text) > _MAX_LENGTH or not text.isascii():
        return ""
    return re.sub(r"[0-9]+", "9", re.sub(r"[A-Za-z]+", "a", text))


@lru_cache(maxsize=4096)
def _forms_like(shape: str) -> tuple[DateForm, ...]:
    """Known formats that a text of this shape may have, in order."""
    return tuple(form_of(format) for format in _BY_SHAPE.get(shape, ()))


def _examples(format: str) -> set[str]:
    """Shapes that texts in `format` have."""
    shape = re.sub(r"%[bBaApZ]", "a", format)
    shape = re.sub(r"%[YymdjHIMSf]", "9", shape)
    shapes = {_shape(shape.replace("%z", offset)) for offset in ("+00:00", "-00:00", "+0000", "-0000", "Z")}
    if "%p" in format:
        shapes |= {_shape(re.sub(r"%[YymdjHIMSf]", "9", re.sub(r"%p", "a.m.", re.sub(r"%[bBaAZ]", "a", format))))}
    return shapes


def _by_shape() -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for format in _FORMATS:
        for shape in _examples(format):
            grouped.setdefault(shape, []).append(format)
    return {shape: tuple(formats) for shape, formats in grouped.items()}


_BY_SHAPE = _by_shape()


@lru_cache(maxsize=65536)
def _read_any(text: str) -> Moment | None:
    for form in _forms_like(_shape(text.strip())):
        moment = form.read(text)
        if moment is not None:
            return moment
    year = form_of(_YEAR).read(text)
    return year if year is not None and year.date.year in _YEARS else None
