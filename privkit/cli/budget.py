"""`privkit budget`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privkit.cli import _options, _output
from privkit.cli._amounts import AMOUNT
from privkit.cli._lazy import bare

if TYPE_CHECKING:
    from privkit.model.release import BudgetStanding

_DATASET = click.argument("dataset", type=_options.PATH, metavar="DATASET.yaml")


@click.group("budget", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Create a dataset's privacy budget, show it, grant from it, verify its ledger, and move it."""
    bare(context)


@command.command("create")
@_DATASET
@click.option("--accept-high-loss", metavar="REASON", help="Why an ε above 8 is in order; every card will show it.")
@_options.json_option
def create(dataset: Path, accept_high_loss: str | None, as_json: bool) -> None:
    """Open the ledger that DATASET.yaml names, with the budget it declares. Its terms never change."""
    from privkit import Dataset, create_budget

    with _output.running():
        standing = create_budget(Dataset.load(dataset), accept_high_loss=accept_high_loss)
    _show(standing, as_json)


@command.command("show")
@_DATASET
@_options.json_option
def show(dataset: Path, as_json: bool) -> None:
    """Show what is spent and what is left."""
    from privkit import Dataset, show_budget

    with _output.running():
        standing = show_budget(Dataset.load(dataset))
    _show(standing, as_json)


@command.command("history")
@_DATASET
@click.option("--analyst", metavar="NAME", help="Only what is about this one.")
@_options.json_option
def history(dataset: Path, analyst: str | None, as_json: bool) -> None:
    """List the ledger's entries, the oldest first."""
    from privkit import Dataset, budget_history
    from privkit.report import budget, terminal

    with _output.running():
        entries = budget_history(Dataset.load(dataset), analyst=analyst)
        if as_json:
            records = [entry.model_dump(mode="json") for entry in entries]
            _output.print_json(json.dumps(records, indent=2, ensure_ascii=False))
        else:
            budget.print_history(terminal.console(stderr=False), entries)


@command.command("grant")
@_DATASET
@click.argument("analyst")
@click.option("--epsilon", type=AMOUNT, required=True, metavar="E", help="The quota, at the budget's δ.")
@click.option("--by", metavar="NAME", help="Who grants it; by default the user of the operating system.")
@_options.json_option
def grant(dataset: Path, analyst: str, epsilon: Decimal, by: str | None, as_json: bool) -> None:
    """Give ANALYST a quota under the total; the latest one counts, for all that was ever spent under that name."""
    from privkit import Dataset, grant_budget

    with _output.running():
        standing = grant_budget(Dataset.load(dataset), analyst, epsilon, by=by)
    _show(standing, as_json)


@command.command("verify")
@_DATASET
@click.option("--checkpoint", type=_options.PATH, metavar="FILE", help="A signed checkpoint that was kept elsewhere.")
@click.option("--signer", metavar="PUBLIC", help="Who must have signed it: `ed25519:…` of `privkit identity show`.")
@_options.json_option
def verify(dataset: Path, checkpoint: Path | None, signer: str | None, as_json: bool) -> None:
    """Read the whole ledger again and check every hash and sum; exit 5 when something does not hold."""
    from privkit import Dataset, verify_budget
    from privkit.report import budget, files, terminal

    with _output.running():
        verified = verify_budget(Dataset.load(dataset), checkpoint=checkpoint, signer=signer)
    if as_json:
        _output.print_json(files.report_json(verified))
    else:
        terminal.print_lines(terminal.console(stderr=False), budget.verified_lines(verified))


@command.command("checkpoint")
@_DATASET
@click.option(
    "-o", "--output", required=True, type=_options.PLACE, metavar="FILE", help="File to write; `-` is standard output."
)
@click.option("--identity", type=_options.PATH, required=True, metavar="ID", help="File of `privkit identity new`.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@_options.json_option
def checkpoint(dataset: Path, output: str, identity: Path, force: bool, as_json: bool) -> None:
    """Verify the ledger and sign where it stands. Keep the file where the ledger's keeper cannot change it."""
    from privkit import Dataset, checkpoint_budget
    from privkit.model.canonical import canonical_json

    with _output.running():
        signed = checkpoint_budget(Dataset.load(dataset), output, identity, force=force)
    if as_json or output == "-":
        _output.print_json(canonical_json(signed).decode())
    else:
        _output.tell(f"{output}: entry {signed.sequence}, signed by {signed.identity.fingerprint}")


@command.command("export")
@_DATASET
@click.option(
    "-o", "--output", required=True, type=_options.PATH, metavar="FILE", help="File to write; only you can open it."
)
@click.option(
    "--to",
    required=True,
    type=_options.PLACE,
    metavar="PLACE",
    help="Where the budget goes on: a path, file://HOST/PATH, or postgresql://HOST/DATABASE.",
)
@click.option("--by", metavar="NAME", help="Who moves it; by default the user of the operating system.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@_options.json_option
def export(dataset: Path, output: Path, to: str, by: str | None, force: bool, as_json: bool) -> None:
    """Close the ledger for good, and write all of it into a file for `privkit budget import` at PLACE.

    The closed ledger can be read, verified, and exported again to the same place.
    """
    from privkit import Dataset, export_budget
    from privkit.report import budget, files, release_files, terminal

    with _output.running(), budget.watched(terminal.console(stderr=True)) as watch:
        described = Dataset.load(dataset)
        needed = release_files.needed_files(dataset, described.spec, described.ledger_path)
        release_files.check_release_places({"the exported ledger": output}, force=force, keep=needed)
        moved = export_budget(described, output, to, by=by, force=force, watch=watch)
    if as_json:
        _output.print_json(files.report_json(moved))
    else:
        terminal.print_lines(terminal.console(stderr=True), budget.exported_lines(moved, str(output)))


@command.command("import")
@_DATASET
@click.argument("file", type=_options.PATH)
@click.option("--by", metavar="NAME", help="Who brings it; by default the user of the operating system.")
@_options.json_option
def import_(dataset: Path, file: Path, by: str | None, as_json: bool) -> None:
    """Take in the ledger in FILE at the place that DATASET.yaml names; from then on it takes charges there."""
    from privkit import Dataset, import_budget
    from privkit.report import budget, files, terminal

    with _output.running(), budget.watched(terminal.console(stderr=True)) as watch:
        moved = import_budget(Dataset.load(dataset), file, by=by, watch=watch)
    if as_json:
        _output.print_json(files.report_json(moved))
    else:
        terminal.print_lines(terminal.console(stderr=True), budget.imported_lines(moved))


def _show(standing: BudgetStanding, as_json: bool) -> None:
    from privkit.report import budget, files, terminal

    if as_json:
        _output.print_json(files.report_json(standing))
    else:
        budget.print_budget(terminal.console(stderr=False), standing)
