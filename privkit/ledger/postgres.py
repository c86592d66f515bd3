"""Ledgers in a PostgreSQL database: one for each dataset, its row locked by whoever writes. SQL, but no connections.

Writers of one dataset wait in a queue (an advisory lock, which is first come, first served; the row's own lock is not)
and then lock the dataset's row. A commit whose answer did not come is looked up: the row's lock is free only when the
transaction that held it has ended, and then its entry is there or is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from privkit.errors import LedgerError, PrivkitError, VerificationError
from privkit.ledger import postgres_schema
from privkit.ledger.accounting import FREE, Allowance
from privkit.ledger.entries import Entry, Head
from privkit.ledger.postgres_link import HINT, ConnectionLost, Link, check_durable
from privkit.ledger.records import NOTE_KINDS, Spend
from privkit.ledger.store import Answer, Candidate, Content, LedgerExistsError, System, stored_total
from privkit.model.amounts import spelled

_LOCKS = 0x706B4C67  # "pkLg": a ledger's number behind it; 0 for migrations
_MAKING = _LOCKS + 1  # a dataset's name, hashed, behind it: while its ledger is made
_MOST_NAMED = 5
_RETRY = 0.2  # seconds between two attempts to reach a server that is gone
_SELECT = "SELECT sequence, id, kind, time, body, prev, hash FROM privkit.entries WHERE ledger = %s"
_HEAD = "SELECT sequence, hash, loss, delta FROM privkit.ledgers WHERE number"
_LAST = "SELECT sequence, hash, kind FROM privkit.entries WHERE ledger ="
_HIGHEST = "ORDER BY sequence DESC LIMIT 1"
_APPEND = (
    "WITH added AS (INSERT INTO privkit.entries (ledger, sequence, id, kind, time, body, prev, hash) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)) "
    "UPDATE privkit.ledgers SET sequence = %s, hash = %s, loss = %s, delta = %s WHERE number = %s"
)
_NOTES = ", ".join(f"'{kind}'" for kind in NOTE_KINDS)


class _Kept(NamedTuple):
    """Which ledger it is: its row's number, its dataset, and the hash of the entry that opened it."""

    number: int
    dataset: str
    first: str | None


