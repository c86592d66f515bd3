"""Linked detection: what stands in a row's identifier columns is looked for in that row's texts.

No model is needed to know that the "Okonkwo" in a note is the patient, when the row's name column says so. Looked for
are the whole value and, for names, each part of three letters and more; without regard to case, at word boundaries,
and numbers also with other separators.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from privkit.deid.findings import Finding

_SCORE = 1.0
_RECOGNIZER = "privkit.linked"
_SPLIT = re.compile(r"[\s,;/()\"]+")
_DIGITS = re.compile(r"\D+")
_WORD = re.compile(r"\w")
# Words that stand in name columns and name nobody.
_NOT_A_NAME = frozenset(
    (
        *("mrs", "miss", "prof", "sir", "dame", "mme", "mlle", "herr", "frau", "dott", "sra", "jun", "sen", "iii"),
        *("phd", "esq", "von", "van", "der", "den", "del", "della", "dos", "das", "las", "los", "bin", "ibn", "abu"),
        *("the", "and", "unknown", "none", "null", "n/a", "deceased", "baby", "twin", "test"),
    )
)
_MIN_WHOLE = 2
_MIN_PART = 3
_MIN_DIGITS = 7


class Term(NamedTuple):
    """Something to look for: `needle` as it stands in the column, `folded` in lower case, the column's entity."""

    needle: str
    folded: str
    entity: str
    digits: str


@lru_cache(maxsize=65536)
def terms_of(value: str, entity: str) -> tuple[Term, ...]:
    """What to look for, given one identifier cell: the whole first, then a name's parts.

    Args:
        value: The cell's text.
        entity: The column's entity type; only PERSON has parts.
    """
    whole = value.strip()
    if len(whole) < _MIN_WHOLE or (len(whole) < _MIN_PART and not whole.isalpha()):
        return ()
    found = {whole: entity}
    if entity == "PERSON":
        for word in _SPLIT.split(whole):
            for part in (word, *word.split("-")):
                bare = part.strip(".'’`\u2010-\u2015_")
                letters = sum(character.isalpha() for character in bare)
                if letters >= _MIN_PART and bare.casefold() not in _NOT_A_NAME:
                    found.setdefault(bare, entity)
    forms: dict[str, str] = {}
    for text in found:
        forms[text] = entity
        if not text.isascii():
            # The same letters may be composed in the column and decomposed in the text.
            forms.setdefault(unicodedata.normalize("NFC", text), entity)
            forms.setdefault(unicodedata.normalize("NFD", text), entity)
    digits = _DIGITS.sub("", whole)
    loose = digits if len(digits) >= _MIN_DIGITS and len(digits) * 2 >= len(whole) else ""
    return tuple(Term(text, text.lower(), entity, loose if text == whole else "") for text in forms)


def linked_findings(text: str, terms: Iterable[Term]) -> list[Finding]:
    """Every place in `text` where one of `terms` stands, in any case, as a word of its own."""
    found: list[Finding] = []
    lowered = text.lower()
    aligned = len(lowered) == len(text)
    text_digits: str | None = None
    for term in terms:
        if aligned:
            if term.folded in lowered:
                found.extend(
                    Finding(start, start + len(term.folded), term.entity, _SCORE, _RECOGNIZER)
                    for start in _places(lowered, term.folded)
                    if _stands_alone(text, start, start + len(term.folded), term)
                )
        else:
            # A few letters change length in lower case (İ): let the regex engine fold, slower and exact.
            found.extend(
                Finding(match.start(), match.end(), term.entity, _SCORE, _RECOGNIZER)
                for match in re.finditer(re.escape(term.needle), text, re.IGNORECASE)
                if _stands_alone(text, match.start(), match.end(), term)
            )
        if term.digits:
            if text_digits is None:
                text_digits = _DIGITS.sub("", text)
            if term.digits in text_digits:
                found.extend(
                    Finding(match.start(), match.end(), term.entity, _SCORE, _RECOGNIZER)
                    for match in _loose_digits(term.digits).finditer(text)
                )
    return found


def whole_terms(terms: Sequence[Term], minimum: int = 4) -> tuple[Term, ...]:
    """Only whole values of at least `minimum` characters: what a residual check can search without false alarms."""
    return tuple(term for term in terms[:1] if len(term.needle) >= minimum)


@lru_cache(maxsize=4096)
def _loose_digits(digits: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\d)" + r"[\s().\-/]{0,3}".join(digits) + r"(?!\d)")


def _places(text: str, needle: str) -> Iterable[int]:
    start = text.find(needle)
    while start >= 0:
        yield start
        start = text.find(needle, start + 1)


def _stands_alone(text: str, start: int, end: int, term: Term) -> bool:
    """Word boundaries on both sides, except in scripts that are written without spaces."""
    if len(term.needle) < _MIN_PART and term.needle.isascii() and text[start:end] != term.needle:
        return False  # "Li" is a name, "li" in running text is not: two letters must agree in case
    return not (_glued(text, start - 1, start) or _glued(text, end, end - 1))


def _glued(text: str, outside: int, inside: int) -> bool:
    if not 0 <= outside < len(text):
        return False
    beyond, edge = text[outside], text[inside]
    if ord(edge) >= 0x2E80 or ord(beyond) >= 0x2E80:
        return False
    return bool(_WORD.match(beyond)) and bool(_WORD.match(edge))
