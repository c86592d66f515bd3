"""Private statistics on a terminal: what a release would do, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from privkit.model.estimates import Estimated, Value
from privkit.model.release import Answer, Loss, Mechanism, Preview, Release
from privkit.report import terminal
from privkit.report.release_wording import (
    NOISE_ONLY,
    WEAK,
    amount_text,
    disclosed_sentence,
    half_width_text,
    has_weak,
    high_loss_sentence,
    is_single,
    key_text,
    left_text,
    level_text,
    loss_text,
    notes_of,
    significant,
    stored_sentence,
    untested_sentence,
    value_text,
)
from privkit.report.wording import number, plural, shown


def print_release(console: Console, release: Release, *, stored: bool, remaining: Loss | None = None) -> None:
    """Prints a release: the values with their intervals, then what was spent and what to know.

    Args:
        console: Where.
        release: The release.
        stored: Whether it is a stored answer, so that nothing was spent now.
        remaining: What is left to the analyst now, where it is known.
    """
    _print_values(console, release)
    terminal.print_lines(console, spent_lines(release, stored=stored, remaining=remaining))
    terminal.print_lines(console, _remarks(release))


def print_answer(console: Console, answer: Answer) -> None:
    """Prints one query's values with their intervals, and what they say of themselves."""
    _print_values(console, answer)
    terminal.print_lines(console, _own_remarks(answer))


def _print_values(console: Console, answer: Answer) -> None:
    footnotes: dict[str, int] = {}
    for part in _results(console, answer, footnotes):
        print_part(console, part)
        console.print()
    terminal.print_lines(console, (Text(f"({place}) {note}") for note, place in footnotes.items()))


def spent_lines(release: Release, *, stored: bool, remaining: Loss | None = None) -> Iterator[Text]:
    """What the answer cost and what is left: on standard error where standard output is another program's."""
    if stored:
        yield Text(stored_sentence(release), style="bold green")
    else:
        yield Text(f"Spent {loss_text(release.cost)}.", style="bold")
    left = loss_text(remaining, up=False) if remaining is not None else left_text(release)
    whose = f"for analyst {shown(release.analyst)}" if remaining is not None else "of the budget"
    yield Text(f"Left {whose}: {left}.")
    if release.disclosed:
        yield Text(disclosed_sentence(release.disclosed), style="yellow")
    if release.accepted_high_loss:
        yield Text(high_loss_sentence(release.accepted_high_loss), style="yellow")
    if release.untested_engine:
        yield Text(untested_sentence(release.untested_engine), style="yellow")


def print_preview(console: Console, preview: Preview) -> None:
    """Prints what a release would do; nothing was spent for it."""
    terminal.print_lines(console, [Text(shown(preview.sql), style="bold"), *_cost_lines(preview), Text()])
    print_part(console, fitting(console, _half_width_table(preview), _half_width_list(preview)))
    console.print()
    print_mechanisms(console, preview.mechanisms)
    console.print()
    terminal.print_lines(console, (Text(shown(note), style="dim") for note in preview.notes))


def _cost_lines(preview: Preview) -> Iterator[Text]:
    groups = "private groups" if preview.groups is None else plural(preview.groups, "group")
    yield Text(f"Cost {loss_text(preview.cost)}, {groups}.")
    if preview.stored:
        yield Text("An equal answer is stored: it would be given again, and nothing would be spent.", style="green")
    elif not preview.fits:
        yield Text(f"It does not fit: left is {loss_text(preview.remaining, up=False)}.", style="red")
    else:
        yield Text(f"Left after it: {loss_text(preview.remaining, up=False)}.")
    if preview.threshold is not None:
        yield Text(
            f"Groups are shown from about {number(preview.threshold.threshold)} noisy units on, rarer ones not at all; "
            f"that takes δ {amount_text(preview.threshold.delta)} of threshold_delta."
        )


def _half_width_table(preview: Preview) -> Table:
    remarks = ["Remark"] if any(half.note for half in preview.half_widths) else []
    table = terminal.plain_table("Statistic", f"Half of the {level_text(preview.confidence)}", *remarks)
    for half in preview.half_widths:
        cells = [Text(shown(half.name), style="bold"), Text(half_width_text(half)), Text(shown(half.note))]
        table.add_row(*cells[: 2 + len(remarks)])
    return table


def _half_width_list(preview: Preview) -> Iterator[Text]:
    for half in preview.half_widths:
        note = f" ({shown(half.note)})" if half.note else ""
        yield Text.assemble((shown(half.name), "bold"), f": {half_width_text(half)}{note}")


def print_mechanisms(console: Console, mechanisms: Sequence[Mechanism]) -> None:
    """Prints the vectors and their noise."""
    print_part(console, fitting(console, _mechanism_table(mechanisms), _mechanism_list(mechanisms)))


