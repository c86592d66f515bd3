"""How evenly a release's precision falls on groups, from its released values alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from privkit.errors import MissingExtraError
from privkit.model.card import CardStatistic, FairnessGroup, FairnessTable
from privkit.model.estimates import Estimated, Value
from privkit.model.release import Answer
from privkit.report.release_wording import is_single, significant
from privkit.report.wording import plural, shown

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

LEAST_RATIO = 0.5
"""Best over worst relative half-width below which a table warns: the worst-off group's numbers are less than half as
precise as the best-off group's. A choice, no norm: twice the width is what a quarter of the people would give a
sampled estimate, and where readers begin to draw other conclusions."""

_MEANS = (
    "Decisions that rest on these numbers would be worse founded for the people in these groups, and differences "
    "within them may be the noise alone. What helps: fewer groups, coarser bands, more of the budget for this query."
)
_MOST_NAMES = 6


def fairness_tables(statistics: Sequence[CardStatistic], attributes: Sequence[str]) -> tuple[FairnessTable, ...]:
    """For each attribute and each statistic with one value a group: the relative half-width in each of its groups.

    Nothing but released values is read, so this costs no privacy (post-processing).

    Args:
        statistics: The released queries; those that do not group by an attribute are passed over.
        attributes: Columns whose groups are compared, bands and buckets of them included.

    Returns:
        One table for each attribute, query and statistic; days are left out, for they have no relative width.

    Raises:
        MissingExtraError: There are attributes, and Fairlearn is not installed.
    """
    if not attributes:
        return ()
    frame = metric_frame()
    return tuple(
        _table(frame, attribute, one.answer, place, estimated)
        for attribute in dict.fromkeys(attributes)
        for one in statistics
        for place in _places(one.answer, attribute)
        for estimated in one.answer.results
        if is_single(estimated) and not _is_days(estimated)
    )


def check_fairlearn() -> None:
    """Refuses before a run what would be missing at its end.

    Raises:
        MissingExtraError: Fairlearn is not installed.
    """
    metric_frame()


def relative_half_width(value: Value) -> float | None:
    """Half of the interval's width over the value itself; None where one is missing, infinite or a day, or it is 0."""
    number, low, high = value.value, value.low, value.high
    if isinstance(number, str) or isinstance(low, str) or isinstance(high, str):
        return None
    if not number or low is None or high is None:
        return None
    relative = (high - low) / 2 / abs(number)
    return relative if math.isfinite(relative) else None


def metric_frame() -> type[MetricFrame]:
    """Fairlearn's class.

    Raises:
        MissingExtraError: Fairlearn is not installed.
    """
    try:
        from fairlearn.metrics import MetricFrame
    except ImportError:
        raise MissingExtraError(
            "fairness tables need Fairlearn, which is not installed", hint="pip install 'privkit-toolkit[fairness]'"
        ) from None
    return cast("type[MetricFrame]", MetricFrame)


def _places(answer: Answer, attribute: str) -> Iterator[int]:
    """Where in a key the groups of an attribute stand."""
    for group in answer.query.groups:
        if group.column == attribute and group.name in answer.groups:
            yield answer.groups.index(group.name)


def _is_days(estimated: Estimated) -> bool:
    return any(isinstance(value.value, str) for values in estimated.values for value in values)


def _table(frame: type[MetricFrame], attribute: str, answer: Answer, place: int, estimated: Estimated) -> FairnessTable:
    names = list(dict.fromkeys(key[place] for key in answer.keys))
    pairs = [
        (key[place], relative)
        for key, (value,) in zip(answer.keys, estimated.values, strict=True)
        if (relative := relative_half_width(value)) is not None
    ]
    means, ratio = _compared(frame, pairs)
    counts = {name: sum(found == name for found, _ in pairs) for name in names}
    return FairnessTable(
        attribute=attribute,
        statistic=estimated.name,
        sql=answer.sql,
        groups=tuple(
            FairnessGroup(group=name, relative_half_width=means.get(name), values=counts[name]) for name in names
        ),
        ratio=ratio,
        warning=_warning(attribute, estimated.name, names, means, ratio),
    )


def _compared(frame: type[MetricFrame], pairs: Sequence[tuple[str, float]]) -> tuple[dict[str, float], float | None]:
    """Each group's mean, and best over worst; no ratio of fewer than two groups."""
    if not pairs:
        return {}, None
    groups = [group for group, _ in pairs]
    widths = [width for _, width in pairs]
    # The metric is the mean of what stands as predictions: there is nothing that they could be compared with.
    made = frame(metrics=_mean, y_true=widths, y_pred=widths, sensitive_features=[f"={group}" for group in groups])
    means = {str(group)[1:]: float(mean) for group, mean in made.by_group.items()}
    if len(means) < 2:
        return means, None
    if max(means.values()) == 0:
        return means, 1.0  # all exact: 0 over 0
    return means, float(made.ratio(method="between_groups"))


def _mean(_true: Sequence[float], widths: Sequence[float]) -> float:
    return math.fsum(widths) / len(widths)


def _warning(
    attribute: str, statistic: str, names: Sequence[str], means: dict[str, float], ratio: float | None
) -> str | None:
    """What is much worse for which groups, what that means, and what helps; None where it is even enough."""
    told = []
    if ratio is not None and ratio < LEAST_RATIO:
        best = min(means.values())
        worst = sorted((name for name in means if best < LEAST_RATIO * means[name]), key=lambda name: -means[name])
        widest = f"± {significant(100 * means[worst[0]], 3)} %"
        told.append(
            f"{shown(statistic)} is much less precise for {names_of_groups(attribute, worst)}: up to {widest} of the "
            f"value, against ± {significant(100 * best, 3)} % for the best-off group."
        )
    none = [name for name in names if name not in means]
    if none and means:
        told.append(f"{shown(statistic)} has no value that could be compared for {names_of_groups(attribute, none)}.")
    if not told:
        return None
    return " ".join([*told, _MEANS])


def names_of_groups(attribute: str, names: Sequence[str]) -> str:
    """`region north and region south`, not more than a few."""
    kept = [f"{shown(attribute)} {shown(name)}" for name in names[:_MOST_NAMES]]
    more = len(names) - len(kept)
    if more:
        kept.append(plural(more, "other group"))
    return kept[0] if len(kept) == 1 else f"{', '.join(kept[:-1])} and {kept[-1]}"
