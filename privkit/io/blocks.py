"""Parts and blocks: what a source is cut into, and the unit of work that a worker gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from privkit.io.frames import ArrowFrame, Frame
from privkit.io.jsonlines import parse_lines
from privkit.io.limits import BYTES_PER_BLOCK

Format = Literal["csv", "tsv", "jsonl", "parquet", "txt"]
Compression = Literal["gz", "zst"]


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written: `delimiter` is one character, `newline` is LF or CR LF."""

    delimiter: str = ","
    newline: str = "\n"


@dataclass(frozen=True)
class Part:
    """One file of a source.

    Attributes:
        path: Where it is; None for standard input and for data in memory.
        name: Relative to the source's folder, with `/` between folders; the file's own name for a single file.
        format: What it holds.
        compression: What it is wrapped in.
        bytes: Its size on disk; None where it is not known.
    """

    path: Path | None
    name: str
    format: Format
    compression: Compression | None = None
    bytes: int | None = None

    @property
    def label(self) -> str:
        """What messages call it: the path as the user wrote it, where it has one."""
        return self.name if self.path is None else str(self.path)


@dataclass(frozen=True)
class Block:
    """At most 2,048 rows of a part, as bytes.

    Attributes:
        part: Index of the part in `Source.parts`.
        index: 0-based position among the part's blocks.
        first_row: 0-based row of the part that the block begins with (a header and blank lines are not rows).
        rows: How many rows.
        kind: What `payload` is: an Arrow IPC stream, or raw UTF-8 lines of JSON.
        payload: The bytes.
        name: The part's name, for messages.
    """

    part: int
    index: int
    first_row: int
    rows: int
    kind: Literal["arrow", "jsonl"]
    payload: bytes
    name: str = ""

    def frame(self) -> Frame:
        """The rows, decoded.

        Raises:
            InputError: A line is not a JSON object.
        """
        if self.kind == "arrow":
            return ArrowFrame(batch_from_ipc(self.payload))
        return parse_lines(self.payload, first_row=self.first_row, name=self.name)


def batch_to_ipc(batch: pa.RecordBatch) -> bytes:
    """The batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


def batch_from_ipc(payload: bytes) -> pa.RecordBatch:
    """The rows of an Arrow IPC stream, as one batch."""
    with pa.ipc.open_stream(payload) as reader:
        batches = list(reader)
        if len(batches) == 1:
            return batches[0]
        return pa.concat_batches(batches) if batches else _no_rows(reader.schema)


def arrow_blocks(batches: Iterator[pa.RecordBatch], part: int, name: str) -> Iterator[Block]:
    """Numbers batches and packs them; each is one block."""
    row = 0
    for index, batch in enumerate(batches):
        yield Block(part, index, row, batch.num_rows, "arrow", batch_to_ipc(batch), name)
        row += batch.num_rows


def halved(batch: pa.RecordBatch, size: int = BYTES_PER_BLOCK) -> Iterator[pa.RecordBatch]:
    """The batch, or its halves while they are larger than `size` bytes (4 MiB); nothing if it has no rows."""
    if batch.num_rows > 1 and batch.nbytes > size:
        half = batch.num_rows // 2
        yield from halved(batch.slice(0, half), size)
        yield from halved(batch.slice(half), size)
    elif batch.num_rows:
        yield batch


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
