"""Made-up cards for the report tests: one with everything that a card can hold, one with as little as it must."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from privkit.model.card import (
    Card,
    CardAccounting,
    CardColumn,
    CardStatistic,
    CardStudy,
    DeidentifiedRows,
    FairnessGroup,
    FairnessTable,
    Guarantee,
    Implementation,
    MeasuredDetection,
    OddsRow,
    PublishedFile,
)
from privkit.model.dataset import PrivacyUnit
from privkit.model.disclosure import Disclosure, LocalNoise
from privkit.model.estimates import Estimated, Value
from privkit.model.pipeline import About
from privkit.model.query import Band, ByBands, ByColumn, Comparison, Count, Query
from privkit.model.release import Answer, Mechanism
from privkit.model.report import ModelInfo
from privkit.model.study import StudyKeyHolder, StudyParty
from tests.report import evaluation_sample, release_sample
from tests.report.release_sample import loss

BELIEFS = ((1, 0.0503, 16.8677), (10, 0.5501, 69.0572), (50, 4.7426, 95.2574), (90, 30.94, 99.4499))
BANDED = "SELECT CASE WHEN age >= 65 THEN '65+' ELSE 'under 65' END AS band, COUNT(*) AS n FROM patients GROUP BY band"
UNIT = PrivacyUnit(column="patient_id", max_groups=2, max_rows_per_group=3, max_units=20_000)
PUBLIC = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, test 1


def answer(**changes: Any) -> Answer:
    """Counts, means, days, a histogram and a regression by region."""
    fields = {name: getattr(release_sample.release(), name) for name in Answer.model_fields}
    fields["keys"] = (("south",), ("north",), ("west",))
    fields["sql"] = "SELECT region, COUNT(*) AS n, AVG(age) AS age FROM patients GROUP BY region"
    return Answer(**fields | {"threshold": release_sample.threshold()} | changes)


def counts(values: dict[str, float | None], half: float = 18.0, **changes: Any) -> Answer:
    """A count by region, `half` on both sides of each; None: withheld."""
    fields: dict[str, Any] = {
        "sql": "SELECT region, COUNT(*) AS n FROM patients GROUP BY region",
        "query": Query(statistics=(Count(name="n"),), groups=(ByColumn(column="region", name="region"),)),
        "privacy_unit": UNIT,
        "measure": "zcdp",
        "cost": loss("0.25", "0.0017"),
        "mechanisms": (
            Mechanism(vector="rows", noise="discrete Gaussian", scale=9.184, share="1", distance=4.2426, serves=("n",)),
        ),
        "groups": ("region",),
        "keys": tuple((name,) for name in values),
        "drawn": (),
        "confidence": 0.9,
        "results": (
            Estimated(
                name="n",
                values=tuple(
                    (
                        Value(withheld="too few units")
                        if value is None
                        else Value(value=value, low=value - half, high=value + half),
                    )
                    for value in values.values()
                ),
                method="quantile of the noise",
            ),
        ),
        "declared": {},
    }
    return Answer(**fields | changes)


def statistic(found: Answer, **changes: Any) -> CardStatistic:
    """One released query."""
    fields: dict[str, Any] = {
        "answer": found,
        "entry": "0198c1d2-aaaa",
        "sequence": 1017,
        "stored": False,
        "groups_from": "declared categories, public",
        "bias": ("ages beyond 0 … 110 count as the bound",),
    }
    return CardStatistic(**fields | changes)


def disclosure(**changes: Any) -> Disclosure:
    """Rows that were given out."""
    fields: dict[str, Any] = {
        "what": "out/patients.parquet",
        "time": "2026-11-20T09:12:44.000001+00:00",
        "version": "2026-11-rows",
        "policy": "pseudonymize",
        "policy_sha256": "1a" * 32,
        "key_id": "3f9a01bc",
        "detector": "full",
        "residual_cells": 14,
        "residual_identifiers": 2,
        "approved_by": "Dr. A. Okafor, data steward",
    }
    return Disclosure(**fields | changes)


def column(name: str, role: str, operator: str | None, **changes: Any) -> CardColumn:
    """What became of a column."""
    return CardColumn(**{"name": name, "role": role, "entity": None, "operator": operator} | changes)


def deidentified() -> DeidentifiedRows:
    """Rows whose readers get the card too."""
    return DeidentifiedRows(
        disclosure=disclosure(),
        columns=(
            column("patient_id", "identifier", "pseudonym", entity="ID", changed=12_003),
            column("full_name", "identifier", "surrogate", entity="PERSON", changed=11_987),
            column("insurance", "identifier", None, entity="US_SSN"),
            column("birth_date", "quasi", "generalize", entity="DATE_TIME", changed=11_555),
            column("notes", "free_text", "replace", changed=7_004),
            column("smoker", "other", "keep", local="randomize", changed=1_801),
            column("ward", "other", "keep", changed=0),
            column("length_of_stay", "other", "keep", changed=0),
        ),
        models=(ModelInfo(name="en_core_web_sm", version="3.8.0", sha256="cd93e9ca" * 8),),
        recall="0.93 of person names in 1,200 annotated notes of a similar clinic",
        rows=12_004,
        measured=measured(),
    )


def measured() -> MeasuredDetection:
    """What was measured of a detector that finds one group's names less often."""
    found = evaluation_sample.evaluation()
    return MeasuredDetection(
        source_sha256=found.source_sha256,
        evaluation_sha256="6c" * 32,
        texts=found.texts,
        words=found.words,
        overall=found.overall,
        entities=found.entities,
        groups=found.groups,
        privkit=found.privkit,
    )


