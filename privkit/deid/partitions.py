"""De-identification of the partitions of a Spark DataFrame, in a worker. Nothing here knows Spark.

A partition is rows, or the numbers of parts (CSV files) that the worker reads itself, with the local engine's own
reader. Either way the rows go through the same `Transformer` in blocks of the same size.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from privkit.deid.counts import Counts
from privkit.deid.transform import Transformer
from privkit.deid.work import CHECKED_FIRST, CHECKED_LATER, Job
from privkit.engines.spark_types import fitted
from privkit.errors import InputError, OutputError
from privkit.io.blocks import halved
from privkit.io.frames import ArrowFrame, Frame
from privkit.io.limits import ROWS_PER_BLOCK
from privkit.io.outputs import Target
from privkit.io.sources import Format, open_source

DEIDENTIFYING = "privkit.deid.partitions:deidentifying"
TEXT_SCHEMA = pa.schema([("value", pa.string())])
"""What a partition of a text output (CSV) is: pieces of its file."""


class PartFile(BaseModel):
    """A file that a worker reads.

    Attributes:
        path: Its bytes, one character for each: a file's name need not be text.
        format: What it holds.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    format: Format

    @classmethod
    def of(cls, path: Path, format: Format) -> PartFile:
        """What a worker is told of a file, wherever it runs."""
        return cls(path=os.fsencode(path.absolute()).decode("latin-1"), format=format)

    def place(self) -> Path:
        """Where the file is."""
        return Path(os.fsdecode(self.path.encode("latin-1")))


class PartitionJob(BaseModel):
    """What a worker must know to de-identify partitions.

    Attributes:
        job: The policy, the key and the rest; its target says how the output is written.
        given: Columns of the source as the local engine has them, packed.
        made: Columns of the output in Spark's types, packed; None for text.
        parts: The files, where workers read them.
        encoding: Of the files.
        max_expansion: How many times its size a compressed file may grow.
    """

    model_config = ConfigDict(frozen=True)

    job: Job
    given: str
    made: str | None = None
    parts: tuple[PartFile, ...] = ()
    encoding: str = "utf-8"
    max_expansion: float = 200.0

    def to_bytes(self) -> bytes:
        """JSON; holds the key."""
        return self.model_dump_json().encode()


def packed_schema(schema: pa.Schema) -> str:
    """A schema as text."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _schema(packed: str) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))


def deidentifying(spec: bytes) -> _Worker:
    """Makes what a worker does with each partition."""
    return _Worker(PartitionJob.model_validate_json(spec))


@dataclass
class _Done:
    """What became of one partition so far."""

    counts: Counts
    bytes: int = 0


class _Worker:
    """The job made ready: models loaded, for all partitions that this process gets."""

    def __init__(self, about: PartitionJob) -> None:
        self._about = about
        self._transformer: Transformer = about.job.transformer()
        assert about.job.target is not None
        self._target = Target.from_json(about.job.target)
        self._given = _schema(about.given)
        self._made = _schema(about.made) if about.made is not None else None

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch, None, dict[str, Any]]:
        """The output of one partition; at the end its counts, as a note."""
        done = _Done(Counts())
        header = self._target.header()
        for frame, check in self._read(batches) if self._about.parts else self._rows(batches):
            made, counts = self._transformer.transform(frame, check_rows=check)
            done.counts.add(counts)
            if self._made is None:
                yield self._text(header + self._target.encode(made), done)
                header = b""
            else:
                yield self._batch(made)
        if self._made is None and header:
            yield self._text(header, done)
        return {"counts": done.counts.to_note(), "bytes": done.bytes}

    def _rows(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Frame, int]]:
        check = CHECKED_FIRST
        for batch in batches:
            for start in range(0, batch.num_rows, ROWS_PER_BLOCK):
                try:
                    rows = fitted(batch.slice(start, ROWS_PER_BLOCK), self._given)
                    rows.validate(full=True)  # Spark does not look whether a file's text is UTF-8
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # its text may quote a value
                    raise InputError(
                        "the source has values that its columns' types do not allow, or texts that are not UTF-8",
                        hint="Was it written to the end? The local engine says in which row.",
                    ) from None
                for block in halved(rows):
                    yield ArrowFrame(block), check
                    check = CHECKED_LATER

    def _read(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Frame, int]]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from self._part(self._about.parts[number])

    def _part(self, part: PartFile) -> Iterator[tuple[Frame, int]]:
        place = part.place()
        source = open_source(
            place, format=part.format, encoding=self._about.encoding, max_expansion=self._about.max_expansion
        )
        if source.schema() != self._given:
            raise InputError(f"{place}: not the columns that it had when the run began", path=str(place))
        for block in source.blocks(0):
            yield block.frame(), CHECKED_FIRST if block.index == 0 else CHECKED_LATER

    def _text(self, data: bytes, done: _Done) -> pa.RecordBatch:
        """A piece of a file, without its last line end: Spark writes that behind each piece."""
        done.bytes += len(data)
        text = data.removesuffix(self._target.dialect.newline.encode())
        return pa.RecordBatch.from_arrays([pa.array([text], pa.binary()).cast(pa.string())], schema=TEXT_SCHEMA)

    def _batch(self, made: Frame) -> pa.RecordBatch:
        assert isinstance(made, ArrowFrame)
        assert self._made is not None
        names = made.batch.schema.names
        missing = [name for name in self._made.names if name not in names]
        if missing:
            raise OutputError(f"the output has columns that these rows lack: {', '.join(missing)}")
        return fitted(made.batch.select(self._made.names), self._made)
