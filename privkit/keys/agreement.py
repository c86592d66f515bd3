"""Secrets that two parties share without ever sending them: X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), AES-256-CTR.

A share's secret half is made for one session. What a pair derives from it is bound to whatever the caller passes as
`binding`: with another binding the same two shares give an unrelated seed.
"""

from __future__ import annotations

import os
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privkit.errors import VerificationError

SHARE_BYTES = 32
SEED_BYTES = 32
_BLOCK = b"\0" * 16


class AgreementSecret:
    """The secret half of an X25519 share. It shows its public half only, and refuses to be pickled or copied."""

    def __init__(self, secret: bytes | None = None) -> None:
        """Makes a fresh one, or reads the 32 bytes that `to_bytes` gave.

        Raises:
            ValueError: `secret` has another length.
        """
        self._key = X25519PrivateKey.from_private_bytes(os.urandom(SHARE_BYTES) if secret is None else secret)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def to_bytes(self) -> bytes:
        """The secret, 32 bytes: for a private file."""
        return self._key.private_bytes_raw()

    def seed(self, other: bytes, binding: bytes, purpose: bytes) -> bytes:
        """What this side and the other one derive alike, and nobody else can: 32 bytes.

        Args:
            other: The other side's public share, 32 bytes.
            binding: What both must agree on; HKDF's salt.
            purpose: What the seed is for; HKDF's info.

        Raises:
            VerificationError: `other` is a point of small order, which would give the same secret to everyone.
        """
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(other))
        except ValueError:
            raise VerificationError("the public share is no point that a secret could be agreed on with") from None
        return HKDF(algorithm=SHA256(), length=SEED_BYTES, salt=binding, info=purpose).derive(shared)

    def __repr__(self) -> str:
        return f"AgreementSecret(public={self.public.hex()!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("an AgreementSecret is not pickled or copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def check_share(public: bytes) -> None:
    """Refuses a public share before anything depends on it.

    Args:
        public: 32 bytes.

    Raises:
        VerificationError: It is a point of small order: whatever its secret half, everyone could know what is derived.
    """
    AgreementSecret().seed(public, b"", b"")  # whether a point has small order shows with every secret


class KeyStream:
    """A stream of bytes from a seed: AES-256 in counter mode over zeros. A seed makes one stream, from its start."""

    def __init__(self, seed: bytes) -> None:
        """Starts the stream.

        Raises:
            ValueError: `seed` has not 32 bytes.
        """
        self._cipher = Cipher(AES256(seed), CTR(_BLOCK)).encryptor()

    def take(self, size: int) -> bytes:
        """The next bytes.

        Args:
            size: How many.
        """
        return self._cipher.update(bytes(size))
