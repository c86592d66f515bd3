"""Where a ledger's file lies: on a disk of this machine, one lock for its writers, and the same file all the time."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from privkit.errors import LedgerError
from privkit.ledger.store import LedgerExistsError

if sys.platform != "win32":
    import fcntl

# Filesystems of other machines: locks and shared memory do not hold there, and two writers could both spend the rest.
# 9p and virtiofs are left out: they also carry a sandbox's own disk, and SQLite finds out where they have no locks.
_NETWORK = re.compile(
    r"afs|beegfs|ceph|cifs|coda|davfs|fhgfs|gfs2?|glusterfs|gpfs|lustre|ncpfs|nfs4?|ocfs2|orangefs|panfs|pvfs2|"
    r"smb[23]?|smbfs|vboxsf|"
    r"fuse\.(sshfs|ceph|glusterfs|davfs2?|rclone|s3fs|gcsfuse|goofys|mount-s3|blobfuse2?|juicefs|moosefs|mfs|lizardfs|"
    r"seaweedfs|beegfs|smbnetfs|curlftpfs|vmhgfs-fuse|objectivefs|weed|afs|cvmfs2?)"
)
_LOCK_SUFFIX = ".lock"


def local_path(place: str | os.PathLike[str]) -> Path:
    """The absolute path that a ledger's place names, its links not followed.

    Args:
        place: A path.

    Raises:
        LedgerError: It is a URL, or cannot name a file.
    """
    text = os.fspath(place)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) or "\0" in text or not text:
        raise LedgerError(
            "a ledger is named by the path of its file, or by the URL of a PostgreSQL database",
            hint="For example: ledger.sqlite3, or postgresql://ana@db.example/privacy",
        )
    return Path(text).absolute()


def check_new(path: Path) -> None:
    """Refuses a place where no ledger can be made.

    Raises:
        LedgerError: Something is there, or its folder is missing or closed.
    """
    if os.path.lexists(path):
        raise LedgerExistsError(
            f"{path} exists: a ledger is never written over", hint="Name another file, or use this one."
        )
    for side in ("-wal", "-journal"):
        left = Path(f"{path}{side}")
        # SQLite would take it for a part of the new file that was not copied over yet, and copy it over.
        if os.path.lexists(left) and left.stat().st_size:
            raise LedgerError(
                f"{left} is left of another ledger, with entries that only stand there",
                hint="Put the ledger that it belongs to back, or move both away.",
            )
    if not path.parent.is_dir():
        raise LedgerError(f"{path} cannot be made: there is no folder {path.parent}", hint="Create the folder first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise LedgerError(f"{path} cannot be made: the folder {path.parent} is closed to you")


def check_file(path: Path, *, read_only: bool) -> None:
    """Refuses what cannot be a ledger, or cannot be opened so.

    Raises:
        LedgerError: It is missing, not a regular file, or closed to whoever asks.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise LedgerError(
            f"{path}: there is no ledger", hint="Make one with: privkit budget create DATASET.yaml"
        ) from None
    except OSError as error:
        raise LedgerError(f"{path} cannot be opened: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise LedgerError(f"{path} is a folder, not a ledger")
    if not stat.S_ISREG(status.st_mode):
        raise LedgerError(f"{path} is not a regular file")
    if not os.access(path, os.R_OK if read_only else os.R_OK | os.W_OK):
        raise LedgerError(f"{path} cannot be {'read' if read_only else 'written'}: permission denied")


def check_local(path: Path, mounts: Path) -> None:
    """Refuses a filesystem of another machine, as far as the system tells (Linux does).

    Args:
        path: The ledger, made or not.
        mounts: /proc/self/mountinfo, or what stands in for it.

    Raises:
        LedgerError: The path lies on a network filesystem.
    """
    kind = _filesystem(Path(os.path.realpath(path)), mounts)
    if kind is not None and _NETWORK.fullmatch(kind):
        raise LedgerError(
            f"{path} lies on a network filesystem ({kind}), where locks do not hold and a budget could be spent twice",
            hint="Put the ledger on a disk of the one machine that everybody's queries run on.",
        )


def _filesystem(path: Path, mounts: Path) -> str | None:
    """Type of the filesystem that a path lies on: the deepest mount above it, the latest of those mounted there."""
    try:
        lines = mounts.read_bytes().split(b"\n")
    except OSError:
        return None
    best, kind = -1, None
    target = os.fsencode(path)
    for line in lines:
        before, separator, after = line.partition(b" - ")  # optional fields of any number end with a single dash
        fields = before.split()
        if not separator or len(fields) < 5 or not after.split():
            continue
        point = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 0xFF]), fields[4]).rstrip(b"/")
        if (target == point or target.startswith(point + b"/")) and len(point) >= best:
            best, kind = len(point), after.split()[0].decode("ascii", "replace").lower()
    return kind


@contextlib.contextmanager
def writers_turn(path: Path) -> Iterator[None]:
    """Waits for this process's turn to write: the kernel wakes who waits, where SQLite would sleep and try again.

    The lock is on a file of its own: a POSIX lock on the ledger's own file would be lost, and SQLite's locks with it,
    as soon as any descriptor of that file is closed in this process.

    Args:
        path: The ledger, its links resolved; the lock is beside it.

    Raises:
        LedgerError: The lock's file cannot be opened.
    """
    if sys.platform == "win32":
        yield  # SQLite's own lock keeps writers apart there, without the queue
        return
    descriptor = _lock_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lock_file(path: Path) -> int:
    """The lock's file, opened anew for each turn, so that no child of this process keeps the lock by inheritance."""
    name = os.fspath(path) + _LOCK_SUFFIX
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        try:
            return os.open(name, flags)
        except FileNotFoundError:
            ledger = path.stat()
            descriptor = os.open(name, flags | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # another's lock, made in the meantime
                os.fchmod(descriptor, ledger.st_mode & 0o666)  # whoever may write the ledger may wait for it
                if os.geteuid() == 0:
                    os.fchown(descriptor, ledger.st_uid, ledger.st_gid)
            return descriptor
    except OSError as error:
        raise LedgerError(f"{name} cannot be opened: {error.strerror}") from None


class Watched:
    """The files that make up an open ledger, so that one that was moved, removed or exchanged is noticed.

    What is written to a file without a name is lost when the last program closes it, and nobody else sees it.

    Args:
        path: As the user named it, absolute. Links are followed anew at every look.
        sides: The suffixes of files that SQLite keeps beside it while it is open.
    """

    def __init__(self, path: Path, sides: tuple[str, ...]) -> None:
        real = os.path.realpath(path)
        self._names = (os.fspath(path), *(real + side for side in sides))
        self._seen = self._look()

    def _look(self) -> list[tuple[int, int] | None]:
        return [_identity(name) for name in self._names]

    def check(self) -> None:
        """Looks again.

        Raises:
            LedgerError: A file is not the one that was opened.
        """
        if self._look() != self._seen:
            raise LedgerError(
                f"{self._names[0]} was moved, removed or exchanged while it was open",
                hint="Nothing is answered. Put the file back, look at it with: privkit budget verify",
            )


def _identity(name: str) -> tuple[int, int] | None:
    try:
        status = os.stat(name)  # noqa: PTH116  # twice a charge: no Path is made for it
    except OSError:
        return None
    return status.st_dev, status.st_ino


def sync_folder(folder: Path) -> None:
    """Makes a new name durable where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
