"""Dates: what is one, in every usual form, and what only looks like one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.deid.recognizers.rules.dates import DateRule

RULES = {language: DateRule(language) for language in ("en", "de", "fr", "es", "it", "nl")}


def dates(text: str, language: str = "en", least: float = 0.4) -> list[str]:
    found = RULES[language].analyze(text, ["DATE_TIME"])
    return [text[one.start : one.end] for one in found if one.score >= least]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("born 3rd of May 2020.", "3rd of May 2020"),
        ("seen May 3, again", "May 3"),
        ("on May 3, 2020, at home", "May 3, 2020"),
        ("on may 3 we met", "may 3"),
        ("Sept. 5th '99", "Sept. 5th '99"),
        ("12-Jan-99", "12-Jan-99"),
        ("12May2020", "12May2020"),
        ("Jan-12-2020", "Jan-12-2020"),
        ("2020-May-03", "2020-May-03"),
        ("since May 2020 she", "May 2020"),
        ("May '20", "May '20"),
        ("third of May", "third of May"),
        ("the twenty-first of June", "twenty-first of June"),
        ("July 4th", "July 4th"),
        ("3-5 May 2020", "3-5 May 2020"),
        ("May 3–5, 2020", "May 3–5, 2020"),
        ("Saturday, May 3", "Saturday, May 3"),
        ("Fri Sep 12 10:31:00 2003", "Fri Sep 12 10:31:00 2003"),
        ("January 5 2021 3:45 pm", "January 5 2021 3:45 pm"),
        ("[17/Dec/2023:12:00:01 +0000]", "17/Dec/2023:12:00:01 +0000"),
        ("1993-10-20 12:40:13", "1993-10-20 12:40:13"),
        ("at 1996-07-29T14:58:18.123Z it", "1996-07-29T14:58:18.123Z"),
        ("3/13/1956", "3/13/1956"),
        ("13/3/1956", "13/3/1956"),
        ("5/7/21", "5/7/21"),
        ("12.05.2020", "12.05.2020"),
        ("01.02.10", "01.02.10"),
        ("exp 05/2020", "05/2020"),
        ("DOB 19800512", "19800512"),
        ("born on 05 12 1980", "05 12 1980"),
        ("admitted 3/14 with", "3/14"),
        ("29 February 2020", "29 February 2020"),
    ],
)
def test_a_date_is_found_to_its_last_character(text: str, wanted: str) -> None:
    assert wanted in dates(text)


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("de", "am 3. Mai 2020", "3. Mai 2020"),
        ("de", "am 12.5. kam", "12.5."),
        ("de", "vom 3. bis 5. Juni 2021", "3. bis 5. Juni 2021"),
        ("de", "Montag, den 3. März", "Montag, den 3. März"),
        ("fr", "le 1er mai 2020", "1er mai 2020"),
        ("fr", "né le 14 juil. 1950", "14 juil. 1950"),
        ("es", "el 3 de mayo de 2020", "3 de mayo de 2020"),
        ("es", "el 3 ago 2020", "3 ago 2020"),
        ("it", "il 3 maggio 2020", "3 maggio 2020"),
        ("it", "2 set 2019", "2 set 2019"),
        ("nl", "op 3 mrt 2020", "3 mrt 2020"),
        ("en", "am 3. Oktober 2020", "3. Oktober 2020"),
    ],
)
def test_months_of_six_languages_are_known(language: str, text: str, wanted: str) -> None:
    assert dates(text, language) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "licensed in 2019",
        "In May.",
        "on Saturday",
        "may 3 people come",
        "you may 3 times a day",
        "we march 3 miles",
        "May 3pm",
        "at May 10:30",
        "up in Mar 5%",
        "12 May Street",
        "Room 12, chapter 5, serial 123456",
        "3/4 cup",
        "a ratio of 1/2/20",
        "scored 3-2, 10-5",
        "24/7",
        "on a 24/7 basis",
        "on 3/4 of the patients",
        "version 1.2.10",
        "1.2.10",
        "192.168.1.20",
        "10.12.20.1",
        "$12.10.20",
        "12:30:45",
        "Q3 2020",
        "the 5th",
        "second",
        "BP 120/80",
        "20200512",
        "ticket 12052020123",
        "2019-2020",
        "1 ago 2020",
        "page 12-14",
        "",
        "Feb",
    ],
)
def test_what_only_looks_like_a_date_is_left_alone(text: str) -> None:
    assert dates(text) == []


@pytest.mark.parametrize("text", ["31/02/2020", "13.13.2020", "Feb 30", "30 Feb", "2021-02-29", "June 31"])
def test_what_the_calendar_does_not_have_is_no_date(text: str) -> None:
    assert dates(text) == []


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_of_two_centuries_is_found_in_every_usual_form(day: date) -> None:
    for form in (
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d %B %Y",
        "%B %d, %Y",
        "%d-%b-%Y",
        "%b %d",
        "%A, %d %B",
        "%d/%m/%y",
    ):
        written = day.strftime(form)
        assert dates(f"seen {written} here") == [written], form


@given(st.text(alphabet="0123456789/.-: aMyJunov,°½٣é\n", max_size=40))
def test_no_text_makes_it_fail_and_every_finding_is_inside(text: str) -> None:
    for one in RULES["en"].analyze(text, []):
        assert 0 <= one.start < one.end <= len(text)
        assert 0 < one.score <= 1
