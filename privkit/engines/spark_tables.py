"""Tables for queries in Spark: Parquet files and users' frames as views of a session. pyspark only here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from privkit.engines.spark import configured, log_unheard
from privkit.errors import DatasetError, EngineError

RULES = {
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",  # Ibis sets it in every session it meets
}
"""Settings that a query runs under, whoever's the session is; it has its own again afterwards."""

_WHOLE = {"ignoreCorruptFiles": "false", "ignoreMissingFiles": "false", "recursiveFileLookup": "true"}
_GLOB = str.maketrans({letter: "\\" + letter for letter in "\\*?[]{}"})


def settings_of(url: str) -> tuple[str | None, Mapping[str, str]]:
    """The master and other settings that a `pyspark://` URL asks for, as Ibis reads it.

    Args:
        url: `pyspark://HOST/WAREHOUSE?spark.master=…&spark.…=…`; the host means nothing.

    Raises:
        DatasetError: A key is no setting of Spark's.
    """
    parts = urlsplit(url)
    settings = dict(parse_qsl(parts.query))
    unknown = sorted(name for name in settings if not name.startswith("spark."))
    if unknown:
        raise DatasetError(
            f"pyspark://: {', '.join(unknown)} is no setting of Spark's", hint="They begin with `spark.`."
        )
    if parts.path.strip("/"):
        settings["spark.sql.warehouse.dir"] = parts.path
    return settings.pop("spark.master", None), settings


@contextmanager
def ruled(session: Any) -> Iterator[None]:
    """The session under `RULES`, and without PySpark's log of errors, which quotes what a cell holds.

    Raises:
        EngineError: The session is of a Spark before 4, whose SQL is another.
    """
    if int(str(session.version).partition(".")[0]) < 4:
        raise EngineError(f"Spark {session.version}: private statistics need Spark 4")
    with log_unheard(), configured(session, RULES):
        yield


def parquet_frame(session: Any, files: Sequence[str]) -> Any:
    """Parquet files of one schema as a frame. Spark would take some letters of their names for a pattern."""
    return session.read.options(**_WHOLE).parquet(*(file.translate(_GLOB) for file in files))


def parquet_at(session: Any, address: str) -> Any:
    """Everything that is Parquet under an address (hdfs://…, s3a://…), as a frame.

    Raises:
        DatasetError: The parts' schemas differ.
    """
    reader = session.read.options(**_WHOLE)
    frame = reader.parquet(address)
    files = sorted(frame.inputFiles())
    schemas = [reader.parquet(file.translate(_GLOB)).schema for file in files]
    if any(schema != schemas[0] for schema in schemas):
        which = next(file for file, schema in zip(files, schemas, strict=True) if schema != schemas[0])
        raise DatasetError(f"{address}: {_last(which)} has another schema than {_last(files[0])}")
    return frame


def _last(place: str) -> str:
    return place.rpartition("/")[2]


@contextmanager
def lent(session: Any, name: str, rows: Any) -> Iterator[None]:
    """A name for an Arrow table in a session, unless it has it already."""
    if session.catalog.tableExists(name):
        yield
        return
    session.createDataFrame(rows).createOrReplaceTempView(name)
    try:
        yield
    finally:
        forget(session, name)


def view_of(frame: Any) -> str:
    """A new name for a frame in its session."""
    name = f"privkit_{uuid.uuid4().hex}"
    frame.createOrReplaceTempView(name)
    return name


def forget(session: Any, name: str) -> None:
    """Takes a view's name away again."""
    with suppress(Exception):  # the session may have ended
        session.catalog.dropTempView(name)