class PostgresStore:
    """One dataset's ledger in a database; see `store.Store` for what the methods do.

    Made by `create` and `open`. It belongs to the thread and the process that opened it. Between two operations a
    connection that broke is opened again, once; within one it is not.

    Args:
        link: A connection to the database.
        kept: Which of its ledgers.
        system: Where the steps and the times come from.
        read_only: Whether nothing is going to be written.
    """

    def __init__(self, link: Link, kept: _Kept, system: System, *, read_only: bool = False) -> None:
        self._link = link
        self._kept = kept
        self._system = system
        self._read_only = read_only
        self._writes = False
        self._reads = False
        self._appended: Entry | None = None
        self._locked: list[list[tuple[Any, ...]]] = []

    @staticmethod
    def create(url: str, content: Content, system: System) -> PostgresStore:
        """Makes a dataset's ledger, whole or not at all, and the tables where there are none yet.

        Args:
            url: `postgresql://…`, without a password.
            content: What it holds from the start.
            system: Where the steps and the times come from.

        Raises:
            LedgerError: The dataset has one, or this user may not make it.
        """
        link = Link(url, system)
        try:
            link.connect()
            _check_writable(link)
            _migrate(link)
            _check_tables(link)
            system.at("before begin")
            link.run(_transaction(link, _making(content.dataset), statement=0.0))
            number = _inserted(link, content)
            system.at("after insert")
            kept = _Kept(number, content.dataset, None)
            if content.check is not None:
                content.check(PostgresStore(link, kept, system))
            system.at("before commit")
            try:
                link.commit()
            except ConnectionLost:
                _find_out(link, _making(content.dataset), content.dataset, content.head)
            system.at("after commit")
        except BaseException:
            link.undo()
            link.close()
            raise
        link.close()
        return PostgresStore.open(url, content.dataset, read_only=False, system=system)

    @staticmethod
    def open(url: str, dataset: str | None, *, read_only: bool, system: System) -> PostgresStore:
        """Opens a dataset's ledger; never makes one.

        Args:
            url: `postgresql://…`, without a password.
            dataset: Whose; None where the database keeps one ledger only.
            read_only: Whether nothing is going to be written; then a standby server will do.
            system: Where the steps and the times come from.

        Raises:
            LedgerError: There is none, or several and no dataset is named; or the server does not let it be opened.
            VerificationError: The tables are not those that privkit made.
        """
        link = Link(url, system)
        try:
            link.connect()
            if not read_only:
                _check_writable(link)
            _check_format(link)
            _check_tables(link)
            return PostgresStore(link, _found(link, dataset), system, read_only=read_only)
        except BaseException:
            link.close()
            raise

    @property
    def name(self) -> str:
        return f"{self._link.name} ({self._kept.dataset})"

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        self._link.check_owner()
        if self._read_only:
            raise LedgerError(f"{self.name} was opened for looking at it only")
        self._system.at("before begin")
        self._appended = None
        try:
            script = f"{_transaction(self._link, _turn(self._kept.number))}; {_LAST} {self._kept.number:d} {_HIGHEST}"
            self._locked = self._first(script)[
                -2:
            ]  # asked for at once: each round to the server costs as much as a sync
            self._writes = True
            yield
            self._system.at("before commit")
            self._commit()
        except BaseException:
            self._link.undo()
            raise
        finally:
            self._writes = False
            self._locked = []
        self._system.at("after commit")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        self._link.check_owner()
        try:
            self._first(_snapshot(self._link))
            self._reads = True
            yield
        finally:
            self._reads = False
            self._link.undo()

    def head(self) -> Head:
        rows = self._locked[0] if self._locked else self._run(f"{_HEAD} = %s", self._kept.number)
        if len(rows) != 1:
            raise self._broken("its totals are missing")
        sequence, hash, loss, delta = rows[0]
        return Head(sequence, hash, Spend(self._decimal(loss), self._decimal(delta)))

    def last(self) -> tuple[int, str, str] | None:
        rows = self._locked[1] if self._locked else self._run(f"{_LAST} %s {_HIGHEST}", self._kept.number)
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def entries(self, after: int, most: int) -> list[Entry]:
        rows = self._run(f"{_SELECT} AND sequence > %s ORDER BY sequence LIMIT %s", self._kept.number, after, most)
        return [Entry(*row) for row in rows]

    def entry(self, id: str, kinds: tuple[str, ...]) -> Entry | None:
        for kind in kinds:
            rows = self._run(f"{_SELECT} AND id = %s AND kind = %s", self._kept.number, id, kind)
            if rows:
                return Entry(*rows[0])
        return None

    def notes(self) -> list[Entry]:
        rows = self._run(f"{_SELECT} AND kind IN ({_NOTES}) ORDER BY sequence", self._kept.number)
        return [Entry(*row) for row in rows]

    def append(self, entry: Entry, head: Head) -> None:
        self._write(_APPEND, self._kept.number, *entry, *_columns(head), self._kept.number)
        self._appended, self._locked = entry, []

    def allowance(self, analyst: str) -> Allowance:
        rows = self._run(
            "SELECT spent, quota, epsilon FROM privkit.analysts WHERE ledger = %s AND analyst = %s",
            *(self._kept.number, analyst),
        )
        return self._allowance(*rows[0]) if rows else FREE

    def allowances(self) -> dict[str, Allowance]:
        rows = self._run(
            "SELECT analyst, spent, quota, epsilon FROM privkit.analysts WHERE ledger = %s ORDER BY analyst",
            self._kept.number,
        )
        return {analyst: self._allowance(spent, quota, epsilon) for analyst, spent, quota, epsilon in rows}

    def put_allowance(self, analyst: str, allowance: Allowance) -> None:
        self._write(
            "INSERT INTO privkit.analysts (ledger, analyst, spent, quota, epsilon) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (ledger, analyst) DO UPDATE "
            "SET spent = EXCLUDED.spent, quota = EXCLUDED.quota, epsilon = EXCLUDED.epsilon",
            *(self._kept.number, analyst, *_texts(allowance)),
        )

    def candidates(self, key: str, delta: str, at_least: Decimal) -> list[Candidate]:
        rows = self._run(
            "SELECT id, loss FROM privkit.answers WHERE ledger = %s AND key = %s AND delta = %s "
            "AND loss::numeric >= %s::numeric ORDER BY number",
            *(self._kept.number, key, delta, spelled(at_least)),
        )
        return [Candidate(id, self._decimal(loss)) for id, loss in rows]

    def answer(self, id: str) -> Answer | None:
        rows = self._run(
            "SELECT id, key, delta, loss, answer FROM privkit.answers WHERE ledger = %s AND id = %s",
            *(self._kept.number, id),
        )
        return Answer(*rows[0]) if rows else None

    def answers(self) -> int:
        return int(self._run("SELECT count(*) FROM privkit.answers WHERE ledger = %s", self._kept.number)[0][0])

    def put_answer(self, answer: Answer) -> None:
        self._write(
            "INSERT INTO privkit.answers (ledger, id, key, delta, loss, answer) VALUES (%s, %s, %s, %s, %s, %s)",
            *(self._kept.number, *answer),
        )

    def check_integrity(self) -> None:
        _check_tables(self._link)

    def close(self) -> None:
        self._link.close()

    def _first(self, sql: str, *values: object) -> list[list[Any]]:
        """What an operation begins with; a connection that broke since the last one is opened again, once."""
        try:
            return self._link.results(sql, *values)
        except ConnectionLost:
            self._link.connect()
            _check_format(self._link)
            if _found(self._link, self._kept.dataset) != self._kept:
                raise LedgerError(
                    f"{self.name} was exchanged for another ledger while it was open",
                    hint="Nothing is answered. Look at it with: privkit budget verify",
                ) from None
            return self._link.results(sql, *values)

    def _commit(self) -> None:
        try:
            self._link.commit()
        except ConnectionLost:
            if self._appended is None:
                raise
            _find_out(self._link, _turn(self._kept.number), self._kept.dataset, self._appended)

    def _run(self, sql: str, *values: object) -> list[Any]:
        within = self._writes or self._reads
        return self._link.run(sql, *values) if within else self._first(sql, *values)[-1]

    def _write(self, sql: str, *values: object) -> None:
        assert self._writes, "only inside `writing`"
        self._link.run(sql, *values)

    def _allowance(self, spent: object, quota: object, epsilon: Any) -> Allowance:
        return Allowance(self._decimal(spent), None if quota is None else self._decimal(quota), epsilon)

    def _decimal(self, text: object) -> Decimal:
        return stored_total(text, self.name, HINT)

    def _broken(self, what: str) -> VerificationError:
        return VerificationError(f"{self.name}: {what}", hint=HINT)


