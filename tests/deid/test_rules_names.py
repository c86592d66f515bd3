"""Names after titles, in labelled fields, after an introduction."""

from __future__ import annotations

import pytest

from privkit.deid.recognizers.rules.names import NameRule

RULE = NameRule("en")


def names(text: str) -> list[str]:
    found = {(one.start, one.end) for one in RULE.analyze(text, ["PERSON"]) if one.score >= 0.4}
    return [text[start:end] for start, end in sorted(found)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("seen by Dr. Patel today", ["Patel"]),
        ("Mrs O'Neil's son", ["O'Neil"]),
        ("Prof. Dr. med. Hans-Peter Müller kam", ["Hans-Peter Müller"]),
        ("Herr von Bülow", ["von Bülow"]),
        ("Mme de la Tour", ["de la Tour"]),
        ("Sr. García López", ["García López"]),
        ("Sig.ra Rossi", ["Rossi"]),
        ("Dott.ssa Bianchi", ["Bianchi"]),
        ("mevrouw Jansen en Mevr. de Vries", ["de Vries"]),
        ("Dear Ms. Nguyen,", ["Nguyen"]),
        ("Dr. Smith saw Mr. Jones and Mrs. Lee", ["Smith", "Jones", "Lee"]),
        ("MR JOHN SMITH, 45", ["JOHN SMITH"]),
        ("DR. PATEL ADMITTED THE PATIENT", ["PATEL"]),
        ("dr. patel said", ["patel"]),
        ("Dr. Patel\nPlan: rest", ["Patel"]),
        ("Patient: John Smith", ["John Smith"]),
        ("Attending: Smith, Anna", ["Smith, Anna"]),
        ("Referring physician: Dr. Amara Okafor", ["Amara Okafor"]),
        ("first name: anna", ["anna"]),
        ('{"name": "Jane Doe"}', ["Jane Doe"]),
        ("Nachname: Weiß", ["Weiß"]),
        ("my name is jane doe and", ["jane doe"]),
        ("ich heiße Anna Schmidt.", ["Anna Schmidt"]),
        ("je m'appelle Zoë", ["Zoë"]),
        ("From: Jane Doe <jane@x.org>", ["Jane Doe"]),
    ],
)
def test_a_name_is_found_without_its_title(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Dr Pepper",
        "Mr. President",
        "mr president",
        "Miss Universe",
        "I miss John",
        "Miss you so much",
        "12 Elm Dr. Springfield",
        "MS Windows",
        "asked the Professor. Then he",
        "Judge Smith Street",
        "Name: Production Server",
        "Patient: Stable",
        "Patient: unknown",
        "Contact: Human Resources",
        "Client: Acme Corp",
        "my name is on the list",
        "the nurse came",
        "Room: Smith",
        "time: 12:30",
        "",
        "Dr.",
    ],
)
def test_what_names_nobody_is_left_alone(text: str) -> None:
    assert names(text) == []
