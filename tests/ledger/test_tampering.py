"""What `verify` finds, and what it cannot find."""

import json
import shutil
import sqlite3
from decimal import Decimal

import pytest
from contracts.ledger_store import KEY, OTHER_KEY, charge, zcdp
from ledger.tampering import COLUMNS, TRIGGERS, InPostgres, edited, recompute, run

from privkit.errors import LedgerError, PrivkitError, VerificationError
from privkit.ledger.entries import linked
from privkit.ledger.ledger import Ledger
from privkit.ledger.verifying import verify

KINDS = ["opened", "granted", "charged", "released", "charged", "failed", "local", "charged", "released", "charged"]


def fill(ledger):
    with ledger:
        ledger.grant("ana", Decimal("0.5"), "2", "the board")
        ledger.answer(ledger.charge(charge("0.1", key=KEY, query="one")).id, b"the first answer")
        ledger.fail(ledger.charge(charge("0.2", "ben", delta="1e-8")).id, "the engine is gone")
        ledger.note("local", {"epsilon": "2"})
        ledger.answer(ledger.charge(charge("0.05", key=OTHER_KEY)).id, b"another answer")
        ledger.charge(charge("0.01", "ben"))
        assert [entry.kind for entry in ledger.entries()] == KINDS


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite3"
    fill(Ledger.create(path, zcdp("1", "1e-7")))
    return path


@pytest.fixture(scope="module")
def whole_in_postgres(databases):
    url = databases.take()
    fill(databases.create(url, zcdp("1", "1e-7")))
    kept = InPostgres(databases, url)
    yield kept
    kept.forget()
    databases.give_back()


@pytest.fixture
def file(whole, tmp_path):
    """In SQLite."""
    return shutil.copy(whole, tmp_path / "ledger.sqlite3")


@pytest.fixture(params=["sqlite", "postgres"])
def path(request):
    """In a store of each kind, as it was filled."""
    if request.param == "sqlite":
        return request.getfixturevalue("file")
    kept = request.getfixturevalue("whole_in_postgres")
    kept.restore()
    return kept


def test_the_whole_one_holds(path):
    verified = verify(path)
    assert (verified.entries, verified.answers, verified.unanswered) == (10, 2, 1)
    assert (verified.spent, verified.spent_delta) == (Decimal("0.36"), Decimal("1e-8"))


def test_the_way_of_editing_alone_is_not_what_is_found(path):
    run(path)
    verify(path)
    with edited(path) as connection:
        recompute(connection)
    verify(path)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sequence", range(1, 11))
def test_every_flipped_column_of_every_entry(path, column, sequence):
    with edited(path) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM entries WHERE sequence = ?", (sequence,)).fetchone()
        for changed in (999, -5) if column == "sequence" else flips(value):
            if isinstance(changed, bytes) and isinstance(path, InPostgres):
                continue  # its columns take no bytes for a text
            connection.execute(f"UPDATE entries SET {column} = ? WHERE sequence = ?", (changed, sequence))
            restored = changed if column == "sequence" else sequence
            found = caught(path, connection)
            # An entry that comes too early is itself the first that is wrong.
            assert found == (min(sequence, changed) if column == "sequence" else sequence)
            connection.execute(f"UPDATE entries SET {column} = ? WHERE sequence = ?", (value, restored))
    verify(path)


def flips(text):
    middle = len(text) // 2
    yield text[:middle] + ("0" if text[middle] != "0" else "1") + text[middle + 1 :]
    yield text + " "
    yield text[:-1]
    yield text.encode()  # the same bytes, as a blob
    yield ""


def caught(path, connection):
    """Verifies a copy with the triggers put back."""
    if isinstance(path, InPostgres):
        return told(path)  # they are in their place, and only did not fire
    copy = path.with_name("copy")
    copy.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(copy),))
    other = sqlite3.connect(copy, isolation_level=None)
    other.execute("PRAGMA application_id = " + str(connection.execute("PRAGMA application_id").fetchone()[0]))
    for statement in TRIGGERS:
        other.execute(statement)
    other.close()
    return told(copy)


