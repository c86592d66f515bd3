"""Blocks as bytes of each output format, and the choice of the format."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import io
import json
import pickle
import re
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InputError, OutputError, UsageError
from privkit.io.blocks import Dialect, Part
from privkit.io.frames import ArrowFrame, RecordFrame
from privkit.io.outputs import Target, guarded, part_names, target_for, texts, unguarded

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("a,;\"\r\n\t\x0b '=", max_size=6)


def frame_of(**columns):
    return ArrowFrame(pa.RecordBatch.from_pydict(columns))


def target_of(frame, format="csv", **options):
    return Target(format, schema=frame.batch.schema, **options)


class Here:
    """A source as far as a target needs one."""

    def __init__(self, *names, format="csv", dialect=None, schema=None, root="/data", folder=False):
        def kind(name):
            return "gz" if name.endswith(".gz") else "zst" if name.endswith(".zst") else None

        self.parts = tuple(Part(Path(root, name), name, format, kind(name)) for name in names)
        self.partitioned = folder or len(names) > 1
        self.format = format
        self.dialect = dialect or Dialect()
        self._schema = schema

    def schema(self):
        return self._schema


ONE = pa.schema([("a", pa.string())])
TWO = pa.schema([("a", pa.string()), ("b", pa.string())])


# --- CSV -------------------------------------------------------------------------------------------------------------


def read_csv(data, dialect):
    """Rows, as Python's reader sees them when nothing in a quoted cell is touched."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=dialect.delimiter, strict=True))


@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(TEXT, min_size=n, max_size=n), max_size=5)),
    st.sampled_from([Dialect(), Dialect(";", "\r\n"), Dialect("\t", "\n"), Dialect("|", "\r\n")]),
)
def test_csv_round_trip(rows, dialect):
    width = len(rows[0]) if rows else 2
    names = [f"c{i}" for i in range(width)]
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    batch = pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in columns], names=names)
    target = Target("csv", dialect=dialect, schema=batch.schema)
    data = target.header() + target.encode(ArrowFrame(batch))
    assert read_csv(data, dialect) == [names, *rows]
    assert data.count(dialect.newline.encode()) >= len(rows) + 1


@given(st.lists(TEXT, min_size=2, max_size=2))
def test_csv_quotes_only_where_it_must(row):
    frame = frame_of(a=row[:1], b=row[1:])
    cells = ['"' + c.replace('"', '""') + '"' if re.search('[,"\r\n]', c) else c for c in row]
    assert target_of(frame).encode(frame).decode() == ",".join(cells) + "\n"


def test_csv_equals_the_standard_library_where_that_is_right():
    frame = frame_of(a=["x", "", 'say "hi"', "1,5"], b=["12.50", "007", "NA", "é 漢 🎉"], c=[None, "n\nl", " s ", "'"])
    expected = io.StringIO(newline="")
    writer = csv.writer(expected, lineterminator="\n")
    writer.writerows(
        zip(*[["" if c is None else c for c in column.to_pylist()] for column in frame.batch], strict=True)
    )
    assert target_of(frame).encode(frame).decode() == expected.getvalue()


def test_a_lone_empty_cell_shows():
    frame = frame_of(a=pa.array(["x", "", None, "y"]))
    data = target_of(frame).header() + target_of(frame).encode(frame)
    assert data == b'a\nx\n""\n""\ny\n'
    assert pa.csv.read_csv(io.BytesIO(data)).num_rows == 4


def test_csv_of_a_slice():
    frame = ArrowFrame(frame_of(a=["no", "x", "y,z", "no"], b=["no", "é", "", "no"]).batch.slice(1, 2))
    assert target_of(frame).encode(frame).decode() == 'x,é\n"y,z",\n'


def test_csv_without_rows_is_a_header():
    frame = frame_of(a=pa.array([], pa.string()), **{"b,c": pa.array([], pa.string())})
    target = target_of(frame, dialect=Dialect(",", "\r\n"))
    assert (target.header(), target.encode(frame), target.empty()) == (b'a,"b,c"\r\n', b"", b'a,"b,c"\r\n')


def test_csv_takes_columns_in_the_schemas_order_and_leaves_others_out():
    frame = frame_of(a=["1"], b=["2"], c=["3"])
    assert Target("csv", schema=pa.schema([("c", pa.string()), ("a", pa.string())])).encode(frame) == b"3,1\n"
    with pytest.raises(OutputError, match="lack: z"):
        Target("csv", schema=pa.schema([("z", pa.string())])).encode(frame)


