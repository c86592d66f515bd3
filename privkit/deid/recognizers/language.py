"""What is known about a text besides its characters: tokens, lemmas, and for `core` the entities of spaCy's model.

Two language models stand behind one interface. `Words` has tokens only, for the detector `patterns`. `EnglishModel` is
spaCy's en_core_web_sm run in parts: each part only for the texts whose findings can depend on it.
"""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import presidio_analyzer.nlp_engine
import spacy
import yaml
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine
from spacy.attrs import IS_PUNCT, IS_STOP
from spacy.tokens import Doc
from thinc.api import Model, NumpyOps

from privkit.deid.recognizers.context import Lexicon, Surroundings
from privkit.deid.recognizers.embedding import each_word_once
from privkit.deid.recognizers.ner import EntityDecoder
from privkit.deid.recognizers.weights import SPACY_SM, Weights
from privkit.errors import DetectorError
from privkit.model.report import ModelInfo

_NER_TOKENS = 6_000  # tokens that one matrix holds: enough to keep the multiplications large, small enough for a cache

_MOST_WORDS = 100_000  # words that spaCy keeps


class NamedEntity(NamedTuple):
    """An entity of a language model: character span, Presidio's type, score."""

    start: int
    end: int
    entity: str
    score: float


class LanguageModel(ABC):
    """Tokens, lemmas and entities of texts.

    Attributes:
        language: ISO 639-1 code.
        models: The models behind it, hashes checked.
        engine: The same as a Presidio NLP engine, for recognizers that want `NlpArtifacts`.
    """

    language: str
    models: tuple[ModelInfo, ...] = ()
    engine: SpacyNlpEngine
    lexicon: Lexicon
    _nlp: Any  # spaCy's pipeline: its stubs know no components

    @abstractmethod
    def documents(self, texts: Sequence[str]) -> list[Doc]:
        """The tokens of each text."""

    @abstractmethod
    def entities(self, docs: Sequence[Doc]) -> list[list[NamedEntity]]:
        """The named entities of each text, ignored types left out."""

    @abstractmethod
    def resolve(self, docs: Sequence[Doc]) -> list[Surroundings]:
        """The words of each text with the lemmas that Presidio would see."""

    def artifacts(self, text: str) -> NlpArtifacts:
        """What Presidio's engine makes of a text."""
        return self.engine.process_text(text, self.language)

    def transient(self) -> AbstractContextManager[Any]:
        """A block that no Doc may leave: once spaCy knows many words, it forgets the new ones at the block's end.

        Without that its memory grows with every new word of a long file; but to forget from the start would mean to
        look at every common word again in every block.
        """
        return _transient(self._nlp)


def _transient(nlp: Any) -> AbstractContextManager[Any]:
    return nlp.memory_zone() if len(nlp.vocab) > _MOST_WORDS else nullcontext()


class WordsEngine(SpacyNlpEngine):
    """A Presidio NLP engine without a model: spaCy's tokenizer for the language, and each token is its own lemma.

    An `AnalyzerEngine` with this engine and a registry without a SpacyRecognizer is what the detector `patterns` is
    equal to.
    """

    def __init__(self, language: str = "en") -> None:
        super().__init__(models=[{"lang_code": language, "model_name": "blank"}])
        try:
            nlp: Any = spacy.blank(language)
        except ImportError:
            raise DetectorError(f"spaCy has no tokenizer for the language {language}") from None
        nlp.max_length = sys.maxsize
        self.nlp: Any = {language: nlp}

    def _doc_to_nlp_artifact(self, doc: Doc, language: str) -> NlpArtifacts:
        for token in doc:
            token.lemma_ = token.text
        return super()._doc_to_nlp_artifact(doc, language)


class Words(LanguageModel):
    """Tokens of spaCy's blank pipeline; a word's lemma is the word.

    Args:
        language: ISO 639-1 code that spaCy has a tokenizer for.
    """

    def __init__(self, language: str = "en") -> None:
        self.language = language
        engine = WordsEngine(language)
        self.engine = engine
        self._complete = engine.nlp[language]
        self.lexicon = Lexicon(None, _fillers(self._complete), _special(self._complete))
        # Of a word that is new to it, spaCy works out the shape, what it looks like and the like. Nobody asks for that.
        self._nlp = spacy.blank(language)
        self._nlp.vocab.lex_attr_getters = {}

    def transient(self) -> AbstractContextManager[Any]:
        blocks = ExitStack()
        blocks.enter_context(super().transient())
        # Recognizers that want artifacts make the engine learn words.
        blocks.enter_context(_transient(self._complete))
        return blocks

    def documents(self, texts: Sequence[str]) -> list[Doc]:
        return [self._nlp.make_doc(text) for text in texts]

    def entities(self, docs: Sequence[Doc]) -> list[list[NamedEntity]]:
        return [[] for _ in docs]

    def resolve(self, docs: Sequence[Doc]) -> list[Surroundings]:
        return [Surroundings.possible(doc.text, doc, self.lexicon) for doc in docs]


