"""`privkit score`: what is printed where, what is refused with which code, and which files are left."""

import csv
import io
import json
import shlex
import stat
from pathlib import Path

import pytest

from privkit.cli import main

MODEL = {
    "format": "privkit scoring model 1",
    "name": "stay",
    "output": "score",
    "features": [
        {"name": "age", "low": 0, "high": 110, "coefficient": 0.5},
        {"name": "beds", "low": 1, "high": 9, "coefficient": -2},
    ],
    "intercept": 3,
}
WANTED = [3 + 0.5 * 40 - 4, 3 + 0.5 * 80 - 10]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("m.json").write_text(json.dumps(MODEL))
    Path("rows.csv").write_text("name,age,beds\nAda,40,2\nBob,80,5\n")
    return tmp_path


@pytest.fixture
def run(place, capsys):
    def privkit_(command):
        code = main(["score", *shlex.split(command)])
        return code, *capsys.readouterr()

    return privkit_


def _until(run, last):
    for name, command in (
        ("spec", "spec m.json -o s.json"),
        ("keygen", "keygen s.json -o k.key"),
        ("encrypt", "encrypt rows.csv --key k.key -o r.batch"),
        ("evaluate", "evaluate r.batch --model m.json -o r.answer"),
    ):
        assert run(command)[0] == 0
        if name == last:
            return


def test_the_whole_way(run, place):
    _until(run, "evaluate")
    assert stat.S_IMODE(Path("k.key").stat().st_mode) == 0o600
    code, out, err = run("decrypt r.answer --key k.key -o scores.csv")
    assert (code, out) == (0, "")
    assert "2 scores; the key is destroyed" in err
    assert "Do not hand these scores" in err
    with Path("scores.csv").open() as file:
        found = [float(line["score"]) for line in csv.DictReader(file)]
    assert found == pytest.approx(WANTED, abs=1e-5)
    assert stat.S_IMODE(Path("scores.csv").stat().st_mode) == 0o600
    names = sorted(path.name for path in place.iterdir())
    assert names == ["m.json", "r.answer", "r.batch", "rows.csv", "s.json", "scores.csv"]


def test_scores_on_standard_output_alone(run):
    _until(run, "evaluate")
    code, out, err = run("decrypt r.answer --key k.key -o -")
    assert code == 0
    found = [float(line["score"]) for line in csv.DictReader(io.StringIO(out))]
    assert found == pytest.approx(WANTED, abs=1e-5)
    assert "Do not hand" in err
    assert not Path("k.key").exists()


def test_json_is_one_document(run):
    code, out, _ = run("spec m.json --json")
    assert code == 0
    assert json.loads(out)["parameters"] == "ckks-8192-1"
    code, out, err = run("spec m.json -o s.json --json")
    assert json.loads(out) == json.loads(Path("s.json").read_text())
    assert "off by at most" in err
    assert json.loads(run("keygen s.json -o k.key --json")[1]) == {"key": "k.key"}
    assert json.loads(run("encrypt rows.csv --key k.key -o r.batch --json")[1])["rows"] == 2
    assert json.loads(run("evaluate r.batch --model m.json -o r.answer --json")[1])["file"] == "r.answer"
    assert json.loads(run("decrypt r.answer --key k.key -o scores.csv --json")[1]) == {
        "scores": "scores.csv",
        "rows": 2,
    }


@pytest.mark.parametrize(
    ("before", "command", "code", "told"),
    [
        ("", "spec missing.json", 1, "missing.json cannot be read"),
        ("", "spec rows.csv", 1, "rows.csv is not JSON"),
        ("", "spec m.json -o m.json --force", 1, "would replace a file that it is made from"),
        ("", "spec m.json -o - --json", 2, "both write to standard output"),
        ("", "keygen m.json -o k.key", 1, "m.json: "),
        ("", "keygen s.json", 2, "Missing option"),
        ("spec", "keygen s.json -o s.json", 1, "never overwritten"),
        ("keygen", "encrypt missing.csv --key k.key -o r.batch", 1, "no such file"),
        ("keygen", "encrypt rows.csv --key s.json -o r.batch", 1, "s.json"),
        ("keygen", "encrypt rows.csv --key k.key -o rows.csv --force", 1, "would replace"),
        ("keygen", "encrypt rows.csv --key k.key -o no/r.batch", 1, "does not exist"),
        ("encrypt", "encrypt rows.csv --key k.key -o r2.batch", 1, "has encrypted a batch already"),
        ("encrypt", "evaluate r.batch --model m.json -o r.batch", 1, "would replace"),
        ("encrypt", "evaluate rows.csv --model m.json -o r.answer", 5, "rows.csv: it is no"),
        ("encrypt", "evaluate r.batch --model s.json -o r.answer", 1, "s.json: "),
        ("evaluate", "decrypt r.batch --key k.key -o scores.csv", 5, "r.batch: it is no"),
        ("evaluate", "decrypt r.answer --key k.key -o - --json", 2, "both write"),
        ("evaluate", "decrypt r.answer --key m.json -o scores.csv", 1, "m.json"),
        ("evaluate", "decrypt r.answer --key k.key -o rows.csv", 1, "exists already"),
    ],
)
def test_what_is_refused_leaves_everything_as_it_was(run, place, before, command, code, told):
    if before:
        _until(run, before)
    files = {path.name: path.read_bytes() for path in place.iterdir()}
    found, out, err = run(command)
    assert (found, out) == (code, "")
    assert told in err
    assert "Traceback" not in err
    assert "bug in privkit" not in err
    assert {path.name: path.read_bytes() for path in place.iterdir()} == files


def test_values_out_of_range_are_counted_and_not_shown(run, place):
    _until(run, "keygen")
    Path("rows.csv").write_text("name,age,beds\nAda,4711,2\nBob,80,4711\nCy,4711,1\n")
    code, out, err = run("encrypt rows.csv --key k.key -o r.batch")
    assert (code, out) == (1, "")
    assert "age (2), beds (1)" in err
    assert "4711" not in err
    assert not Path("r.batch").exists()


def test_a_changed_model_is_refused(run):
    _until(run, "encrypt")
    Path("m.json").write_text(json.dumps(MODEL | {"intercept": 300}))
    code, _, err = run("evaluate r.batch --model m.json -o r.answer")
    assert code == 5
    assert "another specification" in err


def test_a_group_without_a_command_shows_help(run):
    code, out, err = run("")
    assert (code, out) == (2, "")
    assert "evaluate" in err