# ---- transactions


def _limits(link: Link, lock: float, statement: float) -> str:
    times = {
        "lock_timeout": lock,
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": link.waits.stall,
    }
    return "".join(
        f"SET LOCAL {name} = {0 if not each else max(1, round(1000 * each))}; " for name, each in times.items()
    )


def _transaction(link: Link, turn: str, *, lock: float | None = None, statement: float | None = None) -> str:
    """Begins to write: durable when committed, and only when it is this writer's turn."""
    limits = _limits(
        link, link.waits.lock if lock is None else lock, link.waits.statement if statement is None else statement
    )
    # What a server demands of its standbys beyond its own disk stays demanded.
    durable = (
        "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
        "WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true); "
    )
    return f"BEGIN ISOLATION LEVEL READ COMMITTED; {limits}{durable}{turn}"


def _snapshot(link: Link) -> str:
    return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_limits(link, link.waits.lock, link.waits.statement)}"


def _turn(number: int) -> str:
    """Waits for a ledger: in the queue, then for its row."""
    queue = f"SELECT pg_advisory_xact_lock({_LOCKS}, {number:d})"
    return f"{queue}; {_HEAD} = {number:d} FOR UPDATE"


def _making(dataset: str) -> str:
    """Waits for whoever makes this dataset's ledger at the same time."""
    number = int.from_bytes(hashlib.sha256(dataset.encode("utf-8", "surrogatepass")).digest()[:4], signed=True)
    return f"SELECT pg_advisory_xact_lock({_MAKING}, {number})"


