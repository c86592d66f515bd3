"""Bytes in any encoding → valid UTF-8 without a byte order mark; the first wrong byte is named by its offset."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from privkit.errors import InputError, UsageError

_NOT_FOR_FILES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def checked_encoding(encoding: str) -> str:
    """The canonical name of a text encoding.

    Raises:
        UsageError: Python knows no such text encoding.
    """
    try:
        name = codecs.lookup(encoding).name
        b"a".decode(encoding)  # refuses codecs that make bytes of bytes, such as base64
    except UnicodeDecodeError:  # one byte is half a character in some
        pass
    except (LookupError, ValueError):
        name = "undefined"
    name = name.replace("-", "_") if name.replace("-", "_") in _NOT_FOR_FILES else name
    if name in _NOT_FOR_FILES:
        raise UsageError(
            f"unknown encoding {encoding!r}", hint="Names are those of Python: utf-8, utf-16, cp1252, latin-1, …"
        )
    return "utf-8" if name == "utf-8-sig" else name


def utf8_pieces(pieces: Iterator[bytes], name: str, encoding: str = "utf-8") -> Iterator[bytes]:
    """The text as UTF-8, a byte order mark left out; never an empty piece.

    No piece ends inside a character.

    Args:
        pieces: Bytes in `encoding`.
        name: For messages.
        encoding: As `checked_encoding` gives it.

    Raises:
        InputError: Bytes that are not text in `encoding`, or a NUL character; with the offset.
    """
    checked = _utf8(pieces, name) if encoding == "utf-8" else _transcoded(pieces, name, encoding)
    return _without_nul(checked, name)


def _utf8(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    offset = 0  # of `data` in the file
    rest = b""  # a character that is not whole yet
    head = b""
    begun = False
    for piece in pieces:
        if not begun:  # hold back until a byte order mark can be told
            head += piece
            if len(head) < len(codecs.BOM_UTF8) and codecs.BOM_UTF8.startswith(head):
                continue
            begun = True
            if head.startswith(codecs.BOM_UTF8):
                offset = len(codecs.BOM_UTF8)
            piece = head[offset:]
        if not piece:
            continue
        if rest or not piece.isascii():
            data = rest + piece
            try:
                whole = codecs.utf_8_decode(data, "strict", False)[1]
            except UnicodeDecodeError as err:
                raise _undecodable(name, "UTF-8", offset + err.start, data[:4] if offset == 0 else b"") from None
            piece, rest = data[:whole], data[whole:]
        offset += len(piece)
        if piece:
            yield piece
    if not begun and head:
        rest = head
    if rest:
        raise _undecodable(name, "UTF-8", offset, b"")


def _transcoded(pieces: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, begun = 0, False
    for piece in pieces:
        text = _decoded(decoder, piece, offset, name, encoding)
        offset += len(piece)
        if not begun and text:
            text, begun = text.removeprefix(_BOM), True
        if text:
            yield _encoded(text, name, encoding, offset)
    if text := _decoded(decoder, b"", offset, name, encoding, final=True):
        yield _encoded(text, name, encoding, offset)


def _decoded(
    decoder: codecs.IncrementalDecoder, piece: bytes, offset: int, name: str, encoding: str, *, final: bool = False
) -> str:
    waiting = len(decoder.getstate()[0])
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as err:
        raise _undecodable(name, encoding, offset - waiting + err.start, b"") from None
    except UnicodeError:
        raise _undecodable(name, encoding, offset - waiting, b"") from None


def _encoded(text: str, name: str, encoding: str, offset: int) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # UTF-7, for one, can spell half a surrogate pair
        raise _undecodable(name, encoding, offset, b"") from None


def _without_nul(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    # A NUL inside a name would hide it from every detector, and most readers of the output would stop at it.
    offset = 0
    for piece in pieces:
        if b"\0" in piece:
            at = offset + piece.index(b"\0")
            hint = "Is it UTF-16? Try --encoding utf-16-le. Else remove the NUL bytes (`tr -d '\\000'`)."
            raise InputError(f"{name}: a NUL character at byte {at} of the text", path=name, offset=at, hint=hint)
        offset += len(piece)
        yield piece


def _undecodable(name: str, encoding: str, offset: int, start: bytes) -> InputError:
    hint = "Name the file's encoding with --encoding, for example cp1252 or utf-16."
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        hint = "It begins like UTF-16: try --encoding utf-16."
    elif start.startswith(b"\x1f\x8b"):
        hint = "It begins like gzip: its name should end in .gz, or decompress it first (gzip -dc)."
    elif start.startswith(b"\x28\xb5\x2f\xfd"):
        hint = "It begins like Zstandard: its name should end in .zst, or decompress it first (zstd -dc)."
    elif start == b"PAR1":
        hint = "It begins like Parquet: its name should end in .parquet, or say --format parquet."
    return InputError(f"{name}: not {encoding} text at byte {offset}", path=name, offset=offset, hint=hint)
