"""Recognizers and models that a user plugs in by Presidio's own configuration.

Presidio's loader makes the recognizers; what it would do beyond that is ruled out before: classes that are not
Presidio's own, code from a model's folder, downloads, secrets in a file that is kept and hashed, and recognizers that
send texts to a service, unless the policy allows it.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from presidio_analyzer import EntityRecognizer, RemoteRecognizer
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import SpacyRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistry, RecognizerRegistryProvider
from presidio_analyzer.recognizer_registry.recognizers_loader_utils import RecognizerListLoader

from privkit.deid.recognizers.modelfolders import hub_model, offline, spacy_model
from privkit.deid.recognizers.registry import custom_recognizers, quiet
from privkit.errors import DetectorError
from privkit.model.presidio import PresidioConfiguration
from privkit.model.report import ModelInfo

_FLAGS = 26  # Presidio's default: DOTALL, MULTILINE, IGNORECASE
_MOST_WORDS = 100_000  # that a spaCy model keeps
_NO_ENTITIES = ("slim", "no_op")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORDS: Mapping[str, object] = {"true": True, "True": True, "false": False, "False": False}
# What stands under these keys is text, whatever it looks like.
_TEXTS = frozenset(
    (
        *("name", "class_name", "type", "regex", "deny_list", "context", "lang_code", "language", "model_name"),
        *("tokenizer_name", "tokenizer", "spacy", "transformers", "supported_entity", "supported_entities", "version"),
        *("supported_language", "supported_languages", "labels_to_ignore", "country_code"),
    )
)
_SECRET = re.compile(r"(?:^|_)(?:key|secret|token|password|credentials?)$")
_HUB = ("GLiNERRecognizer", "HuggingFaceNerRecognizer", "MedicalNERRecognizer")
# The extra of presidio-analyzer that a recognizer or an engine needs.
_EXTRAS = {
    "GLiNERRecognizer": "gliner",
    "HuggingFaceNerRecognizer": "transformers",
    "MedicalNERRecognizer": "transformers",
    "transformers": "transformers",
    "AzureAILanguageRecognizer": "azure-ai-language",
    "AzureHealthDeidRecognizer": "ahds",
    "BasicLangExtractRecognizer": "langextract",
    "AzureOpenAILangExtractRecognizer": "langextract",
}
# The variables that a service's recognizer reads.
_ENVIRONMENT = {
    "AzureAILanguageRecognizer": ("AZURE_AI_KEY", "AZURE_AI_ENDPOINT"),
    "AzureHealthDeidRecognizer": ("AHDS_ENDPOINT",),
    "AzureOpenAILangExtractRecognizer": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"),
}


class Plugged(NamedTuple):
    """What a configuration adds to a detector.

    Attributes:
        recognizers: Ready to find.
        models: The models that they load.
        remote: The names of those that send texts to a service.
    """

    recognizers: tuple[EntityRecognizer, ...]
    models: tuple[ModelInfo, ...]
    remote: tuple[str, ...]


def plugged_in(configuration: PresidioConfiguration, language: str, *, allow_remote: bool = False) -> Plugged:
    """Makes what a configuration describes, for texts in one language. Nothing is downloaded.

    Args:
        configuration: Presidio's. Numbers may be texts, as a YAML reader without types gives them.
        language: ISO 639-1 code.
        allow_remote: Whether texts may be sent to a service.

    Raises:
        DetectorError: It is not for the language, names a class that is not Presidio's or a model that is not
            installed, holds a secret, would send texts away without leave, or Presidio cannot make it.
    """
    if configuration.supported_languages and language not in configuration.supported_languages:
        raise DetectorError(
            f"the Presidio configuration is not for the language {language}",
            hint=f"It is for {', '.join(configuration.supported_languages)}: choose the policy's `language`.",
        )
    registry = _typed(configuration.recognizer_registry or {})
    entries = _entries(registry, language)
    for entry in entries:
        _refuse_secrets(entry, entry["name"])
    engine, models = _engine(_typed(configuration.nlp_configuration or {}), language)
    remote = _remote([_class_of(entry) for entry in entries if entry["type"] == "predefined"], allow_remote)
    made: list[EntityRecognizer] = []
    named: list[EntityRecognizer] = []
    for entry in entries:
        if not entry.get("enabled", True):
            continue
        if entry["type"] == "custom":
            made += custom_recognizers([entry], language)
            continue
        kind = _class_of(entry)
        if kind.__name__ in _HUB:
            models += _at_home(entry, kind)
        built = _built(entry, language, registry.get("global_regex_flags", _FLAGS))
        (named if issubclass(kind, SpacyRecognizer) else made).extend(built)
    disabled = {_class_of(entry) for entry in entries if not entry.get("enabled", True)}
    made += _of_engine(engine, language, named, disabled)
    if configuration.default_score_threshold:
        for recognizer in made:
            recognizer.score_thresholds = {"default": configuration.default_score_threshold} | dict(
                recognizer.score_thresholds
            )
    return Plugged(tuple(made), tuple(dict.fromkeys(models)), remote)


# Recognizers ----------------------------------------------------------------------------------------------------------


def _entries(registry: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The registry's entries as mappings with a type, those for another language left out."""
    given = registry.get("recognizers") or []
    if not isinstance(given, list):
        raise DetectorError("the Presidio configuration is not valid: `recognizers` must be a list")
    entries = []
    for number, one in enumerate(given, start=1):
        entry = {"name": one} if isinstance(one, str) else dict(one) if isinstance(one, Mapping) else {}
        if not isinstance(entry.get("name"), str):
            raise DetectorError(f"the Presidio configuration is not valid: recognizer {number} has no `name`")
        custom = "patterns" in entry or "deny_list" in entry
        entry["type"] = entry.get("type") or ("custom" if custom else "predefined")
        if entry["type"] not in ("custom", "predefined"):
            raise _invalid(entry["name"], "`type` must be predefined or custom")
        if language in _languages(entry, language):
            entries.append(entry)
    return entries


