"""Run one function over many blocks on this machine: in this process, or in worker processes, in order.

A worker is a fresh Python that speaks over its own pipes: a length, a tag and bytes. So nothing is unpickled, the
caller's `__main__` is not run again, a worker ends when its parent dies (its input ends), and a key reaches it without
standing on a command line or in a file.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import privkit.errors
from privkit.engines.pipes import own_streams, receive, send
from privkit.errors import InterruptedRunError, PrivkitError

Handler = Callable[[bytes], bytes]
_COLLECT_AFTER = 50_000  # objects made and not freed, before the garbage collector looks for cycles
_SPEC, _RESULT, _ERROR = b"s", b"r", b"e"
_BOOTSTRAP = "import json,sys; sys.path[:] = json.loads(sys.argv[1]); from privkit.engines.local import serve; serve()"


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_handler(factory: str, spec: bytes) -> Handler:
    """The handler that `factory` ("package.module:function") makes from `spec`."""
    module, _, name = factory.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)(spec)
    return handler


def map_ordered(factory: str, spec: bytes, items: Iterable[bytes], *, workers: int) -> Generator[bytes, None, None]:
    """Applies the handler to each item; results come in the order of the items.

    At most `2 * workers` items are held at a time, so memory does not grow with the input. With one worker the
    handler runs in this process.

    Args:
        factory: "package.module:function"; called once in each worker with `spec`, returns the handler.
        spec: What the workers need to know, as bytes.
        items: Inputs; drawn only as fast as they are worked on.
        workers: How many processes; 1 for none beside this one.

    Yields:
        The handler's result for each item.

    Raises:
        PrivkitError: What the handler raised, wherever it ran.
        InterruptedRunError: A worker process died.
    """
    if workers <= 1:
        handler = load_handler(factory, spec)
        with settled():
            for item in items:
                yield handler(item)
        return
    with _Crew(factory, spec, workers) as crew:
        waiting: deque[Future[bytes]] = deque()
        for item in items:
            waiting.append(crew.submit(item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


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


class _Crew:
    """Worker processes, each driven by one thread at a time that waits on its pipe."""

    def __init__(self, factory: str, spec: bytes, workers: int) -> None:
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._workers = [_start(factory, spec) for _ in range(workers)]
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="privkit-worker")

    def submit(self, item: bytes) -> Future[bytes]:
        return self._threads.submit(self._call, item)

    def _call(self, item: bytes) -> bytes:
        worker = self._idle.get()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            try:
                send(worker.stdin, _RESULT, item)
                tag, body = receive(worker.stdout)
            except (OSError, EOFError):
                raise _death(worker) from None
            if tag == _ERROR:
                raise decoded_error(body)
            return body
        finally:
            self._idle.put(worker)

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        # Whatever still runs is of no use any more when we leave early; a worker holds no state worth a farewell.
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            worker.wait()


def _start(factory: str, spec: bytes) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        # One worker, one processor: BLAS threads of several workers would only fight.
        environment[name] = "1"
    worker = subprocess.Popen(
        [sys.executable, "-c", _BOOTSTRAP, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A library's message may quote a text; what a worker has to say comes over the pipe.
        stderr=None if os.environ.get("PRIVKIT_DEBUG") else subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C goes to the parent, which ends the workers
    )
    assert worker.stdin is not None
    with contextlib.suppress(OSError):
        send(worker.stdin, _SPEC, json.dumps({"factory": factory}).encode())
        send(worker.stdin, _SPEC, spec)
    return worker


def serve() -> None:
    """A worker's life: read the spec, then answer items until the input ends."""
    source, sink = own_streams()
    try:
        _, head = receive(source)
        _, spec = receive(source)
        handler: Handler | None = None
        whole_life = contextlib.ExitStack()
        while True:
            _, item = receive(source)
            try:
                if handler is None:
                    handler = load_handler(json.loads(head)["factory"], spec)
                    whole_life.enter_context(settled())
                answer, tag = handler(item), _RESULT
            except PrivkitError as err:
                answer, tag = encoded_error(err), _ERROR
            except Exception as err:
                # The message of an unknown error may hold a value: its type is all that leaves the worker.
                answer, tag = json.dumps({"type": None, "name": type(err).__name__}).encode(), _ERROR
                if os.environ.get("PRIVKIT_DEBUG"):
                    sys.excepthook(type(err), err, err.__traceback__)
            send(sink, tag, answer)
    except (EOFError, OSError):
        return


class WorkerBugError(Exception):
    """An exception that nobody expected, in a worker; only its type's name is known."""


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


def _death(worker: subprocess.Popen[bytes]) -> InterruptedRunError:
    try:
        code = worker.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = None
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return InterruptedRunError(
        f"a worker process died ({how})",
        hint="Signal 9 is often the system running out of memory: try fewer --workers.",
    )
