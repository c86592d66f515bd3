"""Two worker processes against one: wall time of the same run.

python benchmarks/workers.py [--rows 100000] [--runs 1]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from inputs import write_csv
from measuring import command_cost, publish


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--detector", default="core")
    given = parser.parse_args()
    walls: dict[str, list[float]] = {"1": [], "2": []}
    with tempfile.TemporaryDirectory() as folder:
        source = write_csv(Path(folder) / "people.csv", given.rows)
        for _ in range(given.runs):
            for workers, found in walls.items():
                command = [sys.executable, "-m", "privkit", "deidentify", str(source), "-o", f"{folder}/out.csv"]
                command += ["--detector", given.detector, "--workers", workers, "--force"]
                found.append(command_cost(command).wall)
    medians = {workers: statistics.median(found) for workers, found in walls.items()}
    publish(
        {
            "benchmark": "workers",
            "rows": given.rows,
            "detector": given.detector,
            "wall_seconds": {workers: round(wall, 1) for workers, wall in medians.items()},
            "speedup": round(medians["1"] / medians["2"], 2),
        }
    )


if __name__ == "__main__":
    main()
