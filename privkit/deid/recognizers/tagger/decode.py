"""From the probabilities of words to spans of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.deid.recognizers.tagger.words import Words

    Floats = NDArray[np.float32]

LABELS = ("PERSON", "LOCATION", "ADDRESS", "ORG", "DATE")
TAGS = ("O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
"""What the network tells apart: outside, and beginning and inside of each label."""

_ADDRESS = LABELS.index("ADDRESS")
# Within an address less is wanted of a word: the part that is left out is what finds the house.
_ADDRESS_WORD = 0.2
# A word this sure of its own label keeps it, whatever the rest of the run is.
_SURE = 0.6
_FUNCTION = frozenset(["of", "and", "the", "'s", "s", "a", "an", "in", "at", "on", "for", "to", "de", "la"])


class Tagged(NamedTuple):
    """A span that the tagger found.

    Attributes:
        start: First character.
        end: One past the last character.
        label: One of `LABELS`.
        score: The highest probability that one of its words has of that label, 0..1.
    """

    start: int
    end: int
    label: str
    score: float


def decode(texts: Sequence[Words], tags: Floats, threshold: float) -> list[list[Tagged]]:
    """The spans of texts.

    Neighbouring words whose probability of being outside is below 1 - threshold make a run; it is cut where a word
    rather begins than continues, and where words are sure of different labels.

    Args:
        texts: The texts' words.
        tags: Probabilities of `TAGS` for all words, the texts' words behind one another, shape (words, 11).
        threshold: Lowest probability, over all labels, of a word that counts.
    """
    entity = 1 - tags[:, 0]
    labels = tags[:, 1::2] + tags[:, 2::2]
    seeds = entity >= threshold
    begins = tags[:, 1::2].sum(axis=1) > tags[:, 2::2].sum(axis=1)
    hits = np.flatnonzero(seeds | (labels[:, _ADDRESS] >= min(_ADDRESS_WORD, threshold)))
    seen = [
        _Word(number, seed, begin, own)
        for number, seed, begin, own in zip(
            hits.tolist(), seeds[hits].tolist(), begins[hits].tolist(), labels[hits].tolist(), strict=True
        )
    ]
    found: list[list[Tagged]] = []
    at = first = 0
    for text in texts:
        after = first + len(text.forms)
        end = at
        while end < len(seen) and seen[end].number < after:
            end += 1
        found.append(_spans(text, seen[at:end], first) if end > at else [])
        at, first = end, after
    return found


class _Word(NamedTuple):
    number: int
    seed: bool
    begins: bool
    labels: list[float]


_Span = tuple[int, int, int, float]
"""First word, one past the last, label's number, score."""


def _spans(words: Words, seen: Sequence[_Word], offset: int) -> list[Tagged]:
    spans: list[_Span] = []
    for run in _runs(words.forms, seen, offset):
        if any(word.seed for word in run):
            spans += _pieces(run, offset)
    return _trimmed(words, _joined(words.forms, spans))


def _runs(forms: Sequence[str], seen: Sequence[_Word], offset: int) -> list[list[_Word]]:
    runs: list[list[_Word]] = []
    for word in seen:
        i = word.number - offset
        if forms[i].isspace():
            continue
        if runs and not word.begins:
            last = runs[-1][-1].number - offset
            if last == i - 1 or (last == i - 2 and forms[i - 1].isspace()):
                runs[-1].append(word)
                continue
        runs.append([word])
    return runs


def _pieces(run: Sequence[_Word], offset: int) -> list[_Span]:
    whole = _largest([sum(parts) for parts in zip(*(word.labels for word in run if word.seed), strict=True)])
    pieces: list[tuple[int, list[_Word]]] = []
    for word in run:
        kind = _largest(word.labels)
        kind = kind if word.labels[kind] >= _SURE else whole
        if pieces and pieces[-1][0] == kind:
            pieces[-1][1].append(word)
        else:
            pieces.append((kind, [word]))
    spans = []
    for kind, piece in pieces:
        # Words that only an address would take are dropped from the ends of anything else.
        while kind != _ADDRESS and piece and not piece[0].seed:
            del piece[0]
        while kind != _ADDRESS and piece and not piece[-1].seed:
            del piece[-1]
        if piece:
            score = max(word.labels[kind] for word in piece)
            spans.append((piece[0].number - offset, piece[-1].number - offset + 1, kind, score))
    return spans


def _largest(numbers: Sequence[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


def _joined(forms: Sequence[str], spans: Sequence[_Span]) -> list[_Span]:
    """Parts of an address with at most a comma or a line break between them are one address."""
    joined: list[_Span] = []
    for first, last, kind, score in spans:
        if joined and kind == joined[-1][2] == _ADDRESS:
            between = forms[joined[-1][1] : first]
            if len(between) <= 2 and all(form.isspace() or form in ",;|/-." for form in between):
                joined[-1] = (joined[-1][0], last, kind, max(score, joined[-1][3]))
                continue
        joined.append((first, last, kind, score))
    return joined


def _trimmed(words: Words, spans: Sequence[_Span]) -> list[Tagged]:
    forms = words.forms
    found = []
    for first, last, kind, score in spans:
        while first < last and not forms[first][0].isalnum() and forms[first] != "#":
            first += 1
        while last > first and not forms[last - 1][-1].isalnum() and not _abbreviated(forms, first, last):
            last -= 1
        if first < last and not (last - first < 3 and all(form.lower() in _FUNCTION for form in forms[first:last])):
            found.append(Tagged(words.starts[first], words.ends[last - 1], LABELS[kind], min(score, 1.0)))
    return found


def _abbreviated(forms: Sequence[str], first: int, last: int) -> bool:
    """Whether the span ends in a full stop that belongs to a short form: an initial, "U.S."."""
    if forms[last - 1] != ".":
        return len(forms[last - 1]) > 1 and forms[last - 1].endswith(".")
    return last - first > 1 and len(forms[last - 2]) == 1 and forms[last - 2].isalpha()
