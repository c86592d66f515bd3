"""Kills, races and full disks: charged before anything is seen, the same bytes afterwards, decrypted once."""

import errno
import json
import os
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from study_data import NAMES, Session, table
from study_world import World, build, describe

import privkit
from privkit.errors import (
    AggregateError,
    BudgetRefusedError,
    DatasetError,
    LedgerError,
    OutputError,
    PrivkitError,
    StudyError,
    UsageError,
)
from privkit.ledger.ledger import Ledger
from privkit.ledger.store import System
from privkit.study import steps

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SCRIPT = Path(__file__).with_name("killed_parties.py")
WITH_PRIVKIT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
LEDGER = ["before begin", "after insert", "before commit", "after commit"]
ALL_STEPS = [
    *LEDGER,
    "before outbox",
    "before naming contribution",
    "after naming contribution",
    "after outbox",
    "before answer",
    *LEDGER,
    "after answer",
    "before publishing",
    "before naming contribution-north.bin",
    "after naming contribution-north.bin",
    "after publishing",
]
NEVER = dict.fromkeys(("not charged", "not kept", "charged for nothing", "changed", "charged again", "left over"), 0)


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, *arguments],
        env=WITH_PRIVKIT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- a party that is killed


@pytest.mark.slow
def test_killed_at_every_step(stages, tmp_path):
    """Never seen without its charge; afterwards it completes, free and with the same bytes if the outbox had it."""
    found = run("steps", stages["joined"], tmp_path)
    assert found == {"killed at": ALL_STEPS, **NEVER, "finished": len(ALL_STEPS)}


@pytest.mark.slow
def test_killed_at_random_times(stages, tmp_path):
    found = run("random", stages["joined"], tmp_path)
    assert found["kills"] >= 3
    assert found == {"kills": found["kills"], **NEVER, "finished": 12}


@pytest.mark.slow
def test_publishing_before_charging_is_caught_at_the_steps(stages, tmp_path):
    """The control."""
    found = run("steps", stages["joined"], tmp_path, "publishes-first")
    assert found["killed at"][-4:] == LEDGER
    assert found["not charged"] == 5  # from the naming of the file to the commit


def test_two_processes_with_one_identity_make_one_contribution(stages, tmp_path):
    found = run("race", stages["joined"], tmp_path)
    assert found["codes"] == [0, 0, 0]
    assert set(found["told"]) <= {"done", "another process works on this study with the same identity"}
    assert "done" in found["told"]
    assert (found["charges"], found["same"]) == (1, True)


def test_a_disk_without_room_for_the_contribution_shows_no_part_of_it(stages, tmp_path):
    found = run("file-limit", stages["joined"], tmp_path)
    message, hint, code = found["told"]
    assert message.endswith("contribution cannot be written: File too large")
    assert "What was charged stays charged" in hint
    assert code == 1
    assert found["kept"] is None
    assert found["hidden"] == []
    assert found["files"] == ["invitation.bin", *(f"share-{name}.bin" for name in NAMES)]
    assert (found["charges"], found["charges then"]) == (1, 2)


def test_joining_that_was_cut_off_goes_on_with_the_same_secret(world, monkeypatch):
    w = world("new")
    real = os.link

    def fails(source, target):
        if Path(target).name == "share":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "link", fails)
    with pytest.raises(OutputError, match="share cannot be written: No space left"):
        steps.join_study(w.folder, w.place / "north.identity")
    (secret,) = (path.read_bytes() for path in w.place.glob("north.identity.studies/*/share.secret"))
    monkeypatch.undo()
    steps.join_study(w.folder, w.place / "north.identity")
    steps.join_study(w.folder, w.place / "north.identity")
    session = w.read()[0].body.session
    assert (w.place / "north.identity.studies" / session / "share.secret").read_bytes() == secret


