"""`privkit init`: with flags, with questions on a terminal, `--demo`, and what is refused."""

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import privkit
from privkit.cli import main
from privkit.model.pipeline import PipelineSpec
from privkit.model.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]
FLAGS = (
    "init visits.parquet --unit person --max-groups 2 --max-rows-per-group 3 --max-units 5000 "
    "--column age=integer[0,110] --column 'größe cm=float[40,220]:0.5' --column 'region=category[north|south]'"
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    table = {
        "person": ["p1", "p2", "p3"],
        "age": [20, 30, 41],
        "größe cm": [170.0, 180.0, 190.0],
        "region": ["north", "south", "SECRET-REGION"],
        "notes": ["SECRET-NOTE"] * 3,
    }
    pq.write_table(pa.table(table), tmp_path / "visits.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVKIT_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys):
    def privkit_(command: str) -> tuple[int, str, str]:
        code = main(shlex.split(command))
        return code, *capsys.readouterr()

    return privkit_


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---- with flags


def test_flags_say_everything(run, place):
    code, out, err = run(f"{FLAGS} --sensitivity medium")
    assert (code, out) == (0, "")
    assert "privkit budget create visits.dataset.yaml" in err
    assert "privkit run visits.pipeline.yaml --dry-run" in err
    spec = privkit.Dataset.load("visits.dataset.yaml").spec
    assert spec.columns["größe_cm"].from_ == "größe cm"
    assert (spec.budget.epsilon, spec.budget.delta, spec.budget.measure) == (2, Decimal("1e-6"), "zcdp")
    assert (spec.privacy_unit.max_groups, spec.privacy_unit.max_rows_per_group) == (2, 3)
    steps = read_yaml(Path("visits.pipeline.yaml"), PipelineSpec)
    assert steps.fairness in (("region",), ())  # where Fairlearn is not installed
    written = Path("visits.dataset.yaml").read_text() + Path("visits.pipeline.yaml").read_text() + err
    assert "SECRET" not in written
    assert run("dataset check visits.dataset.yaml")[0] == 0
    assert run("budget create visits.dataset.yaml")[0] == 0
    for statistic in steps.steps[0].release.statistics:
        assert run(f"release visits.dataset.yaml {shlex.quote(statistic.sql)} --epsilon 0.1 --dry-run")[0] == 0


def test_json_is_one_document(run, place):
    code, out, _ = run(
        f"{FLAGS} --epsilon 0.5 --measure pure --name mine --version-label '2026 Q1' --json --create-budget"
    )
    told = json.loads(out)
    assert code == 0
    assert (told["dataset"], told["pipeline"]) == ("mine.dataset.yaml", "mine.pipeline.yaml")
    assert told["files"] == ["mine.dataset.yaml", "mine.pipeline.yaml", "mine.ledger.sqlite3"]
    assert told["budget_created"]
    assert told["description"]["version"] == "2026 Q1"
    assert told["description"]["budget"] == {"epsilon": "0.5", "delta": "0", "measure": "pure", "threshold_delta": "0"}
    assert told["steps"]["steps"][0]["release"]["total_epsilon"] == "0.25"
    assert run("budget show mine.dataset.yaml")[0] == 0


def test_every_row_can_be_the_unit(run, place):
    assert run("init visits.parquet --unit row --column age=integer[0,110] --sensitivity high")[0] == 0
    assert privkit.Dataset.load("visits.dataset.yaml").spec.privacy_unit.row


def test_a_source_with_a_glob_and_an_output_folder(run, place):
    code, _, err = run(
        f"{FLAGS.replace('visits.parquet', '*.parquet')} --sensitivity low --output-folder 'a b' --name v"
    )
    assert code == 0
    assert "privkit run 'a b/v.pipeline.yaml' --yes" in err
    assert privkit.Dataset.load("a b/v.dataset.yaml").spec.source == "../*.parquet"
    assert "deidentify" not in Path("a b/v.pipeline.yaml").read_text()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "init",
            "SOURCE, --unit, --max-groups, --max-rows-per-group, --max-units, --column, --sensitivity or --epsilon: w",
        ),
        ("init visits.parquet --unit row", "--column, --sensitivity or --epsilon: wanted"),
        (
            "init visits.parquet --unit person --max-groups 1 --epsilon 1",
            "--max-rows-per-group, --max-units, --column: w",
        ),
        (f"{FLAGS} --sensitivity high --column nobody=integer", "the source has no column nobody"),
        (f"{FLAGS} --sensitivity high --column age=float", "the column age is declared twice"),
        (f"{FLAGS} --sensitivity high --column notes", "notes: NAME=TYPE is wanted"),
        (f"{FLAGS} --sensitivity high --name 'my data'", "a name is at most 63 letters"),
        (f"{FLAGS} --sensitivity extreme", "extreme"),
        (f"{FLAGS} --epsilon 0", "must be above 0"),
        (f"{FLAGS} --epsilon 1 --measure pure --delta 1e-6", "a pure budget has delta 0"),
        (f"{FLAGS} --epsilon 9 --create-budget", "epsilon 9 is above 8"),
        (FLAGS.replace("person", "nobody") + " --epsilon 1", "no column nobody that could name the person"),
        (FLAGS.replace("--unit person", "--unit 'größe cm'") + " --epsilon 1", "größe cm cannot name people"),
        ("init --demo --epsilon 1 --column a=integer", "--column, --epsilon cannot stand beside it"),
        ("init visits.parquet --demo", "SOURCE cannot stand beside it"),
    ],
)
def test_wrong_usage_is_said_and_leaves_nothing(run, place, command, told):
    before = names(place)
    code, out, err = run(command)
    assert (code, out) == (2, "")
    assert told in err
    assert names(place) == before


