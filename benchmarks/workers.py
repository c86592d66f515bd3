"""Two worker processes against one on a folder of parts: wall time of the same command, start and decision included.

Runs alternate, so that a change of the machine's load meets both. Beside the folder stands the same data as one file,
whose blocks are dealt out by the parent.

python benchmarks/workers.py [--rows 100000] [--parts 8] [--runs 3] [--format csv] [--detector core]

On a machine that does other work: taskset -c 0,1 python benchmarks/workers.py --runs 5
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
from inputs import write_csv, write_csv_parts
from measuring import Cost, command_cost, publish


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--detector", default="core")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["folder", "file"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sources = {
            "folder": _folder(folder / "parts", given.rows, given.parts, given.format),
            "file": write_csv(folder / "people.csv", given.rows),
        }
        measured = {
            what: _measured(source, folder, given.runs, given.workers, given.detector)
            for what, source in sources.items()
            if given.only in (None, what)
        }
    publish(
        {
            "benchmark": "workers",
            "rows": given.rows,
            "parts": given.parts,
            "format": given.format,
            "detector": given.detector,
            "workers": given.workers,
            "runs": given.runs,
            **{what: _told(costs) for what, costs in measured.items()},
        }
    )


def _folder(folder: Path, rows: int, parts: int, format: str) -> Path:
    folder.mkdir()
    for path in write_csv_parts(folder, rows, parts):
        if format == "parquet":
            pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), path.with_suffix(".parquet"))
            path.unlink()
    return folder


def _measured(source: Path, folder: Path, runs: int, workers: int, detector: str) -> Mapping[str, Sequence[Cost]]:
    found: dict[str, list[Cost]] = {"one": [], "many": []}
    output = folder / ("out" if source.is_dir() else "out.csv")
    for _ in range(runs):
        for which, count in (("one", 1), ("many", workers)):
            command = [sys.executable, "-m", "privkit", "deidentify", str(source), "-o", str(output), "--force"]
            found[which].append(command_cost([*command, "--detector", detector, "--workers", str(count)]))
    return found


def _told(costs: Mapping[str, Sequence[Cost]]) -> dict[str, object]:
    walls = {which: statistics.median(cost.wall for cost in found) for which, found in costs.items()}
    cpus = {which: statistics.median(cost.cpu for cost in found) for which, found in costs.items()}
    pairs = [one.wall / many.wall for one, many in zip(costs["one"], costs["many"], strict=True)]
    return {
        "wall_seconds": {which: round(wall, 1) for which, wall in walls.items()},
        "cpu_seconds": {which: round(cpu, 1) for which, cpu in cpus.items()},
        "ratio": round(walls["one"] / walls["many"], 2),
        "ratio_of_each_pair": [round(pair, 2) for pair in pairs],
    }


if __name__ == "__main__":
    main()
