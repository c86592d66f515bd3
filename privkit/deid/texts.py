"""From what recognizers say about a text to what will be replaced in it.

Findings below their threshold go, allowed texts go, denied texts come in. Findings that overlap become one span that
covers all of them, so that no part of any stays behind; its type is that of the surest, and of these the longest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from privkit.deid.findings import Detector, Explained, Finding
from privkit.deid.postal import STATES
from privkit.model.operators import Generalize
from privkit.model.policy import Policy

# Standard phrases come again and again in real texts: as many are remembered as fit in some tens of megabytes.
_REMEMBERED = 30_000
_REMEMBERED_LENGTH = 500

DENY = "privkit.deny"
"""The recognizer that findings of a policy's deny-lists name."""

Verdict = Literal["counts", "below_threshold", "allowed"]

_HIGH_AGE = r"(?:9\d|1[0-2]\d)"
# No text without these digits holds one: quicker to see.
_QUASI_DIGITS = {"AGE": re.compile(_HIGH_AGE), "POSTCODE": re.compile(r"\d{5}")}
# By entity; the group that matched is the finding.
_QUASI = {
    "AGE": re.compile(
        rf"(?<![\w.])(?P<before>{_HIGH_AGE})(?=[\s-]{{0,2}}(?:years?|yrs?|yr|y/?o|y\.o\.)\b)"
        rf"|\bage[ds]?(?:\s(?:of|is|at))?[\s:=]{{1,3}}(?P<after>{_HIGH_AGE})(?![\w.]\d|\w)",
        re.IGNORECASE,
    ),
    "POSTCODE": re.compile(
        rf"\b{STATES},?\s{{1,3}}(?P<state>\d{{5}}(?:-\d{{4}})?)(?![\w-])"
        r"|\b(?i:zip|zip\s?code|postal\scode)[\s:=#]{1,3}(?:(?i:is|code)\s)?(?P<zip>\d{5}(?:-\d{4})?)(?![\w-])"
    ),
}


class TextScanner:
    """A detector under a policy's thresholds, allow-list and deny-lists."""

    def __init__(self, detector: Detector, policy: Policy) -> None:
        self._detector = detector
        self._seen: dict[str, list[Finding]] = {}
        self._policy = policy
        self._allowed = frozenset(text.casefold() for text in policy.allow)
        self._denied = tuple(
            (entity, _any_of(words)) for entity, words in policy.deny.items() if any(word.strip() for word in words)
        )

    def scan(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Findings that count, in each text; they may still overlap.

        Raises:
            DetectorError: A recognizer did not finish.
        """
        unseen = [text for text in dict.fromkeys(texts) if text not in self._seen]
        found = dict(zip(unseen, self._detector.detect(unseen), strict=True))
        counted = {text: self.counted(text, (*spans, *self.added(text))) for text, spans in found.items()}
        results = [counted[text] if text in counted else self._seen[text] for text in texts]
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        self._seen.update((text, spans) for text, spans in counted.items() if len(text) <= _REMEMBERED_LENGTH)
        return results

    def counted(self, text: str, findings: Iterable[Finding]) -> list[Finding]:
        """Those of `findings` that reach their threshold and are not allowed texts."""
        return [finding for finding in findings if self.verdict(text, finding) == "counts"]

    def explain(self, text: str) -> Explained:
        """What the detector finds in one text, and why; before any threshold and list of the policy's.

        Raises:
            DetectorError: A recognizer did not finish.
        """
        return self._detector.explain(text)

    def added(self, text: str) -> list[Finding]:
        """What the policy itself finds in a text: the words that it denies, quasi-identifiers that it makes coarser."""
        return [*self._denials(text), *self._quasi(text)]

    def verdict(self, text: str, finding: Finding) -> Verdict:
        """Whether a finding counts, and if not, why."""
        if finding.recognizer == DENY:
            return "counts"  # a person named this very text: no threshold and no other list outweighs that
        if finding.score < self._policy.score_threshold(finding.entity):
            return "below_threshold"
        if self._allowed and text[finding.start : finding.end].casefold() in self._allowed:
            return "allowed"
        return "counts"

    def _denials(self, text: str) -> Iterable[Finding]:
        for entity, pattern in self._denied:
            for match in pattern.finditer(text):
                yield Finding(match.start(), match.end(), entity, 1.0, DENY)

    def _quasi(self, text: str) -> Iterable[Finding]:
        """Quasi-identifiers that no recognizer looks for and that the policy makes coarser: high ages, US ZIP codes."""
        for entity, pattern in _QUASI.items():
            if isinstance(self._policy.entities.get(entity), Generalize) and _QUASI_DIGITS[entity].search(text):
                for match in pattern.finditer(text):
                    group = match.lastgroup or 0
                    yield Finding(match.start(group), match.end(group), entity, 0.85, "privkit.quasi")


def merged(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Spans that do not overlap, in order, without white space at their ends, that cover all `findings`."""
    spans: list[Finding] = []
    best: tuple[float, int] = (0.0, 0)
    for finding in sorted(findings):
        if spans and finding.start < spans[-1].end:
            last = spans[-1]
            rank = (finding.score, finding.end - finding.start)
            winner = finding if rank > best else last
            best = max(best, rank)
            spans[-1] = winner._replace(start=last.start, end=max(last.end, finding.end))
        else:
            spans.append(finding)
            best = (finding.score, finding.end - finding.start)
    return [trimmed for span in spans if (trimmed := _trimmed(text, span)) is not None]


def _trimmed(text: str, span: Finding) -> Finding | None:
    inside = text[span.start : span.end]
    start = span.start + len(inside) - len(inside.lstrip())
    end = span.end - (len(inside) - len(inside.rstrip()))
    return span._replace(start=start, end=end) if start < end else None


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted((word.strip() for word in words if word.strip()), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(word) for word in longest_first) + r")(?!\w)", re.IGNORECASE)
