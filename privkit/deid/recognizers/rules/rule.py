"""What all rules have in common: a cheap test that says where there is nothing, and a search that finds the rest."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult


class Span(NamedTuple):
    """A place that a rule found: character offsets, entity type, score in 0..1."""

    start: int
    end: int
    entity: str
    score: float


class Rule(EntityRecognizer):
    """A Presidio recognizer that searches in its own way; any `AnalyzerEngine` can run it.

    A rule looks at the words around a finding itself, so it has no context words. It takes no language model.

    Attributes:
        entities: The entity types that it finds.
        gates: Patterns, with their flags. Where none of them has a match, the rule finds nothing: `FastAnalyzer` has
            them all tried in one pass over a text.

    Args:
        supported_language: ISO 639-1 code.
    """

    name: str
    entities: ClassVar[tuple[str, ...]]
    gates: Sequence[tuple[str, int]]

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=list(self.entities),
            name=type(self).__name__,
            supported_language=supported_language,
        )
        self._gates = tuple(re.compile(pattern, flags) for pattern, flags in self.gates)

    def load(self) -> None:
        """Nothing is to be loaded."""

    @abstractmethod
    def find(self, text: str, opened: Collection[int]) -> Iterator[Span]:
        """What the rule finds in a text; the spans may overlap.

        Args:
            text: What is searched.
            opened: Numbers of the gates that may have a match in it.
        """

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """As Presidio calls it.

        Args:
            text: What is searched.
            entities: The types that are wanted.
            nlp_artifacts: Not looked at.
        """
        del nlp_artifacts
        opened = [number for number, gate in enumerate(self._gates) if gate.search(text)]
        return [
            RecognizerResult(
                span.entity,
                span.start,
                span.end,
                span.score,
                AnalysisExplanation(recognizer=self.name, original_score=span.score),
                {
                    RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                },
            )
            for span in self.find(text, opened)
            if not entities or span.entity in entities
        ]


class LabelRule(Rule):
    """A rule whose patterns hold the words that give a finding away, and the finding as a group.

    Attributes:
        searches: Pattern and score of each search; what its group `found` matches is the finding.
    """

    searches: ClassVar[tuple[tuple[str, float], ...]]

    def __init__(self, supported_language: str = "en") -> None:
        self.gates = tuple((pattern, 0) for pattern, _ in self.searches)
        super().__init__(supported_language)

    def find(self, text: str, opened: Collection[int]) -> Iterator[Span]:
        """See `Rule.find`."""
        for number in opened:
            for match in self._gates[number].finditer(text):
                yield Span(*match.span("found"), self.entities[0], self.searches[number][1])


class PatternRule(Rule):
    """A rule that needs nothing but patterns, which match the finding and nothing else; case counts in them.

    Attributes:
        searches: Name, pattern and score of each search.
    """

    searches: ClassVar[tuple[tuple[str, str, float], ...]]

    def __init__(self, supported_language: str = "en") -> None:
        self.gates = tuple((pattern, 0) for _, pattern, _ in self.searches)
        super().__init__(supported_language)

    def find(self, text: str, opened: Collection[int]) -> Iterator[Span]:
        """See `Rule.find`."""
        for number in opened:
            for match in self._gates[number].finditer(text):
                if self.valid(match.group()):
                    yield Span(*match.span(), self.entities[0], self.searches[number][2])

    def valid(self, found: str) -> bool:
        """Whether what was matched passes a check of its own."""
        del found
        return True
