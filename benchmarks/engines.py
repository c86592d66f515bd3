"""One release where the rows are: DuckDB and Spark over the same Parquet, PostgreSQL over a table with the same rows.

COUNT(*) and AVG(income) by 50 regions, ε = 1, one group and one row of a user counting; once with every row another
user, once with ten rows a user. A release is all that a session does: plan, charge, aggregate, noise, stored answer.
Processor time is that of this process and of the engine: the server's processes, Spark's JVM. Each engine is warm: it
has released the same before. How long Spark takes to start is told apart.

    python benchmarks/engines.py [--rows 1000000] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq
from inputs import HIGHEST_INCOME, REGIONS, write_people_parquet
from measuring import publish

import privkit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
SQL = "SELECT region, COUNT(*) AS n, AVG(income) AS income FROM people GROUP BY region"
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def dataset_of(source: str | Path, folder: Path, **more: str) -> privkit.Dataset:
    """The people, with a budget of their own."""
    made = privkit.Dataset(
        source,
        name="people",
        unit={"column": "user_id", "max_groups": 1, "max_rows_per_group": 1, "max_units": 20_000_000},
        columns={
            "region": {"type": "category", "categories": REGIONS},
            "income": {"type": "float", "bounds": (0, HIGHEST_INCOME), "granularity": 1, "missing": 0},
        },
        budget={"epsilon": 1000, "measure": "pure"},
        ledger=folder / f"{len(list(folder.glob('*.sqlite3')))}.ledger.sqlite3",
        **more,
    )
    privkit.create_budget(made, accept_high_loss="a benchmark on made-up people")
    return made


def measured(dataset: privkit.Dataset, runs: int, engine: Callable[[], float]) -> dict[str, float]:
    """Medians over releases in sessions of their own."""

    def release() -> None:
        with privkit.Session(dataset, analyst="benchmark") as session:
            session.sql(SQL, epsilon=1, fresh=True)

    release()
    release()
    walls, processors = [], []
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time() + engine()
        release()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() + engine() - processor)
    return {"wall_s": round(statistics.median(walls), 3), "cpu_s": round(statistics.median(processors), 2)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    import postgres

    from privkit.engines.spark import spark_session

    found: dict[str, dict[str, dict[str, float]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = postgres.Cluster()
        stack.callback(cluster.close)
        os.environ["PGPASSWORD"] = postgres.PASSWORD
        server = int((cluster.data / "postmaster.pid").read_text().split()[0])
        started = time.perf_counter()
        spark = stack.enter_context(spark_session("local[2]"))
        start = round(time.perf_counter() - started, 1)
        jvm = spark.sparkContext._gateway.proc.pid
        for rows_each in (1, 10):
            source = folder / f"people-{rows_each}.parquet"
            write_people_parquet(source, arguments.rows, rows_each)
            url = loaded(cluster, source)
            found[f"{rows_each} rows a user"] = {
                "duckdb": measured(dataset_of(source, folder), arguments.runs, lambda: 0.0),
                "postgresql": measured(dataset_of(url, folder), arguments.runs, lambda: processor_seconds(server)),
                "spark": measured(
                    dataset_of(source, folder, engine="spark"), arguments.runs, lambda: processor_seconds(jvm)
                ),
            }
    ratios = {
        case: {name: round(cost["wall_s"] / costs["duckdb"]["wall_s"], 1) for name, cost in costs.items()}
        for case, costs in found.items()
    }
    publish({"rows": arguments.rows, "spark_start_s": start, "releases": found, "wall_over_duckdb": ratios})


def loaded(cluster: object, source: Path) -> str:
    """The rows in a database of their own."""
    import ibis

    url = cluster.url(cluster.database())
    backend = ibis.connect(url)
    table = pq.read_table(source, columns=["user_id", "region", "income"])
    with backend.con.cursor() as cursor:
        cursor.execute("CREATE TABLE people (user_id bigint, region text, income double precision)")
        with cursor.copy("COPY people FROM STDIN") as copy:
            for row in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
                copy.write_row(row)
        cursor.execute("VACUUM ANALYZE people")
    backend.disconnect()
    return url


if __name__ == "__main__":
    main()
