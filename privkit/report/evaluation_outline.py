"""What a measurement of detection says, in which order; its page and the terminal show the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from privkit.model.evaluation import Evaluation
from privkit.report import evaluation_wording as told
from privkit.report.blocks import Block, Bullets, Fact, Facts, Notice, Paragraph, Section, Shares, Sheet
from privkit.report.detection_blocks import group_section, measures_sheets
from privkit.report.wording import number, plural, shown

_EXAMPLE_WIDTH = 60  # characters of a missed span that are shown


def sections(evaluation: Evaluation) -> Sequence[Section]:
    """All that is said below the head."""
    found = [Section("types", "By type", tuple(_types(evaluation)))]
    if len(evaluation.labels) > len(evaluation.entities):
        found.append(Section("labels", "By the data's own types", tuple(_labels(evaluation))))
    if evaluation.groups:
        parts = tuple(group_section(place, one, "groups") for place, one in enumerate(evaluation.groups, 1))
        found.append(Section("groups", told.GROUPS, (Paragraph(told.GROUPS_READ),), parts))
    if evaluation.misses:
        found.append(Section("misses", "What is missed", tuple(_misses(evaluation))))
    found.append(Section("confusion", "What is taken for what", tuple(_confusion(evaluation))))
    left_out = tuple(_left_out(evaluation))
    if left_out:
        found.append(Section("left-out", "What was not evaluated", left_out))
    found.append(Section("read", "How to read this", (Bullets(told.DEFINITIONS),)))
    return [*found, _made(evaluation)]


def key_numbers(evaluation: Evaluation) -> Sequence[tuple[str, str]]:
    """What to see first."""
    overall = evaluation.overall
    return (
        ("Fully masked", told.share_text(overall.fully_masked)),
        ("Recall", told.share_text(overall.recall)),
        ("Precision", told.share_text(overall.precision)),
        ("Spurious a 1,000 words", told.rate_text(overall.spurious_per_1000_words)),
        ("Marked spans", number(overall.spans)),
    )


def _types(evaluation: Evaluation) -> Iterator[Block]:
    for warning in evaluation.warnings:
        yield Notice(shown(warning))
    shares, counts = measures_sheets("By type", [*evaluation.entities.items(), ("all", evaluation.overall)])
    yield shares
    bars = tuple(
        (name, one.fully_masked, told.share_text(one.fully_masked)) for name, one in evaluation.entities.items()
    )
    yield Shares("Share of marked spans that are fully masked", bars, "types-bars")
    yield counts


def _labels(evaluation: Evaluation) -> Iterator[Block]:
    headings = (
        *("Type in the data", "Taken for", "Marked", "Fully masked", "Characters masked", "Recall"),
        "95 % interval",
    )
    yield Sheet(
        "Measures by the data's own types",
        headings,
        tuple(
            (
                shown(name),
                evaluation.mapping[name],
                number(one.spans),
                told.share_text(one.fully_masked),
                told.share_text(one.characters_masked),
                told.share_text(one.recall),
                told.interval_text(one),
            )
            for name, one in evaluation.labels.items()
        ),
        right=(2, 3, 4, 5, 6),
    )


def _misses(evaluation: Evaluation) -> Iterator[Block]:
    yield Paragraph(told.MISSES_READ)
    with_text = any(one.examples for one in evaluation.misses)
    if with_text:
        yield Notice(told.SHOWN_TEXT)
    headings = ("Shape", "Type", "What stands before it", "Not fully masked", "Untouched", "Of", "First in text")
    rows = tuple(
        (
            one.shape,
            shown(one.entity),
            one.context,
            number(one.missed),
            number(one.untouched),
            number(one.spans),
            ", ".join(dict.fromkeys(number(place.text) for place in one.places)),
            *(["; ".join(_example(text) for text in one.examples)] if with_text else []),
        )
        for one in evaluation.misses
    )
    yield Sheet("Missed patterns", (*headings, *(["Texts"] if with_text else [])), rows, right=(3, 4, 5))
    more = evaluation.missed_patterns - len(evaluation.misses)
    if more:
        yield Paragraph(f"{plural(more, 'more pattern')}, missed less often, not shown.", soft=True)


def _example(text: str) -> str:
    line = shown(" ".join(text.split()))
    return line if len(line) <= _EXAMPLE_WIDTH else f"{line[: _EXAMPLE_WIDTH - 1]}…"


def _confusion(evaluation: Evaluation) -> Iterator[Block]:
    yield Paragraph(told.CONFUSION_READ)
    cells = evaluation.confusion
    columns = sorted({one.predicted for one in cells if one.predicted is not None})
    rows: dict[tuple[str | None, bool], dict[str | None, int]] = {}
    for one in cells:
        rows.setdefault((one.gold, one.evaluated), {})[one.predicted] = one.count
    yield Sheet(
        "Confusion of types",
        ("Marked as", *map(shown, columns), "missed"),
        tuple(
            (_marked_as(gold, evaluated), *(number(counts.get(name, 0)) for name in columns), _missed(gold, counts))
            for (gold, evaluated), counts in rows.items()
        ),
        right=tuple(range(1, len(columns) + 2)),
    )


def _marked_as(gold: str | None, evaluated: bool) -> str:
    if gold is None:
        return "nothing (spurious)"
    return shown(gold) if evaluated else f"{shown(gold)} (not evaluated)"


def _missed(gold: str | None, counts: dict[str | None, int]) -> str:
    return "–" if gold is None else number(counts.get(None, 0))


def _left_out(evaluation: Evaluation) -> Iterator[Block]:
    if evaluation.not_evaluated:
        rows = tuple(
            (shown(name), number(one.spans), told.why_text(one)) for name, one in evaluation.not_evaluated.items()
        )
        yield Sheet("Types that were not evaluated", ("Type in the data", "Marked", "Why"), rows, right=(1,))
    if evaluation.not_judged:
        yield Paragraph("The data does not mark these types, so nobody can say whether their findings are right:")
        findings = tuple((shown(name), number(count)) for name, count in evaluation.not_judged.items())
        yield Sheet("Findings that are not judged", ("Type", "Findings"), findings, right=(1,))


def _made(evaluation: Evaluation) -> Section:
    taken = ", ".join(f"{shown(name)} as {entity}" for name, entity in evaluation.mapping.items())
    facts = [
        Fact("Data", f"{shown(evaluation.source)}, {told.format_text(evaluation)}"),
        Fact("SHA-256 of the data", evaluation.source_sha256, code=True),
        Fact("Types were taken", taken),
        Fact("Detector", evaluation.detector),
        Fact("Policy", shown(evaluation.policy.name)),
        Fact("SHA-256 of the policy", evaluation.policy.sha256, code=True),
        *(
            Fact(f"SHA-256 of {shown(model.name)} {shown(model.version)}", shown(model.sha256), code=True)
            for model in evaluation.models
        ),
        Fact("Time", told.speed_text(evaluation)),
        Fact("privkit", shown(evaluation.privkit)),
    ]
    return Section("made", "How it was measured", (Facts(tuple(facts)),))
