"""Numbers that a country gives to people: what they look like, how they are checked, what is written beside them.

A check digit proves little by itself: of all nine-digit numbers one in eleven passes the test of a Dutch BSN. So each
shape of a number is in one of two classes. `alone` holds what hardly anything else looks like: a check of a hundred or
more outcomes, a birth date and a check, letters in their places, or a grouping that only this number has. `named` holds
the rest: it counts where one of the number's names stands near, as a whole word.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from presidio_analyzer import Pattern, PatternRecognizer

from privkit.deid.findings import NATIONAL

ALONE = 0.75
NAMED = 0.95
_BEFORE = 60  # characters from a name's end to the number's end; a name may also follow the number closely
_AFTER = 15
# Not a part of a longer word, and no piece of a longer number.
_LEFT, _RIGHT = r"(?<!\w)(?<!\d[-./,])", r"(?![-./,]?\w)(?!:\d)"
# A number that is written in groups must not be a part of more groups, as an IBAN has them.
_LEFT_OF_GROUPS, _RIGHT_OF_GROUPS = r"(?<!\w)(?<!\d[-./, ])", r"(?![-./,]?\w)(?! \d)"
_SPANISH = str.maketrans("ñÑ", "nN")
_FOLDED = {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "ł": "l", "ı": "i"}


@dataclass(frozen=True)
class Identifier:
    """One kind of number.

    Attributes:
        entity: Entity type, in Presidio's style: DE_TAX_ID.
        check: Which function says whether a number is valid: a module of stdnum (`de.idnr`), or a function of ours
            (`checks:german_document`); empty where nothing but the shape can be checked.
        alone: Shapes that need no name near them; regular expressions without look-around.
        named: Shapes that do.
        names: What the number is called, in lower case, with accents; a space stands for a space, a hyphen or nothing.
        capitals: Whether its letters are always capitals.
    """

    entity: str
    check: str
    alone: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    capitals: bool = False

    def valid(self, number: str) -> bool:
        """Whether `number`, with its separators, passes the check; any letter case."""
        # IGNORECASE and \d let a few characters in that are no letters or digits of any such number.
        if not number.translate(_SPANISH).isascii():
            return False
        try:
            return not self.check or _check(self.check)(number.upper())
        except (LookupError, ValueError):  # some of stdnum's modules look birth places up that nobody has
            return False

    def patterns(self) -> list[Pattern]:
        """Presidio's patterns for it; scores are `ALONE` and `NAMED`."""
        found = []
        for shape in self.alone:
            grouped = " " in shape
            left, right = (_LEFT_OF_GROUPS, _RIGHT_OF_GROUPS) if grouped else (_LEFT, _RIGHT)
            found.append(Pattern("alone", left + self._cased(shape) + right, ALONE))
        if self.named:
            near = named_nearby(self.names)
            for shape in self.named:
                found.append(Pattern("named", _LEFT + self._cased(shape) + _RIGHT + near, NAMED))
        return found

    def _cased(self, shape: str) -> str:
        return f"(?-i:{shape})" if self.capitals else f"(?:{shape})"


class NationalIdRecognizer(PatternRecognizer):
    """Finds one kind of number.

    Args:
        identifier: Which.
        country: ISO 3166-1 alpha-2 code, lower case.
        language: Of the texts, ISO 639-1.

    Example:
        >>> from privkit.deid.recognizers.countries import identifiers
        >>> [bsn] = [each for each in identifiers("nl") if each.entity == "NL_BSN"]
        >>> recognizer = NationalIdRecognizer(bsn, "nl", "en")
        >>> [len(recognizer.analyze(text, [])) for text in ("BSN 111222333", "order 111222333", "BSN 111222334")]
        [1, 0, 0]
    """

    def __init__(self, identifier: Identifier, country: str, language: str) -> None:
        self.identifier = identifier
        # Presidio's own context words stay empty: a name near a number is a part of its pattern.
        super().__init__(
            supported_entity=identifier.entity,
            name=f"{NATIONAL}.{country}",
            supported_language=language,
            patterns=identifier.patterns(),
            country_code=country,
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        """False for a number that is not valid; None leaves a valid one its pattern's score."""
        return None if self.identifier.valid(pattern_text) else False


def named_nearby(names: tuple[str, ...]) -> str:
    """A pattern to follow a number's: one of `names` stands before the number, or closely after it."""
    words = "|".join(_spelled(name) for name in sorted(names, key=len, reverse=True))
    word = rf"(?<!\w)(?:{words})(?!\w)"
    return rf"(?:(?<={word}.{{0,{_BEFORE}}})|(?=.{{0,{_AFTER}}}{word}))"


def _spelled(name: str) -> str:
    """A name with or without its accents and umlauts, spaces or hyphens."""
    written = []
    for character in name:
        plain = unicodedata.normalize("NFD", character)[0]
        if character == " ":
            written.append(r"[\s\-‐‑.]{0,2}")
        elif character in _FOLDED:
            written.append(f"(?:{character}|{_FOLDED[character]}|{plain})")
        elif character == "'":
            written.append("['’]")
        else:
            written.append(re.escape(character) if plain == character else f"[{plain}{character}]")
    return "".join(written)


@lru_cache(maxsize=512)
def _check(name: str) -> Callable[[str], bool]:
    """The function, loaded when first asked for."""
    module, colon, function = name.partition(":")
    place = f"privkit.deid.recognizers.countries.{module}" if colon else f"stdnum.{module}"
    check: Callable[[str], bool] = getattr(importlib.import_module(place), function or "is_valid")
    return check
