"""Sources: what the user named, as parts, and each part as blocks."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from privkit.errors import InputError, UsageError
from privkit.io.blocks import Block, Compression, Dialect, Format, Part, arrow_blocks
from privkit.io.compressed import read_pieces
from privkit.io.decoding import checked_encoding, utf8_pieces
from privkit.io.frames import Frame
from privkit.io.partfile import PartFile, delimited, not_empty, opened, plain_blocks
from privkit.io.textfile import TEXT_SCHEMA

__all__ = ["Block", "Compression", "Dialect", "Format", "Part", "Source", "format_of", "open_source"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".txt": "txt",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gz", ".zst": "zst"}
_KNOWN = f"{', '.join(_FORMATS)}; all but .parquet also with .gz or .zst after it"
_SAMPLED_PARTS = 8
_STDIN = "standard input"


class Source(ABC):
    """Something to read: one file, many files of one kind, standard input, or data in memory.

    Attributes:
        description: As the user named it.
        parts: The files, sorted by name.
        format: Of all parts.
        dialect: Of the first part.
        consumed: Bytes read so far by `blocks` (compressed, where a part is).
        total: The same when all is read; None where it is not known.
        partitioned: Whether the user named a folder or a glob, be it of one file.
        resumable: Whether another run can read the same again.
        skipped: Names of files in the folder that were left out because their extension is unknown.
    """

    description: str
    parts: tuple[Part, ...]
    format: Format
    dialect: Dialect = Dialect()
    consumed: int = 0
    total: int | None = None
    partitioned: bool = False
    resumable: bool = False
    skipped: tuple[str, ...] = ()

    @abstractmethod
    def schema(self) -> pa.Schema | None:
        """The columns, nullable and with plain types; None for JSON Lines."""

    @abstractmethod
    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        """The head of the source; of many parts, the heads of up to eight, evenly spread.

        Can be called again, also on standard input as long as `blocks` was not.

        Args:
            rows: At most so many rows in all.
            bytes: No further block once so many bytes were taken.

        Raises:
            InputError: What was read is not what it says it is.
        """

    @abstractmethod
    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        """The blocks of a part, the same each time.

        Args:
            part: Index in `parts`.
            skip: So many blocks are read and left out.

        Raises:
            InputError: The part is broken, or has other columns than the first one.
        """

    def file(self, part: int) -> PartFile | None:  # noqa: ARG002 - of those that have files
        """A part as a file that any process can read for itself; None where it is none.

        Args:
            part: Index in `parts`.
        """
        return None

    @abstractmethod
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 by which a later run knows the source again; random where it cannot."""


def open_source(
    spec: str | Path, *, format: Format | None = None, encoding: str = "utf-8", max_expansion: float = 200.0
) -> Source:
    """Opens a file, a folder, a glob, or standard input (`-`), and looks at the beginning of each part.

    In a folder, and in folders inside it, files and folders whose names begin with `.` or `_` are left out, and so
    are files whose extension is unknown (`Source.skipped`), unless `format` is given. A pipe is read like standard
    input: once, from start to end, without being stored.

    Args:
        spec: The path, the pattern, or `-`.
        format: What it holds; found by extension when None.
        encoding: Of text formats; any of Python's text encodings. A byte order mark is understood.
        max_expansion: Largest ratio of decompressed to compressed size, looked at once 64 MiB came out.

    Raises:
        InputError: Missing, empty, unreadable, undecodable, cut, or not of the format that its name tells.
        ColumnError: A column name or path stands twice.
        UsageError: An unknown extension, format or encoding; several formats in one folder; Parquet from a pipe.
    """
    if not max_expansion >= 1:
        raise UsageError("--max-expansion must be 1 or more")
    encoding = checked_encoding(encoding)
    if str(spec) == "-":
        return _stream(sys.stdin.buffer, "-", _STDIN, None, format, encoding, max_expansion)
    if not str(spec):
        raise UsageError("the source's name is empty", hint="Name a file or a folder, or `-` for standard input.")
    path = Path(spec)
    mode = _mode(path)
    if mode is None:
        if not glob.has_magic(str(spec)):
            raise InputError(
                f"{spec}: no such file or folder",
                path=str(spec),
                hint=_looked_for(),
            )
        base, found = _globbed(str(spec))
        return _many(str(spec), base, found, format, encoding, max_expansion)
    if stat.S_ISDIR(mode):
        return _many(str(spec), path, _walked(path), format, encoding, max_expansion)
    if not stat.S_ISREG(mode):
        compression = format_of(path.name)[1]
        known = format or format_of(path.name)[0]
        return _stream(opened(path, str(spec)), str(spec), str(spec), compression, known, encoding, max_expansion)
    return _FileSource(str(spec), (_part(path, path.name, format),), encoding, max_expansion)