def test_plain_text_of_every_type():
    moment = dt.datetime(2024, 1, 2, 3, 4, 5)
    cases = [
        (pa.array([1, -(2**63), None]), ["1", "-9223372036854775808", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([12.0, 0.1, -0.0, 1e300, None]), ["12.0", "0.1", "-0.0", "1e+300", None]),
        (pa.array([1.1], pa.float32()), ["1.1"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([decimal.Decimal("12.50")]), ["12.50"]),
        (pa.array([decimal.Decimal("1200")], pa.decimal128(5, -2)), ["1200"]),
        (pa.array([dt.date(1, 2, 3)]), ["0001-02-03"]),
        (pa.array([dt.date(2024, 2, 29)], pa.date64()), ["2024-02-29"]),
        (pa.array([moment], pa.timestamp("s")), ["2024-01-02T03:04:05"]),
        (pa.array([moment], pa.timestamp("ns")), ["2024-01-02T03:04:05"]),
        (pa.array([moment.replace(microsecond=120_000)]), ["2024-01-02T03:04:05.12"]),
        (pa.array([1_000_000_001], pa.timestamp("ns")), ["1970-01-01T00:00:01.000000001"]),
        (pa.array([0], pa.timestamp("ms", tz="Europe/Berlin")), ["1970-01-01T00:00:00Z"]),
        (pa.array([dt.time(1, 2, 30)], pa.time64("us")), ["01:02:30"]),
        (pa.array([dt.timedelta(hours=1, milliseconds=500)]), ["PT3600.5S"]),
        (pa.array([b"\x00\xff", None]), ["AP8=", None]),
        (pa.array(["x", "é", "x"]).dictionary_encode(), ["x", "é", "x"]),
        (pa.nulls(1), [None]),
        (pa.array([["a", None, 'b"'], None, []]), ['["a",null,"b\\""]', None, "[]"]),
        (pa.array([{"a": 1, "d": dt.date(2024, 1, 2)}]), ['{"a":1,"d":"2024-01-02"}']),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), ['{"k":1}']),
        (pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int8())), ['[["k",1],["k",2]]']),
    ]
    for array, expected in cases:
        assert texts(array).to_pylist() == expected, array.type
        assert texts(array).type == pa.large_string()


# --- JSON and text ---------------------------------------------------------------------------------------------------


def test_json_of_records_keeps_them():
    records = [
        {"id": 2**70, "t": "é漢", "n": {"deep": [1, 2.5, None, {"x": True}]}},
        {},
        {"small": 1, "huge": -(10**30), "list": [10**25]},
    ]
    data = Target("jsonl").encode(RecordFrame(records))
    assert [json.loads(line) for line in data.splitlines()] == records
    assert "é漢".encode() in data
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 3


def test_json_of_arrow_rows():
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    batch = pa.RecordBatch.from_pydict(
        {
            "i": pa.array([1, None]),
            "f": pa.array([1.1, 2.0], pa.float32()),
            "d": pa.array([decimal.Decimal("1.50"), None]),
            "t": pa.array([moment, None]),
            "b": pa.array([b"ab", None]),
            "l": pa.array([[moment], None]),
            "s": pa.array([{"x": decimal.Decimal("0.10"), "y": dt.date(2020, 1, 1)}, None]),
            "c": pa.array(["é", None]).dictionary_encode(),
        }
    )
    lines = Target("jsonl", schema=batch.schema).encode(ArrowFrame(batch)).splitlines()
    at = "2024-01-02T03:04:05Z"
    assert orjson.loads(lines[0]) == {
        "i": 1,
        "f": 1.1,
        "d": "1.50",
        "t": at,
        "b": "YWI=",
        "l": [at],
        "s": {"x": "0.10", "y": "2020-01-01"},
        "c": "é",
    }
    assert orjson.loads(lines[1]) == dict.fromkeys("idtblsc") | {"f": 2.0}
    assert "é".encode() in lines[0]


def test_json_of_half_a_surrogate_pair():
    assert Target("jsonl").encode(RecordFrame([{"a": "\ud800"}])) == b'{"a":"\\ud800"}\n'


def test_json_rows_survive_when_all_columns_are_dropped():
    frame = ArrowFrame(frame_of(a=["x", "y"]).batch.select([]))
    assert Target("jsonl", schema=frame.batch.schema).encode(frame) == b"{}\n{}\n"


