"""A connection to PostgreSQL for one ledger: opened, lost, opened again, and what went wrong in words of our own.

The server's messages may quote what is stored, and libpq's what stands in the environment: neither is ever repeated.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import pq

from privkit.errors import LedgerError, PrivkitError, VerificationError
from privkit.ledger.store import System
from privkit.model.places import check_no_secret

_OLDEST = 13  # whose catalogs are as the look at the tables expects them
_BUSY = {"55P03", "57014", "40001", "40P01"}
_GONE = {"57P01", "57P02", "57P03", "57P05", "25P03"}
_ROOM = {"53100", "53200", "53400", "54000"}
_DAMAGED = {"XX001", "XX002", "58P01", "22P02"}
_CHANGED = {"42P01", "42P07", "42703", "42710", "42723", "42883", "3F000"}
_REFUSED = (
    (re.compile(r"password authentication failed|no password supplied|authentication"), "wrong user or password"),
    (re.compile(r'database "[^"]*" does not exist'), "it has no such database"),
    (re.compile(r'role "[^"]*" does not exist|is not permitted to log in'), "it does not know this user"),
    (re.compile(r"permission denied for database"), "this user may not use the database"),
    (re.compile(r"too many (clients|connections)|connection slots"), "it has too many connections"),
    (re.compile(r"no pg_hba\.conf entry"), "it takes no connection of this user from this machine"),
    (re.compile(r"starting up|shutting down|recovery mode"), "it is starting or stopping"),
    (re.compile(r"certificate|SSL|ssl"), "the encrypted connection was refused"),
)
_CREDENTIALS = "The password comes from PGPASSWORD, ~/.pgpass or a service of PGSERVICEFILE; the user from the URL."


class Waits(NamedTuple):
    """How long each thing may take, in seconds, all of them from `System.busy_seconds`.

    Attributes:
        connect: Until a connection stands.
        lock: Until a writer's turn comes.
        stall: How long a writer may think inside its transaction before the server ends it for the others' sake.
        statement: Until a statement is done.
        decided: Until it is certain how a transaction ended whose connection broke.
    """

    connect: float
    lock: float
    stall: float
    statement: float
    decided: float


def waits(system: System) -> Waits:
    """The times that a system gives."""
    busy = system.busy_seconds
    return Waits(max(2.0, busy), busy, busy + 5, 6 * busy + 5, 2 * busy + 10)


class ConnectionLost(LedgerError):
    """The server cannot be reached, or the connection to it broke."""


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """Gives up on a server that does not answer, and is let alone by a forked child."""

    seconds = 60.0
    process = 0

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        return super().wait(_in_time(gen, self.seconds), *arguments, **options)

    def __del__(self, *arguments: Any) -> None:
        if self.process in (0, os.getpid()):
            super().__del__(*arguments)


class _TooLate(psycopg.OperationalError):
    """The server does not answer."""


def _in_time(generator: Any, seconds: float) -> Any:
    """The same generator, which psycopg drives, with an end in time."""
    end = time.monotonic() + seconds
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > end:
                raise _TooLate
            wanted = generator.send(ready)
    except StopIteration as stop:
        return stop.value


class Link:
    """The connection, for the thread and the process that opened it.

    Args:
        url: `postgresql://…`, without a password.
        system: Where the times come from.

    Attributes:
        name: The URL as it stands in messages.

    Raises:
        LedgerError: The URL holds a password, or cannot be read.
    """

    def __init__(self, url: str, system: System) -> None:
        self.name = name_of(url)
        self.waits = waits(system)
        self._url = url
        self._connection: _Connection | None = None
        self._closed = False
        self._owner = (os.getpid(), threading.get_ident())

    @property
    def is_up(self) -> bool:
        """Whether there is a connection that is not known to be broken."""
        return self._connection is not None and not self._connection.closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or an answer is still owed."""
        connection = self._connection
        return connection is not None and connection.info.transaction_status != pq.TransactionStatus.IDLE

    def check_owner(self) -> None:
        """Refuses another thread, another process, and a ledger that was closed.

        Raises:
            LedgerError: It is one of these.
        """
        if self._closed:
            raise LedgerError(f"{self.name} was closed")
        if self._owner != (os.getpid(), threading.get_ident()):
            raise LedgerError(
                f"{self.name} is open in another thread or process", hint="Open the ledger again in this one."
            )

    def connect(self) -> None:
        """Connects, in place of whatever connection there was; and checks that the server keeps what it is given.

        Raises:
            ConnectionLost: The server cannot be reached, or refuses.
            LedgerError: It is too old, or would lose what it has confirmed.
        """
        self.drop()
        busy = self.waits
        try:
            self._connection = connection = _Connection.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,  # nothing of a session is relied on, so that poolers do no harm
                connect_timeout=math.ceil(busy.connect),
                application_name="privkit",
                client_encoding="UTF8",
                keepalives=1,
                keepalives_idle=math.ceil(busy.connect),
                tcp_user_timeout=math.ceil(1000 * busy.statement),
            )
        except psycopg.Error as error:
            raise _refused(error, self.name) from None
        except (UnicodeError, ValueError, OSError):
            raise _unreadable() from None
        connection.process = os.getpid()
        connection.seconds = busy.statement + busy.lock
        try:
            self._check_server()
        except BaseException:
            self.drop()
            raise

    def _check_server(self) -> None:
        ((version, encoding, fsync, pages),) = self.run(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), "
            "current_setting('fsync'), current_setting('full_page_writes')"
        )
        if version < _OLDEST * 10_000:
            raise LedgerError(f"{self.name}: the server is older than PostgreSQL {_OLDEST}")
        if encoding != "UTF8":
            raise LedgerError(
                f"{self.name}: the database is not in UTF-8", hint="Create it with: ENCODING 'UTF8' TEMPLATE template0"
            )
        check_durable(self.name, fsync, pages)

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement; none where it has no result. Of several without values, those of the last.

        Raises:
            ConnectionLost: The connection broke.
            PrivkitError: Whatever else went wrong.
        """
        return self.results(sql, *values)[-1]

    def results(self, sql: str, *values: object) -> list[list[tuple[Any, ...]]]:
        """The rows of each of several statements, sent at once.

        Raises:
            ConnectionLost: The connection broke.
            PrivkitError: Whatever else went wrong.
        """
        with self.told():
            cursor, found = self._up().execute(sql, values or None), []
            while True:
                found.append(cursor.fetchall() if cursor.description is not None else [])
                if not cursor.nextset():
                    return found

    def commit(self) -> None:
        """Ends a transaction.

        Raises:
            ConnectionLost: The connection broke: whether it was committed is not known.
            LedgerError: It was undone instead.
        """
        with self.told():
            if self._up().execute("COMMIT").statusmessage != "COMMIT":
                raise LedgerError(f"{self.name} undid what was written", hint="Nothing was charged. Try again.")

    def copy(self, sql: str, rows: Iterator[tuple[object, ...]]) -> None:
        """Writes many rows by a `COPY … FROM STDIN`.

        Raises:
            PrivkitError: It went wrong.
        """
        with self.told(), self._up().cursor() as cursor, cursor.copy(sql) as copying:
            for row in rows:
                copying.write_row(row)

    def undo(self) -> None:
        """Undoes an open transaction; a connection that cannot do that is let go, which undoes it too."""
        if self._connection is None:
            return
        try:
            status = self._connection.info.transaction_status
            if status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR):
                self._connection.execute("ROLLBACK")
            elif status != pq.TransactionStatus.IDLE:
                self.drop()
        except psycopg.Error:
            self.drop()

    def drop(self) -> None:
        """Lets the connection go, and keeps the right to open another. A forked child leaves its parent's alone."""
        connection, self._connection = self._connection, None
        if connection is not None and self._owner[0] == os.getpid():
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def close(self) -> None:
        """Lets go of everything; more than once does no harm."""
        self.drop()
        self._closed = True

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """What psycopg raises, in privkit's words."""
        try:
            yield
        except psycopg.Error as error:
            raise self._error(error) from None
        except UnicodeError:
            raise LedgerError(f"{self.name}: a text cannot be kept in UTF-8") from None

    def _up(self) -> _Connection:
        self.check_owner()
        if self._connection is None or self._connection.closed:
            raise _lost(self.name)
        return self._connection

    def _error(self, error: psycopg.Error) -> PrivkitError:
        code = error.sqlstate or ""
        if isinstance(error, _TooLate) or code in _GONE or code.startswith("08") or not self.is_up:
            self.drop()
            return _lost(self.name)
        return _told(code, self.name)


