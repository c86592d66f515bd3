"""A door: private releases. Data and ledger meet here, in one order:

    plan → charge (durable) → aggregate → measure → keep the answer (durable) → show it

A crash never gives budget back, and no answer is seen that was not paid for. Everything before the charge follows from
the query, the description and the ledger; no private data is read for it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from numbers import Real
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from privkit.budget import CHARGED, as_loss, charged, loss_at, open_ledger, whoami
from privkit.dataset import Dataset
from privkit.dp.accuracy import half_widths, loss_for
from privkit.dp.bounding import aggregate, check_askable
from privkit.dp.builder import QueryBuilder
from privkit.dp.canonical import canonical_query
from privkit.dp.checks import check
from privkit.dp.dialects import COMPILED
from privkit.dp.embedded import Room
from privkit.dp.estimate import check_confidence, estimate
from privkit.dp.measurement import measure, noise_scales
from privkit.dp.plan import Aggregates, Measured, Plan, plan
from privkit.dp.sources import Table, open_table
from privkit.dp.sql import parse_sql
from privkit.dp.threshold import threshold_of
from privkit.dp.vectors import Integers
from privkit.dp.writing import write_sql
from privkit.errors import AggregateError, LedgerError, PrivkitError, UsageError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Limit, Receipt, Stored
from privkit.ledger.store import System
from privkit.model.amounts import amount
from privkit.model.disclosure import Disclosure
from privkit.model.estimates import Value
from privkit.model.query import Count, Query
from privkit.model.release import (
    Accounting,
    Drawn,
    HalfWidth,
    Loss,
    Mechanism,
    Preview,
    Release,
    ThresholdMechanism,
)
from privkit.model.software import versions_of

if TYPE_CHECKING:
    import pandas as pd

Number = Decimal | int | float | str

_PLANS = 256  # of a session's latest queries that are kept


@dataclass(frozen=True)
class Released:
    """An answer.

    Attributes:
        release: All of it, as it is kept in the ledger.
        stored: Whether it was there already, so that nothing was spent.
    """

    release: Release
    stored: bool

    def to_pandas(self) -> pd.DataFrame:
        """One row a group: the group columns, then for each statistic its name, name_low and name_high.

        A histogram or a regression has these three for each of its bins or terms, as name[label].
        """
        import pandas as pd

        columns: dict[str, list[Any]] = {
            name: [key[i] for key in self.release.keys] for i, name in enumerate(self.release.groups)
        }
        for result in self.release.results:
            for values in result.values:
                for value in values:
                    name = result.name if value.label is None else f"{result.name}[{value.label}]"
                    for column, item in _shown(name, value):
                        columns.setdefault(column, []).append(item)
        return pd.DataFrame(columns)

    @cached_property
    def card(self) -> str:
        """What was asked, what it cost and how far to trust it, as Markdown."""
        from privkit.report.card import release_card

        return release_card(self.release)

    def _repr_html_(self) -> str:
        from privkit.report.release_html import release_fragment

        return release_fragment(self.release, self.stored)


@dataclass(frozen=True)
class _Prepared:
    """A release that only has to be paid."""

    plan: Plan
    sql: str
    loss: Decimal
    cost: Loss
    scales: Mapping[str, float]

    @property
    def threshold_delta(self) -> Decimal:
        return self.plan.threshold.delta if self.plan.threshold else Decimal(0)


class Session:
    """Private releases of one dataset by one analyst; a context manager.

    It belongs to the thread that made it. The data is opened at the first release that needs it.

    Args:
        dataset: What is asked about.
        analyst: Who asks: whose quota is charged. Self-asserted; the user of the operating system by default.
        spill: Where the engine in this process keeps what does not fit into memory: a folder that exists, in which it
            makes a private one; the system's temporary folder by default.
        memory: How much that engine may take: bytes, or text such as "4GB"; by default four fifths of what the machine
            or its container has, or of a lower `ulimit`.
        system: For fault tests.

    Raises:
        LedgerError: There is no ledger (`privkit budget create`), or it is of another dataset.
        DatasetError: The description and the budget disagree.
        UsageError: It is no Dataset, or `memory` is no size.
    """

    def __init__(
        self,
        dataset: Dataset,
        analyst: str | None = None,
        *,
        spill: str | Path | None = None,
        memory: str | int | None = None,
        system: System | None = None,
    ) -> None:
        if not isinstance(dataset, Dataset):
            raise UsageError("a session is of a privkit.Dataset", hint="Dataset.load(path) reads its description.")
        self.dataset = dataset
        self.analyst = analyst if analyst is not None else whoami()
        self._room = Room.asked(spill, memory)
        self._system = system or System()
        self._ledger: Ledger = open_ledger(dataset, system=self._system)
        self._table: Table | None = None
        self._planned_text = lru_cache(maxsize=_PLANS)(self._planned)

    @property
    def limit(self) -> Limit:
        """The budget, as the ledger counts it."""
        return self._ledger.opening.limit

    @property
    def left(self) -> Decimal:
        """What is left to this analyst, in the ledger's measure."""
        return self._left()

    @property
    def remaining(self) -> Loss:
        """What one release of everything that is left to this analyst would cost."""
        return as_loss(self._left(), self._ledger.opening.limit, left=True)

    def preview(
        self,
        query: str | Query | QueryBuilder,
        *,
        epsilon: Number | None = None,
        rho: Number | None = None,
        accuracy: float | None = None,
        confidence: float = 0.95,
        threshold_delta: Number | None = None,
        assume_units: int | None = None,
    ) -> Preview:
        """What a release would do and cost. Spends nothing and reads no private data.

        Args:
            query: SQL, a `Query`, or what the builder made.
            epsilon: ε of this release alone, at the budget's δ. One of the three is wanted.
            rho: ρ of this release, where the budget is zcdp.
            accuracy: The half-width that every statistic shall have, in its own unit.
            confidence: Of the half-widths, in 0 … 1.
            threshold_delta: δ that private categories may take; a tenth of the budget's threshold_delta by default.
            assume_units: Units in a group, for half-widths that depend on it; nobody looks whether it is so.

        Raises:
            QueryError: The query is not understood, or the description does not allow it.
            UsageError: Not one of the three, or an accuracy that cannot be solved without data.
        """
        ready = self._prepare(query, epsilon, rho, accuracy, confidence, threshold_delta, assume_units)
        limit, left = self._ledger.opening.limit, self._left()
        room = self._ledger.standing().remaining_delta >= ready.threshold_delta
        fits = ready.loss <= left and room
        threshold = threshold_of(ready.plan, ready.loss) if ready.plan.threshold else None
        return Preview(
            dataset=self.dataset.spec.name,
            sql=ready.sql,
            cost=ready.cost,
            threshold_delta=ready.threshold_delta,
            remaining=as_loss(left - ready.loss if fits else left, limit, left=True),
            fits=fits,
            stored=self._stored(ready) is not None,
            groups=None if ready.plan.keys.cells is None else len(ready.plan.keys.cells),
            mechanisms=_mechanisms(ready.plan, ready.scales),
            threshold=_threshold(ready.plan, threshold.scale, threshold.threshold) if threshold else None,
            confidence=confidence,
            half_widths=self._half_widths(ready, confidence, assume_units),
        )

    def sql(
        self,
        query: str | Query | QueryBuilder,
        *,
        epsilon: Number | None = None,
        rho: Number | None = None,
        accuracy: float | None = None,
        confidence: float = 0.95,
        threshold_delta: Number | None = None,
        assume_units: int | None = None,
        fresh: bool = False,
    ) -> Released:
        """Releases statistics, charged before they are drawn.

        An equal query that was paid for with at least this loss gives its stored answer again and spends nothing.

        Args:
            query: SQL, a `Query`, or what the builder made.
            epsilon: ε of this release alone, at the budget's δ. One of the three is wanted.
            rho: ρ of this release, where the budget is zcdp.
            accuracy: The half-width that every statistic shall have, in its own unit.
            confidence: Of the intervals, in 0 … 1.
            threshold_delta: δ that private categories may take; a tenth of the budget's threshold_delta by default.
            assume_units: As in `preview`; for `accuracy` only. Without it, an earlier released count is assumed.
            fresh: Draw again and pay, whatever is stored.

        Raises:
            QueryError: The query is not understood, or the description does not allow it; nothing was charged.
            UsageError: Not one of the three, or an accuracy that cannot be solved without data; nothing was charged.
            DatasetError: The source is gone or has another schema; nothing was charged.
            OutputError: The folder to spill to cannot be used; nothing was charged.
            BudgetRefusedError: It does not fit; nothing was charged.
            AggregateError: The engine failed after the charge; what was charged stays charged.
        """
        ready = self._prepare(query, epsilon, rho, accuracy, confidence, threshold_delta, assume_units)
        if not fresh and (stored := self._stored(ready)) is not None:
            told = {"disclosed": self._disclosed()}  # rows may have left since it was paid for
            return Released(_renamed(_read(stored), ready, confidence).model_copy(update=told), stored=True)
        table = self._opened()
        check_askable(ready.plan, table)
        receipt = self._ledger.charge(self._charge(ready))
        with charged(self._ledger, receipt):
            measured = measure(ready.plan, _aggregated(ready.plan, table), ready.loss)
            release = self._release(ready, measured, receipt, confidence, table)
        try:
            self._ledger.answer(receipt.id, release.model_dump_json().encode())
        except LedgerError as err:
            err.hint = CHARGED  # its own may say that nothing was
            raise
        return Released(release, stored=False)

    def close(self) -> None:
        """Lets go of ledger and data; more than once does no harm."""
        self._ledger.close()
        if self._table is not None:
            self._table.close()
            self._table = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- before the charge

    def _prepare(
        self,
        query: str | Query | QueryBuilder,
        epsilon: Number | None,
        rho: Number | None,
        accuracy: float | None,
        confidence: float,
        threshold_delta: Number | None,
        assume_units: int | None,
    ) -> _Prepared:
        check_confidence(confidence)
        if assume_units is not None and not (_is_number(assume_units) and assume_units >= 1 and assume_units % 1 == 0):
            raise UsageError("assume_units: a whole number of at least 1 is wanted")
        delta = None if threshold_delta is None else _amount(threshold_delta, "the threshold delta")
        made, sql = (self._planned_text if isinstance(query, str) else self._planned)(query, delta)
        loss, cost = self._priced(made, epsilon, rho, accuracy, confidence, assume_units)
        return _Prepared(made, sql, loss, cost, noise_scales(made, loss))

    def _planned(self, query: str | Query | QueryBuilder, threshold_delta: Decimal | None) -> tuple[Plan, str]:
        """The plan and its SQL in one spelling; of a text it is remembered, as both follow from the description."""
        asked = self._query(query)
        return plan(asked, self.dataset.spec, threshold_delta), write_sql(asked, self.dataset.spec)

    def _query(self, query: str | Query | QueryBuilder) -> Query:
        spec = self.dataset.spec
        if isinstance(query, str):
            return parse_sql(query, spec)
        if isinstance(query, QueryBuilder):
            return query.build(spec)
        if not isinstance(query, Query):
            raise UsageError("a query is SQL as a text, a Query, or what privkit.query() builds")
        asked = canonical_query(query, spec)
        check(asked, spec)
        return asked

    def _priced(
        self,
        made: Plan,
        epsilon: Number | None,
        rho: Number | None,
        accuracy: float | None,
        confidence: float,
        assume_units: int | None,
    ) -> tuple[Decimal, Loss]:
        limit = self._ledger.opening.limit
        taken = made.threshold.delta if made.threshold else Decimal(0)
        if sum(price is not None for price in (epsilon, rho, accuracy)) != 1:
            raise UsageError(
                "one of epsilon, rho and accuracy is wanted: what the release may cost, or how exact it is"
            )
        if epsilon is not None:
            exact = _amount(epsilon, "epsilon")
            loss = loss_at(exact, limit, taken)
            return _positive(loss), Loss(epsilon=exact, delta=limit.delta, rho=None if made.measure == "pure" else loss)
        if rho is not None:
            if made.measure == "pure":
                raise UsageError("this budget is pure: it is counted in epsilon", hint="Give --epsilon.")
            loss = _amount(rho, "rho")
        else:
            assert accuracy is not None
            if not (_is_number(accuracy) and math.isfinite(accuracy) and accuracy > 0):
                raise UsageError("an accuracy above 0 is wanted: the half-width of the intervals")
            rows = assume_units if assume_units is not None else self._earlier_count(made)[0]
            loss = loss_for(made, accuracy, confidence, lambda loss: noise_scales(made, loss), rows)
        return loss, as_loss(loss, limit, taken)

    def _left(self) -> Decimal:
        """Loss that is left to this analyst."""
        now = self._ledger.standing()
        quotas = (max(q.limit - q.spent, Decimal(0)) for q in now.quotas if q.analyst == self.analyst)
        return min((now.remaining, *quotas))

    def _stored(self, ready: _Prepared) -> Stored | None:
        return self._ledger.stored(ready.plan.key, ready.loss, ready.threshold_delta)

    def _half_widths(self, ready: _Prepared, confidence: float, assume_units: int | None) -> tuple[HalfWidth, ...]:
        """From declarations; what they leave open, under `assume_units` or an earlier released count of the groups."""
        rows, note = assume_units, ""
        if rows is None:
            rows, note = self._earlier_count(ready.plan)
        found = half_widths(ready.plan, ready.scales, confidence, rows)
        known = half_widths(ready.plan, ready.scales, confidence, None) if note else found
        return tuple(
            one if one == free else one.model_copy(update={"note": f"{one.note}; {note}" if one.note else note})
            for one, free in zip(found, known, strict=True)
        )

    def _earlier_count(self, made: Plan) -> tuple[int | None, str]:
        """The smallest group's noisy count in a stored release of COUNT(*) over the same rows and groups."""
        counted = Query(statistics=(Count(name="rows"),), where=made.query.where, groups=made.query.groups)
        taken = made.threshold.delta if made.threshold else Decimal(0)
        stored = self._ledger.stored(plan(counted, made.spec, taken or None).key, Decimal(0), taken)
        if stored is None:
            return None, ""
        counts = [int(values[0].value) for values in _read(stored).results[0].values if values[0].value is not None]
        if not counts or min(counts) < 1:
            return None, ""
        return min(counts), f"from the count that entry {stored.sequence} released"

    # ---- the charge and what comes after it

    def _opened(self) -> Table:
        if self._table is None:
            self._table = open_table(self.dataset.spec, self.dataset.folder, self.dataset.frame, self._room)
        return self._table

    def _charge(self, ready: _Prepared) -> Charge:
        return Charge(
            loss=ready.loss,
            delta=ready.threshold_delta,
            analyst=self.analyst,
            key=ready.plan.key,
            what={
                "sql": ready.sql,
                "version": self.dataset.spec.version,
                "cost": ready.cost.model_dump(mode="json"),
                "unit": self.dataset.spec.privacy_unit.model_dump(mode="json"),
            },
        )

    def _disclosed(self) -> tuple[Disclosure, ...]:
        """Rows that were given out; without the exact counts, which a release does not publish."""
        return tuple(one.without_counts() for one in self._ledger.disclosures())

    def _release(
        self, ready: _Prepared, measured: Measured, receipt: Receipt, confidence: float, table: Table
    ) -> Release:
        spec, made, limit = self.dataset.spec, ready.plan, self._ledger.opening.limit
        drawn = (Drawn(vector=n, values=tuple(map(tuple, v.tolist()))) for n, v in measured.noisy.items())
        scale, least = measured.units_scale, measured.threshold
        return Release(
            id=receipt.id,
            dataset=spec.name,
            version=spec.version,
            analyst=self.analyst,
            time=receipt.time,
            sql=ready.sql,
            query=made.query,
            privacy_unit=spec.privacy_unit,
            measure=made.measure,
            cost=ready.cost,
            threshold_delta=ready.threshold_delta,
            accounting=Accounting(
                entry=receipt.id,
                sequence=receipt.sequence,
                head=receipt.head,
                before=as_loss(receipt.spent_before.loss, limit),
                after=as_loss(receipt.spent_after.loss, limit),
                limit=as_loss(limit.loss, limit),
            ),
            accepted_high_loss=self._ledger.opening.accepted_high_loss,
            disclosed=self._disclosed(),
            mechanisms=_mechanisms(made, measured.scales),
            threshold=None if scale is None or least is None else _threshold(made, scale, least),
            groups=tuple(group.name for group in made.query.groups),
            keys=measured.keys,
            drawn=tuple(drawn),
            drawn_units=None if measured.units is None else tuple(measured.units.tolist()),
            confidence=confidence,
            results=estimate(made, measured, confidence),
            declared={n: spec.columns[n].model_dump(mode="json", exclude_none=True) for n in made.query.columns()},
            untested_engine=table.engine.name if table.engine.name in COMPILED else None,
            software={**versions_of("privkit-toolkit", "opendp", "ibis-framework"), **table.software},
        )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _aggregated(made: Plan, table: Table) -> Aggregates:
    """The exact vectors. What fails over private data tells no more than that it failed: the same words whatever it
    was, and no context.
    """
    try:
        return aggregate(made, table)
    except PrivkitError:
        raise
    except Exception:
        if os.environ.get("PRIVKIT_DEBUG") == "1":
            raise
    raise AggregateError("the aggregate could not be computed", hint="PRIVKIT_DEBUG=1 shows more, and data.")