def test_text_is_the_cells_one_behind_the_other():
    frame = frame_of(text=pa.array(["a\r\n", None, "é\n", "", "end"]))
    assert target_of(frame, "txt").encode(frame).decode() == "a\r\né\nend"
    assert target_of(frame, "txt", cell_end="\n").encode(frame).decode() == "a\r\n\n\né\n\n\nend\n"
    with pytest.raises(OutputError):
        Target("txt", schema=TWO).encode(frame_of(a=["x"], b=["y"]))


# --- Records laid out as a table -------------------------------------------------------------------------------------

TABLE = pa.schema([("s", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_())])
GOOD = {"s": "x", "i": 3, "f": 1.5, "b": True}


def test_records_as_a_table():
    records = [GOOD, {"b": False, "s": "a,b"}, {"f": 2, "i": None}]
    target = Target("csv", schema=TABLE)
    assert target.header() + target.encode(RecordFrame(records)) == b's,i,f,b\nx,3,1.5,true\n"a,b",,,false\n,,2.0,\n'
    stream = Target("parquet", schema=TABLE).encode(RecordFrame(records))
    assert pa.ipc.open_stream(stream).read_all().to_pylist()[2] == {"s": None, "i": None, "f": 2.0, "b": None}


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"s": "x", "other": "CANARY"}, "other"),
        ({"s": ["CANARY"]}, "column s"),
        ({"s": {"CANARY": 1}}, "column s"),
        ({"s": 5}, "column s"),
        ({"i": "CANARY"}, "column i"),
        ({"i": 1.5}, "column i"),
        ({"i": True}, "column i"),
        ({"i": 2**63}, "column i"),
        ({"f": "CANARY"}, "column f"),
        ({"f": 2**60 + 1}, "column f"),
        ({"f": False}, "column f"),
        ({"b": 1}, "column b"),
    ],
)
def test_a_record_that_does_not_fit_is_named(format, record, named):
    with pytest.raises(InputError, match=named) as caught:
        Target(format, schema=TABLE).encode(RecordFrame([GOOD, record]), first_row=40)
    assert caught.value.row == 42
    assert "42" in caught.value.message
    assert "CANARY" not in caught.value.message + str(caught.value.hint)


# --- Streams of blocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "txt"])
@pytest.mark.parametrize(("compression", "unpack"), [("gz", gzip.decompress), ("zst", None)])
def test_compressed_blocks_concatenate_and_are_equal_each_time(format, compression, unpack):
    frame = frame_of(a=["é", "b", "c\n"])
    plain, packed = target_of(frame, format), target_of(frame, format, compression=compression)

    def unzst(data):
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return reader.read()

    unpack = unpack or unzst
    assert unpack(packed.encode(frame)) == plain.encode(frame)
    assert packed.encode(frame) == packed.encode(frame)
    whole = packed.header() + packed.encode(frame) * 2
    assert unpack(whole) == plain.header() + plain.encode(frame) * 2
    assert unpack(packed.empty()) == plain.empty()
    assert packed.empty(), "an empty file is no gzip and no zstd file"
    if compression == "gz":
        assert packed.encode(frame)[4:8] == bytes(4), "the time in a gzip header"


def test_streams_hold_no_value_that_the_rows_lack():
    whole = pa.array(["SECRET", "kept", "kept"]).dictionary_encode()
    frame = ArrowFrame(pa.RecordBatch.from_arrays([whole.slice(1)], names=["a"]))
    target = target_of(frame, "parquet")
    data = pa.ipc.open_stream(target.encode(frame)).read_all()
    assert data.schema.field("a").type == pa.string()
    assembled = target.assembled(data.to_batches())
    assert assembled.schema == frame.batch.schema
    assert assembled["a"].combine_chunks().dictionary.to_pylist() == ["kept"]
    memory = Target("memory", schema=frame.batch.schema).encode(frame)
    assert b"SECRET" not in memory


def test_a_stream_has_the_schemas_types_or_is_refused():
    frame = frame_of(a=pa.array(["1"], pa.large_string()))
    target = Target("parquet", schema=pa.schema([pa.field("a", pa.string(), metadata={"k": "v"})]))
    assert pa.ipc.open_stream(target.encode(frame)).read_all().schema == pa.schema([("a", pa.string())])
    with pytest.raises(OutputError, match="column a") as caught:
        Target("parquet", schema=pa.schema([("a", pa.int8())])).encode(frame_of(a=["CANARY"]))
    assert "CANARY" not in caught.value.message
    with pytest.raises(OutputError, match="nulls"):
        Target("parquet", schema=pa.schema([pa.field("a", pa.string(), nullable=False)])).encode(
            frame_of(a=pa.array([None], pa.string()))
        )


