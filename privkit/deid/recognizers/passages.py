"""Which parts of a text a slow model is asked about: those that may hold something which is not surely found yet.

A part is what stands around a word that another, quicker model is in doubt about, or around a group of digits that may
be a number of identity, unless a sure finding covers it already. Neither sentences nor lines bound it: read without the
line before, the second line of an address is often no address (of 100 parts of addresses one was missed).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]
"""First character, one past the last."""

MARGIN = 60
"""Characters on either side of a doubtful word that are read with it, at least: about ten words."""

# Three digits or more, however they are grouped, with letters that hang on them.
_NUMBER = re.compile(r"[^\W_]*\d(?:[^\S\n]?[().+/\-]?[^\S\n]?[^\W_]*\d){2,}[^\W_]*")


def passages(text: str, doubtful: Iterable[Span], known: Iterable[Span]) -> list[Span]:
    """The parts of a text that are to be read: in order, apart from each other, no word cut in two.

    Args:
        text: The text.
        doubtful: Words that may belong to something personal.
        known: Where something was surely found.
    """
    covered = _united(known)
    starts = [start for start, _ in covered]
    parts = []
    for start, end in (*doubtful, *(match.span() for match in _NUMBER.finditer(text))):
        place = bisect_right(starts, start) - 1
        if place < 0 or end > covered[place][1]:
            parts.append((_before(text, start - MARGIN), _after(text, end + MARGIN)))
    return _united(parts)


def _before(text: str, start: int) -> int:
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    return max(start, 0)


def _after(text: str, end: int) -> int:
    while end < len(text) and not text[end].isspace():
        end += 1
    return min(end, len(text))


def _united(spans: Iterable[Span]) -> list[Span]:
    """Spans that overlap or touch made one, in order."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((start, end))
    return united
