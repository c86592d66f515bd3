"""The key of a run: 32 secret bytes, in a file that only its owner can read.

Whoever holds the file can turn every reversible pseudonym back into its value, and whoever loses it never can again.
Everything that a run draws on is derived from these bytes with HKDF-SHA256 (RFC 5869), one purpose at a time, so no
derived key tells anything about another.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from functools import cached_property
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privkit.errors import KeyFileError
from privkit.keys.privatefile import MAX_FILE_BYTES, Kind, from_base64, read_private, write_private

SECRET_BYTES = 32
_SALT = b"privkit key v1"
_KIND = Kind(
    noun="key",
    article="a",
    why_kept="A key that was written over is lost, and with it every value it protects.",
    command="privkit key new",
)
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
        write_private(path, text, _KIND)
        return key

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Key:
        """Reads a key file.

        Args:
            path: A file that `new` wrote.

        Raises:
            KeyFileError: The file is missing, not a regular file, open to others, empty, or damaged.
        """
        return _parsed(read_private(path, _KIND), os.fspath(path))

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
        secret = from_base64(fields["secret"])
    except (KeyError, ValueError):
        raise _damaged(name) from None
    if len(content) > MAX_FILE_BYTES or len(secret) != SECRET_BYTES:
        raise _damaged(name)
    key = Key.from_secret(secret, kept=True)
    if fields.get("id") != key.id:
        raise _damaged(name)
    return key


def _damaged(name: str) -> KeyFileError:
    return KeyFileError(
        f"{name} is not a privkit key file, or it is damaged", hint="Restore it from a copy made when it was new."
    )
