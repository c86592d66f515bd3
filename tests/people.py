"""Made-up people for tests: enough rows and variety that columns are recognised as they would be in real files."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from faker import Faker

COLUMNS = ("patient_id", "name", "email", "phone", "ssn", "zip", "age", "ward", "amount", "notes")


def people(count: int = 60, seed: int = 5) -> list[dict[str, str]]:
    """Rows as texts; `notes` mentions the row's own person by surname, and sometimes nobody."""
    faker = Faker("en_US")
    faker.seed_instance(seed)
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        first, last = faker.first_name(), faker.last_name()
        notes = [
            f"{last.upper()} came in with a cough; mother rang.",
            f"Reached {first.lower()} under {faker.numerify('(2##) 555-01##')} today.",
            "Nothing to report, the course is as expected.",
            f"Please write to {first.lower()}.{last.lower()}@example.org about the bill of 12.50.",
        ]
        rows.append(
            {
                "patient_id": f"MRN-{100000 + number * 37}",
                "name": f"{first} {last}",
                "email": f"{first}.{last}{number}@example.org".lower(),
                "phone": faker.numerify("(2##) 555-01##"),
                "ssn": faker.ssn(),
                "zip": faker.numerify("1####"),
                "age": str(draw.randint(1, 99)),
                "ward": draw.choice(["May", "Jordan wing", "North"]),
                "amount": f"{draw.randint(1, 99)}.50",
                "notes": draw.choice(notes),
            }
        )
    return rows


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    """The rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV, as texts."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