def told(path):
    """The sequence that is blamed."""
    with pytest.raises(VerificationError) as error:
        verify(path)
    return error.value.sequence


@pytest.mark.parametrize("sequence", range(1, 11))
def test_a_deleted_entry(path, sequence):
    run(path, f"DELETE FROM entries WHERE sequence = {sequence}")
    assert told(path) == sequence


@pytest.mark.parametrize("sequence", range(1, 11))
def test_a_deleted_entry_with_the_later_ones_moved_up(path, sequence):
    run(
        path,
        f"DELETE FROM entries WHERE sequence = {sequence}",
        f"UPDATE entries SET sequence = -sequence WHERE sequence > {sequence}",
        "UPDATE entries SET sequence = -sequence - 1 WHERE sequence < 0",
    )
    assert told(path) == sequence


def test_all_entries_deleted(path):
    run(path, "DELETE FROM entries")
    assert told(path) == 1
    with pytest.raises(VerificationError):
        Ledger.open(path)


@pytest.mark.parametrize("sequence", range(1, 11))
def test_an_entry_changed_with_its_own_hash_made_anew(path, sequence):
    with edited(path) as connection:
        row = connection.execute("SELECT * FROM entries WHERE sequence = ?", (sequence,)).fetchone()
        changed = linked(sequence, row[5], row[1], row[2], "2020-01-01T00:00:00.000Z", row[4])
        connection.execute("DELETE FROM entries WHERE sequence = ?", (sequence,))
        connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", changed)
    assert told(path) == (sequence + 1 if sequence < 10 else None)  # the next one does not follow it, or the stored end


@pytest.mark.parametrize("index", ["answers_by_key", "sqlite_autoindex_answers_1", "entries_by_id"])
def test_an_index_that_leads_elsewhere(file, index):
    """Answers are looked up by it: one that leads to no row, or to another, would make somebody pay again."""
    connection = sqlite3.connect(file)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[page * size - 10] ^= 1  # in the last key of the page
    file.write_bytes(content)
    with pytest.raises(VerificationError, match="damaged"):
        verify(file)


@pytest.mark.parametrize("first", range(1, 10))
def test_two_entries_exchanged(path, first):
    exchange = [
        f"UPDATE entries SET sequence = -1 WHERE sequence = {first}",
        f"UPDATE entries SET sequence = {first} WHERE sequence = {first + 1}",
        f"UPDATE entries SET sequence = {first + 1} WHERE sequence = -1",
    ]
    run(path, *exchange)
    assert told(path) == first


@pytest.mark.parametrize("kind", ["charged", "granted", "released", "failed", "local", "opened", "other"])
@pytest.mark.parametrize("place", [0, 4, 11])
def test_an_inserted_entry(path, kind, place):
    with edited(path) as connection:
        for sequence in range(10, place - 1, -1):
            connection.execute("UPDATE entries SET sequence = sequence + 1 WHERE sequence = ?", (sequence,))
        body = connection.execute("SELECT body FROM entries WHERE kind = 'charged'").fetchone()[0]
        row = (place, "f" * 32, kind, "2026-01-01T00:00:00.000Z", body, "0" * 64, "f" * 64)
        connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    assert told(path) == place


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE head SET loss = '0.35'",
        "UPDATE head SET loss = '0'",
        "UPDATE head SET delta = '0'",
        "UPDATE head SET loss = 'NaN'",
        "UPDATE head SET loss = '-1'",
        "UPDATE head SET loss = 'much'",
        "UPDATE head SET hash = replace(hash, substr(hash, 1, 1), 'x')",
        "UPDATE head SET sequence = 9",
        "DELETE FROM head",
        "UPDATE analysts SET spent = '0' WHERE analyst = 'ben'",
        "UPDATE analysts SET spent = 'x' WHERE analyst = 'ben'",
        "UPDATE analysts SET quota = '5' WHERE analyst = 'ana'",
        "UPDATE analysts SET quota = NULL WHERE analyst = 'ana'",
        "UPDATE analysts SET epsilon = '3' WHERE analyst = 'ana'",
        "UPDATE analysts SET analyst = 'eve' WHERE analyst = 'ana'",
        "DELETE FROM analysts",
        "INSERT INTO analysts VALUES ('eve', '0', '5', '5')",
    ],
)
def test_changed_totals(path, change):
    run(path, change)
    with pytest.raises(VerificationError):
        verify(path)