def _find_out(link: Link, turn: str, dataset: str, wanted: Entry | Head) -> None:
    """Whether an entry was committed by a transaction that this process did not see end.

    Args:
        link: The broken connection.
        turn: Takes the lock that the transaction held: once it is had, the transaction has ended.
        dataset: Whose ledger.
        wanted: The entry, or the end of the chain that it made.

    Raises:
        LedgerError: It was not, so that nothing was charged; or that could not be found out.
    """
    end = time.monotonic() + link.waits.decided
    while True:
        try:
            link.connect()
            _check_writable(link)
            link.run(_transaction(link, turn, lock=link.waits.decided))
            found = link.run(
                "SELECT e.hash FROM privkit.entries e JOIN privkit.ledgers l ON e.ledger = l.number "
                "WHERE l.dataset = %s AND e.sequence = %s",
                *(dataset, wanted.sequence),
            )
            link.undo()
            break
        except PrivkitError:
            link.undo()
            if time.monotonic() > end:
                name = f"entry {wanted.sequence}" + (f", {wanted.id}," if isinstance(wanted, Entry) else "")
                raise LedgerError(
                    f"{link.name}: the connection broke while {name} was being committed, and the server "
                    "cannot be asked whether it was",
                    hint="Look before you ask again: privkit budget history shows it if it was charged.",
                ) from None
            time.sleep(_RETRY)
    if found != [(wanted.hash,)]:
        raise LedgerError(
            f"{link.name}: the connection broke, and entry {wanted.sequence} was not written",
            hint="Nothing was charged. Try again.",
        )


# ---- what a database holds


def _check_writable(link: Link) -> None:
    ((follows, fsync, pages),) = link.run(
        "SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes')"
    )
    if follows:
        raise LedgerError(
            f"{link.name} takes no writes: the server is a read-only copy that follows another",
            hint="Name the server that it follows.",
        )
    check_durable(link.name, fsync, pages)


def _format(link: Link) -> int:
    """The number of the last migration; 0 where there are no tables."""
    if not link.run("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'privkit' AND tablename = 'migrations'"):
        return 0
    return int(link.run("SELECT coalesce(max(number), 0) FROM privkit.migrations")[0][0])


def _check_format(link: Link) -> None:
    """Refuses a database without tables, or with newer ones; older ones are brought up to date by whoever may."""
    found, known = _format(link), len(postgres_schema.MIGRATIONS)
    if found > known:
        raise LedgerError(
            f"{link.name} has format {found}, and this version of privkit knows formats up to {known}",
            hint="Install a newer version of privkit.",
        )
    if not found:
        raise _no_ledger(link, None)
    if found < known:
        _migrate(link)


def _migrate(link: Link) -> None:
    """Makes the tables, or brings them up to date: all of it in one transaction, and by one process at a time."""
    known = len(postgres_schema.MIGRATIONS)
    if _format(link) == known:
        return
    link.run(_transaction(link, f"SELECT pg_advisory_xact_lock({_LOCKS}, 0)"))
    try:
        found = _format(link)
        if found > known:
            _check_format(link)
        if found:
            _check_owner(link, found)
        elif not link.run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'privkit'"):
            link.run("CREATE SCHEMA privkit")
        for number in range(found + 1, known + 1):
            for statement in postgres_schema.MIGRATIONS[number - 1]:
                link.run(statement)
            link.run("INSERT INTO privkit.migrations (number) VALUES (%s)", number)
        link.commit()
    except BaseException:
        link.undo()
        raise


