"""The keys of one batch of scores: a secret half that stays with whoever asks, and a public half for the model's owner.

CKKS results carry the encryption's error in them: whoever has a ciphertext and what it decrypts to learns something of
the key, and two such pairs can give it away (Li and Micciancio, Eurocrypt 2021). So keys are made for one batch, and
what they decrypt is not given to whoever computed it.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cached_property
from typing import NoReturn

from privkit.he import contextbytes, guarded, requests
from privkit.he.ckks import ScoreParameters
from privkit.he.contextbytes import Keys, Layout
from privkit.he.contexts import named
from privkit.he.guarded import Guard


class PublicScoreKey:
    """What a model's owner computes with. It cannot decrypt.

    It has relinearisation keys where the parameters allow more than one multiplication, and no Galois keys: a program
    rotates nothing.

    Made by `SecretScoreKey.publish` or `from_bytes`.

    Attributes:
        parameters: The entry of the allow-list that it was checked against.
    """

    parameters: ScoreParameters
    _content: bytes
    _keys: Keys

    def __init__(self) -> None:
        raise TypeError("a PublicScoreKey is made by PublicScoreKey.from_bytes or SecretScoreKey.publish")

    @staticmethod
    def from_bytes(content: bytes, parameters: ScoreParameters) -> PublicScoreKey:
        """Takes the bytes that `to_bytes` gave, also those of a stranger: no native code reads them here.

        Args:
            content: A TenSEAL context.
            parameters: What it has to be of.

        Raises:
            CiphertextError: They are not exactly a public context of these parameters.
        """
        key = object.__new__(PublicScoreKey)
        with named("public key", parameters.name):
            key._keys = contextbytes.read(content, _layout(parameters, relin=needs_relin(parameters)), secret=False)
        key.parameters, key._content = parameters, bytes(content)
        return key

    def to_bytes(self) -> bytes:
        """The context as TenSEAL writes it; it can be shown to anybody."""
        return self._content

    @cached_property
    def id(self) -> str:
        """Which key pair it is of: SHA-256 of the public key alone, 64 hexadecimal digits."""
        return hashlib.sha256(self._keys.public).hexdigest()

    def native(self) -> bytes:
        """The same context put together anew, uncompressed: what the child loads."""
        return contextbytes.write(_layout(self.parameters, relin=needs_relin(self.parameters)), self._keys)

    def __repr__(self) -> str:
        return f"PublicScoreKey(parameters={self.parameters.name!r}, id={self.id!r})"


class SecretScoreKey:
    """The key pair of one batch. Whoever has it can decrypt the batch and its scores.

    Made by `new` or `from_bytes`. It shows its parameters, never its key, and refuses to be pickled or copied:
    `to_bytes` is the only way out.

    Attributes:
        parameters: What it is of.
    """

    parameters: ScoreParameters
    _content: bytes
    _keys: Keys

    def __init__(self) -> None:
        raise TypeError("a SecretScoreKey is made by SecretScoreKey.new or SecretScoreKey.from_bytes")

    @staticmethod
    def new(parameters: ScoreParameters, *, guard: Guard | None = None) -> SecretScoreKey:
        """Makes a fresh key pair; SEAL draws it with the operating system's randomness.

        Args:
            parameters: An entry of the allow-list.
            guard: A child process that runs already; one for this call by default.

        Raises:
            InterruptedRunError: The child died.
        """
        numbers = (parameters.degree, parameters.scale_bits, *parameters.bits)
        with guarded.using(guard) as child:
            content = child.ask(requests.NEW_APPROXIMATE, struct.pack(f"<{len(numbers)}Q", *numbers))
        return SecretScoreKey.from_bytes(content, parameters)

    @staticmethod
    def from_bytes(content: bytes, parameters: ScoreParameters) -> SecretScoreKey:
        """Takes the bytes that `to_bytes` gave.

        Args:
            content: A TenSEAL context with a public and a secret key and no other.
            parameters: What it has to be of.

        Raises:
            CiphertextError: They are not exactly a secret context of these parameters.
        """
        key = object.__new__(SecretScoreKey)
        with named("secret key", parameters.name):
            key._keys = contextbytes.read(content, _layout(parameters), secret=True)
        key.parameters, key._content = parameters, bytes(content)
        return key

    def publish(self, *, guard: Guard | None = None) -> PublicScoreKey:
        """The half for the model's owner; its relinearisation keys are made anew each time.

        Args:
            guard: A child process that runs already; one for this call by default.

        Raises:
            InterruptedRunError: The child died.
        """
        with guarded.using(guard) as child:
            child.load(self)
            content = child.ask(requests.PUBLISH, b"relin" if needs_relin(self.parameters) else b"")
        return PublicScoreKey.from_bytes(content, self.parameters)

    def to_bytes(self) -> bytes:
        """The context with its secret key, for a file that nobody but its owner can open."""
        return self._content

    @cached_property
    def id(self) -> str:
        """Which key pair it is: SHA-256 of the public key alone, 64 hexadecimal digits."""
        return hashlib.sha256(self._keys.public).hexdigest()

    def native(self) -> bytes:
        """The same context put together anew, uncompressed: what the child loads."""
        return contextbytes.write(_layout(self.parameters), self._keys)

    def __repr__(self) -> str:
        return f"SecretScoreKey(parameters={self.parameters.name!r}, id={self.id!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretScoreKey is not pickled or copied; write its to_bytes() to a private file")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def needs_relin(parameters: ScoreParameters) -> bool:
    """Whether ciphertexts are multiplied with each other, which makes them longer until they are relinearised."""
    return parameters.depth > 1


def _layout(parameters: ScoreParameters, *, relin: bool = False) -> Layout:
    moduli = parameters.coefficient_moduli
    written = parameters.written()
    return contextbytes.layout(parameters.key_id, parameters.degree, moduli, written, parameters.scale, relin=relin)
