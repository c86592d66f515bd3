"""Which recognizers a language and some countries need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import phonenumbers
from presidio_analyzer import EntityRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, PhoneRecognizer

from privkit.deid.recognizers.countries import northern, overseas, southern, western
from privkit.deid.recognizers.countries.identifier import Identifier, NationalIdRecognizer
from privkit.deid.recognizers.countries.words import words_of
from privkit.deid.recognizers.registry import default_registry
from privkit.model.languages import countries_of

_IDENTIFIERS = {
    **western.IDENTIFIERS, **southern.IDENTIFIERS, **northern.IDENTIFIERS, **overseas.IDENTIFIERS,
}  # fmt: skip
# Presidio's own, where they are right and stdnum has nothing. Left out, apart from those that stand above: what takes
# any number with a valid check digit for a person's (NhsRecognizer takes one telephone number in eleven), what reads a
# check digit where there is none (DeIdCardRecognizer refuses the specimen card), licence plates and postcodes.
_PRESIDIO = {
    "gb": ("UkNinoRecognizer", "UkDrivingLicenceRecognizer"),
    "it": ("ItDriverLicenseRecognizer", "ItIdentityCardRecognizer", "ItPassportRecognizer"),
    "us": (
        "UsBankRecognizer", "UsLicenseRecognizer", "UsItinRecognizer", "UsPassportRecognizer", "UsSsnRecognizer",
        "MedicalLicenseRecognizer", "UsMbiRecognizer",
    ),
}  # fmt: skip


def identifiers(country: str) -> tuple[Identifier, ...]:
    """The numbers of a country that are checked with stdnum or by the country's rule.

    Args:
        country: ISO 3166-1 alpha-2 code, lower case.
    """
    return _IDENTIFIERS.get(country, ())


def country_recognizers(countries: Sequence[str], language: str) -> list[EntityRecognizer]:
    """What finds the national numbers of `countries` in texts of a language.

    Args:
        countries: ISO 3166-1 alpha-2 codes, lower case.
        language: ISO 639-1.
    """
    found: list[EntityRecognizer] = []
    for country in countries:
        for name in _PRESIDIO.get(country, ()):
            found.append(getattr(predefined_recognizers, name)(supported_language=language))
        found += [NationalIdRecognizer(each, country, language) for each in identifiers(country)]
    return found


def localized_registry(language: str, countries: Sequence[str] = ()) -> RecognizerRegistry:
    """Presidio's registry for a language, with the numbers of some countries and the language's context words.

    Args:
        language: ISO 639-1.
        countries: ISO 3166-1 alpha-2 codes, lower case: whose national numbers, and whose telephone numbers without a
            country code, are read. Those in which the language is spoken when empty; for English, Presidio's registry
            as it is.

    Raises:
        DetectorError: Presidio has no recognizer for the language.
    """
    registry = default_registry(language)
    chosen = tuple(countries) or countries_of(language)
    if language == "en" and not chosen:
        return registry
    # Presidio's lists know countries for a few languages only: the choice is ours, so that none stands twice.
    registry.recognizers = [each for each in registry.recognizers if each.country_code() is None]
    if not any(isinstance(each, CreditCardRecognizer) for each in registry.recognizers):
        registry.add_recognizer(CreditCardRecognizer(supported_language=language))
    regions = [country.upper() for country in chosen if country.upper() in phonenumbers.SUPPORTED_REGIONS]
    words = words_of(language)
    for each in registry.recognizers:
        _localize(each, words, regions)
    for recognizer in country_recognizers(chosen, language):
        registry.add_recognizer(recognizer)
    return registry


def _localize(recognizer: Any, words: Any, regions: Sequence[str]) -> None:
    added = words.get(recognizer.supported_entities[0], ())
    if added:
        recognizer.context = [*dict.fromkeys((*(recognizer.context or ()), *added))]
    if isinstance(recognizer, PhoneRecognizer) and regions:
        recognizer.supported_regions = tuple(regions)
