"""Reading a whole ledger again, in one snapshot, and comparing all that it says about itself.

A chain without a key finds accidents and clumsy edits: whoever can write the file can also compute the chain anew, cut
its tail and set the totals to match, or put an older copy in its place. Those are found only against a checkpoint that
was kept elsewhere, and only up to it (`checkpoint.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from privkit.errors import BudgetRefusedError, PrivkitError, VerificationError
from privkit.ledger.accounting import FREE, Allowance, check_fits, plus, remaining, spend_plus
from privkit.ledger.entries import (
    ARRIVED,
    CHARGED,
    FAILED,
    GENESIS,
    GRANTED,
    MOVED,
    OPENED,
    RELEASED,
    Entry,
    Head,
    holds,
)
from privkit.ledger.records import NOTE_KINDS, NOTHING, Arrived, Charge, Failed, Grant, Moved, Opening, Released
from privkit.ledger.store import Answer, Store, System
from privkit.ledger.stores import Place, open_store
from privkit.model.amounts import spelled

_PAGE = 500
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class Verified:
    """A ledger that holds together, as it stood in the moment when it was read.

    Attributes:
        opening: What it was opened with.
        entries: How many entries it has.
        head: Hash of the last one.
        spent: Loss in the ledger's measure.
        spent_delta: Threshold δ.
        remaining: What is left of the loss.
        remaining_delta: What is left of the threshold δ.
        answers: Charges that got an answer.
        unanswered: Charges with neither answer nor failure: under way, or cut off; they stay charged.
    """

    opening: Opening
    entries: int
    head: str
    spent: Decimal
    spent_delta: Decimal
    remaining: Decimal
    remaining_delta: Decimal
    answers: int
    unanswered: int


def verify(place: Place, dataset: str | None = None, *, system: System | None = None) -> Verified:
    """Reads a ledger from its raw columns and checks all of it; writers may go on meanwhile.

    Args:
        place: Its file, or the URL of its database.
        dataset: Whose ledger, where a database keeps several.
        system: For tests.

    Raises:
        LedgerError: It is missing, no ledger, or cannot be read.
        VerificationError: It does not hold; with the sequence of the first entry to blame, where one is.
    """
    store = open_store(place, dataset, read_only=True, system=system or System())
    try:
        return verify_store(store, {})
    finally:
        store.close()


def verify_store(store: Store, pinned: Mapping[int, str]) -> Verified:
    """The same for an open store.

    Args:
        store: The store.
        pinned: Hashes that the chain must have had, by sequence.

    Raises:
        VerificationError: It does not hold.
    """
    with store.reading():
        return verify_rows(store, pinned)


def verify_rows(store: Store, pinned: Mapping[int, str]) -> Verified:
    """The same within a transaction that is open already.

    Args:
        store: The store.
        pinned: Hashes that the chain must have had, by sequence.

    Raises:
        VerificationError: It does not hold.
    """
    store.check_integrity()
    replay = Replay(store.name, store.answer)
    for entry in _all(store):
        replay.follow(entry)
        if pinned.get(entry.sequence, entry.hash) != entry.hash:
            raise _blame(store.name, entry.sequence, "is not the one that was signed")
    for sequence in pinned:
        if sequence > replay.head.sequence:
            raise _blame(store.name, replay.head.sequence + 1, f"is missing: entry {sequence} was signed")
    return replay.compared(store)


def _all(store: Store) -> Iterator[Entry]:
    after = -(2**63)  # an entry may stand before the first
    while page := store.entries(after, _PAGE):
        yield from page
        after = page[-1].sequence


class _Charged(NamedTuple):
    key: str | None
    delta: str
    loss: str


class Replay:
    """Follows the entries, from the first to the last, and keeps the sums that the ledger should have kept.

    Args:
        name: What the ledger is called in messages.
        answer: Gives the answer of a charge.

    Attributes:
        head: The end so far, and the totals.
        allowances: By analyst.
        moved: Where the ledger was moved, if the last entry says so.
    """

    def __init__(self, name: str, answer: Callable[[str], Answer | None]) -> None:
        self.head = Head(0, GENESIS, NOTHING)
        self.allowances: dict[str, Allowance] = {}
        self.moved: str | None = None
        self._name = name
        self._answer = answer
        self._opening: Opening | None = None
        self._ids: set[str] = set()
        self._pending: dict[str, _Charged] = {}
        self._answers = 0

    def follow(self, entry: Entry) -> None:
        """Checks one entry against all before it."""
        due = self.head.sequence + 1
        if entry.sequence != due:
            raise self._wrong(min(due, entry.sequence) if isinstance(entry.sequence, int) else due, "is out of its row")
        if not _sound(entry):
            raise self._wrong(due, "is not what its hash says")
        if entry.prev != self.head.hash:
            raise self._wrong(due, "does not follow the one before it")
        self.head = Head(due, entry.hash, self.head.spent)
        if (entry.kind == OPENED) != (due == 1) or (entry.kind == ARRIVED) != (self.moved is not None):
            raise self._wrong(due, "is no entry that can stand there")
        self._book(entry)

    def _book(self, entry: Entry) -> None:
        if entry.kind in (RELEASED, FAILED):
            self._close(entry)
            return
        if entry.id in self._ids:
            raise self._wrong(entry.sequence, "has the name of another")
        self._ids.add(entry.id)
        if entry.kind == OPENED:
            self._opening = self._read(entry, Opening)
        elif entry.kind == GRANTED:
            grant = self._read(entry, Grant)
            known = self.allowances.get(grant.analyst, FREE)
            self.allowances[grant.analyst] = known._replace(quota=grant.loss, epsilon=grant.epsilon)
        elif entry.kind == CHARGED:
            self._charge(entry, self._read(entry, Charge))
        elif entry.kind == MOVED:
            self.moved = self._read(entry, Moved).to
        elif entry.kind == ARRIVED:
            if self._read(entry, Arrived).at != self.moved:
                raise self._wrong(entry.sequence, "tells of another place than the ledger was moved to")
            self.moved = None
        elif entry.kind not in NOTE_KINDS:
            raise self._wrong(entry.sequence, "is of a kind that is not known")

    def _charge(self, entry: Entry, charge: Charge) -> None:
        assert self._opening is not None
        known = self.allowances.get(charge.analyst, FREE)
        try:
            check_fits(self._opening.limit, self.head.spent, known, charge)
        except BudgetRefusedError as error:
            whose = "the quota" if error.quota else "the budget"
            raise self._wrong(entry.sequence, f"takes more than {whose} had left") from None
        self.head = self.head._replace(spent=spend_plus(self.head.spent, charge))
        self.allowances[charge.analyst] = known._replace(spent=plus(known.spent, charge.loss))
        self._pending[entry.id] = _Charged(charge.key, spelled(charge.delta), spelled(charge.loss))

    def _close(self, entry: Entry) -> None:
        charged = self._pending.pop(entry.id, None)
        if charged is None:
            raise self._wrong(entry.sequence, "closes a charge that is not there, or was closed before")
        if entry.kind == FAILED:
            self._read(entry, Failed)
            return
        told, answer = self._read(entry, Released), self._answer(entry.id)
        if answer is None or not isinstance(answer.answer, bytes):
            raise self._wrong(entry.sequence, "tells of an answer that is not kept")
        if hashlib.sha256(answer.answer).hexdigest() != told.answer_sha256 or len(answer.answer) != told.bytes:
            raise self._wrong(entry.sequence, "tells of another answer than the one that is kept")
        if answer[1:4] != charged:
            raise self._wrong(entry.sequence, "has an answer that is kept under another charge's description")
        self._answers += 1

    @property
    def opening(self) -> Opening:
        """What the ledger was opened with.

        Raises:
            VerificationError: No entry says it.
        """
        if self._opening is None:
            raise self._wrong(1, "is missing")
        return self._opening

    def compared(self, store: Store) -> Verified:
        """Compares what the ledger keeps beside the entries with what they sum up to.

        Raises:
            VerificationError: They differ.
        """
        kept = store.head()
        if kept.sequence > self.head.sequence:
            raise self._wrong(self.head.sequence + 1, "is missing")
        opening = self.opening
        if kept != self.head:
            raise self._wrong(None, "the stored totals, or the stored end, are not those of the entries")
        if store.allowances() != self.allowances:
            raise self._wrong(None, "the stored quotas, or what analysts spent, are not those of the entries")
        if store.answers() != self._answers:
            raise self._wrong(None, "an answer is kept that no entry tells of")
        spent, rest = self.head.spent, remaining(opening.limit, self.head.spent)
        counts = self._answers, len(self._pending)
        return Verified(opening, self.head.sequence, self.head.hash, *spent, *rest, *counts)

    def _read(self, entry: Entry, record: type[Body]) -> Body:
        try:
            return record.model_validate_json(entry.body)
        except (ValueError, PrivkitError):
            raise self._wrong(entry.sequence, "has a body that no program of this kind writes") from None

    def _wrong(self, sequence: int | None, what: str) -> VerificationError:
        return _blame(self._name, sequence, what)


def _sound(entry: Entry) -> bool:
    try:
        return all(isinstance(text, str) for text in entry[1:]) and holds(entry)
    except ValueError:
        return False


def _blame(name: str, sequence: int | None, what: str) -> VerificationError:
    where = "" if sequence is None else f"entry {sequence} "
    return VerificationError(
        f"{name}: {where}{what}",
        sequence=sequence,
        hint="Compare it with a copy or a signed checkpoint; until then, count the whole budget as spent.",
    )
