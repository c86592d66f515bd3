"""What an adversary looks for in the output: each test is a leak that once was, or that must never be."""

import csv
import json
import re
import traceback

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from people import people, read_csv, write_csv

from privkit.deid.columns import decide
from privkit.deid.policies import load_policy
from privkit.deidentifier import deidentify, reidentify
from privkit.errors import ColumnError, PrivkitError
from privkit.io.frames import ArrowFrame
from privkit.model.operators import Keep, Pseudonym
from privkit.model.policy import ColumnRule


def table(tmp_path, rows, **options):
    """The rows through a CSV: what came out, and the result with its report."""
    source = write_csv(tmp_path / "in.csv", rows)
    options = {"detector": "patterns", "workers": 1, "force": True, **options}
    result = deidentify(source, tmp_path / "out.csv", **options)
    return read_csv(tmp_path / "out.csv"), result


def lines(tmp_path, records, **options):
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    options = {"detector": "patterns", "workers": 1, "force": True, **options}
    result = deidentify(source, tmp_path / "out.jsonl", **options)
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()], result


def roles(result):
    return {row.name: (row.role, row.entity) for row in result.decisions}


def column(name, cells):
    batch = pa.RecordBatch.from_pydict({name: cells})
    return decide((ArrowFrame(batch),), None)[0]


# --- The row's own names in its texts ---------------------------------------------------------------------------------

SPELLINGS = [
    "Saw {First} {Last}'s chart.",
    "{LAST}, {FIRST} came.",
    "Pt {F}. {Last} is stable",
    "copied to {first}_{last}",
    "{first}.{last}@hospital.internal",
    "user {First}{Last} logged in",
    "user {f}{last} logged in",
    "seen by {F}{Last} at noon",
    "{First}\n{Last} rang",
    "{First}\u00a0{Last} rang",
    "{First}\u200b{Last} rang",
    "the {Last}s live here",
    "/home/{first}{last}/scan.pdf",
    "scan_{last}2024.dcm",
    "<b>{Last}</b>&nbsp;{First}",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_are_gone_in_every_spelling(tmp_path, spelling):
    rows = []
    for row in people(40):
        first, last = row["name"].split()
        forms = {"First": first, "Last": last, "FIRST": first.upper(), "LAST": last.upper(), "first": first.lower()}
        note = spelling.format(**forms, last=last.lower(), F=first[0], f=first[0].lower())
        rows.append({"first_name": first, "last_name": last, "note": f"{note} and nothing else to report"})
    output, _ = table(tmp_path, rows)
    for row, out in zip(rows, output, strict=True):
        kept = out["note"].casefold()
        assert row["last_name"].casefold() not in kept
        assert len(row["first_name"]) < 4 or row["first_name"].casefold() not in kept


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Jürgen Müller", "Mueller"),
        ("Jürgen Müller", "MULLER"),
        ("Jürgen Müller", "M&uuml;ller"),
        ("Jürgen Müller", "Mu\u0308ller"),
        ("Łukasz Wałęsa", "Walesa"),
        ("Pat O'Brien", "O’Brien"),
        ("Pat O'Brien", "O&#39;Brien"),
        ("Ann Smith-Jones", "Smith‐Jones"),
        ("Søren Sørensen", "Sorensen"),
    ],
)
def test_names_are_found_however_their_letters_are_written(tmp_path, name, written):
    rows = [{"name": name, "note": f"Today {written} came in with a cough."} for _ in range(8)]
    output, _ = table(tmp_path, rows, columns={"name": Pseudonym(), "note": "free_text"})
    assert {row["note"] for row in output} == {"Today <PERSON> came in with a cough."}


def test_an_initial_and_a_surname_are_no_reason_to_cut_words(tmp_path):
    rows = [{"name": "Bob Ridge", "note": "Walked over the bridge. Ridges of the nail are fine."}] * 8
    output, _ = table(tmp_path, rows, columns={"name": Pseudonym(), "note": "free_text"})
    assert "bridge" in output[0]["note"]


