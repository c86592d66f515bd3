"""From what several recognizers say about a text to what is there: one list of findings that do not overlap.

Scores become shares of right findings (`calibration`), spans become whole words, spans that overlap become one, whose
type the recognizers vote for, parts of one name or one address become one finding, and names are looked for again in
the rest of the text (`memory`). Whatever was found at some score is covered at that score afterwards: nothing that
would have been replaced is lost.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from privkit.deid.findings import NATIONAL, Finding
from privkit.deid.recognizers.addresses import completed
from privkit.deid.recognizers.calibration import calibrated
from privkit.deid.recognizers.memory import remembered
from privkit.deid.recognizers.words import to_word_edges, with_name_parts

BAR = 0.4
"""Findings from here on are sure enough to be replaced at a policy's default threshold. Surer and less sure ones are
never joined: a doubtful neighbour would make a sure finding larger."""

_MOST_ROUNDS = 4
_MOST_GROWTHS = 8
_CHECKED = frozenset(
    ("CREDIT_CARD", "IBAN_CODE", "CRYPTO", "EMAIL_ADDRESS", "MAC_ADDRESS", "IP_ADDRESS", "UK_NHS", "US_SSN", "URL")
)
_CHECKED_FROM = 0.9
_NATIONAL_FROM = 0.7
_SPACE = re.compile(r"[^\S\r\n]{1,2}")
_AFTER_SHORTENED = re.compile(r"\.[^\S\r\n]{0,2}")
# An initial, or a title that a model took for a part of the name.
_SHORTENED = re.compile(r"(?:^|\W)(?:\w|Mr|Mrs|Ms|Dr|Prof|St|Sr|Sra|Hr|Fr|Jr)$")
# Between parts of one address; a model often leaves out the word before the number of a flat.
_BETWEEN = re.compile(
    r"\.?[^\S\r\n]*(?P<mark>,?[^\S\r\n]*(?:\\?,)?[^\S\r\n]*(?:\r?\n[^\S\r\n]*,?[^\S\r\n]*)?)"
    r"(?:\b(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|no)\b\.?[^\S\r\n]*)?#?[^\S\r\n]*|-",
    re.IGNORECASE,
)
_POSTAL = re.compile(r"(?:[A-Z]{2}[ \t]+)?\d{4,5}(?!\w)|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def combined(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """What the findings of all recognizers come to, in order of their start.

    Args:
        text: The text.
        findings: From any recognizers, in any order, with the scores that the recognizers gave.

    Returns:
        Findings that do not overlap and cut no word in two; scores are shares of right findings, in 0..1.
    """
    found = settled(text, [calibrated(text, finding) for finding in findings])
    for _ in range(_MOST_ROUNDS):
        more = remembered(text, found) if found else []
        if not more:
            break
        found = settled(text, [*found, *more])
    return found


def settled(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Findings made one where they overlap or belong together; scores are taken as they are.

    Every character that a finding with a score of s covers is covered by a finding with s or more, white space at the
    ends of a finding excepted.
    """
    snapped = sorted({snap for finding in findings if (snap := _snapped(text, finding)) is not None})
    sure = _grown(text, [finding for finding in snapped if finding.score >= BAR])
    doubtful = _voted([finding for finding in snapped if finding.score < BAR])
    if not doubtful:
        return sure
    return sorted([*sure, *_left(text, doubtful, sure)])


