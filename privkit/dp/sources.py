"""A dataset's source as an Ibis table: files and frames through an embedded DuckDB, databases through their own.

What is decided here follows from names and types alone. A file's table is what it is read as by one fixed rule: CSV
columns are texts (guessing types would look at the data), and a line that is no row of the header's width is left out.
"""

from __future__ import annotations

import glob
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeGuard, TypeVar

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.parquet as pq

from privkit.dp.arithmetic import Engine
from privkit.dp.dialects import engine_of
from privkit.dp.embedded import ANY_ROOM, Room, connected
from privkit.dp.framed import arrow_of
from privkit.dp.headers import Delimited, delimited_of, header_of
from privkit.dp.reading import can_be_read, can_name_units
from privkit.errors import AggregateError, DatasetError, PrivkitError
from privkit.io.scratch import Scratch
from privkit.model.dataset import DatasetSpec
from privkit.model.software import versions_of

if TYPE_CHECKING:
    import pandas as pd

_NO_FOLDERS = {"hive_partitioning": False}  # a folder called age=3 would hide the file's own column age
_Result = TypeVar("_Result")

_VIEW = "privkit_source"
_DRIVERS = {
    "bigquery": ("google-cloud-bigquery",),
    "snowflake": ("snowflake-connector-python",),
    "trino": ("trino",),
}


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """An open source. A context manager: leaving it closes the connection and removes what was spilled to disk.

    Attributes:
        backend: Ibis's connection.
        rows: The table's expression.
        schema: The source's names and types, of the columns that are declared and of the unit.
        engine: How the engine is talked to.
        spill: The private folder where an embedded engine keeps what does not fit into memory.
        named: Whether `rows` is a name and a schema only, so that expressions of it hold no data and outlive it.
        closing: What ends it, instead of the backend's own way: connections of other people stay open.
    """

    backend: Any
    rows: Any
    schema: Mapping[str, dt.DataType]
    engine: Engine
    spill: Scratch | None = None
    named: bool = False
    closing: Callable[[], None] | None = None

    def fetch(self, expression: Any) -> pa.Table:
        """Runs an expression.

        Raises:
            AggregateError: The engine failed. Its own message may quote data and is dropped, also as a context.
        """
        return attempted(
            lambda: self._run(expression),
            AggregateError(
                "the engine could not compute the aggregate",
                hint="Is there enough memory and disk, and is the source whole? The engine's own words may hold data.",
            ),
        )

    def _run(self, expression: Any) -> pa.Table:
        """Ibis's own way would have DuckDB plan twice: once for the types of the result, once for the result."""
        if self.engine.name == "pyspark":
            from privkit.dp.clusters import fetched as fetched_from_spark

            return fetched_from_spark(self.backend, expression)
        if self.engine.name == "postgres":
            from privkit.dp.servers import fetched as fetched_from_postgres

            return fetched_from_postgres(self.backend, expression)
        if self.engine.name != "duckdb":
            return self.backend.to_pyarrow(expression)
        sql, literals = (_compiled if self.named else _compiled.__wrapped__)(expression.op())
        connection = self.backend.con
        for name, rows in literals:
            connection.register(name, rows)
        try:
            return self.backend.raw_sql(sql).to_arrow_table()
        finally:
            for name, _ in literals:
                connection.unregister(name)

    @property
    def software(self) -> Mapping[str, str]:
        """Versions of the engine, and of what talks to it."""
        if self.engine.name == "duckdb":
            return versions_of("duckdb")
        if self.engine.name == "pyspark":
            return {**versions_of("pyspark"), "spark": str(self.backend._session.version)}
        if self.engine.name == "postgres":
            return {**versions_of("psycopg"), "postgresql": str(self.backend.version)}
        return versions_of(*_DRIVERS.get(self.engine.name, ()))

    def close(self) -> None:
        """Closes the connection, if it is ours."""
        with suppress(Exception):
            (self.closing or self.backend.disconnect)()
        if self.spill is not None:
            self.spill.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@lru_cache(maxsize=64)
def _compiled(expression: ops.Node) -> tuple[str, tuple[tuple[str, pa.Table], ...]]:
    """DuckDB's SQL, and the tables that stand in the expression itself, by the names that the SQL has for them."""
    literals = expression.find(ops.InMemoryTable)
    sql = ibis.to_sql(expression.to_expr(), dialect="duckdb", pretty=False)
    return str(sql), tuple((table.name, table.data.to_pyarrow(table.schema)) for table in literals)


