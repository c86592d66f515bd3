"""What was measured of a detector on annotated text: shares and counts, and no text unless it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.annotated import AnnotatedFormat
from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo, PolicyInfo

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measures(_Record):
    """How well one entity type, or all of them together, was found.

    A marked span is *found* when a finding of its own type overlaps it in at least one character. It counts once,
    however many findings do. A finding is *false* when it overlaps no marked span of its own type.

    Attributes:
        spans: Marked spans.
        found: Those of them that were found.
        false: Findings that are false.
        precision: found / (found + false); null where there is neither.
        recall: found / spans; null where nothing is marked.
        recall_low: Lower end of recall's 95 % interval (Wilson 1927, spans taken as independent).
        recall_high: Upper end.
        f1: Of precision and recall: 2 found / (2 found + false + missed).
        f2: The same with recall weighted twice: 5 found / (5 found + false + 4 missed).
        fully_masked: Share of the spans of which at least 95 % of the characters are replaced, by findings of any type.
        characters: Characters of the spans.
        characters_masked: Share of them that is replaced, by findings of any type.
        spurious: Findings that overlap no marked span of any type.
        spurious_per_1000_words: The same for each 1,000 words of the data set (what white space parts is a word).
    """

    spans: int = Field(ge=0)
    found: int = Field(ge=0)
    false: int = Field(ge=0)
    precision: Share | None
    recall: Share | None
    recall_low: Share | None
    recall_high: Share | None
    f1: Share | None
    f2: Share | None
    fully_masked: Share | None
    characters: int = Field(ge=0)
    characters_masked: Share | None
    spurious: int = Field(ge=0)
    spurious_per_1000_words: float = Field(ge=0)


class LabelMeasures(_Record):
    """How well what the data set marks under one of its own names was found and masked.

    Findings have no such name, so there is no precision. The fields are those of `Measures`.
    """

    spans: int = Field(ge=1)
    recall: Share
    recall_low: Share
    recall_high: Share
    fully_masked: Share
    characters_masked: Share


class ConfusionCell(_Record):
    """How many marked spans of a type were found as which type.

    A marked span counts once: under its own type where a finding of that type overlaps it, else under the type that
    covers most of it.

    Attributes:
        gold: The marked type; null: nothing was marked there (spurious).
        evaluated: False where `gold` is the data set's own name of a type that is not evaluated.
        predicted: The finding's type; null: nothing was found there (missed).
        count: How many.
    """

    gold: str | None
    evaluated: bool = True
    predicted: str | None
    count: int = Field(ge=1)


class MissedPlace(_Record):
    """Where a missed span stands: number of the text in the data set (from 1), first character, one past the last."""

    text: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(ge=1)


class MissedPattern(_Record):
    """Marked spans of one type and shape that were not fully masked.

    Attributes:
        entity: Their type.
        shape: Letters and digits by kind alone: `Xx Xx`, `XX, Xx`, `9 Xx Xx`.
        context: What stands before them, as a class: `after a title`, `start of a line`, ….
        missed: How many were not fully masked.
        untouched: Of these, how many of which no character was masked.
        spans: How many marked spans there are of this type, shape and context.
        places: The first few of those that were missed.
        examples: Their text; only where it was asked for (`--show-text`).
    """

    entity: str
    shape: str
    context: str
    missed: int = Field(ge=1)
    untouched: int = Field(ge=0)
    spans: int = Field(ge=1)
    places: tuple[MissedPlace, ...] = ()
    examples: tuple[str, ...] = ()


class DetectionGroup(_Record):
    """One group's spans: how many, how many of them were found, and what part is fully masked."""

    group: str
    spans: int = Field(ge=1)
    recall: Share
    recall_low: Share
    recall_high: Share
    fully_masked: Share


class DetectionGroups(_Record):
    """How evenly people are found, by the groups of an attribute (Fairlearn's MetricFrame).

    Attributes:
        attribute: The attribute.
        entity: The type whose spans are compared; null: all evaluated types.
        groups: By name. Spans of which the attribute is not stated are in none.
        not_stated: How many these are.
        recall_difference: Best minus worst recall; null of fewer than two groups.
        recall_ratio: Worst over best recall, in 0 … 1; null too where nothing was found in any group.
        masked_difference: The same for the share of spans that are fully masked.
        masked_ratio: The same.
        warning: Set where the worst-off group is much worse off.
    """

    attribute: str
    entity: str | None
    groups: tuple[DetectionGroup, ...]
    not_stated: int = Field(ge=0)
    recall_difference: Share | None
    recall_ratio: Share | None
    masked_difference: Share | None
    masked_ratio: Share | None
    warning: str | None = None


class NotEvaluated(_Record):
    """Marked spans of a type that was left out.

    Attributes:
        spans: How many.
        why: `out of scope`: privkit does not look for it; `left out`: by --map; `unknown`: no mapping names it.
    """

    spans: int = Field(ge=1)
    why: Literal["out of scope", "left out", "unknown"]


class Evaluation(_Record):
    """How well a detector, under a policy, finds what annotators marked."""

    format: Literal["privkit evaluation 1"] = "privkit evaluation 1"
    source: str = Field(description="The data set's file.")
    source_sha256: Sha256 = Field(description="SHA-256 of its bytes.")
    source_format: AnnotatedFormat
    texts: int = Field(ge=1, description="How many texts.")
    words: int = Field(ge=0, description="How many words: what white space parts.")
    detector: DetectorName
    models: tuple[ModelInfo, ...] = Field(description="Its models, with the hashes of their weights.")
    policy: PolicyInfo
    detection_sha256: Sha256 = Field(description="Hash of all that the policy says about what counts as a finding.")
    mapping: Mapping[str, str] = Field(description="What the data set's types were taken for.")
    not_evaluated: Mapping[str, NotEvaluated] = Field(description="The data set's types that were left out.")
    not_judged: Mapping[str, int] = Field(
        description="Findings of types that the data set does not mark: nobody can say whether they are right."
    )
    overall: Measures
    entities: Mapping[str, Measures] = Field(description="By entity type.")
    labels: Mapping[str, LabelMeasures] = Field(
        description="By the data set's own types, of which one entity can be many."
    )
    confusion: tuple[ConfusionCell, ...]
    misses: tuple[MissedPattern, ...] = Field(description="The patterns that are missed most, worst first.")
    missed_patterns: int = Field(ge=0, description="How many patterns there are in all.")
    groups: tuple[DetectionGroups, ...] = ()
    seconds: float = Field(ge=0, description="Time it took, models loaded.")
    cpu_seconds: float = Field(ge=0, description="Processor time of the detection, in all workers.")
    texts_per_cpu_second: float | None = Field(description="For information: it depends on the machine.")
    privkit: str = Field(description="The version that measured.")
    warnings: tuple[str, ...] = ()
