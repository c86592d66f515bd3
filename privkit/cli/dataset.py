"""`privkit dataset`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare


@click.group("dataset", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Describe a dataset for private statistics: whom it protects, what its columns hold, what may be spent."""
    bare(context)


@command.command("init")
@click.argument("source", type=_options.PLACE)
@click.option(
    "-o", "--output", required=True, type=_options.PLACE, metavar="FILE", help="File to write; `-` is standard output."
)
@click.option("--name", metavar="NAME", help="What queries call it; by default from the name of SOURCE or TABLE.")
@click.option("--table", metavar="TABLE", help="The table, where SOURCE is a database.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(source: str, output: str, name: str | None, table: str | None, force: bool) -> None:
    """Draft a description of SOURCE from its columns' names and types, with blanks for what a person must state.

    SOURCE is a file, a glob or an Ibis URL (duckdb://FILE). No value is read: bounds and categories are yours to say.
    """
    from privkit.dataset import draft_dataset
    from privkit.report.dataset import write_draft

    with _output.running():
        text = draft_dataset(source, name=name, table=table)
    if output == "-":
        click.echo(text, nl=False)
    else:
        write_draft(text, Path(output), source=source, force=force)
        _output.tell(f"{output}: drafted. Fill in what is blank, then: privkit dataset check {output}")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of dataset descriptions, for editors."""
    from privkit.model.dataset import DatasetSpec

    _output.print_json(json.dumps(DatasetSpec.model_json_schema(), indent=2))


@command.command("check")
@click.argument("file", type=_options.PATH)
@_options.json_option
def check(file: Path, as_json: bool) -> None:
    """Say whether FILE is a valid description and what it means, or on which line it is not."""
    from privkit import Dataset
    from privkit.budget import measure_advice
    from privkit.report import dataset, terminal

    spec = Dataset.load(file).spec
    with _output.running():
        advice = measure_advice(spec)
    if as_json:
        _output.print_json(json.dumps(dataset.dataset_record(spec, advice), indent=2, ensure_ascii=False))
    else:
        dataset.print_dataset(terminal.console(stderr=False), str(file), spec, advice)
