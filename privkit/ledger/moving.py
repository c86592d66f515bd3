"""Moving a ledger to another place: closed at the old one, carried in a file, opened at the new one.

The order makes sure that a budget is never in two places: the old ledger's last entry names the new place and is down
on the disk before there is a file; a file is taken in only at the place that it names, and only where no ledger is, all
of it or nothing. Whatever dies on the way, the same command goes on. Entries, hashes and answers stay what they were,
byte for byte, and so do the checkpoints that were signed over them.
"""

from __future__ import annotations

import base64
import json
import os
import posixpath
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from privkit.errors import InputError, LedgerError, UsageError, VerificationError
from privkit.io.staged import Staged
from privkit.keys.privatefile import from_base64, sync_folder
from privkit.ledger.entries import ARRIVED, RELEASED, Entry, Head, body_of, linked
from privkit.ledger.ledger import Ledger, time_of
from privkit.ledger.records import Arrived, Opening, Sha256
from privkit.ledger.store import Answer, Content, LedgerExistsError, Store, System
from privkit.ledger.stores import Place, create_store, is_in_postgres, open_store
from privkit.ledger.verifying import Replay, Verified, verify_rows, verify_store
from privkit.model.canonical import canonical_json
from privkit.model.places import check_no_secret, is_url

Watch = Callable[[int, int], None]
"""Is told how many entries are done, and of how many."""

_LONGEST_LINE = 1 << 30
_EVERY = 500  # entries between two calls of a `Watch`
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[?::1\]?|/.*")
_SYSTEM = System()


def unwatched(done: int, of: int) -> None:
    """Watches and says nothing."""


