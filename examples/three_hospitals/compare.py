"""Prints the study's regression beside the same from all raw rows together, which nobody could compute in life."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from make_hospitals import HOSPITALS, TRUTH

FOLDER = Path(__file__).parent


def plain() -> dict[str, float]:
    """Least squares over the three files."""
    names = ("record", "name", "email", "ssn", "age", "bmi", "conditions", "ward", "nights", "notes")
    tables = [pd.read_csv(FOLDER / hospital / "patients.csv", header=0, names=names) for hospital in HOSPITALS]
    rows = pd.concat(tables)
    matrix = np.column_stack([np.ones(len(rows)), *(rows[name] for name in TRUTH)])
    return dict(zip(("(intercept)", *TRUTH), np.linalg.lstsq(matrix, rows.nights, rcond=None)[0], strict=True))


def main() -> None:
    """Prints the table."""
    result = json.loads((FOLDER / "analyst" / "result.json").read_text(encoding="utf-8"))
    exact, beside = plain(), {"(intercept)": "", **{name: f"{value:.2f}" for name, value in TRUTH.items()}}
    print("\nLength of stay in nights, of three hospitals together\n")
    print(f"{'':<14}{'study':>8}   {'95 % interval':<18}{'raw rows':>8}{'truth':>8}")
    for value in result["statistics"][0]["results"][0]["values"][0]:
        name, interval = value["label"], f"[{value['low']:.3f}, {value['high']:.3f}]"
        print(f"{name:<14}{value['value']:>8.3f}   {interval:<18}{exact[name]:>8.3f}{beside[name]:>8}")


if __name__ == "__main__":
    main()
