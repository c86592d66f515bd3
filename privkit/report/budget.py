"""A budget on a terminal: how it stands, what was charged to it, whether its ledger holds together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from privkit.model.release import BudgetMoved, BudgetStanding, HistoryEntry, Verified
from privkit.report import terminal
from privkit.report.release_wording import (
    amount_text,
    counted,
    high_loss_sentence,
    limit_text,
    loss_text,
    measure_text,
    percent_text,
    when,
)
from privkit.report.wording import number, plural, shown

_WIDEST_BAR = 60  # characters
_KIND_WIDTH, _ANALYST_WIDTH, _COST_WIDTH = 12, 12, 34


def print_budget(console: Console, standing: BudgetStanding) -> None:
    """Prints how a budget stands: a bar of what is spent and left, both as people read it, and the quotas."""
    terminal.print_lines(console, [Text(shown(standing.dataset), style="bold"), _bar(console, standing)])
    terminal.print_lines(console, _standing_lines(standing))


def _bar(console: Console, standing: BudgetStanding) -> Text:
    """A bar of what is spent: in blocks on a terminal, in signs that any program reads otherwise."""
    share = _share(counted(standing.spent, standing.measure), counted(standing.limit, standing.measure))
    width = min(_WIDEST_BAR, max(10, console.width - 20))
    filled = min(width, max(round(float(share) * width), 1 if share else 0))
    if share < 1:
        filled = min(filled, width - 1)
    percent = f" {percent_text(share)} spent"
    if not console.is_terminal:
        return Text(f"[{'#' * filled}{'-' * (width - filled)}]{percent}")
    colour = "red" if share >= Decimal("0.9") else "yellow" if share >= Decimal("0.6") else "green"
    return Text.assemble(("█" * filled, colour), ("░" * (width - filled), "dim"), percent)


def _share(spent: Decimal, limit: Decimal) -> Decimal:
    return spent / limit if limit else Decimal(1)


def _standing_lines(standing: BudgetStanding) -> Iterator[Text]:
    yield Text(f"spent     {loss_text(standing.spent)}")
    yield Text(f"left      {loss_text(standing.remaining, up=False)}", style="bold")
    yield Text(f"limit     {limit_text(standing.limit)}")
    yield Text(f"measure   {measure_text(standing.measure)}")
    if standing.threshold_delta:
        spent, whole = amount_text(standing.threshold_delta_spent), amount_text(standing.threshold_delta)
        yield Text(f"threshold {spent} of δ {whole} spent on private categories")
    yield Text(f"ledger    {plural(standing.entries, 'entry', 'entries')}, head {shown(standing.head[:16])}…")
    for quota in standing.quotas:
        granted, spent = limit_text(quota.limit), loss_text(quota.spent)
        yield Text(f"quota     {shown(quota.analyst)}: {granted}, of which {spent} is spent")
    if standing.accepted_high_loss:
        yield Text(high_loss_sentence(standing.accepted_high_loss), style="yellow")
    if standing.moved_to:
        yield Text(
            f"closed    the budget goes on at {shown(standing.moved_to)}; nothing is charged here", style="yellow"
        )
    if standing.advice:
        yield Text(shown(standing.advice))


def print_history(console: Console, entries: Iterable[HistoryEntry]) -> None:
    """Prints a ledger's entries as they come, one line each (two on a narrow terminal); however many they are."""
    narrow = console.is_terminal and console.width < 110
    for entry in entries:
        line = Text.assemble(
            (f"{entry.sequence:>6} ", "dim"),
            f"{when(entry.time)}  {shown(entry.kind):<{_KIND_WIDTH}}",
            f"{shown(entry.analyst or '–'):<{_ANALYST_WIDTH}} ",
            f"{loss_text(entry.cost) if entry.cost is not None else '–':<{_COST_WIDTH}}",
        )
        what = shown(entry.what)
        if what and not narrow:
            line.append(f" {what}")
        line.rstrip()
        terminal.print_lines(console, [line] if not (what and narrow) else [line, Text(f"       {what}", style="dim")])


@contextmanager
def watched(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Shows on a terminal how many entries of a moving ledger are done; elsewhere nothing.

    Args:
        console: Standard error's.
    """
    if not console.file.isatty():
        yield _silent
        return
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("entries"))
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _silent(done: int, of: int) -> None:
    """Shows nothing."""


def exported_lines(moved: BudgetMoved, file: str) -> Iterator[Text]:
    """That a ledger is closed and in a file, and what comes next."""
    yield Text(f"{shown(file)}: {_counts(moved)}, head {shown(moved.head)}", style="green")
    yield Text(f"This ledger is closed: nothing is charged here any more. It goes on at {shown(moved.place)}.")
    yield Text(
        "There, have the description's `ledger:` name that place, then: privkit budget import DATASET.yaml "
        f"{shown(file)}"
    )


def imported_lines(moved: BudgetMoved) -> Iterator[Text]:
    """That a ledger has arrived."""
    had = "had arrived before" if moved.again else "has arrived"
    yield Text(f"{shown(moved.dataset)} {had} at {shown(moved.place)}: {_counts(moved)} hold together", style="green")
    yield Text("It takes charges here. The file is of no more use: it holds the answers, remove it.")


def _counts(moved: BudgetMoved) -> str:
    return f"{plural(moved.entries, 'entry', 'entries')} and {plural(moved.answers, 'answer')}"


def verified_lines(verified: Verified) -> Iterator[Text]:
    """That a ledger holds together, and how far that can be relied on."""
    yield Text(
        f"{shown(verified.dataset)}: {plural(verified.entries, 'entry holds', 'entries hold')} together, head "
        f"{shown(verified.head)}",
        style="green",
    )
    if verified.checkpoint is None:
        yield Text(
            "This finds accidents and clumsy edits. A chain that was computed anew, a cut tail and an older copy are "
            "found only against a checkpoint that is kept elsewhere: --checkpoint FILE."
        )
        return
    yield Text(f"A checkpoint vouches for it up to entry {number(verified.checkpoint)}; signed by {verified.signer}")
    if not verified.pinned:
        yield Text(
            "The signer is not pinned: anybody could have signed this checkpoint. Compare the fingerprint with the one "
            "you know (privkit identity show), or give it with --signer.",
            style="yellow",
        )
