"""A checkpoint finds what `verify` alone cannot, up to where it was signed."""

import base64
import json
import shutil
from decimal import Decimal

import pytest
from contracts.ledger_store import KEY, charge, pure
from ledger.tampering import edited, recompute, run

from privkit.errors import InputError, KeyFileError, OutputError, VerificationError
from privkit.keys.identity import Identity, PublicIdentity
from privkit.ledger.checkpoint import (
    PURPOSE,
    Checkpoint,
    checkpoint,
    read_checkpoint,
    verify_checkpoint,
    write_checkpoint,
)
from privkit.ledger.ledger import Ledger
from privkit.ledger.verifying import verify
from privkit.model.canonical import canonical_json


@pytest.fixture
def identity(tmp_path):
    return Identity.new(tmp_path / "identity", "Zoë, the board")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.sqlite3"
    with Ledger.create(path, pure("10")) as ledger:
        for number in range(4):
            ledger.answer(ledger.charge(charge("0.1", key=KEY, number=number)).id, b"answer")
    return path


@pytest.fixture
def signed(path, identity):
    with Ledger.open(path, read_only=True) as ledger:
        return checkpoint(ledger, identity)


def test_a_checkpoint_says_where_the_ledger_stood(path, identity, signed):
    with Ledger.open(path) as ledger:
        standing = ledger.standing()
        assert (signed.dataset, signed.sequence, signed.head) == ("patients", 9, standing.head)
        ledger.charge(charge())
    assert (signed.signer, signed.public) == (identity.name, identity.public.text)
    assert signed.time.endswith("Z")
    for signer in (None, identity.public, PublicIdentity.parse(identity.public.text)):
        assert verify_checkpoint(path, signed, signer).entries == 10  # it may have gone on since


def test_what_is_signed_is_written_down(signed, identity):
    statement = {name: value for name, value in json.loads(canonical_json(signed)).items() if name != "signature"}
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert identity.public.verify("ledger checkpoint", text.encode(), base64.b64decode(signed.signature))


def test_a_file_and_back(tmp_path, signed):
    file = tmp_path / "checkpoint.json"
    write_checkpoint(file, signed)
    assert read_checkpoint(file) == signed
    assert file.read_bytes() == canonical_json(signed) + b"\n"
    with pytest.raises(OutputError, match="exists"):
        write_checkpoint(file, signed)
    write_checkpoint(file, signed, force=True)
    with pytest.raises(OutputError):
        write_checkpoint(tmp_path / "no" / "checkpoint.json", signed)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b"hello K4NARY", b"{" * 70000, b'{"dataset": "K4NARY"}']
)
def test_files_that_are_no_checkpoints(tmp_path, content):
    file = tmp_path / "checkpoint.json"
    file.write_bytes(content)
    with pytest.raises(VerificationError, match="is none") as caught:
        read_checkpoint(file)
    assert "K4NARY" not in str(caught.value)
    with pytest.raises(InputError):
        read_checkpoint(tmp_path / "nothing")
    with pytest.raises(InputError):
        read_checkpoint(tmp_path)


def spend(path):
    with Ledger.open(path) as ledger:
        ledger.answer(ledger.charge(charge("0.1", key=KEY)).id, b"later")


def test_a_chain_made_anew_is_found_only_with_a_checkpoint(path, identity, signed):
    with edited(path) as connection:
        connection.execute("UPDATE entries SET body = replace(body, '\"0.1\"', '\"0.01\"') WHERE kind = 'charged'")
        recompute(connection)
    assert verify(path).spent == Decimal("0.04")  # it fits together: verify alone cannot know
    with pytest.raises(VerificationError, match="signed") as caught:
        verify_checkpoint(path, signed, identity.public)
    assert caught.value.sequence == 9


def test_a_cut_tail_is_found_only_with_a_checkpoint(path, identity, signed):
    with edited(path) as connection:
        connection.execute("DELETE FROM entries WHERE sequence > 7")
        connection.execute("DELETE FROM answers WHERE number > 3")
        recompute(connection)
    assert verify(path).entries == 7
    with pytest.raises(VerificationError, match="was signed") as caught:
        verify_checkpoint(path, signed, identity.public)
    assert caught.value.sequence == 8


