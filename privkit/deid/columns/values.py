"""What the cells of a column are: how many say something, how many differ, and plain shapes (numbers, dates, codes).

Everything here looks at distinct values, at most a thousand of a column, and at whole cells: part of a cell that looks
like something is the business of detectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.operators.dates import read_date


def vocabulary(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


Kind = Literal["text", "integer", "number", "boolean", "date", "time", "opaque", "null"]
MOST_CELLS = 100_000
MOST_DISTINCT = 1_000
# A cell can be megabytes; what it is shows in its beginning.
_LONGEST = 2_000
_NOTHING = vocabulary(
    "na n/a n.a. #n/a nan nil none null unknown unk undefined missing empty blank not available not applicable tbd tba "
    "- -- --- . .. ? ?? ??? * / \\n <na> <null> (null) (none) nat keine unbekannt inconnu néant aucun desconocido"
) | {"not available", "not applicable", "not known", "not given", "not provided", "no data", "prefer not to say"}


@dataclass(frozen=True)
class Profile:
    """The cells of one column that say something: nulls, white space and placeholders such as `n/a` are left out.

    Attributes:
        kind: What the Arrow type says.
        cells: How many cells say something.
        distinct: How many different texts they hold.
        values: Up to 1,000 of these, stripped, evenly spread over their order of first appearance.
        whole: For numbers: none has a fraction.
    """

    kind: Kind
    cells: int
    distinct: int
    values: tuple[str, ...]
    whole: bool = False

    @property
    def ratio(self) -> float:
        """Distinct cells to cells, 0..1."""
        return self.distinct / self.cells if self.cells else 0.0

    @property
    def is_category(self) -> bool:
        """Few different values, each repeated."""
        return self.cells >= 6 and self.distinct <= 50 and self.cells >= 2 * self.distinct

    @property
    def is_near_unique(self) -> bool:
        """Nearly every cell differs from every other, over enough cells to say so."""
        return self.cells >= 20 and self.ratio > 0.95

    @cached_property
    def mean_words(self) -> float:
        """Mean number of words in a value."""
        return sum(map(words_in, self.values)) / len(self.values) if self.values else 0.0

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the distinct values that pass `test`, 0..1; 0 of nothing."""
        return sum(1 for value in self.values if test(value)) / len(self.values) if self.values else 0.0


def profile_of(chunks: Iterable[pa.Array]) -> Profile:
    """The profile of a column, given in pieces.

    Args:
        chunks: Arrays of the column's cells; their types may differ (the most general one counts).
    """
    kinds: set[Kind] = set()
    texts: list[pa.Array] = []
    left = MOST_CELLS
    for chunk in chunks:
        kinds.add(_kind(chunk.type))
        chunk = chunk.slice(0, left).drop_null()
        left -= len(chunk)
        texts.append(_as_text(chunk))
    kind = _most_general(kinds)
    if kind == "opaque" or not texts:
        return Profile(kind, sum(map(len, texts)), 0, ())
    counted = pa.chunked_array(texts, pa.large_string()).value_counts()
    values = counted.field("values").to_pylist()
    counts = counted.field("counts").to_numpy(zero_copy_only=False)
    said: dict[str, int] = {}
    for value, count in zip(values, counts, strict=True):
        if value and value.casefold() not in _NOTHING:
            said[value] = said.get(value, 0) + int(count)
    whole = kind == "integer"
    if kind == "number" and said and all(_is_whole(value) for value in said):
        # pandas makes floats of integers as soon as one is missing; `1001.0` is record 1001.
        said = {value.partition(".")[0]: count for value, count in said.items()}
        whole = True
    return Profile(kind, sum(said.values()), len(said), tuple(spread(list(said), MOST_DISTINCT)), whole)


