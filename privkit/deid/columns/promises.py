"""Columns of texts whose name promises something: the promise holds unless the values contradict it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from privkit.deid.columns import patterns, values
from privkit.deid.columns.column import ENOUGH, ENOUGH_IF_NAMED, Column, Decision, Rule
from privkit.deid.columns.gazetteer import is_listed, is_login

# So many cells that are what a strong name promises show that the name is meant, whatever the others hold.
SOME_IF_NAMED = 0.2
# Words of a language that are also somebody's name are rarer than this among names of systems and states.
SOME_LOGINS = 0.34


def decide_by_name(column: Column) -> Decision | None:
    """What the name promises, or None where it promises nothing or the values say otherwise."""
    rule = _PROMISES.get(column.hint.kind) if column.hint is not None else None
    return rule(column) if rule is not None else None


def _contact(column: Column) -> Decision | None:
    hint = column.promised
    tests: dict[str, Callable[[str], object]] = {
        "EMAIL_ADDRESS": lambda v: "@" in v and " " not in v,
        "PHONE_NUMBER": patterns.is_phone_loose,
        "URL": lambda v: "." in v and " " not in v and not values.is_number(v),
        "IP_ADDRESS": lambda v: sum(v.count(c) for c in ".:") >= 2 and " " not in v,
        "MAC_ADDRESS": lambda v: len(v) >= 12 and " " not in v,
    }
    share = column.profile.share(tests[hint.entity or ""])
    # The other cells of a column that is named for addresses and holds some ("jsmith", "see chart") are no harmless
    # ones.
    return column.decision(hint.role, hint.entity, share, "name and values") if share >= SOME_IF_NAMED else None


def _promised_id(column: Column) -> Decision | None:
    hint = column.promised
    profile = column.profile
    if profile.mean_words > 3 or column.is_low_cardinality:
        return None
    coded = profile.share(lambda v: values.has_digit(v) or "*" in v)
    unspaced = profile.share(lambda v: " " not in v)
    if hint.strength == "strong" and hint.entity == "ID" and unspaced >= ENOUGH_IF_NAMED and not profile.is_category:
        return column.by_name(unspaced)
    document = hint.strength == "strong" and hint.entity != "ID"
    if coded >= (SOME_IF_NAMED if document else ENOUGH_IF_NAMED):
        return column.by_name(coded)
    # Names of users and the like: no digits, but everybody has their own.
    if hint.strength == "strong" and (profile.is_near_unique or not profile.is_category):
        return column.by_name(unspaced) if unspaced >= ENOUGH_IF_NAMED and profile.ratio > 0.5 else None
    return None


def _promised_birth(column: Column) -> Decision | None:
    share = column.profile.share(values.has_digit)
    if share < ENOUGH_IF_NAMED or column.profile.mean_words > 5:
        return None
    return replace(column.by_name(share), warnings=("its dates have no format that is known",))


def _promised_postcode(column: Column) -> Decision | None:
    share = column.profile.share(patterns.is_postcode_loose)
    return column.by_name(share) if share >= ENOUGH_IF_NAMED else None


def _promised_address(column: Column) -> Decision | None:
    profile = column.profile
    share = profile.share(
        lambda v: values.letters_share(v) >= 0.3 and (values.words_in(v) >= 2 or v[:1].isupper() or values.has_digit(v))
    )
    vague = profile.is_category and profile.share(lambda v: values.has_digit(v) or values.words_in(v) >= 2) < 0.5
    return column.by_name(share) if share >= ENOUGH_IF_NAMED and not vague else None


def _promised_place(column: Column) -> Decision | None:
    profile = column.profile
    share = profile.share(lambda v: values.letters_share(v) >= 0.6 and values.words_in(v) <= 6)
    if share < ENOUGH_IF_NAMED or profile.share(values.is_workflow_state) >= 0.5:
        return None
    return column.by_name(share)


def _promised_coordinates(column: Column) -> Decision | None:
    share = column.profile.share(lambda v: values.has_digit(v) and v[0] in "-+(0123456789NSEWnsew")
    return column.by_name(share) if share >= ENOUGH_IF_NAMED else None


def _promised_band(column: Column) -> Decision | None:
    profile = column.profile
    if profile.share(values.is_age_band) < ENOUGH_IF_NAMED:
        return None
    old = any(int(number) > 90 for value in profile.values for number in values.numbers_in(value))
    warnings = ("holds bands of ages above 90",) if old else ()
    return column.decision("other", None, 1, "name and values: bands of ages", certain=not old, warnings=warnings)


def _promised_organization(column: Column) -> Decision | None:
    share = column.profile.share(lambda v: values.letters_share(v) >= 0.6)
    return column.by_name(share) if share >= ENOUGH_IF_NAMED else None


def _promised_attribute(column: Column) -> Decision | None:
    profile = column.profile
    if profile.mean_words > 4 or not (profile.is_category or profile.distinct <= 6):
        return None
    return column.decision("other", column.promised.entity, 1, "name and values")


def _promised_text(column: Column) -> Decision | None:
    hint = column.promised
    profile = column.profile
    worded = profile.share(lambda v: values.letters_share(v) >= 0.5)
    # "Seen 03/04, BP 120/80, back 03/11" has fewer letters than digits and is a text all the same.
    sentences = hint.strength == "strong" and profile.mean_words >= 4
    if (worded < 0.3 and not sentences) or (
        hint.strength == "medium" and profile.is_category and profile.mean_words < 4
    ):
        return None
    return column.decision("free_text", None, worded, "name")


def _promised_person(column: Column) -> Decision | None:
    hint = column.promised
    profile = column.profile
    if profile.mean_words > 6:
        return None
    worded = profile.share(lambda v: values.letters_share(v) >= 0.6)
    if hint.strength == "strong":
        if worded >= ENOUGH_IF_NAMED:
            return column.by_name(worded)
        either = profile.share(lambda v: values.letters_share(v) >= 0.6 or values.has_digit(v))
        if worded >= SOME_IF_NAMED and either >= ENOUGH_IF_NAMED:
            return column.by_name(worded)
        coded = profile.share(lambda v: values.has_digit(v) and " " not in v)
        return column.decision("identifier", "ID", coded, "name; values: codes") if coded >= ENOUGH_IF_NAMED else None
    like = profile.share(values.is_name_like)
    if hint.strength == "medium":
        if like >= ENOUGH_IF_NAMED:
            return column.by_name(like)
        addressed = profile.share(patterns.pattern_of)
        if addressed > 0 and profile.share(lambda v: values.is_name_like(v) or patterns.pattern_of(v)) >= ENOUGH:
            return column.decision("identifier", "ID", addressed, "name; values: names and numbers of several kinds")
        logins = profile.share(is_login)
        if logins >= SOME_LOGINS:
            return column.decision("identifier", "ID", logins, "name; values: user names")
        coded = profile.share(values.is_code)
        numbered = profile.is_near_unique and profile.share(lambda v: values.has_digit(v) and " " not in v) >= ENOUGH
        is_coded = numbered or (coded >= ENOUGH_IF_NAMED and not profile.is_category)
        coded = 1.0 if numbered else coded
        return column.decision("identifier", "ID", coded, "name; values: codes") if is_coded else None
    if like < ENOUGH_IF_NAMED:
        return None
    known = max(profile.share(is_listed), column.flagged.get("PERSON", 0.0))
    if profile.is_category:
        return column.decision("identifier", "PERSON", known, "name and values") if known >= 0.8 else None
    # Names of products are as near-unique as people's. Twenty of them would hold a name that is known.
    if known >= 0.25 or profile.distinct < 20 or profile.share(str.isascii) < 0.5:
        return column.decision("identifier", "PERSON", max(known, like), "name and values")
    return None


_PROMISES: dict[str, Rule] = {
    "contact": _contact,
    "id": _promised_id,
    "birth": _promised_birth,
    "postcode": _promised_postcode,
    "address": _promised_address,
    "place": _promised_place,
    "coordinates": _promised_coordinates,
    "age_band": _promised_band,
    "organization": _promised_organization,
    "attribute": _promised_attribute,
    "free_text": _promised_text,
    "person": _promised_person,
}
