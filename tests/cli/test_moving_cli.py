"""`privkit budget export` and `import`, and every command of a budget on a ledger in PostgreSQL."""

import json
import os
import pty
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.cli import main
from privkit.ledger.postgres_schema import ROLES

DESCRIPTION = """\
name: visits
source: visits.parquet
version: "1"
privacy_unit: {column: person, max_groups: 1, max_rows_per_group: 1, max_units: 1000}
budget: {epsilon: 1.0, delta: 1e-6}
ledger: LEDGER
columns:
  age: {type: integer, bounds: [0, 110]}
"""
COUNT = "SELECT COUNT(*) AS n FROM visits"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = {"person": [f"p{i}" for i in range(400)], "age": [20 + i % 60 for i in range(400)]}
    pq.write_table(pa.table(table), tmp_path / "visits.parquet")
    describe("old.sqlite3")
    return tmp_path


def describe(ledger):
    Path("visits.yaml").write_text(DESCRIPTION.replace("LEDGER", ledger))


@pytest.fixture
def database(postgres):
    """A database with nothing in it: its name, and its URL for the owner."""
    name = postgres.database()
    return name, postgres.url(name)


def ran(capsys, *words, code=0):
    assert main([*words]) == code
    return capsys.readouterr()


def test_moved_by_commands(place, capsys):
    ran(capsys, "budget", "create", "visits.yaml")
    ran(capsys, "release", "visits.yaml", "--epsilon", "0.1", "--yes", COUNT)
    out, err = ran(
        capsys, "budget", "export", "visits.yaml", "-o", "moving.jsonl", "--to", "new.sqlite3", "--by", "ana"
    )
    assert out == ""
    assert "4 entries and 1 answer" in err
    assert "This ledger is closed" in err
    assert "budget import DATASET.yaml moving.jsonl" in err
    assert stat.S_IMODE(Path("moving.jsonl").stat().st_mode) == 0o600
    out, err = ran(capsys, "release", "visits.yaml", "--epsilon", "0.1", "--yes", "--fresh", COUNT, code=1)
    assert "was moved to file://" in err
    assert "have the description's `ledger:` name that place" in err
    out, err = ran(capsys, "budget", "show", "visits.yaml")
    assert "closed    the budget goes on at file://" in out
    out, err = ran(capsys, "budget", "import", "visits.yaml", "moving.jsonl", code=1)
    assert "was moved to" in err
    describe("new.sqlite3")
    out, err = ran(capsys, "budget", "import", "visits.yaml", "moving.jsonl", "--json")
    assert err == ""
    told = json.loads(out)
    assert (told["entries"], told["answers"], told["again"]) == (5, 1, False)
    out, err = ran(capsys, "budget", "import", "visits.yaml", "moving.jsonl")
    assert out == ""
    assert "had arrived before" in err
    out, err = ran(capsys, "release", "visits.yaml", "--epsilon", "0.1", "--yes", COUNT)
    assert "Stored answer" in out  # the answer that was paid for at the old place
    out, err = ran(capsys, "budget", "history", "visits.yaml")
    assert "closed: the budget goes on at" in out
    assert "goes on here, at" in out


def test_refusals_and_their_codes(place, capsys):
    ran(capsys, "budget", "create", "visits.yaml")
    export = ("budget", "export", "visits.yaml", "-o", "f", "--to")
    for words, code, expected in [
        ((*export, "old.sqlite3"), 2, "there already"),
        ((*export, "postgresql://ana:s3cret@db/x"), 2, "password"),
        ((*export[:-2], "visits.yaml", "--to", "new", "--force"), 1, "would replace a file"),
        ((*export[:-2], "old.sqlite3-wal", "--to", "new"), 1, "would replace a file"),
        (export[:-1], 2, "--to"),
        (("budget", "export", "visits.yaml", "--to", "new"), 2, "--output"),
        (("budget", "import", "visits.yaml", "none"), 1, "cannot be read"),
        (("budget", "import", "visits.yaml", "visits.parquet"), 5, "no exported ledger"),
    ]:
        _, err = ran(capsys, *words, code=code)
        assert expected in err, words
        assert "s3cret" not in err
        assert "Traceback" not in err
    ran(capsys, "budget", "grant", "visits.yaml", "ana", "--epsilon", "0.5")  # it was never closed
    ran(capsys, *export, "new.sqlite3")
    _, err = ran(capsys, *export, "new.sqlite3", code=1)
    assert "exists already" in err
    ran(capsys, *export, "new.sqlite3", "--force")
    describe("new.sqlite3")
    Path("f").write_bytes(Path("f").read_bytes().replace(b'0.5\\"', b'0.6\\"'))
    _, err = ran(capsys, "budget", "import", "visits.yaml", "f", code=5)
    assert "entry 2" in err
    assert not Path("new.sqlite3").exists()


