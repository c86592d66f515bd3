"""Phone numbers: what Presidio's PhoneRecognizer finds, with the text read once instead of once for each region.

Presidio runs phonenumbers' matcher over the text for each of its regions. The matcher first cuts candidates out of the
text, which does not depend on the region, then asks whether a candidate, or a part of it, is a valid number there. Here
the candidates are cut once, and a region is asked only about what could be a number of its country by its digits; the
answer comes from phonenumbers itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import phonenumbermatcher, phonenumberutil
from phonenumbers.phonemetadata import PhoneMetadata

_matcher: Any = phonenumbermatcher
_util: Any = phonenumberutil
_VALID = 1  # the leniency from which numbers must be valid, not only possible
_LEAST = 4  # digits of the shortest valid number of any country, the country code left out
_TRIES = 65535  # after so many parts that were no number, the matcher gives a text up
# Within a candidate, at most four marks stand between two digits.
_DIGITS = re.compile(r"\d(?:\D{0,4}\d){3}")
_FIRST = re.compile(f"[\\d{_matcher._LEAD_CLASS_CHARS}]")
# Digits and marks of which phonenumbers keeps the digits, whatever they stand for: no plus, no extension, no letters.
_PLAIN = re.compile(r"[0-9 ().\-/\[\]]*")
_BRACKETS = re.compile(r"[()\[\]]")
_MARKS = str.maketrans("", "", " ().-/[]")
# A candidate that is all digits and marks. Whatever begins inside of it ends where it ends, unless it was cut off for
# its many digits.
_CLOSED = re.compile(r"[+(\[ .)\-]*[0-9](?:[ ().\-/\[\]xX]{0,4}[0-9])*")
_MOST_CLOSED = 19
_TURNS = 6  # so often at most does a matcher find something in a closed candidate, and look at what is left of it
_HEAD = 2  # digits by which plans are told apart
_Format = tuple[re.Pattern[str], re.Pattern[str], bool]  # leading digits, pattern, written with the prefix
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


class PhoneScanner:
    """Finds phone numbers of several regions.

    Args:
        regions: Region codes, e.g. US: how a number without a country code is read.
        leniency: phonenumbers' leniency, 0 (possible) to 3 (exact grouping).
    """

    def __init__(self, regions: Sequence[str], leniency: int) -> None:
        self.regions = tuple(regions)
        self.leniency = leniency
        self.everywhere = (1 << len(self.regions)) - 1
        self._plans = [_plan(region) for region in self.regions]
        self._abroad = re.compile("|".join(f"(?:{plan.abroad})" for plan in self._plans if plan) or r"(?!)")
        self._readings: dict[tuple[str, int], list[tuple[int, list[_Reading] | None]]] = {}

    def find(self, text: str) -> set[tuple[int, int]]:
        """Spans (start, end) of the numbers that any of the regions recognises; they may overlap.

        A span that lies within another one, of whatever region, may be left out.
        """
        if self.leniency >= _VALID and not _DIGITS.search(text):
            return set()
        try:
            return _Search(text, self, quick=True).spans()
        except _Exhausted:
            return _Search(text, self, quick=False).spans()

    def plausible(self, digits: str) -> int:
        """The regions, a bit for each, in which these digits, dialled, could be a number; never too few."""
        if len(digits) < _LEAST:
            return 0 if digits else self.everywhere
        if self._abroad.match(digits):
            return sum(1 << region for region, plan in enumerate(self._plans) if plan and plan.plausible(digits))
        key = digits[:_HEAD], len(digits)
        readings = self._readings.get(key)
        if readings is None:
            readings = self._readings[key] = self._sorted(*key)
        regions = 0
        for bit, ways in readings:
            if ways is None or _fit(ways, digits):
                regions |= bit
        return regions

    def _sorted(self, head: str, size: int) -> list[tuple[int, list[_Reading] | None]]:
        """How the regions can read as many digits that begin with `head`; None: in any way."""
        result: list[tuple[int, list[_Reading] | None]] = []
        for region, plan in enumerate(self._plans):
            # A region that phonenumbers does not know has no numbers of its own.
            ways = plan.readings(head, size) if plan else []
            if ways is None or ways:
                result.append((1 << region, ways))
        return result


class _Exhausted(Exception):
    """A matcher may have given the text up: its tries must be counted one by one."""


class _Search:
    """The search of one text.

    Args:
        text: The text.
        scanner: Knows the regions.
        quick: Regions need not look into candidates that are settled; what they would have tried there is estimated.

    Raises:
        _Exhausted: By that estimate a region may have used all its tries. Only where `quick`.
    """

    def __init__(self, text: str, scanner: PhoneScanner, *, quick: bool) -> None:
        self._text = text
        self._scanner = scanner
        self._leniency = scanner.leniency
        self._regions = scanner.regions
        self._matchers: list[Any] = [None] * len(self._regions)
        self._tries = [_TRIES] * len(self._regions)
        self._quick = quick
        self._saved = 0  # tries that a region has spent at most besides those that were counted

    def spans(self) -> set[tuple[int, int]]:
        """Every region walks over the text as phonenumbers does; those that stand at one place walk together."""
        found: set[tuple[int, int]] = set()
        waiting = {0: list(range(len(self._regions)))}
        while waiting:
            index = min(waiting)
            regions = waiting.pop(index)
            match = self._next(index)
            if match is None:
                continue
            start = match.start()
            text = _trimmed(match.group(), _matcher._SECOND_NUMBER_START_PATTERN)
            candidate = None if self._is_date(text, start) else _Candidate(self, text, start)
            if self._quick and self._settled(candidate, match.group(), regions, found):
                waiting.setdefault(start + len(text), []).extend(regions)
                continue
            for region in regions:
                if self._tries[region] <= 0:
                    continue
                span = None if candidate is None else self._extract(candidate, region)
                if span is None:
                    self._tries[region] -= 1
                    after = start + len(text)
                else:
                    found.add(span)
                    after = span[1]
                waiting.setdefault(after, []).append(region)
        return found

    def _next(self, index: int) -> Any:
        """The first candidate from `index` on: `_PATTERN.search`, which would try at every character."""
        for first in _FIRST.finditer(self._text, index):
            match = _matcher._PATTERN.match(self._text, first.start())
            if match is not None:
                return match
        return None

    def _is_date(self, text: str, start: int) -> bool:
        if "/" in text and _matcher._SLASH_SEPARATED_DATES.search(text):
            return True
        return bool(
            _matcher._TIME_STAMPS.search(text) and _matcher._TIME_STAMPS_SUFFIX.match(self._text, start + len(text))
        )

    def _settled(
        self, candidate: _Candidate | None, match: str, regions: Sequence[int], found: set[tuple[int, int]]
    ) -> bool:
        """Whether the regions need not look into the candidate: it is a number, or holds none."""
        if candidate is None:
            self._save(1)
            return True
        if candidate.whole.regions and _is_closed(match, candidate.whole.text):
            for region in regions:
                span = self._ask(candidate.whole, region) if candidate.whole.may_be(region) else None
                if span is not None:
                    # What other regions would find in it lies within it.
                    found.add(span)
                    self._save(_TURNS * (len(match) + len(_matcher._INNER_MATCHES) + 1))
                    return True
            candidate.whole.regions = 0
        candidate.ways()
        if candidate.whole.regions or candidate.regions:
            return False
        self._save(candidate.parts + 1)
        return True

    def _save(self, tries: int) -> None:
        self._saved += tries
        if self._saved >= min(self._tries):
            raise _Exhausted

    def _extract(self, candidate: _Candidate, region: int) -> tuple[int, int] | None:
        """The candidate, or the first part of it, that is a number in a region."""
        if candidate.whole.may_be(region):
            span = self._ask(candidate.whole, region)
            if span is not None:
                return span
        ways = candidate.ways()
        if not candidate.may_be(region) and self._tries[region] > candidate.parts:
            self._tries[region] -= candidate.parts
            return None
        for way in ways:
            for number, part in enumerate(way):
                # The first two belong to one turn of the matcher's loop, which looks at its tries once.
                if number != 1 and self._tries[region] <= 0:
                    break
                span = self._ask(part, region) if part.may_be(region) else None
                if span is not None:
                    return span
                self._tries[region] -= 1
        return None

    def read(self, text: str, start: int) -> _Part:
        """A candidate, or a part of one, with the regions that could take it for a number."""
        if self._leniency < _VALID:
            return _Part(text, start, self._scanner.everywhere)
        digits, international = self._digits(text, start)
        if digits is None:
            return _Part(text, start, 0)
        if international:
            regions = self._scanner.everywhere if _plausible_abroad(digits) else 0
            return _Part(text, start, regions, international=True)
        return _Part(text, start, self._scanner.plausible(digits))

    def _digits(self, candidate: str, start: int) -> tuple[str | None, bool]:
        """The digits to dial, and whether they begin with a country code.

        None where no region accepts the candidate; empty where the digits cannot rule a region out.
        """
        text, end = self._text, start + len(candidate)
        if len(candidate) < _LEAST or len(candidate) > _util._MAX_INPUT_STRING_LENGTH:
            return None, False
        if start > 0 and _joined(text[start - 1]) and not _matcher._LEAD_PATTERN.match(candidate):
            return None, False
        if end < len(text) and _joined(text[end]):
            return None, False
        bracketed = _BRACKETS.search(candidate) or not candidate.isascii()
        if bracketed and (
            not _matcher.fullmatch(_matcher._MATCHING_BRACKETS, candidate) or _matcher._PUB_PAGES.search(candidate)
        ):
            return None, False
        if _PLAIN.fullmatch(candidate):
            digits = candidate.translate(_MARKS)
            return (digits if len(digits) >= _LEAST else None), False
        try:
            number = _util._build_national_number_for_parsing(candidate)
        except phonenumbers.NumberParseException:
            return None, False
        if not _util._is_viable_phone_number(number):
            return None, False
        _, number = _util._maybe_strip_extension(number)
        plus = _util._PLUS_CHARS_PATTERN.match(number)
        if plus is None:
            return _util._normalize(number), False
        digits = _util._normalize(number[plus.end() :])
        # Where the country code is unknown, the digits after the plus are read in the region's way.
        known = len(digits) > _util._MIN_LENGTH_FOR_NSN and _util._extract_country_code(digits)[0] != 0
        return (digits, True) if known else ("", False)

    def _ask(self, part: _Part, region: int) -> tuple[int, int] | None:
        if part.answered:
            return part.answer
        matcher = self._matchers[region]
        if matcher is None:
            matcher = self._matchers[region] = phonenumbers.PhoneNumberMatcher(
                self._text, self._regions[region], leniency=self._leniency
            )
        match = matcher._parse_and_verify(part.text, part.start)
        span = None if match is None else (match.start, match.end)
        if part.international:
            # The country code decides; which region asked makes no difference.
            part.answer, part.answered = span, True
        return span


class _Part:
    """A piece of text that may be a number; `regions` is a bit for each region that could take it for one."""

    __slots__ = ("answer", "answered", "international", "regions", "start", "text")

    def __init__(self, text: str, start: int, regions: int, *, international: bool = False) -> None:
        self.text = text
        self.start = start
        self.regions = regions
        self.international = international
        self.answered = False
        self.answer: tuple[int, int] | None = None

    def may_be(self, region: int) -> bool:
        return bool(self.regions >> region & 1)


class _Candidate:
    """A candidate and, cut when somebody first asks, the parts that the matcher tries for each way of cutting it."""

    __slots__ = ("_search", "_ways", "parts", "regions", "whole")

    def __init__(self, search: _Search, text: str, start: int) -> None:
        self._search = search
        self.whole = search.read(text, start)
        self._ways: list[list[_Part]] | None = None

    def ways(self) -> list[list[_Part]]:
        """The parts; from then on `parts` and `regions` tell how many they are, and who could take one for a number."""
        if self._ways is None:
            read: dict[tuple[str, int], _Part] = {}
            self._ways = []
            self.parts = self.regions = 0
            for way in _inner(self.whole.text, self.whole.start):
                parts = [read.get(part) or read.setdefault(part, self._search.read(*part)) for part in way]
                self._ways.append(parts)
                self.parts += len(parts)
            for part in read.values():
                self.regions |= part.regions
        return self._ways

    def may_be(self, region: int) -> bool:
        """Whether one of the parts could be a number there."""
        return bool(self.regions >> region & 1)


class _Reading(NamedTuple):
    """A way to read digits: those from `cut` on are the number.

    Attributes:
        numbers: Every valid number of the country.
        cut: Digits before the number.
        prefix: What they begin with.
        formats: How its numbers are written, where it matters that no prefix was dialled.
    """

    numbers: re.Pattern[str]
    cut: int
    prefix: re.Pattern[str] | None = None
    formats: tuple[_Format, ...] = ()

    def fits(self, digits: str) -> bool:
        """Whether these digits may be a valid number that is written as it must be."""
        if not self.numbers.fullmatch(digits, self.cut) or (self.prefix and not self.prefix.match(digits)):
            return False
        for leading, pattern, prefixed in self.formats:
            if leading.match(digits) and pattern.fullmatch(digits):
                return not prefixed
        return True


class _Plan:
    """What digits a valid number of a region can be written with, roughly: never too few."""

    def __init__(self, metadata: Any) -> None:
        self._code = str(metadata.country_code)
        self._numbers, self._lengths = _national_numbers(metadata.country_code)
        self._formats = _formats(metadata.country_code)
        self.abroad = metadata.international_prefix or r"(?!)"
        self._abroad = re.compile(self.abroad)
        # Where digits are rewritten, nothing is ruled out.
        self._certain = _keeps_digits(metadata)
        # Prefixes that are written as plain numbers are cut off as they are. Others may take a carrier's code along:
        # any digits may go.
        prefix = metadata.national_prefix_for_parsing or r"(?!)"
        self._prefix = re.compile(f"{self._code}|{prefix}")
        prefixes = tuple(filter(None, (metadata.national_prefix_for_parsing or "").split("|")))
        self._prefixes = prefixes if all(map(str.isdecimal, prefixes)) else None
        # After the country's code, phonenumbers cuts the prefix off twice.
        self._cuts = [*prefixes, *(self._code + a + b for a in ("", *prefixes) for b in ("", *prefixes))]

    def plausible(self, digits: str) -> bool:
        """Whether the digits, dialled in the region, could be a number of any country."""
        abroad = self._abroad.match(digits)
        if abroad is not None and not digits.startswith("0", abroad.end()):
            return _plausible_abroad(digits[abroad.end() :])
        readings = self.readings(digits, len(digits))
        return readings is None or _fit(readings, digits)

    def readings(self, head: str, size: int) -> list[_Reading] | None:
        """The ways to read `size` digits that begin with `head` as a number of the country; None: in any way."""
        if not self._certain:
            return None
        if self._prefixes is None:
            cuts = [size - length for length in self._lengths if length <= size]
            return [_Reading(self._numbers, cut, self._prefix if cut else None) for cut in cuts]
        readings = []
        if size in self._lengths:
            prefixed = any(_agree(head, prefix) for prefix in self._prefixes)
            readings.append(_Reading(self._numbers, 0, formats=() if prefixed else self._formats))
        for cut in sorted({len(prefix) for prefix in self._cuts if _agree(head, prefix)}):
            if size - cut in self._lengths:
                readings.append(_Reading(self._numbers, cut))
        return readings


def _fit(readings: Sequence[_Reading], digits: str) -> bool:
    for reading in readings:  # noqa: SIM110  (a generator costs more than what it would ask)
        if reading.fits(digits):
            return True
    return False


def _agree(head: str, prefix: str) -> bool:
    """Whether digits of which `head` are the first may begin with `prefix`."""
    return head.startswith(prefix) or prefix.startswith(head)


def _plausible_abroad(digits: str) -> bool:
    """Whether digits that begin with a country's code could be a number there."""
    if len(digits) <= _util._MIN_LENGTH_FOR_NSN:
        return False
    code, number = _util._extract_country_code(digits)
    if code == 0:
        return False
    if not _keeps_digits(_main_metadata(code)):
        return True
    numbers, lengths = _national_numbers(code)
    return any(length <= len(number) and numbers.fullmatch(number, len(number) - length) for length in lengths)


