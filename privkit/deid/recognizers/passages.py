"""Which parts of a text a slow model is asked about: those that may hold something which is not surely found yet.

A part is a sentence or a line with a word in it that another, quicker model is in doubt about, or with a group of
digits that may be a number of identity, unless a sure finding covers it already. Of a long sentence, what lies far from
any of these is left out too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]
"""First character, one past the last."""

MARGIN = 120
"""Characters around a doubtful word that are read with it, if its sentence is so long."""

# No sentence ends behind an initial or a short form with a capital: "Dr. Patel", "Apt. 3B".
_BREAK = re.compile(r"(?<=[.!?])(?<!\b[^\W\d_]\.)(?<!\b[A-Z]\w\.)(?<!\b[A-Z]\w\w\.)(?<!\b[A-Z]\w{3}\.)\s+|\s*\n\s*")
# Three digits or more, however they are grouped, with letters and marks that hang on them.
_NUMBER = re.compile(r"[^\W_]*\d(?:[^\S\n]?[().+/\-]?[^\S\n]?[^\W_]*\d){2,}[^\W_]*")
_CLOSE = 2  # characters between passages that are read as one


def passages(text: str, doubtful: Iterable[Span], known: Iterable[Span]) -> list[Span]:
    """The parts of a text that are to be read: in order, apart from each other, no word cut in two.

    Args:
        text: The text.
        doubtful: Words that may belong to something personal.
        known: Where something was surely found.
    """
    wanted = [*doubtful, *(match.span() for match in _NUMBER.finditer(text))]
    if not wanted:
        return []
    covered = _united(known)
    starts = [start for start, _ in covered]
    breaks = [match.span() for match in _BREAK.finditer(text)]
    ends = [start for start, _ in breaks]
    parts = []
    for start, end in wanted:
        place = bisect_right(starts, start) - 1
        if place >= 0 and end <= covered[place][1]:
            continue
        before, after = bisect_right(ends, start), bisect_right(ends, end - 1)
        first = breaks[before - 1][1] if before else 0
        last = breaks[after][0] if after < len(breaks) else len(text)
        # A number that a line break cuts in two stands in both lines.
        parts.append((_back(text, min(first, start), start - MARGIN), _on(text, max(last, end), end + MARGIN)))
    return _united(parts, _CLOSE)


def _back(text: str, first: int, start: int) -> int:
    while start > first and not text[start - 1].isspace():
        start -= 1
    return max(first, start)


def _on(text: str, last: int, end: int) -> int:
    while end < last and not text[end].isspace():
        end += 1
    return min(last, end)


def _united(spans: Iterable[Span], gap: int = 0) -> list[Span]:
    """Spans that overlap or lie at most `gap` characters apart made one, in order."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1] + gap:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((start, end))
    return united
