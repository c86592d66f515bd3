"""`deidentify` on Spark: the same cells as the local engine, whole output or none, exact counts whatever fails."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pages import ROOT, Place, pieces
from people import people, write_csv

from privkit.cli import main
from privkit.deid.spark import SparkRun
from privkit.deidentifier import deidentify, reidentify, scan
from privkit.errors import ColumnError, EngineError, InputError, OutputError, PrivkitError, UsageError
from privkit.io.frames import ArrowFrame
from privkit.io.sources import open_source
from privkit.keys.keyfile import Key
from privkit.model.operators import (
    DateShift,
    Drop,
    Generalize,
    Keep,
    KeyedHash,
    Mask,
    Pseudonym,
    Redact,
    Replace,
    Surrogate,
)
from privkit.model.progress import SilentObserver

PATTERNS = {"detector": "patterns"}
KEY = Key.from_secret(bytes(range(32)), kept=True)
PARTS, ROWS = 3, 3_500  # more than one block in each part, and more rows than the sample sees of it

# Each operator on a column of its own, so that one run on each engine shows them all.
OPERATORS = {
    "kept": ("name", Keep()),
    "redacted": ("name", Redact()),
    "replaced": ("name", Replace(new_value="=SOMEBODY")),
    "masked": ("phone", Mask(chars_to_mask=6, from_end=True, masking_char="-")),
    "token": ("name", Pseudonym()),
    "short_token": ("name", Pseudonym(reversible=False)),
    "number_token": ("number", Pseudonym()),
    "hashed": ("ssn", KeyedHash(length=24)),
    "invented": ("name", Surrogate()),
    "invented_mail": ("email", Surrogate()),
    "shifted_by_row": ("admitted", DateShift(days=30)),
    "shifted_together": ("seen", DateShift(days=30, unit="number_token")),
    "moved_text_date": ("born", DateShift(days=100, unit="number_token")),
    "year": ("born", Generalize(to="year", oldest=90)),
    "band": ("age", Generalize(band=5, top=90)),
    "digits": ("zip", Generalize(digits=3)),
    "dropped": ("name", Drop()),
}


def _table(part):
    """Rows with everything that could come out otherwise: nulls, Unicode, nested columns, a column that begins late."""
    drawn = people(250, seed=part)
    rows = []
    for number in range(ROWS):
        one = drawn[(number * 7) % len(drawn)]
        gone = number % 11 == 3
        day = dt.datetime(2020, 1, 1, 8, tzinfo=dt.UTC) + dt.timedelta(days=number % 900, milliseconds=number)
        source = {
            **one,
            "name": None if gone else one["name"] + (" 王Ünal" if number % 5 == 0 else ""),
            "number": 7_000_000 + number % 400,
            "admitted": None if number % 13 == 0 else day,
            "seen": day.date(),
            "born": None if gone else f"{1930 + number % 80}-0{1 + number % 9}-1{number % 10}",
            "age": number % 101,
        }
        rows.append(
            {
                "row": part * ROWS + number,
                **{name: source[of] for name, (of, _) in OPERATORS.items()},
                "notes": None if number % 17 == 0 else f'{one["notes"]} «{number % 50}», 王\n"second" line',
                "late": f"seen by the nurse {number % 3}" if number > ROWS - 60 and number % 2 else None,
                "contact": {"mail": one["email"], "since": day.date()} if number % 3 else None,
                "visits": [{"doctor": one["name"], "cost": Decimal("12.50")}] * (number % 3),
                "score": None if gone else number / 3,
                "plain": day.replace(tzinfo=None, year=1996),
                "old": dt.date(1500, 2, 3),
            }
        )
    schema = {
        "row": pa.int64(),
        "number_token": pa.int64(),
        "shifted_by_row": pa.timestamp("ms", tz="UTC"),
        "shifted_together": pa.date32(),
        "band": pa.int32(),
        "contact": pa.struct([("mail", pa.string()), ("since", pa.date32())]),
        "visits": pa.list_(pa.struct([("doctor", pa.string()), ("cost", pa.decimal128(9, 2))])),
        "score": pa.float64(),
        "plain": pa.timestamp("us"),
        "old": pa.date32(),
    }
    return pa.Table.from_pylist(rows, pa.schema([(name, schema.get(name, pa.string())) for name in rows[0]]))


@pytest.fixture(scope="module")
def tables():
    return [_table(part) for part in range(PARTS)]


@pytest.fixture(scope="module")
def everything(spark, tables, tmp_path_factory):
    """A folder of Parquet, what the local engine makes of it under a saved policy, and that policy."""
    folder = tmp_path_factory.mktemp("everything")
    (folder / "in").mkdir()
    for part, table in enumerate(tables):
        pq.write_table(table, folder / "in" / f"p{part}.parquet", row_group_size=1_300)
    (folder / "key").write_text("")
    columns = {name: operator for name, (_, operator) in OPERATORS.items() if not isinstance(operator, (Keep, Drop))}
    local = deidentify(
        folder / "in",
        folder / "local",
        key=KEY,
        columns=columns,
        keep=["kept", "plain", "old"],
        drop=["dropped"],
        save_policy=folder / "policy.yaml",
        **PATTERNS,
    )
    return folder, local


def _rows(folder):
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]).sort_by("row")


@pytest.fixture(scope="module")
def both(spark, everything):
    """The same on Spark, in more partitions than files: the rows of each engine, and the reports."""
    folder, local = everything
    split = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(200 << 10))
    try:
        made = deidentify(
            folder / "in", folder / "spark", engine="spark", key=KEY, policy=folder / "policy.yaml", **PATTERNS
        )
    finally:
        spark.conf.set("spark.sql.files.maxPartitionBytes", split)
    assert len(list((folder / "spark").glob("*.parquet"))) > PARTS
    return _rows(folder / "local"), _rows(folder / "spark"), local.report, made.report


@pytest.mark.parametrize("column", [*OPERATORS, "row", "notes", "late", "contact", "visits", "score", "plain", "old"])
def test_each_operator_gives_the_same_cells(both, tables, column):
    local, spark, _, _ = both
    if column == "dropped":
        assert column not in local.column_names
        assert column not in spark.column_names
        return
    mine, its = spark[column].to_pylist(), local[column].to_pylist()
    assert mine == its
    if column not in ("kept", "row", "late", "score", "plain", "old"):
        assert mine != pa.concat_tables(tables)[column].to_pylist()


def test_the_reports_agree(both):
    _, _, local, spark = both
    assert spark.rows == local.rows == PARTS * ROWS
    assert spark.columns == local.columns
    assert spark.key_id == local.key_id == KEY.id
    assert spark.residual.cells_with_findings == 0


def test_a_dataframe_gives_the_same_cells_and_stays_one(spark, everything, both):
    folder, local = everything
    given = spark.read.parquet(str(folder / "in")).repartition(5)
    zone = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        result = deidentify(given, key=KEY, policy=folder / "policy.yaml", **PATTERNS)
        assert isinstance(result.frame, type(given))
        assert result.report.columns == local.report.columns
        made = result.frame.toArrow().sort_by("row")
        assert result.frame.count() == PARTS * ROWS
    finally:
        spark.conf.set("spark.sql.session.timeZone", zone)
    assert result.report.source == "Spark DataFrame"
    for column in both[0].column_names:
        assert made[column].to_pylist() == both[0][column].to_pylist(), column
    result.frame.unpersist()


def test_reidentify_restores_what_spark_wrote(everything, both, tables):
    folder, _ = everything
    restored = reidentify(folder / "spark", folder / "back", key=KEY)
    made = _rows(folder / "back")
    given = pa.concat_tables(tables)
    assert restored.tokens > PARTS * ROWS
    for column in ("token", "number_token"):
        assert made[column].type == given[column].type
        assert made[column].to_pylist() == given[column].to_pylist()


@pytest.fixture
def clinics(tmp_path):
    """CSV files that are hard to read: quotes, line ends in cells, formulas, another encoding, a byte order mark."""
    (tmp_path / "in").mkdir()
    for part in range(3):
        rows = people(300, seed=part)
        for number, row in enumerate(rows):
            row["notes"] += ' "quoted", ' + ("\r\nnext line" if number % 2 else "=1+1") + " ÜÖÄ"
            row["ward"] = "=HYPERLINK" if number % 50 == 0 else row["ward"]
            row["amount"] = "" if number % 7 == 0 else row["amount"]
        path = write_csv(tmp_path / "in" / f"p{part}.csv", rows)
        path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    return tmp_path / "in"


def test_csv_files_are_the_same_bytes(spark, clinics, tmp_path):
    options = {"key": KEY, "encoding": "utf-16", "policy": "pseudonymize", **PATTERNS}
    local = deidentify(clinics, tmp_path / "local", **options)
    made = deidentify(clinics, tmp_path / "spark", engine="spark", **options)
    written = sorted((tmp_path / "spark").glob("part-*.csv"))
    assert [path.read_bytes() for path in written] == [
        (tmp_path / "local" / f"p{part}.csv").read_bytes() for part in range(3)
    ]
    assert made.report.columns == local.report.columns
    assert sorted(path.name for path in (tmp_path / "spark").iterdir()) == ["_SUCCESS", *(p.name for p in written)]
    assert oct(written[0].stat().st_mode & 0o777) == oct((tmp_path / "local" / "p0.csv").stat().st_mode & 0o777)


def test_csv_becomes_parquet_and_parquet_csv(spark, tmp_path):
    source = write_csv(tmp_path / "a.csv", people(80))
    deidentify(source, tmp_path / "a.parquet", engine="spark", key=KEY, **PATTERNS)
    deidentify(source, tmp_path / "local.parquet", key=KEY, **PATTERNS)
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "local.parquet"))
    pq.write_table(pa.Table.from_pylist(people(80)), tmp_path / "[b] {c}.parquet")
    deidentify(tmp_path / "[b] {c}.parquet", tmp_path / "b.tsv", engine="spark", key=KEY, **PATTERNS)
    deidentify(tmp_path / "[b] {c}.parquet", tmp_path / "local.tsv", key=KEY, **PATTERNS)
    (written,) = (tmp_path / "b.tsv").glob("*.tsv")
    assert written.read_bytes() == (tmp_path / "local.tsv").read_bytes()


def test_folders_such_as_year_2024_make_no_columns(spark, tmp_path):
    for year in (2023, 2024):
        (tmp_path / "in" / f"year={year}").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(people(40, seed=year)), tmp_path / "in" / f"year={year}" / "a.parquet")
    deidentify(tmp_path / "in", tmp_path / "out", engine="spark", **PATTERNS)
    made = pq.read_table(tmp_path / "out")
    assert made.num_rows == 80
    assert "year" not in made.column_names


def test_long_rows_come_in_smaller_batches(tmp_path):
    def batch_of(size):
        sample = (ArrowFrame(pa.record_batch({"note": ["x" * size] * 100})),)
        source = open_source(write_csv(tmp_path / "a.csv", people(2)))
        run = SparkRun(
            source, None, None, sample=sample, encoding="utf-8", max_expansion=2, master=None, observer=_Heard()
        )
        return int(run._batches()["spark.sql.execution.arrow.maxRecordsPerBatch"])

    assert batch_of(100) == 2_048
    assert 200 < batch_of(100_000) < 400
    assert batch_of(10_000_000) == 16


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_no_rows_are_an_output_with_columns(spark, tmp_path, kind):
    table = pa.Table.from_pylist(people(2)).slice(0, 0)
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text(",".join(table.column_names) + "\n")
    report = deidentify(tmp_path / f"a.{kind}", tmp_path / f"b.{kind}", engine="spark", **PATTERNS).report
    assert report.rows == 0
    back = reidentify(tmp_path / f"b.{kind}", tmp_path / f"c.{kind}", key=KEY)
    assert back.rows == 0


def test_known_names_from_another_file_are_found(spark, tmp_path):
    from privkit.deidentifier import Known

    (tmp_path / "in.csv").write_text("visit,remark\n" + "".join(f"v{n},quiborax came in {n}\n" for n in range(40)))
    (tmp_path / "names.csv").write_text("visit,who\n" + "".join(f"v{n},Quiborax\n" for n in range(40)))
    known = [Known(tmp_path / "names.csv", column="who", on="visit")]
    deidentify(
        tmp_path / "in.csv",
        tmp_path / "out.csv",
        engine="spark",
        known=known,
        columns={"remark": "free_text"},
        keep=["visit"],
        **PATTERNS,
    )
    (written,) = (tmp_path / "out.csv").glob("*.csv")
    assert "quiborax" not in written.read_text()
    assert "<PERSON> came in 7" in written.read_text()


class _Heard(SilentObserver):
    def __init__(self):
        self.calls = []

    def started(self, total_bytes):
        self.calls.append(("started", total_bytes))

    def advanced(self, rows, consumed_bytes):
        self.calls.append((rows, consumed_bytes))

    def finished(self):
        self.calls.append(("finished",))


def test_whoever_watches_hears_of_rows_while_they_are_done(spark, parts, tmp_path, monkeypatch):
    monkeypatch.setattr("privkit.deid.spark._LOOK_SECONDS", 0.001)
    heard = _Heard()
    deidentify(parts, tmp_path / "out", engine="spark", observer=heard, **PATTERNS)
    size = sum(path.stat().st_size for path in parts.iterdir())
    assert heard.calls[0] == ("started", size)
    assert heard.calls[-2:] == [(180, size), ("finished",)]
    assert {rows for rows, _ in heard.calls[1:-1]} <= {60, 120, 180}
    assert heard.calls[1:-1] == sorted(heard.calls[1:-1])


# --- What fails ------------------------------------------------------------------------------------------------------


@pytest.fixture
def parts(tmp_path):
    """Three CSV files, one partition each."""
    (tmp_path / "in").mkdir()
    for part in range(3):
        write_csv(tmp_path / "in" / f"p{part}.csv", people(60, seed=part))
    return tmp_path / "in"


def _faulty(monkeypatch, name):
    monkeypatch.setattr("privkit.deid.spark.DEIDENTIFYING", f"spark_faults:{name}")


def _left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("fault", ["killed_once", "failing_once"])
def test_a_task_that_is_done_twice_counts_once(spark, parts, tmp_path, monkeypatch, fault):
    plain = deidentify(parts, tmp_path / "plain", engine="spark", key=KEY, **PATTERNS)
    _faulty(monkeypatch, fault)
    made = deidentify(parts, tmp_path / "out", engine="spark", key=KEY, **PATTERNS)
    assert made.report.rows == 180
    assert made.report.columns == plain.report.columns
    assert [p.read_bytes() for p in sorted((tmp_path / "out").glob("*.csv"))] == [
        p.read_bytes() for p in sorted((tmp_path / "plain").glob("*.csv"))
    ]


@pytest.mark.parametrize(
    ("fault", "told"), [("always_killed", "worker died"), ("always_failing", r"worker failed \(ValueError\)")]
)
def test_a_worker_that_always_fails_leaves_nothing_and_quotes_nothing(
    spark, parts, tmp_path, monkeypatch, capfd, fault, told
):
    _faulty(monkeypatch, fault)
    before = _left(tmp_path)
    with pytest.raises(EngineError, match=told) as caught:
        deidentify(parts, tmp_path / "out", engine="spark", report=tmp_path / "r.json", **PATTERNS)
    assert _left(tmp_path) == before
    said = capfd.readouterr()
    assert "Jane" not in f"{caught.value} {caught.value.hint} {said.out} {said.err}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_that_get_lost_are_noticed(spark, tmp_path, monkeypatch, kind):
    pq.write_table(pa.Table.from_pylist(people(50)), tmp_path / "a.parquet")
    _faulty(monkeypatch, "losing_a_row")
    with pytest.raises(EngineError, match=r"counted|made"):
        deidentify(tmp_path / "a.parquet", tmp_path / f"b.{kind}", engine="spark", **PATTERNS)
    given = spark.createDataFrame(people(50))
    with pytest.raises(EngineError, match="where its workers counted 50"):
        deidentify(given, **PATTERNS)
    assert _left(tmp_path) == ["a.parquet"]


def test_a_kept_column_that_turns_out_to_identify_is_refused_in_the_same_words(spark, tmp_path):
    rows = [{"note": f"{n}", "code": "plain"} for n in range(10_500)]
    for n, person in enumerate(people(400)):
        rows[-1 - n]["code"] = person["email"]
    source = write_csv(tmp_path / "a.csv", rows)
    said = []
    for engine in ("local", "spark"):
        with pytest.raises(ColumnError) as caught:
            deidentify(source, tmp_path / "out.csv", engine=engine, **PATTERNS)
        said.append((caught.value.message, caught.value.hint, caught.value.columns))
    assert said[0] == said[1]
    assert _left(tmp_path) == ["a.csv"]


def test_a_broken_part_is_refused(spark, tmp_path):
    (tmp_path / "in").mkdir()
    for part in range(2):
        pq.write_table(pa.Table.from_pylist(people(4_000, seed=part)), tmp_path / "in" / f"p{part}.parquet")
    path = tmp_path / "in" / "p1.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4_000] = bytes(4_000)
    path.write_bytes(data)
    policy = tmp_path / "policy.yaml"
    deidentify(tmp_path / "in" / "p0.parquet", dry_run=True, save_policy=policy, **PATTERNS)
    with pytest.raises((EngineError, InputError), match=r"broken|cannot be read"):
        deidentify(tmp_path / "in", tmp_path / "out", engine="spark", policy=policy, **PATTERNS)
    assert _left(tmp_path) == ["in", "policy.yaml"]


def test_a_broken_csv_part_is_named(spark, parts, tmp_path):
    with (parts / "p2.csv").open("a") as file:
        file.write('x,"never closed\n')
    with pytest.raises(InputError, match=r"p2\.csv: row 61") as caught:
        deidentify(parts, tmp_path / "out", engine="spark", policy=_policy_of(parts / "p0.csv", tmp_path), **PATTERNS)
    assert caught.value.row == 61
    assert _left(tmp_path) == ["in", "policy.yaml"]


def _policy_of(source, folder):
    deidentify(source, dry_run=True, save_policy=folder / "policy.yaml", **PATTERNS)
    return folder / "policy.yaml"


def test_parts_of_different_columns_are_refused_before_anything_runs(spark, parts, tmp_path, monkeypatch):
    monkeypatch.setattr("privkit.deid.spark.spark_session", None)  # whoever calls it fails
    write_csv(parts / "p3.csv", [{"name": "x", "other": "y"}])
    with pytest.raises(InputError, match=r"p3\.csv: not the columns of"):
        deidentify(parts, tmp_path / "out", engine="spark", **PATTERNS)
    assert _left(tmp_path) == ["in"]


def test_types_that_spark_lacks_are_named(spark, tmp_path):
    table = pa.table({"name": ["a"], "at": pa.array([1], pa.time64("us")), "long": pa.array([1], pa.duration("s"))})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"at \(time64\[us\]\), long \(duration\[s\]\)"):
        deidentify(tmp_path / "a.parquet", tmp_path / "b.parquet", engine="spark", **PATTERNS)


def test_types_that_spark_reads_otherwise(spark, tmp_path):
    """They come out as Spark has them, from the same cells; what it cannot read is an error before anything is read."""
    number = pa.array(range(100))
    days = [dt.datetime(2024, 5, 1, 12, 0, n % 60) for n in range(100)]
    table = pa.table(
        {
            "row": number,
            "small": number.cast(pa.uint8()),
            "large": pa.array([2**63 + n for n in range(100)], pa.uint64()),
            "code": pa.array([f"{n:04d}" for n in range(100)]).dictionary_encode(),
            "nothing": pa.nulls(100),
            "pairs": pa.array([[("a", n)] for n in range(100)], pa.map_(pa.string(), pa.int32())),
            "names": pa.array([["Ann Roe", "Bo Li"]] * 100, pa.list_(pa.string(), 2)),
            "at": pa.array(days, pa.timestamp("ms", "Asia/Tokyo")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    columns = {name: Pseudonym() for name in ("small", "large", "code", "at")}
    made = {}
    for engine in ("local", "spark"):
        output = tmp_path / f"{engine}.parquet"
        deidentify(tmp_path / "a.parquet", output, engine=engine, key=KEY, columns=columns, **PATTERNS)
        made[engine] = pq.read_table(output)
    for column in made["local"].column_names:
        assert made["spark"][column].to_pylist() == made["local"][column].to_pylist(), column
    back = reidentify(tmp_path / "spark.parquet", tmp_path / "back.parquet", key=KEY)
    assert back.tokens == 600
    restored = pq.read_table(tmp_path / "back.parquet" / _left(tmp_path / "back.parquet")[0])
    assert restored["large"].type == pa.uint64()
    assert restored["at"].to_pylist() == table["at"].to_pylist()
    pq.write_table(pa.table({"at": pa.array([1], pa.timestamp("ns"))}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="Spark cannot read these files"):
        deidentify(tmp_path / "b.parquet", tmp_path / "c.parquet", engine="spark", **PATTERNS)


def test_what_publishing_raises_leaves_no_output_and_no_held_frame(spark, parts, tmp_path):
    def refuse(report):
        assert report.rows == 180
        raise OutputError("no room for the card")

    with pytest.raises(OutputError, match="no room"):
        deidentify(parts, tmp_path / "out", engine="spark", publishing=refuse, **PATTERNS)
    assert _left(tmp_path) == ["in"]


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"resume": True, "key": KEY}, "--resume cannot go with Spark"),
        ({"explain": "why.html"}, "--explain cannot go with Spark"),
        ({"workers": 2}, "--workers cannot go with Spark"),
        ({"engine": "flink"}, "no engine 'flink'"),
        ({"engine": "local", "master": "local[2]"}, "--master says where Spark runs"),
        ({"output": "-"}, "writes a folder"),
        ({"output": "a.jsonl"}, "writes Parquet, CSV and TSV"),
        ({"output": "a.csv.gz"}, "not compressed"),
        ({"source": "-"}, "standard input"),
        ({"source": "a.jsonl"}, "reads Parquet, CSV and TSV"),
        ({"source": [{"name": "x"}], "output": None}, "takes files and Spark DataFrames"),
        ({"source": pd.DataFrame({"name": ["x"]}), "output": None}, "takes files and Spark DataFrames"),
        ({"source": "hdfs://host/in", "engine": "local"}, "addresses are read by Spark"),
        ({"output": "s3a://bucket/out"}, "half an output could be taken for whole"),
        ({"output": "hdfs://me:word@host/out"}, "a password in it"),
        ({"output": "hdfs://host/out.csv"}, "writes Parquet only"),
    ],
)
def test_options_that_cannot_go_with_spark(tmp_path, monkeypatch, options, told):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "a.csv", people(5))
    (tmp_path / "a.jsonl").write_text('{"name": "x"}\n')
    with pytest.raises(UsageError, match=told) as caught:
        deidentify(**{"source": "a.csv", "output": "out", "engine": "spark", **PATTERNS, **options})
    assert "word" not in f"{caught.value} {caught.value.hint}".replace("password", "")


def test_a_dataframe_is_returned_not_written(spark, tmp_path):
    given = spark.createDataFrame(people(5))
    with pytest.raises(UsageError, match="is returned"):
        deidentify(given, tmp_path / "out")
    with pytest.raises(UsageError, match="leave master out"):
        deidentify(given, master="local[1]")
    for other in (scan, lambda frame: reidentify(frame, key=KEY)):
        with pytest.raises(UsageError, match="de-identifies rows only"):
            other(given)
    with pytest.raises(UsageError, match="every column is dropped"):
        deidentify(given.select("ward"), drop=["ward"], **PATTERNS)


def test_an_output_that_exists_is_kept_unless_forced(spark, parts, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.csv").write_text("a\n1\n")
    with pytest.raises(OutputError, match="exists"):
        deidentify(parts, tmp_path / "out", engine="spark", **PATTERNS)
    assert _left(tmp_path / "out") == ["old.csv"]
    deidentify(parts, tmp_path / "out", engine="spark", force=True, **PATTERNS)
    assert "old.csv" not in _left(tmp_path / "out")
    assert _left(tmp_path) == ["in", "out"]


def test_addresses(spark, tmp_path):
    """Hadoop's own local file system stands in for HDFS."""
    pq.write_table(pa.Table.from_pylist(people(60)), tmp_path / "a.parquet")
    source, output = f"file://{tmp_path}/a.parquet", f"file://{tmp_path}/out.parquet"
    made = deidentify(source, output, engine="spark", key=KEY, **PATTERNS)
    deidentify(tmp_path / "a.parquet", tmp_path / "local.parquet", key=KEY, **PATTERNS)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.equals(pq.read_table(tmp_path / "local.parquet"))
    assert made.report.source == source
    assert made.report.rows == 60
    with pytest.raises(OutputError, match="exists"):
        deidentify(source, output, engine="spark", force=True, **PATTERNS)
    with pytest.raises(OutputError, match="inside"):
        deidentify(source, f"{source}/b.parquet", engine="spark", **PATTERNS)
    with pytest.raises(InputError, match="no Parquet files that Spark can read"):
        deidentify(f"file://{tmp_path}/nothing", f"file://{tmp_path}/c.parquet", engine="spark", **PATTERNS)
    assert _left(tmp_path) == ["a.parquet", "local.parquet", "out.parquet"]