# ---- records


def _mechanisms(made: Plan, scales: Mapping[str, float]) -> tuple[Mechanism, ...]:
    gaussian = made.measure == "zcdp"
    return tuple(
        Mechanism(
            vector=block.vector.name,
            noise="discrete Gaussian" if gaussian else "discrete Laplace",
            scale=scales[block.vector.name],
            share=str(block.share),
            distance=math.sqrt(made.l2_squared(block.vector)) if gaussian else float(made.l1(block.vector)),
            serves=block.serves,
        )
        for block in made.blocks
    )


def _threshold(made: Plan, scale: float, threshold: int) -> ThresholdMechanism:
    assert made.threshold is not None
    return ThresholdMechanism(
        scale=scale, threshold=threshold, delta=made.threshold.delta, share=str(made.threshold.share)
    )


def _read(stored: Stored) -> Release:
    return Release.model_validate_json(stored.answer)


def _renamed(release: Release, ready: _Prepared, confidence: float) -> Release:
    """The stored answer under the names, and with the confidence, that are asked for now: post-processing."""
    if release.query == ready.plan.query and release.confidence == confidence:
        return release
    measured = Measured(
        keys=release.keys,
        noisy={drawn.vector: _array(drawn, ready.plan) for drawn in release.drawn},
        scales={mechanism.vector: mechanism.scale for mechanism in release.mechanisms},
        units=None if release.drawn_units is None else np.array(release.drawn_units, dtype=np.int64),
        units_scale=release.threshold.scale if release.threshold else None,
        threshold=release.threshold.threshold if release.threshold else None,
    )
    return release.model_copy(
        update={
            "sql": ready.sql,
            "query": ready.plan.query,
            "groups": tuple(group.name for group in ready.plan.query.groups),
            "mechanisms": _mechanisms(ready.plan, measured.scales),
            "confidence": confidence,
            "results": estimate(ready.plan, measured, confidence),
        }
    )


def _array(drawn: Drawn, made: Plan) -> Integers:
    """Its shape is the plan's, also without a single group."""
    width = made.block(drawn.vector).vector.measured_coordinates
    return np.array(drawn.values, dtype=np.int64).reshape(len(drawn.values), width)


def _shown(name: str, value: Value) -> tuple[tuple[str, Any], ...]:
    return ((name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high))


# ---- amounts as people give them


def _amount(value: Number, what: str) -> Decimal:
    try:
        exact = amount(value)
    except ValueError as err:
        raise UsageError(f"{what}: {err}") from None
    return _positive(exact, what)


def _positive(exact: Decimal, what: str = "the cost") -> Decimal:
    if exact <= 0:
        raise UsageError(f"{what} must be above 0: nothing private is free")
    return exact
