"""Tokens that stand in place of values: reversible ones, sealed with AES-SIV, and short ones made with HMAC.

    PERSON_k7qzd5mw…   `k`: reversible. 4 characters that name the key, then the sealed value in base32 (RFC 4648
                       letters in lower case, no `=`): 52 characters for values under 16 bytes of UTF-8, 77 under 32, …
    PERSON_xa3f9…      `x`: 16 base32 characters (80 bits) of HMAC-SHA-256; nobody can reverse it.

Reversible tokens are AES-SIV (RFC 5297) with a 512-bit key over the value's UTF-8, padded (ISO/IEC 7816-4) to a
multiple of 16 bytes, with the entity type as associated data: equal values of one entity type under one key give equal
tokens, and a token that was altered in any place does not open. Length shows in steps of 16 bytes.

Equal tokens tell that the values are equal, and how often a token comes up is how often its value does. Use one key
for each recipient, so that two of them cannot join what they got.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit.errors import InputError, KeyFileError
from privkit.keys.keyfile import Key

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?P<entity>[A-Z][A-Z0-9_]*)_"
    r"(?:k(?P<key>[a-z2-7]{4})(?P<body>[a-z2-7]{52,})|x(?P<hash>[a-z2-7]{16}))(?![A-Za-z0-9_])"
)
"""A whole token inside running text; a reversible one's `body` has 52, 77, 103, … characters (`body_length`)."""

# Tokens stand beside other letters where a text has no spaces, so the searching pattern has no boundaries; and it takes
# bodies that are too short, so that a token cut off by a column's width is noticed.
_LOOSE = re.compile(r"[A-Z][A-Z0-9_]*_k[a-z2-7]{12,}")
_HEAD = re.compile(r"(?P<entity>[A-Z][A-Z0-9_]*)_k(?P<key>[a-z2-7]{4})(?P<body>[a-z2-7]*)")
_BLOCK = 16
_SIV = 16
_KEY_CHARACTERS = 4
_HASH_BYTES = 10
_LONGEST_ENTITY = 64
_CODES = np.frombuffer(ALPHABET.encode(), np.uint8)
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_VALUE_OF = {ord(character): format(number, "05b") for number, character in enumerate(ALPHABET)}

TokenKind = Literal["own", "foreign", "altered"]


class Restored(NamedTuple):
    """A text after its tokens were opened.

    Attributes:
        text: With every token of this key replaced by its value.
        opened: How many were.
        foreign: How many reversible tokens of other keys stand in it still.
    """

    text: str
    opened: int
    foreign: int


