"""`privkit init`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.cli._amounts import AMOUNT
from privkit.errors import UsageError

if TYPE_CHECKING:
    from privkit.starter import Started

_COUNT = click.IntRange(min=1)
_NOTHING_LEFT = "Nothing was written."


@click.command("init")
@click.argument("source", required=False)
@click.option("--demo", is_flag=True, help="Make patients who do not exist, a budget and a pipeline to try out.")
@click.option("--unit", metavar="COLUMN|row", help="The column that names the person; `row`: every row is another.")
@click.option("--max-groups", type=_COUNT, metavar="N", help="Groups of one query that one person may count in.")
@click.option("--max-rows-per-group", type=_COUNT, metavar="N", help="Rows of one person that may count in a group.")
@click.option("--max-units", type=_COUNT, metavar="N", help="A public upper bound on the people; no count of the rows.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=TYPE…",
    help="What may be asked about: age=integer[0,110], los=float[0,60]:0.1, region=category[north|south], "
    "ward=category (private values), smoker=boolean, day=date[2026-01-01,2026-12-31]. Once for each.",
)
@click.option(
    "--sensitivity",
    type=click.Choice(["low", "medium", "high"]),
    help="How bad it would be if it came out about somebody; suggests ε 4, 2 or 1.",
)
@click.option("--epsilon", type=AMOUNT, metavar="E", help="ε of all releases together, instead of the suggested one.")
@click.option("--delta", type=AMOUNT, metavar="D", help="δ; by default a power of ten far below 1 / max-units.")
@click.option(
    "--measure", type=click.Choice(["zcdp", "pure"]), help="zcdp (the default) for many releases, pure for a few."
)
@click.option("--name", metavar="NAME", help="What queries call the dataset; by default from SOURCE or TABLE.")
@click.option("--version-label", metavar="LABEL", help="Your label for this state of the data; 1 by default.")
@click.option("--table", metavar="TABLE", help="The table, where SOURCE is a database.")
@click.option("--create-budget/--no-create-budget", default=None, help="Create the budget too; it is fixed for ever.")
@click.option(
    "--output-folder", type=_options.PATH, default=Path(), metavar="FOLDER", help="Where to write; here by default."
)
@click.option("--force", is_flag=True, help="Replace files that exist; a ledger or a key never is.")
@_options.json_option
def command(source: str | None, demo: bool, as_json: bool, output_folder: Path, force: bool, **given: Any) -> None:
    """Start sharing SOURCE: say whom it protects, get NAME.dataset.yaml and NAME.pipeline.yaml.

    SOURCE is a file, a glob or an Ibis URL (duckdb://FILE). Asks, on a terminal, what the options do not say: who is
    protected, which columns may be asked about, how sensitive it is, and the budget. Only the names and types of
    columns are read, never a value: bounds and categories are yours to say.

    `privkit init --demo` needs no SOURCE: it makes synthetic data and a pipeline that is ready to run.
    """
    if demo:
        _refuse_beside_demo(source, given)
        with _nothing_left():
            from privkit.starter import make_demo

            started = make_demo(output_folder, force=force)
    else:
        with _nothing_left():
            from privkit.cli._questions import answered
            from privkit.starter import start

            started = start(**answered(source, given, output_folder, force=force), folder=output_folder, force=force)
    if as_json:
        _output.print_json(json.dumps(_record(started), indent=2, ensure_ascii=False))
    _tell(started, demo)


@contextmanager
def _nothing_left() -> Iterator[None]:
    """Whoever leaves, at a question or later, hears that nothing came of it."""
    try:
        with _output.running(_NOTHING_LEFT):
            yield
    except click.Abort as err:  # click's, of Ctrl-C or the end of input at a question
        (err.__context__ or err).add_note(_NOTHING_LEFT)
        raise


def _refuse_beside_demo(source: str | None, given: dict[str, Any]) -> None:
    named = {"columns": "column"}
    options = sorted(name for name, value in given.items() if value not in (None, ()))
    stated = ["SOURCE"] if source is not None else []
    stated += [f"--{named.get(name, name).replace('_', '-')}" for name in options]
    if stated:
        raise UsageError(
            f"--demo decides everything itself: {', '.join(stated)} cannot stand beside it",
            hint="Only --output-folder, --force and --json go with --demo.",
        )


def _record(started: Started) -> dict[str, Any]:
    return {
        "dataset": str(started.dataset),
        "pipeline": str(started.pipeline),
        "files": [str(path) for path in started.files],
        "budget_created": started.budget is not None,
        "description": started.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "steps": started.steps.model_dump(mode="json", exclude_none=True),
    }


def _tell(started: Started, demo: bool) -> None:
    dataset, pipeline = (shlex.quote(str(path)) for path in (started.dataset, started.pipeline))
    width = max(len(str(path)) for path in started.files)
    for path, what in started.files.items():
        _output.tell(f"{path!s:<{width}}  {what}")
    _output.tell("Next:")
    if not demo:
        _output.tell(f"  privkit dataset check {dataset}")
        if started.budget is None:
            _output.tell(f"  privkit budget create {dataset}")
    _output.tell(f"  privkit run {pipeline} --dry-run")
    _output.tell(f"  privkit run {pipeline} --yes")
    if demo:
        card = shlex.quote(str(started.pipeline.parent / "out" / "card.json"))
        _output.tell(f"  privkit card verify {card}")
