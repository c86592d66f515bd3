"""Delimited text: what its file name says about it, and its header."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from privkit.errors import DatasetError

_MOST_HEADER = 1 << 20
_KNOWN = ".parquet, .csv, .tsv; .csv and .tsv also with .gz or .zst after it"


@dataclass(frozen=True)
class Delimited:
    """A dialect, fixed by the file's extension.

    Attributes:
        delimiter: What stands between two fields.
        compression: "gzip", "zstd" or "none".
    """

    delimiter: str
    compression: str

    @property
    def options(self) -> Mapping[str, Any]:
        """DuckDB's options: nothing is guessed, and a line that is no row is passed over instead of failing."""
        return {
            "header": True,
            "delim": self.delimiter,
            "quote": '"',
            "escape": '"',
            "nullstr": "",
            "compression": self.compression,
            "ignore_errors": True,
            "strict_mode": False,
        }


def delimited_of(path: str, source: str) -> Delimited | None:
    """The dialect of a file by its name; None for Parquet.

    Raises:
        DatasetError: Another extension.
    """
    name, compression = Path(path).name.lower(), "none"
    for ending, kind in ((".gz", "gzip"), (".zst", "zstd")):
        if name.endswith(ending):
            name, compression = name[: -len(ending)], kind
    if name.endswith((".csv", ".tsv")):
        return Delimited("," if name.endswith(".csv") else "\t", compression)
    if name.endswith((".parquet", ".pq")) and compression == "none":
        return None
    raise DatasetError(f"{source}: not a kind of file that can be read", hint=f"Known: {_KNOWN}.")


def header_of(path: Path, dialect: Delimited) -> list[str]:
    """The names in the first line.

    Raises:
        DatasetError: No header can be read.
    """
    failed, names = False, []
    try:
        with path.open("rb") as file:
            raw = _expanded(file, dialect.compression)
            # Bytes after the header are decoded with it, and must not decide.
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
            names = next(csv.reader(iter(lambda: text.readline(_MOST_HEADER), ""), delimiter=dialect.delimiter), [])
    except (OSError, EOFError, ValueError, csv.Error, zstandard.ZstdError):
        failed = True
    if failed or not names or any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
        raise DatasetError(f"{path.name}: no header can be read", hint="UTF-8 text with the columns' names first.")
    return names


def _expanded(file: Any, compression: str) -> Any:
    if compression == "gzip":
        return gzip.open(file, "rb")
    return zstandard.ZstdDecompressor().stream_reader(file) if compression == "zstd" else file