def test_numbers_are_found_however_they_are_written(tmp_path):
    rows = [
        {
            "mrn": f"MRN-{700000 + 37 * number}",
            "phone": f"+49 170 55501{number:02d}",
            "note": f"Record {700000 + 37 * number}, reach her under 0170/55501{number:02d} after lunch please.",
        }
        for number in range(30)
    ]
    output, _ = table(tmp_path, rows)
    assert {row["note"] for row in output} == {"Record <ID>, reach her under <PHONE_NUMBER> after lunch please."}


def test_a_records_names_are_found_in_its_other_branches(tmp_path):
    records = [
        {
            "name": [{"family": row["name"].split()[1], "given": [row["name"].split()[0]]}],
            "text": {
                "div": f"<div>{row['name'].upper()} &amp; family, as <b>{row['name'].split()[1]}</b> told us</div>"
            },
            "tags": ["vip", f"file-{row['name'].split()[1]}"],
        }
        for row in people(40)
    ]
    output, _ = lines(tmp_path, records, columns={"tags[]": "free_text"})
    for record, out in zip(records, output, strict=True):
        assert record["name"][0]["family"].casefold() not in json.dumps(out).casefold()


def test_a_finding_that_is_kept_keeps_nothing_else(tmp_path):
    rows = [{"name": row["name"], "note": f"Sent to {row['name'].split()[1]} Hospital, room 7."} for row in people(40)]
    policy = load_policy("default")
    policy = policy.model_copy(
        update={
            "entities": {**policy.entities, "PLACE": Keep()},
            "recognizers": (
                {
                    "name": "Hospitals",
                    "supported_entity": "PLACE",
                    "supported_language": "en",
                    "patterns": [{"name": "hospital", "regex": r"\w+ Hospital, room \d", "score": 1.0}],
                },
            ),
        }
    )
    output, _ = table(tmp_path, rows, policy=policy)
    for row, out in zip(rows, output, strict=True):
        assert row["name"].split()[1] not in out["note"]


# --- Columns that are kept --------------------------------------------------------------------------------------------


def test_identifiers_inside_columns_that_look_harmless(tmp_path):
    rows = []
    for number, row in enumerate(people(40)):
        first, last = row["name"].lower().split()
        rows.append(
            {
                "name": row["name"],
                "mrn": row["patient_id"],
                "file": f"scans/{last}_{first}_ct.dcm",
                "last_editor": f"{first[0]}{last}",
                "old": row["patient_id"],
                "ward": ["Jordan wing", "May"][number % 2],
            }
        )
    output, result = table(tmp_path, rows)
    assert roles(result)["ward"] == ("other", None)
    for row, out in zip(rows, output, strict=True):
        last = row["name"].split()[1].lower()
        assert last not in out["file"]
        assert last not in out["last_editor"]
        assert out["old"] == out["mrn"] != row["mrn"]


def test_a_ward_that_shares_a_patients_name_is_kept(tmp_path):
    rows = [{**row, "ward": ["Jordan wing", "May ward"][number % 2]} for number, row in enumerate(people(60))]
    for number in (0, 1, 2, 3):
        rows[number]["name"] = "Jordan May"
    output, _ = table(tmp_path, rows)
    assert [row["ward"] for row in output] == [row["ward"] for row in rows]


def test_json_keys_that_are_identifiers_stop_the_run_and_are_not_named(tmp_path):
    records = [{"n": number, "users": {f"p{number}@example.org": {"role": "x"}}} for number in range(5)]
    with pytest.raises(ColumnError, match="5 of the data's column names") as caught:
        lines(tmp_path, records)
    assert "example.org" not in f"{caught.value} {caught.value.hint} {caught.value.columns}"
    late = [{"n": number, "users": {"a": 1}} for number in range(12_000)] + records
    with pytest.raises(ColumnError, match="further down") as caught:
        lines(tmp_path, late)
    assert "example.org" not in f"{caught.value} {caught.value.hint} {caught.value.columns}"
    assert not (tmp_path / "out.jsonl").exists()


