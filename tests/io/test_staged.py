"""Small files beside an output: all of them, or none."""

import errno
import os
import stat

import pytest

from privkit.errors import OutputError
from privkit.io.staged import Staged, check_place, give_new_name


def test_nothing_has_its_name_before_publish_and_everything_after(tmp_path):
    (tmp_path / "a").write_text("old")
    with Staged() as staged:
        staged.add(tmp_path / "a", "new")
        staged.add(tmp_path / "b", "ü")
        assert (tmp_path / "a").read_text() == "old"
        assert not (tmp_path / "b").exists()
        staged.publish()
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "ü"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_waits_is_removed(tmp_path):
    def interrupted():
        with Staged() as staged:
            staged.add(tmp_path / "a", "x")
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    with Staged() as staged, pytest.raises(OutputError, match="cannot be written"):
        staged.add(tmp_path / "no" / "a", "x")


def test_places(tmp_path):
    (tmp_path / "file").write_text("")
    check_place(tmp_path / "new", "the report", force=False)
    check_place(tmp_path / "file", "the report", force=True)
    for path, force, said in (
        (tmp_path / "file", False, "exists already"),
        (tmp_path, True, "is a folder"),
        (tmp_path / "no" / "a", True, "does not exist"),
    ):
        with pytest.raises(OutputError, match=said) as caught:
            check_place(path, "the report", force=force)
        assert caught.value.hint


def test_a_private_file_is_its_owners_alone_from_the_first_byte(tmp_path):
    with Staged() as staged:
        with staged.open(tmp_path / "a", private=True) as file:
            file.write(b"x")
            (waiting,) = tmp_path.iterdir()
            assert stat.S_IMODE(waiting.stat().st_mode) == 0o600
        assert not (tmp_path / "a").exists()
        staged.publish()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_file_whose_block_fails_is_removed(tmp_path):
    with pytest.raises(KeyError), Staged() as staged, staged.open(tmp_path / "a"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_new_name_never_replaces_a_file_with_links_and_without(tmp_path, monkeypatch, links):
    if not links:

        def link(source, target):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", link)
    for number, text in enumerate(("first", "second")):
        (tmp_path / f"waiting-{number}").write_text(text, encoding="utf-8")
    give_new_name(tmp_path / "waiting-0", tmp_path / "name")
    with pytest.raises(FileExistsError):
        give_new_name(tmp_path / "waiting-1", tmp_path / "name")
    assert (tmp_path / "name").read_text(encoding="utf-8") == "first"
