"""`privkit identity`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare

if TYPE_CHECKING:
    from privkit import Identity


@click.group("identity", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Make a signing identity, or show its public half.

    An identity signs checkpoints of budgets, cards, and the messages of studies. Who holds its file can sign in its
    name; others need its public half.
    """
    bare(context)


@command.command("new")
@click.argument("file", type=_options.PATH)
@click.option("--name", metavar="NAME", help="What to call it; by default the user of the operating system.")
@_options.json_option
def new(file: Path, name: str | None, as_json: bool) -> None:
    """Write a new identity to FILE (readable by you alone) and print its public half."""
    from privkit import Identity
    from privkit.budget import whoami

    _show(Identity.new(file, name if name is not None else whoami()), as_json)
    _output.tell(f"{file}: new identity. Keep it where whoever keeps the ledger cannot use it.")


@command.command("show")
@click.argument("file", type=_options.PATH)
@_options.json_option
def show(file: Path, as_json: bool) -> None:
    """Print the name, the public half and the fingerprint of the identity in FILE."""
    from privkit import Identity

    _show(Identity.load(file), as_json)


def _show(identity: Identity, as_json: bool) -> None:
    shown = {"name": identity.name, "public": identity.public.text, "fingerprint": identity.public.fingerprint}
    if as_json:
        _output.print_json(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(f"{name:<12}{text}" for name, text in shown.items()))
