"""Pairwise masks modulo t: what hides one party's vector from the key holder, and cancels in the sum of all.

Of each pair, the party that stands first in the roster adds the mask and the other subtracts it. A mask is uniform
modulo t, from a stream that both derive from their shares, so any sum that lacks one of the parties is uniform too.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from privkit.keys.agreement import KeyStream

Integers = npt.NDArray[np.int64]
_AT_ONCE = 1 << 16  # words at the most: a short mask takes no more of the stream than it needs


def mask(seed: bytes, modulus: int, length: int) -> Integers:
    """Numbers that are uniform modulo `modulus`, the same for everyone who has the seed.

    Each 64-bit word of the stream is cut to the modulus's bits and left out where that is not below the modulus
    (rejection sampling), so that no residue is likelier than another.

    Args:
        seed: 32 bytes, for this modulus alone.
        modulus: 2 … 2^62.
        length: How many.

    Returns:
        int64, shape (length,), each 0 … modulus − 1.
    """
    stream, kept = KeyStream(seed), np.empty(length, dtype=np.int64)
    low_bits = np.uint64((1 << (modulus - 1).bit_length()) - 1)
    filled = 0
    while filled < length:
        words = np.frombuffer(stream.take(8 * min(_AT_ONCE, length - filled)), dtype="<u8") & low_bits
        words = words[words < modulus]
        kept[filled : filled + len(words)] = words
        filled += len(words)
    return kept


def masked(values: Integers, modulus: int, added: Iterable[bytes], subtracted: Iterable[bytes]) -> Integers:
    """Values plus the masks of some seeds, less those of others.

    Args:
        values: int64, shape (n,), each 0 … modulus − 1.
        modulus: 2 … 2^62: sums of two stay within 64 bits.
        added: Seeds of the pairs in which this party stands first.
        subtracted: Seeds of the others.

    Returns:
        int64, shape (n,), each 0 … modulus − 1.
    """
    total = values.copy()
    for seed in added:
        total = (total + mask(seed, modulus, len(values))) % modulus
    for seed in subtracted:
        total = (total - mask(seed, modulus, len(values))) % modulus
    return total
