"""`AnalyzerEngine.analyze` for many texts, with the same findings at a small part of the cost.

Given the same recognizers and language model, spans, types and scores are those of Presidio's `AnalyzerEngine` at its
defaults. What is different is how they are come by: texts that are equal are searched once; a pattern is tried only
where it can match (`prefilter`), phone numbers of all regions are read in one pass (`phones`), the language model runs
in parts (`language`, `ner`), context words are compared with the lemmas that a word could have (`context`). What this
module does not know (a recognizer that analyses in its own way, or that has its own context logic) is called as
Presidio calls it.

One thing is stricter: where Presidio logs that a pattern ran out of time and goes on, this is an error. A text that was
not searched to its end must not pass for searched.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import regex
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, PatternRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.predefined_recognizers import IbanRecognizer, PhoneRecognizer, SpacyRecognizer
from threadpoolctl import ThreadpoolController

from privkit.deid.findings import Evidence, Finding
from privkit.deid.recognizers.context import ContextMatcher, Support, Surroundings
from privkit.deid.recognizers.language import LanguageModel, LazyArtifacts, NamedEntity
from privkit.deid.recognizers.phones import PhoneScanner
from privkit.deid.recognizers.prefilter import Prefilter, words
from privkit.deid.recognizers.registry import keep_suffixes_offline
from privkit.deid.recognizers.rules.rule import Rule
from privkit.deid.recognizers.tagger.recognizer import RECOGNIZER, TaggerRecognizer
from privkit.errors import DetectorError

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerRegistry
    from spacy.tokens import Doc

_SURROGATES = regex.compile("[\ud800-\udfff]")
_logger = logging.getLogger("presidio-analyzer")


class FastAnalyzer:
    """Finds what an `AnalyzerEngine` would find.

    Args:
        registry: A Presidio registry; any recognizers. Only those of the model's language are used. If it holds a
            SpacyRecognizer, the model's entities are found. Recognizers that are added to it later are not seen.
        model: Tokens, lemmas and entities: `EnglishModel`, or `Words` where no model is wanted.
        timeout: Seconds that one pattern may take on one text.
        default_score_threshold: As the engine's.
        enhancer: As the engine's `context_aware_enhancer`; Presidio's default when absent.
        filter_after: Texts that are searched with every pattern before the prefilter is built.
        keep_all: Whether findings of one type that are equal, or lie inside one another, are all returned where
            different recognizers found them; Presidio leaves the smaller and the later ones out.

    Not for use by several threads at once.

    Raises:
        DetectorError: No recognizer is for the model's language.

    Example:
        >>> from privkit.deid.recognizers.registry import default_registry
        >>> from privkit.deid.recognizers.language import Words
        >>> analyzer = FastAnalyzer(default_registry("en"), Words("en"))
        >>> [(f.entity, f.start, f.end) for f in analyzer.detect(["Mail ann@example.org"])[0] if f.score > 0.9]
        [('EMAIL_ADDRESS', 5, 20)]
    """

    def __init__(
        self,
        registry: RecognizerRegistry,
        model: LanguageModel,
        *,
        timeout: float = 60.0,
        default_score_threshold: float = 0.0,
        enhancer: Any = None,
        filter_after: int = 1500,
        keep_all: bool = False,
    ) -> None:
        keep_suffixes_offline()
        self.model = model
        try:
            self._recognizers: list[Any] = registry.get_recognizers(language=model.language, all_fields=True)
        except ValueError:
            raise DetectorError(f"no recognizer is for the language {model.language}") from None
        self._enhancer = enhancer if enhancer is not None else LemmaContextAwareEnhancer()
        self._threshold = default_score_threshold
        self._keep_all = keep_all
        self._blas: Any = None
        entities = sorted({entity for each in self._recognizers for entity in each.get_supported_entities()})
        patterns: list[tuple[str, int]] = []
        self._searches: list[_Search] = []
        for owner, recognizer in enumerate(self._recognizers):
            if not recognizer.is_loaded:
                recognizer.load()
                recognizer.is_loaded = True
            self._searches.append(_search_for(recognizer, owner, entities, timeout, patterns))
        self._prefilter = Prefilter(patterns, after=filter_after)
        self._owners = {recognizer.id: owner for owner, recognizer in enumerate(self._recognizers)}
        self._with_entities = any(isinstance(search, _Entities) for search in self._searches)
        # Own context logic sees all results and may do anything with them: such texts go Presidio's way.
        self._own_context = type(self._enhancer) is not LemmaContextAwareEnhancer or any(
            type(each).enhance_using_context is not EntityRecognizer.enhance_using_context
            or "enhance_using_context" in vars(each)
            for each in self._recognizers
        )
        self._matchers: list[ContextMatcher | None] = [
            None if self._own_context or not each.context else ContextMatcher(each.context, self._enhancer)
            for each in self._recognizers
        ]
        self._thresholds = [each.score_thresholds for each in self._recognizers]

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, best score first, as `AnalyzerEngine.analyze(text, language)` returns them.

        A lone surrogate, which is not a character, is read as U+FFFD.

        Raises:
            DetectorError: A recognizer did not finish, or failed.
        """
        distinct = {text: _SURROGATES.sub("\ufffd", text) for text in texts}
        searched = list(dict.fromkeys(distinct.values()))
        with self._alone():
            found = [self._findings(raws) for raws in self._analyze(searched)]
        results = dict(zip(searched, found, strict=True))
        return [list(results[distinct[text]]) for text in texts]

    def explain(self, text: str) -> list[Evidence]:
        """What each recognizer says of one text; what is not refused is what `detect` gives.

        Raises:
            DetectorError: A recognizer did not finish, or failed.
        """
        searched = _SURROGATES.sub("\ufffd", text)
        with self._alone():
            return self._evidence(searched, self._analyze([searched])[0])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A block in which texts are searched: by one thread, and no word of them is remembered beyond it."""
        if self._blas is None:
            self._blas = ThreadpoolController()
        with self._blas.limit(limits=1, user_api="blas"), self.model.transient():
            yield

    def _analyze(self, texts: Sequence[str]) -> list[list[_Raw]]:
        """The results in each text after context, before any is left out."""
        docs: list[Doc | None] = [None] * len(texts)
        entities: Sequence[list[NamedEntity]] = [[]] * len(texts)
        if self._with_entities:
            tokenized = self.model.documents(texts)
            entities = self.model.entities(tokenized)
            docs = list(tokenized)
        for search in self._searches:
            search.prepare(texts)
        results: list[list[_Raw]] = []
        pending: list[tuple[Doc, list[_Raw]]] = []
        for i, text in enumerate(texts):
            artifacts = LazyArtifacts(text, self.model)
            raws = self._search(text, entities[i], artifacts)
            results.append(raws)
            if self._own_context:
                results[i] = self._enhanced(text, raws, artifacts)
                continue
            wanting = self._wanting(text, raws)
            if wanting:
                doc = docs[i] or self.model.documents([text])[0]
                undecided = self._boost(wanting, Surroundings.possible(text, doc, self.model.lexicon))
                if undecided:
                    pending.append((doc, undecided))
        if pending:
            resolved = self.model.resolve([doc for doc, _ in pending])
            for (_, undecided), surroundings in zip(pending, resolved, strict=True):
                self._boost(undecided, surroundings)
        return results

    def _search(self, text: str, entities: list[NamedEntity], artifacts: LazyArtifacts) -> list[_Raw]:
        possible = self._prefilter.possible(text)
        given = _Text(text, possible, entities, artifacts)
        raws: list[_Raw] = []
        for search in self._searches:
            if search.needed is None or not search.needed.isdisjoint(possible):
                raws += search.find(given)
        return raws

    def _wanting(self, text: str, raws: Sequence[_Raw]) -> list[_Raw]:
        """The results whose score context words may raise; raised are those for which no tokens are needed."""
        wanting = []
        lexicon = self.model.lexicon
        # In lower case a capital sigma is one of two letters, by what follows: a word's may not be the text's.
        lower = text.lower() if raws and lexicon.certain and "\u03a3" not in text else None
        for raw in raws:
            owner = self._owner(raw)
            matcher = None if owner is None or raw.decided else self._matchers[owner]
            if matcher is None or matcher.boosted(raw.score) == raw.score:
                continue
            if lower is None:
                wanting.append(raw)
            elif matcher.occurs(lower):
                if matcher.stands_before(text, raw.start, lexicon):
                    raw.score = matcher.boosted(raw.score)
                else:
                    wanting.append(raw)
        return wanting

    def _boost(self, raws: Sequence[_Raw], surroundings: Surroundings) -> list[_Raw]:
        """Raises the scores that have support; those for which it depends are returned."""
        undecided = []
        for raw in raws:
            owner = self._owner(raw)
            matcher = None if owner is None else self._matchers[owner]
            if matcher is not None:
                support = surroundings.support(raw.start, matcher)
                if support is Support.YES:
                    raw.score = matcher.boosted(raw.score)
                elif support is Support.DEPENDS:
                    undecided.append(raw)
        return undecided

    def _owner(self, raw: _Raw) -> int | None:
        """The recognizer that a result is attributed to: its own metadata decides."""
        return raw.owner if raw.reported is None else self._owners.get(raw.reported)

    def _enhanced(self, text: str, raws: Sequence[_Raw], artifacts: LazyArtifacts) -> list[_Raw]:
        """The results after context, computed by Presidio's own code."""
        given = [raw.to_result(self._recognizers[raw.owner]) for raw in raws]
        key = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY
        results: list[RecognizerResult] = []
        for recognizer in self._recognizers:
            with _translated_failures(recognizer.name):
                results += recognizer.enhance_using_context(
                    text=text,
                    raw_recognizer_results=[r for r in given if r.recognition_metadata[key] == recognizer.id],
                    other_raw_recognizer_results=[r for r in given if r.recognition_metadata[key] != recognizer.id],
                    nlp_artifacts=artifacts,
                    context=None,
                )
        with _translated_failures(type(self._enhancer).__name__):
            results = self._enhancer.enhance_using_context(
                text=text, raw_results=results, nlp_artifacts=artifacts, recognizers=self._recognizers, context=None
            )
        return [_Raw.from_result(result, self._owners.get(result.recognition_metadata[key], 0)) for result in results]

    def _findings(self, raws: Sequence[_Raw]) -> list[Finding]:
        found = self._distinct([raw for raw in raws if not self._refused(raw)])
        found.sort(key=lambda raw: (-raw.score, raw.start, raw.start - raw.end))
        return [self._finding(raw) for raw in found]

    def _distinct(self, raws: list[_Raw]) -> list[_Raw]:
        return [raw for raw in raws if raw.score] if self._keep_all else _without_duplicates(raws)

    def _finding(self, raw: _Raw) -> Finding:
        return Finding(raw.start, raw.end, raw.entity, raw.score, raw.name or self._recognizers[raw.owner].name)

    def _refused(self, raw: _Raw) -> str:
        """Why a result goes no further, whatever the others are; "" if it does."""
        owner = self._owner(raw)
        if owner is None:
            # Presidio, too, loses a result that names a recognizer which is not there.
            return "it names a recognizer that is not there"
        thresholds = self._thresholds[owner]
        if raw.score < thresholds.get(raw.entity, thresholds.get("default", self._threshold)):
            return "below the recognizer's own threshold"
        return ""

    def _evidence(self, text: str, raws: Sequence[_Raw]) -> list[Evidence]:
        refusals = [self._refused(raw) for raw in raws]
        kept = self._distinct([raw for raw, refused in zip(raws, refusals, strict=True) if not refused])
        surroundings: Surroundings | None = None
        found = []
        for raw, refused in zip(raws, refusals, strict=True):
            context, owner = raw.context, self._owner(raw)
            matcher = None if owner is None else self._matchers[owner]
            if not context and raw.score != raw.before and matcher is not None:
                if surroundings is None:
                    surroundings = self.model.resolve(self.model.documents([text]))[0]
                context = surroundings.word(raw.start, matcher)
            if not refused and not any(raw is each for each in kept):
                refused = "another finding of its type says the same, or more" if raw.score else "its score is 0"
            found.append(Evidence(self._finding(raw), raw.before, context, refused))
        return found


