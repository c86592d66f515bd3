"""A report as one self-contained HTML page: nothing is loaded, nothing runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from privkit.model.report import DecidedColumn, Report
from privkit.report import wording
from privkit.report.pages import environment, page

_COLOURS = 8  # the style sheet has k0…k7; the last is for all entity types after the first seven
_FEW_COLUMNS = 12  # in a chart of more, those in which nothing was found are only counted
_NAME_WIDTH, _LABEL_WIDTH = 34, 50  # characters that fit beside the total, and under the bar, at 400 px


@dataclass(frozen=True)
class _Part:
    """One entity type in a bar; start and width in percent of the chart's width."""

    name: str
    count: int
    colour: int
    start: float
    width: float


@dataclass(frozen=True)
class _Bar:
    """One column's bar and its texts."""

    name: str
    short: str
    total: int
    label: str
    label_short: str
    parts: tuple[_Part, ...]


@dataclass(frozen=True)
class _LegendItem:
    name: str
    count: int
    colour: int


def report_html(report: Report) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser."""
    return page(f"privkit report: {wording.shown(report.source)}", report_fragment(report))


def report_fragment(report: Report) -> str:
    """The same content as one element, with its style, for a notebook's output cell."""
    totals: dict[str, int] = {}
    for column in report.columns.values():
        for name, count in column.entities.items():
            totals[name] = totals.get(name, 0) + count
    legend, colours = _legend(totals)
    bars = _bars(report, colours)
    shown = bars if len(bars) <= _FEW_COLUMNS else [bar for bar in bars if bar.total]
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            changed=sum(column.cells_changed for column in report.columns.values()),
            legend=legend,
            bars=shown,
            empty=len(bars) - len(shown),
            roles=[role for role in wording.ROLES if any(c.role == role for c in report.columns.values())],
            meanings=wording.ROLES,
            residual=wording.residual_sentences(report.residual, report.rows),
            # Ids must differ between two reports in one notebook.
            id=f"privkit-{report.policy.sha256[:8]}-{report.rows}",
        )
    )


def decisions_html(decisions: Sequence[DecidedColumn]) -> str:
    """The table of decisions as one element, for a notebook's output cell after a dry run."""
    return _environment().get_template("decisions.html").render(decisions=decisions)


@functools.cache
def _environment() -> jinja2.Environment:
    return environment(
        shown=wording.shown, number=wording.number, duration=wording.duration, entity_list=wording.entity_list
    )


def _legend(totals: dict[str, int]) -> tuple[list[_LegendItem], dict[str, int]]:
    """The legend, and the colour of each entity type; the rare ones share the last colour."""
    ranked = wording.in_order(totals)
    own = ranked if len(ranked) <= _COLOURS else ranked[: _COLOURS - 1]
    items = [_LegendItem(name, count, i) for i, (name, count) in enumerate(own)]
    rest = ranked[len(own) :]
    if rest:
        items.append(_LegendItem(f"{len(rest)} other types", sum(n for _, n in rest), _COLOURS - 1))
    return items, {name: min(i, _COLOURS - 1) for i, (name, _) in enumerate(ranked)}


def _bars(report: Report, colours: dict[str, int]) -> list[_Bar]:
    longest = max((sum(column.entities.values()) for column in report.columns.values()), default=0)
    bars = []
    for name, column in report.columns.items():
        parts: list[_Part] = []
        start = 0.0
        for entity, count in sorted(wording.in_order(column.entities), key=lambda pair: colours[pair[0]]):
            width = round(100 * count / longest, 3)
            parts.append(_Part(entity, count, colours[entity], round(start, 3), width))
            start += width
        total = sum(column.entities.values())
        label = wording.entity_list(column.entities) or "nothing"
        short = wording.shown(name)
        bars.append(
            _Bar(
                name=name,
                short=short if len(short) <= _NAME_WIDTH else short[: _NAME_WIDTH - 1] + "…",
                total=total,
                label=label,
                label_short=wording.entity_list(column.entities, _LABEL_WIDTH) or "nothing found",
                parts=tuple(parts),
            )
        )
    return bars
