"""Contexts: the keys of a sum. Two types, so that nobody decrypts with what others were given.

Both are bytes that were taken apart and checked; native code sees them only in the guarded child.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import NoReturn

from privkit.errors import CiphertextError
from privkit.he import contextbytes, guarded, requests
from privkit.he.contextbytes import Keys, Layout
from privkit.he.guarded import Guard
from privkit.he.parameters import Parameters


class PublicContext:
    """What a party encrypts and adds with: parameters and a public key. It cannot decrypt.

    Made by `SecretContext.public` or `from_bytes`.

    Attributes:
        parameters: The entry of the allow-list that it was checked against.
    """

    parameters: Parameters
    _content: bytes
    _keys: Keys

    def __init__(self) -> None:
        raise TypeError("a PublicContext is made by PublicContext.from_bytes or SecretContext.public")

    @staticmethod
    def from_bytes(content: bytes, parameters: Parameters) -> PublicContext:
        """Takes the bytes that `to_bytes` gave, also those of a stranger: no native code reads them here.

        Args:
            content: A TenSEAL context with a public key and no other.
            parameters: What it has to be of.

        Raises:
            CiphertextError: They are not exactly a public context of these parameters.
        """
        with named("public context", parameters.name):
            keys = contextbytes.read(content, _layout(parameters), secret=False)
        return _public(content, keys, parameters)

    def to_bytes(self) -> bytes:
        """The context as TenSEAL writes it; it can be shown to anybody."""
        return self._content

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of `to_bytes`, 64 hexadecimal digits: what messages bind themselves to."""
        return hashlib.sha256(self._content).hexdigest()

    def native(self) -> bytes:
        """The same context put together anew, uncompressed: what the child loads."""
        return contextbytes.write(_layout(self.parameters), self._keys)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicContext):
            return NotImplemented
        return self.parameters == other.parameters and self._content == other._content

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"PublicContext(parameters={self.parameters.name!r}, sha256={self.sha256!r})"


class SecretContext:
    """A key pair of one session. Whoever has it can decrypt everything that was encrypted for it.

    Made by `new` or `from_bytes`. It shows its public half, never its key, and refuses to be pickled or copied:
    `to_bytes` is the only way out.

    Attributes:
        parameters: What it is of.
        public: What others are given.
    """

    parameters: Parameters
    public: PublicContext
    _content: bytes
    _keys: Keys

    def __init__(self) -> None:
        raise TypeError("a SecretContext is made by SecretContext.new or SecretContext.from_bytes")

    @staticmethod
    def new(parameters: Parameters, *, guard: Guard | None = None) -> SecretContext:
        """Makes a fresh key pair; SEAL draws it with the operating system's randomness.

        Args:
            parameters: An entry of the allow-list.
            guard: A child process that runs already; one for this call by default.

        Raises:
            InterruptedRunError: The child died.
        """
        numbers = guarded.numbered(parameters.degree) + guarded.numbered(parameters.plain_modulus)
        with guarded.using(guard) as child:
            return SecretContext.from_bytes(child.ask(requests.NEW, numbers), parameters)

    @staticmethod
    def from_bytes(content: bytes, parameters: Parameters) -> SecretContext:
        """Takes the bytes that `to_bytes` gave.

        Args:
            content: A TenSEAL context with a public and a secret key and no other.
            parameters: What it has to be of.

        Raises:
            CiphertextError: They are not exactly a secret context of these parameters.
        """
        with named("secret context", parameters.name):
            keys = contextbytes.read(content, _layout(parameters), secret=True)
        context = object.__new__(SecretContext)
        context.parameters = parameters
        context.public = _public(content[: keys.public_size], replace(keys, secret=None), parameters)
        context._content, context._keys = bytes(content), keys
        return context

    def to_bytes(self) -> bytes:
        """The context with its secret key, for a file that nobody but its owner can open."""
        return self._content

    def native(self) -> bytes:
        """The same context put together anew, uncompressed: what the child loads."""
        return contextbytes.write(_layout(self.parameters), self._keys)

    def __repr__(self) -> str:
        return f"SecretContext(public={self.public!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretContext is not pickled or copied; write its to_bytes() to a private file")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


@contextmanager
def named(what: str, parameters: str) -> Iterator[None]:
    """Says what was being read when something did not fit.

    Raises:
        CiphertextError: In the place of another.
    """
    try:
        yield
    except CiphertextError as err:
        raise CiphertextError(f"this is no {what} of {parameters}: {err.message}") from None


def _layout(parameters: Parameters) -> Layout:
    moduli = parameters.coefficient_moduli
    return contextbytes.layout(parameters.key_id, parameters.degree, moduli, parameters.written(), -1.0)


def _public(content: bytes, keys: Keys, parameters: Parameters) -> PublicContext:
    context = object.__new__(PublicContext)
    context.parameters, context._content, context._keys = parameters, bytes(content), keys
    return context
