"""What Spark writes: a folder of Parquet or text files, committed by Spark, looked at before it gets its name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import EngineError, OutputError

WRITING = {
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # not INT96, which says nothing about zones
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.files.maxRecordsPerFile": "0",  # one file for each partition: its header stands in its first line
}
"""Settings of the session under which `write_parquet` and `write_text` write."""

_MARKER = "_SUCCESS"
_OPTIONS = {"mapreduce.fileoutputcommitter.marksuccessfuljobs": "true"}
_TEXT_EXTENSION = ".txt"


def write_parquet(frame: Any, address: str) -> None:
    """Writes a DataFrame as Parquet files in a folder that is not there yet."""
    frame.write.options(**_OPTIONS).parquet(address)


def write_text(frame: Any, address: str, *, line_end: str) -> None:
    """Writes a DataFrame of one column of texts, each with `line_end` behind it, into a folder that is not there yet.

    The column holds what privkit encoded: Spark only writes it down, one file for each partition.
    """
    frame.write.options(**_OPTIONS, lineSep=line_end).text(address)


def bytes_of_text(folder: Path, *, extension: str) -> int:
    """How many bytes `write_text` wrote; its files get `extension` instead of Spark's .txt."""
    size = 0
    for path in list(_files(folder)):
        size += path.stat().st_size
        path.rename(path.with_name(path.name.removesuffix(_TEXT_EXTENSION) + extension))
    return size


def parquet_rows(folder: Path) -> int:
    """How many rows the Parquet files of a folder have, by their footers."""
    try:
        return sum(pq.read_metadata(path).num_rows for path in _files(folder))
    except (pa.ArrowException, OSError):
        raise EngineError("Spark wrote a Parquet file that cannot be read; nothing was published") from None


def parquet_rows_at(session: Any, address: str) -> int:
    """How many rows the Parquet files at an address have, by their footers."""
    rows: int = session.read.parquet(address).count()
    return rows


def settle_on_disk(folder: Path) -> None:
    """Sees that Spark committed the folder, that its files are on the disk, and leaves no checksums of Hadoop's.

    Raises:
        EngineError: Spark's marker of a job that was committed is missing.
    """
    if not (folder / _MARKER).is_file():
        raise EngineError("Spark did not commit its output; nothing was published")
    for path in folder.iterdir():
        if path.name.startswith(".") and path.name.endswith(".crc"):
            path.unlink()  # they would not fit files that are renamed, and no other reader knows them
            continue
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)


class Address:
    """A folder at an address, written under a hidden name beside it; use it as a context manager.

    Left without `publish`, it removes what was written.

    Args:
        session: Its Hadoop settings say how the address is reached.
        output: The final address; its folder's parent must be there.
        force: Refused: a folder that nobody looked into is not removed.

    Raises:
        OutputError: Something is there already, or the address cannot be reached.
    """

    def __init__(self, session: Any, output: str, *, force: bool) -> None:
        self.output = output.rstrip("/")
        parent, _, name = self.output.rpartition("/")
        self.hidden = f"{parent}/.{name}.privkit-{secrets.token_hex(8)}"
        self._path = session._jvm.org.apache.hadoop.fs.Path
        try:
            self._files = self._path(self.output).getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
            there = self._files.exists(self._path(self.output))
        except Exception:  # Hadoop's own words may hold what stands in its settings
            raise OutputError(
                f"{self.output}: cannot be reached", hint="Do Spark's settings know this file system?"
            ) from None
        if there:
            hint = "--force replaces no folder at an address: remove it yourself." if force else "Give another name."
            raise OutputError(f"{self.output} exists", hint=hint)

    def publish(self) -> None:
        """Gives the folder its name.

        Raises:
            OutputError: It was made by somebody else in the meantime, or the name cannot be given.
        """
        final = self._path(self.output)
        try:
            # Some file systems would move one folder into the other instead.
            given = not self._files.exists(final) and self._files.rename(self._path(self.hidden), final)
        except Exception:
            given = False
        if not given:
            raise OutputError(f"{self.output} could not get its name", hint="Was it made by somebody else meanwhile?")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._files.delete(self._path(self.hidden), True)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_")))
