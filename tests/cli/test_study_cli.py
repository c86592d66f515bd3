"""`privkit study`: from the identities to the result, what is printed where, refused and charged."""

import json
import re
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from study_data import NAMES
from study_world import CANARIES, STATISTICS, World, build, describe, rows

import privkit
from privkit.cli import main
from privkit.model.study import Contributed, StudyResult, StudyStatus

COMMANDS = [
    "study",
    *(f"study {name}" for name in ["schema", "new", "join", "contribute", "aggregate", "reveal", "status", "verify"]),
]


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    return build(tmp_path_factory.mktemp("world"), ("flu",))


@pytest.fixture
def at(stages, tmp_path, monkeypatch):
    """Goes to a copy of a stage."""
    monkeypatch.delenv("PRIVKIT_DEBUG", raising=False)

    def went(stage: str) -> World:
        shutil.copytree(stages[stage], tmp_path / stage)
        monkeypatch.chdir(tmp_path / stage)
        return World(tmp_path / stage)

    return went


@pytest.fixture
def run(capsys):
    def privkit_(command: str) -> tuple[int, str, str]:
        code = main(shlex.split(command))
        out, err = capsys.readouterr()
        assert not any(canary in out + err for canary in CANARIES)
        return code, out, err

    return privkit_


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- from end to end


def test_a_study_from_end_to_end(tmp_path, monkeypatch, run):
    """Every command; what each prints, charges and leaves, and nobody's cells anywhere."""
    monkeypatch.chdir(tmp_path)
    publics = {}
    for name in (*NAMES, "analyst"):
        assert run(f"identity new {name}.identity --name {name}")[0] == 0
        code, out, _ = run(f"identity show {name}.identity --json")
        publics[name] = json.loads(out)["public"]
    Path("flu.study.yaml").write_text(
        yaml.safe_dump(
            {
                "study": "flu",
                "parties": [{"name": name, "public": publics[name]} for name in NAMES],
                "privacy": {"epsilon": 2.0, "delta": 1e-6, "min_honest": 2},
                "key_holder": publics["analyst"],
                "columns": {
                    "los": {"type": "float", "bounds": [0, 60], "granularity": 0.1},
                    "ward": {"type": "category", "categories": ["a", "b", "c"]},
                },
                "statistics": list(STATISTICS),
            }
        )
    )
    for seed, name in enumerate(NAMES):
        rows(seed).to_parquet(f"{name}.parquet", index=False)
        describe(tmp_path, name)
        assert run(f"budget create {name}.dataset.yaml")[0] == 0
    code, out, err = run("study new flu.study.yaml --key-holder analyst.identity -o flu/")
    assert (code, err) == (0, "")
    assert "north, south, west: privkit study join" in out
    for name in NAMES:
        code, out, err = run(f"study join flu/ --identity {name}.identity --key-holder {publics['analyst']} --json")
        assert (code, err) == (0, "")
        status = StudyStatus.model_validate_json(out)
        assert next(party.joined for party in status.parties if party.name == name)
    for name in NAMES:
        code, out, err = run(f"study contribute flu/ --identity {name}.identity --dataset {name}.dataset.yaml")
        assert (code, out) == (0, "")
        assert f"{name} contributed" in err
        assert "entry 2 of its ledger" in err
    code, out, err = run("study contribute flu/ --identity west.identity --dataset west.dataset.yaml --json")
    done = Contributed.model_validate_json(out)
    assert (code, done.again, done.sequence) == (0, True, None)
    assert "nothing charged" in err
    code, out, err = run("study aggregate flu/")
    assert (code, err) == (0, "")
    assert run("study aggregate flu/")[0] == 0  # the same bytes again
    code, out, err = run("study reveal flu/ --identity analyst.identity -o result.json --html r.html --card r.md")
    assert (code, out) == (0, "")
    assert "keys are destroyed" in err
    result = StudyResult.model_validate_json(Path("result.json").read_text())
    assert [row for (row,) in result.statistics[0].keys] == ["a", "b", "c"]
    assert Path("r.md").read_text() == result.card
    assert Path("r.html").read_text().startswith("<!doctype html>")
    code, out, err = run(f"study verify flu/ --key-holder {publics['analyst']} --json")
    assert (code, err) == (0, "")
    status = StudyStatus.model_validate_json(out)
    assert (status.aggregated, status.revealed, status.next) == (True, True, "nothing: the study is over")
    code, out, err = run("study reveal flu/ --identity analyst.identity -o again.json")
    assert (code, out) == (1, "")
    assert "was revealed and its keys are destroyed" in err
    assert not Path("again.json").exists()
    code, out, _ = run(f"study result flu/ -o again.json --key-holder {publics['analyst']}")  # what a party does
    assert (code, out) == (0, "")
    assert Path("again.json").read_bytes() == Path("result.json").read_bytes()
    assert run("study result flu/ -o again.json")[0] == 1
    assert run("study result flu/ -o flu/result.bin --force")[0] == 1
    for name in NAMES:
        history = privkit.budget_history(privkit.Dataset.load(f"{name}.dataset.yaml"))
        assert [entry.kind for entry in history] == ["opened", "charged", "released"]
    check_no_cell_left(tmp_path)


