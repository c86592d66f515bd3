"""Inputs of the benchmarks, made up from a fixed seed: notes of ~127 characters, CSVs of any size, rows of people."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from faker import Faker

_NOTES = (
    "Talked to {name} on {date}; ring back under {phone} or write to {email}.",
    "Patient {name}, SSN {ssn}, living at {address}. Seen again in two weeks.",
    "Client {name} paid by card {card}. Delivery to {address}. Reach them at {email}",
    "{name} of {company} complained about an invoice. The parcel was late and its box dented. Phone {phone}.",
    "Nothing to report today. The machine was started anew and everything runs as it should.",
    "Met {name} and {other} in {city} on {date} about renewing the contract with {company}.",
    "Please change the address of {name} to {address}; the old phone {phone} is dead.",
    "Sign-in from {ip} at {date}. {email} wants a new password; identity checked by SSN {ssn}.",
    "Paid back $120.50. IBAN {iban}. Ticket 48213 has the details. {name} is content with the outcome.",
    "They say that it broke after three days and want another; see https://example.org/case/{number}, mail {email}.",
)
COLUMNS = ("name", "email", "phone", "ssn", "city", "notes")
REGIONS = tuple(f"region_{i:02d}" for i in range(50))
HIGHEST_INCOME = 200_000


class People:
    """A seeded source of rows."""

    def __init__(self, seed: int = 11) -> None:
        self._faker = Faker("en_US")
        self._faker.seed_instance(seed)
        self._random = random.Random(seed)
        self._cities = [self._faker.city() for _ in range(500)]

    def note(self) -> str:
        """One note of about 127 characters."""
        f = self._faker
        return self._random.choice(_NOTES).format(
            name=f.name(),
            other=f.name(),
            date=f.date(),
            phone=f.phone_number(),
            email=f.email(),
            ssn=f.ssn(),
            address=f.address().replace("\n", ", "),
            card=f.credit_card_number(),
            company=f.company(),
            city=f.city(),
            ip=f.ipv4(),
            iban=f.iban(),
            number=self._random.randint(1, 99999),
        )

    def row(self, *, note: bool = True) -> list[str]:
        """name, email, phone, ssn, city and, if wanted, notes."""
        f = self._faker
        cells = [f.name(), f.email(), f.phone_number(), f.ssn(), self._random.choice(self._cities)]
        return [*cells, self.note()] if note else cells


def rows(count: int, *, note: bool = True) -> Iterator[list[str]]:
    """`count` rows, each drawn anew."""
    people = People()
    for _ in range(count):
        yield people.row(note=note)


def write_csv(path: Path, count: int, *, note: bool = True) -> Path:
    """A CSV of `count` rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS if note else COLUMNS[:-1])
        writer.writerows(rows(count, note=note))
    return path


def write_csv_parts(folder: Path, count: int, parts: int) -> list[Path]:
    """CSVs of `count` rows together, each with its share of them."""
    drawn = rows(count)
    paths = [folder / f"part-{part:02d}.csv" for part in range(parts)]
    for part, path in enumerate(paths):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(itertools.islice(drawn, count * (part + 1) // parts - count * part // parts))
    return paths


def write_csv_of_size(path: Path, size: int) -> int:
    """A CSV of at least `size` bytes, the same 20,000 rows again and again; returns its rows."""
    people = People()
    block = [",".join(f'"{cell}"' for cell in people.row()) + "\n" for _ in range(20_000)]
    text = "".join(block).encode()
    count = 0
    with path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        while file.tell() < size:
            file.write(text)
            count += len(block)
    return count


def write_people_parquet(path: Path, count: int, rows_per_unit: int = 1) -> Path:
    """A Parquet file of `count` rows in random order: user_id (int64), region (50 texts), age (int64), income (float).

    Every user has `rows_per_unit` rows, in any regions; all incomes lie within 0 … 200,000.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    draws = np.random.default_rng(3)
    users = draws.permutation(count) // rows_per_unit
    schema = pa.schema({"user_id": pa.int64(), "region": pa.string(), "age": pa.int64(), "income": pa.float64()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 1_000_000):
            block = users[start : start + 1_000_000]
            region = pa.DictionaryArray.from_arrays(draws.integers(0, len(REGIONS), len(block)), list(REGIONS))
            income = np.minimum(np.round(draws.lognormal(10.6, 0.6, len(block)), 2), HIGHEST_INCOME)
            columns = [pa.array(block), region.cast(pa.string()), draws.integers(18, 95, len(block)), income]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=122_880)
    return path
