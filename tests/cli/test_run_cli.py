"""`privkit run` and `privkit card`: what is asked, printed where, refused and verified."""

import json
import shutil

import jsonschema
import pytest
from statistics_data import patients

import privkit
from privkit.cli import main

DATASET = """\
name: patients
source: patients.parquet
version: "1"
privacy_unit: {column: patient_id, max_groups: 2, max_rows_per_group: 3, max_units: 20000}
budget: {epsilon: 3.0, delta: 1e-6}
ledger: ledger.sqlite3
columns:
  age: {type: integer, bounds: [0, 110]}
  region: {type: category, categories: [north, south, east, west]}
"""
PIPELINE = """\
dataset: patients.dataset.yaml
about: {purpose: To see it done}
steps:
  - release:
      output: out/stats.json
      total_epsilon: EPSILON
      statistics:
        - {sql: "SELECT region, COUNT(*) AS n FROM patients GROUP BY region"}
        - {sql: "SELECT COUNT(*) AS old FROM patients WHERE age >= 65", accuracy: 60, hold: true}
fairness: [region]
card: out/card.html
sign: org.identity
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("share")
    patients(rows=600).to_parquet(folder / "patients.parquet")
    (folder / "patients.dataset.yaml").write_text(DATASET, encoding="utf-8")
    (folder / "share.pipeline.yaml").write_text(PIPELINE.replace("EPSILON", "1.0"), encoding="utf-8")
    (folder / "dear.pipeline.yaml").write_text(
        PIPELINE.replace("EPSILON", "30").replace("out/", "dear/"), encoding="utf-8"
    )
    privkit.create_budget(privkit.Dataset.load(folder / "patients.dataset.yaml"))
    privkit.Identity.new(folder / "org.identity", "Org")
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "share")
    monkeypatch.chdir(tmp_path / "share")
    return tmp_path / "share"


@pytest.fixture(scope="module")
def done(made, tmp_path_factory):
    """The same after a run."""
    folder = tmp_path_factory.mktemp("done") / "share"
    shutil.copytree(made, folder)
    privkit.Pipeline.load(folder / "share.pipeline.yaml").run()
    return folder


def test_a_dry_run_shows_everything_and_does_nothing(folder, capsys):
    assert main(["run", "share.pipeline.yaml", "--dry-run"]) == 0
    printed = capsys.readouterr()
    for text in ("1. release statistics (to do)", "out/stats.json", "(weight 1)", "(accuracy 60, held)", "± 60 rows"):
        assert text in printed.out
    assert "Left after it" in printed.out
    assert printed.err == ""
    assert not (folder / "out").exists()
    assert main(["run", "share.pipeline.yaml", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["fits"]
    assert [step["state"] for step in plan["steps"]] == ["to do"]


def test_without_a_terminal_it_does_not_run_unasked(folder, capsys):
    assert main(["run", "share.pipeline.yaml"]) == 2
    assert "--yes is needed" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_what_does_not_fit_exits_three_and_does_nothing(folder, capsys):
    for more in (["--dry-run"], ["--yes"]):
        assert main(["run", "dear.pipeline.yaml", *more]) == 3
        printed = capsys.readouterr()
        assert "does not fit" in printed.out + printed.err or "is left; nothing was done" in printed.err
    assert not (folder / "dear").exists()
    assert main(["budget", "history", "patients.dataset.yaml", "--json"]) == 0
    assert "charged" not in capsys.readouterr().out


def test_a_run_writes_card_and_releases_and_a_second_one_nothing(folder, capsys):
    assert main(["run", "share.pipeline.yaml", "--yes"]) == 0
    printed = capsys.readouterr()
    assert "1 of 1 step done; the card is new." in printed.out
    assert "releasing 1 of 2" in printed.err
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "card.html", "card.json", "card.md", "stats.json",
    ]  # fmt: skip
    assert main(["run", "share.pipeline.yaml", "--yes", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["card"] is None
    assert again["plan"]["steps"][0]["state"] == "done"


def test_a_card_is_verified_shown_and_made_a_page_again(done, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(done)
    public = privkit.Identity.load("org.identity").public.text
    assert main(["card", "verify", "out/card.html", "--signer", public, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pinned"]
    assert main(["card", "verify", "out/card.json", "--dataset", "patients.dataset.yaml"]) == 0
    assert "not pinned" in capsys.readouterr().out
    assert main(["card", "show", "out/card.json"]) == 0
    assert "To see it done" in capsys.readouterr().out
    assert main(["card", "html", "out/card.json", "-o", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == (done / "out/card.html").read_text(encoding="utf-8")
    assert main(["card", "html", "out/card.json", "-o", str(tmp_path / "page.html")]) == 1


@pytest.mark.parametrize("what", ["out/stats.json", "out/card.json"])
def test_a_changed_card_or_file_exits_five(done, tmp_path, capsys, what):
    shutil.copytree(done, tmp_path / "copy")
    path = tmp_path / "copy" / what
    path.write_text(path.read_text(encoding="utf-8").replace("patients", "patience", 1), encoding="utf-8")
    assert main(["card", "verify", str(tmp_path / "copy/out/card.json")]) == 5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["card", "schema"], ["run", "--schema"]])
def test_the_schemas_are_json_schemas(arguments, capsys):
    assert main(arguments) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_a_card_fits_its_schema(done, capsys):
    assert main(["card", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.validate(json.loads((done / "out/card.json").read_text(encoding="utf-8")), schema)


def test_a_missing_pipeline_is_said_with_its_name(capsys):
    assert main(["run", "nowhere.pipeline.yaml", "--yes"]) == 1
    assert "nowhere.pipeline.yaml" in capsys.readouterr().err


def test_a_release_writes_a_signed_card(folder, capsys):
    asked = ["release", "patients.dataset.yaml", "SELECT COUNT(*) AS n FROM patients", "--epsilon", "0.1", "--yes"]
    assert main([*asked, "-o", "n.json", "--card", "n-card.html", "--sign", "org.identity"]) == 0
    capsys.readouterr()
    assert main(["card", "verify", "n-card.json", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["files"], found["ledger"], found["signed"]) == (1, True, True)
    assert main([*asked, "--sign", "org.identity"]) == 2
    assert main([*asked, "--card", "n-card.html"]) == 1
