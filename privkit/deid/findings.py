"""What a detector returns, and what a detector is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo

NATIONAL = "privkit.countries"
"""How the names of recognizers begin that find the numbers which countries give to people."""


class Finding(NamedTuple):
    """A span of a text that names somebody.

    Attributes:
        start: First character, 0-based.
        end: One past the last character.
        entity: Entity type, e.g. PERSON.
        score: Confidence in 0..1.
        recognizer: Name of the recognizer that found it.
    """

    start: int
    end: int
    entity: str
    score: float
    recognizer: str = ""


class Evidence(NamedTuple):
    """What one recognizer says of a text, and how it came to its score.

    Attributes:
        finding: With the score after context words.
        before: The score before context words, in 0..1.
        context: The word of the text that raised it, or the recognizer's own where it does not say which; "" for none.
        refused: Why the detector goes no further with it; "" where it does.
    """

    finding: Finding
    before: float
    context: str = ""
    refused: str = ""


class Explained(NamedTuple):
    """How a detector came to its findings in a text.

    Attributes:
        said: What each recognizer said.
        found: What `detect` makes of it: the same findings, in any order. A detector that joins, widens or drops what
            its recognizers say shows it by the difference between the two.
    """

    said: Sequence[Evidence]
    found: Sequence[Finding]


class Detector(Protocol):
    """Finds personal data in texts."""

    @property
    def name(self) -> DetectorName:
        """Which of the detectors this is."""

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models it loaded, hashes checked."""

    @property
    def remote(self) -> tuple[str, ...]:
        """The recognizers that send texts to a service."""

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, in no particular order, scores as the recognizers gave them.

        Raises:
            DetectorError: A recognizer did not finish; the text must not be taken as searched.
        """

    def explain(self, text: str) -> Explained:
        """The findings in one text, and what each recognizer said of it.

        Raises:
            DetectorError: A recognizer did not finish.
        """
