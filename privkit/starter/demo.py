"""`privkit init --demo`: everything that one pipeline needs, about patients who do not exist."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

from privkit.budget import open_ledger
from privkit.dataset import Dataset
from privkit.keys.identity import Identity
from privkit.keys.keyfile import Key
from privkit.model.dataset import (
    BooleanColumn,
    Budget,
    CategoryColumn,
    Column,
    DateColumn,
    FloatColumn,
    IntegerColumn,
    PrivacyUnit,
)
from privkit.model.operators import Drop, Generalize, Keep, Pseudonym
from privkit.model.pipeline import About, DeidentifyStep, PipelineSpec, PipelineStatistic, ReleaseStep, Step
from privkit.report.start_files import dataset_yaml, pipeline_yaml
from privkit.starter.guided import CREATED, DESCRIBED, ORDERED, OUTPUTS, Started
from privkit.starter.patients import REGIONS, WARDS, patients_csv
from privkit.starter.placing import Placing, check_places
from privkit.starter.suggestions import compared_groups

NAME = "patients"

_UNIT = PrivacyUnit(column="patient_id", max_groups=1, max_rows_per_group=2, max_units=10_000)
_BUDGET = Budget(epsilon=Decimal(3), delta=Decimal("1e-6"), measure="zcdp")
_COLUMNS: dict[str, Column] = {
    "region": CategoryColumn(type="category", categories=tuple(REGIONS)),
    "ward": CategoryColumn(type="category", categories=WARDS),
    "age": IntegerColumn(type="integer", bounds=(0, 110)),
    "income": FloatColumn(type="float", bounds=(Decimal(0), Decimal(150_000)), granularity=Decimal(1)),
    "los": FloatColumn(type="float", bounds=(Decimal(0), Decimal(40)), granularity=Decimal("0.1")),
    "smoker": BooleanColumn(type="boolean"),
    "admitted": DateColumn.model_validate({"type": "date", "bounds": ("2026-01-01", "2026-12-31")}),
}
_ABOUT = About(
    title="Admissions to a hospital that does not exist",
    purpose="To try privkit out.",
    intended_uses="Learning what a pipeline does and how to read its card.",
    unsuitable_uses="Any conclusion about real patients: nobody in it is real.",
    collection="Made by a program from a fixed seed, as if over the year 2026.",
    contact="Nobody; replace this with the person who can answer questions.",
    license="CC0",
)
_STATISTICS = (
    PipelineStatistic(
        sql="SELECT region, COUNT(*) AS admissions, AVG(age) AS mean_age FROM patients GROUP BY region",
        weight=Decimal(2),
    ),
    PipelineStatistic(sql="SELECT smoker, AVG(los) AS mean_nights FROM patients GROUP BY smoker", weight=Decimal(2)),
    PipelineStatistic(sql="SELECT MEDIAN(income) AS median_income FROM patients", weight=Decimal(1)),
    PipelineStatistic(sql="SELECT COUNT(*) AS elderly FROM patients WHERE age >= 65", accuracy=40, hold=True),
)


def make_demo(folder: str | os.PathLike[str] = ".", *, force: bool = False) -> Started:
    """Writes synthetic data, its description with a budget, and a pipeline that is ready to run.

    The data and both descriptions are equal in every run; the key, the identity and the ledger are not.

    Args:
        folder: Where; it is made if it is missing.
        force: Whether data and descriptions that exist may be replaced. A key, an identity and a ledger never are:
            they are kept and used again.

    Raises:
        OutputError: Files exist and `force` is not given, or a place cannot be written. Nothing is left then.
        PrivkitError: A key, identity or ledger that is kept cannot be used.
    """
    place = Path(folder)
    data, dataset, pipeline = (place / f"demo.{ending}" for ending in ("csv", "dataset.yaml", "pipeline.yaml"))
    key, identity, ledger = (place / f"demo.{ending}" for ending in ("key", "identity", "ledger.sqlite3"))
    named = {data: "the data", dataset: "the description", pipeline: "the pipeline"}
    check_places(named | {key: "the key", identity: "the identity", ledger: "the ledger"}, place, force=force)
    described = Dataset(
        data.name, name=NAME, unit=_UNIT.model_dump(exclude_none=True), columns=_COLUMNS, budget=_BUDGET.model_dump(),
        ledger=ledger.name, version="2026",
    )  # fmt: skip
    described.folder = place.absolute()
    steps = _steps(dataset.name, key.name, identity.name)
    texts = {
        data: patients_csv(),
        dataset: dataset_yaml(described.spec, dataset.name),
        pipeline: pipeline_yaml(steps, pipeline.name, budget=_BUDGET, comparable="region"),
    }
    with Placing() as placing:
        placing.folder(place)
        kept = [one for one in (key, identity, ledger) if os.path.lexists(one)]
        _keep_or_make(placing, key, identity)
        if ledger in kept:
            open_ledger(described, read_only=True).close()
        standing = placing.ledger(described) if ledger not in kept else None
        placing.texts(texts)
    files = {
        data: "admissions of patients who do not exist",
        dataset: DESCRIBED,
        pipeline: ORDERED,
        key: "makes the pseudonyms, and turns them back",
        identity: "signs the card",
        ledger: CREATED,
    }
    files |= {one: f"kept as it was: {files[one]}" for one in kept}
    return Started(described.spec, steps, dataset, pipeline, files, standing)


def _keep_or_make(placing: Placing, key: Path, identity: Path) -> None:
    if os.path.lexists(key):
        Key.load(key)
    else:
        placing.made(key, lambda: Key.new(key))
    if os.path.lexists(identity):
        Identity.load(identity)
    else:
        placing.made(identity, lambda: Identity.new(identity, "demo"))


def _steps(dataset: str, key: str, identity: str) -> PipelineSpec:
    rows = DeidentifyStep(
        output=f"{OUTPUTS}/patients.csv",
        policy="pseudonymize",
        key=key,
        detector="core",
        columns={
            "patient_id": Pseudonym(),
            "name": Pseudonym(),
            "email": Drop(),
            "region": Keep(),
            "ward": Keep(),
            "age": Generalize(band=10, top=90),
            "income": Generalize(band=10_000),
            "los": Keep(),
            "smoker": Keep(),
            "admitted": Generalize(to="month"),
        },
    )
    numbers = ReleaseStep(output=f"{OUTPUTS}/stats.json", total_epsilon=Decimal("1.5"), statistics=_STATISTICS)
    return PipelineSpec(
        dataset=dataset,
        about=_ABOUT,
        steps=(Step(deidentify=rows), Step(release=numbers)),
        fairness=compared_groups("region"),
        card=f"{OUTPUTS}/card.html",
        sign=identity,
    )