def check_no_cell_left(place):
    """Neither in the study's folder, nor beside the identities, nor in a ledger, nor in a result."""
    for path in place.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            content = path.read_bytes()
            assert not any(canary.encode() in content for canary in CANARIES), path.name


def test_no_cell_stands_in_any_file_of_any_stage(stages):
    for place in stages.values():
        check_no_cell_left(place)
        for ledger in place.glob("*.ledger.sqlite3"):
            with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
                text = "\n".join(connection.iterdump())
            connection.close()
            assert not any(canary in text for canary in CANARIES)


def test_the_canaries_are_in_the_tables(stages):
    content = b"".join(path.read_bytes() for path in stages["new"].glob("*.parquet"))
    assert b"canaryward" in content


# ---- files


def test_secrets_are_closed_to_others(stages):
    for place in stages.values():
        states = list(place.glob("*.studies/**/*"))
        assert states
        for path in states:
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path.name
        for path in place.glob("*.studies"):
            assert mode(path) == 0o700
        for path in place.glob("*.identity"):
            assert mode(path) == 0o600


def test_nothing_secret_stands_in_the_studys_folder(stages):
    joined, contributed = stages["joined"], stages["revealed"] / "flu"
    secrets = [path.read_bytes() for path in joined.glob("*.studies/*/*.secret")]
    assert len(secrets) == 5  # two contexts and three shares
    everything = b"".join(path.read_bytes() for path in contributed.iterdir())
    for secret in secrets:
        assert secret not in everything
        assert secret[-32:].hex().encode() not in everything
        assert secret[-32:] not in everything


@pytest.mark.parametrize("what", ["identity", "state"])
def test_a_secret_that_is_open_to_others_is_not_used(at, run, what):
    w = at("joined")
    secret = next(w.place.glob("north.identity.studies/*/share.secret"))
    path = w.place / "north.identity" if what == "identity" else secret
    path.chmod(0o640)
    code, out, err = run("study contribute flu --identity north.identity --dataset north.dataset.yaml")
    assert (code, out) == (1, "")
    assert "can be opened by others (mode 0640)" in err
    assert w.entries() == ["opened"]


# ---- parsing


@pytest.mark.parametrize("words", COMMANDS)
def test_help(words, run):
    code, out, err = run(f"{words} -h")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: privkit {words} ")


