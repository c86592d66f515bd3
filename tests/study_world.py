"""A study as it lies on disks: two sessions, gone through by the commands, with a copy of everything at every stage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import yaml
from study_data import COLUMNS, NAMES, identities, public, table

import privkit
from privkit.study import steps
from privkit.study.folder import Folder

PEOPLE = (*NAMES, "analyst", "mallory")
STAGES = ("new", "joined", "contributed", "aggregated", "revealed")
CANARIES = ("canary-person", "canaryward", "31.41592653")
"""Values of cells, none of which may ever be seen outside of the tables."""
STATISTICS = ("SELECT ward, COUNT(*) AS n, SUM(los) AS s FROM data GROUP BY ward",)
_WIDE = {**COLUMNS, "los": {"type": "float", "bounds": [0, 60], "granularity": "0.001"}}
DATASET = """\
name: {name}
source: {name}.parquet
version: "1"
privacy_unit: {{column: pid, max_groups: 3, max_rows_per_group: 5, max_units: 20000}}
budget: {{epsilon: {epsilon}, delta: {delta}, measure: {measure}, threshold_delta: 0}}
ledger: {ledger}.ledger.sqlite3
columns:
  age: {{type: integer, bounds: [18, 65]}}
  los: {{type: float, bounds: [0, 30], granularity: 0.1, from: LENGTH}}
  ward: {{type: category}}
"""


def build(root: Path, sessions=("cold", "flu"), **changes) -> dict[str, Path]:
    """The sessions; the study's folder is `flu` (`cold` for the other session). Two channels: sums need two moduli.

    Args:
        root: Where every stage gets a folder.
        sessions: Which.
        changes: Of the study file.
    """
    place = root / "now"
    place.mkdir(parents=True)
    files = identities(place, PEOPLE)
    described = {
        "study": "flu",
        "parties": [{"name": name, "public": public(files[name])} for name in NAMES],
        "privacy": {"epsilon": "2", "delta": "1e-11", "min_honest": 2},
        "unit": {"max_groups": 1, "max_rows_per_group": 1000, "max_units": 10**9},
        "columns": _WIDE,
        "statistics": list(STATISTICS),
        **changes,
    }
    (place / "flu.study.yaml").write_text(yaml.safe_dump(described))
    for seed, name in enumerate(NAMES):
        rows(seed).to_parquet(place / f"{name}.parquet", index=False)
        describe(place, name)
        privkit.create_budget(privkit.Dataset.load(place / f"{name}.dataset.yaml"))
    privkit.create_budget(privkit.Dataset.load(describe(place, "north", file="analyst")))  # the key holder's ledger
    found = {}
    for session in sessions:
        works = {"new": start, "joined": join, "contributed": contribute, "aggregated": aggregate, "revealed": reveal}
        for stage, work in works.items():
            if (session, stage) != ("cold", "revealed"):
                work(place, session)
            if session == "flu":
                found[stage] = root / stage
                shutil.copytree(place, found[stage])
    return found


def rows(seed: int) -> pd.DataFrame:
    """A party's rows, with canaries."""
    frame = table(seed, 60)
    frame["pid"] = [f"canary-person-{number}" for number in frame.pid]
    frame.loc[3::9, "ward"] = "canaryward"
    frame.loc[2::9, "LENGTH"] = 31.41592653
    return frame


def describe(place: Path, name: str, *, file: str | None = None, epsilon="8", delta="1e-6", measure="zcdp") -> Path:
    """A description of a party's table; with a `file` name of its own, one with a ledger of its own."""
    path = place / f"{file or name}.dataset.yaml"
    path.write_text(DATASET.format(name=name, epsilon=epsilon, delta=delta, measure=measure, ledger=file or name))
    return path


def start(place: Path, session="flu") -> None:
    steps.new_study(place / "flu.study.yaml", place / "analyst.identity", place / session)


def join(place: Path, session="flu") -> None:
    for name in NAMES:
        steps.join_study(place / session, place / f"{name}.identity")


def contribute(place: Path, session="flu", names=NAMES, **options) -> None:
    for name in names:
        data = privkit.Dataset.load(place / f"{name}.dataset.yaml")
        steps.contribute_study(place / session, place / f"{name}.identity", data, **options)


def aggregate(place: Path, session="flu") -> None:
    steps.aggregate_study(place / session)


def reveal(place: Path, session="flu", **options) -> None:
    _, holder = steps.reveal_study(place / session, place / "analyst.identity", **options)
    holder.arrived()


class World:
    """One stage of the study, to be changed at will.

    Args:
        place: A copy.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place / "flu"

    def identity(self, name: str) -> privkit.Identity:
        return privkit.Identity.load(self.place / f"{name}.identity")

    def read(self, session="flu"):
        """Invitation, shares, contributions, aggregate, result."""
        folder = Folder(self.place / session)
        invitation = folder.invitation()
        shares, contributions = folder.shares(invitation), folder.contributions(invitation)
        return invitation, shares, contributions, folder.aggregate(), folder.reveal()

    def write(self, name: str, message) -> None:
        """Puts a message in a file's place."""
        (self.folder / name).write_bytes(message if isinstance(message, bytes) else message.to_bytes())

    def contribute(self, name="north", **options):
        data = privkit.Dataset.load(self.place / f"{name}.dataset.yaml")
        return steps.contribute_study(self.folder, self.place / f"{name}.identity", data, **options)

    def standing(self, name="north"):
        return privkit.show_budget(privkit.Dataset.load(self.place / f"{name}.dataset.yaml"))

    def entries(self, name="north") -> list[str]:
        from privkit.ledger.ledger import Ledger

        with Ledger.open(self.place / f"{name}.ledger.sqlite3", read_only=True) as ledger:
            return [entry.kind for entry in ledger.entries()]


def signed_again(message, identity: privkit.Identity, parts=None, **body):
    """The same message with another body or other parts, signed by whoever the identity is."""
    changed = message.body.model_copy(update=body)
    return type(message).signed(changed, identity, message.parts if parts is None else parts)
