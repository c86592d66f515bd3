"""The words of encrypted studies that the terminal, the page and the Markdown card share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from privkit.report.release_wording import amount_text, significant
from privkit.report.wording import plural, shown

if TYPE_CHECKING:
    from privkit.model.study import Manifest, StudyResult, StudyUnit

NOT_COVERED: Sequence[str] = (
    "That parties gave honest data, and that each really drew the noise that it declared: they are trusted to follow "
    "the protocol.",
    "That nobody is in more parties than the study says, and that each party's unit is a person.",
    "That a group with certain habits shows in the statistics, and what follows from that for its members.",
    "Anything else that was given out about the same people by any party.",
    "How long a party's computation took, and what whoever ran it saw besides its contribution.",
)


def unit_sentences(result: StudyResult) -> Sequence[str]:
    """Whom the promise protects, and what counts of one."""
    unit, several = result.unit, result.privacy.max_parties_per_person
    where = "at one of the parties" if several == 1 else f"at up to {several} of the parties"
    return (
        f"Protected is one privacy unit of a party, as the party describes it: all rows of one person {where}.",
        f"At a party one unit counts in at most {plural(unit.max_groups, 'group')} of a statistic, and in each with at "
        f"most {plural(unit.max_rows_per_group, 'row')}; what is beyond that is left out or scaled down. Every party "
        f"enforces this. That a party has at most {plural(unit.max_units, 'unit')} is declared: it sets ranges only.",
    )


def counted_sentence(unit: StudyUnit, several: int) -> str:
    """What of one person counts, before anyone agrees to it."""
    where = "is at one party" if several == 1 else f"may be at {several} parties"
    return (
        f"A person {where} and counts there in {plural(unit.max_groups, 'group')} of a statistic with "
        f"{plural(unit.max_rows_per_group, 'row')} each, at the most; a party has at most "
        f"{plural(unit.max_units, 'person', 'people')}."
    )


def promise_sentence(result: StudyResult) -> str:
    """What (ε, δ) of the study means for one unit."""
    privacy = result.privacy
    factor = math.exp(min(float(privacy.epsilon), 700.0))
    return (
        "Whatever somebody knows already, all statistics of this study together multiply the odds that one person is "
        f"in the data by at most {significant(factor)} (e^ε with ε = {amount_text(privacy.epsilon)}), or divide them "
        f"by that, apart from a small allowance for rare events (δ = {amount_text(privacy.delta)}). Each party's own "
        f"ledger was charged ρ {amount_text(result.rho)} for it."
    )


def trust_sentences(result: StudyResult | Manifest) -> Sequence[str]:
    """Who could see what, and who would have to work together to see more."""
    names, holder = [shown(party.name) for party in result.parties], shown(result.key_holder.name)
    seen = (
        f"Whoever added up saw ciphertext only. The key holder, {holder}, could decrypt every message, and each alone "
        "is uniform noise to it: masks hide them that cancel in the sum of all parties only."
    )
    if result.noise == "key-holder":
        return (
            seen,
            f"Weaker mode: the noise was drawn by the key holder, who saw the exact sum before it. The promise holds "
            f"towards everybody who sees the result, and not towards {holder}.",
        )
    honest = result.privacy.min_honest or 1
    colluding = len(names) - honest
    return (
        seen,
        f"Every party drew its own part of the noise. The promise holds as long as at least {_parties(honest)} of "
        f"{len(names)} keep theirs to themselves: also towards the key holder together with up to "
        f"{_parties(colluding)}. If more of them work together, the noise that is left is smaller and the loss larger "
        "than stated.",
    )


def scale_sentence(result: StudyResult) -> str:
    """Of whose noise the scales are, and for whose the loss was computed."""
    units = "Scales and distances are in the measured vector's own integer units."
    if result.noise == "key-holder":
        return f"{units} The losses are OpenDP's."
    honest = result.privacy.min_honest or 1
    correction = (
        ", corrected for sums of discrete Gaussians (Kairouz, Liu and Steinke 2021, Proposition 14)"
        if honest > 1
        else ""
    )
    return (
        f"{units} A scale is that of all parties' noise together, and so are the intervals; the loss is computed for "
        f"the noise of {_parties(honest)} alone, and is OpenDP's{correction}."
    )


def roster_text(result: StudyResult) -> str:
    """The parties' names."""
    return ", ".join(shown(party.name) for party in result.parties)


def _parties(count: int) -> str:
    return plural(count, "party", "parties")


def declared(result: StudyResult) -> Mapping[str, dict[str, Any]]:
    """The columns that the statistics read, as the study bounds them."""
    return {name: column for answer in result.statistics for name, column in answer.declared.items()}