def check_durable(name: str, fsync: object, full_page_writes: object) -> None:
    """Refuses a server that would lose what it has confirmed.

    Raises:
        LedgerError: It would.
    """
    for setting, value in (("fsync", fsync), ("full_page_writes", full_page_writes)):
        if value != "on":
            raise LedgerError(
                f"{name}: the server runs with {setting} = off and may lose, in a crash, charges that it has confirmed",
                hint=f"Have {setting} switched on; a ledger on such a server cannot keep its promise.",
            )


def name_of(url: str) -> str:
    """What a URL is called in messages: itself, without what stands behind `?`.

    Raises:
        LedgerError: It holds a password, or cannot be read.
    """
    try:
        check_no_secret(url)
        parts = urlsplit(url)
    except ValueError as error:
        raise LedgerError(f"the ledger's URL: {error}") from None
    text = f"{parts.scheme}://{unquote(parts.netloc)}{unquote(parts.path)}"
    if "\0" in text:
        raise _unreadable()
    return text


def _unreadable() -> LedgerError:
    return LedgerError("the ledger's URL cannot be read", hint="For example: postgresql://ana@db.example/privacy")


def _lost(name: str) -> ConnectionLost:
    return ConnectionLost(
        f"{name}: the connection broke, or the server stopped", hint="Nothing was charged. Try again when it is back."
    )


