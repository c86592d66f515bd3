"""One dataset's ledger: what may be spent, what was spent, and the answers that were paid for."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ValidationError

from privkit.errors import LedgerError, UsageError, VerificationError
from privkit.ledger.accounting import check_fits, plus, remaining, spend_plus
from privkit.ledger.entries import (
    CHARGED,
    FAILED,
    GENESIS,
    GRANTED,
    MOVED,
    OPENED,
    RELEASED,
    REVEALED,
    Entry,
    Head,
    body_of,
    holds,
    linked,
)
from privkit.ledger.records import (
    NOTE_KINDS,
    NOTHING,
    Charge,
    Failed,
    Grant,
    Moved,
    Opening,
    Quota,
    Receipt,
    Released,
    Spend,
    Standing,
    Stored,
)
from privkit.ledger.store import Answer, Candidate, Content, Store, System
from privkit.ledger.stores import Place, create_store, open_store
from privkit.model.amounts import spelled
from privkit.model.disclosure import Disclosure, LocalNoise

Noted = TypeVar("Noted", bound=BaseModel)
_PAGE = 500  # entries that are read at a time, so that no reader holds a snapshot while its caller thinks
_SYSTEM = System()


class Ledger:
    """An open ledger. Made by `create` or `open`; a context manager, which closes it.

    It belongs to the thread that opened it; any number of others, in any process of the same machine, may open their
    own. Every method that writes is durable when it returns, and either did all of its work or nothing.

    Args:
        store: Where it is kept.
        system: Where the steps, the clock and the limits come from.

    Attributes:
        opening: What it was opened with.
    """

    def __init__(self, store: Store, system: System = _SYSTEM) -> None:
        self._store = store
        self._system = system
        self.opening = self._read_opening()

    @staticmethod
    def create(place: Place, opening: Opening, *, system: System = _SYSTEM) -> Ledger:
        """Makes a ledger.

        Args:
            place: A file that does not exist, in a folder that does, on a disk of this machine; or the URL of a
                PostgreSQL database, which may keep the ledgers of other datasets as well.
            opening: Dataset, unit and limit; fixed for ever.
            system: For fault tests.

        Raises:
            LedgerError: The ledger exists, lies on a network filesystem, or cannot be written.
            MissingExtraError: It is to be in PostgreSQL, and psycopg is not installed.
        """
        first = linked(1, GENESIS, secrets.token_hex(16), OPENED, time_of(system), body_of(opening))
        content = Content(opening.dataset, Head(1, first.hash, NOTHING), {}, lambda: iter([(first, None)]))
        return _over(create_store(place, content, system), system)

    @staticmethod
    def open(
        place: Place,
        dataset: str | None = None,
        *,
        read_only: bool = False,
        system: System = _SYSTEM,
    ) -> Ledger:
        """Opens a ledger; never makes one.

        Args:
            place: Its file, or the URL of its database.
            dataset: The dataset that it must be of; None: any, but a database that keeps several needs one.
            read_only: For looking at it only, also where the file or its folder cannot be written.
            system: For fault tests.

        Raises:
            LedgerError: It is missing, not a ledger, of another dataset, of a newer format, or closed.
            VerificationError: It is damaged.
            MissingExtraError: It is in PostgreSQL, and psycopg is not installed.
        """
        ledger = _over(open_store(place, dataset, read_only=read_only, system=system), system)
        if dataset is not None and ledger.opening.dataset != dataset:
            ledger.close()
            raise LedgerError(
                f"{os.fspath(place)} is the ledger of the dataset {ledger.opening.dataset}, not of {dataset}",
                hint="A ledger keeps the budget of one dataset: make another for this one.",
            )
        return ledger

    def standing(self) -> Standing:
        """How the ledger stands, all of one moment."""
        with self._store.reading():
            head, allowances = self._store.head(), self._store.allowances()
        rest = remaining(self.opening.limit, head.spent)
        quotas = (
            Quota(analyst, known.quota, known.spent, known.epsilon or "")
            for analyst, known in allowances.items()
            if known.quota is not None
        )
        return Standing(self.opening.limit, *head.spent, rest.loss, rest.delta, head.sequence, head.hash, tuple(quotas))

    def charge(self, charge: Charge) -> Receipt:
        """Takes from the budget, before any noise is drawn. Never given back.

        Args:
            charge: What is taken, by whom and for what.

        Raises:
            BudgetRefusedError: It does not fit under the total or the analyst's quota; nothing was written.
            LedgerError: It could not be booked; whoever asked gets no answer.
        """
        body = body_of(charge)
        with self._store.writing():
            head = self._open_end()
            allowance = self._store.allowance(charge.analyst)
            check_fits(self.opening.limit, head.spent, allowance, charge)
            receipt = self._append(head, CHARGED, secrets.token_hex(16), body, spend_plus(head.spent, charge))
            spent = plus(allowance.spent, charge.loss)
            self._store.put_allowance(charge.analyst, allowance._replace(spent=spent))
            self._system.at("after insert")
        return receipt

    def answer(self, id: str, answer: bytes) -> Receipt:
        """Keeps the answer of a charge; only then may it be shown.

        Args:
            id: Of the charge's receipt.
            answer: The noisy answer, in whatever form it can be read again.

        Raises:
            LedgerError: There is no such charge, or it was answered or failed already.
        """
        self._system.at("before answer")
        body = body_of(Released(answer_sha256=hashlib.sha256(answer).hexdigest(), bytes=len(answer)))
        with self._store.writing():
            head = self._open_end()
            charge = self._charge(self._pending(id))
            receipt = self._append(head, RELEASED, id, body, head.spent)
            self._store.put_answer(Answer(id, charge.key, spelled(charge.delta), spelled(charge.loss), answer))
            self._system.at("after insert")
        self._system.at("after answer")
        return receipt

    def fail(self, id: str, reason: str) -> Receipt:
        """Notes that a charge will get no answer; what was charged stays charged.

        Args:
            id: Of the charge's receipt.
            reason: Why, in words that tell nothing private.

        Raises:
            LedgerError: There is no such charge, or it was answered or failed already.
        """
        body = body_of(Failed(reason=reason))
        with self._store.writing():
            head = self._open_end()
            self._pending(id)
            receipt = self._append(head, FAILED, id, body, head.spent)
            self._system.at("after insert")
        return receipt

    def stored(self, key: str, at_least: Decimal, delta: Decimal = Decimal(0)) -> Stored | None:
        """The most accurate answer that was paid for under a key, the latest of those equally accurate.

        Args:
            key: What the charge was given.
            at_least: The loss that it must have been paid with, or more, in the ledger's measure.
            delta: The threshold δ that it must have been paid with, exactly.

        Raises:
            VerificationError: The answer is not the one that was charged and released.
        """
        with self._store.reading():
            known = self._store.candidates(key, spelled(delta), at_least)
            found = [candidate for candidate in known if candidate.loss >= at_least]
            if not found:
                return None
            best: Candidate = max(enumerate(found), key=lambda item: (item[1].loss, item[0]))[1]
            return self._checked_answer(best, key, delta)

    def grant(self, analyst: str, loss: Decimal, epsilon: str, by: str) -> Receipt:
        """Sets an analyst's quota under the dataset's total; the latest counts, for all that was spent ever.

        Args:
            analyst: For whom.
            loss: The quota in the ledger's measure.
            epsilon: What was granted, as a person wrote it.
            by: Who grants it.

        Raises:
            UsageError: A name that a ledger does not keep.
        """
        given = Grant(analyst=analyst, loss=loss, epsilon=epsilon, by=by)
        with self._store.writing():
            head = self._open_end()
            receipt = self._append(head, GRANTED, secrets.token_hex(16), body_of(given), head.spent)
            allowance = self._store.allowance(given.analyst)
            self._store.put_allowance(given.analyst, allowance._replace(quota=given.loss, epsilon=epsilon))
            self._system.at("after insert")
        return receipt

    def note(self, kind: str, body: Mapping[str, Any]) -> Receipt:
        """Adds an entry without loss.

        Args:
            kind: One of `records.NOTE_KINDS`.
            body: What is to be remembered; it must tell nothing private.

        Raises:
            UsageError: Another kind.
        """
        if kind not in NOTE_KINDS:
            raise UsageError(f"{kind} is no kind of note", hint=f"Known kinds: {', '.join(NOTE_KINDS)}.")
        text = body_of(dict(body))
        with self._store.writing():
            head = self._open_end()
            receipt = self._append(head, kind, secrets.token_hex(16), text, head.spent)
            self._system.at("after insert")
        return receipt

    def move(self, to: str, by: str) -> Receipt:
        """Closes the ledger: it can be read and verified, and takes nothing any more. Its budget goes on elsewhere.

        Args:
            to: Where, as `moving.named_place` writes it.
            by: Who moves it.

        Raises:
            LedgerError: It was moved already.
        """
        body = body_of(Moved(to=to, by=by))
        with self._store.writing():
            head = self._open_end()
            receipt = self._append(head, MOVED, secrets.token_hex(16), body, head.spent)
            self._system.at("after insert")
        return receipt

    def moved_to(self) -> str | None:
        """Where the ledger was moved; None where it goes on here.

        Raises:
            VerificationError: The last entry is not the one that the totals are of, or not what a ledger writes.
        """
        with self._store.reading():
            head, kind = self._ends()
            return self._moved_to(head) if kind == MOVED else None

    def disclosures(self, until: int | None = None) -> tuple[Disclosure, ...]:
        """Rows that left de-identified, in the order in which they did.

        Args:
            until: The last entry that counts, by its sequence; None: whatever there is.

        Raises:
            VerificationError: An entry is not what a ledger writes.
        """
        return tuple(self._noted("disclosed", Disclosure, until))

    def local_noise(self, until: int | None = None) -> tuple[LocalNoise, ...]:
        """Columns that left under a local mechanism, in the order in which they did.

        Args:
            until: The last entry that counts, by its sequence; None: whatever there is.

        Raises:
            VerificationError: An entry is not what a ledger writes.
        """
        return tuple(self._noted("local", LocalNoise, until))

    def revealed(self, aggregate: str) -> bool:
        """Whether the reveal of a study's aggregate (its SHA-256) was noted."""
        return any(
            entry.record.get("aggregate") == aggregate for entry in self._store.notes() if entry.kind == REVEALED
        )

    def _noted(self, kind: str, record: type[Noted], until: int | None) -> Iterator[Noted]:
        for entry in self._store.notes():
            if entry.kind != kind or (until is not None and entry.sequence > until):
                continue
            try:
                yield record.model_validate_json(entry.body)
            except ValueError:
                raise self._not_held(entry) from None

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries that there are now, in order, a few hundred in memory at a time.

        Args:
            after: Leave out those up to this sequence.
        """
        end = self._store.head().sequence
        while after < end:
            page = self._store.entries(after, min(_PAGE, end - after))
            if not page:
                return
            yield from page
            after = page[-1].sequence

    def rows(self) -> Iterator[tuple[Entry, Answer | None]]:
        """The entries as `entries` gives them, each with the answer that it tells of.

        Raises:
            VerificationError: An answer is not there.
        """
        for entry in self.entries():
            answer = self._store.answer(entry.id) if entry.kind == RELEASED else None
            if entry.kind == RELEASED and answer is None:
                raise self._not_held(entry)
            yield entry, answer

    def answers(self) -> int:
        """How many answers are kept."""
        return self._store.answers()

    def end(self) -> tuple[Head, str]:
        """The end of the chain, with the totals, and the time now by the ledger's clock.

        Raises:
            VerificationError: The last entry is not the one that the totals are of.
        """
        with self._store.reading():
            return self._end(), time_of(self._system)

    def close(self) -> None:
        """Lets go of the ledger; more than once does no harm."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({self._store.name!r}, dataset={self.opening.dataset!r})"

    def _read_opening(self) -> Opening:
        first = self._store.entries(0, 1)
        try:
            if first and first[0].sequence == 1 and first[0].kind == OPENED and holds(first[0]):
                return Opening.model_validate_json(first[0].body)
        except ValueError:
            pass
        raise VerificationError(f"{self._store.name}: the entry that opens it does not hold", sequence=1)

    def _open_end(self) -> Head:
        """The end of a chain that may go on here."""
        head, kind = self._ends()
        if kind == MOVED:
            to = self._moved_to(head)
            raise LedgerError(
                f"{self._store.name} was moved to {to} and takes nothing any more",
                hint="Its budget goes on there, once it has arrived: have the description's `ledger:` name that place.",
            )
        return head

    def _moved_to(self, head: Head) -> str:
        (entry,) = self._store.entries(head.sequence - 1, 1)
        try:
            return Moved.model_validate_json(entry.body).to
        except (ValueError, UsageError):
            raise self._not_held(entry) from None

    def _end(self) -> Head:
        """The end of the chain, seen to be where the entries end."""
        return self._ends()[0]

    def _ends(self) -> tuple[Head, str]:
        """The same, and the last entry's kind."""
        head, last = self._store.head(), self._store.last()
        if last is None or last[:2] != (head.sequence, head.hash):
            raise VerificationError(
                f"{self._store.name}: its last entry is not the one that its totals are of",
                hint="Nothing was charged. Look at it with: privkit budget verify",
            )
        return head, last[2]

    def _append(self, head: Head, kind: str, id: str, body: str, spent: Spend) -> Receipt:
        entry = linked(head.sequence + 1, head.hash, id, kind, time_of(self._system), body)
        self._store.append(entry, Head(entry.sequence, entry.hash, spent))
        rest = remaining(self.opening.limit, spent)
        return Receipt(id, entry.sequence, entry.hash, entry.time, head.spent, spent, rest)

    def _pending(self, id: str) -> Entry:
        """The charge, which has neither answer nor failure yet."""
        charged = self._store.entry(id, (CHARGED,))
        if charged is None:
            raise LedgerError(f"{self._store.name} has no charge of this name")
        closed = self._store.entry(id, (RELEASED, FAILED))
        if closed is not None:
            raise LedgerError(f"{self._store.name}: the charge of entry {charged.sequence} is {closed.kind} already")
        return charged

    def _charge(self, entry: Entry) -> Charge:
        """The charge that an entry holds."""
        try:
            if holds(entry):
                return Charge.model_validate_json(entry.body)
        except (ValueError, ValidationError, UsageError):
            pass
        raise self._not_held(entry)

    def _checked_answer(self, found: Candidate, key: str, delta: Decimal) -> Stored:
        answer = self._store.answer(found.id)
        charged, released = self._store.entry(found.id, (CHARGED,)), self._store.entry(found.id, (RELEASED,))
        if answer is None or charged is None or released is None:
            raise VerificationError(f"{self._store.name}: an answer is kept that no entry tells of")
        charge = self._charge(charged)
        if (charge.key, charge.delta, charge.loss) != (key, delta, found.loss):
            raise self._not_held(charged)
        if not _is_of(released, answer.answer):
            raise self._not_held(released)
        return Stored(found.id, answer.answer, charge.loss, charged.sequence, charged.time)

    def _not_held(self, entry: Entry) -> VerificationError:
        return VerificationError(
            f"{self._store.name}: entry {entry.sequence} does not hold",
            sequence=entry.sequence,
            hint="Look at the ledger with: privkit budget verify",
        )


def _over(store: Store, system: System) -> Ledger:
    try:
        return Ledger(store, system)
    except BaseException:
        store.close()
        raise


def _is_of(released: Entry, answer: bytes) -> bool:
    """Whether an entry, whose hash holds, is about this answer."""
    try:
        told = Released.model_validate_json(released.body)
        return holds(released) and told.answer_sha256 == hashlib.sha256(answer).hexdigest()
    except (ValueError, TypeError):
        return False


def time_of(system: System) -> str:
    """Now, by a system's clock: UTC, ISO 8601, to the millisecond."""
    return system.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
