"""Parts of work among worker processes: who does what next, what is taken over, what is done again.

A part is a run of items whose results belong together in their order: the blocks of a file. Each worker is driven by
one thread, which asks for the next task when the last one is done:

1.  An item of a part that is dealt out here, block by block: a part that only this process can read, which the caller's
    own thread does (it may be a pipe, at which it waits and can be interrupted); or a rest of a file.
2.  A lease: a whole part that nobody has begun, the largest first. The worker reads it, works on it and sends its
    results, one after the other; this process only writes them down.
3.  When no part is left, the rest of somebody's lease is taken over. This process reads along until it has passed the
    lease's worker, tells that worker where to end, and deals out everything behind among all of them.

So parts cost this process next to nothing, one large part keeps every worker busy as many small ones do, and nobody
waits for the last part.

A worker that dies is replaced by its thread, and what it had not answered is asked for again. A result counts when all
of it has come over the pipe and not before; a lease goes on behind the last one. So nothing is done twice and nothing
is left out, whenever a worker dies.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from privkit.engines.workers import Worker, WorkerDiedError
from privkit.errors import InputError, InterruptedRunError

_ATTEMPTS = 3  # at the same item, before it is the item that is to blame
_ABOUT = struct.Struct("<QQQ")


class Item(NamedTuple):
    """One request to a worker.

    Attributes:
        data: The request.
        first_row: 0-based row of the part that it begins with.
        rows: How many rows it holds.
        read: How many bytes of the part had been read when it was made.
    """

    data: bytes
    first_row: int = 0
    rows: int = 0
    read: int = 0


@dataclass(frozen=True)
class Work:
    """One part.

    Attributes:
        part: Its number.
        items: The items from a number on, the same each time.
        lease: The request for all results from one number up to another (None: up to the last) as a series, each made
            by `pack_leased`; None where only this process can read the part.
        first: The first item that is wanted.
        size: In bytes: larger parts are begun first.
        name: For messages.
    """

    part: int
    items: Callable[[int], Iterator[Item]]
    lease: Callable[[int, int | None], bytes] | None = None
    first: int = 0
    size: int = 0
    name: str = ""


class Result(NamedTuple):
    """The result of one item: of which part, the how manieth, and what is known of the item."""

    part: int
    number: int
    data: bytes
    rows: int
    read: int


class Finished(NamedTuple):
    """All results of a part have been given out."""

    part: int


def pack_leased(item: Item, result: bytes) -> bytes:
    """What a worker sends for each item of a lease; the item's own bytes stay where they are."""
    return _ABOUT.pack(item.first_row, item.rows, item.read) + result


def shared(
    factory: str,
    spec: bytes,
    works: Sequence[Work],
    *,
    workers: int,
    ahead: int,
    warned: Callable[[str], None] = lambda _message: None,
) -> Generator[Result | Finished, None, None]:
    """Has all parts done by worker processes.

    Args:
        factory: "package.module:function"; called once in each worker with `spec`, returns the handler of requests.
        spec: What the workers need to know.
        works: The parts.
        workers: How many processes.
        ahead: How many items of a part may be begun before the first of them is done.
        warned: Hears, from the caller's own thread, of each worker that died and was replaced.

    Yields:
        Results: those of a part in their order, parts mixed; and the end of each part.

    Raises:
        PrivkitError: What a handler, or reading, raised.
        InputError: A part has not the same items each time.
        InterruptedRunError: Workers died three times at the same item.
    """
    waiting: dict[int, dict[int, Result]] = {work.part: {} for work in works}
    following = {work.part: work.first for work in works}
    totals: dict[int, int] = {}
    with _Crew(factory, spec, works, workers=workers, ahead=ahead) as crew:
        for event in crew.events():
            if isinstance(event, str):
                warned(event)
                continue
            part = event.part
            if isinstance(event, _Total):
                totals[part] = event.number
            elif part in waiting and event.number >= following[part] and event.number not in waiting[part]:
                waiting[part][event.number] = event
            else:
                raise _changed(works, part)
            while (result := waiting[part].pop(following[part], None)) is not None:
                yield result
                following[part] += 1
                crew.taken(part)
            if totals.get(part) == following[part]:
                del totals[part], waiting[part]
                yield Finished(part)
    for part in waiting:
        raise _changed(works, part)


def _changed(works: Sequence[Work], part: int) -> InputError:
    name = next(work.name for work in works if work.part == part)
    return InputError(
        f"{name}: it changed while it was read", path=name, hint="Run again when nobody writes to it any more."
    )


class _Total(NamedTuple):
    """How many items a part has turned out to have."""

    part: int
    number: int


