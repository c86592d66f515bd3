"""What was done of a pipeline so far: kept beside its file, so that nothing is done, or paid for, twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.card import CardStudy, DeidentifiedRows
from privkit.model.pipeline import Step, StepKind
from privkit.model.release import Release

PLACE = "the output"
"""By which of its inputs a step is known again: `Step.place`."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Releases(_Record):
    """What a release step writes: every release of it, in the order of its statistics."""

    format: Literal[1] = 1
    dataset: str
    version: str
    releases: tuple[Release, ...]


class StepRecord(_Record):
    """That a step was done: what it was done with, and what came of it.

    Attributes:
        number: From 1.
        kind: Which kind.
        inputs: What it was done with, by name: hashes and labels; a step whose inputs are equal is not done again.
        files: SHA-256 of what it wrote, by file as the pipeline names it; empty while it is under way.
        instead: Of a de-identification, SHA-256 of what stood in the output's place just before it got its name.
        stored: Of a release, which of its answers were paid for before.
        rows: Of a de-identification, what the card says of it.
        study: Of a contribution, the same.
        time: When (UTC, ISO 8601).
    """

    number: int
    kind: StepKind
    inputs: Mapping[str, str]
    files: Mapping[str, str] = Field(default_factory=dict)
    instead: Mapping[str, str] = Field(default_factory=dict)
    stored: tuple[bool, ...] = ()
    rows: DeidentifiedRows | None = None
    study: CardStudy | None = None
    time: str


class PipelineState(_Record):
    """All of it.

    Attributes:
        dataset: The dataset's name.
        steps: Those that were done.
        card: What the card was made with, by name; it is not made again while that is equal.
        card_files: SHA-256 of the card's files.
        card_sha256: SHA-256 of the card's JSON, for the next card to name.
    """

    format: Literal[1] = 1
    dataset: str
    steps: tuple[StepRecord, ...] = ()
    card: Mapping[str, str] = Field(default_factory=dict)
    card_files: Mapping[str, str] = Field(default_factory=dict)
    card_sha256: str | None = None

    def step(self, number: int) -> StepRecord | None:
        """The record of a step."""
        return next((record for record in self.steps if record.number == number), None)

    def along(self, steps: Sequence[Step]) -> PipelineState:
        """The state with its records numbered as `steps` are now: a step is known by what it writes, not by its place.

        Args:
            steps: The pipeline's. Records of a step that is not among them are left out.
        """
        left, found = list(self.steps), []
        for number, step in enumerate(steps, 1):
            record = next((one for one in left if one.kind == step.kind and one.inputs.get(PLACE) == step.place), None)
            if record is not None:
                left.remove(record)
                found.append(record.model_copy(update={"number": number}))
        return self.model_copy(update={"steps": tuple(found)})

    def with_step(self, record: StepRecord) -> PipelineState:
        """The state with a step done, in place of what was recorded of it before."""
        others = [found for found in self.steps if found.number != record.number]
        return self.model_copy(update={"steps": tuple(sorted([*others, record], key=lambda found: found.number))})
