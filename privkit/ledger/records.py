"""What goes into a ledger and what comes out of it.

`loss` is always in the ledger's own measure: ρ of zero-concentrated differential privacy where the measure is `zcdp`,
ε where it is `pure`. Whoever calls converts; the ledger only adds, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from privkit.errors import UsageError
from privkit.model.amounts import Amount

LONGEST_ANALYST = 200
NOTE_KINDS = ("disclosed", "local", "revealed")
"""Entries without loss: `disclosed`, rows that left de-identified and not private; `local`, a column that left under a
local mechanism, whose ε protects one value and is never added to the dataset's; `revealed`, that the ledger's keeper
decrypted a study's sum, which its parties paid for."""


def checked_analyst(name: str) -> str:
    """A name that a ledger may keep: 1 to 200 printable characters, no space at its ends.

    Raises:
        UsageError: It is no such name.
    """
    if not name or len(name) > LONGEST_ANALYST or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"an analyst's name has 1 to {LONGEST_ANALYST} printable characters, with no space at its ends",
            hint="Give another name with --analyst.",
        )
    return name


Analyst = Annotated[str, AfterValidator(checked_analyst)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limit(_Record):
    """How much may ever be spent.

    Attributes:
        measure: What `loss` means; fixed for ever.
        epsilon: ε of the whole budget, at `delta`.
        delta: δ of the whole budget; 0 where the measure is pure.
        threshold_delta: The part of `delta` that is set aside for thresholds.
        loss: The limit in the measure: ε itself, or ρ for (epsilon, delta − threshold_delta), rounded down.
    """

    measure: Literal["zcdp", "pure"]
    epsilon: Amount
    delta: Amount
    threshold_delta: Amount = Decimal(0)
    loss: Amount

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.loss <= 0 or self.epsilon <= 0:
            raise ValueError("a budget above 0 is wanted")
        if self.measure == "pure" and (self.delta or self.loss != self.epsilon):
            raise ValueError("a pure budget has delta 0 and is counted in ε")
        if self.delta >= 1:
            raise ValueError("delta is below 1")
        if self.threshold_delta > self.delta or (self.measure == "zcdp" and self.threshold_delta == self.delta):
            raise ValueError("threshold_delta is a part of delta")
        return self


class Opening(_Record):
    """What a ledger is opened with, and keeps for ever.

    Attributes:
        dataset: Name of the dataset.
        unit: The column that names the privacy unit, or "row".
        limit: What may be spent.
        accepted_high_loss: The reason given for a budget above the cap, where one had to be given.
    """

    dataset: Annotated[str, Field(min_length=1)]
    unit: Annotated[str, Field(min_length=1)]
    limit: Limit
    accepted_high_loss: str | None = None


class Charge(_Record):
    """What one answer takes.

    Attributes:
        loss: Above 0, in the ledger's measure.
        delta: The part of the limit's `threshold_delta` that it takes.
        analyst: Who asks.
        key: SHA-256 under which the answer can be found again; None: it cannot.
        what: The query and whatever describes it; goes into the entry as it is, so it must tell nothing private.
    """

    loss: Amount
    delta: Amount = Decimal(0)
    analyst: Analyst
    key: Sha256 | None = None
    what: dict[str, JsonValue]

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.loss <= 0:
            raise UsageError("a charge of 0 cannot be booked: nothing private is free")
        return self


class Grant(_Record):
    """A quota: of the dataset's total, one analyst may spend so much in all.

    Attributes:
        analyst: For whom.
        loss: The quota in the ledger's measure.
        epsilon: What was granted, as a person wrote it.
        by: Who granted it.
    """

    analyst: Analyst
    loss: Amount
    epsilon: str
    by: Analyst


class Released(_Record):
    """That a charge got its answer: the answer's SHA-256 and its length in bytes."""

    answer_sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Failed(_Record):
    """That a charge will get no answer, and why; what was charged stays charged."""

    reason: str


class Moved(_Record):
    """That the ledger goes on elsewhere; nothing but `Arrived` follows it.

    Attributes:
        to: The place, as `moving.named_place` writes it.
        by: Who moved it.
    """

    to: Annotated[str, Field(min_length=1)]
    by: Analyst


class Arrived(_Record):
    """That the ledger goes on here.

    Attributes:
        at: The place that `Moved` named.
        by: Who brought it.
    """

    at: Annotated[str, Field(min_length=1)]
    by: Analyst


class Spend(NamedTuple):
    """Loss in the ledger's measure, and threshold δ."""

    loss: Decimal
    delta: Decimal


NOTHING = Spend(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Receipt:
    """What was booked, durable when it is in hand.

    Attributes:
        id: Name of the charge (or of the entry, where it is no charge).
        sequence: The entry's number, from 1.
        head: The entry's hash: the chain up to and with it.
        time: When, by this machine's clock.
        spent_before: The dataset's total before.
        spent_after: The same after.
        remaining_after: What is left of the dataset's total.
    """

    id: str
    sequence: int
    head: str
    time: str
    spent_before: Spend
    spent_after: Spend
    remaining_after: Spend


@dataclass(frozen=True)
class Quota:
    """An analyst's quota: `limit` and `spent` in the ledger's measure, `epsilon` as it was granted."""

    analyst: str
    limit: Decimal
    spent: Decimal
    epsilon: str


@dataclass(frozen=True)
class Standing:
    """How a ledger stands; all of one moment.

    Attributes:
        limit: What may ever be spent.
        spent: Loss in the ledger's measure.
        spent_delta: Threshold δ.
        remaining: What is left of the loss.
        remaining_delta: What is left of the threshold δ.
        entries: How many there are.
        head: Hash of the last one.
        quotas: By analyst, those that have one.
    """

    limit: Limit
    spent: Decimal
    spent_delta: Decimal
    remaining: Decimal
    remaining_delta: Decimal
    entries: int
    head: str
    quotas: tuple[Quota, ...]


@dataclass(frozen=True)
class Stored:
    """An answer that was paid for: what it cost, when it was charged, and the charge's sequence."""

    id: str
    answer: bytes
    loss: Decimal
    sequence: int
    time: str
