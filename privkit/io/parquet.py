"""Parquet, streamed: Arrow types as they are, dictionaries made plain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import InputError
from privkit.io.blocks import halved
from privkit.io.csvfile import refuse_doubled_names
from privkit.io.frames import leaf_names, plain_type
from privkit.io.limits import BYTES_PER_BLOCK, CHUNK_BYTES, ROWS_PER_BLOCK

ORIGINAL_TYPE = b"privkit.type"
"""Metadata of a column that held another type before it held tokens: that type's name."""
_SPARK_COLUMNS = b"org.apache.spark.sql.parquet.row.metadata"
_MAGIC = b"PAR1"
_ENCRYPTED_MAGIC = b"PARE"
_MIN_BYTES = 12


def parquet_schema(path: Path, name: str) -> pa.Schema:
    """The columns, with plain types.

    Of what the file says about itself besides, only two things are kept, since anything may stand there: what pandas
    notes about types and index (without its `attrs`), and the type that a column had before it held tokens.

    Args:
        path: The file.
        name: For messages.

    Raises:
        InputError: Not a Parquet file, or a broken one.
        ColumnError: Two columns have the same name or path.
    """
    with _opened(path, name) as file:
        plain, given = _schema(file, name), file.schema_arrow
    by_spark = _noted_by_spark(given.metadata)
    fields = [
        kind.with_metadata(notes)
        if (notes := _only(original.metadata, ORIGINAL_TYPE) or by_spark.get(kind.name, {}))
        else kind
        for kind, original in zip(plain, given, strict=True)
    ]
    notes = _only(given.metadata, b"pandas")
    if notes:
        try:
            pandas = json.loads(notes[b"pandas"])
            pandas.pop("attributes", None)
            notes = {b"pandas": json.dumps(pandas).encode()}
        except (ValueError, AttributeError):
            notes = {}
    return pa.schema(fields, metadata=notes or None)


def parquet_batches(path: Path, name: str, counted: Callable[[int], None] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows, at most 2,048 and a few MiB at a time.

    Args:
        path: The file.
        name: For messages.
        counted: Called with shares of the file's size, as rows are read.

    Raises:
        InputError: Not a Parquet file, or a broken one.
    """
    with _opened(path, name) as file:
        schema = _schema(file, name)
        size, total, rows = path.stat().st_size, file.metadata.num_rows, 0
        batches = file.iter_batches(batch_size=_batch_rows(file), use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                plain = _plain(batch, schema)
            except (pa.ArrowException, OSError, ValueError, MemoryError):
                raise InputError(
                    f"{name}: broken Parquet data after row {rows}",
                    path=name,
                    row=rows + 1,
                    hint="Copy or download the file again.",
                ) from None
            if counted is not None and total:
                counted(size * (rows + plain.num_rows) // total - size * rows // total)
            rows += plain.num_rows
            yield from halved(plain)


def _only(metadata: Mapping[bytes, bytes] | None, key: bytes) -> dict[bytes, bytes]:
    return {key: metadata[key]} if metadata and key in metadata else {}


def _noted_by_spark(metadata: Mapping[bytes, bytes] | None) -> dict[str, dict[bytes, bytes]]:
    """The types that columns had before they held tokens, where Spark wrote the file: it keeps notes its own way."""
    try:
        columns = json.loads((metadata or {})[_SPARK_COLUMNS])["fields"]
        noted = {one["name"]: one["metadata"].get(ORIGINAL_TYPE.decode()) for one in columns}
        return {name: {ORIGINAL_TYPE: kind.encode()} for name, kind in noted.items() if isinstance(kind, str)}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _opened(path: Path, name: str) -> pq.ParquetFile:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            head = file.read(len(_MAGIC))
            file.seek(max(size - len(_MAGIC), 0))
            tail = file.read()
    except OSError as err:
        raise InputError(f"{name}: cannot be read ({err.strerror})", path=name) from None
    if _ENCRYPTED_MAGIC in (head, tail):
        raise InputError(f"{name}: encrypted Parquet, which is not read", path=name)
    if head != _MAGIC:
        raise InputError(f"{name}: not a Parquet file (its first four bytes are not PAR1)", path=name, offset=0)
    if tail != _MAGIC or size < _MIN_BYTES:
        raise InputError(
            f"{name}: a Parquet file that is cut off (its last four bytes are not PAR1)",
            path=name,
            offset=size,
            hint="Copy or download the file again.",
        )
    try:
        # Without pre_buffer and with a buffer_size, memory does not grow with the row group, nor with the file.
        # Checksums, where there are any, are looked at.
        return pq.ParquetFile(path, buffer_size=CHUNK_BYTES, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise InputError(
            f"{name}: a Parquet file whose footer is broken", path=name, hint="Copy or download the file again."
        ) from None


def _schema(file: pq.ParquetFile, name: str) -> pa.Schema:
    given = file.schema_arrow
    refuse_doubled_names(given.names, name)
    # Metadata may hold anything, also values (pandas writes a frame's attrs there): none of it goes on.
    schema = pa.schema([pa.field(f.name, plain_type(f.type), f.nullable) for f in given])
    leaf_names(schema)
    return schema


def _plain(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    plain = pa.RecordBatch.from_arrays(columns, schema=schema)
    plain.validate(full=True)  # Arrow does not look whether a file's text is UTF-8
    return plain


def _batch_rows(file: pq.ParquetFile) -> int:
    """2,048, or fewer where rows are large."""
    meta = file.metadata
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    largest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    return max(1, min(ROWS_PER_BLOCK, 8 * BYTES_PER_BLOCK // max(largest, 1)))
