"""A made-up measurement of detection, with everything that one can hold."""

from __future__ import annotations

from privkit.model.evaluation import (
    ConfusionCell,
    DetectionGroup,
    DetectionGroups,
    Evaluation,
    LabelMeasures,
    Measures,
    MissedPattern,
    MissedPlace,
    NotEvaluated,
)
from privkit.model.intervals import wilson
from privkit.model.report import ModelInfo, PolicyInfo


def measures(spans: int, found: int, false: int, spurious: int, masked: float) -> Measures:
    """Shares that hold together."""
    low, high = wilson(found, spans)
    return Measures(
        spans=spans,
        found=found,
        false=false,
        precision=found / (found + false),
        recall=found / spans,
        recall_low=low,
        recall_high=high,
        f1=2 * found / (found + false + spans),
        f2=5 * found / (found + false + 4 * spans),
        fully_masked=masked,
        characters=spans * 11,
        characters_masked=masked,
        spurious=spurious,
        spurious_per_1000_words=1000 * spurious / 4321,
    )


def group(name: str, spans: int, found: int, masked: float) -> DetectionGroup:
    """One group."""
    low, high = wilson(found, spans)
    return DetectionGroup(
        group=name, spans=spans, recall=found / spans, recall_low=low, recall_high=high, fully_masked=masked
    )


def evaluation(*, shown: bool = False) -> Evaluation:
    """A measurement; `shown`: with the text of what was missed."""
    return Evaluation(
        source="notes <b>.jsonl",
        source_sha256="7d" * 32,
        source_format="jsonl",
        texts=321,
        words=4321,
        detector="core",
        models=(ModelInfo(name="en_core_web_sm", version="3.8.0", sha256="cd93e9ca" * 8),),
        policy=PolicyInfo(name="default", sha256="2b" * 32),
        detection_sha256="3c" * 32,
        mapping={"NAME": "PERSON", "CITY": "LOCATION", "STREET": "LOCATION"},
        not_evaluated={
            "ORG": NotEvaluated(spans=17, why="out of scope"),
            "THING": NotEvaluated(spans=3, why="unknown"),
            "AREA": NotEvaluated(spans=1, why="left out"),
        },
        not_judged={"DATE_TIME": 23},
        overall=measures(300, 261, 29, 13, 0.88),
        entities={"LOCATION": measures(100, 71, 9, 5, 0.7), "PERSON": measures(200, 190, 20, 8, 0.97)},
        labels={
            name: LabelMeasures(
                spans=spans, recall=0.5, recall_low=0.4, recall_high=0.6, fully_masked=0.45, characters_masked=0.55
            )
            for name, spans in (("CITY", 60), ("NAME", 200), ("STREET", 40))
        },
        confusion=(
            ConfusionCell(gold="LOCATION", predicted="LOCATION", count=71),
            ConfusionCell(gold="LOCATION", predicted="PERSON", count=12),
            ConfusionCell(gold="LOCATION", predicted=None, count=17),
            ConfusionCell(gold="PERSON", predicted="PERSON", count=190),
            ConfusionCell(gold="PERSON", predicted=None, count=10),
            ConfusionCell(gold="ORG", evaluated=False, predicted="PERSON", count=17),
            ConfusionCell(gold=None, predicted="PERSON", count=8),
            ConfusionCell(gold=None, predicted="LOCATION", count=5),
        ),
        misses=(
            MissedPattern(
                entity="LOCATION",
                shape="9 Xx Xx",
                context="after a word",
                missed=14,
                untouched=11,
                spans=29,
                places=(MissedPlace(text=3, start=5, end=16), MissedPlace(text=1234, start=0, end=9)),
                examples=("42 Privet Drive", "7 <i>Elm</i> St") if shown else (),
            ),
        ),
        missed_patterns=9,
        groups=(
            DetectionGroups(
                attribute="origin",
                entity=None,
                groups=(group("de", 120, 118, 0.97), group("tr<", 80, 64, 0.775)),
                not_stated=100,
                recall_difference=0.1833,
                recall_ratio=0.8136,
                masked_difference=0.195,
                masked_ratio=0.799,
                warning="What names a person is found much less often for origin tr<.",
            ),
        ),
        seconds=2.5,
        cpu_seconds=1.25,
        texts_per_cpu_second=256.8,
        privkit="0.1.0",
        warnings=("--map PRSON: the data has no such type",),
    )
