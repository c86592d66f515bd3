"""The file of a batch's key: readable by its owner alone, for one batch, destroyed after its answer was read."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import NoReturn

from privkit.errors import CiphertextError, KeyFileError, ScoringError
from privkit.he.scorefiles import KeyHeader, PartReader, PartWriter
from privkit.he.scorekeys import SecretScoreKey
from privkit.he.scorespec import parameters_of
from privkit.keys.privatefile import Kind, destroy_private, read_private, replace_private, write_private
from privkit.model.scoring import ScoringSpec

_MOST_BYTES = 32 << 20
_KIND = Kind(
    noun="scoring key",
    article="a",
    why_kept="A key that was written over is lost, and nobody can read the answer to its batch.",
    command="privkit score keygen SPEC -o",
)


class ScoreKeyFile:
    """A key and the file that it stands in. Made by `new` or `load`; refuses to be pickled or copied.

    Attributes:
        path: The file.
        header: The specification, and the batch that the key encrypted.
        key: The key.
    """

    path: Path
    header: KeyHeader
    key: SecretScoreKey

    def __init__(self) -> None:
        raise TypeError("a ScoreKeyFile is made by ScoreKeyFile.new or ScoreKeyFile.load")

    @staticmethod
    def new(path: str | os.PathLike[str], spec: ScoringSpec, key: SecretScoreKey) -> ScoreKeyFile:
        """Writes the file of a fresh key (mode 0600), never over another file.

        Raises:
            KeyFileError: The file exists, or cannot be written.
        """
        held = ScoreKeyFile._from(Path(path), KeyHeader(spec=spec), key)
        write_private(path, held._content(), _KIND)
        return held

    @staticmethod
    def load(path: str | os.PathLike[str]) -> ScoreKeyFile:
        """Reads a key file.

        Raises:
            KeyFileError: The file is missing, not a regular file, open to others, empty or damaged.
        """
        name = os.fspath(path)
        content = read_private(path, _KIND, _MOST_BYTES)
        try:
            if len(content) > _MOST_BYTES:
                raise CiphertextError("it is too long")
            reader = PartReader(io.BytesIO(content), KeyHeader, name)
            key = SecretScoreKey.from_bytes(reader.part(_MOST_BYTES), parameters_of(reader.header.spec))
            reader.end()
        except (CiphertextError, ScoringError):
            raise KeyFileError(
                f"{name} is not a scoring key's file, or it is damaged",
                hint="Without it the answer to its batch cannot be read: make a new key and encrypt again.",
            ) from None
        return ScoreKeyFile._from(Path(path), reader.header, key)

    def used(self, batch: str, rows: int) -> None:
        """Writes down which batch the key encrypted.

        Args:
            batch: SHA-256 of the batch.
            rows: How many rows it has.

        Raises:
            KeyFileError: The file cannot be written.
        """
        self.header = KeyHeader(spec=self.header.spec, batch=batch, rows=rows)
        replace_private(self.path, self._content(), _KIND)

    def destroy(self) -> None:
        """Overwrites the file and removes it.

        Raises:
            KeyFileError: It cannot be removed.
        """
        destroy_private(self.path)

    def __repr__(self) -> str:
        return f"ScoreKeyFile(path={str(self.path)!r}, key={self.key!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a ScoreKeyFile is not pickled or copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()

    @staticmethod
    def _from(path: Path, header: KeyHeader, key: SecretScoreKey) -> ScoreKeyFile:
        held = object.__new__(ScoreKeyFile)
        held.path, held.header, held.key = path, header, key
        return held

    def _content(self) -> bytes:
        file = io.BytesIO()
        PartWriter(file, self.header).part(self.key.to_bytes())
        return file.getvalue()
