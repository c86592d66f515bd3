"""The command line against stand-ins for the doors: what is parsed, what is printed where, with which exit code."""

import importlib
import inspect
import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

import privkit
from privkit.cli import main
from privkit.errors import InputError, KeyFileError
from privkit.model.operators import Mask, Pseudonym, Replace
from privkit.model.policy import Policy
from privkit.model.report import DecidedColumn
from tests.report.sample import report, scan_report

COMMANDS = [
    "deidentify",
    "scan",
    "evaluate",
    "reidentify",
    "dataset",
    "budget",
    "release",
    "identity",
    "key",
    "policy",
    "doctor",
]
SUBCOMMANDS = [["key", "new"], ["key", "show"], ["policy", "list"], ["policy", "show"], ["policy", "check"]]
DECISIONS = (
    DecidedColumn(
        name="name", role="identifier", entity="PERSON", operator="pseudonym", share=0.97, evidence="values: model"
    ),
)


class Door:
    """Stands in for a public function: keeps what it was called with, tells the observer, returns or raises."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = []

    def __call__(self, *positional, observer, **named):
        self.calls.append((positional, named))
        observer.decided(DECISIONS, "core")
        observer.started(100)
        observer.advanced(10, 100)
        observer.warned("ward: looks like names")
        observer.finished()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def door(monkeypatch):
    def put(name, answer):
        made = Door(answer)
        monkeypatch.setitem(vars(privkit), name, made)
        return made

    return put


def _result(**changes):
    fields = {"report": report(), "decisions": DECISIONS, "policy": Policy(name="default")}
    return SimpleNamespace(**fields | changes)


@pytest.mark.parametrize("words", [[], *([c] for c in COMMANDS), *SUBCOMMANDS], ids=" ".join)
def test_help_of_every_command(words, capsys):
    assert main([*words, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: privkit {' '.join(words)}".rstrip())
    assert err == ""


def test_root_help_and_each_command_agree(capsys):
    main(["--help"])
    listed = capsys.readouterr().out
    for name in COMMANDS:
        main([name, "--help"])
        line = capsys.readouterr().out.splitlines()[2].strip()
        assert line.split(".")[0].split()[:3] == listed.split(f"\n  {name} ")[1].split()[:3], name


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"privkit {privkit.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["anonymise"], "No such command 'anonymise'"),
        (["scan"], "Missing argument 'SOURCE...'"),
        (["scan", "a.csv", "--quick"], "No such option"),
        (["scan", "a.csv", "--detector", "best"], "'best' is not one of 'patterns', 'spacy', 'core', 'full'"),
        (["deidentify", "a.csv", "-o", "b.csv", "--workers", "0"], "0 is not in the range x>=1"),
        (["deidentify", "a.csv", "-o", "b.csv", "--format", "xls"], "'xls' is not one of"),
        (["deidentify", "a.csv"], "-o OUTPUT is missing"),
        (["deidentify", "a.csv", "-o", "-", "--json"], "--json and `-o -` would both write to standard output"),
        (["deidentify", "a.csv", "-o", "b.csv", "--resume"], "--resume needs --key"),
        (["deidentify", "a.csv", "--dry-run", "--key", "k", "--resume"], "--resume and --dry-run"),
        (["deidentify", "a.csv", "-o", "b.csv", "--column", "name=maks"], "there is no operator 'maks'"),
        (["deidentify", "a.csv", "-o", "b.csv", "--column", "name"], "--column name: an operator is wanted"),
        (["deidentify", "a.csv", "-o", "b.csv", "--column", "name="], "--column name: an operator is wanted"),
        (["deidentify", "a.csv", "-o", "b.csv", "--column", "a=keep", "--column", "a=drop"], "a is given twice"),
        (["deidentify", "a.csv", "-o", "b.csv", "--entity", "PERSON=free_text"], "there is no operator 'free_text'"),
        (["deidentify", "a.csv", "-o", "b.csv", "--known", "n.csv:name"], "1 --known and 0 --on do not pair up"),
        (["deidentify", "a.csv", "-o", "b.csv", "--on", "id"], "0 --known and 1 --on do not pair up"),
        (["deidentify", "a.csv", "-o", "b.csv", "--known", "n.csv", "--on", "id"], "FILE:COLUMN is wanted"),
        (["reidentify", "b.csv", "-o", "c.csv"], "Missing option '--key'"),
        (["policy", "check"], "Missing argument 'FILE'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments, message, capsys, door):
    doors = [door(name, _result()) for name in ("deidentify", "scan", "reidentify")]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("privkit: error: ")
    assert message in err.splitlines()[0]
    assert all(line.startswith(("privkit: error: ", "privkit: hint: ")) for line in err.splitlines())
    assert not any(each.calls for each in doors)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        *((rows, "row numbers from 1 on are wanted") for rows in ("0", "3,", "7-5", "a", "-1", "1.5", "")),
        ("1-99999", "these are too many rows"),
    ],
)
def test_rows_that_are_none(rows, message, capsys, door):
    called = door("deidentify", _result())
    assert main(["deidentify", "a.csv", "-o", "b.csv", "--explain", "w.html", "--explain-rows", rows]) == 2
    assert message in capsys.readouterr().err
    assert not called.calls


@pytest.mark.parametrize("words", [[], ["key"], ["policy"]], ids=" ".join)
def test_no_command_shows_help_on_standard_error(words, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: privkit")


def test_deidentify_hands_every_option_on(door):
    called = door("deidentify", _result())
    arguments = "deidentify in.csv -o out.csv --policy p.yaml --key k --detector core --workers 2 --drop a --drop b "
    arguments += "--keep c --format csv --encoding latin-1 --max-expansion 50 --accept-free-text --resume --force "
    arguments += "--save-policy s.yaml --report r.html --column x=free_text --column a=b=mask:chars_to_mask=4 "
    arguments += "--recall high --language de --country de --country at --presidio p.yaml "
    arguments += "--explain why.html --explain-rows 3,17-19 --engine spark --master local[2,3] "
    arguments += "--entity PERSON=replace:new_value=someone --known n.csv:name --known C:\\m.csv:given --on id"
    assert main(arguments.split()) == 0
    ((positional, named),) = called.calls
    known = named.pop("known")
    assert positional == ("in.csv", "out.csv")
    assert [(k.path, k.column, k.on) for k in known] == [("n.csv", "name", "id"), ("C:\\m.csv", "given", "id")]
    assert named == {
        "policy": "p.yaml",
        "key": Path("k"),
        "detector": "core",
        "engine": "spark",
        "master": "local[2,3]",
        "workers": 2,
        "drop": ("a", "b"),
        "keep": ("c",),
        "format": "csv",
        "encoding": "latin-1",
        "max_expansion": 50.0,
        "accept_free_text": True,
        "resume": True,
        "force": True,
        "dry_run": False,
        "save_policy": Path("s.yaml"),
        "recall": "high",
        "language": "de",
        "country": ("de", "at"),
        "presidio": Path("p.yaml"),
        "report": Path("r.html"),
        "explain": Path("why.html"),
        "explain_rows": [3, 17, 18, 19],
        "columns": {"x": "free_text", "a=b": Mask(chars_to_mask=4)},
        "entities": {"PERSON": Replace(new_value="someone")},
    }


def test_the_options_default_to_the_doors_own_defaults(door):
    called = door("deidentify", _result())
    assert main(["deidentify", "in.csv", "-o", "out.csv"]) == 0
    named = called.calls[0][1]
    real = importlib.import_module("privkit.deidentifier").deidentify
    parameters = dict(inspect.signature(real).parameters)
    assert set(parameters) - {"source", "output", "observer", "before", "publishing"} == set(named)
    for name in named:
        parameter = parameters[name]
        assert (named[name] or None) == (parameter.default or None), name


def test_deidentify_tells_on_standard_error_alone(door, capsys):
    door("deidentify", _result())
    assert main(["deidentify", "in.csv", "-o", "out.csv"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    for words in ("values: model", "detector: core", "privkit: warning: ward:", "out.csv: 12,000 rows", "In 2 places"):
        assert words in err


def test_deidentify_json_is_the_report_and_nothing_else(door, capsys):
    door("deidentify", _result())
    assert main(["deidentify", "in.csv", "-o", "out.csv", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == report().model_dump(mode="json")
    assert err == "privkit: warning: ward: looks like names\n"


def test_dry_run_shows_the_decision_on_standard_output(door, capsys):
    called = door("deidentify", _result(report=None))
    assert main(["deidentify", "in.csv", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert "values: model" in out
    assert "warning" not in out
    assert "privkit: warning: ward:" in err
    assert called.calls[0][0] == ("in.csv", None)
    assert called.calls[0][1]["dry_run"] is True


def test_dry_run_json(door, capsys):
    door("deidentify", _result(report=None))
    assert main(["deidentify", "in.csv", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["columns"]["name"]["operator"] == "pseudonym"
    assert found["detector"] == "core"
    assert found["policy"]["name"] == "default"
    assert len(found["policy"]["sha256"]) == 64


def test_scan(door, capsys):
    door("scan", scan_report())
    assert main(["scan", "in.csv"]) == 0
    out, err = capsys.readouterr()
    assert "PERSON 11,420" in out
    assert "PII found" in out
    assert "values: model" not in out + err


@pytest.mark.parametrize(("found", "code"), [(True, 4), (False, 0)])
def test_fail_on_pii(door, capsys, found, code):
    door("scan", scan_report(pii_found=found))
    assert main(["scan", "in.csv", "--fail-on-pii"]) == code
    assert capsys.readouterr().out


def test_scan_json_of_one_and_of_many(door, capsys):
    called = door("scan", scan_report())
    assert main(["scan", "a.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == scan_report().model_dump(mode="json")
    assert main(["scan", "a.csv", "b.csv", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["sources"]) == 2
    assert [positional for positional, _ in called.calls] == [("a.csv",), ("a.csv",), ("b.csv",)]


def test_reidentify(door, capsys):
    called = door("reidentify", SimpleNamespace(tokens=7, foreign_tokens=0, rows=3))
    assert main(["reidentify", "out.csv", "--key", "k", "-o", "back.csv", "--force"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "back.csv: 7 pseudonyms restored in 3 rows." in err
    ((positional, named),) = called.calls
    assert positional == ("out.csv", "back.csv")
    assert named["key"] == Path("k")
    assert named["force"] is True


def test_reidentify_says_what_it_left(door, capsys):
    door("reidentify", SimpleNamespace(tokens=7, foreign_tokens=2, rows=3))
    assert main(["reidentify", "out.csv", "--key", "k", "-o", "back.csv"]) == 0
    assert "2 pseudonyms of other keys are left as they are" in capsys.readouterr().err


def test_an_error_and_its_hint(door, capsys):
    door("scan", InputError("a\x1b[31m.csv, row 7: 5 cells\nwhere 6 are wanted", hint="Look at \u202e it."))
    assert main(["scan", "a.csv"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == [
        "privkit: error: a\\x1b[31m.csv, row 7: 5 cells where 6 are wanted",
        "privkit: hint: Look at \\u202e it.",
    ]


def test_a_bug_shows_its_type_and_not_its_message(door, capsys, monkeypatch):
    monkeypatch.delenv("PRIVKIT_DEBUG", raising=False)
    door("scan", ValueError("could not convert 'Jane Roe'"))
    assert main(["scan", "a.csv"]) == 1
    err = capsys.readouterr().err
    assert "privkit: error: this is a bug in privkit: ValueError at cli/scan.py:" in err
    assert "Jane" not in err
    assert "Traceback" not in err
    monkeypatch.setenv("PRIVKIT_DEBUG", "1")
    assert main(["scan", "a.csv"]) == 1
    assert "Jane" in capsys.readouterr().err


def test_other_libraries_keep_quiet_while_a_door_works(monkeypatch, capsys):
    def scan(source, *, observer, **named):
        logging.getLogger("presidio-analyzer").warning("could not read Jane Roe")
        warnings.warn("odd: Jane Roe", stacklevel=1)
        return scan_report()

    monkeypatch.setitem(vars(privkit), "scan", scan)
    assert main(["scan", "a.csv"]) == 0
    assert "Jane" not in capsys.readouterr().err
    assert logging.root.manager.disable == logging.NOTSET


def test_ctrl_c(door, capsys):
    door("deidentify", KeyboardInterrupt())
    assert main(["deidentify", "in.csv", "-o", "out.csv"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "privkit: error: interrupted"
    assert main(["deidentify", "in.csv", "-o", "out.csv", "--key", "k"]) == 130
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "privkit: error: interrupted",
        "privkit: hint: The same command with --resume continues.",
    ]


SLEEPER = """
import sys, time, privkit
from privkit.cli import main

