"""A pipeline from end to end: done once, resumed anywhere, refused before anything happens, and one card of it all."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from statistics_data import patients

import privkit
from privkit.cards import read_card, sha256_of_file, verify_card
from privkit.errors import (
    BudgetRefusedError,
    InputError,
    OutputError,
    PipelineError,
    QueryError,
    UsageError,
    VerificationError,
)

DATASET = """\
name: patients
source: patients.parquet
version: "2026-11"
privacy_unit: {column: patient_id, max_groups: 2, max_rows_per_group: 3, max_units: 20000}
budget: {epsilon: 3.0, delta: 1e-6}
ledger: ledger.sqlite3
columns:
  age: {type: integer, bounds: [0, 110]}
  region: {type: category, categories: [north, south, east, west]}
  smoker: {type: boolean}
"""
DEIDENTIFY = "  - deidentify: {output: out/patients.parquet, policy: pseudonymize, key: org.key, detector: patterns}\n"
RELEASE = """\
  - release:
      output: out/stats.json
      total_epsilon: 1.0
      statistics:
        - {sql: "SELECT region, COUNT(*) AS n, AVG(age) AS age FROM patients GROUP BY region", weight: 2}
        - {sql: "SELECT COUNT(*) AS old FROM patients WHERE age >= 65", accuracy: 60, hold: true}
