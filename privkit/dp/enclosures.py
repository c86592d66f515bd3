"""Bounds that integers alone compute: what floats are not trusted with."""

from __future__ import annotations

import math
from fractions import Fraction


def exp_of_minus(exponent: Fraction, bits: int) -> tuple[int, int]:
    """Integers below and above 2^bits · e^−x, a few units apart at most.

    e^−x = (e^−y)^(2^m) with y = x/2^m < 1/2. Its terms y^j/j! are cut to units of 2^−w one by one: each is at most 2
    units too small, as an error e of one becomes at most e/2 + 1 of the next. The sum alternates, so that n terms,
    the first of them that is cut to 0 included, are wrong by 2n units and the rest by at most 2 more; cutting y itself
    makes the sum too large by at most 1. The squares are rounded outwards.

    Args:
        exponent: x ≥ 0.
        bits: Binary places wanted.

    Returns:
        low ≤ 2^bits · e^−x ≤ high.
    """
    if exponent > bits:  # e^−bits < 2^−bits
        return 0, 1
    halvings = math.floor(exponent).bit_length() + 1
    places = bits + halvings + 8
    total, spread = _alternating(math.floor(exponent * 2 ** (places - halvings)), places)
    low, high = total - spread - 1, total + spread
    for _ in range(halvings):
        low, high = low * low >> places, -(-high * high >> places)
    surplus = places - bits
    return low >> surplus, -(-high >> surplus)


def _alternating(y: int, places: int) -> tuple[int, int]:
    """Σ (−y)^j/j! in units of 2^−places, for 0 ≤ y < 1/2 in the same units, and how many units it may be wrong by."""
    term, total, terms = 1 << places, 0, 0
    while term:
        total += -term if terms % 2 else term
        terms += 1
        term = (term * y >> places) // terms
    return total, 2 * terms + 4
