"""How evenly people are found: recall and masking by group, with Fairlearn's MetricFrame."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from privkit.model.evaluation import DetectionGroup, DetectionGroups
from privkit.model.intervals import wilson
from privkit.report.fairness import metric_frame, names_of_groups
from privkit.report.release_wording import significant
from privkit.report.wording import shown

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

LARGEST_DIFFERENCE = 0.08
"""Best minus worst share above which a table warns. A choice, no norm: one person in twelve more of the worst-off group
is missed than of the best-off one, which is what privkit's own detectors are held to by the origin of names."""
_LIMIT = LARGEST_DIFFERENCE + 1e-9  # shares are quotients: a difference of exactly the limit does not warn
MOST_GROUPS = 200
"""An attribute with more values names texts, not groups."""
_LEAST_SPANS = 20  # a type has a table of its own where two groups have as many spans of it
_MEANS = (
    "What leaves under this detector would show more of the people in these groups. What helps: a fuller detector, a "
    "lower threshold, a deny-list or recognizers of your own, or dropping the texts."
)


class GroupedSpan(NamedTuple):
    """A marked span: its group (None: not stated), its type, whether it was found, whether it is fully masked."""

    group: str | None
    entity: str
    found: bool
    masked: bool


def detection_groups(attribute: str, spans: Sequence[GroupedSpan]) -> tuple[DetectionGroups, ...]:
    """The table of an attribute for all spans, and one for each type that several groups have enough spans of.

    Args:
        attribute: Its name.
        spans: Evaluated ones.

    Raises:
        MissingExtraError: Fairlearn is not installed.
    """
    frame = metric_frame()
    tables = [_table(frame, attribute, None, spans)]
    entities = sorted({span.entity for span in spans})
    for entity in entities if len(entities) > 1 else ():
        own = [span for span in spans if span.entity == entity]
        counts = Counter(span.group for span in own if span.group is not None)
        if sum(count >= _LEAST_SPANS for count in counts.values()) > 1:
            tables.append(_table(frame, attribute, entity, own))
    return tuple(tables)


def _table(
    frame: type[MetricFrame],
    attribute: str,
    entity: str | None,
    spans: Sequence[GroupedSpan],
) -> DetectionGroups:
    stated = [span for span in spans if span.group is not None]
    groups: tuple[DetectionGroup, ...] = ()
    recall = masked = _NONE
    if stated:
        made = frame(
            metrics={"recall": _share_found, "masked": _share_masked},
            y_true=[span.found for span in stated],
            y_pred=[span.masked for span in stated],
            # A name that looks like a number, or like nothing, stays a name.
            sensitive_features=[f"={span.group}" for span in stated],
        )
        names = sorted({span.group for span in stated if span.group is not None})
        groups = tuple(_group(name, stated, made) for name in names)
        recall, masked = _compared(made, "recall", groups), _compared(made, "masked", groups)
    return DetectionGroups(
        attribute=attribute,
        entity=entity,
        groups=groups,
        not_stated=len(spans) - len(stated),
        recall_difference=recall.difference,
        recall_ratio=recall.ratio,
        masked_difference=masked.difference,
        masked_ratio=masked.ratio,
        warning=_warning(attribute, entity, groups),
    )


class _Compared(NamedTuple):
    difference: float | None
    ratio: float | None


_NONE = _Compared(None, None)


# Found and masked stand where MetricFrame has truth and prediction: each metric is the mean of one of the two.
def _share_found(found: Sequence[bool], _masked: Sequence[bool]) -> float:
    return math.fsum(found) / len(found)


def _share_masked(_found: Sequence[bool], masked: Sequence[bool]) -> float:
    return math.fsum(masked) / len(masked)


def _group(name: str, spans: Sequence[GroupedSpan], made: MetricFrame) -> DetectionGroup:
    own = [span for span in spans if span.group == name]
    low, high = wilson(sum(span.found for span in own), len(own))
    shares = made.by_group.loc[f"={name}"]
    return DetectionGroup(
        group=name,
        spans=len(own),
        recall=float(shares["recall"]),
        recall_low=low,
        recall_high=high,
        fully_masked=float(shares["masked"]),
    )


def _compared(made: MetricFrame, metric: str, groups: Sequence[DetectionGroup]) -> _Compared:
    if len(groups) < 2:
        return _NONE
    best = float(made.group_max()[metric])
    ratio = float(made.ratio(method="between_groups")[metric]) if best else None
    return _Compared(float(made.difference(method="between_groups")[metric]), ratio)


def _warning(attribute: str, entity: str | None, groups: Sequence[DetectionGroup]) -> str | None:
    """What is much worse for which groups, and whether that may be chance; None where it is even enough."""
    if len(groups) < 2:
        return None
    what = "What names a person" if entity is None else shown(entity)
    told = []
    for name, share in (
        ("is found", {group.group: group.recall for group in groups}),
        ("is fully masked", {group.group: group.fully_masked for group in groups}),
    ):
        best = max(share.values())
        worst = [one for one in sorted(share, key=lambda one: (share[one], one)) if best - share[one] > _LIMIT]
        if worst:
            told.append(
                f"{what} {name} much less often for {names_of_groups(attribute, worst)}: {_percent(share[worst[0]])} "
                f"at the least, against {_percent(best)} for the best-off group."
            )
    if not told:
        return None
    low = min(groups, key=lambda group: (group.recall, group.group))
    high = max(groups, key=lambda group: group.recall)
    if low.recall_high >= high.recall_low:
        told.append("The intervals of recall overlap, so some of that may be chance: annotate more text to be sure.")
    return " ".join([*told, _MEANS])


def _percent(share: float) -> str:
    return f"{significant(100 * share, 3)} %"