def _keeps_digits(metadata: Any) -> bool:
    """Whether a number is what stands at the end of the digits that are dialled for it."""
    return metadata.national_prefix_transform_rule in (None, "", "\\2")


@lru_cache(maxsize=512)
def _main_metadata(country_code: int) -> Any:
    region = phonenumberutil.region_code_for_country_code(country_code)
    return PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)


@lru_cache(maxsize=512)
def _plan(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return None if metadata is None else _Plan(metadata)


@lru_cache(maxsize=512)
def _formats(country_code: int) -> tuple[_Format, ...]:
    """How the numbers of a country are written: the first that fits says whether the national prefix must be there."""
    return tuple(
        (
            re.compile(each.leading_digits_pattern[-1] if each.leading_digits_pattern else ""),
            re.compile(each.pattern or ""),
            bool(each.national_prefix_formatting_rule)
            and not each.national_prefix_optional_when_formatting
            and not _util._formatting_rule_has_first_group_only(each.national_prefix_formatting_rule),
        )
        for each in _main_metadata(country_code).number_format
    )


@lru_cache(maxsize=512)
def _national_numbers(country_code: int) -> tuple[re.Pattern[str], frozenset[int]]:
    """A pattern of every valid number under a country code, without the code, and the lengths of such numbers."""
    patterns: dict[str, None] = {}
    lengths: set[int] = set()
    for region in phonenumberutil.region_codes_for_country_code(country_code):
        metadata: Any = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
        for kind in _KINDS:
            description = getattr(metadata, kind)
            if description is not None and description.national_number_pattern:
                patterns[description.national_number_pattern] = None
                lengths.update(description.possible_length or metadata.general_desc.possible_length)
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(joined or r"(?!)"), frozenset(lengths)


def _is_closed(match: str, candidate: str) -> bool:
    """Whether nothing that the matcher finds from within a candidate on reaches beyond the candidate's end."""
    return match == candidate and _CLOSED.fullmatch(match) is not None and sum(map(str.isdigit, match)) <= _MOST_CLOSED


def _trimmed(candidate: str, pattern: Any) -> str:
    match = pattern.search(candidate)
    return candidate[: match.start()] if match else candidate


def _inner(candidate: str, start: int) -> list[list[tuple[str, int]]]:
    """Parts of a candidate that the matcher tries, in its order, for each way of cutting it."""
    ways = []
    for pattern in _matcher._INNER_MATCHES:
        parts: list[tuple[str, int]] = []
        match = pattern.search(candidate)
        while match:
            if not parts:
                parts.append((_trimmed(candidate[: match.start()], _matcher._UNWANTED_END_CHAR_PATTERN), start))
            parts.append((_trimmed(match.group(1), _matcher._UNWANTED_END_CHAR_PATTERN), start + match.start(1)))
            match = pattern.search(candidate, match.start() + 1)
        if parts:
            ways.append(parts)
    return ways


@lru_cache(maxsize=4096)
def _joined(character: str) -> bool:
    cls = phonenumbers.PhoneNumberMatcher
    return bool(cls._is_invalid_punctuation_symbol(character) or cls._is_latin_letter(character))