def _languages(entry: Mapping[str, Any], language: str) -> list[Any]:
    if entry.get("supported_language"):
        return [entry["supported_language"]]
    given = entry.get("supported_languages") or [language]
    return [one.get("language") if isinstance(one, Mapping) else one for one in given]


def _class_of(entry: Mapping[str, Any]) -> type[EntityRecognizer]:
    """The class that an entry names; only Presidio's own ones count, whatever else is loaded."""
    if entry["type"] == "custom":
        return EntityRecognizer
    name = entry.get("class_name") or entry["name"]
    known = {
        kind.__name__: kind
        for kind in RecognizerListLoader.get_all_existing_recognizers()
        if kind.__module__.startswith("presidio_analyzer.") and not inspect.isabstract(kind)
    }
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=1)
        raise DetectorError(
            f"Presidio has no recognizer {name}",
            recognizer=str(name),
            hint=f"Did you mean {close[0]}?" if close else "One of your own is written as a custom one, with patterns.",
        )
    return known[name]


def _remote(kinds: Sequence[type[EntityRecognizer]], allowed: bool) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(kind.__name__ for kind in kinds if issubclass(kind, RemoteRecognizer)))
    if names and not allowed:
        raise DetectorError(
            f"{', '.join(names)} would send every text to a service, and the policy does not allow that",
            recognizer=names[0],
            hint="If the texts may leave this machine as they are, write `allow_remote: true` into the policy.",
        )
    return names


def _at_home(entry: dict[str, Any], kind: type[EntityRecognizer]) -> tuple[ModelInfo, ...]:
    """Points an entry at the folders that its model and tokenizer are in."""
    if entry.get("trust_remote_code"):
        raise _invalid(entry["name"], "code from a model's folder is not run")
    parameters = inspect.signature(kind.__init__).parameters
    found = []
    for key in ("model_name", "tokenizer_name"):
        default = parameters[key].default if key in parameters else None
        name = entry.get(key) or default
        if name:
            folder, info = hub_model(str(name))
            entry[key] = str(folder)
            found.append(info)
    return tuple(found)