def attempted(work: Callable[[], _Result], failure: PrivkitError) -> _Result:
    """What `work` gives; else `failure`, with nothing of the original error about it.

    Ibis 12 warns of DuckDB 2's names; where warnings are errors that is no failure of ours.
    """
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()
    raise failure


def open_table(spec: DatasetSpec, folder: Path, frame: object = None, room: Room = ANY_ROOM) -> Table:
    """Opens a dataset's source and checks its schema.

    Args:
        spec: The description.
        folder: What relative paths are relative to: where the description is.
        frame: The data itself, where there is no source: a pandas or Spark DataFrame, or an Ibis table.
        room: What an embedded engine may take of memory, and where it spills.

    Returns:
        To be closed, or used with `with`.

    Raises:
        DatasetError: The source is gone, cannot be opened, or its schema is not what the description says.
        MissingExtraError: The backend of the source's URL is not installed.
        OutputError: The folder to spill to cannot be used.
        EngineError: Spark does not start.
    """
    opened = _opened(spec, folder, frame, room)
    try:
        _check(spec, opened)
    except BaseException:
        opened.close()
        raise
    return opened


def schema_of(source: str, folder: Path, table: str | None = None) -> dict[str, dt.DataType]:
    """A source's names and types, for a draft of its description: no row is read. Of CSV all types are text.

    Raises:
        DatasetError: The source is gone, cannot be opened, or names two columns alike.
        MissingExtraError: The backend of the source's URL is not installed.
    """
    if "://" in source:
        with _drafted(source, folder, table or "") as opened:
            return dict(opened.schema)
    opened, names = _files(source, folder)
    with opened:
        twice = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
        if twice:
            raise DatasetError(f"{source}: {', '.join(twice)} stands more than once among the columns")
        return dict(opened.schema)


def _drafted(source: str, folder: Path, table: str) -> Table:
    """Whatever the engine: for a draft its schema is enough."""
    scheme, _, rest = source.partition("://")
    if scheme == "duckdb":
        return _duckdb_file(rest, folder, table, ANY_ROOM)
    if scheme == "pyspark":
        from privkit.dp.clusters import spark_table

        return spark_table(source, table, ())
    from privkit.dp.servers import server_table

    return server_table(source, table, accepted=True)


def drafted_types(source: str, folder: Path, table: str | None = None) -> dict[str, str]:
    """What each column would be declared as, by its type alone: integer, float, boolean, date or category.

    Args:
        source: File, glob or Ibis URL.
        folder: What relative paths are relative to.
        table: The table, where the source is a database.

    Raises:
        DatasetError: As `schema_of`.
        MissingExtraError: As `schema_of`.
    """
    return {name: declared_as(kind) for name, kind in schema_of(source, folder, table).items()}


def declared_as(kind: dt.DataType) -> str:
    """What a column of this type would be declared as: integer, float, boolean, date or category."""
    if kind.is_integer():
        return "integer"
    if kind.is_floating() or kind.is_decimal():
        return "float"
    if kind.is_boolean():
        return "boolean"
    return "date" if kind.is_date() or kind.is_timestamp() else "category"


# ---- opening


def _opened(spec: DatasetSpec, folder: Path, frame: object, room: Room) -> Table:
    wanted = _wanted(spec)
    if frame is not None:
        if not _is_pandas(frame):
            from privkit.dp.given import given_table

            return given_table(frame, wanted, accepted=spec.accept_untested_engine)
        check_once([str(name) for name in frame.columns], wanted, "the frame")
        return _of_frame(frame, [name for name in wanted if name in frame.columns], room)
    if spec.source is None:
        raise DatasetError(f"{spec.name}: the description names no source, and no data was given")
    if spec.engine == "spark":
        from privkit.dp.clusters import spark_files

        return spark_files(spec, folder, wanted)
    if "://" in spec.source:
        return _database(spec, folder, wanted, room)
    opened, names = _files(spec.source, folder, room)
    try:
        check_once(names, wanted, spec.source)
    except DatasetError:
        opened.close()
        raise
    return opened


def _is_pandas(frame: object) -> TypeGuard[pd.DataFrame]:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(frame, pandas.DataFrame)


def _wanted(spec: DatasetSpec) -> list[str]:
    """The source's names of all that is declared, the unit first."""
    unit = [] if spec.privacy_unit.column is None else [spec.privacy_unit.column]
    return list(dict.fromkeys([*unit, *(spec.source_name(name) for name in spec.columns)]))


