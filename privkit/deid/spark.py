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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pyarrow as pa

from privkit.deid.counts import Counts
from privkit.deid.partitions import DEIDENTIFYING, TEXT_SCHEMA, PartFile, PartitionJob, packed_schema
from privkit.deid.work import Job
from privkit.engines.spark import configured, is_address, is_spark_frame, spark_session
from privkit.engines.spark_types import held_by_spark, spark_schema
from privkit.errors import EngineError, OutputError, UsageError
from privkit.io.frames import Frame
from privkit.io.limits import BYTES_PER_BLOCK, ROWS_PER_BLOCK
from privkit.io.outputs import Target, kind_of, split_name, target_for
from privkit.io.run import Run
from privkit.io.sources import Source, open_source
from privkit.model.progress import Observer

if TYPE_CHECKING:
    from privkit.engines.spark_map import Tally

_FORMATS = ("csv", "tsv", "parquet")
# Where renaming a folder is one act: HDFS and what is like it, not the object stores.
_RENAMING = frozenset({"file", "hdfs", "webhdfs", "swebhdfs", "viewfs", "ofs", "abfs", "abfss"})
_FEWEST_ROWS = 16
_LOOK_SECONDS = 0.5


@contextmanager
def opened_on_spark(
    source: Any, format: str | None, encoding: str, max_expansion: float, master: str | None
) -> Iterator[Source]:
    """Opens a Spark DataFrame, the address of Parquet files, or files that driver and workers share.

    Args:
        source: A `DataFrame`, an address, or a path, folder or glob.
        format: Of files, where their names do not say.
        encoding: Of text files.
        max_expansion: Of compressed files.
        master: Where Spark runs, for an address, which only Spark can look at.

    Raises:
        UsageError: What Spark's workers do not read.
        InputError: The source cannot be read, or a column's type is one that Spark does not have.
    """
    if is_spark_frame(source):
        from privkit.engines.spark_source import FrameSource

        yield FrameSource(source)
    elif is_address(source):
        if format not in (None, "parquet"):
            raise UsageError("of an address, --engine spark reads Parquet only", hint="Leave --format out.")
        with spark_session(master) as session:
            from privkit.engines.spark_source import at_address

            yield at_address(session, source)
    else:
        opened = open_source(source, format=cast(Any, format), encoding=encoding, max_expansion=max_expansion)
        if opened.format not in _FORMATS or opened.parts[0].path is None:
            raise UsageError(
                "--engine spark reads Parquet, CSV and TSV files", hint="Leave --engine spark out for this source."
            )
        schema = opened.schema()
        assert schema is not None
        held_by_spark(schema)
        opened.partitioned = True  # Spark writes folders
        yield opened


def check_target(output: str, source: Source) -> None:
    """Refuses what Spark does not write.

    Raises:
        UsageError: Standard output, another format, compressed files, or an address at which no folder can be renamed.
        OutputError: The output's address is the source's, or inside it.
    """
    if output == "-":
        raise UsageError("--engine spark writes a folder, not standard output", hint="Name a folder: -o FOLDER")
    format, _ = kind_of(output, source)
    if is_address(output):
        _check_address(output, source, format)
    elif format not in _FORMATS or split_name(Path(output).name)[2] is not None:
        raise UsageError(
            f"{output}: --engine spark writes Parquet, CSV and TSV, not compressed from outside",
            hint="Name the folder .parquet or .csv.",
        )


