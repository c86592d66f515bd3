"""Patterns of whole cells, each with the checksum that its kind has, the most specific first.

A cell matches as a whole; part of a longer text is the business of detectors.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection, Sequence

from privkit.deid.columns.values import is_date

_EMAIL = re.compile(r"(?:mailto:)?[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.IGNORECASE)
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE)
_CARD = re.compile(r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
_CRYPTO = re.compile(r"bc1[ac-hj-np-z02-9]{11,71}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|0x[0-9a-fA-F]{40}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_URL = re.compile(r"(?:https?|ftps?|file)://\S+|www\.[\w-]+\.\S+", re.IGNORECASE)
_SSN = re.compile(r"(\d{3})([- ])(\d{2})\2(\d{4})")
_NHS = re.compile(r"\d{3}([ -])\d{3}\1\d{4}")
_UUID = re.compile(r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?|urn:uuid:[0-9a-f-]{36}", re.IGNORECASE)
_ZIP4 = re.compile(r"\d{5}-\d{4}")
_UK_POSTCODE = re.compile(r"(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2})", re.IGNORECASE)
_CA_POSTCODE = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]\d[ABCEGHJ-NPRSTV-Z]\d", re.IGNORECASE)
_STREET = re.compile(
    r"(?:flat|apt|unit|suite)?\s?#?\d{0,5}[A-Za-z]?,?\s?\d{1,6}[A-Za-z]?(?:[-/]\d{1,4})?,?\s(?:[^\W\d_][\w.'’-]*\s){1,4}"
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|ter|"
    r"close|crescent|parkway|pkwy|highway|hwy|circle|cir|trail|row|gardens|grove|hill|park|mews|walk|turnpike|pike|"
    r"alley|plaza|loop|ridge|crossing|path|point|view|estate|estates|route|rapids|village|ville|isle|island|islands)\b.{0,60}"
    r"|\d{1,5}(?:\s?(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|chemin|impasse|allée|via|viale|corso|calle)\s.{2,60}"
    r"|(?:calle|via|viale|corso|piazza|rua|avenida|avda\.?|plaza|ul\.|ulica|ulitsa|ул\.)\s.{2,40}[\s,]\d{1,5}\b.{0,40}"
    r"|[^\W\d_][\w. -]{1,40}"
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|ufer|damm|straat|laan|plein|gatan|vägen|gade|vej)"
    r"\s\d{1,5}\s?[A-Za-z]?(?:[-/]\d{1,4})?\b.{0,60}",
    re.IGNORECASE,
)
_EXTENSION = r"(?:\s?(?:x|ext\.?|extension|#)\s?\d{1,6})?"
_PHONE = re.compile(
    r"(?:"
    r"\+\d{1,3}[\s.-]?(?:\(0\)[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{1,5}(?:[\s./-]?\d{1,5}){1,5}"
    r"|(?:00\d{1,3}|1)[\s.-]\(?\d{2,5}\)?[\s.-]?\d{2,4}(?:[\s.-]?\d{2,5}){1,3}"
    r"|\(\d{3}\)\s?\d{3}[\s.-]\d{4}"
    r"|(?:1[\s.-]?)?\d{3}([\s.-])\d{3}\1\d{4}"
    r"|\(?0\d{1,5}\)?[\s./-]\d{2,8}(?:[\s./-]\d{2,8}){0,4}"
    r"|\(\d{2,5}\)\s?\d{3,5}[\s.-]?\d{3,5}"
    r")" + _EXTENSION,
    re.IGNORECASE,
)
_PHONE_LOOSE = re.compile(r"[+(]{0,2}\d[\d\s()./+-]{3,24}\d" + _EXTENSION, re.IGNORECASE)
_COORDINATES = re.compile(r"\(?-?\d{1,2}\.\d{3,}°?\s?[NS]?,\s?-?\d{1,3}\.\d{3,}°?\s?[EW]?\)?")


def is_luhn(digits: str) -> bool:
    """The Luhn check (ISO/IEC 7812-1) over a text of digits."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        number = int(character) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0


def is_card(text: str) -> bool:
    """A payment card's number: 13 to 19 digits in its usual groups, a first digit of 2 to 6, Luhn."""
    if not text.isascii() or _CARD.fullmatch(text) is None:
        return False
    digits = re.sub(r"\D", "", text)
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and len(set(digits)) > 1 and is_luhn(digits)


def is_iban(text: str) -> bool:
    """An IBAN (ISO 13616): country, check digits, the remainder by 97 is 1."""
    if not text.isascii() or _IBAN.fullmatch(text) is None:
        return False
    plain = re.sub(r"[ -]", "", text).upper()
    return len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_ssn(text: str, *, plain: bool = False) -> bool:
    """A US social security number with its separators; `plain`: nine digits without them too."""
    if plain and text.isascii() and text.isdigit() and len(text) == 9:
        text = f"{text[:3]}-{text[3:5]}-{text[5:]}"
    match = _SSN.fullmatch(text)
    return (
        match is not None
        and match[1] not in ("000", "666")
        and match[1] < "900"
        and match[3] != "00"
        and match[4] != "0000"
    )


def is_itin(text: str) -> bool:
    """A US taxpayer's number: as a social security number, beginning with 9."""
    match = _SSN.fullmatch(text)
    return match is not None and match[1] >= "900"