def test_what_is_there_is_not_overwritten(run, place):
    assert run(f"{FLAGS} --sensitivity high")[0] == 0
    code, _, err = run(f"{FLAGS} --sensitivity low")
    assert code == 1
    assert "visits.dataset.yaml, visits.pipeline.yaml: there already" in err
    assert run(f"{FLAGS} --sensitivity low --force")[0] == 0
    assert privkit.Dataset.load("visits.dataset.yaml").spec.budget.epsilon == 4


# ---- the demo


def test_the_demo_ends_with_what_to_do_next(run, place):
    code, out, err = run("init --demo --output-folder try")
    assert (code, out) == (0, "")
    assert names(place / "try") == {
        *("demo.csv", "demo.dataset.yaml", "demo.pipeline.yaml", "demo.key", "demo.identity", "demo.ledger.sqlite3"),
    }
    told = err.splitlines()[-3:]
    assert [line.strip() for line in told] == [
        "privkit run try/demo.pipeline.yaml --dry-run",
        "privkit run try/demo.pipeline.yaml --yes",
        "privkit card verify try/out/card.json",
    ]
    assert run("budget show try/demo.dataset.yaml")[0] == 0
    code, _, err = run("init --demo --output-folder try")
    assert code == 1
    assert "demo.csv" in err
    code, out, err = run("init --demo --output-folder try --force --json")
    assert code == 0
    assert not json.loads(out)["budget_created"]
    assert err.count("kept as it was") == 3


# ---- with questions