def test_an_address_keeps_nothing_of_a_run_that_fails(spark, tmp_path, monkeypatch):
    pq.write_table(pa.Table.from_pylist(people(60)), tmp_path / "a.parquet")
    _faulty(monkeypatch, "losing_a_row")
    with pytest.raises(EngineError, match="59 rows where its workers counted 60"):
        deidentify(tmp_path / "a.parquet", f"file://{tmp_path}/out.parquet", engine="spark", **PATTERNS)
    assert _left(tmp_path) == ["a.parquet"]


def test_the_callers_session_has_its_settings_again(spark, parts, tmp_path):
    before = {row["key"]: row["value"] for row in spark.sql("SET").collect()}
    deidentify(parts, tmp_path / "out.parquet", engine="spark", **PATTERNS)
    assert {row["key"]: row["value"] for row in spark.sql("SET").collect()} == before
    assert spark.range(3).count() == 3


# --- The command line ------------------------------------------------------------------------------------------------


def _command(*arguments):
    return [str(argument) for argument in ("deidentify", "--detector", "patterns", *arguments)]


def test_the_command_writes_a_folder_and_a_report(spark, parts, tmp_path, capfd):
    arguments = [parts, "-o", tmp_path / "out", "--engine", "spark", "--json", "--report", tmp_path / "r.html"]
    assert main(_command(*arguments)) == 0
    told = capfd.readouterr()
    report = json.loads(told.out)
    assert report["rows"] == 180
    assert told.err == ""
    assert _left(tmp_path) == ["in", "out", "r.html"]
    assert main(_command(*arguments)) == 1
    assert "exists" in capfd.readouterr().err


