"""SEAL's objects: a header that says how long they are, and what is in them, as it is or compressed.

5e a1 | header size 16 | version 4, 3 | compression 2 (zstd) or 0 | 0 0 | size of all, u64 | the content
"""

from __future__ import annotations

import struct

import zstandard

from privkit.errors import CiphertextError

_SEAL = struct.Struct("<2sBBBBHQ")  # magic, header size, major, minor, compression, reserved, size
_MAGIC, _MAJOR, _MINOR = b"\x5e\xa1", 4, 3
_PLAIN, _ZSTD = 0, 2
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_WINDOW = 2 << 20
HEAD_BYTES = _SEAL.size


def uncompressed(inner: bytes) -> bytes:
    """A SEAL object around bytes, not compressed: what native code is given to read."""
    return object_head(len(inner)) + inner


def object_head(size: int) -> bytes:
    """The header of an object that is not compressed, around `size` bytes."""
    return _SEAL.pack(_MAGIC, _SEAL.size, _MAJOR, _MINOR, _PLAIN, 0, _SEAL.size + size)


def unpack(packed: bytes | memoryview, size: int) -> bytes:
    """The bytes of a compressed SEAL object of known size.

    Args:
        packed: The object.
        size: How many bytes it has to hold; no more are ever decompressed.

    Raises:
        CiphertextError: Its header or its zstd frame is not exactly that of such an object.
    """
    head = _SEAL.pack(_MAGIC, _SEAL.size, _MAJOR, _MINOR, _ZSTD, 0, len(packed)) + frame_head(size)
    if bytes(packed[: len(head)]) != head:
        raise CiphertextError("its header is not that of a SEAL object of this size")
    try:
        # The frame's head, just compared, says how many bytes there are: they are allocated, and no others.
        inner = zstandard.ZstdDecompressor().decompress(
            packed[_SEAL.size :], max_output_size=size, allow_extra_data=False
        )
    except zstandard.ZstdError:
        raise CiphertextError("its compressed bytes are damaged") from None
    if len(inner) != size:
        raise CiphertextError("its compressed bytes are cut off")
    return inner


def frame_head(size: int) -> bytes:
    """How libzstd begins a frame whose content it knows (RFC 8878, section 3.1.1), at its usual level; no checksum.

    Up to its window, 2 MiB, the content is one segment; beyond, the window's size stands before the content's.
    """
    if size < 256:
        return _ZSTD_MAGIC + struct.pack("<BB", 0x20, size)
    if size < 65792:
        return _ZSTD_MAGIC + struct.pack("<BH", 0x60, size - 256)
    if size <= _WINDOW:
        return _ZSTD_MAGIC + struct.pack("<BI", 0xA0, size)
    return _ZSTD_MAGIC + struct.pack("<BBI", 0x80, 0x58, size)