def _grown(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Findings voted, joined and completed, until nothing changes any more. They must be sorted."""
    found = list(findings)
    for _ in range(_MOST_GROWTHS):
        before = found
        if len(found) > 1:
            found = _joined(text, _voted(found))
        found = sorted(_widened(text, finding) for finding in found)
        if found == before:
            break
    return _voted(found)


def _widened(text: str, finding: Finding) -> Finding:
    """With what belongs to the finding now that its type is settled: the rest of a name, the numbers of an address."""
    start, end = finding[:2]
    if finding.entity == "PERSON":
        start, end = with_name_parts(text, start, end)
    elif finding.entity == "LOCATION":
        start, end = to_word_edges(text, *completed(text, start, end))
    return finding if (start, end) == finding[:2] else finding._replace(start=start, end=end)


def _snapped(text: str, finding: Finding) -> Finding | None:
    """The finding without white space at its ends, widened to whole words."""
    start, end = max(finding.start, 0), min(finding.end, len(text))
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return None
    start, end = to_word_edges(text, start, end)
    return finding if (start, end) == finding[:2] else finding._replace(start=start, end=end)


def _voted(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each run of findings that overlap. They must be sorted."""
    result: list[Finding] = []
    run: list[Finding] = []
    end = -1
    for finding in findings:
        if run and finding.start >= end:
            result.append(run[0] if len(run) == 1 else _elected(run, end))
            run = []
        end = max(end, finding.end) if run else finding.end
        run.append(finding)
    if run:
        result.append(run[0] if len(run) == 1 else _elected(run, end))
    return result


def _elected(run: Sequence[Finding], end: int) -> Finding:
    """The union of a run, of the type that most speaks for.

    What was checked (by a checksum, by a form that nothing else has) wins if it is most of the run. Else each finding
    votes with its certainty, -log(1 - score), times its length: "12 Elm St" as a place outweighs "Elm" as a person.
    """
    start = run[0].start
    size = end - start
    checked = [one for one in run if _is_checked(one) and one.end - one.start > size / 2]
    votes: dict[str, float] = {}
    for one in checked or run:
        certainty = -math.log(max(1.0 - one.score, 1e-6))
        votes[one.entity] = votes.get(one.entity, 0.0) + certainty * (one.end - one.start)
    entity = max(votes, key=lambda name: (votes[name], name))
    best = max(
        (one for one in run if one.entity == entity), key=lambda one: (one.score, one.end - one.start, one.recognizer)
    )
    return Finding(start, end, entity, max(one.score for one in run), best.recognizer)


def _is_checked(finding: Finding) -> bool:
    """Whether a checksum, or a form that nothing else has, speaks for the type."""
    if finding.recognizer.startswith(NATIONAL):
        return finding.score >= _NATIONAL_FROM
    return finding.entity in _CHECKED and finding.score >= _CHECKED_FROM


def _joined(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Neighbours that are parts of one name or one address made one."""
    result: list[Finding] = []
    for finding in findings:
        last = result[-1] if result else None
        if last is not None and last.entity == finding.entity and _belongs(text, last, finding):
            surer = max(last, finding, key=lambda one: one.score)
            result[-1] = surer._replace(start=last.start, end=finding.end)
        else:
            result.append(finding)
    return result


def _belongs(text: str, last: Finding, following: Finding) -> bool:
    between = text[last.end : following.start]
    if last.entity == "PERSON":
        if len(between) > 3 or not _same_name(text, last, following):
            return False
        if between in ("-", "‐", "‑", "'", "’"):
            return True
        shortened = _SHORTENED.search(text, max(last.end - 5, 0), last.end) is not None
        return _SPACE.fullmatch(between) is not None or (shortened and _AFTER_SHORTENED.fullmatch(between) is not None)
    if last.entity == "LOCATION":
        match = _BETWEEN.fullmatch(between) if len(between) < 40 else None
        if match is None:
            return False
        # "Paris, London" are two places; with a number, it is an address that goes on.
        apart = match["mark"] is not None and ("," in match["mark"] or "\n" in match["mark"])
        return not apart or _is_address(text, last) or _POSTAL.match(text, following.start, following.end) is not None
    return False


def _same_name(text: str, last: Finding, following: Finding) -> bool:
    """Whether two neighbours may be one person: not when both have a surname already."""
    several = (len(_WORDS.findall(text, one.start, one.end)) > 1 for one in (last, following))
    return not all(several)


def _is_address(text: str, finding: Finding) -> bool:
    return _DIGIT.search(text, finding.start, finding.end) is not None


def _left(text: str, doubtful: Sequence[Finding], sure: Sequence[Finding]) -> list[Finding]:
    """What of the doubtful findings no sure one covers."""
    left: list[Finding] = []
    for finding in doubtful:
        start = finding.start
        # The last that begins before this one may still reach into it.
        for other in sure[max(bisect_left(sure, finding[:1]) - 1, 0) :]:
            if other.start >= finding.end:
                break
            if other.end <= start:
                continue
            _keep(text, finding, start, other.start, left)
            start = max(start, other.end)
        _keep(text, finding, start, finding.end, left)
    return left


def _keep(text: str, finding: Finding, start: int, end: int, left: list[Finding]) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        whole = (start, end) == finding[:2]
        left.append(finding if whole else finding._replace(start=start, end=end))