def test_memory_without_a_schema():
    frame = frame_of(a=[1, 2])
    assert pa.ipc.open_stream(Target("memory").encode(frame)).read_all().to_pydict() == {"a": [1, 2]}
    assert Target("memory").encode(RecordFrame([{"a": {"b": 1}}])) == b'{"a":{"b":1}}\n'


def test_a_target_travels():
    target = Target("parquet", schema=pa.schema([pa.field("a", pa.string(), metadata={"k": "v"})]))
    again = pickle.loads(pickle.dumps(target))
    assert again == target
    assert again.fingerprint() == target.fingerprint()
    assert Target.from_json(target.to_json()) == target
    assert Target.from_json(target.to_json()).schema.field("a").metadata == {b"k": b"v"}
    packed = Target("jsonl", "zst", Dialect(";", "\r\n"), cell_end="\n")
    assert Target.from_json(packed.to_json()) == packed
    others = [
        Target("csv", schema=ONE),
        Target("csv", "gz", schema=ONE),
        Target("csv", dialect=Dialect(";"), schema=ONE),
        Target("csv", schema=TWO),
        Target("txt", schema=ONE),
    ]
    assert len({other.fingerprint() for other in [target, *others]}) == 6


# --- The choice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "format", "compression"),
    [
        ("out.csv", "csv", None),
        ("dir.csv/out.TSV", "tsv", None),
        ("o.jsonl", "jsonl", None),
        ("o.ndjson.gz", "jsonl", "gz"),
        ("a.b.csv.zst", "csv", "zst"),
        ("o.parquet", "parquet", None),
        ("-", "csv", None),
    ],
)
def test_the_extension_decides(output, format, compression):
    target = target_for(output, Here("in.csv"), TWO)
    assert (target.format, target.compression, target.schema) == (format, compression, TWO)


def test_format_where_the_name_does_not_say():
    assert target_for("-", Here("in.csv"), TWO, format="jsonl").format == "jsonl"
    assert target_for("out.data", Here("in.csv"), TWO, format="tsv").dialect == Dialect("\t", "\n")
    assert target_for("out.csv", Here("in.csv"), TWO, format="jsonl").format == "csv"


@pytest.mark.parametrize("output", ["out", "out.xlsx", "out.gz", "out.csv.bz2", "folder/", ".csv"])
def test_an_unknown_extension_is_refused_with_the_known_ones(output):
    with pytest.raises(UsageError) as caught:
        target_for(output, Here("in.csv"), TWO)
    assert all(known in caught.value.hint for known in (".csv", ".ndjson", ".parquet", ".txt", ".gz", ".zst"))


def test_refusals():
    with pytest.raises(UsageError, match="compressed inside"):
        target_for("out.parquet.gz", Here("in.csv"), TWO)
    with pytest.raises(UsageError, match="one column of text"):
        target_for("out.txt", Here("in.csv"), TWO)
    with pytest.raises(UsageError, match="one column of text"):
        target_for("out.txt", Here("in.csv"), pa.schema([("a", pa.int64())]))
    with pytest.raises(UsageError, match="every column"):
        target_for("out.csv", Here("in.csv"), pa.schema([]))
    with pytest.raises(UsageError, match="standard output"):
        target_for("-", Here("a.csv", "b.csv"), TWO)


def test_text_output_of_a_text_column():
    assert target_for("o.txt", Here("in.txt", format="txt"), ONE).cell_end == ""
    assert target_for("o.txt", Here("in.csv"), ONE).cell_end == "\n"


def test_csv_to_csv_keeps_the_dialect():
    dialect = Dialect(";", "\r\n")
    assert target_for("o.csv.gz", Here("in.csv", dialect=dialect), TWO).dialect == dialect
    assert target_for("o.tsv", Here("in.csv", dialect=dialect), TWO).dialect == Dialect("\t", "\n")
    assert target_for("o.csv", Here("in.parquet", format="parquet"), TWO).dialect == Dialect(",", "\n")


def test_parts_of_a_folder():
    source = Here("a.csv.gz", "sub/b.csv.gz", folder=True)
    same = target_for("out", source, TWO)
    assert (same.format, same.compression) == ("csv", "gz")
    assert part_names(source, same) == ("a.csv.gz", "sub/b.csv.gz")
    other = target_for("out", source, TWO, format="parquet")
    assert (other.format, other.compression) == ("parquet", None)
    assert part_names(source, other) == ("a.parquet", "sub/b.parquet")
    assert part_names(source, target_for("out.jsonl", source, TWO)) == ("a.jsonl", "sub/b.jsonl")


