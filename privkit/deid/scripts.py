"""Which texts are written in scripts that nobody here reads: their people are not found, and that must be said."""

from __future__ import annotations

import regex

# The models and the lists of names know the Latin script. Letters that every script shares count for none.
_UNREAD = regex.compile(r"(?V1)[\p{L}--\p{Latin}--\p{Common}--\p{Inherited}]")
_LATIN = regex.compile(r"(?V1)[\p{L}&&\p{Latin}]")


def is_unread(text: str) -> bool:
    """Whether more than a third of the letters of `text` are of another script than the Latin one.

    >>> [is_unread(text) for text in ("Łódź, naïve Ωmega", "Anna (Анна)", "Позвонить Анне", "2024")]
    [False, True, True, False]
    """
    if text.isascii():
        return False
    unread = len(_UNREAD.findall(text))
    return bool(unread) and 2 * unread > len(_LATIN.findall(text))
