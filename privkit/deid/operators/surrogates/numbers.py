"""Numbers with rules of their own: telephone numbers, social security numbers, cards, IBANs."""

from __future__ import annotations

import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from privkit.deid.operators.base import Draws
from privkit.deid.operators.surrogates.draws import Stream, chosen, like

_EXTENSION = re.compile(r"(?i)\s*(?:ext\.?|extension|x|#)\s*[0-9]{1,6}\s*$")
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{8,30}")
# The Social Security Administration gives out no number that begins so, and never will (20 CFR 422.103; SSA POMS
# RM 10201.030). 900 to 999 would be taxpayer numbers (ITIN).
_SSN_AREAS = ("666", "000")


def phone(draws: Draws, value: str) -> str | None:
    """Another telephone number with the same punctuation, length and country code.

    North American numbers come from 555-0100 to 555-0199, which are set aside for fiction; those of other countries
    may exist. The same number written in two ways gets the same digits.
    """
    extension = _EXTENSION.search(value)
    main = value[: extension.start()] if extension else value
    tail = value[extension.start() :] if extension else ""
    digits = _digits(main)
    if len(digits) < 3:
        return None
    prefix, national = _country(digits, main.lstrip(" (").startswith("+"))
    if prefix.removeprefix("00") in ("", "1") and (len(national) == 10 or (len(national) == 7 and not prefix)):
        made = chosen(draws, "phone", national, lambda stream: _north_american(stream, len(national)))
    else:
        made = chosen(draws, "phone", prefix + national, lambda stream: prefix + like(stream, national))
        made = made[len(prefix) :] if made else None
    if made is None:
        return None
    if tail:
        tail = chosen(draws, "extension", _digits(tail), lambda stream: like(stream, _digits(tail))) or ""
        tail = _into(value[len(main) :], tail)
    return _into(main, prefix + made) + tail


def ssn(draws: Draws, value: str) -> str | None:
    """Another number in the form of a US social security number, with an area that is never given out."""
    digits = _digits(value)
    if len(digits) != 9:
        return None

    def make(stream: Stream) -> str:
        return f"{stream.of(_SSN_AREAS)}{1 + stream.below(99):02d}{1 + stream.below(9999):04d}"

    made = chosen(draws, "ssn", digits, make)
    return _into(value, made) if made else None


def card(draws: Draws, value: str) -> str | None:
    """Another card number: same length and first digit (the kind of issuer), valid by Luhn's check (ISO/IEC 7812-1)."""
    digits = _digits(value)
    if not 12 <= len(digits) <= 19:
        return None

    def make(stream: Stream) -> str:
        body = digits[0] + stream.digits(len(digits) - 2)
        return body + _luhn(body)

    made = chosen(draws, "card", digits, make)
    return _into(value, made) if made else None


def iban(draws: Draws, value: str) -> str | None:
    """Another IBAN: same country, length and kinds of characters, valid check digits (ISO 13616)."""
    compact = "".join(character for character in value if character.isalnum())
    if not compact.isascii() or _IBAN.fullmatch(compact) is None:
        return None

    def make(stream: Stream) -> str:
        body = like(stream, compact[4:], first_digit=False)
        return compact[:2] + _iban_check(compact[:2], body) + body

    made = chosen(draws, "iban", compact.upper(), make)
    if made is None:
        return None
    characters = iter(made)
    return "".join(next(characters) if character.isalnum() else character for character in value)


def _country(digits: str, international: bool) -> tuple[str, str]:
    """The digits that stay (00, country code, trunk 0 or 1) and the rest."""
    start = 2 if digits.startswith("00") and not international else 0
    if international or start:
        for length in (1, 2, 3):
            code = digits[start : start + length]
            if code and int(code) in COUNTRY_CODE_TO_REGION_CODE:
                kept = start + length
                kept += digits[kept : kept + 1] == "0"  # the trunk prefix in +49 (0)30
                return digits[:kept], digits[kept:]
        return digits[:start], digits[start:]
    if len(digits) == 11 and digits[0] == "1":
        return "1", digits[1:]
    return ("0", digits[1:]) if digits[0] == "0" else ("", digits)


def _north_american(stream: Stream, length: int) -> str:
    line = f"55501{stream.below(100):02d}"
    if length == 7:
        return line
    area = f"{2 + stream.below(8)}{stream.below(9)}{stream.below(10)}"
    return ("212" if area.endswith("11") else area) + line


def _luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        number = int(digit) * (2 - place % 2)
        total += number - 9 if number > 9 else number
    return str(-total % 10)


def _iban_check(country: str, body: str) -> str:
    number = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    return f"{98 - number % 97:02d}"


def _digits(text: str) -> str:
    return "".join(character for character in text if "0" <= character <= "9")


def _into(pattern: str, digits: str) -> str:
    """`digits` in the places where `pattern` has ASCII digits."""
    rest = iter(digits)
    return "".join(next(rest) if "0" <= character <= "9" else character for character in pattern)
