"""Makes `patients.parquet`: admissions to a hospital that does not exist.

python examples/statistics/make_patients.py FOLDER
"""

import datetime
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20261122
PATIENTS = 3_000
REGIONS = ("north", "south", "east", "west")
WARDS = ("surgery", "cardiology", "oncology", "maternity", "geriatrics")
RARE_WARD = "burns"
FIRST_DAY = datetime.date(2026, 1, 1)


def rows(draw: random.Random) -> list[dict[str, object]]:
    """One to five admissions of each patient; older people come more often and stay longer."""
    made = []
    for number in range(PATIENTS):
        age = min(max(int(draw.gauss(52, 21)), 0), 104)
        income = round(draw.lognormvariate(10.3, 0.6), 2)
        region = draw.choices(REGIONS, (4, 3, 2, 1))[0]
        for _ in range(1 + min(4, int(draw.expovariate(1 - age / 160)))):
            made.append(
                {
                    "patient_id": f"P{number:05d}",
                    "age": age,
                    "income": income if draw.random() > 0.03 else None,
                    "region": region,
                    "ward": RARE_WARD if draw.random() < 0.001 else draw.choice(WARDS),
                    "smoker": draw.random() < 0.2,
                    "admitted": FIRST_DAY + datetime.timedelta(days=draw.randrange(365)),
                    "LENGTH_OF_STAY": round(min(1 + draw.expovariate(1 / (2 + age / 15)), 90.0), 1),
                }
            )
    return made


def main(folder: Path) -> None:
    """Writes the file; the same one every time."""
    table = pa.Table.from_pylist(rows(random.Random(SEED)))
    pq.write_table(table, folder / "patients.parquet", compression="zstd")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
