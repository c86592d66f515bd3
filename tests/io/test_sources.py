import csv
import datetime as dt
import gzip
import io
import os
import sys
import threading
import types
from decimal import Decimal

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import ColumnError, InputError, PrivkitError, UsageError
from privkit.io import csvfile, limits, sources, textfile
from privkit.io.blocks import Block
from privkit.io.sources import format_of, open_source

CANARY = "canary-Zelda-4711"


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def table(source, part=0):
    """All rows of an Arrow-kind part, as a dict of lists."""
    batches = [block.frame().batch for block in source.blocks(part)]
    return pa.Table.from_batches(batches, source.schema()).to_pydict()


def records(source, part=0):
    return [record for block in source.blocks(part) for record in block.frame().records]


def read_all(spec, **options):
    source = open_source(spec, **options)
    for part in range(len(source.parts)):
        for block in source.blocks(part):
            block.frame().leaves()


def refused(spec, kind=InputError, **options):
    """The error that reading `spec` ends in; it never holds the canary."""
    with pytest.raises(kind) as caught:
        read_all(spec, **options)
    error = caught.value
    assert CANARY not in f"{error} {error.hint} {error.__dict__}"
    assert error.__cause__ is None
    return error


@pytest.fixture
def small_chunks(monkeypatch):
    """Files are read 7 bytes at a time (64 at first), so that every cut happens somewhere."""
    from privkit.io import compressed

    monkeypatch.setattr(compressed, "CHUNK_BYTES", 7)
    monkeypatch.setattr(compressed, "_FIRST_BYTES", 5)


# --- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_cells_keep_their_exact_text(tmp_path):
    path = write(tmp_path / "a.csv", 'id,price,note\n007,12.50,NA\n,"",null\n-0,1e5," x "\n')
    source = open_source(path)
    assert table(source) == {"id": ["007", "", "-0"], "price": ["12.50", "", "1e5"], "note": ["NA", "null", " x "]}
    assert source.schema() == pa.schema([(name, pa.string()) for name in ("id", "price", "note")])
    assert (source.format, source.parts[0].name, source.partitioned, source.resumable) == ("csv", "a.csv", False, True)