def local() -> tuple[LocalNoise, ...]:
    """Two columns with noise of their own."""
    told = "substitution of one value of column {}; presence and other columns unprotected"
    return (
        LocalNoise(
            what="out/patients.parquet",
            column="smoker",
            mechanism="randomize",
            epsilon=Decimal("1.25"),
            max_rows=3,
            unit_epsilon=Decimal("3.75"),
            protects=told.format("smoker"),
            time="2026-11-20T09:12:45+00:00",
        ),
        LocalNoise(
            what="out/older.parquet",
            column="weight",
            mechanism="noise",
            epsilon=Decimal("2.125"),
            max_rows=4,
            unit_epsilon=Decimal("8.5"),
            protects=told.format("weight"),
            time="2026-06-03T10:00:46+00:00",
        ),
    )


def study(**changes: Any) -> CardStudy:
    """A study of three hospitals."""
    names = ("north", "south", "west")
    fields: dict[str, Any] = {
        "study": "flu",
        "session": "0f" * 16,
        "party": "north",
        "parties": tuple(
            StudyParty(name=name, public=f"ed25519:{letter * 43}=") for name, letter in zip(names, "ABC", strict=True)
        ),
        "key_holder": StudyKeyHolder(name="institute", public=f"ed25519:{'D' * 43}="),
        "epsilon": Decimal("0.75"),
        "delta": Decimal("2e-6"),
        "rho": Decimal("0.0111"),
        "min_honest": 2,
        "noise": "distributed",
        "parameters": ("bfv-8192-40bit",),
        "statistics": ("SELECT ward, COUNT(*) AS n FROM data GROUP BY ward",),
        "collusion": ("The key holder and two of the parties together would see the third's sum with less noise.",),
    }
    return CardStudy(**fields | changes)


def fairness() -> FairnessTable:
    """Counts by region, much less precise in one."""
    return FairnessTable(
        attribute="region",
        statistic="n",
        sql="SELECT region, COUNT(*) AS n FROM patients GROUP BY region",
        groups=(
            FairnessGroup(group="south", relative_half_width=0.01459, values=1),
            FairnessGroup(group="north", relative_half_width=0.0209, values=2),
            FairnessGroup(group="west", relative_half_width=0.4, values=3),
            FairnessGroup(group="east", relative_half_width=None, values=0),
        ),
        ratio=0.036475,
        warning="n is much less precise for region west.",
    )


def guarantee(**changes: Any) -> Guarantee:
    """ε 3 for ever, and rows were given out."""
    fields: dict[str, Any] = {
        "measure": "zcdp",
        "limit": loss("3", "0.1451"),
        "unit": UNIT,
        "neighbours": "Two tables that differ by all rows of one patient_id, added or removed.",
        "enforced": "Every aggregate clips, samples and scales in the engine, whatever the data looks like.",
        "not_protected": (
            "That a group with certain habits shows in the statistics, and what follows from that for its members.",
            "Anything else that was given out about the same people.",
            "How long the computation took.",
        ),
        "statistics_only": True,
    }
    return Guarantee(**fields | changes)


