"""Makes `hospital.csv`, the admissions of a hospital that does not exist, and `truth.json`, the exact answers.

python examples/04-whole-pipeline/make_hospital.py [FOLDER]

E-mail addresses use example domains and telephone numbers the range 555-01xx, both reserved for this.
"""

import datetime
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20_261_204
PATIENTS = 4_500
FIRST_DAY = datetime.date(2026, 1, 1)
REGIONS = {"north": 0.42, "south": 0.30, "east": 0.19, "west": 0.09}
WARDS = {"surgery": 0.3, "cardiology": 0.25, "maternity": 0.2, "oncology": 0.15, "geriatrics": 0.1}
# What the nights in hospital were made of: the regression of the pipeline should find it again.
NIGHTS_AT_BIRTH, NIGHTS_PER_YEAR, NIGHTS_OF_SMOKERS = 4.0, 0.08, 2.0
FIRST = ("Maria", "James", "Aiko", "Omar", "Priya", "Lukas", "Chiara", "Kwame", "Sofia", "Daniel", "Ingrid", "Mateo")
LAST = ("Gonzalez", "Miller", "Tanaka", "Haddad", "Sharma", "Schneider", "Rossi", "Mensah", "Lindqvist", "Demir")
NOTES = (
    "{name} was admitted with chest pain and is stable. Call the family on {phone}.",
    "Spoke with {name} about the new medication.",
    "Please send the discharge letter to {email}.",
    "Slept well. Blood pressure 130/85, no fever, appetite good.",
    "Wound is clean and dry. Physiotherapy twice a week.",
    "Routine check. No complaints, continue the current medication.",
)


def patients(draw: np.random.Generator) -> pd.DataFrame:
    """One row a person. Income falls from north to west, and the old smoke less."""
    region = draw.choice(list(REGIONS), PATIENTS, p=list(REGIONS.values()))
    age = np.clip(draw.normal(50, 20, PATIENTS), 0, 104).round().astype(int)
    richer = pd.Series(region).map({"north": 1.15, "south": 1.0, "east": 0.95, "west": 0.8}).to_numpy()
    names = [
        f"{first} {last}" for first, last in zip(draw.choice(FIRST, PATIENTS), draw.choice(LAST, PATIENTS), strict=True)
    ]
    numbers = np.arange(PATIENTS)
    return pd.DataFrame(
        {
            "patient_id": [f"MRN-{100_000 + 17 * number}" for number in numbers],
            "name": names,
            "email": [f"{name.replace(' ', '.').lower()}{i}@example.org" for i, name in enumerate(names)],
            "phone": [f"716-555-01{number:02d}" for number in draw.integers(0, 100, PATIENTS)],
            "region": region,
            "age": age,
            "income": (draw.lognormal(10.2, 0.5, PATIENTS) * richer).round().astype(int),
            "smoker": draw.random(PATIENTS) < np.where(age > 65, 0.12, 0.26),
        }
    )


def admissions(people: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """One to four rows of each person."""
    times = 1 + np.minimum(3, draw.poisson(0.3 + people["age"] / 200))
    rows = people.loc[np.repeat(people.index, times)].reset_index(drop=True)
    mean = NIGHTS_AT_BIRTH + NIGHTS_PER_YEAR * rows["age"] + NIGHTS_OF_SMOKERS * rows["smoker"]
    rows["ward"] = draw.choice(list(WARDS), len(rows), p=list(WARDS.values()))
    rows["nights"] = draw.gamma(4, mean / 4).round(1)
    rows["admitted"] = [
        (FIRST_DAY + datetime.timedelta(days=int(day))).isoformat() for day in draw.integers(0, 365, len(rows))
    ]
    chosen = draw.integers(0, len(NOTES), len(rows))
    facts = rows[["name", "phone", "email"]].to_dict("records")
    rows["notes"] = [NOTES[index].format(**fact) for index, fact in zip(chosen, facts, strict=True)]
    rows["smoker"] = rows["smoker"].map({True: "yes", False: "no"})
    return rows.drop(columns="phone")


def truth(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The exact answers to the pipeline's questions: statistic → group, or coefficient → value."""
    by_region, smokers = rows.groupby("region"), rows["smoker"] == "yes"
    design = np.column_stack([np.ones(len(rows)), rows["age"], smokers])
    coefficients = np.linalg.lstsq(design, rows["nights"].to_numpy(), rcond=None)[0]
    return {
        "admissions": by_region.size().astype(float).to_dict(),
        "mean_income": by_region["income"].mean().to_dict(),
        "mean_nights": rows.groupby(smokers.map({True: "true", False: "false"}))["nights"].mean().to_dict(),
        "median_age": {"": float(rows["age"].median())},
        "nights_by": dict(zip(["(intercept)", "age", "smoker"], map(float, coefficients), strict=True)),
        "elderly": {"": float((rows["age"] >= 65).sum())},
    }


def main(folder: Path) -> None:
    """Writes both files; the same ones every time."""
    draw = np.random.default_rng(SEED)
    rows = admissions(patients(draw), draw)
    rows.to_csv(folder / "hospital.csv", index=False, lineterminator="\n")
    (folder / "truth.json").write_text(json.dumps(truth(rows), indent=2) + "\n", encoding="utf-8")
    print(f"{folder / 'hospital.csv'}: {len(rows):,} admissions of {PATIENTS:,} people who do not exist")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
