"""A pipeline on a terminal: the plan before anything happens, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from privkit.model.pipeline import PipelinePlan, PlannedStatistic, PlannedStep
from privkit.report import terminal
from privkit.report.release_wording import half_width_text, loss_text
from privkit.report.wording import plural, shown

_TITLES = {"deidentify": "de-identify", "release": "release statistics", "contribute": "contribute to a study"}
_STYLES = {"to do": "cyan", "done": "green", "changed": "yellow"}


def print_plan(console: Console, plan: PipelinePlan) -> None:
    """Prints what each step reads, writes, costs and tells, and what is left of the budget."""
    terminal.print_lines(console, _lines(plan))


def done_lines(plan: PipelinePlan, *, new: bool) -> Iterator[Text]:
    """How a pipeline stands after a run.

    Args:
        plan: Made after it.
        new: Whether a card was written by it.
    """
    done = sum(step.state == "done" for step in plan.steps)
    what = "the card is new" if new else "nothing was to do"
    yield Text(f"{done} of {plural(len(plan.steps), 'step')} done; {what}.", style="bold")
    yield Text(f"Left of the budget: {loss_text(plan.remaining, up=False)}.")
    yield Text(f"Card: {', '.join(shown(name) for name in plan.card)}")


def _lines(plan: PipelinePlan) -> Iterator[Text]:
    yield Text(f"Dataset {shown(plan.dataset)}: budget {loss_text(plan.limit, up=False)}", style="bold")
    yield Text(f"left of it {loss_text(plan.remaining, up=False)}")
    for step in plan.steps:
        yield Text()
        yield from _step(step)
    yield Text()
    signed = f", signed by {plan.signer}" if plan.signer else ", not signed"
    yield Text(f"Card: {', '.join(shown(name) for name in plan.card)}{signed}")
    if not plan.fits:
        yield Text(f"It does not fit: it costs {loss_text(plan.cost)}.", style="red")
    elif plan.cost.epsilon:
        yield Text(f"Cost in all {loss_text(plan.cost)}: {plan.share:.1%} of the budget.", style="bold")
        yield Text(f"Left after it: {loss_text(plan.after, up=False)}.")
    else:
        yield Text("Nothing would be charged.", style="bold green")


def _step(step: PlannedStep) -> Iterator[Text]:
    yield Text.assemble((f"{step.number}. {_TITLES[step.kind]}", "bold"), " (", (step.state, _STYLES[step.state]), ")")
    if step.why:
        yield Text(f"   {shown(step.why)}", style="yellow")
    yield Text(f"   reads  {', '.join(shown(name) for name in step.reads if name)}")
    yield Text(f"   writes {', '.join(shown(name) for name in step.writes)}")
    if step.cost is not None:
        yield Text(f"   costs  {loss_text(step.cost)}")
    for statistic in step.statistics:
        yield from _statistic(statistic)
    for note in step.notes:
        yield Text(f"   {shown(note)}", style="dim")


def _statistic(statistic: PlannedStatistic) -> Iterator[Text]:
    yield Text(f"   {shown(statistic.sql)}", style="bold")
    if statistic.stored:
        yield Text(f"      stored already, free ({statistic.why})", style="green")
    else:
        yield Text(f"      {loss_text(statistic.cost)}: {statistic.share:.1%} of the step ({statistic.why})")
    for half in statistic.half_widths:
        told = half.note.replace("--assume-units N", "`assume_units: N`")  # here it stands in a file
        note = f" ({shown(told)})" if told else ""
        yield Text(f"      {shown(half.name)}: {half_width_text(half)}{note}")