def spread(values: Sequence[str], most: int) -> Sequence[str]:
    """At most `most` of the values, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return values
    return [values[i] for i in np.linspace(0, len(values) - 1, most).astype(int)]


def _kind(type_: pa.DataType) -> Kind:
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return "text"
    for test, kind in _TYPES:
        if test(type_):
            return kind
    return "opaque"


_TYPES: tuple[tuple[Callable[[pa.DataType], bool], Kind], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_decimal, "number"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "time"),
    (pa.types.is_null, "null"),
)


def _most_general(kinds: set[Kind]) -> Kind:
    kinds = kinds - {"null"}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"integer", "number"}:
        return "number"
    return "opaque" if "opaque" in kinds else "text" if kinds else "null"


def _as_text(cells: pa.Array) -> pa.Array:
    kind = _kind(cells.type)
    if kind == "opaque":
        return pa.nulls(len(cells), pa.large_string())
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_duration(cells.type):
        cells = cells.cast(pa.int64())
    elif pa.types.is_timestamp(cells.type):
        # Only that they are there matters; a cast to text would want a time zone database.
        cells = cells.cast(pa.int64())
    texts = cells.cast(pa.large_string())
    return pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(texts, 0, _LONGEST)) if kind == "text" else texts


def _is_whole(text: str) -> bool:
    try:
        return float(text).is_integer() and abs(float(text)) < 2**53 and "e" not in text.casefold()
    except ValueError:
        return False


# Shapes -------------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"[<>≤≥~±=]{0,2}\s?[-+−]?\s?(?:US)?[$€£¥₹]?\s?"
    r"(?:\d+|\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+)?(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
    r"\s?(?:%|‰|[$€£¥₹]|USD|EUR|GBP)?"
)
_QUANTITY = re.compile(r"[<>≤≥~±]?\s?[-+]?\d+(?:[.,]\d+)?\s?(?:[^\W\d_]|[°µ/%²³]){1,7}(?:\.|\s?old)?")
_RANGE = re.compile(r"[<>≤≥]?\s?\d+(?:\.\d+)?\s?(?:[-–/x:]|to)\s?\d+(?:\.\d+)?")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?")
_BOOLEANS = vocabulary("true false yes no y n t f on off x ja nein oui non si sí sim não da nee checked unchecked")
_AGE_BAND = re.compile(
    r"(?:[<>≤≥]=?\s?|under |over |ages? )?\d{1,3}\s?(?:[-–]|to|bis|à)\s?\d{1,3}(?: ?(?:y|yrs?|years?))?"
    r"|(?:[<>≤≥]=?|under|over)\s?\d{1,3}|\d{1,3}\s?(?:\+|and over|or older|or over)",
    re.IGNORECASE,
)
_AGE_TEXT = re.compile(
    r"(\d{1,3})(?:\.\d+)?\s?(?:y|yr|yrs|years?|y/?o|mo|months?|m|w|weeks?|d|days?|j|jahre|ans|años)?(?:\s?old)?\.?",
    re.I,
)
_CODE = re.compile(r"[A-Za-z0-9]+(?:[-_./:#][A-Za-z0-9]+)*[-_]?={0,2}")
_MONTHS_AND_DAYS = vocabulary(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag "
    "sonntag janvier février mars avril juin juillet août septembre octobre novembre décembre lundi mardi mercredi "
    "jeudi vendredi samedi dimanche enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre lunes martes miércoles jueves viernes sábado domingo spring summer autumn fall winter"
)
_WORKFLOW = vocabulary(
    "open opened closed close new done pending active inactive draft final finished running stopped started "
    "failed success ok error enabled disabled approved rejected cancelled canceled completed complete "
    "processing queued sent received shipped delivered returned paid unpaid resolved blocked archived deleted "
    "expired valid invalid on off solid liquid gas"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def words_in(text: str) -> int:
    """How many words; scripts without spaces count a word for every three characters."""
    return max(len(text.split()), len(_CJK.findall(text)) // 3)


def is_number(text: str) -> bool:
    """A plain number, a bound (`<0.1`), a percentage or an amount of money."""
    return any(c.isdigit() for c in text) and _NUMBER.fullmatch(text) is not None


def is_quantity(text: str) -> bool:
    """A number with a unit (`12 kg`), a ratio or range (`120/80`), a time of day."""
    return any(p.fullmatch(text) for p in (_QUANTITY, _RANGE, _TIME))


def is_time(text: str) -> bool:
    """A time of day."""
    return _TIME.fullmatch(text) is not None


def is_boolean(text: str) -> bool:
    """A word for yes or no."""
    return text.casefold() in _BOOLEANS


def is_date(text: str) -> bool:
    """A date, by any format that is known; a bare number is none."""
    return not text.isdigit() and read_date(text) is not None


def spans_lives(profile: Profile) -> bool:
    """Whether a column's dates lie so far apart, and so far back, as dates of birth do."""
    years = sorted(moment.date.year for value in profile.values if (moment := read_date(value)) is not None)
    if len(years) < 20:
        return False
    # A few wrong dates ("1900-01-01") are no decades.
    early, late = years[len(years) // 20], years[-1 - len(years) // 20]
    return 1900 <= early <= 1970 and late - early >= 40


def is_calendar_word(text: str) -> bool:
    """A month, a day of the week or a season."""
    return text.casefold().rstrip(".") in _MONTHS_AND_DAYS


def is_workflow_state(text: str) -> bool:
    """A state of a thing that is worked on, not of a federation."""
    words = text.casefold().replace("_", " ").replace("-", " ").split()
    return bool(words) and words[-1] in _WORKFLOW


def is_age(text: str) -> bool:
    """An age, 0 to 130, with or without its unit."""
    match = _AGE_TEXT.fullmatch(text)
    return match is not None and int(match[1]) <= 130


def is_age_band(text: str) -> bool:
    """A span of ages such as `30-39`, `<18`, `65+`."""
    return _AGE_BAND.fullmatch(text) is not None


def is_code(text: str) -> bool:
    """Characters of a code with a digit among them: no space, no unit, no date, no decimal number."""
    return (
        5 <= len(text) <= 128
        and any(c.isdigit() for c in text)
        and _CODE.fullmatch(text) is not None
        and not (is_number(text) or is_quantity(text) or is_date(text))
        and (sum(c.isdigit() for c in text) >= 6 or any(c.isalpha() for c in text))
    )


def is_short_code(text: str) -> bool:
    """Letters and digits without a space, a digit or nothing but capitals: codes of diagnoses, articles, banks."""
    return (
        2 <= len(text) <= 24
        and text.isascii()
        and _CODE.fullmatch(text) is not None
        and (has_digit(text) or (text.isupper() and len(text) <= 5))
    )


def has_digit(text: str) -> bool:
    """A digit stands in it."""
    return any(c.isdigit() for c in text)


def letters_share(text: str) -> float:
    """Share of letters (of any script, their marks included) among the characters that are not white space."""
    solid = [c for c in text if not c.isspace()]
    return sum(1 for c in solid if c.isalpha() or not (c.isascii() or c.isdigit() or c.isspace())) / (len(solid) or 1)


_PARTICLES = vocabulary(
    "de da do dos das del della der den di du d' la le el al bin ibn ben van von zu zur ter ten y e i af av"
)
_NO_PERSON = vocabulary(
    "wing ward room unit clinic hospital street st avenue ave road rd lane drive boulevard building department dept "
    "team group hall house school university college centre center floor block store shop market office station park "
    "square hotel airport church library museum ltd llc inc corp gmbh ag plc co company limited bank foundation "
    "institute county city town village lake island mountain river north south east west upper lower region district "
    "state campus theatre theater lab laboratory pharmacy surgery service services program programme project plan"
)


def is_name_like(text: str) -> bool:
    """One to six words that could be a person's name: letters, and capitals where the script has them."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    if not 1 <= len(words) <= 6 or letters_share(text) < 0.8 or has_digit(text):
        return False
    plain = [word.strip(".'’()\"-").casefold() for word in words]
    if any(word in _NO_PERSON for word in plain) or (len(words) == 1 and is_calendar_word(text)):
        return False
    if text.islower():
        return len(words) > 1
    return all(_begins_large(word) or plain_word in _PARTICLES for word, plain_word in zip(words, plain, strict=True))


def has_two_capitals(text: str) -> bool:
    """Two words and more, none of a place's or a company's name, each with a capital where the script has them."""
    return is_name_like(text) and (len(text.split()) >= 2 or bool(_CJK.search(text))) and not text.islower()


def is_capitalised(text: str) -> bool:
    """One to five words of letters that all begin with a capital, particles aside."""
    words = text.split()
    return 1 <= len(words) <= 5 and all(_begins_large(word) or word in _PARTICLES for word in words)


def _begins_large(word: str) -> bool:
    first = next((c for c in word if c.isalpha()), "")
    return bool(first) and not first.islower()


def numbers_in(text: str) -> list[str]:
    """The whole numbers that stand in a text, up to three digits each."""
    return re.findall(r"\d{1,3}", text)


def shape_of(text: str) -> str:
    """The text with every digit made 9 and every letter made a."""
    return "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text)