def test_a_head_that_is_ahead_of_the_entries(path):
    run(path, "UPDATE head SET sequence = 12")
    assert told(path) == 11


@pytest.mark.parametrize(
    ("change", "sequence"),
    [
        ("UPDATE answers SET answer = X'00' WHERE number = 1", 4),
        ("UPDATE answers SET answer = (SELECT answer FROM answers WHERE number = 1) WHERE number = 2", 9),
        (f"UPDATE answers SET key = '{OTHER_KEY}' WHERE number = 1", 4),
        ("UPDATE answers SET key = NULL WHERE number = 1", 4),
        ("UPDATE answers SET loss = '0.2' WHERE number = 1", 4),
        ("UPDATE answers SET delta = '0.1' WHERE number = 1", 4),
        ("UPDATE answers SET id = 'f' WHERE number = 1", 4),
        ("DELETE FROM answers WHERE number = 2", 9),
        ("DELETE FROM answers", 4),
        (f"INSERT INTO answers VALUES (3, 'f', '{KEY}', '0', '1', X'00')", None),
    ],
)
def test_changed_answers(path, change, sequence):
    run(path, change)
    assert told(path) == sequence


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE head SET loss = X'30'",
        "UPDATE head SET sequence = 'x'",
        "UPDATE answers SET answer = CAST(answer AS TEXT) WHERE number = 2",
    ],
)
def test_columns_of_another_type(file, change):
    """SQLite takes anything anywhere."""
    run(file, change)
    with pytest.raises(VerificationError):
        verify(file)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE answers SET answer = X'00'",
        f"UPDATE answers SET key = '{KEY}' WHERE number = 2; DELETE FROM answers WHERE number = 1",
        "UPDATE answers SET loss = '0.2'",
        "DELETE FROM entries WHERE kind = 'released'",
        "UPDATE entries SET body = replace(body, '\"0.1\"', '\"0.2\"') WHERE sequence = 3",
        "UPDATE entries SET body = replace(body, '\"one\"', '\"two\"') WHERE sequence = 3",
        "UPDATE entries SET time = '2020' WHERE sequence = 4",
    ],
)
def test_a_changed_answer_is_not_given_out(path, change):
    with Ledger.open(path, read_only=True) as ledger:
        assert ledger.stored(KEY, Decimal(0)).answer == b"the first answer"
    run(path, *change.split("; "))
    with Ledger.open(path, read_only=True) as ledger, pytest.raises(VerificationError):
        ledger.stored(KEY, Decimal(0))


@pytest.mark.parametrize("body", ["[]", "{", "[" * 100_000, "null"])
def test_looking_at_a_broken_body_is_an_error_of_our_own(path, body):
    run(path, ("UPDATE entries SET body = ? WHERE sequence = 6", (body,)))
    with Ledger.open(path) as ledger:
        *_, entry = (entry for entry in ledger.entries() if entry.sequence == 6)
        with pytest.raises(VerificationError) as error:
            _ = entry.record
    assert error.value.sequence == 6


def test_nothing_is_charged_to_a_ledger_whose_end_was_cut(path):
    run(path, "DELETE FROM entries WHERE sequence = 10")
    with Ledger.open(path) as ledger:
        with pytest.raises(VerificationError, match="last entry"):
            ledger.charge(charge("0.01", "ben"))
        with pytest.raises(VerificationError, match="last entry"):
            ledger.end()


def test_an_opening_with_another_limit_is_not_believed(path):
    run(path, 'UPDATE entries SET body = replace(body, \'"loss":"1"\', \'"loss":"9"\') WHERE sequence = 1')
    for attempt in (Ledger.open, verify):
        with pytest.raises(VerificationError) as error:
            attempt(path)
        assert error.value.sequence == 1


