"""Makes clinic.csv and clinic.jsonl: the records of a hospital that does not exist.

    python examples/clinic/make_clinic.py [FOLDER]

Every person is made up. E-mail addresses use example domains and telephone numbers the range 555-01xx, both reserved
for this; social security numbers are random digits. The files in the repository are the data: another version of Faker
makes other names from the same seed.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from faker import Faker

SEED = 20_250_630
TODAY = date(2025, 6, 30)
ROWS = 300
COLUMNS = (
    "patient_id", "name", "email", "phone", "ssn", "date_of_birth", "age", "zip", "city", "ward",
    "admitted", "length_of_stay", "copay", "notes",
)  # fmt: skip

LOCALES = ("en_US", "en_US", "en_US", "en_IN", "es_MX", "de_DE", "fr_FR", "pl_PL", "vi_VN", "it_IT", "nl_NL", "tr_TR")
# Faker writes these in their own scripts; American records romanize them.
ROMANIZED = (
    (("Wei", "Xiaoming", "Mei", "Jun", "Li-Hua"), ("Zhang", "Li", "Chen", "Wong", "Huang")),
    (("Min-jun", "Seo-yeon", "Ji-woo", "Hyun"), ("Kim", "Park", "Choi", "Jeong")),
    (("Yuki", "Haruto", "Aiko", "Kenji"), ("Tanaka", "Sato", "Watanabe", "Kobayashi")),
    (("Fatima", "Omar", "Layla", "Yusuf"), ("Al-Sayed", "Haddad", "Nasser", "El-Amin")),
    (("Chiamaka", "Kwame", "Abebe", "Amina", "Thandiwe"), ("Okafor", "Mensah", "Tesfaye", "Diallo", "Dlamini")),
    (("Siobhan", "Niamh", "Cormac", "Padraig"), ("O'Brien", "O'Sullivan", "Mac Giolla", "Gallagher")),
    (("Oksana", "Dmitri", "Svetlana", "Bohdan"), ("Shevchenko", "Volkov", "Kovalenko", "Sidorova")),
    (("Leilani", "Keoni", "Noa", "Talia"), ("Kealoha", "Kahananui", "Ben-David", "Mizrahi")),
)
# City, state, ZIP code, area code. The first three lie in areas of few people, whose first three digits HIPAA hides.
PLACES = (
    ("Guildhall", "VT", "05905", "802"), ("Acworth", "NH", "03601", "603"), ("Gila Hot Springs", "NM", "87901", "575"),
    ("Cambridge", "MA", "02139", "617"), ("Newark", "NJ", "07102", "973"), ("Albany", "NY", "12207", "518"),
    ("Buffalo", "NY", "14202", "716"), ("Pittsburgh", "PA", "15222", "412"), ("Baltimore", "MD", "21201", "410"),
    ("Richmond", "VA", "23219", "804"), ("Savannah", "GA", "31401", "912"), ("Orlando", "FL", "32801", "407"),
    ("Nashville", "TN", "37203", "615"), ("Columbus", "OH", "43215", "614"), ("Toledo", "OH", "43604", "419"),
    ("Madison", "WI", "53703", "608"), ("Duluth", "MN", "55802", "218"), ("Omaha", "NE", "68102", "402"),
    ("Tulsa", "OK", "74103", "918"), ("El Paso", "TX", "79901", "915"), ("Boulder", "CO", "80302", "303"),
    ("Tucson", "AZ", "85701", "520"), ("Fresno", "CA", "93721", "559"), ("Eugene", "OR", "97401", "541"),
    ("Spokane", "WA", "99201", "509"),
)  # fmt: skip
WARDS = ("Jordan wing", "May ward", "Cardiology", "Maternity", "Surgery B", "Emergency", "Outpatient")
COPAYS = ("0.00", "15.00", "20.00", "35.00", "35.50", "50.00", "125.00")

NOTES = (
    "{full} was admitted with chest pain and is stable. Call the daughter, {other}, on {other_phone}.",
    "Spoke with {first} about the new medication; {first} will come back on {later}.",
    "{other} asked for a copy of the discharge letter, to be sent to {other_email}.",
    "Prefers calls after 5 pm on {phone}; ask for {last}.",
    "Transferred from {city}. Lives alone at {street}, {city}, {state} {zip}.",
    "{first} slept well. Blood pressure 130/85, no fever, appetite good.",
    "Dr. {doctor} reviewed the X-ray on {admitted} and found no fracture.",
    "Insurance needs the SSN again: {ssn}. Confirmed with {full} in person.",
    "Next of kin is {other}, {other_street}, {other_city}. {first} agreed that we may call.",
    "Mailed the results to {email} on {later}; {last} has not replied yet.",
    "{lower} said the pain started in May and got worse after lunch.",
    "Nurse {doctor_first} changed the dressing. {last} tolerated it well and thanked the whole May ward.",
    "Patient's son {other_first} {last} drove from {other_city} and will stay until {later}.",
    "{last}, {first}: allergic to penicillin. See also the letter from Dr. {doctor} dated {later_us}.",
    "Moved to the Jordan wing because of the noise. Wound is clean and dry.",
    "Routine check. No complaints, continue the current medication.",
    "Physiotherapy twice a week; the knee bends to 90 degrees. Copay is settled.",
    "Temperature normal since Tuesday. Public transport voucher handed out.",
    "Diabetes education was given; the leaflet is in the folder.",
    "",
)


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    email: str
    phone: str
    street: str
    place: tuple[str, str, str, str]

    @property
    def full(self) -> str:
        return f"{self.first} {self.last}"


class Clinic:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fakers = {locale: Faker(locale) for locale in dict.fromkeys(LOCALES)}
        for number, faker in enumerate(self.fakers.values()):
            faker.seed_instance(seed + number)

    def person(self) -> Person:
        if self.random.random() < 0.25:
            firsts, lasts = self.random.choice(ROMANIZED)
            first, last = self.random.choice(firsts), self.random.choice(lasts)
        else:
            locale = self.random.choice(LOCALES)
            faker = self.fakers[locale]
            first, last = faker.first_name(), faker.last_name()
            if locale == "es_MX":
                last = f"{last} {faker.last_name()}"
        place = self.random.choice(PLACES)
        pattern = self.random.choice(("({}) 555-01{:02}", "{}-555-01{:02}", "{}.555.01{:02}", "+1 {} 555 01{:02}"))
        domain = self.random.choice(("example.com", "example.org", "example.net"))
        address = self.random.choice((f"{first}.{last}", f"{first[0]}{last}", f"{last}{self.random.randrange(10, 99)}"))
        return Person(
            first=first,
            last=last,
            email=f"{_ascii(address)}@{domain}",
            phone=pattern.format(place[3], self.random.randrange(100)),
            street=self.fakers["en_US"].street_address(),
            place=place,
        )

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.random.randrange((last - first).days + 1))

    def patient(self, number: int) -> dict[str, str | Person]:
        person = self.person()
        # A few are over ninety, whose ages HIPAA puts together.
        oldest = self.random.random() < 0.04
        born = self.day(*((date(1926, 1, 1), date(1934, 12, 31)) if oldest else (date(1936, 1, 1), date(2007, 6, 1))))
        age = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
        return {
            "person": person,
            "patient_id": f"MRN-{number:06d}",
            "name": person.full,
            "email": person.email if self.random.random() < 0.94 else "",
            "phone": person.phone if self.random.random() < 0.97 else "",
            "ssn": self.fakers["en_US"].ssn(),
            "date_of_birth": born.isoformat(),
            "age": str(age),
            "zip": person.place[2],
            "city": person.place[0],
        }

    def note(self, patient: dict[str, str | Person], admitted: date) -> str:
        person, other, doctor = patient["person"], self.person(), self.person()
        assert isinstance(person, Person)
        later = self.day(admitted, TODAY)
        facts = {
            "full": person.full, "first": person.first, "last": person.last, "lower": person.full.lower(),
            "email": person.email, "phone": person.phone, "ssn": patient["ssn"], "street": person.street,
            "city": person.place[0], "state": person.place[1], "zip": person.place[2],
            "other": other.full, "other_first": other.first, "other_phone": other.phone, "other_email": other.email,
            "other_street": other.street, "other_city": other.place[0],
            "doctor": doctor.last, "doctor_first": doctor.first,
            "admitted": admitted.isoformat(), "later": f"{later:%B} {later.day}", "later_us": f"{later:%m/%d/%Y}",
        }  # fmt: skip
        chosen = self.random.sample(NOTES, self.random.choice((1, 1, 2, 2, 3)))
        return " ".join(template.format(**facts) for template in chosen if template)

    def rows(self) -> list[dict[str, str]]:
        numbers = self.random.sample(range(1_000, 999_999), ROWS)
        patients: list[dict[str, str | Person]] = []
        rows = []
        for number in numbers:
            # One in eight has been here before: the same person must become the same pseudonym.
            if patients and self.random.random() < 0.125:
                patient = self.random.choice(patients)
            else:
                patient = self.patient(number)
                patients.append(patient)
            admitted = self.day(date(2024, 7, 1), date(2025, 6, 15))
            row = {column: str(patient[column]) for column in COLUMNS if column in patient}
            row["ward"] = self.random.choice(WARDS)
            row["admitted"] = admitted.isoformat()
            row["length_of_stay"] = f"{self.random.randrange(2, 80) / 4:.2f}"
            row["copay"] = self.random.choice(COPAYS)
            row["notes"] = self.note(patient, admitted)
            rows.append(row)
        return rows

    def record(self, number: int) -> dict[str, object]:
        patient = self.patient(number)
        person = patient["person"]
        assert isinstance(person, Person)
        visits = []
        for _ in range(self.random.randrange(1, 4)):
            day = self.day(date(2024, 7, 1), date(2025, 6, 15))
            doctor = self.person()
            visits.append({"date": day.isoformat(), "doctor": doctor.full, "note": self.note(patient, day)})
        return {
            "record": patient["patient_id"],
            "patient": {
                "name": person.full,
                "born": patient["date_of_birth"],
                "contact": {"email": person.email, "phone": person.phone},
                "address": {"street": person.street, "city": person.place[0], "zip": person.place[2]},
            },
            "visits": visits,
            "tags": self.random.sample(["diabetes", "asthma", "follow-up", "May ward", "research consent"], 2),
            "balance": self.random.randrange(0, 40_000) / 100,
            "insured": self.random.random() < 0.8,
            "referred_by": self.person().full if self.random.random() < 0.5 else None,
        }


def _ascii(text: str) -> str:
    folded = text.lower().translate(str.maketrans({"ł": "l", "đ": "d", "ı": "i", "ø": "o", "ß": "ss"}))
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if c in "abcdefghijklmnopqrstuvwxyz0123456789.-")


def main(folder: Path) -> None:
    clinic = Clinic(SEED)
    with (folder / "clinic.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(clinic.rows())
    with (folder / "clinic.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(12):
            stream.write(json.dumps(clinic.record(410_000 + 37 * number), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
