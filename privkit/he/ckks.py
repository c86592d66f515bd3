"""The parameters that scores may be computed with: an allow-list by depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from privkit.he import structure
from privkit.he.primes import largest_primes

CKKS = 2
"""SEAL's number of the scheme."""
# Bits of all primes together that leave 128 bits of security (homomorphicencryption.org, 2018; SEAL enforces them).
_MOST_BITS = {8192: 218, 16384: 438}
_LARGEST_SCALE = 40
_HEAD_ROOM = 8  # bits of the last prime above the scale: values up to 2^7 do not wrap
_SPECIAL_ROOM = 12  # bits of the special prime above the scale: what key switching adds is divided by it


@dataclass(frozen=True)
class ScoreParameters:
    """CKKS parameters of one depth.

    Attributes:
        name: What specifications call them.
        degree: N; a ciphertext has N / 2 slots.
        depth: How many multiplications in a row they allow, each followed by a division by one prime.
        scale_bits: log2 of Δ: a number x is held as the integer nearest to x·Δ.
    """

    name: str
    degree: int
    depth: int
    scale_bits: int

    @property
    def slots(self) -> int:
        """Numbers of one ciphertext."""
        return self.degree // 2

    @property
    def scale(self) -> float:
        """Δ."""
        return 2.0**self.scale_bits

    @property
    def bits(self) -> tuple[int, ...]:
        """Bits of each prime, as SEAL is asked for them."""
        middle = (self.scale_bits,) * self.depth
        return (self.scale_bits + _HEAD_ROOM, *middle, self.scale_bits + _SPECIAL_ROOM)

    @cached_property
    def coefficient_moduli(self) -> tuple[int, ...]:
        """The primes; the last is special: keys have it, ciphertexts not."""
        return largest_primes(self.degree, self.bits)

    def level_moduli(self, level: int) -> tuple[int, ...]:
        """The primes that are left after `level` multiplications."""
        return self.coefficient_moduli[: len(self.coefficient_moduli) - 1 - level]

    def form(self, level: int) -> structure.Form:
        """What a ciphertext looks like after `level` multiplications."""
        moduli = self.level_moduli(level)
        level_id = structure.parms_id(CKKS, self.degree, moduli, 0)
        return structure.ciphertext_form(level_id, self.degree, moduli, ntt=True, scale=self.scale)

    @property
    def key_bytes(self) -> int:
        """Uncompressed bytes of a public context: public key, and relinearisation keys where there are any."""
        one = 2 * len(self.coefficient_moduli) * self.degree * 8
        return one * (1 + (len(self.coefficient_moduli) - 1 if self.depth > 1 else 0))

    @property
    def key_id(self) -> bytes:
        """SEAL's `parms_id` of keys, 32 bytes."""
        return structure.parms_id(CKKS, self.degree, self.coefficient_moduli, 0)

    def written(self) -> bytes:
        """The parameters as SEAL writes them, uncompressed."""
        return structure.parameters_bytes(CKKS, self.degree, self.coefficient_moduli, 0)

    @property
    def rounding_noise(self) -> float:
        """Standard deviation, in a slot, of what each division by a prime adds, also the one that ends encryption.

        The division rounds both polynomials: errors uniform in ±1/2, one of them times the ternary key, so of variance
        1/12 + N·(2/3)/12 in a coefficient; a slot is a sum of N coefficients with factors of size 1.
        """
        return math.sqrt(self.degree * (1 + self.degree * 2 / 3) / 12) / self.scale


def _deep(depth: int) -> ScoreParameters:
    degree = 16384
    room = _MOST_BITS[degree] - _HEAD_ROOM - _SPECIAL_ROOM
    return ScoreParameters(f"ckks-{degree}-{depth}", degree, depth, min(_LARGEST_SCALE, room // (depth + 2)))


ALLOWED: Mapping[str, ScoreParameters] = MappingProxyType(
    {
        entry.name: entry
        for entry in (ScoreParameters("ckks-8192-1", 8192, 1, _LARGEST_SCALE), *map(_deep, range(5, 11)))
    }
)
"""Every set of parameters that a specification may name, by name: one for each depth that a model can need."""


def of_depth(depth: int) -> ScoreParameters:
    """The entry with just enough depth.

    Raises:
        KeyError: None is so deep.
    """
    return ALLOWED[min((entry.depth, entry.name) for entry in ALLOWED.values() if entry.depth >= depth)[1]]
