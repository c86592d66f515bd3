"""Plain text: a table of one column, `text`, whose rows are paragraphs."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from privkit.io.limits import CHUNK_BYTES

TEXT_SCHEMA = pa.schema([("text", pa.string())])
MAX_CHARACTERS = 5_000
"""Longest row: a model reads one at a time."""


def text_batches(pieces: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
    """The text in rows of at most 5,000 characters; joined, they are the text again.

    A row is a paragraph with the blank lines after it, its line ends included. A longer paragraph is split at a line
    end, a longer line at white space, and where there is none after 5,000 characters.

    Args:
        pieces: UTF-8; no piece ends inside a character.
    """
    rows: list[str] = []
    size = 0
    for row in _paragraphs(_lines(piece.decode() for piece in pieces)):
        rows.append(row)
        size += len(row)
        if size >= CHUNK_BYTES:
            yield _batch(rows)
            rows, size = [], 0
    if rows:
        yield _batch(rows)


def _batch(rows: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(rows, pa.string())], schema=TEXT_SCHEMA)


def _paragraphs(lines: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    ended = False  # a blank line was seen: the next other one begins a new row
    for line in lines:
        blank = line.isspace()
        if held and ((ended and not blank) or size + len(line) > MAX_CHARACTERS):
            yield "".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
        ended = blank
    if held:
        yield "".join(held)


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    """Lines with their ends, those beyond 5,000 characters in several; never more than a piece is held."""
    rest = ""
    for piece in pieces:
        lines = (rest + piece).split("\n")
        rest = lines.pop()
        for line in lines:
            yield from _short(line + "\n")
        if len(rest) > MAX_CHARACTERS:
            *done, rest = _short(rest)
            yield from done
    if rest:
        yield from _short(rest)


def _short(line: str) -> Iterator[str]:
    at = 0
    while len(line) - at > MAX_CHARACTERS:
        window = line[at : at + MAX_CHARACTERS]
        end = MAX_CHARACTERS if window[-1].isspace() else MAX_CHARACTERS - len(window.split()[-1])
        end = end or MAX_CHARACTERS
        yield line[at : at + end]
        at += end
    yield line[at:]
