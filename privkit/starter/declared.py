"""What a person declares in one word: `age=integer[0,110]`, `region=category[north|south]`, `los=float[0,60]:0.1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from privkit.dataset import query_name
from privkit.errors import UsageError
from privkit.model.dataset import Column, PrivacyUnit
from privkit.model.misfits import first_misfit

TYPES = ("integer", "float", "category", "boolean", "date")

_FORM = re.compile(rf"(?P<name>.+?)=(?P<type>{'|'.join(TYPES)})(?:\[(?P<held>.*)\])?(?::(?P<step>[^\]]*))?", re.DOTALL)
_HINT = "For example age=integer[0,110], los=float[0,60]:0.1, region=category[north|south], smoker=boolean."
_COLUMN: TypeAdapter[Column] = TypeAdapter(Column)


def parse_column(text: str) -> tuple[str, Column]:
    """Reads `NAME=TYPE`, `NAME=TYPE[LOW,HIGH]`, `NAME=float[LOW,HIGH]:STEP` or `NAME=category[A|B]`.

    Returns:
        The source's own name of the column, and what it is declared as.

    Raises:
        UsageError: It has another form, or the bounds are none.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"{text}: NAME=TYPE is wanted, the type one of {', '.join(TYPES)}", hint=_HINT)
    return match["name"], declared(match["name"], match["type"], match["held"] or "", match["step"] or "")


def declared(name: str, kind: str, held: str = "", step: str = "") -> Column:
    """One column's declaration.

    Args:
        name: For messages.
        kind: One of `TYPES`.
        held: Its bounds, `0, 110`; or its categories, parted by `|`, or by commas where there is no `|`. May be empty.
        step: Granularity, of a float. May be empty.

    Raises:
        UsageError: They do not go together.
    """
    described: dict[str, Any] = {"type": kind}
    parts = [part.strip() for part in held.split("|" if kind == "category" and "|" in held else ",")] if held else []
    if kind == "category" and parts:
        described["categories"] = parts
    elif kind == "boolean" and parts:
        raise UsageError(f"{name}: a boolean has no bounds", hint=_HINT)
    elif parts:
        if len(parts) != 2:
            raise UsageError(f"{name}: two bounds are wanted, the lowest and the highest value that count", hint=_HINT)
        described["bounds"] = parts
    if step.strip():
        described["granularity"] = step.strip()
    try:
        return _COLUMN.validate_python(described)
    except ValidationError as err:
        location, told = first_misfit(err, described)
        where = "".join(f" {part}:" for part in location if isinstance(part, str) and part != kind)
        raise UsageError(f"{name}:{where} {told}", hint=_HINT) from None


def columns_of(given: Iterable[tuple[str, Column]], held: Sequence[str]) -> dict[str, Column]:
    """Declarations by the names that queries call them, where the source's own cannot be written in one.

    Args:
        given: The source's names, each with its declaration.
        held: All names of the source.

    Raises:
        UsageError: The source has no such column, or one is declared twice.
    """
    found: dict[str, Column] = {}
    seen: set[str] = set()
    taken: set[str] = set()
    for name, column in given:
        if name not in held:
            raise UsageError(f"the source has no column {name}", hint=f"It has: {', '.join(held[:20])}.")
        if name in seen:
            raise UsageError(f"the column {name} is declared twice")
        seen.add(name)
        called = query_name(name, taken)
        found[called] = column if called == name else column.model_copy(update={"from_": name})
    return found


def unit_of(
    column: str, *, max_groups: int | None, max_rows_per_group: int | None, max_units: int | None
) -> PrivacyUnit:
    """The privacy unit.

    Args:
        column: The column that names the person, or `row`.
        max_groups: Groups of a query that one person counts in.
        max_rows_per_group: Rows of one person that count in a group.
        max_units: A public upper bound on the number of people.

    Raises:
        UsageError: They do not go together.
    """
    bounds: Mapping[str, int | None] = {
        "max_groups": max_groups,
        "max_rows_per_group": max_rows_per_group,
        "max_units": max_units,
    }
    described = {name: value for name, value in bounds.items() if value is not None}
    try:
        return PrivacyUnit.model_validate(described | ({"row": True} if column == "row" else {"column": column}))
    except ValidationError as err:
        location, told = first_misfit(err, described)
        where = "".join(f" {part}:" for part in location)
        raise UsageError(f"privacy unit:{where} {told}") from None
