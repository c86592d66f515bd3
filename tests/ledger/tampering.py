"""What somebody does to a ledger who can write all of it and knows SQL: the tables stay as privkit made them.

A ledger in PostgreSQL is edited by a superuser on whose connection no trigger fires, through views that look like
SQLite's tables.
"""

import contextlib
import hashlib
import json
import re
import sqlite3
from decimal import Decimal

from privkit.ledger.entries import GENESIS
from privkit.ledger.sqlite import _SCHEMA

TRIGGERS = [statement for statement in _SCHEMA if statement.startswith("CREATE TRIGGER")]
COLUMNS = ("sequence", "id", "kind", "time", "body", "prev", "hash")


@contextlib.contextmanager
def edited(path):
    """A connection that may change everything."""
    if isinstance(path, InPostgres):
        with path.edited() as editing:
            yield editing
        return
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


_VIEWS = """
ALTER TABLE privkit.entries ALTER ledger SET DEFAULT 1;
ALTER TABLE privkit.answers ALTER ledger SET DEFAULT 1;
ALTER TABLE privkit.analysts ALTER ledger SET DEFAULT 1;
SET search_path = pg_temp, privkit;
CREATE TEMP VIEW entries AS SELECT sequence, id, kind, time, body, prev, hash FROM privkit.entries;
CREATE TEMP VIEW answers AS SELECT number, id, key, delta, loss, answer FROM privkit.answers;
CREATE TEMP VIEW head AS SELECT sequence, hash, loss, delta FROM privkit.ledgers;
CREATE TEMP VIEW analysts AS SELECT analyst, spent, quota, epsilon FROM privkit.analysts
"""
_TABLES = ("ledgers", "entries", "answers", "analysts")


class InPostgres:
    """The one ledger of a database; its place, and what puts it back as it was.

    Args:
        databases: Where the database is from.
        url: The database's, for whom the tests verify as.
    """

    def __init__(self, databases, url):
        self._databases, self._url = databases, url
        with databases.connect(url) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS kept")
            for table in _TABLES:
                connection.execute(f"CREATE TABLE kept.{table} AS TABLE privkit.{table}")

    def __fspath__(self):
        return self._url

    @contextlib.contextmanager
    def edited(self):
        with self._databases.connect(self._url) as connection:
            connection.execute(_VIEWS)
            yield _Edits(connection)

    def restore(self):
        with self._databases.connect(self._url) as connection:
            connection.execute("TRUNCATE privkit.ledgers, privkit.entries, privkit.answers, privkit.analysts")
            for table in _TABLES:
                always = "OVERRIDING SYSTEM VALUE" if table == "ledgers" else ""
                connection.execute(f"INSERT INTO privkit.{table} {always} TABLE kept.{table}")

    def forget(self):
        with self._databases.connect(self._url) as connection:
            connection.execute("DROP SCHEMA kept CASCADE")


class _Edits:
    """A connection that takes what the tests write for SQLite."""

    def __init__(self, connection):
        self._connection = connection

    def execute(self, sql, values=()):
        sql = sql.replace("replace(hex(zeroblob(100000)), '00', '[')", "repeat('[', 100000)")
        sql = re.sub(r"X'([0-9A-F]*)'", r"'\\x\1'::bytea", sql)
        return self._connection.execute(sql.replace("?", "%s") if values else sql, values or None)


class _Sums:
    def __init__(self):
        self.loss = self.delta = Decimal(0)
        self.by_analyst = {}

    def add(self, record):
        self.loss += Decimal(record["loss"])
        self.delta += Decimal(record["delta"])
        self.by_analyst[record["analyst"]] = self.by_analyst.get(record["analyst"], 0) + Decimal(record["loss"])
        return self.loss, self.delta
