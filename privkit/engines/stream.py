"""A source's blocks, through a handler, into an output: the one loop that every command over data runs.

A handler takes a packed block and gives a packed answer: which block it was, a note (JSON: counts, never values) and
the bytes to write. Notes go into the output's journal, so a resumed run can add them up again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple

from privkit.engines.local import map_ordered
from privkit.io.run import Run
from privkit.io.sources import Block, Source

Note = dict[str, Any]
Progress = Callable[[int, int], None]


class Answer(NamedTuple):
    """A handler's result for one block: which block, what is to be remembered of it, the bytes to write."""

    part: int
    number: int
    note: Note
    data: bytes


def pack_block(block: Block) -> bytes:
    """A block as one run of bytes."""
    head = {"part": block.part, "index": block.index, "first_row": block.first_row, "rows": block.rows}
    return _packed({**head, "kind": block.kind, "name": block.name}, block.payload)


def unpack_block(packed: bytes) -> Block:
    """The inverse of `pack_block`."""
    head, payload = _unpacked(packed)
    return Block(**head, payload=payload)


def pack_answer(answer: Answer) -> bytes:
    """An answer as one run of bytes."""
    return _packed({"part": answer.part, "number": answer.number, "note": answer.note}, answer.data)


def unpack_answer(packed: bytes) -> Answer:
    """The inverse of `pack_answer`."""
    head, data = _unpacked(packed)
    return Answer(**head, data=data)


def answers(
    source: Source,
    factory: str,
    spec: bytes,
    *,
    workers: int,
    progress: Progress,
    finished: Callable[[int], int | None] = lambda _part: 0,
) -> Generator[Answer, None, None]:
    """The handler's answers, in the order of the blocks.

    Args:
        source: Where the blocks come from.
        factory: "package.module:function" that makes the handler from `spec`.
        spec: What the workers must know.
        workers: How many processes.
        progress: Hears, after each block, of the rows done and the source's bytes read since the start.
        finished: How many blocks of a part are done already and left out; None for all of them.
    """
    # Rows of each block on its way, and how far the source was read when it was cut: reading runs ahead of the work.
    waiting: dict[tuple[int, int], tuple[int, int]] = {}
    done = 0

    def packed() -> Iterator[bytes]:
        for part in range(len(source.parts)):
            skip = finished(part)
            for block in source.blocks(part, skip=skip) if skip is not None else ():
                waiting[(block.part, block.index)] = block.rows, source.consumed
                yield pack_block(block)

    with contextlib.closing(map_ordered(factory, spec, packed(), workers=workers)) as results:
        for result in results:
            answer = unpack_answer(result)
            rows, consumed = waiting.pop((answer.part, answer.number))
            done += rows
            progress(done, consumed)
            yield answer


def into_memory(
    source: Source, factory: str, spec: bytes, *, workers: int, progress: Progress, remember: Callable[[Note], None]
) -> list[bytes]:
    """Every block of `source` through the handler; the bytes of each, in order."""
    data = []
    for answer in answers(source, factory, spec, workers=workers, progress=progress):
        remember(answer.note)
        data.append(answer.data)
    return data


def into_run(
    source: Source,
    factory: str,
    spec: bytes,
    run: Run,
    *,
    workers: int,
    progress: Progress,
    remember: Callable[[Note], None],
) -> None:
    """Every block of `source` that `run` has not got yet, through the handler, into `run`; all its parts finished.

    Args:
        source: Where the blocks come from.
        factory: "package.module:function" that makes the handler from `spec`.
        spec: What the workers must know.
        run: Where the bytes and notes go.
        workers: How many processes.
        progress: As for `answers`.
        remember: Hears of every note, those of blocks that an interrupted run had finished too.
    """
    for note in run.notes():
        remember(note)

    def finished(part: int) -> int | None:
        return None if run.part_finished(part) else run.finished(part)

    found = answers(source, factory, spec, workers=workers, progress=progress, finished=finished)
    current = 0
    with contextlib.closing(found):
        for answer in found:
            while current < answer.part:
                run.finish_part(current)
                current += 1
            run.append(answer.part, answer.data, answer.note)
            remember(answer.note)
    for part in range(current, len(source.parts)):
        run.finish_part(part)


def _packed(head: Mapping[str, Any], body: bytes) -> bytes:
    return json.dumps(head).encode() + b"\n" + body


def _unpacked(packed: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = packed.partition(b"\n")
    return json.loads(head), body
