"""Columns of numbers, typed or written: identifiers by name, or as payment cards by their check digit; else kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from privkit.deid.columns import patterns, values
from privkit.deid.columns.column import ENOUGH, ENOUGH_IF_NAMED, Column, Decision
from privkit.deid.columns.names import Hint
from privkit.deid.columns.values import Profile, spans_lives
from privkit.deid.operators.dates import date_format
from privkit.model.policy import Role

_LENGTHS = (8, 18)  # digits of national numbers, the shortest and the longest


def decide_numbers(column: Column) -> Decision:
    """The decision about numbers."""
    profile, hint = column.profile, column.hint
    digits = [value.lstrip("-+") for value in profile.values]
    whole = profile.whole or all(value.isdigit() for value in digits)
    if hint is not None:
        promised = _number_promised(column, hint, digits, whole)
        if promised is not None:
            return promised
    if whole and len(digits) >= 3:
        share = profile.share(patterns.is_card)
        if share >= (ENOUGH_IF_NAMED if len(digits) >= 5 else 0.95):
            return column.decision("identifier", "CREDIT_CARD", share, "values: card numbers")
    if whole and all(_LENGTHS[0] <= len(value) <= _LENGTHS[1] for value in digits):
        entity, share = column.national
        if share >= ENOUGH:
            return column.decision("identifier", entity, share, f"values: {entity} numbers")
    moment = _moments(column, digits) if whole else None
    if moment is not None:
        return moment
    widths = {len(value) for value in digits}
    perhaps_codes = (
        whole and len(widths) == 1 and min(widths) >= 6 and profile.ratio > 0.95 and not column.is_named("date")
    )
    if perhaps_codes:
        warning = "whole numbers of one length that never repeat: name them if they are record numbers"
        return column.decision("other", None, 1, "values: numbers", certain=False, warnings=(warning,))
    return column.decision("other", None, 1, "values: numbers")


def _number_promised(column: Column, hint: Hint, digits: list[str], whole: bool) -> Decision | None:
    profile = column.profile

    def share_of(test: Callable[[str], bool]) -> float:
        return sum(map(test, digits)) / len(digits)

    if hint.kind == "age":
        share = share_of(lambda v: _float(v) <= 130)
        return column.decision("quasi", "AGE", share, "name and values") if share >= ENOUGH else None
    if hint.kind == "coordinates":
        share = share_of(lambda v: _float(v) <= 180)
        return column.by_name(share) if share >= ENOUGH else None
    if not whole:
        return None
    if hint.kind == "birth":
        return _birth_numbers(column, digits)
    if hint.kind == "postcode":
        share = share_of(lambda v: 3 <= len(v) <= 9)
        return column.by_name(share) if share >= ENOUGH_IF_NAMED else None
    if hint.kind == "address":
        return column.by_name(1)
    if hint.kind == "contact":
        share = share_of(lambda v: 5 <= len(v) <= 17) if hint.entity == "PHONE_NUMBER" else 0.0
        return column.by_name(share) if share >= ENOUGH_IF_NAMED else None
    if hint.kind == "id":
        # A flag, or the number of one of few wards: nobody is known by it.
        flag = profile.cells >= 6 and profile.distinct <= 2 and hint.strength != "strong"
        return None if flag or column.is_low_cardinality else column.by_name(1)
    if hint.kind == "person" and hint.strength == "medium" and profile.is_near_unique:
        return column.decision("identifier", "ID", 1, "name and values: near-unique numbers")
    return None


def _birth_numbers(column: Column, digits: list[str]) -> Decision | None:
    years = sum(1 for v in digits if len(v) == 4 and "1850" <= v <= "2100") / len(digits)
    if years >= ENOUGH_IF_NAMED:
        return column.decision("quasi", "DATE_OF_BIRTH", years, "name and values: years", format="%Y")
    if all(len(v) == 8 for v in digits):
        format, _ = date_format(digits)
        if format is not None:
            return column.decision("quasi", "DATE_OF_BIRTH", 1, "name and values: dates", format=format)
    # Seconds since 1970, days since 1900, months: numbers of a birth, however it is counted.
    return column.decision("quasi", "DATE_OF_BIRTH", 1, "name")


def _moments(column: Column, digits: list[str]) -> Decision | None:
    """Dates that are written as numbers: 20240105, seconds or milliseconds since 1970, months and days by name."""
    named = column.is_named("date")
    if named and all(len(v) == 8 for v in digits):
        format, _ = date_format(digits)
        if format is not None:
            return column.decision("other", "DATE_TIME", 1, "name and values: dates", format=format)
    if len(digits) >= 20 and column.hint is None and all(len(v) == 8 and "1900" <= v[:4] <= "2100" for v in digits):
        format, _ = date_format(digits)
        if format == "%Y%m%d":
            born = spans_lives(replace(column.profile, values=tuple(digits)))
            role: Role = "quasi" if born else "other"
            entity = "DATE_OF_BIRTH" if born else "DATE_TIME"
            return column.decision(role, entity, 1, "values: dates", format=format)
    seconds = all(_EPOCH[0] <= int(v) <= _EPOCH[1] for v in digits)
    milliseconds = all(_EPOCH[0] * 1000 <= int(v) <= _EPOCH[1] * 1000 for v in digits)
    if (seconds or milliseconds) and (named or (column.hint is None and len(digits) >= 20)):
        # Record numbers may lie in the same range: only a name makes it sure.
        return column.decision("other", "DATE_TIME", 1, "values: time stamps", certain=named)
    if column.is_named("attribute") and column.promises("DATE_TIME"):
        return column.decision("other", "DATE_TIME", 1, "name")
    return None


# 1985 to 2050, in seconds since 1970.
_EPOCH = (473_385_600, 2_524_608_000)


def _float(text: str) -> float:
    try:
        return abs(float(text))
    except ValueError:
        return float("inf")


def decide_written_numbers(column: Column) -> Decision | None:
    """Texts that are numbers, amounts or quantities."""
    profile, hint = column.profile, column.hint
    share = profile.share(values.is_number)
    if share >= ENOUGH:
        plain = tuple(value for value in profile.values if values.is_number(value))
        if _is_padded(profile) and not column.is_named("age", "birth", "postcode", "contact", "id", "date"):
            return column.decision("identifier", "ID", share, "values: codes of digits with leading zeros")
        numbers = replace(profile, values=tuple(_written(value) for value in plain), whole=False)
        return replace(decide_numbers(replace(column, profile=numbers)), share=round(share, 4))
    if hint is not None and hint.kind == "age":
        ages = profile.share(values.is_age)
        if ages >= ENOUGH_IF_NAMED:
            return column.decision("quasi", "AGE", ages, "name and values")
    share = profile.share(lambda v: values.is_number(v) or values.is_quantity(v))
    names_it = hint is not None and hint.role != "other" and hint.kind not in ("person", "free_text", "place")
    if share >= ENOUGH and not names_it and not column.is_named("age_band"):
        if hint is None and profile.is_category and profile.share(_is_old_band) > 0:
            warnings = ("holds bands such as those of ages above 89",)
            return column.decision("other", None, share, "values: bands", certain=False, warnings=warnings)
        return column.decision("other", None, share, "values: quantities")
    return None


def _is_old_band(text: str) -> bool:
    """`90-94`, `90+`: what a band of high ages looks like."""
    return values.is_age_band(text) and any(90 <= int(number) <= 120 for number in values.numbers_in(text))


def _is_padded(profile: Profile) -> bool:
    """Digits of one length, some beginning with zero: nobody writes amounts so."""
    return (
        profile.is_near_unique
        and all(value.isdigit() for value in profile.values)
        and len({len(value) for value in profile.values}) == 1
        and len(profile.values[0]) >= 4
        and any(value.startswith("0") for value in profile.values)
    )


def _written(number: str) -> str:
    """`1001.0` as `1001`, as pandas writes records' numbers once one is missing; others as they are."""
    whole, point, fraction = number.partition(".")
    return whole if point and not fraction.strip("0") and whole.lstrip("-").isdigit() else number
