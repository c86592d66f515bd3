"""Which form a data set has, and the data set read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from privkit.errors import InputError
from privkit.io.annotated.objects import presidio_texts, record_text, record_texts
from privkit.io.annotated.tagged import tagged_texts
from privkit.io.decoding import checked_encoding, utf8_pieces
from privkit.model.annotated import AnnotatedFormat, AnnotatedSet

MOST_BYTES = 512 << 20
"""The largest data set that is read: it is held in memory."""
_BY_EXTENSION: Mapping[str, AnnotatedFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "iob",
    ".iob": "iob",
    ".iob2": "iob",
    ".bio": "iob",
}
_SPECIMEN = 4096  # characters at the beginning that tell a form


def read_annotated(path: Path, *, format: AnnotatedFormat | None = None, encoding: str = "utf-8") -> AnnotatedSet:
    """Reads a data set.

    Args:
        path: The file.
        format: `presidio` (the JSON of presidio-research), `iob` (a token a line) or `jsonl` (character spans); told
            from the extension and the first characters if None.
        encoding: Of the file.

    Raises:
        InputError: It is missing, empty, larger than 512 MiB, or not what it says it is; with line or text number.
        UsageError: There is no such encoding.
    """
    name = str(path)
    content = _bytes(path)
    text = b"".join(utf8_pieces(iter([content]), name, checked_encoding(encoding))).decode()
    if not text.strip():
        raise InputError(f"{name} is empty", path=name)
    found = format or _told(path, text)
    texts = _READERS[found](text, name)
    if not texts:
        raise InputError(f"{name} holds no text", path=name)
    return AnnotatedSet(name, found, hashlib.sha256(content).hexdigest(), tuple(texts))


def records_annotated(records: Sequence[Mapping[str, Any]]) -> AnnotatedSet:
    """The same from mappings, each as a line of the JSONL would be.

    Raises:
        InputError: One is not of that form, or there is none.
    """
    texts = tuple(record_text(record, "", f"record {number}") for number, record in enumerate(records, 1))
    if not texts:
        raise InputError("there is no record to evaluate on")
    try:
        content = json.dumps(list(map(dict, records)), sort_keys=True, ensure_ascii=False, default=_plain).encode()
    except (TypeError, ValueError):
        raise InputError("the records hold something that JSON does not") from None
    return AnnotatedSet("records", "jsonl", hashlib.sha256(content).hexdigest(), texts)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _bytes(path: Path) -> bytes:
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as err:
        raise InputError(f"{name} cannot be read: {err.strerror}", path=name) from None
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{name} is larger than {MOST_BYTES >> 20} MiB",
            path=name,
            hint="Evaluate on a part of it: it is read whole.",
        )
    return content


def _told(path: Path, text: str) -> AnnotatedFormat:
    """The extension says it, where there is one that does; else the first characters."""
    start = text[:_SPECIMEN].lstrip()
    extension = path.suffix.lower()
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    if start.startswith("{"):
        return "jsonl"
    # A token a line may begin with a bracket too; but then a tag stands behind it, not an object.
    if extension == ".json" or (start.startswith("[") and start[1:].lstrip().startswith(("{", "]"))):
        return "presidio"
    return "iob"


_READERS = {"presidio": presidio_texts, "jsonl": record_texts, "iob": tagged_texts}
