"""The bytes of TenSEAL and SEAL, taken apart and put together without either of them.

SEAL's own reader trusts lengths that stand in the bytes and ends the process on some of them; TenSEAL reads past the
end of a ciphertext whose `sizes` lie. So native code gets nothing that this module has not read first: everything that
the parameters determine is compared byte for byte, every number that they leave open is checked against its modulus.

Layouts, as SEAL 4.3 writes them (serialization.h, ciphertext.cpp, plaintext.cpp, dynarray.h, encryptionparams.cpp):

    ciphertext    parms_id, 32 bytes | NTT form, 1 byte | polynomials, degree, moduli: u64 each | scale, f64
                  | correction factor, u64 | object, uncompressed: how many words, u64 | the words, u64 each
    secret key    parms_id | how many words, u64 | scale, f64 | object, uncompressed: how many words | the words
    parameters    scheme, 1 byte | degree, how many moduli: u64 each | each modulus and the plain modulus, an
                  uncompressed object with one u64

and TenSEAL's vectors are Protocol Buffers: field 1 the sizes, packed; field 2 each ciphertext; field 3 CKKS's scale.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from privkit.errors import CiphertextError
from privkit.he.encoding import Reader, varint
from privkit.he.objects import HEAD_BYTES, object_head, uncompressed, unpack

_WORD = 8


@dataclass(frozen=True)
class Form:
    """What an array of residues has to look like inside: a ciphertext, a public key or a secret key.

    Attributes:
        head: Every byte before the words; the parameters determine them all.
        polynomials: How many; 2 for a fresh ciphertext.
        degree: N, words of one polynomial modulo one prime.
        moduli: The primes.
    """

    head: bytes
    polynomials: int
    degree: int
    moduli: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.head) + self.polynomials * len(self.moduli) * self.degree * _WORD

    @cached_property
    def largest(self) -> npt.NDArray[np.uint64]:
        """uint64 array (1, moduli): the largest residue of each prime."""
        return np.array([self.moduli], dtype=np.uint64) - np.uint64(1)

    def check(self, inner: bytes | memoryview) -> None:
        """Refuses whatever is not exactly of this form, and a ciphertext that hides nothing.

        Args:
            inner: The object's bytes, uncompressed.

        Raises:
            CiphertextError: A byte that the parameters determine differs, a word is no residue, or the last
                polynomial is zero, so that no key is needed to read the first.
        """
        if len(inner) != self.size or inner[: len(self.head)] != self.head:
            raise CiphertextError("its head is not that of the parameters")
        words = np.frombuffer(inner, dtype="<u8", offset=len(self.head))
        words = words.reshape(self.polynomials, len(self.moduli), self.degree)
        if (words.max(axis=2) > self.largest).any():
            raise CiphertextError("a coefficient is not below its modulus")
        if not words[-1].any():
            raise CiphertextError("its last polynomial is zero: it hides nothing")


def ciphertext_form(
    parms_id: bytes,
    degree: int,
    moduli: tuple[int, ...],
    *,
    ntt: bool = False,
    polynomials: int = 2,
    scale: float = 1.0,
) -> Form:
    """The form of a ciphertext or a public key.

    Args:
        parms_id: SEAL's name of the level, 32 bytes.
        degree: N.
        moduli: The level's primes.
        ntt: Whether the polynomials are in NTT form: keys, and everything in CKKS.
        polynomials: How many.
        scale: CKKS's; 1 in BFV.
    """
    words = polynomials * len(moduli) * degree
    head = parms_id + struct.pack("<BQQQdQ", ntt, polynomials, degree, len(moduli), scale, 1)
    return Form(head + _array_head(words), polynomials, degree, moduli)


def secret_form(key_id: bytes, degree: int, moduli: tuple[int, ...]) -> Form:
    """The form of a secret key: one polynomial modulo each prime."""
    words = len(moduli) * degree
    return Form(key_id + struct.pack("<Qd", words, 1.0) + _array_head(words), 1, degree, moduli)


def parms_id(scheme: int, degree: int, moduli: tuple[int, ...], plain_modulus: int) -> bytes:
    """How SEAL names parameters: BLAKE2b, 32 bytes, of their 64-bit little-endian words (its encryptionparams.cpp).

    Args:
        scheme: 1 for BFV, 2 for CKKS.
        degree: N.
        moduli: Primes of the level, in order.
        plain_modulus: t; 0 for CKKS.
    """
    words = (scheme, degree, *moduli, plain_modulus)
    return hashlib.blake2b(struct.pack(f"<{len(words)}Q", *words), digest_size=32).digest()


def parameters_bytes(scheme: int, degree: int, moduli: tuple[int, ...], plain_modulus: int) -> bytes:
    """SEAL's encryption parameters, uncompressed and without a header: all of them known beforehand."""
    written = [struct.pack("<BQQ", scheme, degree, len(moduli))]
    written += [uncompressed(struct.pack("<Q", modulus)) for modulus in (*moduli, plain_modulus)]
    return b"".join(written)


