"""The door, end to end, with the `patterns` detector: what goes in, what comes out, what is refused."""

import datetime as dt
import gzip
import json
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from people import people, read_csv, write_csv

from privkit.deidentifier import Known, deidentify, deidentify_text, reidentify, scan
from privkit.errors import ColumnError, InputError, KeyFileError, OutputError, PrivkitError, UsageError
from privkit.keys.keyfile import Key
from privkit.model.operators import Generalize, KeyedHash, Mask, Pseudonym, Replace, Surrogate

PATTERNS = {"detector": "patterns"}


@pytest.fixture
def clinic(tmp_path):
    return write_csv(tmp_path / "clinic.csv", people())


def run(source, output, **options):
    return deidentify(source, output, **{**PATTERNS, **options})


def test_every_identifier_cell_is_transformed_and_the_rest_keeps_its_text(clinic, tmp_path):
    before = read_csv(clinic)
    result = run(clinic, tmp_path / "out.csv")
    after = read_csv(tmp_path / "out.csv")
    roles = {name: column.role for name, column in result.report.columns.items()}
    assert {name for name, role in roles.items() if role == "identifier"} == {
        "patient_id", "name", "email", "phone", "ssn"
    }  # fmt: skip
    assert roles["notes"] == "free_text"
    assert {roles["zip"], roles["age"]} == {"quasi"}
    assert {roles["ward"], roles["amount"]} == {"other"}
    for old, new in zip(before, after, strict=True):
        assert (new["ward"], new["amount"]) == (old["ward"], old["amount"])
        for column in ("patient_id", "name", "email", "phone", "ssn"):
            assert re.fullmatch(r"[A-Z_]+_x[a-z2-7]{16}", new[column])
        _, last = old["name"].split()
        assert last.lower() not in re.findall(r"\w+", new["notes"].lower())
        assert "@" not in new["notes"]
        assert new["zip"] == old["zip"][:3] or new["zip"] == "000"
    assert result.report.rows == len(before)
    assert result.report.columns["name"].cells_changed == len(before)
    assert result.report.residual.input_identifiers_found == 0
    assert result.report.key_id is None


def test_equal_values_get_equal_tokens_within_a_run_and_other_tokens_in_the_next(tmp_path):
    rows = people(30)
    source = write_csv(tmp_path / "a.csv", rows + rows)
    run(source, tmp_path / "1.csv")
    run(source, tmp_path / "2.csv")
    first, second = read_csv(tmp_path / "1.csv"), read_csv(tmp_path / "2.csv")
    assert [r["name"] for r in first[:30]] == [r["name"] for r in first[30:]]
    assert first[0]["name"] != second[0]["name"]


def test_with_a_kept_key_runs_agree_and_reidentify_restores_the_file_exactly(clinic, tmp_path, key_file):
    options = {"policy": "pseudonymize", "key": key_file}
    run(clinic, tmp_path / "1.csv", **options)
    run(clinic, tmp_path / "2.csv", workers=2, **options)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert (tmp_path / "1.csv").read_bytes() != clinic.read_bytes()
    restored = reidentify(tmp_path / "1.csv", tmp_path / "back.csv", key=key_file)
    assert (tmp_path / "back.csv").read_bytes() == clinic.read_bytes()
    assert restored.tokens > 300


def test_a_wrong_key_is_an_error_and_leaves_nothing(clinic, tmp_path, key_file):
    run(clinic, tmp_path / "out.csv", policy="pseudonymize", key=key_file)
    Key.new(tmp_path / "other.key")
    with pytest.raises(KeyFileError, match="wrong key"):
        reidentify(tmp_path / "out.csv", tmp_path / "back.csv", key=tmp_path / "other.key")
    assert not (tmp_path / "back.csv").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clinic.csv", "org.key", "other.key", "out.csv"]


def test_an_altered_token_is_an_error(clinic, tmp_path, key_file):
    run(clinic, tmp_path / "out.csv", policy="pseudonymize", key=key_file)
    text = (tmp_path / "out.csv").read_text()
    place = text.index("PERSON_k") + 30
    flipped = "a" if text[place] != "a" else "b"
    (tmp_path / "bad.csv").write_text(text[:place] + flipped + text[place + 1 :])
    with pytest.raises(PrivkitError, match="name"):
        reidentify(tmp_path / "bad.csv", tmp_path / "back.csv", key=key_file)
    assert not (tmp_path / "back.csv").exists()


