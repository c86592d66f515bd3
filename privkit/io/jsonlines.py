"""JSON Lines: cut into raw lines by the reader, parsed by whoever has the block."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from privkit.errors import InputError
from privkit.io.frames import RecordFrame
from privkit.io.limits import BYTES_PER_BLOCK, MAX_ROW_BYTES, ROWS_PER_BLOCK

_LONG_NUMBER = re.compile(rb"\d{19}")
"""Where a number might not fit 64 bits: orjson would make it a float, Python's json keeps every digit."""


def line_blocks(pieces: Iterator[bytes], name: str) -> Iterator[tuple[bytes, int]]:
    """Lines that are not blank, joined by LF, and how many: at most 2,048 and 4 MiB, or one longer line.

    Args:
        pieces: The file as UTF-8.
        name: For messages.

    Raises:
        InputError: A line is longer than 64 MiB.
    """
    held: list[bytes] = []
    size = 0
    for line in _lines(pieces, name):
        if held and (len(held) == ROWS_PER_BLOCK or size + len(line) + 1 > BYTES_PER_BLOCK):
            yield b"\n".join(held), len(held)
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield b"\n".join(held), len(held)


def _lines(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    rows = 0
    waiting: list[bytes] = []
    held = 0
    for piece in pieces:
        if b"\n" not in piece:
            waiting.append(piece)
            held += len(piece)
            if held > MAX_ROW_BYTES:
                raise InputError(
                    f"{name}: row {rows + 1} is longer than {MAX_ROW_BYTES >> 20} MiB",
                    path=name,
                    row=rows + 1,
                    hint="JSON Lines has one object on each line.",
                )
            continue
        lines = (b"".join(waiting) + piece).split(b"\n")
        waiting = [lines.pop()]
        held = len(waiting[0])
        for line in lines:
            if line and not line.isspace():
                rows += 1
                yield line
    last = b"".join(waiting)
    if last and not last.isspace():
        yield last


def parse_lines(payload: bytes, *, first_row: int = 0, name: str = "") -> RecordFrame:
    """Parses lines of JSON objects.

    Numbers keep their value, integers of any size too; a float's spelling may become the shortest one (12.50 is read
    as 12.5). Of a key that an object has twice, the last counts, as in Python and JavaScript.

    Args:
        payload: UTF-8 lines; blank ones are skipped.
        first_row: 0-based row of the first one in its file, for messages.
        name: The file, for messages.

    Raises:
        InputError: A line is not JSON (NaN and Infinity are not), or not an object; with its row.
    """
    lines = [line for line in payload.split(b"\n") if line and not line.isspace()]
    loads = _loads if _LONG_NUMBER.search(payload) else orjson.loads
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            record = loads(line)
        except (ValueError, RecursionError):  # the message may quote the line
            raise _refused("is not valid JSON", first_row + len(records) + 1, name) from None
        if type(record) is not dict:
            raise _refused("is not a JSON object", first_row + len(records) + 1, name)
        records.append(record)
    return RecordFrame(records, first_row=first_row)


def _loads(line: bytes) -> Any:
    checked = orjson.loads(line)  # stricter than json: no NaN, no lone surrogates, no endless nesting
    if not _LONG_NUMBER.search(line):
        return checked
    return json.loads(line)


def _refused(what: str, row: int, name: str) -> InputError:
    return InputError(
        f"{name}: row {row} {what}" if name else f"row {row} {what}",
        path=name or None,
        row=row,
        hint="JSON Lines has one object on each line.",
    )
