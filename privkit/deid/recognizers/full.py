"""The detector `full`: what `core` finds, and what Rampart finds where it can add something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from privkit.deid.findings import Evidence, Explained, Finding
from privkit.deid.recognizers.agreement import UNSUPPORTED, Doubt, wanted, weighed
from privkit.deid.recognizers.calibration import calibrated
from privkit.deid.recognizers.combine import combined
from privkit.deid.recognizers.passages import passages
from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from privkit.deid.recognizers.analyzer import FastAnalyzer
    from privkit.deid.recognizers.rampart import Rampart
    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer

_SURE = 0.8
"""Share of right findings from which on what `core` found need not be found again."""


class FullDetector:
    """What the recognizers of `core` and Rampart find, made one.

    Rampart costs more than ten times what the tagger does, so it reads only where it can add something: where the
    tagger gives a word enough for what Rampart may find there to count, or where a number stands, and nothing is surely
    found yet. On development data as much is fully masked as with everything read.

    Args:
        analyzer: Presidio's recognizers, the rules and the tagger.
        tagger: The tagger among them, with its `doubt`.
        model: Rampart.
        threshold: Lowest score that will count, 0..1.
        models: The models behind the analyzer.
        remote: The recognizers that send texts to a service.
        sparing: Whether parts of texts are left out, where the threshold allows it: not for a recall that is `high`.
    """

    def __init__(
        self,
        analyzer: FastAnalyzer,
        tagger: TaggerRecognizer,
        model: Rampart,
        threshold: float,
        *,
        models: tuple[ModelInfo, ...] = (),
        remote: tuple[str, ...] = (),
        sparing: bool = True,
    ) -> None:
        self.name: DetectorName = "full"
        self.models: tuple[ModelInfo, ...] = (*models, *model.models)
        self.remote = remote
        self._analyzer = analyzer
        self._tagger = tagger
        self._model = model
        self._threshold = threshold
        self._sparing = sparing and threshold > UNSUPPORTED

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        found = self._analyzer.detect(texts)
        doubtful = self._tagger.doubtful(texts)
        more = self._model.detect_in(texts, list(map(self.parts, texts, doubtful, found)))
        return [
            combined(text, [*one, *(weighed(finding, doubts) for finding in other)])
            for text, one, other, doubts in zip(texts, found, more, doubtful, strict=True)
        ]

    def explain(self, text: str) -> Explained:
        """See `Detector.explain`."""
        said = self._analyzer.explain(text)
        kept = [each.finding for each in said if not each.refused]
        (doubts,) = self._tagger.doubtful([text])
        for finding in self._model.detect_in([text], [self.parts(text, doubts, kept)])[0]:
            said.append(Evidence(weighed(finding, doubts), finding.score))
            kept.append(said[-1].finding)
        return Explained(said, combined(text, kept) if kept else [])

    def parts(self, text: str, doubts: Sequence[Doubt], found: Sequence[Finding]) -> list[tuple[int, int]]:
        """What Rampart reads of a text: (first character, one past the last), in order.

        Args:
            text: The text.
            doubts: Its words that may be personal.
            found: What the other recognizers found in it.
        """
        if not self._sparing:
            return [(0, len(text))]
        sure = max(_SURE, self._threshold)
        known = [(each.start, each.end) for each in found if calibrated(text, each).score >= sure]
        return passages(text, wanted(doubts, self._threshold), known)
