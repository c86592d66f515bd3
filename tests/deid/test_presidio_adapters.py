import pyarrow as pa
import pytest
from contracts.operator import KEY, TODAY, context, run
from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
from presidio_anonymizer.entities import InvalidParamError, OperatorConfig, OperatorResult, RecognizerResult

from privkit.deid.operators import build_operator
from privkit.deid.presidio import ANONYMIZERS, PseudonymAnonymizer, PseudonymDeanonymizer
from privkit.errors import InputError, KeyFileError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.keys.tokens import Tokens
from privkit.model.operators import DateShift, Generalize, KeyedHash, Pseudonym, Surrogate

TEXT = "John Smith called on 2024-02-29."
FOUND = [RecognizerResult("PERSON", 0, 10, 0.9), RecognizerResult("DATE_TIME", 21, 31, 0.9)]


@pytest.fixture
def engine():
    engine = AnonymizerEngine()
    for adapter in ANONYMIZERS:
        engine.add_anonymizer(adapter)
    return engine


def anonymized(engine, name, **params):
    return engine.anonymize(TEXT, FOUND, {"DEFAULT": OperatorConfig(name, params)})


def test_presidio_knows_them(engine):
    assert {"pseudonym", "keyed_hash", "surrogate", "generalize", "date_shift"} <= set(engine.get_anonymizers())


def test_a_pseudonym_is_privkits_own(engine):
    tokens = Tokens(KEY)
    result = anonymized(engine, "pseudonym", key=KEY)
    assert result.text == f"{tokens.seal('John Smith', 'PERSON')} called on {tokens.seal('2024-02-29', 'DATE_TIME')}."
    result = anonymized(engine, "pseudonym", key=KEY, reversible=False)
    assert result.text.startswith(tokens.hash("John Smith", "PERSON"))


def test_a_key_file_will_do(engine, tmp_path):
    key = Key.new(tmp_path / "team.key")
    for path in (tmp_path / "team.key", str(tmp_path / "team.key")):
        result = anonymized(engine, "pseudonym", key=path)
        assert result.text.startswith(Tokens(key).seal("John Smith", "PERSON"))
    (tmp_path / "team.key").unlink()
    other = Key.new(tmp_path / "team.key")
    assert anonymized(engine, "pseudonym", key=path).text.startswith(Tokens(other).seal("John Smith", "PERSON"))


@pytest.mark.parametrize(
    ("spec", "params"),
    [
        (KeyedHash(length=40), {"length": 40}),
        (Surrogate(), {}),
        (Pseudonym(), {}),
    ],
)
def test_the_others_are_privkits_own_too(engine, spec, params):
    expected = [
        run(build_operator(spec, entity=entity, key=KEY), [value])[0]
        for entity, value in (("PERSON", "John Smith"), ("DATE_TIME", "2024-02-29"))
    ]
    result = anonymized(engine, spec.operator, key=KEY, **params)
    assert result.text == f"{expected[0]} called on {expected[1]}."


def test_generalize_needs_no_key(engine):
    result = engine.anonymize(TEXT, FOUND[1:], {"DATE_TIME": OperatorConfig("generalize", {"to": "month"})})
    assert result.text == "John Smith called on 2024-02."
    assert build_operator(Generalize(to="month"), entity="DATE_TIME", key=KEY, today=TODAY)


def test_date_shift_takes_the_units_value(engine):
    spec = DateShift(days=30, unit="patient")
    block = context(1, [Leaf("patient", pa.array(["p1"]), None)])
    expected = build_operator(spec, entity="DATE_TIME", key=KEY).apply_text("2024-02-29", 0, block)
    config = OperatorConfig("date_shift", {"key": KEY, "unit": "p1", "days": 30})
    assert engine.anonymize(TEXT, FOUND[1:], {"DATE_TIME": config}).text == f"John Smith called on {expected}."


def test_and_back_again(engine):
    result = anonymized(engine, "pseudonym", key=KEY)
    back = DeanonymizeEngine()
    back.add_deanonymizer(PseudonymDeanonymizer)
    items = [OperatorResult(item.start, item.end, item.entity_type) for item in result.items]
    config = {"DEFAULT": OperatorConfig("pseudonym", {"key": KEY})}
    assert back.deanonymize(result.text, items, config).text == TEXT
    with pytest.raises(KeyFileError):
        back.deanonymize(result.text, items, {"DEFAULT": OperatorConfig("pseudonym", {"key": Key.ephemeral()})})
    with pytest.raises(InputError):
        PseudonymDeanonymizer().operate("John Smith", {"key": KEY})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("pseudonym", {}),
        ("pseudonym", {"key": b"bytes are no key"}),
        ("pseudonym", {"key": "/no/such/file"}),
        ("pseudonym", {"key": KEY, "length": 3}),
        ("pseudonym", {"key": KEY, "unit": "p1"}),
        ("keyed_hash", {"key": KEY, "length": 3}),
        ("surrogate", {"key": KEY, "locale": "xx_XX"}),
        ("date_shift", {"key": KEY}),
        ("date_shift", {"key": KEY, "unit": 5}),
        ("generalize", {"to": "century"}),
    ],
)
def test_parameters_are_checked_in_presidios_words(engine, name, params):
    with pytest.raises(InvalidParamError):
        anonymized(engine, name, **params)


def test_a_configuration_shows_no_secret():
    config = OperatorConfig("pseudonym", {"key": KEY})
    assert KEY.secret().hex() not in repr(config)
    assert KEY.id in repr(config)


def test_they_are_made_without_arguments():
    for adapter in (*ANONYMIZERS, PseudonymDeanonymizer):
        assert adapter().operator_name()
    assert PseudonymAnonymizer().operate("John", {"key": KEY, "entity_type": "PERSON"}) == Tokens(KEY).seal(
        "John", "PERSON"
    )
