"""What Spark reads: a DataFrame as a source, Parquet files in splits, the numbers of parts that workers read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from privkit.engines.spark import configured
from privkit.engines.spark_map import spark_jobs
from privkit.engines.spark_types import arrow_schema, fitted, held_by_spark
from privkit.errors import InputError, PrivkitError, UsageError
from privkit.io.blocks import Block, Dialect, Part, batch_from_ipc, batch_to_ipc, halved
from privkit.io.csvfile import refuse_doubled_names
from privkit.io.frames import ArrowFrame, Frame, leaf_names
from privkit.io.limits import BYTES_PER_BLOCK
from privkit.io.sources import Source

_SAMPLED_PIECES = 8
_GLOB_SIGNS = "\\{}[]*?"
_CHECKSUMS = ("parquet.page.verify-checksum.enabled", "true")

READING = {
    "spark.sql.caseSensitive": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.parquet.binaryAsString": "false",
    "spark.sql.parquet.mergeSchema": "false",
    # Days before 1582 as they stand in the file: so Arrow reads them.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}
"""Settings of the session under which Spark reads what the local engine reads."""


class FrameSource(Source):
    """A Spark DataFrame. Its rows stay where they are: only the sample is read from here.

    Args:
        frame: It is evaluated once for the sample, and once by whoever transforms it.
        description: What messages and the report call it.

    Raises:
        ColumnError: Two columns have the same name or path.
        InputError: A column is of a type that Arrow does not have.
        UsageError: It is one of Spark Connect.
    """

    def __init__(self, frame: Any, description: str = "Spark DataFrame") -> None:
        if type(frame).__module__.startswith("pyspark.sql.connect"):
            raise UsageError(
                "a DataFrame of Spark Connect has no accumulators to count with", hint="Use a classic Spark session."
            )
        self.frame = frame
        self.description = description
        self.format = "parquet"
        self.dialect = Dialect()
        self.parts = (Part(None, self.description, "parquet"),)
        self.partitioned = True
        refuse_doubled_names(frame.columns, self.description)
        self._schema = arrow_schema(frame.schema)
        leaf_names(self._schema)

    def schema(self) -> pa.Schema:
        return self._schema

    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        # `take` asks the first partition, and more of them only where that has too few rows.
        cut = partial(
            _pieces, schema=self._schema, rows=max(rows // _SAMPLED_PIECES, 1), size=max(bytes // _SAMPLED_PIECES, 1)
        )
        with spark_jobs(self.frame.sparkSession):
            pieces = self.frame.mapInArrow(cut, "piece binary").take(_SAMPLED_PIECES)
        return tuple(ArrowFrame(batch_from_ipc(piece.piece)) for piece in pieces)

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        raise NotImplementedError("the rows of a Spark DataFrame are not brought here")

    def fingerprint(self) -> str:
        return secrets.token_hex(32)


def at_address(session: Any, address: str) -> FrameSource:
    """The Parquet files at an address, as Spark reads them: names of folders such as `year=2024` make columns.

    Raises:
        InputError: There are none, or they cannot be read.
        UsageError: The address holds a password.
    """
    if urlsplit(address).password is not None:
        raise UsageError("an address with a password in it is not taken", hint="Let Hadoop's settings hold it.")
    with configured(session, READING):
        try:
            frame = session.read.option(*_CHECKSUMS).parquet(address)
            frame.schema  # noqa: B018
        except Exception:  # Spark's own words may hold what stands in its settings
            raise InputError(
                f"{address}: no Parquet files that Spark can read",
                path=address,
                hint="Is the address right, and do Spark's settings know this file system?",
            ) from None
    return FrameSource(frame, address)


def parquet_frame(session: Any, paths: Sequence[Path], schema: pa.Schema, description: str) -> Any:
    """Parquet files as one DataFrame, read in splits; names of folders make no columns.

    Args:
        session: With the settings `READING`.
        paths: Files of one schema, on a file system that driver and workers share.
        schema: Their columns as privkit reads them.
        description: What messages call them.

    Raises:
        InputError: Spark reads other columns, or cannot read them.
    """
    try:
        frame = session.read.option(*_CHECKSUMS).parquet(*(f"file://{_escaped(path)}" for path in paths))
        found = arrow_schema(frame.schema)
    except PrivkitError:
        raise
    except Exception:  # its kind differs between Spark's versions, and its words may hold data
        raise InputError(
            f"{description}: Spark cannot read these files",
            path=description,
            hint="Moments in nanoseconds are a type that it lacks. Leave --engine spark out.",
        ) from None
    _refuse_other_columns(found, schema, description)
    return frame


def numbered(session: Any, count: int) -> Any:
    """The numbers from 0 on, one in each partition: what a worker reads a part of a source by."""
    return session.range(0, count, 1, count)


def _refuse_other_columns(found: pa.Schema, schema: pa.Schema, description: str) -> None:
    held = held_by_spark(schema)
    other = [
        field.name
        for at, field in enumerate(held)
        if at >= len(found) or found.field(at).name != field.name or not _alike(found.field(at).type, field.type)
        if not pa.types.is_null(schema.field(at).type)  # whatever Spark takes it for, nothing is in it
    ]
    if other or len(found) != len(schema):
        raise InputError(
            f"{description}: Spark reads other columns than privkit does: {', '.join(other) or 'more of them'}",
            path=description,
            hint="Leave --engine spark out.",
        )


def _alike(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether cells of one type are the same cells in the other: nothing but a moment's zone may differ, in a leaf."""
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return [f.name for f in one.fields] == [f.name for f in other.fields] and all(
            _alike(mine.type, its.type) for mine, its in zip(one.fields, other.fields, strict=True)
        )
    if pa.types.is_list(one) and pa.types.is_list(other):
        return _alike(one.value_type, other.value_type)
    if pa.types.is_map(one) and pa.types.is_map(other):
        return _alike(one.key_type, other.key_type) and _alike(one.item_type, other.item_type)
    return bool(one == other or (pa.types.is_timestamp(one) and pa.types.is_timestamp(other)))


def _escaped(path: Path) -> str:
    return "".join(f"\\{sign}" if sign in _GLOB_SIGNS else sign for sign in str(path.absolute()))


def _pieces(batches: Iterator[pa.RecordBatch], *, schema: pa.Schema, rows: int, size: int) -> Iterator[pa.RecordBatch]:
    """A partition's head, as up to eight packed pieces of so many rows and bytes."""
    given = 0
    for batch in batches:
        for start in range(0, batch.num_rows, rows):
            for piece in halved(fitted(batch.slice(start, rows), schema), min(size, BYTES_PER_BLOCK)):
                if given < _SAMPLED_PIECES:  # who asked has enough then, and ends the task
                    yield pa.RecordBatch.from_arrays([pa.array([batch_to_ipc(piece)], pa.binary())], names=["piece"])
                given += 1
