"""Bytes of a file, piece by piece: counted, decompressed, and stopped when they grow beyond reason."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal

import zstandard

from privkit.errors import InputError
from privkit.io.limits import CHUNK_BYTES, EXPANSION_FREE_BYTES

_FIRST_BYTES = 64 << 10
"""The first read is a small one: of many files only the headers are looked at when a source is opened."""
_ZSTD_STEP = 1_024
"""Zstandard's decompressor has no limit on what one call puts out; 1 KiB of input can become 32 MiB at worst."""
_ZSTD_WINDOW = 128 << 20
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def read_pieces(
    file: BinaryIO,
    name: str,
    compression: Literal["gz", "zst"] | None,
    *,
    max_expansion: float = 200.0,
    counted: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """The file's bytes, decompressed, in pieces of about 1 MiB; never an empty piece.

    Args:
        file: Open for reading; it is not closed.
        name: For messages.
        compression: How the file is wrapped. Several gzip members or Zstandard frames in a row are one stream.
        max_expansion: Largest ratio of what comes out to what went in, looked at once 64 MiB came out.
        counted: Called with the number of bytes that were read from the file, each time.

    Raises:
        InputError: The file cannot be read, is cut, is not what its name says, has bytes after its end, or expands
            beyond `max_expansion`.
    """
    raw = _raw_pieces(file, name, counted)
    if compression is None:
        return raw
    expanded = _gunzipped(raw, name) if compression == "gz" else _unzstd(raw, name)
    return _limited(expanded, name, max_expansion)


def _raw_pieces(file: BinaryIO, name: str, counted: Callable[[int], None] | None) -> Iterator[bytes]:
    size = _FIRST_BYTES
    while True:
        try:
            piece = file.read(size)
        except OSError as err:
            raise InputError(f"{name}: cannot be read ({err.strerror})", path=name) from None
        if not piece:
            return
        if counted is not None:
            counted(len(piece))
        yield piece
        size = CHUNK_BYTES


_Expanded = tuple[bytes, int]
"""A decompressed piece, and how many compressed bytes were used up so far."""


def _gunzipped(raw: Iterator[bytes], name: str) -> Iterator[_Expanded]:
    member = zlib.decompressobj(wbits=31)
    used, fresh = 0, True  # fresh: nothing of the member has been read
    for piece in raw:
        data = piece
        while data:
            if fresh and used and not data.strip(b"\0"):  # zeros after the last member are padding, as in gzip itself
                used += len(data)
                break
            try:
                out = member.decompress(data, CHUNK_BYTES)
            except zlib.error:
                raise _broken(name, "gzip", used, fresh and not data.startswith(_GZIP_MAGIC[: len(data)])) from None
            rest = member.unused_data if member.eof else member.unconsumed_tail
            used += len(data) - len(rest)
            fresh = False
            if out:
                yield out, used
            data = rest
            if member.eof:
                member, fresh = zlib.decompressobj(wbits=31), True
            elif not out and not data:
                break
    if not fresh:
        raise _cut(name, "gzip", used)


def _unzstd(raw: Iterator[bytes], name: str) -> Iterator[_Expanded]:
    maker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = maker.decompressobj()
    used, fresh = 0, True
    for piece in raw:
        at = 0
        while at < len(piece):
            step = piece[at : at + _ZSTD_STEP]
            try:
                out = frame.decompress(step)
            except zstandard.ZstdError:
                raise _broken(name, "Zstandard", used, fresh and not _begins_zstd(step)) from None
            taken = len(step) - len(frame.unused_data)
            at += taken
            used += taken
            fresh = False
            if out:
                yield out, used
            if frame.eof:
                frame, fresh = maker.decompressobj(), True
    if not fresh:
        raise _cut(name, "Zstandard", used)


def _limited(expanded: Iterator[_Expanded], name: str, max_expansion: float) -> Iterator[bytes]:
    """Joins small pieces to about 1 MiB and stops a stream that grows too much."""
    total = size = 0
    waiting: list[bytes] = []
    for piece, used in expanded:
        total += len(piece)
        if total > EXPANSION_FREE_BYTES and total > max_expansion * used:
            raise InputError(
                f"{name}: expands to more than {max_expansion:g} times its compressed size",
                path=name,
                hint="If that is right for this file, allow more with --max-expansion.",
            )
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _begins_zstd(data: bytes) -> bool:
    skippable = data[1:4] == b"\x2a\x4d\x18" and data[0] >> 4 == 5
    return skippable or data.startswith(_ZSTD_MAGIC[: len(data)])


def _broken(name: str, kind: str, offset: int, foreign: bool) -> InputError:
    """`foreign`: the bytes at `offset` are not even the beginning of such data."""
    if foreign and offset == 0:
        message, hint = f"{name}: not a {kind} file", "Its name says it is one; rename it if it is not."
    elif foreign:
        message, hint = (
            f"{name}: bytes that are not {kind} follow its end, at byte {offset}",
            "Was something appended to it? Compress it anew.",
        )
    else:
        message, hint = f"{name}: broken {kind} data after byte {offset}", "Copy or download the file again."
    return InputError(message, path=name, offset=offset, hint=hint)


def _cut(name: str, kind: str, offset: int) -> InputError:
    return InputError(
        f"{name}: cut off, the {kind} data ends at byte {offset} before its end",
        path=name,
        offset=offset,
        hint="Copy or download the file again.",
    )
