"""Groups whose commands are imported when they are run, and listed without being imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows its commands by module and one line of help.

    Args:
        subcommands: Command name → (module that has a click command `command`, one line of help).
    """

    def __init__(self, *args: Any, subcommands: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._subcommands = subcommands

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names, in the order they were given."""
        return list(self._subcommands)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Imports the command."""
        if name not in self._subcommands:
            return None
        command: click.Command = importlib.import_module(self._subcommands[name][0]).command
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._subcommands.items()])


def bare(context: click.Context) -> None:
    """A group that was given no command shows its help on standard error and ends with the code of wrong usage."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)
