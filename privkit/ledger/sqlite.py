"""A ledger in one SQLite file: WAL, synchronous=FULL, and one writer at a time. The only module with SQL in it.

Nothing here opens the ledger's file by its own hand while it is open: closing that descriptor would drop the locks that
SQLite holds for this process (POSIX record locks).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from privkit.errors import LedgerError, PrivkitError, VerificationError
from privkit.ledger import places
from privkit.ledger.accounting import FREE, Allowance
from privkit.ledger.entries import Entry, Head
from privkit.ledger.records import NOTE_KINDS, Spend
from privkit.ledger.store import Answer, Candidate, Content, LedgerExistsError, System, stored_total
from privkit.model.amounts import spelled

FORMAT = 1
_APPLICATION = 0x706B4C67  # "pkLg", in the file's header
_SIDES = ("-wal", "-shm")
_SCHEMA = (
    "CREATE TABLE entries (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, time TEXT NOT NULL, "
    "body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE UNIQUE INDEX entries_by_id ON entries (id, kind)",
    f"CREATE INDEX notes_by_kind ON entries (kind) WHERE kind IN {NOTE_KINDS}",
    "CREATE TABLE answers (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT, delta TEXT NOT NULL, "
    "loss TEXT NOT NULL, answer BLOB NOT NULL)",
    "CREATE INDEX answers_by_key ON answers (key, delta)",
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL, "
    "loss TEXT NOT NULL, delta TEXT NOT NULL)",
    "CREATE TABLE analysts (analyst TEXT NOT NULL PRIMARY KEY, spent TEXT NOT NULL, quota TEXT, epsilon TEXT)",
    *(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'a ledger is only added to'); END"
        for table in ("entries", "answers")
        for verb in ("UPDATE", "DELETE")
    ),
)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_CLOSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}


class SqliteStore:
    """One ledger file, opened; see `store.Store` for what the methods do.

    Made by `create` and `open`. It belongs to the thread and the process that opened it.

    Args:
        path: The file, absolute, as the user named it.
        connection: Opened on it, and seen to be a ledger.
        watched: The files that it is made of; None where nobody can write to them.
        system: Where the steps, the clock and the limits come from.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, watched: places.Watched | None, system: System
    ) -> None:
        self._path = path
        self._real = Path(os.path.realpath(path))
        self._connection: sqlite3.Connection | None = connection
        self._watched = watched
        self._system = system
        self._owner = (os.getpid(), threading.get_ident())

    @staticmethod
    def create(place: str | os.PathLike[str], content: Content, system: System) -> SqliteStore:
        """Makes a ledger's file, whole or not at all, readable by its owner alone (mode 0600), and opens it.

        Args:
            place: A path where nothing is yet.
            content: What it holds from the start.
            system: Where the steps, the clock and the limits come from.

        Raises:
            LedgerError: It exists, lies on a network filesystem, or cannot be written.
        """
        path = places.local_path(place)
        places.check_new(path)
        places.check_local(path, system.mounts)
        waiting = path.with_name(f".ledger.{secrets.token_hex(8)}")
        try:
            system.at("before begin")
            _write_new(waiting, path, content, system)
            system.at("before commit")
            os.link(waiting, path)  # unlike a rename, it never takes another's place
            system.at("after commit")
        except FileExistsError:
            raise LedgerExistsError(f"{path} exists: a ledger is never written over") from None
        except OSError as error:
            raise LedgerError(f"{path} cannot be written: {error.strerror}") from None
        except sqlite3.Error as error:
            raise _error(error, path) from None
        finally:
            for side in ("", *_SIDES):
                Path(f"{waiting}{side}").unlink(missing_ok=True)
        places.sync_folder(path.parent)
        return SqliteStore.open(path, read_only=False, system=system)

    @staticmethod
    def open(place: str | os.PathLike[str], *, read_only: bool, system: System) -> SqliteStore:
        """Opens a ledger's file; never makes one.

        Args:
            place: Its path.
            read_only: Whether nothing is going to be written; then a folder may be closed and the file be another's.
            system: Where the steps, the clock and the limits come from.

        Raises:
            LedgerError: It is missing, not a ledger, of a newer format, on a network filesystem, or closed.
            VerificationError: Its tables are not those that privkit made.
        """
        path = places.local_path(place)
        places.check_file(path, read_only=read_only)
        places.check_local(path, system.mounts)
        before = places.Watched(path, ())
        connection, still = _connected(path, read_only, system)
        try:
            _check_ledger(connection, path)
            if not read_only:
                _prepare(connection, path, system)
            before.check()
            watched = None if still else places.Watched(path, () if read_only else _SIDES)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise _error(error, path) from None
            raise
        return SqliteStore(path, connection, watched, system)

    @property
    def name(self) -> str:
        return str(self._path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        self._open()
        self._system.at("before begin")
        with places.writers_turn(self._real):
            self._check_same()
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._system.at("before commit")
                self._run("COMMIT")
            except BaseException:
                self._undo()
                raise
            self._check_same()  # what was written to a file without a name, nobody else will see
        self._system.at("after commit")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        self._open()
        self._check_same()
        self._run("BEGIN")
        try:
            yield
        finally:
            self._undo()

    def head(self) -> Head:
        rows = self._run("SELECT sequence, hash, loss, delta FROM head")
        if len(rows) != 1 or not isinstance(rows[0][0], int):
            raise self._broken("its totals are missing")
        sequence, hash, loss, delta = rows[0]
        return Head(sequence, hash, Spend(self._decimal(loss), self._decimal(delta)))

    def last(self) -> tuple[int, str, str] | None:
        rows = self._run("SELECT sequence, hash, kind FROM entries ORDER BY sequence DESC LIMIT 1")
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def entries(self, after: int, most: int) -> list[Entry]:
        return [
            Entry(*row) for row in self._run(f"{_SELECT} WHERE sequence > ? ORDER BY sequence LIMIT ?", after, most)
        ]

    def entry(self, id: str, kinds: tuple[str, ...]) -> Entry | None:
        for kind in kinds:
            rows = self._run(f"{_SELECT} WHERE id = ? AND kind = ?", id, kind)
            if rows:
                return Entry(*rows[0])
        return None

    def notes(self) -> list[Entry]:
        return [Entry(*row) for row in self._run(f"{_SELECT} WHERE kind IN {NOTE_KINDS} ORDER BY sequence")]

    def append(self, entry: Entry, head: Head) -> None:
        self._run(_INSERT, *entry)
        self._run(
            "UPDATE head SET sequence = ?, hash = ?, loss = ?, delta = ?", head.sequence, head.hash, *_texts(head)
        )

    def allowance(self, analyst: str) -> Allowance:
        rows = self._run("SELECT spent, quota, epsilon FROM analysts WHERE analyst = ?", analyst)
        return self._allowance(*rows[0]) if rows else FREE

    def allowances(self) -> dict[str, Allowance]:
        rows = self._run("SELECT analyst, spent, quota, epsilon FROM analysts ORDER BY analyst")
        return {analyst: self._allowance(spent, quota, epsilon) for analyst, spent, quota, epsilon in rows}

    def put_allowance(self, analyst: str, allowance: Allowance) -> None:
        self._run("INSERT OR REPLACE INTO analysts VALUES (?, ?, ?, ?)", *_row(analyst, allowance))

    def candidates(self, key: str, delta: str, at_least: Decimal) -> list[Candidate]:
        rows = self._run(_CANDIDATES, key, delta, float(at_least) * (1 - _NEAR))
        return [Candidate(id, self._decimal(loss)) for id, loss in rows]

    def answer(self, id: str) -> Answer | None:
        rows = self._run("SELECT id, key, delta, loss, answer FROM answers WHERE id = ?", id)
        return Answer(*rows[0]) if rows else None

    def answers(self) -> int:
        return int(self._run("SELECT count(*) FROM answers")[0][0])

    def put_answer(self, answer: Answer) -> None:
        self._run(_INSERT_ANSWER, *answer)

    def check_integrity(self) -> None:
        if self._run("PRAGMA integrity_check(1)") != [("ok",)]:
            raise self._broken("the file is damaged")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._owner[0] == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _run(self, sql: str, *values: object) -> list[Any]:
        connection = self._open()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _error(error, self._path) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise LedgerError(f"{self._path} was closed")
        if self._owner != (os.getpid(), threading.get_ident()):
            raise LedgerError(
                f"{self._path} is open in another thread or process", hint="Open the ledger again in this one."
            )
        return self._connection

    def _undo(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _check_same(self) -> None:
        if self._watched is not None:
            self._watched.check()

    def _allowance(self, spent: object, quota: object, epsilon: Any) -> Allowance:
        return Allowance(self._decimal(spent), None if quota is None else self._decimal(quota), epsilon)

    def _decimal(self, text: object) -> Decimal:
        return stored_total(text, self.name, _HINT)

    def _broken(self, what: str) -> VerificationError:
        return VerificationError(f"{self._path}: {what}", hint=_HINT)


_SELECT = "SELECT sequence, id, kind, time, body, prev, hash FROM entries"
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_ANSWER = "INSERT INTO answers (id, key, delta, loss, answer) VALUES (?, ?, ?, ?, ?)"
_CANDIDATES = "SELECT id, loss FROM answers WHERE key = ? AND delta = ? AND CAST(loss AS REAL) >= ? ORDER BY number"
_NEAR = 1e-9  # what floats lose; the ledger compares the decimals themselves
_HINT = "Restore the ledger from a copy, and count what was released since then as spent."


def _texts(head: Head) -> tuple[str, str]:
    return spelled(head.spent.loss), spelled(head.spent.delta)


def _row(analyst: str, allowance: Allowance) -> tuple[str, str, str | None, str | None]:
    quota = None if allowance.quota is None else spelled(allowance.quota)
    return analyst, spelled(allowance.spent), quota, allowance.epsilon


def _write_new(path: Path, place: Path, content: Content, system: System) -> None:
    """Writes a whole ledger, down to the disk; `place` is where it is going to be."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    os.close(descriptor)
    path.chmod(0o600)  # whatever the umask was; what SQLite makes beside it gets the same
    connection = _connect(path, "mode=rw", 10.0)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        _use_wal(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        for statement in _SCHEMA:
            connection.execute(statement)
        for entry, answer in content.rows():
            connection.execute(_INSERT, entry)
            if answer is not None:
                connection.execute(_INSERT_ANSWER, answer)
        for analyst, allowance in content.allowances.items():
            connection.execute("INSERT INTO analysts VALUES (?, ?, ?, ?)", _row(analyst, allowance))
        head = content.head
        connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", (head.sequence, head.hash, *_texts(head)))
        system.at("after insert")
        if content.check is not None:
            content.check(SqliteStore(place, connection, None, system))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _connect(path: Path, options: str, busy_seconds: float) -> sqlite3.Connection:
    # `mode=rw` and `mode=ro` make no file, unlike a plain path. The thread is checked by `_open`, in clearer words.
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?{options}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    # Damaged text is read as it stands: its hash will not hold, and SQLite's own error would quote it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _connected(path: Path, read_only: bool, system: System) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether it takes the file as one that nobody writes."""
    connection = None
    try:
        connection = _connect(path, "mode=ro" if read_only and not _writable(path) else "mode=rw", system.busy_seconds)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        return connection, False
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if _primary(error) == sqlite3.SQLITE_NOTADB:
            raise _no_ledger(path) from None
        if not read_only or _primary(error) not in _CLOSED or Path(f"{os.path.realpath(path)}-wal").exists():
            raise _error(error, path) from None
    # A reader also keeps files beside the ledger. Where it cannot, and no writer has left any, it does without.
    return _connect(path, "mode=ro&immutable=1", system.busy_seconds), True


def _writable(path: Path) -> bool:
    """Whether a viewer could write: then it may also clear away what SQLite keeps beside a file that is open."""
    return os.access(path, os.W_OK) and os.access(Path(os.path.realpath(path)).parent, os.W_OK | os.X_OK)


def _check_ledger(connection: sqlite3.Connection, path: Path) -> None:
    def pragma(name: str) -> int:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

    if pragma("application_id") != _APPLICATION:
        raise _no_ledger(path)
    version = pragma("user_version")
    if version > FORMAT:
        raise LedgerError(
            f"{path} has format {version}, and this version of privkit knows formats up to {FORMAT}",
            hint="Install a newer version of privkit.",
        )
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if version < 1 or sorted(sql for (sql,) in found) != sorted(_SCHEMA):
        raise VerificationError(f"{path}: its tables are not those that privkit made", hint=_HINT)


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        raise LedgerError(
            f"{path} lies on a filesystem without shared memory, where readers and writers cannot work together",
            hint="Put the ledger on a disk of this machine.",
        )


def _prepare(connection: sqlite3.Connection, path: Path, system: System) -> None:
    _use_wal(connection, path)
    for name, value in (
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),  # where an ordinary fsync leaves data in the disk's cache (macOS)
        ("checkpoint_fullfsync", "ON"),
        ("trusted_schema", "OFF"),
    ):
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
    if system.max_pages is not None:
        connection.execute(f"PRAGMA max_page_count = {int(system.max_pages)}").fetchall()
    # The files beside the ledger come into being with the first read.
    connection.execute("SELECT count(*) FROM head").fetchall()


def _primary(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _no_ledger(path: Path) -> LedgerError:
    return LedgerError(f"{path} is not a privkit ledger", hint="Make one with: privkit budget create DATASET.yaml")


def _error(error: sqlite3.Error, path: Path) -> PrivkitError:
    """What SQLite says, in words of our own: its messages may quote what is stored."""
    code = _primary(error)
    if code in _BUSY:
        return LedgerError(
            f"{path} is busy: another program holds it and does not let go", hint="Nothing was charged. Try again."
        )
    if code == sqlite3.SQLITE_FULL:
        return LedgerError(f"{path} cannot grow: the disk is full", hint="Nothing was charged. Make room, try again.")
    if code in _CLOSED:
        return LedgerError(f"{path} cannot be opened or written: permission denied, or its folder is closed")
    if code in _DAMAGED:
        return VerificationError(f"{path}: the file is damaged", hint=_HINT)
    if code == sqlite3.SQLITE_IOERR:
        return LedgerError(
            f"{path}: the disk failed, is full, or the file may not grow",
            hint="Nothing is answered. Look at the ledger with: privkit budget verify",
        )
    return LedgerError(f"{path} cannot be used (SQLite's error {code})", hint="Look at it with: privkit budget verify")
