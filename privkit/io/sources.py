"""Sources: what the user named, as parts, and each part as blocks."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from privkit.errors import InputError, UsageError
from privkit.io.blocks import Block, Compression, Dialect, Format, Part, arrow_blocks
from privkit.io.compressed import read_pieces
from privkit.io.csvfile import DelimitedText, cut_to_blocks
from privkit.io.decoding import checked_encoding, utf8_pieces
from privkit.io.frames import Frame
from privkit.io.jsonlines import line_blocks
from privkit.io.parquet import parquet_batches, parquet_schema
from privkit.io.textfile import TEXT_SCHEMA, text_batches

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
_NAMES_SHOWN = 10
_STDIN = "standard input"
_EMPTY_HINT = "Was it written to the end? A table without rows still has a header."


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
        return _stream(_open(path, str(spec)), str(spec), str(spec), compression, known, encoding, max_expansion)
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
        self._encoding = encoding
        self._max_expansion = max_expansion
        self._schema: pa.Schema | None = None
        for part in parts:
            schema, dialect = self._shape(part)
            if part is parts[0]:
                self._schema, self.dialect = schema, dialect
            else:
                self._compare(part, schema)

    def schema(self) -> pa.Schema | None:
        return self._schema

    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        wanted = min(_SAMPLED_PARTS, len(self.parts))
        step = (len(self.parts) - 1) / max(wanted - 1, 1)
        frames: list[Frame] = []
        for i in range(wanted):
            blocks = self._blocks(round(i * step), _uncounted)
            frames.extend(_head(blocks, max(rows // wanted, 1), bytes // wanted))
        return tuple(frames)

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        return (block for block in self._blocks(part, self._count) if block.index >= skip)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in self.parts:
            assert part.path is not None
            with _open(part.path, part.label) as file:
                state = os.fstat(file.fileno())
                head = file.read(1 << 20)
                file.seek(max(state.st_size - (1 << 20), 0))
                for field in (os.fsencode(part.name), b"%d %d" % (state.st_size, state.st_mtime_ns), head, file.read()):
                    digest.update(b"%d:" % len(field) + field)
        return digest.hexdigest()

    def _count(self, size: int) -> None:
        self.consumed += size

    def _text(self, part: Part, counted: Callable[[int], None]) -> Iterator[bytes]:
        assert part.path is not None
        with _open(part.path, part.label) as file:
            pieces = read_pieces(file, part.label, part.compression, max_expansion=self._max_expansion, counted=counted)
            yield from _not_empty(utf8_pieces(pieces, part.label, self._encoding), part.label)

    def _shape(self, part: Part) -> tuple[pa.Schema | None, Dialect]:
        if not part.bytes:
            raise InputError(f"{part.label}: empty file", path=part.label, hint=_EMPTY_HINT)
        if part.format == "parquet":
            assert part.path is not None
            return parquet_schema(part.path, part.label), Dialect()
        pieces = self._text(part, _uncounted)
        if part.format in ("csv", "tsv"):
            table = _delimited(pieces, part)
            return table.schema, Dialect(table.delimiter, table.newline)
        next(pieces)
        return (TEXT_SCHEMA if part.format == "txt" else None), Dialect()

    def _compare(self, part: Part, schema: pa.Schema | None) -> None:
        if self._schema is not None and schema is not None and schema != self._schema:
            raise InputError(
                f"{part.label}: not the columns of {self.parts[0].label}: {_difference(self._schema, schema)}",
                path=part.label,
                hint="All files of a folder are read as one table.",
            )

    def _blocks(self, index: int, counted: Callable[[int], None]) -> Iterator[Block]:
        part = self.parts[index]
        if part.format == "parquet":
            assert part.path is not None
            # Looked at again: the file may have been replaced since the source was opened.
            self._compare(part, parquet_schema(part.path, part.label))
            yield from arrow_blocks(parquet_batches(part.path, part.label, counted), index, part.label)
            return
        pieces = self._text(part, counted)
        if part.format in ("csv", "tsv"):
            table = _delimited(pieces, part)
            self._compare(part, table.schema)
            yield from arrow_blocks(table.batches(), index, part.label)
        else:
            yield from _plain_blocks(pieces, part, index)


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
        pieces = _not_empty(utf8_pieces(raw, part.label, encoding), part.label)
        if part.format in ("csv", "tsv"):
            table = _delimited(pieces, part)
            self._schema = table.schema
            self.dialect = Dialect(table.delimiter, table.newline)
            self._live = arrow_blocks(table.batches(), 0, part.label)
        else:
            self._schema = TEXT_SCHEMA if part.format == "txt" else None
            self._live = _plain_blocks(pieces, part, 0)
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


def _plain_blocks(pieces: Iterator[bytes], part: Part, index: int) -> Iterator[Block]:
    if part.format == "txt":
        yield from arrow_blocks(cut_to_blocks(text_batches(pieces)), index, part.label)
        return
    row = 0
    for number, (payload, rows) in enumerate(line_blocks(pieces, part.label)):
        yield Block(index, number, row, rows, "jsonl", payload, part.label)
        row += rows
    if not row:
        raise InputError(f"{part.label}: only blank lines, not one record", path=part.label, hint=_EMPTY_HINT)


def _delimited(pieces: Iterator[bytes], part: Part) -> DelimitedText:
    return DelimitedText(pieces, part.label, "\t" if part.format == "tsv" else None)


def _not_empty(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    first = next(pieces, None)
    if first is None:
        raise InputError(f"{name}: empty, there is nothing to read", path=name, hint=_EMPTY_HINT)
    yield first
    yield from pieces


def _closing(file: BinaryIO, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with file:
        yield from pieces


def _difference(first: pa.Schema, other: pa.Schema) -> str:
    missing = [name for name in first.names if name not in other.names]
    more = [name for name in other.names if name not in first.names]
    retyped = [f.name for f in first if f.name in other.names and other.field(f.name).type != f.type]
    said = [
        f"{what} {', '.join(names[:_NAMES_SHOWN])}{', …' if len(names) > _NAMES_SHOWN else ''}"
        for what, names in (("missing", missing), ("in addition", more), ("of another type", retyped))
        if names
    ]
    return "; ".join(said) or ("in another order" if first.names != other.names else "some may be null, some not")


def _uncounted(_size: int) -> None:
    """Reading for a look, which the progress does not show."""


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


def _open(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as err:
        raise InputError(f"{name}: cannot be read ({err.strerror})", path=name) from None


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