class _Raw:
    """A result on its way: `owner` is the recognizer's place; a foreign result keeps its own object."""

    __slots__ = (
        *("before", "context", "decided", "end", "entity", "name", "owner", "reported", "result", "score", "start"),
    )

    def __init__(self, owner: int, start: int, end: int, entity: str, score: float) -> None:
        self.owner = owner
        self.start = start
        self.end = end
        self.entity = entity
        self.score = score
        self.before = score
        self.context = ""
        self.name = ""
        self.reported: str | None = None
        self.decided = False
        self.result: RecognizerResult | None = None

    @classmethod
    def from_result(cls, result: RecognizerResult, owner: int) -> _Raw:
        raw = cls(owner, result.start, result.end, result.entity_type, result.score)
        metadata = result.recognition_metadata or {}
        raw.result = result
        raw.name = str(metadata.get(RecognizerResult.RECOGNIZER_NAME_KEY, ""))
        raw.reported = metadata.get(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY)
        raw.decided = bool(metadata.get(RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY))
        explanation = result.analysis_explanation
        raw.context = getattr(explanation, "supportive_context_word", "") or ""
        if raw.context:
            raw.before = explanation.original_score
        return raw

    def to_result(self, recognizer: Any) -> RecognizerResult:
        result = self.result or RecognizerResult(
            self.entity,
            self.start,
            self.end,
            self.score,
            AnalysisExplanation(recognizer=recognizer.name, original_score=self.score),
        )
        metadata = result.recognition_metadata = result.recognition_metadata or {}
        metadata.setdefault(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY, recognizer.id)
        metadata.setdefault(RecognizerResult.RECOGNIZER_NAME_KEY, recognizer.name)
        return result


