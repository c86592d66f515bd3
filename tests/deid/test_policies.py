"""The built-in policies hold what the docs say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from privkit.deid.policies import load_policy, policy_names, policy_text
from privkit.errors import PolicyError
from privkit.model.canonical import sha256_of
from privkit.model.operators import OPERATORS, Drop, Generalize, Keep, Pseudonym, Redact, Replace
from privkit.model.policy import ColumnRule, Policy
from privkit.model.yamlfile import parse_yaml, write_yaml

DOCS = Path(__file__).parents[2] / "docs"
ROLES = {"identifier", "free_text", "quasi", "other"}


@pytest.mark.parametrize("name", policy_names())
def test_built_in(name: str) -> None:
    policy = load_policy(name)
    assert policy.name == name
    assert policy.description
    assert set(policy.roles) == ROLES
    assert policy.roles["other"] == Keep()
    assert not policy.columns
    assert policy.detector is None
    assert parse_yaml(policy_text(name), Policy) == policy
    written = parse_yaml(write_yaml(policy), Policy)
    assert written == policy
    assert sha256_of(written) == sha256_of(policy)


def operator_of(policy: Policy, role: str, entity: str | None = None) -> object:
    return policy.column_operator(ColumnRule.model_validate({"role": role, "entity": entity}))


def test_default() -> None:
    policy = load_policy("default")
    assert operator_of(policy, "identifier", "PERSON") == Pseudonym()
    assert operator_of(policy, "quasi", "DATE_OF_BIRTH") == Generalize(to="year")
    assert operator_of(policy, "quasi", "AGE") == Generalize(band=5, top=90)
    assert operator_of(policy, "quasi", "POSTCODE") == Generalize(digits=3)
    assert operator_of(policy, "quasi", "LOCATION") == Replace()
    assert operator_of(policy, "quasi", "COARSE_LOCATION") == Keep()
    assert operator_of(policy, "other", "DATE_TIME") == Keep()
    assert policy.finding_operator(ColumnRule(role="free_text"), "PERSON") == Replace()
    assert policy.finding_operator(ColumnRule(role="free_text"), "DATE_TIME") == Replace()
    assert (policy.unknown, policy.kept_key, policy.accept_free_text) == ("keep", False, True)
    assert (policy.recall, policy.threshold, policy.general_threshold) == ("balanced", None, 0.4)


def test_pseudonymize_can_be_turned_back() -> None:
    policy = load_policy("pseudonymize")
    assert policy.kept_key
    for role in ("identifier", "free_text", "quasi"):
        assert operator_of(policy, role, "LOCATION") == Pseudonym(reversible=True)
    assert policy.finding_operator(ColumnRule(role="free_text"), "PERSON") == Pseudonym(reversible=True)
    # Every operator loses nothing: what is not a token is the value itself.
    assert {type(operator) for operator in (*policy.roles.values(), *policy.entities.values())} <= {Pseudonym, Keep}


def test_hipaa_derives_nothing_from_an_identifier() -> None:
    policy = load_policy("hipaa-safe-harbor")
    used = {type(operator) for operator in (*policy.roles.values(), *policy.entities.values())}
    assert used <= {Replace, Redact, Drop, Generalize, Keep}
    assert [entity for entity, operator in policy.entities.items() if operator == Keep()] == ["COARSE_LOCATION"]
    assert operator_of(policy, "identifier", "ID") == Replace()
    assert operator_of(policy, "quasi", "LOCATION") == Replace()
    assert operator_of(policy, "quasi", "COORDINATES") == Replace()
    assert operator_of(policy, "other", "DATE_TIME") == Generalize(to="year")
    assert operator_of(policy, "quasi", "DATE_OF_BIRTH") == Generalize(to="year", oldest=89)
    assert operator_of(policy, "quasi", "AGE") == Generalize(top=90)
    assert operator_of(policy, "quasi", "POSTCODE") == Generalize(digits=3, suppress_low_population=True)
    assert policy.finding_operator(ColumnRule(role="free_text"), "PERSON") == Replace()
    assert policy.unknown == "refuse"
    assert not policy.accept_free_text


def test_hipaa_docs_have_a_row_for_each_of_the_18() -> None:
    text = (DOCS / "hipaa-safe-harbor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \(([A-R])\) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [letter for letter, *_ in rows] == [chr(ord("A") + i) for i in range(18)]
    assert all(cell.strip() for row in rows for cell in row)


def test_policies_docs_name_every_key_and_policy() -> None:
    text = (DOCS / "policies.md").read_text(encoding="utf-8")
    keys = re.findall(r"^\| `(\w+)` \|", text.split("## Every key")[1].split("\n## ")[0], re.MULTILINE)
    assert set(keys) == set(Policy.model_fields)
    for name in policy_names():
        assert f"`{name}`" in text
    example = re.search(r"^```yaml\n(name: visits\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    policy = parse_yaml(example[1], Policy)
    assert policy.columns["dob"].operator == Generalize(to="year", format="%d.%m.%Y")
    named = {operator for operator in OPERATORS if f"operator: {operator}" in text}
    assert named >= {"pseudonym", "replace", "generalize", "keep"}


@pytest.mark.parametrize("name", ["hipaa", "Default", "hippa-safe-harbor", "none", ""])
def test_unknown_name_lists_the_names(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(name)
    assert caught.value.hint is not None
    for known in policy_names():
        assert known in caught.value.hint
    with pytest.raises(PolicyError):
        policy_text(name)


def test_close_name_is_suggested() -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy("hippa-safe-harbor")
    assert "Did you mean hipaa-safe-harbor?" in str(caught.value.hint)


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\nroles:\n  identifier: {operator: redact}\n", encoding="utf-8")
    (tmp_path / "default").write_text("name: theirs\n", encoding="utf-8")
    (tmp_path / "mine.json").write_text('{"name": "json", "threshold": 0.5}', encoding="utf-8")
    assert load_policy("mine.yaml").roles["identifier"] == Redact()
    assert load_policy(tmp_path / "mine.yaml").name == "mine"
    assert load_policy("./default").name == "theirs"
    assert load_policy(Path("default")).name == "theirs"
    assert load_policy("default").name == "default"
    assert load_policy("mine.json").threshold == 0.5
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy("missing.yaml")
    (tmp_path / "bad.yaml").write_text("name: x\nunknown: perhaps\n", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy("bad.yaml")
    assert caught.value.line == 2
