"""What can be done to a value: one frozen record per operator, its parameters checked when it is made.

The records say *what*; `privkit.deid.operators` knows *how*. `keep`, `redact`, `replace` and `mask` are Presidio's,
with Presidio's parameter names.
"""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from privkit.errors import UsageError


class _Operator(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Keep(_Operator):
    """Leave the value as it is."""

    operator: Literal["keep"] = "keep"


class Redact(_Operator):
    """Remove the value: an empty text, or null in a typed column."""

    operator: Literal["redact"] = "redact"


class Replace(_Operator):
    """Put one text in place of every value; `<ENTITY>` when none is given."""

    operator: Literal["replace"] = "replace"
    new_value: str | None = Field(None, description="The text to write; `<ENTITY>` when absent.")


class Mask(_Operator):
    """Overwrite characters, by default all of them.

    The text's length stays visible.
    """

    operator: Literal["mask"] = "mask"
    masking_char: str = Field("*", min_length=1, max_length=1)
    chars_to_mask: int | None = Field(None, ge=1, description="How many characters; all when absent.")
    from_end: bool = Field(False, description="Count from the end instead of the start.")


class Pseudonym(_Operator):
    """A deterministic keyed token such as `PERSON_k3f9…`.

    With a kept key it is reversible by that key's holder (AES-SIV, RFC 5297); with `reversible: false`, or without
    a kept key, it is a short HMAC-SHA-256 token that cannot be reversed.
    """

    operator: Literal["pseudonym"] = "pseudonym"
    reversible: bool = True


class KeyedHash(_Operator):
    """HMAC-SHA-256 of the value, in hexadecimal."""

    operator: Literal["keyed_hash"] = "keyed_hash"
    length: int = Field(32, ge=16, le=64, description="Hexadecimal digits kept (4 bits each).")


class Surrogate(_Operator):
    """A realistic value of the same kind and format, chosen by the key: the same value gets the same surrogate."""

    operator: Literal["surrogate"] = "surrogate"
    locale: str = Field("en_US", pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$", description="A Faker locale.")


class DateShift(_Operator):
    """Move dates by a whole number of days that the key chooses, one for each row, or for each value of `unit`.

    Intervals between dates that share the shift survive.
    """

    operator: Literal["date_shift"] = "date_shift"
    days: int = Field(365, ge=1, le=36500, description="Largest shift, in days, either way; never zero.")
    unit: str | None = Field(None, description="Column whose equal values share one shift, e.g. patient_id.")
    format: str | None = Field(None, description="strptime format of a text column; found from the sample if absent.")


class Generalize(_Operator):
    """Make a value coarser: a date to its year or month, a number to its band, a postcode to its first digits."""

    operator: Literal["generalize"] = "generalize"
    to: Literal["year", "month"] | None = Field(None, description="For dates.")
    band: float | None = Field(None, gt=0, description="For numbers: width of the bands `low-high`.")
    top: int | None = Field(None, ge=1, description="For numbers: this and above become `top+` (ages: 90).")
    digits: int | None = Field(None, ge=1, le=8, description="For postcodes: leading characters kept.")
    suppress_low_population: bool = Field(
        True, description="For 5-digit US postcodes cut to 3: write 000 for HIPAA's low-population prefixes."
    )
    format: str | None = Field(None, description="strptime format of a text column of dates.")
    oldest: int | None = Field(
        None, ge=1, le=150, description="For birth dates: years that would show a greater age are written `<=YEAR`."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Generalize:
        kinds = [self.to is not None, self.band is not None or self.top is not None, self.digits is not None]
        if sum(kinds) > 1:
            raise ValueError("take one of: to (dates), band/top (numbers), digits (postcodes)")
        return self


class Drop(_Operator):
    """Leave the column out of the output."""

    operator: Literal["drop"] = "drop"


Operator = Annotated[
    Keep | Redact | Replace | Mask | Pseudonym | KeyedHash | Surrogate | DateShift | Generalize | Drop,
    Field(discriminator="operator"),
]

OPERATORS: dict[str, type[_Operator]] = {
    cls.model_fields["operator"].default: cls
    for cls in (Keep, Redact, Replace, Mask, Pseudonym, KeyedHash, Surrogate, DateShift, Generalize, Drop)
}

_PARAMETER = re.compile(
    r"""
    \s* (?P<name>\w+) \s* = \s*
    (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<plain>(?!["'])[^,]*) )
    \s* (?:,|$)
    """,
    re.VERBOSE,
)


def parse_operator(text: str) -> Operator:
    """Reads an operator as it is written in an option: `NAME` or `NAME:parameter=value,…`.

    A value may stand in single or double quotes, which it must when it holds a comma. Values are typed as in a
    policy file: `true` and `no` are booleans and `4` is a number where one is wanted; unquoted `null` is null.

    >>> parse_operator("mask:chars_to_mask=4,masking_char=#")
    Mask(operator='mask', masking_char='#', chars_to_mask=4, from_end=False)

    Raises:
        UsageError: The operator, a parameter or a value is not understood. The message names it; values are not
            repeated.
    """
    name, colon, rest = text.partition(":")
    name = name.strip()
    record = OPERATORS.get(name)
    if record is None:
        near = difflib.get_close_matches(name, OPERATORS, n=1)
        suggestion = f"Did you mean `{near[0]}`? " if near else ""
        raise UsageError(
            f"there is no operator {name!r}", hint=f"{suggestion}The operators are: {', '.join(OPERATORS)}."
        )
    takes = [parameter for parameter in record.model_fields if parameter != "operator"]
    hint = f"{name} takes: {', '.join(takes)}." if takes else f"{name} takes no parameters."
    given = _parameters(name, rest, hint) if colon else {}
    unknown = [parameter for parameter in given if parameter not in takes]
    if unknown:
        raise UsageError(f"the operator {name} has no parameter {unknown[0]!r}", hint=hint)
    try:
        return cast("Operator", record.model_validate(given))
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        where = "".join(f" {part}:" for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"the operator {name}:{where} {message}", hint=hint) from None


def _parameters(operator: str, text: str, hint: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise UsageError(f"the operator {operator}: `parameter=value` is wanted at character {at + 1}", hint=hint)
        if match["name"] in found:
            raise UsageError(f"the operator {operator}: {match['name']} stands twice", hint=hint)
        quoted = match["double"] if match["double"] is not None else match["single"]
        plain = (match["plain"] or "").strip()
        found[match["name"]] = quoted if quoted is not None else None if plain in ("null", "~") else plain
        at = match.end()
    return found
