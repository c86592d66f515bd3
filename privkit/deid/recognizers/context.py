"""Context words: does a word near a finding support it, as Presidio's LemmaContextAwareEnhancer decides it?

Presidio compares context words with the lemmas of the words before a finding, and a lemma depends on the part of speech
that the full pipeline would give the word. Most of the time it does not matter which: "phones" contains "phone" either
way. So each word form has the set of lemmas that it could have under any part of speech, and the question has three
answers: yes for all of them, no for all of them, or it depends, and only then must the full pipeline be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.attrs import IDX

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.tokens import Doc, Token

_LARGEST_CACHE = 50_000


class Support(Enum):
    """Whether a context word stands near a finding."""

    YES = "yes"
    NO = "no"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Lemma:
    """A lemma as Presidio's keywords see it.

    Attributes:
        lower: Lower case.
        keyword: Whether it is a keyword by itself: neither stop word nor punctuation, and without a colon.
        pieces: What its parts between colons add to the text's keywords.
    """

    lower: str
    keyword: bool
    pieces: tuple[str, ...] = ()


class Lexicon:
    """The lemmas of words.

    Args:
        lemmas_of: The lemmas that a form could have, under any part of speech; None where each form is its own.
        is_filler: Whether a lemma is a stop word or punctuation.
        special: Words that may be cut into several tokens, or become part of one.
    """

    def __init__(
        self,
        lemmas_of: Callable[[str], set[str]] | None,
        is_filler: Callable[[str], bool],
        special: frozenset[str] = frozenset(),
    ) -> None:
        self._lemmas_of = lemmas_of
        self._special = special
        self.certain = lemmas_of is None
        self._is_filler = is_filler
        self._forms: dict[str, tuple[Lemma, ...]] = {}
        self._lemmas: dict[str, Lemma] = {}

    def possible(self, form: str) -> tuple[Lemma, ...]:
        """Every lemma that `form` could have."""
        found = self._forms.get(form)
        if found is None:
            if self._lemmas_of is None:
                return (self.lemma(form),)
            if len(self._forms) > _LARGEST_CACHE:
                self._forms.clear()
            found = self._forms[form] = tuple({self.lemma(lemma) for lemma in self._lemmas_of(form)})
        return found

    def lemma(self, lemma: str) -> Lemma:
        """One lemma that is certain."""
        found = self._lemmas.get(lemma)
        if found is None:
            if len(self._lemmas) > _LARGEST_CACHE:
                self._lemmas.clear()
            found = self._lemmas[lemma] = self._classified(lemma)
        return found

    def is_token(self, word: str) -> bool:
        """Whether `word`, between spaces, is certainly one token."""
        return word.isascii() and word.isalpha() and word not in self._special

    def _classified(self, lemma: str) -> Lemma:
        lower = lemma.lower()
        if self._is_filler(lemma) or lemma in ("-PRON-", "be"):
            return Lemma(lower, keyword=False)
        if ":" in lower:
            return Lemma(lower, keyword=False, pieces=tuple(lower.split(":")))
        return Lemma(lower, keyword=True)


class Surroundings:
    """The words of one text, each with the lemmas it could have.

    Args:
        text: The text.
        doc: Its tokens.
        lemmas: The lemmas, one or more, of a token.
        certain: There is never more than one.
    """

    def __init__(
        self, text: str, doc: Doc, lemmas: Callable[[Token], tuple[Lemma, ...]], *, certain: bool = False
    ) -> None:
        self._doc = doc
        self._lemmas = lemmas
        self._look = self._follow if certain else self._walk
        self._starts: NDArray[np.int64] = doc.to_array(IDX).astype(np.int64)
        self._certain: set[str] = set()
        self._possible: set[str] = set()
        # A lemma with a colon adds its parts to the keywords of the whole text. Rare enough to look for.
        if ":" in text:
            for token in doc:
                options = lemmas(token)
                for option in options:
                    self._possible.update(option.pieces)
                    if len(options) == 1:
                        self._certain.update(option.pieces)

    @classmethod
    def possible(cls, text: str, doc: Doc, lexicon: Lexicon) -> Surroundings:
        """From the forms alone."""
        return cls(text, doc, lambda token: lexicon.possible(token.text), certain=lexicon.certain)

    @classmethod
    def certain(cls, doc: Doc, lexicon: Lexicon) -> Surroundings:
        """From the lemmas that a full pipeline has written into `doc`."""
        return cls(doc.text, doc, lambda token: (lexicon.lemma(token.lemma_),), certain=True)

    def support(self, start: int, matcher: ContextMatcher) -> Support:
        """Whether one of the matcher's words stands near a finding that begins at character `start`."""
        if not len(self._doc):
            return Support.YES if matcher.matches("") else Support.NO
        index = self._token_at(start)
        if index == len(self._doc):
            # Presidio has no token for the text's last space and fails on a finding that begins there.
            return Support.NO
        before = self._look(index, -1, matcher.before + 1, matcher)
        if before is Support.YES:
            return before
        after = self._look(index, 1, matcher.after + 1, matcher)
        if after is Support.YES or before is after:
            return after
        return Support.DEPENDS

    def _follow(self, index: int, step: int, words: int, matcher: ContextMatcher) -> Support:
        """Collects up to `words` keywords from `index` on, where each token has one lemma."""
        while 0 <= index < len(self._doc):
            lemma = self._lemmas(self._doc[index])[0]
            if lemma.keyword or lemma.lower in self._certain:
                if matcher.matches(lemma.lower):
                    return Support.YES
                words -= 1
                if not words:
                    break
            index += step
        return Support.NO

    def word(self, start: int, matcher: ContextMatcher) -> str:
        """The word of the text that supports a finding that begins at character `start`; "" if none does.

        Where several do it is the nearest one before the finding, else the nearest after it. Meaningful where lemmas
        are certain.
        """
        index = self._token_at(start) if len(self._doc) else 0
        if index == len(self._doc):
            return ""
        for step, words in ((-1, matcher.before), (1, matcher.after)):
            places: list[int] = []
            self._walk(index, step, words + 1, matcher, places)
            if places:
                return str(self._doc[places[0]].text)
        return ""

    def _token_at(self, start: int) -> int:
        """The last token that begins at or before a character; the next one where the character is between two."""
        index = max(int(np.searchsorted(self._starts, start, side="right")) - 1, 0)
        return index + 1 if self._starts[index] + len(self._doc[index]) <= start else index

    def _walk(
        self, index: int, step: int, words: int, matcher: ContextMatcher, places: list[int] | None = None
    ) -> Support:
        """Collects up to `words` keywords from `index` on; every choice of lemmas at once.

        The state is the set of numbers of words that may still be wanted with no match so far. The tokens that matched
        are added to `places`.
        """
        wanted = {words}
        may_match = False
        missed = False
        while 0 <= index < len(self._doc) and wanted:
            skips, misses, matches = False, False, False
            for option in self._lemmas(self._doc[index]):
                counts, may_count = self._counts(option)
                skips |= not counts
                if may_count:
                    if matcher.matches(option.lower):
                        matches = True
                        if places is not None:
                            places.append(index)
                    else:
                        misses = True
            following = set(wanted) if skips else set()
            if misses:
                following |= {left - 1 for left in wanted}
            may_match |= matches
            missed |= 0 in following
            following.discard(0)
            wanted = following
            index += step
        if not may_match:
            return Support.NO
        return Support.DEPENDS if wanted or missed else Support.YES

    def _counts(self, lemma: Lemma) -> tuple[bool, bool]:
        """Whether a lemma certainly, and whether it possibly, is among the text's keywords."""
        if lemma.keyword:
            return True, True
        if not self._possible:
            return False, False
        return lemma.lower in self._certain, lemma.lower in self._possible


