"""Small files beside an output: all of them, or none."""

import pytest

from privkit.errors import OutputError
from privkit.io.staged import Staged, check_place


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
