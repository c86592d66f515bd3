"""Moving a ledger: nothing of it changes, and its budget is never in two places."""

import json
import os
import socket
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from contracts import ledger_store
from contracts.ledger_store import KEY

from privkit.budget import (
    budget_history,
    checkpoint_budget,
    create_budget,
    export_budget,
    grant_budget,
    import_budget,
    show_budget,
    verify_budget,
)
from privkit.dataset import Dataset
from privkit.errors import (
    BudgetRefusedError,
    DatasetError,
    InputError,
    LedgerError,
    OutputError,
    PrivkitError,
    UsageError,
    VerificationError,
)
from privkit.keys.identity import Identity
from privkit.ledger.entries import ARRIVED, CHARGED, MOVED, linked
from privkit.ledger.ledger import Ledger
from privkit.ledger.moving import named_place
from privkit.ledger.store import System
from privkit.ledger.verifying import Replay, verify
from tests.ledger.tampering import recompute
from tests.ledger.tampering import run as tamper

BUDGET = {"epsilon": 1, "measure": "pure"}


def charge(loss="0.1", analyst="ana", **options):
    """One with what a history shows of it."""
    return ledger_store.charge(loss, analyst, cost={"epsilon": loss, "delta": "0"}, sql="SELECT 1", **options)


def dataset(ledger, name="patients", budget=BUDGET):
    return Dataset("x.csv", name=name, unit="row", columns={"a": {"type": "boolean"}}, budget=budget, ledger=ledger)


@pytest.fixture
def places(tmp_path, request):
    """Names a new place of a kind at each call; in a database as its owner, who may make ledgers."""
    out = []

    def place(kind):
        out.append(kind)
        if kind == "sqlite":
            return tmp_path / f"ledger {len(out)}.sqlite3"
        databases = request.getfixturevalue("databases")
        return databases.owners(databases.take())

    yield place
    if "postgres" in out:
        request.getfixturevalue("databases").give_back()


def filled(one):
    create_budget(one)
    grant_budget(one, "ana", Decimal("0.5"), by="the board")
    with Ledger.open(one.ledger_path) as ledger:
        ledger.answer(ledger.charge(charge("0.1", key=KEY, text="é\u2028\x00王")).id, bytes(range(256)))
        ledger.answer(ledger.charge(charge("0.1", key=KEY)).id, b"")
        ledger.fail(ledger.charge(charge("0.05", "ben")).id, "why\x00")
        ledger.note("revealed", {"session": "s"})
        ledger.charge(charge("0.01", "ben"))
    return one


@pytest.fixture
def old(places):
    return filled(dataset(places("sqlite")))


def content(one):
    with Ledger.open(one.ledger_path, one.spec.name, read_only=True) as ledger:
        return list(ledger.rows()), ledger.standing()


