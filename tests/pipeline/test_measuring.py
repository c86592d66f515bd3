"""A measurement of detection on a card: only of the detection that the rows went through."""

import json

import pytest
from statistics_data import patients

import privkit
from privkit.cards import card_files, read_card, sha256_of_file, verify_card
from privkit.errors import InputError, PipelineError, UsageError

DATASET = """\
name: patients
source: patients.parquet
version: "1"
privacy_unit: {column: patient_id, max_groups: 2, max_rows_per_group: 3, max_units: 20000}
budget: {epsilon: 3.0, delta: 1e-6}
ledger: ledger.sqlite3
columns:
  age: {type: integer, bounds: [0, 110]}
"""
PIPELINE = """\
dataset: patients.dataset.yaml
steps:
  - deidentify: {output: out/patients.parquet, policy: policy.yamlDETECTOR, evaluation: evaluation.json}
card: out/card.html
"""
POLICY = "name: known\ndeny: {PERSON: [Quintus]}\nthreshold: 0.5\n"
LINES = [
    {"text": "ask Quintus", "spans": [{"start": 4, "end": 11, "label": "PER"}], "origin": "la"},
    {"text": "ask Xerxes", "spans": [{"start": 4, "end": 10, "label": "PER"}], "origin": "fa"},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    patients(rows=60).to_parquet(tmp_path / "patients.parquet")
    (tmp_path / "patients.dataset.yaml").write_text(DATASET, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    privkit.create_budget(privkit.Dataset.load(tmp_path / "patients.dataset.yaml"))
    write(tmp_path, ", detector: patterns")
    measure(tmp_path)
    return tmp_path


def write(folder, detector):
    (folder / "share.pipeline.yaml").write_text(PIPELINE.replace("DETECTOR", detector), encoding="utf-8")


def measure(folder, **options):
    options = {"policy": folder / "policy.yaml", "detector": "patterns", "by": "origin", **options}
    return privkit.evaluate(LINES, report=folder / "evaluation.json", force=True, show_text=True, **options)


def loaded(folder):
    return privkit.Pipeline.load(folder / "share.pipeline.yaml")


def test_the_card_shows_what_was_measured(folder):
    plan = loaded(folder).plan()
    assert "evaluation.json" in plan.steps[0].reads
    card = loaded(folder).run()
    (rows,) = card.deidentified
    assert rows.measured.overall.recall == 0.5
    assert rows.measured.source_sha256 == measure(folder).source_sha256
    assert [group.group for group in rows.measured.groups[0].groups] == ["fa", "la"]
    assert "of 2 marked spans, 0.500 were found" in rows.recall
    for path in card_files(folder / "out/card.html"):
        text = path.read_text(encoding="utf-8")
        assert rows.measured.source_sha256 in text
        assert "much less often for origin fa" in text
        assert "Xerxes" not in text


def test_a_new_measurement_makes_a_new_card_and_lets_no_rows_leave_again(folder):
    loaded(folder).run()
    before = sha256_of_file(folder / "out/patients.parquet")
    assert loaded(folder).run() is None
    LINES.append(LINES[0])
    try:
        measure(folder)
    finally:
        LINES.pop()
    assert loaded(folder).plan().steps[0].state == "done"
    card = loaded(folder).run()
    assert card.deidentified[0].measured.overall.recall == 2 / 3
    assert card.deidentified[0].measured.evaluation_sha256 == sha256_of_file(folder / "evaluation.json")
    assert sha256_of_file(folder / "out/patients.parquet") == before
    assert len(card.disclosed) == 1
    assert verify_card(folder / "out/card.json").files == 1
    assert read_card(folder / "out/card.json") == card


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detector": "core"}, "the detector core, and the step uses patterns"),
        ({"policy": "default"}, "other thresholds, lists or recognizers"),
    ],
)
def test_a_measurement_of_something_else_is_refused_in_the_plan(folder, changes, message):
    measure(folder, **changes)
    with pytest.raises(PipelineError, match=message) as caught:
        loaded(folder).plan()
    assert "privkit evaluate" in caught.value.hint
    with pytest.raises(PipelineError, match=message):
        loaded(folder).run()
    assert not (folder / "out/patients.parquet").exists()


def test_other_weights_are_refused_before_any_row_leaves(folder):
    write(folder, ", detector: core")
    measure(folder, detector="core")
    record = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    record["models"][0]["sha256"] = "00" * 32
    (folder / "evaluation.json").write_text(json.dumps(record), encoding="utf-8")
    loaded(folder).plan()
    with pytest.raises(PipelineError, match="models with other weights"):
        loaded(folder).run()
    assert not (folder / "out/patients.parquet").exists()
    assert not privkit.show_budget(privkit.Dataset.load(folder / "patients.dataset.yaml")).spent.rho
    measure(folder, detector="core")
    assert loaded(folder).run().deidentified[0].measured is not None


def test_a_detector_that_nobody_named_is_compared_when_it_is_known(folder):
    write(folder, "")
    loaded(folder).plan()
    with pytest.raises(PipelineError, match="the detector patterns, and the step uses"):
        loaded(folder).run()
    assert not (folder / "out/patients.parquet").exists()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, InputError, "cannot be read"),
        ("{", PipelineError, "is not JSON"),
        ("{}", PipelineError, "evaluation.json"),
    ],
)
def test_what_is_no_measurement_is_refused(folder, content, error, message):
    if content is None:
        (folder / "evaluation.json").unlink()
    else:
        (folder / "evaluation.json").write_text(content, encoding="utf-8")
    with pytest.raises(error, match=message):
        loaded(folder).plan()


def test_nothing_may_be_written_over_the_measurement(folder):
    text = (folder / "share.pipeline.yaml").read_text(encoding="utf-8")
    (folder / "share.pipeline.yaml").write_text(text.replace("out/card.html", "evaluation.json"), encoding="utf-8")
    with pytest.raises(UsageError, match="would replace an evaluation"):
        loaded(folder).plan()


def test_a_measurement_can_be_added_after_the_rows_left(folder):
    whole = (folder / "share.pipeline.yaml").read_text(encoding="utf-8")
    without = whole.replace(", evaluation: evaluation.json", "")
    assert without != whole
    (folder / "share.pipeline.yaml").write_text(without, encoding="utf-8")
    card = loaded(folder).run()
    assert card.deidentified[0].measured is None
    assert "How evenly people are found" not in (folder / "out/card.html").read_text(encoding="utf-8")
    (folder / "share.pipeline.yaml").write_text(whole, encoding="utf-8")
    assert loaded(folder).plan().steps[0].state == "done"
    card = loaded(folder).run()
    assert card.deidentified[0].measured.overall.recall == 0.5
    assert len(card.disclosed) == 1
