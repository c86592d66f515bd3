"""Where a pipeline writes: nothing of it may replace what it reads or keeps, nor another of its files.

No --force changes that: a ledger, a key or a source that is written over is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from privkit.cards import card_files
from privkit.deid.policies import policy_names
from privkit.errors import UsageError
from privkit.io.sources import open_source
from privkit.model.pipeline import Step
from privkit.pipeline.work import Work

_BESIDE_A_LEDGER = ("", "-wal", "-shm", "-journal")


def check_places(work: Work, file: Path) -> None:
    """Refuses a pipeline whose files would get in each other's way, before anything happens.

    Args:
        work: The pipeline.
        file: Its file.

    Raises:
        UsageError: Two outputs are one file, or one lies inside another, or would replace what is read or kept.
    """
    written = [(name, _real(work.path(name))) for name in _written(work)]
    for index, (name, place) in enumerate(written):
        for other, there in written[index + 1 :]:
            if place == there:
                raise UsageError(f"{name} is written twice", hint="Give each output, report and card its own name.")
            if place.is_relative_to(there) or there.is_relative_to(place):
                raise UsageError(f"{name} and {other}: one lies inside the other", hint="Give one another folder.")
    for name, place in written:
        for what, there in _read(work, file):
            if there.is_relative_to(place):
                raise UsageError(f"{name} would replace {what}", hint="Give it another name.")
        for study in (step.contribute.study for step in work.spec.steps if step.contribute):
            if place.is_relative_to(_real(work.path(study))):
                raise UsageError(f"{name} lies inside the study {study}", hint="Its folder is shared with others.")
        _check_apart_from_source(work, name, place)


def _written(work: Work) -> Iterator[str]:
    for step in work.spec.steps:
        if step.deidentify is not None:
            yield step.deidentify.output
            if step.deidentify.report is not None:
                yield step.deidentify.report
        elif step.release is not None:
            yield step.release.output
    yield from map(str, card_files(Path(work.spec.card)))


def _read(work: Work, file: Path) -> Iterator[tuple[str, Path]]:
    yield "the pipeline's file", _real(file)
    yield "what the pipeline keeps", _real(work.place)
    yield "the dataset's description", _real(work.path(work.spec.dataset))
    if "://" not in work.dataset.ledger_path:
        for end in _BESIDE_A_LEDGER:
            yield "the ledger", _real(Path(work.dataset.ledger_path + end))
    source = work.dataset.spec.source
    if source is not None and "://" not in source:
        yield "the source", _real(work.dataset.folder / source)
    if work.spec.sign is not None:
        yield "an identity", _real(work.path(work.spec.sign))
    for step in work.spec.steps:
        yield from _read_by(work, step)


def _read_by(work: Work, step: Step) -> Iterator[tuple[str, Path]]:
    if step.contribute is not None:
        yield "an identity", _real(work.path(step.contribute.identity))
    if step.deidentify is not None:
        source = work.dataset.spec.source
        parts = [] if source is None or "://" in source else open_source(work.dataset.folder / source).parts
        for part in parts:
            if part.path is not None:
                yield "the source", _real(part.path)
        if step.deidentify.key is not None:
            yield "a key", _real(work.path(step.deidentify.key))
        if step.deidentify.evaluation is not None:
            yield "an evaluation", _real(work.path(step.deidentify.evaluation))
        if step.deidentify.policy not in policy_names():
            yield "a policy", _real(work.path(step.deidentify.policy))


def _check_apart_from_source(work: Work, name: str, place: Path) -> None:
    source = work.dataset.spec.source
    if source is None or "://" in source:
        return
    origin = work.dataset.folder / source
    pattern = _real(origin.parent) / origin.name
    inside = place.is_relative_to(_real(origin)) if origin.is_dir() else place.match(str(pattern))
    if inside:
        raise UsageError(f"{name} lies inside the source", hint="It would be read as a part of it next time.")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
