"""What a grouped release on Spark sends between machines: counted on this one, and for 1e9 rows simulated.

The release is COUNT(*) and AVG(value) by one of 10,000 public groups, whose sizes fall as 1/rank. A description decides
what is shuffled, never the data:

- `rows`: every row is a unit. Each task sends a row a group that it saw.
- `one group`: a unit counts in one group. Every row goes to its unit's task.
- `four groups`: a unit counts in up to four. Each task sends a row for each pair of unit and group that it saw; then
  every pair goes to its unit's task.

Then each task sends a row a group, and the groups go to the driver. The model predicts how many records that are; on
small tables Spark's own counters say how many they were. For 1e9 rows one file's part is drawn at its true size, and
`bytes` are the model's records times Spark's bytes a record, compressed as Spark does it, and as they are.

    python benchmarks/shuffles.py [--rows 1000000] [--large 1000000000]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import publish

GROUPS = 10_000
ROWS_A_UNIT = 10
ROWS_A_FILE_PART = 5_000_000  # about 128 MB of Parquet, Spark's own size of a split
TASKS_AFTER = 1000  # spark.sql.shuffle.partitions of a cluster of that size
HERE = (8, 8)  # file parts and tasks after a shuffle on this machine
ROW_BYTES = 8  # of a field
SHAPES = {"rows": 0, "one group": 1, "four groups": 4}


@dataclass(frozen=True)
class Table:
    """Rows, how many parts they are read in, and whether a unit's rows lie together."""

    rows: int
    parts: int
    together: bool


# ---- the model


def shares() -> Any:
    """float64, shape (GROUPS,): how much of the rows each group has."""
    weights = 1 / np.arange(1, GROUPS + 1)
    return weights / weights.sum()


def drawn_groups(random: np.random.Generator, rows: int) -> Any:
    """int64, shape (rows,)."""
    return np.minimum(np.searchsorted(np.cumsum(shares()), random.random(rows)), GROUPS - 1)


def pairs_in_a_part(random: np.random.Generator, table: Table) -> int:
    """Different (unit, group) among the rows of one part."""
    rows = table.rows // table.parts
    units = np.arange(rows) // ROWS_A_UNIT if table.together else random.integers(table.rows // ROWS_A_UNIT, size=rows)
    return len(np.unique(units * GROUPS + drawn_groups(random, rows)))


