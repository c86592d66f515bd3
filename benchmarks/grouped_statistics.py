"""COUNT(*) and AVG(income) by region, one group and one row of a user counting, ε = 1: privkit, its peers and DuckDB.

Everyone gets the same Parquet (user_id, 50 regions, age, income; every row another user, the worst case for bounding,
and once ten rows a user) and starts in a process of its own, which releases the same from 10,000 rows first. privkit's
release is all that a session does: plan, charge to a ledger on disk, aggregate, noise, stored answer, intervals.

- `opendp`: the polars Context with `identifier=` and `truncate_per_group(1)`, as its guide has it; ε is split evenly.
- `opendp_group_by`: the same with the truncation written as a group-by, which is faster.
- `pipeline_dp`: its local backend, on Python rows; up to a million of them. Reading the file is left out.
- `duckdb`: the bounded aggregate alone, in SQL by hand as fast as we could make it: no noise, no ledger.
- `duckdb_ranked`: the same as one would write it first. `duckdb_unbounded`: the plain group-by, without any bounding.

    python benchmarks/grouped_statistics.py [--rows 1000000 10000000] [--runs 3] [--releases 10]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inputs import HIGHEST_INCOME, REGIONS, write_people_parquet
from measuring import command_result, publish

PEERS = ("privkit", "opendp", "opendp_group_by", "pipeline_dp", "duckdb", "duckdb_ranked", "duckdb_unbounded")
NEEDS = {"opendp": "polars", "opendp_group_by": "polars", "pipeline_dp": "pipeline_dp"}
MOST_PIPELINE_DP_ROWS = 1_000_000
MOST_UNITS = 20_000_000  # declared, not counted

Answer = Mapping[str, tuple[float, float]]
"""Count and mean by region."""


# ---- the peers: each gives a function that releases once


def privkit_release(source: Path, folder: Path) -> Callable[[], Answer]:
    """A session of its own for each release, as `privkit release` has."""
    import privkit

    dataset = privkit.Dataset(
        source,
        name="people",
        unit={"column": "user_id", "max_groups": 1, "max_rows_per_group": 1, "max_units": MOST_UNITS},
        columns={
            "region": {"type": "category", "categories": REGIONS},
            "income": {"type": "float", "bounds": (0, HIGHEST_INCOME), "granularity": 1, "missing": 0},
        },
        budget={"epsilon": 1000, "measure": "pure"},
        ledger=folder / f"{source.stem}.ledger.sqlite3",
    )
    privkit.create_budget(dataset, accept_high_loss="a benchmark on made-up people")

    def release() -> Answer:
        with privkit.Session(dataset, analyst="benchmark") as session:
            found = session.sql(
                "SELECT region, COUNT(*) AS n, AVG(income) AS income FROM people GROUP BY region", epsilon=1, fresh=True
            ).to_pandas()
        return {region: (n, mean) for region, n, mean in zip(found["region"], found["n"], found["income"], strict=True)}

    return release


def opendp_release(source: Path, *, group_by: bool) -> Callable[[], Answer]:
    """A context of its own for each release: its budget is for one."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    keys = pl.LazyFrame({"region": REGIONS})

    def release() -> Answer:
        context = dp.Context.compositor(
            data=pl.scan_parquet(source),
            privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("user_id")),
            privacy_loss=dp.loss_of(epsilon=1.0),
            split_evenly_over=1,
            margins=[
                dp.polars.Margin(max_length=MOST_UNITS),
                dp.polars.Margin(by=["region"], max_length=MOST_UNITS, max_groups=len(REGIONS)),
            ],
        )
        query = context.query()
        if group_by:
            query = query.group_by("user_id").agg(pl.col("region").first(), pl.col("income").first())
        else:
            query = query.truncate_per_group(1)
        income = pl.col("income").cast(int).fill_null(0)
        query = query.group_by("region").agg(dp.len(), income.dp.mean((0, HIGHEST_INCOME))).with_keys(keys)
        found = query.release().collect()
        return {region: (n, mean) for region, n, mean in found.select("region", "len", "income").iter_rows()}

    return release


