"""The tagger as a Presidio recognizer: persons, places and addresses, from weights that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from privkit.deid.findings import Finding
from privkit.deid.recognizers.tagger.decode import decode
from privkit.deid.recognizers.tagger.network import Network
from privkit.deid.recognizers.tagger.words import words_of
from privkit.deid.recognizers.weights import TAGGER, Weights
from privkit.model.report import ModelInfo

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

    def __init__(self, supported_language: str = "en", threshold: float = 0.4, weights: Weights = TAGGER) -> None:
        self._threshold = threshold
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
            tagged = decode(words, self._network.probabilities(words), self._threshold)
            found += [
                [
                    Finding(each.start, each.end, ENTITIES[each.label], each.score, RECOGNIZER)
                    for each in spans
                    if each.label in ENTITIES
                ]
                for spans in tagged
            ]
        return found
