"""The first layers of spaCy's small models, computed once for each distinct word.

What they make of a token depends on the token's own features alone (its form, prefix, suffix, shape, …), and most
tokens are words that came before. The vectors are the same; a third of the network's work is done for each distinct
word instead of for each token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from thinc.api import Model
from thinc.types import Ragged

from privkit.errors import DetectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.tokens import Doc

_LAYERS = ("extract_features", "list2ragged", "with_array", "with_array", "ragged2list")
# Odd numbers without a pattern: different features fall together about once in 2**64, and that is checked.
_MIXED = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F]
    + [0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3],
    dtype=np.uint64,
)
_MOST_WORDS = 50_000  # vectors kept, 400 bytes each


class _Vectors:
    """Vectors of the words seen so far, by their features' key; forgotten when they are too many.

    Attributes:
        rows: Row of each key in `features` and `vectors`.
    """

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self._features: NDArray[np.uint64] | None = None
        self._vectors: NDArray[np.float32] | None = None

    def of(
        self, keys: NDArray[np.uint64], words: NDArray[np.uint64], embed: Callable[[Any], NDArray[np.float32]]
    ) -> NDArray[np.float32] | None:
        """One vector for each word, computed by `embed` where it is new; None where two words share a key."""
        if len(self.rows) > _MOST_WORDS:
            self.rows, self._features, self._vectors = {}, None, None
        found = [self.rows.get(key, -1) for key in keys.tolist()]
        new = [i for i, row in enumerate(found) if row < 0]
        if new:
            begin = len(self.rows)
            self._hold(words[new], embed(words[new]), begin)
            for row, i in enumerate(new, start=begin):
                self.rows[int(keys[i])] = found[i] = row
        assert self._features is not None
        assert self._vectors is not None
        return self._vectors[found] if np.array_equal(self._features[found], words) else None

    def _hold(self, words: NDArray[np.uint64], vectors: NDArray[np.float32], begin: int) -> None:
        end = begin + len(words)
        if self._features is None or self._vectors is None or end > len(self._features):
            room = max(2 * end, 4096)
            features = np.zeros((room, words.shape[1]), dtype=words.dtype)
            held = np.zeros((room, vectors.shape[1]), dtype=vectors.dtype)
            if self._features is not None and self._vectors is not None:
                features[:begin], held[:begin] = self._features[:begin], self._vectors[:begin]
            self._features, self._vectors = features, held
        self._features[begin:end], self._vectors[begin:end] = words, vectors


def each_word_once(tok2vec: Any) -> None:
    """Makes a tok2vec model compute its embedding layer once for each distinct word.

    Args:
        tok2vec: A spaCy model whose first layer is `MultiHashEmbed`; it can be used for predictions only, afterwards.

    Raises:
        DetectorError: It is built in another way.
    """
    embed = tok2vec.layers[0]
    names = tuple(layer.name.partition("(")[0] for layer in embed.layers)
    if names != _LAYERS or len(embed.layers[0].attrs["columns"]) > len(_MIXED):
        raise DetectorError("the model's embedding is not built as expected", recognizer="SpacyRecognizer")
    features, _, hashed, mixed, _ = embed.layers
    known = _Vectors()
    ragged: Any = Ragged

    def compute(words: Any) -> Any:
        return mixed.predict(hashed.predict(ragged(words, np.array([len(words)], dtype=np.int32)))).dataXd

    def forward(
        _model: Any, docs: Sequence[Doc], is_train: bool
    ) -> tuple[list[NDArray[np.float32]], Callable[[Any], Any]]:
        del is_train  # a prediction either way
        rows: list[NDArray[np.uint64]] = features.predict(docs)
        tokens = np.concatenate(rows)
        with np.errstate(over="ignore"):
            keys = (tokens * _MIXED[: tokens.shape[1]]).sum(axis=1, dtype=np.uint64)
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        words = tokens[first]
        vectors = known.of(distinct, words, compute) if np.array_equal(words[inverse], tokens) else None
        every = compute(tokens) if vectors is None else vectors[inverse]
        return np.split(every, np.cumsum([len(each) for each in rows])[:-1]), _no_training

    tok2vec.layers[0] = Model("each_word_once", forward, layers=[features, hashed, mixed])


def _no_training(_gradient: Any) -> Any:
    raise TypeError("the model only predicts")
