"""The README's tour runs as it is written, and no text sends anyone to another project's package."""

import csv
import json
import re
from pathlib import Path

import pytest
from pages import ROOT, Place, run_page

import privkit

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    """A folder after every bash and python block of the README was run in it, in order; and what they printed."""
    place = Place(tmp_path_factory.mktemp("tour"))
    return place.folder, run_page(README, place)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tour_runs(toured):
    folder, printed = toured
    assert len(printed) == 16
    assert "notes" in printed[0]
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "maria@example.org" not in printed[4]
    assert "rows_checked" in printed[4]
    assert re.fullmatch(r"Ask PERSON_k[a-z2-7]{56}\.\n", printed[5])


def test_the_shared_file_holds_no_identifier_of_its_row(toured):
    folder, _ = toured
    before, after = _rows(folder / "examples/clinic/clinic.csv"), _rows(folder / "shared.csv")
    assert len(before) == len(after) == 300
    for old, new in zip(before, after, strict=True):
        text = "\n".join(new.values())
        for column in ("patient_id", "name", "email", "ssn"):
            assert not old[column] or old[column] not in text, column
        assert old["copay"] == new["copay"]


def test_the_saved_decision_was_run_with_its_changes(toured):
    folder, _ = toured
    rows = _rows(folder / "next-month.csv")
    assert "copay" not in rows[0]
    assert {"".join(set(row["ward"])) for row in rows} <= {"*", ""}


def test_the_key_brings_everything_back(toured):
    folder, _ = toured
    before = _rows(folder / "examples/clinic/clinic.csv")
    assert _rows(folder / "restored.csv") == before
    assert _rows(folder / "research.csv") != before


def test_the_statistics_are_paid_for_once(toured):
    folder, printed = toured
    assert "patients.dataset.yaml: valid" in printed[6]
    assert "Left after it: ε 2.9" in printed[7]
    assert "Spent ε 0.5" in printed[8]
    assert printed[8].count("nothing spent") == 1
    assert "A checkpoint vouches for it up to entry 3" in printed[9]
    assert "nights_low" in printed[10]
    assert [row["region"] for row in _rows(folder / "regions.csv")] == ["north", "south", "east", "west"]
    assert "Private statistics of patients" in (folder / "regions.html").read_text(encoding="utf-8")


def test_the_study_comes_to_its_end(toured):
    folder, printed = toured
    assert "Next: north, south, west: privkit study join." in printed[13]
    assert printed[13].count("this budget is zcdp, for ever") == 3
    assert "all that is there holds" in printed[14]
    assert "Next: nothing: the study is over." in printed[14]
    result = json.loads((folder / "study/result.json").read_text(encoding="utf-8"))
    values = {value["label"]: value for value in result["statistics"][0]["results"][0]["values"][0]}
    assert values["age"]["low"] < 0.066 + 0.05  # the patients stay about a fifteenth of a night longer a year
    assert values["age"]["high"] > 0.066 - 0.05
    assert "Joint statistics of the study stays" in (folder / "study/result.html").read_text(encoding="utf-8")
    assert not list(folder.rglob("*.secret"))
    for name in ("north", "south", "west"):
        dataset = privkit.Dataset.load(folder / "study" / name / "patients.dataset.yaml")
        assert [entry.kind for entry in privkit.budget_history(dataset)].count("charged") == 1


def test_the_scores_are_read_and_the_key_is_gone(toured):
    folder, _ = toured
    scores = [float(row["probability"]) for row in _rows(folder / "scores.csv")]
    assert len(scores) == len(_rows(folder / "examples/scoring/patients.csv"))
    assert 0 < min(scores) < max(scores) < 1
    assert not (folder / "batch.key").exists()


def test_no_text_names_the_other_project():
    texts = [
        path
        for path in ROOT.rglob("*")
        if path.suffix in (".md", ".py", ".toml", ".html", ".yaml") and path != Path(__file__)
    ]
    texts = [path for path in texts if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    assert README in texts
    wrong = re.compile(r"pip install (?:-\S+ )*['\"]?privkit(?!-toolkit)\b")
    assert [path for path in texts if wrong.search(path.read_text(encoding="utf-8"))] == []