def _mechanism_table(mechanisms: Sequence[Mechanism]) -> Table:
    table = terminal.plain_table(
        "Measured", "Noise", "Scale", "One unit moves it by", "Share", "For", right=("Scale", "Share")
    )
    for mechanism in mechanisms:
        table.add_row(
            Text(shown(mechanism.vector), style="bold"),
            mechanism.noise,
            significant(mechanism.scale),
            significant(mechanism.distance),
            Text(shown(mechanism.share)),
            Text(shown(", ".join(mechanism.serves))),
        )
    return table


def _mechanism_list(mechanisms: Sequence[Mechanism]) -> Iterator[Text]:
    for mechanism in mechanisms:
        yield Text.assemble(
            (shown(mechanism.vector), "bold"),
            f": {mechanism.noise}, scale {significant(mechanism.scale)}, share {shown(mechanism.share)}, for "
            f"{shown(', '.join(mechanism.serves))}",
        )


# ---- results. A footnote says why a value is withheld: its number stands in the table, its text below.


def _results(console: Console, answer: Answer, footnotes: dict[str, int]) -> Iterator[Table | list[Text]]:
    if not answer.keys:
        yield [Text("No group has enough units to be shown.")]
        return
    single = [estimated for estimated in answer.results if is_single(estimated)]
    if single:
        yield fitting(console, _single_table(answer, single, footnotes), _single_list(answer, single, footnotes))
    for estimated in answer.results:
        if not is_single(estimated):
            yield fitting(console, _long_table(answer, estimated, footnotes), _long_list(answer, estimated, footnotes))


def _cells(value: Value, footnotes: dict[str, int]) -> tuple[Text, Text]:
    """The value; its interval, and what is to be said of it."""
    text = value_text(value)
    if value.value is None:
        mark = f" ({footnotes.setdefault(text.note, len(footnotes) + 1)})" if text.note else ""
        return Text(f"{text.value}{mark}", style="yellow"), Text()
    beside = Text(text.interval, style="dim")
    return Text(text.value), beside.append(f" {text.note}", style="yellow") if text.note else beside


def _single_table(answer: Answer, single: Sequence[Estimated], footnotes: dict[str, int]) -> Table:
    headings = [heading for e in single for heading in (shown(e.name), level_text(answer.confidence))]
    table = terminal.plain_table(*map(shown, answer.groups), *headings, right=[shown(e.name) for e in single])
    for place, key in enumerate(answer.keys):
        cells = [cell for e in single for cell in _cells(e.values[place][0], footnotes)]
        table.add_row(*(Text(shown(text), style="bold") for text in key), *cells)
    return table


def _single_list(answer: Answer, single: Sequence[Estimated], footnotes: dict[str, int]) -> Iterator[Text]:
    for place, key in enumerate(answer.keys):
        yield Text(key_text(answer.groups, key), style="bold")
        for estimated in single:
            value, beside = _cells(estimated.values[place][0], footnotes)
            yield Text.assemble(f"  {shown(estimated.name)}: ", value, " ", beside)


def _long_table(answer: Answer, estimated: Estimated, footnotes: dict[str, int]) -> Table:
    headings = (*map(shown, answer.groups), shown(estimated.name), "Value", level_text(answer.confidence))
    table = terminal.plain_table(*headings, right=("Value",))
    for key, values in zip(answer.keys, estimated.values, strict=True):
        for value in values:
            label = Text(shown(value.label or ""), style="bold")
            table.add_row(*(Text(shown(part)) for part in key), label, *_cells(value, footnotes))
    return table


def _long_list(answer: Answer, estimated: Estimated, footnotes: dict[str, int]) -> Iterator[Text]:
    for key, values in zip(answer.keys, estimated.values, strict=True):
        yield Text(f"{shown(estimated.name)}, {key_text(answer.groups, key)}", style="bold")
        for value in values:
            number, beside = _cells(value, footnotes)
            yield Text.assemble(f"  {shown(value.label or '')}: ", number, " ", beside)


def _remarks(answer: Answer) -> Iterator[Text]:
    yield Text(NOISE_ONLY, style="dim")
    yield from _own_remarks(answer)


def _own_remarks(answer: Answer) -> Iterator[Text]:
    if has_weak(answer):
        yield Text(WEAK, style="dim")
    for note in notes_of(answer):
        yield Text(shown(note), style="dim")
    if answer.threshold is not None:
        yield Text("Groups with few units are not shown, and not how many they are.", style="dim")


def fitting(console: Console, table: Table, lines: Iterator[Text]) -> Table | list[Text]:
    """The table where it has room without breaking a cell, else the same as lines; no terminal is never too narrow."""
    if not console.is_terminal:
        console.width = max(console.width, console.measure(table, options=console.options.update(width=10_000)).maximum)
        return table
    wide = console.measure(table, options=console.options.update(width=10_000)).maximum
    return table if wide <= console.width and not terminal.is_narrow(console) else list(lines)


def print_part(console: Console, part: RenderableType | list[Text]) -> None:
    """Prints what `fitting` chose."""
    if isinstance(part, list):
        terminal.print_lines(console, part)
    else:
        console.print(part)
