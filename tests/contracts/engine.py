"""Tables for the engines' contract: the same rows in DuckDB, in Spark and on a PostgreSQL server."""

import io
import warnings

import ibis
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from privkit.dp.dialects import engine_of
from privkit.dp.sources import Table

POSTGRES = {
    pa.int8(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamptz",
    pa.decimal128(24, 3): "numeric(24, 3)",
}


class Shown(Table):
    """Shows the engine's own error: the data here is ours."""

    def fetch(self, expression):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as `attempted` does: DuckDB 2 warns of what Ibis 12 calls
            return self._run(expression)

    def without(self, column, value):
        """The same table without the rows that have a value."""
        rows = self.rows
        kept = rows.filter(rows[column].isnull() | (rows[column] != ibis.literal(value)))
        return Shown(self.backend, kept, self.schema, self.engine)


def shown(backend, rows):
    """An open table whose connection is the test's."""
    return Shown(backend, rows, dict(rows.schema().items()), engine_of(backend.name))


class DuckDB:
    """In memory."""

    name = "duckdb"

    def __init__(self):
        self.backend = ibis.duckdb.connect()

    def table(self, held):
        return shown(self.backend, ibis.memtable(held))


class Spark:
    """From a Parquet file, in the session of the tests.

    Compiled code pays for many rows: the small tables are interpreted, the large ones not.
    """

    name = "pyspark"

    def __init__(self, session, folder):
        self.session, self.folder, self.count = session, folder, 0
        self.backend = ibis.pyspark.connect(session)
        self.compiled(False)

    def compiled(self, wanted):
        self.session.conf.set("spark.sql.codegen.wholeStage", str(wanted).lower())
        self.session.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if wanted else "NO_CODEGEN")

    def table(self, held):
        self.count += 1
        path = self.folder / f"{self.count}.parquet"
        pq.write_table(held, path)
        name = f"privkit_contract_{self.count}"
        self.session.read.parquet(str(path)).createOrReplaceTempView(name)
        return shown(self.backend, self.backend.table(name))


class Postgres:
    """In a database of its own."""

    name = "postgres"

    def __init__(self, cluster):
        self.backend = ibis.connect(cluster.url(cluster.database()))
        self.count = 0

    def table(self, held, types=None):
        self.count += 1
        name = f"rows_{self.count}"
        kinds = {f.name: POSTGRES[f.type] for f in held.schema} | (types or {})
        with self.backend.con.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} ({', '.join(f'{n} {k}' for n, k in kinds.items())})")
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in held.to_pylist():
                    copy.write_row([row[n] for n in kinds])
        return shown(self.backend, self.backend.table(name))

    def large_table(self, held):
        """The same by CSV, for many rows without empty texts."""
        name, data = "many_rows", io.BytesIO()
        pyarrow.csv.write_csv(held, data, pyarrow.csv.WriteOptions(include_header=False))
        columns = ", ".join(f"{f.name} {POSTGRES[f.type]}" for f in held.schema)
        with self.backend.con.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} ({columns})")
            with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
                copy.write(data.getvalue())
            cursor.execute(f"ANALYZE {name}")
        return shown(self.backend, self.backend.table(name))
