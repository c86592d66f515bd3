"""`privkit --help` against importing click alone: CPU time, medians of many runs.

python benchmarks/start.py [--runs 21]
"""

from __future__ import annotations

import argparse
import statistics
import sys

from measuring import command_cost, publish


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=21)
    given = parser.parse_args()
    commands = {
        "import_click": [sys.executable, "-c", "import click"],
        "privkit_help": [sys.executable, "-m", "privkit", "--help"],
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(given.runs):
        for name, command in commands.items():
            spent[name].append(command_cost(command).cpu)
    medians = {name: statistics.median(found) for name, found in spent.items()}
    publish(
        {
            "benchmark": "start",
            "cpu_ms": {name: round(1000 * cpu, 1) for name, cpu in medians.items()},
            "ratio": round(medians["privkit_help"] / medians["import_click"], 2),
        }
    )


if __name__ == "__main__":
    main()
