"""Postcodes cut to their first characters, with HIPAA's rule for thinly populated areas of the United States."""

from __future__ import annotations

import re

# 45 CFR 164.514(b)(2)(i)(B): the first three digits of a ZIP code may stay where all areas that share them hold more
# than 20,000 people. These do not, by the 2000 census, as listed in the guidance of the Department of Health and Human
# Services ("Guidance Regarding Methods for De-identification of Protected Health Information", 26 November 2012).
_LOW = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
LOW_POPULATION = frozenset(_LOW.split())

_ZIP = re.compile(r"([0-9]{5})(?:[- ]?[0-9]{4})?")
_LOST_ZEROS = re.compile(r"[1-9][0-9]{2,3}")
_PREFIX = re.compile(r"[0-9]{3}")
# One space or hyphen at most: "481-22-3333" in a column of postcodes is a number of another kind.
_CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)?")
# The United Kingdom writes its postcodes also without the space before the last three characters.
_UNITED_KINGDOM = re.compile(r"([A-Za-z]{1,2}[0-9][A-Za-z0-9]?)[0-9][A-Za-z]{2}")
_LONGEST = 12


def cut_postcode(text: str, digits: int, *, low_population: bool) -> str | None:
    """The leading characters of a postcode, or None where the text is no postcode.

    A US ZIP code (5 digits or ZIP+4) keeps `digits` digits. Codes of other countries keep at most `digits`
    characters of their outward part (before the first space or hyphen), and always lose at least one character.

    Args:
        text: A postcode; white space around it does not matter.
        digits: Leading characters to keep.
        low_population: Follow the US rule: prefixes in `LOW_POPULATION` become 000, and three or four digits are taken
            for a ZIP code that lost its leading zeros in a spreadsheet (2139 is 02139), as its own first digits
            would give away more than the rule allows. False for postcodes of other countries.
    """
    code = text.strip()
    if len(code) > _LONGEST or _CODE.fullmatch(code) is None:
        return None
    if low_population and _LOST_ZEROS.fullmatch(code):
        code = code.zfill(5)
    zip_code = _ZIP.fullmatch(code)
    if zip_code is not None:
        kept = zip_code[1][: min(digits, 4)]
        return "000" if low_population and kept[:3] in LOW_POPULATION else kept
    if low_population and digits >= 3 and _PREFIX.fullmatch(code):
        return "000" if code in LOW_POPULATION else code  # cut already
    united_kingdom = _UNITED_KINGDOM.fullmatch(code)
    outward = united_kingdom[1] if united_kingdom else re.split(r"[ -]", code, maxsplit=1)[0]
    return outward[: min(digits, len(code) - 1)] or None


def cut_number(number: int, digits: int, *, low_population: bool) -> str | None:
    """The same for a postcode that a table holds as a number: a US ZIP code without its leading zeros.

    Args:
        number: E.g. 2139 for 02139, or 21391234 for 02139-1234.
        digits: Leading digits to keep.
        low_population: As in `cut_postcode`.
    """
    if number < 0:
        return None
    text = str(number)
    return cut_postcode(text.zfill(5 if len(text) <= 5 else 9), digits, low_population=low_population)
