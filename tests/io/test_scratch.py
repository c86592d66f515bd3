"""Private folders: nobody else sees them, they go with their process, and nothing else goes with them."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from privkit.errors import OutputError
from privkit.io import scratch
from privkit.io.scratch import Scratch, remove_leftovers

HOLDER = """
import sys
from pathlib import Path
from privkit.io.scratch import Scratch
made = Scratch("spill", Path(sys.argv[1]))
(made.path / "sub").mkdir()
(made.path / "sub" / "data").write_text("private")
(made.path / "data").write_text("private")
(made.path / "link").symlink_to(sys.argv[2])
print(made.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent(tmp_path):
    folder = tmp_path / "parent"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def precious(tmp_path):
    """A folder outside, which links lead to."""
    folder = tmp_path / "precious"
    folder.mkdir(mode=0o700)
    (folder / "data").write_text("to be kept")
    (folder / "lock").touch(0o600)
    return folder


@pytest.fixture
def holder(parent, precious):
    """A process that holds a folder, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(parent), str(precious)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    path = Path(process.stdout.readline().strip())
    yield process, path
    process.kill()
    process.communicate()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_private_and_goes(parent):
    before = os.umask(0)
    try:
        with Scratch("spill", parent) as made:
            assert made.path.parent == parent
            assert made.path.name.startswith("privkit-spill-")
            assert mode(made.path) == 0o700
            assert mode(made.path / "lock") == 0o600
            (made.path / "data").write_text("x")
    finally:
        os.umask(before)
    made.close()
    assert list(parent.iterdir()) == []


def test_by_default_it_is_where_the_system_says(parent, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(parent))
    with Scratch("run") as made:
        assert made.path.parent == parent


def test_what_a_killed_process_left_goes_at_the_next_start(holder, parent, precious):
    process, path = holder
    assert remove_leftovers(parent) == 0  # it lives
    assert (path / "sub" / "data").read_text() == "private"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.exists()
    with Scratch("run", parent) as made:
        assert list(parent.iterdir()) == [made.path]
    assert (precious / "data").read_text() == "to be kept"


def test_the_living_keep_theirs_whoever_starts(holder, parent):
    process, path = holder
    for _ in range(3):
        with Scratch("spill", parent):
            pass
    assert (path / "data").read_text() == "private"
    process.communicate("")
    assert process.returncode == 0
    assert path.exists()  # it ended without tidying up, and the next start does
    with Scratch("spill", parent):
        assert not path.exists()


def test_one_process_has_several(parent):
    with Scratch("spill", parent) as first, Scratch("spill", parent) as second, Scratch("run", parent):
        assert first.path != second.path
        assert len(list(parent.iterdir())) == 3


def test_a_forked_child_does_not_keep_a_folder_alive(parent):
    made = Scratch("spill", parent)
    (ready, tell), (wait, over) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(over)
        os.write(tell, b"x")
        os.read(wait, 1)  # until the parent is done
        os._exit(0)
    os.read(ready, 1)
    os.close(made.lock)  # as if this process had died
    scratch.locks._held.discard(made.lock)
    try:
        assert remove_leftovers(parent) == 1
    finally:
        for end in (over, ready, tell, wait):
            os.close(end)
        os.waitpid(child, 0)


def leftover(parent, name="privkit-spill-x"):
    folder = parent / name
    folder.mkdir(mode=0o700)
    (folder / "data").write_text("x")
    return folder


def test_the_control_a_leftover_as_the_following_ones_goes(parent):
    folder = leftover(parent)
    assert remove_leftovers(parent) == 1
    assert not folder.exists()


@pytest.mark.parametrize("name", ["privkit-x", "privkit-spill", "privkit-ledger-x", "other-privkit-spill-x"])
def test_other_names_stay(parent, name):
    folder = leftover(parent, name)
    assert remove_leftovers(parent) == 0
    assert folder.exists()


@pytest.mark.parametrize("loose", [0o750, 0o701, 0o777, 0o600])
def test_folders_of_other_modes_stay(parent, loose):
    folder = leftover(parent)
    folder.chmod(loose)
    assert remove_leftovers(parent) == 0
    folder.chmod(0o700)
    assert (folder / "data").exists()


def test_folders_of_other_users_stay(parent, monkeypatch):
    folder = leftover(parent)
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert remove_leftovers(parent) == 0
    assert (folder / "data").exists()


def test_a_hostile_link_is_not_followed(parent, precious):
    (parent / "privkit-spill-x").symlink_to(precious)
    (parent / "privkit-run-y").symlink_to(precious / "data")
    assert remove_leftovers(parent) == 0
    assert sorted(path.name for path in precious.iterdir()) == ["data", "lock"]
    assert (precious / "data").read_text() == "to be kept"


def test_a_lock_that_is_a_link_is_not_followed(parent, precious):
    folder = leftover(parent)
    (folder / "lock").symlink_to(precious / "made")
    assert remove_leftovers(parent) == 0
    assert not (precious / "made").exists()
    (folder / "lock").unlink()
    os.mkfifo(folder / "lock")  # nor is a pipe waited for
    assert remove_leftovers(parent) == 0


def test_links_inside_go_and_what_they_lead_to_stays(parent, precious):
    folder = leftover(parent)
    (folder / "link").symlink_to(precious)
    (folder / "sub").mkdir()
    (folder / "sub" / "link").symlink_to(precious / "data")
    assert remove_leftovers(parent) == 1
    assert not folder.exists()
    assert (precious / "data").read_text() == "to be kept"


def test_what_is_put_in_its_place_meanwhile_stays(parent, precious, monkeypatch):
    """Between the look and the removal somebody moves the folder away and puts a link there."""
    folder = leftover(parent)
    real = scratch._locked

    def swapped(descriptor):
        folder.rename(parent / "moved")
        folder.symlink_to(precious)
        return real(descriptor)

    monkeypatch.setattr(scratch, "_locked", swapped)
    assert remove_leftovers(parent) == 0
    assert (precious / "data").read_text() == "to be kept"
    assert folder.is_symlink()
    assert list((parent / "moved").iterdir()) == []  # it was the leftover's


def test_a_folder_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(parent, monkeypatch):
    real, made = tempfile.mkdtemp, []

    def found(**options):
        made.append(real(**options))
        if len(made) == 1:
            assert remove_leftovers(parent) == 1
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", found)
    with Scratch("spill", parent) as kept:
        assert len(made) == 2
        assert list(parent.iterdir()) == [kept.path]


def test_many_starts_at_once(parent):
    """Each makes folders and looks for leftovers, again and again: none loses its own."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from privkit.io.scratch import Scratch\n"
        "for n in range(150):\n"
        "    with Scratch('spill', Path(sys.argv[1])) as made:\n"
        "        (made.path / 'data').write_text(str(n))\n"
        "        Scratch('run', Path(sys.argv[1])).close()\n"
        "        assert (made.path / 'data').read_text() == str(n)\n"
        "        assert (made.path / 'lock').exists()\n"
    )
    for number in range(20):
        leftover(parent, f"privkit-spill-old-{number}")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(parent)], stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _ in range(4)
    ]
    for process in processes:
        _, message = process.communicate(timeout=120)
        assert process.returncode == 0, message
    assert list(parent.iterdir()) == []


def test_places_that_will_not_do(parent, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    parent.chmod(0o777)
    for place, words in (
        (tmp_path / "none", "does not exist"),
        (tmp_path / "file", "is not a folder"),
        (parent, "others may write"),
    ):
        with pytest.raises(OutputError, match=words):
            Scratch("spill", place)
    parent.chmod(0o1777)  # as /tmp
    Scratch("spill", parent).close()

    def full(**_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(OutputError, match="no space left"):
        Scratch("spill", parent)


def test_a_file_system_that_knows_no_modes_is_refused(parent, monkeypatch):
    real = tempfile.mkdtemp

    def loose(**options):
        path = real(**options)
        Path(path).chmod(0o755)
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", loose)
    with pytest.raises(OutputError, match="does not keep files private"):
        Scratch("spill", parent)
    assert list(parent.iterdir()) == []
