"""The guarded child: the one place where TenSEAL and SEAL run. `privkit.he.guarded` starts it and talks to it.

It loads TenSEAL's native library and a few small modules, puts limits on itself, and answers requests: a tag, and
bytes that `privkit.he.structure` has put together. It holds one context at a time.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from privkit.engines.pipes import own_streams, receive, send
from privkit.he import native_scores, native_sums, requests
from privkit.he.loaded import Loaded

if sys.platform != "win32":
    import resource

_MEMORY = 4 << 30  # bytes of address space; sums of ten million values take a quarter
_PROCESSOR_SECONDS = 60  # of one request; the longest program takes about six
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
                answer, kind = worker.answer(tag, body), requests.DONE
            except Exception as err:  # its words may quote what it was given: the name of its type is enough
                answer, kind = type(err).__name__.encode(), requests.REFUSED
            send(sink, kind, answer)
    except (EOFError, OSError):
        return


class Worker:
    """Answers one request after the other.

    Args:
        native: TenSEAL's native module.
    """

    def __init__(self, native: Any) -> None:
        self._loaded = Loaded(native)
        self._answers: dict[bytes, Callable[[bytes], bytes]] = {
            requests.LOAD: self._loaded.load,
            **native_sums.answers(self._loaded),
            **native_scores.answers(self._loaded),
        }

    def answer(self, tag: bytes, body: bytes) -> bytes:
        """The answer to one request."""
        return self._answers[tag](body)


def _native() -> Any:
    """TenSEAL's native module; the Python around it would take fifty times as long to load."""
    try:
        import _tenseal_cpp as native
    except ImportError:
        from tenseal import _ts_cpp as native
    return native


def _limit() -> None:
    """What the child needs none of: much memory, core dumps, files to write, many open files."""
    if sys.platform == "win32":
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
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(sum(os.times()[:2])) + _PROCESSOR_SECONDS
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))
