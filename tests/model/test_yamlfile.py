"""YAML without YAML 1.1's surprises, and what is written is what is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from privkit.errors import PolicyError
from privkit.model.operators import (
    DateShift,
    Drop,
    Generalize,
    Keep,
    KeyedHash,
    Mask,
    Pseudonym,
    Redact,
    Replace,
    Surrogate,
)
from privkit.model.policy import ColumnRule, Policy
from privkit.model.yamlfile import parse_yaml, read_yaml, write_yaml


class Kinds(BaseModel):
    """One field of each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    maybe: str | None = "given"
    flag: bool = False
    count: int = 0
    amount: float = 0.0
    texts: tuple[str, ...] = ()
    by_name: Mapping[str, str] = {}


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "yes",
        "on",
        "off",
        "true",
        "01",
        "1e-6",
        "0x1F",
        "1_000",
        "12:30:00",
        "2024-01-31",
        "1.0",
        ".inf",
        "=",
        "<<",
        "Norway: no"[:6],
    ],
)
def test_a_plain_scalar_is_its_own_text(word: str) -> None:
    assert parse_yaml(f"text: {word}", Kinds).text == word
    assert parse_yaml(f"texts: [{word}, a]", Kinds).texts == (word, "a")
    assert parse_yaml(f"by_name: {{{word}: {word}}}", Kinds).by_name == {word: word}


@pytest.mark.parametrize(
    ("word", "value"), [("no", False), ("yes", True), ("false", False), ("True", True), ("off", False), ("1", True)]
)
def test_a_flag_takes_the_words_for_yes_and_no(word: str, value: bool) -> None:
    assert parse_yaml(f"flag: {word}", Kinds).flag is value


@pytest.mark.parametrize(("text", "value"), [("1e-6", 1e-6), ("1E6", 1e6), (".5", 0.5), ("-0.25", -0.25), ("3", 3.0)])
def test_numbers_where_numbers_are_wanted(text: str, value: float) -> None:
    assert parse_yaml(f"amount: {text}", Kinds).amount == value
    assert parse_yaml("count: 012", Kinds).count == 12  # ten and two: not octal


@pytest.mark.parametrize("text", ["maybe: null", "maybe: ~", "maybe:", "maybe: Null", "maybe: NULL", "{maybe: }"])
def test_null(text: str) -> None:
    assert parse_yaml(text, Kinds).maybe is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ("'null'", "null"),
        ('"~"', "~"),
        ("'no'", "no"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
    ],
)
def test_quoted_and_block_text(text: str, value: str) -> None:
    assert parse_yaml(f"maybe: {text}", Kinds).maybe == value


def test_nothing_is_an_empty_record() -> None:
    for text in ("", "# only a comment\n", "---\n", "{}"):
        assert parse_yaml(text, Kinds) == Kinds()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("text: a\ntext: b", 2, "stands twice"),
        ("by_name:\n  a: x\n  'a': y", 3, "stands twice"),
        ("by_name: {a: x, b: y, a: z}", 1, "stands twice"),
        ("text: &x a", 1, "anchors"),
        ("by_name: &x {}\ntexts: [*x]", 1, "anchors"),
        ("text: a\nmaybe: *x", 2, "anchors"),
        ("? &x text\n: a", 1, "anchors"),
        ("text: !!str a", 1, "tag"),
        ("\ntext: !!python/object/apply:os.getcwd []", 2, "tag"),
        ("by_name: !!map {}", 1, "tag"),
        ("? [text]\n: a", 1, "plain text"),
        ("text: a\nnothing: b", 2, "nothing"),
        ("text: a\ncount: many", 2, "count"),
        ("texts:\n  - a\n  - [b]", 3, "texts.1"),
        ("by_name:\n  a: x\n  b: {}", 3, "by_name.b"),
        ("<<: {text: a}", 1, "<<"),
        ("text: a\n\tcount: 1", 2, "not valid YAML"),
        ("text: 'a", 1, "not valid YAML"),
        ("text: a\n---\ntext: b", 2, "document"),
        ("- text", 1, "key: value"),
        ("text", 1, "key: value"),
        ('text: "\\ud800"', 1, "surrogate"),
        ("text: a\x07", None, "not valid YAML"),
        ("[" * 20_000, None, "nested"),
        ("texts: " + "[" * 600 + "]" * 600, None, ""),
    ],
)
def test_refused_with_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_yaml(text, Kinds, path="some.yaml")
    assert "some.yaml" in caught.value.message
    assert says in caught.value.message
    assert caught.value.path == "some.yaml"
    if line is not None:
        assert caught.value.line == line
        assert f"line {line}" in caught.value.message