@dataclass(eq=False)
class _Lease:
    """A part, or a rest of one, that one worker does by itself.

    Attributes:
        work: The part.
        number: The next item whose result is expected.
        end: The item that it ends before, once somebody else does the rest.
        row: 0-based row of the part that the next item begins with, where that is known.
        attempts: How many workers died at the next item.
        unsharable: There was nothing left to take over.
    """

    work: Work
    number: int
    end: int | None = None
    row: int | None = None
    read: int = 0
    attempts: int = 0
    unsharable: bool = False

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.work.name}, from row {self.row + 1} on" if self.row is not None else self.work.name


@dataclass(eq=False)
class _Dealt:
    """One item of a part that is dealt out."""

    work: Work
    number: int
    item: Item
    attempts: int = 0

    @property
    def place(self) -> str:
        """For messages."""
        first = self.item.first_row
        return f"{self.work.name}, rows {first + 1} to {first + self.item.rows}" if self.item.rows else self.work.name


@dataclass(eq=False)
class _Dealing:
    """A part whose items are dealt out; `held` was read already."""

    work: Work
    items: Iterator[Item]
    number: int
    held: Item | None = None


class _ClosedError(Exception):
    """The crew is being sent home."""


class _Crew:
    """Worker processes, each driven by a thread of its own."""

    def __init__(self, factory: str, spec: bytes, works: Sequence[Work], *, workers: int, ahead: int) -> None:
        self._factory, self._spec, self._ahead = factory, spec, ahead
        self._changed = threading.Condition()
        self._events: deque[Result | _Total | str | BaseException] = deque()
        self._most_events = ahead
        leased = [work for work in works if work.lease is not None]
        self._unbegun = deque(sorted(leased, key=lambda work: (-work.size, work.part)))
        self._unread = deque(work for work in works if work.lease is None)
        self._source: _Dealing | None = None
        self._fed: deque[_Dealt] = deque()
        self._most_fed = workers
        self._dealings: list[_Dealing] = []
        self._leases: list[_Lease] = []
        self._splitting = False
        self._taken = {work.part: work.first for work in works}
        self._closing = False
        self._workers: list[Worker] = []
        self._running = workers
        self._threads: list[threading.Thread] = []
        self._open_source()

    def __enter__(self) -> _Crew:
        try:
            hired = [self._hire() for _ in range(self._running)]
            for number, worker in enumerate(hired):
                thread = threading.Thread(
                    target=self._drive, args=(worker,), name=f"privkit-worker-{number}", daemon=True
                )
                thread.start()
                self._threads.append(thread)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        # Whatever still runs is of no use any more when we leave early.
        with self._changed:
            self._closing = True
            for worker in self._workers:
                worker.kill()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.close()

    def events(self) -> Iterator[Result | _Total | str]:
        """What happens, until all is done. What only this process can read is read here, in between."""
        while True:
            with self._changed:
                while not self._events and self._running and not self._hungry:
                    self._changed.wait()
                hungry = self._hungry
                event = self._events.popleft() if self._events and not hungry else None
                if event is None and not hungry:
                    return
                self._changed.notify_all()
            if event is None:
                self._feed()
            elif isinstance(event, BaseException):
                raise event
            else:
                yield event

    def taken(self, part: int) -> None:
        """The part's next result has found its place: another item may be begun."""
        with self._changed:
            self._taken[part] += 1
            self._changed.notify_all()

    @property
    def _hungry(self) -> bool:
        """Whether another item is to be read."""
        source = self._source
        if source is None or not self._running or len(self._fed) >= self._most_fed:
            return False
        return source.number - self._taken[source.work.part] < self._ahead

    def _feed(self) -> None:
        source = self._source
        assert source is not None
        item = next(source.items, None)
        with self._changed:
            if item is not None:
                self._fed.append(_Dealt(source.work, source.number, item))
                source.number += 1
            else:
                self._events.append(_Total(source.work.part, source.number))
                self._open_source()
            self._changed.notify_all()

    def _open_source(self) -> None:
        work = self._unread.popleft() if self._unread else None
        self._source = None if work is None else _Dealing(work, work.items(work.first), work.first)

    # In the threads

    def _drive(self, worker: Worker) -> None:
        try:
            while (task := self._next()) is not None:
                worker = self._done(task, worker)
        except _ClosedError:
            pass
        except BaseException as err:
            with self._changed:
                self._events.append(err)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _done(self, task: _Lease | _Dealt, worker: Worker) -> Worker:
        """Has a task done, by this worker or its successors; the one who is there at the end."""
        while True:
            try:
                if isinstance(task, _Lease):
                    self._do_lease(task, worker)
                else:
                    work, item = task.work, task.item
                    for data in worker.ask(item.data):
                        self._put(Result(work.part, task.number, data, item.rows, item.read))
                return worker
            except WorkerDiedError as death:
                worker = self._replaced(worker, task, str(death))

    def _do_lease(self, lease: _Lease, worker: Worker) -> None:
        work = lease.work
        assert work.lease is not None
        with self._changed:
            request = None if lease.number == lease.end else work.lease(lease.number, lease.end)
        for body in () if request is None else worker.ask(request, lambda: self._ends(lease)):
            first, rows, read = _ABOUT.unpack_from(body)
            with self._changed:
                number = lease.number
                lease.number, lease.row, lease.read, lease.attempts = number + 1, first + rows, read, 0
            self._put(Result(work.part, number, body[_ABOUT.size :], rows, read))
        with self._changed:
            self._leases.remove(lease)
            self._changed.notify_all()
        if lease.end is None:
            self._put(_Total(work.part, lease.number))

    def _ends(self, lease: _Lease) -> bool:
        """Whether to tell a lease's worker that one more result is enough: it has begun that one already."""
        with self._changed:
            return lease.end is not None and lease.number + 1 >= lease.end

    def _next(self) -> _Lease | _Dealt | None:
        while True:
            with self._changed:
                task, splits = self._chosen()
            if task is None and splits is None:
                return None
            if task is not None:
                return task
            assert splits is not None
            self._split(splits)

    def _chosen(self) -> tuple[_Lease | _Dealt | None, _Lease | None]:
        """The next task; or the lease to take a part of; or neither, when all is done."""
        while True:
            if self._closing:
                raise _ClosedError
            if (dealt := self._dealt()) is not None:
                return dealt, None
            if self._unbegun:
                work = self._unbegun.popleft()
                self._leases.append(_Lease(work, work.first, row=None if work.first else 0))
                return self._leases[-1], None
            if not (self._leases or self._dealings or self._source):
                return None, None
            whole = [lease for lease in self._leases if lease.end is None and not lease.unsharable]
            if whole and not self._splitting and not self._dealings:
                self._splitting = True
                return None, max(whole, key=lambda lease: lease.work.size - lease.read)
            self._changed.wait()

    def _dealt(self) -> _Dealt | None:
        """The next item of a part that is dealt out, where one may be begun."""
        if self._fed:
            task = self._fed.popleft()
            self._changed.notify_all()
            return task
        for dealing in list(self._dealings):
            work, number = dealing.work, dealing.number
            if number - self._taken[work.part] >= self._ahead:
                continue
            item = dealing.held if dealing.held is not None else next(dealing.items, None)
            if item is None:
                self._dealings.remove(dealing)
                self._events.append(_Total(work.part, number))
                self._changed.notify_all()
                continue
            dealing.held, dealing.number = None, number + 1
            return _Dealt(work, number, item)
        return None

    def _split(self, lease: _Lease) -> None:
        """Read along with a lease's worker and, once past it, have the rest dealt out.

        Its worker may have begun the two items after its last result (see `privkit.engines.workers`).
        """
        items = lease.work.items(0)
        for number, item in enumerate(items):
            with self._changed:
                if self._closing:
                    raise _ClosedError
                if lease not in self._leases:
                    break
                if number >= lease.number + 2:
                    lease.end = number
                    self._dealings.append(_Dealing(lease.work, items, number, item))
                    break
        with self._changed:
            lease.unsharable = True
            self._splitting = False
            self._changed.notify_all()

    def _put(self, event: Result | _Total | str) -> None:
        with self._changed:
            while len(self._events) >= self._most_events and not self._closing:
                self._changed.wait()
            if self._closing:
                raise _ClosedError
            self._events.append(event)
            self._changed.notify_all()

    def _hire(self) -> Worker:
        worker = Worker(self._factory, self._spec)
        with self._changed:
            if not self._closing:
                self._workers.append(worker)
                return worker
        worker.close()
        raise _ClosedError

    def _replaced(self, worker: Worker, task: _Lease | _Dealt, fate: str) -> Worker:
        with self._changed:
            if self._closing:
                raise _ClosedError
            task.attempts += 1
            with suppress(ValueError):
                self._workers.remove(worker)
        worker.close()
        place = f" at {task.place}" if task.place else ""
        if task.attempts >= _ATTEMPTS:
            raise InterruptedRunError(
                f"a worker process died ({fate}){place}, and so did {_ATTEMPTS - 1} others before it",
                hint="Signal 9 is often the system running out of memory: try fewer --workers.",
            )
        self._put(f"a worker process died ({fate}){place}: another one has taken its place and does that work again")
        return self._hire()
