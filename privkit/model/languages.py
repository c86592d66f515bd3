"""The languages that texts can be in, and the countries whose numbers stand in them. Names only: imports nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
        "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian",
        "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish", "gu": "Gujarati",
        "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
        "is": "Icelandic", "it": "Italian", "kn": "Kannada", "lb": "Luxembourgish", "lt": "Lithuanian",
        "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay",
        "nb": "Norwegian Bokmål", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian Nynorsk", "pl": "Polish",
        "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian",
        "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "tl": "Tagalog", "tr": "Turkish",
        "uk": "Ukrainian", "ur": "Urdu", "zh": "Chinese",
    }
)  # fmt: skip
"""ISO 639-1 codes that spaCy's tokenizers know without any further package, with the languages' English names."""

COUNTRIES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "Argentina", "at": "Austria", "au": "Australia", "be": "Belgium", "bg": "Bulgaria", "br": "Brazil",
        "ca": "Canada", "ch": "Switzerland", "cl": "Chile", "cn": "China", "cz": "Czechia", "de": "Germany",
        "dk": "Denmark", "ee": "Estonia", "es": "Spain", "fi": "Finland", "fr": "France", "gb": "United Kingdom",
        "gr": "Greece", "hr": "Croatia", "id": "Indonesia", "ie": "Ireland", "il": "Israel", "in": "India",
        "is": "Iceland", "it": "Italy", "jp": "Japan", "kr": "South Korea", "lt": "Lithuania", "lu": "Luxembourg",
        "lv": "Latvia", "mx": "Mexico", "my": "Malaysia", "nl": "Netherlands", "no": "Norway", "nz": "New Zealand",
        "pl": "Poland", "pt": "Portugal", "ro": "Romania", "se": "Sweden", "sg": "Singapore", "si": "Slovenia",
        "sk": "Slovakia", "th": "Thailand", "tr": "Türkiye", "us": "United States", "za": "South Africa",
    }
)  # fmt: skip
"""ISO 3166-1 alpha-2 codes, lower case, of the countries whose numbers are known, with their English names."""

_SPOKEN: Mapping[str, str] = MappingProxyType(
    {
        "bg": "bg", "ca": "es", "cs": "cz", "da": "dk", "de": "de at ch", "el": "gr", "es": "es", "et": "ee",
        "eu": "es", "fi": "fi", "fr": "fr be ch lu", "ga": "ie", "he": "il", "hi": "in", "hr": "hr", "id": "id",
        "is": "is", "it": "it ch", "lb": "lu", "lt": "lt", "lv": "lv", "ms": "my", "nb": "no", "nl": "nl be",
        "nn": "no", "pl": "pl", "pt": "pt br", "ro": "ro", "sk": "sk", "sl": "si", "sv": "se fi", "tr": "tr",
        "zh": "cn",
    }
)  # fmt: skip


def countries_of(language: str) -> tuple[str, ...]:
    """The countries that are meant where a language is named and no country; none for English.

    English is written everywhere: what is read in it by default are Presidio's own recognizers, which are for the
    United States and the National Health Service.

    >>> countries_of("de")
    ('de', 'at', 'ch')
    """
    return tuple(_SPOKEN.get(language, "").split())


def checked_language(language: str) -> str:
    """The code in lower case, if there is a tokenizer for it.

    Raises:
        ValueError: There is none; the message names those that there are.
    """
    code = language.lower()
    if code not in LANGUAGES:
        raise ValueError(f"not a language that can be read; there are {_listed(LANGUAGES)}")
    return code


def checked_countries(countries: Iterable[str]) -> tuple[str, ...]:
    """The codes in lower case, each once, in the order given; `uk` is `gb`.

    Raises:
        ValueError: One is not known; the message names those that are.
    """
    found: dict[str, None] = {}
    for given in countries:
        code = {"uk": "gb"}.get(given.lower(), given.lower())
        if code not in COUNTRIES:
            raise ValueError(f"not a country whose numbers are known; there are {_listed(COUNTRIES)}")
        found[code] = None
    return tuple(found)


def _listed(codes: Mapping[str, str]) -> str:
    return ", ".join(sorted(codes))
