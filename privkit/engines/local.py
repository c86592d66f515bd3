"""One function over many items on this machine: in this process, or in worker processes, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator

from privkit.engines.sharing import Item, Result, Work, shared
from privkit.engines.workers import load_handler, settled


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ordered(
    factory: str,
    spec: bytes,
    items: Iterable[bytes],
    *,
    workers: int,
    warned: Callable[[str], None] = lambda _message: None,
) -> Generator[bytes, None, None]:
    """Applies the handler to each item; results come in the order of the items.

    At most `2 * workers` items are held at a time, so memory does not grow with the input. With one worker the
    handler runs in this process.

    Args:
        factory: "package.module:function"; called once in each worker with `spec`, returns the handler.
        spec: What the workers need to know, as bytes.
        items: Inputs; drawn only as fast as they are worked on.
        workers: How many processes; 1 for none beside this one.
        warned: Hears of each worker that died and was replaced.

    Yields:
        The handler's result for each item.

    Raises:
        PrivkitError: What the handler raised, wherever it ran.
        InterruptedRunError: Workers died again and again at the same item.
    """
    if workers <= 1:
        handler = load_handler(factory, spec)
        with settled():
            for item in items:
                yield handler(item)
        return

    def drawn(_skip: int) -> Iterator[Item]:
        return (Item(item) for item in items)

    for event in shared(factory, spec, [Work(0, drawn)], workers=workers, ahead=2 * workers, warned=warned):
        if isinstance(event, Result):
            yield event.data
