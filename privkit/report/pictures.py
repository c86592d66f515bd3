"""Where the marks of a release's pictures stand: a line and a dot for each interval, bars for a histogram.

Positions across are in percent, so that a picture is as wide as its page; those down are in pixels.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from privkit.model.card import OddsRow
from privkit.model.estimates import Estimated, Value
from privkit.model.release import Answer
from privkit.report.card_wording import belief_text
from privkit.report.release_wording import ValueText, key_text, significant, value_text
from privkit.report.wording import shown

_MOST_GROUPS = 40  # lines of one picture; the tables have all
_MOST_HISTOGRAMS = 12
_MOST_LABELS = 24  # pictures of one statistic's values, such as a regression's coefficients
_FROM_ZERO = ("count", "count_units", "sum", "histogram", "regression", "covariance")
_MARGIN = 3.0  # percent at both ends of an axis
_TICKS, _DAY_TICKS = 4, 3  # at the least so many steps; days are wider to write
_BARS_HEIGHT = 150.0
_NAME_WIDTH = 30  # characters that fit beside a value at 400 px


@dataclass(frozen=True)
class Tick:
    """A mark of an axis."""

    at: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Mark:
    """One interval: across in percent; `low` and `high` are None where there is no interval, `at` where no value."""

    name: str
    full: str
    text: ValueText
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bar:
    """One bin: x and width in percent; the bar (`top`, `height`) and the interval (`high`, `low`) in pixels."""

    label: str
    text: ValueText
    x: float
    width: float
    top: float
    height: float
    high: float | None
    low: float | None


@dataclass(frozen=True)
class Picture:
    """A picture of one statistic (or one of its values): either marks over groups, or bars of one group's histogram.

    Attributes:
        heading: What is shown.
        marks: One a group.
        ticks: The axis under the marks.
        zero: Where 0 is on it, in percent; None: outside.
        bars: One a bin.
        baseline: Where 0 is for the bars, in pixels.
        top_label: What the highest point of the bars stands for.
        left_out: Groups that are only in the tables.
    """

    heading: str
    marks: tuple[Mark, ...] = ()
    ticks: tuple[Tick, ...] = ()
    zero: float | None = None
    bars: tuple[Bar, ...] = ()
    baseline: float = 0.0
    top_label: str = ""
    left_out: int = 0

    @property
    def description(self) -> str:
        """The picture in words, for who cannot see it."""
        if self.marks:
            parts = (f"{mark.full}: {mark.text.value} {mark.text.interval}" for mark in self.marks)
        else:
            parts = (f"{bar.label}: {bar.text.value} {bar.text.interval}" for bar in self.bars)
        return "; ".join(part.rstrip() for part in parts)


def pictures(answer: Answer) -> list[Picture]:
    """The pictures of an answer, in the order of its statistics."""
    kinds = {statistic.name: statistic.kind for statistic in answer.query.statistics}
    made: list[Picture] = []
    for estimated in answer.results:
        kind = kinds.get(estimated.name, "")
        made += _histograms(answer, estimated) if kind == "histogram" else _intervals(answer, estimated, kind)
    return made


def beliefs(rows: Sequence[OddsRow]) -> Picture:
    """What beliefs can become: a dot is what somebody believed before, the line where it can end."""
    axis = _Axis(0.0, 100.0)
    marks = (
        Mark(
            name=f"before: {belief_text(row.prior)}",
            full=f"before {belief_text(row.prior)}",
            text=ValueText(f"{belief_text(row.lowest, up=False)} to {belief_text(row.highest, up=True)}", "", ""),
            at=axis.at(row.prior),
            low=axis.at(row.lowest),
            high=axis.at(row.highest),
        )
        for row in rows
    )
    ticks = tuple(Tick(axis.at(float(p)), f"{p} %", "middle") for p in (0, 25, 50, 75, 100))
    return Picture(
        "What can become of a belief: the dot is before, the line where it can be after", tuple(marks), ticks
    )


# ---- intervals over groups


def _intervals(answer: Answer, estimated: Estimated, kind: str) -> Iterator[Picture]:
    labels = dict.fromkeys(value.label for values in estimated.values for value in values)
    for label in list(labels)[:_MOST_LABELS]:
        heading = shown(estimated.name) if label is None else f"{shown(estimated.name)}: {shown(label)}"
        pairs = [
            (key_text(answer.groups, key), value)
            for key, values in zip(answer.keys, estimated.values, strict=True)
            for value in values
            if value.label == label
        ]
        if any(value.value is not None for _, value in pairs[:_MOST_GROUPS]):
            yield _dot_plot(heading, pairs, from_zero=kind in _FROM_ZERO)


def _dot_plot(heading: str, pairs: Sequence[tuple[str, Value]], *, from_zero: bool) -> Picture:
    kept = pairs[:_MOST_GROUPS]
    axis = _Axis.over((value for _, value in kept), from_zero=from_zero)
    marks = tuple(_mark(name, value, axis) for name, value in kept)
    zero = axis.at(0.0) if axis.first < 0 < axis.last else None
    return Picture(heading, marks, tuple(axis.ticks()), zero, left_out=len(pairs) - len(kept))


def _mark(name: str, value: Value, axis: _Axis) -> Mark:
    return Mark(
        name=name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…",
        full=name,
        text=value_text(value),
        at=None if value.value is None else axis.at(value.value),
        low=None if value.value is None or value.low is None else axis.at(value.low),
        high=None if value.value is None or value.high is None else axis.at(value.high),
    )


@dataclass(frozen=True)
class _Axis:
    first: float
    last: float
    days: bool = False

    @staticmethod
    def over(values: Iterable[Value], *, from_zero: bool) -> _Axis:
        """An axis on which all values and intervals have room."""
        known = list(values)
        days = any(isinstance(value.value, str) for value in known)
        ends = [end for value in known for end in _ends(value)] + ([0.0] if from_zero and not days else [])
        first, last = min(ends, default=0.0), max(ends, default=1.0)
        return _Axis(first, last, days) if first < last else _Axis(first - 1.0, last + 1.0, days)

    def at(self, value: float | str) -> float:
        """Where a value stands, in percent; what is infinite stands at an end."""
        return round(_MARGIN + self.share(value) * (100 - 2 * _MARGIN), 2)

    def share(self, value: float | str) -> float:
        """The same from 0 to 1."""
        return (min(max(_number(value), self.first), self.last) - self.first) / (self.last - self.first)

    def ticks(self) -> Iterator[Tick]:
        """Round numbers, three to six of them."""
        step = _round_step((self.last - self.first) / (_DAY_TICKS if self.days else _TICKS))
        step = max(step, 1.0) if self.days else step
        place = math.ceil(self.first / step)
        while place * step <= self.last:
            at, value = self.at(place * step), place * step
            text = _day(value) if self.days else significant(value)
            yield Tick(at, text, "start" if at < 8 else "end" if at > 92 else "middle")
            place += 1


def _ends(value: Value) -> Iterator[float]:
    if value.value is not None:
        for end in (value.value, value.low, value.high):
            if end is not None and math.isfinite(_number(end)):
                yield _number(end)


def _number(value: float | str) -> float:
    """A number, or a day as its count from year 1."""
    return float(value) if not isinstance(value, str) else float(datetime.date.fromisoformat(value).toordinal())


def _day(count: float) -> str:
    return datetime.date.fromordinal(min(max(int(count), 1), datetime.date.max.toordinal())).isoformat()


def _round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


# ---- histograms


def _histograms(answer: Answer, estimated: Estimated) -> Iterator[Picture]:
    pairs = list(zip(answer.keys, estimated.values, strict=True))
    kept = pairs[:_MOST_HISTOGRAMS]
    for place, (key, values) in enumerate(kept, start=1):
        name = shown(estimated.name) + (f", {key_text(answer.groups, key)}" if answer.groups else "")
        yield _bars(name, values, left_out=len(pairs) - len(kept) if place == len(kept) else 0)


def _bars(name: str, values: Sequence[Value], *, left_out: int) -> Picture:
    axis = _Axis.over(values, from_zero=True)
    zero, width = _down(0.0, axis), 100 / max(len(values), 1)
    bars = tuple(_bar(value, place * width, width, zero, axis) for place, value in enumerate(values))
    return Picture(name, bars=bars, baseline=zero, top_label=significant(axis.last), left_out=left_out)


def _bar(value: Value, x: float, width: float, zero: float, axis: _Axis) -> Bar:
    tip = zero if value.value is None else _down(value.value, axis)
    gap = width * 0.08
    return Bar(
        label=shown(value.label or ""),
        text=value_text(value),
        x=round(x + gap, 3),
        width=round(width - 2 * gap, 3),
        top=min(tip, zero),
        height=round(abs(tip - zero), 1),
        high=None if value.value is None or value.high is None else _down(value.high, axis),
        low=None if value.value is None or value.low is None else _down(value.low, axis),
    )


def _down(value: float | str, axis: _Axis) -> float:
    """Pixels from the top of the bars."""
    return round((1 - axis.share(value)) * _BARS_HEIGHT, 1)
