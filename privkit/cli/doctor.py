"""`privkit doctor`."""

from __future__ import annotations

import click

from privkit.cli import _options, _output


@click.command("doctor")
@_options.json_option
def command(as_json: bool) -> None:
    """Show versions, models with their hashes, what is missing and the command that gets it."""
    from privkit.doctor import examine
    from privkit.report import files, terminal

    diagnosis = examine()
    if as_json:
        _output.print_json(files.report_json(diagnosis))
    else:
        out = terminal.console(stderr=False)
        for part in terminal.diagnosis_parts(diagnosis):
            out.print(part, soft_wrap=True)
