"""From what recognizers say about a text to what will be replaced in it.

Findings below their threshold go, allowed texts go, denied texts come in. Findings that overlap become one span that
covers all of them, so that no part of any stays behind; its type is that of the surest, and of these the longest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from privkit.deid.findings import Detector, Finding
from privkit.model.policy import Policy


class TextScanner:
    """A detector under a policy's thresholds, allow-list and deny-lists."""

    def __init__(self, detector: Detector, policy: Policy) -> None:
        self._detector = detector
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
        return [
            self.counted(text, (*found, *self._denials(text)))
            for text, found in zip(texts, self._detector.detect(texts), strict=True)
        ]

    def counted(self, text: str, findings: Iterable[Finding]) -> list[Finding]:
        """Those of `findings` that reach their threshold and are not allowed texts."""
        return [finding for finding in findings if self._counts(text, finding)]

    def _denials(self, text: str) -> Iterable[Finding]:
        for entity, pattern in self._denied:
            for match in pattern.finditer(text):
                yield Finding(match.start(), match.end(), entity, 1.0, "privkit.deny")

    def _counts(self, text: str, finding: Finding) -> bool:
        if finding.recognizer == "privkit.deny":
            return True  # a person named this very text: no threshold and no other list outweighs that
        if finding.score < self._policy.score_threshold(finding.entity):
            return False
        return not self._allowed or text[finding.start : finding.end].casefold() not in self._allowed


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
