"""Marked spans against findings: by hand, and what must hold for any of them."""

import itertools
import random
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.deid.quality.entities import ENTITY_NAMES, OUT_OF_SCOPE, comparable, mapped, unused
from privkit.deid.quality.matching import Replaced, judged
from privkit.deid.quality.measures import confusion, label_measures, measures_of, missed_patterns
from privkit.deid.quality.settings import detection_sha256
from privkit.deid.quality.shapes import context_of, shape_of
from privkit.model.annotated import AnnotatedSpan, AnnotatedText
from privkit.model.intervals import wilson
from privkit.model.operators import Generalize, Keep, Mask, Redact
from privkit.model.policy import ColumnRule, Policy

ENTITIES = MappingProxyType({"PER": "PERSON", "LOC": "LOCATION"})


def text(length, *spans, **attributes):
    return AnnotatedText("x" * length, tuple(AnnotatedSpan(*span) for span in spans), attributes)


def judge(*pairs):
    """Of (text, replaced) pairs: all marked spans and all findings."""
    marked, findings = [], []
    for number, (annotated, replaced) in enumerate(pairs):
        one, other = judged(number, annotated, [Replaced(*span) for span in replaced], ENTITIES)
        marked += one
        findings += other
    return marked, findings


def overall(marked, findings, words=100):
    about = [finding for finding in findings if finding.entity in ENTITIES.values()]
    return measures_of([span for span in marked if span.evaluated], about, words)


# ---- by hand


def test_measures_by_hand():
    marked, findings = judge(
        (text(60, (0, 10, "PER"), (20, 30, "PER"), (40, 60, "LOC")), [(0, 4, "PERSON"), (6, 10, "PERSON")]),
        (text(60, (0, 20, "LOC"), (30, 40, "ORG")), [(0, 19, "PERSON"), (35, 40, "PERSON"), (50, 52, "LOCATION")]),
        (text(30, (0, 10, "PER")), [(0, 10, "PERSON"), (12, 15, "URL")]),
    )
    found = overall(marked, findings, words=50)
    # Marked: three PER and two LOC. Found: two PER, the first of them by two findings, which count once.
    assert (found.spans, found.found) == (5, 2)
    # False: PERSON on the second LOC, PERSON on ORG, LOCATION on nothing; the URL is of a type nobody marked.
    assert found.false == 3
    assert found.precision == 2 / 5
    assert found.recall == 2 / 5
    assert found.f1 == 4 / (4 + 3 + 3)
    assert found.f2 == 10 / (10 + 3 + 4 * 3)
    # Fully masked: the LOC of 20 with 19 (95 %, as PERSON), the last PER. Not the first PER: 8 of 10.
    assert found.fully_masked == 2 / 5
    assert found.characters == 70
    assert found.characters_masked == (8 + 0 + 0 + 19 + 10) / 70
    assert found.spurious == 1
    assert found.spurious_per_1000_words == 20.0
    assert (found.recall_low, found.recall_high) == wilson(2, 5)


def test_confusion_by_hand():
    marked, findings = judge(
        (text(60, (0, 10, "PER"), (20, 30, "PER"), (40, 60, "LOC")), [(0, 4, "LOCATION"), (4, 5, "PERSON")]),
        (text(60, (0, 20, "LOC"), (30, 40, "ORG")), [(0, 9, "PERSON"), (9, 20, "URL"), (50, 52, "LOCATION")]),
    )
    cells = [(c.gold, c.evaluated, c.predicted, c.count) for c in confusion(marked, findings)]
    assert cells == [
        ("LOCATION", True, "URL", 1),  # it covers more of it than PERSON
        ("LOCATION", True, None, 1),
        ("PERSON", True, "PERSON", 1),  # its own type, although LOCATION covers more
        ("PERSON", True, None, 1),
        ("ORG", False, None, 1),
        (None, True, "LOCATION", 1),
    ]


def test_what_touches_only_the_end_does_not_overlap():
    marked, findings = judge((text(30, (10, 20, "PER")), [(0, 10, "PERSON"), (20, 25, "PERSON")]))
    assert not marked[0].found
    assert marked[0].covered == 0
    assert all(finding.spurious for finding in findings)


def test_one_finding_can_find_two_spans():
    marked, findings = judge((text(30, (0, 10, "PER"), (12, 20, "PER")), [(0, 20, "PERSON")]))
    found = overall(marked, findings)
    assert (found.found, found.false, found.precision, found.recall) == (2, 0, 1.0, 1.0)


