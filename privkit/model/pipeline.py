"""A pipeline: how one dataset is shared, in one file; and the plan of what running it would do.

The file is written by a person and public to the organisation; the plan is computed from it, the dataset's description
and the ledger alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from privkit.model.amounts import Amount
from privkit.model.languages import checked_countries, checked_language
from privkit.model.operators import Operator
from privkit.model.policy import DetectorName
from privkit.model.release import HalfWidth, Loss

StepKind = Literal["deidentify", "release", "contribute"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- what a person writes


class About(_Record):
    """What only a person can say about a dataset; every card shows it, or that it was not stated.

    The questions are those of Gebru et al. 2021 (Datasheets for Datasets): motivation, composition, collection, uses,
    distribution.
    """

    title: str | None = None
    purpose: str | None = Field(None, description="Why the data was collected and is shared.")
    intended_uses: str | None = Field(None, description="What the output is good for.")
    unsuitable_uses: str | None = Field(None, description="What it must not, or cannot sensibly, be used for.")
    collection: str | None = Field(None, description="How and from whom it was collected, and over which time.")
    contact: str | None = Field(None, description="Whom to ask.")
    license: str | None = Field(None, description="Under which terms the output is given.")
    rows: str | None = Field(None, description="How many rows or people, only where that is public already.")


class LocalMechanism(_Record):
    """Noise on one column of the rows that leave: protects the substitution of one value, nothing else.

    `randomize`: k-ary randomized response on a category; `noise`: bounded noise on a number.
    """

    mechanism: Literal["randomize", "noise"]
    epsilon: Amount = Field(gt=0, description="ε of one value.")
    max_rows: int = Field(1, ge=1, le=1000, description="Rows of one unit that keep a value; the others lose it.")


class DeidentifyStep(_Record):
    """Write a de-identified copy of the dataset's source."""

    output: str = Field(min_length=1)
    policy: str = Field("default", min_length=1, description="A built-in policy's name, or a file.")
    key: str | None = Field(None, min_length=1, description="Key file, for consistent or reversible pseudonyms.")
    columns: Mapping[str, Operator] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    detector: DetectorName | None = None
    language: str | None = Field(None, description="Of the texts, ISO 639-1; the policy's when absent.")
    country: tuple[str, ...] = Field((), description="Whose national numbers are read; the policy's when absent.")
    report: str | None = Field(None, min_length=1, description="Internal report with exact counts: .json or .html.")
    evaluation: str | None = Field(
        None, min_length=1, description="JSON of `privkit evaluate` with the same detector: the card shows it."
    )
    local: Mapping[str, LocalMechanism] = Field(default_factory=dict)
    counts_on_card: bool = Field(False, description="The card's readers get the rows too, so it may show counts.")

    _known_countries = field_validator("country")(checked_countries)

    @field_validator("language")
    @classmethod
    def _known_language(cls, given: str | None) -> str | None:
        return None if given is None else checked_language(given)


