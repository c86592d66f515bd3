"""Linked detection: what stands in a row's identifier columns is looked for in that row's texts.

No model is needed to know that the "Okonkwo" in a note is the patient, when the row's name column says so. Looked for
are the whole value, each part of a name of three letters and more, the ways in which logins, file names and signatures
join a row's names (`asmith`, `AnnaSmith`, `A. Smith`), and numbers also with other separators.

Texts are compared folded: without regard to case, accents, the kind of apostrophe, hyphen and white space (line breaks
and no-break spaces among them), characters of no width, and HTML's way of writing characters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from privkit.deid.findings import Finding

_SCORE = 1.0
_RECOGNIZER = "privkit.linked"
_HYPHENS = re.compile(r"[-\u2010-\u2015]")
_SPLIT = re.compile(r"[\s,;/()\"_]+")
_DIGITS = re.compile(r"\D+")
# Words that stand in name columns and name nobody.
_NOT_A_NAME = frozenset(
    (
        *("mrs", "miss", "prof", "sir", "dame", "mme", "mlle", "herr", "frau", "dott", "sra", "jun", "sen", "iii"),
        *("phd", "esq", "von", "van", "der", "den", "del", "della", "dos", "das", "las", "los", "bin", "ibn", "abu"),
        *("the", "and", "unknown", "none", "null", "n/a", "deceased", "baby", "twin", "test", "patient", "not"),
        *("given", "available", "withheld", "anonymous", "dec", "see", "chart"),
    )
)
# Cells of identifier columns that say that there is nothing to say.
_NOTHING = frozenset(
    (
        *("na", "n/a", "n.a.", "nan", "nil", "none", "null", "unknown", "unk", "undefined", "missing", "empty", "tbd"),
        *("tba", "yes", "no", "true", "false", "not available", "not applicable", "not known", "not given", "same"),
        *("withheld", "anonymous", "unbekannt", "keine", "inconnu", "aucun", "desconocido", "see chart", "see above"),
    )
)
_MIN_WHOLE = 2
_MIN_PART = 3
_MIN_DIGITS = 7
_MIN_CODE_DIGITS = 5
_MIN_LOCAL = 5
# More names in one row are joined only in part: what is looked for must not grow with the square of a family.
_MOST_JOINED = 4
# Beside an initial and a surname written as one word ("asmith"), one of these shows that it is a login or a file name.
_BESIDE_LOGINS = frozenset("@/\\_.:=-+#0123456789'\"<>[]|")
_LOGIN_BEFORE = re.compile(r"\b(?:user|username|login|account|handle|logon|uid|by|id|as)[\s:=]+$", re.IGNORECASE)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


class Term(NamedTuple):
    """Something to look for.

    Attributes:
        needle: As it stands in the column.
        folded: As `fold` writes it.
        entity: The column's entity type.
        digits: Its digits, where it is to be found with other separators too.
        login: Found only where its surroundings show a login or a file name.
    """

    needle: str
    folded: str
    entity: str
    digits: str = ""
    login: bool = False


@lru_cache(maxsize=65536)
def terms_of(value: str, entity: str) -> tuple[Term, ...]:
    """What to look for, given one identifier cell: the whole first, then a name's parts.

    Args:
        value: The cell's text.
        entity: The column's entity type; only PERSON has parts.
    """
    whole = value.strip()
    if len(whole) < _MIN_WHOLE or (len(whole) < _MIN_PART and not whole.isalpha()) or whole.casefold() in _NOTHING:
        return ()
    found: dict[str, Term] = {}

    def add(text: str, digits: str = "") -> None:
        folded = fold(text).text.strip()
        if folded:
            found.setdefault(folded, Term(text, folded, entity, digits))

    add(whole, _loose(whole, entity))
    if entity == "PERSON":
        for part in name_parts(whole):
            add(part)
            other = part.casefold().translate(_UMLAUTS)
            if not part.isascii() and other != part.casefold():
                add(other)
    elif entity == "EMAIL_ADDRESS":
        local = whole.partition("@")[0]
        if len(local) >= _MIN_LOCAL and not local.isalpha():
            add(local)
    elif re.fullmatch(r"\d{4,}\.0+", whole):
        add(whole.partition(".")[0])  # a record number that went through a table of floats
    return tuple(found.values())


@lru_cache(maxsize=16384)
def name_parts(name: str) -> tuple[str, ...]:
    """The words of a name that have three letters and more, and the members of those with a hyphen."""
    parts: list[str] = []
    for word in _SPLIT.split(name):
        for part in (word, *_HYPHENS.split(word)) if _HYPHENS.search(word) else (word,):
            bare = part.strip(".'’`-\u2010\u2011\u2012\u2013\u2014\u2015_")
            letters = len(bare) if bare.isalpha() else sum(map(str.isalpha, bare))
            if letters >= _MIN_PART and bare.casefold() not in _NOT_A_NAME and bare not in parts:
                parts.append(bare)
    return tuple(parts)


@lru_cache(maxsize=16384)
def joined_terms(names: tuple[str, ...]) -> tuple[Term, ...]:
    """The ways in which two names of one row are written as one: `annasmith`, `asmith`, `a. smith`, `smith, a`.

    Args:
        names: The cells of the row's columns of names.
    """
    parts = list(dict.fromkeys(fold(part).text for name in names for part in name_parts(name)))[:_MOST_JOINED]
    logins: dict[str, bool] = {}
    for one in parts:
        for other in parts:
            if one == other or not one[0].isalpha():
                continue
            logins[one + other] = False
            initial = one[0]
            for text in (f"{initial}. {other}", f"{initial}.{other}", f"{initial} {other}"):
                logins.setdefault(text, False)
            for text in (f"{other}, {initial}.", f"{other}, {initial}", f"{other} {initial}.", f"{other} {initial}"):
                logins.setdefault(text, False)
            if not initial.isascii():
                continue
            for text in (initial + other, other + initial):
                if len(text) > _MIN_PART:
                    logins.setdefault(text, True)
    return tuple(Term(text, text, "PERSON", "", login) for text, login in logins.items())


def linked_findings(text: str, terms: Iterable[Term]) -> list[Finding]:
    """Every place in `text` where one of `terms` stands, folded, as a word of its own."""
    found: list[Finding] = []
    folded = fold(text)
    text_digits: str | None = None
    for term in terms:
        if term.folded in folded.text:
            for start in _places(folded.text, term.folded):
                first, last = folded.span(start, start + len(term.folded))
                if _stands_alone(text, first, last, term):
                    found.append(Finding(first, last, term.entity, _SCORE, _RECOGNIZER))
        if term.digits:
            if text_digits is None:
                text_digits = _DIGITS.sub("", text)
            if term.digits in text_digits:
                found.extend(
                    Finding(match.start(), match.end(), term.entity, _SCORE, _RECOGNIZER)
                    for match in _loose_digits(term.digits, term.entity).finditer(text)
                )
    return found


# Folding ------------------------------------------------------------------------------------------------------------


class Folded(NamedTuple):
    """A folded text; `starts[i]` is where its character i comes from, None where every character has its place."""

    text: str
    starts: Sequence[int] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the original that the folded characters `start` to `end` come from."""
        if self.starts is None:
            return start, end
        first = self.starts[start]
        while end < len(self.starts) and self.starts[end] == self.starts[end - 1]:
            end += 1  # in the middle of a letter such as æ: the whole of it
        return first, self.starts[end] if end < len(self.starts) else self.length


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_RUN = re.compile(r"\s\s")
_SPACES = str.maketrans("\t\n\v\f\r\x1c\x1d\x1e\x1f`", " " * 9 + "'")
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n",
    **dict.fromkeys("’‘‛ʼʹ´`′＇", "'"), **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
}  # fmt: skip