def accounting(**changes: Any) -> CardAccounting:
    """A ledger with entries before and after."""
    fields: dict[str, Any] = {
        "before": loss("0.8123", "0.0161"),
        "after": loss("1.3012", "0.0335214789123"),
        "entries": 1023,
        "head": "5d" * 32,
        "high_loss": None,
        "ledger": "../ledger.sqlite3",
    }
    return CardAccounting(**fields | changes)


def card(**changes: Any) -> Card:
    """A card with everything."""
    fields: dict[str, Any] = {
        "id": "0198c1d2-7f7f",
        "dataset": "patients",
        "version": "2026-11",
        "time": "2026-11-22T01:30:04.123456+00:00",
        "made_by": "Ana Lima",
        "about": About(
            title="Admissions of the Northern clinics, 2026",
            purpose="Collected for billing; shared so that wards can be planned.",
            intended_uses="Comparing regions and ages of admissions.",
            unsuitable_uses="Judging single wards or doctors.",
            collection="All admissions from January to October 2026, from the clinics' own systems.",
            contact="data@clinic.example",
            license="CC BY 4.0",
            rows="About 12,000 admissions, as the annual report says.",
        ),
        "deidentified": (deidentified(),),
        "disclosed": (
            disclosure(),
            disclosure(
                what="out/older.parquet",
                time="2026-06-03T10:00:45+00:00",
                version="2026-06",
                policy="default",
                policy_sha256="2b" * 32,
                key_id=None,
                detector="patterns",
                residual_cells=None,
                residual_identifiers=None,
                approved_by="the ethics board",
            ),
        ),
        "local": local(),
        "guarantee": guarantee(),
        "accounting": accounting(),
        "statistics": (
            statistic(answer()),
            statistic(
                counts({"65+": 812.0, "under 65": 1_431.0}, query=banded(), groups=("band",), sql=BANDED),
                entry="0198c1d2-bbbb",
                sequence=1018,
                stored=True,
                groups_from="bands of the query",
                bias=("rows without an age are left out",),
            ),
        ),
        "studies": (study(),),
        "fairness": (fairness(),),
        "declared": {
            "age": {"type": "integer", "bounds": [0, 110]},
            "region": {"type": "category", "categories": ["south", "north", "west"]},
        },
        "odds": tuple(OddsRow(prior=prior, lowest=lowest, highest=highest) for prior, lowest, highest in BELIEFS),
        "implementation": Implementation(
            software={"privkit-toolkit": "0.1.0", "opendp": "0.16.0"},
            randomness="the operating system's generator",
            floating_point="sums are exact integers; noise is discrete",
            timing="not hidden: who runs a query can measure how long it takes",
        ),
        "files": (
            PublishedFile(path="stats.json", bytes=20_481, sha256="7e" * 32),
            PublishedFile(path="patients.parquet", bytes=None, sha256="8f" * 32),
        ),
        "previous": "9a" * 32,
        "signer": "Northern clinics",
        "public": PUBLIC,
        "signature": "c2lnbmF0dXJl" * 7 + "QUI=",
    }
    return Card(**fields | changes)


def banded() -> Query:
    """A count by bands of age."""
    older = Band(label="65+", condition=Comparison(column="age", operator=">=", value="65"))
    group = ByBands(column="age", name="band", bands=(older,), otherwise="under 65")
    return Query(statistics=(Count(name="n"),), groups=(group,))


def everything(**changes: Any) -> Card:
    """A card on which every field holds something."""
    return card(**{"accounting": accounting(high_loss="approved by the board")} | changes)


def minimal(**changes: Any) -> Card:
    """A card with nothing that can be left out."""
    fields: dict[str, Any] = {
        "id": "0198",
        "dataset": "patients",
        "version": "1",
        "time": "2026-11-22T01:30:04+00:00",
        "made_by": "ana",
        "guarantee": guarantee(statistics_only=False, not_protected=()),
        "accounting": accounting(before=loss("0", "0"), after=loss("0", "0"), ledger=None),
        "implementation": Implementation(software={}, randomness="OS", floating_point="integers", timing="not hidden"),
    }
    return Card(**fields | changes)
