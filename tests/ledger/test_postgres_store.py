"""The store that keeps ledgers in PostgreSQL: the contract as a role that may only append, and what a server can do."""

import logging
import os
import subprocess
import sys
import threading
import time
import traceback
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from contracts.ledger_store import KEY, LedgerStoreContract, charge, pure
from ledger.databases import APPENDER, database_of

from privkit.errors import LedgerError, MissingExtraError, PrivkitError, VerificationError
from privkit.ledger import postgres_link, postgres_schema
from privkit.ledger.ledger import Ledger
from privkit.ledger.store import System
from privkit.ledger.verifying import verify


class TestPostgresStore(LedgerStoreContract):
    elsewhere = "no ledger of staff"

    @pytest.fixture
    def place(self, databases):
        self.databases = databases
        yield databases.take
        databases.give_back()

    def create(self, place, opening, **options):
        return self.databases.create(place, opening, **options)


@pytest.fixture
def made(databases, database):
    with databases.create(database, pure("1000")) as ledger:
        ledger.answer(ledger.charge(charge(key=KEY, canary="K4NARY")).id, b"K4NARY")
    return database


@pytest.fixture
def empty(postgres):
    """The owner's URL of a database without anything in it."""
    return postgres.url(postgres.database())


# --- the connection, and what is said where there is none


def told(error):
    """All that anybody could get to see of an error."""
    return "".join(traceback.format_exception(error)) + str(error.hint) + repr(error)


SECRET = "s3cret-of-nobody"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": SECRET}, "wrong user or password"),
        ({"user": "nobody_known"}, "wrong user or password|does not know this user"),
        ({"database": "no_such_database"}, "no such database"),
        ({"port": 1}, "no server answers"),
        ({"host": "no-such-host.invalid"}, "no server answers"),
        ({"host": "127.0.0.1:x"}, "cannot be read|no server answers"),
    ],
)
def test_what_is_said_where_there_is_no_connection(made, postgres, monkeypatch, caplog, change, expected):
    user, password = change.get("user", APPENDER), change.get("password", postgres.password)
    monkeypatch.setenv("PGPASSWORD", password)
    where = change.get("host", f"127.0.0.1:{change.get('port', postgres.port)}")
    url = f"postgresql://{user}@{where}/{change.get('database', database_of(made))}"
    caplog.set_level(logging.DEBUG)
    for attempt in (Ledger.open, verify, lambda place: Ledger.create(place, pure())):
        with pytest.raises(LedgerError, match=expected) as caught:
            attempt(url)
        shown = told(caught.value) + caplog.text
        assert password not in shown
        assert "FATAL" not in shown  # the server's own words


def test_no_password_at_all(made, monkeypatch, tmp_path):
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with pytest.raises(LedgerError, match="wrong user or password") as caught:
        Ledger.open(made)
    assert "PGPASSWORD" in caught.value.hint


def test_a_password_file_will_do(made, postgres, monkeypatch, tmp_path):
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pass").write_text(f"127.0.0.1:{postgres.port}:*:{APPENDER}:{postgres.password}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    with Ledger.open(made) as ledger:
        assert ledger.charge(charge()).sequence == 4


@pytest.mark.parametrize("place", [f"postgresql://ana:{SECRET}@db/x", f"postgres://db/x?password={SECRET}"])
def test_a_url_with_a_password_is_refused(place):
    for attempt in (Ledger.open, verify, lambda place: Ledger.create(place, pure())):
        with pytest.raises(LedgerError, match="the ledger's URL") as caught:
            attempt(place)
        assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value!r}"


def test_a_name_shows_host_and_database_and_nothing_behind(made):
    with Ledger.open(f"{made}?application_name=K4NARY&connect_timeout=5") as ledger:
        assert repr(ledger) == f"Ledger('{made} (patients)', dataset='patients')"