BOTH = [("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "sqlite"), ("postgres", "postgres")]


@pytest.mark.parametrize(("source", "target"), BOTH)
def test_everything_arrives_as_it_was(places, tmp_path, source, target):
    old = filled(dataset(places(source)))
    Identity.new(tmp_path / "id", "auditor")
    checkpoint_budget(old, tmp_path / "before.json", tmp_path / "id")
    before, standing = content(old)
    new = dataset(places(target))
    file = tmp_path / "moving.jsonl"
    told = export_budget(old, file, new.ledger_path, by="keeper")
    assert (told.entries, told.answers, told.place, told.again) == (11, 2, named_place(new.ledger_path), False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(LedgerError, match="no ledger"):
        show_budget(new)  # nowhere yet
    told = import_budget(new, file)
    assert (told.entries, told.answers, told.again) == (12, 2, False)
    rows, now = content(new)
    assert rows[:10] == before
    assert [entry.kind for entry, _ in rows[10:]] == [MOVED, ARRIVED]
    assert (now.spent, now.remaining, now.quotas) == (standing.spent, standing.remaining, standing.quotas)
    verify_budget(old, checkpoint=tmp_path / "before.json")
    verify_budget(new, checkpoint=tmp_path / "before.json")
    with Ledger.open(new.ledger_path) as ledger:
        assert ledger.stored(KEY, Decimal(0)).answer == b""  # the later of two, as before
        pending = ledger.charge(charge("0.1")).id
        ledger.answer(pending, b"more")
        with pytest.raises(BudgetRefusedError, match="quota"):
            ledger.charge(charge("0.3"))
    assert verify_budget(new).entries == 14
    assert "goes on here" in [line.what for line in budget_history(new)][11]
    assert show_budget(new).moved_to is None


def test_a_closed_ledger_takes_nothing_and_can_be_looked_at(old, places, tmp_path):
    with Ledger.open(old.ledger_path) as ledger:
        pending = ledger.charge(charge("0.01")).id
    entries = verify_budget(old).entries
    to = places("sqlite")
    export_budget(old, tmp_path / "f", to)
    with Ledger.open(old.ledger_path) as ledger:
        for attempt in (
            lambda: ledger.charge(charge("0.001")),
            lambda: ledger.answer(pending, b"x"),
            lambda: ledger.fail(pending, "x"),
            lambda: ledger.grant("ana", Decimal(1), "1", "eve"),
            lambda: ledger.note("local", {}),
            lambda: ledger.move(named_place(to), "eve"),
            lambda: ledger.move("file://elsewhere/x", "eve"),
        ):
            with pytest.raises(LedgerError, match="was moved to"):
                attempt()
        assert ledger.stored(KEY, Decimal(0)) is not None
        assert ledger.moved_to() == named_place(to)
    assert verify_budget(old).entries == entries + 1
    assert show_budget(old).moved_to == named_place(to)
    assert "closed: the budget goes on at" in list(budget_history(old))[-1].what


def test_a_writer_that_had_it_open_finds_it_closed(old, places, tmp_path):
    with Ledger.open(old.ledger_path) as ledger:
        ledger.charge(charge("0.01"))
        export_budget(old, tmp_path / "f", places("sqlite"))
        with pytest.raises(LedgerError, match="was moved to"):
            ledger.charge(charge("0.01"))


def test_a_charge_under_way_stays_charged_and_gets_no_answer(old, places, tmp_path):
    """It is charged before the ledger closes, and answered after: the answer is refused at both places."""
    new = dataset(places("sqlite"))
    with Ledger.open(old.ledger_path) as ledger:
        receipt = ledger.charge(charge("0.1"))
        export_budget(old, tmp_path / "f", new.ledger_path)
        with pytest.raises(LedgerError, match="was moved to"):
            ledger.answer(receipt.id, b"x")
    import_budget(new, tmp_path / "f")
    assert verify(new.ledger_path).spent == receipt.spent_after.loss
    assert verify(new.ledger_path).unanswered == 2


def test_exported_again_it_is_the_same_file(old, places, tmp_path):
    to = places("sqlite")
    assert not export_budget(old, tmp_path / "first", to).again
    again = export_budget(old, tmp_path / "second", to)
    assert again.again
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    with pytest.raises(LedgerError, match="already, not to"):
        export_budget(old, tmp_path / "third", places("sqlite"))
    assert not (tmp_path / "third").exists()


def test_what_must_be_right_before_a_ledger_is_closed(old, places, tmp_path, monkeypatch):
    (tmp_path / "there").write_text("x")
    other = filled(dataset(places("sqlite")))
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    for output, to, error, expected in [
        ("there", "new", OutputError, "exists"),
        ("no/folder", "new", OutputError, "does not exist"),
        ("file", Path(old.ledger_path).name, UsageError, "there already"),
        ("file", link / Path(old.ledger_path).name, UsageError, "there already"),
        (old.ledger_path, "new", UsageError, "no ledger itself"),
        ("new", "new", UsageError, "no ledger itself"),
        ("file", other.ledger_path, LedgerError, "there is a ledger at"),
        ("file", "there", LedgerError, "or something else"),
        ("file", "postgresql://ana:s3cret@db/x", UsageError, "password"),
        ("file", "postgresql:///x", UsageError, "names the host"),
        ("file", "postgresql://db", UsageError, "names the host"),
        ("file", "mysql://db/x", UsageError, "a path"),
        ("file", "file:///x", UsageError, "file://HOST"),
        ("file", "", UsageError, "a path"),
    ]:
        with pytest.raises(error, match=expected):
            export_budget(old, output, to, force=output != "there")
    assert not (tmp_path / "file").exists()
    with Ledger.open(old.ledger_path) as ledger:
        ledger.charge(charge("0.001"))


def test_a_ledger_that_does_not_hold_is_not_closed(old, places, tmp_path):
    tamper(old.ledger_path, "UPDATE answers SET answer = X'00'")
    with pytest.raises(VerificationError):
        export_budget(old, tmp_path / "f", places("sqlite"))
    with Ledger.open(old.ledger_path) as ledger:
        assert ledger.moved_to() is None
    assert not (tmp_path / "f").exists()


def test_a_disk_without_room_for_the_file_loses_nothing(old, places, tmp_path, monkeypatch):
    to = places("sqlite")
    monkeypatch.setattr("privkit.ledger.moving._line", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OutputError, match="No space left"):
        export_budget(old, tmp_path / "f", to)
    monkeypatch.undo()
    assert list(tmp_path.glob("*f*")) == []
    assert export_budget(old, tmp_path / "f", to).again
    import_budget(dataset(to), tmp_path / "f")


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_it_arrives_nowhere_else_and_only_once(old, places, tmp_path, target):
    to, elsewhere = places(target), places(target)
    export_budget(old, tmp_path / "f", to)
    with pytest.raises(LedgerError, match="was moved to"):
        import_budget(dataset(elsewhere), tmp_path / "f")
    with pytest.raises(LedgerError, match="was moved to"):
        import_budget(old, tmp_path / "f")
    with pytest.raises(LedgerError, match="patients, not of staff"):
        import_budget(dataset(to, "staff"), tmp_path / "f")
    with pytest.raises(DatasetError, match="disagree"):
        import_budget(dataset(to, budget={"epsilon": 2, "measure": "pure"}), tmp_path / "f")
    for place in (to, elsewhere):
        with pytest.raises(LedgerError, match="no ledger"):
            show_budget(dataset(place))
    new = dataset(to)
    assert not import_budget(new, tmp_path / "f").again
    with Ledger.open(new.ledger_path) as ledger:
        ledger.charge(charge("0.01"))
    assert import_budget(new, tmp_path / "f").again  # a command that was cut off and run again
    assert verify_budget(new).entries == 13


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_another_ledger_is_never_written_over(old, places, tmp_path, target):
    to = places(target)
    export_budget(old, tmp_path / "f", to)
    create_budget(dataset(to))
    with pytest.raises(LedgerError, match="never written over"):
        import_budget(dataset(to), tmp_path / "f")
    assert verify_budget(dataset(to)).entries == 1


def test_on_and_on(old, places, tmp_path):
    """From place to place; each closed, and the way of the budget in every chain."""
    for number, kind in enumerate(("postgres", "sqlite", "sqlite")):
        new = dataset(places(kind))
        export_budget(old, tmp_path / str(number), new.ledger_path)
        import_budget(new, tmp_path / str(number))
        with pytest.raises(LedgerError, match="was moved to"), Ledger.open(old.ledger_path) as ledger:
            ledger.charge(charge("0.01"))
        with Ledger.open(new.ledger_path) as ledger:
            ledger.charge(charge("0.01"))
        old = new
    assert [line.kind for line in budget_history(old)][10:] == ["moved", "arrived", "charged"] * 3
    with pytest.raises(LedgerError, match="was moved"):
        import_budget(dataset(tmp_path / "elsewhere"), tmp_path / "2")


# --- files that were changed


@pytest.fixture
def exported(old, places, tmp_path):
    to = places("sqlite")
    export_budget(old, tmp_path / "file", to)
    return tmp_path / "file", dataset(to)


def test_every_line_that_is_missing_doubled_or_exchanged(exported):
    file, new = exported
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 14
    for number in range(len(lines)):
        without = lines[:number] + lines[number + 1 :]
        doubled = lines[: number + 1] + lines[number:]
        turned = lines[:number] + lines[number : number + 2][::-1] + lines[number + 2 :]
        cut = [*lines[:number], lines[number][: len(lines[number]) // 2]]
        for changed in (without, doubled, cut, *([turned] if number < len(lines) - 1 else [])):
            refused(file, new, b"".join(changed))


def test_every_field_that_was_changed(exported):
    file, new = exported
    lines = file.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        record = json.loads(line)
        fields = record if number == 0 else next(iter(record.values()))
        for place in range(len(fields)) if number else list(fields):
            for value in (None, 7, "x", "", [], f"{fields[place]} "):
                if fields[place] == value:
                    continue
                kept, fields[place] = fields[place], value
                refused(
                    file, new, b"".join([*lines[:number], json.dumps(record).encode() + b"\n", *lines[number + 1 :]])
                )
                fields[place] = kept


def refused(file, new, changed):
    file.write_bytes(changed)
    with pytest.raises(PrivkitError) as caught:
        import_budget(new, file)
    assert isinstance(caught.value, (VerificationError, LedgerError, UsageError)), caught.value
    assert not Path(new.ledger_path).exists()
    assert not list(Path(new.ledger_path).parent.glob(".ledger*"))


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"{}\n", b"null\n" * 3, b'{"entry":[]}\n'])
def test_files_that_are_none(exported, text):
    file, new = exported
    file.write_bytes(text)
    with pytest.raises(VerificationError, match="no exported ledger"):
        import_budget(new, file)
    file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        import_budget(new, file)


def test_a_file_that_changes_while_it_is_read(exported, monkeypatch):
    """What was checked is not what is written: the new ledger is verified before it comes into being."""
    file, new = exported
    lines = file.read_bytes().splitlines(keepends=True)

    def at(step):
        if step == "before begin":
            file.write_bytes(b"".join([*lines[:3], *lines[4:]]))

    with pytest.raises(VerificationError):
        import_budget(new, file, system=System(at=at))
    assert not Path(new.ledger_path).exists()


# --- chains that a mover never writes


def follow(*kinds_and_bodies):
    replay = Replay("it", lambda id: None)
    opening = '{"dataset":"d","unit":"row","limit":{"measure":"pure","epsilon":"1","delta":"0","loss":"1"}}'
    for number, (kind, body) in enumerate([("opened", opening), *kinds_and_bodies]):
        replay.follow(linked(number + 1, replay.head.hash, f"id{number}", kind, "2026-01-01T00:00:00.000Z", body))
    return replay


AWAY, HERE = (MOVED, '{"to":"file://h/x","by":"ana"}'), (ARRIVED, '{"at":"file://h/x","by":"ana"}')
CHARGE = (CHARGED, '{"loss":"0.1","delta":"0","analyst":"ana","key":null,"what":{}}')


def test_moved_and_arrived_in_their_order():
    assert follow(AWAY).moved == "file://h/x"
    assert follow(AWAY, HERE, CHARGE, AWAY, HERE).moved is None


@pytest.mark.parametrize(
    "wrong",
    [
        [AWAY, CHARGE],
        [AWAY, AWAY],
        [HERE],
        [AWAY, HERE, HERE],
        [AWAY, (ARRIVED, '{"at":"file://h/y","by":"ana"}')],
        [AWAY, (ARRIVED, "{}")],
        [(MOVED, '{"to":"","by":"ana"}')],
        [(MOVED, '{"to":"file://h/x","by":"ana","more":1}')],
    ],
)
def test_chains_that_no_mover_writes(wrong):
    follow(*wrong[:-1])
    with pytest.raises(VerificationError) as caught:
        follow(*wrong)
    assert caught.value.sequence == len(wrong) + 1


def test_a_closed_ledger_that_was_opened_again_by_hand_is_found(old, places, tmp_path):
    """The closing entry taken away, and the totals set to match: found against what was signed since."""
    from tests.ledger.tampering import edited

    Identity.new(tmp_path / "id", "auditor")
    export_budget(old, tmp_path / "f", places("sqlite"))
    checkpoint_budget(old, tmp_path / "closed.json", tmp_path / "id")
    with edited(old.ledger_path) as connection:
        connection.execute("DELETE FROM entries WHERE kind = 'moved'")
        recompute(connection)
    with pytest.raises(VerificationError, match="was signed"):
        verify_budget(old, checkpoint=tmp_path / "closed.json")


# --- names of places


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("postgresql://ana@DB.example/privacy", "postgresql://db.example:5432/privacy"),
        ("postgres://db.example:5433/privacy?sslmode=require", "postgresql://db.example:5433/privacy"),
        ("postgresql://a,b:5433/x", "postgresql://a:5432,b:5433/x"),
        ("postgresql:///x?host=db.example&port=77", "postgresql://db.example:77/x"),
        ("postgresql://db.example?dbname=x", "postgresql://db.example:5432/x"),
        ("postgresql://[fe80::1]:5433/x", "postgresql://[fe80::1]:5433/x"),
        ("postgresql://localhost/x", f"postgresql://{socket.gethostname()}:5432/x"),
        ("postgresql://127.0.0.1:5433/x", f"postgresql://{socket.gethostname()}:5433/x"),
        ("postgresql://[::1]/x", f"postgresql://{socket.gethostname()}:5432/x"),
        ("postgresql:///x?host=/run/postgresql", f"postgresql://{socket.gethostname()}:5432/x"),
        ("file://Other/srv/../a b/ledger", "file://other/a b/ledger"),
        ("file://localhost/a", f"file://{socket.gethostname()}/a"),
        ("/no/such/folder/../x", f"file://{socket.gethostname()}/no/such/x"),
    ],
)
def test_named_places(place, expected):
    assert named_place(place) == expected
    if expected.startswith("postgresql"):
        assert named_place(expected) == expected


# --- killed at every step

ALL = ["before begin", "after insert", "before commit", "after commit"]
FILE = ["before file", "written file", "after file"]


def killed(what, root, old, new):
    done = subprocess.run(
        [sys.executable, "-W", "error", Path(__file__).with_name("killed_movers.py"), what, root, str(old), str(new)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("source", "target"), BOTH[:3])
def test_killed_at_every_step_of_both(places, tmp_path, source, target):
    for what, steps in (("export", [*ALL, *FILE]), ("import", ALL)):
        (tmp_path / what).mkdir()
        old, new = (kind if kind == "sqlite" else places(kind) for kind in (source, target))
        found = killed(what, tmp_path / what, old, new)
        assert found["killed at"] == steps
        if what == "export":  # open until the closing entry is committed, then nowhere until it has arrived
            assert found["took charges"] == [[True, False]] * 3 + [[False, False]] * 4
        else:
            assert found["took charges"] == [[False, False]] * 3 + [[False, True]]
        assert found["in the end"] == [[False, True]] * len(steps)
