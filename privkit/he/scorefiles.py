"""Files of private scoring: a line of canonical JSON that says what follows, then parts with their lengths before them.

    key      who has it can decrypt: specification, batch it was used for; one part, the secret key
    batch    what the client sends: specification, key's id, rows; the public key, then each block's features
    answer   what comes back: hashes of batch and specification, key's id; one part a block

An answer names its batch by SHA-256, and the key names the batch that it encrypted: so an answer to anything else, or
to a batch that was changed on the way, is found out before it is decrypted.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from privkit.errors import CiphertextError
from privkit.model.canonical import canonical_json
from privkit.model.scoring import ScoringSpec

_LONGEST_HEADER = 1 << 20
_LENGTH = struct.Struct("<Q")
Hash = Field(pattern="^[0-9a-f]{64}$")


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KeyHeader(_Header):
    """What stands before a secret key.

    Attributes:
        format: What the file is.
        spec: What the key was made for.
        batch: SHA-256 of the batch that was encrypted with it; None as long as there is none.
        rows: How many rows the batch has.
    """

    format: Literal["privkit scoring key 1"] = "privkit scoring key 1"
    spec: ScoringSpec
    batch: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    rows: int | None = Field(default=None, ge=1)


class BatchHeader(_Header):
    """What stands before encrypted rows.

    Attributes:
        format: What the file is.
        spec: What is asked for.
        key: The key's id.
        rows: How many rows.
    """

    format: Literal["privkit scoring batch 1"] = "privkit scoring batch 1"
    spec: ScoringSpec
    key: str = Hash
    rows: int = Field(ge=1)


class AnswerHeader(_Header):
    """What stands before encrypted scores.

    Attributes:
        format: What the file is.
        spec: SHA-256 of the specification's canonical JSON.
        batch: SHA-256 of the batch.
        key: The key's id.
        rows: How many rows.
    """

    format: Literal["privkit scoring answer 1"] = "privkit scoring answer 1"
    spec: str = Hash
    batch: str = Hash
    key: str = Hash
    rows: int = Field(ge=1)


Header = TypeVar("Header", bound=_Header)


class PartWriter:
    """Writes one of these files, and hashes what it writes.

    Args:
        file: Where to.
        header: What it is.
    """

    def __init__(self, file: BinaryIO, header: _Header) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0
        self._write(canonical_json(header) + b"\n")

    def part(self, content: bytes) -> None:
        """Writes one part."""
        self._write(_LENGTH.pack(len(content)))
        self._write(content)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, 64 hexadecimal digits."""
        return self._digest.hexdigest()

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)


class PartReader(Generic[Header]):
    """Reads one of these files from start to end, and hashes what it reads.

    Args:
        file: Where from.
        header: What it has to be.
        name: What the file is called in messages.

    Raises:
        CiphertextError: It is another file, or its first line is not its own canonical encoding.
    """

    def __init__(self, file: BinaryIO, header: type[Header], name: str) -> None:
        self._file, self._name, self._digest = file, name, hashlib.sha256()
        line = self._hashed(file.readline(_LONGEST_HEADER))
        try:
            self.header: Header = header.model_validate_json(line)
        except ValidationError:
            raise self.refused(f"it is no {header.model_fields['format'].default!r}") from None
        if line != canonical_json(self.header) + b"\n":
            raise self.refused("its first line is not the one encoding of what it says")

    def part(self, most: int) -> bytes:
        """The next part.

        Args:
            most: How many bytes it may have.

        Raises:
            CiphertextError: There is none, or it is longer, or cut off.
        """
        head = self._hashed(self._file.read(_LENGTH.size))
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else None
        if length is None or length > most:
            raise self.refused("it is cut off, or a part is longer than anything that fits")
        content = self._hashed(self._file.read(length))
        if len(content) != length:
            raise self.refused("it is cut off")
        return content

    def end(self) -> None:
        """Refuses what is left.

        Raises:
            CiphertextError: Something is.
        """
        if self._file.read(1):
            raise self.refused("something follows its end")

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read, 64 hexadecimal digits."""
        return self._digest.hexdigest()

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Around work on the parts: what does not fit is said of this file.

        Raises:
            CiphertextError: In the place of another.
        """
        try:
            yield
        except CiphertextError as err:
            if err.message.startswith(f"{self._name}: "):
                raise
            raise self.refused(err.message) from None

    def refused(self, why: str) -> CiphertextError:
        """An error that names the file."""
        return CiphertextError(f"{self._name}: {why}")

    def _hashed(self, content: bytes) -> bytes:
        self._digest.update(content)
        return content
