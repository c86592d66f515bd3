"""Small files that a run writes beside its output: prepared in full, then given their names together."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from privkit.errors import OutputError


class Staged:
    """Texts that wait beside their places until `publish`; use it as a context manager, which removes what waits.

    So a disk that is full, or a folder that is closed, is found out while the run can still end without output.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, Path]] = []

    def add(self, path: Path, text: str) -> None:
        """Writes `text` to the disk, under a hidden name in the folder of `path`.

        Raises:
            OutputError: It cannot be written.
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        self._waiting.append((temporary, path))
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise _refused(path, err) from None

    @contextmanager
    def open(self, path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
        """A file that is written in the block, under a hidden name in the folder of `path`, and waits like the others.

        Args:
            path: Where it will be.
            private: Whether nobody but its owner may open it (mode 0600).

        Raises:
            OutputError: It cannot be written.
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        self._waiting.append((temporary, path))
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            descriptor = os.open(temporary, flags, 0o600 if private else 0o666)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise _refused(path, err) from None

    def publish(self) -> None:
        """Gives every file its name; a reader sees the old file or the new one, never a part.

        Raises:
            OutputError: A name cannot be given.
        """
        while self._waiting:
            temporary, path = self._waiting[0]
            try:
                temporary.replace(path)
            except OSError as err:
                raise _refused(path, err) from None
            del self._waiting[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for temporary, _ in self._waiting:
            temporary.unlink(missing_ok=True)
        self._waiting.clear()


NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
"""What a filesystem without hard links answers: some network shares, FAT."""


def give_new_name(temporary: Path, path: Path) -> None:
    """Gives a file a name that is free, whole or not at all; its temporary name may stay.

    A link, unlike a rename, never replaces a file that appeared in the meantime. Where there are no links, it is looked
    whether the name is free, and renamed.

    Raises:
        FileExistsError: The name is taken.
        OSError: It cannot be given.
    """
    try:
        path.hardlink_to(temporary)
    except OSError as err:
        if err.errno not in NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)


def check_place(path: Path, what: str, *, force: bool) -> None:
    """Refuses a place for a small file before a long run, where it would be refused after it.

    Args:
        path: Where it is to be written.
        what: What it is called in messages.
        force: Whether a file that exists may be replaced.

    Raises:
        OutputError: The file exists and `force` is not given, or its folder is missing or closed.
    """
    if path.is_dir():
        raise OutputError(f"{what} {path} cannot be written: it is a folder", hint="Name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(
            f"{what} {path} cannot be written: the folder {path.parent} does not exist",
            hint=f"Create it first: mkdir -p {path.parent}",
        )
    if path.exists() and not path.is_file():
        raise OutputError(f"{what} {path} cannot be written: it is not a regular file", hint="Name another file.")
    if path.exists() and not force:
        raise OutputError(f"{what} {path} exists already", hint="Give another name, or --force to replace it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"{what} {path} cannot be written: the folder {path.parent} is closed to you", hint="Name another folder."
        )


def _refused(path: Path, err: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({err.strerror})", hint=f"Is there room in {path.parent}?")
