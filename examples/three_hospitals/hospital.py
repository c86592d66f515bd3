"""What every hospital does in a study; what is its own stands in its folder.

patients.csv     raw: names, addresses, numbers, notes. Never leaves the hospital
policy.yaml      what becomes of each of its columns
dataset.yaml     what the study's columns are called here, and the budget of the people in them
"""

from __future__ import annotations

import sys
from pathlib import Path

import privkit
from privkit.study import contribute_study, join_study


class Hospital:
    """One hospital.

    Args:
        folder: Its own; nobody else can read it.
        exchange: What all take part in: a share, or whatever files are sent through.
    """

    def __init__(self, folder: Path, exchange: Path) -> None:
        self.name, self.folder, self.exchange = folder.name, folder, exchange
        self.study = exchange / "stays"
        self.identity, self.key = folder / "study.identity", folder / "pseudonyms.key"

    def prepare(self) -> None:
        """Once: an identity, whose public half it prints; a table without names; a budget for the people in it."""
        privkit.Identity.new(self.identity, self.name)
        privkit.Key.new(self.key)
        privkit.deidentify(
            self.folder / "patients.csv",
            self.folder / "deidentified.csv",
            policy=self.folder / "policy.yaml",
            key=self.key,
            report=self.folder / "deidentified.report.html",
        )
        privkit.create_budget(self.dataset())
        print(privkit.Identity.load(self.identity).public.text)

    def join(self, key_holder: str) -> None:
        """Agrees to what the study says. Look at it first: `privkit study status`."""
        join_study(self.study, self.identity, key_holder=key_holder)

    def contribute(self, key_holder: str) -> None:
        """Charges the budget, then sends sums with noise and masks, encrypted."""
        done = contribute_study(self.study, self.identity, self.dataset(), key_holder=key_holder)
        print(f"{self.name}: {done.bytes:,} bytes sent, ε {done.epsilon} charged")

    def dataset(self) -> privkit.Dataset:
        """The de-identified table, described."""
        return privkit.Dataset.load(self.folder / "dataset.yaml")


def main(folder: Path) -> None:
    """One step: `prepare`, `join KEY_HOLDER` or `contribute KEY_HOLDER`."""
    step, *key_holder = sys.argv[1:]
    getattr(Hospital(folder, folder.parent / "exchange"), step)(*key_holder)