def pairs(random: np.random.Generator, table: Table) -> int:
    """Different (unit, group) in all, from the groups of 100,000 units."""
    units = min(table.rows // ROWS_A_UNIT, 100_000)
    # Rows are drawn for units: each has about ROWS_A_UNIT of them, and exactly so many where they lie together.
    each = np.full(units, ROWS_A_UNIT) if table.together else random.poisson(ROWS_A_UNIT, size=units)
    held = np.repeat(np.arange(units), each)
    found = len(np.unique(held * GROUPS + drawn_groups(random, len(held))))
    return round(found / units * (table.rows // ROWS_A_UNIT))


def groups_in(rows: int) -> float:
    """How many groups are seen among so many rows: of each, 1 − (1 − share)^rows."""
    return float((1 - (1 - shares()) ** rows).sum())


def predicted(shape: str, table: Table, tasks: int) -> list[float]:
    """Records of each shuffle, in order."""
    random = np.random.default_rng(7)
    if shape == "rows":
        return [table.parts * groups_in(table.rows // table.parts)]
    if shape == "one group":
        counting = min(pairs(random, table), table.rows // ROWS_A_UNIT)
        return [table.rows, tasks * groups_in(counting // tasks)]
    every = pairs(random, table)
    counting = min(every, SHAPES[shape] * table.rows // ROWS_A_UNIT)
    return [table.parts * pairs_in_a_part(random, table), every, tasks * groups_in(counting // tasks)]


# ---- what Spark counts


def spec(shape: str) -> Any:
    """The description."""
    from privkit.model.dataset import DatasetSpec

    most = SHAPES[shape]
    unit = {"column": "unit", "max_groups": most, "max_rows_per_group": 1, "max_units": 10**9}
    return DatasetSpec.model_validate(
        {
            "name": "visits",
            "source": "visits/*.parquet",
            "version": "1",
            "privacy_unit": unit if most else "row",
            "budget": {"epsilon": 1, "measure": "pure"},
            "ledger": "visits.ledger.sqlite3",
            "columns": {
                "grp": {"type": "category", "categories": [f"g{number:05d}" for number in range(GROUPS)]},
                "value": {"type": "integer", "bounds": (0, 1000)},
            },
        }
    )


def write(folder: Path, table: Table) -> None:
    """The table, as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(11)
    labels = pa.array([f"g{number:05d}" for number in range(GROUPS)])
    rows = table.rows // table.parts
    for part in range(table.parts):
        first = part * rows
        units = (
            (first + np.arange(rows)) // ROWS_A_UNIT
            if table.together
            else random.integers(table.rows // ROWS_A_UNIT, size=rows)
        )
        columns = {
            "unit": units.astype(np.int64),
            "grp": labels.take(pa.array(drawn_groups(random, rows))),
            "value": random.integers(1001, size=rows),
        }
        pq.write_table(pa.table(columns), folder / f"{part}.parquet")


def counted(session: Any, shape: str, folder: Path) -> list[dict[str, float]]:
    """Records and compressed bytes of each shuffle, in order."""
    from privkit.dp.bounding import aggregate
    from privkit.dp.clusters import given_frame
    from privkit.dp.plan import plan
    from privkit.dp.sql import parse_sql

    described = spec(shape)
    sql = "SELECT grp, COUNT(*) AS n, AVG(value) AS mean FROM visits GROUP BY grp"
    made = plan(parse_sql(sql, described), described)
    before = max((stage["stage"] for stage in stages(session)), default=-1)
    with given_frame(session.read.parquet(str(folder)), ["unit", "grp", "value"]) as opened:
        aggregate(made, opened)
    written = [stage for stage in stages(session) if stage["stage"] > before and stage["records"]]
    return sorted(written, key=lambda stage: stage["stage"])


def stages(session: Any) -> list[dict[str, float]]:
    """What Spark's own book says of every stage that ran."""
    context = session.sparkContext._jsc.sc()
    context.listenerBus().waitUntilEmpty()  # the book is kept behind the work
    store = context.statusStore()
    defaults = [getattr(store, f"stageList$default${number}")() for number in range(2, 6)]
    found = store.stageList(None, *defaults)
    return [
        {
            "stage": stage.stageId(),
            "records": stage.shuffleWriteRecords(),
            "bytes": stage.shuffleWriteBytes(),
        }
        for stage in (found.apply(place) for place in range(found.size()))
    ]


# ---- together


def main(rows: int, large: int) -> None:
    """Measures and prints."""
    from privkit.engines.spark import spark_session

    results: dict[str, Any] = {}
    with spark_session("local[2]") as session, tempfile.TemporaryDirectory() as folder:
        session.conf.set("spark.sql.shuffle.partitions", str(HERE[1]))
        session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
        session.conf.set("spark.sql.files.openCostInBytes", str(128 << 20))  # a small file is a part of its own
        for together in (False, True):
            table = Table(rows, HERE[0], together)
            place = Path(folder) / str(together)
            place.mkdir()
            write(place, table)
            for shape in SHAPES:
                name = f"{shape}, {'a unit in one file' if together else 'spread'}"
                results[name] = compared(shape, table, counted(session, shape, place), large)
    publish({"benchmark": "shuffles", "rows": rows, "large": large, "groups": GROUPS, "releases": results})


def compared(shape: str, table: Table, found: Sequence[dict[str, float]], large: int) -> dict[str, Any]:
    """The model beside what was counted, and what it says of the large table."""
    model = predicted(shape, table, HERE[1])
    there = Table(large, max(1, large // ROWS_A_FILE_PART), table.together)
    ahead = predicted(shape, there, TASKS_AFTER)
    each = [stage["bytes"] / stage["records"] for stage in found]
    return {
        "records": [stage["records"] for stage in found],
        "model": [round(records) for records in model],
        "ratio": [round(records / stage["records"], 4) for records, stage in zip(model, found, strict=True)],
        "bytes_a_record": [round(size, 1) for size in each],
        "large": {
            "parts": there.parts,
            "records": [round(records) for records in ahead],
            "gigabytes": [round(records * size / 1e9, 3) for records, size in zip(ahead, each, strict=True)],
            "driver_bytes": GROUPS * 4 * ROW_BYTES,  # the group and three coordinates
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=1_000_000_000)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.large)