def test_without_psycopg(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for attempt in (Ledger.open, verify, lambda place: Ledger.create(place, pure())):
        with pytest.raises(MissingExtraError, match="psycopg") as caught:
            attempt("postgresql://db/ledger")
        assert "[postgres]" in caught.value.hint


# --- several ledgers, formats, tables


def test_one_database_keeps_the_ledgers_of_many_datasets(databases, database):
    with (
        databases.create(database, pure("1", "first")) as first,
        databases.create(database, pure("2", "second")) as two,
    ):
        first.charge(charge("0.5"))
        two.charge(charge("2"))
        assert first.standing().remaining == Decimal("0.5")
    with pytest.raises(LedgerError, match="several datasets: first, second"):
        Ledger.open(database)
    with pytest.raises(LedgerError, match="several"):
        verify(database)
    with pytest.raises(LedgerError, match="no ledger of third"):
        Ledger.open(database, "third")
    assert (verify(database, "first").entries, verify(database, "second").remaining) == (2, 0)


def test_a_ledger_whose_row_is_gone_is_not_made_anew(made, databases):
    with databases.connect(made) as keeper:
        keeper.execute("DELETE FROM ledgers")
    for attempt in (Ledger.open, verify, lambda place: Ledger.create(databases.owners(place), pure())):
        with pytest.raises(VerificationError, match="totals of a ledger are missing"):
            attempt(made)


def test_writers_of_two_datasets_do_not_wait_for_each_other(databases, database):
    databases.create(database, pure("9", "first")).close()

    def charge_the_other(step):
        if step == "after insert":
            with Ledger.open(database, "first", system=System(busy_seconds=1)) as other:
                other.charge(charge("1"))

    with databases.create(database, pure("9", "second")) as _:
        pass
    with Ledger.open(database, "second", system=System(at=charge_the_other)) as ledger:
        ledger.charge(charge("1"))
    assert verify(database, "first").spent == verify(database, "second").spent == 1


def test_a_newer_format(databases, made):
    with databases.connect(made) as keeper:
        keeper.execute("INSERT INTO migrations (number) VALUES (7)")
    try:
        for attempt in (Ledger.open, verify, lambda place: Ledger.create(databases.owners(place), pure(dataset="x"))):
            with pytest.raises(LedgerError, match="format 7") as caught:
                attempt(made)
            assert "newer version" in caught.value.hint
    finally:
        with databases.connect(made) as keeper:
            keeper.execute("DELETE FROM migrations WHERE number = 7")


def test_an_older_format_is_brought_up_to_date_by_whoever_may(empty, postgres, databases, monkeypatch):
    Ledger.create(empty, pure()).close()
    postgres.sql(postgres_schema.ROLES.partition("\n")[2], database_of(empty))
    newer = (*postgres_schema.MIGRATIONS, ("COMMENT ON TABLE privkit.entries IS 'two'", "CREATE TABEL"))
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", newer)
    for user, expected in (APPENDER, "older format 1"), ("keeper", "cannot be used"):
        with pytest.raises(PrivkitError, match=expected):
            Ledger.open(postgres.url(database_of(empty), user))
    assert applied(postgres, empty) == "1"  # all that is due, or nothing
    assert postgres.sql("SELECT obj_description('privkit.entries'::regclass)", database_of(empty)) == ""
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", (*newer[:1], newer[1][:1]))
    Ledger.open(empty, read_only=True).close()
    assert applied(postgres, empty) == "1\n2"
    with Ledger.open(postgres.url(database_of(empty), APPENDER)) as ledger:
        ledger.charge(charge())


def applied(postgres, url):
    return postgres.sql("SELECT number FROM privkit.migrations ORDER BY number", database_of(url))


def test_two_migrators_at_once(empty, postgres):
    errors, gate = [], threading.Barrier(6)

    def create(number):
        gate.wait()
        try:
            Ledger.create(empty, pure(dataset=f"d{number % 3}")).close()
        except LedgerError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied(postgres, empty) == "1"
    assert len(errors) == 3
    assert all("never written over" in error or "nothing was written" in error for error in errors)
    assert [verify(empty, f"d{number}").entries for number in range(3)] == [1, 1, 1]


def test_a_database_without_tables_has_no_ledger_and_gets_none_by_looking(empty, postgres):
    for attempt in (Ledger.open, verify):
        with pytest.raises(LedgerError, match="no ledger") as caught:
            attempt(empty)
        assert "budget create" in caught.value.hint
    assert postgres.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'privkit'", database_of(empty)) == "0"


def test_an_empty_schema_that_the_owner_of_the_database_made(empty, postgres):
    postgres.sql("CREATE ROLE householder LOGIN PASSWORD '" + postgres.password + "'")
    postgres.sql("CREATE SCHEMA privkit AUTHORIZATION householder", database_of(empty))
    with Ledger.create(postgres.url(database_of(empty), "householder"), pure()) as ledger:
        ledger.charge(charge())


def test_a_schema_of_somebody_else(empty, postgres):
    postgres.sql("CREATE SCHEMA privkit", database_of(empty))
    postgres.sql("CREATE TABLE privkit.entries (x text)", database_of(empty))
    with pytest.raises(VerificationError, match="tables"):
        Ledger.create(empty, pure())
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'privkit'", database_of(empty)) == "1"


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER entries_kept ON entries",
        "ALTER TABLE entries DISABLE TRIGGER entries_kept",
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "DROP INDEX entries_by_id",
        "ALTER TABLE entries ADD COLUMN more text",
        "ALTER TABLE entries SET UNLOGGED",
        "ALTER TABLE entries ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE ledgers ALTER COLUMN loss DROP NOT NULL",
        "CREATE TABLE more (x text)",
        "CREATE VIEW more AS SELECT 1 AS x",
        "CREATE RULE forget AS ON UPDATE TO ledgers DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER forget BEFORE UPDATE ON ledgers FOR EACH ROW EXECUTE FUNCTION privkit.only_added()",
    ],
)
def test_changed_tables_are_found(empty, databases, change):
    Ledger.create(empty, pure()).close()
    with databases.connect(empty) as keeper:
        keeper.execute(change)
    for attempt in (Ledger.open, verify):
        with pytest.raises(VerificationError, match="tables"):
            attempt(empty)


