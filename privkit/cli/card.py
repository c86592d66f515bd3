"""`privkit card`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare


@click.group("card", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show a card, make its page again, or verify it: what was given out of a dataset, and what is promised."""
    bare(context)


@command.command("show")
@click.argument("card", type=_options.PATH, metavar="CARD")
@_options.json_option
def show(card: Path, as_json: bool) -> None:
    """Print CARD (its .json, or the page beside it) on the terminal."""
    from privkit.cards import read_card
    from privkit.report import card_terminal, files, terminal

    found = read_card(card)
    if as_json:
        _output.print_json(files.report_json(found))
    else:
        card_terminal.print_card(terminal.console(stderr=False), found)


@command.command("html")
@click.argument("card", type=_options.PATH, metavar="CARD")
@click.option(
    "-o", "--output", required=True, type=_options.PLACE, metavar="FILE", help="Page to write; `-` is standard output."
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def html(card: Path, output: str, force: bool) -> None:
    """Write CARD as one page that needs no network."""
    from privkit.cards import read_card
    from privkit.io.staged import Staged, check_place
    from privkit.report.card_html import card_html

    text = card_html(read_card(card))
    if output == "-":
        click.echo(text, nl=False)
        return
    check_place(Path(output), "the page", force=force)
    with Staged() as staged:
        staged.add(Path(output), text)
        staged.publish()
    _output.tell(f"{output}: written.")


@command.command("verify")
@click.argument("card", type=_options.PATH, metavar="CARD")
@click.option("--signer", metavar="PUBLIC", help="The public identity that must have signed it, known from elsewhere.")
@click.option("--dataset", type=_options.PATH, metavar="FILE", help="The dataset's description, to compare its ledger.")
@_options.json_option
def verify(card: Path, signer: str | None, dataset: Path | None, as_json: bool) -> None:
    """Check CARD's signature, the files that it vouches for, and the ledger. Exits 5 where something does not hold."""
    from privkit import Dataset
    from privkit.cards import verify_card
    from privkit.report import card_terminal, terminal

    described = None if dataset is None else Dataset.load(dataset)
    found = verify_card(card, signer=signer, dataset=described)
    if as_json:
        _output.print_json(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        card_terminal.print_card_verified(terminal.console(stderr=False), found)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of cards."""
    from privkit.model.card import Card

    _output.print_json(json.dumps(Card.model_json_schema(), indent=2))
