"""`privkit score`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.scoring import Encrypted, Evaluated

_INTERRUPTED = "Nothing was written."
_FORCE = click.option("--force", is_flag=True, help="Replace a file that exists.")
_WARNING = (
    "Do not hand these scores to whoever computed them: with the answer they could give the key, and the rows, away."
)


def _place(what: str) -> Callable[[Any], Any]:
    return click.option("-o", "--output", "output", type=_options.PATH, required=True, metavar="FILE", help=what)


@click.group("score", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Have encrypted rows scored by somebody else's model.

    The model's owner runs `spec` and `evaluate` and sees no row and no score. The client runs `keygen`, `encrypt` and
    `decrypt` and is told no coefficient; but a linear model is not safe from whoever may ask it often enough.
    """
    bare(context)


@command.command("spec")
@click.argument("model", type=_options.PATH, metavar="MODEL.json")
@click.option("-o", "--output", metavar="FILE", help="Write it to a file; standard output by default.")
@_FORCE
@_options.json_option
def spec(model: Path, output: str | None, force: bool, as_json: bool) -> None:
    """Print what clients have to know of MODEL: columns, ranges, errors; no coefficient."""
    from privkit import scoring
    from privkit.io.staged import Staged

    _output.no_json_beside_data(as_json, output)
    with _output.running(_INTERRUPTED):
        described = scoring.describe(model)
        text = described.model_dump_json(indent=2)
        if output is None or output == "-":
            _output.print_json(text)
            return
        scoring.check_output(output, "the specification", [model], force=force)
        with Staged() as staged:
            staged.add(Path(output), text + "\n")
            staged.publish()
    if as_json:
        _output.print_json(text)
    _output.tell(f"{output}: {described.output} of {described.name}, off by at most {described.precision:g}.")


@command.command("keygen")
@click.argument("spec", type=_options.PATH, metavar="SPEC.json")
@_place("Where to write the key, readable by you alone.")
@_options.json_option
def keygen(spec: Path, output: Path, as_json: bool) -> None:
    """Make the key of one batch for the model that SPEC describes."""
    from privkit import scoring

    with _output.running(_INTERRUPTED):
        scoring.keygen(spec, output)
    if as_json:
        _output.print_json(json.dumps({"key": str(output)}, ensure_ascii=False))
    _output.tell(f"{output}: new key, for one batch. Who has it can read the batch and its scores.")


@command.command("encrypt")
@click.argument("rows", metavar="ROWS")
@click.option("--key", type=_options.PATH, required=True, metavar="FILE", help="What `keygen` wrote.")
@_place("Where to write the batch, for the model's owner.")
@_FORCE
@_options.json_option
def encrypt(rows: str, key: Path, output: Path, force: bool, as_json: bool) -> None:
    """Encrypt the columns of ROWS that the model reads, for its owner to score."""
    from privkit import scoring

    with _output.running(_INTERRUPTED):
        done = scoring.encrypt(rows, key, output, force=force)
    _told(output, done, as_json)


@command.command("evaluate")
@click.argument("batch", type=_options.PATH, metavar="BATCH")
@click.option("--model", type=_options.PATH, required=True, metavar="MODEL.json", help="The model; it stays here.")
@_place("Where to write the answer, for the client.")
@_FORCE
@_options.json_option
def evaluate(batch: Path, model: Path, output: Path, force: bool, as_json: bool) -> None:
    """Score the encrypted rows of BATCH without seeing them."""
    from privkit import scoring

    with _output.running(_INTERRUPTED):
        done = scoring.evaluate(batch, model, output, force=force)
    _told(output, done, as_json)


@command.command("decrypt")
@click.argument("answer", type=_options.PATH, metavar="ANSWER")
@click.option("--key", type=_options.PATH, required=True, metavar="FILE", help="The batch's key; it is destroyed.")
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="Write the scores as CSV, for you alone; `-` prints them."
)
@_FORCE
@_options.json_option
def decrypt(answer: Path, key: Path, output: str, force: bool, as_json: bool) -> None:
    """Read the scores in ANSWER, and destroy the key."""
    from privkit import scoring

    _output.no_json_beside_data(as_json, output)
    with _output.running("The key is still there: the same command reads the scores."):
        if output == "-":
            click.echo(scoring.decrypt_csv(answer, key), nl=False)
            if sys.stdout is not None:  # it was closed before privkit began
                sys.stdout.flush()
            scoring.destroy(key)
        else:
            found = scoring.decrypt(answer, key, output, force=force)
            if as_json:
                _output.print_json(json.dumps({"scores": output, "rows": len(found)}, ensure_ascii=False))
            _output.tell(f"{output}: {len(found)} scores; the key is destroyed.")
    _output.tell(_WARNING)


def _told(output: Path, done: Encrypted | Evaluated, as_json: bool) -> None:
    if as_json:
        _output.print_json(json.dumps({"file": str(output), **done._asdict()}, indent=2, ensure_ascii=False))
    _output.tell(f"{output}: {done.rows} rows, {done.bytes} bytes, SHA-256 {done.sha256}")