class Header(BaseModel):
    """The first line of an exported ledger.

    Attributes:
        format: What this is.
        dataset: Whose ledger.
        entries: How many there are, the closing one included.
        answers: How many there are.
        head: Hash of the last entry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["privkit ledger export 1"] = "privkit ledger export 1"
    dataset: str
    entries: Annotated[int, Field(ge=2, strict=True)]
    answers: Annotated[int, Field(ge=0, strict=True)]
    head: Sha256


class Arrival(NamedTuple):
    """What came of an import.

    Attributes:
        verified: The new ledger.
        at: Where it is.
        again: Whether it had arrived before.
    """

    verified: Verified
    at: str
    again: bool


# ---- places


def named_place(place: Place) -> str:
    """A place by a name that means the same on every machine: what a closing entry says.

    Args:
        place: A path on this machine, `file://HOST/PATH` for one on another, or `postgresql://HOST/DATABASE`.

    Returns:
        `file://HOST/PATH` or `postgresql://HOST:PORT/DATABASE`; this machine by its own name.

    Raises:
        UsageError: It holds a password, is another kind of URL, or does not say on which host, or in which database.
    """
    text = os.fspath(place)
    try:
        check_no_secret(text)
        if is_in_postgres(text):
            return _named_database(text)
        if text.startswith("file://"):
            parts = urlsplit(text)
            if parts.netloc and parts.path.strip("/"):
                return (
                    f"file://{_machine(parts.netloc)}{posixpath.normpath(text.removeprefix('file://' + parts.netloc))}"
                )
            raise ValueError("file://HOST/PATH is wanted")
    except ValueError as error:
        raise UsageError(f"the ledger's place: {error}") from None
    if is_url(text) or not text or "\0" in text:
        raise UsageError("a ledger's place is a path, file://HOST/PATH, or postgresql://HOST/DATABASE")
    path = Path(text).absolute()
    return f"file://{socket.gethostname()}{os.path.realpath(path.parent)}/{path.name}"


def _named_database(url: str) -> str:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    hosts = parts.netloc.rpartition("@")[2] or unquote(given.get("host", ""))
    database = given.get("dbname", "") or unquote(parts.path.strip("/"))
    if not hosts or not database:
        raise ValueError("a URL that names the host and the database is wanted: postgresql://HOST/DATABASE")
    named = []
    for host in hosts.split(","):
        name, colon, port = host.rpartition(":")
        if not colon or host.endswith("]") or not port.isdigit():
            name, port = host, given.get("port", "5432")
        named.append(f"{_machine(name)}:{port}")
    return f"postgresql://{','.join(named)}/{database}"


def _machine(host: str) -> str:
    """A host's name; what only this machine means by it, as this machine's own."""
    return socket.gethostname() if _LOOPBACK.fullmatch(unquote(host)) else host.lower()


# ---- out


def write_export(
    ledger: Ledger, output: Path, *, watch: Watch = unwatched, system: System = _SYSTEM, staged: Staged | None = None
) -> Header:
    """Writes a closed ledger into a file that only its owner can open; whole or not there.

    Args:
        ledger: The ledger, moved already.
        output: The file.
        watch: Is told how far it is.
        system: For fault tests.
        staged: For tests.

    Raises:
        LedgerError: The ledger is not closed.
        OutputError: The file cannot be written.
        VerificationError: An entry or its answer is not there.
    """
    end, _ = ledger.end()
    if ledger.moved_to() is None:
        raise LedgerError("only a ledger that was closed is exported")
    header = Header(dataset=ledger.opening.dataset, entries=end.sequence, answers=ledger.answers(), head=end.hash)
    system.at("before file")
    with staged or Staged() as waiting:
        with waiting.open(output, private=True) as file:
            _line(file, header.model_dump())
            for entry, answer in ledger.rows():
                _line(file, {"entry": list(entry)})
                if answer is not None:
                    _line(file, {"answer": [*answer[:-1], base64.b64encode(answer.answer).decode()]})
                if entry.sequence % _EVERY == 0:
                    watch(entry.sequence, end.sequence)
        system.at("written file")
        waiting.publish()
    sync_folder(output.absolute().parent)
    system.at("after file")
    watch(end.sequence, end.sequence)
    return header


def _line(file: BinaryIO, record: dict[str, Any]) -> None:
    file.write(canonical_json(record) + b"\n")


# ---- in


class Export:
    """A file that `write_export` wrote.

    Args:
        path: The file.

    Attributes:
        header: Its first line.

    Raises:
        InputError: It cannot be read.
        VerificationError: It is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            try:
                self.header = Header.model_validate_json(file.readline(_LONGEST_LINE))
            except ValueError:
                raise VerificationError(f"{path} is no exported ledger, or it is damaged", hint=_AGAIN) from None

    def rows(self) -> Iterator[tuple[Entry, Answer | None]]:
        """The entries in their order, each with the answer that it tells of.

        Raises:
            InputError: It cannot be read.
            VerificationError: A line is not what privkit writes, or lines are missing.
        """
        with self._open() as file:
            file.readline(_LONGEST_LINE)
            number = 1
            while line := file.readline(_LONGEST_LINE):
                number += 1
                entry = self._entry(line, number)
                if entry.kind == RELEASED:
                    number += 1
                    yield entry, self._answer(file.readline(_LONGEST_LINE), number, entry)
                else:
                    yield entry, None

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise InputError(f"{self._path} cannot be read: {error.strerror}", path=str(self._path)) from None

    def _entry(self, line: bytes, number: int) -> Entry:
        fields = self._fields(line, "entry", number)
        if len(fields) != len(Entry._fields) or type(fields[0]) is not int:
            raise self._damaged(number)
        if not all(isinstance(text, str) for text in fields[1:]):
            raise self._damaged(number)
        return Entry(*fields)

    def _answer(self, line: bytes, number: int, entry: Entry) -> Answer:
        fields = self._fields(line, "answer", number)
        try:
            id, key, delta, loss, content = fields
            if id != entry.id or not all(isinstance(text, str) for text in (id, key or "", delta, loss, content)):
                raise self._damaged(number)
            return Answer(id, key, delta, loss, from_base64(content))
        except ValueError:
            raise self._damaged(number) from None

    def _fields(self, line: bytes, kind: str, number: int) -> list[Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or list(record) != [kind] or not isinstance(record[kind], list):
            raise self._damaged(number)
        return list(record[kind])

    def _damaged(self, number: int) -> VerificationError:
        return VerificationError(f"{self._path}: line {number} is not what privkit writes", hint=_AGAIN)


_AGAIN = "Export again, at the old place: a closed ledger can be exported as often as it takes."


def import_export(
    place: Place,
    dataset: str,
    file: Path,
    *,
    by: str,
    agrees: Callable[[Opening], None],
    watch: Watch = unwatched,
    system: System = _SYSTEM,
) -> Arrival:
    """Makes a ledger of an exported one; from then on it takes charges.

    Args:
        place: Where; must be the place that the closing entry names.
        dataset: Whose ledger it must be.
        file: The exported ledger.
        by: Who brings it.
        agrees: Raises where the description does not say what the ledger was opened with.
        watch: Is told how far it is.
        system: For fault tests.

    Raises:
        LedgerError: There is another ledger, it was moved to another place, or it cannot be written.
        VerificationError: The file does not hold.
    """
    export = Export(file)
    if export.header.dataset != dataset:
        raise LedgerError(f"{file} is the ledger of the dataset {export.header.dataset}, not of {dataset}")
    replay, closing = _replayed(export, file, watch)
    agrees(replay.opening)
    here = named_place(place)
    if replay.moved != here:
        raise LedgerError(
            f"{file} is of a ledger that was moved to {replay.moved}, and the description's ledger is {here}",
            hint="A budget is never in two places: have the description's `ledger:` name the one that it was moved to.",
        )
    body = body_of(Arrived(at=here, by=by))
    arrived = linked(closing.sequence + 1, closing.hash, secrets.token_hex(16), ARRIVED, time_of(system), body)
    content = Content(
        dataset,
        Head(arrived.sequence, arrived.hash, replay.head.spent),
        replay.allowances,
        lambda: chain(export.rows(), [(arrived, None)]),
        lambda store: _check_whole(store, closing),
    )
    try:
        store, again = create_store(place, content, system), False
    except LedgerExistsError:
        store, again = open_store(place, dataset, read_only=True, system=system), True
        if not _is_of(store, closing):
            store.close()
            raise
    try:
        return Arrival(verify_store(store, {closing.sequence: closing.hash}), here, again)
    finally:
        store.close()


def _replayed(export: Export, file: Path, watch: Watch) -> tuple[Replay, Entry]:
    """All of a file followed, and its last entry."""
    current: dict[str, Answer] = {}
    replay = Replay(str(file), current.get)
    last, answers, wanted = None, 0, export.header
    for entry, answer in export.rows():
        current.clear()
        if answer is not None:
            current[answer.id] = answer
            answers += 1
        replay.follow(entry)
        last = entry
        if entry.sequence % _EVERY == 0:
            watch(entry.sequence, wanted.entries)
    counted = (replay.head.sequence, answers, replay.head.hash)
    if last is None or counted != (wanted.entries, wanted.answers, wanted.head) or replay.moved is None:
        raise VerificationError(f"{file} is cut off, or was put together from several", hint=_AGAIN)
    watch(wanted.entries, wanted.entries)
    return replay, last


def _check_whole(store: Store, closing: Entry) -> None:
    verify_rows(store, {closing.sequence: closing.hash})


def _is_of(store: Store, closing: Entry) -> bool:
    """Whether this very ledger has arrived at the store before."""
    found = store.entries(closing.sequence - 1, 2)
    return len(found) > 1 and found[0] == closing and found[1].kind == ARRIVED
