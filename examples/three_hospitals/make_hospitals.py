"""Makes `patients.csv` of three hospitals that do not exist.

    python examples/three_hospitals/make_hospitals.py [FOLDER]

Every person is made up. E-mail addresses use example domains and telephone numbers the range 555-01xx, both reserved
for this; social security numbers are random digits. How long a stay is follows `TRUTH` and a lot of chance.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

SEED = 20_260_914
STAYS = 1_000
TRUTH = {"age": 0.08, "bmi": 0.15, "conditions": 1.2}  # nights a year, a point and a chronic condition add
WARDS = ("surgery", "medicine", "cardiology")

# What each hospital calls its columns, in the order of `stay`.
HOSPITALS = {
    "north": ("mrn", "name", "email", "ssn", "age", "bmi", "chronic_conditions", "ward", "length_of_stay", "notes"),
    "south": ("patient_no", "full_name", "mail", "social_security", "AGE", "BMI", "comorbidities", "unit", "LOS",
              "remarks"),
    "west": ("id", "patient", "contact", "ssn_number", "years", "body_mass_index", "conditions", "station", "nights",
             "comment"),
}  # fmt: skip

FIRST = (
    "Amina", "Bohdan", "Chiamaka", "Cormac", "Dolores", "Emeka", "Fatima", "Giulia", "Haruto", "Ingrid", "Jasmine",
    "Kwame", "Leilani", "Mateo", "Niamh", "Oksana", "Padraig", "Rosalind", "Svetlana", "Thandiwe", "Wilhelm", "Yusuf",
)  # fmt: skip
LAST = (
    "Abernathy", "Bielak", "Castellanos", "Dombrowski", "Eriksen", "Fitzgerald", "Gallagher", "Haddad", "Ivanova",
    "Jablonski", "Kealoha", "Lindqvist", "Mensah", "Novakova", "Okafor", "Petrosyan", "Rasmussen", "Shevchenko",
    "Tanaka", "Villanueva", "Whitlock", "Yilmaz",
)  # fmt: skip
NOTES = (
    "{name} slept well; wound clean and dry.",
    "Discharge letter mailed to {email}.",
    "Call {first} back on {phone} about the new medication.",
    "Insurance asked for the SSN again: {ssn}. Confirmed with {name} in person.",
    "{last} tolerates the medication well. No fever.",
    "Transferred for tests; record {record} has the letter.",
    "No complaints, appetite good.",
)


def patient(draw: random.Random, number: int) -> dict[str, str]:
    """Who a patient is."""
    first, last = draw.choice(FIRST), draw.choice(LAST)
    return {
        "record": f"MRN-{number:06d}",
        "name": f"{first} {last}",
        "first": first,
        "last": last,
        "email": f"{first}.{last}{draw.randrange(10, 99)}@example.{draw.choice(('com', 'org', 'net'))}".lower(),
        "ssn": f"{draw.randrange(100, 660):03d}-{draw.randrange(10, 99)}-{draw.randrange(1000, 9999)}",
        "phone": f"(716) 555-01{draw.randrange(100):02d}",
    }


def stay(draw: random.Random, who: dict[str, str]) -> list[object]:
    """One stay of a patient."""
    age = min(max(round(draw.gauss(58, 17)), 18), 99)
    bmi = round(min(max(draw.gauss(27, 5), 15), 50), 1)
    conditions = min(int(draw.expovariate(1 / (0.2 + age / 45))), 6)
    explained = TRUTH["age"] * age + TRUTH["bmi"] * bmi + TRUTH["conditions"] * conditions
    nights = round(min(max(explained - 2 + draw.gauss(0, 2.5), 0.5), 30), 1)
    note = draw.choice(NOTES).format(**who)
    ward = draw.choice(WARDS)
    return [who["record"], who["name"], who["email"], who["ssn"], age, bmi, conditions, ward, nights, note]


def main(folder: Path) -> None:
    """Writes the files; the same ones every time."""
    draw = random.Random(SEED)
    for hospital, columns in HOSPITALS.items():
        numbers = iter(draw.sample(range(1_000, 999_999), STAYS))
        patients: list[dict[str, str]] = []
        (folder / hospital).mkdir(exist_ok=True)
        with (folder / hospital / "patients.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for _ in range(STAYS):
                if not patients or draw.random() > 0.05:  # one in twenty has been here before
                    patients.append(patient(draw, next(numbers)))
                    who = patients[-1]
                else:
                    who = draw.choice(patients)
                writer.writerow(stay(draw, who))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
