"""Private folders for what waits on disk during a run, gone at its end; after a crash, at the next start.

Such a folder is called privkit-KIND-… and is its owner's alone (0700). In it stands a file `lock`, held (flock) by the
process that is alive. Whoever makes a folder first looks at those beside it. One is a leftover if it has such a name
and mode, belongs to this user, is no link, and its lock can be had: then nobody lives who uses it. It is taken away
through the descriptor that was looked at, not by its name, so that nothing can be put in its place in between; links in
it are removed and not followed.

A folder is there for a moment before it is locked. Who finds it then may remove it: its maker sees that, and makes
another.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from privkit.errors import OutputError
from privkit.io import locks

Kind = Literal["spill", "run"]
_KINDS: tuple[Kind, ...] = ("spill", "run")
_LOCK = "lock"
_ANYBODY, _OTHERS = 0o077, 0o022
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Scratch:
    """A private folder; a context manager that removes it.

    Args:
        kind: Part of its name.
        parent: Where it is made; the system's temporary folder if None.

    Attributes:
        path: The folder.
        lock: Descriptor of its locked file.

    Raises:
        OutputError: `parent` is no folder that can be written, or others could look into or replace what is in it.
    """

    path: Path
    lock: int

    def __init__(self, kind: Kind, parent: Path | None = None) -> None:
        if parent is not None:
            _check_parent(parent)
        place = Path(tempfile.gettempdir()) if parent is None else parent.absolute()
        remove_leftovers(place)
        while True:
            try:
                self.path = Path(tempfile.mkdtemp(prefix=f"privkit-{kind}-", dir=place))
                lock = _taken(self.path)
            except OSError as error:
                reason = (os.strerror(error.errno) if error.errno else "the system refused").lower()
                raise OutputError(
                    f"{place} cannot hold temporary files: {reason}", hint="Name another folder, or make room."
                ) from None
            if lock is not None:
                self.lock = lock
                locks.hold(lock)
                return

    def close(self) -> None:
        """Removes the folder and what is in it; again does nothing."""
        if self.lock < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        locks.let_go(self.lock)
        self.lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def remove_leftovers(parent: Path) -> int:
    """Removes the folders in `parent` that dead processes of this user left; returns how many.

    What cannot be removed stays, without a word: it is in nobody's way.
    """
    removed = 0
    with contextlib.suppress(OSError):
        names = [entry.name for entry in os.scandir(parent) if entry.name.startswith(_prefixes())]
        for name in names:
            with contextlib.suppress(OSError):
                removed += _removed(parent, name)
    return removed


def _prefixes() -> tuple[str, ...]:
    return tuple(f"privkit-{kind}-" for kind in _KINDS)


def _removed(parent: Path, name: str) -> bool:
    folder = os.open(parent / name, _FOLDER)  # a link is not followed: it is refused
    try:
        about = os.fstat(folder)
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) != 0o700:
            return False
        lock = _locked(folder)
        if lock is None:
            return False
        try:
            for inner in os.listdir(folder):  # noqa: PTH208 - of the descriptor
                if inner != _LOCK:
                    _remove(inner, folder)
            os.unlink(_LOCK, dir_fd=folder)
            (parent / name).rmdir()  # an empty folder, whatever has that name by now
        finally:
            os.close(lock)
        return True
    finally:
        os.close(folder)


def _remove(name: str, folder: int) -> None:
    if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def _taken(path: Path) -> int | None:
    """The lock of a folder that was just made; None if somebody took it for a leftover."""
    try:
        folder = os.open(path, _FOLDER)
    except FileNotFoundError:
        return None
    try:
        if stat.S_IMODE(os.fstat(folder).st_mode) & _ANYBODY:
            path.rmdir()
            raise OutputError(
                f"{path.parent} does not keep files private (its file system knows no modes)",
                hint="Name a folder on another file system.",
            )
        return _locked(folder)
    except FileNotFoundError:
        return None
    finally:
        os.close(folder)


def _locked(folder: int) -> int | None:
    """A folder's lock file, made if need be, and locked; None if somebody else has it, or has removed it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    lock = os.open(_LOCK, flags, 0o600, dir_fd=folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        here, held = os.stat(_LOCK, dir_fd=folder, follow_symlinks=False), os.fstat(lock)
        if (here.st_dev, here.st_ino) == (held.st_dev, held.st_ino) and stat.S_ISREG(held.st_mode):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _check_parent(parent: Path) -> None:
    try:
        about = parent.stat()
    except OSError as error:
        found = error.errno not in (errno.ENOENT, errno.ENOTDIR)
        raise OutputError(
            f"{parent} cannot be looked at" if found else f"the folder {parent} does not exist",
            hint=None if found else f"Create it first: mkdir -p -m 700 {parent}",
        ) from None
    if not stat.S_ISDIR(about.st_mode):
        raise OutputError(f"{parent} is not a folder", hint="Name a folder.")
    if not os.access(parent, os.W_OK | os.X_OK | os.R_OK):
        raise OutputError(f"the folder {parent} is not writable", hint="Name another folder.")
    if about.st_mode & _OTHERS and not about.st_mode & stat.S_ISVTX:
        raise OutputError(
            f"others may write into {parent}, and could put a folder of theirs in the place of a private one",
            hint=f"chmod go-w {parent}, or name another folder.",
        )
