"""What does not fit a record, in privkit's words: pydantic's speak of tuples, discriminators and extra inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Location = tuple[str | int, ...]

_MAPPING = "`key: value` lines, or {key: value}, are wanted"
_WORDS = {
    "missing": "is wanted",
    "extra_forbidden": "there is no such key",
    "string_type": "a text is wanted",
    "int_type": "a whole number is wanted",
    "int_parsing": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "bool_type": "true or false is wanted",
    "bool_parsing": "true or false is wanted",
    "date_type": "a day such as 2026-11-22 is wanted",
    "date_parsing": "a day such as 2026-11-22 is wanted",
    "date_from_datetime_parsing": "a day such as 2026-11-22 is wanted",
    "date_from_datetime_inexact": "a day such as 2026-11-22 is wanted, without a time",
    "string_pattern_mismatch": "letters of a to z, digits and _ are wanted, no digit first",
    "tuple_type": "a list is wanted, such as [a, b]",
    "list_type": "a list is wanted, such as [a, b]",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
}


def first_misfit(error: ValidationError, data: Any) -> tuple[Location, str]:
    """Where the first thing is that does not fit, and what is wrong with it; no value is repeated.

    Args:
        error: Pydantic's.
        data: What was validated. Locations name members of unions, which a reader never wrote: they are left out.
    """
    first = error.errors(include_url=False)[0]
    return _written(first["loc"], data), _told(first)


def _written(location: Location, data: Any) -> Location:
    found: list[str | int] = []
    for place, part in enumerate(location):
        inside = _holds(data, part)
        if inside or place == len(location) - 1:
            found.append(part)
        data = data[part] if inside else data
    return tuple(found)


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, Sequence) and not isinstance(data, str) and isinstance(part, int) and part < len(data)


def _told(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tags = f"must be one of {context['expected_tags']}" if "expected_tags" in context else "is wanted"
        return f"{context['discriminator']} {tags}".replace("'", "")
    if kind == "literal_error":
        return f"{context['expected']} is wanted"
    if error["input"] is None and kind != "missing":
        return "is blank: fill it in"
    return _WORDS.get(kind) or error["msg"].removeprefix("Value error, ")
