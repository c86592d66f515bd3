"""Names of people: each part has a surrogate of its own, so that a name's parts in a text agree with the whole.

The surrogate of "John Smith" is that of the first name "John" and that of the surname "Smith". "SMITH, JOHN" is the
same person, written another way. Two people may get the same surrogate: Faker's lists are short.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal, NamedTuple

from faker.config import AVAILABLE_LOCALES

from privkit.deid.operators.base import Draws
from privkit.deid.operators.surrogates.draws import chosen, in_case_of, like, normal

Part = Literal["first", "last"]
Role = Literal["first", "last", "initial", "kept", "dropped", "other"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Kept as they are, so nothing that is also a name may stand here; the abbreviations only with their dot.
_TITLES = _words(
    "dr dr. mr mr. mrs mrs. ms ms. miss mx mx. prof prof. professor doctor dame sir herr frau mme mlle srta señor "
    "señora rev. fr. sr. sra. hr. capt. col. gen. lt. maj. sgt. hon. dott. dott.ssa sig. sig.ra д-р г-н г-жа"
)
_SUFFIXES = _words("jr jr. sr sr. ii iii iv md m.d. phd ph.d. dds esq esq. mba rn cpa")
# Left out of a surrogate: "Ludwig van Beethoven" is recognised by his "van". Small letters make the first word one.
_PARTICLES = _words(
    "van von der den de del della di da das dos du la las le les los zu zur ten ter bin ibn bint al el e y af av of the"
)
_LEADING = _words("van von der den de del della di da dos du la le zu")
_TOKEN = re.compile(r"[^\s,]+")
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+-?(?:[^\W\d_]\.?)?|[^\W\d_]")
# A script, the languages that are written in it, and the locale for it when the policy's language is not one of them.
_SCRIPTS: dict[str, tuple[str, str]] = {
    "CYRILLIC": ("ru uk bg mk sr", "ru_RU"),
    "CJK": ("zh ja", "zh_CN"),
    "HIRAGANA": ("ja", "ja_JP"),
    "KATAKANA": ("ja", "ja_JP"),
    "HANGUL": ("ko", "ko_KR"),
    "ARABIC": ("ar fa ur", "ar_SA"),
    "GREEK": ("el", "el_GR"),
    "HEBREW": ("he", "he_IL"),
    "THAI": ("th", "th_TH"),
    "DEVANAGARI": ("hi ne mr", "hi_IN"),
    "BENGALI": ("bn", "bn_BD"),
    "TAMIL": ("ta", "ta_IN"),
    "GEORGIAN": ("ka", "ka_GE"),
    "ARMENIAN": ("hy", "hy_AM"),
}
_NOT_LATIN = frozenset(language for languages, _ in _SCRIPTS.values() for language in languages.split())
_SURNAME_FIRST = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
_KANA = {"KATAKANA": 1, "HIRAGANA": 1}


class Word(NamedTuple):
    """One word of a name: where it stands and what it is."""

    start: int
    end: int
    role: Role


@dataclass(frozen=True)
class NameLists:
    """A locale's names, single words only, in the order of Faker's lists."""

    male: tuple[str, ...]
    female: tuple[str, ...]
    last_male: tuple[str, ...]
    last_female: tuple[str, ...]
    last: tuple[str, ...]

    @property
    def first(self) -> tuple[str, ...]:
        """First names of everybody."""
        return tuple(dict.fromkeys(self.male + self.female))


class Names:
    """Surrogates for names.

    Args:
        draws: The key's choices.
        locale: A Faker locale, for names in its script.
    """

    def __init__(self, draws: Draws, locale: str) -> None:
        self._draws = draws
        self._locale = locale

    def whole(self, name: str, hint: Part | None = None) -> str:
        """The surrogate of a name, in the form the name has.

        Args:
            name: A whole name, or one part of one.
            hint: What a single word is, if something says so.
        """
        pieces: list[str] = []
        done = 0
        for word in self.words(name, hint):
            between = name[done : word.start]
            token = name[word.start : word.end]
            done = word.end
            if word.role == "dropped":
                pieces.append(between)
                done += len(name[done:]) - len(name[done:].lstrip())
                continue
            pieces += (between, self._of(token, word.role))
        pieces.append(name[done:])
        return "".join(pieces)

    def words(self, name: str, hint: Part | None = None) -> list[Word]:
        """The words of a name and what each is."""
        tokens = [(match.start(), match.end()) for match in _TOKEN.finditer(name)]
        if len(tokens) == 1 and (glued := self._glued(name, *tokens[0])):
            return glued
        roles: list[Role] = ["other"] * len(tokens)
        core = list(range(len(tokens)))
        bare = [name[start:end].casefold() for start, end in tokens]
        titled = False
        while len(core) > 1 and bare[core[0]] in _TITLES:
            roles[core.pop(0)] = "kept"
            titled = True
        while len(core) > (1 if titled else 2) and bare[core[-1]] in _SUFFIXES:
            roles[core.pop()] = "kept"
        named = [
            index for index in core if not self._is_particle(name[slice(*tokens[index])], index == core[0])
        ] or core
        for index in core:
            roles[index] = "dropped"
        comma = name.find(",", tokens[core[0]][0]) if core else -1
        self._assign(name, tokens, named, comma, hint or ("last" if titled else None), roles)
        return [Word(start, end, role) for (start, end), role in zip(tokens, roles, strict=True)]

    def first_and_last(self, name: str) -> tuple[str, str]:
        """The first name and the surname that stand in a name; empty where there is none."""
        first = last = ""
        for word in self.words(name):
            token = name[word.start : word.end]
            if word.role == "first" and not first:
                first = token
            elif word.role == "last":
                last = token
        return first, last

    def part(self, token: str, part: Part) -> str:
        """The surrogate of one first name or surname; hyphenated ones part by part."""
        return "-".join(self._single(piece, part) if piece else "" for piece in token.split("-"))

    def known(self, token: str) -> Part | None:
        """Whether Faker's lists know the word as a first name or as a surname; None where they don't, or know both."""
        name = normal(token)
        lists = self._lists(token)
        first, last = name in _normals(lists.first), name in _normals(lists.last)
        return None if first == last else "first" if first else "last"

    def _assign(
        self,
        name: str,
        tokens: list[tuple[int, int]],
        named: list[int],
        comma: int,
        hint: Part | None,
        roles: list[Role],
    ) -> None:
        before = [index for index in named if comma >= 0 and tokens[index][1] <= comma]
        after = [index for index in named if index not in before]
        if before and after:  # Last, First Middle
            groups: list[tuple[list[int], Part]] = [(before, "last"), (after, "first")]
        elif len(named) == 1:
            word = name[slice(*tokens[named[0]])]
            groups = [(named, hint or self.known(_core(word)) or "first")]
        elif named and script_of(name[slice(*tokens[named[0]])]) in _SURNAME_FIRST:
            groups = [(named[:1], "last"), (named[1:], "first")]
        else:
            groups = [(named[:-1], "first"), (named[-1:], "last")]
        for indices, part in groups:
            for place, index in enumerate(indices):
                token = name[slice(*tokens[index])]
                leads = place == (0 if part == "first" else len(indices) - 1)
                if _INITIALS.fullmatch(token) and script_of(token) not in _SURNAME_FIRST:
                    roles[index] = "initial"
                elif leads:
                    roles[index] = part
                else:  # a middle name, or the first of two surnames
                    roles[index] = self.known(_core(token)) or part

    @staticmethod
    def _is_particle(token: str, leads: bool) -> bool:
        return token in _LEADING if leads else token.casefold() in _PARTICLES

    def _glued(self, name: str, start: int, end: int) -> list[Word]:
        """Chinese and Korean names are written without a space: the surname is the first character, or two."""
        token = name[start:end]
        script = script_of(token)
        if script not in ("CJK", "HANGUL") or not 2 <= len(token) <= 4 or not token.isalpha():
            return []
        lists = self._lists(token)
        japanese = script == "CJK" and self._locale.startswith("ja")
        length = 2 if len(token) > 2 and (japanese or token[:2] in lists.last) else 1
        return [Word(start, start + length, "last"), Word(start + length, end, "first")]

    def _of(self, token: str, role: Role) -> str:
        if role == "kept":
            return token
        match = _CORE.search(token)
        if match is None:
            return token
        core = match[0]
        if role == "initial":
            made = "".join(self._initial(one) if one.isalpha() else one for one in core)
        elif role in ("first", "last") and not any(character.isdecimal() for character in core):
            made = self.part(core, "first" if role == "first" else "last")
        else:
            made = chosen(self._draws, "name code", normal(core), lambda stream: like(stream, core)) or ""
        return token[: match.start()] + made + token[match.end() :]

    def _initial(self, letter: str) -> str:
        made = chosen(self._draws, "initial", normal(letter), lambda stream: like(stream, letter))
        return made or letter

    def _single(self, word: str, part: Part) -> str:
        lists = self._lists(word)
        name = normal(word)
        choices = _choices(lists, part, name)
        made = chosen(self._draws, part, name, lambda stream: stream.of(choices))
        return in_case_of(word, made or choices[0])

    def _lists(self, text: str) -> NameLists:
        script = script_of(text)
        lists = name_lists(locale_for(script, self._locale))
        return _kana_lists(script) if script in _KANA else lists


@lru_cache(maxsize=4096)
def _choices(lists: NameLists, part: Part, name: str) -> tuple[str, ...]:
    """Names of the gender that the name has by Faker's lists, if only one; of everybody otherwise."""
    if part == "first":
        male, female, everybody = lists.male, lists.female, lists.first
    else:
        male, female, everybody = lists.last_male, lists.last_female, lists.last
    is_male, is_female = name in _normals(male), name in _normals(female)
    return everybody if is_male == is_female else male if is_male else female


