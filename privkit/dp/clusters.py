"""Sources in Spark: its tables, Parquet that it reads, and users' frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from privkit.dp.dialects import engine_of
from privkit.dp.headers import delimited_of
from privkit.dp.sources import Table, attempted, check_once, expanded, parquet_names, table_of
from privkit.engines.spark import spark_session
from privkit.engines.spark_tables import forget, lent, parquet_at, parquet_frame, ruled, settings_of, view_of
from privkit.errors import DatasetError
from privkit.model.dataset import DatasetSpec


def spark_table(url: str, table: str, wanted: Sequence[str], *, master: str | None = None) -> Table:
    """A table that a session knows, in the session that is active or in one of its own.

    Args:
        url: `pyspark://`, as Ibis has it.
        table: Its name, perhaps with catalog and database before it.
        wanted: Columns that have to be there once.
        master: Where Spark runs, where the URL does not say it.

    Raises:
        DatasetError: There is no such table, or its columns differ in case only.
        EngineError: Spark does not start.
        MissingExtraError: PySpark is not installed.
    """
    asked, settings = settings_of(url)
    with ExitStack() as stack:
        session = stack.enter_context(spark_session(asked or master, settings))
        backend = _connected(session)
        with ruled(session):
            rows = table_of(backend, table, "pyspark://")
        return _table(backend, rows, wanted, "pyspark://", stack)


def spark_files(spec: DatasetSpec, folder: Path, wanted: Sequence[str]) -> Table:
    """Parquet that Spark reads: files, a glob or a folder here, or an address such as hdfs://….

    Raises:
        DatasetError: Not there, not Parquet, or parts of different schemas.
        EngineError: Spark does not start.
        MissingExtraError: PySpark is not installed.
    """
    source = str(spec.source)
    files = None if "://" in source else _files(source, folder)
    failure = DatasetError(
        f"{source}: cannot be read as Parquet by Spark",
        hint="Spark does not know every type that Parquet has, such as times in nanoseconds.",
    )
    with ExitStack() as stack:
        session = stack.enter_context(spark_session(spec.master))

        def read() -> Any:
            with ruled(session):
                return parquet_at(session, source) if files is None else parquet_frame(session, files)

        return _viewed(session, _checked(read, failure), wanted, source, stack)


def given_frame(frame: Any, wanted: Sequence[str]) -> Table:
    """A Spark DataFrame of the user's: the session stays as it is.

    Raises:
        DatasetError: Its columns differ in case only, or cannot be read.
    """
    with ExitStack() as stack:
        return _viewed(frame.sparkSession, frame, wanted, "the frame", stack)


def fetched(backend: Any, expression: Any) -> pa.Table:
    """Not by Ibis: through pandas an integer might become a float, and tables of labels would stay in the session."""
    session = backend._session
    with ruled(session), ExitStack() as stack:
        backend._register_udfs(expression)
        for table in expression.op().find(ops.InMemoryTable):
            stack.enter_context(lent(session, table.name, table.data.to_pyarrow(table.schema)))
        found = session.sql(backend.compile(expression)).toArrow()
    return found.cast(expression.schema().to_pyarrow())


def _files(source: str, folder: Path) -> list[str]:
    files = expanded(source, folder)
    if delimited_of(files[0], source) is not None:
        raise DatasetError(
            f"{source}: Spark would read a broken line of a CSV by other rules than DuckDB, and count other rows",
            hint="Leave `engine` out, or write the rows as Parquet.",
        )
    passed_over = [Path(file).name for file in files if Path(file).name.startswith(("_", "."))]
    if passed_over:
        raise DatasetError(f"{source}: Spark passes over {passed_over[0]}: its name begins with _ or .")
    parquet_names(files, source)
    return files


def _connected(session: Any) -> Any:
    with ruled(session):
        return ibis.pyspark.connect(session)


def _viewed(session: Any, frame: Any, wanted: Sequence[str], where: str, stack: ExitStack) -> Table:
    check_once(frame.columns, wanted, where)
    backend = _connected(session)
    name = view_of(frame)
    stack.callback(forget, session, name)
    failure = DatasetError(f"{where}: Spark has columns of types in it that nothing can be asked of")
    with ruled(session):
        rows = attempted(lambda: backend.table(name), failure)
    return _table(backend, rows, wanted, where, stack)


def _table(backend: Any, rows: Any, wanted: Sequence[str], where: str, stack: ExitStack) -> Table:
    check_once(rows.columns, wanted, where)
    schema = dict(rows.schema().items())
    return Table(backend, rows, schema, engine_of("pyspark"), closing=stack.pop_all().close)


def _checked(read: Callable[[], Any], failure: DatasetError) -> Any:
    """What `read` gives; its own refusals as they are, Spark's without its words."""
    refused: list[DatasetError] = []

    def tried() -> Any:
        try:
            return read()
        except DatasetError as err:
            refused.append(err)
            raise

    try:
        return attempted(tried, failure)
    except DatasetError:
        if refused:
            raise refused[0] from None
        raise