@pytest.mark.parametrize(("covered", "masked"), [(100, True), (95, True), (94, False), (0, False)])
def test_fully_masked_begins_at_95_percent(covered, masked):
    marked, _ = judge((text(100, (0, 100, "PER")), [(0, covered, "URL")] if covered else []))
    assert marked[0].masked is masked


def test_f2_weighs_what_is_missed_four_times():
    marked, findings = judge(
        (text(50, (0, 5, "PER"), (10, 15, "PER"), (20, 25, "PER")), [(0, 5, "PERSON"), (30, 35, "PERSON")])
    )
    found = overall(marked, findings)
    assert (found.precision, found.recall) == (1 / 2, 1 / 3)
    assert found.f1 == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))
    assert found.f2 == pytest.approx(5 * (1 / 2) * (1 / 3) / (4 * (1 / 2) + 1 / 3))


def test_nothing_marked_and_nothing_found_has_no_shares():
    found = measures_of([], [], 0)
    assert (found.precision, found.recall, found.f1, found.f2, found.fully_masked) == (None,) * 5
    assert (found.recall_low, found.recall_high, found.characters_masked) == (None,) * 3
    assert found.spurious_per_1000_words == 0


def test_attributes_of_a_span_come_before_those_of_its_text():
    annotated = AnnotatedText(
        "x" * 20, (AnnotatedSpan(0, 4, "PER", {"origin": "tr"}), AnnotatedSpan(6, 9, "PER")), {"origin": "de", "n": "1"}
    )
    marked, _ = judged(0, annotated, [], ENTITIES)
    assert [span.attributes for span in marked] == [{"origin": "tr", "n": "1"}, {"origin": "de", "n": "1"}]


def test_label_measures():
    marked, _ = judge((text(40, (0, 10, "PER"), (20, 30, "PER")), [(0, 10, "PERSON"), (20, 25, "URL")]))
    found = label_measures(marked)
    assert (found.spans, found.recall, found.fully_masked, found.characters_masked) == (2, 0.5, 0.5, 0.75)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # The first three stand in Newcombe 1998 (table I, method 3), to four decimals; the last is n / (n + z²).
    [(81, 263, 0.2552861, 0.3662070), (15, 148, 0.0623869, 0.1604858), (0, 20, 0.0, 0.1611252), (29, 29, 0.8830331, 1)],
)
def test_wilson(hits, trials, low, high):
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-6)


# ---- for any spans


def spans_of(kinds, length=40):
    cuts = st.lists(st.integers(0, length), min_size=2, max_size=12, unique=True).map(sorted)
    return cuts.flatmap(
        lambda ends: st.tuples(*(st.sampled_from([*kinds, None]) for _ in ends[1:])).map(
            lambda types: [
                (start, end, kind)
                for (start, end), kind in zip(itertools.pairwise(ends), types, strict=True)
                if kind is not None
            ]
        )
    )


pairs = st.lists(
    st.tuples(spans_of(["PER", "LOC", "ORG"]), spans_of(["PERSON", "LOCATION", "URL"])), min_size=1, max_size=5
)


def made(pairs):
    return [(text(40, *gold), replaced) for gold, replaced in pairs]


@given(pairs)
def test_shares_hold_together(drawn):
    marked, findings = judge(*made(drawn))
    found = overall(marked, findings)
    assert 0 <= found.found <= found.spans
    assert found.spurious <= found.false
    for one in (found.precision, found.recall, found.fully_masked, found.characters_masked):
        assert one is None or 0 <= one <= 1
    if found.spans:
        assert found.recall_low <= found.recall <= found.recall_high
        assert found.f1 is not None
        bounds = sorted([found.precision or 0.0, found.recall])
        assert bounds[0] - 1e-12 <= found.f1 <= bounds[1] + 1e-12
    parts = [
        measures_of([s for s in marked if s.entity == kind], [f for f in findings if f.entity == kind], 100)
        for kind in ENTITIES.values()
    ]
    for field in ("spans", "found", "false", "characters", "spurious"):
        assert sum(getattr(part, field) for part in parts) == getattr(found, field)


