"""`privkit dataset`, `budget`, `release` and `identity`: what is parsed, printed where, refused and charged."""

import csv
import json
import os
import pty
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import duckdb
import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import privkit
from privkit.cli import main
from privkit.errors import OutputError
from privkit.model.release import BudgetStanding, Preview, Release
from privkit.report import release_files
from tests.report import release_sample as sample

COMMANDS = [
    ["dataset"], ["dataset", "init"], ["dataset", "schema"], ["dataset", "check"],
    ["budget"], ["budget", "create"], ["budget", "show"], ["budget", "history"], ["budget", "grant"],
    ["budget", "verify"], ["budget", "checkpoint"], ["budget", "export"], ["budget", "import"],
    ["identity"], ["identity", "new"], ["identity", "show"], ["release"],
]  # fmt: skip
DESCRIPTION = """\
name: visits
source: visits.parquet
version: "1"
privacy_unit: {column: person, max_groups: 1, max_rows_per_group: 1, max_units: 1000}
budget: {epsilon: 1.0, delta: 1e-6, measure: MEASURE, threshold_delta: 0}
ledger: ledger.sqlite3
columns:
  age: {type: integer, bounds: [0, 110]}
  region: {type: category, categories: [north, south]}
  ward: {type: category}
  score: {type: float}
"""
GROUPED = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region"
COUNT = "SELECT COUNT(*) AS n FROM visits"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two datasets with their budgets: one under zcdp, one pure with room for ten tenths."""
    folder = tmp_path_factory.mktemp("visits")
    people = [f"p{i}" for i in range(400)]
    table = {
        "person": people,
        "age": [20 + i % 60 for i in range(400)],
        "region": ["north" if i % 4 else "south" for i in range(400)],
        "ward": ["SECRET-WARD"] * 400,
        "score": [0.5] * 400,
    }
    pq.write_table(pa.table(table), folder / "visits.parquet")
    zcdp = DESCRIPTION.replace("MEASURE", "zcdp")
    pure = DESCRIPTION.replace("MEASURE", "pure").replace("1e-6", "0").replace("ledger.sqlite3", "pure.sqlite3")
    (folder / "visits.yaml").write_text(zcdp)
    (folder / "pure.yaml").write_text(pure)
    for name in ("visits.yaml", "pure.yaml"):
        privkit.create_budget(privkit.Dataset.load(folder / name))
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVKIT_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys):
    def privkit_(command: str, *more: str) -> tuple[int, str, str]:
        code = main([*shlex.split(command), *more])
        return code, *capsys.readouterr()

    return privkit_


def spent(name: str = "visits.yaml") -> BudgetStanding:
    return privkit.show_budget(privkit.Dataset.load(name))


def files(folder: Path) -> set[str]:
    """Names, but for what SQLite and the lock keep beside a ledger."""
    return {path.name for path in folder.iterdir() if ".sqlite3" not in path.name}


# ---- parsing


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help(words, capsys):
    assert main([*words, "-h"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: privkit {' '.join(words)} ")
    assert err == ""


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("release visits.yaml", "Missing argument 'SQL'"),
        (f"release visits.yaml '{COUNT}' --yes", "exactly one of --epsilon, --rho and --accuracy"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon 1 --rho 1", "exactly one of"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon 0", "it must be above 0"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon=-0.1", "a number of at least 0 is wanted"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon nan", "a finite number is wanted"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon inf", "a finite number is wanted"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon 0,1", "a number is wanted"),
        (f"release visits.yaml '{COUNT}' --yes --rho 0", "it must be above 0"),
        (f"release visits.yaml '{COUNT}' --yes --accuracy 0", "above 0"),
        (f"release visits.yaml '{COUNT}' --yes --accuracy nan", "above 0"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon 0.1 --confidence 1", "a confidence"),
        (f"release visits.yaml '{COUNT}' --yes --epsilon 0.1 --assume-units 0", "0 is not in the range"),
        (f"release visits.yaml '{COUNT}' --yes --accuracy 5 --threshold-delta 0", "it must be above 0"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1", "--yes is needed"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes --json -o -", "would both write to standard output"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --dry-run -o r.json", "--dry-run writes no file"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes -o r --csv ./r", "the output and the CSV are the same"),
        (f"release pure.yaml '{COUNT}' --rho 0.1 --yes", "this budget is pure"),
        ("release visits.yaml 'SELECT AVG(age) AS a FROM visits' --accuracy 1 --yes", "accuracy"),
        ("budget grant visits.yaml ana", "Missing option '--epsilon'"),
        ("budget grant visits.yaml ana --epsilon 0", "it must be above 0"),
        ("budget grant visits.yaml ' ana' --epsilon 1", "an analyst's name"),
        ("budget verify visits.yaml --signer ed25519:x", "--checkpoint"),
        ("budget checkpoint visits.yaml -o c.json", "Missing option '--identity'"),
        ("budget", "Usage: privkit budget"),
    ],
)  # fmt: skip
def test_wrong_usage_spends_nothing(run, place, command, message):
    before = files(place)
    code, out, err = run(command)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert files(place) == before
    assert spent().entries == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("release no.yaml 'x' --epsilon 0.1 --yes", "no.yaml: cannot be read"),
        ("release visits.yaml 'SELECT COUNT(* FROM visits' --epsilon 0.1 --yes", ""),
        ("release visits.yaml 'SELECT AVG(weight) AS w FROM visits' --epsilon 0.1 --yes", "weight"),
        ("release visits.yaml 'SELECT SUM(score) AS s FROM visits' --epsilon 0.1 --yes", "score"),
        ("release visits.yaml 'SELECT AVG(region) AS s FROM visits' --epsilon 0.1 --yes", "region"),
        ("release visits.yaml 'SELECT ward, COUNT(*) FROM visits GROUP BY ward' --epsilon 0.1 --yes", "ward"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes -o visits.yaml", "visits.yaml"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes -o visits.yaml --force", "a file that the release needs"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes --csv visits.parquet --force", "release needs"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes --html ledger.sqlite3 --force", "release needs"),
        (f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes -o no/r.json", "the folder no does not exist"),
        ("dataset check no.yaml", "no.yaml: cannot be read"),
        ("dataset init no.csv -o d.yaml", "no.csv"),
        ("dataset init visits.parquet -o visits.yaml", "exists already"),
        ("budget create visits.yaml", "exists"),
        ("identity show visits.yaml", "visits.yaml"),
        ("budget checkpoint visits.yaml -o c.json --identity no.id", "no.id"),
    ],
)
def test_what_cannot_be_done_is_said_and_charges_nothing(run, place, command, message):
    before, entries = files(place), spent().entries
    code, out, err = run(command)
    assert (code, out) == (1, "")
    assert err.startswith("privkit: error: ")
    assert message in err
    assert "SECRET-WARD" not in err
    assert "bug" not in err
    assert files(place) == before
    assert spent().entries == entries


# ---- release against a stand-in for the session


class Session:
    """Keeps what it was asked and gives a made-up answer."""

    def __init__(self, *, stored: bool = False, fits: bool = True) -> None:
        self.asked: list[dict[str, object]] = []
        self.preview_ = sample.preview(stored=stored, fits=fits)
        self.stored = stored
        self.remaining = sample.loss("2.1", "0.1")

    def __call__(self, _dataset, analyst, **room):
        self.analyst, self.room = analyst, room
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def preview(self, _sql, **options) -> Preview:
        self.asked.append({"preview": True, **options})
        return self.preview_

    def sql(self, sql, **options):
        self.asked.append({"sql": sql, **options})
        return SimpleNamespace(release=sample.release(), stored=self.stored and not options["fresh"])


@pytest.fixture
def session(place, monkeypatch):
    def put(**how) -> Session:
        made = Session(**how)
        monkeypatch.setitem(vars(privkit), "Session", made)
        return made

    return put


@pytest.fixture
def answering(monkeypatch):
    def put(answer: str) -> None:
        monkeypatch.setattr("privkit.cli._output.on_a_terminal", lambda: True)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: print(prompt, end="") or answer)

    return put


def test_amounts_arrive_as_they_were_typed(run, session):
    made = session()
    options = "--rho 0.00100 --threshold-delta 1e-9 --assume-units 50 --confidence 0.9 --analyst ana --fresh"
    options += " --spill /big --memory 4GB"
    assert run(f"release visits.yaml '{COUNT}' --yes {options}")[0] == 0
    (asked,) = made.asked
    assert (made.analyst, asked["sql"], asked["fresh"]) == ("ana", COUNT, True)
    assert made.room == {"spill": "/big", "memory": "4GB"}
    assert (str(asked["rho"]), asked["threshold_delta"]) == ("0.00100", Decimal("1e-9"))
    assert (asked["confidence"], asked["assume_units"]) == (0.9, 50)
    assert asked["epsilon"] is asked["accuracy"] is None


def test_on_a_terminal_it_shows_what_it_would_do_on_standard_error_and_asks(run, session, answering):
    made = session()
    answering("y")
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5")
    assert code == 0
    assert [("preview" in asked) for asked in made.asked] == [True, False]
    assert "Cost ε 0.5" in err
    assert "Spend it?" in err
    assert "Cost ε 0.5" not in out
    assert "1,234" in out


def test_no_is_an_answer(run, session, answering):
    made = session()
    answering("")
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 -o r.json")
    assert (code, out) == (1, "")
    assert err.endswith("Nothing was spent.\n")
    assert len(made.asked) == 1
    assert not Path("r.json").exists()


def test_what_is_stored_is_not_asked_about(run, session, answering, monkeypatch):
    made = session(stored=True)
    answering("n")
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5")
    assert (code, err) == (0, "")
    assert "Stored answer of 2026-11-22 01:30:04 UTC: nothing spent." in out
    code, _, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --fresh")  # this one costs
    assert code == 1
    assert "Spend it?" in err
    assert len(made.asked) == 3


def test_a_dry_run_says_whether_it_fits(run, session):
    made = session(fits=False)
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --dry-run --yes")
    assert code == 3
    assert "It does not fit" in out
    assert "privkit: error: it would not fit: it costs ε 0.5" in err
    assert session(fits=False, stored=True)
    assert run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --dry-run")[0] == 0
    assert run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --dry-run --fresh")[0] == 3
    code, out, _ = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --dry-run --json")
    assert Preview.model_validate_json(out).sql
    assert not any("sql" in asked for asked in made.asked)


def test_what_fails_after_the_charge_says_that_the_answer_is_stored(run, session, monkeypatch):
    session()

    def broken(*_args, **_named):
        raise OutputError("r.json: cannot be written", hint="Is there room?")

    monkeypatch.setattr(release_files, "write_release", broken)
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --yes -o r.json")
    assert (code, out) == (1, "")
    assert "Is there room? The answer is paid for and stored" in err


def test_standard_output_is_json_alone_where_that_is_asked_for(run, session):
    session()
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --yes --json")
    record = json.loads(out)
    assert code == 0
    assert record["stored"] is False
    assert record["remaining"]["epsilon"] == "2.1"
    assert record["cost"]["rho"] == "0.0063214789123"
    assert "Spent ε 0.5" in err
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --yes -o -")
    assert Release.model_validate_json(out) == sample.release()
    assert "Spent ε 0.5" in err


# ---- whole commands


def test_a_release_its_files_and_its_stored_answer(run, place):
    command = f"release visits.yaml '{GROUPED}' --epsilon 0.5 --yes"
    before = files(place)
    code, out, err = run(f"{command} -o r.json --csv r.csv --html r.html --analyst ana")
    assert (code, err) == (0, "")
    assert files(place) - before == {"r.json", "r.csv", "r.html"}
    release = Release.model_validate_json(Path("r.json").read_text())
    assert [key for (key,) in release.keys] == ["north", "south"]
    assert (release.analyst, str(release.cost.epsilon)) == ("ana", "0.5")
    with Path("r.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["region"] for row in rows] == ["north", "south"]
    for row, values in zip(rows, release.results[0].values, strict=True):
        assert float(row["n_low"]) <= float(row["n"]) <= float(row["n_high"])
        assert int(row["n"]) == values[0].value
    assert f"{release.results[0].values[0][0].value:,}" in out
    assert "Spent ε 0.5" in out
    assert "Private statistics of visits" in Path("r.html").read_text()
    after = spent()

    code, out, _ = run(f"{command} --csv again.csv")
    assert code == 0
    assert "Stored answer of 20" in out
    assert "nothing spent" in out
    assert Path("again.csv").read_text() == Path("r.csv").read_text()
    assert spent() == after


def test_csv_has_the_columns_of_the_frame(run, place):
    query = "SELECT region, COUNT(*) AS n, AVG(age) AS a, HISTOGRAM(age, 3) AS h FROM visits GROUP BY region"
    assert run(f"release visits.yaml '{query}' --epsilon 0.5 --yes --csv r.csv")[0] == 0
    with privkit.Session(privkit.Dataset.load("visits.yaml")) as session:
        frame = session.sql(query, epsilon="0.5").to_pandas()
    with Path("r.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == list(frame.columns)


def test_a_dry_run_spends_nothing_and_reads_no_data(run, place):
    Path("visits.parquet").unlink()
    before = spent()
    code, out, err = run(f"release visits.yaml '{COUNT}' --epsilon 0.5 --dry-run")
    assert (code, err) == (0, "")
    assert "± " in out
    assert spent() == before


def test_ten_tenths_fit_and_the_eleventh_is_refused(run, place):
    for i in range(10):
        query = f"SELECT COUNT(*) AS n FROM visits WHERE age > {20 + i}"
        assert run(f"release pure.yaml '{query}' --epsilon 0.1 --yes --analyst 'a{i}'")[0] == 0
    eleventh = f"release pure.yaml '{COUNT}' --epsilon 0.1"
    code, out, err = run(f"{eleventh} --yes -o r.json")
    assert (code, out) == (3, "")
    assert "0 left" in err
    assert not Path("r.json").exists()
    assert run(f"{eleventh} --dry-run")[0] == 3
    code, out, _ = run("budget show pure.yaml --json")
    standing = json.loads(out)
    assert standing["spent"]["epsilon"] == standing["limit"]["epsilon"] == "1"
    assert standing["remaining"]["epsilon"] == "0"
    assert "] 100% spent" in run("budget show pure.yaml")[1]
    code, out, _ = run("budget history pure.yaml --analyst a3")
    assert "age > 23" in out
    assert "age > 24" not in out
    costs = [entry["cost"] for entry in json.loads(run("budget history pure.yaml --json")[1])]
    assert [cost["epsilon"] for cost in costs if cost] == ["0.1"] * 10


def test_a_quota_refuses_before_the_total_does(run, place):
    assert run("budget grant pure.yaml ana --epsilon 0.25 --by boss")[0] == 0
    assert run(f"release pure.yaml '{COUNT}' --epsilon 0.2 --yes --analyst ana")[0] == 0
    code, _, err = run(f"release pure.yaml '{GROUPED}' --epsilon 0.1 --yes --analyst ana")
    assert code == 3
    assert "0.05" in err
    assert run(f"release pure.yaml '{GROUPED}' --epsilon 0.1 --yes --analyst bob")[0] == 0
    out = run("budget show pure.yaml")[1]
    assert "quota     ana: ε 0.25, of which ε 0.2 is spent" in out


def test_show_has_the_promised_keys(run, place):
    standing = json.loads(run("budget show visits.yaml --json")[1])
    assert {"dataset", "measure", "limit", "spent", "remaining", "entries"} <= set(standing)
    assert {"epsilon", "delta"} <= set(standing["limit"])
    assert standing["dataset"] == "visits"


def test_create_says_which_measure_suits_and_keeps_a_reason(run, place):
    text = Path("visits.yaml").read_text().replace("ledger.sqlite3", "high.sqlite3").replace("1.0,", "9.5,")
    Path("high.yaml").write_text(text)
    code, _, err = run("budget create high.yaml")
    assert code == 1
    assert "--accept-high-loss" in err
    code, out, _ = run("budget create high.yaml --accept-high-loss 'the board agreed'")
    assert code == 0
    assert "zcdp" in out
    assert "the board agreed" in out
    code, out, _ = run(f"release high.yaml '{COUNT}' --epsilon 1 --yes")
    assert "the board agreed" in out


def test_a_ledger_is_verified_checkpointed_and_found_out(run, place):
    assert run(f"release visits.yaml '{COUNT}' --epsilon 0.1 --yes")[0] == 0
    public = json.loads(run("identity new audit.id --name Audit --json")[1])
    assert json.loads(run("identity show audit.id --json")[1]) == public
    assert public["public"].startswith("ed25519:")
    assert public["fingerprint"] in run("identity show audit.id")[1]
    assert run("identity new audit.id")[0] == 1

    code, out, err = run("budget checkpoint visits.yaml -o c.json --identity audit.id")
    assert (code, out) == (0, "")
    assert public["fingerprint"] in err
    signed = json.loads(run("budget checkpoint visits.yaml -o - --identity audit.id")[1])
    assert signed["sequence"] == json.loads(Path("c.json").read_text())["sequence"]
    assert run("budget checkpoint visits.yaml -o c.json --identity audit.id")[0] == 1

    code, out, _ = run("budget verify visits.yaml")
    assert code == 0
    assert "only against a checkpoint" in out
    code, out, _ = run("budget verify visits.yaml --checkpoint c.json")
    assert code == 0
    assert public["fingerprint"] in out
    assert "not pinned" in out
    code, out, _ = run(f"budget verify visits.yaml --checkpoint c.json --signer {public['public']}")
    assert code == 0
    assert "not pinned" not in out
    other = json.loads(run("identity new other.id --name Other --json")[1])
    assert run(f"budget verify visits.yaml --checkpoint c.json --signer {other['public']}")[0] == 5
    assert json.loads(run("budget verify visits.yaml --json")[1])["entries"] == spent().entries

    with sqlite3.connect("ledger.sqlite3") as ledger:
        for (trigger,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            ledger.execute(f"DROP TRIGGER {trigger}")
        (name,) = (
            row[0]
            for row in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if "body" in {column[1] for column in ledger.execute(f"PRAGMA table_info('{row[0]}')")}
        )
        changed = ledger.execute(f"UPDATE {name} SET body = replace(body, 'COUNT', 'count') WHERE body LIKE '%COUNT%'")
        assert changed.rowcount == 1
    code, out, err = run("budget verify visits.yaml")
    assert (code, out) == (5, "")
    assert err.startswith("privkit: error: ")


def test_a_description_is_drafted_checked_and_its_schema_printed(run, place):
    code, out, err = run("dataset init visits.parquet -o drafted.yaml --name mine")
    assert (code, out) == (0, "")
    assert "privkit dataset check drafted.yaml" in err
    draft = Path("drafted.yaml").read_text()
    assert "name: mine" in draft
    assert all(f"  {name}: " in draft for name in ("person", "age", "region", "score"))
    assert "SECRET-WARD" not in draft
    assert run("dataset init visits.parquet -o -")[1].count("visits") >= 1
    code, _, err = run("dataset check drafted.yaml")
    assert code == 1
    assert "drafted.yaml" in err
    code, out, _ = run("dataset check visits.yaml")
    assert code == 0
    assert "visits.yaml: valid" in out
    record = json.loads(run("dataset check visits.yaml --json")[1])
    schema = json.loads(run("dataset schema")[1])
    jsonschema.validate(record["dataset"], schema)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('version: "1"', "version:", "line 3: version: is blank: fill it in"),
        ("epsilon: 1.0", "epsilon: ", "line 5: budget.epsilon: is blank: fill it in"),
        ("ledger: ledger.sqlite3", "ledger: l.sqlite3\nextra: 1", "line 7: extra: there is no such key"),
        ("ledger: ledger.sqlite3\n", "", "ledger: is wanted"),
        ("type: integer", "type: text", "line 8: columns.age: type must be one of integer, float, category, boolean,"),
        ("[0, 110]", "[0]", "line 8: columns.age.bounds.1: is wanted"),
        ("[0, 110]", "[0, 1.5]", "line 8: columns.age.bounds.1: a whole number is wanted"),
        ("[0, 110]", "110", "line 8: columns.age.bounds: a list is wanted"),
        ("1e-6", "0.5", "visits.yaml: delta must be below 1/1,000"),
        ("name: visits", "name: my visits", "line 1: name: letters of a to z, digits and _ are wanted"),
    ],
)
def test_what_does_not_fit_a_description_is_said_in_words_of_ours(run, place, before, after, told):
    text = Path("visits.yaml").read_text()
    assert before in text
    Path("visits.yaml").write_text(text.replace(before, after))
    code, _, err = run("dataset check visits.yaml")
    assert code == 1
    assert told in err


def test_a_privacy_unit_that_is_a_word_is_told_what_it_may_be(run, place):
    lines = Path("visits.yaml").read_text().splitlines()
    lines[3] = "privacy_unit: person"
    Path("visits.yaml").write_text("\n".join(lines))
    assert "line 4: privacy_unit: `row`, or {column: NAME" in run("dataset check visits.yaml")[2]


def test_a_draft_of_a_database_names_its_table(run, place):
    with duckdb.connect("stay.db") as database:
        database.execute("CREATE TABLE stays AS SELECT 'a' AS person, 3 AS nights")
    code, _, err = run("dataset init duckdb://stay.db -o -")
    assert code == 1
    assert "which of its tables is wanted?" in err
    assert "--table" in err
    assert "It has: stays." in err
    code, out, _ = run("dataset init duckdb://stay.db --table stays -o -")
    assert code == 0
    assert "name: stays\nsource: 'duckdb://stay.db'\ntable: stays\n" in out
    assert "nights: {type: integer" in out


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("*.parquet", "data"),
        ("größe 2.csv", "groe_2"),
        ("2026/*.csv", "_2026"),
        ("ö" * 70 + "x" * 90 + ".csv", "o" * 63),
    ],
)
def test_a_draft_has_a_name_that_queries_can_write(run, place, monkeypatch, source, name):
    monkeypatch.setattr("privkit.dp.sources.drafted_types", lambda *_: {"age": "integer"})
    out = run(f"dataset init '{source}' -o -")[1]
    assert f"\nname: {name}\n" in out
    assert run("dataset init a.csv --name 'my data' -o -")[0] == 2


def test_a_folder_and_half_a_file_are_called_so(run, place):
    Path("many").mkdir()
    assert "many: an empty folder" in run("dataset init many -o -")[2]
    Path("half.parquet").write_bytes(Path("visits.parquet").read_bytes()[:300])
    assert "half.parquet: no Parquet file, or not the whole of one" in run("dataset init half.parquet -o -")[2]


# ---- whole processes


def _process(*words: str, **how) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "privkit", *words]
    return subprocess.run(command, env=environment, text=True, timeout=120, check=False, **how)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_answer_that_could_not_be_shown_is_stored(place):
    words = ("release", "visits.yaml", COUNT, "--epsilon", "0.5", "--yes")
    with Path("/dev/full").open("w") as full:
        done = _process(*words, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "standard output could not be written" in done.stderr
    assert "paid for and stored" in done.stderr
    after = spent()
    done = _process(*words, stdout=subprocess.PIPE)
    assert "nothing spent" in done.stdout
    assert spent() == after


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\x04", 1)], ids=["yes", "no", "end of input"])
def test_a_real_terminal_is_asked(place, answer, code):
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        done = _process(
            "release", "visits.yaml", COUNT, "--epsilon", "0.5", stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
        )
        told = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code
    assert "Spend it?" in told
    assert ("interval" in done.stdout) == (code == 0)
    assert (spent().entries > 1) == (code == 0)
    assert ("Nothing was spent." in told) == (code == 1)


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_at_the_question_spends_nothing(place, number, word):
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "privkit", "release", "visits.yaml", COUNT, "--epsilon", "0.5"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        asking = subprocess.Popen(words, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
        told = b""
        while b"[y/N]" not in told:
            told += os.read(ours, 4096)
        time.sleep(0.5)  # a signal between the question and the read of its answer is seen at the next key only
        asking.send_signal(number)
        out, _ = asking.communicate(timeout=60)
        told += os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (asking.returncode, out) == (128 + number, b"")
    assert f"privkit: error: {word}" in told.decode()
    assert spent().entries == 1


def test_show_and_help_load_neither_opendp_nor_ibis(place):
    code = (
        "import sys; from privkit.cli import main; assert main(['budget', 'show', 'pure.yaml']) == 0;"
        "found = {'opendp', 'ibis', 'duckdb', 'pandas', 'spacy'} & set(sys.modules); assert not found, found"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_example_is_what_its_script_makes(tmp_path):
    folder = Path(__file__).parents[2] / "examples" / "statistics"
    subprocess.run([sys.executable, str(folder / "make_patients.py"), str(tmp_path)], check=True, timeout=60)
    assert pq.read_table(tmp_path / "patients.parquet").equals(pq.read_table(folder / "patients.parquet"))
    spec = privkit.Dataset.load(folder / "patients.dataset.yaml").spec
    held = set(pq.read_schema(folder / "patients.parquet").names)
    assert {spec.source_name(name) for name in spec.columns} | {spec.privacy_unit.column} == held


def test_standard_output_may_be_closed_from_the_start(place):
    words = [sys.executable, "-m", "privkit", "release", "visits.yaml", COUNT, "--epsilon", "0.1", "--yes"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *words]
    done = subprocess.run(closed, env=environment, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
