"""Five identifier columns without free text: rows per CPU-second, without a kept key and with reversible tokens.

The peer is the same work by hand: read the CSV, HMAC every cell, write it again.

    python benchmarks/structured_columns.py [--rows 400000]
"""

from __future__ import annotations

import argparse
import csv
import hmac
import statistics
import sys
import tempfile
from pathlib import Path

from inputs import write_csv
from measuring import call_cost, command_cost, publish


def by_hand(source: Path, output: Path) -> None:
    """What a script without privkit would do: a hash for every cell."""
    with source.open(newline="") as given, output.open("w", newline="") as made:
        reader, writer = csv.reader(given), csv.writer(made)
        writer.writerow(next(reader))
        for row in reader:
            writer.writerow([hmac.digest(b"k" * 32, cell.encode(), "sha256").hex()[:20] for cell in row])


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_csv(folder / "people.csv", given.rows, note=False)
        small = write_csv(folder / "few.csv", 2_000, note=False)
        command_cost([sys.executable, "-m", "privkit", "key", "new", str(folder / "org.key")])
        run = [sys.executable, "-m", "privkit", "deidentify", "--detector", "patterns", "--workers", "1", "--force"]
        tokens = ["--column", "city=pseudonym"]

        def rows_per_cpu_second(*options: str) -> float:
            """Without the start, which is measured on a small file and taken off."""
            start = statistics.median(
                command_cost([*run, str(small), "-o", str(folder / "o.csv"), *options]).cpu for _ in range(given.runs)
            )
            whole = statistics.median(
                command_cost([*run, str(source), "-o", str(folder / "o.csv"), *options]).cpu for _ in range(given.runs)
            )
            return (given.rows - 2_000) / (whole - start)

        ephemeral = rows_per_cpu_second(*tokens)
        reversible = rows_per_cpu_second(*tokens, "--key", str(folder / "org.key"))
        hand = given.rows / call_cost(lambda: by_hand(source, folder / "hand.csv"))
    publish(
        {
            "benchmark": "structured_columns",
            "rows": given.rows,
            "columns": 5,
            "rows_per_cpu_second": {
                "without_kept_key": round(ephemeral),
                "reversible_tokens": round(reversible),
                "hashing_by_hand": round(hand),
            },
            "ratio_to_by_hand": round(ephemeral / hand, 2),
        }
    )


if __name__ == "__main__":
    main()
