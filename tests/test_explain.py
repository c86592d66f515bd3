"""`--explain` and `explain_text`, end to end: which rows, where the file goes, and that no text goes anywhere else."""

import json
import os
import re
import stat

import pandas as pd
import pytest
from people import people, read_csv, write_csv

import privkit
from privkit.cli import main
from privkit.deidentifier import deidentify, deidentify_text, explain_text
from privkit.errors import OutputError, UsageError
from privkit.model.operators import Keep, Mask, Pseudonym

CANARY = "Zyrbwexley"


@pytest.fixture
def clinic(tmp_path):
    rows = people(40)
    rows[2] |= {"name": f"Quonda {CANARY}", "notes": f"{CANARY} rang from 212-555-0123 about the bill."}
    return write_csv(tmp_path / "clinic.csv", rows)


def explained(source, folder, *, output="out.csv", name="why.json", **options):
    deidentify(source, folder / output, **{"detector": "patterns", "workers": 1, "explain": folder / name, **options})
    return json.loads((folder / name).read_text(encoding="utf-8"))


def cells(row):
    return {cell["column"]: cell for cell in row["cells"]}


def test_the_chosen_rows_are_told_as_they_are_written(clinic, tmp_path, key_file):
    told = explained(clinic, tmp_path, key=key_file, explain_rows=[3, 17, 40])
    before, after = read_csv(clinic), read_csv(tmp_path / "out.csv")
    assert [row["row"] for row in told["rows"]] == [3, 17, 40]
    for row in told["rows"]:
        at = row["row"] - 1
        for name, cell in cells(row).items():
            assert cell["text"] == before[at][name]
            assert cell["output"] == after[at][name]
    note = cells(told["rows"][0])["notes"]
    assert {(one["entity"], one["recognizer"]) for one in note["findings"]} >= {
        ("PERSON", "privkit.linked"),
        ("PHONE_NUMBER", "PhoneRecognizer"),
    }
    assert told["detector"] == "patterns"
    assert {one["name"] for one in told["columns"]} == set(before[0])
    assert "confidential" in told["internal"]


def test_what_chose_each_operator(clinic, tmp_path):
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "name: p\nunknown: drop\nentities: {PHONE_NUMBER: {operator: mask}}\ncolumns:\n"
        "  name: {role: identifier, entity: PERSON, operator: {operator: redact}}\n"
        "  phone: {role: identifier, entity: PHONE_NUMBER}\n  email: {role: identifier}\n  notes: {role: free_text}\n"
        "  ssn: {role: identifier}\n",
        encoding="utf-8",
    )
    told = explained(clinic, tmp_path, policy=policy, columns={"ssn": Mask()}, explain_rows=[3])
    row = cells(told["rows"][0])
    assert {name: cell["because"] for name, cell in row.items()} == {
        **{"patient_id": "unknown", "name": "column", "email": "role", "phone": "entity", "ssn": "option"},
        **{"zip": "unknown", "age": "unknown", "ward": "unknown", "amount": "unknown", "notes": "role"},
    }
    assert row["ward"]["output"] is None
    places = {place["entity"]: place["because"] for place in row["notes"]["replacements"]}
    assert places == {"PERSON": "role", "PHONE_NUMBER": "entity"}
    dropped = explained(clinic, tmp_path, accept_free_text=False, explain_rows=[3], force=True)
    assert cells(dropped["rows"][0])["notes"]["because"] == "accept_free_text"


