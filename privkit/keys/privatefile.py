"""Files that only their owner can open: how key and identity files are written and read."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import NamedTuple

from privkit.errors import KeyFileError

MAX_FILE_BYTES = 4096


class Kind(NamedTuple):
    """What a private file is called in messages.

    Attributes:
        noun: "key", "identity".
        article: The one that goes with it.
        why_kept: What is lost with a file that was written over.
        command: The command that makes one.
    """

    noun: str
    article: str
    why_kept: str
    command: str


def write_private(path: str | os.PathLike[str], content: str | bytes, kind: Kind) -> None:
    """Writes a new file, readable by its owner alone (mode 0600), never over another and never through a link.

    Args:
        path: Where to write it; the folder must exist.
        content: All of it; text is written as UTF-8.
        kind: What it is called in messages.

    Raises:
        KeyFileError: The file exists, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{os.fspath(path)} exists: {kind.article} {kind.noun} is never overwritten",
            hint=f"Take another name. {kind.why_kept}",
        ) from None
    except OSError as error:
        raise KeyFileError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fchmod(file.fileno(), 0o600)  # whatever the umask was
            os.fsync(file.fileno())
        sync_folder(Path(path).absolute().parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(path).unlink()
        raise KeyFileError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None


def replace_private(path: str | os.PathLike[str], content: str | bytes, kind: Kind) -> None:
    """Writes a private file in the place of one that is there; whoever reads it sees the old one or the new one.

    Raises:
        KeyFileError: It cannot be written.
    """
    place = Path(path)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    write_private(temporary, content, kind)
    try:
        temporary.replace(place)
        sync_folder(place.absolute().parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise KeyFileError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None


def destroy_private(path: str | os.PathLike[str]) -> None:
    """Overwrites a private file and removes it.

    What a disk keeps of what was overwritten, and what a backup or a snapshot has of it, is out of reach.

    Raises:
        KeyFileError: It cannot be removed.
    """
    try:
        with Path(path).open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        Path(path).unlink()
        sync_folder(Path(path).absolute().parent)
    except OSError as error:
        raise KeyFileError(
            f"{os.fspath(path)} cannot be removed: {error.strerror}", hint="Remove it yourself: it is of no more use."
        ) from None


def read_private(path: str | os.PathLike[str], kind: Kind, most: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file that nobody but its owner can open; checked on the open file, not on its name.

    Args:
        path: The file.
        kind: What it is called in messages.
        most: How many bytes it may have.

    Returns:
        At most `most` + 1 bytes: more than `most` are too many.

    Raises:
        KeyFileError: The file is missing, not a regular file, or open to others.
    """
    name = os.fspath(path)
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise KeyFileError(f"{name}: no such {kind.noun} file", hint=f"Make one with: {kind.command} {name}") from None
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read: {error.strerror}") from None
    try:
        _check_closed(os.fstat(descriptor), name, kind)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most + 1)
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _check_closed(status: os.stat_result, name: str, kind: Kind) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise KeyFileError(f"{name} is a folder, not {kind.article} {kind.noun} file")
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{name} is not a regular file")
    if os.name == "posix" and status.st_mode & 0o077:
        raise KeyFileError(
            f"{name} can be opened by others (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"Close it with: chmod 600 {name}",
        )


def sync_folder(folder: Path) -> None:
    """Makes the new name durable where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def from_base64(text: str) -> bytes:
    """The bytes that `text` is the one Base64 spelling of: the last character could hold spare bits that say nothing.

    Raises:
        ValueError: It is no Base64, or another spelling.
    """
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError("not the one spelling of these bytes")
    return content
