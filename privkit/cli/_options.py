"""Options that several commands share, and the forms `COL=OPERATOR`, `TYPE=OPERATOR` and `FILE:COLUMN`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from privkit.errors import UsageError

if TYPE_CHECKING:
    from privkit import Known
    from privkit.model.operators import Operator

Command = TypeVar("Command", bound=Callable[..., Any])

_ASSIGNMENT = re.compile(r"(?P<name>.+?)=(?P<operator>[a-z_]+(?::.*)?)", re.DOTALL)
_RANGE = re.compile(r"([0-9]{1,15})(?:-([0-9]{1,15}))?")
_LONGEST_RANGE = 10_000  # what is told of rows refuses fewer already: this only keeps the list short
PATH = click.Path(path_type=Path, readable=False)  # what cannot be read is said by whoever reads it


class _Place(click.types.StringParamType):
    """A text that can be `-`, a glob or an address, and mostly is a file: a shell completes it as one."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Leaves it to the shell, which knows the files."""
        del ctx, param
        return [CompletionItem(incomplete, type="file")]


PLACE = _Place()


def reading_options(command: Command) -> Command:
    """How a source is read: `--format`, `--encoding`, `--max-expansion`."""
    for option in (
        click.option(
            "--max-expansion",
            type=click.FloatRange(min=1),
            default=200.0,
            show_default=True,
            metavar="RATIO",
            help="Refuse a compressed source that grows by more than this.",
        ),
        click.option("--encoding", default="utf-8", show_default=True, help="The source's text encoding."),
        click.option(
            "--format",
            type=click.Choice(["csv", "tsv", "jsonl", "parquet", "txt"]),
            help="The source's format; needed when SOURCE is `-`, otherwise its extension decides.",
        ),
    ):
        command = option(command)
    return command


def detecting_options(command: Command) -> Command:
    """How personal data is looked for: the policy, the detector, the language, how many processes."""
    for option in (
        click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes; one per core by default."),
        click.option(
            "--country",
            multiple=True,
            metavar="CC",
            help="Read this country's national and telephone numbers: de, fr, gb, …; may be given again. The language "
            "decides by default.",
        ),
        click.option("--language", metavar="LL", help="The texts' language: en, de, fr, es, it, nl, …; en by default."),
        click.option(
            "--detector",
            type=click.Choice(["patterns", "spacy", "core", "full"]),
            help="patterns needs no model, core adds privkit's own, full adds Rampart's (the fullest installed by "
            "default); spacy is Presidio with spaCy's small model.",
        ),
        click.option(
            "--presidio",
            type=PATH,
            metavar="FILE",
            help="More recognizers and a model, by a YAML file in Presidio's own form; the policy's by default.",
        ),
        click.option(
            "--recall",
            type=click.Choice(["high", "balanced", "precise"]),
            help="high misses less and takes more for names, precise the other way; the policy's by default.",
        ),
        click.option(
            "--policy",
            type=PLACE,
            default="default",
            show_default=True,
            metavar="NAME|FILE",
            help="A built-in policy (`privkit policy list`) or a YAML file.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else.")(command)


def operators(option: str, texts: Sequence[str]) -> dict[str, Operator | str]:
    """Reads `NAME=OPERATOR[:parameter=value,…]` for each of `texts`; the word `free_text` stays a word.

    Raises:
        UsageError: One is not of that form, names an operator that does not exist, or names something twice.
    """
    from privkit.model.operators import parse_operator

    found: dict[str, Operator | str] = {}
    for text in texts:
        match = _ASSIGNMENT.fullmatch(text)
        name, operator = (match["name"], match["operator"]) if match else (text.partition("=")[0], "")
        if not name or text.startswith("="):
            raise UsageError(f"{option} {text}: a name is wanted before the `=`", hint=f"{option} NAME=OPERATOR")
        if not operator:
            raise UsageError(f"{option} {name}: an operator is wanted", hint=f"Write {option} {name}=pseudonym.")
        if name in found:
            raise UsageError(f"{option} {name} is given twice")
        found[name] = operator if operator == "free_text" and option == "--column" else parse_operator(operator)
    return found


def rows(option: str, text: str | None) -> list[int]:
    """Reads `3,17-19`: numbers of rows, counted from 1; none of None.

    Raises:
        UsageError: It is not of that form, or names a great many.
    """
    found: list[int] = []
    for part in text.split(",") if text is not None else ():
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last:
            raise UsageError(f"{option} {text}: row numbers from 1 on are wanted", hint=f"{option} 3,17-19")
        if last - first >= _LONGEST_RANGE:
            raise UsageError(f"{option} {text}: these are too many rows", hint=f"Choose a few: {option} 3,17-19")
        found += range(first, last + 1)
    return found


def known_values(files: Sequence[str], keys: Sequence[str]) -> tuple[Known, ...]:
    """Pairs each `--known FILE:COLUMN` with its `--on KEYCOLUMN`; one `--on` serves all.

    Raises:
        UsageError: A form that is not FILE:COLUMN, or numbers of the two that do not fit.
    """
    if len(keys) not in ({1, len(files)} if files else {0}):
        raise UsageError(
            f"{len(files)} --known and {len(keys)} --on do not pair up",
            hint="Give --on once for all, or once after each --known.",
        )
    found = []
    for text, on in zip(files, itertools.cycle(keys), strict=False):
        path, colon, column = text.rpartition(":")
        if not colon or not path or not column:
            raise UsageError(f"--known {text}: FILE:COLUMN is wanted")
        found.append((path, column, on))
    if not found:
        return ()
    from privkit import Known

    return tuple(Known(path=path, column=column, on=on) for path, column, on in found)
