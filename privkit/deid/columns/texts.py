"""Columns of texts that no name explains: patterns, dates, codes, categories, people, places, free text."""

from __future__ import annotations

from collections import Counter

from privkit.deid.columns import patterns, values
from privkit.deid.columns.column import ENOUGH, ENOUGH_IF_NAMED, SOMEBODY, Column, Decision, Rule
from privkit.deid.columns.gazetteer import is_full_name, is_initialled, is_listed, is_login, is_unspaced_script
from privkit.deid.columns.numeric import decide_written_numbers
from privkit.deid.columns.patterns import CHECKED, QUASI, pattern_of, shares_of_patterns
from privkit.deid.columns.promises import decide_by_name
from privkit.deid.columns.values import Profile, spans_lives
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
    if not born and spans_lives(profile):
        if column.hint is None:
            role, entity, evidence = "quasi", "DATE_OF_BIRTH", "values: dates over many decades"
        else:
            warnings = (*warnings, "its dates go back many decades: name it if these are dates of birth")
    return column.decision(role, entity, share, evidence, format=format, warnings=warnings)


def _times(column: Column) -> Decision | None:
    share = column.profile.share(values.is_time)
    return column.decision("other", "DATE_TIME", share, "values: times of day") if share >= ENOUGH else None


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


def _logins(column: Column) -> Decision | None:
    """Names of users, or of people in small letters, that hardly repeat."""
    profile = column.profile
    if profile.distinct < 20 or profile.ratio < 0.5:
        return None
    if max(profile.share(str.islower), profile.share(str.isupper)) < ENOUGH:
        return None
    share = profile.share(is_login)
    if share < ENOUGH_IF_NAMED:
        return None
    entity = "PERSON" if profile.share(is_listed) >= 0.8 else "ID"
    return column.decision("identifier", entity, share, "values: names" if entity == "PERSON" else "values: user names")


def _long_texts(column: Column) -> Decision | None:
    profile = column.profile
    long = profile.share(lambda v: len(v) > 60 and not values.is_code(v))
    if profile.is_category or (profile.mean_words < 4 and long < 0.2):
        return None
    if profile.mean_words < 6 and _share_listed(profile) >= 0.8:
        return None  # "Dr. Anna Berg, MD"
    return column.decision("free_text", None, profile.share(lambda v: values.words_in(v) >= 4), "values: texts")


def _category(column: Column) -> Decision | None:
    """Few different cells that repeat. They are kept, unless they hold addresses or are plainly people's names."""
    profile = column.profile
    if not profile.is_category:
        return None
    if any(map(patterns.holds_identifier, profile.values)):
        return column.decision("free_text", None, 1, "values: addresses or numbers inside")
    if profile.share(values.is_calendar_word) >= ENOUGH:
        return column.decision("other", "DATE_TIME", 1, "values: months or days")
    full = profile.share(values.has_two_capitals)
    flagged = column.flagged if full >= 0.5 or profile.mean_words >= 4 else {}
    people = max(flagged.get("PERSON", 0.0), profile.share(is_full_name) if full >= 0.8 else 0.0)
    if profile.distinct >= 3 and full >= 0.8 and people >= 0.8:
        return column.decision("identifier", "PERSON", people, "values: names")
    if profile.mean_words >= 4 and sum(flagged.get(entity, 0) for entity in SOMEBODY) > 0:
        return column.decision("free_text", None, 1, "values: texts")
    perhaps = max(people, flagged.get("LOCATION", 0.0)) >= 0.5 or any(map(is_full_name, profile.values))
    warnings = ("a few values that repeat; some look like people or places",) if perhaps else ()
    return column.decision("other", None, 1, "values: a category", certain=not perhaps, warnings=warnings)


def _streets(column: Column) -> Decision | None:
    """House number and street, whatever the header."""
    share = column.profile.share(patterns.is_street)
    numbered = column.profile.share(patterns.is_numbered_street) if share >= 0.05 else 0.0
    if share >= ENOUGH_IF_NAMED or numbered >= (ENOUGH if share >= 0.2 else 0.97):
        return column.decision("identifier", "LOCATION", max(share, numbered), "values: addresses")
    return None


