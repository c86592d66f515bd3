"""Tables and bars of how well people are found, for a measurement's page and for cards."""

from __future__ import annotations

from collections.abc import Sequence

from privkit.model.evaluation import DetectionGroups, Measures
from privkit.report import evaluation_wording as told
from privkit.report.blocks import Block, Notice, Paragraph, Section, Shares, Sheet
from privkit.report.wording import number, shown


def group_section(place: int, groups: DetectionGroups, prefix: str, what: str = "") -> Section:
    """The table of an attribute's groups, with bars.

    Args:
        place: Its number.
        groups: The table.
        prefix: Begins its ids on the page.
        what: Which rows it is about, where there are several.
    """
    name = told.groups_heading(groups) + (f", {shown(what)}" if what else "")
    blocks: list[Block] = [Notice(shown(groups.warning))] if groups.warning else []
    if groups.groups:
        rows = tuple(
            (
                shown(one.group),
                number(one.spans),
                told.share_text(one.recall),
                f"{told.share_text(one.recall_low)} to {told.share_text(one.recall_high)}",
                told.share_text(one.fully_masked),
            )
            for one in groups.groups
        )
        headings = (shown(groups.attribute), "Marked", "Recall", "95 % interval", "Fully masked")
        blocks.append(Sheet(f"{place}. {name}", headings, rows, right=(1, 2, 3, 4)))
        bars = tuple((one.group, one.recall, told.share_text(one.recall)) for one in groups.groups)
        blocks.append(Shares(f"Recall: {name}", bars, f"{prefix}-{place}-bars"))
    blocks.append(Paragraph(told.compared_text(groups), soft=True))
    return Section(f"{prefix}-{place}", name, tuple(blocks))


def measures_sheets(name: str, rows: Sequence[tuple[str, Measures]]) -> tuple[Sheet, Sheet]:
    """A line of shares, and one of counts, for each type.

    Args:
        name: What the tables are about.
        rows: Types and their measures.
    """
    shares = (
        *("Type", "Marked", "Fully masked", "Recall", "95 % interval", "Precision", "F1", "F2"),
        "Spurious a 1,000 words",
    )
    counts = ("Type", "Marked", "Found", "False", "Spurious", "Characters", "Characters masked")
    return (
        Sheet(
            f"{name}: shares",
            shares,
            tuple(
                (
                    shown(title),
                    number(one.spans),
                    told.share_text(one.fully_masked),
                    told.share_text(one.recall),
                    told.interval_text(one),
                    told.share_text(one.precision),
                    told.share_text(one.f1),
                    told.share_text(one.f2),
                    told.rate_text(one.spurious_per_1000_words),
                )
                for title, one in rows
            ),
            right=tuple(range(1, len(shares))),
        ),
        Sheet(
            f"{name}: counts",
            counts,
            tuple(
                (
                    shown(title),
                    *map(number, (one.spans, one.found, one.false, one.spurious, one.characters)),
                    told.share_text(one.characters_masked),
                )
                for title, one in rows
            ),
            right=tuple(range(1, len(counts))),
        ),
    )
