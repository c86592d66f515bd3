"""The key of a run: 32 secret bytes, in a file that only its owner can read.

Whoever holds the file can turn every reversible pseudonym back into its value, and whoever loses it never can again.
Everything that a run draws on is derived from these bytes with HKDF-SHA256 (RFC 5869), one purpose at a time, so no
derived key tells anything about another.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import re
import stat
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privkit.errors import KeyFileError

SECRET_BYTES = 32
_SALT = b"privkit key v1"
_MAX_FILE_BYTES = 4096
_LINE = re.compile(r"(?P<name>id|secret)[ \t]*:[ \t]*(?P<value>\S+)")
_TEXT = """\
# privkit key. Whoever has this file can reverse the pseudonyms made with it; without it nobody can, ever.
# Keep a copy in a safe place, apart from the data. Do not send it with the data, and do not change it.
id: {id}
secret: {secret}
"""


class Key:
    """A secret and what is derived from it.

    Made by `new`, `load`, `ephemeral` or `from_secret`. It shows its id, never its bytes, and refuses to be pickled
    or copied: `secret` is the only way out.

    Attributes:
        kept: Whether the secret outlives the run, so that reversible tokens make sense.
    """

    _secret: bytes
    kept: bool

    def __init__(self) -> None:
        raise TypeError("a Key is made by Key.new, Key.load, Key.ephemeral or Key.from_secret")

    @staticmethod
    def from_secret(secret: bytes, kept: bool) -> Key:
        """A key from bytes that another key's `secret` gave, e.g. in a worker process.

        Args:
            secret: 32 bytes.
            kept: Whether the key stands in a file.

        Raises:
            KeyFileError: Not 32 bytes.
        """
        if len(secret) != SECRET_BYTES:
            raise KeyFileError(f"a key has {SECRET_BYTES} bytes, not {len(secret)}")
        key = object.__new__(Key)
        key._secret = bytes(secret)
        key.kept = kept
        return key

    @staticmethod
    def ephemeral() -> Key:
        """A key for one run, kept nowhere."""
        return Key.from_secret(os.urandom(SECRET_BYTES), kept=False)

    @staticmethod
    def new(path: str | os.PathLike[str]) -> Key:
        """Makes a key and writes its file, readable by its owner alone (mode 0600), never over another file.

        Args:
            path: Where to write it; the folder must exist.

        Raises:
            KeyFileError: The file exists, or cannot be written.
        """
        key = Key.from_secret(os.urandom(SECRET_BYTES), kept=True)
        text = _TEXT.format(id=key.id, secret=base64.b64encode(key._secret).decode())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            raise KeyFileError(
                f"{os.fspath(path)} exists: a key is never overwritten",
                hint="Take another name. A key that was written over is lost, and with it every value it protects.",
            ) from None
        except OSError as error:
            raise KeyFileError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None
        try:
            with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), 0o600)  # whatever the umask was
                os.fsync(file.fileno())
            _sync_folder(Path(path).absolute().parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(path).unlink()
            raise KeyFileError(f"{os.fspath(path)} cannot be written: {error.strerror}") from None
        return key

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Key:
        """Reads a key file.

        Args:
            path: A file that `new` wrote.

        Raises:
            KeyFileError: The file is missing, not a regular file, open to others, empty, or damaged.
        """
        return _parsed(_read_private(path), os.fspath(path))

    @cached_property
    def id(self) -> str:
        """Public name of the key: 8 hexadecimal digits that tell nothing about the secret."""
        return self.derive("key id", 4).hex()

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """A key of its own for one purpose: HKDF-SHA256 of the secret, with the purpose as `info` (RFC 5869).

        Args:
            purpose: What it is for; different purposes give independent keys.
            length: Bytes, 1 to 8160.
        """
        return HKDF(SHA256(), length, _SALT, purpose.encode()).derive(self._secret)

    def secret(self) -> bytes:
        """The 32 secret bytes, for handing the key to a process of the same run; never for a file or a message."""
        return self._secret

    def __repr__(self) -> str:
        return f"Key(id={self.id!r}, kept={self.kept})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return self.kept == other.kept and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash((self.id, self.kept))

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Key is not pickled or copied; hand its secret() to a process of the same run")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def _read_private(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file that nobody but its owner can open; checked on the open file, not on its name."""
    name = os.fspath(path)
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise KeyFileError(f"{name}: no such key file", hint=f"Make one with: privkit key new {name}") from None
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise KeyFileError(f"{name} is a folder, not a key file")
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{name} is not a regular file")
        if os.name == "posix" and status.st_mode & 0o077:
            raise KeyFileError(
                f"{name} can be opened by others (mode {stat.S_IMODE(status.st_mode):04o})",
                hint=f"Close it with: chmod 600 {name}",
            )
        return os.read(descriptor, _MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _parsed(content: bytes, name: str) -> Key:
    if not content.strip():
        raise KeyFileError(
            f"{name} is empty", hint="Restore it from a copy. A new key does not reverse old pseudonyms."
        )
    fields: dict[str, str] = {}
    for raw in content.split(b"\n"):
        line = raw.decode("ascii", errors="replace").strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match["name"] in fields:
            raise _damaged(name)
        fields[match["name"]] = match["value"]
    try:
        secret = base64.b64decode(fields["secret"], validate=True)
    except (KeyError, binascii.Error, ValueError):
        raise _damaged(name) from None
    if len(content) > _MAX_FILE_BYTES or len(secret) != SECRET_BYTES:
        raise _damaged(name)
    key = Key.from_secret(secret, kept=True)
    if fields.get("id") != key.id:
        raise _damaged(name)
    return key


def _damaged(name: str) -> KeyFileError:
    return KeyFileError(
        f"{name} is not a privkit key file, or it is damaged", hint="Restore it from a copy made when it was new."
    )


def _sync_folder(folder: Path) -> None:
    """Makes the new name durable where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
