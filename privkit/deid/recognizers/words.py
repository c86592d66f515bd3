"""Where words begin and end, so that no finding cuts one in two."""

from __future__ import annotations

import re
import unicodedata

_SUFFIX = re.compile(r",? (?:Jr|Sr)(?:\.|(?!\w))|,? (?:II|III|IV)(?!\w)|(?<= Jr)\.|(?<= Sr)\.")
_IDEOGRAPH = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def in_word(character: str) -> bool:
    """Whether a character is a letter, a digit or a mark on one."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def to_word_edges(text: str, start: int, end: int) -> tuple[int, int]:
    """The span, widened to whole words."""
    while start > 0 and _joined(text[start - 1], text[start]):
        start -= 1
    while end < len(text) and _joined(text[end - 1], text[end]):
        end += 1
    return start, end


def with_name_parts(text: str, start: int, end: int) -> tuple[int, int]:
    """`Neil` → `O'Neil-Smith`, `Ronald Abbott` → `Ronald Abbott Jr.`; but `Patel` stays without its `'s`.

    The span must be of whole words.
    """
    while end + 2 < len(text) and text[end] in "-‐‑'’" and text[end + 1].isupper() and in_word(text[end + 2]):
        start, end = to_word_edges(text, start, end + 2)
    while start > 1 and text[start - 1] in "-‐‑'’" and in_word(text[start - 2]):
        before, _ = to_word_edges(text, start - 2, start - 1)
        short = start - 1 - before <= 2  # O', D', Al-
        if not text[before].isupper() and not (short and text[start - 1] in "'’"):
            break
        start = before
    suffix = _SUFFIX.match(text, end)
    return start, end if suffix is None else suffix.end()


def _joined(left: str, right: str) -> bool:
    """Whether no word ends between the two. Each ideograph, for which there are no spaces, is a word."""
    return in_word(left) and in_word(right) and not _IDEOGRAPH.match(left) and not _IDEOGRAPH.match(right)
