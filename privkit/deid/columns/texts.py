"""Columns of texts that no name explains: patterns, dates, codes, categories, people, places, free text."""

from __future__ import annotations

from collections import Counter

from privkit.deid.columns import patterns, values
from privkit.deid.columns.column import ENOUGH, ENOUGH_IF_NAMED, MODELS_TYPES, SOMEBODY, Column, Decision, Rule
from privkit.deid.columns.gazetteer import is_full_name, is_listed, is_unspaced_script
from privkit.deid.columns.numeric import decide_written_numbers
from privkit.deid.columns.patterns import CHECKED, QUASI, pattern_of, shares_of_patterns
from privkit.deid.columns.promises import decide_by_name
from privkit.deid.columns.values import Profile
from privkit.deid.operators.dates import date_format, read_date
from privkit.model.policy import Role


def _by_pattern(column: Column) -> Decision | None:
    """Cells that are e-mail addresses, card numbers, … as a whole; the most specific pattern that holds."""
    profile, hint = column.profile, column.hint
    shares = shares_of_patterns(profile.values)
    if not shares:
        return None
    for entity, share in shares.items():
        if (
            entity == "UK_NHS"
            and (profile.distinct < 3 or column.promises("PHONE_NUMBER"))
            and not column.promises(entity)
        ):
            continue  # one telephone number in eleven passes its check
        if entity == "PHONE_NUMBER" and share >= 0.3:
            # Among numbers that show it, ten plain digits or unusual groups are one too.
            share = profile.share(lambda v: patterns.is_phone(v) or patterns.is_phone_loose(v))
        checked = entity in CHECKED and profile.distinct >= 5
        if share >= (ENOUGH_IF_NAMED if checked or column.promises(entity) or column.is_named("id") else ENOUGH):
            role: Role = "quasi" if entity in QUASI else "identifier"
            if hint is not None and hint.kind == "id" and hint.strength == "strong" and entity in _LESS_THAN_A_NAME:
                role, entity = "identifier", hint.entity or "ID"
            return column.decision(role, entity, min(share, 1), f"values: {entity} pattern")
    share = profile.share(lambda v: pattern_of(v, but=QUASI))
    return column.decision("identifier", "ID", share, "values: patterns of several kinds") if share >= ENOUGH else None


# Patterns without a checksum, or with one that other numbers share: a column that is named for record numbers holds
# record numbers, though they be grouped as telephone numbers are.
_LESS_THAN_A_NAME = frozenset({"PHONE_NUMBER", "CREDIT_CARD", "POSTCODE", "COORDINATES", "UK_NHS"})


def _yes_no(column: Column) -> Decision | None:
    share = column.profile.share(values.is_boolean)
    flag = share == 1 and column.profile.distinct <= 4
    return column.decision("other", None, share, "values: yes or no") if flag else None


def _dates(column: Column) -> Decision | None:
    profile = column.profile
    born = column.is_named("birth")
    if column.profile.share(lambda v: v.isdigit()) > 0.5 and not (
        column.is_named("date") and profile.share(lambda v: len(v) in (8, 14)) >= ENOUGH
    ):
        return None
    share = profile.share(lambda v: values.is_date(v) or (v.isdigit() and read_date(v) is not None))
    if share < (ENOUGH_IF_NAMED if born or column.is_named("date") else ENOUGH):
        return None
    format, ambiguous = date_format(profile.values)
    warnings = ("day and month order is ambiguous: give the operator a format",) if ambiguous else ()
    if format is None:
        warnings = (*warnings, "its dates have no single format")
    evidence = "name and values: dates" if born else "values: dates"
    role: Role = "quasi" if born else "other"
    entity = "DATE_OF_BIRTH" if born else "DATE_TIME"
    return column.decision(role, entity, share, evidence, format=format, warnings=warnings)


def _times(column: Column) -> Decision | None:
    share = column.profile.share(values.is_time)
    return column.decision("other", None, share, "values: times of day") if share >= ENOUGH else None


def _codes(column: Column) -> Decision | None:
    """Codes that never repeat."""
    profile = column.profile
    if not profile.is_near_unique:
        return None
    share = profile.share(values.is_code)
    if share < ENOUGH:
        return None
    if profile.share(str.isalnum) >= ENOUGH or profile.share(lambda v: any(c.isalpha() for c in v)) >= 0.5:
        return column.decision("identifier", "ID", share, "values: near-unique codes")
    shapes = Counter(values.shape_of(value) for value in profile.values)
    few_shapes = sum(count for _, count in shapes.most_common(3)) >= ENOUGH * len(profile.values)
    return column.decision("identifier", "ID", share, "values: near-unique codes") if few_shapes else None


def _long_texts(column: Column) -> Decision | None:
    profile = column.profile
    long = profile.share(lambda v: len(v) > 60 and not values.is_code(v))
    if profile.is_category or (profile.mean_words < 4 and long < 0.2):
        return None
    return column.decision("free_text", None, profile.share(lambda v: values.words_in(v) >= 4), "values: texts")


