"""Keyed choices for surrogates: a stream of numbers for each value, and characters of the same class."""

from __future__ import annotations

import hashlib
import string
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from privkit.deid.operators.base import Draws

T = TypeVar("T")
_ATTEMPTS = 64


class Stream:
    """Numbers that one seed chooses, as many as are asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed.to_bytes(32)
        self._bytes = b""
        self._used = 0

    def below(self, limit: int) -> int:
        """A number in 0..limit − 1; `limit` is far below 2⁶⁴, so that the remainder is even enough."""
        if self._used + 8 > len(self._bytes):
            self._bytes = hashlib.shake_256(self._seed).digest(max(256, 2 * len(self._bytes)))
        word = self._bytes[self._used : self._used + 8]
        self._used += 8
        return int.from_bytes(word) % limit

    def of(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return choices[self.below(len(choices))]

    def digits(self, count: int) -> str:
        """So many decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))


def chosen(draws: Draws, label: str, value: str, make: Callable[[Stream], str]) -> str | None:
    """What `make` makes of the stream for `value`; drawn again while it is `value` itself.

    Args:
        draws: The key's choices.
        label: What is chosen; different labels choose apart from each other.
        value: The original in its normal form.
        make: Makes a surrogate in the same normal form.

    Returns:
        The surrogate, or None where nothing but the original came out.
    """
    for attempt in range(_ATTEMPTS):
        made = make(Stream(draws.number(label, value, str(attempt))))
        if normal(made) != normal(value):
            return made
    return None


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """A text without what does not count: compatibility forms, case, runs of white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def in_case_of(original: str, made: str) -> str:
    """`made` in capitals or in small letters where `original` is."""
    if original.isupper() and sum(character.isalpha() for character in original) > 1:
        return made.upper()
    return made.lower() if original.islower() else made


def like(stream: Stream, text: str, *, first_digit: bool = True) -> str:
    """Keyed characters of the same classes: digits for digits, letters for letters, everything else as it stands.

    Args:
        stream: Chooses.
        text: The pattern.
        first_digit: Whether a first digit other than 0 stays other than 0, so that a number keeps its length.
    """
    made: list[str] = []
    leading = first_digit
    for character in text:
        if character.isdecimal():
            # Digits of other scripts stay in their script.
            zero = ord(character) - unicodedata.decimal(character)
            nonzero = leading and ord(character) != zero
            made.append(chr(zero + (1 + stream.below(9) if nonzero else stream.below(10))))
            leading = False
        elif character.isalpha():
            made.append(_letter(stream, character))
        else:
            made.append(character)
    return "".join(made)


def _letter(stream: Stream, character: str) -> str:
    if character.isupper() or character.istitle():
        return stream.of(string.ascii_uppercase)
    if character.islower() or ord(character) < 0x250:
        return stream.of(string.ascii_lowercase)
    # Letters without case: one from the same row of 16 that is a letter too.
    row = [chr(code) for code in range(ord(character) & ~15, (ord(character) | 15) + 1)]
    return stream.of([one for one in row if one.isalpha()])