class Tokens:
    """Makes and opens the tokens of one key.

    Args:
        key: Its secret is used through derived keys only.
    """

    def __init__(self, key: Key) -> None:
        self.key_id = key.id
        self.tag = key_tag(key)
        self._siv = AESSIV(key.derive("reversible tokens: AES-SIV", 64))
        # HMAC (RFC 2104) with its two pads hashed once: less than half the time of a call that starts anew.
        pad = key.derive("short tokens: HMAC-SHA-256", 64)
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in pad))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in pad))

    def seal(self, value: str, entity: str) -> str:
        """One reversible token; see `seal_many`."""
        return self.seal_many((value,), entity)[0]

    def seal_many(self, values: Sequence[str], entity: str) -> list[str]:
        """Reversible tokens of values, in order.

        Args:
            values: Any texts.
            entity: Entity type; written as `token_entity` writes it.
        """
        name = token_entity(entity)
        associated = [name.encode()]
        encrypt = self._siv.encrypt
        head = f"{name}_k{self.tag}"
        sealed = [encrypt(_padded(value), associated) for value in values]
        return [head + body for body in _encoded(sealed)]

    def hash(self, value: str, entity: str) -> str:
        """One short token; see `hash_many`."""
        return self.hash_many((value,), entity)[0]

    def hash_many(self, values: Sequence[str], entity: str) -> list[str]:
        """Short tokens that cannot be reversed, in order.

        Args:
            values: Any texts.
            entity: Entity type; written as `token_entity` writes it.
        """
        name = token_entity(entity)
        start = self._inner.copy()
        start.update(name.encode() + b"\0")
        inner, outer = start.copy, self._outer.copy
        head = f"{name}_x"
        digests: list[bytes] = []
        for value in values:
            inside = inner()
            inside.update(value.encode("utf-8", "surrogatepass"))
            outside = outer()
            outside.update(inside.digest())
            digests.append(outside.digest()[:_HASH_BYTES])
        return [head + body for body in _encoded(digests)]

    def kind(self, token: str) -> TokenKind:
        """What a reversible token is to this key.

        Args:
            token: A text that `TOKEN` matches with a `body`.

        Returns:
            `own`: it opens; `foreign`: another key made it; `altered`: this key made it and it was changed since.
        """
        head = _HEAD.fullmatch(token)
        if head is None or head["key"] != self.tag:
            return "foreign"
        return "own" if self._opened(head["entity"], head["body"]) is not None else "altered"

    def open_token(self, token: str) -> str:
        """The value behind one reversible token.

        Args:
            token: The whole token, nothing around it.

        Raises:
            KeyFileError: Another key made it.
            InputError: It is no reversible token, or it was altered.
        """
        head = _HEAD.fullmatch(token)
        if head is None:
            raise InputError("this is not a reversible token", hint="Tokens with `_x` cannot be reversed by anybody.")
        if head["key"] != self.tag:
            raise KeyFileError(
                f"the token was made with another key, not with {self.key_id}", hint="Give the key that made the file."
            )
        value = self._opened(head["entity"], head["body"])
        if value is None:
            raise _altered()
        return value

    def restore(self, text: str) -> Restored:
        """Opens every token of this key inside a text, also where other letters touch it.

        Args:
            text: A cell.

        Returns:
            The text, how many tokens were opened, and how many are of other keys (they stay as they are).

        Raises:
            InputError: A token of this key was altered or cut.
        """
        if "_k" not in text:
            return Restored(text, 0, 0)
        pieces: list[str] = []
        opened = foreign = done = 0
        match = _LOOSE.search(text)
        while match is not None:
            found = self._inside(match[0])
            if found is None:
                foreign += _looks_whole(match[0])
                end = match.end()
            else:
                before, value, length = found
                pieces += (text[done : match.start() + before], value)
                end = done = match.start() + before + length
                opened += 1
            match = _LOOSE.search(text, end)
        if not opened:
            return Restored(text, 0, foreign)
        pieces.append(text[done:])
        return Restored("".join(pieces), opened, foreign)

    def _inside(self, text: str) -> tuple[int, str, int] | None:
        """The token in `text`, a match of `_LOOSE`: characters before it, its value, its length; None: not ours."""
        head = _HEAD.match(text)
        if head is None or head["key"] != self.tag:
            return None
        entity, body = head["entity"], head["body"]
        # Letters before the entity type or after the body may belong to the text around: the seal says which do.
        lengths = [length for length in _body_lengths(len(body)) if length <= len(body)]
        starts = [
            0,
            *(index for index in range(max(1, len(entity) - _LONGEST_ENTITY), len(entity)) if entity[index].isalpha()),
        ]
        for length in reversed(lengths):
            sealed = body[:length]
            for start in starts:
                value = self._opened(entity[start:], sealed)
                if value is not None:
                    return start, value, len(entity) - start + 2 + _KEY_CHARACTERS + length
        raise _altered()

    def _opened(self, entity: str, body: str) -> str | None:
        sealed = _decoded(body)
        if sealed is None:
            return None
        try:
            return _unpadded(self._siv.decrypt(sealed, [entity.encode()]))
        except InvalidTag:
            return None


def key_tag(key: Key) -> str:
    """The 4 characters by which a key's reversible tokens are known: the first 20 bits of its id."""
    bits = int(key.id, 16) >> 12
    return "".join(ALPHABET[bits >> shift & 31] for shift in (15, 10, 5, 0))


@lru_cache(maxsize=1024)
def token_entity(entity: str | None) -> str:
    """An entity type as tokens write it: capitals, digits and `_`, a capital first; `VALUE` where there is none."""
    name = re.sub(r"[^A-Z0-9_]", "_", (entity or "VALUE").upper())
    return name if "A" <= name[0] <= "Z" else f"X{name}"


