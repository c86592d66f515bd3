"""`privkit run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privkit.cli import _options, _output
from privkit.errors import UsageError

if TYPE_CHECKING:
    from privkit.model.pipeline import PipelinePlan

_CUT_OFF = "The same command goes on where it stood; no stored answer is paid for twice."


def _schema(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from privkit.model.pipeline import PipelineSpec

        _output.print_json(json.dumps(PipelineSpec.model_json_schema(), indent=2))
        context.exit()


@click.command("run")
@click.argument("file", type=_options.PATH, metavar="PIPELINE.yaml")
@click.option(
    "--dry-run", is_flag=True, help="Show the whole plan; spend nothing, write nothing, read no private data."
)
@click.option("--yes", is_flag=True, help="Do not ask before rows leave or budget is spent.")
@click.option("--force", is_flag=True, help="Replace files that are not this pipeline's own.")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_schema, help="Print the files' JSON Schema."
)
@_options.json_option
@click.pass_context
def command(context: click.Context, file: Path, dry_run: bool, yes: bool, force: bool, as_json: bool) -> None:
    """Share a dataset as PIPELINE.yaml says: de-identified rows, private statistics, studies, and a card of it all.

    It can be run again at any moment: what was done is not done again, and not paid for again. Exits 3 where the budget
    has no room for all of it; then nothing is done.
    """
    if not (dry_run or yes or _output.on_a_terminal()):
        raise UsageError(
            "a run gives rows away and spends budget for ever, and there is no terminal to ask on: --yes is needed",
            hint="--dry-run shows the whole plan and does nothing.",
        )
    from privkit import Pipeline
    from privkit.report import pipeline as shown
    from privkit.report import terminal

    with _output.running(_CUT_OFF):
        loaded = Pipeline.load(file)
        plan = loaded.plan()
        if dry_run or not yes:
            _show_plan(plan, as_json and dry_run, stderr=not dry_run)
        if dry_run:
            context.exit(0 if plan.fits else 3)
        if not yes and not _agreed(plan):
            context.exit(1)
        console = terminal.console(stderr=True)
        with terminal.TerminalObserver(console, decision=None) as observer:
            card = loaded.run(force=force, observer=observer, tell=_output.tell)
        done = loaded.plan()
    if as_json:
        record = {"plan": done.model_dump(mode="json"), "card": None if card is None else card.model_dump(mode="json")}
        _output.print_json(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        terminal.print_lines(terminal.console(stderr=False), shown.done_lines(done, new=card is not None))


def _show_plan(plan: PipelinePlan, as_json: bool, *, stderr: bool) -> None:
    from privkit.report import pipeline as shown
    from privkit.report import terminal

    if as_json:
        _output.print_json(json.dumps(plan.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        shown.print_plan(terminal.console(stderr=stderr), plan)


def _agreed(plan: PipelinePlan) -> bool:
    """What was done already, and what will be refused, is not worth a question."""
    if not plan.fits or all(step.state == "done" for step in plan.steps):
        return True
    try:
        if click.confirm("Do it?", default=False, err=True):
            return True
    except click.Abort as err:
        if not isinstance(err.__context__, EOFError):
            raise
        _output.tell("")
    _output.tell("Nothing was done.")
    return False