def test_a_dry_run_decides_without_spark(parts, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("privkit.deid.spark.spark_session", None)
    saved = tmp_path / "policy.yaml"
    assert main(_command(parts, "--engine", "spark", "--dry-run", "--save-policy", saved)) == 0
    assert "identifier" in capfd.readouterr().out
    assert saved.exists()


def test_refusals_are_wrong_usage(parts, tmp_path, capfd):
    for arguments in (["--engine", "spark", "--workers", "2"], ["--master", "local[2]"], ["--engine", "dask"]):
        assert main(_command(parts, "-o", tmp_path / "out", *arguments)) == 2
        assert capfd.readouterr().out == ""
    assert _left(tmp_path) == ["in"]


@pytest.fixture
def started(tmp_path):
    """Commands in processes of their own, with a Spark of their own."""

    def start(*arguments):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        return subprocess.Popen(
            [sys.executable, "-m", "privkit", *_command(*arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    return start


def _children(process):
    found = subprocess.run(["ps", "-o", "pid=", "-s", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_ctrl_c_leaves_nothing_and_stops_spark(started, tmp_path):
    rows = people(400)
    (tmp_path / "in").mkdir()
    for part in range(4):
        write_csv(tmp_path / "in" / f"p{part}.csv", rows * 150)
    process = started(tmp_path / "in", "-o", tmp_path / "out", "--engine", "spark", "--master", "local[2]")
    hidden, until = tmp_path / ".out.privkit" / "out", time.monotonic() + 240
    while not list(hidden.glob("_temporary/*/_temporary/*/*")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group hears it
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == ""
    assert "interrupted" in err
    assert "Traceback" not in err
    assert "--resume" not in err
    assert _left(tmp_path) == ["in"]
    until = time.monotonic() + 60
    while _children(process) and time.monotonic() < until:
        time.sleep(0.1)
    assert _children(process) == []


def test_a_master_that_is_none_is_an_error_without_a_traceback(started, parts, tmp_path):
    process = started(parts, "-o", tmp_path / "out", "--engine", "spark", "--master", "nowhere")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert out == ""
    assert "privkit: error: Spark does not start on nowhere" in err
    assert "Traceback" not in err
    assert _left(tmp_path) == ["in"]


def test_another_master_than_that_of_the_callers_session_is_refused(spark, parts, tmp_path):
    with pytest.raises(PrivkitError, match="is active in this process"):
        deidentify(parts, tmp_path / "out", engine="spark", master="local[1]", **PATTERNS)
    assert _left(tmp_path) == ["in"]


def test_the_page_does_what_it_shows(spark, tmp_path):
    """The blocks that test_docs.py leaves out, because not every machine that runs it has Java."""
    page, place = ROOT / "docs" / "how-to" / "spark.md", Place(tmp_path)
    ran = 0
    for piece in pieces(page):
        here = piece.mark.startswith("not run: needs Java")
        if here or piece.language == "before" or piece.is_run:
            done = place.run(piece.language, piece.code)
            assert done.returncode == 0, f"{piece.code}\n{done.stdout}\n{done.stderr}"
            ran += here
    assert ran == 2
    assert "80 80" in done.stdout
    assert pq.read_table(tmp_path / "shared.parquet").num_rows == 80


@pytest.mark.parametrize("row", [3, 20_000])  # within the sample that decides, and beyond it
def test_what_spark_says_of_a_cell_is_not_heard(spark, capfd, row):
    cells = f"CASE WHEN id = {row} THEN 'Jane Roe' ELSE '7' END"
    frame = spark.range(30_000).selectExpr(f"CAST({cells} AS INT) AS age", "'ward' AS ward")
    with pytest.raises(EngineError) as caught:
        deidentify(frame, detector="patterns")
    said = capfd.readouterr()
    assert "Roe" not in str(caught.value) + said.out + said.err
