"""De-identification on Spark: what the driver does.

The decision was made from a sample before. Here the partitions go through `privkit.deid.partitions` in Spark's
workers; Spark writes the output beside its place and commits it there; it is compared with what the workers counted,
and gets its name. A DataFrame's result is held on the workers' disks instead, so that the counts are those of the
very rows that whoever asked gets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from privkit.deid.counts import Counts
from privkit.deid.partitions import DEIDENTIFYING, TEXT_SCHEMA, PartFile, PartitionJob, packed_schema
from privkit.deid.work import Job
from privkit.engines.spark import configured, spark_session
from privkit.engines.spark_types import held_by_spark, spark_schema
from privkit.errors import EngineError, InputError, UsageError
from privkit.io.frames import Frame
from privkit.io.limits import BYTES_PER_BLOCK, ROWS_PER_BLOCK
from privkit.io.outputs import Target, kind_of, split_name, target_for
from privkit.io.run import Run
from privkit.io.sources import Source
from privkit.model.progress import Observer

if TYPE_CHECKING:
    from privkit.engines.spark_map import Tally

_READ = ("csv", "tsv", "parquet")
_FEWEST_ROWS = 16
_LOOK_SECONDS = 0.5


def check_source(source: Source) -> None:
    """Refuses what Spark's workers cannot read.

    Raises:
        UsageError: Another format, or standard input.
        InputError: A column's type is one that Spark does not have.
    """
    if source.format not in _READ or source.parts[0].path is None:
        raise UsageError(
            "--engine spark reads Parquet, CSV and TSV files", hint="Leave --engine spark out for this source."
        )
    schema = source.schema()
    assert schema is not None
    held_by_spark(schema)


def check_target(output: str, source: Source) -> None:
    """Refuses what Spark does not write.

    Raises:
        UsageError: Standard output, another format, or compressed files.
    """
    if output == "-":
        raise UsageError("--engine spark writes a folder, not standard output", hint="Name a folder: -o FOLDER")
    format, _ = kind_of(output, source)
    if format not in _READ or split_name(Path(output).name)[2] is not None:
        raise UsageError(
            f"{output}: --engine spark writes Parquet, CSV and TSV, not compressed from outside",
            hint="Name the folder .parquet or .csv.",
        )


def target_on_spark(output: str, source: Source, schema: pa.Schema) -> Target:
    """What `output` is to be written as: as by the local engine, but not compressed from outside."""
    return replace(target_for(output, source, schema), compression=None)


class SparkRun:
    """One de-identification on Spark.

    Args:
        source: Files, or a `FrameSource`.
        job: What the workers do; with its target.
        schema: Columns of the output, as the local engine has them.
        sample: The rows that the decision was made from: how long rows are.
        encoding: Of text files.
        max_expansion: Of compressed files.
        master: Where Spark runs; None for the active session, else this machine.
        observer: Hears of the rows that are done.
    """

    def __init__(
        self,
        source: Source,
        job: Job,
        schema: pa.Schema,
        *,
        sample: tuple[Frame, ...],
        encoding: str,
        max_expansion: float,
        master: str | None,
        observer: Observer,
    ) -> None:
        self._source = source
        self._job = job
        self._schema = schema
        self._sample = sample
        self._encoding = encoding
        self._max_expansion = max_expansion
        self._master = master
        self._observer = observer

    def into_folder(self, output: Path, target: Target, *, force: bool, accept: Callable[[Counts], None]) -> None:
        """Files, through Spark, into the folder `output`, published once `accept` agrees.

        Raises:
            PrivkitError: See `privkit.errors`; nothing is left then.
        """
        run = Run.open(output, target, (), {}, folder=True, force=force)
        self._observer.started(self._source.total)
        with run:
            with spark_session(self._master) as session:
                counts = self._written(session, run.folder_path(), target)
            accept(counts)
            run.publish()
        self._observer.finished()

    def into_frame(self, accept: Callable[[Counts], None]) -> Any:
        """A DataFrame, through its own session's workers, held on their disks; given out once `accept` agrees."""
        from pyspark import StorageLevel

        from privkit.engines.spark_map import Tally, mapped, spark_jobs
        from privkit.engines.spark_source import FrameSource

        assert isinstance(self._source, FrameSource)
        given, session = self._source.frame, self._source.frame.sparkSession
        made = held_by_spark(self._schema)
        tally = Tally(session)
        self._observer.started(None)
        with configured(session, self._batches()), spark_jobs(session):
            frame = mapped(given, DEIDENTIFYING, self._spec(made), spark_schema(made), tally)
            frame = frame.persist(StorageLevel.DISK_ONLY)
            try:
                with self._watched(tally, None):
                    rows = frame.count()
                counts = _counted(tally)
                if counts.rows != rows:
                    raise EngineError(f"Spark has {rows} rows where its workers counted {counts.rows}")
                accept(counts)
            except BaseException:
                frame.unpersist()
                raise
        self._observer.finished()
        return frame

    def _written(self, session: Any, folder: Path, target: Target) -> Counts:
        """The whole output in `folder`, as it was counted."""
        from privkit.engines.spark_map import Tally, mapped, spark_jobs
        from privkit.engines.spark_output import (
            WRITING,
            parquet_rows,
            settle_on_disk,
            write_parquet,
            write_text,
        )
        from privkit.engines.spark_source import READING

        made = held_by_spark(self._schema) if target.format == "parquet" else None
        tally = Tally(session)
        with configured(session, {**READING, **WRITING, **self._batches()}), spark_jobs(session):
            given = self._read(session)
            partitions = given.rdd.getNumPartitions()
            schema = spark_schema(TEXT_SCHEMA if made is None else made)
            frame = mapped(given, DEIDENTIFYING, self._spec(made), schema, tally)
            with self._watched(tally, partitions):
                if made is None:
                    line_end = target.dialect.newline
                    size = write_text(frame, folder, line_end=line_end, extension=f".{target.format}")
                else:
                    write_parquet(frame, folder)
        settle_on_disk(folder)
        counts = _counted(tally)
        if len(tally.notes()) < partitions:
            raise EngineError(f"Spark gave {len(tally.notes())} of {partitions} partitions; nothing was published")
        if made is None and size != sum(note["bytes"] for note in tally.notes()):
            raise EngineError("Spark wrote another number of bytes than its workers made; nothing was published")
        if made is not None and (rows := parquet_rows(folder)) != counts.rows:
            raise EngineError(f"Spark wrote {rows} rows where its workers made {counts.rows}; nothing was published")
        if self._source.format == "parquet":
            self._compare_rows(counts.rows)
        return counts

    def _read(self, session: Any) -> Any:
        from privkit.engines.spark_source import numbered, parquet_frame, refuse_other_types

        if self._source.format != "parquet":
            return numbered(session, len(self._source.parts))
        frame = parquet_frame(session, [part.path for part in self._source.parts if part.path is not None])
        schema = self._source.schema()
        assert schema is not None
        refuse_other_types(frame, held_by_spark(schema), self._source.description)
        return frame

    def _compare_rows(self, rows: int) -> None:
        from privkit.engines.spark_output import rows_of_files

        there = rows_of_files(part.path for part in self._source.parts if part.path is not None)
        if there != rows:
            raise InputError(
                f"{self._source.description}: {there} rows by its files' footers, and Spark read {rows}",
                hint="Were files replaced while they were read?",
            )

    def _spec(self, made: pa.Schema | None) -> bytes:
        parts = self._source.parts if self._source.format != "parquet" else ()
        given = self._source.schema()
        assert given is not None
        return PartitionJob(
            job=self._job,
            given=packed_schema(given),
            made=None if made is None else packed_schema(made),
            parts=tuple(PartFile.of(part.path, part.format) for part in parts if part.path is not None),
            encoding=self._encoding,
            max_expansion=self._max_expansion,
        ).to_bytes()

    def _batches(self) -> dict[str, str]:
        """How many rows Spark gives a worker at a time: a block's, fewer where rows are long."""
        rows = sum(frame.rows for frame in self._sample)
        size = sum(leaf.values.nbytes for frame in self._sample for leaf in frame.leaves())
        fitting = 8 * BYTES_PER_BLOCK * rows // size if size else ROWS_PER_BLOCK
        return {"spark.sql.execution.arrow.maxRecordsPerBatch": str(max(_FEWEST_ROWS, min(ROWS_PER_BLOCK, fitting)))}

    @contextmanager
    def _watched(self, tally: Tally, partitions: int | None) -> Iterator[None]:
        """Tells the observer, while Spark works, of the rows of partitions that are done."""
        over = threading.Event()

        def watch() -> None:
            seen = 0
            while not over.wait(_LOOK_SECONDS):
                notes = tally.notes()
                if len(notes) > seen:
                    seen = len(notes)
                    share = seen / partitions if partitions else 0
                    rows = sum(note["counts"]["rows"] for note in notes)
                    self._observer.advanced(rows, int((self._source.total or 0) * share))

        watcher = threading.Thread(target=watch, name="privkit-progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def _counted(tally: Tally) -> Counts:
    counts = Counts()
    for note in tally.notes():
        counts.add(Counts.from_note(note["counts"]))
    return counts