def _category(column: Column) -> Decision | None:
    """Few different cells that repeat. They are kept, unless they hold addresses or are plainly people's names."""
    profile = column.profile
    if not profile.is_category:
        return None
    if any(map(patterns.holds_identifier, profile.values)):
        return column.decision("free_text", None, 1, "values: addresses or numbers inside")
    full = profile.share(values.has_two_capitals)
    flagged = column.flagged if full >= 0.5 or profile.mean_words >= 4 else {}
    people = max(flagged.get("PERSON", 0.0), profile.share(is_full_name) if full >= 0.8 else 0.0)
    if profile.distinct >= 3 and full >= 0.8 and people >= 0.8:
        return column.decision("identifier", "PERSON", people, "values: names")
    if profile.mean_words >= 4 and sum(flagged.get(entity, 0) for entity in SOMEBODY) > 0:
        return column.decision("free_text", None, 1, "values: texts")
    perhaps = max(people, flagged.get("LOCATION", 0.0)) >= 0.5
    warnings = ("a few values that repeat; some look like people or places",) if perhaps else ()
    return column.decision("other", None, 1, "values: a category", certain=not perhaps, warnings=warnings)


def _streets(column: Column) -> Decision | None:
    """House number and street, whatever the header."""
    share = column.profile.share(patterns.is_street)
    numbered = column.profile.share(patterns.is_numbered_street) if share >= 0.2 else 0.0
    if share >= ENOUGH_IF_NAMED or numbered >= ENOUGH:
        return column.decision("identifier", "LOCATION", max(share, numbered), "values: addresses")
    return None


def _by_model(column: Column) -> Decision | None:
    """Short varied texts: are most of them people, or places?"""
    profile = column.profile
    if profile.share(lambda v: values.letters_share(v) >= 0.6 and values.words_in(v) <= 5) < ENOUGH_IF_NAMED:
        return None
    if profile.share(values.is_calendar_word) >= 0.5:
        return column.decision("other", None, 1, "values: months or days")
    people, places = column.flagged.get("PERSON", 0.0), column.flagged.get("LOCATION", 0.0)
    listed = _share_listed(profile)
    many = profile.distinct >= 20
    needed = 0.6 if many else 0.8
    capitals = profile.share(values.has_two_capitals)
    varied = many or (profile.distinct >= 3 and capitals >= 0.8)
    if varied and profile.share(values.is_name_like) >= needed and max(people, listed) >= needed:
        return column.decision("identifier", "PERSON", max(people, listed), "values: names")
    if many and places >= 0.6:
        return column.decision("quasi", "LOCATION", places, "values: places")
    if many and people + places >= 0.4 and profile.share(values.is_capitalised) >= ENOUGH:
        # A model that calls half of such cells names would leave the other half standing in free text.
        role: Role = "identifier" if people > places else "quasi"
        return column.decision(role, "PERSON" if people > places else "LOCATION", people + places, "values: names")
    somebody = sum(column.flagged.get(entity, 0.0) for entity in SOMEBODY)
    if somebody > 0.05 or (somebody > 0 and capitals >= 0.5):
        return column.decision("free_text", None, somebody, "values: names or places inside")
    return None


def _share_listed(profile: Profile) -> float:
    """Share of values that are people's names by the lists; single words need more of them to count."""
    full = profile.share(is_full_name)
    if profile.share(is_unspaced_script) >= 0.5:
        return full if full >= 0.85 else 0.0  # every other word of Chinese begins with somebody's family name
    single = profile.share(lambda v: " " not in v and is_listed(v)) if profile.distinct >= 20 else 0.0
    return max(full, single if single >= 0.8 else 0.0)


def _by_recognizer(column: Column) -> Decision | None:
    """Cells that a recognizer of the detector knows, whole or in part; custom ones among them."""
    for entity, share in column.flagged.items():
        if entity not in MODELS_TYPES and entity != "inside" and share >= ENOUGH:
            return column.decision("identifier", entity, share, f"values: {entity} recognizer")
    share = column.profile.share(patterns.holds_identifier)
    if share > 0:
        return column.decision("free_text", None, share, "values: addresses or numbers inside")
    known = sum(share for entity, share in column.flagged.items() if entity in SOMEBODY or entity not in MODELS_TYPES)
    return column.decision("free_text", None, min(known, 1), "values: names inside") if known > 0.05 else None


TEXT_RULES: tuple[Rule, ...] = (
    _by_pattern,
    _yes_no,
    _times,
    _dates,
    decide_written_numbers,
    decide_by_name,
    _codes,
    _streets,
    _long_texts,
    _category,
    _by_model,
    _by_recognizer,
)
"""In the order in which they are tried; the first that decides counts."""