def _refused(error: psycopg.Error, name: str) -> LedgerError:
    """Why there is no connection. libpq gives no code for it, so its words are looked at, and not repeated."""
    words = str(error)
    if isinstance(error, psycopg.ProgrammingError):
        return _unreadable()
    for pattern, told in _REFUSED:
        if pattern.search(words):
            return ConnectionLost(f"{name}: the server refuses the connection: {told}", hint=_CREDENTIALS)
    if getattr(getattr(error, "pgconn", None), "used_password", False):
        return ConnectionLost(f"{name}: the server refuses the connection", hint=_CREDENTIALS)
    return ConnectionLost(
        f"{name}: no server answers there", hint="Is it running, and is the URL's host and port that of it?"
    )


def _told(code: str, name: str) -> PrivkitError:
    if code in _BUSY:
        return LedgerError(
            f"{name} is busy: another program holds it and does not let go", hint="Nothing was charged. Try again."
        )
    if code in _ROOM:
        return LedgerError(
            f"{name} cannot grow: the server's disk is full, or its memory",
            hint="Nothing was charged. Make room there.",
        )
    if code == "42501":
        return LedgerError(
            f"{name}: permission denied: the server does not let this user do that",
            hint="What a role needs stands in docs/how-to/ledger-in-postgresql.md; budgets are made by the owner.",
        )
    if code == "25006":
        return LedgerError(
            f"{name} takes no writes: the server, or the database, is read-only", hint="Nothing was charged."
        )
    if code == "PK001":
        return LedgerError(f"{name}: a ledger is only added to; the database refused the change")
    if code == "23505":
        return LedgerError(f"{name} holds such an entry already: nothing was written")
    if code in _DAMAGED:
        return VerificationError(f"{name}: the database is damaged", hint=HINT)
    if code in _CHANGED:
        return VerificationError(f"{name}: its tables are not those that privkit made", hint=HINT)
    if code == "58030":
        return LedgerError(
            f"{name}: the server's disk failed", hint="Nothing is answered. Look at it with: privkit budget verify"
        )
    return LedgerError(
        f"{name} cannot be used (PostgreSQL's error {code or 'without a code'})",
        hint="Look at it with: privkit budget verify",
    )


HINT = "Restore the ledger from a copy, and count what was released since then as spent."