def test_what_a_killed_run_left_without_a_name_is_removed(world):
    w = world("joined")
    session = w.read()[0].body.session
    state = w.place / "north.identity.studies" / session
    (state / ".contribution.0badcafe").write_bytes(b"half")
    os.link(state / "share.secret", state / ".share.secret.0badcafe")
    w.contribute()
    assert sorted(path.name for path in state.iterdir()) == [".lock", "contribution", "share"]


# ---- disks that are full


def fill(path, system):
    """Until the ledger's file takes no more."""
    with Ledger.open(path, system=system) as ledger, suppress(LedgerError):
        while True:
            ledger.note("revealed", {"text": "x" * 200})


def test_a_ledger_that_is_full_charges_nothing_and_nothing_is_published(world):
    w = world("joined")
    system = System(max_pages=1)  # as many as there are
    fill(w.place / "north.ledger.sqlite3", system)
    before = w.standing().spent
    with pytest.raises(LedgerError, match="the disk is full") as caught:
        w.contribute(system=system)
    assert "Nothing was charged" in caught.value.hint
    assert w.standing().spent == before
    assert not (w.folder / "contribution-north.bin").exists()
    w.contribute()
    assert w.standing().spent != before


def test_a_ledger_that_is_full_after_the_charge_keeps_what_was_made(world, monkeypatch):
    w = world("joined")

    def full(self, *arguments):
        raise LedgerError("the disk is full", hint="Nothing was charged. Make room, try again.")

    monkeypatch.setattr(Ledger, "answer", full)
    with pytest.raises(LedgerError) as caught:
        w.contribute()
    assert "Nothing was charged" not in caught.value.hint
    assert "charges nothing more" in caught.value.hint
    assert not (w.folder / "contribution-north.bin").exists()
    monkeypatch.undo()
    spent = w.standing().spent
    done = w.contribute()
    assert done.again
    assert w.standing().spent == spent


def no_room(monkeypatch, where):
    real = os.link

    def link(source, target):
        if Path(target).parent == where:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "link", link)


def test_a_folder_without_room_gets_the_kept_bytes_later_for_nothing(world, monkeypatch):
    w = world("joined")
    files = sorted(w.folder.iterdir())
    no_room(monkeypatch, w.folder)
    with pytest.raises(OutputError, match=r"contribution-north\.bin: cannot be written \(No space") as caught:
        w.contribute()
    assert "room" in caught.value.hint
    assert sorted(w.folder.iterdir()) == files
    spent, kept = w.standing().spent, next(w.place.glob("north.identity.studies/*/contribution"))
    monkeypatch.undo()
    assert w.contribute().again
    session = w.read()[0].body.session
    kept = w.place / "north.identity.studies" / session / "contribution"
    assert (w.folder / "contribution-north.bin").read_bytes() == kept.read_bytes()
    assert w.standing().spent == spent


# ---- what fails between the charge and the contribution


def test_an_engine_that_fails_after_the_charge_is_noted_and_not_refunded(world, monkeypatch):
    w = world("joined")
    before = w.standing().spent

    def failing(*arguments):
        raise RuntimeError("canaryward")

    monkeypatch.setattr("privkit.study.party.party_vector", failing)
    with pytest.raises(AggregateError) as caught:
        w.contribute()
    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "What was charged stays charged" in caught.value.hint
    assert w.entries()[-2:] == ["charged", "failed"]
    assert w.standing().spent.rho > before.rho
    assert not (w.folder / "contribution-north.bin").exists()


def test_interrupted_after_the_charge_is_noted_too(world, monkeypatch):
    w = world("joined")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("privkit.study.party.party_vector", interrupted)
    with pytest.raises(KeyboardInterrupt):
        w.contribute()
    assert w.entries()[-2:] == ["charged", "failed"]


# ---- budgets


