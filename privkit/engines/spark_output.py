"""What Spark writes: a folder of Parquet or text files, committed by Spark, looked at before it gets its name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import EngineError

WRITING = {
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # not INT96, which says nothing about zones
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.files.maxRecordsPerFile": "0",  # one file for each partition: its header stands in its first line
}
"""Settings of the session under which `write_parquet` and `write_text` write."""

_MARKER = "_SUCCESS"
_OPTIONS = {"mapreduce.fileoutputcommitter.marksuccessfuljobs": "true"}
_TEXT_EXTENSION = ".txt"


def write_parquet(frame: Any, folder: Path) -> None:
    """Writes a DataFrame as Parquet files in a folder that is not there yet."""
    frame.write.options(**_OPTIONS).parquet(f"file://{folder.absolute()}")


def write_text(frame: Any, folder: Path, *, line_end: str, extension: str) -> int:
    """Writes a DataFrame of one column of texts, each with `line_end` behind it, into a folder that is not there yet.

    Args:
        frame: The column holds what privkit encoded: Spark only writes it down.
        folder: Where the files go, one for each partition.
        line_end: LF or CR LF.
        extension: That the files get instead of Spark's, such as ".csv".

    Returns:
        How many bytes were written.
    """
    frame.write.options(**_OPTIONS, lineSep=line_end).text(f"file://{folder.absolute()}")
    size = 0
    for path in _files(folder):
        size += path.stat().st_size
        path.rename(path.with_name(path.name.removesuffix(_TEXT_EXTENSION) + extension))
    return size


def parquet_rows(folder: Path) -> int:
    """How many rows the Parquet files of a folder have, by their footers."""
    return rows_of_files(_files(folder))


def rows_of_files(paths: Iterable[Path]) -> int:
    """How many rows Parquet files have, by their footers.

    Raises:
        EngineError: One of them cannot be read.
    """
    try:
        return sum(pq.read_metadata(path).num_rows for path in paths)
    except (pa.ArrowException, OSError):
        raise EngineError("a Parquet file's footer cannot be read; nothing was published") from None


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


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_")))