"""


def pipeline(*steps, extra=""):
    return f"dataset: patients.dataset.yaml\nsteps:\n{''.join(steps)}card: out/card.html\nsign: org.identity\n{extra}"


@pytest.fixture
def folder(tmp_path):
    patients().to_parquet(tmp_path / "patients.parquet")
    (tmp_path / "patients.dataset.yaml").write_text(DATASET, encoding="utf-8")
    privkit.create_budget(privkit.Dataset.load(tmp_path / "patients.dataset.yaml"))
    privkit.Key.new(tmp_path / "org.key")
    privkit.Identity.new(tmp_path / "org.identity", "Org")
    write(tmp_path, pipeline(DEIDENTIFY, RELEASE))
    return tmp_path


def write(folder, text):
    (folder / "share.pipeline.yaml").write_text(text, encoding="utf-8")


def loaded(folder):
    return privkit.Pipeline.load(folder / "share.pipeline.yaml")


def kinds(folder):
    return [e.kind for e in privkit.budget_history(privkit.Dataset.load(folder / "patients.dataset.yaml"))]


def spent(folder):
    return privkit.show_budget(privkit.Dataset.load(folder / "patients.dataset.yaml")).spent.rho


def files(folder):
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in folder.rglob("*") if path.is_file()}


# ---- once


def test_a_run_does_what_its_plan_says_and_a_second_one_nothing(folder):
    plan = loaded(folder).plan()
    assert [step.state for step in plan.steps] == ["to do", "to do"]
    assert plan.fits
    assert kinds(folder) == ["opened"]
    card = loaded(folder).run()
    assert spent(folder) == plan.cost.rho
    assert kinds(folder) == ["opened", "disclosed", "charged", "released", "charged", "released"]
    assert [s.answer.cost.rho for s in card.statistics] == [s.cost.rho for s in plan.steps[1].statistics]
    before = files(folder)
    assert loaded(folder).run() is None
    assert files(folder) == before
    again = loaded(folder).plan()
    assert [step.state for step in again.steps] == ["done", "done"]
    assert again.cost.epsilon == 0


def test_the_plan_reads_no_row_and_writes_nothing(folder):
    before = files(folder)
    first = loaded(folder).plan()
    assert files(folder) == before
    other = patients(rows=40, seed=9)
    other.to_parquet(folder / "patients.parquet")
    second = loaded(folder).plan()
    assert first.model_dump(exclude={"steps"}) == second.model_dump(exclude={"steps"})
    assert [s.statistics for s in first.steps] == [s.statistics for s in second.steps]


def test_the_outputs_are_a_deidentified_table_and_the_releases(folder):
    loaded(folder).run()
    table = pd.read_parquet(folder / "out/patients.parquet")
    assert len(table) == len(patients())
    assert not set(table.patient_id) & set(patients().patient_id.astype(str))
    written = json.loads((folder / "out/stats.json").read_text(encoding="utf-8"))
    assert [release["groups"] for release in written["releases"]] == [["region"], []]
    assert len(written["releases"][0]["keys"]) == 4


def test_a_statistic_that_was_released_before_is_free(folder):
    with privkit.Session(privkit.Dataset.load(folder / "patients.dataset.yaml")) as session:
        session.sql("SELECT COUNT(*) AS other FROM patients WHERE age >= 65", epsilon="1")
    before = spent(folder)
    plan = loaded(folder).plan()
    assert [s.stored for s in plan.steps[1].statistics] == [False, True]
    card = loaded(folder).run()
    assert spent(folder) - before == plan.cost.rho
    assert [s.stored for s in card.statistics] == [False, True]


# ---- again, where something changed


def test_a_step_whose_inputs_changed_says_so_and_is_done_again(folder):
    loaded(folder).run()
    first = read_card(folder / "out/card.json")
    patients(seed=3).to_parquet(folder / "patients.parquet")
    plan = loaded(folder).plan()
    assert [step.state for step in plan.steps] == ["changed", "done"]
    assert "the source" in plan.steps[0].why
    loaded(folder).run()
    assert kinds(folder).count("disclosed") == 2
    second = read_card(folder / "out/card.json")
    assert second.previous == sha256_of_first(first)
    write(folder, pipeline(DEIDENTIFY, RELEASE.replace("weight: 2", "weight: 3").replace("AVG(age)", "SUM(age)")))
    plan = loaded(folder).plan()
    assert [step.state for step in plan.steps] == ["done", "changed"]
    assert [s.stored for s in plan.steps[1].statistics] == [False, True]
    assert loaded(folder).run() is not None


def sha256_of_first(card):
    import hashlib

    from privkit.report.files import report_json

    return hashlib.sha256((report_json(card) + "\n").encode()).hexdigest()


def test_an_output_that_somebody_changed_is_not_written_over(folder):
    loaded(folder).run()
    (folder / "out/stats.json").write_text("mine", encoding="utf-8")
    plan = loaded(folder).plan()
    assert plan.steps[1].state == "changed"
    assert "changed by somebody" in plan.steps[1].why
    with pytest.raises(OutputError, match="exists"):
        loaded(folder).run()
    assert (folder / "out/stats.json").read_text(encoding="utf-8") == "mine"
    assert loaded(folder).run(force=True) is not None
    assert verify_card(folder / "out/card.json").files == 2


def test_an_output_that_is_gone_is_made_again_for_free(folder):
    loaded(folder).run()
    before = spent(folder)
    (folder / "out/stats.json").unlink()
    assert "is gone" in loaded(folder).plan().steps[1].why
    loaded(folder).run()
    assert spent(folder) == before
    assert verify_card(folder / "out/card.json").ledger


# ---- cut off


MOMENTS = ("before an output", "after an output", "after a statistic")
CUT = """\
import os, signal, sys
from pathlib import Path
import privkit
left = int(sys.argv[2])
def at(moment):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
privkit.Pipeline.load(Path(sys.argv[1])).run(at=at)
"""


@pytest.mark.parametrize("moment", range(6))
def test_a_run_that_is_killed_goes_on_where_it_stood_and_pays_once(folder, moment):
    """The moments: before and after each output, after each statistic."""
    whole = loaded(folder).plan().cost.rho
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(folder / "share.pipeline.yaml"), str(moment)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    loaded(folder).run()
    assert spent(folder) == whole
    assert kinds(folder).count("disclosed") == 1
    assert verify_card(folder / "out/card.json").files == 2
    assert [step.state for step in loaded(folder).plan().steps] == ["done", "done"]


def test_the_kills_come_at_moments_that_there_are(folder):
    seen = []
    loaded(folder).run(at=seen.append)
    assert len(seen) == 6
    assert set(seen) == set(MOMENTS)


def test_two_runs_at_once_are_one_too_many(folder):
    from privkit.io.alone import alone

    with (
        alone(folder / ".share.pipeline.yaml.lock", OutputError("busy")),
        pytest.raises(OutputError, match="another run"),
    ):
        loaded(folder).run()


# ---- refused before anything happens


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("dataset: patients.dataset.yaml\nsteps: []\ncard: c.html\n", PipelineError),
        (pipeline("  - {}\n"), PipelineError),
        (pipeline(RELEASE, RELEASE), PipelineError),
        (pipeline(RELEASE).replace("card.html", "card.pdf"), PipelineError),
        (pipeline(RELEASE.replace("COUNT(*) AS old", "MODE(age) AS old")), QueryError),
        (pipeline(RELEASE.replace("total_epsilon: 1.0", "total_epsilon: 30")), BudgetRefusedError),
        (pipeline(RELEASE.replace("accuracy: 60", "accuracy: 1")), UsageError),
        (pipeline(DEIDENTIFY.replace("org.key", "no.key")), privkit.KeyFileError),
        (pipeline(DEIDENTIFY.replace("policy: pseudonymize", "policy: no.yaml")), privkit.PolicyError),
        (pipeline(RELEASE).replace("org.identity", "no.identity"), privkit.KeyFileError),
        (pipeline(RELEASE, extra="fairness: [smoker]\n"), UsageError),
        (pipeline(DEIDENTIFY.replace("}", ", local: {height: {mechanism: noise, epsilon: 1}}}")), UsageError),
        (pipeline(DEIDENTIFY.replace("}", ", local: {region: {mechanism: noise, epsilon: 1}}}")), QueryError),
    ],
)
def test_what_can_be_refused_is_refused_before_anything_happens(folder, text, error):
    write(folder, text)
    before = files(folder)
    with pytest.raises(error):
        loaded(folder).run()
    after = files(folder)
    assert {name: found for name, found in after.items() if ".lock" not in name} == {
        name: found for name, found in before.items() if ".lock" not in name
    }


def test_a_source_that_is_gone_and_a_damaged_state(folder):
    (folder / "share.pipeline.state.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        loaded(folder).plan()
    (folder / "share.pipeline.state.json").unlink()
    (folder / "patients.parquet").unlink()
    with pytest.raises(InputError):
        loaded(folder).plan()


# ---- local mechanisms


def test_local_mechanisms_leave_entries_of_their_own_and_change_only_their_columns(folder):
    local = (
        "}, local: {region: {mechanism: randomize, epsilon: 1.5}, age: {mechanism: noise, epsilon: 2, max_rows: 2}}}"
    )
    write(folder, pipeline(DEIDENTIFY.replace("detector: patterns}", "detector: patterns" + local[1:])))
    card = loaded(folder).run()
    table, raw = pd.read_parquet(folder / "out/patients.parquet"), patients()
    place = raw.groupby("patient_id").cumcount()
    assert table.region.isna().tolist() == (place >= 1).tolist()
    assert table.age.isna().tolist() == (place >= 2).tolist()
    assert set(table.region.dropna()) <= {"north", "south", "east", "west"}
    assert table.smoker.tolist() == raw.smoker.tolist()
    assert [(n.column, str(n.epsilon), str(n.unit_epsilon)) for n in card.local] == [
        ("region", "1.5", "1.5"),
        ("age", "2", "4"),
    ]
    assert spent(folder) in (0, None)
    assert kinds(folder) == ["opened", "disclosed", "local", "local"]


# ---- cards


def test_every_card_after_a_disclosure_says_that_its_epsilon_covers_the_statistics_alone(folder):
    write(folder, pipeline(RELEASE))
    assert not loaded(folder).run().guarantee.statistics_only
    write(folder, pipeline(RELEASE, DEIDENTIFY))
    card = loaded(folder).run()
    assert card.guarantee.statistics_only
    assert card.disclosed[0].what == "out/patients.parquet"
    with privkit.Session(privkit.Dataset.load(folder / "patients.dataset.yaml")) as session:
        released = session.sql("SELECT COUNT(*) AS n FROM patients", epsilon="0.1")
    assert "covers the statistics alone" in released.card
    assert "out/patients.parquet" in released.card


def test_a_card_is_verified_against_its_signature_files_and_ledger(folder):
    loaded(folder).run()
    place = folder / "out/card.json"
    public = privkit.Identity.load(folder / "org.identity").public.text
    found = verify_card(place, signer=public)
    assert (found.files, found.ledger, found.signed, found.pinned) == (2, True, True, True)
    privkit.Identity.new(folder / "other.identity", "Other")
    with pytest.raises(VerificationError, match="another identity"):
        verify_card(place, signer=privkit.Identity.load(folder / "other.identity").public.text)


@pytest.mark.parametrize(
    ("what", "change", "told"),
    [
        ("out/card.json", lambda b: b.replace(b'"made_by": "', b'"made_by": "x'), "changed after it was signed"),
        ("out/card.json", lambda b: b.replace(b"\n", b"\n ", 1), "changed after it was written"),
        ("out/card.json", lambda b: b[:-10], "no card"),
        ("out/stats.json", lambda b: b + b" ", "not the file"),
        ("out/patients.parquet", lambda b: b"", "not the file"),
    ],
)
def test_what_was_changed_is_found(folder, what, change, told):
    loaded(folder).run()
    path = folder / what
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(VerificationError, match=told) as found:
        verify_card(folder / "out/card.json")
    assert found.value.exit_code == 5


def test_a_signed_card_is_a_checkpoint_of_the_ledger(folder):
    copy = (folder / "ledger.sqlite3").read_bytes()
    loaded(folder).run()
    for end in ("-wal", "-shm"):
        Path(f"{folder / 'ledger.sqlite3'}{end}").unlink(missing_ok=True)
    (folder / "ledger.sqlite3").write_bytes(copy)  # an older one, from before the run
    with pytest.raises(VerificationError, match="was signed"):
        verify_card(folder / "out/card.json")


def test_without_its_ledger_a_card_says_so_and_an_unsigned_one_too(folder):
    write(folder, pipeline(RELEASE).replace("sign: org.identity\n", ""))
    loaded(folder).run()
    (folder / "ledger.sqlite3").rename(folder / "elsewhere")
    found = verify_card(folder / "out/card.json")
    assert not found.ledger
    assert not found.signed
    assert any("nobody signed" in note for note in found.notes)
    assert any("--dataset" in note for note in found.notes)