class EnglishModel(LanguageModel):
    """spaCy's en_core_web_sm, its files checked.

    Entities need the tokens and the ner component alone, unless one of them has several tokens: spaCy does not let an
    entity run over the beginning of a sentence, and sentences come from the parser. Then the parser is run for that
    text. Tags and lemmas are made only for texts in which a score depends on them.

    Raises:
        DetectorError: The model is not installed, or a file is not the one that was tested.
    """

    def __init__(self, weights: Weights = SPACY_SM) -> None:
        self.language = "en"
        self.models = (weights.check(),)
        nlp: Any = spacy.load(weights.folder() / Path(weights.main).parts[0], exclude=["senter"])
        nlp.max_length = sys.maxsize
        # NumPy's OpenBLAS multiplies several times as fast as the BLIS that thinc would use.
        ops = NumpyOps(use_blis=False)
        for _, component in nlp.pipeline:
            if isinstance(getattr(component, "model", None), Model):
                for layer in component.model.walk():
                    layer.ops = ops
        each_word_once(nlp.get_pipe("tok2vec").model)
        each_word_once(nlp.get_pipe("ner").model.get_ref("tok2vec").layers[0])
        configuration = default_ner()
        engine: Any = SpacyNlpEngine(
            models=[{"lang_code": "en", "model_name": weights.package}], ner_model_configuration=configuration
        )
        engine.nlp = {"en": nlp}
        self.engine = engine
        self._nlp = nlp
        self._decoder = EntityDecoder(nlp.get_pipe("ner"))
        self._names = _mapped(self._decoder.labels, configuration)
        self.lexicon = Lexicon(_Lemmas(nlp), _fillers(nlp))

    def documents(self, texts: Sequence[str]) -> list[Doc]:
        return [self._nlp.make_doc(text) for text in texts]

    def entities(self, docs: Sequence[Doc]) -> list[list[NamedEntity]]:
        found: list[list[NamedEntity]] = []
        for batch in _by_tokens(docs, _NER_TOKENS):
            decoded = self._decoder.decode(batch, self._parse)
            for doc, spans in zip(batch, decoded, strict=True):
                named = []
                for first, last, label in spans:
                    name = self._names.get(label)
                    if name is not None:
                        token = doc[last]
                        named.append(NamedEntity(doc[first].idx, token.idx + len(token), *name))
                found.append(named)
        return found

    def resolve(self, docs: Sequence[Doc]) -> list[Surroundings]:
        self._parse([doc for doc in docs if not doc.has_annotation("DEP")])
        self._run(("tagger", "attribute_ruler", "lemmatizer"), docs)
        return [Surroundings.certain(doc, self.lexicon) for doc in docs]

    def _parse(self, docs: Sequence[Doc]) -> None:
        self._run(("tok2vec", "parser"), docs)

    def _run(self, components: Sequence[str], docs: Sequence[Doc]) -> None:
        stream: Iterable[Doc] = docs
        for name in components:
            stream = list(self._nlp.get_pipe(name).pipe(stream, batch_size=256))


class LazyArtifacts(NlpArtifacts):
    """`NlpArtifacts` that run the full pipeline when something looks at them first."""

    def __init__(self, text: str, model: LanguageModel) -> None:
        self._text = text
        self._model = model

    @cached_property
    def _real(self) -> NlpArtifacts:
        return self._model.artifacts(self._text)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real, name)

    def to_json(self) -> str:
        """The real artifacts as JSON."""
        return str(self._real.to_json())


