"""What one side of a study keeps to itself: secrets, and what it sent, in a folder beside its identity's file.

Files are written once, whole, durable, readable by their owner alone. A message is kept here before anyone else sees
it, so that what is sent again after a crash is what was sent.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privkit.errors import KeyFileError, OutputError, StudyError
from privkit.io.alone import alone
from privkit.io.staged import give_new_name
from privkit.keys.privatefile import Kind, destroy_private, read_private, sync_folder, write_private

_LARGEST = 1 << 31  # bytes of a kept file
_LOCK = ".lock"
_KIND = Kind(
    noun="study",
    article="a",
    why_kept="What a study keeps is written once.",
    command="privkit study join",
)


class State:
    """The private folder of one identity in one session.

    Args:
        folder: Made when something is first kept; mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def beside(identity: Path, session: str) -> State:
        """The folder of a session beside an identity's file: `north.identity.studies/SESSION`."""
        return State(identity.absolute().with_name(f"{identity.name}.studies") / session)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While one process works on a session, no other does with the same identity.

        Raises:
            StudyError: Another one does.
            OutputError: The folder cannot be made or written.
        """
        self._make()
        busy = StudyError("another process works on this study with the same identity", hint="Wait until it is done.")
        with alone(self.folder / _LOCK, busy):
            self._clear()
            yield

    def _clear(self) -> None:
        """Removes what a run that was killed left unfinished: its files had no names yet, so nobody has seen them."""
        for path in self.folder.glob(".*"):
            if path.name != _LOCK:
                path.unlink(missing_ok=True)

    def get(self, name: str) -> bytes | None:
        """What was kept under a name.

        Raises:
            KeyFileError: It is open to others, or cannot be read.
        """
        return read_private(self.folder / name, _KIND, _LARGEST) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Whether something is kept under a name."""
        return os.path.lexists(self.folder / name)

    def keep(self, name: str, content: bytes) -> None:
        """Keeps something under a name that is free; durable when it returns.

        Raises:
            OutputError: It cannot be written, or the name is taken.
        """
        self._make()
        waiting = self.folder / f".{name}.{secrets.token_hex(4)}"
        try:
            write_private(waiting, content, _KIND)
            give_new_name(waiting, self.folder / name)
        except KeyFileError as err:
            message = err.message.replace(str(waiting), str(self.folder / name))
            raise OutputError(message, hint=f"Is there room in {self.folder}?") from None
        except OSError as err:
            raise OutputError(f"{self.folder / name} cannot be written: {err.strerror}") from None
        finally:
            waiting.unlink(missing_ok=True)
        sync_folder(self.folder)

    def destroy(self, name: str) -> None:
        """Writes over a file and removes it; what is not there is destroyed already.

        A disk or filesystem that keeps old blocks (flash, snapshots, backups) may still hold them: nothing in a
        program can hinder that.
        """
        path = self.folder / name
        if os.path.lexists(path):
            destroy_private(path)

    def _make(self) -> None:
        try:
            self.folder.parent.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
                sync_folder(self.folder.parent)
        except OSError as err:
            raise OutputError(f"{self.folder} cannot be made: {err.strerror}") from None