def test_a_bar_on_a_terminal_and_nothing_else_of_it(place, capsys, monkeypatch):
    """A terminal's width of a bar that is gone when the work is done; into a file nothing of it goes."""
    from privkit.report import budget, terminal

    main_end, end = pty.openpty()
    with os.fdopen(end, "w") as screen:
        monkeypatch.setattr("sys.stderr", screen)
        with budget.watched(terminal.console(stderr=True)) as watch:
            watch(500, 1000)
    shown = os.read(main_end, 1 << 16).decode()
    os.close(main_end)
    assert "entries" in shown
    monkeypatch.undo()
    with budget.watched(terminal.console(stderr=True)) as watch:
        watch(500, 1000)
    assert capsys.readouterr() == ("", "")


def test_every_command_of_a_budget_in_postgresql(place, capsys, database, postgres, monkeypatch):
    name, url = database
    describe(url)
    ran(capsys, "budget", "create", "visits.yaml")
    postgres.sql("CREATE ROLE analyst LOGIN PASSWORD '" + postgres.password + "'")
    if not postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'privkit_append'"):
        postgres.sql(ROLES.partition("\n")[0])
    postgres.sql(ROLES.partition("\n")[2], name)
    postgres.sql("GRANT privkit_append TO analyst")
    describe(postgres.url(name, "analyst"))
    told = [
        ran(capsys, "release", "visits.yaml", "--epsilon", "0.1", "--yes", "--card", "card.json", COUNT),
        ran(capsys, "release", "visits.yaml", "--epsilon", "0.1", "--yes", COUNT),
        ran(capsys, "budget", "grant", "visits.yaml", "ana", "--epsilon", "0.5"),
        ran(capsys, "budget", "show", "visits.yaml"),
        ran(capsys, "budget", "history", "visits.yaml"),
        ran(capsys, "identity", "new", "id", "--name", "auditor"),
        ran(capsys, "budget", "checkpoint", "visits.yaml", "-o", "c.json", "--identity", "id"),
        ran(capsys, "budget", "verify", "visits.yaml", "--checkpoint", "c.json"),
        ran(capsys, "card", "verify", "card.json", "--dataset", "visits.yaml"),
        ran(capsys, "budget", "export", "visits.yaml", "-o", "f", "--to", "new.sqlite3"),
    ]
    describe("new.sqlite3")
    told += [
        ran(capsys, "budget", "import", "visits.yaml", "f"),
        ran(capsys, "budget", "verify", "visits.yaml", "--checkpoint", "c.json"),
        ran(capsys, "card", "verify", "card.json", "--dataset", "visits.yaml"),
    ]
    assert "4 entries hold together" in told[7].out
    everything = "".join(out + err for out, err in told)
    assert postgres.password not in everything
    for file in place.iterdir():
        assert postgres.password.encode() not in file.read_bytes(), file
    monkeypatch.setenv("PGPASSWORD", "another s3cret")
    describe(postgres.url(name, "analyst"))
    _, err = ran(capsys, "budget", "show", "visits.yaml", code=1)
    assert "wrong user or password" in err
    assert "s3cret" not in err
    describe("postgresql://analyst:s3cret@db/x")
    _, err = ran(capsys, "budget", "show", "visits.yaml", code=1)
    assert "a password does not belong into a description" in err
    assert "s3cret" not in err