def _embedded(room: Room, paths: Sequence[str] = (), database: str = ":memory:") -> tuple[Any, Scratch]:
    spill = Scratch("spill", room.spill)
    failure = DatasetError(f"{Path(database).name}: cannot be opened as a DuckDB database")
    try:
        return attempted(lambda: connected(paths, database, spill.path, room), failure), spill
    except BaseException:
        spill.close()
        raise


def _of_frame(frame: pd.DataFrame, names: Sequence[str], room: Room) -> Table:
    failure = DatasetError(
        "the frame cannot be read",
        hint="Declared columns hold numbers, texts, booleans, dates or categories, under names of one level.",
    )
    backend, spill = _embedded(room)
    rows = attempted(lambda: ibis.memtable(arrow_of(frame, names)), failure)
    return Table(backend, rows, dict(rows.schema().items()), engine_of("duckdb"), spill)


def _files(source: str, folder: Path, room: Room = ANY_ROOM) -> tuple[Table, list[str]]:
    paths = expanded(source, folder)
    delimited = delimited_of(paths[0], source)
    names = _common_header(paths, delimited, source) if delimited else parquet_names(paths, source)
    backend, spill = _embedded(room, paths)

    def read() -> Any:
        if delimited is None:
            return backend.read_parquet(paths, table_name=_VIEW, **_NO_FOLDERS)
        return backend.read_csv(paths, table_name=_VIEW, columns=_told_apart(names), **delimited.options, **_NO_FOLDERS)

    try:
        rows = attempted(read, DatasetError(f"{source}: cannot be read as {'CSV' if delimited else 'Parquet'}"))
    except DatasetError:
        Table(backend, None, {}, engine_of("duckdb"), spill).close()
        raise
    rows = ibis.table(rows.schema(), name=_VIEW)
    return Table(backend, rows, dict(rows.schema().items()), engine_of("duckdb"), spill, named=True), names