# --- who may do what


@pytest.mark.parametrize(
    "change",
    [
        *(f"UPDATE {table} SET id = id" for table in ("entries", "answers")),
        *(f"DELETE FROM {table}" for table in ("entries", "answers", "ledgers", "analysts")),
        *(f"TRUNCATE {table}" for table in ("entries", "answers", "ledgers", "analysts")),
        "UPDATE ledgers SET loss = '0', sequence = sequence + 1",
        "UPDATE ledgers SET sequence = sequence + 2",
        "UPDATE ledgers SET sequence = sequence",
        "UPDATE ledgers SET sequence = sequence - 1",
        "UPDATE ledgers SET dataset = 'other', sequence = sequence + 1",
        "UPDATE analysts SET spent = '0'",
        "UPDATE analysts SET analyst = 'eve'",
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "INSERT INTO ledgers (dataset, sequence, hash, loss, delta) VALUES ('other', 1, 'x', '0', '0')",
    ],
)
def test_the_database_itself_refuses_changes(made, databases, change):
    """Its owner too, who could switch the triggers off first: that is found, and the documentation says so."""
    before = verify(made)
    owner_may = change.startswith(("ALTER", "INSERT"))
    for user in (APPENDER,) if owner_may else (APPENDER, "keeper"):
        url = databases.cluster.url(database_of(made), user)
        with (
            psycopg.connect(url, autocommit=True, options="-c search_path=privkit") as connection,
            pytest.raises(psycopg.DatabaseError, match=r"permission|must be|never|only"),
        ):
            connection.execute(change)
    assert verify(made) == before


def test_the_role_that_may_only_append_makes_no_ledger(database):
    with pytest.raises(LedgerError, match="permission denied") as caught:
        Ledger.create(database, pure())
    assert "budgets are made by the owner" in caught.value.hint


def test_a_role_without_rights_and_one_that_may_only_look(made, postgres):
    postgres.sql("CREATE ROLE looker LOGIN PASSWORD '" + postgres.password + "'")
    url = postgres.url(database_of(made), "looker")
    for attempt in (Ledger.open, verify):
        with pytest.raises(LedgerError, match="permission denied"):
            attempt(url)
    postgres.sql("GRANT USAGE ON SCHEMA privkit TO looker", database_of(made))
    postgres.sql("GRANT SELECT ON ALL TABLES IN SCHEMA privkit TO looker", database_of(made))
    assert verify(url).entries == 3
    with Ledger.open(url) as ledger, pytest.raises(LedgerError, match="permission denied"):
        ledger.charge(charge())
    assert verify(made).entries == 3


# --- servers that a ledger cannot be kept on


def setting(postgres, name, value):
    """Changes a setting of the whole server, and waits until it is in force."""
    postgres.sql(f"ALTER SYSTEM SET {name} = {value}")
    postgres.sql("SELECT pg_reload_conf()")
    for _ in range(100):
        if postgres.sql(f"SHOW {name}") == value:
            return
        time.sleep(0.05)
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_confirmed(made, databases, postgres, name):
    setting(postgres, name, "off")
    try:
        for attempt in (Ledger.open, lambda place: Ledger.create(databases.owners(place), pure(dataset="x"))):
            with pytest.raises(LedgerError, match=f"{name} = off"):
                attempt(made)
    finally:
        setting(postgres, name, "on")
    Ledger.open(made).close()


def test_a_commit_is_down_on_the_disk_whatever_the_role_says(made, databases, postgres):
    """What kill -9 of a client cannot show: each transaction asks for it, also against a default of the role."""
    postgres.sql(f"ALTER ROLE {APPENDER} SET synchronous_commit = off")
    try:
        found = []

        def look(step):
            if step == "before commit":
                found.extend(ledger._store._link.run("SHOW synchronous_commit"))

        with Ledger.open(made, system=System(at=look)) as ledger:
            ledger.charge(charge())
            assert ledger._store._link.run("SHOW synchronous_commit") == [("off",)]
        assert found == [("on",)]
    finally:
        postgres.sql(f"ALTER ROLE {APPENDER} RESET synchronous_commit")


def test_a_read_only_database(made, databases, postgres):
    postgres.sql(f"ALTER DATABASE {database_of(made)} SET default_transaction_read_only = on")
    try:
        with Ledger.open(made) as ledger, pytest.raises(LedgerError, match="read-only"):
            ledger.charge(charge())
        assert verify(made).entries == 3
    finally:
        postgres.sql(f"ALTER DATABASE {database_of(made)} RESET default_transaction_read_only")


