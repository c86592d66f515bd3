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


class Detector(Protocol):
    """Finds personal data in texts."""

    @property
    def name(self) -> DetectorName:
        """Which of the detectors this is."""

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models it loaded, hashes checked."""

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, in no particular order, scores as the recognizers gave them.

        Raises:
            DetectorError: A recognizer did not finish; the text must not be taken as searched.
        """
