"""The command line. Importing this, and `privkit --help`, load click and nothing else of weight."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from privkit.cli import _output
from privkit.cli._lazy import LazyGroup, bare

_SUBCOMMANDS = {
    "deidentify": ("privkit.cli.deidentify", "Write a copy of SOURCE in which nobody is named."),
    "scan": ("privkit.cli.scan", "Say what personal data stands in which column, and write nothing."),
    "reidentify": ("privkit.cli.reidentify", "Restore every reversible pseudonym, with the key that made it."),
    "key": ("privkit.cli.key", "Make a key file, or show a key's id."),
    "policy": ("privkit.cli.policy", "List, show and check policies."),
    "doctor": ("privkit.cli.doctor", "Show versions, models and what is missing."),
}


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import privkit

        click.echo(f"privkit {privkit.__version__}")
        context.exit()


@click.group(
    cls=LazyGroup,
    subcommands=_SUBCOMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def root(context: click.Context) -> None:
    """Share data without giving people away."""
    bare(context)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and turns whatever comes of it into an exit code.

    Args:
        arguments: What stands after `privkit`; the process's own by default.

    Returns:
        0 done; 1 an error that privkit knows, or a bug; 2 wrong usage; 4 `scan --fail-on-pii` found PII;
        130 interrupted (Ctrl-C); 143 terminated (SIGTERM).
    """
    _output.prepare_streams()
    previous = _end_cleanly_on_sigterm()
    try:
        with _output.exit_codes() as ending:
            given = None if arguments is None else list(arguments)
            code = root.main(args=given, prog_name="privkit", standalone_mode=False)
            ending.code = code if isinstance(code, int) else 0  # a command returns None, `context.exit` its code
        return ending.code
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _end_cleanly_on_sigterm() -> signal._HANDLER | None:
    """SIGTERM unwinds the stack like Ctrl-C, so that no half-written output stays; returns the handler before."""
    owner = os.getpid()

    def terminate(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)  # a second one must not cut the cleaning up short
        if os.getpid() != owner:  # a forked worker: nothing to clean up here
            os._exit(128 + number)
        raise _output.Terminated

    try:
        return signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread
        return None


if __name__ == "__main__":
    sys.exit(main())
