"""What became of each finding in a text, told from what every step made of the findings. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from privkit.deid.findings import Evidence, Explained, Finding
from privkit.deid.texts import DENY, Verdict
from privkit.model.explanation import ExplainedFinding, Outcome
from privkit.model.operators import Keep, Operator

_LINKED = "privkit.linked"


class Fates:
    """One text's findings on their way.

    Args:
        text: The text.
        heard: What the detector said of it.
        verdict: The policy's, on a finding that the detector gives, or that was added.
        threshold: The score that a type needs.
        spans: What the findings that count became: what is replaced, or kept on purpose.
        operator: What is done with a finding of a type.
    """

    def __init__(
        self,
        text: str,
        heard: Explained,
        *,
        verdict: Callable[[Finding], Verdict],
        threshold: Callable[[str], float],
        spans: Sequence[Finding],
        operator: Callable[[str], Operator],
    ) -> None:
        self._text = text
        self._heard = heard
        self._verdict = verdict
        self._threshold = threshold
        self._spans = spans
        self._operator = operator

    def of(self, added: Sequence[Finding]) -> tuple[ExplainedFinding, ...]:
        """All findings in order of place, the surest first where several begin together.

        Args:
            added: Findings that are not the detector's: the policy's own, the row's own identifiers.
        """
        told = [*self._detected(), *(self._judged(Evidence(finding, finding.score)) for finding in added)]
        return tuple(sorted(told, key=lambda one: (one.start, -one.score, -one.end, one.entity, one.recognizer)))

    def _detected(self) -> Iterator[ExplainedFinding]:
        found = set(self._heard.found)
        accounted: set[Finding] = set()
        for each in self._heard.said:
            finding = each.finding
            rescored = next((one for one in found if _same_but_score(one, finding)), None)
            if finding in found:
                accounted.add(finding)
                yield self._judged(each)
            elif each.refused:
                yield self._told(each, "refused", each.refused)
            elif rescored is not None:
                accounted.add(rescored)
                yield self._judged(
                    each._replace(finding=rescored),
                    f"; the detector made {rescored.score:.2f} of {finding.score:.2f}",
                )
            else:
                winner = _covering(finding, self._heard.found)
                why = f"the detector made it part of {_place(winner)}" if winner else "the detector left it out"
                yield self._told(each, "merged" if winner else "refused", why)
        for finding in sorted(found - accounted):
            yield self._judged(Evidence(finding, finding.score))

    def _judged(self, each: Evidence, note: str = "") -> ExplainedFinding:
        """The fate of something that reached the policy; `note` is what the detector did before."""
        finding = each.finding
        verdict = self._verdict(finding)
        if verdict == "below_threshold":
            return self._told(
                each, verdict, f"a score of {_threshold(self._threshold(finding.entity))} was needed{note}"
            )
        if verdict == "allowed":
            return self._told(each, verdict, "the policy's allow-list has this text")
        span = _covering(finding, self._spans)
        if span is None and self._keeps(finding.entity) and not self._text[finding.start : finding.end].isspace():
            return self._told(each, "kept", "its type is kept")
        if span is None:
            return self._told(each, "blank", "there is nothing but white space")
        if finding[2:] != span[2:]:
            return self._told(each, "merged", self._lost(finding, span))
        why = _COUNTED.get(finding.recognizer) or f"its score reaches {_threshold(self._threshold(finding.entity))}"
        why += note
        if (finding.start, finding.end) != (span.start, span.end):
            why += f"; with what overlaps it, it is {_place(span)}"
        return self._told(each, "kept" if self._keeps(finding.entity) else "replaced", why)

    def _lost(self, finding: Finding, span: Finding) -> str:
        if self._keeps(finding.entity) and not self._keeps(span.entity):
            return f"it would be kept, and overlaps {_place(span)}, which is not"
        won = "is surer" if span.score > finding.score else "is longer, or came first, at the same score"
        return f"part of {_place(span)}, found by {span.recognizer}, which {won}"

    def _keeps(self, entity: str) -> bool:
        return isinstance(self._operator(entity), Keep)

    def _told(self, each: Evidence, outcome: Outcome, why: str) -> ExplainedFinding:
        finding = each.finding
        return ExplainedFinding(
            start=finding.start,
            end=finding.end,
            text=self._text[finding.start : finding.end],
            entity=finding.entity,
            recognizer=finding.recognizer,
            score_before=each.before,
            score=finding.score,
            context=each.context,
            threshold=0.0 if finding.recognizer == DENY else self._threshold(finding.entity),
            outcome=outcome,
            why=why,
        )


_COUNTED = {
    DENY: "the policy's deny-list has this text",
    _LINKED: "the row's own identifiers have this text",
}


def _same_but_score(one: Finding, other: Finding) -> bool:
    return one[:3] == other[:3] and one.recognizer == other.recognizer


def _covering(finding: Finding, spans: Sequence[Finding]) -> Finding | None:
    """The first span that has characters in common with a finding."""
    return next((span for span in spans if finding.start < span.end and span.start < finding.end), None)


def _place(span: Finding) -> str:
    return f"{span.entity} at {span.start} to {span.end}"


def _threshold(value: float) -> str:
    return f"{value:g}"
