"""A dataset's description in words: what it promises, and what can be asked of each column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from privkit.errors import OutputError
from privkit.io.staged import Staged, check_place
from privkit.model.dataset import BooleanColumn, CategoryColumn, Column, DatasetSpec, FloatColumn, steps_of
from privkit.report import terminal
from privkit.report.release_wording import amount_text, measure_text, unit_sentences
from privkit.report.wording import number, plural, shown


def write_draft(text: str, path: Path, *, source: str, force: bool) -> None:
    """Writes a drafted description; whole or not there.

    Args:
        text: The draft.
        path: Where.
        source: What is described: file, glob or URL. It is never replaced.
        force: Whether a file that exists may be replaced.

    Raises:
        OutputError: The file exists and `force` is not given, it is the source, or it cannot be written.
    """
    held = Path(source.rpartition("://")[2]).absolute()
    sources = [held, *Path(held.anchor).glob(str(held.relative_to(held.anchor)))]
    if path.exists() and any(one.exists() and path.samefile(one) for one in sources):
        raise OutputError(f"the description {path} would replace its own source", hint="Give another name.")
    check_place(path, "the description", force=force)
    with Staged() as staged:
        staged.add(path, text)
        staged.publish()


def dataset_record(spec: DatasetSpec, advice: str) -> dict[str, Any]:
    """The same for another program."""
    return {
        "valid": True,
        "dataset": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "meaning": [*unit_sentences(spec.privacy_unit), *_budget_sentences(spec)],
        "columns": {name: _column_text(column, spec) for name, column in spec.columns.items()},
        "advice": advice,
    }


def print_dataset(console: Console, file: str, spec: DatasetSpec, advice: str) -> None:
    """Prints what a description means."""
    heading = f"{shown(file)}: valid; dataset {shown(spec.name)}, version {shown(spec.version)}"
    terminal.print_lines(console, [Text(heading, style="bold"), Text()])
    sentences = (*unit_sentences(spec.privacy_unit), *_budget_sentences(spec))
    terminal.print_lines(console, map(Text, sentences))
    console.print()
    terminal.print_lines(console, _column_lines(spec))
    console.print()
    terminal.print_lines(console, [Text(shown(advice))])


def _budget_sentences(spec: DatasetSpec) -> Iterator[str]:
    budget = spec.budget
    at = f" at δ {amount_text(budget.delta)}" if budget.delta else ""
    yield (
        f"All releases together, by everyone and for ever, may cost ε {amount_text(budget.epsilon)}{at}. "
        f"Measure {measure_text(budget.measure)}."
    )
    if budget.threshold_delta:
        yield f"Of that δ, {amount_text(budget.threshold_delta)} is for groups whose names are private."
    if spec.privacy_unit.max_units is not None:
        who = "rows" if spec.privacy_unit.row else f"values of {shown(spec.privacy_unit.name)}"
        yield f"Declared are at most {number(spec.privacy_unit.max_units)} {who}; a larger table is cut to that range."


def _column_lines(spec: DatasetSpec) -> Iterator[Text]:
    width = max(map(len, spec.columns))
    for name, column in spec.columns.items():
        yield Text.assemble((f"{shown(name):<{width}}", "bold"), f"  {_column_text(column, spec)}")


def _column_text(column: Column, spec: DatasetSpec) -> str:
    """What a column is and what can be asked of it."""
    if isinstance(column, CategoryColumn):
        return f"category, {_categories_text(column, spec)}"
    if isinstance(column, BooleanColumn):
        return f"boolean{_missing_text(column)}"
    if column.bounds is None:
        return f"{column.type}, without bounds: it can be counted and compared, not summed"
    low, high = column.bounds
    grid = ""
    if isinstance(column, FloatColumn):
        grid = (
            f", in steps of {column.granularity}"
            if column.granularity
            else f", in {number(steps_of(column) or 0)} steps"
        )
    return f"{column.type}, {low} … {high}{grid}, what is beyond counts as the bound{_missing_text(column)}"


def _categories_text(column: CategoryColumn, spec: DatasetSpec) -> str:
    if column.categories is not None:
        return f"{plural(len(column.categories), 'public value')}, which all appear in a result"
    if spec.budget.threshold_delta:
        return "private values: only those of enough units appear in a result"
    return "private values: it cannot be grouped by while threshold_delta is 0"


def _missing_text(column: Column) -> str:
    missing = getattr(column, "missing", None)
    return f"; missing counts as {missing}" if missing is not None else ""