def is_nhs(text: str, *, plain: bool = False) -> bool:
    """A UK NHS number: ten digits, modulus 11; `plain`: without its separators too."""
    digits = re.sub(r"[ -]", "", text)
    if not (text.isascii() and digits.isdigit() and len(digits) == 10 and (plain or _NHS.fullmatch(text))):
        return False
    check = 11 - sum(int(c) * (10 - i) for i, c in enumerate(digits[:9])) % 11
    return check != 10 and int(digits[9]) == check % 11


def is_bitcoin_or_ether(text: str) -> bool:
    """The address of a wallet; base58 ones by their checksum."""
    if _CRYPTO.fullmatch(text) is None:
        return False
    if text[:2] in ("bc", "0x"):
        return True
    number = 0
    for character in text:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(character)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address, or a network."""
    if ":" not in text and text.count(".") != 3:
        return False
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def is_phone(text: str) -> bool:
    """A telephone number that shows it: an international prefix, brackets or the usual groups."""
    if _PHONE.fullmatch(text) is None or is_date(text):
        return False
    digits = len(re.sub(r"\D", "", re.split(r"[xX#e]", text, maxsplit=1)[0]))
    return 7 <= digits <= 16


def is_phone_loose(text: str) -> bool:
    """What a column that is named for telephones may hold: 5 to 16 digits and their punctuation."""
    if _PHONE_LOOSE.fullmatch(text) is None or (is_date(text) and not text.startswith(("+", "("))):
        return False
    return 5 <= len(re.sub(r"\D", "", re.split(r"[xX#e]", text, maxsplit=1)[0])) <= 17


def is_postcode(text: str) -> bool:
    """A UK or Canadian postcode with its space, or a US ZIP+4."""
    return any(p.fullmatch(text) for p in (_ZIP4, _UK_POSTCODE, _CA_POSTCODE))


def is_postcode_loose(text: str) -> bool:
    """What a column that is named for postcodes may hold."""
    return re.fullmatch(r"(?=.*\d)(?:[A-Z]{1,3}-)?[A-Z0-9][A-Z0-9 -]{1,9}", text, re.IGNORECASE) is not None


def is_street(text: str) -> bool:
    """A house number and a street's name, in the usual ways of a few languages."""
    if "^" in text:
        text = text.replace("^", ", ")  # HL7's composites: `12 Elm Street^^Albany^NY^12207`
    return len(text) <= 160 and _STREET.fullmatch(text) is not None


def is_numbered_street(text: str) -> bool:
    """A number and two to seven words that begin with a capital, as addresses do whose kind of street is rare."""
    return re.fullmatch(r"\d{1,6}[A-Za-z]?,?(?:\s(?:[^\W\d_a-z][\w.'’-]*,?|\d{1,6},?)){2,7}", text) is not None


PATTERNS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("EMAIL_ADDRESS", lambda v: "@" in v and _EMAIL.fullmatch(v) is not None),
    ("IBAN_CODE", is_iban),
    ("CREDIT_CARD", is_card),
    ("CRYPTO", is_bitcoin_or_ether),
    ("MAC_ADDRESS", lambda v: _MAC.fullmatch(v) is not None),
    ("IP_ADDRESS", is_ip),
    ("URL", lambda v: _URL.fullmatch(v) is not None),
    ("US_SSN", is_ssn),
    ("US_ITIN", is_itin),
    ("UK_NHS", is_nhs),
    ("ID", lambda v: _UUID.fullmatch(v) is not None),
    ("POSTCODE", is_postcode),
    ("COORDINATES", lambda v: _COORDINATES.fullmatch(v) is not None),
    ("PHONE_NUMBER", is_phone),
)
"""Entity and test of a whole cell, the most specific first: a social security number is no telephone number."""

QUASI = frozenset({"POSTCODE", "COORDINATES"})
"""Patterns that make a column quasi-identifying; the others make it an identifier."""

CHECKED = frozenset({"CREDIT_CARD", "IBAN_CODE", "CRYPTO"})
"""Patterns whose checksum chance does not pass: fewer cells of a column have to match."""

# Inside a longer text: only what cannot be mistaken.
_INSIDE = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+"
    r"|(?<![\d-])(?!000|666|9)\d{3}-\d{2}-\d{4}(?![\d-])"
    r"|\(\d{3}\) ?\d{3}-\d{4}"
    r"|(?<!\d)\d{3}-\d{3}-\d{4}(?!\d)"
)


def pattern_of(text: str, *, but: Collection[str] = ()) -> str | None:
    """The entity of the most specific pattern that the whole text matches, or None.

    Args:
        text: One cell, stripped.
        but: Entities that are not looked for.
    """
    return next((entity for entity, test in PATTERNS if entity not in but and test(text)), None)


def shares_of_patterns(texts: Sequence[str]) -> dict[str, float]:
    """For each pattern that any of the texts matches as a whole, the share that does; the most specific first.

    A text may count for several, so that one telephone number that happens to pass another kind's checksum does not
    spoil the column.

    Args:
        texts: Distinct cells, stripped, at least one.
    """
    counts = {entity: sum(map(test, texts)) for entity, test in PATTERNS}
    return {entity: count / len(texts) for entity, count in counts.items() if count}


def holds_identifier(text: str) -> bool:
    """An e-mail address, a social security number or a telephone number stands somewhere in the text."""
    return _INSIDE.search(text) is not None