class _Text(NamedTuple):
    """A text with what is known of it: the patterns that may match and where, the model's entities."""

    text: str
    possible: Mapping[int, Sequence[int] | None]
    entities: Sequence[NamedEntity]
    artifacts: LazyArtifacts


class _Search:
    """One recognizer's part of a text's search.

    Attributes:
        needed: Patterns of which at least one must be possible for the recognizer to find anything; None: it may
            always.
    """

    needed: frozenset[int] | None = None

    def prepare(self, texts: Sequence[str]) -> None:
        """Told of the texts that `find` will be asked about, for what is done with many at once."""

    def find(self, given: _Text) -> Sequence[_Raw]:
        raise NotImplementedError


class _Patterns(_Search):
    """A recognizer that searches as PatternRecognizer does."""

    def __init__(self, recognizer: Any, owner: int, timeout: float, first: int) -> None:
        self._recognizer = recognizer
        self._owner = owner
        self._timeout = timeout
        self._entity: str = recognizer.supported_entities[0]
        flags = recognizer.global_regex_flags
        self._patterns = [
            (first + i, regex.compile(pattern.regex, flags), pattern.score)
            for i, pattern in enumerate(recognizer.patterns)
        ]
        self.needed = frozenset(number for number, _, _ in self._patterns)
        self._validates = type(recognizer).validate_result is not PatternRecognizer.validate_result
        self._invalidates = type(recognizer).invalidate_result is not PatternRecognizer.invalidate_result

    def find(self, given: _Text) -> Sequence[_Raw]:
        raws: list[_Raw] = []
        for number, pattern, score in self._patterns:
            if number not in given.possible:
                continue
            try:
                for match in self._matches(pattern, given.text, given.possible[number]):
                    start, end = match.span()
                    if start == end:
                        continue
                    scored = self._score(match.group(), score)
                    if scored > EntityRecognizer.MIN_SCORE:
                        raws.append(_Raw(self._owner, start, end, self._entity, scored))
            except Exception as err:
                raise _translated(err, self._recognizer.name) from None
        return _without_duplicates(raws) if len(raws) > 1 else raws

    def _matches(self, pattern: Any, text: str, ends: Sequence[int] | None) -> Iterator[Any]:
        if ends is None:
            yield from pattern.finditer(text, timeout=self._timeout)
        else:
            for start, end in words(text, ends):
                yield from pattern.finditer(text, start, end, timeout=self._timeout)

    def _score(self, found: str, score: float) -> float:
        if self._validates:
            valid = self._recognizer.validate_result(found)
            if valid is not None:
                score = EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        if self._invalidates and self._recognizer.invalidate_result(found):
            score = EntityRecognizer.MIN_SCORE
        return score


