"""What was tried against pipelines: types that noise does not fit, files in each other's way, steps that move."""

import pandas as pd
import pytest
from statistics_data import patients

import privkit
from privkit.cards import read_card, verify_card
from privkit.errors import InputError, OutputError, UsageError, VerificationError
from privkit.report.files import report_json

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
  smoker: {type: boolean}
"""
ROWS = "  - deidentify: {output: out/rows.parquet, policy: pseudonymize, key: org.key, detector: patterns}\n"
COUNT = """\
  - release:
      output: out/stats.json
      total_epsilon: 0.5
      statistics:
        - {sql: "SELECT COUNT(*) AS old FROM patients WHERE age >= 65"}
"""
LOCAL = """\
patterns, local: {age: {mechanism: noise, epsilon: 0.2}, region: {mechanism: randomize, epsilon: 1},
 smoker: {mechanism: randomize, epsilon: 1}}}"""


def pipeline(*steps, card="out/card.html"):
    return f"dataset: patients.dataset.yaml\nsteps:\n{''.join(steps)}card: {card}\nsign: org.identity\n"


@pytest.fixture
def folder(tmp_path):
    patients(rows=200).to_parquet(tmp_path / "patients.parquet")
    (tmp_path / "patients.dataset.yaml").write_text(DATASET, encoding="utf-8")
    privkit.create_budget(privkit.Dataset.load(tmp_path / "patients.dataset.yaml"))
    privkit.Key.new(tmp_path / "org.key")
    privkit.Identity.new(tmp_path / "org.identity", "Org")
    return tmp_path


def loaded(folder, text=None):
    path = folder / "share.pipeline.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return privkit.Pipeline.load(path)


def kinds(folder):
    return [e.kind for e in privkit.budget_history(privkit.Dataset.load(folder / "patients.dataset.yaml"))]


# ---- local mechanisms


def test_local_columns_may_leave_in_another_type_than_they_came_in(folder):
    raw = patients(rows=200)
    raw = raw.assign(
        age=raw.age.fillna(3).astype("uint8"), region=raw.region.astype("category"), smoker=raw.smoker.astype(int)
    )
    raw.to_parquet(folder / "patients.parquet")
    loaded(folder, pipeline(ROWS.replace("patterns}", LOCAL))).run()
    table = pd.read_parquet(folder / "out/rows.parquet")
    assert table.age.min() < 0
    assert table.age.max() > 255
    assert set(table.smoker.dropna()) == {"true", "false"}
    assert set(table.region.dropna()) <= {"north", "south", "east", "west"}


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("drop: [age], local: {years: {mechanism: noise, epsilon: 1}}", "an operator as well"),
        ("keep: [age], local: {years: {mechanism: noise, epsilon: 1}}", "an operator as well"),
        (
            "local: {years: {mechanism: noise, epsilon: 1}, old: {mechanism: noise, epsilon: 1}}",
            "two local mechanisms",
        ),
    ],
)
def test_a_column_is_told_by_the_sources_name_when_mechanisms_collide(folder, step, told):
    twice = (
        "  years: {from: age, type: integer, bounds: [0, 110]}\n  old: {from: age, type: integer, bounds: [0, 110]}\n"
    )
    (folder / "patients.dataset.yaml").write_text(DATASET + twice, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        loaded(folder, pipeline(ROWS.replace("patterns}", f"patterns, {step}}}"))).plan()


# ---- places


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("out/stats.json", "out/card.json"), "written twice"),
        (("out/stats.json", "out/../out/rows.parquet"), "written twice"),
        (("patterns}", "patterns, report: out/stats.json}"), "written twice"),
        (("out/stats.json", "out/rows.parquet/stats.json"), "inside the other"),
        (("out/stats.json", "ledger.sqlite3"), "would replace the ledger"),
        (("out/stats.json", "ledger.sqlite3-wal"), "would replace the ledger"),
        (("out/stats.json", "patients.parquet"), "would replace the source"),
        (("out/stats.json", "share.pipeline.yaml"), "would replace the pipeline's file"),
        (("out/stats.json", "share.pipeline.state.json"), "would replace what the pipeline keeps"),
        (("out/stats.json", "org.key"), "would replace a key"),
        (("out/stats.json", "org.identity"), "would replace an identity"),
        (("out/stats.json", "patients.dataset.yaml"), "would replace the dataset's description"),
    ],
)
def test_no_output_replaces_what_is_read_or_kept_or_another_even_by_force(folder, change, told):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
    text = pipeline(ROWS, COUNT).replace(*change)
    with pytest.raises(UsageError, match=told):
        loaded(folder, text).run(force=True)
    assert all((folder / name).read_bytes() == content for name, content in before.items())
    assert not (folder / "out").exists()
    assert kinds(folder) == ["opened"]


def test_no_output_becomes_a_part_of_a_source_of_several_files(folder):
    described = folder / "patients.dataset.yaml"
    described.write_text(DATASET.replace("source: patients.parquet", 'source: "pat*.parquet"'), encoding="utf-8")
    with pytest.raises(UsageError, match="inside the source"):
        loaded(folder, pipeline(ROWS.replace("out/rows", "pat-rows"))).plan()


# ---- cards


def forged(folder, **changes):
    card = read_card(folder / "out/card.json").model_copy(
        update={**changes, "signature": None, "public": None, "signer": None}
    )
    (folder / "out/forged.json").write_text(report_json(card) + "\n", encoding="utf-8")
    return folder / "out/forged.json"


def test_names_that_no_file_can_have_are_not_there(folder):
    card = loaded(folder, pipeline(COUNT)).run()
    for name in ("a" * 5000, "a\0b"):
        named = card.files[0].model_copy(update={"path": name})
        with pytest.raises(VerificationError, match="not there"):
            verify_card(forged(folder, files=(named,)))
        accounting = card.accounting.model_copy(update={"ledger": name})
        assert not verify_card(forged(folder, accounting=accounting)).ledger


def test_a_card_is_not_compared_with_another_datasets_ledger(folder):
    loaded(folder, pipeline(COUNT)).run()
    (folder / "other.dataset.yaml").write_text(DATASET.replace("name: patients", "name: other"), encoding="utf-8")
    with pytest.raises(VerificationError, match="not of other"):
        verify_card(folder / "out/card.json", dataset=privkit.Dataset.load(folder / "other.dataset.yaml"))


@pytest.mark.parametrize("kept", ["disclosed", "local"])
def test_a_card_that_is_silent_about_what_was_given_out_is_found(folder, kept):
    local = ROWS.replace("patterns}", "patterns, local: {age: {mechanism: noise, epsilon: 2}}}")
    card = loaded(folder, pipeline(local)).run()
    assert verify_card(forged(folder)).ledger
    assert getattr(card, kept)
    with pytest.raises(VerificationError, match="ledger tells of"):
        verify_card(forged(folder, **{kept: ()}))


def test_what_is_given_out_after_a_card_is_not_missing_on_it(folder):
    loaded(folder, pipeline(ROWS)).run()
    with privkit.Session(privkit.Dataset.load(folder / "patients.dataset.yaml"), analyst="x") as session:
        session._ledger.note("disclosed", read_card(folder / "out/card.json").disclosed[0].model_dump(mode="json"))
    assert verify_card(folder / "out/card.json").ledger


def test_a_card_behind_a_link_names_its_files_as_they_stand(folder):
    (folder / "far/away").mkdir(parents=True)
    (folder / "linked").symlink_to(folder / "far/away")
    loaded(folder, pipeline(COUNT, card="linked/card.html")).run()
    found = verify_card(folder / "linked/card.json")
    assert (found.files, found.ledger) == (1, True)


# ---- again, where something changed


class Killed(BaseException):
    pass


def killed(name, after=0):
    left = [after]

    def at(moment):
        if moment == name:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    return at


def test_rows_that_were_about_to_be_replaced_are_not_taken_for_the_new_ones(folder):
    loaded(folder, pipeline(ROWS)).run()
    patients(rows=90, seed=3).to_parquet(folder / "patients.parquet")
    with pytest.raises(Killed):
        loaded(folder).run(at=killed("before an output"))
    assert len(pd.read_parquet(folder / "out/rows.parquet")) == 200
    loaded(folder).run()
    assert len(pd.read_parquet(folder / "out/rows.parquet")) == 90
    assert kinds(folder) == ["opened", "disclosed", "disclosed"]


def test_a_run_that_was_cut_off_and_then_changed_starts_anew(folder):
    with pytest.raises(Killed):
        loaded(folder, pipeline(ROWS)).run(at=killed("before an output"))
    loaded(folder, pipeline(ROWS.replace("patterns}", "patterns, drop: [income]}"))).run()
    assert "income" not in pd.read_parquet(folder / "out/rows.parquet")
    assert [path.name for path in (folder / "out").glob(".*")] == []


@pytest.mark.parametrize("moment", ["before an output", "after an output"])
def test_local_noise_that_may_have_left_is_never_drawn_again_under_the_same_entry(folder, moment):
    step = ROWS.replace("patterns}", LOCAL)
    with pytest.raises(Killed):
        loaded(folder, pipeline(step)).run(at=killed(moment))
    (folder / "out/rows.parquet").unlink(missing_ok=True)  # carried off, before the run is begun again
    loaded(folder).run()
    assert kinds(folder).count("local") == 6


def test_a_disclosure_without_noise_is_noted_once_however_often_it_is_cut_off(folder):
    with pytest.raises(Killed):
        loaded(folder, pipeline(ROWS)).run(at=killed("after an output"))
    (folder / "out/rows.parquet").unlink()
    loaded(folder).run()
    assert kinds(folder).count("disclosed") == 1


def test_steps_that_moved_are_still_done(folder):
    loaded(folder, pipeline(ROWS, COUNT)).run()
    before = kinds(folder)
    moved = loaded(folder, pipeline(COUNT, ROWS))
    assert [step.state for step in moved.plan().steps] == ["done", "done"]
    moved.run()
    more = COUNT.replace("stats", "more").replace("65", "18")
    loaded(folder, pipeline(more, COUNT, ROWS)).run()
    assert kinds(folder) == [*before, "charged", "released"]
    assert verify_card(folder / "out/card.json").files == 3


def test_a_step_that_was_taken_out_is_no_longer_on_the_card_but_its_rows_are_remembered(folder):
    loaded(folder, pipeline(ROWS, COUNT)).run()
    (folder / "out/rows.parquet").unlink()
    card = loaded(folder, pipeline(COUNT)).run()
    assert card.deidentified == ()
    assert [one.what for one in card.disclosed] == ["out/rows.parquet"]
    (folder / "out/stats.json").unlink()
    assert loaded(folder, pipeline(ROWS)).run(force=True).statistics == ()


def test_a_card_does_not_vouch_for_a_file_that_was_changed_under_the_run(folder):
    def at(moment):
        if moment == "before an output":
            (folder / "out/stats.json").write_text("{}", encoding="utf-8")

    with pytest.raises(OutputError, match="under way"):
        loaded(folder, pipeline(COUNT, ROWS)).run(at=at)
    assert not (folder / "out/card.json").exists()


def test_a_state_that_does_not_fit_its_release_is_damaged(folder):
    loaded(folder, pipeline(COUNT)).run()
    state = folder / "share.pipeline.state.json"
    state.write_text(state.read_text(encoding="utf-8").replace('"stored":[false]', '"stored":[]'), encoding="utf-8")
    (folder / "out/card.json").unlink()
    with pytest.raises(InputError, match="damaged"):
        loaded(folder).run()
