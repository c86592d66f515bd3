"""Peak memory over the size of a CSV, with `--detector patterns`: bounded, and it does not grow with the file.

python benchmarks/memory.py [--sizes-mb 50 200 1000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from inputs import write_csv_of_size
from measuring import command_cost, publish


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes-mb", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--workers", default="1")
    given = parser.parse_args()
    curve = []
    with tempfile.TemporaryDirectory() as folder:
        for size in given.sizes_mb:
            source = Path(folder) / "people.csv"
            count = write_csv_of_size(source, size * 1_000_000)
            cost = command_cost(
                [sys.executable, "-m", "privkit", "deidentify", str(source), "-o", f"{folder}/out.csv", "--force"]
                + ["--detector", "patterns", "--workers", given.workers]
            )
            curve.append(
                {
                    "mb": size,
                    "rows": count,
                    "peak_mb_of_largest_process": round(cost.peak_mb),
                    "cpu_seconds": round(cost.cpu, 1),
                    "wall_seconds": round(cost.wall, 1),
                }
            )
    publish({"benchmark": "memory", "detector": "patterns", "workers": given.workers, "curve": curve})


if __name__ == "__main__":
    main()