class _Lemmas:
    """The lemmas that spaCy's rule lemmatizer could give a form, under any part of speech that a tagger could choose.

    Its exceptions, its index and its rules are read from its tables; the attribute ruler's own lemmas are added.
    """

    def __init__(self, nlp: Any) -> None:
        lookups = nlp.get_pipe("lemmatizer").lookups
        self._tables = []
        for pos in ("noun", "verb", "adj", "adv", "punct"):
            index, exceptions, rules = (
                lookups.get_table(table, {}).get(pos) for table in ("lemma_index", "lemma_exc", "lemma_rules")
            )
            if index or exceptions or rules:
                self._tables.append((frozenset(index or ()), exceptions or {}, rules or ()))
        self._ruled: dict[str, set[str]] = {}
        self._matched: list[tuple[re.Pattern[str], str]] = []
        for rule in nlp.get_pipe("attribute_ruler").patterns:
            if "LEMMA" in rule["attrs"]:
                for pattern in rule["patterns"]:
                    self._rule(pattern[rule["index"]].get("LOWER"), rule["attrs"]["LEMMA"])

    def _rule(self, words: Any, lemma: str) -> None:
        if isinstance(words, dict) and set(words) == {"REGEX"}:
            self._matched.append((re.compile(words["REGEX"]), lemma))
            return
        if isinstance(words, dict) and set(words) == {"IN"}:
            words = words["IN"]
        for word in [words] if isinstance(words, str) else words:
            self._ruled.setdefault(word, set()).add(lemma)

    def __call__(self, form: str) -> set[str]:
        lower = form.lower()
        # Proper nouns keep their form, base forms and words of the closed classes become lower case.
        lemmas = {form, lower, *self._ruled.get(lower, ())}
        lemmas.update(lemma for pattern, lemma in self._matched if pattern.search(lower))
        for index, exceptions, rules in self._tables:
            lemmas.add(_first(lower, form, index, exceptions, rules))
        return lemmas


def _first(lower: str, form: str, index: frozenset[str], exceptions: Any, rules: Any) -> str:
    """The lemma that spaCy's `rule_lemmatize` puts first: an exception, else a known form, else what rules make."""
    known: list[str] = []
    unknown: list[str] = []
    for old, new in rules:
        if lower.endswith(old):
            made = lower[: len(lower) - len(old)] + new
            if not made:
                continue
            if made in index:
                known.insert(0, made)
            elif not made.isalpha():
                known.append(made)
            else:
                unknown.append(made)
    known = list(dict.fromkeys(known))
    for made in exceptions.get(lower, ()):
        if made not in known:
            known.insert(0, made)
    return (known or unknown or [form])[0]


def default_ner() -> NerModelConfiguration:
    """The NER configuration of Presidio's conf/default.yaml."""
    path = Path(presidio_analyzer.nlp_engine.__file__).parent.parent / "conf" / "default.yaml"
    configuration = yaml.safe_load(path.read_text(encoding="utf-8"))
    return NerModelConfiguration.from_dict(configuration["ner_model_configuration"])


def _mapped(labels: Sequence[str], configuration: Any) -> dict[str, tuple[str, float]]:
    """Presidio's type and score by the model's label, as SpacyNlpEngine maps them; ignored labels are left out."""
    mapping, ignored = configuration.model_to_presidio_entity_mapping, set(configuration.labels_to_ignore)
    result = {}
    for label in labels:
        name = mapping.get(label, label)
        if label not in ignored and name not in ignored:
            score = configuration.default_score
            if name in configuration.low_score_entity_names:
                score *= configuration.low_confidence_score_multiplier
            result[label] = (name, score)
    return result


def _fillers(nlp: Any) -> Any:
    is_stop, is_punct = nlp.vocab.lex_attr_getters[IS_STOP], nlp.vocab.lex_attr_getters[IS_PUNCT]
    return lambda word: bool(is_stop(word) or is_punct(word))


def _special(nlp: Any) -> frozenset[str]:
    """The words in the exceptions of spaCy's tokenizer; other words of ASCII letters between spaces are tokens."""
    return frozenset(word for text in nlp.tokenizer.rules for word in re.findall(r"[A-Za-z]+", text))


def _by_tokens(docs: Sequence[Doc], most: int) -> Iterator[list[Doc]]:
    """Runs of documents with at most `most` tokens together; a longer document stands alone."""
    lengths = np.cumsum([len(doc) for doc in docs])
    rest = iter(docs)
    begin = 0
    while begin < len(docs):
        before = lengths[begin - 1] if begin else 0
        end = max(int(np.searchsorted(lengths, before + most, side="right")), begin + 1)
        yield list(islice(rest, end - begin))
        begin = end