class _Phones(_Search):
    def __init__(self, recognizer: Any, owner: int) -> None:
        self._scanner = PhoneScanner(recognizer.supported_regions, recognizer.leniency)
        self._owner = owner
        self._name = recognizer.name
        self._entity: str = recognizer.supported_entities[0]
        self._score: float = recognizer.SCORE

    def find(self, given: _Text) -> Sequence[_Raw]:
        try:
            spans = self._scanner.find(given.text)
        except Exception as err:
            raise _translated(err, self._name) from None
        return _without_duplicates([_Raw(self._owner, *span, self._entity, self._score) for span in spans])


class _Rule(_Search):
    """One of privkit's rules: searched when one of its gates is possible, without the objects that Presidio wants."""

    def __init__(self, recognizer: Rule, owner: int, first: int) -> None:
        self._recognizer = recognizer
        self._owner = owner
        self._gates = {first + i: i for i in range(len(recognizer.gates))}
        self.needed = frozenset(self._gates)

    def find(self, given: _Text) -> Sequence[_Raw]:
        opened = [gate for number, gate in self._gates.items() if number in given.possible]
        with _translated_failures(self._recognizer.name):
            return [
                _Raw(self._owner, span.start, span.end, span.entity, span.score)
                for span in self._recognizer.find(given.text, opened)
            ]


