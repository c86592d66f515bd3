"""Known given and family names, read out of Faker's lists: they tell columns of names without a model.

A list proves nothing about one word ("May", "Jordan", "Rose"), so callers ask for a share of many distinct values.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from privkit.deid.columns.values import vocabulary

_LOCALES = (
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "es_MX", "it_IT", "nl_NL", "pt_BR", "pl_PL", "sv_SE",
    "tr_TR", "ru_RU", "uk_UA", "el_GR", "ar_AA", "fa_IR", "he_IL", "hi_IN", "ja_JP", "zh_CN", "zh_TW", "ko_KR",
    "vi_VN", "cs_CZ", "ro_RO", "hu_HU", "id_ID", "yo_NG",
)  # fmt: skip
_TITLES = vocabulary(
    "dr mr mrs ms miss mx prof professor sir dame lady lord rev father sister herr frau dott ing mag dipl "
    "m mme mlle sr sra srta don dona doña hr fr md phd dds dvm jr ii iii iv esq rn do"
)
# Scripts in which a full name is written without a space: family name of one or two characters, then the given name.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{2,5}")


@lru_cache(maxsize=1)
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    given: set[str] = set()
    family: set[str] = set()
    for locale in _LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for attribute in dir(provider):
            into = (
                given if attribute.startswith("first_name") else family if attribute.startswith("last_name") else None
            )
            names = getattr(provider, attribute)
            if into is None or isinstance(names, str) or callable(names):
                continue
            into.update(word for name in names for word in _words(str(name)))
    return frozenset(given - _TITLES), frozenset(family - _TITLES)


def is_listed(text: str) -> bool:
    """Whether a text of one to five words looks like a person's name by the lists.

    Of two words and more, the first must be a given name or the last a family name; with a comma ("Garcia, Maria") the
    other way round.

    Args:
        text: One cell.
    """
    given, family = _lists()
    if is_unspaced_script(text):
        return text in given or text in family or text[:1] in family or text[:2] in family
    words = [word for word in _words(text) if word not in _TITLES]
    if not words or len(words) > 5:
        return False
    if len(words) == 1:
        return words[0] in given or words[0] in family
    if _is_surname_first(text):
        words = [*words[1:], words[0]]
    return _is(words[0], given) or (_is(words[-1], family) and len(words) <= 3)


def is_full_name(text: str) -> bool:
    """Whether a text of two to four words has a given name of the lists where a given name stands.

    Stricter than `is_listed`: "North Jennifer" and "Santa Rosa" are places. Titles do not count. In scripts other than
    the Latin one the family name may stand first.

    Args:
        text: One cell.
    """
    given, family = _lists()
    if is_unspaced_script(text):
        return text[:1] in family or text[:2] in family
    words = [word for word in _words(text) if word not in _TITLES]
    if not 2 <= len(words) <= 4:
        return False
    if _is_surname_first(text):
        words = [*words[1:], words[0]]
    if not any(c.isascii() and c.isalpha() for c in text) and any(ord(c) > 0x36F and c.isalpha() for c in text):
        return any(_is(word, given) for word in words)
    return _is(words[0], given) and (_is(words[-1], family) or words[-1] not in given)


def is_initialled(text: str) -> bool:
    """Whether a text is initials and a known family name: `M. Mitchell`, `J.R. Smith`, `Mitchell, M.`.

    Args:
        text: One cell.
    """
    found = re.fullmatch(
        r"(?:[^\W\d_]\.[\s-]?){1,3}\s?([^\W\d_][\w'’-]+)|([^\W\d_][\w'’-]+),? (?:[^\W\d_]\.\s?){1,3}", text
    )
    return found is not None and _is((found[1] or found[2]).casefold(), _lists()[1])


def is_login(text: str) -> bool:
    """Whether a text looks like a user's name made of a person's: `gpena`, `michael97`, `anna.berg`, `lindseycalvin`.

    Args:
        text: One cell.
    """
    if not 4 <= len(text) <= 40 or re.fullmatch(r"\w[\w.+-]*", text) is None:
        return False
    given, family = _lists()
    words = [word for word in re.split(r"[\W\d_]+", text.casefold()) if len(word) >= 3]
    if len(words) > 3 or not words:
        return False
    for word in words:
        if word in given or word in family or (len(word) >= 5 and (word[1:] in family or word[:-1] in family)):
            return True
        if any(word[:cut] in given and word[cut:] in family for cut in range(3, len(word) - 2)):
            return True
    return False


def is_unspaced_script(text: str) -> bool:
    """Whether a text is a few characters of a script in which a full name is written without a space."""
    return _UNSPACED.fullmatch(text) is not None


def _is_surname_first(text: str) -> bool:
    """`Garcia, Maria`, but not `Maria Garcia, MD`."""
    return any(word not in _TITLES for word in _words(text.partition(",")[2]))


def _words(text: str) -> list[str]:
    """Words, split at white space and commas: the marks of Indic scripts are no letters, and yet no borders."""
    stripped = (word.strip(".'’()\"-").casefold() for word in re.split(r"[\s,]+", text))
    return [word for word in stripped if word]


def _is(word: str, names: frozenset[str]) -> bool:
    return word in names or (("-" in word) and word.split("-")[0] in names)