def test_rows_are_counted_through_all_files(clinic, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("1.csv", "2.csv"):
        (folder / name).write_bytes(clinic.read_bytes())
    told = explained(folder, tmp_path, output="o", explain_rows=[40, 43])
    assert [(row["row"], row["file"][-5:]) for row in told["rows"]] == [(40, "1.csv"), (43, "2.csv")]
    assert CANARY in cells(told["rows"][1])["name"]["text"]


def test_the_first_ten_rows_or_as_many_as_there_are(clinic, tmp_path):
    assert [row["row"] for row in explained(clinic, tmp_path)["rows"]] == list(range(1, 11))
    few = write_csv(tmp_path / "few.csv", people(40)[:3])
    told = explained(few, tmp_path, force=True, columns={"name": Pseudonym()})
    assert [row["row"] for row in told["rows"]] == [1, 2, 3]


def test_rows_beyond_the_first_block(tmp_path):
    notes = [f"call 212-555-{number:04d}" for number in range(5_000)]
    frame = pd.DataFrame({"notes": notes, "n": range(5_000)})
    deidentify(frame, detector="patterns", columns={"notes": "free_text"}, keep=["n"], explain=tmp_path / "w.json",
               explain_rows=[1, 2_049, 5_000])  # fmt: skip
    told = json.loads((tmp_path / "w.json").read_text())
    assert [cells(row)["notes"]["text"] for row in told["rows"]] == [notes[0], notes[2_048], notes[4_999]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([41], r"there is no row 41, the source has 40"),
        ([0], "counted from 1"),
        (range(1, 502), "501 rows are too many to explain: 500 at most"),
    ],
)
def test_rows_that_are_not_there_or_too_many_leave_nothing(clinic, tmp_path, rows, message):
    with pytest.raises(UsageError, match=message):
        explained(clinic, tmp_path, explain_rows=rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic.csv"]


def test_a_dry_run_explains_and_writes_no_data(clinic, tmp_path):
    deidentify(clinic, dry_run=True, detector="patterns", explain=tmp_path / "why.html", explain_rows=[3])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic.csv", "why.html"]
    assert CANARY in (tmp_path / "why.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("name", ["why.json", "why.html", "why"])
def test_nobody_else_can_open_the_file(clinic, tmp_path, name):
    before = os.umask(0)
    try:
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o644)
        deidentify(
            clinic, tmp_path / "out.csv", detector="patterns", workers=1, explain=tmp_path / name, force=True
        )  # fmt: skip
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert CANARY in (tmp_path / name).read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic.csv", "out.csv", name]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_it_is_private_from_its_first_byte(clinic, tmp_path, monkeypatch):
    modes = []
    real = os.fsync

    def watched(descriptor):
        modes.extend(
            stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.name.startswith(".why.json")
        )
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    before = os.umask(0)
    try:
        explained(clinic, tmp_path)
    finally:
        os.umask(before)
    assert modes
    assert set(modes) == {0o600}


def test_a_file_that_is_there_stays(clinic, tmp_path):
    (tmp_path / "why.json").write_text("mine")
    with pytest.raises(OutputError, match=r"the explanation .*why\.json exists already"):
        explained(clinic, tmp_path)
    assert (tmp_path / "why.json").read_text() == "mine"
    assert not (tmp_path / "out.csv").exists()


def test_places_that_cannot_be(clinic, tmp_path):
    with pytest.raises(UsageError, match="standard output"):
        deidentify(clinic, tmp_path / "o.csv", detector="patterns", explain="-")
    with pytest.raises(UsageError, match="must be different files"):
        explained(clinic, tmp_path, name="out.csv")
    with pytest.raises(OutputError, match="same place"):
        explained(clinic, tmp_path, name="clinic.csv", force=True)
    with pytest.raises(UsageError, match="--explain-rows chooses rows for --explain"):
        deidentify(clinic, tmp_path / "o.csv", detector="patterns", explain_rows=[1])


def test_a_pipe_is_refused_before_it_is_read(clinic, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = "deidentify - --format csv -o o.csv --explain why.json --detector patterns"
    with clinic.open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        code = main(command.split())
    assert code == 2
    assert "a pipe can be read only once" in capsys.readouterr().err
    assert not (tmp_path / "why.json").exists()


def test_a_run_that_fails_leaves_no_explanation(clinic, tmp_path):
    with pytest.raises(RuntimeError):
        deidentify(
            clinic,
            tmp_path / "out.csv",
            detector="patterns",
            workers=1,
            explain=tmp_path / "why.json",
            publishing=lambda _report: (_ for _ in ()).throw(RuntimeError()),
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic.csv"]


def test_no_text_of_it_stands_in_anything_else(clinic, tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    command = "deidentify clinic.csv -o out.csv --detector patterns --workers 1 --explain why.html --explain-rows 3"
    command += " --report r.json --save-policy p.yaml --json"
    with caplog.at_level(0):
        assert main(command.split()) == 0
    out, err = capsys.readouterr()
    assert CANARY in (tmp_path / "why.html").read_text(encoding="utf-8")
    elsewhere = [out, err, caplog.text]
    elsewhere += [(tmp_path / name).read_text(encoding="utf-8") for name in ("out.csv", "r.json", "p.yaml")]
    assert not any(re.search(CANARY, text, re.IGNORECASE) for text in elsewhere)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic.csv", "out.csv", "p.yaml", "r.json", "why.html"]


def test_a_text_is_explained_as_it_is_written(key_file):
    text = f"Mail {CANARY}@example.org, phone 212-555-0123; {CANARY} stays."
    options = {"detector": "patterns", "key": key_file, "policy": "pseudonymize"}
    explanation = explain_text(text, **options)
    assert isinstance(explanation, privkit.Explanation)
    result = deidentify_text(text, **options)
    assert explanation.output == result.text
    assert [(one.start, one.end) for one in explanation.replacements] == [(f.start, f.end) for f in result.findings]
    assert CANARY not in repr(explanation)
    kept = explain_text(text, detector="patterns", entities={"PHONE_NUMBER": Keep()})
    assert {one.outcome for one in kept.findings if one.entity == "PHONE_NUMBER"} == {"kept", "merged"}