def test_a_late_column_is_refused_when_nothing_explains_it(tmp_path):
    late = [{"n": number, "x": None} for number in range(12_000)] + [{"n": 1, "x": "Quillon"}]
    rules = {"n": ColumnRule(role="other"), "x": ColumnRule()}
    policy = load_policy("default").model_copy(update={"unknown": "refuse", "columns": rules})
    with pytest.raises(ColumnError, match="column x was empty"):
        lines(tmp_path, late, policy=policy)


def test_a_late_column_that_nothing_explains_is_searched(tmp_path):
    late = [{"name": "Ada Quillon", "x": None} for _ in range(12_000)] + [{"name": "Ada Quillon", "x": "see Quillon 7"}]
    output, _ = lines(tmp_path, late, columns={"name": Pseudonym()})
    assert output[-1]["x"] == "see <PERSON> 7"


@pytest.mark.parametrize("into", ["ward", "amount"])
def test_a_kept_column_that_holds_names_next_month_stops_the_run(tmp_path, into):
    saved = tmp_path / "saved.yaml"
    table(tmp_path, people(60), save_policy=saved)
    march = [{**row, into: row["name"]} for row in people(60, seed=6)]
    with pytest.raises(ColumnError, match=rf"{into} \(PERSON\)"):
        table(tmp_path, march, policy=saved)
    table(tmp_path, march, policy=saved, keep=[into])


# --- Columns by name and value ----------------------------------------------------------------------------------------


FIRST = ["Annette", "Brian", "Ralph", "Maria", "George"]
SURNAMES = ["Mitchell", "Palmer", "Harris", "Garcia", "Baker", "White"]


@pytest.mark.parametrize(
    ("name", "cells", "role", "entity"),
    [
        ("Geb", ["11.03.1969", "01.03.1997", "07.12.1981"], "quasi", "DATE_OF_BIRTH"),
        ("Date_naiss", ["11/03/1969", "01/03/1997"], "quasi", "DATE_OF_BIRTH"),
        ("F_Nac", ["11-03-1969", "21-03-1997"], "quasi", "DATE_OF_BIRTH"),
        ("dob", [-12345678, 345678901, 99], "quasi", "DATE_OF_BIRTH"),
        ("c6", [f"{year}-0{year % 9 + 1}-11" for year in range(1940, 2010)], "quasi", "DATE_OF_BIRTH"),
        ("founded", [f"{year}-0{year % 9 + 1}-11" for year in range(1990, 2020)], "other", "DATE_TIME"),
        ("NHC", ["90001", "90004", "90009"], "identifier", "ID"),
        ("empno", list(range(1, 60)), "identifier", "ID"),
        ("created_by", ["msmith", "jdoe", "agarcia"] * 9, "identifier", "ID"),
        ("created_by", ["system", "import", "web"] * 9, "other", None),
        ("contact", ["a@b.org", "(555) 123-4567", "Chad Curtis", "Ann Lee"] * 3, "identifier", "ID"),
        ("email", ["a@b.org", "jsmith", "see chart", "c@d.org", "ask him"], "identifier", "EMAIL_ADDRESS"),
        ("ssn", ["123-45-6789", "refused", "not asked", "declined"], "identifier", "US_SSN"),
        ("visit_quarter", ["2024Q1", "2024Q2"] * 5, "other", "DATE_TIME"),
        ("created_ts", list(range(1_700_000_000, 1_700_900_000, 9_000)), "other", "DATE_TIME"),
        ("GBDAT", [f"{year}0{year % 9 + 1}11" for year in range(1940, 2010)], "quasi", "DATE_OF_BIRTH"),
        ("DMG02", [f"{year}0{year % 9 + 1}11" for year in range(1940, 2010)], "quasi", "DATE_OF_BIRTH"),
        ("respondent", [f"R{number}" for number in range(60)], "identifier", "ID"),
        ("c1", [f"{letter}. {name}" for letter in "ABCDE" for name in SURNAMES], "identifier", "PERSON"),
        ("c1", [f"Dr. {first} {last}, MD" for first in FIRST for last in SURNAMES], "identifier", "PERSON"),
        ("c1", [f"{first[0]}{last}".upper() for first in FIRST for last in SURNAMES], "identifier", "ID"),
        ("admit_date", [20240105, 20240216, 20231231], "other", "DATE_TIME"),
    ],
)
def test_columns_that_were_once_kept(name, cells, role, entity):
    decision = column(name, cells)
    assert (decision.role, decision.entity) == (role, entity), decision