def _repeated_codes(column: Column) -> Decision | None:
    """Codes of things: a model that is asked about `AB-123` guesses."""
    share = column.profile.share(values.is_short_code)
    if share < 0.8:
        return None
    return _by_recognizer(column) or column.decision("other", None, share, "values: codes that repeat", certain=False)


def _by_model(column: Column) -> Decision | None:
    """Short varied texts: are most of them people, or places?"""
    profile = column.profile
    if profile.share(lambda v: values.letters_share(v) >= 0.6 and values.words_in(v) <= 5) < ENOUGH_IF_NAMED:
        return None
    if column.is_named("thing"):
        return column.decision("other", None, 0, "name", certain=False)
    if profile.share(values.is_calendar_word) >= 0.5:
        return column.decision("other", "DATE_TIME", 1, "values: months or days")
    people, places = column.flagged.get("PERSON", 0.0), column.flagged.get("LOCATION", 0.0)
    if _are_people(column):
        return column.decision("identifier", "PERSON", max(people, _share_listed(profile)), "values: names")
    many = profile.distinct >= 20
    capitalised = profile.share(values.is_capitalised) >= ENOUGH
    # A model that calls half of such cells places would leave the other half standing in free text.
    if many and (places >= 0.6 or (places > people and people + places >= 0.4 and capitalised)):
        return column.decision("quasi", "LOCATION", places, "values: places")
    somebody = sum(column.flagged.get(entity, 0.0) for entity in SOMEBODY)
    if _by_recognizer(column) is None and (somebody > 0.05 or (somebody > 0 and capitalised)):
        return column.decision("free_text", None, min(somebody, 1), "values: names or places inside")
    return None


def _are_people(column: Column) -> bool:
    """Names of people, by the model or by the lists; the model alone must be surer: products confuse it."""
    profile = column.profile
    many = profile.distinct >= 20
    if not many and (profile.distinct < 3 or profile.share(values.has_two_capitals) < 0.8):
        return False
    backed = profile.share(is_listed) >= 0.1
    by_model = column.flagged.get("PERSON", 0.0) >= (0.6 if many and backed else 0.75 if many else 0.8)
    by_lists = _share_listed(profile) >= (0.6 if many else 0.8)
    return (by_model or by_lists) and profile.share(values.is_name_like) >= (0.6 if many else 0.8)


def _share_listed(profile: Profile) -> float:
    """Share of values that are people's names by the lists; single words need more of them to count."""
    full = profile.share(lambda v: is_full_name(v) or is_initialled(v))
    if profile.share(is_unspaced_script) >= 0.5:
        return full if full >= 0.85 else 0.0  # every other word of Chinese begins with somebody's family name
    single = profile.share(lambda v: " " not in v and is_listed(v)) if profile.distinct >= 20 else 0.0
    return max(full, single if single >= 0.8 else 0.0)


def _by_recognizer(column: Column) -> Decision | None:
    """Cells that a recognizer of the detector knows, whole or in part; custom ones among them."""
    for entity, share in column.recognised.items():
        if share >= ENOUGH:
            return column.decision("identifier", entity, share, f"values: {entity} recognizer")
    anybody = column.flagged.get("anybody", 0.0)
    if anybody >= ENOUGH and max(column.recognised.values(), default=0.0) >= 0.2:
        return column.decision("identifier", "ID", anybody, "values: names and numbers of several kinds")
    return None


def _inside(column: Column) -> Decision | None:
    """Somebody stands in the cells, here or there."""
    share = column.profile.share(patterns.holds_identifier)
    if share > 0:
        return column.decision("free_text", None, share, "values: addresses or numbers inside")
    known = sum(column.flagged.get(entity, 0.0) for entity in SOMEBODY) + sum(column.recognised.values())
    return column.decision("free_text", None, min(known, 1), "values: names inside") if known > 0.05 else None


TEXT_RULES: tuple[Rule, ...] = (
    _by_pattern,
    _yes_no,
    _times,
    _dates,
    decide_written_numbers,
    decide_by_name,
    _codes,
    _logins,
    _streets,
    _long_texts,
    _category,
    _repeated_codes,
    _by_model,
    _by_recognizer,
    _inside,
)
"""In the order in which they are tried; the first that decides counts."""