def _built(entry: Mapping[str, Any], language: str, flags: int) -> list[EntityRecognizer]:
    """What Presidio's loader makes of one predefined entry."""
    name = str(entry["name"])
    configuration = {"supported_languages": [language], "global_regex_flags": flags, "recognizers": [dict(entry)]}
    try:
        with quiet(), offline(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            registry = RecognizerRegistryProvider(registry_configuration=configuration).create_recognizer_registry()
    except DetectorError:
        raise
    except Exception as err:  # Presidio raises many kinds, and its messages may repeat what it was given
        raise _not_made(f"the recognizer {name}", str(entry.get("class_name") or name), err) from None
    return [each for each in registry.recognizers if type(each).__module__.startswith("presidio_analyzer.")]


# The NLP engine -------------------------------------------------------------------------------------------------------


def _engine(configuration: Mapping[str, Any], language: str) -> tuple[Any, tuple[ModelInfo, ...]]:
    """The engine whose entities are findings, loaded, and its models; None where it finds nothing by itself."""
    if not configuration:
        return None, ()
    name = configuration.get("nlp_engine_name")
    if name in _NO_ENTITIES:
        return None, ()
    if name not in ("spacy", "transformers"):
        raise DetectorError(
            f"the NLP engine {name} is not taken here", hint="spacy, transformers, slim and no_op are taken."
        )
    given = configuration.get("models")
    models = [dict(one) for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    models = [one for one in models if one.get("lang_code") == language]
    if not models:
        raise DetectorError(
            f"the Presidio configuration has no model for the language {language}",
            hint=f"Add one to `models`, with `lang_code: {language}` and `model_name`.",
        )
    infos = tuple(info for one in models for info in _located(one, name))
    chosen = {**configuration, "models": models}
    try:
        with quiet(), offline(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: Any = NlpEngineProvider(nlp_configuration=chosen).create_engine()
    except (Exception, SystemExit) as err:  # spaCy ends the process where a download fails
        raise _not_made(f"the NLP engine {name}", name, err) from None
    loaded.nlp[language].max_length = sys.maxsize
    return loaded, infos


def _located(model: dict[str, Any], engine: str) -> list[ModelInfo]:
    name = model.get("model_name")
    if engine == "spacy" and isinstance(name, str):
        return [spacy_model(name)]
    if engine == "transformers" and isinstance(name, Mapping) and {"spacy", "transformers"} <= set(name):
        folder, info = hub_model(str(name["transformers"]))
        model["model_name"] = {**name, "transformers": str(folder)}
        return [spacy_model(str(name["spacy"])), info]
    wanted = "a name" if engine == "spacy" else "`spacy` and `transformers`, a name each"
    raise DetectorError(
        f"the Presidio configuration is not valid: `model_name` of the engine {engine} must be {wanted}"
    )


def _of_engine(
    engine: Any, language: str, named: Sequence[Any], disabled: set[type[EntityRecognizer]]
) -> list[EntityRecognizer]:
    """The recognizer that hands on what the engine finds: the one that the registry names, else Presidio's default."""
    if engine is None:
        if named:
            raise _invalid(named[0].name, "it hands on what an NLP engine finds: add `nlp_configuration`")
        return []
    kind = RecognizerRegistry.get_nlp_recognizer(engine)
    if len(named) > 1 or any(type(each) is not kind for each in named):
        raise _invalid(named[-1].name, f"of the engine {engine.engine_name}, only one {kind.__name__} is wanted")
    if not named and kind in disabled:
        return []
    recognizer: Any = (
        named[0] if named else kind(supported_language=language, supported_entities=engine.get_supported_entities())
    )
    analyze, nlp = recognizer.analyze, engine.nlp[language]

    def analyzed(text: str, entities: Any, nlp_artifacts: Any = None) -> Any:
        """As before, but of what its own engine makes of the text: the detector's tokens know no entities."""
        del nlp_artifacts
        # As for the detector's own words: a vocabulary that has grown large forgets new words at once.
        with nlp.memory_zone() if len(nlp.vocab) > _MOST_WORDS else nullcontext():
            return analyze(text, entities, engine.process_text(text, language))

    recognizer.analyze = analyzed
    return [recognizer]


# Values ---------------------------------------------------------------------------------------------------------------


def _typed(value: Any, key: str = "") -> Any:
    """A copy in which what looks like a number or a boolean is one, except where a text is wanted."""
    if isinstance(value, Mapping):
        return {str(name): _typed(each, str(name)) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_typed(each, key) for each in value]
    if not isinstance(value, str) or key in _TEXTS:
        return copy.copy(value)
    if value in _WORDS:
        return _WORDS[value]
    if _NUMBER.fullmatch(value):
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    return value


def _refuse_secrets(value: Any, name: str) -> None:
    for key, each in (
        value.items() if isinstance(value, Mapping) else enumerate(value if isinstance(value, list) else ())
    ):
        if isinstance(key, str) and _SECRET.search(key) and each:
            raise DetectorError(
                f"the recognizer {name} has a `{key}`, and a policy is kept, hashed and passed on",
                recognizer=name,
                hint="Presidio reads it from the environment as well, for Azure AI Language from AZURE_AI_KEY.",
            )
        _refuse_secrets(each, name)


def _not_made(what: str, name: str, err: BaseException) -> DetectorError:
    hint = "Compare its fields with what Presidio's own class takes."
    if name in _EXTRAS:
        hint = f"pip install 'presidio-analyzer[{_EXTRAS[name]}]' installs what it needs."
    if name in _ENVIRONMENT:
        hint += f" It reads its service from the environment: {', '.join(_ENVIRONMENT[name])}."
    return DetectorError(f"Presidio could not make {what} ({type(err).__name__})", recognizer=name, hint=hint)


def _invalid(name: str, reason: str) -> DetectorError:
    return DetectorError(f"the recognizer {name} of the Presidio configuration is not valid: {reason}", recognizer=name)
