"""What somebody does to a ledger who can write its file and knows SQLite: the tables stay as privkit made them."""

import contextlib
import hashlib
import json
import sqlite3
from decimal import Decimal

from privkit.ledger.entries import GENESIS
from privkit.ledger.sqlite import _SCHEMA

TRIGGERS = [statement for statement in _SCHEMA if statement.startswith("CREATE TRIGGER")]
COLUMNS = ("sequence", "id", "kind", "time", "body", "prev", "hash")


@contextlib.contextmanager
def edited(path):
    """A connection that may change everything."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in TRIGGERS:
            connection.execute(f"DROP TRIGGER {statement.split()[2]}")
        yield connection
        for statement in TRIGGERS:
            connection.execute(statement)
    finally:
        connection.close()


def run(path, *statements):
    with edited(path) as connection:
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))


def recompute(connection, *, sums=True):
    """Chain and totals made anew, so that all of it fits together again; or the chain alone."""
    prev, number, loss, delta = GENESIS, 0, 0, 0
    losses = _Sums()
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM entries ORDER BY sequence").fetchall()
    connection.execute("DELETE FROM entries")
    for number, (_, id, kind, time, body, _, _) in enumerate(rows, 1):
        content = {"sequence": number, "id": id, "kind": kind, "time": time, "body": body, "prev": prev}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        hash = hashlib.sha256(text.encode()).hexdigest()
        row = (number, id, kind, time, body, prev, hash)
        connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        prev = hash
        if kind == "charged" and sums:
            record = json.loads(body)
            loss, delta = losses.add(record)
            connection.execute(
                "UPDATE answers SET loss = ?, delta = ?, key = ? WHERE id = ?",
                (record["loss"], record["delta"], record["key"], id),
            )
    if not sums:
        loss, delta = connection.execute("SELECT loss, delta FROM head").fetchone()
    head = (number, prev, str(loss), str(delta))
    connection.execute("UPDATE head SET sequence = ?, hash = ?, loss = ?, delta = ?", head)
    for analyst, spent in losses.by_analyst.items():
        connection.execute("UPDATE analysts SET spent = ? WHERE analyst = ?", (str(spent), analyst))


class _Sums:
    def __init__(self):
        self.loss = self.delta = Decimal(0)
        self.by_analyst = {}

    def add(self, record):
        self.loss += Decimal(record["loss"])
        self.delta += Decimal(record["delta"])
        self.by_analyst[record["analyst"]] = self.by_analyst.get(record["analyst"], 0) + Decimal(record["loss"])
        return self.loss, self.delta
