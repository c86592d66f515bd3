"""PostgreSQL's own faults: a server that stops, a connection cut in mid-commit, a disk that takes no more."""

import os
import subprocess
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from contracts.ledger_store import KEY, charge, pure
from ledger.databases import database_of
from ledger.proxy import Proxy

from privkit.errors import LedgerError
from privkit.ledger import postgres, postgres_link
from privkit.ledger.ledger import Ledger
from privkit.ledger.store import System
from privkit.ledger.verifying import verify

STEPS = ["before begin", "after insert", "before commit", "after commit"]


@pytest.fixture
def quick(monkeypatch):
    """Times that a test can wait for."""
    monkeypatch.setattr(postgres_link, "waits", lambda system: postgres_link.Waits(2, 0.5, 1, 1.0, 2))


@pytest.fixture
def made(databases, database):
    databases.create(database, pure("1000")).close()
    return database


@pytest.fixture
def proxy(postgres):
    between = Proxy(postgres.port)
    yield between
    between.close()


def through(proxy, url):
    """The same database, by way of the proxy."""
    scheme, _, rest = url.partition("://")
    user, _, _ = rest.partition("@")
    return f"{scheme}://{user}@127.0.0.1:{proxy.port}/{database_of(url)}"


# --- a commit whose answer does not come


def what_was_told(proxy, url, harm):
    """Charges and answers by way of the proxy, which does harm to each commit; what is told must be what is so."""
    with Ledger.open(through(proxy, url)) as ledger:
        for act in (lambda: ledger.charge(charge(key=KEY)), lambda: ledger.answer(pending(url), b"x")):
            before, proxy.harm, receipt = verify(url).entries, harm, None
            told = ""
            try:
                receipt = act()
            except LedgerError as error:
                told = f"{error} {error.hint}"
            assert receipt is not None or ("was not written" in told and "Nothing was charged" in told)
            after = verify(url)
            assert after.entries == before + (receipt is not None)
            if receipt is not None:
                assert (receipt.sequence, receipt.head) == (after.entries, after.head)
            assert receipt is not None or harm == "keep"
            proxy.harm = None
            if receipt is None:
                act()  # and the same ledger goes on
                assert verify(url).entries == before + 1
    return proxy.done


def pending(url):
    with Ledger.open(url, read_only=True) as ledger:
        return [entry.id for entry in ledger.entries() if entry.kind == "charged"][-1]


@pytest.mark.parametrize("harm", ["keep", "lose"])
def test_a_connection_cut_in_mid_commit(made, proxy, harm):
    for _ in range(5):
        what_was_told(proxy, made, harm)
    assert proxy.done == 10
    assert verify(made).answers == 5


@pytest.mark.parametrize("harm", ["keep", "lose"])
def test_guessing_is_caught(made, proxy, harm, monkeypatch):
    """The control: a store that takes it for done, or for not done, is wrong where it guesses wrong."""

    def guess(link, turn, dataset, wanted):
        link.connect()
        if harm == "lose":
            raise LedgerError("the entry was not written", hint="Nothing was charged.")

    monkeypatch.setattr(postgres, "_find_out", guess)
    with pytest.raises(AssertionError):
        what_was_told(proxy, made, harm)


def test_a_ledger_that_is_made_while_the_connection_is_cut(postgres, proxy):
    for number, (harm, expected) in enumerate([("keep", 0), ("lose", 1)]):
        url = postgres.url(postgres.database())
        Ledger.create(url, pure(dataset="first")).close()
        proxy.harm = harm
        if expected:
            with Ledger.create(through(proxy, url), pure()) as ledger:
                ledger.charge(charge())
            assert verify(url, "patients").entries == 2
        else:
            with pytest.raises(LedgerError, match="was not written"):
                Ledger.create(through(proxy, url), pure())
            with pytest.raises(LedgerError, match="no ledger of patients"):
                verify(url, "patients")
        assert proxy.done == number + 1