def body_length(value_bytes: int) -> int:
    """Base32 characters of a sealed value of that many bytes of UTF-8: 52, 77, 103, …"""
    sealed = _SIV + (value_bytes // _BLOCK + 1) * _BLOCK
    return -(-sealed * 8 // 5)


def _looks_whole(token: str) -> bool:
    """Whether a match of `_LOOSE` is long enough to be some key's token, and not a word such as `K8S_kubernetes`."""
    head = _HEAD.match(token)
    return head is not None and len(head["body"]) >= body_length(0)


def _altered() -> InputError:
    return InputError(
        "a token of this key was altered or cut, and cannot be opened",
        hint="Look for a column that is too narrow for its tokens, or a program that changed their letters.",
    )


def _padded(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def _unpadded(data: bytes) -> str | None:
    body, mark, rest = data.rpartition(b"\x80")
    if not mark or rest.strip(b"\0") or len(rest) >= _BLOCK:
        return None
    return body.decode("utf-8", "surrogatepass")


def _body_lengths(longest: int) -> list[int]:
    lengths = []
    sealed = _SIV + _BLOCK
    while -(-sealed * 8 // 5) <= longest:
        lengths.append(-(-sealed * 8 // 5))
        sealed += _BLOCK
    return lengths


def _encoded(values: Sequence[bytes]) -> list[str]:
    """Base32 of each, in lower case, without `=`."""
    if len(values) < 16:
        return [_encoded_one(value) for value in values]
    by_length: dict[int, list[int]] = {}
    for index, value in enumerate(values):
        by_length.setdefault(len(value), []).append(index)
    result = [""] * len(values)
    for length, indices in by_length.items():
        joined = np.frombuffer(b"".join([values[index] for index in indices]), np.uint8).reshape(len(indices), length)
        size = -(-length * 8 // 5)
        text = _encoded_rows(joined, size).tobytes().decode("ascii")
        for place, index in enumerate(indices):
            result[index] = text[place * size : (place + 1) * size]
    return result


def _encoded_rows(rows: np.ndarray, size: int) -> np.ndarray:
    """Base32 letters (uint8, n × size) of rows of bytes (uint8, n × length)."""
    count, length = rows.shape
    groups = -(-length // 5)
    padded = np.zeros((count, groups * 5), np.uint8)
    padded[:, :length] = rows
    byte = padded.reshape(count, groups, 5)
    letters = np.empty((count, groups, 8), np.uint8)
    letters[:, :, 0] = byte[:, :, 0] >> 3
    letters[:, :, 1] = (byte[:, :, 0] & 7) << 2 | byte[:, :, 1] >> 6
    letters[:, :, 2] = byte[:, :, 1] >> 1 & 31
    letters[:, :, 3] = (byte[:, :, 1] & 1) << 4 | byte[:, :, 2] >> 4
    letters[:, :, 4] = (byte[:, :, 2] & 15) << 1 | byte[:, :, 3] >> 7
    letters[:, :, 5] = byte[:, :, 3] >> 2 & 31
    letters[:, :, 6] = (byte[:, :, 3] & 3) << 3 | byte[:, :, 4] >> 5
    letters[:, :, 7] = byte[:, :, 4] & 31
    return np.ascontiguousarray(_CODES[letters.reshape(count, groups * 8)[:, :size]])


def _encoded_one(value: bytes) -> str:
    bits = len(value) * 8
    size = -(-bits // 5)
    number = int.from_bytes(value) << (-bits % 10)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range((bits + -bits % 10) - 10, -1, -10)]
    return "".join(pairs)[:size]


def _decoded(body: str) -> bytes | None:
    """The bytes of a body, or None where no sealed value is written so."""
    length = len(body) * 5 // 8
    if length < _SIV + _BLOCK or length % _BLOCK or -(-length * 8 // 5) != len(body):
        return None
    number = int(body.translate(_VALUE_OF), 2)
    spare = len(body) * 5 - length * 8
    if number & ((1 << spare) - 1):
        return None  # the last character has bits that no seal writes: another spelling of the same bytes
    return (number >> spare).to_bytes(length)
