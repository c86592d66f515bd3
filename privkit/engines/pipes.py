"""Frames between a process and a worker that it started: a tag, a length and bytes, over the worker's own pipes.

Imported by workers that must start fast and load little: it needs nothing but the standard library's smallest parts.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import threading
from typing import IO

_HEADER = struct.Struct("<cQ")


def send(pipe: IO[bytes], tag: bytes, *parts: bytes | memoryview) -> None:
    """Writes one frame.

    Args:
        pipe: Where to.
        tag: One byte that says what it is.
        parts: The body, in pieces that are written one after the other.

    Raises:
        OSError: Nobody reads any more.
    """
    pipe.write(_HEADER.pack(tag, sum(len(part) for part in parts)))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes], most: int | None = None) -> tuple[bytes, bytes]:
    """Reads one frame.

    Args:
        pipe: Where from.
        most: How many bytes a body may have; any number by default.

    Returns:
        The tag and the body.

    Raises:
        EOFError: The pipe ended, or a longer body was announced.
    """
    tag, length = _HEADER.unpack(_exactly(pipe, _HEADER.size))
    if most is not None and length > most:
        raise EOFError
    return tag, _exactly(pipe, length)


def own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """A worker's first step: its two pipes, out of reach of whatever a library prints, and an end with its parent.

    Ctrl-C goes to the parent, which ends the worker.

    Returns:
        The pipe it reads requests from and the one it writes answers to.
    """
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(source.fileno(),), daemon=True).start()
    return source, sink


def _end_with_parent(pipe: int) -> None:
    """Ends the process as soon as nobody can write to its input any more, whatever it is busy with."""
    if hasattr(select, "poll"):
        waiting = select.poll()
        waiting.register(pipe, 0)  # hang-ups are always told
        waiting.poll()
        os._exit(1)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    body = pipe.read(length)
    if body is None or len(body) != length:
        raise EOFError
    return body
