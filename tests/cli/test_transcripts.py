"""Whole commands on real files: what was typed, the exit code, what both streams said, which files are there after."""

import gzip
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from people import people, write_csv

from privkit.cli import main
from privkit.keys.keyfile import Key

PATTERNS = ["--detector", "patterns", "--workers", "1"]


def made_files(folder: Path) -> None:
    write_csv(folder / "clinic.csv", people(30))
    clinic = (folder / "clinic.csv").read_bytes()
    (folder / "parts").mkdir()
    for name in ("1.csv", "2.csv"):
        (folder / "parts" / name).write_bytes(clinic)
    (folder / "mixed").mkdir()
    (folder / "mixed" / "1.csv").write_bytes(clinic)
    (folder / "mixed" / "2.csv.gz").write_bytes(gzip.compress(clinic))
    (folder / "mixed" / "3.csv.zst").write_bytes(zstandard.compress(clinic))
    (folder / "mixed" / "README.md").write_text("x")
    (folder / "nothing").mkdir()
    pq.write_table(pa.table({"name": ["Anna Smith"] * 500}), folder / "t.parquet")
    packed, table = gzip.compress(clinic), (folder / "t.parquet").read_bytes()
    for name, content in {
        "empty.csv": b"",
        "newlines.csv": b"\n\n",
        "blank.jsonl": b"\n \n",
        "ragged.csv": b"a,b\n1,2\n3\n",
        "bytes.csv": b"a,b\n1,caf\xe9\n",
        "doubled.csv": b"a,a\n1,2\n",
        "cut.csv.gz": packed[:-9],
        "tail.csv.gz": packed + b"tail",
        "bomb.csv.gz": gzip.compress(b"a\n" + (b"0" * 9_999 + b"\n") * 8_000, 1),
        "text.parquet": clinic,
        "cut.parquet": table[: len(table) // 2],
        "named.csv": table,
        "notes.xyz": b"a\n1\n",
        "out.csv": b"mine",
        "policy.yaml": b"name: x\nunknown: maybe\n",
        "high.yaml": b"thresholds: {PERSON: 3}\n",
        "r.json": b"{}",
        "garbage.key": b"garbage\xff",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "link.csv").symlink_to("clinic.csv")
    (folder / "garbage.key").chmod(0o600)
    Key.new(folder / "org.key")
    (folder / "loose.key").write_bytes((folder / "org.key").read_bytes())
    (folder / "loose.key").chmod(0o644)


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


@pytest.fixture
def place(tmp_path, monkeypatch):
    made_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVKIT_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def privkit(place, capsys):
    def run(command: str | list[str], *more: str) -> tuple[int, str, str]:
        words = shlex.split(command) if isinstance(command, str) else command
        code = main([*words, *more])
        return code, *capsys.readouterr()

    return run


REFUSED = [
    ("missing.csv -o o.csv", 1, "missing.csv: no such file or folder", "the current folder"),
    ("'' -o o.csv", 2, "the source's name is empty", "standard input"),
    ("empty.csv -o o.csv", 1, "empty.csv: empty file", "written to the end"),
    ("newlines.csv -o o.csv", 1, "newlines.csv: empty, there is not even a header", None),
    ("blank.jsonl -o o.jsonl", 1, "blank.jsonl: only blank lines, not one record", "written to the end"),
    ("nothing -o o", 1, "nothing: no file in it", ".csv"),
    ("'none*.csv' -o o", 1, "none*.csv: no file matches", "the current folder"),
    ("notes.xyz -o o.csv", 2, "notes.xyz: what it holds is not known from its name", "--format"),
    ("ragged.csv -o o.csv", 1, "ragged.csv: row 2 has 1 cell, the header has 2", "delimiter"),
    ("bytes.csv -o o.csv", 1, "bytes.csv: not UTF-8 text at byte 9", "--encoding"),
    ("clinic.csv -o o.csv --encoding klingon", 2, "unknown encoding 'klingon'", "cp1252"),
    ("doubled.csv -o o.csv", 1, "doubled.csv: more than one column is named a", "own name"),
    ("cut.csv.gz -o o.csv", 1, "cut.csv.gz: cut off, the gzip data ends at byte", "again"),
    ("tail.csv.gz -o o.csv", 1, "tail.csv.gz: bytes that are not gzip follow its end", "anew"),
    ("bomb.csv.gz -o o.csv", 1, "bomb.csv.gz: expands to more than 200 times", "--max-expansion"),
    ("text.parquet -o o.csv", 1, "text.parquet: not a Parquet file", None),
    ("cut.parquet -o o.csv", 1, "cut.parquet: a Parquet file that is cut off", "again"),
    ("named.csv -o o.csv", 1, "named.csv: not UTF-8 text at byte", ".parquet"),
    ("clinic.csv -o out.csv", 1, "out.csv exists", "--force"),
    ("clinic.csv -o o.xyz", 2, "o.xyz: the extension does not say what to write", ".csv"),
    ("clinic.csv -o o.txt", 2, "o.txt: a .txt file holds one column of text", ".csv"),
    ("clinic.csv -o no/o.csv", 1, "the folder no does not exist", "mkdir -p no"),
    ("clinic.csv -o nothing", 1, "nothing is a folder", "Name a file in it"),
    ("clinic.csv -o nothing --force", 1, "nothing is a folder", "Name a file in it"),
    ("clinic.csv -o ''", 2, "the output's name is empty", "Name a file"),
    ("clinic.csv -o clinic.csv --force", 1, "the output clinic.csv and the source are the same place", "another name"),
    ("clinic.csv -o link.csv --force", 1, "the output link.csv and the source are the same place", "another name"),
    ("link.csv -o ./clinic.csv --force", 1, "the output clinic.csv and the source are the same place", "another name"),
    ("parts -o parts --force", 1, "the output parts and the source are the same place", "another name"),
    ("parts -o parts/o", 1, "the output parts/o lies inside the source", "next time"),
    ("'*/1.csv' -o parts --force", 1, "the output parts and the source are the same place", "another name"),
    ("parts/1.csv -o parts --force", 1, "the output parts and the source are the same place", "another name"),
    ("parts -o out.csv --force", 1, "out.csv is a file, and the output of several files is a folder", "folder"),
    ("mixed -o -", 2, "a dataset of several files cannot go to the standard output", "-o FOLDER"),
    ("clinic.csv -o o.csv --drop nope", 1, "no such column: nope", "The columns are: patient_id, name"),
    ("clinic.csv -o o.csv --keep nope", 1, "no such column: nope", "The columns are"),
    ("clinic.csv -o o.csv --column nope=drop", 1, "no such column: nope", "The columns are"),
    ("clinic.csv -o o.csv --column =drop", 2, "--column =drop: a name is wanted before the `=`", "NAME=OPERATOR"),
    ("clinic.csv -o o.csv --known clinic.csv:nope --on age", 1, "clinic.csv: no column nope", "Its columns are"),
    ("clinic.csv -o o.csv --known no.csv:name --on age", 1, "no.csv: no such file or folder", "current folder"),
    ("clinic.csv -o o.csv --entity person=mask", 2, "--entity person: entity types are written in capitals", "PERSON"),
    ("clinic.csv -o o.csv --key no.key", 1, "no.key: no such key file", "privkit key new no.key"),
    ("clinic.csv -o o.csv --key loose.key", 1, "loose.key can be opened by others (mode 0644)", "chmod 600"),
    ("clinic.csv -o o.csv --key garbage.key", 1, "garbage.key is not a privkit key file", "copy"),
    ("clinic.csv -o o.csv --key nothing", 1, "nothing is a folder, not a key file", None),
    ("clinic.csv -o o.csv --policy policy.yaml", 1, "policy.yaml, line 2: unknown:", "policy schema"),
    ("clinic.csv -o o.csv --policy high.yaml", 1, "high.yaml, line 1: thresholds.PERSON:", "policy schema"),
    ("clinic.csv -o o.csv --policy defalt", 1, "no policy is called 'defalt'", "Did you mean default?"),
    ("clinic.csv -o o.csv --report r.json", 1, "the report r.json exists already", "--force"),
    ("clinic.csv -o o.csv --report no/r.json", 1, "the report no/r.json cannot be written", "mkdir -p no"),
    ("clinic.csv -o o.csv --report r.xml", 2, "--report r.xml: the name must end in .json or .html", None),
    ("clinic.csv -o o.csv --save-policy policy.yaml", 1, "the saved policy policy.yaml exists already", "--force"),
    ("clinic.csv --dry-run --save-policy policy.yaml", 1, "the saved policy policy.yaml exists already", "--force"),
    (
        "clinic.csv --dry-run --save-policy clinic.csv --force",
        1,
        "clinic.csv and the source are the same place",
        "name",
    ),
    (
        "clinic.csv -o o.csv --key org.key --save-policy org.key --force",
        1,
        "the saved policy org.key would replace org.key (key), which this run reads",
        "another name",
    ),
    ("clinic.csv -o o.csv --save-policy no/p.yaml", 1, "the saved policy no/p.yaml cannot be written", "mkdir -p no"),
    (
        "clinic.csv -o o.json --report o.json",
        2,
        "output, report, explanation and saved policy must be different files",
        None,
    ),
    ("clinic.csv -o o.csv --explain r.json", 1, "the explanation r.json exists already", "--force"),
    ("clinic.csv -o o.csv --explain no/w.html", 1, "the explanation no/w.html cannot be written", "mkdir -p no"),
    ("clinic.csv -o o.csv --explain -", 2, "an explanation holds the texts themselves", "--explain why.html"),
    ("clinic.csv -o o.csv --explain w.html --explain-rows 3,31", 2, "there is no row 31, the source has 30", None),
    (
        "clinic.csv -o o.csv --explain w.html --explain-rows 1-600",
        2,
        "600 rows are too many to explain",
        "Choose a few",
    ),
    ("clinic.csv -o o.csv --explain-rows 3", 2, "--explain-rows chooses rows for --explain", "--explain FILE"),
    ("clinic.csv -o o.csv --presidio no.yaml", 1, "no.yaml: cannot be read (No such file or directory)", None),
    ("clinic.csv -o o.csv --presidio policy.yaml", 1, "policy.yaml, line 1: name: there is no such key", "schema"),
    ("clinic.csv --dry-run --report o.json", 2, "--report and --dry-run cannot go together", "--save-policy"),
    ("clinic.csv -o - --key org.key --resume", 2, "--resume needs an output file, not `-o -`", "-o"),
    ("clinic.csv -o out.csv --key org.key --resume", 1, "nothing is left of an interrupted run of it", "finished"),
    ("clinic.csv -o o.csv --country xx", 2, "--country xx: not a country whose numbers are known; there are ar,", None),
    ("clinic.csv -o o.csv --country de --country", 2, "Option '--country' requires an argument", "--help"),
    ("clinic.csv -o o.csv --language qq", 2, "--language qq: not a language that can be read; there are af,", None),
    ("clinic.csv -o o.csv --workers 100000", 2, "--workers takes 1 to 512", None),
    ("- -o o.csv", 2, "what standard input holds must be said", "--format csv"),
    ("- -o o.csv --format parquet", 2, "Parquet cannot be read from standard input", "file first"),
]


@pytest.mark.parametrize(("command", "code", "error", "hint"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_done_is_said_and_leaves_every_file_as_it_was(privkit, place, command, code, error, hint):
    before = contents(place)
    found, out, err = privkit(f"deidentify --workers 1 --detector patterns {command}")
    assert out == "" or "--dry-run" in command
    last = [line for line in err.splitlines() if line.startswith("privkit: ")]
    assert error in last[-2 if hint else -1], err
    assert last[-2 if hint else -1].startswith("privkit: error: ")
    if hint:
        assert last[-1].startswith("privkit: hint: ")
        assert hint in last[-1]
    assert "Traceback" not in err
    assert found == code
    assert contents(place) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read and write everything")
@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("closed.csv -o o.csv", "closed.csv: cannot be read (Permission denied)"),
        ("closed -o o", "closed: cannot be read (Permission denied)"),
        ("clinic.csv -o shut/o.csv", "the folder shut is not writable"),
        ("clinic.csv -o o.csv --report shut/r.json", "the folder shut is closed to you"),
        ("clinic.csv -o o.csv --save-policy shut/p.yaml", "the folder shut is closed to you"),
        ("clinic.csv -o o.csv --key closed.csv", "closed.csv cannot be read: Permission denied"),
    ],
)
def test_closed_files_and_folders(privkit, place, command, error):
    (place / "closed.csv").write_text("a\n1\n")
    (place / "closed.csv").chmod(0)
    (place / "closed").mkdir(mode=0)
    (place / "shut").mkdir(mode=0o500)
    try:
        code, _, err = privkit(f"deidentify {command}", *PATTERNS)
        assert (code, error in err) == (1, True), err
        assert not (place / "o.csv").exists()
    finally:
        (place / "closed").chmod(0o700)


def test_a_source_in_a_folder_that_is_read_only_is_read(privkit, place):
    (place / "parts").chmod(0o500)
    try:
        assert privkit("deidentify parts/1.csv -o o.csv", *PATTERNS)[0] == 0
    finally:
        (place / "parts").chmod(0o700)


@pytest.mark.parametrize("name", ["h.csv", "h.tsv", "h.jsonl", "h.parquet", "h.csv.gz", "h.csv.zst"])
def test_a_header_without_rows_succeeds_in_every_format(privkit, place, name):
    (place / "header.csv").write_text("name,email,notes\n")
    before = contents(place)
    code, out, err = privkit(f"deidentify header.csv -o {name}", *PATTERNS)
    assert (code, out) == (0, "")
    assert f"{name}: 0 rows, 0 cells changed" in err
    assert contents(place).keys() - before.keys() == {name}
    data = (place / name).read_bytes()
    if name == "h.parquet":
        assert pq.read_schema(place / name).names == ["name", "email", "notes"]
    elif name == "h.jsonl":
        assert data == b""
    else:
        text = gzip.decompress(data) if name.endswith("gz") else data
        text = zstandard.ZstdDecompressor().decompress(data, 100) if name.endswith("zst") else text
        assert text == b"name\temail\tnotes\n" if name == "h.tsv" else text == b"name,email,notes\n"


def test_a_run_tells_on_standard_error_and_writes_one_file(privkit, place):
    before = contents(place)
    code, out, err = privkit("deidentify clinic.csv -o o.csv", *PATTERNS)
    assert (code, out) == (0, "")
    assert "o.csv: 30 rows" in err
    assert "\x1b" not in err
    after = contents(place)
    assert after.keys() - before.keys() == {"o.csv"}
    assert {name: after[name] for name in before} == before


def test_data_on_standard_output_and_nothing_else(privkit, place):
    before = contents(place)
    code, out, err = privkit("deidentify clinic.csv -o - --report s.html", *PATTERNS)
    assert code == 0
    assert out.splitlines()[0] == (place / "clinic.csv").read_text().splitlines()[0]
    assert len(out.splitlines()) == 31
    assert err.startswith("Column")
    assert "standard output: 30 rows" in err
    assert contents(place).keys() - before.keys() == {"s.html"}


def test_an_output_folder_that_is_empty_is_filled_and_a_full_one_needs_force(privkit, place):
    assert privkit("deidentify mixed -o nothing", *PATTERNS)[0] == 0
    assert sorted(path.name for path in Path("nothing").iterdir()) == ["1.csv", "2.csv", "3.csv"]
    code, _, err = privkit("deidentify mixed -o nothing", *PATTERNS)
    assert code == 1
    assert "nothing exists" in err
    assert privkit("deidentify mixed -o nothing --force", *PATTERNS)[0] == 0
    (place / "nothing" / "letter.odt").write_text("mine")
    code, _, err = privkit("deidentify mixed -o nothing --force", *PATTERNS)
    assert code == 1
    assert "nothing holds letter.odt" in err


def test_files_that_are_left_out_are_warned_of_and_reported(privkit, place):
    code, _, err = privkit("deidentify mixed -o o --report m.json", *PATTERNS)
    assert code == 0
    said = "1 file(s) of unknown extension in mixed are left out: README.md"
    assert f"privkit: warning: {said}" in err
    assert said in json.loads((place / "m.json").read_text())["warnings"]


def test_columns_that_a_policy_names_and_the_source_lacks_are_warned_of(privkit, place):
    assert privkit("deidentify clinic.csv --dry-run --save-policy saved.yaml", *PATTERNS)[0] == 0
    (place / "next.csv").write_text((place / "clinic.csv").read_text().replace("name,", "full_name,", 1))
    code, _, err = privkit("deidentify next.csv -o o.csv --policy saved.yaml", *PATTERNS)
    assert code == 0
    assert "warning: policy saved decides about columns that the source does not have: name" in err
    code, _, err = privkit("deidentify clinic.csv -o p.csv --policy saved.yaml", *PATTERNS)
    assert code == 0
    assert "does not have" not in err
    assert (
        privkit("deidentify clinic.csv -o q.csv --policy saved.yaml --save-policy saved.yaml --force", *PATTERNS)[0]
        == 0
    )


def test_an_entity_option_that_matches_nothing_is_warned_of(privkit):
    code, _, err = privkit("deidentify clinic.csv -o o.csv --entity PERSN=mask --entity PERSON=mask", *PATTERNS)
    assert code == 0
    assert "privkit: warning: --entity PERSN: nothing of this type was found" in err
    assert "--entity PERSON:" not in err


@pytest.mark.parametrize(
    "policy",
    ["", "unknown: refuse\n", "detector: patterns\nroles:\n  free_text: {operator: replace}\n"],
    ids=["empty", "no roles", "some roles"],
)
def test_a_policy_that_says_nothing_about_identifiers_keeps_none_of_them(privkit, place, policy):
    (place / "own.yaml").write_text(policy)
    kept = ("--keep", "ward", "--keep", "amount") if "refuse" in policy else ()
    code, _, err = privkit("deidentify clinic.csv -o o.csv --policy own.yaml", *kept, *PATTERNS)
    assert code == 0, err
    before, after = (place / "clinic.csv").read_text(), (place / "o.csv").read_text()
    for name in re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+(?=,)", before):
        assert name not in after
    (place / "own.yaml").write_text("roles: {identifier: {operator: keep}}\n")
    assert privkit("deidentify clinic.csv -o p.csv --policy own.yaml", *PATTERNS)[0] == 0
    assert "PERSON_x" not in (place / "p.csv").read_text()


@pytest.mark.parametrize(
    "name", ["two words.csv", "nämé 名前.csv", "br[1].csv", "-dash.csv", "new\nline.csv", "caf\udce9.csv"]
)
def test_names_of_all_kinds(privkit, place, name):
    (place / name).write_bytes((place / "clinic.csv").read_bytes())
    words = ["deidentify", "--report", "n.html", "--key", "org.key", *PATTERNS, "-o", f"out {name}", "--", name]
    code, _, err = privkit(words)
    assert code == 0, err
    assert (place / f"out {name}").read_bytes().count(b"\n") == 31
    (place / "folder").mkdir()
    (place / name).rename(place / "folder" / name)
    assert privkit(["deidentify", "folder", "-o", "folder_out", *PATTERNS])[0] == 0
    assert [path.name for path in Path("folder_out").iterdir()] == [name]


COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
ROLE = {"enum": ["identifier", "free_text", "quasi", "other"]}
MODELS = {"type": "array", "items": {"type": "object", "required": ["name", "version", "sha256"]}}
POLICY = {
    "type": "object",
    "required": ["name", "sha256"],
    "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    "additionalProperties": {"type": "string"},
}


def columns(*required: str) -> dict[str, object]:
    properties = {
        "role": ROLE,
        "entity": {"type": ["string", "null"]},
        "operator": {"type": ["string", "null"]},
        "cells_changed": {"type": "integer", "minimum": 0},
        "entities": COUNTS,
    }
    column = {"type": "object", "required": list(required), "properties": properties}
    return {"type": "object", "minProperties": 1, "additionalProperties": column}


REPORT = {
    "type": "object",
    "required": ["source", "rows", "columns", "detector", "models", "policy", "key_id", "residual", "seconds"],
    "properties": {
        "source": {"type": "string"},
        "rows": {"type": "integer"},
        "columns": columns("role", "entity", "operator", "cells_changed", "entities"),
        "detector": {"enum": ["patterns", "spacy", "core", "full"]},
        "models": MODELS,
        "policy": POLICY,
        "key_id": {"type": ["string", "null"], "pattern": "^[0-9a-f]{8}$"},
        "residual": {
            "type": "object",
            "required": ["rows_checked", "cells_with_findings", "input_identifiers_found"],
            "additionalProperties": {"type": ["integer", "object"], "minimum": 0},
        },
        "seconds": {"type": "number", "minimum": 0},
    },
}
SCAN = {
    "type": "object",
    "required": ["source", "rows", "columns", "detector", "models", "policy", "seconds"],
    "not": {"required": ["residual"]},
    "properties": {
        **{name: REPORT["properties"][name] for name in ("source", "rows", "detector", "models", "policy", "seconds")},  # type: ignore[index]
        "columns": columns("role", "entity", "entities"),
    },
}
DRY_RUN = {
    "type": "object",
    "required": ["source", "columns", "detector", "policy"],
    "properties": {"columns": columns("role", "entity", "operator", "share", "evidence"), "policy": POLICY},
}


@pytest.mark.parametrize("key", ["", "--key org.key"])
def test_the_json_of_a_run_is_its_report(privkit, place, key):
    code, out, err = privkit(f"deidentify clinic.csv -o o.csv --json --report j.json {key}", *PATTERNS)
    assert code == 0
    assert err == ""
    found = json.loads(out)
    jsonschema.validate(found, REPORT)
    assert found == json.loads((place / "j.json").read_text())
    assert found["rows"] == 30
    assert (found["key_id"] is not None) == bool(key)
    assert found["columns"]["name"]["cells_changed"] == 30
    assert "internal" in found["internal"]


def test_the_json_of_a_scan_and_of_a_dry_run(privkit, place):
    code, out, err = privkit("scan clinic.csv --json", *PATTERNS)
    assert (code, err) == (0, "")
    jsonschema.validate(json.loads(out), SCAN)
    assert not any("operator" in column for column in json.loads(out)["columns"].values())
    code, out, _ = privkit("scan clinic.csv parts --json", *PATTERNS)
    assert [one["source"] for one in json.loads(out)["sources"]] == ["clinic.csv", "parts"]
    code, out, err = privkit("deidentify clinic.csv --dry-run --json", *PATTERNS)
    assert (code, err) == (0, "")
    jsonschema.validate(json.loads(out), DRY_RUN)
    assert json.loads(out)["source"] == "clinic.csv"


def test_the_exit_codes_of_scan(privkit, place):
    (place / "clean.csv").write_text("colour,size\nred,1\nblue,2\n")
    before = contents(place)
    assert privkit("scan clean.csv --fail-on-pii", *PATTERNS)[0] == 0
    assert privkit("scan clinic.csv", *PATTERNS)[0] == 0
    assert privkit("scan clinic.csv --fail-on-pii", *PATTERNS)[0] == 4
    assert privkit("scan clean.csv clinic.csv --fail-on-pii --json", *PATTERNS)[0] == 4
    code, out, err = privkit("scan clean.csv missing.csv --fail-on-pii", *PATTERNS)
    assert code == 1
    assert "No PII found" in out
    assert "privkit: error: missing.csv: no such file or folder" in err
    assert contents(place) == before


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.jsonl", "a.parquet", "a.txt", "parts"])
def test_reidentify_restores_exactly(privkit, place, name):
    rows = [{"name": row["name"], "email": row["email"], "notes": row["notes"]} for row in people(30)]
    clinic = (place / "clinic.csv").read_bytes()
    made = {
        "a.csv": clinic,
        "a.tsv": clinic.replace(b",", b"\t"),
        "a.csv.gz": gzip.compress(clinic),
        "a.csv.zst": zstandard.compress(clinic),
        "a.jsonl": b"".join(json.dumps({**row, "n": 12345678901234567890}).encode() + b"\n" for row in rows),
        "a.txt": "\n\n".join(f"{row['name']} wrote from {row['email']}." for row in rows).encode(),
    }
    if name == "a.parquet":
        pq.write_table(
            pa.Table.from_pylist([{**row, "id": i, "who": [row["name"]]} for i, row in enumerate(rows)]), name
        )
    elif name != "parts":
        (place / name).write_bytes(made[name])
    assert privkit(f"deidentify {name} -o hidden_{name} --policy pseudonymize --key org.key", *PATTERNS)[0] == 0
    code, out, err = privkit(f"reidentify hidden_{name} -o back_{name} --key org.key")
    assert (code, out) == (0, "")
    assert f"back_{name}: " in err
    if name == "a.parquet":
        assert pq.read_table("back_a.parquet").equals(pq.read_table(name))
        assert not pq.read_table("hidden_a.parquet").equals(pq.read_table(name))
        return
    pairs = [(name, f"back_{name}")] if name != "parts" else [(f"parts/{i}.csv", f"back_parts/{i}.csv") for i in (1, 2)]
    for given, restored in pairs:
        assert unpacked(place / restored) == unpacked(place / given)
        assert unpacked(place / f"hidden_{given}") != unpacked(place / given)


def unpacked(path: Path) -> object:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return [json.loads(line) for line in data.splitlines()] if path.suffix == ".jsonl" else data


def test_reidentify_refuses_the_wrong_key_and_says_when_there_was_nothing_to_restore(privkit, place):
    Key.new(place / "other.key")
    assert privkit("deidentify clinic.csv -o o.csv --key org.key", *PATTERNS)[0] == 0
    before = contents(place)
    code, _, err = privkit("reidentify o.csv -o back.csv --key other.key")
    assert code == 1
    assert "wrong key" in err
    code, _, err = privkit("reidentify o.csv -o org.key --key org.key --force")
    assert code == 1
    assert "would replace org.key (key), which this run reads" in err
    assert contents(place) == before
    code, _, err = privkit("reidentify clinic.csv -o back.csv --key org.key")
    assert code == 0
    assert "clinic.csv holds no pseudonym of this key" in err


def test_a_narrow_terminal_gets_lists(privkit, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "dumb")
    code, out, _ = privkit("deidentify clinic.csv --dry-run", *PATTERNS)
    assert code == 0
    assert "ssn: identifier US_SSN, pseudonym (100%)" in " ".join(out.split())
    assert "─" not in out
    code, out, _ = privkit("scan clinic.csv", *PATTERNS)
    assert code == 0
    assert "ssn: identifier, US_SSN 30" in " ".join(out.split())


@pytest.mark.parametrize(
    "words",
    ["", "deidentify", "scan", "reidentify", "key", "key new", "key show", "policy", "policy list", "policy show",
     "policy schema", "policy check", "doctor"],
)  # fmt: skip
def test_help_fits_80_columns(privkit, words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = privkit(f"{words} --help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80


# What needs a process of its own ------------------------------------------------------------------------------------


def process(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **options.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.run(command, text=True, env=environment, timeout=120, **{"capture_output": True, **options})  # type: ignore[call-overload, no-any-return]


DEIDENTIFY = ["-m", "privkit", "deidentify"]


def test_standard_input_to_standard_output(place):
    with (place / "clinic.csv").open() as file:
        done = process(*DEIDENTIFY, "-", "--format", "csv", "-o", "-", *PATTERNS, stdin=file)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 31


def test_warnings_as_errors_and_an_empty_environment(place):
    assert process("-W", "error", *DEIDENTIFY, "clinic.csv", "-o", "o.csv", *PATTERNS).returncode == 0
    words = [sys.executable, *DEIDENTIFY, "clinic.csv", "-o", "p.csv", *PATTERNS]
    done = subprocess.run(words, env={"PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_plain_locale_and_no_home(place):
    plain = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "HOME": "/nonexistent"}
    done = process(*DEIDENTIFY, "clinic.csv", "-o", "o.csv", "--report", "l.html", *PATTERNS, env=plain)
    assert done.returncode == 0, done.stderr
    assert done.stderr.isascii()
    assert "é" not in done.stderr
    assert (place / "l.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words", [["deidentify", "clinic.csv", "-o", "-", *PATTERNS], ["policy", "schema"], ["--help"]]
)
def test_a_standard_output_without_room(place, words):
    before = contents(place)
    with Path("/dev/full").open("w") as full:
        done = process("-m", "privkit", *words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1
    assert "privkit: error: standard output could not be written" in done.stderr
    assert "bug" not in done.stderr
    assert contents(place) == before


def test_closed_streams(place):
    command = shlex.join([sys.executable, *DEIDENTIFY, "clinic.csv", *PATTERNS])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def shell(more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", f"{command} {more}"], capture_output=True, text=True, env=environment, timeout=120
        )

    assert shell("-o all.csv <&- >&- 2>&-").returncode == 0
    assert (place / "all.csv").read_bytes().count(b"\n") == 31
    done = shell("-o out2.csv >&-")
    assert (done.returncode, "bug" in done.stderr) == (0, False)
    done = shell("-o - >&-")
    assert done.returncode == 1
    assert "privkit: error: standard output is closed" in done.stderr


def test_a_reader_that_has_seen_enough(place):
    write_csv(place / "long.csv", people(20) * 500)
    command = [sys.executable, *DEIDENTIFY, "long.csv", "-o", "-", *PATTERNS]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(10) == b"patient_id"
        running.stdout.close()
        said = running.stderr.read().decode()
    assert running.returncode == 1
    assert "Traceback" not in said
    assert "error" not in said


def test_a_current_folder_that_is_gone(place):
    command = shlex.join([sys.executable, *DEIDENTIFY, str(place / "clinic.csv"), "-o", "o.csv", *PATTERNS])
    done = subprocess.run(
        ["/bin/sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && {command}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=120,
    )
    assert done.returncode == 1
    assert "the current folder does not exist any more" in done.stderr


def test_a_script_without_a_main_guard_uses_workers(place):
    (place / "script.py").write_text(
        "import privkit\n"
        "result = privkit.deidentify('clinic.csv', 'o.csv', detector='patterns', workers=2)\n"
        "print(result.report.rows)\n"
    )
    done = process("script.py")
    assert (done.returncode, done.stdout) == (0, "30\n"), done.stderr