def test_a_bare_study_shows_its_help_as_wrong_usage(run):
    code, out, err = run("study")
    assert (code, out) == (2, "")
    assert err.startswith("Usage: privkit study ")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("study nothing", "No such command"),
        ("study new flu.study.yaml -o x", "Missing option '--key-holder'"),
        ("study new flu.study.yaml --key-holder analyst.identity", "Missing option '-o'"),
        ("study join flu", "Missing option '--identity'"),
        ("study join --identity north.identity", "Missing argument 'FOLDER'"),
        ("study contribute flu --identity north.identity", "Missing option '--dataset'"),
        ("study reveal flu --identity analyst.identity", "Missing option '-o'"),
        ("study reveal flu --identity analyst.identity -o r.json --confidence 2", "a confidence from 0.5"),
        ("study reveal flu --identity analyst.identity -o r.json --confidence x", "not a valid float"),
        ("study reveal flu --identity analyst.identity -o r.json --card r.json", "are the same file"),
        ("study verify flu --key-holder", "requires an argument"),
    ],
)
def test_wrong_usage_changes_nothing(at, run, command, message):
    w = at("aggregated")
    before = sorted(path.name for path in w.place.rglob("*") if not path.name.endswith(".lock"))
    code, out, err = run(command)
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(path.name for path in w.place.rglob("*") if not path.name.endswith(".lock")) == before


def test_the_schema_of_study_files(at, run):
    w = at("new")
    code, out, err = run("study schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    described = yaml.safe_load((w.place / "flu.study.yaml").read_text())
    jsonschema.validate(described, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**described, "partys": []}, schema)


@pytest.mark.parametrize("command", ["['study', '--help']", "['study', 'contribute', '--help']", "['study']"])
def test_help_loads_nothing_heavy(command):
    code = (
        f"from privkit.cli import main; main({command})\nimport sys\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    heavy = {"pandas", "pyarrow", "numpy", "pydantic", "rich", "opendp", "tenseal", "_tenseal_cpp", "cryptography"}
    assert set(done.stderr.splitlines()[-1].split()) & (heavy | {"duckdb", "ibis", "yaml"}) == set()


# ---- study files


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("study: flu", "study: flu fever", "study"),
        ("study: flu", "study: flu\nstudy: flu", "stands twice"),
        ("name: south", "name: North", "two parties have the same name"),
        ("name: south", "name: ../south", "parties.1.name"),
        ("min_honest: 2", "min_honest: 3", "min_honest is at most 2"),
        ("  min_honest: 2\n", "", "min_honest is wanted"),
        ("epsilon: '2'", "epsilon: 0", "privacy.epsilon"),
        ("delta: 1e-11", "delta: 1", "privacy.delta"),
        ("max_groups: 1", "max_groups: 0", "unit.max_groups"),
        ("max_groups: 1", "from: x\n  max_groups: 1", "unit"),
        ("SELECT ward", "SELECT sex", "sex"),
        ("SELECT ward, COUNT(*) AS n", "DROP TABLE data; --", ""),
        ("FROM data", "FROM patients", "patients"),
        ("max_units: 1000000000", "max_units: 1099511627776", "2^40"),
        ("ed25519:", "ed25518:", "public"),
    ],
)
def test_a_study_file_that_does_not_hold_together_is_refused_before_keys_are_made(at, run, old, new, told):
    w = at("new")
    text = (w.place / "flu.study.yaml").read_text()
    assert old in text, text
    (w.place / "bad.study.yaml").write_text(text.replace(old, new, 1))
    states = sorted(w.place.glob("*.studies/*"))
    code, out, err = run("study new bad.study.yaml --key-holder analyst.identity -o other")
    assert (code, out) == (1, "")
    assert err.startswith("privkit: error: ")
    assert told in err
    assert "bug" not in err
    assert not (w.place / "other").exists()
    assert sorted(w.place.glob("*.studies/*")) == states


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("study new no.yaml --key-holder analyst.identity -o x", "no.yaml: cannot be read"),
        ("study new flu.study.yaml --key-holder no.identity -o x", "no.identity: no such identity file"),
        ("study new flu.study.yaml --key-holder flu.study.yaml -o x", "flu.study.yaml"),
        ("study new flu.study.yaml --key-holder analyst.identity -o flu", "flu exists already"),
        ("study new flu.study.yaml --key-holder analyst.identity -o north.parquet", "north.parquet exists already"),
        ("study new flu.study.yaml --key-holder analyst.identity -o no/x", "the folder no does not exist"),
        ("study join nowhere --identity north.identity", "nowhere: this is no study (no such folder)"),
        ("study join flu --identity no.identity", "no.identity: no such identity file"),
        ("study contribute flu --identity north.identity --dataset no.yaml", "no.yaml: cannot be read"),
        ("study contribute flu --identity north.identity --dataset north.dataset.yaml", "south, west have not joined"),
        ("study aggregate flu", "south, west have not joined yet"),
        ("study reveal flu --identity analyst.identity -o r.json", "have not been added up yet"),
        ("study status north.parquet", "north.parquet"),
        ("study verify flu --key-holder analyst", "this is not a public identity"),
    ],
)
def test_what_cannot_be_done_yet_is_said_with_exit_1(at, run, command, told):
    w = at("new")
    run("study join flu --identity north.identity")
    code, out, err = run(command)
    assert (code, out) == (1, "")
    assert err.startswith("privkit: error: ")
    assert told in err
    assert "bug" not in err
    assert w.entries() == ["opened"]
    assert not (w.place / "x").exists()
    assert not (w.place / "r.json").exists()


