"""The chain: each entry carries the hash of the one before it.

What is hashed is what is stored: the columns as they stand, the body as the text that it is, so that a ledger can be
verified without understanding a single body.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pydantic import BaseModel

from privkit.errors import LedgerError, VerificationError
from privkit.ledger.records import Spend
from privkit.model.canonical import canonical_json, sha256_of

GENESIS = "0" * 64
"""What the first entry carries in place of the hash of one before it."""

OPENED, GRANTED, CHARGED, RELEASED, FAILED = "opened", "granted", "charged", "released", "failed"
DISCLOSED, LOCAL, REVEALED = "disclosed", "local", "revealed"
MOVED, ARRIVED = "moved", "arrived"


class Entry(NamedTuple):
    """One entry.

    Attributes:
        sequence: From 1, without gaps.
        id: Name of the charge it is about; of itself, where it is about none.
        kind: opened, granted, charged, released, failed, moved, arrived, or one of `records.NOTE_KINDS`.
        time: UTC, ISO 8601, by the clock of the machine that wrote it. Nothing rests on it: clocks jump.
        body: Canonical JSON.
        prev: Hash of the entry before; 64 zeros for the first.
        hash: SHA-256 of the canonical JSON of all of the above.
    """

    sequence: int
    id: str
    kind: str
    time: str
    body: str
    prev: str
    hash: str

    @property
    def record(self) -> dict[str, Any]:
        """The body, read.

        Raises:
            VerificationError: It is not what a ledger writes.
        """
        try:
            data = json.loads(self.body)
        except (ValueError, TypeError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise VerificationError(f"entry {self.sequence} has a body that no ledger writes", sequence=self.sequence)
        return data


class Head(NamedTuple):
    """Where the chain ends, and the totals: what makes an append cost the same however long the chain is."""

    sequence: int
    hash: str
    spent: Spend


def linked(sequence: int, prev: str, id: str, kind: str, time: str, body: str) -> Entry:
    """The entry that follows the one whose hash is `prev`."""
    return Entry(sequence, id, kind, time, body, prev, _hash(sequence, id, kind, time, body, prev))


def holds(entry: Entry) -> bool:
    """Whether an entry's hash is that of its columns.

    Raises:
        ValueError: A text in it is no UTF-8.
    """
    return entry.hash == _hash(*entry[:-1])


def _hash(sequence: int, id: str, kind: str, time: str, body: str, prev: str) -> str:
    return sha256_of({"sequence": sequence, "id": id, "kind": kind, "time": time, "body": body, "prev": prev})


def body_of(record: BaseModel | dict[str, Any]) -> str:
    """A body's text.

    Raises:
        LedgerError: It has a NaN, half a character, or no end.
    """
    try:
        return canonical_json(record).decode()
    except (ValueError, TypeError, RecursionError):
        raise LedgerError("what describes the entry cannot be written as JSON") from None