def scan(source, *, observer, **named):
    try:
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", file=sys.stderr, flush=True)

vars(privkit)["scan"] = scan
sys.exit(main(["scan", "in.csv"]))
"""


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_signals_unwind_the_run(number, code, word):
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == code
    assert [line for line in rest.splitlines() if line] == ["cleaned up", f"privkit: error: {word}"]


def test_sigterm_is_put_back(capsys):
    before = signal.getsignal(signal.SIGTERM)
    main(["--help"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_goes_away_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "privkit", "policy", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_key_new_and_show(tmp_path, capsys):
    path = tmp_path / "k.key"
    assert main(["key", "new", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.strip() == privkit.Key.load(path).id
    assert "Keep it apart from the data" in err
    assert main(["key", "show", str(path)]) == 0
    assert capsys.readouterr().out == out
    assert main(["key", "new", str(path)]) == 1
    assert capsys.readouterr().err.startswith("privkit: error: ")


def test_key_file_that_others_can_read(tmp_path, capsys):
    path = tmp_path / "k.key"
    main(["key", "new", str(path)])
    path.chmod(0o644)
    secret = path.read_text(encoding="utf-8").split()
    capsys.readouterr()
    assert main(["key", "show", str(path)]) == KeyFileError.exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert not any(word in err for word in secret if len(word) > 20)


def test_policy_list_and_show(capsys, tmp_path):
    assert main(["policy", "list"]) == 0
    listed = capsys.readouterr().out
    for name in ("default", "hipaa-safe-harbor", "pseudonymize"):
        assert name in listed
        assert main(["policy", "show", name]) == 0
        text = capsys.readouterr().out
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
        assert main(["policy", "check", str(tmp_path / "p.yaml")]) == 0
        assert f"valid; name {name}, sha256 " in capsys.readouterr().out
    assert main(["policy", "show", "nonesuch"]) in (1, 2)
    assert "nonesuch" in capsys.readouterr().err


def test_policy_schema_takes_the_policies_and_refuses_others(capsys):
    import jsonschema

    main(["policy", "schema"])
    schema = json.loads(capsys.readouterr().out)
    policy = Policy(name="x", roles={"identifier": Pseudonym()}, thresholds={"PERSON": 0.5})
    jsonschema.validate(policy.model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"unknown": "explode"}, schema)


def test_policy_check_names_the_line(tmp_path, capsys):
    path = tmp_path / "p.yaml"
    path.write_text("name: mine\nunknown: explode\n", encoding="utf-8")
    assert main(["policy", "check", str(path)]) == 1
    assert f"{path}, line 2: unknown" in capsys.readouterr().err


def test_doctor(capsys):
    assert main(["doctor"]) == 0
    assert "patterns" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["python"].startswith("3.")


def test_python_m_privkit_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "privkit", "nonesuch"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(privkit.__file__).parent.parent)},
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("privkit: error: No such command")
