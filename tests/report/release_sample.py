"""Made-up releases for the report tests, with names as hostile as a source can make them."""

from decimal import Decimal
from typing import Any

from privkit.model.dataset import PrivacyUnit
from privkit.model.estimates import Estimated, Value
from privkit.model.query import ByColumn, Count, Histogram, Mean, Quantile, Query, Regression
from privkit.model.release import (
    Accounting,
    BudgetStanding,
    HalfWidth,
    Loss,
    Mechanism,
    Preview,
    QuotaStanding,
    Release,
    ThresholdMechanism,
)

HOSTILE = "no|rth <script>alert('x')</script> \" onload=\"alert(1) & \x1b[31m \u202e [bold] `x` *y*\n# z"
COST = Loss(epsilon=Decimal("0.50"), delta=Decimal("0.000001"), rho=Decimal("0.0063214789123"))


def loss(epsilon: str, rho: str) -> Loss:
    return Loss(epsilon=Decimal(epsilon), delta=Decimal("0.000001"), rho=Decimal(rho))


def release(**changes: Any) -> Release:
    """Counts, means and days of two groups and a third without a mean, with a histogram and a regression."""
    fields: dict[str, Any] = {
        "id": "0197-ab/c<>",
        "dataset": "patients",
        "version": "2026-11",
        "analyst": "ana",
        "time": "2026-11-22T01:30:04.123456+00:00",
        "sql": "SELECT region, COUNT(*) AS n FROM patients WHERE \"a\" < '<b>' GROUP BY region",
        "query": Query(
            statistics=(
                Count(name="n"),
                Mean(name="age", column="age"),
                Quantile(name="day", column="day", q=Decimal("0.5")),
                Histogram(name="ages", column="age", bins=4),
                Regression(name="cost", outcome="cost", predictors=("age",)),
            ),
            groups=(ByColumn(column="region", name="region"),),
        ),
        "privacy_unit": PrivacyUnit(column="patient_id", max_groups=2, max_rows_per_group=3, max_units=20_000),
        "measure": "zcdp",
        "cost": COST,
        "threshold_delta": Decimal(0),
        "accounting": Accounting(
            entry="0197-ab/c<>",
            sequence=7,
            head="ab" * 32,
            before=loss("0.8123456789", "0.016"),
            after=loss("1", "0.0223214789123"),
            limit=loss("3", "0.2"),
        ),
        "mechanisms": (
            Mechanism(
                vector="moments <age>",
                noise="discrete Gaussian",
                scale=18234.5,
                share="1/2",
                distance=4096.0,
                serves=("n", "age"),
            ),
            Mechanism(
                vector="cells(age)", noise="discrete Gaussian", scale=12.5, share="1/2", distance=1.5, serves=("ages",)
            ),
        ),
        "groups": ("region",),
        "keys": (("south",), (HOSTILE,), ("west",)),
        "drawn": (),
        "confidence": 0.95,
        "results": (
            Estimated(
                name="n",
                values=tuple((Value(value=v, low=v - 18, high=v + 18),) for v in (1234, 861, -3)),
                method="noise quantile",
            ),
            Estimated(
                name="age",
                values=(
                    (Value(value=51.23456, low=50.1, high=52.4),),
                    (Value(value=48.9, low=11.0, high=80.0, weak=True),),
                    (Value(withheld="too few rows for a mean"),),
                ),
                method="Fieller",
                notes=(
                    "values beyond the bounds count as the bound",
                    "the interval covers the noise of this one number",
                ),
            ),
            Estimated(
                name="day",
                values=tuple(
                    (Value(value=f"2026-0{m}-10", low=f"2026-0{m}-02", high=f"2026-0{m}-20"),) for m in (3, 4, 5)
                ),
                method="band of the CDF",
            ),
            Estimated(
                name="ages",
                values=tuple(
                    tuple(
                        Value(label=f"[{b * 20}, {b * 20 + 20})", value=v, low=v - 15, high=v + 15)
                        for b, v in enumerate(counts)
                    )
                    for counts in ((12, 340, 610, 272), (5, 201, 400, 255), (-4, 2, 9, -10))
                ),
                method="noise quantile",
            ),
            Estimated(
                name="cost",
                values=tuple(
                    (
                        Value(label="(intercept)", value=a, low=a - 40.5, high=a + 40.5),
                        Value(label="age", value=b, low=b - 0.812, high=b + 0.812),
                    )
                    for a, b in ((310.25, 2.125), (280.5, 1.75), (12.0, -0.3))
                ),
                method="delta",
            ),
        ),
        "declared": {"age": {"type": "integer", "bounds": [0, 110]}, "region": {"type": "category", "from_": "RG"}},
        "software": {"privkit-toolkit": "0.1.0", "opendp": "0.16.0"},
    }
    return Release(**fields | changes)


def preview(**changes: Any) -> Preview:
    fields: dict[str, Any] = {
        "dataset": "patients",
        "sql": "SELECT COUNT(*) AS n, AVG(age) AS age FROM patients",
        "cost": COST,
        "threshold_delta": Decimal(0),
        "remaining": loss("1.5123456", "0.1776785210877"),
        "fits": True,
        "stored": False,
        "groups": 1,
        "mechanisms": release().mechanisms,
        "confidence": 0.95,
        "half_widths": (
            HalfWidth(name="n", half_width=18.2, unit="rows"),
            HalfWidth(name="age", half_width=None, unit="", note="depends on how many rows there are"),
        ),
        "notes": ("A note [bold].",),
    }
    return Preview(**fields | changes)


def threshold() -> ThresholdMechanism:
    return ThresholdMechanism(scale=6.5, threshold=41, delta=Decimal("1e-8"), share="1/4")


def standing(**changes: Any) -> BudgetStanding:
    fields: dict[str, Any] = {
        "dataset": "patients",
        "measure": "zcdp",
        "limit": loss("3", "0.2"),
        "spent": loss("1.0000001234", "0.05"),
        "remaining": loss("2.41999999", "0.15"),
        "threshold_delta": Decimal(0),
        "threshold_delta_spent": Decimal(0),
        "entries": 9,
        "head": "cd" * 32,
        "quotas": (
            QuotaStanding(
                analyst="ana", limit=loss("1", "0.02"), spent=loss("0.5", "0.006"), remaining=loss("0.6", "0.014")
            ),
        ),
    }
    return BudgetStanding(**fields | changes)
