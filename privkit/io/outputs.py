"""What an output is written as: the format, and how a block of rows becomes bytes of it.

A `Target` travels to the worker processes; what it encodes is the same wherever and whenever it is done, so that a
run that was interrupted can be finished to the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from privkit.errors import InputError, OutputError, UsageError
from privkit.io.blocks import Compression, Dialect, Format
from privkit.io.frames import ArrowFrame, Frame, RecordFrame, plain_type
from privkit.io.sources import Source, format_of

_KNOWN = ".csv, .tsv, .jsonl, .ndjson, .parquet, .txt; all but .parquet also with .gz or .zst after it"
_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3

_TEXT = pa.large_string()  # 64-bit offsets: a block may hold more than 2 GiB of text once its rows are joined
_JSON_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True)
class Target:
    """How rows are written.

    Attributes:
        format: `memory` gives Arrow IPC streams (JSON lines for records), for data that stay in the process.
        compression: Of the whole file. Each call of `header` or `encode` gives a whole gzip member or zstd frame.
        dialect: Of CSV and TSV.
        schema: Columns of the output; None for JSON records that are written as they are, and for `memory`.
        cell_end: Written after each cell of a `txt` output: nothing where the cells hold their own line ends.

    Raises:
        ValueError: A table format without a schema, or a compressed Parquet file.
    """

    format: Format | Literal["memory"]
    compression: Compression | None = None
    dialect: Dialect = field(default_factory=Dialect)
    schema: pa.Schema | None = None
    cell_end: str = ""

    def __post_init__(self) -> None:
        if self.format in ("csv", "tsv", "parquet") and self.schema is None:
            raise ValueError(f"{self.format} needs a schema")
        if self.format in ("parquet", "memory") and self.compression is not None:
            raise ValueError(f"{self.format} is not compressed from outside")

    def header(self) -> bytes:
        """The first bytes of a part that has blocks: the line of column names in CSV and TSV, else nothing."""
        names = self._names_line()
        return self._compressed(names) if names else b""

    def empty(self) -> bytes:
        """All bytes of a part that has no blocks (a Parquet file is assembled elsewhere)."""
        return self._compressed(self._names_line())

    def encode(self, frame: Frame, *, first_row: int = 0) -> bytes:
        """One block.

        Args:
            frame: Its rows; columns that are not in the schema are left out.
            first_row: 0-based row of its part that it begins with, for messages.

        Raises:
            InputError: A JSON record does not fit the schema.
            OutputError: A column is missing, or of a type that does not fit the schema.
        """
        if self.format == "jsonl" or (self.format == "memory" and isinstance(frame, RecordFrame)):
            return self._compressed(_json_lines(self._records(frame)))
        if self.format in ("parquet", "memory"):
            return self._stream(frame, first_row)
        columns = [texts(column) for column in self._columns(frame, first_row)]
        if self.format == "txt":
            return self._compressed(_one_text(columns, self.cell_end))
        return self._compressed(_delimited(columns, self.dialect))

    def assembled(self, batches: Sequence[pa.RecordBatch]) -> pa.Table:
        """Blocks of a Parquet target, read back, as a table of the target's very schema."""
        assert self.schema is not None
        table = pa.Table.from_batches(batches, schema=self._stream_schema(self.schema))
        columns = [
            column if column.type == kind.type else column.cast(kind.type)
            for column, kind in zip(table.columns, self.schema, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of everything that decides the bytes of the output."""
        about = [self.format, self.compression, self.dialect.delimiter, self.dialect.newline, self.cell_end]
        digest = hashlib.sha256(orjson.dumps(about))
        if self.schema is not None:
            digest.update(self.schema.serialize().to_pybytes())
        return digest.hexdigest()

    def to_json(self) -> str:
        """Text that `from_json` reads back as an equal target: it goes to workers over a pipe."""
        schema = None if self.schema is None else base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        about = {
            "format": self.format,
            "compression": self.compression,
            "dialect": [self.dialect.delimiter, self.dialect.newline],
            "schema": schema,
            "cell_end": self.cell_end,
        }
        return orjson.dumps(about).decode()

    @classmethod
    def from_json(cls, text: str) -> Target:
        """The inverse of `to_json`."""
        about = orjson.loads(text)
        packed = about["schema"]
        schema = None if packed is None else pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))
        return cls(about["format"], about["compression"], Dialect(*about["dialect"]), schema, about["cell_end"])

    def _names_line(self) -> bytes:
        if self.format not in ("csv", "tsv") or self.schema is None:
            return b""
        return _delimited([pa.array([name], _TEXT) for name in self.schema.names], self.dialect)

    def _compressed(self, data: bytes) -> bytes:
        if self.compression == "gz":
            packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # writes no time and no name
            return packer.compress(data) + packer.flush()
        if self.compression == "zst":
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compress(data)
        return data

    def _records(self, frame: Frame) -> list[dict[str, Any]]:
        if isinstance(frame, RecordFrame):
            return frame.records
        columns = self._columns(frame, 0)
        names = self.schema.names if self.schema is not None else _batch(frame).schema.names
        if not names:
            return [{} for _ in range(frame.rows)]
        return [dict(zip(names, row, strict=True)) for row in zip(*map(_json_values, columns), strict=True)]

    def _columns(self, frame: Frame, first_row: int) -> list[pa.Array]:
        """The frame's columns in the schema's order, as they are."""
        if isinstance(frame, RecordFrame):
            if self.schema is None:
                raise ValueError(f"{self.format} needs a schema to lay records out by")
            return _laid_out(frame.records, self.schema, first_row)
        batch = _batch(frame)
        if self.schema is None or self.schema.names == batch.schema.names:
            return list(batch.columns)
        missing = [name for name in self.schema.names if name not in batch.schema.names]
        if missing:
            raise OutputError(f"the output has columns that these rows lack: {', '.join(missing)}")
        return [batch.column(name) for name in self.schema.names]

    def _stream(self, frame: Frame, first_row: int) -> bytes:
        schema = self.schema if self.schema is not None else _batch(frame).schema
        columns = [_fitted(column, kind) for column, kind in zip(self._columns(frame, first_row), schema, strict=True)]
        plain = self._stream_schema(schema)
        batch = pa.RecordBatch.from_arrays(columns, schema=plain)
        if not columns:
            batch = pa.RecordBatch.from_struct_array(pa.array([{}] * frame.rows, pa.struct([])))
        codec = "lz4" if self.format == "parquet" else None  # waits on disk for the rest of its part
        sink = pa.BufferOutputStream()
        # Workers are many already: no threads inside one.
        with pa.ipc.new_stream(sink, plain, options=pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)) as to:
            to.write_batch(batch)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    @staticmethod
    def _stream_schema(schema: pa.Schema) -> pa.Schema:
        """Without metadata, which need not stand in every block, and with dictionaries decoded.

        A block's dictionary holds values of the whole input that the block's own rows may no longer have.
        """
        return pa.schema([pa.field(kind.name, plain_type(kind.type), kind.nullable) for kind in schema])


def target_for(output: str, source: Source, schema: pa.Schema | None, *, format: Format | None = None) -> Target:
    """What `output` is to be written as.

    The name's extension decides; where it has none, `format`; where neither says (standard output and folders only),
    the source's format. CSV to CSV keeps delimiter and line ends.

    Args:
        output: File name, folder name for a partitioned source, or `-`.
        source: Where the rows come from.
        schema: Columns of the output; None for JSON records. From JSON to a table: names, and the types string,
            int64, double or bool.
        format: The format where the name does not say.

    Raises:
        UsageError: An unknown extension, a compressed Parquet file, text from more than one column, several files
            to standard output, or no column left.
    """
    chosen, compression = kind_of(output, source, format=format)
    if schema is None and chosen != "jsonl":
        raise ValueError(f"{chosen} needs a schema")
    if schema is not None and not schema.names and chosen != "jsonl":
        raise UsageError("every column is dropped: nothing is left to write")
    cell_end = ""
    if chosen == "txt" and source.format != "txt":
        cell_end = "\n"
        if schema is None or len(schema) != 1 or not _is_text(schema.field(0).type):
            raise UsageError(
                f"{output}: a .txt file holds one column of text", hint="Write .csv, .jsonl or .parquet instead."
            )
    dialect = Dialect("\t" if chosen == "tsv" else ",", "\n")
    if chosen == source.format and chosen in ("csv", "tsv"):
        dialect = source.dialect
    if chosen == "parquet" and schema is not None:
        schema = _parquet_schema(schema, source.schema())
    return Target(chosen, compression, dialect, schema, cell_end)


def kind_of(output: str, source: Source, *, format: Format | None = None) -> tuple[Format, Compression | None]:
    """The format and compression that `output` is to be written in: what `target_for` decides without a schema.

    Raises:
        UsageError: As for `target_for`.
    """
    partitioned = is_partitioned(source)
    _, named, compression = (output, None, None) if output == "-" else split_name(Path(output).name)
    chosen = named or format or (source.format if partitioned or output == "-" else None)
    if output == "-" and partitioned:
        raise UsageError("a dataset of several files cannot go to the standard output", hint="Name a folder: -o FOLDER")
    if chosen is None:
        raise UsageError(f"{output}: the extension does not say what to write", hint=f"Known are {_KNOWN}.")
    if partitioned and named is None:
        compression = _common_compression(source)
    if chosen == "parquet" and compression is not None:
        if not partitioned or named is not None:
            raise UsageError(
                f"{output}: a Parquet file is compressed inside", hint="Name it .parquet, without .gz or .zst."
            )
        compression = None
    return chosen, compression


def is_partitioned(source: Source) -> bool:
    """Whether the source is a folder or a glob, even of one file: its output is a folder."""
    return source.partitioned


def part_names(source: Source, target: Target) -> tuple[str, ...]:
    """Names of the output's parts: the source's, with the extension that the target's format needs.

    Raises:
        UsageError: Two parts would have one name (`a.csv` and `a.csv.gz`).
    """
    names = []
    for part in source.parts:
        path = PurePosixPath(part.name)
        stem, format_, compression = split_name(path.name)
        if (format_, compression) == (target.format, target.compression):
            names.append(part.name)
        else:
            suffix = f".{target.format}" + (f".{target.compression}" if target.compression else "")
            names.append(str(path.with_name((stem or path.name) + suffix)))
    doubled = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubled:
        raise UsageError(f"two files of the source would become {doubled[0]}", hint="Rename one, or run them apart.")
    return tuple(names)


def split_name(name: str) -> tuple[str, Format | None, Compression | None]:
    """A file name's stem, format and compression: `a.csv.gz` → `a`, csv, gz. Of an unknown one, the whole name."""
    found, compression = format_of(name)
    if found is None:
        return name, None, None
    stem = PurePosixPath(name).stem
    return (PurePosixPath(stem).stem if compression is not None else stem), found, compression


def _common_compression(source: Source) -> Compression | None:
    """That of all parts; where they differ, none."""
    kinds = {part.compression for part in source.parts}
    return kinds.pop() if len(kinds) == 1 else None


def _is_text(kind: pa.DataType) -> bool:
    kind = plain_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _parquet_schema(schema: pa.Schema, source: pa.Schema | None) -> pa.Schema:
    """The schema with what Parquet can hold: dictionaries of text at the top only, no run ends, no views.

    The notes that pandas keeps in a file's metadata say what type each column had there; those of columns that
    changed go, or pandas would make the old type of them and fail.
    """
    fields = [
        kind if pa.types.is_dictionary(kind.type) and _is_text(kind.type) else kind.with_type(plain_type(kind.type))
        for kind in schema
    ]
    metadata = dict(schema.metadata or {})
    if b"pandas" in metadata:
        kept = {kind.name for kind in schema if source is not None and _same_type(source, kind)}
        pandas = orjson.loads(metadata[b"pandas"])
        pandas["columns"] = [one for one in pandas.get("columns", []) if one.get("field_name") in kept]
        pandas["index_columns"] = [
            one for one in pandas.get("index_columns", []) if not isinstance(one, str) or one in schema.names
        ]
        metadata[b"pandas"] = orjson.dumps(pandas)
    return pa.schema(fields, metadata=metadata or None)


def _same_type(source: pa.Schema, kind: pa.Field) -> bool:
    at = source.get_field_index(kind.name)
    return at >= 0 and bool(source.field(at).type == kind.type)


# --- CSV and text ----------------------------------------------------------------------------------------------------


def _delimited(columns: Sequence[pa.Array], dialect: Dialect) -> bytes:
    """Rows of RFC 4180, quoted only where it must be.

    Args:
        columns: Arrays of large_string, equally long; null is written as empty.
        dialect: Delimiter and line end.
    """
    if not columns or not len(columns[0]):
        return b""
    # A lone CR is quoted too, whatever the line end is: many readers end a line there.
    special = f'[\\x{{{ord(dialect.delimiter):x}}}"\r\n]'
    cells = [_quoted(column, special) for column in columns]
    if len(cells) == 1:
        # An empty line is no row for most readers: a lone empty cell must show.
        cells = [pc.if_else(pc.equal(cells[0], _scalar("")), _scalar('""'), cells[0])]
    cells[-1] = pc.binary_join_element_wise(cells[-1], _scalar(dialect.newline), _scalar(""))
    return _bytes_of(pc.binary_join_element_wise(*cells, _scalar(dialect.delimiter)))


def _quoted(column: pa.Array, special: str) -> pa.Array:
    if column.null_count:
        column = pc.fill_null(column, _scalar(""))
    needing = pc.match_substring_regex(column, special)
    if not pc.any(needing).as_py():
        return column
    mark = _scalar('"')
    inside = pc.replace_substring(column, '"', '""')
    return pc.if_else(needing, pc.binary_join_element_wise(mark, inside, mark, _scalar("")), column)


def _one_text(columns: Sequence[pa.Array], cell_end: str) -> bytes:
    if len(columns) != 1:
        raise OutputError(f"a text file holds one column, not {len(columns)}")
    column = pc.fill_null(columns[0], _scalar(""))
    return _bytes_of(pc.binary_join_element_wise(column, _scalar(cell_end), _scalar("")) if cell_end else column)


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)


def _bytes_of(column: pa.Array) -> bytes:
    """The UTF-8 of all cells of a large_string array without nulls, one behind the other."""
    offsets, data = column.buffers()[1:]
    if data is None or not len(column):
        return b""
    ends = np.frombuffer(offsets, np.int64)
    start, end = int(ends[column.offset]), int(ends[column.offset + len(column)])
    text: bytes = data.slice(start, end - start).to_pybytes()
    return text


def texts(column: pa.Array) -> pa.Array:
    """The plain text form of cells of any type.

    Text as it is; numbers as digits (a whole float keeps its `.0`), booleans `true` and `false`, dates and times ISO
    8601 (a timestamp with a zone in UTC, with `Z`), binary as Base64, lists and structs as JSON; null stays null.

    Returns:
        Array of large_string, as long as `column`.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return texts(column.storage)
    if pa.types.is_dictionary(kind):
        return texts(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return texts(pc.run_end_decode(column))
    if pa.types.is_floating(kind):
        found = column.cast(_TEXT)
        return pc.replace_substring_regex(found, r"^(-?\d+)$", r"\1.0")
    if pa.types.is_decimal(kind) and kind.scale < 0:
        return texts(column.cast(pa.decimal256(76, 0)))
    if pa.types.is_date64(kind):
        return column.cast(pa.date32()).cast(_TEXT)
    if pa.types.is_timestamp(kind):
        moments = column.view(pa.int64()).view(pa.timestamp(kind.unit))  # with a zone, Arrow counts in UTC
        found = pc.replace_substring(_short_fraction(moments.cast(_TEXT)), " ", "T", max_replacements=1)
        return pc.binary_join_element_wise(found, _scalar("Z"), _scalar("")) if kind.tz else found
    if pa.types.is_time(kind):
        return _short_fraction(column.cast(_TEXT))
    if _is_text(kind) or any(is_kind(kind) for is_kind in _PLAINLY_CAST):
        return column.cast(_TEXT)
    return pa.array([_json_text(value) for value in _python_values(column)], _TEXT)


_PLAINLY_CAST = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_decimal,
    pa.types.is_date,
)


def _short_fraction(column: pa.Array) -> pa.Array:
    """Times without the zeros that end the fraction of their seconds."""
    return pc.replace_substring_regex(pc.replace_substring_regex(column, r"(\.\d*[1-9])0+$", r"\1"), r"\.0+$", "")


def _json_text(value: object) -> str | None:
    if value is None:
        return None
    plain = _json_default(value) if isinstance(value, _TEXT_IN_JSON) else value
    return plain if isinstance(plain, str) else _dumps(plain).decode()


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json_lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    lines = [_dumps(record) for record in records]
    lines.append(b"")
    return b"\n".join(lines)


def _dumps(value: object) -> bytes:
    try:
        return orjson.dumps(value, _json_default, _JSON_OPTIONS)
    except orjson.JSONEncodeError:
        pass
    # Integers beyond 64 bits; and half surrogate pairs, which only ASCII escapes can carry.
    try:
        return _slow_dumps(value, ascii_only=False).encode()
    except UnicodeEncodeError:
        return _slow_dumps(value, ascii_only=True).encode()


def _slow_dumps(value: object, *, ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"), default=_json_default)


_TEXT_IN_JSON = (datetime, date, time, timedelta, Decimal, bytes)


def _json_default(value: Any) -> object:
    """Values of Arrow and Python that JSON has no type for, in the form that `texts` gives them."""
    match value:
        case datetime():
            if value.tzinfo is None:
                return _without_zeros(value.isoformat())
            return _without_zeros(value.astimezone(UTC).replace(tzinfo=None).isoformat()) + "Z"
        case date():
            return value.isoformat()
        case time():
            return _without_zeros(value.isoformat())
        case Decimal():
            return format(value, "f")
        case bytes():
            return base64.b64encode(value).decode()
        case timedelta():
            return f"PT{value.total_seconds():.9f}".rstrip("0").rstrip(".") + "S"
        case float():  # a subclass
            return float(value)
        case tuple():
            return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _json_values(column: pa.Array) -> list[Any]:
    """A column's cells as what orjson can write."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _json_values(column.storage)
    if pa.types.is_dictionary(kind):
        return _json_values(column.dictionary_decode())
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return _values(column.cast(_TEXT).cast(pa.float64()))  # 1.1, not 1.10000002384185791
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return _values(column if pa.types.is_duration(kind) else texts(column))
    return _python_values(column)


def _python_values(column: pa.Array) -> list[Any]:
    try:
        return _values(column, maps_as_pydicts="strict")
    except KeyError:  # a map with a key twice
        return _values(column)


def _values(column: pa.Array, **options: str) -> list[Any]:
    values: list[Any] = column.to_pylist(**options)
    return values


def _batch(frame: Frame) -> pa.RecordBatch:
    assert isinstance(frame, ArrowFrame)
    return frame.batch


# --- Tables ----------------------------------------------------------------------------------------------------------


def _fitted(column: pa.Array, kind: pa.Field) -> pa.Array:
    """The column in the plain type of the schema's field."""
    wanted = plain_type(kind.type)
    if column.type != wanted:
        try:
            column = column.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # whose text may quote a value
            raise OutputError(f"column {kind.name}: {column.type} does not fit the output's type {kind.type}") from None
    if not kind.nullable and column.null_count:
        raise OutputError(f"column {kind.name} has nulls, and its type in the output allows none")
    return column


_ACCEPTED: Final[Mapping[pa.DataType, tuple[tuple[type, ...], str]]] = {
    pa.string(): ((str,), "text"),
    pa.int64(): ((int,), "whole numbers"),
    pa.float64(): ((int, float), "numbers"),
    pa.bool_(): ((bool,), "true and false"),
}


def _laid_out(records: Sequence[Mapping[str, Any]], schema: pa.Schema, first_row: int) -> list[pa.Array]:
    """Flat JSON records as columns.

    Raises:
        InputError: A key that is not in the schema, a nested value, or a value of another type.
    """
    names = frozenset(schema.names)
    for row, record in enumerate(records, first_row + 1):
        if not record.keys() <= names:
            key = next(key for key in record if key not in names)
            raise InputError(
                f"row {row} has a key that the sample did not have: {key}",
                row=row,
                hint="Write .jsonl, which takes any record.",
            )
    return [_column_of(records, kind, first_row) for kind in schema]


def _column_of(records: Sequence[Mapping[str, Any]], kind: pa.Field, first_row: int) -> pa.Array:
    values = [record.get(kind.name) for record in records]
    accepted, words = _ACCEPTED[plain_type(kind.type)]
    for row, value in enumerate(values, first_row + 1):
        if isinstance(value, (dict, list)):
            raise InputError(
                f"row {row}, column {kind.name}: a list or an object does not fit into a table",
                row=row,
                hint="Write .jsonl, which keeps nested records.",
            )
        if value is not None and not _fits(value, accepted):
            raise InputError(
                f"row {row}, column {kind.name}: {_json_type(value)} where the sample had {words}",
                row=row,
                hint="Write .jsonl, which takes any record.",
            )
    return pa.array(values, kind.type)


def _fits(value: object, accepted: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in accepted
    if isinstance(value, int):
        # In a column of floats only what a float holds exactly.
        return int in accepted and (abs(value) <= 1 << 53 if float in accepted else -(1 << 63) <= value < 1 << 63)
    return isinstance(value, accepted)


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number, or too large a one,"
    return "a number" if isinstance(value, float) else "text"


# --- Cells that spreadsheets would run -------------------------------------------------------------------------------

_FORMULA = r"^'*[=+\-@\t\r]"
_QUOTED_FORMULA = r"^'+[=+\-@\t\r]"
_NUMBER = r"[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?"
_PHONE = r"[+-]?[\d\s().\-/]+(?:(?:x|ext\.?|#)\s*\d{1,6})?"
_HARMLESS = f"^(?:{_NUMBER}|{_PHONE})$"


def guarded(new: pa.Array, old: pa.Array | None = None) -> pa.Array:
    """Changed cells that a spreadsheet would run, with one `'` in front.

    Those are cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return, or with such behind quotes; not
    plain numbers and phone numbers. `unguarded` gives every changed cell back exactly, and every other cell that does
    not itself begin with quotes followed by one of these characters.

    Args:
        new: The cells to write. Only text is guarded; other types are returned as they are.
        old: The cells of the source, as many; None when all are to be taken as changed.
    """
    if not _is_text(new.type):
        return new
    new = new.cast(plain_type(new.type))
    running = pc.match_substring_regex(new, _FORMULA)
    if not pc.any(running).as_py():
        return new
    running = pc.and_not(running, pc.match_substring_regex(new, _HARMLESS))
    if old is not None:
        same = pc.equal(texts(new), texts(old))
        running = pc.and_not(running, pc.fill_null(same, False))
    mark, nothing = pa.scalar("'", new.type), pa.scalar("", new.type)
    return pc.if_else(running, pc.binary_join_element_wise(mark, new, nothing), new)


def unguarded(column: pa.Array) -> pa.Array:
    """Cells that begin with quotes followed by `=`, `+`, `-`, `@`, a tab or a carriage return, without one quote."""
    if not _is_text(column.type):
        return column
    column = column.cast(plain_type(column.type))
    quoted = pc.match_substring_regex(column, _QUOTED_FORMULA)
    if not pc.any(quoted).as_py():
        return column
    return pc.if_else(quoted, pc.utf8_slice_codeunits(column, 1), column)
