"""`privkit evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.errors import UsageError

if TYPE_CHECKING:
    from privkit import Evaluation


def _schema(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from privkit.model.evaluation import Evaluation

        _output.print_json(json.dumps(Evaluation.model_json_schema(), indent=2))
        context.exit()


@click.command("evaluate")
@click.argument("data", type=_options.PATH)
@_options.detecting_options
@click.option("--by", multiple=True, metavar="ATTRIBUTE", help="Compare the groups of an attribute; may be repeated.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="TYPE=ENTITY",
    help="What a type of the data is taken for; `TYPE=` leaves it out. Usual names are known.",
)
@click.option("--encoding", default="utf-8", show_default=True, help="The data's text encoding.")
@click.option(
    "--format",
    type=click.Choice(["presidio", "iob", "jsonl"]),
    help="presidio-research's JSON, a token a line, or JSON Lines with spans; told from the file by default.",
)
@click.option("--show-text", is_flag=True, help="Show the text of what is missed. It holds personal data.")
@click.option(
    "--min-recall", type=click.FloatRange(0, 1), metavar="SHARE", help="Exit 5 when recall over all types is below it."
)
@click.option("--report", type=_options.PATH, metavar="FILE", help="Write a report: .json or .html.")
@click.option("--force", is_flag=True, help="Replace a report that exists.")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_schema, help="Print the JSON's schema."
)
@_options.json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    data: Path,
    mapping: tuple[str, ...],
    min_recall: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure how well people are found in DATA, in which somebody marked them.

    DATA is presidio-research's JSON, a file with a token and its tag on each line (IOB, CoNLL), or JSON Lines like
    {"text": "Ask Ana.", "spans": [{"start": 4, "end": 7, "label": "PERSON"}]}. What counts is what `deidentify` would
    replace in such texts, under the same policy.
    """
    own = _mapping(mapping)
    from privkit import evaluate
    from privkit.report import evaluation_terminal, terminal

    console = terminal.console(stderr=True)
    with _output.running(), terminal.TerminalObserver(console, decision=None) as observer:
        found = evaluate(data, mapping=own, observer=observer, **options)
    if as_json:
        _output.print_json(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        evaluation_terminal.print_evaluation(terminal.console(stderr=False), found)
    if min_recall is not None and _is_below(found, min_recall):
        context.exit(5)


def _is_below(found: Evaluation, least: float) -> bool:
    """Says so where recall is below what was asked."""
    recall = found.overall.recall or 0.0
    if recall >= least:
        return False
    _output.tell(f"privkit: recall {recall:.4f} is below --min-recall {least:g}")
    return True


def _mapping(texts: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, entity = text.rpartition("=")
        if not equals or not name.strip():
            raise UsageError(f"--map {text}: TYPE=ENTITY is wanted", hint="`--map TYPE=` leaves a type out.")
        if name in found:
            raise UsageError(f"--map {name} is given twice")
        found[name] = entity or None
    return found
