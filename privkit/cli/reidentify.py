"""`privkit reidentify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from privkit.cli import _options, _output
from privkit.report.wording import plural


@click.command("reidentify")
@click.argument("source", type=_options.PLACE, metavar="OUTPUT")
@click.option(
    "-o",
    "--output",
    required=True,
    type=_options.PLACE,
    metavar="RESTORED",
    help="File or folder to write; `-` is standard output.",
)
@click.option("--key", type=_options.PATH, required=True, metavar="KEYFILE", help="The key that made the pseudonyms.")
@_options.reading_options
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def command(source: str, output: str, key: Path, **options: Any) -> None:
    """Restore every reversible pseudonym in OUTPUT, a result of `privkit deidentify --key KEYFILE`.

    A wrong key is an error. What was replaced, masked or made coarser does not come back.
    """
    from privkit import reidentify
    from privkit.report import terminal

    console = terminal.console(stderr=True)
    with _output.running(), terminal.TerminalObserver(console, decision=None) as observer:
        restored = reidentify(source, output, key=key, observer=observer, **options)
    where = "standard output" if output == "-" else output
    _output.tell(f"{where}: {plural(restored.tokens, 'pseudonym')} restored in {plural(restored.rows, 'row')}.")
    if not restored.tokens and restored.rows:
        _output.tell(f"{source} holds no pseudonym of this key. Irreversible ones cannot be restored by any key.")
    if restored.foreign_tokens:
        _output.tell(f"{plural(restored.foreign_tokens, 'pseudonym')} of other keys are left as they are.")
