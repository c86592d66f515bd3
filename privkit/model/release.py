"""Records of private releases: what one would cost, what came of it, and how a budget stands.

A `Release` holds everything that rendering it needs; neither data nor budget is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.amounts import Amount
from privkit.model.dataset import Measure, PrivacyUnit
from privkit.model.disclosure import Disclosure
from privkit.model.estimates import Estimated
from privkit.model.query import Query


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Loss(_Record):
    """An amount of privacy loss, as people read it and as the ledger counts it.

    Attributes:
        epsilon: ε, at `delta`.
        delta: δ.
        rho: ρ, under zcdp; the ledger adds these. Under pure it adds ε.
    """

    epsilon: Amount
    delta: Amount
    rho: Amount | None = None


class Mechanism(_Record):
    """One vector and the noise on it.

    Attributes:
        vector: What is measured.
        noise: The distribution.
        scale: σ of the discrete Gaussian or b of the discrete Laplace, in the vector's weighted integer units.
        share: Part of the release's loss, as a fraction.
        distance: How far one privacy unit can move the vector: L2 under zcdp, L1 under pure, in the same units.
        serves: Names of the statistics that are estimated from it.
    """

    vector: str
    noise: Literal["discrete Gaussian", "discrete Laplace"]
    scale: float
    share: str
    distance: float
    serves: tuple[str, ...]


class ThresholdMechanism(_Record):
    """How private group keys are chosen: noisy distinct units at or above `threshold`.

    Attributes:
        scale: Scale of the noise on the number of units.
        threshold: The lowest noisy number that is released.
        delta: δ that it takes from the budget's threshold_delta.
        share: Part of the release's loss.
    """

    scale: float
    threshold: int
    delta: Amount
    share: str


class HalfWidth(_Record):
    """Half of an interval's width, known without data.

    Attributes:
        name: The statistic.
        half_width: In the statistic's unit; None where it cannot be known.
        unit: What it is counted in ("rows", "units", the column's unit, "ranks").
        note: Under which assumption, or why it cannot be known.
    """

    name: str
    half_width: float | None
    unit: str
    note: str = ""


class Preview(_Record):
    """What a release would do, from declarations and the ledger alone.

    Attributes:
        dataset: The dataset's name.
        sql: The query in its canonical spelling.
        cost: Loss of this release alone.
        threshold_delta: Part of the budget's threshold_delta that it would take.
        remaining: What would be left to the analyst after it.
        fits: Whether the budget, and the analyst's quota, have room for it.
        stored: Whether an equal answer of at least this accuracy is stored, so that nothing would be spent.
        groups: Number of groups; None where they are private.
        mechanisms: The vectors and their noise.
        threshold: How private keys would be chosen.
        confidence: Of the half-widths.
        half_widths: One for each statistic.
        notes: What to know before paying.
    """

    dataset: str
    sql: str
    cost: Loss
    threshold_delta: Amount
    remaining: Loss
    fits: bool
    stored: bool
    groups: int | None
    mechanisms: tuple[Mechanism, ...]
    threshold: ThresholdMechanism | None = None
    confidence: float
    half_widths: tuple[HalfWidth, ...]
    notes: tuple[str, ...] = ()


class Drawn(_Record):
    """Noisy integers of one vector, as they were drawn: groups by coordinates, weighted."""

    vector: str
    values: tuple[tuple[int, ...], ...]


class Accounting(_Record):
    """Where the charge stands in the ledger.

    Attributes:
        entry: The ledger entry's id.
        sequence: Its number.
        head: The chain's head hash after the charge.
        before: Spent before it.
        after: Spent after it.
        limit: The dataset's limit.
    """

    entry: str
    sequence: int
    head: str
    before: Loss
    after: Loss
    limit: Loss


class Answer(_Record):
    """The answer to one query: whatever added the vectors up, and wherever the noise was drawn.

    Attributes:
        sql: The query in its canonical spelling.
        query: The query.
        privacy_unit: Whom the promise protects, and the bounds that were enforced.
        measure: How loss is counted.
        cost: Loss of this answer alone.
        mechanisms: The vectors and their noise.
        threshold: How private keys were chosen.
        groups: Names of the group columns.
        keys: Group keys, one text for each of `groups`.
        drawn: What was drawn; everything after it is post-processing.
        confidence: Of the intervals, each by itself.
        results: The statistics, one value (or several) a group, in the order of `keys`.
        declared: The descriptions of the columns that the query names.
    """

    sql: str
    query: Query
    privacy_unit: PrivacyUnit
    measure: Measure
    cost: Loss
    mechanisms: tuple[Mechanism, ...]
    threshold: ThresholdMechanism | None = None
    groups: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    drawn: tuple[Drawn, ...]
    drawn_units: tuple[int, ...] | None = None
    confidence: float = Field(gt=0, lt=1)
    results: tuple[Estimated, ...]
    declared: Mapping[str, Any]


class Release(Answer):
    """A private release of one dataset.

    Attributes:
        id: The ledger entry's id.
        dataset: The dataset's name.
        version: The owner's version label.
        analyst: Who asked, by their own word.
        time: When it was charged (UTC, ISO 8601).
        accounting: Where the charge stands.
        accepted_high_loss: The reason that was given for a budget above the cap.
        disclosed: Rows of the dataset that were given out before: its ε covers the statistics alone.
        untested_engine: The engine that computed the aggregates, where no test of privkit has run on it.
        software: Versions, the engine's included.
    """

    format: Literal[1] = 1
    id: str
    dataset: str
    version: str
    analyst: str
    time: str
    threshold_delta: Amount
    accounting: Accounting
    accepted_high_loss: str | None = None
    disclosed: tuple[Disclosure, ...] = ()
    untested_engine: str | None = None
    software: Mapping[str, str]


class QuotaStanding(_Record):
    """An analyst's quota under the total."""

    analyst: str
    limit: Loss
    spent: Loss
    remaining: Loss


class BudgetStanding(_Record):
    """How a dataset's budget stands.

    Attributes:
        dataset: The dataset's name.
        measure: How the ledger counts.
        limit: The budget.
        spent: Spent in all. Under zcdp ε is that of the ρ spent so far, at the budget's δ.
        remaining: What one release of everything that is left would cost.
        threshold_delta: The part of δ set aside for private categories.
        threshold_delta_spent: What of it was taken.
        entries: Number of entries in the ledger.
        head: The chain's head hash.
        quotas: Analysts with a quota.
        accepted_high_loss: The reason that was given for a budget above the cap.
        moved_to: Where the budget goes on, where this ledger was closed.
        advice: Which measure suits, said when a budget is created.
    """

    dataset: str
    measure: Measure
    limit: Loss
    spent: Loss
    remaining: Loss
    threshold_delta: Amount
    threshold_delta_spent: Amount
    entries: int
    head: str
    quotas: tuple[QuotaStanding, ...] = ()
    accepted_high_loss: str | None = None
    moved_to: str | None = None
    advice: str | None = None


class BudgetMoved(_Record):
    """A ledger that was written into a file, or taken out of one.

    Attributes:
        dataset: The dataset's name.
        entries: Number of entries: up to the closing one, or with the one that opened it at the new place.
        answers: Number of stored answers.
        head: The chain's head hash.
        place: Where the budget goes on.
        again: Whether it had been closed, or had arrived, before.
    """

    dataset: str
    entries: int
    answers: int
    head: str
    place: str
    again: bool = False


class HistoryEntry(_Record):
    """One line of a budget's history.

    Attributes:
        sequence: Its number in the chain.
        time: When (UTC, ISO 8601), by the clock of whoever wrote it.
        kind: opened, granted, charged, released, failed, moved, arrived, …
        id: The charge's id, where it is about one.
        analyst: Who, by their own word.
        cost: What it cost.
        what: The query's SQL, or what else it was for.
    """

    sequence: int
    time: str
    kind: str
    id: str | None = None
    analyst: str | None = None
    cost: Loss | None = None
    what: str = ""


class Verified(_Record):
    """A ledger that holds together.

    Attributes:
        dataset: The dataset's name.
        entries: Number of entries whose hashes were recomputed.
        head: The chain's head hash.
        checkpoint: Sequence number up to which a signed checkpoint vouches for it.
        signer: Fingerprint of the checkpoint's signer.
        pinned: Whether the signer was given by whoever verifies.
    """

    dataset: str
    entries: int
    head: str
    checkpoint: int | None = None
    signer: str | None = None
    pinned: bool = False
