"""Signed integers as residues modulo the plain moduli of a few encrypted vectors, and back.

Every slot has a residue in the first vector; slots that can grow too large for its modulus have further ones in the
vectors after it. Where 2·highest < t₁·t₂·…, the residues say which signed integer it was (Chinese remainder theorem).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """Slots that are alike.

    Attributes:
        size: Number of slots.
        highest: Largest absolute value that their sum can have.
    """

    size: int
    highest: int


@dataclass(frozen=True)
class Packing:
    """How a flat vector is laid out.

    Attributes:
        spans: Its slots, from the first to the last.
        moduli: Plain modulus of each encrypted vector.
    """

    spans: tuple[Span, ...]
    moduli: tuple[int, ...]

    def __post_init__(self) -> None:
        assert all(self.residues(span) <= len(self.moduli) for span in self.spans), "a slot does not fit the moduli"

    def residues(self, span: Span) -> int:
        """In how many vectors a span's slots have a residue."""
        return next(
            (count for count in range(1, len(self.moduli) + 1) if 2 * span.highest < prod(self.moduli[:count])),
            len(self.moduli) + 1,
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Slots of each encrypted vector."""
        return tuple(
            sum(span.size for span in self.spans if self.residues(span) > channel)
            for channel in range(len(self.moduli))
        )

    def split(self, flat: Integers) -> tuple[Integers, ...]:
        """The residues of every slot.

        Args:
            flat: int64, shape (sum of the spans' sizes,).

        Returns:
            For each modulus int64, shape (its length,), each 0 … modulus − 1.
        """
        return tuple(
            np.concatenate([flat[start:stop] for start, stop in self._bounds(channel)]) % modulus
            for channel, modulus in enumerate(self.moduli)
        )

    def joined(self, residues: Sequence[Integers]) -> Integers:
        """The signed integers whose residues these are.

        Args:
            residues: As `split` gives them.

        Returns:
            int64, shape (sum of the spans' sizes,).

        Raises:
            OverflowError: A value is beyond 64 bits, which no span allows that was declared so.
        """
        flat = np.empty(sum(span.size for span in self.spans), dtype=np.int64)
        taken, start = [0] * len(self.moduli), 0
        for span in self.spans:
            count, parts = self.residues(span), []
            for channel in range(count):
                parts.append(residues[channel][taken[channel] : taken[channel] + span.size])
                taken[channel] += span.size
            flat[start : start + span.size] = _centred(parts, self.moduli[:count])
            start += span.size
        return flat

    def _bounds(self, channel: int) -> list[tuple[int, int]]:
        found, start = [], 0
        for span in self.spans:
            if self.residues(span) > channel:
                found.append((start, start + span.size))
            start += span.size
        return found


def _centred(parts: Sequence[Integers], moduli: Sequence[int]) -> Integers:
    """The value nearest to 0 with these residues (Garner's form of the Chinese remainder theorem)."""
    if len(moduli) == 1:
        found: Integers = np.where(parts[0] > moduli[0] // 2, parts[0] - moduli[0], parts[0])
        return found
    value, product = parts[0].astype(object), moduli[0]
    for part, modulus in zip(parts[1:], moduli[1:], strict=True):
        value = value + product * ((part.astype(object) - value) * pow(product, -1, modulus) % modulus)
        product *= modulus
    wide = [int(v) - product if 2 * int(v) > product else int(v) for v in value]
    return np.array(wide, dtype=np.int64)
