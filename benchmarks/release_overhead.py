"""What a release costs apart from the query and the noise: CPU milliseconds by phase, and in all.

The phases are the functions that a session calls, one after the other, each release at another ε so that no scale is
remembered from the one before. `in_all` is a whole `Session.sql` less the aggregate and the noise, measured on their
own. The card is written when somebody asks for it, and stands beside the sum.

    python benchmarks/release_overhead.py [--releases 200]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else a second thread's waiting counts as work

from inputs import HIGHEST_INCOME, REGIONS, write_people_parquet
from measuring import publish

import privkit
from privkit.budget import loss_at
from privkit.dp.bounding import aggregate
from privkit.dp.estimate import estimate
from privkit.dp.measurement import measure, noise_scales
from privkit.dp.plan import plan
from privkit.dp.sql import parse_sql
from privkit.dp.writing import write_sql

QUERIES = {
    "count": "SELECT COUNT(*) AS n FROM people",
    "count and mean of 50 regions": "SELECT region, COUNT(*) AS n, AVG(income) AS income FROM people GROUP BY region",
    "median": "SELECT MEDIAN(income) AS income FROM people",
}
BUDGETS = {
    "zcdp": {"epsilon": 5000, "delta": "1e-6", "measure": "zcdp"},
    "pure": {"epsilon": 5000, "measure": "pure"},
}
Result = TypeVar("Result")


class Clock:
    """CPU seconds of this process, by phase."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def __call__(self, phase: str, work: Callable[[], Result]) -> Result:
        before = time.process_time()
        result = work()
        self.spent[phase].append(time.process_time() - before)
        return result

    def median_ms(self) -> dict[str, float]:
        """The phases' medians."""
        return {phase: round(1000 * statistics.median(each), 2) for phase, each in self.spent.items()}


def dataset(folder: Path, budget: dict[str, Any]) -> privkit.Dataset:
    """A thousand people, and a budget for thousands of releases."""
    made = privkit.Dataset(
        write_people_parquet(folder / "people.parquet", 1000),
        name="people",
        unit={"column": "user_id", "max_groups": 1, "max_rows_per_group": 1, "max_units": 100_000},
        columns={
            "region": {"type": "category", "categories": REGIONS},
            "income": {"type": "float", "bounds": (0, HIGHEST_INCOME), "granularity": 1},
        },
        budget=budget,
        ledger=folder / "ledger.sqlite3",
    )
    privkit.create_budget(made, accept_high_loss="a benchmark on made-up people")
    return made


def prices() -> Iterator[Decimal]:
    """ε, each time another."""
    for number in range(10**6):
        yield Decimal("0.05") + number * Decimal("1e-7")


def by_phase(session: privkit.Session, sql: str, price: Decimal, clock: Clock) -> None:
    """One release, phase by phase."""
    spec, ledger = session.dataset.spec, session._ledger
    query = clock("parse", lambda: parse_sql(sql, spec))
    made = clock("plan", lambda: plan(query, spec))
    loss = clock("price", lambda: loss_at(price, ledger.opening.limit, Decimal(0)))
    clock("scales", lambda: noise_scales(made, loss))
    clock("spelling", lambda: write_sql(query, spec))
    ready = session._prepare(sql, price, None, None, 0.95, None, None)
    clock("look up", lambda: session._stored(ready))
    table = session._opened()
    receipt = clock("charge", lambda: ledger.charge(session._charge(ready)))
    exact = clock("(aggregate)", lambda: aggregate(made, table))
    measured = clock("(noise)", lambda: measure(made, exact, loss))
    clock("estimate", lambda: estimate(made, measured, 0.95))
    release = clock("record with estimate", lambda: session._release(ready, measured, receipt, 0.95))
    text = clock("write down", lambda: release.model_dump_json().encode())
    clock("answer", lambda: ledger.answer(receipt.id, text))
    clock("(card)", lambda: privkit.Released(release, stored=False).card)


def whole(session: privkit.Session, sql: str, price: Decimal, clock: Clock) -> None:
    """One release as it is; then its aggregate and its noise alone, at another ε."""
    clock("whole", lambda: session.sql(sql, epsilon=price))
    ready = session._prepare(sql, price + Decimal("1e-9"), None, None, 0.95, None, None)
    exact = clock("aggregate", lambda: aggregate(ready.plan, session._opened()))
    clock("noise", lambda: measure(ready.plan, exact, ready.loss))


def overhead(budget: dict[str, Any], releases: int) -> dict[str, Any]:
    """Every query under one budget."""
    found, each = {}, prices()
    with tempfile.TemporaryDirectory() as name, privkit.Session(dataset(Path(name), budget), "benchmark") as session:
        for label, sql in QUERIES.items():
            for _ in range(5):
                session.sql(sql, epsilon=next(each))
            phases, all_of_it = Clock(), Clock()
            for _ in range(releases):
                by_phase(session, sql, next(each), phases)
                whole(session, sql, next(each), all_of_it)
            took = all_of_it.median_ms()
            found[label] = {
                "in_all": round(took["whole"] - took["aggregate"] - took["noise"], 2),
                "phases": phases.median_ms(),
            }
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--releases", type=int, default=200)
    given = parser.parse_args()
    publish(
        {
            "benchmark": "release_overhead",
            "releases": given.releases,
            "cpu_ms": {measure: overhead(budget, given.releases) for measure, budget in BUDGETS.items()},
        }
    )


if __name__ == "__main__":
    main()