def test_parquet_types_survive_and_pseudonymised_numbers_come_back_as_numbers(tmp_path, key_file):
    rows = people(40)
    day = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
    table = pa.table(
        {
            "patient_id": pa.array(range(7_000_001, 7_000_041), pa.int64()),
            "name": [row["name"] for row in rows],
            "admitted": pa.array([day] * 40, pa.timestamp("us", tz="UTC")),
            "born": pa.array([dt.date(1980, 1, 31)] * 40, pa.date32()),
            "score": pa.array([1.5, None] * 20, pa.float32()),
            "tags": pa.array([["x", "y"], None] * 20, pa.list_(pa.string())),
            "contacts": pa.array([[row["email"]] for row in rows], pa.list_(pa.string())),
            "flag": pa.array([True, False] * 20),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    run(tmp_path / "a.parquet", tmp_path / "b.parquet", key=key_file)
    made = pq.read_table(tmp_path / "b.parquet")
    for name in ("admitted", "score", "tags", "flag"):
        assert made[name].type == table[name].type
        assert made[name].to_pylist() == table[name].to_pylist()
    assert made["born"].to_pylist() == ["1980"] * 40
    assert all(cell.startswith("ID_k") for cell in made["patient_id"].to_pylist())
    assert not set(made["contacts"].to_pylist()[0]) & set(table["contacts"].to_pylist()[0])
    reidentify(tmp_path / "b.parquet", tmp_path / "c.parquet", key=key_file)
    back = pq.read_table(tmp_path / "c.parquet")
    for name in ("patient_id", "name", "contacts"):
        assert back[name].type == table[name].type
        assert back[name].to_pylist() == table[name].to_pylist()


def test_nested_records_are_rewritten_in_place_and_linked(tmp_path):
    lines = [
        {
            "id": n,
            "patient": {"name": row["name"], "email": row["email"]},
            "visits": [{"note": f"{row['name'].split()[1]} slept well and feels better today", "cost": 12.5}],
            "ok": True,
            "nothing": None,
        }
        for n, row in enumerate(people(40))
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    result = run(tmp_path / "a.jsonl", tmp_path / "b.jsonl", keep=["id"])
    made = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert {"patient.name", "patient.email", "visits[].note", "visits[].cost"} <= set(result.report.columns)
    for old, new in zip(lines, made, strict=True):
        assert new["patient"]["name"].startswith("PERSON_x")
        assert new["visits"][0]["note"] == "<PERSON> slept well and feels better today"
        assert (new["id"], new["ok"], new["nothing"]) == (old["id"], True, None)
        assert new["visits"][0]["cost"] == 12.5


def test_csv_to_other_formats_and_compressions(clinic, tmp_path):
    plain = run(clinic, tmp_path / "o.parquet", key=Key.from_secret(b"k" * 32, kept=True)).report
    assert pq.read_table(tmp_path / "o.parquet").num_rows == plain.rows
    for name in ("o.jsonl", "o.csv.gz", "o.csv.zst", "o.tsv"):
        run(clinic, tmp_path / name)
        assert scan(tmp_path / name, **PATTERNS).rows == plain.rows


def test_a_folder_of_parts_becomes_a_folder(tmp_path, key_file):
    rows = people(90)
    source = tmp_path / "in"
    (source / "year=2025").mkdir(parents=True)
    write_csv(source / "year=2025" / "a.csv", rows[:40])
    write_csv(source / "b.csv", rows[40:])
    (source / "header.csv").write_text(",".join(rows[0]) + "\n")
    result = run(source, tmp_path / "out", key=key_file)
    assert result.report.rows == 90
    assert len(read_csv(tmp_path / "out" / "year=2025" / "a.csv")) == 40
    assert (tmp_path / "out" / "header.csv").read_text() == ",".join(rows[0]) + "\n"


def test_a_header_without_rows_succeeds_with_a_header(tmp_path):
    (tmp_path / "a.csv").write_text("name,email,amount\n")
    result = run(tmp_path / "a.csv", tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == "name,email,amount\n"
    assert result.report.rows == 0


def test_one_row(tmp_path):
    (tmp_path / "a.csv").write_text("name,email\nAnna Berg,anna@example.org\n")
    run(tmp_path / "a.csv", tmp_path / "b.csv")
    assert "anna" not in (tmp_path / "b.csv").read_text().lower()


def test_a_text_file(tmp_path):
    (tmp_path / "a.txt").write_text("Mail anna@example.org\nor 10.0.0.1.\n\nBye.\n")
    run(tmp_path / "a.txt", tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == "Mail <EMAIL_ADDRESS>\nor <IP_ADDRESS>.\n\nBye.\n"


def test_operators_by_column_and_entity(clinic, tmp_path, key_file):
    result = run(
        clinic,
        tmp_path / "o.csv",
        key=key_file,
        columns={
            "name": Surrogate(),
            "email": Surrogate(),
            "phone": Mask(chars_to_mask=6),
            "ssn": KeyedHash(length=16),
            "age": Generalize(band=10, top=90),
            "patient_id": Pseudonym(reversible=False),
        },
        entities={"EMAIL_ADDRESS": Replace(new_value="[mail]")},
        drop=["zip"],
        keep=["ward"],
    )
    after = read_csv(tmp_path / "o.csv")
    assert "zip" not in after[0]
    assert after[0]["phone"].startswith("******")
    assert re.fullmatch("[0-9a-f]{16}", after[0]["ssn"])
    assert re.fullmatch(r"\d+-\d+|90\+", after[0]["age"])
    assert after[0]["patient_id"].startswith("ID_x")
    surname = after[0]["name"].split()[-1].lower()
    assert surname in after[0]["email"]
    assert any("[mail]" in row["notes"] for row in after)
    assert result.report.columns["zip"].operator == "drop"


def test_known_names_from_another_file(tmp_path):
    rows = people(30)
    write_csv(tmp_path / "names.csv", [{"pid": row["patient_id"], "name": row["name"]} for row in rows])
    visits = [
        {"pid": row["patient_id"], "notes": f"{row['name'].split()[0]} slept well and eats again"} for row in rows
    ]
    write_csv(tmp_path / "visits.csv", visits)
    known = Known(tmp_path / "names.csv", "name", "pid")
    run(tmp_path / "visits.csv", tmp_path / "o.csv", known=[known])
    assert all(row["notes"] == "<PERSON> slept well and eats again" for row in read_csv(tmp_path / "o.csv"))
    with pytest.raises(ColumnError, match="surname"):
        run(tmp_path / "visits.csv", tmp_path / "p.csv", known=[Known(tmp_path / "names.csv", "surname", "pid")])


def test_a_saved_decision_runs_next_month(clinic, tmp_path):
    decided = run(clinic, None, dry_run=True, save_policy=tmp_path / "monthly.yaml", drop=["age"])
    assert decided.report is None
    assert not (tmp_path / "o.csv").exists()
    may = write_csv(tmp_path / "may.csv", people(20, seed=9))
    report = run(may, tmp_path / "o.csv", policy=tmp_path / "monthly.yaml").report
    assert report.policy.name == "monthly"
    assert "age" not in read_csv(tmp_path / "o.csv")[0]
    assert {n: c.role for n, c in report.columns.items()} == {d.name: d.role for d in decided.decisions}


def test_a_kept_column_that_turns_into_an_identifier_stops_the_run(tmp_path):
    rows = [{"code": f"{n % 7}", "size": str(n)} for n in range(13_000)]
    for row, person in zip(rows[12_000:], people(1000), strict=True):
        row["code"] = person["ssn"]
    source = write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(ColumnError, match="code") as caught:
        run(source, tmp_path / "b.csv")
    assert caught.value.columns == ("code",)
    assert not (tmp_path / "b.csv").exists()
    assert run(source, tmp_path / "b.csv", keep=["code"]).report.rows == 13_000


def test_a_column_that_was_empty_in_the_sample_is_not_kept_unseen(tmp_path):
    rows = [{"size": str(n), "later": ""} for n in range(13_000)]
    for row, person in zip(rows[12_000:], people(1000), strict=True):
        row["later"] = person["email"]
    with pytest.raises(ColumnError, match="later"):
        run(write_csv(tmp_path / "a.csv", rows), tmp_path / "b.csv")


def test_cells_that_a_spreadsheet_would_run_are_disarmed_and_restored(tmp_path, key_file):
    rows = people(30)
    for row in rows:
        row["notes"] = f'=HYPERLINK("x") mail {row["email"]} now please'
        row["amount"] = "-12.50"
    source = write_csv(tmp_path / "a.csv", rows)
    run(source, tmp_path / "b.csv", policy="pseudonymize", key=key_file)
    after = read_csv(tmp_path / "b.csv")
    assert all(row["notes"].startswith("'=HYPERLINK") for row in after)
    assert all(row["amount"] == "-12.50" for row in after)
    reidentify(tmp_path / "b.csv", tmp_path / "c.csv", key=key_file)
    assert (tmp_path / "c.csv").read_bytes() == source.read_bytes()


def test_dataframes_keep_index_types_and_order(key_file):
    rows = people(30)
    frame = pd.DataFrame(rows).assign(
        age=lambda f: f["age"].astype("Int64"),
        ward=lambda f: f["ward"].astype("category"),
        when=pd.Timestamp("2024-01-31 10:00"),
        mixed=[1, "a", None] * 10,
    )
    frame.index = pd.Index(range(100, 130), name="row")
    result = deidentify(frame, key=key_file, keep=["age"], **PATTERNS)
    assert list(result.frame.columns) == list(frame.columns)
    assert result.frame.index.equals(frame.index)
    pd.testing.assert_frame_equal(
        result.frame[["age", "ward", "when", "amount", "mixed"]], frame[["age", "ward", "when", "amount", "mixed"]]
    )
    assert result.frame["name"].str.startswith("PERSON_k").all()
    assert frame["name"].tolist() == [row["name"] for row in rows]
    assert "<table" in result._repr_html_()
    back = reidentify(result.frame, key=key_file)
    assert back.frame["name"].tolist() == frame["name"].tolist()


def test_records_come_back_as_records():
    rows = [{"name": row["name"], "n": 3, "deep": {"mail": row["email"]}} for row in people(30)]
    result = deidentify(rows, **PATTERNS)
    assert result.records[0]["n"] == 3
    assert result.records[0]["deep"]["mail"].startswith("EMAIL_ADDRESS_x")
    assert rows[0]["deep"]["mail"].endswith("example.org")


def test_an_empty_frame():
    frame = pd.DataFrame({"name": pd.Series([], dtype="str"), "n": pd.Series([], dtype="int64")})
    result = deidentify(frame, **PATTERNS)
    assert list(result.frame.columns) == ["name", "n"]
    assert len(result.frame) == 0


def test_one_text():
    result = deidentify_text("Write to anna@example.org from 10.0.0.1", **PATTERNS)
    assert result.text == "Write to <EMAIL_ADDRESS> from <IP_ADDRESS>"
    assert [(f.entity, f.start, f.end) for f in result.findings] == [("EMAIL_ADDRESS", 9, 25), ("IP_ADDRESS", 31, 39)]


def test_scan_counts_and_writes_nothing(clinic, tmp_path):
    report = scan(clinic, **PATTERNS)
    assert report.pii_found
    assert report.columns["email"].entities == {"EMAIL_ADDRESS": 60}
    assert report.columns["notes"].cells > 0
    assert [path.name for path in tmp_path.iterdir()] == ["clinic.csv"]
    clean = write_csv(tmp_path / "clean.csv", [{"size": str(n), "colour": "red"} for n in range(50)])
    assert not scan(clean, **PATTERNS).pii_found


def test_hipaa_leaves_no_token_and_refuses_what_nobody_decided_about(clinic, tmp_path):
    run(clinic, tmp_path / "o.csv", policy="hipaa-safe-harbor", keep=["ward", "amount"])
    text = (tmp_path / "o.csv").read_text()
    assert not re.search(r"_[xk][a-z2-7]{16}", text)
    assert "notes" not in text.splitlines()[0]
    for row in people():
        assert row["name"] not in text
        assert row["ssn"] not in text
    odd = write_csv(tmp_path / "odd.csv", [{"code": f"x{n * 7919 % 1000}q {n}", "age": "30"} for n in range(60)])
    with pytest.raises(ColumnError, match="code"):
        run(odd, tmp_path / "p.csv", policy="hipaa-safe-harbor")


def test_the_report_holds_no_value(clinic, tmp_path):
    run(clinic, tmp_path / "o.csv", report=tmp_path / "r.json")
    run(clinic, tmp_path / "o.csv", report=tmp_path / "r.html", force=True)
    for name in ("r.json", "r.html"):
        text = (tmp_path / name).read_text()
        for row in people():
            assert row["ssn"] not in text
            assert row["name"] not in text
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report) >= {
        "source", "rows", "columns", "detector", "models", "policy", "key_id", "residual", "seconds"
    }  # fmt: skip


def test_the_residual_check_can_find_something(tmp_path):
    """Control: a name that is kept in another column must be counted."""
    rows = [{"name": row["name"], "copy": row["name"]} for row in people(40)]
    report = run(write_csv(tmp_path / "a.csv", rows), tmp_path / "b.csv", keep=["copy"]).report
    assert report.residual.input_identifiers_found == 0  # a kept identifier was a person's choice
    rows = [{"name": row["name"], "remark": f"x {n % 3} {row['name']}"} for n, row in enumerate(people(40))]
    report = run(write_csv(tmp_path / "c.csv", rows), tmp_path / "d.csv", keep=["remark"]).report
    assert report.residual.input_identifiers_found >= 40


CANARY = "Zyxwvut"


@pytest.mark.parametrize(
    ("name", "content", "options", "words"),
    [
        ("missing.csv", None, {}, "missing.csv"),
        ("empty.csv", b"", {}, "empty"),
        ("ragged.csv", f"a,b\n1,2\n3,{CANARY},5\n".encode(), {}, "row 2"),
        ("latin.csv", f"name\n{CANARY}\n\xe9\n".encode("latin-1"), {}, "offset|byte"),
        ("twice.csv", f"a,a\n1,{CANARY}\n".encode(), {}, "a"),
        ("no.parquet", f"PAR0{CANARY}".encode() * 4, {}, "Parquet|parquet"),
        ("cut.csv.gz", gzip.compress(f"a\n{CANARY}\n".encode() * 900, mtime=0)[:-40], {}, "cut|end|gz"),
        ("a.csv", f"a,b\n1,{CANARY}\n".encode(), {"drop": ["c"]}, "c"),
        ("a.jsonl", f'{{"a": "{CANARY}"}}\n[1]\n'.encode(), {}, "2"),
        ("a.xyz", b"a\n", {}, "xyz"),
    ],
)
def test_bad_input_is_refused_clearly_and_leaves_nothing(tmp_path, name, content, options, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PrivkitError, match=words) as caught:
        run(tmp_path / name, tmp_path / "out.csv", **options)
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert [p.name for p in tmp_path.iterdir()] == ([name] if content is not None else [])


def test_encodings_and_byte_order_marks(tmp_path):
    (tmp_path / "latin.csv").write_bytes("näme,wert\nJosé,1\n".encode("latin-1"))
    run(tmp_path / "latin.csv", tmp_path / "o.csv", encoding="latin-1")
    assert (tmp_path / "o.csv").read_text(encoding="utf-8").startswith("näme,wert\n")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbfsize,colour\n1,red\n")
    run(tmp_path / "bom.csv", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text().startswith("size,")


def test_outputs_are_kept_and_sources_are_not_overwritten(clinic, tmp_path):
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        run(clinic, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "mine"
    with pytest.raises(OutputError, match="same"):
        run(clinic, clinic, force=True)
    (tmp_path / "link.csv").symlink_to(clinic)
    with pytest.raises(OutputError, match="same"):
        run(clinic, tmp_path / "link.csv", force=True)
    run(clinic, tmp_path / "out.csv", force=True)
    assert len(read_csv(tmp_path / "out.csv")) == 60


def test_a_compressed_bomb_is_stopped(tmp_path):
    with gzip.open(tmp_path / "bomb.csv.gz", "wb") as file:
        file.write(b"a\n")
        for _ in range(120):
            file.write((b"0" * 9_999 + b"\n") * 100)
    with pytest.raises(InputError, match="expands") as caught:
        run(tmp_path / "bomb.csv.gz", tmp_path / "o.csv")
    assert "--max-expansion" in caught.value.hint


def test_resume_needs_a_kept_key(clinic, tmp_path):
    with pytest.raises(UsageError, match="--key"):
        run(clinic, tmp_path / "o.csv", resume=True)


def test_a_recognizer_that_never_ends_stops_the_run(tmp_path):
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "name: slow\npattern_timeout: 0.2\n"
        "recognizers:\n"
        "  - {name: Endless, supported_entity: ODD, supported_language: en,\n"
        "     patterns: [{name: endless, regex: '(a|aa)+$', score: 0.9}]}\n"
    )
    rows = [{"notes": "we wrote " + "a" * 40 + "! and more of it, as is usual"} for _ in range(5)]
    source = write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(PrivkitError, match="Endless"):
        run(source, tmp_path / "o.csv", policy=policy, columns={"notes": "free_text"})
    assert not (tmp_path / "o.csv").exists()