def format_of(name: str) -> tuple[Format | None, Compression | None]:
    """What a file's extension says that it holds, and what it is wrapped in; None for what it does not say."""
    extension, compression = _extensions(name)
    return _FORMATS.get(extension), compression


def _extensions(name: str) -> tuple[str, Compression | None]:
    path = Path(name.lower())
    compression = _COMPRESSIONS.get(path.suffix)
    return (path.suffix if compression is None else path.with_suffix("").suffix), compression


class _FileSource(Source):
    """Files on disk, which can be read again at will."""

    resumable = True

    def __init__(
        self,
        description: str,
        parts: tuple[Part, ...],
        encoding: str,
        max_expansion: float,
        *,
        partitioned: bool = False,
        skipped: tuple[str, ...] = (),
    ) -> None:
        self.description = description
        self.parts = parts
        self.format = parts[0].format
        self.total = sum(part.bytes or 0 for part in parts)
        self.partitioned = partitioned
        self.skipped = skipped
        first = PartFile(parts[0], 0, encoding, max_expansion)
        self._schema, self.dialect = first.shape()
        self._files = tuple(
            PartFile(part, index, encoding, max_expansion, self._schema, parts[0].label)
            for index, part in enumerate(parts)
        )
        for file in self._files[1:]:
            file.compare(file.shape()[0])

    def schema(self) -> pa.Schema | None:
        return self._schema

    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        wanted = min(_SAMPLED_PARTS, len(self.parts))
        step = (len(self.parts) - 1) / max(wanted - 1, 1)
        frames: list[Frame] = []
        for i in range(wanted):
            blocks = self._files[round(i * step)].blocks()
            frames.extend(_head(blocks, max(rows // wanted, 1), bytes // wanted))
        return tuple(frames)

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        return (block for block in self._files[part].blocks(self._count) if block.index >= skip)

    def file(self, part: int) -> PartFile:
        return self._files[part]

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in self.parts:
            assert part.path is not None
            with opened(part.path, part.label) as file:
                state = os.fstat(file.fileno())
                head = file.read(1 << 20)
                file.seek(max(state.st_size - (1 << 20), 0))
                for field in (os.fsencode(part.name), b"%d %d" % (state.st_size, state.st_mtime_ns), head, file.read()):
                    digest.update(b"%d:" % len(field) + field)
        return digest.hexdigest()

    def _count(self, size: int) -> None:
        self.consumed += size


class _StreamSource(Source):
    """Standard input or a pipe: read once, never stored on disk."""

    def __init__(self, description: str, part: Part, file: BinaryIO, encoding: str, max_expansion: float) -> None:
        self.description = description
        self.parts = (part,)
        self.format = part.format
        self._schema: pa.Schema | None = None
        raw = read_pieces(file, part.label, part.compression, max_expansion=max_expansion, counted=self._count)
        if file is not sys.stdin.buffer:
            raw = _closing(file, raw)
        pieces = not_empty(utf8_pieces(raw, part.label, encoding), part.label)
        if part.format in ("csv", "tsv"):
            table = delimited(pieces, part)
            self._schema = table.schema
            self.dialect = Dialect(table.delimiter, table.newline)
            self._live = arrow_blocks(table.batches(), 0, part.label)
        else:
            self._schema = TEXT_SCHEMA if part.format == "txt" else None
            self._live = plain_blocks(pieces, part, 0)
        self._seen: list[Block] = []
        self._given_out = False

    def schema(self) -> pa.Schema | None:
        return self._schema

    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        self._refuse_second()
        return tuple(_head(self._remembered(), rows, bytes))

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        if part != 0:
            raise IndexError(part)
        self._refuse_second()
        self._given_out = True
        return (block for block in self._replayed() if block.index >= skip)

    def fingerprint(self) -> str:
        return secrets.token_hex(32)

    def _count(self, size: int) -> None:
        self.consumed += size

    def _refuse_second(self) -> None:
        if self._given_out:
            raise UsageError(f"{self.parts[0].name} can be read only once")

    def _remembered(self) -> Iterator[Block]:
        yield from self._seen
        for block in self._live:
            self._seen.append(block)
            yield block

    def _replayed(self) -> Iterator[Block]:
        self._seen.reverse()
        while self._seen:
            yield self._seen.pop()
        yield from self._live


def _head(blocks: Iterator[Block], rows: int, size: int) -> Iterator[Frame]:
    """Frames of the first `rows` rows, or of those in the first `size` bytes."""
    for block in blocks:
        yield block.frame().head(rows)
        rows -= block.rows
        size -= len(block.payload)
        if rows <= 0 or size <= 0:
            return


def _closing(file: BinaryIO, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with file:
        yield from pieces


def _looked_for() -> str:
    try:
        return f"Names are looked for from the current folder, {Path.cwd()}."
    except OSError:
        return "The current folder does not exist any more: change to another one."


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None


def _stream(
    file: BinaryIO,
    description: str,
    name: str,
    compression: Compression | None,
    format: Format | None,
    encoding: str,
    max_expansion: float,
) -> Source:
    if format is None:
        raise UsageError(f"what {name} holds must be said", hint="Add --format csv, tsv, jsonl or txt.")
    if format == "parquet":
        raise UsageError(f"Parquet cannot be read from {name}, only from a file", hint="Save it to a file first.")
    return _StreamSource(description, Part(None, name, format, compression), file, encoding, max_expansion)


def _part(path: Path, name: str, format: Format | None) -> Part:
    found, compression = format_of(path.name)
    kind = format or found
    if kind is None:
        raise UsageError(
            f"{path}: what it holds is not known from its name",
            hint=f"Known are {_KNOWN}. Or say what it is with --format.",
        )
    if kind == "parquet" and compression is not None:
        raise UsageError(f"{path}: Parquet inside .{compression} is not read", hint="Decompress it first.")
    try:
        size = path.stat().st_size
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror})", path=str(path)) from None
    return Part(path, name, kind, compression, size)


def _many(
    description: str, base: Path, found: Iterable[Path], format: Format | None, encoding: str, max_expansion: float
) -> Source:
    named = sorted((path.relative_to(base).as_posix(), path) for path in found)
    readable = [(name, path) for name, path in named if format is not None or format_of(name)[0] is not None]
    skipped = tuple(name for name, _ in named if format is None and format_of(name)[0] is None)
    if not readable:
        what = "no file that can be read" if skipped else "no file"
        raise InputError(f"{description}: {what} in it", path=description, hint=f"Known are {_KNOWN}.")
    parts = tuple(_part(path, name, format) for name, path in readable)
    if len({part.format for part in parts}) > 1:
        kinds = ", ".join(sorted({_extensions(part.name)[0] or "(none)" for part in parts}))
        raise UsageError(
            f"{description}: files of several formats ({kinds})",
            hint="Name those of one format, for example with a pattern such as 'folder/*.csv'.",
        )
    return _FileSource(description, parts, encoding, max_expansion, partitioned=True, skipped=skipped)


def _walked(folder: Path) -> Iterator[Path]:
    def refuse(err: OSError) -> None:
        raise InputError(f"{err.filename}: cannot be read ({err.strerror})", path=str(err.filename))

    for at, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        yield from (Path(at, name) for name in _regular(Path(at), files))


def _regular(folder: Path, names: Sequence[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith((".", "_")) and (folder / name).is_file())


def _globbed(pattern: str) -> tuple[Path, set[Path]]:
    """The folder before the first wildcard, and the files that match (a folder that matches gives those in it)."""
    steps = Path(pattern).parts
    first = next(i for i, step in enumerate(steps) if glob.has_magic(step))
    base = Path(*steps[:first])
    found: set[Path] = set()
    for path in base.glob("/".join(steps[first:])):
        if any(step.startswith((".", "_")) for step in path.relative_to(base).parts):
            continue
        found.update(_walked(path) if path.is_dir() else {path} if path.is_file() else ())
    if not found:
        raise InputError(
            f"{pattern}: no file matches",
            path=pattern,
            hint=_looked_for(),
        )
    return base, found
