"""A source's blocks, through a handler, into an output: the one loop that every command over data runs.

A handler takes a packed block and gives a packed answer: which block it was, a note (JSON: counts, never values) and
the bytes to write. Notes go into the output's journal, so a resumed run can add them up again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple

from privkit.engines.sharing import Item, Result, Work, pack_leased, shared
from privkit.engines.workers import load_handler, settled
from privkit.io.partfile import PartFile
from privkit.io.run import Run
from privkit.io.sources import Block, Source

Note = dict[str, Any]
Progress = Callable[[int, int], None]
Warned = Callable[[str], None]

_SHARING = "privkit.engines.stream:sharing"
_AHEAD = 8  # blocks of a part for each worker: a block that takes long holds nobody back


def unheard(_message: str) -> None:
    """For a caller who does not want to be warned."""


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


class PartEnd(NamedTuple):
    """All blocks of a part have been answered."""

    part: int


def answers(
    source: Source,
    factory: str,
    spec: bytes,
    *,
    workers: int,
    progress: Progress,
    finished: Callable[[int], int | None] = lambda _part: 0,
    warned: Warned = unheard,
) -> Generator[Answer, None, None]:
    """The handler's answers: those of a part in the order of its blocks, parts mixed where there are several workers.

    Args:
        source: Where the blocks come from.
        factory: "package.module:function" that makes the handler from `spec`.
        spec: What the workers must know.
        workers: How many processes.
        progress: Hears, after each block, of the rows done and the source's bytes read since the start.
        finished: How many blocks of a part are done already and left out; None for all of them.
        warned: Hears of each worker that died and was replaced.
    """
    events = _worked(source, factory, spec, workers, progress, finished, warned)
    with contextlib.closing(events):
        for event in events:
            if isinstance(event, Answer):
                yield event


def _worked(
    source: Source,
    factory: str,
    spec: bytes,
    workers: int,
    progress: Progress,
    finished: Callable[[int], int | None],
    warned: Warned,
) -> Generator[Answer | PartEnd, None, None]:
    if workers > 1:
        yield from _together(source, factory, spec, workers, progress, finished, warned)
    else:
        yield from _alone(source, factory, spec, progress, finished)


def _alone(
    source: Source, factory: str, spec: bytes, progress: Progress, finished: Callable[[int], int | None]
) -> Generator[Answer | PartEnd, None, None]:
    """In this process, one part after the other."""
    handler = load_handler(factory, spec)
    done = 0
    with settled():
        for part in range(len(source.parts)):
            skip = finished(part)
            if skip is None:
                continue
            for block in source.blocks(part, skip=skip):
                answer = unpack_answer(handler(pack_block(block)))
                done += block.rows
                progress(done, source.consumed)
                yield answer
            yield PartEnd(part)


def _together(
    source: Source,
    factory: str,
    spec: bytes,
    workers: int,
    progress: Progress,
    finished: Callable[[int], int | None],
    warned: Warned,
) -> Generator[Answer | PartEnd, None, None]:
    """In worker processes, which read parts for themselves where there are several files."""
    skips = {part: skip for part in range(len(source.parts)) if (skip := finished(part)) is not None}
    works = [_work(source, part, skip, alone=len(skips) == 1) for part, skip in skips.items()]
    read = dict.fromkeys(skips, 0)
    done = 0
    head = _packed({"factory": factory}, spec)
    events = shared(_SHARING, head, works, workers=workers, ahead=_AHEAD * workers, warned=warned)
    with contextlib.closing(events):
        for event in events:
            if isinstance(event, Result):
                done += event.rows
                read[event.part] = max(read[event.part], event.read)  # a rest is read anew from the part's beginning
                progress(done, sum(read.values()))
                yield unpack_answer(event.data)
            else:
                yield PartEnd(event.part)


def _work(source: Source, part: int, skip: int, *, alone: bool) -> Work:
    file = source.file(part)
    about = source.parts[part]

    def streamed(first: int) -> Iterator[Item]:
        return (_item(block, source.consumed) for block in source.blocks(part, skip=first))

    if alone or file is None:
        return Work(part, streamed, first=skip, name=about.label)
    state = file.to_json()

    def read(first: int) -> Iterator[Item]:
        return (_item(block, so_far) for block, so_far in _read(file, first))

    def lease(first: int, end: int | None) -> bytes:
        return _packed({"first": first, "end": end}, state.encode())

    return Work(part, read, lease, first=skip, size=about.bytes or 0, name=about.label)


def _item(block: Block, read: int) -> Item:
    return Item(pack_block(block), block.first_row, block.rows, read)


def _read(file: PartFile, first: int) -> Iterator[tuple[Block, int]]:
    """The blocks of a file from a number on, each with how many of the file's bytes were read up to it."""
    so_far = 0

    def count(size: int) -> None:
        nonlocal so_far
        so_far += size

    for block in file.blocks(count):
        if block.index >= first:
            yield block, so_far


def sharing(packed: bytes) -> Callable[[bytes], bytes | Iterator[bytes]]:
    """What a worker does with its requests: a block is answered, and of a lease the worker reads the blocks itself."""
    head, spec = _unpacked(packed)
    handler = load_handler(head["factory"], spec)

    def leased(first: int, end: int | None, state: bytes) -> Iterator[bytes]:
        for block, read in _read(PartFile.from_json(state.decode()), first):
            if block.index == end:
                return
            about = Item(b"", block.first_row, block.rows, read)
            yield pack_leased(about, handler(pack_block(block)))

    def answer(request: bytes) -> bytes | Iterator[bytes]:
        head, body = _unpacked(request)
        return leased(head["first"], head["end"], body) if "first" in head else handler(request)

    return answer


def into_memory(
    source: Source,
    factory: str,
    spec: bytes,
    *,
    workers: int,
    progress: Progress,
    remember: Callable[[Note], None],
    warned: Warned = unheard,
) -> list[bytes]:
    """Every block of `source` through the handler; the bytes of each, in order."""
    data = []
    for answer in answers(source, factory, spec, workers=workers, progress=progress, warned=warned):
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
    warned: Warned = unheard,
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
        warned: As for `answers`.
    """
    for note in run.notes():
        remember(note)

    def finished(part: int) -> int | None:
        return None if run.part_finished(part) else run.finished(part)

    events = _worked(source, factory, spec, workers, progress, finished, warned)
    with contextlib.closing(events):
        for event in events:
            if isinstance(event, Answer):
                run.append(event.part, event.data, event.note)
                remember(event.note)
            else:
                run.finish_part(event.part)
    for part in range(len(source.parts)):
        run.finish_part(part)


def _packed(head: Mapping[str, Any], body: bytes) -> bytes:
    return json.dumps(head).encode() + b"\n" + body


def _unpacked(packed: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = packed.partition(b"\n")
    return json.loads(head), body
