"""Findings of several recognizers become one list: nothing covered is lost, nothing overlaps, no word is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.deid.findings import Finding
from privkit.deid.recognizers.calibration import calibrated
from privkit.deid.recognizers.combine import BAR, combined, settled
from privkit.deid.recognizers.memory import NAME, remembered
from privkit.deid.recognizers.words import in_word


def at(text: str, part: str, entity: str = "PERSON", score: float = 0.9, recognizer: str = "tagger") -> Finding:
    start = text.index(part)
    return Finding(start, start + len(part), entity, score, recognizer)


def shown(text: str, findings: list[Finding]) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.entity) for one in findings]


# Parts of one thing -------------------------------------------------------------------------------------------------


def test_parts_of_a_name_are_one_person() -> None:
    text = "Ask Maria Gonzalez-Ruiz or J. R. Smith."
    found = combined(text, [at(text, "Maria"), at(text, "Gonzalez"), at(text, "J"), at(text, "R. Smith")])
    assert shown(text, found) == [("Maria Gonzalez-Ruiz", "PERSON"), ("J. R. Smith", "PERSON")]


@pytest.mark.parametrize(
    ("text", "parts", "wanted"),
    [
        ("Here is Mr. Varady again", ["Mr", "Varady"], ["Mr. Varady"]),
        ("Mr. Ann met him", ["Ann"], ["Ann"]),
        ("Ronald Abbott Jr. sang", ["Ronald Abbott"], ["Ronald Abbott Jr."]),
        ("by Abbott, Sr. and Lee III", ["Abbott", "Lee"], ["Abbott, Sr.", "Lee III"]),
        ("Lee IVF, Abbott Jr7", ["Lee", "Abbott"], ["Lee", "Abbott"]),
        ("I met Sam. Ann left", ["Sam", "Ann"], ["Sam", "Ann"]),
    ],
)
def test_titles_that_were_found_and_suffixes_belong_to_the_name(text: str, parts: list[str], wanted: list[str]) -> None:
    assert [part for part, _ in shown(text, combined(text, [at(text, part) for part in parts]))] == wanted


def test_two_people_side_by_side_stay_two() -> None:
    text = "Maria Gonzalez John Smith, Ann\nBob"
    parts = ["Maria Gonzalez", "John Smith", "Ann", "Bob"]
    assert shown(text, combined(text, [at(text, part) for part in parts])) == [(part, "PERSON") for part in parts]


def test_parts_of_an_address_are_one_place_over_commas_lines_and_flats() -> None:
    text = "Ship to 12 Elm St, Apt 4, Springfield,\nIL 62704 by noon"
    found = [at(text, part, "LOCATION") for part in ("12 Elm St", "4", "Springfield", "IL 62704")]
    assert shown(text, combined(text, found)) == [("12 Elm St, Apt 4, Springfield,\nIL 62704", "LOCATION")]


def test_two_towns_stay_two_places() -> None:
    text = "from Paris, London and Rome"
    found = [at(text, part, "LOCATION") for part in ("Paris", "London", "Rome")]
    assert [part for part, _ in shown(text, combined(text, found))] == ["Paris", "London", "Rome"]


@pytest.mark.parametrize(
    ("text", "part", "wanted"),
    [
        ("at 12 Elm Street now", "Elm Street", "12 Elm Street"),
        ("at 3/12 Elm Street now", "12 Elm Street", "3/12 Elm Street"),
        ("in Dresdner Straße 13, there", "Dresdner Straße", "Dresdner Straße 13"),
        ("in Springfield 62704.", "Springfield", "Springfield 62704"),
        ("5 Elm St, Springfield\n62704", "5 Elm St, Springfield", "5 Elm St, Springfield\n62704"),
        ("in 2019 Paris was", "Paris", "Paris"),
        ("Texas 10000 units", "Texas", "Texas"),
        ("room 12 Paris", "Paris", "Paris"),
        ("paid $12 Elm Street", "Elm Street", "Elm Street"),
    ],
)
def test_numbers_that_belong_to_a_place_go_with_it(text: str, part: str, wanted: str) -> None:
    assert shown(text, combined(text, [at(text, part, "LOCATION")])) == [(wanted, "LOCATION")]


# Words and votes ----------------------------------------------------------------------------------------------------


def test_a_word_is_not_cut_and_a_possessive_is_left() -> None:
    text = "O'Neil's and Müllers"
    found = combined(text, [at(text, "Neil"), at(text, "Mülle")])
    assert shown(text, found) == [("O'Neil", "PERSON"), ("Müllers", "PERSON")]


def test_what_covers_more_with_certainty_names_the_span() -> None:
    text = "at 12 Elm St now"
    found = combined(text, [at(text, "12 Elm St", "LOCATION", 0.8), at(text, "Elm", "PERSON", 0.9)])
    assert found == [at(text, "12 Elm St", "LOCATION", 0.9)]
    two = combined(text, [at(text, "Elm", "PERSON", 0.7), at(text, "Elm", "LOCATION", 0.5)])
    assert shown(text, two) == [("Elm", "PERSON")]


def test_two_recognizers_outvote_one() -> None:
    text = "Paris"
    found = [
        at(text, "Paris", "PERSON", 0.7, "one"),
        at(text, "Paris", "LOCATION", 0.6, "two"),
        at(text, "Paris", "LOCATION", 0.6, "three"),
    ]
    assert shown(text, combined(text, found)) == [("Paris", "LOCATION")]


def test_what_was_checked_outvotes_models() -> None:
    text = "card 4929169595730279, jane.doe@example.org"
    found = [
        at(text, "4929169595730279", "CREDIT_CARD", 1.0, "CreditCardRecognizer"),
        at(text, "4929169595730279", "ID", 0.999, "rampart"),
        at(text, "4929169595730279", "PHONE_NUMBER", 0.75, "PhoneRecognizer"),
        at(text, "jane.doe@example.org", "EMAIL_ADDRESS", 1.0, "EmailRecognizer"),
        at(text, "jane.doe", "PERSON", 0.9999, "tagger"),
        at(text, "example.org", "URL", 0.5, "UrlRecognizer"),
    ]
    assert shown(text, combined(text, found)) == [
        ("4929169595730279", "CREDIT_CARD"),
        ("jane.doe@example.org", "EMAIL_ADDRESS"),
    ]


def test_a_doubtful_neighbour_does_not_make_a_sure_finding_larger() -> None:
    text = "Anna Smith stayed"
    found = combined(text, [at(text, "Anna", score=0.9), at(text, "Smith stayed", score=0.1)])
    assert [(text[one.start : one.end], one.score) for one in found] == [("Anna", 0.9), ("Smith stayed", 0.1)]


# Scores -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recognizer", "entity", "raw", "counts"),
    [
        ("CreditCardRecognizer", "CREDIT_CARD", 1.0, True),
        ("IbanRecognizer", "IBAN_CODE", 1.0, True),
        ("EmailRecognizer", "EMAIL_ADDRESS", 1.0, True),
        ("IpRecognizer", "IP_ADDRESS", 0.6, True),
        ("UsSsnRecognizer", "US_SSN", 0.85, True),
        ("UsSsnRecognizer", "US_SSN", 0.5, True),
        ("UsSsnRecognizer", "US_SSN", 0.05, False),
        ("SpacyRecognizer", "DATE_TIME", 0.85, False),
        ("SpacyRecognizer", "PERSON", 0.85, True),
        ("a policy's own", "EMPLOYEE_ID", 0.41, True),
        ("a policy's own", "EMPLOYEE_ID", 0.39, False),
    ],
)
def test_scores_become_shares_of_right_findings(recognizer: str, entity: str, raw: float, counts: bool) -> None:
    text = "some text with 123456789 in it"
    score = calibrated(text, at(text, "123456789", entity, raw, recognizer)).score
    assert 0 <= score <= 1
    assert (score >= BAR) is counts


def test_scores_of_one_kind_keep_their_order() -> None:
    from privkit.deid.recognizers.calibration import _SHARES

    for (recognizer, entity), steps in _SHARES.items():
        raws = sorted({0.0, 0.05, 0.3, 0.4, 0.5, 0.6, 0.75, 0.85, 0.95, 1.0, *(least for least, _ in steps)})
        shares = [calibrated("x y z", Finding(2, 3, entity, raw, recognizer)).score for raw in raws]
        assert shares == sorted(shares), (recognizer, entity)


@pytest.mark.parametrize(
    ("text", "number", "raw", "counts"),
    [
        ("reach 212-848-8400 now", "212-848-8400", 0.4, True),
        ("her number: 2128488400", "2128488400", 0.75, True),
        ("then 2128488400 came", "2128488400", 0.4, True),
        ("then 12345678 came", "12345678", 0.4, False),
        ("Ticket number 20255501", "20255501", 0.75, False),
        ("order no. 2128488400", "2128488400", 0.75, False),
        ("Rechnung Nr. 20255501", "20255501", 0.4, False),
        ("cc 4929169595730279 on", "4929169595730279", 0.75, False),
        ("image 04 30 / 01 / 12 5", "04 30 / 01 / 12 5", 0.4, False),
    ],
)
def test_a_bare_number_is_a_telephone_number_only_with_support(
    text: str, number: str, raw: float, counts: bool
) -> None:
    found = combined(text, [at(text, number, "PHONE_NUMBER", raw, "PhoneRecognizer")])
    assert (found[0].score >= BAR) is counts


def test_a_health_service_number_counts_where_the_service_is_named() -> None:
    for text, counts in (("NHS no. 9434765919", True), ("call 943-476-5919", False)):
        number = text[-12:].split()[-1]
        found = combined(text, [at(text, number, "UK_NHS", 1.0, "NhsRecognizer")])
        assert (found[0].score >= BAR) is counts


def test_a_forgotten_space_between_sentences_is_no_web_address() -> None:
    for text, counts in (("It is done.So we", False), ("see example.org for", True), ("www.example.So", True)):
        word = max(text.split(), key=len)
        found = combined(text, [at(text, word, "URL", 0.5, "UrlRecognizer")])
        assert (found[0].score >= BAR) is counts


# Memory -------------------------------------------------------------------------------------------------------------


def test_a_name_found_once_is_found_in_the_whole_text() -> None:
    text = "John Okonkwo came. Okonkwo slept; OKONKWO's wife saw okonkwo. Okonkwos, Ok."
    found = combined(text, [at(text, "John Okonkwo")])
    assert [part for part, _ in shown(text, found)] == ["John Okonkwo", "Okonkwo", "OKONKWO", "okonkwo"]
    assert {one.recognizer for one in found[1:]} == {NAME}


def test_names_that_are_words_are_taken_where_they_are_written_as_names() -> None:
    text = "Will Grant and May Young left. Will you grant it? It may be that a young man met Grant and Will."
    found = combined(text, [at(text, "Will Grant"), at(text, "May Young")])
    assert [part for part, _ in shown(text, found)] == ["Will Grant", "May Young", "Grant", "Will"]


def test_titles_and_ranks_inside_a_name_are_not_looked_for() -> None:
    text = "Princess Anne and President Obama met; the princess, the President and Anne."
    found = combined(text, [at(text, "Princess Anne"), at(text, "President Obama")])
    assert [part for part, _ in shown(text, found)] == ["Princess Anne", "President Obama", "Anne"]


def test_one_word_in_small_letters_is_not_taken_for_a_name_that_was_a_single_word() -> None:
    text = "Fatima asked. fatima, Fatima."
    assert len(combined(text, [at(text, "Fatima")])) == 2
    sloppy = "fatima asked. ask fatima"
    assert len(combined(sloppy, [at(sloppy, "fatima")])) == 2


def test_short_surnames_count_as_they_are_written() -> None:
    text = "Wei Li; Li said li and LI."
    assert [part for part, _ in shown(text, combined(text, [at(text, "Wei Li")]))] == ["Wei Li", "Li"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Jane wrote from jane.doe@example.org, so did Doe.", ["Jane", "Doe"]),
        ("Jane Doe: janedoe@example.org", ["Jane Doe"]),
        ("Kosara Reisl (KosaraReisl@fleckens.hu)", ["Kosara Reisl"]),
        ("The Sales Team: sales.team@example.org", []),
        ("Contact Info at info@example.org", []),
        ("jane and doe: jane.doe@example.org", []),
    ],
)
def test_the_names_in_an_address_are_looked_for(text: str, wanted: list[str]) -> None:
    word = next(word.strip("(),.:") for word in text.split() if "@" in word)
    found = combined(text, [at(text, word, "EMAIL_ADDRESS", 1.0, "EmailRecognizer")])
    assert [part for part, entity in shown(text, found) if entity == "PERSON"] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("founders: Turgeon, Okonkwo and Ewing.", ["Turgeon", "Okonkwo", "Ewing"]),
        ("founders: Turgeon, Okonkwo, and O'Neil", ["Turgeon", "Okonkwo", "O'Neil"]),
        ("founders: Okonkwo and Ewing", ["Okonkwo"]),  # no list: anything can stand there
        ("from Leeds, Okonkwo and Ewing", ["Okonkwo"]),  # a place in it
        ("Turgeon, Okonkwo and the Board", ["Okonkwo"]),
        ("Monday, Okonkwo and Ewing", ["Okonkwo"]),
        ("Turgeon, Okonkwo and Ewing Street", ["Okonkwo"]),
    ],
)
def test_who_is_listed_between_people_is_one(text: str, wanted: list[str]) -> None:
    found = [at(text, "Okonkwo"), *([at(text, "Leeds", "LOCATION")] if "Leeds" in text else [])]
    assert [part for part, entity in shown(text, combined(text, found)) if entity == "PERSON"] == wanted


def test_an_uncertain_name_is_not_looked_for() -> None:
    text = "Okonkwo, Okonkwo"
    assert len(combined(text, [at(text, "Okonkwo", score=0.5)])) == 1
    assert remembered(text, []) == []


# Properties ---------------------------------------------------------------------------------------------------------

ALPHABET = "aA bB.,-'’\n12é漢́@🙂"
texts = st.one_of(
    st.text(alphabet=ALPHABET, max_size=40),
    st.lists(
        st.sampled_from(["Anna", "Li", "may", "12", "62704", "Elm", "St", ",", ".", "\n", "-", "Okonkwo"]), max_size=12
    ).map(" ".join),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Finding]]:
    text = draw(texts)
    findings = []
    for _ in range(draw(st.integers(0, 7)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        entity = draw(st.sampled_from(["PERSON", "LOCATION", "EMAIL_ADDRESS", "DATE_TIME"]))
        score = draw(st.sampled_from([0.05, 0.3, 0.4, 0.6, 0.85, 0.9, 1.0]))
        findings.append(Finding(start, end, entity, score, draw(st.sampled_from(["tagger", "rule"]))))
    return text, findings


def covered(text: str, findings: list[Finding], least: float) -> set[int]:
    return {i for one in findings if one.score >= least for i in range(one.start, one.end) if not text[i].isspace()}


@given(cases())
def test_nothing_that_was_covered_is_lost_at_any_threshold(case: tuple[str, list[Finding]]) -> None:
    text, findings = case
    for result in (settled(text, findings), combined(text, findings)):
        for least in (0.0, 0.3, 0.4, 0.6, 0.9, 1.0):
            assert covered(text, findings, least) <= covered(text, result, least)


@given(cases())
def test_findings_neither_overlap_nor_cut_a_word_nor_leave_the_text(case: tuple[str, list[Finding]]) -> None:
    text, findings = case
    for result in (settled(text, findings), combined(text, findings)):
        assert all(left.end <= right.start for left, right in itertools.pairwise(result))
        for one in result:
            assert 0 <= one.start < one.end <= len(text)
            for edge in (one.start, one.end):
                if 0 < edge < len(text) and in_word(text[edge - 1]) and in_word(text[edge]):
                    assert "漢" in text[edge - 1 : edge + 1]


@given(cases())
def test_a_second_time_changes_nothing(case: tuple[str, list[Finding]]) -> None:
    text, findings = case
    once = settled(text, findings)
    assert settled(text, once) == once
    assert [one[:3] for one in combined(text, combined(text, findings))] == [
        one[:3] for one in combined(text, findings)
    ]


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_findings_makes_no_difference(case: tuple[str, list[Finding]], shuffled: object) -> None:
    text, findings = case
    other = list(findings)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert combined(text, other) == combined(text, findings)


def test_nothing_comes_of_nothing() -> None:
    assert combined("", []) == []
    assert combined("Anna", []) == []
    assert combined("   ", [Finding(0, 3, "PERSON", 1.0)]) == []