def test_an_older_copy_is_found_only_with_a_checkpoint(path, identity):
    shutil.copy(path, path.with_name("older"))
    spend(path)
    with Ledger.open(path) as ledger:
        signed = checkpoint(ledger, identity)
    shutil.copy(path.with_name("older"), path)
    assert verify(path).entries == 9
    with pytest.raises(VerificationError, match="was signed"):
        verify_checkpoint(path, signed, identity.public)
    spend(path)  # an older copy that went on: as long as the one that was signed, and another
    assert verify(path).entries == 11
    with pytest.raises(VerificationError, match="not the one that was signed"):
        verify_checkpoint(path, signed, identity.public)


def test_what_was_done_after_the_checkpoint_is_not_found(path, identity, signed):
    """What the docs claim, and no more."""
    spend(path)
    with edited(path) as connection:
        connection.execute("DELETE FROM entries WHERE sequence > 9")
        connection.execute("DELETE FROM answers WHERE number > 4")
        recompute(connection)
    assert verify_checkpoint(path, signed, identity.public).entries == 9


def test_a_checkpoint_needs_a_ledger_that_holds(path, identity, signed):
    run(path, "UPDATE head SET loss = '0'")
    with pytest.raises(VerificationError, match="totals"):
        verify_checkpoint(path, signed, identity.public)


def test_a_head_that_was_moved_is_not_signed(path, identity):
    run(path, "UPDATE head SET sequence = 8")
    with Ledger.open(path) as ledger, pytest.raises(VerificationError):
        checkpoint(ledger, identity)


def test_another_signer(tmp_path, path, signed, identity):
    other = Identity.new(tmp_path / "other", identity.name)
    with pytest.raises(VerificationError, match="another identity"):
        verify_checkpoint(path, signed, other.public)
    with Ledger.open(path) as ledger:
        theirs = checkpoint(ledger, other)
    with pytest.raises(VerificationError, match="another identity"):
        verify_checkpoint(path, theirs, identity.public)
    forged = theirs.model_copy(update={"public": identity.public.text})
    with pytest.raises(VerificationError, match="changed"):
        verify_checkpoint(path, forged, identity.public)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "staff"),
        ("sequence", 8),
        ("head", "0" * 64),
        ("time", "2020-01-01T00:00:00.000Z"),
        ("signer", "somebody else"),
        ("signature", ""),
        ("signature", "é"),
        ("signature", base64.b64encode(bytes(64)).decode()),
        ("signature", base64.b64encode(bytes(10)).decode()),
    ],
)
def test_every_altered_field_is_found(path, identity, signed, field, value):
    altered = signed.model_copy(update={field: value})
    for signer in (identity.public, None):
        with pytest.raises(VerificationError, match=r"changed|none"):
            verify_checkpoint(path, altered, signer)


@pytest.mark.parametrize("public", ["", "ed25519:AAAA", "ed25519:" + "A" * 43 + "="])
def test_a_signer_that_is_none(path, signed, public):
    with pytest.raises(VerificationError, match="no public identity"):
        verify_checkpoint(path, signed.model_copy(update={"public": public}))
    with pytest.raises(KeyFileError):
        PublicIdentity.parse(public)


def test_a_signature_for_another_purpose(path, signed, identity):
    statement = {name: value for name, value in signed.model_dump(mode="json").items() if name != "signature"}
    for purpose, holds in [(PURPOSE, True), ("card", False)]:
        made = base64.b64encode(identity.sign(purpose, canonical_json(statement))).decode()
        other = Checkpoint(**statement, signature=made)
        if holds:
            verify_checkpoint(path, other, identity.public)
        else:
            with pytest.raises(VerificationError, match="changed"):
                verify_checkpoint(path, other, identity.public)


def test_a_checkpoint_of_another_ledger(tmp_path, identity, signed):
    for name, dataset, told in [("staff", "staff", "of the dataset"), ("twin", "patients", "not the one that was")]:
        path = tmp_path / name
        with Ledger.create(path, pure("10", dataset)) as ledger:
            for number in range(4):
                ledger.answer(ledger.charge(charge("0.1", key=KEY, number=number)).id, b"answer")
        with pytest.raises(VerificationError, match=told):
            verify_checkpoint(path, signed, identity.public)
