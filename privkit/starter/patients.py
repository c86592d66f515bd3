"""Patients who do not exist, for `privkit init --demo`: the same ones every time.

E-mail addresses use example domains and telephone numbers the range 555-01xx, both reserved for this.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

SEED = 20_261_128
PATIENTS = 2_500
REGIONS: Mapping[str, float] = {"north": 0.4, "south": 0.3, "east": 0.2, "west": 0.1}
WARDS = ("cardiology", "geriatrics", "maternity", "oncology", "surgery")
COLUMNS = (
    "patient_id", "name", "email", "region", "ward", "age", "income", "los", "smoker", "admitted", "notes",
)  # fmt: skip

_FIRST_DAY = datetime.date(2026, 1, 1)
_FIRST_NAMES = (
    *("Maria", "James", "Aiko", "Omar", "Priya", "Lukas", "Chiara", "Kwame", "Sofia", "Daniel", "Ingrid", "Mateo"),
    *("Hannah", "Yusuf", "Elena", "Thomas", "Amina", "Peter", "Zofia", "Rahul", "Claire", "Viktor", "Nadia", "Samuel"),
)
_LAST_NAMES = (
    *("Gonzalez", "Miller", "Tanaka", "Haddad", "Sharma", "Schneider", "Rossi", "Mensah", "Almeida", "Carter"),
    *("Lindqvist", "Herrera", "Weiss", "Demir", "Petrova", "Whitfield", "Diallo", "Novak", "Kowalska", "Mehta"),
    *("Laurent", "Sokolov", "Rahimi", "Okafor", "Bennett", "Fischer", "Moreau", "Castillo", "Hughes", "Ivanov"),
)
_DOMAINS = ("example.com", "example.org", "example.net")
_NOTES = (
    "{first} {last} was admitted with chest pain and is stable. Call the family on {phone}.",
    "Spoke with {first} about the new medication. {last} will come back on {later}.",
    "Please send the discharge letter to {email}.",
    "{first} slept well. Blood pressure 130/85, no fever, appetite good.",
    "Prefers calls after 5 pm on {phone}; ask for {first} {last}.",
    "Dr. {doctor} reviewed the X-ray and found no fracture.",
    "Wound is clean and dry. Physiotherapy twice a week.",
    "Routine check. No complaints, continue the current medication.",
)


def patients_csv() -> str:
    """About three thousand admissions, as CSV; equal in every run."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    draw = np.random.default_rng(SEED)
    for number in range(PATIENTS):
        writer.writerows(_admissions(number, draw))
    return text.getvalue()


def _admissions(number: int, draw: np.random.Generator) -> Iterator[Mapping[str, Any]]:
    """One to three of one patient. Older people and smokers stay longer."""
    person = _person(number, draw)
    for _ in range(1 + min(2, int(draw.exponential(0.7)))):
        day = _FIRST_DAY + datetime.timedelta(days=int(draw.integers(365)))
        mean = 2 + person["age"] / 15 + (2 if person["smoker"] == "yes" else 0)
        yield {
            **{column: person[column] for column in COLUMNS if column in person},
            "ward": WARDS[int(draw.integers(len(WARDS)))],
            "los": f"{min(1 + draw.exponential(mean), 40.0):.1f}",
            "admitted": day.isoformat(),
            "notes": _note(person, day, draw),
        }


def _person(number: int, draw: np.random.Generator) -> dict[str, Any]:
    first, last = (names[int(draw.integers(len(names)))] for names in (_FIRST_NAMES, _LAST_NAMES))
    domain = _DOMAINS[int(draw.integers(len(_DOMAINS)))]
    return {
        "patient_id": f"MRN-{100_000 + 37 * number:06d}",
        "first": first,
        "last": last,
        "name": f"{first} {last}",
        "email": f"{first}.{last}{number}@{domain}".lower(),
        "phone": f"716-555-01{int(draw.integers(100)):02d}",
        "region": str(draw.choice(tuple(REGIONS), p=tuple(REGIONS.values()))),
        "age": int(np.clip(draw.normal(52, 21), 0, 104)),
        "income": round(float(draw.lognormal(10.3, 0.6))),
        "smoker": "yes" if draw.random() < 0.22 else "no",
    }


def _note(person: Mapping[str, Any], admitted: datetime.date, draw: np.random.Generator) -> str:
    later = admitted + datetime.timedelta(days=14)
    facts = {
        **person,
        "doctor": _LAST_NAMES[int(draw.integers(len(_LAST_NAMES)))],
        "later": f"{later:%B} {later.day}",
    }
    chosen = draw.choice(len(_NOTES), size=int(draw.integers(1, 3)), replace=False)
    return " ".join(_NOTES[int(index)].format(**facts) for index in chosen)