class _Entities(_Search):
    """Presidio's SpacyRecognizer: hands on what the language model found."""

    def __init__(self, recognizer: Any, owner: int) -> None:
        self._owner = owner
        self._supported = frozenset(recognizer.supported_entities)

    def find(self, given: _Text) -> Sequence[_Raw]:
        return [
            _Raw(self._owner, each.start, each.end, each.entity, each.score)
            for each in given.entities
            if each.entity in self._supported
        ]


class _Tagger(_Search):
    """privkit's tagger, which reads many texts at once."""

    def __init__(self, recognizer: TaggerRecognizer, owner: int) -> None:
        self._recognizer = recognizer
        self._owner = owner
        self._found: dict[str, list[Finding]] = {}

    def prepare(self, texts: Sequence[str]) -> None:
        with _translated_failures(RECOGNIZER):
            self._found = dict(zip(texts, self._recognizer.find_all(texts), strict=True))

    def find(self, given: _Text) -> Sequence[_Raw]:
        return [_Raw(self._owner, each.start, each.end, each.entity, each.score) for each in self._found[given.text]]


class _Foreign(_Search):
    """A recognizer that analyses in its own way."""

    def __init__(
        self, recognizer: Any, owner: int, entities: Sequence[str], timeout: float, needed: frozenset[int] | None
    ) -> None:
        self._recognizer = recognizer
        self._owner = owner
        self._entities = list(entities)
        self._timeout = timeout
        self.needed = needed

    def find(self, given: _Text) -> Sequence[_Raw]:
        with _translated_failures(self._recognizer.name), _watched(self._recognizer, self._timeout):
            results = self._recognizer.analyze(
                text=given.text, entities=list(self._entities), nlp_artifacts=given.artifacts
            )
        return [_Raw.from_result(result, self._owner) for result in results or ()]


