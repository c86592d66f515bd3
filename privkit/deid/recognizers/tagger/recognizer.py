"""The tagger as a Presidio recognizer: persons, places and addresses, from weights that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from privkit.deid.findings import Finding
from privkit.deid.recognizers.agreement import Doubt
from privkit.deid.recognizers.tagger.decode import LABELS, decode
from privkit.deid.recognizers.tagger.network import Network
from privkit.deid.recognizers.tagger.words import Words, words_of
from privkit.deid.recognizers.weights import TAGGER, Weights
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ENTITIES = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ADDRESS": "LOCATION"}
"""What the tagger's labels are called here. Its organisations and dates only keep it from taking them for names."""

RECOGNIZER = "TaggerRecognizer"

_GROUP = 512  # texts whose probabilities are held at once


class TaggerRecognizer(EntityRecognizer):
    """privkit's own named-entity recognizer.

    Args:
        supported_language: One of `privkit.deid.recognizers.tagger.LANGUAGES`.
        threshold: Lowest probability that a word belongs to an entity, 0..1.
        weights: The file with the parameters; another one is for tests.
        doubt: Probability from which on `doubtful` has a word, 0..1; None where nobody will ask for such words.

    Attributes:
        models: The model's name, version and SHA-256.

    Raises:
        DetectorError: The file is missing, or is not the one that was tested.

    Example:
        >>> recognizer = TaggerRecognizer()
        >>> text = "Call Fatima Okafor in Leeds."
        >>> [(r.entity_type, text[r.start : r.end]) for r in recognizer.analyze(text, ["PERSON", "LOCATION"], None)]
        [('PERSON', 'Fatima Okafor'), ('LOCATION', 'Leeds')]
    """

    def __init__(
        self,
        supported_language: str = "en",
        threshold: float = 0.4,
        weights: Weights = TAGGER,
        doubt: float | None = None,
    ) -> None:
        self._threshold = threshold
        self._doubt = doubt
        self._doubtful: dict[str, list[Doubt]] = {}
        self.models: tuple[ModelInfo, ...] = (weights.info(),)
        self._network = Network(weights.read(weights.main))
        super().__init__(
            supported_entities=sorted(set(ENTITIES.values())),
            name=RECOGNIZER,
            supported_language=supported_language,
            version=weights.version,
        )

    def load(self) -> None:
        """Nothing: the parameters are read, and checked, when the recognizer is made."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The persons and places of one text, as Presidio wants them."""
        del nlp_artifacts
        return [
            RecognizerResult(
                finding.entity,
                finding.start,
                finding.end,
                finding.score,
                AnalysisExplanation(recognizer=RECOGNIZER, original_score=finding.score),
            )
            for finding in self.find_all([text])[0]
            if not entities or finding.entity in entities
        ]

    def find_all(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text: many at once cost less than one by one."""
        found: list[list[Finding]] = []
        for begin in range(0, len(texts), _GROUP):
            words = [words_of(text) for text in texts[begin : begin + _GROUP]]
            tags = self._network.probabilities(words)
            if self._doubt is not None:
                read = texts[begin : begin + _GROUP]
                self._doubtful.update(zip(read, _doubts(words, tags, self._doubt), strict=True))
            tagged = decode(words, tags, self._threshold)
            found += [
                [
                    Finding(each.start, each.end, ENTITIES[each.label], each.score, RECOGNIZER)
                    for each in spans
                    if each.label in ENTITIES
                ]
                for spans in tagged
            ]
        return found

    def doubtful(self, texts: Sequence[str]) -> list[list[Doubt]]:
        """The words of each text that belong to a person or a place with a probability of `doubt` or more.

        The texts that `find_all` was asked about since the last call are not read again.
        """
        assert self._doubt is not None
        known, self._doubtful = self._doubtful, {}
        self.find_all([text for text in dict.fromkeys(texts) if text not in known])
        known.update(self._doubtful)
        self._doubtful = {}
        return [known[text] for text in texts]


def _doubts(texts: Sequence[Words], tags: Floats, least: float) -> list[list[Doubt]]:
    """The words of texts that may be personal, punctuation and blanks left out."""
    labels = tags[:, 1::2] + tags[:, 2::2]
    persons, places = (
        labels[:, [ENTITIES.get(label) == entity for label in LABELS]].sum(axis=1) for entity in ("PERSON", "LOCATION")
    )
    doubts: list[list[Doubt]] = [[] for _ in texts]
    firsts = np.cumsum([0, *(len(text.forms) for text in texts)])
    hits = np.flatnonzero(np.maximum(persons, places) >= least)
    owners = np.searchsorted(firsts, hits, side="right") - 1
    found = zip(owners, hits - firsts[owners], persons[hits].tolist(), places[hits].tolist(), strict=True)
    for owner, i, person, place in found:
        text = texts[owner]
        if text.forms[i][0].isalnum():
            doubts[owner].append(Doubt(text.starts[i], text.ends[i], person, place))
    return doubts
