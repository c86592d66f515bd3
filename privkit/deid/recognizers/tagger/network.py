"""The tagger's network, run in NumPy: what a word is by itself, mixed; five layers that look at its neighbours; a head.

    word     4 hashed embeddings ‖ its vector ‖ its vector with a capital ‖ character n-grams ‖ its Brown
             cluster ‖ how frequent its forms are ‖ gazetteer bits
             → maxout (3 pieces) → layer norm                                              96 numbers, kept by word
    context  5 × residual(maxout over a window → layer norm): reach 1, 1, 1, 1, 3 words; the last also sees the mean
             and the maximum over the whole text
    head     linear → softmax over the tags

Hashed embeddings with four rows a feature: Svenstrup et al. 2017, "Hash Embeddings". Maxout: Goodfellow et al. 2013.
Windows of residual maxout layers are spaCy's way of reading (Honnibal 2016, "Embed, encode, attend, predict").
Matrix products run on NumPy's BLAS in float32; tables come from the package's file as bytes and are scaled once.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.deid.recognizers.tagger.words import ATTRIBUTES, Forms, Lexicon, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH = 96
REACH = (1, 1, 1, 1, 3)
_MOST_WORDS = 60_000  # kept, 400 bytes each
_BATCH = 4_096  # words that one matrix holds: large enough for the BLAS, small enough for a cache
_EPSILON = 1e-8


class Network:
    """Probabilities of tags for words in context.

    Args:
        content: The package's file, as `training/pack.py` writes it.

    Not for use by several threads at once.
    """

    def __init__(self, content: bytes) -> None:
        arrays = _arrays(content)
        forms = _lines(arrays["forms"])
        known = Forms(
            dict(zip(forms, range(len(forms)), strict=True)),
            _numbers(arrays["rows"], np.uint16),
            _numbers(arrays["chances"], np.uint8),
            _numbers(arrays["clusters"], np.uint16),
        )
        bits = _numbers(arrays["bits"], np.uint16).tolist()
        self._lexicon = Lexicon(known, dict(zip(_lines(arrays["gazetteer"]), bits, strict=True)))
        self._tables = [_scaled(arrays, f"hashed{i}") for i in range(len(ATTRIBUTES))]
        self._vectors = _scaled(arrays, "vectors")
        self._ngrams = _scaled(arrays, "ngrams")
        self._ngrams[0] = 0
        self._clusters = _scaled(arrays, "clustered")
        matrix = {name: value.astype(np.float32) for name, value in arrays.items() if value.dtype == np.float16}
        self._projection, self._titled = matrix["projection"].T.copy(), matrix["titled"].T.copy()
        self._mixer = _Maxout(matrix, "mixer")
        self._blocks = [_Maxout(matrix, f"block{i}") for i in range(len(REACH))]
        self._global = matrix["global"].T.copy()
        self._head, self._head_bias = matrix["head.W"].T.copy(), matrix["head.b"]
        self._rows: dict[str, int] = {}
        self._known: Floats = np.zeros((4096, WIDTH), dtype=np.float32)

    def probabilities(self, texts: Sequence[Words]) -> Floats:
        """Probabilities of each word's tags, the texts' words behind one another, shape (words, tags)."""
        if len(self._rows) > _MOST_WORDS:
            self._rows.clear()
        out: list[Floats] = []
        some: list[list[str]] = []
        size = 0
        for text in texts:
            if len(text.forms) > _BATCH:
                if some:
                    out.append(self._run(some))
                some, size = [], 0
                out += self._pieces(text.forms)
                continue
            if size + len(text.forms) > _BATCH:
                out.append(self._run(some))
                some, size = [], 0
            some.append(text.forms)
            size += len(text.forms)
        if some:
            out.append(self._run(some))
        return np.concatenate(out) if out else np.zeros((0, len(self._head_bias)), dtype=np.float32)

    def _pieces(self, forms: list[str]) -> list[Floats]:
        """A long text, some words at a time; each piece sees as many words around it as the layers reach."""
        out = []
        for begin in range(0, len(forms), _BATCH):
            before = min(begin, sum(REACH))
            piece = self._run([forms[begin - before : begin + _BATCH + sum(REACH)]])
            out.append(piece[before : before + _BATCH])
        return out

    def _run(self, texts: Sequence[list[str]]) -> Floats:
        """Texts laid end to end, a row of zeros before, between and behind them."""
        lengths = np.array([len(forms) for forms in texts])
        starts = 1 + np.concatenate([[0], np.cumsum(lengths + 1)])
        x = np.zeros((int(starts[-1]), WIDTH), dtype=np.float32)
        borders = starts - 1
        live = np.ones(len(x), dtype=bool)
        live[borders] = False
        numbers = self._numbers([form for forms in texts for form in forms])
        x[live] = self._known[numbers]
        for block, reach in zip(self._blocks[:-1], REACH[:-1], strict=True):
            assert reach == 1
            inner = x[1:-1]
            inner += block(_windows(x))
            x[borders] = 0
        text_of = np.repeat(np.arange(len(texts)), lengths)
        words = np.flatnonzero(live)
        x = self._last(x, words, text_of, starts[:-1], lengths)
        scores: Floats = x @ self._head
        scores += self._head_bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _last(
        self, x: Floats, words: NDArray[np.int64], text_of: NDArray[np.int64], starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> Floats:  # fmt: skip
        """The layer that reaches further, and over the whole text."""
        reach = REACH[-1]
        before, after = words - reach, words + reach
        before[before < starts[text_of]] = 0  # a row of zeros
        after[after >= (starts + lengths)[text_of]] = 0
        here = x[words]
        wide = np.concatenate([x[before], here, x[after]], axis=1)
        full = np.flatnonzero(lengths)
        heads = (np.cumsum(lengths) - lengths)[full]
        whole = np.zeros((len(lengths), 2 * WIDTH), dtype=np.float32)
        if len(full):
            whole[full, :WIDTH] = np.add.reduceat(here, heads, axis=0) / lengths[full, None]
            whole[full, WIDTH:] = np.maximum.reduceat(here, heads, axis=0)
        here += self._blocks[-1](wide, (whole @ self._global)[text_of])
        return here

    def _numbers(self, forms: list[str]) -> list[int]:
        """Rows of `_known` that hold the words."""
        rows = self._rows
        new = [form for form in dict.fromkeys(forms) if form not in rows]
        if new:
            begin, end = len(rows), len(rows) + len(new)
            while end > len(self._known):
                self._known = np.concatenate([self._known, np.zeros_like(self._known)])
            self._known[begin:end] = self._mixed(new)
            rows.update(zip(new, range(begin, end), strict=True))
        return [rows[form] for form in forms]

    def _mixed(self, forms: Sequence[str]) -> Floats:
        """What words are by themselves, shape (words, WIDTH)."""
        features = self._lexicon.features(forms)
        parts = [table[features.hashed[:, i]].sum(axis=1) for i, table in enumerate(self._tables)]
        count = (features.ngrams > 0).sum(axis=1, keepdims=True)
        ngrams = self._ngrams[features.ngrams].sum(axis=1) / np.sqrt(np.maximum(count, 1, dtype=np.float32))
        parts += [self._vectors[features.exact] @ self._projection, self._vectors[features.titled] @ self._titled]
        parts += [ngrams, self._clusters[features.clusters], features.chances, features.flags]
        return self._mixer(np.concatenate(parts, axis=1))


class _Maxout:
    """The largest of three linear maps, normalised, scaled and shifted."""

    def __init__(self, matrix: dict[str, Floats], name: str) -> None:
        self._weights, self._bias = matrix[f"{name}.W"].T.copy(), matrix[f"{name}.b"]
        self._gain, self._shift = matrix[f"{name}.gain"], matrix[f"{name}.shift"]

    def __call__(self, x: Floats, more: Floats | None = None) -> Floats:
        y: Floats = x @ self._weights
        y += self._bias
        if more is not None:
            y += more
        best = np.maximum(y[:, :WIDTH], y[:, WIDTH : 2 * WIDTH])
        np.maximum(best, y[:, 2 * WIDTH :], out=best)
        best -= best.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", best, best) / np.float32(WIDTH)
        best *= (1 / np.sqrt(variance + np.float32(_EPSILON)))[:, None]
        best *= self._gain
        best += self._shift
        return best


def _windows(x: Floats) -> Floats:
    """Each row but the first and the last, between its neighbours; shape (rows - 2, 3 · WIDTH)."""
    shape, strides = (len(x) - 2, 3 * WIDTH), (x.strides[0], x.strides[1])
    return np.lib.stride_tricks.as_strided(x, shape, strides)


def _arrays(content: bytes) -> dict[str, NDArray[np.generic]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _scaled(arrays: dict[str, NDArray[np.generic]], name: str) -> Floats:
    packed = np.frombuffer(lzma.decompress(arrays[name].tobytes()), dtype=np.int8)
    scale = arrays[f"{name}.scale"].astype(np.float32)
    table: Floats = packed.reshape(len(scale), -1) * scale[:, None]
    return table


def _numbers(packed: NDArray[np.generic], kind: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(lzma.decompress(packed.tobytes()), dtype=kind)


def _lines(packed: NDArray[np.generic]) -> list[str]:
    return lzma.decompress(packed.tobytes()).decode("utf-8").split("\n")