def test_codes_under_a_name_that_says_nothing_warn_when_kept(tmp_path):
    rows = [
        {"c1": text, "name": row["name"]} for text, row in zip(["AB", "CD", "EF", "GH"] * 10, people(40), strict=True)
    ]
    plates = [{**row, "c1": f"{number:03d} {row['c1']}-{number % 7}"} for number, row in enumerate(rows)]
    _, result = table(tmp_path, plates)
    if roles(result)["c1"][0] == "other":
        assert any(warning.startswith("c1: ") for warning in result.report.warnings)


ODD_CELLS = ["N/A", " padded ", "UPPER CASE", "lower case", "unknown", "x", "\u00a0y\u00a0", "1.0", "see chart"]


def test_every_odd_cell_of_an_identifier_column_is_transformed(tmp_path):
    rows = people(60)
    for number, cell in enumerate(ODD_CELLS):
        for name in ("patient_id", "name", "email", "phone", "ssn"):
            rows[number * 3][name] = cell
    output, _ = table(tmp_path, rows)
    for out in output:
        for name in ("patient_id", "name", "email", "phone", "ssn"):
            assert re.fullmatch(r"[A-Z_]+_x[a-z2-7]{16}", out[name]), name


# --- Safe harbor ------------------------------------------------------------------------------------------------------


def test_safe_harbor_writes_no_token_no_day_and_no_high_age(tmp_path):
    rows = [
        {
            **row,
            "dob": f"{1925 + number}-03-0{number % 9 + 1}",
            "admitted": f"2024-0{number % 9 + 1}-12 10:11",
            "quarter": f"2024Q{number % 4 + 1}",
            "month": ["March", "June"][number % 2],
            "at": f"{10 + number % 9}:12",
            "zip": ["03601", "12345"][number % 2],
            "notes": f"She is {85 + number % 20} years old, seen 03/04/2024, of NY 12345, zip 03601, aged 97.",
        }
        for number, row in enumerate(people(60))
    ]
    options = {"policy": "hipaa-safe-harbor", "accept_free_text": True}
    output, result = table(tmp_path, rows, **options)
    text = (tmp_path / "out.csv").read_text()
    assert not re.search(r"_[kx][a-z2-7]{12}", text)
    assert not re.search(r"03/04|2024-0|2024Q|10:1|March|June|03601|12345", text)
    assert not re.search(r"\b(9\d|10\d) years|aged 97", text)
    assert {row["zip"] for row in output} == {"000", "123"}
    assert any("90+ years old" in row["notes"] for row in output)
    assert min(int(row["dob"].strip("<=")) for row in output) > 1925
    assert result.report is not None


def test_a_number_of_another_kind_is_no_postcode(tmp_path):
    rows = [{"zip": "481-22-3333", "x": "1"}, {"zip": "12345", "x": "1"}]
    rule = {"columns": {"zip": {"role": "quasi", "entity": "POSTCODE"}}}
    policy = load_policy("default")
    policy = type(policy).model_validate({**policy.model_dump(), **rule})
    output, _ = table(tmp_path, rows, policy=policy)
    assert [row["zip"] for row in output] == ["<POSTCODE>", "123"]


# --- The residual check -----------------------------------------------------------------------------------------------