def pipeline_dp_release(source: Path) -> Callable[[], Answer]:
    """On rows that are in memory already."""
    import pipeline_dp as pdp
    import pyarrow.parquet as pq

    table = pq.read_table(source, columns=["user_id", "region", "income"])
    rows = list(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
    extractors = pdp.DataExtractors(
        privacy_id_extractor=lambda row: row[0],
        partition_extractor=lambda row: row[1],
        value_extractor=lambda row: row[2],
    )
    wanted = pdp.AggregateParams(
        noise_kind=pdp.NoiseKind.LAPLACE,
        metrics=[pdp.Metrics.COUNT, pdp.Metrics.MEAN],
        max_partitions_contributed=1,
        max_contributions_per_partition=1,
        min_value=0,
        max_value=HIGHEST_INCOME,
    )

    def release() -> Answer:
        budget = pdp.NaiveBudgetAccountant(total_epsilon=1, total_delta=0)
        engine = pdp.DPEngine(budget, pdp.LocalBackend())
        found = engine.aggregate(rows, wanted, extractors, public_partitions=list(REGIONS))
        budget.compute_budgets()
        return {region: (metrics.count, metrics.mean) for region, metrics in found}

    return release


RANKED = """
    WITH part AS (  -- what a user has in each region, on the grid
        SELECT user_id, region, count(*) AS n, sum({index}) AS k, sum({highest} - {index}) AS rest,
               hash(user_id, region) AS lot
        FROM '{source}' WHERE user_id IS NOT NULL AND income IS NOT NULL AND region IN ({regions})
        GROUP BY user_id, region
    ), chosen AS (  -- one of them, by lot
        SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY lot) AS place FROM part
    )
    SELECT region, sum(k // n) AS k, sum(rest // n) AS rest FROM chosen WHERE place = 1 GROUP BY region
"""
TUNED = """
    WITH code AS (SELECT unnest([{regions}]) AS region, unnest(range({count})) AS number),
    row AS NOT MATERIALIZED (
        SELECT user_id, number, {index} AS k FROM '{source}' JOIN code USING (region)
        WHERE user_id IS NOT NULL AND income IS NOT NULL
    ), unit AS MATERIALIZED (
        SELECT user_id, min(number) AS number, max(number) AS last, count(*) AS n, sum(k) AS k,
               sum({highest} - k) AS rest
        FROM row GROUP BY user_id
    ), part AS (  -- only users in several regions need a lot
        SELECT user_id, number, count(*) AS n, sum(k) AS k, sum({highest} - k) AS rest, hash(user_id, number) AS lot
        FROM row WHERE user_id IN (SELECT user_id FROM unit WHERE number <> last) GROUP BY user_id, number
    ), chosen AS (
        SELECT number, n, k, rest FROM unit WHERE number = last UNION ALL
        SELECT number, n, k, rest FROM part QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY lot) = 1
    ), total AS (SELECT number, sum(k // n) AS k, sum(rest // n) AS rest FROM chosen GROUP BY number)
    SELECT region, k, rest FROM total JOIN code USING (number)
"""
UNBOUNDED = """
    SELECT region, sum({index}) AS k, sum({highest} - {index}) AS rest FROM '{source}'
    WHERE income IS NOT NULL AND region IN ({regions}) GROUP BY region
"""
SQL = {"duckdb": TUNED, "duckdb_ranked": RANKED, "duckdb_unbounded": UNBOUNDED}


def duckdb_release(source: Path, sql: str) -> Callable[[], Answer]:
    """By hand, and exact: the sums of k and of R − k."""
    import duckdb

    index = f"floor(least(greatest(income, 0), {HIGHEST_INCOME}) + 0.5)::BIGINT"
    regions = ", ".join(f"'{region}'" for region in REGIONS)
    text = sql.format(index=index, highest=HIGHEST_INCOME, source=source, regions=regions, count=len(REGIONS))

    def release() -> Answer:
        with duckdb.connect() as connection:
            rows = connection.execute(text).fetchall()
        return {region: ((k + rest) / HIGHEST_INCOME, HIGHEST_INCOME * k / (k + rest)) for region, k, rest in rows}

    return release


def release_of(peer: str, source: Path, folder: Path) -> Callable[[], Answer]:
    """What a peer does."""
    match peer:
        case "privkit":
            return privkit_release(source, folder)
        case "pipeline_dp":
            return pipeline_dp_release(source)
        case "duckdb" | "duckdb_ranked" | "duckdb_unbounded":
            return duckdb_release(source, SQL[peer])
        case _:
            return opendp_release(source, group_by=peer == "opendp_group_by")


# ---- a process for each


def run_child(peer: str, sources: list[Path], releases: int) -> None:
    """Releases from each source, the last one `releases` times, and prints what that took."""
    with tempfile.TemporaryDirectory() as folder:
        for source in sources[:-1]:
            release_of(peer, source, Path(folder))()
        release = release_of(peer, sources[-1], Path(folder))
        wall, cpu, answers = [], [], []
        for _ in range(releases):
            started = time.perf_counter(), time.process_time()
            answers.append(release())
            wall.append(time.perf_counter() - started[0])
            cpu.append(time.process_time() - started[1])
    json.dump({"wall": wall, "cpu": cpu, "answers": answers}, sys.stdout)


def child(peer: str, sources: list[Path], releases: int = 1) -> dict[str, Any]:
    """The same in a process of its own, with its peak memory."""
    command = [sys.executable, __file__, "--child", peer, "--releases", str(releases), "--source", *map(str, sources)]
    result, cost = command_result(command)
    return {**result, "peak_mb": cost.peak_mb}


def table(rows: int, rows_per_unit: int, peers: list[str], runs: int, folder: Path) -> dict[str, Any]:
    """Every peer on one file, in turn, `runs` times; medians."""
    few = write_people_parquet(folder / "few.parquet", 10_000, rows_per_unit)
    source = write_people_parquet(folder / f"{rows}_{rows_per_unit}.parquet", rows, rows_per_unit)
    taking_part = [peer for peer in peers if peer != "pipeline_dp" or rows <= MOST_PIPELINE_DP_ROWS]
    found: dict[str, list[dict[str, Any]]] = {peer: [] for peer in taking_part}
    for _ in range(runs):
        for peer, results in found.items():
            results.append(child(peer, [few, source]))
    source.unlink()
    medians = {
        peer: {
            "wall_seconds": statistics.median(result["wall"][0] for result in results),
            "cpu_seconds": statistics.median(result["cpu"][0] for result in results),
            "peak_mb": statistics.median(result["peak_mb"] for result in results),
        }
        for peer, results in found.items()
    }
    ours = medians["privkit"]
    return {
        "rows": rows,
        "rows_per_unit": rows_per_unit,
        **{name: {peer: round(cost[name], 3) for peer, cost in medians.items()} for name in ours},
        "wall_of_privkit_to": {
            peer: round(ours["wall_seconds"] / cost["wall_seconds"], 3) for peer, cost in medians.items()
        },
        "times_as_fast_as": {
            peer: round(cost["wall_seconds"] / ours["wall_seconds"], 2) for peer, cost in medians.items()
        },
        "memory_of_privkit_to": {peer: round(ours["peak_mb"] / cost["peak_mb"], 3) for peer, cost in medians.items()},
    }


def accuracy(rows: int, peers: list[str], releases: int, folder: Path) -> dict[str, Any]:
    """Mean absolute relative error of the regions' means and counts, over the regions and over many releases."""
    source = write_people_parquet(folder / "accuracy.parquet", rows)
    exact = duckdb_release(source, UNBOUNDED)()

    def error(answers: list[Answer], place: int) -> float:
        each = (abs(answer[r][place] / exact[r][place] - 1) for answer in answers for r in REGIONS)
        return statistics.fmean(each)

    answers = {peer: child(peer, [source], releases)["answers"] for peer in peers if peer in ("privkit", "opendp")}
    return {
        "rows": rows,
        "releases": releases,
        "error_of_means": {peer: float(f"{error(found, 1):.3g}") for peer, found in answers.items()},
        "error_of_counts": {peer: float(f"{error(found, 0):.3g}") for peer, found in answers.items()},
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--releases", type=int, default=10, help="for the accuracy")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        run_child(given.child, given.source, given.releases)
        return
    peers = [peer for peer in given.peers if importlib.util.find_spec(NEEDS.get(peer, "privkit"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = [table(rows, 1, peers, given.runs, folder) for rows in given.rows]
        tables.append(table(max(given.rows), 10, peers, given.runs, folder))
        errors = accuracy(min(given.rows), peers, given.releases, folder)
    publish(
        {
            "benchmark": "grouped_statistics",
            "not_installed": sorted(set(given.peers) - set(peers)),
            "tables": tables,
            "accuracy": errors,
        }
    )


if __name__ == "__main__":
    main()
