"""Which store keeps a ledger: its place says it. A path is an SQLite file's, `postgresql://…` a database's."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from privkit.errors import MissingExtraError
from privkit.ledger.sqlite import SqliteStore
from privkit.ledger.store import Content, Store, System

if TYPE_CHECKING:
    from privkit.ledger.postgres import PostgresStore

Place = str | os.PathLike[str]
_POSTGRES = re.compile(r"postgres(ql)?://")


def is_in_postgres(place: Place) -> bool:
    """Whether a place is a PostgreSQL database."""
    return _POSTGRES.match(os.fspath(place)) is not None


def create_store(place: Place, content: Content, system: System) -> Store:
    """Makes a ledger where none is, whole or not at all, and opens it.

    Args:
        place: A path, or `postgresql://USER@HOST/DATABASE`.
        content: What it holds from the start.
        system: Where the steps, the clock and the limits come from.

    Raises:
        LedgerError: There is one, or it cannot be written there.
        MissingExtraError: It is a PostgreSQL database's place, and psycopg is not installed.
    """
    if is_in_postgres(place):
        return _postgres().create(os.fspath(place), content, system)
    return SqliteStore.create(place, content, system)


def open_store(place: Place, dataset: str | None, *, read_only: bool, system: System) -> Store:
    """Opens a ledger; never makes one.

    Args:
        place: A path, or `postgresql://USER@HOST/DATABASE`.
        dataset: Whose ledger, where a database keeps several; a file has one, whosever it is.
        read_only: Whether nothing is going to be written.
        system: Where the steps, the clock and the limits come from.

    Raises:
        LedgerError: There is none, or it cannot be opened.
        VerificationError: It is damaged.
        MissingExtraError: It is a PostgreSQL database's place, and psycopg is not installed.
    """
    if is_in_postgres(place):
        return _postgres().open(os.fspath(place), dataset, read_only=read_only, system=system)
    return SqliteStore.open(place, read_only=read_only, system=system)


def _postgres() -> type[PostgresStore]:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "a ledger in PostgreSQL: psycopg is not installed", hint="pip install 'privkit-toolkit[postgres]'"
        ) from None
    from privkit.ledger.postgres import PostgresStore

    return PostgresStore
