"""What a place that keeps ledgers must do. The rules of the chain and of the sums are not its business.

`tests/contracts/ledger_store.py` holds what every store must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple, Protocol

from privkit.errors import LedgerError, VerificationError
from privkit.ledger.accounting import Allowance
from privkit.ledger.entries import Entry, Head


class LedgerExistsError(LedgerError):
    """A ledger was to be made where one is."""


class Answer(NamedTuple):
    """An answer as it is kept: the charge's name, and copies of what it is looked up by.

    Attributes:
        id: Name of the charge.
        key: SHA-256 of what was asked; None where the answer is not to be found again.
        delta: The threshold δ that was paid, spelled.
        loss: The loss that was paid, spelled.
        answer: The bytes.
    """

    id: str
    key: str | None
    delta: str
    loss: str
    answer: bytes


class Content(NamedTuple):
    """What a new ledger holds from the start: the entry that opens it, or all of a ledger that arrives.

    Attributes:
        dataset: Whose ledger.
        head: The end of the chain and the totals.
        allowances: By analyst.
        rows: Gives the entries in order, each with the answer that it tells of; anew at every call.
        check: Is shown the new ledger before it comes into being, and raises where it must not.
    """

    dataset: str
    head: Head
    allowances: Mapping[str, Allowance]
    rows: Callable[[], Iterator[tuple[Entry, Answer | None]]]
    check: Callable[[Store], None] | None = None


class Candidate(NamedTuple):
    """An answer that was found by its key, its bytes not read yet: the charge's name and the loss that was paid."""

    id: str
    loss: Decimal


def stored_total(text: object, name: str, hint: str) -> Decimal:
    """A total as a store keeps it: an amount's text.

    Args:
        text: What stands there.
        name: What the store is called in messages.
        hint: What to do where it is no amount.

    Raises:
        VerificationError: It is none.
    """
    try:
        number = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise VerificationError(f"{name}: a stored total is not a number", hint=hint)
    return number


def _now() -> datetime:
    return datetime.now(UTC)


def _pass(_: str) -> None:
    return None


@dataclass(frozen=True)
class System:
    """What a ledger takes from the system it runs on; fault tests put other things in place.

    Attributes:
        at: Called with the name of each step of a write, in order: "before begin", "after insert", "before commit",
            "after commit"; an answer's write stands between "before answer" and "after answer", and a moving ledger's
            file between "before file" and "after file".
        clock: The time, with its zone.
        mounts: Where Linux lists the mounted filesystems; what is not there is not looked at.
        busy_seconds: How long to wait for a writer that does not take its turn at the lock; a server's other times
            follow from it.
        max_pages: Most pages of 4096 bytes that the file may have; None: as many as the disk has room for.
    """

    at: Callable[[str], None] = _pass
    clock: Callable[[], datetime] = _now
    mounts: Path = Path("/proc/self/mountinfo")
    busy_seconds: float = 10.0
    max_pages: int | None = None


class Store(Protocol):
    """One ledger's rows. Every method raises LedgerError, in privkit's words, where the store cannot do its work."""

    @property
    def name(self) -> str:
        """What the store is called in messages."""

    def writing(self) -> AbstractContextManager[None]:
        """A transaction that no other writer overlaps: durable when left, undone when left by an error.

        Writers wait for each other in a queue, so that none starves.
        """

    def reading(self) -> AbstractContextManager[None]:
        """One snapshot, whatever writers do meanwhile."""

    def head(self) -> Head:
        """The end of the chain and the totals."""

    def last(self) -> tuple[int, str, str] | None:
        """Sequence, hash and kind of the entry with the highest sequence."""

    def entries(self, after: int, most: int) -> list[Entry]:
        """At most so many entries whose sequence is above `after`, in order."""

    def entry(self, id: str, kinds: tuple[str, ...]) -> Entry | None:
        """The entry of one of these kinds that is about `id`; by an index."""

    def notes(self) -> list[Entry]:
        """All entries of the kinds in `records.NOTE_KINDS`, in order; by an index."""

    def append(self, entry: Entry, head: Head) -> None:
        """Writes the entry and the new end; only inside `writing`."""

    def allowance(self, analyst: str) -> Allowance:
        """What an analyst spent and may; `accounting.FREE` where nothing is known."""

    def allowances(self) -> dict[str, Allowance]:
        """The same of everybody of whom something is known."""

    def put_allowance(self, analyst: str, allowance: Allowance) -> None:
        """Writes it; only inside `writing`."""

    def candidates(self, key: str, delta: str, at_least: Decimal) -> list[Candidate]:
        """Answers under a key and threshold δ, in the order in which they were stored; by an index.

        All that were paid with a loss of `at_least` or more, and perhaps some that were paid with less.
        """

    def answer(self, id: str) -> Answer | None:
        """The answer of a charge."""

    def answers(self) -> int:
        """How many answers are kept."""

    def put_answer(self, answer: Answer) -> None:
        """Writes it; only inside `writing`."""

    def check_integrity(self) -> None:
        """Has the store look at its own structure.

        Raises:
            VerificationError: It is damaged.
        """

    def close(self) -> None:
        """Lets go of everything; more than once does no harm."""