@dataclass(frozen=True)
class KeySwitchingForm:
    """What relinearisation keys have to look like: for each prime of the data one public key (kswitchkeys.h).

    Attributes:
        key_id: SEAL's `parms_id` of keys, 32 bytes.
        key: The form of each.
        count: How many.
    """

    key_id: bytes
    key: Form
    count: int

    @cached_property
    def head(self) -> bytes:
        """Every byte before the first key: how many sets of keys there are, and how many keys in it."""
        return self.key_id + struct.pack("<QQ", 1, self.count)

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.head) + self.count * (HEAD_BYTES + self.key.size)

    def check(self, inner: bytes) -> None:
        """Refuses whatever is not exactly of this form.

        Raises:
            CiphertextError: As `Form.check`.
        """
        reader = Reader(inner)
        reader.expect(self.head, "the head of the keys")
        for _ in range(self.count):
            reader.expect(object_head(self.key.size), "the head of a key")
            self.key.check(reader.take(self.key.size))
        reader.end()


class Vector(NamedTuple):
    """A TenSEAL vector whose outside was read: sizes, lengths and headers fit; the ciphertexts wait to be unpacked.

    Attributes:
        form: What each ciphertext has to look like.
        packed: The ciphertexts, compressed.
    """

    form: Form
    packed: list[memoryview]

    def ciphertexts(self) -> Iterator[bytes]:
        """The ciphertexts, unpacked and checked, one after the other.

        Raises:
            CiphertextError: One is not of the form.
        """
        for number, packed in enumerate(self.packed, 1):
            try:
                inner = unpack(packed, self.form.size)
                self.form.check(inner)
            except CiphertextError as err:
                raise CiphertextError(f"ciphertext {number} of {len(self.packed)}: {err.message}") from None
            yield inner


def read_vector(content: bytes, form: Form, length: int, slots: int, tail: bytes = b"") -> Vector:
    """Takes a TenSEAL vector of known length apart.

    Args:
        content: The vector.
        form: What each of its ciphertexts has to look like.
        length: How many values it has to hold.
        slots: Values of one ciphertext; all but the last have so many.
        tail: What has to follow the ciphertexts.

    Raises:
        CiphertextError: The sizes are others, there are more or fewer ciphertexts, or anything else stands there.
    """
    sizes = chunks(length, slots)
    if not sizes:
        raise CiphertextError("it holds no value")
    reader = Reader(content)
    reader.expect(_sizes_field(sizes), "the list of sizes")
    packed = [reader.field(b"\x12", 2 * form.size) for _ in sizes]
    reader.expect(tail, "the end")
    reader.end()
    return Vector(form, packed)


def write_vector(objects: Sequence[bytes | memoryview], length: int, slots: int, tail: bytes = b"") -> bytes:
    """A TenSEAL vector of SEAL objects: the inverse of `read_vector`."""
    written: list[bytes | memoryview] = [_sizes_field(chunks(length, slots))]
    for one in objects:
        written += (b"\x12", varint(len(one)), one)
    return b"".join((*written, tail))


def chunks(length: int, slots: int) -> list[int]:
    """How TenSEAL spreads values over ciphertexts: each full but the last."""
    return [min(slots, length - start) for start in range(0, length, slots)]


def _sizes_field(sizes: list[int]) -> bytes:
    packed = b"".join(map(varint, sizes))
    return b"\x0a" + varint(len(packed)) + packed


def _array_head(words: int) -> bytes:
    return object_head(_WORD + words * _WORD) + struct.pack("<Q", words)
