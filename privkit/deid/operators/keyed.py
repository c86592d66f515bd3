"""Operators that write what only a key can make: pseudonyms and keyed hashes."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from privkit.deid.operators.base import TextOperator
from privkit.keys.keyfile import Key
from privkit.keys.tokens import Tokens
from privkit.model.operators import KeyedHash, Pseudonym


class PseudonymOperator(TextOperator):
    """Tokens: reversible where the key is kept and the policy wants it, short ones that nobody reverses otherwise."""

    def __init__(self, spec: Pseudonym, entity: str | None, key: Key) -> None:
        tokens = Tokens(key)
        self._make = tokens.seal_many if key.kept and spec.reversible else tokens.hash_many
        self._entity = entity or ""

    def replaced(self, values: Sequence[str]) -> Sequence[str]:
        """A token for each value."""
        return self._make(values, self._entity)


class KeyedHashOperator(TextOperator):
    """HMAC-SHA-256 of the value alone, so equal values agree whatever entity type they were taken for."""

    def __init__(self, spec: KeyedHash, key: Key) -> None:
        self._secret = key.derive("keyed hash: HMAC-SHA-256")
        self._length = spec.length

    def replaced(self, values: Sequence[str]) -> Sequence[str]:
        """Hexadecimal digits for each value."""
        secret, length = self._secret, self._length
        return [
            hmac.digest(secret, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:length] for value in values
        ]
