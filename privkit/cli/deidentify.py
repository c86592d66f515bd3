"""`privkit deidentify`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.errors import UsageError

if TYPE_CHECKING:
    from privkit import Deidentified


@click.command("deidentify")
@click.argument("source", type=_options.PLACE)
@click.option(
    "-o", "--output", type=_options.PLACE, metavar="OUTPUT", help="File or folder to write; `-` is standard output."
)
@_options.detecting_options
@click.option(
    "--key", type=_options.PATH, metavar="KEYFILE", help="Key file of `privkit key new`: reversible, repeatable."
)
@click.option("--column", multiple=True, metavar="COL=OPERATOR[:param=value,…]", help="What becomes of a column.")
@click.option("--entity", multiple=True, metavar="TYPE=OPERATOR[:…]", help="What becomes of an entity type.")
@click.option("--drop", multiple=True, metavar="COL", help="Leave a column out.")
@click.option("--keep", multiple=True, metavar="COL", help="Keep a column as it is.")
@click.option("--known", multiple=True, metavar="FILE:COLUMN", help="Names that stand in another file …")
@click.option("--on", multiple=True, metavar="KEYCOLUMN", help="… and the column that joins it to SOURCE.")
@click.option(
    "--accept-free-text", is_flag=True, help="Keep free text (its findings replaced) where a policy drops it."
)
@click.option(
    "--save-policy", type=_options.PATH, metavar="FILE", help="Write the decision down, to run it next month."
)
@click.option("--report", type=_options.PATH, metavar="FILE", help="Write a report: .json or .html.")
@click.option(
    "--explain",
    type=_options.PATH,
    metavar="FILE",
    help="Write why some rows come out as they do: .json, else HTML. It holds their texts; only you can open it.",
)
@click.option(
    "--explain-rows", metavar="ROWS", help="Which rows --explain is about: 3,17-19 (the first ten by default)."
)
@_options.reading_options
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="spark: Parquet, CSV or TSV through Spark's workers, into a folder.",
)
@click.option(
    "--master", metavar="URL", help="Where Spark runs: local[4,3], spark://host:7077; this machine by default."
)
@click.option("--dry-run", is_flag=True, help="Decide and show, write no data.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run (with its --key).")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@_options.json_option
def command(source: str, output: str | None, as_json: bool, **options: Any) -> None:
    """Write a copy of SOURCE in which nobody is named.

    SOURCE is a .csv, .tsv, .jsonl, .ndjson, .parquet or .txt file (also .gz, .zst), a folder or glob of such files,
    or `-` with --format. OUTPUT's extension sets its format. A column's role is decided from a sample and shown;
    `--dry-run --save-policy FILE` writes the decision down, and `--policy FILE` runs it.

    With `--engine spark` the rows go through a Spark cluster, or through Spark on this machine; OUTPUT is a folder.
    """
    _refuse_contradictions(output, as_json, options)
    options["columns"] = _options.operators("--column", options.pop("column"))
    options["entities"] = _options.operators("--entity", options.pop("entity"))
    options["known"] = _options.known_values(options["known"], options.pop("on"))
    options["explain_rows"] = _options.rows("--explain-rows", options["explain_rows"])
    options["accept_free_text"] = options["accept_free_text"] or None
    from privkit import deidentify
    from privkit.report import terminal

    console = terminal.console(stderr=True)
    table = None if as_json else terminal.console(stderr=not options["dry_run"])  # of a dry run it is the result
    resumable = options["key"] and output not in (None, "-") and options["engine"] == "local"
    hint = "The same command with --resume continues." if resumable else None
    with _output.running(hint), terminal.TerminalObserver(console, decision=table) as observer:
        result = deidentify(source, output, observer=observer, **options)
    if as_json:
        _output.print_json(_json(result, source, observer.detector))
    elif result.report is not None:
        terminal.print_lines(console, terminal.summary_lines(result.report, output or ""))


def _refuse_contradictions(output: str | None, as_json: bool, options: dict[str, Any]) -> None:
    _output.no_json_beside_data(as_json, output)
    if output is None and not options["dry_run"]:
        raise UsageError("-o OUTPUT is missing", hint="--dry-run shows the decision without writing anything.")
    if options["resume"] and not options["key"]:
        raise UsageError("--resume needs --key", hint="A run without a kept key cannot be continued: its key is gone.")
    if options["resume"] and output == "-":
        raise UsageError("--resume needs an output file, not `-o -`", hint="Give -o a file name.")
    if options["dry_run"] and options["report"]:
        raise UsageError("--report and --dry-run cannot go together", hint="--save-policy writes the decision down.")
    if options["resume"] and options["dry_run"]:
        raise UsageError("--resume and --dry-run cannot go together")


def _json(result: Deidentified, source: str, detector: str) -> str:
    from privkit.model.canonical import sha256_of
    from privkit.report.files import report_json

    if result.report is not None:
        return report_json(result.report)
    decision = {
        "source": source,
        "columns": {row.name: row.model_dump(mode="json", exclude={"name"}) for row in result.decisions},
        "detector": detector,
        "policy": {"name": result.policy.name, "sha256": sha256_of(result.policy)},
    }
    return json.dumps(decision, indent=2, ensure_ascii=False)
