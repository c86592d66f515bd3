"""A study as a folder that its parties exchange by any means: one file a message, each verified whenever it is read.

flu/invitation.bin                 the key holder's manifest and public contexts
flu/share-north.bin …              each party's agreement
flu/contribution-north.bin …       each party's encrypted vectors
flu/aggregate.bin                  their sum
flu/result.bin                     what it held, signed by the key holder
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from privkit.errors import InputError, OutputError, StudyError, VerificationError
from privkit.io.staged import give_new_name
from privkit.keys.privatefile import sync_folder
from privkit.study.messages import Aggregate, Contribution, Invitation, Message, Reveal, Share

_MOST_BYTES = 1 << 31
_END = ".bin"
_INVITATION, _AGGREGATE, _RESULT = "invitation", "aggregate", "result"

M = TypeVar("M", bound="Message[Any]")


class Folder:
    """The messages of one study, as files.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def new(path: Path, invitation: Invitation) -> Folder:
        """Makes a folder with an invitation in it.

        Raises:
            OutputError: It exists and is not an empty folder, or cannot be written.
        """
        check_new(path)
        try:
            path.mkdir(exist_ok=True)
        except OSError as err:
            raise OutputError(f"{path}: cannot be made ({err.strerror})") from None
        folder = Folder(path)
        folder.publish(invitation)
        return folder

    # ---- reading

    def invitation(self) -> Invitation:
        """The key holder's invitation; its encoding and signature hold, who signed it is not looked at."""
        found = self._read(_INVITATION, Invitation)
        if found is None:
            where = "no such folder" if not self.path.exists() else f"no {_INVITATION}{_END} in it"
            raise InputError(
                f"{self.path}: this is no study ({where})",
                path=str(self.path),
                hint="Start one with: privkit study new",
            )
        return found

    def shares(self, invitation: Invitation) -> list[Share]:
        """The shares that are there, in the order of the roster."""
        return self._each("share", Share, invitation)

    def contributions(self, invitation: Invitation) -> list[Contribution]:
        """The contributions that are there, in the order of the roster."""
        return self._each("contribution", Contribution, invitation)

    def has_contribution(self, party: str) -> bool:
        """Whether something is there under the name of a party's contribution."""
        return os.path.lexists(self.path / _of("contribution", party))

    def aggregate(self) -> Aggregate | None:
        """The aggregate, if it is there."""
        return self._read(_AGGREGATE, Aggregate)

    def reveal(self) -> Reveal | None:
        """The key holder's result, if it is there."""
        return self._read(_RESULT, Reveal)

    def places(self) -> list[Path]:
        """The files that are there, and the one of the result."""
        return [*self.path.glob(f"*{_END}"), self.path / f"{_RESULT}{_END}"]

    def size(self) -> int:
        """Bytes of all messages."""
        return sum(path.stat().st_size for path in self.path.glob(f"*{_END}") if path.is_file())

    def _each(self, what: str, kind: Callable[..., Any], invitation: Invitation) -> list[Any]:
        """Each party's message; a file that is nobody's on the roster, or another party's, is refused."""
        names = invitation.body.names
        strangers = {path.name for path in self.path.glob(f"{what}-*{_END}")} - {_of(what, name) for name in names}
        if strangers:
            first = sorted(strangers)[0]
            who = first.removeprefix(f"{what}-").removesuffix(_END)
            raise VerificationError(f"{first}: {who} is not on the study's roster", hint="Remove the file.")
        found = []
        for name in names:
            message = self._read(f"{what}-{name}", kind)  # type: ignore[arg-type]
            if message is None:
                continue
            if message.body.party != name:
                raise VerificationError(f"{_of(what, name)} is a {what} of {message.body.party}")
            found.append(message)
        return found

    def _read(self, name: str, kind: type[M]) -> M | None:
        path = self.path / f"{name}{_END}"
        content = _content(path)
        return None if content is None else kind.from_bytes(content, path.name)

    # ---- writing

    def publish(self, message: Message[Any]) -> bool:
        """Writes a message's file, whole or not at all; a file that is there already is never replaced.

        Returns:
            Whether it was not there before.

        Raises:
            StudyError: The file is there and holds something else.
            InputError: Something is there that cannot be read.
            OutputError: It cannot be written.
        """
        path = self.path / file_of(message)
        content = message.to_bytes()
        waiting = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with waiting.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            give_new_name(waiting, path)
            sync_folder(self.path)
        except FileExistsError:
            if _content(path) == content:
                return False
            raise StudyError(
                f"{path.name} is there already and is another one", hint="Look at it with: privkit study verify"
            ) from None
        except OSError as err:
            raise OutputError(
                f"{path}: cannot be written ({err.strerror})", hint=f"Is there room in {path.parent}?"
            ) from None
        finally:
            waiting.unlink(missing_ok=True)
        return True


def _content(path: Path) -> bytes | None:
    """The bytes of a regular file, if it is there: whoever shares the folder may have put anything in its place."""
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for ever.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"{path}: cannot be read (it is not a regular file)", path=str(path))
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None
    finally:
        os.close(descriptor)
    if len(content) > _MOST_BYTES:
        raise VerificationError(f"{path.name} is larger than any message of a study")
    return content


def file_of(message: Message[Any]) -> str:
    """What a message's file is called."""
    match message:
        case Share() | Contribution():
            return _of(message.kind, message.body.party)
        case Reveal():
            return f"{_RESULT}{_END}"
        case _:
            return f"{message.kind}{_END}"


def check_new(path: Path) -> None:
    """Refuses a place for a new study before anything is made.

    Raises:
        OutputError: It exists and is not an empty folder, or the folder around it is missing.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise OutputError(f"{path} exists already", hint="A study starts in a new folder: give another name.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist", hint=f"mkdir -p {path.parent}")


def _of(what: str, party: str) -> str:
    return f"{what}-{party}{_END}"
