"""The command line. Importing this, and `privkit --help`, load click and nothing else of weight."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

import click

from privkit.cli import _output
from privkit.cli._lazy import LazyGroup, bare

_CLEANING_SECONDS = 5.0
_SUBCOMMANDS = {
    "init": (
        "privkit.cli.init",
        "Start here: say whom a dataset protects, get the files that share it; or --demo.",
    ),
    "deidentify": ("privkit.cli.deidentify", "Write a copy of SOURCE in which nobody is named."),
    "scan": ("privkit.cli.scan", "Say what personal data stands in which column, and write nothing."),
    "evaluate": ("privkit.cli.evaluate", "Measure how well people are found in DATA, in which somebody marked them."),
    "reidentify": ("privkit.cli.reidentify", "Restore every reversible pseudonym, with the key that made it."),
    "dataset": ("privkit.cli.dataset", "Describe a dataset for private statistics: whom it protects, what is asked."),
    "budget": ("privkit.cli.budget", "Create a dataset's privacy budget, show it, grant from it, verify it, move it."),
    "release": ("privkit.cli.release", "Answer SQL about a dataset with noise, charged to its budget."),
    "run": ("privkit.cli.run", "Share a dataset as a pipeline file says, and write a card of what was given away."),
    "card": ("privkit.cli.card", "Show a card, make its page, or verify its signature, files and ledger."),
    "study": ("privkit.cli.study", "Compute joint statistics of several parties, encrypted; charged to each budget."),
    "score": ("privkit.cli.score", "Have encrypted rows scored by somebody else's model; only you read the scores."),
    "identity": ("privkit.cli.identity", "Make a signing identity, or show its public half."),
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
        0 done; 1 an error that privkit knows, or a bug, or `release` was answered with no; 2 wrong usage; 3 the budget
        has no room; 4 `scan --fail-on-pii` found PII; 5 a ledger, checkpoint or signature does not hold, or
        `evaluate --min-recall` was not reached;
        130 interrupted (Ctrl-C); 143 terminated (SIGTERM); 129 hung up (SIGHUP).
    """
    _output.prepare_streams()
    previous = _end_cleanly_on_signals()
    try:
        with _output.exit_codes() as ending:
            given = None if arguments is None else list(arguments)
            code = root.main(args=given, prog_name="privkit", standalone_mode=False)
            ending.code = code if isinstance(code, int) else 0  # a command returns None, `context.exit` its code
        return ending.code
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_cleanly_on_signals() -> dict[int, signal._HANDLER]:
    """SIGTERM and SIGHUP unwind the stack like Ctrl-C, so that no half-written output stays.

    A second one, and a second Ctrl-C, is passed over for a few seconds: it would cut the cleaning up short. What was
    ignored when the process started (`nohup`) stays so.

    Returns:
        The handlers before.
    """
    owner = os.getpid()
    first: float | None = None

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if os.getpid() != owner:  # a forked worker: nothing to clean up here
            os._exit(128 + number)
        if first is not None and time.monotonic() - first < _CLEANING_SECONDS:
            return
        first = time.monotonic()
        raise KeyboardInterrupt if number == signal.SIGINT else _output.Terminated(number)

    before: dict[int, signal._HANDLER] = {}
    try:
        for number, usual in (
            (signal.SIGTERM, signal.SIG_DFL),
            (signal.SIGHUP, signal.SIG_DFL),
            (signal.SIGINT, signal.default_int_handler),
        ):
            if signal.getsignal(number) == usual:
                before[number] = signal.signal(number, end)
    except ValueError:  # not the main thread
        pass
    return before


if __name__ == "__main__":
    sys.exit(main())