def refused(world, error, file, told, **options):
    data = privkit.Dataset.load(describe(world.place, "north", file=file, **options))
    privkit.create_budget(data)
    before = privkit.show_budget(data)
    with pytest.raises(error, match=told) as caught:
        steps.contribute_study(world.folder, world.place / "north.identity", data)
    assert privkit.show_budget(data) == before
    assert not (world.folder / "contribution-north.bin").exists()
    assert not list(world.place.glob("north.identity.studies/*/.contribution*"))
    return caught.value


def test_a_pure_budget_is_refused(world):
    w = world("joined")
    error = refused(w, StudyError, "pure", "pure", measure="pure", delta="0")
    assert error.exit_code == 1
    assert "zcdp" in error.hint


def test_a_budget_without_room_is_refused(world):
    w = world("joined")
    error = refused(w, BudgetRefusedError, "small", "left", epsilon="0.5")
    assert error.exit_code == 3
    assert error.requested == w.read()[0].body.rho
    assert not error.quota
    w.contribute()  # with a budget that has room


def test_a_quota_without_room_is_refused(world):
    w = world("joined")
    data = privkit.Dataset.load(w.place / "north.dataset.yaml")
    before = w.standing().spent
    privkit.grant_budget(data, "ann", Decimal("0.01"), by="me")
    with pytest.raises(BudgetRefusedError) as caught:
        w.contribute(analyst="ann")
    assert caught.value.quota
    assert w.standing().spent == before
    w.contribute(analyst="bea")


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (("ward: {type: category}", "ward: {type: boolean}"), DatasetError, "column ward is declared boolean"),
        (("  ward: {type: category}\n", ""), DatasetError, "a column ward"),
        (("from: LENGTH", "from: LENGHT"), PrivkitError, "LENGHT"),
        (("column: pid", "column: pidd"), PrivkitError, "pidd"),
        (("north.parquet", "gone.parquet"), PrivkitError, "gone.parquet"),
        (("north.ledger", "gone.ledger"), LedgerError, "gone.ledger"),
        (("north.ledger", "south.ledger"), LedgerError, "of the dataset south"),
    ],
)
def test_a_description_that_lacks_what_the_study_reads_costs_nothing(world, change, error, told):
    w = world("joined")
    path = w.place / "north.dataset.yaml"
    text, before = path.read_text(), w.standing()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(error, match=told):
        w.contribute()
    path.write_text(text)
    assert w.standing() == before
    assert not (w.folder / "contribution-north.bin").exists()


# ---- the key holder


@pytest.fixture(scope="module")
def weaker(tmp_path_factory):
    """A session in which the key holder draws the noise: what is drawn twice would be seen to differ."""
    privacy = {"epsilon": "2", "delta": "1e-11"}
    return build(tmp_path_factory.mktemp("weaker"), ("flu",), noise="key-holder", privacy=privacy)["aggregated"]


@pytest.mark.slow
def test_a_reveal_that_is_killed_at_any_step_ends_with_the_same_result(weaker, tmp_path):
    found = run("reveal", weaker, tmp_path)
    never = ("shown unnoted", "changed", "decrypted again", "noted again", "keys left", "not over", "left over")
    steps_passed = found.pop("killed at")
    assert [step for step in steps_passed if "link" not in step] == [
        *("before with_noise", "after with_noise", "before note", "after note"),
        *("before destroy", "after destroy") * 2,
        *("before publish", "after publish", "after output", "before arrived", "after arrived"),
    ]
    assert found == {"finished": len(steps_passed), **dict.fromkeys(never, 0)}


def revealed(world, **options):
    return steps.reveal_study(world.folder, world.place / "analyst.identity", **options)


def kept(world):
    session = world.read()[0].body.session
    return {path.name for path in (world.place / "analyst.identity.studies" / session).iterdir()} - {".lock"}


def test_after_the_reveal_the_keys_are_gone_and_nothing_opens_again(world):
    w = world("aggregated")
    result, holder = revealed(w)
    assert kept(w) == {"invitation", "reveal"}
    again, holder = revealed(w)  # the result has not arrived yet: the same one, without a key
    assert again == result
    holder.arrived()
    holder.arrived()
    with pytest.raises(StudyError, match="was revealed and its keys are destroyed") as caught:
        revealed(w)
    assert caught.value.exit_code == 1
    assert "result.bin" in caught.value.hint
    steps.verify_study(w.folder)


