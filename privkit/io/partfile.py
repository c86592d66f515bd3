"""One file of a source: its shape, its blocks, and how another process reads the very same blocks."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from privkit.errors import InputError
from privkit.io.blocks import Block, Dialect, Part, arrow_blocks
from privkit.io.compressed import read_pieces
from privkit.io.csvfile import DelimitedText, cut_to_blocks
from privkit.io.decoding import utf8_pieces
from privkit.io.jsonlines import line_blocks
from privkit.io.parquet import parquet_batches, parquet_schema
from privkit.io.textfile import TEXT_SCHEMA, text_batches

_NAMES_SHOWN = 10
EMPTY_HINT = "Was it written to the end? A table without rows still has a header."


@dataclass(frozen=True)
class PartFile:
    """A file on disk that can be read again at will, here or in a worker.

    Attributes:
        part: The file.
        index: Its position in `Source.parts`.
        encoding: Of text formats.
        max_expansion: Largest ratio of decompressed to compressed size.
        schema: The columns that it must have: those of the source's first part. None where that is not known yet, or
            there are none.
        first: What messages call the first part.
    """

    part: Part
    index: int
    encoding: str
    max_expansion: float
    schema: pa.Schema | None = None
    first: str = ""

    def shape(self) -> tuple[pa.Schema | None, Dialect]:
        """The columns (None for JSON Lines), and how a delimited file is written.

        Raises:
            InputError: The file is empty, or not of its format.
        """
        part = self.part
        if not part.bytes:
            raise InputError(f"{part.label}: empty file", path=part.label, hint=EMPTY_HINT)
        if part.format == "parquet":
            return parquet_schema(self._path, part.label), Dialect()
        pieces = self._text(_uncounted)
        if part.format in ("csv", "tsv"):
            table = delimited(pieces, part)
            return table.schema, Dialect(table.delimiter, table.newline)
        next(pieces)
        return (TEXT_SCHEMA if part.format == "txt" else None), Dialect()

    def compare(self, found: pa.Schema | None) -> None:
        """Refuses columns that are not those of the first part.

        Raises:
            InputError: With what differs.
        """
        if self.schema is not None and found is not None and found != self.schema:
            raise InputError(
                f"{self.part.label}: not the columns of {self.first}: {_difference(self.schema, found)}",
                path=self.part.label,
                hint="All files of a folder are read as one table.",
            )

    def blocks(self, counted: Callable[[int], None] | None = None) -> Iterator[Block]:
        """All blocks of the file, the same each time.

        Args:
            counted: Hears of the bytes of the file that were read, as they are.

        Raises:
            InputError: The file is broken, or has other columns than the first one.
        """
        part = self.part
        counted = counted or _uncounted
        if part.format == "parquet":
            # Looked at again: the file may have been replaced since the source was opened.
            self.compare(parquet_schema(self._path, part.label))
            yield from arrow_blocks(parquet_batches(self._path, part.label, counted), self.index, part.label)
            return
        pieces = self._text(counted)
        if part.format in ("csv", "tsv"):
            table = delimited(pieces, part)
            self.compare(table.schema)
            yield from arrow_blocks(table.batches(), self.index, part.label)
        else:
            yield from plain_blocks(pieces, part, self.index)

    def to_json(self) -> str:
        """Text that `from_json` reads back as an equal one: it goes to workers over a pipe."""
        part = {**asdict(self.part), "path": str(self._path)}
        schema = None if self.schema is None else base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        # Not orjson: a file's name need not be text, and is then spelt with lone surrogates.
        return json.dumps({**vars(self), "part": part, "schema": schema})

    @classmethod
    def from_json(cls, text: str) -> PartFile:
        """The inverse of `to_json`."""
        about = json.loads(text)
        packed = about.pop("schema")
        part = about.pop("part")
        schema = None if packed is None else pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))
        return cls(part=Part(Path(part.pop("path")), **part), schema=schema, **about)

    @property
    def _path(self) -> Path:
        assert self.part.path is not None
        return self.part.path

    def _text(self, counted: Callable[[int], None]) -> Iterator[bytes]:
        part = self.part
        with opened(self._path, part.label) as file:
            pieces = read_pieces(file, part.label, part.compression, max_expansion=self.max_expansion, counted=counted)
            yield from not_empty(utf8_pieces(pieces, part.label, self.encoding), part.label)


def opened(path: Path, name: str) -> BinaryIO:
    """The file, for reading.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as err:
        raise InputError(f"{name}: cannot be read ({err.strerror})", path=name) from None


def delimited(pieces: Iterator[bytes], part: Part) -> DelimitedText:
    """A CSV or TSV part's text as a table."""
    return DelimitedText(pieces, part.label, "\t" if part.format == "tsv" else None)


def plain_blocks(pieces: Iterator[bytes], part: Part, index: int) -> Iterator[Block]:
    """The blocks of a text or JSON Lines part.

    Raises:
        InputError: There is not one record.
    """
    if part.format == "txt":
        yield from arrow_blocks(cut_to_blocks(text_batches(pieces)), index, part.label)
        return
    row = 0
    for number, (payload, rows) in enumerate(line_blocks(pieces, part.label)):
        yield Block(index, number, row, rows, "jsonl", payload, part.label)
        row += rows
    if not row:
        raise InputError(f"{part.label}: only blank lines, not one record", path=part.label, hint=EMPTY_HINT)


def not_empty(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The pieces, at least one.

    Raises:
        InputError: There is none.
    """
    first = next(pieces, None)
    if first is None:
        raise InputError(f"{name}: empty, there is nothing to read", path=name, hint=EMPTY_HINT)
    yield first
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
