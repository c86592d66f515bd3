"""Words of a text, and what is known of a word by itself: the tagger's eyes.

Everything here depends on a word's own characters, so it is computed once for each distinct word. The training reads
texts through this module too: what the network was trained on and what it sees at work cannot drift apart.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from spacy.lang.lex_attrs import word_shape
from spacy.strings import hash_string  # type: ignore[attr-defined]  # spaCy's stubs leave it out
from thinc.api import NumpyOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A word is a run of letters and digits. Several blanks or a tab, and line breaks, are words: they lay out tables and
# forms.
_WORD = re.compile(
    r"(?:[^\W\d_]\.){2,}"
    r"|[^\W_]+(?:[\u0300-\u036f'’][^\W_]+|[\u0300-\u036f])*"
    r"|[^\S\n]*\n\s*|[^\S\n]{2,}|\t|[^\w\s]|_"
)
# An apostrophe inside belongs to the word (O'Neil), a clitic does not (John's, don't).
_CLITIC = re.compile(r"(?i:n['’]t|['’](?:s|m|d|re|ve|ll|t))$")

_SURROGATE = re.compile("[\ud800-\udfff]")

ATTRIBUTES = ("norm", "prefix", "suffix", "shape")
SEEDS = (8, 9, 10, 11)
"""Seeds of the four hashed embeddings, those that spaCy gives its own."""
ROWS = (5000, 1000, 2500, 2500)
"""Rows of the four hashed embeddings."""
HASHES = 4
"""Rows that one feature takes of its embedding; their sum stands for it."""
NGRAM_ROWS = 8192
NGRAMS = 20
"""Most character n-grams of one word."""
FLAGS = 13
"""Bits of a word's gazetteer entry: three each for given names, surnames and cities, by how common; four for others."""

CLUSTERS = 1024
"""Rows of the embedding of Brown clusters (Brown et al. 1992); 0 stands for none."""
CHANCES = 6
"""Numbers that say how frequent a word is as it is written, in lower case, with a capital, in capitals."""

_OPS = NumpyOps(use_blis=False)
_LONGEST = 40  # characters of a word that count: what is longer is no name


class Words(NamedTuple):
    """A text cut into words.

    Attributes:
        forms: The words.
        starts: First character of each.
        ends: One past the last character of each.
    """

    forms: list[str]
    starts: list[int]
    ends: list[int]


class Features(NamedTuple):
    """What is known of n words by themselves.

    Attributes:
        hashed: Rows in the hashed embeddings, shape (n, 4 attributes, 4 hashes), int32.
        exact: Row of the word's vector as it is written, shape (n,), int32; 0 where none is known.
        titled: Row of its vector when it is written with a capital, the same.
        ngrams: Rows of its character n-grams, shape (n, NGRAMS), int32; 0 fills up.
        clusters: Its Brown cluster, shape (n,), int32; 0 where none is known.
        chances: How frequent its forms are, shape (n, CHANCES), float32, 0..1.
        flags: Gazetteer bits, shape (n, FLAGS), float32.
    """

    hashed: NDArray[np.int32]
    exact: NDArray[np.int32]
    titled: NDArray[np.int32]
    ngrams: NDArray[np.int32]
    clusters: NDArray[np.int32]
    chances: NDArray[np.float32]
    flags: NDArray[np.float32]


def words_of(text: str) -> Words:
    """Cuts a text into words; what is between them is single blanks."""
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)  # not a character: nothing could encode it
    spans = [match.span() for match in _WORD.finditer(text)]
    forms = [text[start:end] for start, end in spans]
    starts = [start for start, _ in spans]
    ends = [end for _, end in spans]
    for i in range(len(forms) - 1, -1, -1):
        form = forms[i]
        if form[0].isspace():
            breaks = form.count("\n")
            forms[i] = "\n\n" if breaks > 1 else "\n" if breaks else "\t"
        elif "'" in form or "’" in form:
            clitic = _CLITIC.search(form)
            if clitic is not None and clitic.start():
                cut = starts[i] + clitic.start()
                forms[i : i + 1] = [form[: clitic.start()], clitic.group()]
                starts.insert(i + 1, cut)
                ends.insert(i, cut)
    return Words(forms, starts, ends)


