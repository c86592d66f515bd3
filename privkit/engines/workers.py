"""A worker: a fresh Python beside this one, that answers what it is sent.

It speaks over its own pipes: a tag, a length and bytes. So nothing is unpickled, the caller's `__main__` is not run
again, a worker ends when its parent dies (its input ends), and a key reaches it without standing on a command line or
in a file.

A request is answered by one result, or by a series of them that the parent may cut short:

    request →
            ← result            each but the last is followed by the parent's word: go on, or enough. The worker looks
    word    →                   at the word about one result only after it has sent the next, so that it never waits
            ← result, …, end    for a parent that keeps up, and is never more than two results ahead of one that stops.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from typing import IO

import privkit.errors
from privkit.engines.pipes import own_streams, receive, send
from privkit.errors import PrivkitError

Handler = Callable[[bytes], bytes]
_COLLECT_AFTER = 50_000  # objects made and not freed, before the garbage collector looks for cycles
_SPEC, _REQUEST, _GO_ON, _ENOUGH = b"s", b"q", b"g", b"n"
_ONLY, _NEXT, _END, _ERROR = b"o", b"r", b"z", b"e"
_BOOTSTRAP = (
    "import json,sys; sys.path[:] = json.loads(sys.argv[1]); from privkit.engines.workers import serve; serve()"
)


class WorkerBugError(Exception):
    """An exception that nobody expected, in a worker; only its type's name is known."""


class WorkerDiedError(Exception):
    """The process ended before its answer was there; the message says how: by which signal, with which code."""


def load_handler(factory: str, spec: bytes) -> Handler:
    """The handler that `factory` ("package.module:function") makes from `spec`."""
    module, _, name = factory.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)(spec)
    return handler


@contextlib.contextmanager
def settled() -> Generator[None, None, None]:
    """Models and tables stay for the whole run: the garbage collector need not walk over them again and again.

    What a block leaves behind is freed when its last reference goes; cycles are rare, so looking for them can wait.
    """
    thresholds, arranged = gc.get_threshold(), gc.get_freeze_count() > 0  # the caller's own arrangement stays
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    if not arranged:
        gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if not arranged:
            gc.unfreeze()


class Worker:
    """One process; one thread at a time talks to it.

    Args:
        factory: "package.module:function"; called there with `spec`, returns what answers a request: with bytes, or
            with an iterator of bytes for a series.
        spec: What the worker needs to know, as bytes.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, factory: str, spec: bytes) -> None:
        environment = dict(os.environ)
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            # One worker, one processor: BLAS threads of several workers would only fight.
            environment[name] = "1"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A library's message may quote a text; what a worker has to say comes over the pipe.
            stderr=None if os.environ.get("PRIVKIT_DEBUG") else subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C goes to the parent, which ends the workers
        )
        self.pid = self._process.pid
        with contextlib.suppress(OSError):
            send(self._input, _SPEC, json.dumps({"factory": factory}).encode())
            send(self._input, _SPEC, spec)

    def ask(self, request: bytes, enough: Callable[[], bool] = lambda: False) -> Generator[bytes, None, None]:
        """Sends a request.

        Args:
            request: For the handler.
            enough: Asked after each result of a series, once the caller is done with it. When it first says yes, one
                more result follows at the most.

        Yields:
            The results.

        Raises:
            PrivkitError: What the handler raised.
            WorkerBugError: The handler raised something that nobody expected.
            WorkerDiedError: The process is gone. What was yielded before is whole.
        """
        try:
            send(self._input, _REQUEST, request)
            while True:
                tag, body = receive(self._output)
                if tag == _END:
                    return
                if tag == _ERROR:
                    raise decoded_error(body)
                yield body
                if tag == _ONLY:
                    return
                send(self._input, _ENOUGH if enough() else _GO_ON)
        except (OSError, EOFError):
            raise WorkerDiedError(self._fate()) from None

    def kill(self) -> None:
        """Ends the process, whatever it does; it holds no state worth a farewell."""
        self._process.kill()

    def close(self) -> None:
        """Lets go of a process that has been killed or has died."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _fate(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "its pipe is closed"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def serve() -> None:
    """A worker's life: read the spec, then answer requests until the input ends."""
    source, sink = own_streams()
    try:
        _, head = receive(source)
        _, spec = receive(source)
        handler: Handler | None = None
        stays = contextlib.ExitStack()
        while True:
            _, request = receive(source)
            try:
                if handler is None:
                    handler = load_handler(json.loads(head)["factory"], spec)
                    stays.enter_context(settled())
                made: bytes | Iterator[bytes] = handler(request)
                if not isinstance(made, bytes):
                    _serve_series(made, source, sink)
                    continue
                tag, answer = _ONLY, made
            except PrivkitError as err:
                tag, answer = _ERROR, encoded_error(err)
            except _HungUpError:
                return
            except Exception as err:
                # The message of an unknown error may hold a value: its type is all that leaves the worker.
                tag, answer = _ERROR, json.dumps({"type": None, "name": type(err).__name__}).encode()
                if os.environ.get("PRIVKIT_DEBUG"):
                    sys.excepthook(type(err), err, err.__traceback__)
            send(sink, tag, answer)
    except (EOFError, OSError):
        return


class _HungUpError(Exception):
    """The parent is gone, in the middle of a series: no error of the handler's."""


def _serve_series(results: Iterator[bytes], source: IO[bytes], sink: IO[bytes]) -> None:
    sent = heard = 0
    for result in results:
        try:
            send(sink, _NEXT, result)
            sent += 1
            if sent > 1:
                word, _ = receive(source)
                heard += 1
                if word == _ENOUGH:
                    break
        except (EOFError, OSError):
            raise _HungUpError from None
    try:
        while heard < sent:
            receive(source)
            heard += 1
        send(sink, _END)
    except (EOFError, OSError):
        raise _HungUpError from None


def encoded_error(err: PrivkitError) -> bytes:
    """An error as bytes that go to another process: its type, words and numbers."""
    state = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in vars(err).items()
        if isinstance(value, (str, int, float, tuple, type(None)))
    }
    return json.dumps({"type": type(err).__name__, "state": state}).encode()


def decoded_error(body: bytes) -> Exception:
    """The inverse of `encoded_error`; of an error that nobody expected, a `WorkerBugError`."""
    data = json.loads(body)
    if data["type"] is None:
        return WorkerBugError(data["name"])
    cls: type[PrivkitError] = getattr(privkit.errors, data["type"])
    error = cls(data["state"].pop("message"))
    for key, value in data["state"].items():
        setattr(error, key, tuple(value) if isinstance(value, list) else value)
    return error
