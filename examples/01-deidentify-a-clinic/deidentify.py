"""De-identifies the clinic's table, goes back with the key, and counts what is still there.

    python examples/01-deidentify-a-clinic/deidentify.py OUT [--detector patterns|core|full]

Writes into the folder OUT: shared.csv, clinic.yaml (the decision), clinic.key, report.html.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import privkit

SOURCE = Path(__file__).parent.parent / "clinic" / "clinic.csv"
NAMES = ("patient_id", "name", "email", "phone", "ssn")
UNTOUCHED = ("ward", "length_of_stay", "copay")


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's records."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def still_there(before: list[dict[str, str]], after: list[dict[str, str]], column: str) -> int:
    """In how many rows the whole value of an identifier still stands, in whatever column."""
    pairs = zip(before, after, strict=True)
    return sum(bool(old[column]) and old[column] in "\n".join(new.values()) for old, new in pairs)


def main() -> None:
    """Runs the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--detector", choices=["patterns", "core", "full"])
    given = parser.parse_args()
    out: Path = given.out
    out.mkdir(parents=True)

    # One key for each recipient; whoever has it can go back.
    privkit.Key.new(out / "clinic.key")
    done = privkit.deidentify(
        SOURCE,
        out / "shared.csv",
        key=out / "clinic.key",
        detector=given.detector,
        save_policy=out / "clinic.yaml",
        report=out / "report.html",
    )
    privkit.reidentify(out / "shared.csv", out / "restored.csv", key=out / "clinic.key")

    before, after, restored = rows(SOURCE), rows(out / "shared.csv"), rows(out / "restored.csv")
    print(f"{'column':<16}{'role':<12}{'became':<12}{'rows in which its value still stands':>38}")
    for decided in done.decisions:
        left = f"{still_there(before, after, decided.name)} of {len(after)}" if decided.name in NAMES else ""
        print(f"{decided.name:<16}{decided.role:<12}{decided.operator or 'keep':<12}{left:>38}")
    same = all(old[name] == new[name] for old, new in zip(before, after, strict=True) for name in UNTOUCHED)
    back = all(old[name] == new[name] for old, new in zip(before, restored, strict=True) for name in NAMES)
    print(f"\n{', '.join(UNTOUCHED)} kept to the letter: {'yes' if same else 'no'}")
    print(f"{', '.join(NAMES)} come back with the key: {'yes' if back else 'no'}")
    print(f"\nA note before: {before[1]['notes']}")
    print(f"A note after:  {after[1]['notes']}")


if __name__ == "__main__":
    main()