@lru_cache(maxsize=2048)
def fold(text: str) -> Folded:
    """A text without what does not tell names apart.

    Lower case, no accents, no characters of no width, one space for any white space, one kind of apostrophe and of
    hyphen, `&uuml;` as the letter it stands for.
    """
    if text.isascii() and _RUN.search(text) is None and ("&" not in text or _ENTITY.search(text) is None):
        return Folded(text.lower().translate(_SPACES), None, len(text))
    pieces: list[str] = []
    starts: list[int] = []

    def add(characters: str, at: int) -> None:
        for character in characters:
            for letter in _folded_character(character):
                if letter == " " and pieces and pieces[-1] == " ":
                    continue
                pieces.append(letter)
                starts.append(at)

    done = 0
    for match in _ENTITY.finditer(text) if "&" in text else ():
        for at in range(done, match.start()):
            add(text[at], at)
        add(html.unescape(match[0]), match.start())
        done = match.end()
    for at in range(done, len(text)):
        add(text[at], at)
    return Folded("".join(pieces), starts, len(text))


@lru_cache(maxsize=8192)
def _folded_character(character: str) -> str:
    if character.isspace():
        return " "
    if "\uac00" <= character <= "\ud7a3":
        return character  # the letters inside a syllable of Hangul are no places where a name may end
    if unicodedata.category(character) in ("Mn", "Cf") and not character.isalnum():
        return ""
    folded: list[str] = []
    for one in unicodedata.normalize("NFKD", _LETTERS.get(character, character).casefold()):
        if unicodedata.category(one) not in ("Mn", "Cf"):
            folded.append(_LETTERS.get(one, " " if one.isspace() else one))
    return "".join(folded)


