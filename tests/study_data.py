"""Small studies: identities, tables and sessions for the tests of encrypted studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import privkit
from privkit.model.study import StudySpec
from privkit.study import Aggregate, Contribution, Invitation, Share

NAMES = ("north", "south", "west")
COLUMNS = {
    "age": {"type": "integer", "bounds": [0, 110]},
    "bmi": {"type": "float", "bounds": [10, 60], "granularity": "0.5"},
    "los": {"type": "float", "bounds": [0, 60], "granularity": "0.5"},
    "ward": {"type": "category", "categories": ["a", "b", "c"]},
    "smoker": {"type": "boolean"},
}
STATISTICS = (
    "SELECT ward, COUNT(*) AS n, AVG(los) AS m FROM data GROUP BY ward",
    "SELECT REGR(los, age, bmi) AS fit FROM data",
)


def identities(folder: Path, names=(*NAMES, "analyst")) -> dict[str, Path]:
    """An identity file for each name."""
    found = {}
    for name in names:
        found[name] = folder / f"{name}.identity"
        privkit.Identity.new(found[name], name)
    return found


def public(path: Path) -> str:
    """The public half of an identity file."""
    return privkit.Identity.load(path).public.text


def study(files: dict[str, Path], names=NAMES, **changes) -> StudySpec:
    """A study of these parties."""
    described = {
        "study": "flu",
        "parties": [{"name": name, "public": public(files[name])} for name in names],
        "privacy": {"epsilon": "2", "delta": "1e-6", "min_honest": 2},
        "unit": {"max_groups": 1, "max_rows_per_group": 1, "max_units": 10_000},
        "columns": COLUMNS,
        "statistics": STATISTICS,
        **changes,
    }
    return StudySpec.model_validate(described)


def table(seed: int, rows: int = 200) -> pd.DataFrame:
    """Rows of persons, one or two each; some values are missing."""
    draw = np.random.default_rng(seed)
    age = draw.integers(0, 100, rows)
    frame = pd.DataFrame(
        {
            "pid": draw.integers(0, 2 * rows, rows),
            "age": pd.array(age, dtype="Int64"),
            "bmi": np.round(draw.normal(27, 5, rows), 1),
            "LENGTH": np.round(np.clip(age / 8 + draw.normal(0, 2, rows), 0, 70), 1),
            "ward": draw.choice(["a", "b", "c", "d"], rows),
            "smoker": draw.random(rows) < 0.3,
        }
    )
    frame.loc[::19, "age"] = pd.NA
    frame.loc[::23, "LENGTH"] = np.nan
    return frame


def dataset(folder: Path, name: str, frame: pd.DataFrame, *, epsilon="8", create=True, **changes) -> privkit.Dataset:
    """A party's own dataset, with bounds of its own, which a study does not use."""
    described = {
        "name": name,
        "unit": {"column": "pid", "max_groups": 3, "max_rows_per_group": 5, "max_units": 20_000},
        "columns": {
            "age": {"type": "integer", "bounds": [18, 65]},
            "bmi": {"type": "float", "bounds": [0, 90], "granularity": "0.1"},
            "los": {"type": "float", "bounds": [0, 30], "granularity": "0.1", "from": "LENGTH"},
            "ward": {"type": "category"},
            "smoker": {"type": "boolean"},
        },
        "budget": {"epsilon": epsilon, "delta": "1e-6"},
        "ledger": folder / f"{name}.ledger.sqlite3",
        **changes,
    }
    made = privkit.Dataset(frame, **described)
    if create:
        privkit.create_budget(made)
    return made


class Session:
    """A session, gone through step by step in memory; every message passes through its bytes."""

    def __init__(self, folder: Path, names=NAMES, frames=None, **changes) -> None:
        self.folder, self.names = folder, names
        self.files = identities(folder, (*names, "analyst"))
        self.spec = study(self.files, names, **changes)
        self.holder = privkit.KeyHolder.new(self.spec, self.files["analyst"])
        self.invitation = Invitation.from_bytes(self.holder.invitation.to_bytes())
        frames = frames or {name: table(seed) for seed, name in enumerate(names)}
        self.datasets = {name: dataset(folder, name, frames[name]) for name in names}
        self.parties = {name: privkit.Party(self.invitation, self.files[name]) for name in names}

    def join(self) -> list[Share]:
        self.shares = [Share.from_bytes(self.parties[name].share().to_bytes()) for name in self.names]
        return self.shares

    def contribute(self) -> list[Contribution]:
        made = (self.parties[name].contribute(self.shares, self.datasets[name])[0] for name in self.names)
        self.contributions = [Contribution.from_bytes(one.to_bytes()) for one in made]
        return self.contributions

    def aggregate(self) -> Aggregate:
        adder = privkit.Aggregator(self.invitation, self.shares)
        for contribution in self.contributions:
            adder.add(contribution)
        self.sum = Aggregate.from_bytes(adder.aggregate().to_bytes())
        return self.sum

    def reveal(self, **options):
        from privkit.study import result_of

        reveal = self.holder.reveal(self.shares, self.contributions, self.sum, **options)
        return result_of(reveal, self.invitation)

    def run(self, **options):
        self.join()
        self.contribute()
        self.aggregate()
        return self.reveal(**options)
