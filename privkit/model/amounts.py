"""Amounts of privacy loss: decimals, exact from the first digit a person types to the last sum in a ledger.

A binary float is read by the shortest decimal that gives it back, which is what its writer saw: 0.1 is one tenth.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

# Bounds on what may be written down keep every exact sum short: ε to 1e-15, δ and ρ to 1e-40.
_MOST_DIGITS = 40
_LOWEST_EXPONENT = -60
_HIGHEST = Decimal(10) ** 6


def amount(value: object) -> Decimal:
    """An exact, finite amount of at least zero.

    Args:
        value: Text such as "0.1" or "1e-6", a whole number, a float (by its shortest decimal) or a Decimal.

    Raises:
        ValueError: Not a number, NaN, infinite, negative, above a million, or longer than 40 digits.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError("a number is wanted")
    try:
        number = Decimal(repr(float(value)) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError("a number is wanted") from None
    if not number.is_finite():
        raise ValueError("a finite number is wanted")
    if number < 0:
        raise ValueError("a number of at least 0 is wanted")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if number > _HIGHEST or len(digits) > _MOST_DIGITS or exponent < _LOWEST_EXPONENT:
        raise ValueError("a number of at most 40 digits and below a million is wanted")
    return abs(number)  # -0 is 0


def spelled(value: Decimal) -> str:
    """The one spelling of an amount: no exponent, no trailing zeros, so that equal amounts are equal texts."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text or "0"


Amount = Annotated[
    Decimal,
    BeforeValidator(amount),
    PlainSerializer(spelled, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]