# ---- exit codes


def test_a_budget_without_room_exits_3(at, run):
    w = at("joined")
    describe(w.place, "north", file="small", epsilon="0.1")
    run("budget create small.dataset.yaml")
    code, out, err = run("study contribute flu --identity north.identity --dataset small.dataset.yaml --json")
    assert (code, out) == (3, "")
    assert err.startswith("privkit: error: ")
    assert not (w.folder / "contribution-north.bin").exists()


@pytest.mark.parametrize("step", ["status", "verify", "aggregate", "reveal", "join", "contribute"])
def test_what_does_not_hold_exits_5(at, run, step):
    w = at("joined" if step in ("join", "contribute") else "aggregated")
    path = w.folder / "invitation.bin"
    path.write_bytes(path.read_bytes().replace(b'"flu"', b'"flv"', 1))
    options = {
        "reveal": "--identity analyst.identity -o -",
        "join": "--identity north.identity",
        "contribute": "--identity north.identity --dataset north.dataset.yaml",
    }
    code, out, err = run(f"study {step} flu {options.get(step, '')}")
    assert (code, out) == (5, "")
    assert "invitation.bin was changed after it was signed" in err


def test_a_pinned_key_holder_that_is_another_exits_5(at, run):
    w = at("joined")
    other = privkit.Identity.load(w.place / "mallory.identity").public.text
    code, _, err = run(f"study verify flu --key-holder {other}")
    assert code == 5
    assert "its key holder, analyst, is another identity" in err
    _, _, err = run("study verify flu")
    assert "The key holder is not pinned" in err


def test_a_pinned_key_holder_in_the_study_file_that_is_another_is_refused(at, run):
    w = at("new")
    public = privkit.Identity.load(w.place / "mallory.identity").public.text
    with (w.place / "flu.study.yaml").open("a") as file:
        file.write(f"\nkey_holder: {public}\n")
    code, out, err = run("study new flu.study.yaml --key-holder analyst.identity -o other")
    assert (code, out) == (1, "")
    assert "pins another key holder" in err


# ---- what goes where


def test_status_says_what_comes_next(at, run):
    for stage, told in (
        ("new", "north, south, west: privkit study join"),
        ("joined", "north, south, west: privkit study contribute"),
        ("contributed", "anyone: privkit study aggregate"),
        ("aggregated", "the key holder: privkit study reveal"),
        ("revealed", "nothing: the study is over"),
    ):
        at(stage)
        code, out, err = run("study status flu --json")
        assert (code, err) == (0, "")
        status = StudyStatus.model_validate_json(out)
        assert status.next == told
        code, out, err = run("study status flu")
        assert (code, err) == (0, "")
        assert f"Next: {told}." in re.sub(r"\s+", " ", out)


