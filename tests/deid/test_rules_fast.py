"""The rules find the same under Presidio's engine and under privkit's: gates and prefilter lose nothing."""

from __future__ import annotations

import random

import pytest
from faker import Faker
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

from privkit.deid.recognizers.analyzer import FastAnalyzer
from privkit.deid.recognizers.language import Words, WordsEngine
from privkit.deid.recognizers.rules import rule_recognizers
from privkit.deid.recognizers.rules.rule import Rule

FORMS = (
    "Dr. {name} saw {name} on {date} at {street}, {city}, {state} {zip}. Call {phone}.",
    "Patient: {name}\nDOB: {date}\nAddress: {street}\n{zip} {city}\nPhone: {phone}",
    "my name is {name}, passport no. {digits}, driver's license {digits}, account {digits}",
    "From: {name} <{mail}>, {date}. Ticket {digits}, room 12, version 1.2.3, {number}/{number}",
    "{number} {word} {word}, {month} {number}, {month} {number}; {digits} {city} {junk}",
    "{junk}{date}{junk}{phone}{junk}{street}{junk}",
)
JUNK = "ab 019.:-+/()#,;'\"\n\té٣ſK–º"


def registry(language: str) -> RecognizerRegistry:
    return RecognizerRegistry(recognizers=rule_recognizers(language), supported_languages=[language])


def texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    fakes = [Faker(code) for code in ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL")]
    for fake in fakes:
        fake.seed_instance(seed)
    found = []
    for _ in range(count):
        fake = rng.choice(fakes)
        day = fake.date_object()
        written = day.strftime(
            rng.choice(("%Y-%m-%d", "%d.%m.%y", "%m/%d/%Y", "%d %B %Y", "%b %d", "%B %d, %Y", "%H:%M"))
        )
        values = {
            "name": fake.name(), "date": written, "street": fake.street_address(), "city": fake.city(),
            "state": rng.choice(("IL", "NY", "MA")), "zip": fake.postcode(), "phone": fake.phone_number(),
            "mail": "a.b@example.org", "digits": str(rng.randrange(10 ** rng.randrange(3, 12))),
            "number": str(rng.randrange(1, 40)), "word": fake.word(), "month": day.strftime("%B"),
        }  # fmt: skip
        text = rng.choice(FORMS)
        while "{junk}" in text:
            text = text.replace("{junk}", "".join(rng.choices(JUNK, k=rng.randrange(6))), 1)
        text = text.format(**values)
        found.append(rng.choice((text, text, text, text.upper(), text.lower())))
    return found


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl"])
def test_the_fast_analyzer_finds_what_presidios_finds(language: str) -> None:
    slow = AnalyzerEngine(registry=registry(language), nlp_engine=WordsEngine(language), supported_languages=[language])
    fast = FastAnalyzer(registry(language), Words(language), filter_after=0)
    given = texts(seed=len(language) + ord(language[0]), count=150)
    total = 0
    for text, found in zip(given, fast.detect(given), strict=True):
        wanted = {(one.start, one.end, one.entity_type, one.score) for one in slow.analyze(text, language)}
        assert {(one.start, one.end, one.entity, one.score) for one in found} == wanted, text
        total += len(wanted)
    assert total > 200


def test_no_rule_is_tried_on_every_text() -> None:
    fast = FastAnalyzer(registry("en"), Words("en"), filter_after=0)
    assert fast._prefilter.unfiltered() == frozenset()
    assert fast._prefilter.unfiltered(beyond_ascii=True) == frozenset()
    assert fast._prefilter.possible("No issues today, everything works as expected.") == {}


@pytest.mark.parametrize("language", ["en", "nl", "sv"])
def test_every_rule_is_for_the_language_and_has_a_name_of_its_own(language: str) -> None:
    rules = rule_recognizers(language)
    assert {rule.supported_language for rule in rules} == {language}
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.analyze("", list(rule.supported_entities)) == []


def test_only_the_wanted_entities_are_returned() -> None:
    rules = rule_recognizers("en")
    assert all(isinstance(rule, Rule) for rule in rules)
    text = "Dr. Patel, May 3, passport 123456789, call 555-123-4567"
    assert all(rule.analyze(text, ["CRYPTO"]) == [] for rule in rules)
    assert len([one for rule in rules for one in rule.analyze(text, [])]) == 5