@lru_cache(maxsize=256)
def _normals(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(normal(name) for name in names)


def _core(token: str) -> str:
    match = _CORE.search(token)
    return match[0] if match else token


@lru_cache(maxsize=65536)
def script_of(text: str) -> str:
    """The script of a text's first letter, in Unicode's words: LATIN, CYRILLIC, CJK, …"""
    if text.isascii():
        return "LATIN"
    for character in text:
        if character.isalpha():
            return unicodedata.name(character, "LATIN").split()[0].split("-")[0]
    return "LATIN"


def locale_for(script: str, locale: str) -> str:
    """The policy's locale where it is written in `script`, else one that is."""
    language = locale.split("_")[0]
    if script in _SCRIPTS:
        languages, default = _SCRIPTS[script]
        return locale if language in languages.split() else default
    return "en_US" if language in _NOT_LATIN else locale


def known_locale(locale: str) -> bool:
    """Whether Faker has the locale."""
    return locale in AVAILABLE_LOCALES


@lru_cache(maxsize=64)
def name_lists(locale: str) -> NameLists:
    """Faker's names for a locale, or for another one of its language, or American ones."""
    provider = importlib.import_module(_module(locale)).Provider
    male = _single_words(getattr(provider, "first_names_male", ()))
    female = _single_words(getattr(provider, "first_names_female", ()))
    if not male or not female:
        male = female = _single_words(provider.first_names)
    last_male = _single_words(getattr(provider, "last_names_male", ()))
    last_female = _single_words(getattr(provider, "last_names_female", ()))
    last = _single_words([*provider.last_names, *last_male, *last_female])
    return NameLists(male, female, last_male, last_female, last)


@lru_cache(maxsize=2)
def _kana_lists(script: str) -> NameLists:
    provider = importlib.import_module("faker.providers.person.ja_JP").Provider

    def kana(pairs: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        written = (pair[_KANA[script]] for pair in pairs)
        if script == "HIRAGANA":  # the same syllables, 96 places lower
            written = (
                "".join(chr(ord(one) - 0x60) if "ァ" <= one <= "ヶ" else one for one in name) for name in written
            )
        return tuple(dict.fromkeys(written))

    male, female = kana(provider.first_name_male_pairs), kana(provider.first_name_female_pairs)
    return NameLists(male, female, (), (), kana(provider.last_name_pairs))


def _module(locale: str) -> str:
    language = locale.split("_")[0]
    for candidate in (locale, f"{language}_{language.upper()}", language, "en_US"):
        name = f"faker.providers.person.{candidate}"
        if find_spec(name) is not None:
            return name
    raise AssertionError("Faker has American names")


def _single_words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name and name.replace("-", "").isalpha()))


def ascii_letters(text: str) -> str:
    """Small ASCII letters of a text, accents taken off; what has none is left out."""
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l")).casefold()
    return "".join(character for character in folded if "a" <= character <= "z")
