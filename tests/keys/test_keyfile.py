import copy
import os
import pickle
import stat

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privkit.errors import KeyFileError
from privkit.keys.keyfile import Key

SECRET = bytes(range(32))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "org.key"


def test_a_new_key_is_read_back(path):
    made, read = Key.new(path), Key.load(path)
    assert made.secret() == read.secret()
    assert made.id == read.id
    assert read.kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_mode_is_0600_whatever_the_umask(path):
    before = os.umask(0)
    try:
        Key.new(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_says_what_it_is(path):
    key = Key.new(path)
    first, *_ = path.read_text().splitlines()
    assert first.startswith("# privkit key")
    assert f"id: {key.id}" in path.read_text()


def test_two_keys_differ(tmp_path):
    assert Key.new(tmp_path / "a").secret() != Key.new(tmp_path / "b").secret()
    assert Key.ephemeral().secret() != Key.ephemeral().secret()
    assert not Key.ephemeral().kept


def test_a_key_is_never_overwritten(path):
    Key.new(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        Key.new(path)
    assert path.read_bytes() == before


def test_a_symbolic_link_is_not_followed(tmp_path, path):
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError):
        Key.new(path)
    assert not (tmp_path / "elsewhere").exists()


def test_no_folder(tmp_path):
    with pytest.raises(KeyFileError, match="cannot be written"):
        Key.new(tmp_path / "no" / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
def test_loose_permissions_are_refused(path, mode):
    Key.new(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"{mode:04o}") as caught:
        Key.load(path)
    assert f"chmod 600 {path}" in caught.value.hint


def test_owner_may_make_it_read_only(path):
    Key.new(path)
    path.chmod(0o400)
    assert Key.load(path).kept


def test_missing_folder_pipe_and_empty(tmp_path, path):
    with pytest.raises(KeyFileError, match="no such key file"):
        Key.load(path)
    with pytest.raises(KeyFileError, match="folder"):
        Key.load(tmp_path)
    path.touch(mode=0o600)
    with pytest.raises(KeyFileError, match="empty"):
        Key.load(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="regular"):
        Key.load(tmp_path / "pipe")


def test_spare_bits_of_the_secret_are_noticed(path):
    """The last character of 32 bytes in Base64 holds two bits that say nothing: four spellings, and one is right."""
    Key.new(path)
    head, last = path.read_text().rstrip("=\n")[:-1], path.read_text().rstrip("=\n")[-1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert letters.index(last) % 4 == 0
    path.write_text(head + letters[letters.index(last) + 1] + "=\n")
    with pytest.raises(KeyFileError, match="damaged"):
        Key.load(path)


def test_every_damaged_character_of_id_or_secret_is_noticed(path):
    Key.new(path)
    text = path.read_text()
    for place in range(text.index("id:"), len(text) - 1):
        if text[place] in "=\n":
            continue
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        path.write_text(changed)
        with pytest.raises(KeyFileError, match=r"damaged|32 bytes"):
            Key.load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"id: 00000000\n",
        b"secret: AAAA\nid: 00000000\n",
        b"\xff\xfe\x00",
        b"# only a comment\n",
        b"id: 1\nid: 2\n",
        b"id: 00000000\nsecret: " + b"A" * 100_000,
    ],
)
def test_other_files_are_no_keys_and_are_not_quoted(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        Key.load(path)
    assert "hello" not in caught.value.message
    assert "AAAA" not in caught.value.message


def test_line_ends_of_other_systems_do_not_matter(path):
    key = Key.new(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Key.load(path).id == key.id


def test_it_shows_its_id_and_nothing_else():
    key = Key.from_secret(SECRET, kept=True)
    assert repr(key) == f"Key(id='{key.id}', kept=True)"
    assert len(key.id) == 8


def test_it_is_not_pickled_or_copied():
    key = Key.ephemeral()
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            attempt(key)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(key, protocol)
    with pytest.raises(TypeError):
        Key()


def test_from_secret_wants_32_bytes():
    with pytest.raises(KeyFileError, match="32"):
        Key.from_secret(b"short", kept=False)


def test_hkdf_is_that_of_rfc_5869():
    # Test case 1 of the RFC, for the library's part of the work …
    okm = HKDF(SHA256(), 42, bytes(range(13)), bytes(range(0xF0, 0xFA))).derive(b"\x0b" * 22)
    assert okm.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    # … and for our wiring of it: the purpose is `info`, the salt is fixed.
    key = Key.from_secret(SECRET, kept=True)
    assert key.derive("a purpose", 40) == HKDF(SHA256(), 40, b"privkit key v1", b"a purpose").derive(SECRET)


def test_derivation_is_frozen():
    key = Key.from_secret(SECRET, kept=True)
    assert key.id == "fd022496"
    assert key.derive("a") != key.derive("b")
    assert key.derive("a", 64)[:32] == key.derive("a", 32)