@pytest.mark.parametrize("harm", ["keep", "lose"])
def test_what_cannot_be_found_out_is_said(made, proxy, quick, harm):
    proxy.closed = True
    with Ledger.open(through(proxy, made)) as ledger:
        proxy.harm = harm
        with pytest.raises(LedgerError, match="cannot be asked whether it was") as caught:
            ledger.charge(charge())
        assert "privkit budget history" in caught.value.hint
        entries = verify(made).entries
        assert entries == (1 if harm == "keep" else 2)
        if harm == "lose":
            assert pending(made) in str(caught.value)  # by its name it is found
        with pytest.raises(LedgerError, match="no server answers"):
            ledger.charge(charge())  # nothing is tried again by itself
    assert verify(made).entries == entries


def test_a_commit_that_never_arrives_and_a_server_that_does_not_answer(made, proxy, quick):
    """Neither side sees the connection break: this one gives up, and the server ends the writer that stands still."""
    with Ledger.open(through(proxy, made)) as ledger:
        proxy.harm = "hold"
        with pytest.raises(LedgerError, match="was not written"):
            ledger.charge(charge())
        assert ledger.charge(charge()).sequence == 2
    assert verify(made).spent == Decimal("0.1")


# --- a server that stops


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["charge", "answer"])
def test_a_server_that_is_stopped_at_any_step(made, postgres, step, kind):
    armed = []

    def stop(at):
        if armed and at == step:
            armed.clear()
            postgres.stop("immediate")
            postgres.start()

    with Ledger.open(made, system=System(at=stop)) as ledger:
        receipt = ledger.charge(charge(key=KEY))
        act = (lambda: ledger.charge(charge())) if kind == "charge" else (lambda: ledger.answer(receipt.id, b"x"))
        armed.append(True)
        done = step in ("before begin", "after commit")
        if done:
            assert act().sequence == 3
        else:
            with pytest.raises(LedgerError, match=r"not written|connection broke"):
                act()
        assert not armed
        assert verify(made).entries == (3 if done else 2)
        if not done:
            assert act().sequence == 3
    assert verify(made).answers == (kind == "answer")


# --- a disk that takes no more


@contextmanager
def small_disk(postgres, megabytes):
    """A folder on a filesystem of its own."""
    folder = Path(tempfile.mkdtemp(prefix="privkit-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("needs the right to mount a small filesystem")
    try:
        place = folder / "space"
        place.mkdir(mode=0o700)
        if "user" in postgres._as:
            os.chown(place, postgres._as["user"], postgres._as["group"])
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small filesystem")
def test_a_disk_that_takes_no_more(made, postgres):
    with small_disk(postgres, 3) as place:
        postgres.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        for table in ("entries", "answers"):
            postgres.sql(f"ALTER TABLE privkit.{table} SET TABLESPACE small", database_of(made))
        postgres.sql("ALTER INDEX privkit.entries_pkey SET TABLESPACE small", database_of(made))
        try:
            with Ledger.open(made) as ledger:
                receipts = []
                with pytest.raises(LedgerError, match="cannot grow") as caught:
                    receipts.extend(ledger.charge(charge(text=os.urandom(20_000).hex())) for _ in range(1000))
                assert "Nothing was charged" in caught.value.hint
                assert len(receipts) > 5
                standing = ledger.standing()
                assert (standing.spent, standing.head) == (receipts[-1].spent_after.loss, receipts[-1].head)
                with pytest.raises(LedgerError, match="cannot grow"):
                    ledger.answer(receipts[-1].id, os.urandom(1 << 20))
                assert ledger.standing() == standing
                assert verify(made).head == standing.head
                for table in ("entries", "answers"):  # there is room again
                    postgres.sql(f"ALTER TABLE privkit.{table} SET TABLESPACE pg_default", database_of(made))
                ledger.answer(receipts[-1].id, os.urandom(1 << 20))
            assert verify(made).answers == 1
        finally:
            for table in ("entries", "answers"):
                postgres.sql(f"ALTER TABLE privkit.{table} SET TABLESPACE pg_default", database_of(made))
            postgres.sql("ALTER INDEX privkit.entries_pkey SET TABLESPACE pg_default", database_of(made))
            postgres.sql("CHECKPOINT")
            postgres.sql("DROP TABLESPACE small")
