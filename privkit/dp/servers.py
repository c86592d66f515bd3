"""Sources on servers: PostgreSQL, and the warehouses that were never run in a test."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ibis
import pyarrow as pa

from privkit.dp.dialects import COMPILED, TESTED, engine_of
from privkit.dp.sources import Table, attempted, table_of
from privkit.errors import DatasetError, MissingExtraError, PrivkitError

_SCHEMES = {"postgresql": "postgres"}
_EXTRAS = {"postgres": "privkit-toolkit[postgres]", "pyspark": "privkit-toolkit[spark]"}
_LOCAL = (
    "SET TRANSACTION READ ONLY",
    "SET LOCAL TIME ZONE 'UTC'",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL transform_null_equals = off",
)
_DETERMINISTIC = (
    "coalesce((SELECT c.collisdeterministic FROM pg_catalog.pg_collation c"
    " WHERE c.oid = pg_catalog.pg_collation_for(t.{name})::regcollation), true)"
)
_KNOWN = f"Known: {', '.join(f'{name}://' for name in ('duckdb', 'postgresql', 'pyspark', *COMPILED))}; or a file."


def server_table(url: str, table: str, *, accepted: bool) -> Table:
    """A table behind an Ibis URL.

    Args:
        url: Without a secret.
        table: Its name, perhaps with its schema before it.
        accepted: Whether an engine may be taken that no test has run on.

    Raises:
        DatasetError: The engine is not known, the server does not answer, or there is no such table.
        MissingExtraError: Its driver is not installed.
    """
    scheme = url.partition("://")[0]
    name = _SCHEMES.get(scheme, scheme)
    if name not in (*TESTED, *COMPILED):
        raise DatasetError(f"{scheme}://: no engine that private statistics are known to be right on", hint=_KNOWN)
    check_accepted(name, accepted)
    backend = _connected(name, url)
    try:
        rows = table_of(backend, table, f"{scheme}://")
        schema = dict(rows.schema().items())
        if name == "postgres":
            check_collations(backend, rows, schema)
        return Table(backend, rows, schema, engine_of(name))
    except PrivkitError:
        with suppress(Exception):
            backend.disconnect()
        raise


def check_accepted(name: str, accepted: bool) -> None:
    """Refuses an engine that no test has run on, unless the description says that this is known.

    Raises:
        DatasetError: It does not.
    """
    if name in COMPILED and not accepted:
        raise DatasetError(
            f"{name}: privkit's SQL for it is looked at by tests, and was never run",
            hint="Say `accept_untested_engine: true` in the description; every release then says so.",
        )


def check_collations(backend: Any, rows: Any, schema: Mapping[str, Any]) -> None:
    """Refuses text columns under whose collation different texts are equal: which one is shown would depend on rows.

    Raises:
        DatasetError: One has such a collation.
    """
    texts = [name for name, kind in schema.items() if kind.is_string()]
    if not texts:
        return
    asked = _asked(backend.compile(rows.select(*texts).limit(0)), texts)

    def found() -> Sequence[Any]:
        with backend.begin() as cursor:
            row: Sequence[Any] = cursor.execute(asked).fetchone()
            return row

    fine = attempted(found, DatasetError("postgresql://: the columns' collations cannot be read"))
    folded = [name for name, same in zip(texts, fine, strict=True) if not same]
    if folded:
        raise DatasetError(
            f"the texts of {', '.join(folded)} have a collation that takes different texts for equal",
            hint='Make a view that has them with COLLATE "C".',
        )


def _asked(sql: str, texts: Sequence[str]) -> str:
    """A query of one row: for each column whether equal texts are equal bytes."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in texts]
    tests = ", ".join(_DETERMINISTIC.format(name=name) for name in quoted)
    return f"SELECT {tests} FROM (SELECT 1) one LEFT JOIN ({sql}) t ON false"  # noqa: S608 - Ibis's own SQL


def fetched(backend: Any, expression: Any) -> pa.Table:
    """Not by Ibis: through its cursor on the server no query runs in parallel.

    What is set holds for the transaction: the connection may be the user's.
    """
    sql = backend.compile(expression)
    with backend.begin() as cursor:
        for rule in _LOCAL:
            cursor.execute(rule)
        rows = cursor.execute(sql).fetchall()
    schema = expression.schema().to_pyarrow()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _connected(name: str, url: str) -> Any:
    """A driver's own words may hold what the environment has of secrets."""
    missing = False
    try:
        return ibis.connect(url)
    except ImportError:
        missing = True
    except Exception:
        if os.environ.get("PRIVKIT_DEBUG") == "1":
            raise
    scheme = url.partition("://")[0]
    if missing:
        package = _EXTRAS.get(name, f"ibis-framework[{name}]")
        raise MissingExtraError(f"{scheme}://: its driver is not installed", hint=f"pip install '{package}'")
    raise DatasetError(
        f"{scheme}://: cannot connect",
        hint="Check the URL, whether the server answers, and what the environment says of user and password.",
    )
