"""The bytes of a TenSEAL context: its parameters and keys, taken apart and put together.

Fields of TenSEAL's message (its tensealcontext.proto): 1 the parameters; 2 the public part, of which 1 the public key,
2 flags, 3 the scale, 4 relinearisation keys; 3 the private part, of which 1 the secret key.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

from privkit.he import structure
from privkit.he.encoding import Reader, field
from privkit.he.objects import uncompressed, unpack
from privkit.he.structure import Form, KeySwitchingForm

_PARAMETERS, _PUBLIC, _PRIVATE, _KEY, _RELIN = b"\x0a", b"\x12", b"\x1a", b"\x0a", b"\x22"
_FLAGS = b"\x10\x07\x19"  # relinearise, rescale and switch moduli by itself; then the scale's tag


@dataclass(frozen=True)
class Layout:
    """What a context of some parameters has to look like.

    Attributes:
        parameters: SEAL's encryption parameters, uncompressed.
        public: The form of its public key.
        secret: The form of its secret key.
        scale: CKKS's Δ; -1 in BFV.
        relin: The form of its relinearisation keys; None where it has none.
    """

    parameters: bytes
    public: Form
    secret: Form
    scale: float
    relin: KeySwitchingForm | None = None

    @cached_property
    def flags(self) -> bytes:
        """The flags and the scale."""
        return _FLAGS + struct.pack("<d", self.scale)


@dataclass(frozen=True)
class Keys:
    """A context's keys, uncompressed and checked. Not for showing: one may be secret.

    Attributes:
        public: The public key.
        relin: The relinearisation keys.
        secret: The secret key.
        public_size: Bytes of the part of the encoding that can be shown.
    """

    public: bytes
    relin: bytes | None
    secret: bytes | None
    public_size: int

    def __repr__(self) -> str:
        return "Keys()"


def layout(
    key_id: bytes, degree: int, moduli: tuple[int, ...], parameters: bytes, scale: float, *, relin: bool = False
) -> Layout:
    """The layout of a context with these primes, the special one last."""
    public = structure.ciphertext_form(key_id, degree, moduli, ntt=True)
    switching = KeySwitchingForm(key_id, public, len(moduli) - 1) if relin else None
    return Layout(parameters, public, structure.secret_form(key_id, degree, moduli), scale, switching)


def read(content: bytes, wanted: Layout, *, secret: bool) -> Keys:
    """Takes a context apart.

    Args:
        content: The bytes.
        wanted: What they have to be.
        secret: Whether there has to be a secret key; otherwise there must be none.

    Raises:
        CiphertextError: They are not exactly that.
    """
    reader = Reader(content)
    written = unpack(reader.field(_PARAMETERS, 2 * len(wanted.parameters)), len(wanted.parameters))
    Reader(written).expect(wanted.parameters, "the list of parameters")
    largest = 2 * (wanted.public.size + (wanted.relin.size if wanted.relin else 0))
    inside = Reader(reader.field(_PUBLIC, largest))
    public = _key(inside, _KEY, wanted.public)
    inside.expect(wanted.flags, "the end of its public part")
    relin = _key(inside, _RELIN, wanted.relin) if wanted.relin else None
    inside.end()
    size = reader.place
    private = _private(reader, wanted.secret) if secret else None
    reader.end()
    return Keys(public, relin, private, size)


def write(wanted: Layout, keys: Keys) -> bytes:
    """The same context, uncompressed: what native code is given to read."""
    public = field(_KEY, uncompressed(keys.public)) + wanted.flags
    if keys.relin is not None:
        public += field(_RELIN, uncompressed(keys.relin))
    written = field(_PARAMETERS, uncompressed(wanted.parameters)) + field(_PUBLIC, public)
    if keys.secret is not None:
        written += field(_PRIVATE, field(_KEY, uncompressed(keys.secret)))
    return written


def _private(reader: Reader, form: Form) -> bytes:
    inside = Reader(reader.field(_PRIVATE, 2 * form.size))
    key = _key(inside, _KEY, form)
    inside.end()
    return key


def _key(reader: Reader, tag: bytes, form: Form | KeySwitchingForm) -> bytes:
    key = unpack(reader.field(tag, 2 * form.size), form.size)
    form.check(key)
    return key