# Numbers ------------------------------------------------------------------------------------------------------------


def _loose(whole: str, entity: str) -> str:
    """The digits by which a value is found however it is separated; "" where they say too little."""
    digits = _DIGITS.sub("", whole.removesuffix(".0"))
    if entity == "PHONE_NUMBER" and len(digits) >= 10:
        return digits[-9:]  # with and without the country's code and the zero for it
    if len(digits) >= _MIN_DIGITS and len(digits) * 2 >= len(whole):
        return digits
    coded = entity == "ID" and len(digits) >= _MIN_CODE_DIGITS and re.fullmatch(r"[A-Za-z]{1,6}[-_#:. ]?\d+", whole)
    return digits if coded else ""


@lru_cache(maxsize=4096)
def _loose_digits(digits: str, entity: str) -> re.Pattern[str]:
    if len(digits) < _MIN_DIGITS:
        return re.compile(rf"(?<!\d){digits}(?!\d)")
    body = r"[\s().\-/\u00a0\u2010-\u2015]{0,3}".join(digits)
    before = r"(?:[+(]{0,2}\d{1,4}[\s().\-/]{0,3}){0,3}" if entity == "PHONE_NUMBER" else ""
    return re.compile(rf"(?<!\d){before}{body}(?!\d)")


# Borders ------------------------------------------------------------------------------------------------------------


def _places(text: str, needle: str) -> Iterable[int]:
    start = text.find(needle)
    while start >= 0:
        yield start
        start = text.find(needle, start + 1)


def _stands_alone(text: str, start: int, end: int, term: Term) -> bool:
    """Word borders on both sides, except in scripts that are written without spaces."""
    found = text[start:end]
    if len(term.needle) < _MIN_PART and term.needle.isascii() and found != term.needle:
        return False  # "Li" is a name, "li" in running text is not: two letters must agree in case
    if _glued(text, start - 1, start, term) or (_glued(text, end, end - 1, term) and not _plural(text, end, found)):
        return False
    return not term.login or _is_login(text, start, end)


def _glued(text: str, outside: int, inside: int, term: Term) -> bool:
    if not 0 <= outside < len(text):
        return False
    beyond, edge = text[outside], text[inside]
    if ord(edge) >= 0x2E80 or ord(beyond) >= 0x2E80 or not (beyond.isalnum() and edge.isalnum()):
        return False
    if beyond.isdigit() != edge.isdigit():
        # `smith81` is Smith; of codes only the long ones are recognised inside `scan742566`.
        return term.entity != "PERSON" and len(term.folded) < 6
    if term.entity == "PERSON" and len(term.folded) > _MIN_PART:
        left, right = (beyond, edge) if outside < inside else (edge, beyond)
        return not (left.islower() and right.isupper())  # `openSmithFile`
    return True


def _plural(text: str, end: int, found: str) -> bool:
    """`the Smiths`, `Müllers Akte`: a name with an s."""
    return (
        len(found) > _MIN_PART
        and found[:1].isupper()
        and text[end : end + 1] in ("s", "S")
        and not text[end + 1 : end + 2].isalnum()
    )


def _is_login(text: str, start: int, end: int) -> bool:
    before, after, found = text[max(0, start - 1) : start], text[end : end + 1], text[start:end]
    if not before and not after:
        return True
    if not found.isupper() and (found[1:2].isupper() or (found[-1:].isupper() and found[-2:-1].islower())):
        return True  # `ASmith`, `SmithA`: no word is written so
    if before in _BESIDE_LOGINS and before:
        return True
    # A full stop or a quotation mark after a word ends a sentence as well.
    if after and after in _BESIDE_LOGINS and (after not in ".'\":-" or text[end + 1 : end + 2].isalnum()):
        return True
    return _LOGIN_BEFORE.search(text[max(0, start - 16) : start]) is not None
