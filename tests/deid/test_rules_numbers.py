"""Licences, passports, bank accounts, telephones: numbers that the words beside them, or their form, explain."""

from __future__ import annotations

import pytest
from presidio_analyzer import predefined_recognizers

from privkit.deid.recognizers.rules import NOISY, rule_recognizers
from privkit.deid.recognizers.rules.documents import BankAccountRule, LicenceRule, PassportRule
from privkit.deid.recognizers.rules.phones import LabelledPhoneRule, PhoneFormRule

DOCUMENTS = (LicenceRule("en"), PassportRule("en"), BankAccountRule("en"))
PHONES = (PhoneFormRule("en"), LabelledPhoneRule("en"))


def numbers(text: str) -> set[tuple[str, str]]:
    return {(text[one.start : one.end], one.entity_type) for rule in DOCUMENTS for one in rule.analyze(text, [])}


def phones(text: str) -> set[str]:
    return {text[one.start : one.end] for rule in PHONES for one in rule.analyze(text, []) if one.score >= 0.4}


@pytest.mark.parametrize(
    ("text", "wanted", "entity"),
    [
        ("my driver's license number is 425700624", "425700624", "US_DRIVER_LICENSE"),
        ("driver’s license: LH329609T", "LH329609T", "US_DRIVER_LICENSE"),
        ("DLN: A1234-56789-01234", "A1234-56789-01234", "US_DRIVER_LICENSE"),
        ("driving licence MORGA657054SM9IJ", "MORGA657054SM9IJ", "US_DRIVER_LICENSE"),
        ("Führerschein Nr. B072RRE2I55", "B072RRE2I55", "US_DRIVER_LICENSE"),
        ("passport no. C01234567", "C01234567", "US_PASSPORT"),
        ("Passport: 123456789", "123456789", "US_PASSPORT"),
        ("Reisepass C01X00T47", "C01X00T47", "US_PASSPORT"),
        ("account number 12345678", "12345678", "US_BANK_NUMBER"),
        ("acct #1234 5678 9012", "1234 5678 9012", "US_BANK_NUMBER"),
    ],
)
def test_a_number_is_found_after_the_word_for_it(text: str, wanted: str, entity: str) -> None:
    assert numbers(text) == {(wanted, entity)}


@pytest.mark.parametrize(
    "text",
    [
        "public notice 12345678",
        "the licence expired in 2019",
        "passport 2019",
        "published 425700624",
        "M1 and J10 and R58",
        "account balance",
        "",
    ],
)
def test_other_numbers_are_not(text: str) -> None:
    assert numbers(text) == set()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(227)664-8546x506", "(227)664-8546x506"),
        ("916.972.1680x22008", "916.972.1680x22008"),
        ("001-846-853-9089x92556", "001-846-853-9089x92556"),
        ("+49 (0)30 1234567", "+49 (0)30 1234567"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
        ("(027) 0336-972", "(027) 0336-972"),
        ("call 75 196 772", "75 196 772"),
        ("tel. 9761 9808", "9761 9808"),
        ("call me back at 051-363-821", "051-363-821"),
        ("My phone number is 481 7531.", "481 7531"),
        ("tél. 01 23 45 67 89", "01 23 45 67 89"),
        ("96 228011 office", "96 228011"),
    ],
)
def test_a_telephone_number_is_found_with_its_extension(text: str, wanted: str) -> None:
    assert phones(text) == {wanted}


@pytest.mark.parametrize(
    "text",
    [
        "ticket 12345678",
        "Ticket number 20255501",
        "4929169595730279",
        "555-12-3456",
        "on 2019-2020",
        "call at 12:30",
        "call 2019",
        "paid 1,234,567 by phone",
        "contact 12 patients",
        "192.168.1.20",
        "room 12 phone",
        "",
    ],
)
def test_other_numbers_are_no_telephone_numbers(text: str) -> None:
    assert phones(text) == set()


def test_every_recognizer_that_is_left_out_is_one_of_presidios_and_has_a_reason() -> None:
    for name, reason in NOISY.items():
        assert hasattr(predefined_recognizers, name)
        assert reason


def test_what_a_left_out_recognizer_finds_is_still_found_by_a_rule() -> None:
    entities = {entity for rule in rule_recognizers("en") for entity in rule.supported_entities}
    for name in NOISY:
        assert set(getattr(predefined_recognizers, name)().supported_entities) <= entities
