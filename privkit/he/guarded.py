"""The parent's side of the guarded child: start it, ask it, and turn whatever happens to it into an error.

Native code that reads a peer's bytes runs in a process of its own: a fresh Python without the caller's environment,
files or memory, with limits on memory and time. If it crashes, this process goes on; if it hangs, it is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from privkit.engines.pipes import receive, send
from privkit.errors import CiphertextError, InterruptedRunError
from privkit.he import requests
from privkit.he.encoding import Reader
from privkit.he.objects import unpack

_SECONDS = 120.0  # of one request, by the clock: a machine may be busy
_LARGEST_ANSWER = 64 << 20
_BOOTSTRAP = "import json,sys; sys.path[:] = json.loads(sys.argv[1]); from privkit.he.child import serve; serve()"
# All that the child is told of the caller's environment: where the system looks for shared libraries.
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class Loadable(Protocol):
    """A context of either scheme, public or secret.

    Attributes:
        parameters: What it is of; `name` and `written()` are asked of them.
    """

    parameters: Any

    def native(self) -> bytes:
        """Its bytes, put together from what was checked."""


class Guard:
    """A child process for native work, started when it is first needed; use it as a context manager.

    It can be used for many calls, one at a time. After it died, the next request starts another.

    Args:
        seconds: How long one request may take, by the clock.
    """

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._loaded: Loadable | None = None
        self._late = False

    def load(self, context: Loadable) -> None:
        """Makes `context` the child's, unless it is already.

        Raises:
            CiphertextError: SEAL refuses it, or does not understand the parameters that were asked for.
            InterruptedRunError: The child died.
        """
        if self._loaded is context and self._alive():
            return
        self._loaded = None
        wanted = context.parameters.written()
        understood = Reader(self.ask(requests.LOAD, context.native())).field(b"\x0a", 2 * len(wanted))
        if unpack(understood, len(wanted)) != wanted:
            raise CiphertextError(f"SEAL takes this context for another than {context.parameters.name}")
        self._loaded = context

    def ask(self, tag: bytes, *parts: bytes | memoryview) -> bytes:
        """Sends one request and waits for its answer.

        Args:
            tag: What is asked for.
            parts: What it is asked with.

        Returns:
            The answer.

        Raises:
            CiphertextError: TenSEAL refuses it.
            InterruptedRunError: The child died, or did not answer in time.
        """
        child = self._running()
        watch = threading.Timer(self._seconds, self._end_late, (child,))
        watch.daemon = True
        watch.start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            send(child.stdin, tag, *parts)
            kind, answer = receive(child.stdout, _LARGEST_ANSWER)
        except (OSError, EOFError):
            raise self._death(child) from None
        except BaseException:  # Ctrl-C in the middle of an answer: what comes next would be read as another's
            self.close()
            raise
        finally:
            watch.cancel()
        if self._late:  # it was ended in the moment that it answered: the next request gets another
            self.close()
        if kind != requests.DONE:
            raise CiphertextError("TenSEAL refuses these bytes")
        return answer

    def close(self) -> None:
        """Ends the child; it holds nothing worth a farewell."""
        child, self._child, self._loaded = self._child, None, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            if self._loaded is not None:  # a new one has no context, and would refuse what is right
                raise self._death(self._child)
            self.close()
        if self._child is None:
            self._late = False
            self._child = _start()
        return self._child

    def _end_late(self, child: subprocess.Popen[bytes]) -> None:
        self._late = True
        child.kill()

    def _death(self, child: subprocess.Popen[bytes]) -> InterruptedRunError:
        """Waits for the end of a child whose pipes have ended, and says how it came."""
        try:
            code: int | None = child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        if self._late:
            how = f"no answer in {self._seconds:g} seconds"
        self.close()
        return InterruptedRunError(f"the process that TenSEAL runs in died ({how})")


@contextlib.contextmanager
def using(guard: Guard | None) -> Iterator[Guard]:
    """The caller's guard, left running; or one for the block."""
    if guard is not None:
        yield guard
        return
    with Guard() as own:
        yield own


@contextlib.contextmanager
def peers_bytes() -> Iterator[None]:
    """Around requests with bytes of a peer: if the child dies of them, they are to blame.

    Raises:
        CiphertextError: In the place of the child's death.
    """
    try:
        yield
    except InterruptedRunError as err:
        raise CiphertextError(f"these bytes passed every check, and yet {err.message}") from None


def numbered(number: int) -> bytes:
    """A number as requests carry it."""
    return struct.pack("<Q", number)


def _start() -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return subprocess.Popen(
        # -I and -S: no start-up files, no variables; where modules are is on the command line.
        [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, json.dumps([str(Path(place).absolute()) for place in sys.path])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("PRIVKIT_DEBUG") else subprocess.DEVNULL,
        env=environment,
        cwd="/" if os.name == "posix" else None,
        start_new_session=True,  # Ctrl-C goes to the parent, which ends the child
    )