class Terminal:
    """`privkit` on a terminal of its own: what it asks is waited for, then answered."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        command = [sys.executable, "-m", "privkit", *words]
        self.process = subprocess.Popen(
            command, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True
        )
        os.close(theirs)
        self.told, self._seen = "", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        os.close(self._ours)

    def expect(self, text: str) -> None:
        """Reads until `text` stands after what was expected before."""
        began = time.monotonic()
        while (at := self.told.find(text, self._seen)) < 0:
            assert time.monotonic() - began < 60, f"{text!r} never came after {self.told[-500:]!r}"
            self.told += self._read()
        self._seen = at + len(text)

    def _read(self) -> str:
        if not select.select([self._ours], [], [], 0.2)[0]:
            return ""
        try:
            return os.read(self._ours, 65536).decode()
        except OSError:  # the other end is closed
            return ""

    def answer(self, question: str, text: str) -> None:
        self.expect(question)
        time.sleep(0.05)
        os.write(self._ours, (text + "\n").encode())

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=60)
        for _ in range(3):
            self.told += self._read()
        return self.process.returncode, out


def test_a_newcomer_is_asked_for_everything(place):
    Path("taken.dataset.yaml").write_text("mine")
    with Terminal("init") as terminal:
        terminal.answer("SOURCE", "gone.parquet")
        terminal.answer("no such file", "visits.parquet")
        terminal.expect("1. Who is protected")
        terminal.answer("Column: ", "größe cm")
        terminal.answer("cannot name people", "person")
        terminal.answer("Groups [1]: ", "2")
        terminal.answer("Rows [1]: ", "0")
        terminal.answer("not in the range", "")
        terminal.answer("People: ", "5000")
        terminal.expect("2. What may be asked about")
        terminal.answer("Columns [age, größe cm, region]: ", "")
        terminal.answer("age: type", "")
        terminal.answer("age: lowest", "0, x")
        terminal.answer("a whole number is wanted", "0, 110")
        terminal.answer("größe cm: type", "")
        terminal.answer("größe cm: lowest", "40, 220")
        terminal.answer("größe cm: the step", "0.5")
        terminal.answer("region: type", "")
        terminal.answer("region: all values", "north, south")
        terminal.answer("Sensitivity (low, medium, high): ", "high")
        terminal.expect("50 % becomes")
        terminal.answer("ε [1]: ", "2")
        terminal.expect("pure adds less noise")
        terminal.answer("Measure (zcdp, pure) [zcdp]: ", "")
        terminal.answer("δ [1e-6]: ", "0.5")
        terminal.answer("must be below 1/5,000", "")
        terminal.answer("Name [visits]: ", "taken")
        terminal.answer("there already", "")
        terminal.answer("Label [1]: ", "")
        terminal.answer("Create it now? [y/N]: ", "y")
        code, out = terminal.end()
    assert (code, out) == (0, "")
    assert "SECRET" not in terminal.told
    spec = privkit.Dataset.load("visits.dataset.yaml").spec
    assert spec.privacy_unit == privkit.Dataset.load("visits.dataset.yaml").spec.privacy_unit
    assert spec.privacy_unit.model_dump(exclude_none=True) == {
        "column": "person", "row": False, "max_groups": 2, "max_rows_per_group": 1, "max_units": 5000,
    }  # fmt: skip
    assert spec.budget.epsilon == 2
    assert spec.columns["region"].categories == ("north", "south")
    assert spec.columns["größe_cm"].granularity == Decimal("0.5")
    assert privkit.show_budget(privkit.Dataset.load("visits.dataset.yaml")).limit.epsilon == 2


def test_only_what_no_flag_said_is_asked(place):
    words = shlex.split(f"{FLAGS} --name v --version-label 7 --measure zcdp --delta 1e-7 --no-create-budget --json")
    with Terminal(*words) as terminal:
        terminal.answer("Sensitivity", "low")
        terminal.answer("ε [4]: ", "")
        code, out = terminal.end()
    assert code == 0
    assert terminal.told.count("]: ") == 1
    assert json.loads(out)["description"]["version"] == "7"


def test_a_large_budget_is_not_offered_without_its_reason(place):
    words = shlex.split(f"{FLAGS} --name v --version-label 7 --measure zcdp --delta 1e-7 --sensitivity low")
    with Terminal(*[word for word in words if word not in ("--max-units", "5000")]) as terminal:
        terminal.answer("People: ", "5000")
        terminal.answer("ε [4]: ", "20")
        code, _ = terminal.end()
    assert code == 0
    assert "with its reason" in terminal.told
    assert "Create it now?" not in terminal.told


@pytest.mark.parametrize("ending", ["interrupted", "terminated", "end of input"])
def test_whoever_leaves_leaves_nothing_behind(place, ending):
    before = names(place)
    with Terminal("init", "visits.parquet") as terminal:
        terminal.answer("Column: ", "person")
        terminal.expect("Groups [1]: ")
        time.sleep(0.5)  # a signal between the question and the read of its answer is seen at the next key only
        if ending == "end of input":
            os.write(terminal._ours, b"\x04")
        else:
            terminal.process.send_signal(signal.SIGINT if ending == "interrupted" else signal.SIGTERM)
        code, out = terminal.end()
    assert (code, out) == (143 if ending == "terminated" else 130, "")
    assert "Nothing was written." in terminal.told
    assert names(place) == before


def test_a_csv_has_no_types_and_its_columns_are_asked_for(place):
    Path("v.csv").write_text("id,age,note\n1,SECRET,x\n")
    with Terminal("init", "v.csv", "--max-units", "10") as terminal:
        terminal.expect("It has: id, age, note.")
        terminal.expect("perhaps: id.")
        terminal.answer("Column: ", "row")
        terminal.answer("Columns [age]: ", "agee")
        terminal.answer("no column agee", "age")
        terminal.answer("age: type (integer, float, category, boolean, date) [category]: ", "integer")
        terminal.answer("age: lowest", "")
        terminal.answer("Sensitivity", "medium")
        for question in ("ε [2]: ", "Measure", "δ [1e-6]: ", "Name [v]: ", "Label [1]: ", "Create it now?"):
            terminal.answer(question, "")
        code, _ = terminal.end()
    assert code == 0
    spec = privkit.Dataset.load("v.dataset.yaml").spec
    assert spec.privacy_unit.row
    assert spec.privacy_unit.max_units == 10
    assert spec.columns["age"].bounds is None