def test_csv_newlines_quotes_and_stray_quotes(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n"x\ny","say ""hi"", ok"\n5" pipe,2" hose\n"q"rest,"""\n"\n')
    assert table(open_source(path)) == {"a": ["x\ny", '5" pipe', "qrest"], "b": ['say "hi", ok', '2" hose', '"\n']}


@pytest.mark.parametrize(
    ("text", "delimiter", "newline"),
    [
        ("a,b;c\n1,2\n", ",", "\n"),
        ("a;b\r\n1;2\r\n", ";", "\r\n"),
        ("a\tb\n1\t2\n", "\t", "\n"),
        ('"a,a,a"|b\n1|2\n', "|", "\n"),
        ("a\n1\n", ",", "\n"),
        ("a,b\r1,2\r", ",", "\n"),
        ("a,b", ",", "\n"),
    ],
)
def test_csv_dialect_is_found_in_the_header(tmp_path, text, delimiter, newline):
    source = open_source(write(tmp_path / "a.csv", text))
    assert (source.dialect.delimiter, source.dialect.newline) == (delimiter, newline)
    rows = 0 if text == "a,b" else 1
    assert sum(block.rows for block in source.blocks(0)) == rows


def test_tsv_is_split_at_tabs_only(tmp_path):
    source = open_source(write(tmp_path / "a.tsv", "a,b\tc\n1\t2,2,2\n"))
    assert table(source) == {"a,b": ["1"], "c": ["2,2,2"]}


def test_csv_header_without_rows_is_a_schema_without_blocks(tmp_path):
    for text in ("a,b\n", "a,b", "\n\na,b\r\n", "a,b\n\n\n"):
        source = open_source(write(tmp_path / "a.csv", text))
        assert list(source.blocks(0)) == []
        assert source.schema().names == ["a", "b"]
        assert source.sample() == ()


def test_csv_one_unnamed_column_is_fine_and_blank_lines_are_rows_of_a_single_column(tmp_path):
    assert table(open_source(write(tmp_path / "a.csv", ",b\n1,2\n\n3,4\n"))) == {"": ["1", "3"], "b": ["2", "4"]}
    assert table(open_source(write(tmp_path / "b.csv", 'b\n1\n\n""\n2'))) == {"b": ["1", "", "", "2"]}


@pytest.mark.parametrize("header", ["a,b,a", ",,b"])
def test_csv_doubled_names_are_refused_by_name(tmp_path, header):
    error = refused(write(tmp_path / "a.csv", f"{header}\n{CANARY},2,3\n"), ColumnError)
    assert error.columns == (header.split(",")[0],)


@pytest.mark.parametrize(
    ("body", "row", "cells"),
    [
        (f"1,2\n{CANARY}\n", 2, 1),
        (f"1,2\n\n3,4\n{CANARY},2,3\n5,6\n", 3, 3),
        (f'"1\n1",2\n"{CANARY}","2",\n', 2, 3),
    ],
)
def test_csv_ragged_rows_are_refused_with_their_number(tmp_path, body, row, cells):
    error = refused(write(tmp_path / "a.csv", "a,b\n" + body))
    assert error.row == row
    assert f"row {row} has {cells} cell" in str(error)
    assert "the header has 2" in str(error)


def test_csv_ragged_row_number_counts_across_reads(tmp_path):
    rows = "".join(f"{i},{'x' * 50}\n" for i in range(60_000))
    error = refused(write(tmp_path / "a.csv", f"a,b\n{rows}{CANARY}\n"))
    assert error.row == 60_001


@pytest.mark.parametrize("body", [f'1,2\n3,"{CANARY}\n5,6\n', f'1,2\n5" x,7\n3,"{CANARY}\n5,6\nx'])
def test_csv_quote_that_is_never_closed_is_refused(tmp_path, body):
    error = refused(write(tmp_path / "a.csv", "a,b\n" + body))
    assert "never closed" in str(error)
    assert error.row == body.count("\n", 0, body.index(CANARY)) + 1


def test_csv_header_quote_that_is_never_closed_is_refused(tmp_path):
    assert "header" in str(refused(write(tmp_path / "a.csv", f'a,"b\n{CANARY},2\n')))


def test_csv_cell_larger_than_what_is_read_at_a_time(tmp_path):
    big = "x\n" * 3_000_000
    path = write(tmp_path / "a.csv", f'a,b\n1,2\n3,"{big}"\n5,6\n')
    assert table(open_source(path)) == {"a": ["1", "3", "5"], "b": ["2", big, "6"]}
    assert [block.rows for block in open_source(path).blocks(0)] == [1, 1, 1]


def test_csv_row_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfile, "MAX_ROW_BYTES", 100_000)
    error = refused(write(tmp_path / "a.csv", f'a,b\n1,2\n3,"{CANARY}{"y" * 3_000_000}\n'))
    assert error.row == 2
    assert "longer than" in str(error)


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", 'a"b', "NA", "1.50", " ", "\ufeff", "\u2028"]
)


@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=12)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([3, 11, 1 << 20]),
)
@settings(max_examples=200, deadline=None)
def test_csv_that_python_writes_is_read_back_as_it_was(rows, delimiter, newline, quoting, chunk):
    width = len(rows[0]) if rows else 2
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerows([[f"c{i}" for i in range(width)], *rows])
    data = out.getvalue().encode()
    pieces = iter([data[i : i + chunk] for i in range(0, len(data), chunk)])
    read = csvfile.DelimitedText(pieces, "a.csv")
    made = [list(row.values()) for batch in read.batches() for row in batch.to_pylist()]
    assert made == rows
    assert read.delimiter == delimiter


@given(st.text('ab",\n', max_size=40), st.sampled_from([1, 4, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_csv_of_any_quotes_gives_the_same_however_it_is_read(text, chunk):
    data = ("h,h2\n" + text).encode()

    def outcome(size):
        pieces = iter([data[i : i + size] for i in range(0, len(data), size)])
        try:
            return [b.to_pydict() for b in csvfile.DelimitedText(pieces, "a.csv").batches()]
        except InputError as err:
            return str(err)

    whole = outcome(1 << 20)
    assert outcome(chunk) == whole
    if isinstance(whole, list):  # Python's reader has the same idea of where a quote is one
        expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        assert [[*map(str, row)] for b in whole for row in zip(b["h"], b["h2"], strict=True)] == expected


def test_blocks_are_cut_by_rows_and_bytes_and_can_be_skipped(tmp_path):
    small = "".join(f"{i},x\n" for i in range(5_000))
    large = "".join(f"{i},{'y' * 1_000_000}\n" for i in range(10))
    source = open_source(write(tmp_path / "a.csv", "a,b\n" + small + large))
    blocks = list(source.blocks(0))
    assert [b.rows for b in blocks[:2]] == [2_048, 2_048]
    assert all(len(b.payload) < limits.BYTES_PER_BLOCK + 100_000 for b in blocks)
    assert [b.index for b in blocks] == list(range(len(blocks)))
    assert [b.first_row for b in blocks] == [sum(c.rows for c in blocks[:i]) for i in range(len(blocks))]
    assert source.consumed == source.total == (tmp_path / "a.csv").stat().st_size
    assert list(source.blocks(0, skip=2)) == blocks[2:]
    assert list(source.blocks(0)) == blocks


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "given_name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings_and_byte_order_marks(tmp_path, encoding, given_name, small_chunks):
    path = write(tmp_path / "a.csv", "näme,b\nÉlodie,€\n".encode(encoding))
    assert table(open_source(path, encoding=given_name)) == {"näme": ["Élodie"], "b": ["€"]}


@pytest.mark.parametrize("chunked", [True, False])
def test_undecodable_bytes_are_refused_with_their_offset(tmp_path, chunked, request):
    if chunked:
        request.getfixturevalue("small_chunks")
    data = f"a,b\né,{CANARY}\n".encode() + b"x,\xff\n"
    error = refused(write(tmp_path / "a.csv", data))
    assert error.offset == data.index(b"\xff")
    assert "--encoding" in error.hint
    compressed = refused(write(tmp_path / "a.csv.gz", gzip.compress(data)))
    assert compressed.offset == data.index(b"\xff")
    cut = b"\xef\xbb\xbf" + f"a\n{CANARY}\n".encode() + "é".encode()[:1]
    assert refused(write(tmp_path / "b.csv", cut)).offset == len(cut) - 1
    other = "aé\n".encode("utf-16-le") + b"\x00\xd8a\0"
    assert refused(write(tmp_path / "c.txt", other), encoding="utf-16-le").offset == 6
    assert refused(write(tmp_path / "d.txt", b"abc\x81"), encoding="cp1252").offset == 3


def test_what_a_wrong_file_begins_like_is_said(tmp_path):
    assert "utf-16" in refused(write(tmp_path / "a.csv", "a,b\n1,2\n".encode("utf-16"))).hint
    assert ".gz" in refused(write(tmp_path / "b.csv", gzip.compress(b"a,b\n1,2\n"))).hint


@pytest.mark.parametrize("name", ["klingon", "base64", "idna", "unicode_escape", "", "a\0b"])
def test_unknown_encodings_are_usage_errors(tmp_path, name):
    refused(write(tmp_path / "a.csv", "a\n1\n"), UsageError, encoding=name)


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
def test_nul_is_refused_with_its_offset(tmp_path, name):
    assert refused(write(tmp_path / name, f'a,b\n"{CANARY}"\0,2\n')).offset == 6 + len(CANARY)


# --- compression -----------------------------------------------------------------------------------------------------

CSV = b"a,b\n" + b"".join(b"%05d,%03d\n" % (i, i * 7919 % 1000) for i in range(20_000))


def gz(data):
    return gzip.compress(data)


def zst(data):
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize(("suffix", "wrap"), [("gz", gz), ("zst", zst)])
def test_members_and_frames_are_read_to_the_last(tmp_path, suffix, wrap, request):
    parts = [CSV[:10], CSV[10:7_000], b"", CSV[7_000:20_000]]
    path = write(tmp_path / f"a.csv.{suffix}", b"".join(wrap(p) for p in parts))
    plain = table(open_source(write(tmp_path / "a.csv", CSV[:20_000])))
    source = open_source(path)
    assert table(source) == plain
    assert source.consumed == source.total == path.stat().st_size
    request.getfixturevalue("small_chunks")
    assert table(open_source(path)) == plain


def test_zstandard_without_a_size_in_its_header(tmp_path):
    data = zstandard.ZstdCompressor(write_content_size=False).compress(CSV)
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    assert len(table(open_source(write(tmp_path / "a.csv.zst", skippable + data)))["a"]) == 20_000


@pytest.mark.parametrize(("suffix", "wrap"), [("gz", gz), ("zst", zst)])
def test_cut_broken_foreign_and_trailing_bytes_are_refused(tmp_path, suffix, wrap):
    whole = wrap(CSV)
    path = tmp_path / f"a.csv.{suffix}"
    cut = refused(write(path, whole[:-5]))
    assert "cut" in str(cut)
    assert cut.offset == len(whole) - 5
    after = refused(write(path, whole + CANARY.encode()))
    assert "follow its end" in str(after)
    assert after.offset == len(whole)
    foreign = refused(write(path, f"a,b\n{CANARY},1\n"))
    assert "not a" in str(foreign)
    assert foreign.offset == 0
    broken = bytearray(whole)
    broken[len(broken) // 2] ^= 0xFF
    broken[len(broken) // 2 + 1] ^= 0xFF
    refused(write(path, bytes(broken)))
    assert "empty" in str(refused(write(path, b"")))
    assert "empty" in str(refused(write(path, wrap(b""))))


def test_zeros_after_a_gzip_member_are_padding(tmp_path):
    assert len(table(open_source(write(tmp_path / "a.csv.gz", gz(CSV) + bytes(100))))["a"]) == 20_000


@pytest.mark.parametrize(("suffix", "wrap"), [("gz", gz), ("zst", zst)])
def test_bombs_are_stopped(tmp_path, suffix, wrap):
    path = write(tmp_path / f"a.txt.{suffix}", wrap((b"x" * 99 + b"\n") * 700_000))
    assert "--max-expansion" in refused(path).hint
    assert sum(b.rows for b in open_source(path, max_expansion=1e6).blocks(0)) > 0


def test_small_files_may_expand_as_they_like(tmp_path):
    assert open_source(write(tmp_path / "a.txt.gz", gz(b"\n" * 1_000_000)), max_expansion=2).sample()
    refused(tmp_path / "a.txt.gz", UsageError, max_expansion=0.5)


# --- JSON Lines ------------------------------------------------------------------------------------------------------


def test_jsonl_records_keep_their_values(tmp_path):
    rows = [{"a": 1, "b": {"c": [None, True, 1.5]}}, {"big": 2**70, "neg": -(2**64), "s": "é\u2028\n"}, {}]
    import json

    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\r\n \n"
    for name in ("a.jsonl", "a.ndjson"):
        source = open_source(write(tmp_path / name, text))
        assert repr(records(source)) == repr(rows)
        assert source.schema() is None


def test_jsonl_blocks_are_raw_lines(tmp_path):
    lines = [b'{"a":12.50}'] * 3_000 + [b'{"b":"' + b"x" * 5_000_000 + b'"}', b'{"c":1}']
    source = open_source(write(tmp_path / "a.jsonl", b"\n".join(lines)))
    blocks = list(source.blocks(0))
    assert [b.rows for b in blocks] == [2_048, 952, 1, 1]
    assert b"\n".join(b.payload for b in blocks) == b"\n".join(lines)
    assert [b.first_row for b in blocks] == [0, 2_048, 3_000, 3_001]
    assert list(source.blocks(0, skip=1)) == blocks[1:]


@pytest.mark.parametrize(
    "line",
    [
        f'{{"a": "{CANARY}"',
        f'["{CANARY}"]',
        f'"{CANARY}"',
        f'{{"{CANARY}": NaN}}',
        f'{{"{CANARY}": Infinity, "x": 12345678901234567890123}}',
        f'{{"{CANARY}": 1e999}}',
        f'{{"a": "{CANARY}\\ud800"}}',
        f'{{"a": "{CANARY}", "n": {"9" * 5_000}}}',
        "[" * 5_000 + "]" * 5_000,
        f'{{"{CANARY}": {"[" * 300}{"]" * 300}}}',
    ],
)
def test_jsonl_lines_that_are_not_json_objects_are_refused_with_their_row(tmp_path, line):
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n\n' * 2_500 + line + '\n{"a": 2}\n')
    error = refused(path)
    assert error.row == 2_501
    assert "row 2501" in str(error)


def test_jsonl_line_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    from privkit.io import jsonlines

    monkeypatch.setattr(jsonlines, "MAX_ROW_BYTES", 1 << 20)
    path = write(tmp_path / "a.jsonl", b'{"a":1}\n{"b":"' + CANARY.encode() + b"x" * (4 << 20))
    assert refused(path).row == 2


# --- text ------------------------------------------------------------------------------------------------------------


def test_text_rows_are_paragraphs(tmp_path):
    text = "one\r\ntwo\r\n\r\n\r\nthree\n  \nfour"
    source = open_source(write(tmp_path / "a.txt", text))
    assert table(source) == {"text": ["one\r\ntwo\r\n\r\n\r\n", "three\n  \n", "four"]}


@given(
    st.lists(
        st.sampled_from(["word ", "é" * 30, "\n", "\n\n", " " * 60, "x" * 130, "\r\n", "\x0b", "\u2028"]),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([1, 5, 1000]),
)
@settings(max_examples=150, deadline=None)
def test_text_rows_joined_are_the_text(words, chunk):
    limit, textfile.MAX_CHARACTERS = textfile.MAX_CHARACTERS, 100
    try:
        text = "".join(words)
        pieces = [text[i : i + chunk].encode() for i in range(0, len(text), chunk)]
        rows = [row for b in textfile.text_batches(iter(pieces)) for row in b.column(0).to_pylist()]
        assert "".join(rows) == text
        assert all(0 < len(row) <= 100 for row in rows)
        assert rows == [row for b in textfile.text_batches(iter([text.encode()])) for row in b.column(0).to_pylist()]
    finally:
        textfile.MAX_CHARACTERS = limit


def test_text_long_lines_are_split_at_white_space(tmp_path):
    text = "seven77 " * 2_000
    rows = table(open_source(write(tmp_path / "a.txt", text)))["text"]
    assert "".join(rows) == text
    assert all(row.endswith("seven77 ") and len(row) <= textfile.MAX_CHARACTERS for row in rows)


# --- Parquet ---------------------------------------------------------------------------------------------------------


def test_parquet_types_survive_and_dictionaries_are_plain(tmp_path):
    given_table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "when": pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("us", "Europe/Rome")),
            "d": pa.array([None, Decimal("1.00")], pa.decimal128(9, 2)),
            "tags": pa.array([["a"], None]),
            "who": pa.array([{"name": "x", "n": [1]}, None]),
            "cat": pa.array(["x", "y"]).dictionary_encode(),
            "cats": pa.array([["x"], []], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        }
    ).replace_schema_metadata({"note": CANARY})
    pq.write_table(given_table, tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    assert table(source) == given_table.to_pydict()
    wanted = given_table.schema.types[:5] + [pa.string(), pa.list_(pa.string())]
    assert source.schema().types == wanted
    assert source.schema().metadata is None
    assert source.consumed == source.total
    assert next(source.blocks(0)).frame().batch.schema == source.schema()


def test_parquet_blocks_are_bounded_and_can_be_skipped(tmp_path):
    wide = pa.table({"n": range(5_000), "s": ["x" * 3_000] * 5_000})
    pq.write_table(wide, tmp_path / "a.parquet", row_group_size=3_000)
    source = open_source(tmp_path / "a.parquet")
    blocks = list(source.blocks(0))
    assert all(b.rows <= 2_048 and len(b.payload) <= limits.BYTES_PER_BLOCK + 10_000 for b in blocks)
    assert table(source)["n"] == list(range(5_000))
    assert list(source.blocks(0, skip=3)) == blocks[3:]
    pq.write_table(wide.slice(0, 0), tmp_path / "b.parquet")
    assert list(open_source(tmp_path / "b.parquet").blocks(0)) == []


def test_arrow_memory_does_not_follow_the_size_of_the_file(tmp_path):
    text = [f"{i:07}" * 30 for i in range(200_000)]  # 40 MB
    pq.write_table(pa.table({"t": text}), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    write(tmp_path / "a.csv", "t,u\n" + "\n".join(f"{t},1" for t in text))
    for name in ("a.parquet", "a.csv"):
        source = open_source(tmp_path / name)
        before = pa.total_allocated_bytes()
        most = max(pa.total_allocated_bytes() - before for _ in source.blocks(0))
        assert most < 16 << 20


def test_parquet_that_is_none_or_broken_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [f"{CANARY}{i}" for i in range(50_000)]}), path)
    whole = path.read_bytes()
    assert "PAR1" in str(refused(write(path, f"a,b\n{CANARY}")))
    assert "cut" in str(refused(write(path, whole[:-20])))
    assert "cut" in str(refused(write(path, b"PAR1")))
    assert "encrypted" in str(refused(write(path, b"PARE" + whole[4:-4] + b"PARE")))
    refused(write(path, whole[:-12] + b"\xff" * 8 + b"PAR1"))
    refused(write(path, whole[:30] + bytes(40_000) + whole[40_030:]))
    refused(write(path, b""))


def test_parquet_text_that_is_not_utf8_is_refused(tmp_path):
    bad = pa.StringArray.from_buffers(1, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe"))
    pq.write_table(pa.table({"a": bad}), tmp_path / "a.parquet")
    assert "row" in str(refused(tmp_path / "a.parquet"))


def test_parquet_doubled_names_and_paths_are_refused(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * 2, ["a", "a"]), tmp_path / "a.parquet")
    assert refused(tmp_path / "a.parquet", ColumnError).columns == ("a",)
    pq.write_table(pa.table({"a.b": [1], "a": [{"b": 1}]}), tmp_path / "b.parquet")
    assert refused(tmp_path / "b.parquet", ColumnError).columns == ("a.b",)


def test_parquet_inside_gzip_and_from_pipes_is_a_usage_error(tmp_path):
    refused(write(tmp_path / "a.parquet.gz", gz(b"x")), UsageError)
    refused("-", UsageError, format="parquet")


# --- files, folders, globs -------------------------------------------------------------------------------------------


def test_missing_empty_unknown_and_unreadable(tmp_path):
    assert "no such file" in str(refused(tmp_path / "nope.csv"))
    assert "no such file" in str(refused(tmp_path / "nope.csv" / "x"))
    refused("x" * 5_000)
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.txt", "a.parquet"):
        assert "empty" in str(refused(write(tmp_path / name, b"")))
    assert "empty" in str(refused(write(tmp_path / "bom.csv", b"\xef\xbb\xbf")))
    assert "--format" in refused(write(tmp_path / "a.xlsx", CANARY), UsageError).hint
    assert table(open_source(write(tmp_path / "b.dat", "a\n1\n"), format="csv")) == {"a": ["1"]}
    assert table(open_source(write(tmp_path / "c[1].CSV.GZ", gz(b"a\n1\n")))) == {"a": ["1"]}


def test_format_of():
    assert format_of("x.tar.csv.zst") == ("csv", "zst")
    assert format_of("A.NDJSON") == ("jsonl", None)
    assert format_of("x.gz") == (None, "gz")
    assert format_of(".csv") == (None, None)


def dataset(tmp_path):
    root = tmp_path / "data"
    for name in ("year=2024/b.csv", "year=2023/a.csv.gz", "z.csv"):
        data = f"name,n\n{name},1\n".encode()
        write(root / name, gz(data) if name.endswith("gz") else data)
    for name in ("_SUCCESS", ".hidden.csv", "_tmp/x.csv", ".git/y.csv", "README.md"):
        write(root / name, CANARY)
    return root


def test_folders_are_read_by_name_without_what_is_hidden(tmp_path):
    source = open_source(dataset(tmp_path))
    names = ["year=2023/a.csv.gz", "year=2024/b.csv", "z.csv"]
    assert [part.name for part in source.parts] == names
    assert [table(source, i)["name"] for i in range(3)] == [[name] for name in names]
    assert source.skipped == ("README.md",)
    assert source.partitioned
    assert source.total == sum(p.path.stat().st_size for p in source.parts)


def test_globs(tmp_path):
    root = dataset(tmp_path)
    assert [p.name for p in open_source(f"{root}/*/*.csv*").parts] == ["year=2023/a.csv.gz", "year=2024/b.csv"]
    assert [p.name for p in open_source(f"{root}/year=*").parts] == ["year=2023/a.csv.gz", "year=2024/b.csv"]
    assert [p.name for p in open_source(f"{root}/**/*.csv").parts] == ["year=2024/b.csv", "z.csv"]
    assert "no file matches" in str(refused(f"{root}/*.parquet"))
    assert open_source(f"{root}/z*.csv").partitioned


def test_folders_of_nothing_and_of_several_formats(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no file" in str(refused(tmp_path / "empty"))
    write(tmp_path / "docs" / "a.docx", CANARY)
    assert ".parquet" in refused(tmp_path / "docs").hint
    write(tmp_path / "mixed" / "a.csv", "a\n1\n")
    write(tmp_path / "mixed" / "b.jsonl.gz", gz(b"{}\n"))
    assert ".csv, .jsonl" in str(refused(tmp_path / "mixed", UsageError))


@pytest.mark.parametrize(
    ("second", "said"),
    [("a,c\n1,2\n", "missing b; in addition c"), ("b,a\n1,2\n", "in another order"), ("a,b,c\n", "in addition c")],
)
def test_parts_with_other_columns_are_refused_at_once(tmp_path, second, said):
    write(tmp_path / "d" / "1.csv", "a,b\n1,2\n")
    write(tmp_path / "d" / "2.csv", second)
    with pytest.raises(InputError, match=said) as caught:
        open_source(tmp_path / "d")
    assert "2.csv" in str(caught.value)


def test_parquet_parts_with_other_types_are_refused(tmp_path):
    (tmp_path / "d").mkdir()
    pq.write_table(pa.table({"a": [1], "b": [1]}), tmp_path / "d" / "1.parquet")
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "d" / "2.parquet")
    assert "of another type b" in str(refused(tmp_path / "d"))


def test_a_part_that_changes_after_opening_is_refused(tmp_path):
    write(tmp_path / "d" / "1.csv", "a,b\n1,2\n")
    two = write(tmp_path / "d" / "2.csv", "a,b\n1,2\n")
    source = open_source(tmp_path / "d")
    write(two, f"a,c\n{CANARY},2\n")
    with pytest.raises(InputError, match="missing b"):
        list(source.blocks(1))
    two.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        list(source.blocks(1))


def test_samples_are_heads_spread_over_parts(tmp_path):
    for i in range(20):
        write(tmp_path / "d" / f"{i:02}.csv", "part,n\n" + "".join(f"{i},{j}\n" for j in range(3_000)))
    source = open_source(tmp_path / "d")
    frames = source.sample(rows=80)
    assert [frame.rows for frame in frames] == [10] * 8
    parts = [frame.batch.column(0)[0].as_py() for frame in frames]
    assert parts[0] == "0"
    assert parts[-1] == "19"
    assert len(set(parts)) == 8
    assert source.consumed == 0
    one = open_source(tmp_path / "d" / "00.csv")
    assert sum(frame.rows for frame in one.sample(rows=2_500)) == 2_500
    assert sum(frame.rows for frame in one.sample()) == 3_000
    assert sum(frame.rows for frame in one.sample(bytes=1)) == 2_048


def test_opening_and_sampling_a_folder_reads_little_of_it(tmp_path, monkeypatch):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in range(20):
        (folder / f"{part:02}.csv").write_text("n\n" + "".join(f"{i:07}\n" for i in range(20_000)))
    monkeypatch.setattr("privkit.io.compressed.CHUNK_BYTES", 4_096)
    monkeypatch.setattr("privkit.io.compressed._FIRST_BYTES", 4_096)
    read = []
    real = sources.read_pieces

    def counting(*given, **named):
        for piece in real(*given, **named):
            read.append(len(piece))
            yield piece

    monkeypatch.setattr("privkit.io.sources.read_pieces", counting)
    source = open_source(folder)
    frames = source.sample(rows=800)
    assert sum(frame.rows for frame in frames) == 800
    assert sum(read) < source.total // 8


def test_messages_name_a_file_as_the_user_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / "x.csv", "a,b\n1\n")
    for spec in ("a/x.csv", "a", "a/*.csv"):
        error = refused(spec)
        assert str(error).startswith("a/x.csv: row 1"), spec
        assert error.path == "a/x.csv"


def test_fingerprint_follows_content_name_and_time(tmp_path):
    path = write(tmp_path / "a.csv", "a\n1\n")
    first = open_source(path).fingerprint()
    assert open_source(path).fingerprint() == first
    os.utime(path, ns=(1, 1))
    second = open_source(path).fingerprint()
    path.write_bytes(b"a\n2\n")
    os.utime(path, ns=(1, 1))
    third = open_source(path).fingerprint()
    assert len({first, second, third}) == 3


# --- standard input and pipes ----------------------------------------------------------------------------------------


def feed(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "txt"])
def test_standard_input_is_sampled_and_then_replayed(monkeypatch, format):
    line = b'{"a":1}\n' if format == "jsonl" else b"1\n\n" if format == "txt" else b"1\n"
    feed(monkeypatch, (b"a\n" if format in ("csv", "tsv") else b"") + line * 10_000)
    source = open_source("-", format=format)
    assert sum(frame.rows for frame in source.sample(rows=3_000)) == 3_000
    assert sum(frame.rows for frame in source.sample(rows=5_000)) == 5_000
    blocks = list(source.blocks(0, skip=1))
    assert [b.index for b in blocks] == [1, 2, 3, 4]
    assert sum(b.rows for b in blocks) == 10_000 - 2_048
    assert not source.resumable
    assert source.fingerprint() != source.fingerprint()
    with pytest.raises(UsageError, match="only once"):
        source.blocks(0)
    with pytest.raises(UsageError, match="only once"):
        source.sample()


def test_standard_input_needs_a_format_and_something_to_read(monkeypatch):
    feed(monkeypatch, b"")
    assert "--format" in refused("-", UsageError).hint
    assert "empty" in str(refused("-", format="csv"))
    assert "empty" in str(refused("-", format="jsonl"))


def test_pipes_are_read_once(tmp_path):
    pipe = tmp_path / "p.csv.gz"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(gz(CSV)))
    writer.start()
    source = open_source(pipe)
    assert source.sample(rows=10)[0].rows == 10
    assert len(table(source)["a"]) == 20_000
    assert not source.resumable
    writer.join()


# --- blocks ----------------------------------------------------------------------------------------------------------


def test_blocks_cross_to_workers_whole(tmp_path):
    import pickle

    source = open_source(write(tmp_path / "a.csv", "a,b\n1,2\n"))
    block = pickle.loads(pickle.dumps(next(source.blocks(0))))
    assert isinstance(block, Block)
    assert block.frame().batch.to_pydict() == {"a": ["1"], "b": ["2"]}


def test_errors_are_privkits_whatever_the_bytes(tmp_path):
    """Any short file, read as anything, is read or refused; nothing else is raised."""
    samples = [
        b"\n",
        b"\r",
        b'"',
        b'""',
        b",",
        b"\xef\xbb",
        b"{}",
        b"[]",
        b"PAR1PAR1PAR1",
        b"\x1f\x8b",
        b"(\xb5/\xfd",
        b" ",
        b"a\r\r\n",
        b'a"\n"b"c\n',
    ]
    for number, data in enumerate(samples):
        for suffix in ("csv", "tsv", "jsonl", "txt", "parquet", "csv.gz", "csv.zst"):
            try:
                read_all(write(tmp_path / f"{number}.{suffix}", data))
            except PrivkitError:
                continue


def test_pandas_csv_is_read_as_written(tmp_path):
    frame = pd.DataFrame({"s": ['a,"b"', None, "x\ny"], "n": [1.5, None, 3]})
    frame.to_csv(tmp_path / "a.csv")
    assert table(open_source(tmp_path / "a.csv")) == {
        "": ["0", "1", "2"],
        "s": ['a,"b"', "", "x\ny"],
        "n": ["1.5", "", "3.0"],
    }


def test_jsonl_written_by_orjson_is_read_as_written(tmp_path):
    rows = [{"id": i, "v": [i / 7]} for i in range(100)]
    path = write(
        tmp_path / "a.jsonl.zst", zst(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in rows))
    )
    assert records(open_source(path)) == rows