def test_the_result_goes_to_standard_output_only_when_asked_to(at, run):
    w = at("aggregated")
    code, out, err = run("study reveal flu --identity analyst.identity -o -")
    assert code == 0
    result = StudyResult.model_validate_json(out)
    assert result.study == "flu"
    assert "ward" in err
    assert "destroyed" in err
    assert not (w.place / "-").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("-o there.json", "there.json exists already"),
        ("-o no/r.json", "the folder no does not exist"),
        ("-o flu", "it is a folder"),
        ("-o ''", "it is a folder"),
        ("-o r.json --html there.json", "there.json exists already"),
        ("-o r.json --card no/r.md", "the folder no does not exist"),
        ("-o analyst.identity --force", "would replace a file"),
        ("-o analyst.ledger.sqlite3 --force --ledger analyst.ledger.sqlite3", "would replace a file"),
        ("-o flu/result.bin", "would replace a file"),
        ("-o flu/result.bin --force", "would replace a file"),
        ("-o flu/aggregate.bin --force", "would replace a file"),
        ("-o r.json --html flu/share-north.bin --force", "would replace a file"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_decrypted(at, run, options, told):
    w = at("aggregated")
    (w.place / "there.json").write_text("kept")
    before = {path: path.read_bytes() for path in w.place.rglob("*") if path.is_file()}
    code, out, err = run(f"study reveal flu --identity analyst.identity {options}")
    assert (code, out) == (1, "")
    assert told in err
    assert {path: path.read_bytes() for path in w.place.rglob("*") if path.is_file()} == before
    code, _, _ = run("study reveal flu --identity analyst.identity -o there.json --force")
    assert code == 0
    assert StudyResult.model_validate_json((w.place / "there.json").read_text())


def test_an_output_that_fails_in_the_end_can_be_written_again(at, run, monkeypatch):
    w = at("aggregated")
    real = Path.replace

    def failing(self, target):
        if Path(target).name == "r.json":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    code, out, err = run("study reveal flu --identity analyst.identity -o r.json")
    assert (code, out) == (1, "")
    assert "No space left" in err
    assert "destroyed" not in err
    assert not list(w.place.glob("*r.json*"))
    monkeypatch.setattr(Path, "replace", real)
    code, _, err = run("study reveal flu --identity analyst.identity -o r.json")
    assert code == 0
    assert "destroyed" in err


def test_the_reveal_is_noted_in_the_key_holders_ledger(at, run):
    w = at("aggregated")
    code, _, _ = run("study reveal flu --identity analyst.identity -o r.json --ledger analyst.ledger.sqlite3")
    assert code == 0
    assert w.entries("analyst") == ["opened", "revealed"]
    code, out, _ = run("budget history analyst.dataset.yaml --json")
    assert code == 0
    assert "revealed" in out


def test_a_ledger_that_is_missing_shows_nothing(at, run):
    w = at("aggregated")
    code, out, err = run("study reveal flu --identity analyst.identity -o - --ledger no.sqlite3")
    assert (code, out) == (1, "")
    assert "no.sqlite3" in err
    assert not (w.folder / "result.bin").exists()
    code, out, _ = run("study reveal flu --identity analyst.identity -o -")
    assert code == 0
    assert StudyResult.model_validate_json(out)


# ---- nobody's cells in errors


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ward: {type: category}", "ward: {type: integer, bounds: [0, 5]}"),
        ("float, bounds: [0, 30], granularity: 0.1, from: LENGTH", "integer, bounds: [0, 3], from: ward"),
        ("from: LENGTH", "from: ward"),
        ("from: LENGTH", "from: pid"),
        ("column: pid", "column: LENGTH"),
    ],
)  # fmt: skip
def test_columns_of_another_type_end_in_an_error_without_a_value(at, run, old, new):
    """`run` looks for canaries in what is printed."""
    w = at("joined")
    path = w.place / "north.dataset.yaml"
    path.write_text(path.read_text().replace(old, new))
    code, out, err = run("study contribute flu --identity north.identity --dataset north.dataset.yaml")
    assert code in (0, 1)
    assert out == ""
    assert "bug" not in err
    check_no_cell_left(w.place)