class ContextMatcher:
    """A recognizer's context words, and how an enhancer uses them.

    Args:
        words: The recognizer's context words.
        enhancer: Presidio's LemmaContextAwareEnhancer.
    """

    def __init__(self, words: Sequence[str], enhancer: Any) -> None:
        self._words = tuple(word.lower() for word in words)
        self._substring = enhancer.context_matching_mode == "substring"
        self._factor = float(enhancer.context_similarity_factor)
        self._least = float(enhancer.min_score_with_context_similarity)
        self._most = float(enhancer.MAX_SCORE)
        self._cache: dict[str, bool] = {}
        self.before = int(enhancer.context_prefix_count)
        self.after = int(enhancer.context_suffix_count)

    def occurs(self, text: str) -> bool:
        """Whether one of the words stands anywhere in a text, given in lower case."""
        return any(word in text for word in self._words)

    def matches(self, keyword: str) -> bool:
        """Whether a keyword of the text supports the recognizer."""
        found = self._cache.get(keyword)
        if found is None:
            if len(self._cache) > _LARGEST_CACHE:
                self._cache.clear()
            lower = keyword.lower()
            found = any(word in lower for word in self._words) if self._substring else lower in self._words
            self._cache[keyword] = found
        return found

    def stands_before(self, text: str, start: int, lexicon: Lexicon) -> bool:
        """Whether it is plain, without the text's tokens, that a finding at `start` has support.

        So it is where each token is its own lemma, and one of the words before the finding, in a run of plain words as
        long as the enhancer looks back, is a context word.
        """
        end = start - 1
        for _ in range(self.before):
            if end <= 0 or text[end] != " ":
                return False
            begin = text.rfind(" ", 0, end) + 1
            word = text[begin:end]
            if not lexicon.is_token(word):
                return False
            if self.matches(word) and lexicon.lemma(word).keyword:
                return True
            end = begin - 1
        return False

    def boosted(self, score: float) -> float:
        """The score of a finding that has support."""
        return min(max(score + self._factor, self._least), self._most)
