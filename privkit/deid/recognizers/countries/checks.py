"""Checks of numbers that stdnum has none for: the number in capitals, with its separators, in; whether it is valid out.

Each names the rule it follows. No check here looks anything up.
"""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s./\-]")


def german_document(number: str) -> bool:
    """Identity card or passport: nine characters and, if it is there, their check digit (ICAO Doc 9303, part 3)."""
    number = _SEPARATORS.sub("", number)
    body, digit = number[:9], number[9:]
    if not any(map(str.isdigit, body)):
        return False
    return not digit or sum(int(c, 36) * (7, 3, 1)[i % 3] for i, c in enumerate(body)) % 10 == int(digit)


def german_pension(number: str) -> bool:
    """Rentenversicherungsnummer: area, birth date, initial, serial number, check digit (VKVV § 4)."""
    number = _SEPARATORS.sub("", number)
    # A day above 50: further numbers for the same date and initial.
    day, month = int(number[2:4]), int(number[4:6])
    if not (1 <= day <= 31 or 51 <= day <= 81) or not 1 <= month <= 12:
        return False
    digits = number[:8] + f"{ord(number[8]) - 64:02}" + number[9:11]
    return _weighted_sums(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(number[11])


def german_health(number: str) -> bool:
    """Krankenversichertennummer: letter, eight digits, check digit (SGB V § 290)."""
    number = _SEPARATORS.sub("", number)
    digits = f"{ord(number[0]) - 64:02}" + number[1:9]
    return _weighted_sums(digits, (1, 2) * 5) % 10 == int(number[9])


def austrian_insurance(number: str) -> bool:
    """Versicherungsnummer: a check digit, which stdnum knows, and a birth date, whose month may be 13 to 15."""
    from stdnum.at import vnr

    digits = _SEPARATORS.sub("", number)
    day, month = int(digits[4:6]), int(digits[6:8])
    return 1 <= day <= 31 and 1 <= month <= 15 and bool(vnr.is_valid(digits))


def spanish_social_security(number: str) -> bool:
    """Número de afiliación a la Seguridad Social: province, serial number, both modulo 97."""
    number = _SEPARATORS.sub("", number)
    province, serial = int(number[:2]), int(number[2:10])
    if not (1 <= province <= 53 or province == 66):
        return False
    # Serial numbers below ten millions are written after the province without their leading zero.
    body = province * 10**7 + serial if serial < 10**7 else int(number[:10])
    return body % 97 == int(number[10:])


def portuguese_social_security(number: str) -> bool:
    """NISS: eleven digits that begin with 1 or 2, weighted with primes, modulo 10."""
    number = _SEPARATORS.sub("", number)
    weights = (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)
    return 9 - sum(int(c) * w for c, w in zip(number, weights, strict=False)) % 10 == int(number[10])


def australian_medicare(number: str) -> bool:
    """Medicare card: eight digits and a check digit (weights 1, 3, 7, 9), issue and person number after them."""
    number = _SEPARATORS.sub("", number)
    return sum(int(c) * (1, 3, 7, 9)[i % 4] for i, c in enumerate(number[:8])) % 10 == int(number[8])


def singaporean(number: str) -> bool:
    """NRIC and FIN: letter of the century and status, seven digits, check letter."""
    first, digits, last = number[0], number[1:8], number[8]
    total = sum(int(c) * w for c, w in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(first, 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(first, "XWUTRQPNMLK")
    return letters[10 - total % 11 if first == "M" else total % 11] == last


def swedish_person(number: str) -> bool:
    """Personnummer, and samordningsnummer, whose day is higher by 60."""
    from stdnum.se import personnummer

    digits = _SEPARATORS.sub("", number).replace("+", "")
    day = int(digits[-6:-4])
    if day <= 60:
        return bool(personnummer.is_valid(number))
    from stdnum import luhn

    return day <= 91 and 1 <= int(digits[-8:-6]) <= 12 and bool(luhn.is_valid(digits[-10:]))


def _weighted_sums(digits: str, weights: tuple[int, ...]) -> int:
    """The sum of the digits of each digit's product with its weight."""
    return sum(sum(divmod(int(c) * w, 10)) for c, w in zip(digits, weights, strict=True))