def test_a_database_in_another_encoding(postgres):
    postgres.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(LedgerError, match="UTF-8"):
        Ledger.create(postgres.url("latin"), pure())


# --- waiting, and connections that break


def test_a_writer_who_does_not_take_its_turn_makes_the_ledger_busy(made, databases):
    with databases.connect(made) as other, Ledger.open(made, system=System(busy_seconds=0.2)) as ledger:
        before = ledger.standing()
        with other.transaction():
            other.execute("SELECT FROM ledgers FOR UPDATE")
            with pytest.raises(LedgerError, match="busy") as caught:
                ledger.charge(charge())
            assert "Nothing was charged" in caught.value.hint
            assert ledger.standing() == before
            with Ledger.open(made, read_only=True) as viewer:
                assert viewer.standing() == before
        assert ledger.charge(charge()).sequence == before.entries + 1
    assert verify(made).entries == 4


@pytest.fixture
def quick(monkeypatch):
    """Times that a test can wait for."""
    monkeypatch.setattr(postgres_link, "waits", lambda system: postgres_link.Waits(2, 3, 0.4, 4, 1.5))


def test_a_writer_that_stands_still_is_ended_for_the_others_sake(made, quick):
    waited = []

    def stand(step):
        if step == "before commit":
            with Ledger.open(made) as other:
                waited.append(other.charge(charge()).sequence)  # gets its turn when the server has ended this one

    with Ledger.open(made, system=System(at=stand)) as ledger:
        with pytest.raises(LedgerError, match="was not written"):
            ledger.charge(charge())
        assert waited == [4]
        assert ledger.standing().entries == 4


def end_backends(databases, url, ledger=None):
    """What an administrator can do at any time."""
    with databases.connect(url) as keeper:
        keeper.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_broke_between_two_operations_is_opened_again(made, databases):
    with Ledger.open(made) as ledger:
        for look in (
            lambda: ledger.charge(charge()),
            ledger.standing,
            lambda: list(ledger.entries()),
            lambda: ledger.stored(KEY, Decimal(0)),
            ledger.disclosures,
        ):
            end_backends(databases, made)
            look()
        assert ledger.standing().entries == 4


@pytest.mark.parametrize("step", ["before begin", "after insert", "before commit", "after commit"])
def test_a_backend_that_is_ended_at_any_step(made, databases, step):
    def end(at):
        if at == step:
            end_backends(databases, made)

    with Ledger.open(made, system=System(at=end)) as ledger:
        if step in ("before begin", "after commit"):
            assert ledger.charge(charge()).sequence == 4
        else:
            with pytest.raises(LedgerError, match=r"not written|connection broke"):
                ledger.charge(charge())
    assert verify(made).entries == (4 if step in ("before begin", "after commit") else 3)
    with Ledger.open(made) as ledger:
        ledger.charge(charge())


def test_another_ledger_in_the_place_of_the_one_that_was_open(made, databases):
    with Ledger.open(made) as ledger:
        with databases.connect(made) as keeper:
            keeper.execute("DELETE FROM entries; DELETE FROM ledgers; DELETE FROM answers; DELETE FROM analysts")
        databases.create(made, pure("1000")).close()
        end_backends(databases, made)
        with pytest.raises(LedgerError, match="exchanged"):
            ledger.charge(charge())
        with pytest.raises((LedgerError, VerificationError)):
            ledger.charge(charge())
    assert verify(made).entries == 1


FORKED = """
import gc, os, sys
from privkit.ledger.ledger import Ledger
from privkit.errors import LedgerError
ledger = Ledger.open(sys.argv[1])
if not os.fork():
    code = 1
    try:
        ledger.standing()
    except LedgerError as error:
        code = 7 if 'another thread or process' in str(error) else 3
    ledger.close()
    del ledger
    gc.collect()
    sys.exit(code)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
ledger.standing()
ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_cannot_use_its_parents_ledger_and_leaves_it_alone(made):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, made],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=60,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_error_repeats_what_is_stored(made, databases):
    """PostgreSQL quotes the row that it refuses; here it is not repeated."""
    with databases.connect(made) as keeper:
        keeper.execute("UPDATE ledgers SET sequence = 2, hash = (SELECT hash FROM entries WHERE sequence = 2)")
        keeper.execute("UPDATE entries SET kind = 'local' WHERE sequence = 3")
        keeper.execute(
            "INSERT INTO entries SELECT ledger, -1, id, 'released', time, body, prev, hash FROM entries LIMIT 1"
        )
    with Ledger.open(made, read_only=True) as ledger, pytest.raises(VerificationError) as caught:
        ledger.end()
    assert "K4NARY" not in told(caught.value)
