"""Draws of the discrete Gaussian, exact, many at a time, from the operating system's randomness alone.

The law is Canonne, Kamath and Steinke's (2020, arXiv 2004.00010, Definition 1): P(x) ∝ e^(−x²/2σ²) on the integers. It
is also theirs, and OpenDP's, to draw by rejection from exact coins; here the coins are as exact, and taken by arrays.

**How.** Cut 0, 1, 2, … into blocks of t numbers, t = max(1, ⌊σ/64⌋). Draw a block k with P(k) ∝ e^(−(kt)²/2σ²), a place
u in it, uniform on 0 … t − 1, and keep x = kt + u with probability e^(−g), g = (x² − (kt)²)/2σ² = u(2kt + u)/2σ².
Then P(k)·(1/t)·e^(−g) ∝ e^(−x²/2σ²). A sign is drawn for it; −0 is drawn again, as 0 would count twice.
For σ < 128 a block is one number, which needs no second coin; above, 99 of 100 are kept.

**Exactly.** A block is the number of k with S_k ≤ U, where S_k are P's cumulative sums and U is uniform on [0, 1). A
word gives U's first 63 bits, u. The table holds T_k = ⌊2^63·S_k⌋, computed by integers between proven bounds.
u < T_k implies U < (u + 1)/2^63 ≤ S_k, and u > T_k implies U > S_k; where u = T_k, further bits of the same U and
tighter bounds of S_k are taken until they tell which. No approximation is in it.

To keep x, a U of 53 bits is compared with e^(−g) in floats, unless it is as near as 2^−48: then further bits of it and
bounds of e^(−g) decide, from integers. That the float is nearer than 2^−48 needs no more than IEEE 754's rounding of
+, −, × and /, each within ε = 2^−53: see `_kept`.

Nothing is cut off: the tails are drawn as exactly as the middle, and a number beyond 64 bits is an error.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from privkit.dp.enclosures import exp_of_minus
from privkit.dp.vectors import Integers
from privkit.errors import AggregateError

LARGEST = 2**57
"""The largest σ: places in a block are then exact as floats, and a number beyond 64 bits has P < 2^−2900."""

Words = Callable[[int], npt.NDArray[np.uint64]]
"""So many independent, uniform 64-bit words."""

_BLOCKS = 64  # in one σ: more make the table longer, fewer refuse more
_BATCH = 2**15  # candidates at a time: their arrays stay in the processor's cache
_BITS = 63  # of U that a block is looked up with; the 64th is the sign
_FINE = 53  # of U that a float holds
_NEAR = 2.0**-48
_DEGREE = 12


def os_words(count: int) -> npt.NDArray[np.uint64]:
    """Words from os.urandom.

    Args:
        count: How many.
    """
    return np.frombuffer(os.urandom(8 * count), dtype=np.uint64)


def discrete_gaussian(variance: Fraction, size: int, words: Words = os_words) -> Integers:
    """Independent draws of N_Z(0, σ²).

    Args:
        variance: σ², exactly, above 0 and at most `LARGEST`².
        size: How many.
        words: Where randomness comes from; another source than the default is for tests.

    Returns:
        int64, shape (size,). Beside it a few MB are used, whatever the size.

    Raises:
        AggregateError: A draw beyond 64 bits, at the largest σ with P < 2^−2900.
        ValueError: A variance out of range.
    """
    if not 0 < variance <= LARGEST**2:
        raise ValueError(f"a variance above 0 and at most {LARGEST}² is wanted")
    law = _law(variance)
    drawn, filled = np.empty(size, dtype=np.int64), 0
    while filled < size:
        wanted = size - filled
        some = _candidates(law, min(_BATCH, wanted + wanted // 50 + 16), words)[:wanted]
        drawn[filled : filled + len(some)] = some
        filled += len(some)
    return drawn


@dataclass(frozen=True)
class _Law:
    """A variance, with what is looked up for it.

    Attributes:
        variance: σ².
        width: t, numbers in a block.
        ends: T_k, int64, ascending; the last is 2^63 − 1, so that no word is beyond them.
    """

    variance: Fraction
    width: int
    ends: Integers

    @property
    def slope(self) -> Fraction:
        """P(k) ∝ e^(−k²·slope)."""
        return self.width**2 / (2 * self.variance)

    def exponent(self, block: int, place: int) -> Fraction:
        """What −ln of the probability is to keep a number."""
        return place * (2 * block * self.width + place) / (2 * self.variance)


@lru_cache(maxsize=256)
def _law(variance: Fraction) -> _Law:
    width = max(1, math.isqrt(math.floor(variance)) // _BLOCKS)
    law = _Law(variance, width, _ends(width**2 / (2 * variance)))
    assert width == 1 or law.exponent(len(law.ends), width) <= Fraction(1, 6), "what _kept's margin rests on"
    return law


def _candidates(law: _Law, count: int, words: Words) -> Integers:
    """What is kept of so many numbers."""
    first = words(count)
    block = _looked_up(law, first >> np.uint64(1), words)
    negative = (first & np.uint64(1)).astype(bool)
    if law.width == 1:
        numbers, kept = block, np.ones(count, dtype=bool)
    else:
        place, kept = _placed(law.width, words(count))
        kept &= _kept(law, block, place, words)
        numbers = block * law.width + place
    kept &= ~(negative & (numbers == 0))
    return np.where(negative, -numbers, numbers)[kept]


# ---- the block


def _looked_up(law: _Law, uniform: npt.NDArray[np.uint64], words: Words) -> Integers:
    """Blocks from U's first 63 bits."""
    bits = uniform.view(np.int64)
    block = law.ends.searchsorted(bits)
    for at in np.flatnonzero(law.ends[block] == bits):
        block[at] = _block_exactly(law, int(bits[at]), words)
    return block


