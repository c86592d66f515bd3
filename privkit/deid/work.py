"""The work of one worker: bytes of a block in, bytes of its output and counts out.

A `Job` is what a worker must know; it travels as JSON over a pipe (the key with it: never on a command line, never in
a file). The functions named below make handlers from it for `privkit.engines`.
"""

from __future__ import annotations

import base64
import importlib
import json
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from privkit.deid.findings import Detector
from privkit.deid.recognizers import build_detector
from privkit.deid.restore import Restorer
from privkit.deid.rows import KnownNames
from privkit.deid.transform import Transformer
from privkit.engines.stream import Answer, pack_answer, unpack_block
from privkit.engines.workers import Handler
from privkit.io.blocks import Block
from privkit.io.frames import Frame
from privkit.io.outputs import Target
from privkit.keys.keyfile import Key
from privkit.model.policy import Policy
from privkit.model.presidio import PresidioConfiguration

DEIDENTIFYING = "privkit.deid.work:deidentifying"
SCANNING = "privkit.deid.work:scanning"
RESTORING = "privkit.deid.work:restoring"
EVALUATING = "privkit.deid.work:evaluating"
# Rows of the output that the detector searches again: of the first block, and of each later one.
CHECKED_FIRST = 1000
CHECKED_LATER = 16


class KnownFile(BaseModel):
    """Names from another file, by the text of this file's column `on`."""

    model_config = ConfigDict(frozen=True)

    on: str
    names: Mapping[str, tuple[str, ...]]


class Before(BaseModel):
    """What a worker runs on each block before de-identifying it; whoever starts the run brings it.

    Attributes:
        factory: "package.module:function", which takes `spec` and gives a function from `Block` to `Frame`.
        spec: Base64.
    """

    model_config = ConfigDict(frozen=True)

    factory: str
    spec: str

    def load(self) -> Callable[[Block], Frame]:
        """The function."""
        module, _, name = self.factory.partition(":")
        made: Callable[[Block], Frame] = getattr(importlib.import_module(module), name)(base64.b64decode(self.spec))
        return made


class Job(BaseModel):
    """What a worker must know.

    Attributes:
        policy: Resolved: with a rule for each column of the sample, and its detector named.
        secret: The key's bytes, base64.
        kept: Whether the key is kept, so that pseudonyms can be reversible.
        target: The output, as `Target.to_json` writes it; None for a scan.
        known: Names from other files.
        needles: Identifiers of the sample that the residual check searches everywhere, as (text, entity).
        before: What is done to each block first.
    """

    model_config = ConfigDict(frozen=True)

    policy: Policy
    secret: str
    kept: bool
    target: str | None = None
    known: tuple[KnownFile, ...] = ()
    needles: tuple[tuple[str, str], ...] = ()
    before: Before | None = None

    def to_bytes(self) -> bytes:
        """JSON; holds the key."""
        return self.model_dump_json().encode()

    def key(self) -> Key:
        """The key that the job carries."""
        return Key.from_secret(base64.b64decode(self.secret), kept=self.kept)

    def prepared(self) -> Callable[[Block], Frame]:
        """What gives a block's cells, as they are before they are de-identified."""
        return Block.frame if self.before is None else self.before.load()

    def transformer(self) -> Transformer:
        """The policy made ready, with its detector loaded."""
        target = Target.from_json(self.target) if self.target is not None else None
        return Transformer(
            self.policy,
            detector_of(self.policy),
            self.key(),
            spreadsheet=target is not None and target.format in ("csv", "tsv"),
            known=tuple(KnownNames(file.on, file.names) for file in self.known),
            needles=self.needles,
        )


def detector_of(policy: Policy) -> Detector:
    """The detector that a policy names (the fullest installed when it names none), loaded once in each process."""
    recognizers = json.dumps(policy.model_dump(mode="json")["recognizers"])
    presidio = None if policy.presidio is None else policy.presidio.model_dump_json()
    return _detector(
        policy.detector,
        policy.language,
        policy.country,
        recognizers,
        policy.pattern_timeout,
        policy.lowest_threshold,
        presidio,
        policy.allow_remote,
    )


@lru_cache(maxsize=4)
def _detector(
    name: Any,
    language: str,
    countries: tuple[str, ...],
    recognizers: str,
    timeout: float,
    threshold: float,
    presidio: str | None,
    allow_remote: bool,
) -> Detector:
    return build_detector(
        name,
        language=language,
        countries=countries,
        custom=json.loads(recognizers),
        timeout=timeout,
        threshold=threshold,
        presidio=None if presidio is None else PresidioConfiguration.model_validate_json(presidio),
        allow_remote=allow_remote,
    )


def deidentifying(spec: bytes) -> Handler:
    """Makes the handler of `deidentify`."""
    job = Job.model_validate_json(spec)
    transformer = job.transformer()
    assert job.target is not None
    target = Target.from_json(job.target)
    prepared = job.prepared()

    def handle(packed: bytes) -> bytes:
        block = unpack_block(packed)
        checked = CHECKED_FIRST if block.index == 0 else CHECKED_LATER
        frame, counts = transformer.transform(prepared(block), check_rows=checked)
        return pack_answer(
            Answer(block.part, block.index, counts.to_note(), target.encode(frame, first_row=block.first_row))
        )

    return handle


def scanning(spec: bytes) -> Handler:
    """Makes the handler of `scan`."""
    transformer = Job.model_validate_json(spec).transformer()

    def handle(packed: bytes) -> bytes:
        block = unpack_block(packed)
        note = transformer.examine(block.frame()).to_note()
        return pack_answer(Answer(block.part, block.index, note, b""))

    return handle


def evaluating(spec: bytes) -> Handler:
    """Makes the handler of `evaluate`: a list of texts in; out come the spans of each, and the processor time."""
    transformer = Job.model_validate_json(spec).transformer()

    def handle(packed: bytes) -> bytes:
        texts = json.loads(packed)
        before = time.process_time()
        found = transformer.replaced(texts)
        spent = time.process_time() - before
        spans = [[(span.start, span.end, span.entity) for span in each] for each in found]
        return json.dumps({"cpu": spent, "spans": spans}).encode()

    return handle


def restoring(spec: bytes) -> Handler:
    """Makes the handler of `reidentify`."""
    job = Job.model_validate_json(spec)
    assert job.target is not None
    target = Target.from_json(job.target)
    restorer = Restorer(job.key(), spreadsheet=target.format in ("csv", "tsv"), schema=target.schema)

    def handle(packed: bytes) -> bytes:
        block = unpack_block(packed)
        frame, counts = restorer.restore(block.frame())
        return pack_answer(
            Answer(block.part, block.index, counts.to_note(), target.encode(frame, first_row=block.first_row))
        )

    return handle
