"""The store that keeps a ledger in an SQLite file: the contract, and all that can be wrong with files."""

import itertools
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from contracts.ledger_store import KEY, LedgerStoreContract, charge, pure

from privkit.errors import BudgetRefusedError, LedgerError, PrivkitError, VerificationError
from privkit.ledger.ledger import Ledger
from privkit.ledger.sqlite import _SCHEMA
from privkit.ledger.store import System
from privkit.ledger.verifying import verify


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def made(path):
    with Ledger.create(path, pure("1000")) as ledger:
        ledger.answer(ledger.charge(charge(key=KEY, canary="K4NARY")).id, b"K4NARY")
    return path


class TestSqliteStore(LedgerStoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        numbers = itertools.count()
        return lambda: tmp_path / f"ledger {next(numbers)} %?#é.sqlite3"


@pytest.mark.parametrize("umask", [0, 0o277])
def test_nobody_else_can_read_its_files(path, umask):
    before = os.umask(umask)
    try:
        with Ledger.create(path, pure()) as ledger:
            ledger.charge(charge())
            files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert files == {f"ledger.sqlite3{side}": 0o600 for side in ("", "-wal", "-shm", ".lock")}


def test_the_lock_is_for_whoever_may_write_the_ledger(path):
    with Ledger.create(path, pure()) as ledger:
        path.chmod(0o660)
        ledger.charge(charge())
    assert stat.S_IMODE(path.with_name("ledger.sqlite3.lock").stat().st_mode) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_root_does_to_anothers_ledger_does_not_lock_its_owner_out(made):
    made.with_name(made.name + ".lock").unlink()
    os.chown(made, 65534, 65534)
    with Ledger.open(made) as ledger:
        ledger.charge(charge())
        assert {file.stat().st_uid for file in made.parent.iterdir()} == {65534}


def test_a_commit_is_down_on_the_disk(made):
    """What kill -9 cannot show: SQLite is told to sync its log with each commit, as a loss of power needs it."""
    with Ledger.open(made) as ledger:
        for pragma, expected in [("synchronous", 2), ("journal_mode", "wal"), ("fullfsync", 1)]:
            assert ledger._store._run(f"PRAGMA {pragma}") == [(expected,)]


def test_the_log_of_another_ledger_does_not_get_into_a_new_one(made):
    log = made.with_name(made.name + "-wal")
    with Ledger.open(made) as ledger:
        ledger.charge(charge())
        content = log.read_bytes()
    made.unlink()
    log.write_bytes(content)  # as a killed writer leaves it
    with pytest.raises(LedgerError, match="left of another ledger"):
        Ledger.create(made, pure())
    assert log.read_bytes() == content
    log.write_bytes(b"")  # as a viewer leaves it
    with Ledger.create(made, pure()) as ledger:
        assert ledger.charge(charge()).sequence == 2
    assert verify(made).entries == 2


def test_a_path_with_dots_and_links_leads_where_the_system_says(made, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    where = f"{tmp_path}/link/../ledger"
    Ledger.create(where, pure()).close()
    assert (tmp_path / "a" / "ledger").exists()
    with Ledger.open(where) as ledger:
        ledger.charge(charge())
    assert verify(tmp_path / "a" / "ledger").entries == 2
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["b", "ledger", "ledger.lock"]


def test_nothing_is_left_beside_a_ledger_but_its_lock(made):
    with Ledger.open(made, read_only=True) as viewer:
        viewer.standing()
    verify(made)
    assert sorted(file.name for file in made.parent.iterdir()) == ["ledger.sqlite3", "ledger.sqlite3.lock"]


def test_a_missing_ledger_is_not_made_by_looking(path):
    for attempt in (Ledger.open, verify, lambda place: Ledger.open(place, read_only=True)):
        with pytest.raises(LedgerError, match="no ledger") as caught:
            attempt(path)
        assert "budget create" in caught.value.hint
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 5000, b"hello K4NARY", b"SQLite format 3\x00" + b"K4NARY" * 2000, b"x" * 100_000]
)
def test_files_that_are_no_ledgers(path, content):
    path.write_bytes(content)
    for attempt in (Ledger.open, verify):
        with pytest.raises(PrivkitError, match=r"not a privkit ledger|damaged") as caught:
            attempt(path)
        assert "K4NARY" not in str(caught.value)
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_another_programs_database_is_refused_and_left_as_it_is(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE entries (sequence)")
    connection.close()
    before = path.read_bytes()
    for attempt in (Ledger.open, verify):
        with pytest.raises(LedgerError, match="not a privkit ledger"):
            attempt(path)
    assert path.read_bytes() == before


def test_a_newer_format(made):
    edit(made, "PRAGMA user_version = 2")
    for attempt in (Ledger.open, verify):
        with pytest.raises(LedgerError, match="format 2") as caught:
            attempt(made)
        assert "newer version" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER entries_update",
        "DROP INDEX entries_by_id",
        "CREATE TRIGGER forget AFTER UPDATE ON head BEGIN UPDATE head SET loss = '0'; END",
        "CREATE TABLE more (x)",
        "CREATE VIEW more AS SELECT 1",
    ],
)
def test_changed_tables_are_found(made, change):
    edit(made, change)
    for attempt in (Ledger.open, verify):
        with pytest.raises(VerificationError, match="tables"):
            attempt(made)


