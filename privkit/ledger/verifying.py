"""Reading a whole ledger again, in one snapshot, and comparing all that it says about itself.

A chain without a key finds accidents and clumsy edits: whoever can write the file can also compute the chain anew, cut
its tail and set the totals to match, or put an older copy in its place. Those are found only against a checkpoint that
was kept elsewhere, and only up to it (`checkpoint.py`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from privkit.errors import BudgetRefusedError, PrivkitError, VerificationError
from privkit.ledger.accounting import FREE, Allowance, check_fits, plus, remaining, spend_plus
from privkit.ledger.entries import CHARGED, FAILED, GENESIS, GRANTED, OPENED, RELEASED, Entry, Head, holds
from privkit.ledger.records import NOTE_KINDS, NOTHING, Charge, Failed, Grant, Opening, Released
from privkit.ledger.sqlite import SqliteStore
from privkit.ledger.store import Store, System
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


def verify(path: str | os.PathLike[str], *, system: System | None = None) -> Verified:
    """Reads a ledger from its raw columns and checks all of it; writers may go on meanwhile.

    Args:
        path: Its file.
        system: For tests.

    Raises:
        LedgerError: It is missing, no ledger, or cannot be read.
        VerificationError: It does not hold; with the sequence of the first entry to blame, where one is.
    """
    store = SqliteStore.open(path, read_only=True, system=system or System())
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
        store.check_integrity()
        replay = _Replay(store)
        for entry in _all(store):
            replay.follow(entry)
            if pinned.get(entry.sequence, entry.hash) != entry.hash:
                raise _blame(store, entry.sequence, "is not the one that was signed")
        for sequence in pinned:
            if sequence > replay.head.sequence:
                raise _blame(store, replay.head.sequence + 1, f"is missing: entry {sequence} was signed")
        return replay.finish()


def _all(store: Store) -> Iterator[Entry]:
    after = -(2**63)  # an entry may stand before the first
    while page := store.entries(after, _PAGE):
        yield from page
        after = page[-1].sequence


class _Charged(NamedTuple):
    key: str | None
    delta: str
    loss: str


class _Replay:
    """Follows the entries, from the first to the last, and keeps the sums that the ledger should have kept."""

    def __init__(self, store: Store) -> None:
        self.head = Head(0, GENESIS, NOTHING)
        self._store = store
        self._opening: Opening | None = None
        self._allowances: dict[str, Allowance] = {}
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
        if (entry.kind == OPENED) != (due == 1):
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
            known = self._allowances.get(grant.analyst, FREE)
            self._allowances[grant.analyst] = known._replace(quota=grant.loss, epsilon=grant.epsilon)
        elif entry.kind == CHARGED:
            self._charge(entry, self._read(entry, Charge))
        elif entry.kind not in NOTE_KINDS:
            raise self._wrong(entry.sequence, "is of a kind that is not known")

    def _charge(self, entry: Entry, charge: Charge) -> None:
        assert self._opening is not None
        known = self._allowances.get(charge.analyst, FREE)
        try:
            check_fits(self._opening.limit, self.head.spent, known, charge)
        except BudgetRefusedError as error:
            whose = "the quota" if error.quota else "the budget"
            raise self._wrong(entry.sequence, f"takes more than {whose} had left") from None
        self.head = self.head._replace(spent=spend_plus(self.head.spent, charge))
        self._allowances[charge.analyst] = known._replace(spent=plus(known.spent, charge.loss))
        self._pending[entry.id] = _Charged(charge.key, spelled(charge.delta), spelled(charge.loss))

    def _close(self, entry: Entry) -> None:
        charged = self._pending.pop(entry.id, None)
        if charged is None:
            raise self._wrong(entry.sequence, "closes a charge that is not there, or was closed before")
        if entry.kind == FAILED:
            self._read(entry, Failed)
            return
        told, answer = self._read(entry, Released), self._store.answer(entry.id)
        if answer is None or not isinstance(answer.answer, bytes):
            raise self._wrong(entry.sequence, "tells of an answer that is not kept")
        if hashlib.sha256(answer.answer).hexdigest() != told.answer_sha256 or len(answer.answer) != told.bytes:
            raise self._wrong(entry.sequence, "tells of another answer than the one that is kept")
        if answer[1:4] != charged:
            raise self._wrong(entry.sequence, "has an answer that is kept under another charge's description")
        self._answers += 1

    def finish(self) -> Verified:
        """Compares what the ledger keeps beside the entries with what they sum up to."""
        kept = self._store.head()
        if kept.sequence > self.head.sequence:
            raise self._wrong(self.head.sequence + 1, "is missing")
        if self._opening is None:
            raise self._wrong(1, "is missing")
        if kept != self.head:
            raise self._wrong(None, "the stored totals, or the stored end, are not those of the entries")
        if self._store.allowances() != self._allowances:
            raise self._wrong(None, "the stored quotas, or what analysts spent, are not those of the entries")
        if self._store.answers() != self._answers:
            raise self._wrong(None, "an answer is kept that no entry tells of")
        spent, rest = self.head.spent, remaining(self._opening.limit, self.head.spent)
        counts = self._answers, len(self._pending)
        return Verified(self._opening, self.head.sequence, self.head.hash, *spent, *rest, *counts)

    def _read(self, entry: Entry, record: type[Body]) -> Body:
        try:
            return record.model_validate_json(entry.body)
        except (ValueError, PrivkitError):
            raise self._wrong(entry.sequence, "has a body that no program of this kind writes") from None

    def _wrong(self, sequence: int | None, what: str) -> VerificationError:
        return _blame(self._store, sequence, what)


def _sound(entry: Entry) -> bool:
    try:
        return all(isinstance(text, str) for text in entry[1:]) and holds(entry)
    except ValueError:
        return False


def _blame(store: Store, sequence: int | None, what: str) -> VerificationError:
    where = "" if sequence is None else f"entry {sequence} "
    return VerificationError(
        f"{store.name}: {where}{what}",
        sequence=sequence,
        hint="Compare it with a copy or a signed checkpoint; until then, count the whole budget as spent.",
    )