def _block_exactly(law: _Law, known: int, words: Words) -> int:
    """#{k : S_k ≤ U}, from the first 63 bits of U and as many more as it takes."""
    bits = _BITS
    while True:
        known, bits = _longer(known, bits, words)
        for block, (low, high) in enumerate(_cumulated(law.slope, bits + 64)):
            if known + 1 <= low * 2**bits:
                return _within_64_bits(block, law.width)
            if known < high * 2**bits:
                break  # U's interval and the bounds overlap


def _within_64_bits(block: int, width: int) -> int:
    if (block + 1) * width >= 2**63:
        raise AggregateError("a draw of the noise left 64 bits")
    return block


def _ends(slope: Fraction) -> Integers:
    """T_k = ⌊2^63·S_k⌋ up to the first that is 2^63 − 1. Below 1, S_k is never more."""
    bits, top = 128, 2**_BITS - 1
    while True:
        ends = []
        for low, high in _cumulated(slope, bits):
            end = math.floor(low * 2**_BITS)
            if end != min(math.floor(high * 2**_BITS), top):
                break
            ends.append(end)
            if end == top:
                return np.array(ends, dtype=np.int64)
        bits *= 2


def _cumulated(slope: Fraction, bits: int) -> Iterator[tuple[Fraction, Fraction]]:
    """Bounds of S_0, S_1, …, to about 2^−bits, until they are as near to 1.

    Weights e^(−k²·slope) come from one another: w_(k+1) = w_k·r_k, r_(k+1) = r_k·e^(−2·slope), all of them rounded
    outwards. r_k falls with k, so that what follows the last weight w is below w·r/(1 − r).
    """
    places = bits + 40
    one = 1 << places
    ratio, change = exp_of_minus(slope, places), exp_of_minus(2 * slope, places)
    weight, sums = (one, one), [(one, one)]
    while weight[1] > 1 << 30:
        weight, ratio = _times(weight, ratio, places), _times(ratio, change, places)
        sums.append((sums[-1][0] + weight[0], sums[-1][1] + weight[1]))
    rest = weight[1] * ratio[1] // (one - ratio[1]) + 1
    least, most = sums[-1][0], sums[-1][1] + rest
    for low, high in sums:
        yield Fraction(low, most), Fraction(high, least)


def _times(one: tuple[int, int], other: tuple[int, int], places: int) -> tuple[int, int]:
    return one[0] * other[0] >> places, -(-one[1] * other[1] >> places)


# ---- the place in it


def _placed(width: int, raw: npt.NDArray[np.uint64]) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Places, and whether they are uniform: the words from the last whole multiple of the width upwards are not."""
    last = np.uint64(2**64 // width * width - 1)
    return (raw % np.uint64(width)).view(np.int64), raw <= last


def _kept(law: _Law, block: Integers, place: Integers, words: Words) -> npt.NDArray[np.bool_]:
    """Coins with probability e^(−g), g = u(2kt + u)/2σ².

    The margin. u < 2^51 and 2kt + u < 2^62 are exact as integers, u also as a float. Rounding 2kt + u, 1/2σ² and two
    products leaves g within 4.01ε of itself, so e^(−g) within 4.01ε·g < 0.7ε, as g ≤ 1/6 (asserted where the table is
    made). Then p_j = 1 − p_(j+1)·g/j for j = 12 … 1 from p_13 = 1 is Taylor's sum; all p_j lie in [5/6, 1]. Rounding
    1/j and two products is 3.01ε of at most g/j, the difference ε/2; so an error e of p_(j+1) becomes at most
    (e + 3.01ε)/6 + ε/2 < 1.3ε of p_j for e < 1.3ε. The sum's rest is below g^13/13! < 2^−65. In all less than 2.1ε,
    and ε for the 53 bits, ε/2 for the last difference: below 4ε, an eighth of the margin of 32ε.

    A block beyond the table, which g's bound does not cover, is always decided exactly.
    """
    listed = np.minimum(block, len(law.ends) - 1)
    raw = words(len(block)) >> np.uint64(64 - _FINE)
    g = place.astype(np.float64)
    g *= 2 * law.width * listed + place
    g *= float(1 / (2 * law.variance))
    chance = np.ones(len(block))
    for j in range(_DEGREE, 0, -1):
        chance *= g
        chance *= -1 / j
        chance += 1
    below = raw * 2.0**-_FINE - chance
    kept = below < 0
    for at in np.flatnonzero((np.abs(below) <= _NEAR) | (block != listed)):
        kept[at] = _kept_exactly(law.exponent(int(block[at]), int(place[at])), int(raw[at]), words)
    return kept


def _kept_exactly(exponent: Fraction, known: int, words: Words) -> bool:
    """Whether U < e^−x, from the first 53 bits of U and as many more as it takes."""
    bits = _FINE
    while True:
        known, bits = _longer(known, bits, words)
        low, high = exp_of_minus(exponent, bits)
        if known + 1 <= low:
            return True
        if known >= high:
            return False


def _longer(known: int, bits: int, words: Words) -> tuple[int, int]:
    """The same U with 64 more bits."""
    return known << 64 | int(words(1)[0]), bits + 64