def _check_owner(link: Link, found: int) -> None:
    mine = link.run(
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'privkit' AND pg_has_role(nspowner, 'USAGE')"
    )
    if not mine:
        raise LedgerError(
            f"{link.name} has the older format {found}, and this user may not change its tables",
            hint="Have the schema's owner run once: privkit budget show DATASET.yaml",
        )


def _check_tables(link: Link) -> None:
    """Compares tables, columns, indexes, triggers and functions with what privkit makes."""
    if frozenset(link.run(postgres_schema.OBJECTS)) != postgres_schema.EXPECTED:
        raise VerificationError(
            f"{link.name}: its tables are not those that privkit made",
            hint="Ask whoever keeps the database what was changed; until then, count the whole budget as spent.",
        )


def _found(link: Link, dataset: str | None) -> _Kept:
    rows = link.run(
        "SELECT number, dataset, (SELECT hash FROM privkit.entries WHERE ledger = number AND sequence = 1) "
        "FROM privkit.ledgers WHERE dataset = %s OR %s::text IS NULL ORDER BY dataset LIMIT %s",
        *(dataset, dataset, _MOST_NAMED + 1),
    )
    if not rows:
        _check_no_remains(link)
        raise _no_ledger(link, dataset)
    if len(rows) > 1:
        names = [name for _, name, _ in rows]
        told = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
        raise LedgerError(
            f"{link.name} keeps the ledgers of several datasets: {told}",
            hint="Say which: --dataset, or dataset= in Python.",
        )
    number, name, first = rows[0]
    return _Kept(number, name, first)


def _check_no_remains(link: Link) -> None:
    """Refuses a database that has lost a ledger's row and kept its entries: a new one would be a second budget."""
    if link.run("SELECT 1 FROM privkit.entries WHERE ledger NOT IN (SELECT number FROM privkit.ledgers) LIMIT 1"):
        raise VerificationError(
            f"{link.name}: the totals of a ledger are missing, and its entries are there", hint=HINT
        )


def _no_ledger(link: Link, dataset: str | None) -> LedgerError:
    whose = "" if dataset is None else f" of {dataset}"
    return LedgerError(
        f"{link.name}: there is no ledger{whose}", hint="Make one with: privkit budget create DATASET.yaml"
    )


def _inserted(link: Link, content: Content) -> int:
    """Writes a ledger's rows; its number."""
    _check_no_remains(link)
    known = link.run("SELECT 1 FROM privkit.ledgers WHERE dataset = %s", content.dataset)
    if known:
        raise LedgerExistsError(
            f"{link.name} has a ledger of {content.dataset}: a ledger is never written over",
            hint="Use this one, or give the dataset another name.",
        )
    ((number,),) = link.run(
        "INSERT INTO privkit.ledgers (dataset, sequence, hash, loss, delta) VALUES (%s, %s, %s, %s, %s) "
        "RETURNING number",
        *(content.dataset, *_columns(content.head)),
    )
    link.copy(
        "COPY privkit.entries (ledger, sequence, id, kind, time, body, prev, hash) FROM STDIN",
        ((number, *entry) for entry, _ in content.rows()),
    )
    link.copy(
        "COPY privkit.answers (ledger, id, key, delta, loss, answer) FROM STDIN",
        ((number, *answer) for _, answer in content.rows() if answer is not None),
    )
    link.copy(
        "COPY privkit.analysts (ledger, analyst, spent, quota, epsilon) FROM STDIN",
        ((number, analyst, *_texts(each)) for analyst, each in content.allowances.items()),
    )
    return int(number)


def _columns(head: Head) -> tuple[int, str, str, str]:
    return head.sequence, head.hash, spelled(head.spent.loss), spelled(head.spent.delta)


def _texts(allowance: Allowance) -> tuple[str, str | None, str | None]:
    quota = None if allowance.quota is None else spelled(allowance.quota)
    return spelled(allowance.spent), quota, allowance.epsilon