class Forms(NamedTuple):
    """What is known of forms that were met before.

    Attributes:
        numbers: Number of each form.
        rows: Its row in the table of vectors, 0 for none; by number.
        chances: Its log probability as 15 · (20 + log p), 0 for none; uint8, by number.
        clusters: Its Brown cluster, 0 for none; by number.
    """

    numbers: Mapping[str, int]
    rows: NDArray[np.uint16]
    chances: NDArray[np.uint8]
    clusters: NDArray[np.uint16]


class Lexicon:
    """Features of words.

    Args:
        known: Forms met before.
        gazetteer: Bits (`FLAGS` of them) by lower-case form.
    """

    def __init__(self, known: Forms, gazetteer: Mapping[str, int]) -> None:
        self._known = known
        self._gazetteer = gazetteer

    def features(self, forms: Sequence[str]) -> Features:
        """The features of words, one row each."""
        count = len(forms)
        keys = np.zeros((count, len(ATTRIBUTES)), dtype=np.uint64)
        numbers = np.full((count, 4), -1, dtype=np.int64)
        ngrams = np.zeros((count, NGRAMS), dtype=np.int32)
        bits = np.zeros(count, dtype=np.uint16)
        known = self._known.numbers
        for i, form in enumerate(forms):
            form = form[:_LONGEST]
            lower = form.lower()
            keys[i] = [hash_string(lower), hash_string(form[0]), hash_string(form[-3:]), hash_string(word_shape(form))]
            numbers[i] = [known.get(each, -1) for each in (form, lower, lower.capitalize(), form.upper())]
            rows = _ngrams(lower)
            ngrams[i, : len(rows)] = rows
            bits[i] = self._gazetteer.get(lower, 0)
        hashed = np.zeros((count, len(ATTRIBUTES), HASHES), dtype=np.int32)
        for i, (seed, size) in enumerate(zip(SEEDS, ROWS, strict=True)):
            hashed[:, i] = _OPS.hash(np.ascontiguousarray(keys[:, i]), seed) % np.uint32(size)
        exact = _first(self._known.rows, numbers, (0, 1, 2, 3))
        titled = _first(self._known.rows, numbers, (2, 3, 1))
        clusters = _first(self._known.clusters, numbers, (0, 1, 2, 3))
        flags = ((bits[:, None] >> np.arange(FLAGS, dtype=np.uint16)) & 1).astype(np.float32)
        return Features(hashed, exact, titled, ngrams, clusters, self._chances(numbers), flags)

    def _chances(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of the form, its lower case, with a capital, in capitals; the share of the capitalised; and whether any."""
        logs = np.where(numbers >= 0, self._known.chances[numbers], 0).astype(np.float32) / 15
        _, lower, title, upper = logs.T
        share = 1 / (1 + np.exp(lower - np.maximum(title, upper)))
        return np.column_stack([logs / 20, share, (logs > 0).any(axis=1)]).astype(np.float32)


def _first(table: NDArray[np.uint16], numbers: NDArray[np.int64], order: Sequence[int]) -> NDArray[np.int32]:
    """The first entry that is not 0, over forms in an order of preference."""
    found = np.zeros(len(numbers), dtype=np.int32)
    for column in order:
        values = np.where(numbers[:, column] >= 0, table[numbers[:, column]], 0)
        found = np.where(found == 0, values, found).astype(np.int32)
    return found


def _ngrams(lower: str) -> list[int]:
    if not lower[0].isalpha():
        return []
    padded = f"<{lower}>"
    grams = [padded[i : i + n] for n in (3, 4) for i in range(len(padded) - n + 1)]
    return [1 + zlib.crc32(gram.encode("utf-8", "replace")) % (NGRAM_ROWS - 1) for gram in grams[:NGRAMS]]