def expanded(source: str, folder: Path) -> list[str]:
    """The files that a path, folder or glob names: absolute, sorted, all of one kind.

    Raises:
        DatasetError: There are none, or of several kinds.
    """
    pattern = str(folder / source)
    paths = [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if len(paths) == 1 and Path(paths[0]).is_dir():
        paths = _held(Path(paths[0]), source)
    files = [str(Path(path).absolute()) for path in paths if Path(path).is_file()]
    if not files and any(Path(path).is_dir() for path in paths):
        raise DatasetError(f"{source}: only folders", hint=f"Name the files in them: {source.rstrip('/')}/*.parquet")
    if not files:
        raise DatasetError(f"{source}: no such file", hint="Relative paths start where the description is.")
    if len({delimited_of(path, source) for path in files}) > 1:
        raise DatasetError(f"{source}: files of several kinds; one kind is wanted")
    return files


def _held(folder: Path, source: str) -> list[str]:
    """A folder's files. Names that begin with _ or . are marks of whoever wrote it, such as Spark's _SUCCESS."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith(("_", ".")))
    if any(path.is_dir() for path in inside):
        raise DatasetError(
            f"{source}: there are folders in it, whose names might be a column",
            hint=f"If they are none, name the files: {source.rstrip('/')}/**/*.parquet",
        )
    if not inside:
        raise DatasetError(f"{source}: an empty folder")
    return [str(path) for path in inside]


def _common_header(paths: Sequence[str], delimited: Delimited, source: str) -> list[str]:
    names = header_of(Path(paths[0]), delimited)
    for path in paths[1:]:
        if header_of(Path(path), delimited) != names:
            raise DatasetError(f"{source}: {Path(path).name} has another header than {Path(paths[0]).name}")
    return names


def parquet_names(paths: Sequence[str], source: str) -> list[str]:
    """The columns of Parquet files, by their footers.

    Raises:
        DatasetError: One is not Parquet, or has another schema than the first.
    """
    schemas = [_parquet_schema(path, source) for path in paths]
    for path, schema in zip(paths, schemas, strict=True):
        if not schema.equals(schemas[0]):
            raise DatasetError(f"{source}: {Path(path).name} has another schema than {Path(paths[0]).name}")
    return list(schemas[0].names)


def _parquet_schema(path: str, source: str) -> pa.Schema:
    which = "" if Path(source).name == Path(path).name else f"{Path(path).name}: "
    failure = DatasetError(f"{source}: {which}no Parquet file, or not the whole of one")
    return attempted(lambda: pq.read_schema(path).remove_metadata(), failure)


def _told_apart(names: Sequence[str]) -> dict[str, str]:
    """Every column as text. Doubled names are refused only where they are used: the others get a number."""
    seen: Counter[str] = Counter()
    found = {}
    for name in names:
        seen[name.casefold()] += 1
        found[name if seen[name.casefold()] == 1 else f"{name} #{seen[name.casefold()]}"] = "VARCHAR"
    return found


def _database(spec: DatasetSpec, folder: Path, wanted: Sequence[str], room: Room) -> Table:
    assert spec.source is not None
    scheme, _, rest = spec.source.partition("://")
    table = spec.table or spec.name
    if scheme == "duckdb":
        return _duckdb_file(rest, folder, table, room)
    if scheme == "pyspark":
        from privkit.dp.clusters import spark_table

        return spark_table(spec.source, table, wanted, master=spec.master)
    from privkit.dp.servers import server_table

    return server_table(spec.source, table, accepted=spec.accept_untested_engine)


def _duckdb_file(rest: str, folder: Path, table: str, room: Room) -> Table:
    path = folder / rest
    if not path.is_file():
        raise DatasetError(f"{rest}: no such file", hint="Relative paths start where the description is.")
    backend, spill = _embedded(room, database=str(path.absolute()))
    opened = Table(backend, None, {}, engine_of("duckdb", collated=True), spill)
    try:
        rows = table_of(backend, table, rest)
    except DatasetError:
        opened.close()
        raise
    return Table(backend, rows, dict(rows.schema().items()), engine_of("duckdb", collated=True), spill)


def table_of(backend: Any, table: str, where: str) -> Any:
    """Tables' names are public, like columns'."""
    *before, last = table.split(".")
    for name, database in ((table, None), (last, tuple(before) if len(before) > 1 else "".join(before))):
        with suppress(DatasetError):
            return attempted(partial(backend.table, name, database=database or None), DatasetError(where))
    held: list[str] = []
    with suppress(DatasetError):
        held = sorted(attempted(lambda: _tables(backend), DatasetError(where)))
    known = f" It has: {', '.join(held[:20])}." if held else ""
    raise DatasetError(
        f"{where}: no table {table!r} that can be read" if table else f"{where}: which of its tables is wanted?",
        hint=f"Name it with `table:` (`privkit dataset init`: --table).{known}",
    )


def _tables(backend: Any) -> list[str]:
    if backend.name != "duckdb":
        return [*backend.list_tables()]
    # Ibis 12's list_tables calls what DuckDB 2 has no more.
    asked = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    return [name for (name,) in backend.raw_sql(asked).fetchall()]


# ---- checking


def check_once(names: Iterable[str], wanted: Iterable[str], source: str) -> None:
    """Engines fold case: names that differ in case only are the same to them."""
    held = Counter(name.casefold() for name in names)
    twice = [name for name in wanted if held[name.casefold()] > 1]
    if twice:
        raise DatasetError(
            f"{source}: {', '.join(twice)} stands more than once among the columns (upper and lower case are alike)"
        )


def _check(spec: DatasetSpec, table: Table) -> None:
    for name, declared in spec.columns.items():
        held = spec.source_name(name)
        kind = _type_of(table, held, f"column {name}")
        if not can_be_read(kind, declared):
            raise DatasetError(
                f"column {name} is declared {declared.type}; the source's {held} has type {_spelled(kind)},"
                " which cannot be read so"
            )
    unit = spec.privacy_unit.column
    if unit is not None and not can_name_units(kind := _type_of(table, unit, "the privacy unit")):
        raise DatasetError(
            f"the privacy unit's column {unit} has type {_spelled(kind)}: whole numbers, texts or UUIDs are wanted",
            hint="Floats, dates and times are written differently by different engines; store the unit as text.",
        )


def _type_of(table: Table, name: str, what: str) -> dt.DataType:
    if name in table.schema:
        return table.schema[name]
    alike = [held for held in table.schema if held.casefold() == name.casefold()]
    hint = f"The source has {alike[0]}." if alike else f"It has: {', '.join(sorted(table.schema)[:20]) or 'none'}."
    raise DatasetError(f"{what}: the source has no column {name}", hint=hint)


def _spelled(kind: dt.DataType) -> str:
    return str(kind)