def test_parts_that_are_packed_differently_are_written_plain():
    source = Here("a.ndjson", "b.jsonl.gz", "c.jsonl", format="jsonl")
    assert part_names(source, target_for("out", source, None)) == ("a.ndjson", "b.jsonl", "c.jsonl")


def test_parts_must_not_meet():
    source = Here("a.csv", "a.csv.gz")
    with pytest.raises(UsageError, match=r"a\.csv"):
        part_names(source, target_for("out", source, TWO))


def test_pandas_metadata_forgets_columns_that_changed(tmp_path):
    import pandas as pd

    given = pd.DataFrame(
        {"n": pd.array([1, None], "Int64"), "gone": ["x", "y"], "t": ["a", "b"]}, index=pd.Index([7, 8], name="gone2")
    )
    table = pa.Table.from_pandas(given)
    schema = pa.schema(
        [("n", pa.string()), table.schema.field("t")], metadata=table.schema.metadata
    )  # n is text now; gone and the index are dropped
    source = Here("in.parquet", format="parquet", schema=table.schema)
    target = target_for("out.parquet", source, schema)
    pq.write_table(pa.table([["P1", "P2"], ["a", "b"]], schema=target.schema), tmp_path / "out.parquet")
    back = pd.read_parquet(tmp_path / "out.parquet")
    assert back.to_dict("list") == {"n": ["P1", "P2"], "t": ["a", "b"]}
    same = target_for("out.parquet", source, table.schema)
    pq.write_table(table.cast(same.schema), tmp_path / "same.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "same.parquet"), given)


# --- Spreadsheets ----------------------------------------------------------------------------------------------------

FORMULAS = st.text("'=+-@\t\r0123456789 .()/ex%,#A|!", max_size=10)


@given(st.lists(TEXT | FORMULAS | st.none(), max_size=6))
def test_unguarded_undoes_guarded_for_every_changed_cell(cells):
    given = pa.array(cells, pa.string())
    written = guarded(given)
    assert unguarded(written).to_pylist() == cells
    for cell, text in zip(cells, written.to_pylist(), strict=True):
        assert text in (cell, f"'{cell}")
        if text is not None and text[:1] in ("=", "+", "-", "@", "\t", "\r") and text:
            assert not re.search("[A-Zd-z|!=@]", text[1:].replace("ext", "").replace("e", "").replace("x", "")), text


@given(st.lists(st.tuples(TEXT | FORMULAS, TEXT | FORMULAS), max_size=6))
def test_unchanged_cells_are_not_guarded(pairs):
    new, old = (pa.array(cells, pa.string()) for cells in (zip(*pairs, strict=True) if pairs else ([], [])))
    written = guarded(new, old)
    for cell, was, text in zip(new.to_pylist(), old.to_pylist(), written.to_pylist(), strict=True):
        if cell == was:
            assert text == cell
        if cell != was or not re.match(r"'+[=+\-@\t\r]", cell):
            assert unguarded(pa.array([text])).to_pylist() == [cell]


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|'/c calc'!A0", "+SUM(A1)", "-x", "@x", "\tx", "\r=x", "'=x", "+1+cmd"])
def test_formulas_are_guarded(cell):
    assert guarded(pa.array([cell])).to_pylist() == ["'" + cell]


@pytest.mark.parametrize(
    "cell",
    ["-5", "+1.5e-3", "-1,234.50", "-.5", "-5%", "+1 (555) 123-4567", "+49 30/1234", "+1-555-123-4567x123", "a=b", ""],
)
def test_numbers_phone_numbers_and_other_text_are_not(cell):
    assert guarded(pa.array([cell])).to_pylist() == [cell]


def test_guarding_other_types():
    numbers = pa.array([-1, 2])
    assert guarded(numbers) is numbers
    assert unguarded(numbers) is numbers
    coded = pa.array(["=x", "=x", None]).dictionary_encode()
    assert guarded(coded).to_pylist() == ["'=x", "'=x", None]
    assert guarded(pa.array(["=x", "=y"]), pa.array(["=x", None])).to_pylist() == ["=x", "'=y"]
    assert guarded(pa.array(["-2020-01"]), pa.array([5])).to_pylist() == ["-2020-01"]
