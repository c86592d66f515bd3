"""Tables that a user already has open: an Ibis table, or a Spark DataFrame. Their connections stay theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from privkit.dp.clusters import given_frame
from privkit.dp.dialects import engine_of
from privkit.dp.servers import check_accepted, check_collations
from privkit.dp.sources import Table, attempted, check_once
from privkit.engines.spark import is_spark_frame
from privkit.errors import DatasetError


def given_table(held: Any, wanted: Sequence[str], *, accepted: bool) -> Table:
    """Opens what the user has.

    Args:
        held: An Ibis table of a connection, or a Spark DataFrame.
        wanted: Columns that have to be there once.
        accepted: Whether an engine may be taken that no test has run on.

    Raises:
        DatasetError: It is neither, belongs to no or to several connections, or its engine is not known.
    """
    if is_spark_frame(held):
        return given_frame(held, wanted)
    if not isinstance(held, ir.Table):
        raise DatasetError("the data is a pandas or Spark DataFrame, an Ibis table, or the path or URL of a source")
    backend = attempted(
        held.get_backend,
        DatasetError(
            "the Ibis table belongs to no connection, or to more than one",
            hint="Take one from a connection: connection.table(NAME).",
        ),
    )
    engine = engine_of(backend.name, collated=True)
    check_accepted(backend.name, accepted)
    schema = dict(held.schema().items())
    check_once(schema, wanted, "the table")
    if backend.name == "postgres":
        check_collations(backend, held, {name: schema[name] for name in wanted if name in schema})
    if backend.name == "duckdb":
        _check_settings(backend, [schema[name] for name in wanted if name in schema])
    return Table(backend, held, schema, engine, closing=_stays)


def _stays() -> None:
    """Whoever opened it closes it."""


def _check_settings(backend: Any, kinds: Sequence[dt.DataType]) -> None:
    """What of a DuckDB connection would change which texts are equal, and on which day a moment is."""
    asked = "SELECT current_setting('default_collation'), current_setting('TimeZone')"
    ((collation, zone),) = attempted(
        lambda: backend.raw_sql(asked).fetchall(), DatasetError("the connection's settings cannot be read")
    )
    if str(collation).lower() not in ("", "binary", "c", "posix"):
        raise DatasetError(
            "the connection's default_collation takes different texts for equal",
            hint="SET default_collation = 'binary'",
        )
    zoned = any(kind.is_timestamp() and kind.timezone is not None for kind in kinds)
    if zoned and zone not in ("UTC", "Etc/UTC", "GMT"):
        raise DatasetError("the connection's TimeZone is not UTC: days would be others", hint="SET TimeZone = 'UTC'")