@given(pairs)
def test_the_confusion_counts_every_marked_span_once(drawn):
    marked, findings = judge(*made(drawn))
    cells = confusion(marked, findings)
    assert sum(cell.count for cell in cells if cell.gold is not None) == len(marked)
    assert sum(cell.count for cell in cells if cell.gold is None) == sum(finding.spurious for finding in findings)
    own = sum(cell.count for cell in cells if cell.evaluated and cell.gold is not None and cell.gold == cell.predicted)
    assert own == overall(marked, findings).found


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_texts_and_of_marked_spans_does_not_matter(drawn, chance: random.Random):
    marked, findings = judge(*made(drawn))
    shuffled = [(chance.sample(gold, len(gold)), replaced) for gold, replaced in drawn]
    chance.shuffle(shuffled)
    others, their = judge(*made(shuffled))
    assert overall(others, their) == overall(marked, findings)
    assert confusion(others, their) == confusion(marked, findings)


@given(pairs, st.sampled_from(["PERSON", "URL"]))
def test_masking_everything_masks_everything(drawn, kind):
    marked, findings = judge(*((text(40, *gold), [(0, 40, kind)]) for gold, _ in drawn))
    found = overall(marked, findings)
    if found.spans:
        assert (found.fully_masked, found.characters_masked) == (1.0, 1.0)
        assert kind == "PERSON" or found.recall == 0.0


@given(pairs)
def test_finding_what_is_marked_is_perfect_and_finding_nothing_is_nothing(drawn):
    perfect = [
        (text(40, *gold), [(s, e, ENTITIES[kind]) for s, e, kind in gold if kind in ENTITIES]) for gold, _ in drawn
    ]
    found = overall(*judge(*perfect))
    empty = overall(*judge(*((annotated, []) for annotated, _ in perfect)))
    if found.spans:
        assert (found.precision, found.recall, found.f1, found.f2, found.fully_masked) == (1.0,) * 5
        assert (empty.precision, empty.recall, empty.f1, empty.f2, empty.fully_masked) == (None, 0.0, 0.0, 0.0, 0.0)
    assert found.false == found.spurious == empty.false == 0


# ---- types


@pytest.mark.parametrize(
    ("label", "entity"),
    [
        *(("PER", "PERSON"), ("person", "PERSON"), ("NAME", "PERSON"), ("First-Name", "PERSON")),
        *(("STREET_ADDRESS", "LOCATION"), ("GPE", "LOCATION"), ("ZIP CODE", "LOCATION"), ("geo-loc", "LOCATION")),
        *(("DATE", "DATE_TIME"), ("date_of_birth", "DATE_TIME"), ("SSN", "US_SSN"), ("MRN", "ID")),
        *(("PHONE_NUMBER", "PHONE_NUMBER"), ("DOMAIN_NAME", "URL"), ("IBAN", "IBAN_CODE"), ("email", "EMAIL_ADDRESS")),
    ],
)
def test_usual_names_are_known(label, entity):
    assert mapped({label: 1}, {}).entities == {label: entity}


@pytest.mark.parametrize("label", ["ORG", "ORGANIZATION", "TITLE", "MISC", "creative-work", "NORP", "AGE"])
def test_what_names_nobody_is_out_of_scope(label):
    found = mapped({label: 3}, {})
    assert found.entities == {}
    assert found.left_out[label].model_dump() == {"spans": 3, "why": "out of scope"}


def test_a_persons_mapping_comes_first():
    found = mapped({"PER": 1, "ORG": 2, "Loc": 3, "X": 4, "Y": 5}, {"org": "PERSON", "LOC": None, "X": "X_CODE"})
    assert found.entities == {"PER": "PERSON", "ORG": "PERSON", "X": "X_CODE"}
    assert {name: one.why for name, one in found.left_out.items()} == {"Loc": "left out", "Y": "unknown"}
    assert unused(["PER", "Loc"], ["per", "LOCC"]) == ["LOCC"]


def test_every_entity_has_its_own_name_and_no_name_stands_twice():
    names = [name for several in ENTITY_NAMES.values() for name in several] + list(OUT_OF_SCOPE)
    assert len(names) == len(set(names))
    for entity in ENTITY_NAMES:
        assert mapped({entity: 1}, {}).entities == {entity: entity}


@pytest.mark.parametrize(
    ("predicted", "marked", "kind"),
    [
        ("PERSON", ["PERSON"], "PERSON"),
        ("POSTCODE", ["LOCATION"], "LOCATION"),
        ("POSTCODE", ["POSTCODE", "LOCATION"], "POSTCODE"),
        ("POSTCODE", ["PERSON"], "POSTCODE"),
        ("US_SSN", ["ID"], "ID"),
        ("US_SSN", ["US_SSN", "ID"], "US_SSN"),
        ("UK_NHS", ["PERSON"], "UK_NHS"),
        ("IP_ADDRESS", ["ID"], "IP_ADDRESS"),
        ("DATE_OF_BIRTH", ["DATE_TIME"], "DATE_TIME"),
    ],
)
def test_a_finding_is_compared_as_its_broader_type_where_only_that_is_marked(predicted, marked, kind):
    assert comparable(predicted, marked) == kind


