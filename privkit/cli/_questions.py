"""The questions of `privkit init`: asked on a terminal for what no option said, and on standard error.

Off a terminal nothing is asked: what is missing is named.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from privkit.cli import _output
from privkit.cli._amounts import AMOUNT
from privkit.dataset import dataset_name
from privkit.errors import PrivkitError, UsageError
from privkit.model.dataset import EPSILON_CAP, MOST_ROWS, NAME, Budget, Column, PrivacyUnit
from privkit.report.start import odds_lines
from privkit.report.wording import shown
from privkit.starter import Headers, read_headers
from privkit.starter.declared import TYPES, columns_of, declared, parse_column, unit_of
from privkit.starter.guided import check_named_places
from privkit.starter.suggestions import (
    SENSITIVITIES,
    measure_sentence,
    names_person,
    suggested_budget,
    suggested_delta,
    worth_asking,
)

if TYPE_CHECKING:
    from pathlib import Path

    from privkit.model.dataset import Measure

Answer = TypeVar("Answer")
_MOST_SHOWN = 40  # columns in one line
_MOST_PEOPLE = 2**40  # that a description can declare
_MOST_BOUND = 10**6  # groups, or rows in a group, that it can


def answered(source: str | None, given: Mapping[str, Any], folder: Path, *, force: bool) -> dict[str, Any]:
    """What `privkit.starter.start` takes, from options and, on a terminal, from questions.

    Args:
        source: As on the command line.
        given: The options; None, or empty, where one was not given.
        folder: Where the files are going to be.
        force: Whether files that exist may be replaced.

    Raises:
        UsageError: Something is missing and there is no terminal, or an option does not fit.
        DatasetError: The source cannot be opened.
    """
    missing = _missing(source, given)
    if missing and not _output.on_a_terminal():
        raise UsageError(
            f"{', '.join(missing)}: wanted, and there is no terminal to ask on",
            hint="`privkit init --demo` needs none of them; `privkit init --help` explains each.",
        )
    declared_columns = [parse_column(text) for text in given["columns"]]
    return _Interview(source, given, folder, force=force, asking=bool(missing)).answers(declared_columns)


def _missing(source: str | None, given: Mapping[str, Any]) -> list[str]:
    names = ["SOURCE"] if source is None else []
    names += ["--unit"] if given["unit"] is None else []
    if given["unit"] != "row":
        wanted = ("max_groups", "max_rows_per_group", "max_units")
        names += [f"--{name.replace('_', '-')}" for name in wanted if given[name] is None]
    names += ["--column"] if not given["columns"] else []
    return names + (["--sensitivity or --epsilon"] if given["sensitivity"] is given["epsilon"] is None else [])


class _Interview:
    """One pass through the questions; what an option said is not asked.

    Args:
        source: The source, if it was named.
        given: The options.
        folder: Where the files are going to be.
        force: Whether files that exist may be replaced.
        asking: Whether anything is asked at all; else defaults stand in for what nobody has to say.
    """

    def __init__(
        self, source: str | None, given: Mapping[str, Any], folder: Path, *, force: bool, asking: bool
    ) -> None:
        self._given = given
        self._folder, self._force = folder, force
        self._asking = asking
        self._table: str | None = given["table"]
        if given["name"] is not None:
            self._free_name(given["name"])
        if source is None:
            self._source, self._headers = _asked("SOURCE: a .parquet or .csv file, or duckdb://FILE", self._opened)
        else:
            self._source, self._headers = self._opened(source)

    def answers(self, stated: list[tuple[str, Column]]) -> dict[str, Any]:
        """Everything, in the order that decides one thing after the other."""
        held = list(self._headers.types)
        stated_columns = columns_of(stated, held)  # refused before the first question
        if self._asking:
            self._introduce()
        unit = self._unit()
        columns = stated_columns or columns_of(self._columns(unit), held)
        budget = self._budget(unit, columns)
        name = self._named()
        return {
            "source": self._source,
            "unit": unit,
            "columns": columns,
            "budget": budget,
            "name": name,
            "version": self._version(),
            "table": self._table,
            "open_budget": self._open_budget(budget),
        }

    def _opened(self, source: str) -> tuple[str, Headers]:
        return source, read_headers(source, self._table)

    def _introduce(self) -> None:
        types = self._headers.types
        told = [f"{shown(name)} ({kind})" if self._headers.typed else shown(name) for name, kind in types.items()]
        more = f" and {len(told) - _MOST_SHOWN} more" if len(told) > _MOST_SHOWN else ""
        _say(f"Two files about {self._source}, after a few questions; Ctrl-C leaves nothing behind.")
        _say("Only names and types of its columns are read, never a value: what is public is yours to say.")
        _say(f"It has: {', '.join(told[:_MOST_SHOWN])}{more}.")

    # ---- 1. who is protected

    def _unit(self) -> PrivacyUnit:
        column = self._given["unit"]
        if self._asking:
            _heading("1. Who is protected")
        if column is None:
            likely = [name for name in self._headers.types if names_person(name) and name in self._headers.units]
            # No default: everything else rests on this, and a visit's number looks like a person's.
            perhaps = f" By their names perhaps: {', '.join(likely)}." if likely else ""
            _say(f"Which column names the person? `row`, if every row is another person.{perhaps}")
            column = _asked("Column", self._unit_column)
        self._unit_column(column)
        if column == "row":
            return unit_of(column, max_groups=None, max_rows_per_group=None, max_units=self._most_rows())
        return unit_of(
            column,
            max_groups=self._counted(
                "max_groups",
                "In how many groups of one table may a person count? 1, unless one can be in several, as in wards.",
                "Groups",
                default=1,
            ),
            max_rows_per_group=self._counted(
                "max_rows_per_group", "How many rows of a person may count in a group?", "Rows", default=1
            ),
            max_units=self._counted(
                "max_units", "How many people can it be at the very most? Known without the data, no count.", "People"
            ),
        )

    def _unit_column(self, column: str) -> str:
        if column != "row" and column not in self._headers.types:
            raise UsageError(
                f"the source has no column {column} that could name the person",
                hint=f"It has: {', '.join(list(self._headers.types)[:20])}; or `row`.",
            )
        if column != "row" and column not in self._headers.units:
            raise UsageError(f"the column {column} cannot name people: whole numbers, texts or UUIDs are wanted")
        return column

    def _counted(self, option: str, told: str, question: str, *, default: int | None = None) -> int:
        value: int | None = self._given[option]
        if value is None:
            _say(told)
            kind = click.IntRange(1, _MOST_PEOPLE if default is None else _MOST_BOUND)
            value = click.prompt(question, default=default, type=kind, err=True)
        assert value is not None
        return value

    def _most_rows(self) -> int | None:
        most: int | None = self._given["max_units"]
        if most is None and self._asking:
            _say("How many rows can it be at the very most? Known without the data, no count.")
            most = click.prompt("Rows", default=MOST_ROWS, type=click.IntRange(1, _MOST_PEOPLE), err=True)
            most = None if most == MOST_ROWS else most
        return most

    # ---- 2. what may be asked about

    def _columns(self, unit: PrivacyUnit) -> Iterable[tuple[str, Column]]:
        _heading("2. What may be asked about")
        _say("Which columns? Parted by commas.")
        likely = [name for name in self._headers.types if name != unit.column and worth_asking(name)]
        default = ", ".join(likely) or None
        chosen = _asked("Columns", lambda text: likely if text == default else self._held(text), default=default)
        _say("Bounds and categories come from what a column means, or a code book: never from the rows.")
        return [(name, self._column(name)) for name in chosen]

    def _held(self, text: str) -> list[str]:
        names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        unknown = [name for name in names if name not in self._headers.types]
        if unknown:
            raise UsageError(f"the source has no column {unknown[0]}")
        if not names:
            raise UsageError("at least one column is wanted")
        return names

    def _column(self, name: str) -> Column:
        told = shown(name)
        kind = click.prompt(f"{told}: type", default=self._headers.types[name], type=click.Choice(TYPES), err=True)
        if kind == "boolean":
            return declared(name, kind)
        if kind == "category":
            question = f"{told}: all values there may be (a, b, c; Enter if they are private)"
            return _asked(question, lambda text: declared(name, kind, text), default="")
        example = "2026-01-01, 2026-12-31" if kind == "date" else "0, 110"
        question = f"{told}: lowest and highest that count (such as {example}; Enter for none)"
        column = _asked(question, lambda text: declared(name, kind, text), default="")
        if kind != "float" or column == declared(name, kind):
            return column
        low, high = column.model_dump(mode="json")["bounds"]
        question = f"{told}: the step that matters (such as 0.1; Enter for 4,096 steps)"
        return _asked(question, lambda text: declared(name, kind, f"{low},{high}", text), default="")

    # ---- 3. how sensitive, 4. the budget

    def _budget(self, unit: PrivacyUnit, columns: Mapping[str, Column]) -> Budget:
        epsilon: Decimal | None = self._given["epsilon"]
        if epsilon is None:
            epsilon = SENSITIVITIES[self._given["sensitivity"] or _sensitivity()].epsilon
            epsilon = self._epsilon(epsilon) if self._asking else epsilon
        measure: Measure = self._given["measure"] or self._measure(unit, columns, epsilon)
        delta: Decimal | None = self._given["delta"]
        if delta is None and measure == "zcdp" and self._asking:
            _say(f"δ, the allowance for rare events: far below 1/{unit.highest_delta.denominator:,}.")
            delta = _asked("δ", lambda text: _delta(text, unit), default=f"{suggested_delta(unit):e}")
        return suggested_budget(unit, columns, epsilon=epsilon, delta=delta, measure=measure)

    def _epsilon(self, suggested: Decimal) -> Decimal:
        _heading("4. The budget: ε of all releases together, by everyone and for ever")
        _say(
            "Somebody believes to 1 %, 10 % or 50 % that a person is in the data. After all releases they believe it "
            "at most to (> is what suits the answer above):"
        )
        for line in odds_lines(suggested):
            click.echo(line, err=True)
        asked: Decimal = click.prompt("ε", default=str(suggested), type=AMOUNT, err=True)
        return asked

    def _measure(self, unit: PrivacyUnit, columns: Mapping[str, Column], epsilon: Decimal) -> Measure:
        if not self._asking:
            return "zcdp"
        usual = suggested_budget(unit, columns, epsilon=epsilon)
        _say(f"How the ledger counts, for ever: {measure_sentence(usual, unit)}.")
        asked: Measure = click.prompt("Measure", default="zcdp", type=click.Choice(["zcdp", "pure"]), err=True)
        return asked

    # ---- what the files are called

    def _named(self) -> str:
        suggested = dataset_name(self._table or self._source)
        name: str | None = self._given["name"]
        if self._asking:
            _heading("5. The files")
        if name is None and self._asking:
            _say("What queries call the dataset, and the files begin with.")
            name = _asked("Name", self._free_name, default=suggested)
        return name or suggested

    def _free_name(self, name: str) -> str:
        """Said while it can still be mended: after the last question it would be too late."""
        if not NAME.fullmatch(name):
            raise UsageError("a name is at most 63 letters of a to z, digits and _, and begins with no digit")
        check_named_places(name, self._folder, force=self._force)
        return name

    def _version(self) -> str:
        label: str | None = self._given["version_label"]
        if label is None and self._asking:
            _say("Your label for this state of the data; change it when the data changes.")
            label = click.prompt("Label", default="1", err=True)
        return label or "1"

    def _open_budget(self, budget: Budget) -> bool:
        wanted: bool | None = self._given["create_budget"]
        if wanted is None and self._asking and budget.epsilon > EPSILON_CAP:
            _say(f"A budget above ε {EPSILON_CAP} is created by itself, with its reason, by `privkit budget create`.")
        elif wanted is None and self._asking:
            _say("Unit, ε, δ and measure are fixed for ever once the budget is created.")
            wanted = click.confirm("Create it now?", default=False, err=True)
        return bool(wanted)


def _sensitivity() -> str:
    _heading("3. How bad would it be if it came out about somebody")
    for name, level in SENSITIVITIES.items():
        click.echo(f"  {name:<7} {level.meaning}", err=True)
    asked: str = click.prompt("Sensitivity", type=click.Choice(list(SENSITIVITIES)), err=True)
    return asked


def _delta(text: str, unit: PrivacyUnit) -> Decimal:
    value: Decimal = AMOUNT.convert(text, None, None)
    if value >= unit.highest_delta:
        raise UsageError(f"it must be below 1/{unit.highest_delta.denominator:,} for this many people")
    return value


def _say(text: str) -> None:
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    click.echo("\n".join(textwrap.wrap(shown(text), width)), err=True)


def _heading(text: str) -> None:
    click.echo("", err=True)
    click.secho(text, bold=True, err=True)


def _asked(question: str, read: Callable[[str], Answer], *, default: str | None = None) -> Answer:
    """Asks until the answer can be read; what is wrong with one is said, and asked again."""

    def reading(text: str) -> Answer:
        try:
            return read(text.strip())
        except PrivkitError as err:
            raise click.UsageError(err.message) from None

    answer: Answer = click.prompt(question, default=default, value_proc=reading, show_default=bool(default), err=True)
    return answer
