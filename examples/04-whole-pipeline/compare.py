"""How close the private results in out/stats.json come to the truth in truth.json.

python examples/04-whole-pipeline/compare.py [FOLDER]

Only whoever made the data can do this: the truth is what the noise hides.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def compared(
    releases: list[dict[str, Any]], truth: dict[str, dict[str, float]]
) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Each released value that has a truth: its name, the truth, the value with its interval."""
    for release in releases:
        for result in release["results"]:
            for key, values in zip(release["keys"] or [[]], result["values"], strict=True):
                for value in values:
                    group = value["label"] if value.get("label") is not None else ", ".join(key)
                    if group in truth.get(result["name"], {}):
                        yield f"{result['name']} {group}".strip(), truth[result["name"]][group], value


def _number(value: float) -> str:
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.1f}"


def main(folder: Path) -> None:
    """Prints one line a value, and how many intervals hold the truth."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    released = json.loads((folder / "out" / "stats.json").read_text(encoding="utf-8"))
    print(f"{'':<26}{'truth':>12}{'private':>12}{'95 % interval':>26}{'off by':>9}")
    held = total = 0
    for name, exact, value in compared(released["releases"], truth):
        total += 1
        if value["value"] is None:  # withheld: too few rows for a mean, by the noisy count
            print(f"{name:<26}{_number(exact):>12}{'withheld':>12}")
            continue
        inside = value["low"] <= exact <= value["high"]
        held += inside
        interval = f"{_number(value['low'])} … {_number(value['high'])}"
        off = abs(value["value"] - exact) / abs(exact)
        line = f"{name:<26}{_number(exact):>12}{_number(value['value']):>12}{interval:>26}{off:>8.1%}"
        print(line if inside else f"{line}  outside")
    print(f"\n{held} of {total} intervals hold the truth; of intervals of 95 % about one in twenty does not.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
