"""What the command line writes, and where.

    standard output   what was asked for, and nothing else: the data of `-o -`, the JSON of `--json`, the tables of
                      `scan`, `evaluate`, `doctor`, `release`, `budget` and `--dry-run`, a key's id, a policy. It can
                      be piped.
    standard error    everything that tells of the run: the decision's table, the progress bar (only on a terminal),
                      warnings, the summary, and errors:
                          privkit: error: what is wrong and where
                          privkit: hint: what to do next
    neither           the value of a cell, a key's bytes, a text that was searched. So the message of an exception
                      that privkit did not raise itself is never shown, only its type and where in privkit it arose;
                      PRIVKIT_DEBUG=1 shows the traceback, and with it perhaps values.

Three commands ask, and only on a terminal: `release` and `run` without --yes, before they spend budget, and `init`, for
what its options did not say. What it would cost and the questions stand on standard error. Off a terminal nothing
waits for an answer.

Exit codes: 0 done; 1 an error; 2 wrong usage; 3 a charge that the budget has no room for; 4 `scan --fail-on-pii` found
something; 5 a ledger, checkpoint or signature that does not hold, or `evaluate --min-recall` not reached; 128 and a
signal's number when that ended the run.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

import click

from privkit.errors import PrivkitError, UsageError


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived: a kind of KeyboardInterrupt, so that what cleans up after Ctrl-C does so here too.

    Args:
        number: Which signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


_ENDED: dict[int, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


class Ending:
    """The exit code that a command comes to."""

    code = 0


def prepare_streams() -> None:
    """A character that the stream's encoding lacks is written as an escape instead of ending the run."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # closed by whoever started us: the next file opened would take its place and its writes
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def exit_codes() -> Iterator[Ending]:
    """The one place where an exception becomes a message and an exit code."""
    ending = Ending()
    try:
        yield ending
        if sys.stdout is not None:
            sys.stdout.flush()
    except PrivkitError as err:
        ending.code = _told(err.message, err.hint, err.exit_code)
    except click.UsageError as err:
        command = err.ctx.command_path if err.ctx else "privkit"
        ending.code = _told(err.format_message(), f"`{command} --help` shows the options.", err.exit_code)
    except click.ClickException as err:
        ending.code = _told(err.format_message(), None, err.exit_code)
    except (click.Abort, KeyboardInterrupt) as err:
        # click turns KeyboardInterrupt into Abort (of a question `from None`); hints are on the original.
        first = err if isinstance(err, KeyboardInterrupt) else err.__cause__ or err.__context__
        number = first.number if isinstance(first, Terminated) else signal.SIGINT
        word, code = _ENDED[number], 128 + number
        ending.code = _told(word, " ".join(getattr(first, "__notes__", ())) or None, code)
    except SystemExit as err:  # click's way of ending quietly when the reader of a pipe has gone
        ending.code = err.code if isinstance(err.code, int) else 1
        _abandon_stdout()
    except OSError as err:
        if err.errno == errno.EPIPE:
            ending.code = 1
            _abandon_stdout()
        elif _is_stdouts(err):
            _abandon_stdout()
            hint = " ".join(getattr(err, "__notes__", ())) or None
            ending.code = _told(f"standard output could not be written ({err.strerror})", hint, 1)
        else:
            ending.code = _bug(err)
    except Exception as err:  # whatever it is, its message may hold a value
        ending.code = _bug(err)


@contextmanager
def running(when_interrupted: str | None = None) -> Iterator[None]:
    """Around the call of a door: other libraries keep quiet, and Ctrl-C gets a hint.

    Their log lines and warnings may quote what they were given; PRIVKIT_DEBUG=1 lets them through.

    Args:
        when_interrupted: What to say besides when Ctrl-C or SIGTERM ends the block.
    """
    import logging
    import warnings

    before = logging.root.manager.disable
    with warnings.catch_warnings():
        if os.environ.get("PRIVKIT_DEBUG") != "1":
            logging.disable(logging.CRITICAL)
            warnings.simplefilter("ignore")
        try:
            yield
        except KeyboardInterrupt as err:
            if when_interrupted:
                err.add_note(when_interrupted)
            raise
        finally:
            logging.disable(before)


def _is_stdouts(err: OSError) -> bool:
    """Whether it came of writing to standard output: click and `exit_codes` do that, without a file name."""
    at, here = err.__traceback__, Path(__file__).parent
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    last = Path(at.tb_frame.f_code.co_filename) if at is not None else here
    return err.filename is None and (last.parent == here or "click" in last.parts or "rich" in last.parts)


def print_json(text: str) -> None:
    """Prints one JSON document on standard output."""
    click.echo(text)


def tell(text: str) -> None:
    """Says on standard error how a command went."""
    click.echo(_one_line(text), err=True)


def on_a_terminal() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def no_json_beside_data(as_json: bool, output: str | None) -> None:
    """Refuses two things on one standard output.

    Raises:
        UsageError: `--json` and `-o -` are both given.
    """
    if as_json and output == "-":
        raise UsageError("--json and `-o -` would both write to standard output", hint="Give -o a file name.")


def _told(message: str, hint: str | None, code: int) -> int:
    click.echo(f"privkit: error: {_one_line(message)}", err=True)
    if hint:
        click.echo(f"privkit: hint: {_one_line(hint)}", err=True)
    return code


def _one_line(text: str) -> str:
    """File and column names come from outside: what is not printable is written out, a line break as a space."""
    return "".join(
        " " if c in "\n\t" else c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _bug(err: Exception) -> int:
    import traceback

    if os.environ.get("PRIVKIT_DEBUG") == "1":
        traceback.print_exception(err)
    package = Path(__file__).parent.parent
    own = [frame for frame in traceback.extract_tb(err.__traceback__) if package in Path(frame.filename).parents]
    where = f" at {Path(own[-1].filename).relative_to(package)}:{own[-1].lineno}" if own else ""
    return _told(
        f"this is a bug in privkit: {type(err).__name__}{where}",
        "Please report it. The message is not shown because it may hold data; PRIVKIT_DEBUG=1 shows everything.",
        1,
    )


def _abandon_stdout() -> None:
    """Points standard output nowhere, so that the interpreter's last flush does not complain."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
