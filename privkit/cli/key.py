"""`privkit key`."""

from __future__ import annotations

from pathlib import Path

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare


@click.group("key", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Make a key file, or show a key's id.

    Who holds the key file and the output can restore every reversible pseudonym: keep the two apart, and make one
    key for each recipient.
    """
    bare(context)


@command.command("new")
@click.argument("keyfile", type=_options.PATH)
def new(keyfile: Path) -> None:
    """Write a new key to KEYFILE (readable by you alone) and print its id."""
    from privkit import Key

    key = Key.new(keyfile)
    click.echo(key.id)
    _output.tell(f"{keyfile}: new key. Keep it apart from the data; without it no pseudonym can be restored.")


@command.command("show")
@click.argument("keyfile", type=_options.PATH)
def show(keyfile: Path) -> None:
    """Print the id of the key in KEYFILE, which reports and tokens name it by."""
    from privkit import Key

    click.echo(Key.load(keyfile).id)
