"""Detectors by name: `patterns`, `core`, `full`; and `spacy`, which is stock Presidio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from privkit.deid.findings import Detector, Finding
from privkit.deid.recognizers import rampart
from privkit.deid.recognizers.agreement import LEAST, UNSUPPORTED, Doubt, wanted, weighed
from privkit.deid.recognizers.passages import passages
from privkit.deid.recognizers.tagger import LANGUAGES
from privkit.deid.recognizers.weights import RAMPART, SPACY_SM
from privkit.errors import DetectorError
from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo

if TYPE_CHECKING:
    from privkit.deid.recognizers.analyzer import FastAnalyzer
    from privkit.deid.recognizers.rampart import Rampart
    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer

_SURE = 0.8
"""Score from which on what `core` found need not be found again."""


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
) -> Detector:
    """A detector, its models loaded and checked.

    Args:
        name: `patterns` (Presidio's recognizers, no model), `core` (and privkit's tagger), `full` (and Rampart);
            `spacy` is what Presidio finds at its defaults with spaCy's small model. The fullest that is installed
            when None.
        language: ISO 639-1 code. The tagger reads those of `LANGUAGES`; other languages have `patterns`. Rampart was
            made for English, but what it adds to the tagger in the others is worth having: on made German, French,
            Spanish, Italian and Dutch texts it took spans that are fully masked from .93 – .96 to .96 – .98.
        countries: ISO 3166-1 alpha-2 codes: whose national and telephone numbers are read; the language decides if
            there are none.
        custom: More recognizers, in the form of Presidio's YAML.
        timeout: Seconds that one pattern may take on one text.
        threshold: Lowest score that will count, 0..1: words that the tagger is less sure of are no part of a finding.

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
    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer

    registry = localized_registry(language, countries)
    model: LanguageModel = EnglishModel() if name == "spacy" else Words(language)
    models = model.models
    if name == "spacy":
        registry.add_nlp_recognizer(model.engine)
    if name in ("core", "full"):
        tagger = TaggerRecognizer(language, threshold, doubt=LEAST if name == "full" else None)
        registry.add_recognizer(tagger)
        models = tagger.models
    for recognizer in custom_recognizers(custom, language):
        registry.add_recognizer(recognizer)
    presidio = PresidioDetector(name, FastAnalyzer(registry, model, timeout=timeout), models)
    return FullDetector(presidio, tagger, rampart.Rampart(), threshold) if name == "full" else presidio


class PresidioDetector:
    """What Presidio's recognizers find, and the tagger where it is one of them.

    Args:
        name: Which detector.
        analyzer: What finds it.
        models: The models behind it.
    """

    def __init__(self, name: DetectorName, analyzer: FastAnalyzer, models: tuple[ModelInfo, ...]) -> None:
        self.name: DetectorName = name
        self.models = models
        self._analyzer = analyzer

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        return self._analyzer.detect(texts)


class FullDetector:
    """What `core` finds and what Rampart finds; of equal findings the one with the higher score.

    Rampart costs more than ten times what the tagger does, so it reads only where it can add something: where the
    tagger gives a word enough for what Rampart may find there to count, or where a number stands, and `core` has not
    surely found it. On development data what is fully masked is the same as with everything read.

    Args:
        core: The one.
        tagger: Of `core`, with its `doubt`.
        model: The other.
        threshold: Lowest score that will count, 0..1.
        sparing: Whether parts of texts are left out, where the threshold allows it: not for a recall that is `high`.
    """

    def __init__(
        self,
        core: PresidioDetector,
        tagger: TaggerRecognizer,
        model: Rampart,
        threshold: float,
        *,
        sparing: bool = True,
    ) -> None:
        self.name: DetectorName = "full"
        self.models: tuple[ModelInfo, ...] = (*core.models, *model.models)
        self._core = core
        self._tagger = tagger
        self._model = model
        self._threshold = threshold
        self._sparing = sparing and threshold > UNSUPPORTED

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """See `Detector.detect`."""
        found = self._core.detect(texts)
        doubtful = self._tagger.doubtful(texts)
        more = self._model.detect_in(texts, list(map(self.parts, texts, doubtful, found)))
        return [
            merged(one, [weighed(finding, doubts) for finding in other])
            for one, other, doubts in zip(found, more, doubtful, strict=True)
        ]

    def parts(self, text: str, doubts: Sequence[Doubt], found: Sequence[Finding]) -> list[tuple[int, int]]:
        """What Rampart reads of a text: (first character, one past the last), in order.

        Args:
            text: The text.
            doubts: Its words that may be personal.
            found: What `core` found in it.
        """
        if not self._sparing:
            return [(0, len(text))]
        sure = max(_SURE, self._threshold)
        known = [(each.start, each.end) for each in found if each.score >= sure]
        return passages(text, wanted(doubts, self._threshold), known)


def merged(one: Sequence[Finding], other: Sequence[Finding]) -> list[Finding]:
    """Both lists; a span of one type stands once, with its highest score."""
    best: dict[tuple[int, int, str], Finding] = {}
    for finding in (*one, *other):
        key = finding.start, finding.end, finding.entity
        if key not in best or finding.score > best[key].score:
            best[key] = finding
    return list(best.values())
