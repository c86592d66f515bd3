"""Private files that are replaced and destroyed."""

import stat

import pytest

from privkit.errors import KeyFileError
from privkit.keys.privatefile import Kind, destroy_private, read_private, replace_private, write_private

KIND = Kind(noun="key", article="a", why_kept="It is lost.", command="make")


def test_bytes_come_back_up_to_a_limit(tmp_path):
    path = tmp_path / "a"
    write_private(path, bytes(range(256)) * 40, KIND)
    assert read_private(path, KIND, 20_000) == bytes(range(256)) * 40
    assert len(read_private(path, KIND, 100)) == 101


def test_a_replaced_file_is_private_and_alone(tmp_path):
    path = tmp_path / "a"
    write_private(path, "old", KIND)
    replace_private(path, "new", KIND)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(KeyFileError, match="cannot be written"):
        replace_private(tmp_path / "no" / "a", "new", KIND)


def test_a_destroyed_file_was_overwritten_first(tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    write_private(path, "secret", KIND)
    other.hardlink_to(path)  # what is left of the file where its name is gone
    destroy_private(path)
    assert not path.exists()
    assert other.read_bytes() == bytes(6)
    with pytest.raises(KeyFileError, match="cannot be removed"):
        destroy_private(path)