def test_the_line_of_an_operator_inside_a_column() -> None:
    operator = "    operator:\n      operator: mask\n      chars_to_mask: 0\n"
    text = f"name: x\ncolumns:\n  a: {{role: quasi}}\n  b:\n    role: quasi\n{operator}"
    with pytest.raises(PolicyError) as caught:
        parse_yaml(text, Policy)
    assert caught.value.line == 8
    with pytest.raises(PolicyError) as caught:
        parse_yaml("columns:\n  a:\n    role: quasi\n    operator: {operator: shred}\n", Policy)
    assert caught.value.line == 4


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbftext: \xc3\xa9\r\ncount: 3\r\n")
    assert read_yaml(file, Kinds) == Kinds(text="é", count=3)
    file.write_bytes(b"text: \xe9")
    with pytest.raises(PolicyError, match="UTF-8"):
        read_yaml(file, Kinds)
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match="cannot be read"):
            read_yaml(path, Kinds)


# Writing -------------------------------------------------------------------------------------------------------------

OPERATORS = [
    Keep(),
    Redact(),
    Replace(),
    Replace(new_value=""),
    Replace(new_value="null"),
    Mask(chars_to_mask=4, from_end=True),
    Mask(masking_char="#"),
    Pseudonym(),
    Pseudonym(reversible=False),
    KeyedHash(length=64),
    Surrogate(locale="de_DE"),
    DateShift(days=30, unit="patient_id", format="%d.%m.%Y"),
    Generalize(to="year", oldest=89),
    Generalize(band=2.5, top=90),
    Generalize(digits=3, suppress_low_population=False),
    Drop(),
]
AWKWARD = [
    "no",
    "01",
    "1e-6",
    "null",
    "~",
    "",
    " a ",
    "a: b",
    "#",
    "- x",
    "<<",
    "=",
    "é\u2028",
    "x" * 300,
    "a\nb",
    "\t",
    "'\"",
    "*a",
    "&a",
    "!a",
    "%",
    "@",
    "`",
    "{",
    "0o7",
    "12:30:45",
    "2024-01-31",
    "\u00a0",
    "😀",
    "\x85",
    "\ufeff",
]


@pytest.mark.parametrize("operator", OPERATORS, ids=repr)
def test_operators_come_back(operator: Keep) -> None:
    policy = Policy(roles={"other": operator}, entities={"X": operator}, columns={"c": ColumnRule(operator=operator)})
    assert parse_yaml(write_yaml(policy), Policy) == policy


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_come_back(text: str) -> None:
    policy = Policy(name=text, columns={text: ColumnRule(role="other")}, allow=(text,), deny={text: (text, text)})
    assert parse_yaml(write_yaml(policy), Policy) == policy
    kinds = Kinds(maybe=None, text=text, by_name={text: text})
    assert parse_yaml(write_yaml(kinds), Kinds) == kinds


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=20),
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=20),
        max_size=4,
    ),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
)
def test_what_is_written_is_read(by_name: dict[str, str], amount: float, count: int) -> None:
    kinds = Kinds(by_name=by_name, texts=tuple(by_name), amount=amount, count=count)
    assert parse_yaml(write_yaml(kinds), Kinds) == kinds


def test_written_short_and_readable() -> None:
    policy = Policy(
        name="p",
        columns={
            "a": ColumnRule(role="quasi", entity="AGE", operator=Generalize(band=5, top=90)),
            "b": ColumnRule(role="other"),
        },
    )
    assert write_yaml(policy) == (
        "name: p\n"
        "columns:\n"
        "  a: {role: quasi, entity: AGE, operator: {operator: generalize, band: 5.0, top: 90}}\n"
        "  b: {role: other}\n"
    )