def test_keys_are_written_over_before_they_are_removed(world, monkeypatch):
    w = world("aggregated")
    seen = []
    real = Path.unlink

    def unlink(self, missing_ok=False):
        if self.name.endswith(".secret"):
            seen.append(set(self.read_bytes()))
        real(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    revealed(w)
    assert seen == [{0}, {0}]


def test_without_a_ledger_that_can_be_written_nothing_is_shown(world, monkeypatch):
    w = world("aggregated")
    ledger = w.place / "analyst.ledger.sqlite3"
    system_note = Ledger.note

    def full(self, *arguments):
        raise LedgerError("the disk is full", hint="Nothing was charged.")

    monkeypatch.setattr(Ledger, "note", full)
    for place in (ledger, w.place / "missing.sqlite3", w.place / "flu.study.yaml"):
        with pytest.raises(LedgerError):
            revealed(w, ledger=place)
        assert not (w.folder / "result.bin").exists()
    assert "reveal" in kept(w)
    monkeypatch.setattr(Ledger, "note", system_note)
    first = next(w.place.glob("analyst.identity.studies/*/reveal")).read_bytes()
    revealed(w, ledger=ledger)
    revealed(w, ledger=ledger)
    assert (w.folder / "result.bin").read_bytes() == first
    with Ledger.open(ledger) as opened:
        notes = [entry.record for entry in opened.entries() if entry.kind == "revealed"]
    assert len(notes) == 1
    assert notes[0]["aggregate"] == w.read()[3].sha256


def test_a_result_that_cannot_be_published_is_given_again(world, monkeypatch):
    w = world("aggregated")
    no_room(monkeypatch, w.folder)
    with pytest.raises(OutputError, match=r"result\.bin: cannot be written"):
        revealed(w)
    monkeypatch.undo()
    first = next(w.place.glob("analyst.identity.studies/*/reveal")).read_bytes()
    revealed(w)
    assert (w.folder / "result.bin").read_bytes() == first


@pytest.mark.parametrize("confidence", [0.4, 1, 1.0, 1 - 1e-16, float("nan"), float("inf"), "0.9", None, True])
def test_a_confidence_that_no_interval_has_is_refused_before_anything_is_decrypted(world, confidence):
    w = world("aggregated")
    with pytest.raises(UsageError, match="confidence"):
        revealed(w, confidence=confidence)
    assert kept(w) == {"invitation", "context-1.secret", "context-2.secret"}


def test_the_highest_confidence_does(world):
    w = world("aggregated")
    result, _ = revealed(w, confidence=0.999999999)
    assert result.statistics[0].confidence == 0.999999999


def test_two_reveals_at_once_are_one(world):
    w = world("aggregated")
    _, holder = revealed(w)
    with holder._state.alone(), pytest.raises(StudyError, match="another process works"):
        revealed(w)
    assert World(w.place).read()[4] is not None


# ---- more than was declared


def test_a_party_with_more_people_than_it_may_have_cannot_make_the_sum_wrap(tmp_path, monkeypatch):
    monkeypatch.setattr("privkit.study.party.with_share", lambda pool, flat, scales: flat)
    frames = {name: table(seed).assign(pid=range(200), age=110) for seed, name in enumerate(NAMES)}
    unit = {"max_groups": 1, "max_rows_per_group": 1, "max_units": 50}
    statistics = ("SELECT COUNT(*) AS n, SUM(age) AS s FROM data",)
    result = Session(tmp_path, frames=frames, unit=unit, statistics=statistics).run()
    drawn = {one.vector: one.values[0][0] for one in result.statistics[0].drawn}
    assert drawn == {"rows": 150, "sum of age": 150 * 110}