def test_the_residual_check_counts_what_was_left_and_nothing_else(tmp_path):
    rows = [
        {
            **row,
            "amount": f"{100 + number}.50",
            "code": str(20_000_000 + number),
            "admitted": f"2024-03-{number % 28 + 1:02d}",
        }
        for number, row in enumerate(people(60))
    ]
    _, clean = table(tmp_path, rows, keep=["code"])
    assert (clean.report.residual.cells_with_findings, clean.report.residual.input_identifiers_found) == (0, 0)
    _, left = table(tmp_path, rows, keep=["code", "notes"])
    named = sum(any(part.casefold() in row["notes"].casefold() for part in row["name"].split()) for row in rows)
    found = sum("555" in row["notes"] or "@" in row["notes"] for row in rows)
    assert left.report.residual.input_identifiers_found >= named > 0
    assert left.report.residual.cells_with_findings > 0.8 * found > 0
    assert set(left.report.residual.columns) == {"notes"}


# --- Back again -------------------------------------------------------------------------------------------------------


def test_parquet_of_every_type_comes_back(tmp_path, key_file):
    import datetime as dt
    import decimal

    moment = dt.datetime(2020, 7, 1, 3, 4, 5, 678)
    columns = {
        "f": pa.array([0.1, None, -0.0]),
        "tz": pa.array([moment, None, moment], pa.timestamp("us", tz="Europe/Berlin")),
        "time": pa.array([moment.time(), None, moment.time()], pa.time64("us")),
        "duration": pa.array([dt.timedelta(1, 2, 3), None, dt.timedelta(0)], pa.duration("us")),
        "decimal": pa.array([decimal.Decimal("1.20"), None, decimal.Decimal("-7.00")], pa.decimal128(10, 2)),
        "list": pa.array([[5550100001, None], None, []], pa.list_(pa.int64())),
        "deep": pa.array(
            [{"at": moment, "of": [{"n": 7}]}, None, {"at": None, "of": []}],
            pa.struct([("at", pa.timestamp("s", tz="UTC")), ("of", pa.list_(pa.struct([("n", pa.int16())])))]),
        ),
        "large": pa.array(["a", " ", "e\u0301"], pa.large_string()),
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    names = [*(name for name in columns if name not in ("list", "deep")), "list[]", "deep.at", "deep.of[].n"]
    options = {"key": key_file, "workers": 1, "detector": "patterns", "columns": {name: Pseudonym() for name in names}}
    deidentify(tmp_path / "in.parquet", tmp_path / "out.parquet", policy="pseudonymize", **options)
    hidden = pq.read_table(tmp_path / "out.parquet")
    assert hidden.column("list").to_pylist()[0][0].startswith("ID_k")
    reidentify(tmp_path / "out.parquet", tmp_path / "back.parquet", key=key_file, workers=1)
    before, after = pq.read_table(tmp_path / "in.parquet"), pq.read_table(tmp_path / "back.parquet")
    assert after.schema.remove_metadata().equals(before.schema.remove_metadata())
    assert after.equals(before)
    assert not any(field.metadata for field in after.schema if b"privkit" in str(field.metadata).encode())


def test_twice_hidden_and_twice_restored(tmp_path, key_file):
    rows = people(30)
    once, _ = table(tmp_path, rows, key=key_file, policy="pseudonymize")
    table(tmp_path, once, key=key_file, policy="pseudonymize")
    reidentify(tmp_path / "out.csv", tmp_path / "1.csv", key=key_file, workers=1)
    reidentify(tmp_path / "1.csv", tmp_path / "2.csv", key=key_file, workers=1)
    assert read_csv(tmp_path / "2.csv") == rows


# --- Messages ---------------------------------------------------------------------------------------------------------

CANARY = "Zzyzxquist"


def _late(tmp_path, workers):
    rows = [{"n": str(number), "x": "low"} for number in range(12_000)]
    rows += [{"n": "1", "x": f"{CANARY}{number}@example.org"} for number in range(3_000)]
    write_csv(tmp_path / "in.csv", rows)
    deidentify(tmp_path / "in.csv", tmp_path / "out.csv", detector="patterns", workers=workers)


def _ragged(tmp_path, workers):
    (tmp_path / "in.csv").write_text("name,x\n" + f"{CANARY},1\n" * 9000 + f"{CANARY},1,{CANARY}\n")
    deidentify(tmp_path / "in.csv", tmp_path / "out.csv", detector="patterns", workers=workers)


def _broken_json(tmp_path, workers):
    (tmp_path / "in.jsonl").write_text(f'{{"name": "{CANARY}"}}\n' * 9000 + f'{{"name": "{CANARY}\n')
    deidentify(tmp_path / "in.jsonl", tmp_path / "out.jsonl", detector="patterns", workers=workers)


def _no_date(tmp_path, workers):
    rows = [{"name": CANARY, "visit": f"{CANARY}-{number}"} for number in range(5000)]
    write_csv(tmp_path / "in.csv", rows)
    from privkit.model.operators import DateShift

    options = {"columns": {"visit": DateShift(unit="nowhere")}, "workers": workers, "detector": "patterns"}
    deidentify(tmp_path / "in.csv", tmp_path / "out.csv", **options)


def _cut_token(tmp_path, workers):
    from privkit.keys.keyfile import Key

    Key.new(tmp_path / "k")
    rows = [{"patient_id": f"{CANARY}{number}", "note": "x"} for number in range(50)]
    out, _ = table(tmp_path, rows, key=tmp_path / "k", policy="pseudonymize")
    out[7]["patient_id"] = out[7]["patient_id"][:-3]
    write_csv(tmp_path / "cut.csv", out)
    reidentify(tmp_path / "cut.csv", tmp_path / "back.csv", key=tmp_path / "k", workers=workers)


def _wrong_types(tmp_path, workers):
    (tmp_path / "in.jsonl").write_text(f'{{"name": "{CANARY}"}}\n' * 9000 + f'{{"name": {{"b": "{CANARY}"}}}}\n')
    deidentify(tmp_path / "in.jsonl", tmp_path / "out.csv", detector="patterns", workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("fails", [_late, _ragged, _broken_json, _no_date, _cut_token, _wrong_types])
def test_no_error_holds_a_cells_value(tmp_path, fails, workers, capfd):
    with pytest.raises(PrivkitError) as caught:
        fails(tmp_path, workers)
    shown = "".join(traceback.format_exception(caught.value, chain=True)) + str(caught.value.hint)
    # Lines of this file stand in a traceback; the canary itself is written in none but its own.
    assert CANARY not in shown
    heard = capfd.readouterr()
    assert CANARY not in heard.out + heard.err
    assert not any(CANARY in path.name for path in tmp_path.iterdir())


def test_no_report_holds_a_cells_value(tmp_path):
    rows = [{**row, "name": f"{CANARY} {row['name']}", "notes": f"{CANARY} rang", "ward": CANARY} for row in people(40)]
    for ending in ("json", "html"):
        report = tmp_path / f"r.{ending}"
        table(tmp_path, rows, report=report, entities={"PERSON": Keep()})
        assert CANARY not in report.read_text()


def test_equal_values_have_equal_tokens_under_one_key_only(tmp_path, key_file):
    rows = [{"name": row["name"], "spouse_name": row["name"]} for row in people(30)]
    first, _ = table(tmp_path, rows, key=key_file)
    again, _ = table(tmp_path, rows, key=key_file)
    other, _ = table(tmp_path, rows)
    assert all(row["name"] == row["spouse_name"] for row in first)
    assert first == again
    assert not {row["name"] for row in first} & {row["name"] for row in other}


def test_a_list_of_identifiers_in_a_row_is_searched_in_its_texts(tmp_path):
    records = [
        {
            "emails": [row["email"], f"b{number}@example.net"],
            "note": f"write to B{number}@EXAMPLE.NET or {row['email']}",
        }
        for number, row in enumerate(people(40))
    ]
    output, _ = lines(tmp_path, records)
    assert not any("@" in json.dumps(record) for record in output)


def test_cells_that_are_kept_keep_their_text(tmp_path):
    rows = [{**row, "amount": ["12.50", "007", "NA", " 1 "][number % 4]} for number, row in enumerate(people(40))]
    output, _ = table(tmp_path, rows)
    assert [row["amount"] for row in output] == [row["amount"] for row in rows]
    with (tmp_path / "out.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(rows[0])