@pytest.mark.parametrize("table", ["entries", "answers"])
def test_the_database_itself_refuses_changes(made, table):
    for change in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            edit(made, change)


def test_folders_pipes_sockets_and_devices(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's name is short
        made.bind("socket")
        os.chdir(here)
    for place, told in [
        (tmp_path, "a folder"),
        (tmp_path / "pipe", "regular"),
        (tmp_path / "socket", "regular"),
        (Path(os.devnull), "regular"),
    ]:
        with pytest.raises(LedgerError, match=told):
            Ledger.open(place)
        with pytest.raises(LedgerError, match="exists"):
            Ledger.create(place, pure())
    with pytest.raises(LedgerError, match="no folder"):
        Ledger.create(tmp_path / "no" / "ledger", pure())
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(tmp_path / "no" / "ledger")
    with pytest.raises(LedgerError):
        Ledger.open(tmp_path / ("x" * 300))
    with pytest.raises(LedgerError):
        Ledger.create(tmp_path / ("x" * 300), pure())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pipe", "socket"]


@pytest.mark.parametrize("place", ["mysql://db/ledger", "https://x/ledger", "", "a\0b"])
def test_places_that_are_no_paths(place):
    with pytest.raises(LedgerError, match="path of its file"):
        Ledger.open(place)


def test_a_link_leads_to_the_same_ledger_and_the_same_lock(made, tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "link"
    link.symlink_to(made)
    with Ledger.open(made) as first, Ledger.open(link) as second:
        first.charge(charge())
        second.charge(charge())
        assert first.standing() == second.standing()
    assert verify(link).spent == verify(made).spent
    assert [file.name for file in link.parent.iterdir()] == ["link"]
    with pytest.raises(LedgerError, match="exists"):
        Ledger.create(link, pure())
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(LedgerError, match="exists"):
        Ledger.create(link, pure())
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(link)
    assert not (tmp_path / "nowhere").exists()
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(LedgerError):
        Ledger.open(link)


def test_a_relative_path_stays_what_it_was(made, monkeypatch, tmp_path):
    monkeypatch.chdir(made.parent)
    with Ledger.open(made.name) as ledger:
        (tmp_path / "folder").mkdir()
        monkeypatch.chdir(tmp_path / "folder")
        ledger.charge(charge())
    assert list((tmp_path / "folder").iterdir()) == []


def remove(path, link):
    path.unlink()


def move(path, link):
    path.rename(path.with_name("elsewhere"))


def exchange(path, link):
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def remove_the_log(path, link):
    path.with_name(path.name + "-wal").unlink()


def remove_the_index(path, link):
    path.with_name(path.name + "-shm").unlink()


def turn_the_link(path, link):
    shutil.copy(path, path.with_name("copy"))
    link.unlink()
    link.symlink_to(path.with_name("copy"))


@pytest.mark.parametrize("harm", [remove, move, exchange, remove_the_log, remove_the_index, turn_the_link])
@pytest.mark.parametrize("when", ["between", "before commit"])
def test_a_file_exchanged_while_open_takes_no_charges(made, harm, when):
    """Between two charges, and in the middle of one: whoever asked must not think that the charge is booked."""
    link = made.with_name("link")
    link.symlink_to(made)
    steps = []

    def at(step):
        steps.append(step)
        if step == when and steps.count(step) == 2:
            harm(made, link)

    with Ledger.open(link, system=System(at=at)) as ledger:
        ledger.charge(charge())
        if when == "between":
            harm(made, link)
        with pytest.raises(LedgerError, match="moved, removed or exchanged"):
            ledger.charge(charge())
        assert steps.count("after commit") == 1
        assert steps.count("after insert") == (1 if when == "between" else 2)
        with pytest.raises(LedgerError, match="moved, removed or exchanged"):
            ledger.charge(charge())


def test_a_viewer_notices_an_exchanged_file(made):
    with Ledger.open(made, read_only=True) as viewer:
        exchange(made, None)
        with pytest.raises(LedgerError, match="exchanged"):
            viewer.standing()


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:50 / {nfs} rw,relatime shared:7 master:3 - nfs4 server:/export rw,vers=4.2
31 30 8:2 / {nfs}/disk rw - ext4 /dev/sdb1 rw
32 22 0:51 / {share} rw - cifs //server/share rw
33 22 0:52 / {fuse} rw - fuse.sshfs ana@server: rw
34 22 0:53 / {hidden} rw - nfs server:/old rw
35 22 0:54 / {hidden} rw - xfs /dev/sdc1 rw
36 22 0:55 / {other} rw - fuse.gocryptfs /x rw
not a line
37 22 0:56 / {nfs}x rw -
"""


def test_network_filesystems_are_refused(tmp_path):
    names = ("nfs", "share", "fuse", "hidden", "other", "my docs")
    folders = {name: tmp_path / name for name in names}
    for folder in folders.values():
        folder.mkdir()
    (folders["nfs"] / "disk").mkdir()
    (tmp_path / "nfsx").mkdir()
    mounts = tmp_path / "mountinfo"
    spaced = str(folders["my docs"]).replace(" ", "\\040")
    mounts.write_text(MOUNTS.format(**folders) + f"38 22 0:57 / {spaced} rw - lustre x rw\n")
    system = System(mounts=mounts)
    for folder, kind in [("nfs", "nfs4"), ("share", "cifs"), ("fuse", "fuse.sshfs"), ("my docs", "lustre")]:
        place = folders[folder] / "ledger"
        with pytest.raises(LedgerError, match="network filesystem") as caught:
            Ledger.create(place, pure(), system=system)
        assert kind in str(caught.value)
        assert not place.exists()
        Ledger.create(place, pure()).close()  # this machine's own disk, in truth
        for attempt in (Ledger.open, verify):
            with pytest.raises(LedgerError, match="network filesystem"):
                attempt(place, system=system)
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(place)
        with pytest.raises(LedgerError, match="network filesystem"):
            Ledger.open(tmp_path / "link", system=system)
    for folder in (folders["nfs"] / "disk", folders["hidden"], folders["other"], tmp_path / "nfsx", tmp_path):
        Ledger.create(folder / "ledger", pure(), system=system).close()
    Ledger.create(tmp_path / "unknown", pure(), system=System(mounts=tmp_path / "no such file")).close()


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "afs", "lustre", "gpfs", "ceph"])
def test_kinds_of_network_filesystems(tmp_path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - {kind} server:/ rw\n")
    with pytest.raises(LedgerError, match="network filesystem"):
        Ledger.create(tmp_path / "ledger", pure(), system=System(mounts=mounts))


def test_a_writer_who_does_not_take_its_turn_makes_the_ledger_busy(made):
    other = sqlite3.connect(made, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with Ledger.open(made, system=System(busy_seconds=0.05)) as ledger:
            before = ledger.standing()
            with pytest.raises(LedgerError, match="busy") as caught:
                ledger.charge(charge())
            assert "Nothing was charged" in caught.value.hint
            assert ledger.standing() == before
            with Ledger.open(made, read_only=True) as viewer:
                assert viewer.standing() == before
            other.execute("ROLLBACK")
            assert ledger.charge(charge()).sequence == before.entries + 1
    finally:
        other.close()
    assert verify(made).entries == 4


def test_a_full_disk(made):
    pages = made.stat().st_size // 4096 + 4
    with Ledger.open(made, system=System(max_pages=pages)) as ledger:
        receipts = []
        with pytest.raises(LedgerError, match="full"):
            receipts.extend(ledger.charge(charge(text="x" * 1000)) for _ in range(100))
        assert receipts
        standing = ledger.standing()
        assert standing.spent == receipts[-1].spent_after.loss
        with pytest.raises(LedgerError, match="full"):
            ledger.answer(receipts[-1].id, b"x" * 100_000)
        assert ledger.standing() == standing
    assert verify(made).head == standing.head
    with Ledger.open(made) as ledger:  # there is room again
        ledger.answer(receipts[-1].id, b"x" * 100_000)
    assert verify(made).answers == 2


def test_a_quota_refusal_or_a_refusal_needs_no_room(made):
    with Ledger.open(made, system=System(max_pages=1)) as ledger, pytest.raises(BudgetRefusedError):
        ledger.charge(charge("100000"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_cannot_use_its_parents_ledger(made, tmp_path):
    script = (
        "import os, sys\n"
        "from privkit.ledger.ledger import Ledger\n"
        "from privkit.errors import LedgerError\n"
        "ledger = Ledger.open(sys.argv[1])\n"
        "if not os.fork():\n"
        "    try:\n"
        "        ledger.standing()\n"
        "    except LedgerError as error:\n"
        "        os._exit(7 if 'another thread or process' in str(error) else 1)\n"
        "    finally:\n"
        "        ledger.close()\n"
        "    os._exit(2)\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 7\n"
        "ledger.standing()\n"
    )
    assert run(script, made).returncode == 0


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=60,
        text=True,
    )


AS_NOBODY = """
import os, sys
from decimal import Decimal
from privkit.errors import LedgerError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Limit, Opening
from privkit.ledger.verifying import verify
from pathlib import Path
folder = Path(sys.argv[1])
verify(folder / "readonly")  # loads what Python loads late, for its own folder may be closed to nobody
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
closed, ledger = folder / "closed", folder / "closed" / "ledger"
def refused(work):
    try:
        work()
    except LedgerError as error:
        return str(error)
    raise AssertionError("not refused")
limit = Limit(measure="pure", epsilon=1, delta=0, loss=1)
told = [
    refused(lambda: Ledger.create(closed / "new", Opening(dataset="d", unit="row", limit=limit))),
    refused(lambda: Ledger.open(folder / "secret")),
    refused(lambda: verify(folder / "secret")),
    refused(lambda: Ledger.open(ledger)),
    refused(lambda: Ledger.open(folder / "readonly")),
]
assert all("closed" in text or "denied" in text for text in told), told
with Ledger.open(ledger, read_only=True) as viewer:  # a closed folder, and no writer near: it can be looked at
    assert viewer.standing().spent == Decimal("0.1")
assert verify(ledger).entries == 3
assert verify(folder / "readonly").entries == 3
print(sorted(p.name for p in closed.iterdir()))
"""


def test_closed_folders_and_files():
    folder = Path(tempfile.mkdtemp(prefix="privkit-ledger-"))
    nobody = 65534 if os.geteuid() == 0 else os.geteuid()
    try:
        (folder / "closed").mkdir()
        with Ledger.create(folder / "closed" / "ledger", pure()) as ledger:
            ledger.answer(ledger.charge(charge()).id, b"x")
        for name, mode in [("secret", 0o000), ("readonly", 0o400)]:
            shutil.copy(folder / "closed" / "ledger", folder / name)
            (folder / name).chmod(mode)
        if os.geteuid() == 0:
            for file in (folder, *folder.rglob("*")):
                os.chown(file, nobody, nobody)
        (folder / "closed").chmod(0o500)
        done = run(AS_NOBODY, folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["['ledger',", "'ledger.lock']"]
    finally:
        (folder / "closed").chmod(0o700)
        shutil.rmtree(folder)


def test_no_error_repeats_what_is_stored(made):
    """SQLite quotes text that is not UTF-8; here it is read as it stands, and found by its hash."""
    edit(made, "UPDATE entries SET body = CAST(X'4B344E415259FF' AS TEXT) WHERE sequence = 2")
    with pytest.raises(VerificationError) as caught:
        verify(made)
    assert caught.value.sequence == 2
    assert "K4NARY" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def edit(path, change):
    """A change made by somebody who knows SQLite, the triggers put back as they were."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = [statement for statement in _SCHEMA if statement.startswith("CREATE TRIGGER")]
    try:
        if change.startswith("UPDATE") and "CAST" in change:
            for name in ("entries_update", "entries_delete", "answers_update", "answers_delete"):
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(change)
            for statement in triggers:
                connection.execute(statement)
        else:
            connection.execute(change)
    finally:
        connection.close()
