"""Phone numbers: what Presidio's PhoneRecognizer finds, with the text read once instead of once for each region.

Presidio runs phonenumbers' matcher over the text for each of its regions. The matcher first cuts candidates out of the
text, which does not depend on the region, then asks whether a candidate, or a part of it, is a valid number there. Here
the candidates are cut once, and a region is asked only about what could be a number of its country by its digits; the
answer comes from phonenumbers itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

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
        self._regions = tuple(regions)
        self._leniency = leniency
        self._plans = [_plan(region) if leniency >= _VALID else None for region in self._regions]

    def find(self, text: str) -> set[tuple[int, int]]:
        """Spans (start, end) of every number that any of the regions recognises; they may overlap."""
        if self._leniency >= _VALID and not _DIGITS.search(text):
            return set()
        return _Search(text, self._regions, self._leniency, self._plans).spans()


class _Search:
    def __init__(self, text: str, regions: Sequence[str], leniency: int, plans: Sequence[_Plan | None]) -> None:
        self._text = text
        self._leniency = leniency
        self._regions = regions
        self._plans = plans
        self._matchers: list[Any] = [None] * len(regions)
        self._tries = [_TRIES] * len(regions)

    def spans(self) -> set[tuple[int, int]]:
        """Every region walks over the text as phonenumbers does; those that stand at one place walk together."""
        found: set[tuple[int, int]] = set()
        waiting = {0: list(range(len(self._regions)))}
        while waiting:
            index = min(waiting)
            regions = waiting.pop(index)
            match = _matcher._PATTERN.search(self._text, index)
            if match is None:
                continue
            start = match.start()
            text = _trimmed(match.group(), _matcher._SECOND_NUMBER_START_PATTERN)
            candidate = None if self._is_date(text, start) else _Candidate(self, text, start)
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

    def _is_date(self, text: str, start: int) -> bool:
        if _matcher._SLASH_SEPARATED_DATES.search(text):
            return True
        return bool(
            _matcher._TIME_STAMPS.search(text) and _matcher._TIME_STAMPS_SUFFIX.match(self._text, start + len(text))
        )

    def _extract(self, candidate: _Candidate, region: int) -> tuple[int, int] | None:
        """The candidate, or the first part of it, that is a number in a region."""
        if candidate.whole.may_be(region):
            span = self._ask(candidate.whole, region)
            if span is not None:
                return span
        if not candidate.may_be(region) and self._tries[region] > candidate.parts:
            self._tries[region] -= candidate.parts
            return None
        for way in candidate.ways:
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
        everywhere = (1 << len(self._regions)) - 1
        if self._leniency < _VALID:
            return _Part(text, start, everywhere)
        digits, international = self._digits(text, start)
        if digits is None:
            return _Part(text, start, 0)
        if international:
            return _Part(text, start, everywhere, international=True)
        regions = 0
        for region, plan in enumerate(self._plans):
            if plan is None or plan.plausible(digits):
                regions |= 1 << region
        return _Part(text, start, regions)

    def _digits(self, candidate: str, start: int) -> tuple[str | None, bool]:
        """The digits to dial, and whether they begin with a country code.

        None where no region accepts the candidate; empty where the digits cannot rule a region out.
        """
        text, end = self._text, start + len(candidate)
        if len(candidate) < _LEAST or len(candidate) > _util._MAX_INPUT_STRING_LENGTH:
            return None, False
        if start > 0 and not _matcher._LEAD_PATTERN.match(candidate) and _joined(text[start - 1]):
            return None, False
        if end < len(text) and _joined(text[end]):
            return None, False
        if not _matcher.fullmatch(_matcher._MATCHING_BRACKETS, candidate) or _matcher._PUB_PAGES.search(candidate):
            return None, False
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

    def __init__(self, search: _Search, text: str, start: int) -> None:
        self._search = search
        self.whole = search.read(text, start)

    @cached_property
    def ways(self) -> list[list[_Part]]:
        read: dict[tuple[str, int], _Part] = {}
        result = []
        for way in _inner(self.whole.text, self.whole.start):
            result.append([read.get(part) or read.setdefault(part, self._search.read(*part)) for part in way])
        return result

    @cached_property
    def parts(self) -> int:
        return sum(len(way) for way in self.ways)

    @cached_property
    def _regions(self) -> int:
        regions = 0
        for way in self.ways:
            for part in way:
                regions |= part.regions
        return regions

    def may_be(self, region: int) -> bool:
        """Whether one of the parts could be a number there."""
        return bool(self._regions >> region & 1)


class _Plan:
    """What digits a valid number of a region can be written with, roughly: never too few."""

    def __init__(self, metadata: Any) -> None:
        code = str(metadata.country_code)
        numbers, lengths = _national_numbers(metadata.country_code)
        self._abroad = re.compile(metadata.international_prefix or r"(?!)")
        self._national = numbers
        self._lengths = lengths
        prefix = metadata.national_prefix_for_parsing or ""
        # A prefix that is written as a plain number is cut off as it is. Others may take a carrier's code along: any
        # few digits may go. A rule that rewrites digits other than by keeping the end of them rules nothing out.
        self.certain = metadata.national_prefix_transform_rule in (None, "", "\\2")
        plain = prefix.isdecimal() or not prefix
        self._prefixes = ("", code, prefix, code + prefix) if plain else None

    def plausible(self, digits: str) -> bool:
        if not digits or not self.certain:
            return True
        size = len(digits)
        if size < _LEAST:
            return False
        if self._abroad.match(digits):
            return True
        if self._prefixes is None:
            return any(size >= length and self._national.fullmatch(digits, size - length) for length in self._lengths)
        return any(
            size - len(prefix) in self._lengths
            and digits.startswith(prefix)
            and self._national.fullmatch(digits, len(prefix))
            for prefix in self._prefixes
        )


@lru_cache(maxsize=512)
def _plan(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return None if metadata is None else _Plan(metadata)


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
