"""Findings to spans: thresholds, lists, and a union that leaves no part of a finding behind."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from privkit.deid.findings import Finding
from privkit.deid.texts import TextScanner, merged
from privkit.model.policy import Policy


class Fixed:
    name = "patterns"
    models = ()

    def __init__(self, *findings):
        self.findings = list(findings)

    def detect(self, texts):
        return [list(self.findings) for _ in texts]


def test_findings_below_their_threshold_are_left_out():
    scanner = TextScanner(
        Fixed(Finding(0, 2, "A", 0.5), Finding(0, 2, "B", 0.5), Finding(0, 2, "C", 0.3)),
        Policy(threshold=0.4, thresholds={"B": 0.6, "C": 0.2}),
    )
    assert [f.entity for f in scanner.scan(["anna"])[0]] == ["A", "C"]


def test_allowed_texts_are_no_findings_and_denied_texts_always_are():
    policy = Policy(allow=("Anna",), deny={"WARD": ("north wing", "x+y")}, threshold=1.0)
    scanner = TextScanner(Fixed(Finding(0, 4, "PERSON", 1.0)), policy)
    text = "ANNA in the North Wing, northwing, x+y"
    assert {text[f.start : f.end] for f in scanner.scan([text])[0]} == {"North Wing", "x+y"}


def test_the_surest_then_the_longest_names_the_span():
    text = "x" * 30
    spans = merged(text, [Finding(0, 10, "A", 0.5), Finding(5, 8, "B", 0.9), Finding(9, 20, "C", 0.9)])
    assert [(s.start, s.end, s.entity) for s in spans] == [(0, 20, "C")]


spans = st.builds(
    lambda start, length, entity, score: Finding(start, start + length, entity, score),
    st.integers(0, 40),
    st.integers(1, 12),
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from([0.4, 0.85, 1.0]),
)


@given(st.lists(spans, max_size=8), st.text(min_size=60, max_size=60))
def test_spans_cover_every_finding_and_never_overlap(findings, text):
    result = merged(text, findings)
    covered = {i for span in result for i in range(span.start, span.end)}
    wanted = {i for f in findings for i in range(f.start, f.end) if not text[i].isspace()}
    assert wanted <= covered
    assert all(left.end <= right.start for left, right in itertools.pairwise(result))
    assert all(text[s.start : s.end] == text[s.start : s.end].strip() for s in result)