# --- a chain made anew: it fits together, but may still break the rules -----------------------------------------------


def remade(path, *statements):
    with edited(path) as connection:
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
        recompute(connection)


def rewritten(path, sequence, **changes):
    with edited(path) as connection:
        (body,) = connection.execute("SELECT body FROM entries WHERE sequence = ?", (sequence,)).fetchone()
    text = json.dumps({**json.loads(body), **changes}, sort_keys=True, separators=(",", ":"))
    return ("UPDATE entries SET body = ? WHERE sequence = ?", (text, sequence))


@pytest.mark.parametrize(
    ("sequence", "changes"),
    [
        (3, {"loss": "0.50000000000000000000000000000000000001"}),  # over ana's quota
        (5, {"loss": "1.1"}),  # over the total
        (5, {"delta": "0.0000002"}),  # over the threshold δ
        (8, {"loss": "0.45"}),  # over the quota only with what came before
        (2, {"loss": "0.05"}),
        (3, {"loss": "-0.1"}),
        (3, {"loss": "nan"}),
        (3, {"analyst": "a\n"}),
        (3, {"more": 1}),
        (4, {"answer_sha256": "0" * 64}),
        (4, {"bytes": 1}),
    ],
)
def test_a_chain_made_anew_must_still_keep_the_rules(path, sequence, changes):
    remade(path, rewritten(path, sequence, **changes))
    with pytest.raises(VerificationError) as error:
        verify(path)
    assert error.value.sequence is not None


@pytest.mark.parametrize(
    ("change", "sequence"),
    [
        ("UPDATE entries SET id = (SELECT id FROM entries WHERE sequence = 3) WHERE sequence = 7", 7),
        ("UPDATE entries SET kind = 'failed' WHERE sequence = 7", 7),
        ("UPDATE entries SET kind = 'charged' WHERE sequence = 7", 7),
        ("UPDATE entries SET kind = 'other' WHERE sequence = 7", 7),
        ("UPDATE entries SET kind = 'opened' WHERE sequence = 7", 7),
        ("UPDATE entries SET kind = 'local' WHERE sequence = 1", 1),
        ("UPDATE entries SET body = '[' WHERE sequence = 6", 6),
        ("UPDATE entries SET body = replace(hex(zeroblob(100000)), '00', '[') WHERE sequence = 6", 6),
        (
            "UPDATE entries SET id = (SELECT id FROM entries WHERE sequence = 3), kind = 'failed' WHERE sequence = 10",
            10,
        ),
        ("DELETE FROM entries WHERE sequence = 3", 3),  # the answer has no charge now
        ("UPDATE entries SET kind = 'failed' WHERE sequence = 9", 9),
    ],
)
def test_a_chain_made_anew_must_still_be_a_ledgers(path, change, sequence):
    with edited(path) as connection:
        connection.execute(change)
        recompute(connection, sums="charged" not in change)
    assert told(path) == sequence


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_ledger_cut_at_any_page_is_an_error_of_our_own(file, tmp_path):
    content = file.read_bytes()
    for size in range(0, len(content), 2048):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(PrivkitError) as error:
            verify(tmp_path / "cut")
        assert isinstance(error.value, (LedgerError, VerificationError))


def test_flipped_bytes_are_found_or_do_no_harm(file, tmp_path):
    """Anywhere in the file: an error of our own, or the very same ledger (the byte was in no row)."""
    content, before = file.read_bytes(), verify(file)
    found = 0
    for place in range(0, len(content), 61):
        changed = bytearray(content)
        changed[place] ^= 0x55
        (tmp_path / "flipped").write_bytes(bytes(changed))
        for side in ("-wal", "-shm"):
            (tmp_path / f"flipped{side}").unlink(missing_ok=True)
        try:
            assert verify(tmp_path / "flipped") == before
        except (LedgerError, VerificationError):
            found += 1
    assert found > 50
