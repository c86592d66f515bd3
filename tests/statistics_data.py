"""A small dataset for the tests of private releases."""

import numpy as np
import pandas as pd

COLUMNS = {
    "age": {"type": "integer", "bounds": (0, 110)},
    "income": {"type": "float", "bounds": (0, 200_000), "granularity": 1},
    "region": {"type": "category", "categories": ("north", "south", "east", "west")},
    "ward": {"type": "category"},
    "smoker": {"type": "boolean"},
}
UNIT = {"column": "patient_id", "max_groups": 2, "max_rows_per_group": 3, "max_units": 20_000}


def patients(rows=2_000, seed=7):
    """Rows of 700 patients; some values are missing."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "patient_id": draw.integers(0, 700, rows),
            "age": pd.array(draw.integers(0, 105, rows), dtype="Int64"),
            "income": draw.lognormal(10, 0.6, rows),
            "region": draw.choice(["north", "south", "east"], rows),
            "ward": draw.choice(["A", "B", "rare"], rows, p=[0.6, 0.399, 0.001]),
            "smoker": draw.random(rows) < 0.3,
        }
    )
    frame.loc[::17, "age"] = pd.NA
    frame.loc[::23, "income"] = np.nan
    return frame