def _search_for(
    recognizer: Any, owner: int, entities: Sequence[str], timeout: float, patterns: list[tuple[str, int]]
) -> _Search:
    """How to search for a recognizer; its patterns are added to `patterns` where the prefilter may decide for it."""
    kind = type(recognizer)
    own = {"analyze", "_PatternRecognizer__analyze_patterns", "build_regex_explanation", "remove_duplicates"}
    if own.isdisjoint(vars(recognizer)):
        if kind is SpacyRecognizer:
            return _Entities(recognizer, owner)
        if kind is TaggerRecognizer:
            return _Tagger(recognizer, owner)
        if issubclass(kind, Rule) and kind.analyze is Rule.analyze:
            first = len(patterns)
            patterns += recognizer.gates
            return _Rule(recognizer, owner, first)
        if kind is PhoneRecognizer:
            return _Phones(recognizer, owner)
        if issubclass(kind, PatternRecognizer):
            first, searched = len(patterns), list(recognizer.patterns)
            stock = all(getattr(kind, name, None) is getattr(PatternRecognizer, name) for name in own)
            if stock or kind is IbanRecognizer:
                flags = recognizer.global_regex_flags or 0
                patterns += [(pattern.regex, flags) for pattern in searched]
            if stock:
                return _Patterns(recognizer, owner, timeout, first)
            if kind is IbanRecognizer:
                return _Foreign(recognizer, owner, entities, timeout, frozenset(range(first, len(patterns))))
    return _Foreign(recognizer, owner, entities, timeout, None)


def _without_duplicates(raws: list[_Raw]) -> list[_Raw]:
    """`EntityRecognizer.remove_duplicates`: equal, zero-scored and contained results go."""
    if len(raws) < 2:
        return [raw for raw in raws if raw.score != 0]
    distinct: dict[tuple[str, int, int, float], _Raw] = {}
    for raw in raws:
        distinct.setdefault((raw.entity, raw.start, raw.start - raw.end, -raw.score), raw)
    result: list[_Raw] = []
    for _, group in groupby(sorted(distinct), key=lambda key: key[0]):
        active: list[_Raw] = []
        for key in group:
            raw = distinct[key]
            if raw.score == 0:
                continue
            active = [other for other in active if other.end >= raw.start]
            if not any(other.end >= raw.end and other.score >= raw.score for other in active):
                result.append(raw)
                active.append(raw)
    return result


@contextmanager
def _translated_failures(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as err:
        raise _translated(err, name) from None


def _translated(err: Exception, name: str) -> DetectorError:
    if isinstance(err, DetectorError):
        return err
    if isinstance(err, TimeoutError):
        return _timed_out(name)
    # Its message may quote the text.
    return DetectorError(f"the recognizer {name} failed ({type(err).__name__})", recognizer=name)


def _timed_out(name: str) -> DetectorError:
    return DetectorError(
        f"the recognizer {name} did not finish in time: a text could not be searched",
        recognizer=name,
        hint="Simplify its patterns (repeats inside repeats), or give it more time.",
    )


@contextmanager
def _watched(recognizer: Any, timeout: float) -> Iterator[None]:
    """Around Presidio code that logs a timeout and goes on, and that logs texts it could not validate.

    Its logger is muted for the time being, whatever logging is set up, and a logged timeout becomes an error; its
    modules' time limits are set to `timeout`.
    """
    timed_out = []

    def note(*_args: object, **_options: object) -> None:
        if isinstance(sys.exc_info()[1], TimeoutError):
            timed_out.append(True)

    modules = {sys.modules.get(each.__module__) for each in type(recognizer).__mro__}
    limited = [module for module in modules if hasattr(module, "REGEX_TIMEOUT_SECONDS")]
    before = [vars(module)["REGEX_TIMEOUT_SECONDS"] for module in limited]
    for method in ("warning", "error", "exception"):
        setattr(_logger, method, note)
    try:
        for module in limited:
            vars(module)["REGEX_TIMEOUT_SECONDS"] = timeout
        yield
    finally:
        for method in ("warning", "error", "exception"):
            delattr(_logger, method)
        for module, value in zip(limited, before, strict=True):
            vars(module)["REGEX_TIMEOUT_SECONDS"] = value
    if timed_out:
        raise _timed_out(recognizer.name)
