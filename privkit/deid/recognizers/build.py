"""Detectors by name: `patterns`, `core`, `full`; and `spacy`, which is stock Presidio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from privkit.deid.findings import Detector, Explained, Finding
from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.agreement import LEAST
from privkit.deid.recognizers.combine import combined
from privkit.deid.recognizers.full import FullDetector
from privkit.deid.recognizers.tagger import LANGUAGES
from privkit.deid.recognizers.weights import RAMPART, SPACY_SM
from privkit.errors import DetectorError
from privkit.model.policy import DetectorName
from privkit.model.presidio import PresidioConfiguration
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from privkit.deid.recognizers.analyzer import FastAnalyzer


def installed_detectors() -> tuple[DetectorName, ...]:
    """The detectors whose models are installed, the fullest last. Loads nothing; hashes are checked at load."""
    found: list[DetectorName] = ["patterns"]
    if SPACY_SM.installed():
        found.append("spacy")
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
    threshold: float = 0.4,
    presidio: PresidioConfiguration | None = None,
    allow_remote: bool = False,
) -> Detector:
    """A detector, its models loaded and checked.

    Args:
        name: `patterns` (Presidio's recognizers, no model), `core` (and privkit's tagger), `full` (and Rampart);
            `spacy` is what Presidio finds at its defaults with spaCy's small model. The fullest that is installed
            when None.
        language: ISO 639-1 code. The tagger reads those of `LANGUAGES`; other languages have `patterns`. Rampart was
            made for English, but what it adds to the tagger in the others is worth having: on made German, French,
            Spanish, Italian and Dutch texts (of the tagger's own templates) it took spans that are fully masked from
            .93 – .96 to .96 – .98.
        countries: ISO 3166-1 alpha-2 codes: whose national and telephone numbers are read; the language decides if
            there are none.
        custom: More recognizers, in the form of Presidio's YAML.
        timeout: Seconds that one pattern may take on one text.
        threshold: Lowest score that will count, 0..1: words that the tagger is less sure of are no part of a finding.
        presidio: More recognizers and an NLP engine, in Presidio's own form.
        allow_remote: Whether some of these may send texts to a service.

    Raises:
        DetectorError: A model is missing (the hint installs it), altered or of another language; a custom recognizer
            is not valid.
    """
    if name is None:
        name = installed_detectors()[-1] if language in LANGUAGES else "patterns"
    if (name == "spacy" and language != "en") or (name in ("core", "full") and language not in LANGUAGES):
        raise DetectorError(
            f"the detector {name} does not read the language {language}",
            hint=f"core and full read {', '.join(LANGUAGES)}; the detector patterns needs no model.",
        )
    if name == "full" and not rampart.installed():
        raise DetectorError("the detector full is not installed", hint=RAMPART.install)
    if name == "spacy" and not SPACY_SM.installed():
        raise DetectorError(f"the model {SPACY_SM.name} is not installed", hint=SPACY_SM.install)
    # Presidio and spaCy take seconds to import: not before it is known that they are wanted and there.
    from privkit.deid.recognizers.analyzer import FastAnalyzer
    from privkit.deid.recognizers.countries import localized_registry
    from privkit.deid.recognizers.language import EnglishModel, LanguageModel, Words
    from privkit.deid.recognizers.registry import custom_recognizers
    from privkit.deid.recognizers.rules import NOISY, rule_recognizers
    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer

    registry = localized_registry(language, countries)
    model: LanguageModel = EnglishModel() if name == "spacy" else Words(language)
    models = model.models
    if name == "spacy":
        registry.add_nlp_recognizer(model.engine)
    else:
        registry.recognizers = [each for each in registry.recognizers if type(each).__name__ not in NOISY]
        for rule in rule_recognizers(language):
            registry.add_recognizer(rule)
    if name in ("core", "full"):
        tagger = TaggerRecognizer(language, threshold, doubt=LEAST if name == "full" else None)
        registry.add_recognizer(tagger)
        models = tagger.models
    for recognizer in custom_recognizers(custom, language):
        registry.add_recognizer(recognizer)
    remote: tuple[str, ...] = ()
    if presidio is not None:
        from privkit.deid.recognizers.plugins import plugged_in

        plugged = plugged_in(presidio, language, allow_remote=allow_remote)
        there = [(type(each), each.to_dict()) for each in registry.recognizers]
        for recognizer in plugged.recognizers:
            if (type(recognizer), recognizer.to_dict()) not in there:  # a registry may name what is there already
                registry.add_recognizer(recognizer)
        models, remote = (*models, *plugged.models), plugged.remote
    analyzer = FastAnalyzer(registry, model, timeout=timeout, keep_all=name != "spacy")
    if name == "spacy":
        return StockDetector(analyzer, models, remote)
    if name == "full":
        return FullDetector(analyzer, tagger, rampart.Rampart(), threshold, models=models, remote=remote)
    return CombinedDetector(name, analyzer, models, remote)


class StockDetector:
    """`spacy`: what Presidio's AnalyzerEngine finds at its defaults, as it finds it.

    Args:
        analyzer: What finds it.
        models: The models behind it.
        remote: The recognizers that send texts to a service.
    """

    def __init__(self, analyzer: FastAnalyzer, models: tuple[ModelInfo, ...], remote: tuple[str, ...] = ()) -> None:
        self.name: DetectorName = "spacy"
        self.models = models
        self.remote = remote
        self._analyzer = analyzer

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        return self._analyzer.detect(texts)

    def explain(self, text: str) -> Explained:
        """See `Detector.explain`."""
        said = self._analyzer.explain(text)
        return Explained(said, [each.finding for each in said if not each.refused])


class CombinedDetector:
    """`patterns` and `core`: what several recognizers find, made one.

    Args:
        name: Which of them.
        analyzer: Presidio's recognizers, the rules, and the tagger where it is one of them.
        models: The models behind the analyzer.
        remote: The recognizers that send texts to a service.
    """

    def __init__(
        self,
        name: DetectorName,
        analyzer: FastAnalyzer,
        models: tuple[ModelInfo, ...],
        remote: tuple[str, ...] = (),
    ) -> None:
        self.name: DetectorName = name
        self.models = models
        self.remote = remote
        self._analyzer = analyzer

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        found = self._analyzer.detect(texts)
        return [combined(text, each) if each else [] for text, each in zip(texts, found, strict=True)]

    def explain(self, text: str) -> Explained:
        """See `Detector.explain`."""
        said = self._analyzer.explain(text)
        kept = [each.finding for each in said if not each.refused]
        return Explained(said, combined(text, kept) if kept else [])
