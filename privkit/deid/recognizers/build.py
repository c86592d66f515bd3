"""Detectors by name: `patterns`, `core`, `full`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from privkit.deid.findings import Detector, Finding
from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.weights import RAMPART, SPACY_SM
from privkit.errors import DetectorError
from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from privkit.deid.recognizers.analyzer import FastAnalyzer
    from privkit.deid.recognizers.rampart import Rampart


def installed_detectors() -> tuple[DetectorName, ...]:
    """The detectors whose models are installed, the fullest last. Loads nothing; hashes are checked at load."""
    found: list[DetectorName] = ["patterns"]
    if SPACY_SM.installed():
        found.append("core")
        if rampart.installed():
            found.append("full")
    return tuple(found)


def build_detector(
    name: DetectorName | None = None,
    *,
    language: str = "en",
    countries: Sequence[str] = (),
    custom: Sequence[Mapping[str, object]] = (),
    timeout: float = 60.0,
) -> Detector:
    """A detector, its models loaded and checked.

    Args:
        name: `patterns` (Presidio's recognizers, no model), `core` (and spaCy's entities), `full` (and Rampart's); the
            fullest that is installed when None.
        language: ISO 639-1 code. Models are for English; other languages have `patterns`.
        countries: ISO 3166-1 alpha-2 codes: whose national and telephone numbers are read; the language decides if
            there are none.
        custom: More recognizers, in the form of Presidio's YAML.
        timeout: Seconds that one pattern may take on one text.

    Raises:
        DetectorError: A model is missing (the hint installs it), altered or of another language; a custom recognizer
            is not valid.
    """
    if name is None:
        name = installed_detectors()[-1] if language == "en" else "patterns"
    if name != "patterns" and language != "en":
        raise DetectorError(
            f"the detector {name} is for English, not for the language {language}",
            hint="Choose the detector patterns, which needs no model.",
        )
    if name == "full" and not rampart.installed():
        raise DetectorError("the detector full is not installed", hint=RAMPART.install)
    if name != "patterns" and not SPACY_SM.installed():
        raise DetectorError(f"the model {SPACY_SM.name} is not installed", hint=SPACY_SM.install)
    # Presidio and spaCy take seconds to import: not before it is known that they are wanted and there.
    from privkit.deid.recognizers.analyzer import FastAnalyzer
    from privkit.deid.recognizers.countries import localized_registry
    from privkit.deid.recognizers.language import EnglishModel, LanguageModel, Words
    from privkit.deid.recognizers.registry import custom_recognizers

    registry = localized_registry(language, countries)
    model: LanguageModel = Words(language) if name == "patterns" else EnglishModel()
    if name != "patterns":
        registry.add_nlp_recognizer(model.engine)
    for recognizer in custom_recognizers(custom, language):
        registry.add_recognizer(recognizer)
    analyzer = FastAnalyzer(registry, model, timeout=timeout)
    if name != "full":
        return PresidioDetector(name, analyzer)
    return FullDetector(analyzer, rampart.Rampart())


class PresidioDetector:
    """`patterns` or `core`: what Presidio finds.

    Args:
        name: Which of the two.
        analyzer: What finds it.
    """

    def __init__(self, name: DetectorName, analyzer: FastAnalyzer) -> None:
        self.name: DetectorName = name
        self.models: tuple[ModelInfo, ...] = analyzer.model.models
        self._analyzer = analyzer

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        return self._analyzer.detect(texts)


class FullDetector:
    """What Presidio finds and what Rampart finds; of equal findings the one with the higher score.

    Args:
        analyzer: Presidio's part.
        model: Rampart.
    """

    def __init__(self, analyzer: FastAnalyzer, model: Rampart) -> None:
        self.name: DetectorName = "full"
        self.models: tuple[ModelInfo, ...] = (*analyzer.model.models, *model.models)
        self._analyzer = analyzer
        self._model = model

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        return [
            merged(one, other)
            for one, other in zip(self._analyzer.detect(texts), self._model.detect(texts), strict=True)
        ]


def merged(one: Sequence[Finding], other: Sequence[Finding]) -> list[Finding]:
    """Both lists; a span of one type stands once, with its highest score."""
    best: dict[tuple[int, int, str], Finding] = {}
    for finding in (*one, *other):
        key = finding.start, finding.end, finding.entity
        if key not in best or finding.score > best[key].score:
            best[key] = finding
    return list(best.values())