# ---- shapes


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ("Anna", "Xx"),
        ("Anna  Maria\nSmith", "Xx Xx Xx"),
        ("SMITH, J.", "XX, X."),
        ("12345-6789", "9-9"),
        ("jean-luc O'Neil", "xx-xx X'Xx"),
        ("McDonald", "xX"),
        ("王小明", "w"),
        ("Æsop’s§", "Xx?xx?"),
        ("+1 (716) 555", "+9 (9) 9"),
        ("a b c d e f g h", "xx xx xx xx xx xx …"),
        ("....", "."),
        ("a" + "." * 99 + "b", "xx.xx"),
    ],
)
def test_shapes(said, shape):
    assert shape_of(said) == shape


@given(st.text())
def test_a_shape_holds_no_letter_or_digit_of_the_text(said):
    assert set(shape_of(said)) <= set("Xxw9 ?….,;:'\"-/@&#()+_")


@pytest.mark.parametrize(
    ("before", "context"),
    [
        ("", "start of the text"),
        (" \n", "start of the text"),
        ("Hello\n ", "start of a line"),
        ("Patient: ", "after a label"),
        ("name=", "after a label"),
        ("saw Dr. ", "after a title"),
        ("saw mr ", "after a title"),
        ("call (", "after a bracket or quote"),
        ("call, ", "after another mark"),
        ("It ended. ", "after another mark"),
        ("room 12 ", "after a number"),
        ("by Anna ", "after a capitalised word"),
        ("ask ", "after a word"),
        ("a" * 200 + " ", "after a word"),
    ],
)
def test_contexts(before, context):
    assert context_of(before + "Name", len(before)) == context


def test_missed_patterns_by_hand():
    texts = ["ask Anna Li now", "ask Bert Ro now", "ask Carl Xu now", "Dora"]
    marks = [((4, 11, "PER"),)] * 3 + [((0, 4, "PER"),)]
    marked = []
    for number, (said, spans) in enumerate(zip(texts, marks, strict=True)):
        annotated = AnnotatedText(said, tuple(AnnotatedSpan(*span) for span in spans))
        replaced = {0: [Replaced(4, 8, "PERSON")], 1: [Replaced(4, 11, "URL")]}.get(number, [])
        marked += judged(number, annotated, replaced, ENTITIES)[0]
    (first, second), count = missed_patterns(marked, texts, show_text=False)
    assert count == 2
    assert (first.shape, first.context, first.missed, first.untouched, first.spans) == (
        "Xx Xx",
        "after a word",
        2,
        1,
        3,
    )
    assert [(place.text, place.start, place.end) for place in first.places] == [(1, 4, 11), (3, 4, 11)]
    assert (second.shape, second.context, second.missed) == ("Xx", "start of the text", 1)
    assert first.examples == second.examples == ()
    (first, _), _ = missed_patterns(marked, texts, show_text=True)
    assert first.examples == ("Anna Li", "Carl Xu")


# ---- what decides what is found


def test_only_what_decides_what_is_found_counts():
    base = Policy()
    same = [
        Policy(name="other", description="x", unknown="refuse", kept_key=True, detector="patterns"),
        Policy(columns={"a": ColumnRule(role="other")}, entities={"PERSON": Mask()}),
        Policy(roles={"free_text": Redact()}),
    ]
    differ = [
        Policy(threshold=0.5),
        Policy(thresholds={"PERSON": 0.9}),
        Policy(allow=("Paris",)),
        Policy(deny={"PERSON": ("Bo",)}),
        Policy(language="de"),
        Policy(recognizers=({"name": "x"},)),
        Policy(entities={"LOCATION": Keep()}),
        Policy(entities={"AGE": Generalize(band=5, top=90)}),
        Policy(roles={"free_text": Keep()}),
    ]
    assert {detection_sha256(policy) for policy in same} == {detection_sha256(base)}
    assert len({detection_sha256(policy) for policy in [base, *differ]}) == len(differ) + 1


def test_the_documentation_lists_every_name():
    page = (Path(__file__).parents[2] / "docs" / "evaluating-detection.md").read_text(encoding="utf-8")
    for entity, names in ENTITY_NAMES.items():
        assert f"| `{entity}` | {', '.join(names)} |" in page
    assert f"not looked for: {', '.join(OUT_OF_SCOPE)}. A type" in page
