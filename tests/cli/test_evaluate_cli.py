"""`privkit evaluate`: what is printed where, with which exit code."""

import json
import stat

import jsonschema
import pytest

from privkit.cli import main
from privkit.model.evaluation import Evaluation

POLICY = "name: known\ndetector: patterns\ndeny: {PERSON: [Quintus]}\n"
LINES = [
    {"text": "ask Quintus", "spans": [{"start": 4, "end": 11, "label": "PER"}], "origin": "la"},
    {"text": "ask Xerxes", "spans": [{"start": 4, "end": 10, "label": "PER"}], "origin": "fa"},
    {"text": "the Senate", "spans": [{"start": 4, "end": 10, "label": "ORG"}], "origin": "la"},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    return tmp_path


def run(*arguments):
    return main(["evaluate", "data.jsonl", "--policy", "policy.yaml", *arguments])


def test_tables_on_standard_output(folder, capsys):
    assert run("--by", "origin") == 0
    out, err = capsys.readouterr()
    for part in ("Recall: 0.500", "Fully masked: 0.500", "PERSON", "All types by origin", "ORG", "origin fa"):
        assert part in out, part
    assert "Quintus" not in out + err
    assert "Xerxes" not in out + err
    assert err == ""


def test_show_text(folder, capsys):
    assert run("--show-text") == 0
    assert "Xerxes" in capsys.readouterr().out


def test_json_is_one_document_that_fits_its_schema(folder, capsys):
    assert run("--json") == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert Evaluation.model_validate(record).overall.recall == 0.5
    assert "Xerxes" not in out
    assert err == ""
    assert main(["evaluate", "--schema"]) == 0
    jsonschema.validate(record, json.loads(capsys.readouterr().out))
    assert run("--json", "--show-text") == 0
    assert json.loads(capsys.readouterr().out)["misses"][0]["examples"] == ["Xerxes"]


@pytest.mark.parametrize(("least", "code"), [("0", 0), ("0.5", 0), ("0.501", 5), ("1", 5)])
def test_a_recall_that_is_too_low_ends_with_5(folder, capsys, least, code):
    assert run("--json", "--min-recall", least) == code
    out, err = capsys.readouterr()
    assert json.loads(out)["overall"]["recall"] == 0.5
    assert ("recall 0.5000 is below --min-recall" in err) is (code == 5)


def test_the_report_is_written_even_where_the_recall_is_too_low(folder, capsys):
    assert run("--min-recall", "0.9", "--report", "report.html", "--show-text") == 5
    assert stat.S_IMODE((folder / "report.html").stat().st_mode) == 0o600
    assert run("--report", "report.html") == 1
    assert "exists already" in capsys.readouterr().err
    assert run("--report", "report.html", "--force") == 0
    assert "Xerxes" not in (folder / "report.html").read_text(encoding="utf-8")


def test_map(folder, capsys):
    assert run("--json", "--map", "ORG=PERSON", "--map", "A=B=LOCATION") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["mapping"] == {"ORG": "PERSON", "PER": "PERSON"}
    assert "privkit: warning: --map A=B: the data has no such type" in err
    assert run("--map", "PER=") == 1
    assert "none of the marked types" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--map", "ORG"], "--map ORG: TYPE=ENTITY is wanted"),
        (["--map", "=PERSON"], "TYPE=ENTITY is wanted"),
        (["--map", "A=PERSON", "--map", "A="], "--map A is given twice"),
        (["--map", "ORG=person"], "written in capitals"),
        (["--by", "nothing"], "no evaluated span has this attribute"),
        (["--min-recall", "1.5"], "not in the range"),
        (["--format", "conll"], "is not one of 'presidio', 'iob', 'jsonl'"),
        (["--report", "report.txt"], "must end in .json or .html"),
    ],
)
def test_wrong_usage(folder, capsys, arguments, message):
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_data_that_cannot_be_read(folder, capsys):
    (folder / "data.jsonl").write_text('{"text": "a"}\n{"text": "SECRET", "spans": [{"start": 0}]}\n', encoding="utf-8")
    assert run() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "privkit: error: data.jsonl: line 2, span 1: `end` is not a whole number" in err
    assert "privkit: hint: " in err
    assert "SECRET" not in err
    assert "Traceback" not in err