def _check_address(output: str, source: Source, format: str) -> None:
    parts = urlsplit(output)
    if parts.password is not None:
        raise UsageError("an address with a password in it is not taken", hint="Let Hadoop's settings hold it.")
    if parts.scheme.lower() not in _RENAMING:
        raise UsageError(
            f"{parts.scheme}:// has no folder that gets its name at once, so half an output could be taken for whole",
            hint="In Python: privkit.deidentify(dataframe, …), and result.frame.write with your store's committer.",
        )
    if format != "parquet":
        raise UsageError("at an address --engine spark writes Parquet only", hint=f"-o {output.rstrip('/')}.parquet")
    if f"{output.rstrip('/')}/".startswith(f"{source.description.rstrip('/')}/"):
        raise OutputError("the output's address is the source's, or inside it", hint="Give another one.")


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

    def into_folder(self, output: str, target: Target, *, force: bool, accept: Callable[[Counts], None]) -> None:
        """Files, through Spark, into the folder `output`, published once `accept` agrees.

        Raises:
            PrivkitError: See `privkit.errors`; nothing is left then.
        """
        self._observer.started(self._source.total)
        if is_address(output):
            self._to_address(output, target, force, accept)
        else:
            with Run.open(Path(output), target, (), {}, folder=True, force=force) as run:
                folder = run.folder_path()
                with spark_session(self._master) as session:
                    counts = self._written(session, f"file://{folder.absolute()}", target)
                self._check_folder(folder, counts, target)
                accept(counts.total)
                run.publish()
        self._observer.finished()

    def _to_address(self, output: str, target: Target, force: bool, accept: Callable[[Counts], None]) -> None:
        from privkit.engines.spark_map import spark_jobs
        from privkit.engines.spark_output import Address, parquet_rows_at

        with spark_session(self._master) as session, Address(session, output, force=force) as address:
            counts = self._written(session, address.hidden, target)
            with spark_jobs(session):
                _compare(parquet_rows_at(session, address.hidden), counts.total.rows)
            accept(counts.total)
            address.publish()

    def into_frame(self, accept: Callable[[Counts], None]) -> Any:
        """A DataFrame, through its own session's workers, held on their disks; given out once `accept` agrees.

        Raises:
            PrivkitError: See `privkit.errors`; nothing is held then.
        """
        from privkit.engines.spark_map import Tally, held, mapped, spark_jobs
        from privkit.engines.spark_source import FrameSource

        assert isinstance(self._source, FrameSource)
        if not self._schema.names:
            raise UsageError("every column is dropped: nothing is left")
        given, session = self._source.frame, self._source.frame.sparkSession
        made = held_by_spark(self._schema)
        tally = Tally(session)
        self._observer.started(None)
        with configured(session, self._batches()), spark_jobs(session):
            frame = held(mapped(given, DEIDENTIFYING, self._spec(made), spark_schema(made), tally))
            try:
                with self._watched(tally, None):
                    rows = frame.count()
                counted = _counted(tally)
                _compare(rows, counted.total.rows)
                accept(counted.total)
            except BaseException:
                frame.unpersist()
                raise
        self._observer.finished()
        return frame

    def _written(self, session: Any, folder: str, target: Target) -> _Counted:
        """The whole output at the address `folder`, committed by Spark, as it was counted."""
        from privkit.engines.spark_map import Tally, mapped, spark_jobs
        from privkit.engines.spark_output import WRITING, write_parquet, write_text
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
                    write_text(frame, folder, line_end=target.dialect.newline)
                else:
                    write_parquet(frame, folder)
            counted = _counted(tally)
            if counted.partitions != partitions:
                raise EngineError(
                    f"Spark did {counted.partitions} of {partitions} partitions; nothing was published", hint=_ONCE_MORE
                )
            if self._source.format == "parquet":
                _compare(given.count(), counted.total.rows)  # by the files' footers
        return counted

    def _check_folder(self, folder: Path, counted: _Counted, target: Target) -> None:
        """Compares what Spark wrote with what the workers made, and makes it a folder like any other."""
        from privkit.engines.spark_output import bytes_of_text, parquet_rows, settle_on_disk

        if target.format == "parquet":
            _compare(parquet_rows(folder), counted.total.rows)
        elif bytes_of_text(folder, extension=f".{target.format}") != counted.bytes:
            raise EngineError(
                "Spark wrote another number of bytes than its workers made; nothing was published", hint=_ONCE_MORE
            )
        settle_on_disk(folder)

    def _read(self, session: Any) -> Any:
        from privkit.engines.spark_source import FrameSource, numbered, parquet_frame

        if isinstance(self._source, FrameSource):
            return self._source.frame
        if self._source.format != "parquet":
            return numbered(session, len(self._source.parts))
        schema = self._source.schema()
        assert schema is not None
        paths = [part.path for part in self._source.parts if part.path is not None]
        return parquet_frame(session, paths, schema, self._source.description)

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

        def tell(seen: int) -> int:
            notes = tally.notes()
            if len(notes) > seen:
                share = len(notes) / partitions if partitions else 0
                rows = sum(note["counts"]["rows"] for note in notes)
                self._observer.advanced(rows, int((self._source.total or 0) * share))
            return len(notes)

        def watch() -> None:
            seen = 0
            while not over.wait(_LOOK_SECONDS):
                seen = tell(seen)

        watcher = threading.Thread(target=watch, name="privkit-progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        tell(0)


@dataclass
class _Counted:
    """What the workers say that they did."""

    total: Counts
    partitions: int
    bytes: int


def _counted(tally: Tally) -> _Counted:
    notes = tally.notes()
    total = Counts()
    for note in notes:
        total.add(Counts.from_note(note["counts"]))
    return _Counted(total, len(notes), sum(note["bytes"] for note in notes))


def _compare(there: int, counted: int) -> None:
    if there != counted:
        raise EngineError(
            f"Spark has {there} rows where its workers counted {counted}; nothing was published", hint=_ONCE_MORE
        )


_ONCE_MORE = "Were files replaced while they were read? Run it again."
