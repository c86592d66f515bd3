"""The guarded child: the one place where TenSEAL and SEAL run. `privkit.he.guarded` starts it and talks to it.

It loads TenSEAL's native library and a few small modules, puts limits on itself, and answers requests: a tag, and
bytes that `privkit.he.structure` has put together. It holds one context at a time.
"""

from __future__ import annotations

import array
import contextlib
import os
import struct
from collections.abc import Callable
from typing import Any

from privkit.engines.pipes import own_streams, receive, send

NEW, LOAD, ENCRYPT, ADD, SUM, DECRYPT = b"n", b"l", b"e", b"a", b"s", b"d"
DONE, REFUSED = b".", b"!"
CIPHERTEXTS = 16
"""How many ciphertexts one request may carry: what bounds its time and its memory."""
_MEMORY = 4 << 30  # bytes of address space; sums of ten million values take a quarter
_PROCESSOR_SECONDS = 60  # of one request; the largest takes less than one
_FILES = 64


def serve() -> None:
    """The child's life: limits, then requests until the input ends."""
    source, sink = own_streams()
    _limit()
    native = _native()
    worker = Worker(native)
    try:
        while True:
            tag, body = receive(source)
            _limit_processor()
            try:
                answer, kind = worker.answer(tag, body), DONE
            except Exception as err:  # its words may quote what it was given: the name of its type is enough
                answer, kind = type(err).__name__.encode(), REFUSED
            send(sink, kind, answer)
    except (EOFError, OSError):
        return


class Worker:
    """Answers one request after the other.

    Args:
        native: TenSEAL's native module.
    """

    def __init__(self, native: Any) -> None:
        self._native = native
        self._context: Any = None
        self._sums: dict[int, Any] = {}
        self._answers: dict[bytes, Callable[[bytes], bytes]] = {
            NEW: self._new,
            LOAD: self._load,
            ENCRYPT: self._encrypt,
            ADD: self._add,
            SUM: self._sum,
            DECRYPT: self._decrypt,
        }

    def answer(self, tag: bytes, body: bytes) -> bytes:
        """The answer to one request."""
        return self._answers[tag](body)

    def _new(self, body: bytes) -> bytes:
        degree, plain_modulus = struct.unpack("<QQ", body)
        kinds = self._native.SCHEME_TYPE, self._native.ENCRYPTION_TYPE
        context = self._native.TenSEALContext.new(kinds[0].BFV, degree, plain_modulus, [], kinds[1].ASYMMETRIC, 1)
        written: bytes = context.serialize(True, True, False, False)
        return written

    def _load(self, body: bytes) -> bytes:
        """Loads a context; its parameters, as SEAL understood them, go back for comparison."""
        self._sums.clear()
        self._context = self._native.TenSEALContext.deserialize(body, 1)
        written: bytes = self._context.serialize(False, False, False, False)
        return written

    def _encrypt(self, body: bytes) -> bytes:
        written: bytes = self._native.BFVVector(self._context, memoryview(body).cast("q").tolist()).serialize()
        return written

    def _add(self, body: bytes) -> bytes:
        (number,) = struct.unpack_from("<Q", body)
        vector = self._native.BFVVector(self._context, body[8:])
        if number in self._sums:
            self._sums[number] += vector
        else:
            self._sums[number] = vector
        return b""

    def _sum(self, body: bytes) -> bytes:
        (number,) = struct.unpack("<Q", body)
        written: bytes = self._sums.pop(number).serialize()
        return written

    def _decrypt(self, body: bytes) -> bytes:
        values = self._native.BFVVector(self._context, body).decrypt(self._context.secret_key())
        return array.array("q", values).tobytes()


def _native() -> Any:
    """TenSEAL's native module; the Python around it would take fifty times as long to load."""
    try:
        import _tenseal_cpp as native
    except ImportError:
        from tenseal import _ts_cpp as native
    return native


def _limit() -> None:
    """What the child needs none of: much memory, core dumps, files to write, many open files."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_AS, _MEMORY),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):  # a system that does not know this limit
            resource.setrlimit(what, (most, most))


def _limit_processor() -> None:
    """Processor time of this request alone; SIGXCPU ends the child when it is up."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = sum(os.times()[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + _PROCESSOR_SECONDS, hard))