class PipelineStatistic(_Record):
    """One query of a release step, and what it may cost: a weight of what is left, or what an accuracy needs."""

    sql: str = Field(min_length=1)
    weight: Amount | None = Field(None, gt=0, description="Part of what accuracies leave of the step's total; 1.")
    accuracy: float | None = Field(None, gt=0, allow_inf_nan=False, description="Half-width of every interval.")
    hold: bool = Field(False, description="Keep the accuracy even where the step's total is too small for all.")
    assume_units: int | None = Field(None, ge=1, description="Units in a group, where an accuracy needs it.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.weight is not None and self.accuracy is not None:
            raise ValueError("either a weight or an accuracy")
        if self.hold and self.accuracy is None:
            raise ValueError("hold keeps an accuracy: give one")
        return self


class ReleaseStep(_Record):
    """Release statistics, together at one price."""

    output: str = Field(min_length=1, description="JSON with every release.")
    total_epsilon: Amount = Field(gt=0, description="ε of all of the step together, at the budget's δ.")
    statistics: tuple[PipelineStatistic, ...] = Field(min_length=1, max_length=1000)
    confidence: float = Field(0.95, ge=0.5, lt=1)


class ContributeStep(_Record):
    """Contribute to an encrypted study that was joined."""

    study: str = Field(min_length=1, description="The study's folder.")
    identity: str = Field(min_length=1, description="The identity file that joined it.")


class Step(_Record):
    """One step: exactly one of the kinds."""

    deidentify: DeidentifyStep | None = None
    release: ReleaseStep | None = None
    contribute: ContributeStep | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(found is not None for found in (self.deidentify, self.release, self.contribute)) != 1:
            raise ValueError("a step is one of deidentify, release and contribute")
        return self

    @property
    def kind(self) -> StepKind:
        """Which one."""
        return "deidentify" if self.deidentify else "release" if self.release else "contribute"

    @property
    def place(self) -> str:
        """What it writes: a file, or the study's folder."""
        if self.contribute is not None:
            return self.contribute.study
        found = self.deidentify or self.release
        assert found is not None
        return found.output


class PipelineSpec(_Record):
    """A pipeline, as `*.pipeline.yaml` holds it; relative paths start from its own folder."""

    dataset: str = Field(min_length=1, description="The dataset's description.")
    about: About = About()
    steps: tuple[Step, ...] = Field(min_length=1, max_length=100)
    fairness: tuple[str, ...] = Field((), description="Columns by whose groups the card compares the release.")
    card: str = Field(min_length=1, description="The card: .html, .json or .md; the other two are written beside it.")
    sign: str | None = Field(None, min_length=1, description="Identity file that signs the card.")
    approved_by: str | None = Field(None, description="Who decided that the rows may leave; the OS user by default.")
    analyst: str | None = Field(None, description="Whose quota is charged; the OS user by default.")

    @model_validator(mode="after")
    def _places(self) -> Self:
        if not self.card.lower().endswith((".html", ".json", ".md")):
            raise ValueError("card: the name must end in .html, .json or .md")
        outputs = [found.output for step in self.steps for found in (step.deidentify, step.release) if found]
        if len({*outputs, self.card}) <= len(outputs):
            raise ValueError("two steps write the same file, or one writes the card's")
        return self


# ---- the plan


class PlannedStatistic(_Record):
    """What one query of a step would cost.

    Attributes:
        sql: In its canonical spelling.
        cost: Its loss; of a stored answer, what was paid for it.
        stored: Whether an equal answer is stored, so that nothing would be spent.
        share: Part of the step's total, in 0 … 1.
        groups: How many; None where they are private.
        half_widths: Of its 95 % (or the step's) intervals, where they can be known.
        why: How the cost came about: `weight 2`, `accuracy 40`, `accuracy 40, cut to fit`.
    """

    sql: str
    cost: Loss
    stored: bool
    share: float
    groups: int | None
    half_widths: tuple[HalfWidth, ...]
    why: str


class PlannedStep(_Record):
    """What one step would do.

    Attributes:
        number: From 1.
        kind: Which kind.
        state: `to do`; `done`, and nothing would happen; `changed`: it was done with other inputs, and is done again.
        why: What changed, or what else there is to say.
        reads: Files that it reads, as the pipeline names them.
        writes: Files that it writes.
        cost: What would be charged; None where nothing is.
        statistics: Of a release.
        notes: What to know: that rows leave without a guarantee, what a local mechanism protects.
    """

    number: int
    kind: StepKind
    state: Literal["to do", "done", "changed"]
    why: str = ""
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    cost: Loss | None = None
    statistics: tuple[PlannedStatistic, ...] = ()
    notes: tuple[str, ...] = ()


class PipelinePlan(_Record):
    """What running a pipeline would do, before anything happens.

    Attributes:
        dataset: The dataset's name.
        limit: Its budget.
        remaining: What is left of it now, to whoever runs the pipeline.
        cost: What would be charged in all.
        after: What would be left.
        fits: Whether it does.
        share: Part of the whole budget that would be charged, in 0 … 1.
        steps: One each.
        card: Files that the card is written to.
        signer: Who signs it, by fingerprint; None where nobody does.
    """

    dataset: str
    limit: Loss
    remaining: Loss
    cost: Loss
    after: Loss
    fits: bool
    share: float
    steps: tuple[PlannedStep, ...]
    card: tuple[str, ...]
    signer: str | None = None
