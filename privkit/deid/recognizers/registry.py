"""Presidio's recognizers: its default registry for a language, and a policy's own recognizers."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import regex
import tldextract
from presidio_analyzer import EntityRecognizer, RecognizerRegistry
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

from privkit.errors import DetectorError

_DEFAULT_FLAGS = int(regex.DOTALL | regex.MULTILINE | regex.IGNORECASE)


def default_registry(language: str) -> RecognizerRegistry:
    """The recognizers of Presidio's conf/default_recognizers.yaml for a language, without one for an NLP engine.

    Raises:
        DetectorError: Presidio has no recognizer for the language.
    """
    keep_suffixes_offline()
    try:
        with quiet():
            provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": [language]})
            registry = provider.create_recognizer_registry()
    except ValueError:
        registry = None
    if registry is None or not registry.recognizers:
        raise DetectorError(f"there are no recognizers for the language {language}")
    return registry


def custom_recognizers(custom: Sequence[Mapping[str, object]], language: str) -> list[EntityRecognizer]:
    """Recognizers in the form of Presidio's YAML, built by Presidio's own loader.

    Args:
        custom: One mapping for each: `name`, `supported_entity`, `patterns`, `deny_list`, `context`, … Numbers may be
            texts, as a YAML reader without types gives them.
        language: The language that texts are searched in.

    Raises:
        DetectorError: One of them is not valid; its place in the list and its name are told, its words are not.
    """
    result: list[EntityRecognizer] = []
    for number, each in enumerate(custom, start=1):
        name = str(each.get("name", "")) or f"number {number}"
        given = _typed(copy.deepcopy(dict(each)), name)
        _check_patterns(given, name)
        configuration = {
            "supported_languages": [language],
            "global_regex_flags": _DEFAULT_FLAGS,
            "recognizers": [given],
        }
        try:
            with quiet():
                built = RecognizerRegistryProvider(registry_configuration=configuration).create_recognizer_registry()
        except Exception as err:  # Presidio raises many kinds, and its messages may repeat what it was given
            raise _invalid(name, _reason(err)) from None
        if given.get("enabled", True) is not False:
            if not any(recognizer.supported_language == language for recognizer in built.recognizers):
                raise _invalid(name, f"it is not for the language {language}")
            result.extend(built.recognizers)
    return result


def keep_suffixes_offline() -> None:
    """Makes tldextract, which e-mail addresses are checked with, use its bundled list: it would go to the network."""
    if getattr(tldextract.tldextract.TLD_EXTRACTOR, "suffix_list_urls", None) != ():
        tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    # It logs what it looks at.
    logging.getLogger("tldextract").setLevel(logging.ERROR)


@contextmanager
def quiet() -> Iterator[None]:
    """A block in which Presidio logs nothing: it warns of every recognizer of its list that is for another language."""
    logger = logging.getLogger("presidio-analyzer")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _typed(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Numbers and booleans that came as text."""
    try:
        for pattern in given.get("patterns") or ():
            _convert(pattern, "score", float)
        _convert(given, "deny_list_score", float)
        _convert(given, "global_regex_flags", int)
        _convert(given, "enabled", _boolean)
        for entity in given.get("score_thresholds") or ():
            _convert(given["score_thresholds"], entity, float)
    except (ValueError, TypeError, AttributeError):
        raise _invalid(name, "a score, a flag or a list is not what it must be") from None
    return given


def _convert(record: Any, key: str, convert: Callable[[str], object]) -> None:
    if isinstance(record.get(key), str):
        record[key] = convert(record[key])


def _boolean(text: str) -> bool:
    return {"true": True, "yes": True, "false": False, "no": False}[text.lower()] if text else False


def _check_patterns(given: Mapping[str, Any], name: str) -> None:
    for number, pattern in enumerate(given.get("patterns") or (), start=1):
        if not isinstance(pattern, Mapping) or not isinstance(pattern.get("regex"), str):
            raise _invalid(name, f"pattern {number} has no `regex`")
        try:
            regex.compile(pattern["regex"])
        except regex.error as err:
            raise _invalid(name, f"pattern {number} is not a regular expression ({err.msg})") from None


def _reason(err: Exception) -> str:
    errors = getattr(err, "errors", None)
    if callable(errors):
        location = ".".join(str(part) for part in errors()[0]["loc"] if not isinstance(part, int))
        return f"see `{location}`" if location else "a field is missing or has the wrong type"
    return "a field is missing, unknown or has the wrong type"


def _invalid(name: str, reason: str) -> DetectorError:
    return DetectorError(
        f"the custom recognizer {name} is not valid: {reason}",
        recognizer=name,
        hint="A recognizer needs `name`, `supported_entity`, and `patterns` (name, regex, score) or `deny_list`.",
    )
