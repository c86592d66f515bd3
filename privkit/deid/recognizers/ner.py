"""Decodes spaCy's transition-based entity recognizer in a few matrix operations.

spaCy's own loop takes one token of each text at a time and, for each of its 74 actions, asks a function that takes
Python's global lock: that is two thirds of the model's time. The network is small and its state simple, so the decoding
is done here, to the same result:

* outside an entity the scores of a token depend on that token alone, so they are computed for all tokens at once;
* inside, they depend on the token, the one before it and the entity's first token, and just two actions are open (go
  on, or end here); all entities of a batch take that step together.

The rules of which action is open are those of spaCy's `BiluoPushDown` for texts without entities set beforehand:
an entity does not begin with white space, does not run past the last token, nor over the beginning of a sentence.

Sentences come from the parser. Greedy decoding takes the best open action, so closing an action that was not taken
changes nothing: only a text with an entity of several tokens needs its sentences, and only one with a sentence that
begins inside such an entity is decoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.attrs import IS_SPACE, SENT_START

from privkit.errors import DetectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.tokens import Doc

    Floats = NDArray[np.float32]
    Flags = NDArray[np.bool_]

Spans = list[tuple[int, int, str]]
"""Entities of one text as (first token, last token, label)."""


class EntityDecoder:
    """Finds the entities that spaCy's component finds.

    Args:
        component: The `ner` pipe of a loaded pipeline.

    Attributes:
        labels: Every label it can give.

    Raises:
        DetectorError: The component is not built as spaCy's en_core_web_sm is.
    """

    def __init__(self, component: Any) -> None:
        model = component.model
        lower, upper = model.get_ref("lower"), model.get_ref("upper")
        if (
            component.cfg["beam_width"] != 1
            or model.attrs["unseen_classes"]
            or not model.attrs["has_upper"]
            or lower.get_dim("nF") != 3
            or lower.get_dim("nP") != 2
        ):
            raise DetectorError("the entity recognizer is not built as expected", recognizer="SpacyRecognizer")
        self._tok2vec, self._lower = model.get_ref("tok2vec"), lower
        self._bias: Floats = lower.get_param("b")
        self._weights: Floats = upper.get_param("W")
        self._weights_bias: Floats = upper.get_param("b")
        actions = [component.moves.get_class_name(i) for i in range(component.moves.n_moves)]
        # In the order of the model's classes, so that of two equal scores the same one wins.
        self._closed = [i for i, name in enumerate(actions) if name == "O" or (name[0] in "BU" and len(name) > 2)]
        self._kinds = [actions[i][0] for i in self._closed]
        self._names = [actions[i][2:] for i in self._closed]
        self.labels: tuple[str, ...] = tuple(
            sorted({name[2:] for name in actions if name.startswith("U-") and name[2:]})
        )
        ways = {name: i for i, name in enumerate(actions)}
        self._inside = np.array([ways.get(f"I-{name}", 0) for name in self._names])
        self._last = np.array([ways.get(f"L-{name}", 0) for name in self._names])
        self._begins = np.array([kind == "B" for kind in self._kinds])
        self._named = np.array([kind != "O" for kind in self._kinds])

    def decode(self, docs: Sequence[Doc], parse: Callable[[Sequence[Doc]], None]) -> list[Spans]:
        """The entities of each text.

        Args:
            docs: Tokenized texts, no annotation needed.
            parse: Writes sentence beginnings into the texts that it is given.
        """
        lengths = np.array([len(doc) for doc in docs])
        if not lengths.sum():
            return [[] for _ in docs]
        full = [doc for doc in docs if len(doc)]
        features: Floats = self._lower.predict(self._tok2vec.predict(full))
        batch = _Batch(self, features, full)
        found = iter(batch.entities())
        spans = [next(found) if length else [] for length in lengths]
        doubtful = [i for i, each in enumerate(spans) if any(last > first for first, last, _ in each)]
        if doubtful:
            parse([docs[i] for i in doubtful])
            starts = np.concatenate([[0], np.cumsum(lengths)])
            again = []
            for i in doubtful:
                sentences = docs[i].to_array(SENT_START) == 1
                if any(sentences[first + 1 : last + 1].any() for first, last, _ in spans[i]):
                    batch.sentences[starts[i] : starts[i + 1]] = sentences
                    again.append(i)
            if again:
                found = iter(batch.entities())
                spans = [next(found) if length else [] for length in lengths]
        return spans


class _Batch:
    """Texts laid end to end; a token's number counts through all of them.

    `features` has shape (tokens + 1, 3, hidden, 2), float32: what a token adds as the current one, as an entity's first
    and as the one before the current; row 0 stands for none.
    """

    def __init__(self, decoder: EntityDecoder, features: Floats, docs: Sequence[Doc]) -> None:
        self._decoder = decoder
        self._features = features
        self._lengths = np.array([len(doc) for doc in docs])
        self._final = np.zeros(len(features) - 1, dtype=bool)
        self._final[np.cumsum(self._lengths) - 1] = True
        self._space: Flags = np.concatenate([doc.to_array(IS_SPACE) for doc in docs]).astype(bool)
        self.sentences: Flags = np.zeros(len(self._final), dtype=bool)
        self._scores = self._outside()

    def entities(self) -> list[Spans]:
        decoder = self._decoder
        # No entity of several tokens where the text ends, or a sentence begins, behind the token.
        shut = self._final.copy()
        shut[:-1] |= self.sentences[1:]
        scores = self._scores.copy()
        scores[np.ix_(shut, decoder._begins)] = -np.inf
        scores[np.ix_(self._space, decoder._named)] = -np.inf
        actions = scores.argmax(axis=1)
        ends = self._ends(actions, shut)
        result: list[Spans] = []
        offset = 0
        named = np.flatnonzero(decoder._named[actions])
        bounds = np.searchsorted(named, np.concatenate([[0], np.cumsum(self._lengths)]))
        for text, length in enumerate(self._lengths):
            spans: Spans = []
            free = 0
            for token in named[bounds[text] : bounds[text + 1]]:
                if token >= free:
                    last = ends.get(int(token), int(token))
                    spans.append((int(token) - offset, last - offset, decoder._names[actions[token]]))
                    free = last + 1
            result.append(spans)
            offset += int(length)
        return result

    def _outside(self) -> Floats:
        """Scores of the actions that are open outside an entity; shape (tokens, such actions)."""
        decoder = self._decoder
        hidden = self._features[1:, 0] + self._features[0, 1]
        hidden += self._features[0, 2]
        hidden += decoder._bias
        scores: Floats = hidden.max(axis=2) @ decoder._weights[decoder._closed].T
        scores += decoder._weights_bias[decoder._closed]
        return scores

    def _ends(self, actions: NDArray[np.int64], shut: Flags) -> dict[int, int]:
        """The last token of every entity that could begin with several, by its first."""
        decoder = self._decoder
        first = np.flatnonzero(decoder._begins[actions])
        current = first + 1
        ends: dict[int, int] = {}
        while len(first):
            hidden = self._features[current + 1, 0] + self._features[first + 1, 1]
            hidden += self._features[current, 2]
            hidden += decoder._bias
            scores = hidden.max(axis=2) @ decoder._weights.T
            scores += decoder._weights_bias
            action = actions[first]
            row = np.arange(len(first))
            inside, last = decoder._inside[action], decoder._last[action]
            go_on, stop = scores[row, inside], scores[row, last]
            stops = shut[current] | (stop > go_on) | ((stop == go_on) & (last < inside))
            ends.update(zip(first[stops].tolist(), current[stops].tolist(), strict=True))
            first, current = first[~stops], current[~stops] + 1
        return ends
