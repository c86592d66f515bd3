"""The parameters that a sum may be computed with: an allow-list, and how many parties each is exact for."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from privkit.errors import StudyError
from privkit.he import structure

BFV = 1
"""SEAL's number of the scheme."""
LARGEST_ERROR = 21
"""SEAL draws its errors from a centred binomial distribution of 42 bits: no coefficient exceeds 21."""
# What SEAL takes for degree 4096 at 128 bits of security (homomorphicencryption.org, 2018: at most 109 bits).
_DEGREE = 4096
_COEFFICIENT_MODULI = (68719403009, 68719230977, 137438822401)
# Primes that are 1 modulo 2 * 4096, the largest below 2^46 and 2^50: so that each slot is a number of its own.
_PLAIN_MODULI = {
    46: (70368743669761, 70368743587841, 70368743489537, 70368743374849),
    50: (1125899906826241, 1125899906629633, 1125899906424833, 1125899906260993),
}


@dataclass(frozen=True)
class Parameters:
    """BFV parameters of one channel of a sum.

    Attributes:
        name: What manifests call them.
        degree: N, the degree of the polynomial modulus; also the slots of a ciphertext.
        coefficient_moduli: The primes of the coefficient modulus; the last is special: keys have it, ciphertexts not.
        plain_modulus: t, a prime that is 1 modulo 2N.
        most_parties: Sums of so many fresh ciphertexts decrypt exactly, whatever was drawn; see `noise_bound`.
    """

    name: str
    degree: int
    coefficient_moduli: tuple[int, ...]
    plain_modulus: int
    most_parties: int

    @property
    def data_moduli(self) -> tuple[int, ...]:
        """The primes that a ciphertext is computed with; their product is q."""
        return self.coefficient_moduli[:-1]

    @property
    def key_id(self) -> bytes:
        """SEAL's `parms_id` of keys, 32 bytes."""
        return structure.parms_id(BFV, self.degree, self.coefficient_moduli, self.plain_modulus)

    @property
    def data_id(self) -> bytes:
        """SEAL's `parms_id` of ciphertexts, 32 bytes."""
        return structure.parms_id(BFV, self.degree, self.data_moduli, self.plain_modulus)

    def written(self) -> bytes:
        """The parameters as SEAL writes them, uncompressed."""
        return structure.parameters_bytes(BFV, self.degree, self.coefficient_moduli, self.plain_modulus)

    @property
    def sha256(self) -> str:
        """Names every number of the parameters: 64 hexadecimal digits, for a manifest to bind."""
        numbers = (self.degree, *self.coefficient_moduli, self.plain_modulus)
        return hashlib.sha256(f"bfv {' '.join(map(str, numbers))}".encode()).hexdigest()


def noise_bound(degree: int, special: int) -> int:
    """The largest coefficient, in absolute value, of the noise in one fresh public-key BFV ciphertext of SEAL.

    SEAL (encryptor.cpp, rlwe.cpp) encrypts zero modulo q·p as (b·u + e0, a·u + e1), where b = -(a·s + e), u and s have
    coefficients -1, 0, 1 and those of e, e0, e1 are at most B = `LARGEST_ERROR`. Under s that is e0 + e1·s - e·u: at
    most (2N + 1)·B. It then divides by the special prime p and rounds both halves: the first is at most (2N + 1)·B / p,
    the rounding adds 1/2 + N/2 (the second half's is multiplied by s). Adding the message, scaled by q/t and rounded,
    adds 1/2.

    A sum of n ciphertexts has at most n times that, and decrypts to the sum of the messages modulo t as long as
    2·t·n·noise < q: Brakerski's and Fan and Vercauteren's condition (eprint 2012/144), with the sum's wraps modulo t
    adding whole multiples of q.

    Args:
        degree: N.
        special: p.
    """
    divided = -(-(2 * degree + 1) * LARGEST_ERROR // special)
    return divided + degree // 2 + 1


def _parameters(bits: int, number: int, plain_modulus: int) -> Parameters:
    *data, special = _COEFFICIENT_MODULI
    most = (math.prod(data) - 1) // (2 * plain_modulus * noise_bound(_DEGREE, special))
    return Parameters(f"bfv-{_DEGREE}-{bits}-{number}", _DEGREE, _COEFFICIENT_MODULI, plain_modulus, most)


ALLOWED: Mapping[str, Parameters] = MappingProxyType(
    {
        entry.name: entry
        for bits, plain_moduli in _PLAIN_MODULI.items()
        for entry in (_parameters(bits, number, modulus) for number, modulus in enumerate(plain_moduli, 1))
    }
)
"""Every set of parameters that a study may name, by name."""


def choose(highest: int, parties: int) -> tuple[Parameters, ...]:
    """The fewest channels in which a total of `parties` numbers is exact.

    A total lies in -highest..highest; it is computed modulo the plain modulus of each channel, and their product
    exceeds 2 * highest, so the residues say which number it is (Chinese remainder theorem).

    Args:
        highest: The largest absolute value that the total can have.
        parties: How many ciphertexts are added.

    Returns:
        One entry of `ALLOWED` a channel, all different.

    Raises:
        StudyError: No channels of the allow-list are enough.
    """
    if highest < 0 or parties < 1:
        raise StudyError(f"a total of {parties} parties within ±{highest} is no total")
    fitting = [entry for entry in ALLOWED.values() if parties <= entry.most_parties]
    sizes = sorted({entry.plain_modulus.bit_length() for entry in fitting})
    for channels in range(1, len(ALLOWED) + 1):
        for bits in sizes:
            taken = tuple(entry for entry in fitting if entry.plain_modulus.bit_length() == bits)[:channels]
            if len(taken) == channels and math.prod(entry.plain_modulus for entry in taken) > 2 * highest:
                return taken
    raise StudyError(
        f"totals of {parties} parties up to {highest.bit_length()} bits do not fit: {_what_fits()}",
        hint="Narrow the bounds of the columns, lower max_units, or take a coarser grid.",
    )


def _what_fits() -> str:
    texts = []
    for bits, plain_moduli in _PLAIN_MODULI.items():
        most = min(entry.most_parties for entry in ALLOWED.values() if entry.plain_modulus in plain_moduli)
        texts.append(f"up to {math.prod(plain_moduli).bit_length() - 2} bits for {most} parties ({bits}-bit channels)")
    return ", ".join(texts)
