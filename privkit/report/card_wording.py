"""The words of a dataset's card that its page, its Markdown and the terminal share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from privkit.report import release_wording as words
from privkit.report.wording import ROLES, number, plural, shown

if TYPE_CHECKING:
    from privkit.model.card import Card, CardColumn, CardStatistic, CardStudy, FairnessGroup, Guarantee, OddsRow
    from privkit.model.disclosure import Disclosure, LocalNoise

NOT_STATED = "not stated"
NO_GUARANTEE = (
    "These rows have no differential privacy guarantee. Identities were taken out or replaced, column by column; what "
    "stays can still point at a person for somebody who knows enough about them, and no ε says how much."
)
LOCAL_APART = (
    "Some columns of the rows carry noise of their own. It protects the substitution of one value of that column by "
    "another: nobody can be sure which value a row really had. That somebody is in the file, and all other columns, "
    "are unprotected by it. These ε are of another kind than the budget's, and never added to it."
)
NUMBERS_READ = (
    "No number here is exact, on purpose: random noise was added, so that the result says little about whether any one "
    "person took part. How large the noise can be is known, and the interval beside a number says so."
)
INTERVAL_READ = (
    "Read an interval like this: of 100 intervals made in this way, about {percent} hold the number that would have "
    "been released without the noise. A wide interval means that the number says little; a difference between two "
    "numbers whose intervals overlap may be the noise alone."
)
WITHHELD_READ = "Where a number is withheld, the reason stands beside it."
WEAK_READ = "Where a number is marked weak, the noise is so large that the interval may cover less often than it says."
OPERATORS_READ = "How many columns (not rows) became what; drop means that a column was left out."
FAIRNESS_READ = (
    "The same noise weighs more on a small group than on a large one. For each group the tables give half the "
    "interval's width as a part of the value itself, averaged over the group's values: the smaller, the more "
    "precise. They are made from the released values alone (with Fairlearn's MetricFrame) and cost no privacy."
)
PAGE_IS_NO_PROOF = (
    "What is signed is the card as JSON; a page such as this one is made from it and proves nothing by itself. The "
    "command checks the signature over the JSON, the SHA-256 of every file, and that the ledger, where it is at hand, "
    "has the card's last entry."
)
SIGNER_READ = (
    "PUBLIC is the signer's public identity as you got it from them, not as it stands here: who forges a card puts "
    "their own identity on it."
)
UNSIGNED = "This card is not signed: anybody could have written it."
NOT_PINNED = (
    "The signer is not pinned: anybody could have signed this card. Compare the fingerprint with the one you know "
    "(privkit identity show), or give it with --signer."
)
_TRUST = {
    "central": "central: whoever keeps the data and runs privkit sees it all. The promise holds towards everybody who "
    "sees what was released, and nothing else"
}
_OPERATORS = {
    "keep": "left as it was",
    "redact": "emptied",
    "replace": "replaced by a fixed text",
    "mask": "written over with signs",
    "pseudonym": "replaced by a token that a key makes",
    "keyed_hash": "replaced by a hash that a key makes",
    "surrogate": "replaced by a made-up value of the same kind",
    "date_shift": "moved by a number of days that a key chooses",
    "generalize": "made coarser",
    "drop": "left out",
}
_MECHANISMS = {"randomize": "randomized response", "noise": "bounded noise"}


def prose(text: str) -> str:
    """What a person wrote, on one line: a file's line breaks mean nothing here."""
    return shown(" ".join(text.split()))


def stated(text: str | None) -> str:
    """What a person was to say, or that nobody said it."""
    return prose(text or "") or NOT_STATED


# ---- what it is


def title_text(card: Card) -> str:
    """The card's heading."""
    return prose(card.about.title or "") or f"What was given out of {shown(card.dataset)}"


def made_text(card: Card) -> str:
    """Of what, by whom, when."""
    return (
        f"Privacy card of the dataset {shown(card.dataset)}, data version {shown(card.version)}; made by "
        f"{prose(card.made_by)} on {words.when(card.time)}"
    )


def lead_text(card: Card) -> str:
    """What a card is, for who never saw one."""
    return (
        f"This card goes with what was given out of {shown(card.dataset)}. It says whom that protects and how well, "
        "how far each number can be trusted, what was done to rows that left, and how anybody can check that "
        "the files are the ones that were meant."
    )


def statement(card: Card) -> str | None:
    """That ε covers the statistics alone, where rows were given out as well; None where none were."""
    if not (card.guarantee.statistics_only or card.disclosed):
        return None
    return words.disclosed_sentence(card.disclosed)


def key_numbers(card: Card) -> Sequence[tuple[str, str]]:
    """What to see first."""
    limit, studies = card.guarantee.limit, len(card.studies)
    found = [("Privacy loss allowed, for ever", f"ε {words.amount_text(limit.epsilon)}")]
    if limit.delta:
        found.append(("with an allowance of", f"δ {words.amount_text(limit.delta)}"))
    found.append(("Of it spent so far", words.percent_text(spent_share(card))))
    found.append(("Queries answered on this card", number(len(card.statistics))))
    found.append(("Files of rows ever given out", number(len(card.disclosed)) if card.disclosed else "none"))
    return [*found, ("Joint studies", number(studies))] if studies else found


# ---- what it protects


def whole_promise(guarantee: Guarantee) -> str:
    """What the whole budget's ε means for one unit."""
    who = "row" if guarantee.unit.row else shown(guarantee.unit.name)
    factor = words.significant(math.exp(min(float(guarantee.limit.epsilon), 700.0)))
    return (
        f"However much of the budget is spent, now or later, and whatever somebody knows already: all statistics that "
        f"are ever released of this dataset together multiply the odds that one {who} is in the data by at most "
        f"{factor} (e^ε with ε = {words.amount_text(guarantee.limit.epsilon)}), or divide them by that."
    )


def delta_sentence(delta: Decimal) -> str:
    """What δ is; that there is none."""
    if not delta:
        return "There is no exception to this (δ = 0)."
    return (
        f"There is a small allowance, δ = {words.amount_text(delta)}: draws of the noise so rare that the bounds need "
        f"not hold for them, about one in {words.significant(float(1 / delta))} for any one person."
    )


ODDS_READ = (
    "Suppose that somebody holds it for so and so likely that a certain person is in the data, and then sees "
    "everything that the whole budget can ever pay for. What they believe afterwards stays between two limits."
)


def odds_sentence(rows: Sequence[OddsRow]) -> str | None:
    """The line of the table that is read most easily, in words."""
    if not rows:
        return None
    row = min(rows, key=lambda found: abs(found.prior - 50))
    return (
        f"For example, who held it to be {belief_text(row.prior)} likely can be brought to no less than "
        f"{belief_text(row.lowest, up=False)} and to no more than {belief_text(row.highest, up=True)}."
    )


def belief_text(percent: float, *, up: bool | None = None) -> str:
    """A probability in percent: as it is, or with one decimal, rounded so that the range never looks narrower.

    >>> belief_text(50.0), belief_text(4.7426, up=False), belief_text(95.2574, up=True), belief_text(99.97, up=True)
    ('50 %', '4.7 %', '95.3 %', 'over 99.9 %')
    """
    if up is None:
        return f"{percent:.6g} %"
    tenths = math.ceil(round(percent * 10, 6)) if up else math.floor(round(percent * 10, 6))
    if tenths >= 1000 and percent < 100:
        return "over 99.9 %"
    if tenths <= 0 and percent > 0:
        return "under 0.1 %"
    return f"{tenths / 10:g} %"


def interval_read(card: Card) -> str:
    """How the intervals of a card are read."""
    levels = sorted({found.answer.confidence for found in card.statistics})
    return INTERVAL_READ.format(percent=" or ".join(f"{level * 100:.4g}" for level in levels))


def trust_text(guarantee: Guarantee) -> str:
    """Who is trusted."""
    return _TRUST[guarantee.trust]


def bounds_text(guarantee: Guarantee) -> str:
    """How much of one unit counts."""
    unit = guarantee.unit
    most = "" if unit.max_units is None else f"; at most {plural(unit.max_units, 'unit')}, declared"
    if unit.row:
        return f"every row by itself{most}"
    return (
        f"of one {shown(unit.name)} at most {plural(unit.max_groups, 'group')} of a query, and in each at most "
        f"{plural(unit.max_rows_per_group, 'row')}{most}"
    )


# ---- the budget


def this_cost(card: Card) -> Decimal:
    """What was charged between the card's two balances, as its ledger counts."""
    measure, account = card.guarantee.measure, card.accounting
    return max(words.counted(account.after, measure) - words.counted(account.before, measure), Decimal(0))


def left(card: Card) -> Decimal:
    """What is left of the limit, as the ledger counts."""
    measure = card.guarantee.measure
    return max(words.counted(card.guarantee.limit, measure) - words.counted(card.accounting.after, measure), Decimal(0))


def spent_share(card: Card) -> Decimal:
    """Part of the limit that is spent, in 0 … 1."""
    measure = card.guarantee.measure
    limit = words.counted(card.guarantee.limit, measure)
    return min(words.counted(card.accounting.after, measure) / limit, Decimal(1)) if limit else Decimal(1)


def counted_text(card: Card, amount: Decimal, *, up: bool = True) -> str:
    """An amount in what the ledger adds."""
    return f"{'ρ' if card.guarantee.measure == 'zcdp' else 'ε'} {words.amount_text(amount, up=up)}"


def counting_sentence(card: Card) -> str:
    """Why the account is kept in ρ, or in ε."""
    if card.guarantee.measure == "zcdp":
        return (
            "The account is kept in ρ, which adds up exactly from release to release; ε, which people know better, "
            "does not, and is computed from the sum of the ρ. So parts of the budget are parts of its ρ."
        )
    return "The account is kept in ε: the losses of the releases are added up."


def others_sentence(card: Card) -> str | None:
    """That more was charged between the balances than this card shows; None where it was not."""
    measure = card.guarantee.measure
    shown_here = sum((words.counted(one.answer.cost, measure) for one in card.statistics if not one.stored), Decimal(0))
    if measure == "zcdp":
        shown_here += sum((study.rho for study in card.studies), Decimal(0))
    if this_cost(card) <= shown_here:
        return None
    return "Others charged the same budget meanwhile: what this card shows cost less than the bar says."


# ---- statistics


def statistic_heading(place: int, statistic: CardStatistic) -> str:
    """`1. n, age by region`."""
    answer = statistic.answer
    by = f" by {', '.join(map(shown, answer.groups))}" if answer.groups else ""
    return f"{place}. {', '.join(shown(found.name) for found in answer.results)}{by}"


def cost_text(statistic: CardStatistic) -> str:
    """What it cost, or that it was paid for before."""
    cost = words.loss_text(statistic.answer.cost)
    return f"{cost}; paid for before and shown again, so nothing was spent now" if statistic.stored else cost


# ---- rows


def operator_text(column: CardColumn) -> str:
    """`pseudonym: replaced by a token that a key makes`."""
    name = column.operator or "drop"
    told = _OPERATORS.get(name.partition(":")[0])
    text = f"{shown(name)}: {told}" if told else shown(name)
    return f"{text}; then {local_text(column.local)}" if column.local else text


def local_text(mechanism: str) -> str:
    """`noise, bounded noise`, or what else a local mechanism is called."""
    told = _MECHANISMS.get(mechanism)
    return f"{shown(mechanism)} ({told})" if told else shown(mechanism)


def role_text(role: str) -> str:
    """`free text`."""
    return shown(role.replace("_", " "))


def roles_sentence(columns: Sequence[CardColumn]) -> str:
    """What the roles mean that are there."""
    there = {column.role for column in columns}
    told = [f"{role.replace('_', ' ')}: {meaning}" for role, meaning in ROLES.items() if role in there]
    return f"Roles, and what is usual for them: {'; '.join(told)}." if told else ""


def operators(columns: Sequence[CardColumn]) -> Sequence[tuple[str, int]]:
    """How many columns each operator was used on, the most frequent first."""
    counts: dict[str, int] = {}
    for column in columns:
        name = shown((column.operator or "drop").partition(":")[0])
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def key_text(disclosure: Disclosure) -> str:
    """Which key made pseudonyms, and what that means."""
    if disclosure.key_id is None:
        return "none kept: no pseudonym can be reversed"
    return f"{shown(disclosure.key_id)}: who holds this key can restore reversible pseudonyms"


def residual_text(disclosure: Disclosure) -> str:
    """What a second look at the rows found, where the card may say so."""
    cells, places = disclosure.residual_cells, disclosure.residual_identifiers
    if cells is None or places is None:
        return "not on this card: these are exact counts, for those who get the rows"
    return (
        f"something in {plural(cells, 'cell')} among those looked at again, an identifier of the input in "
        f"{plural(places, 'place')}"
    )


def local_row(local: LocalNoise) -> Sequence[str]:
    """One line of the table of local mechanisms."""
    return (
        shown(local.column),
        shown(local.what),
        local_text(local.mechanism),
        words.amount_text(local.epsilon),
        number(local.max_rows),
        words.amount_text(local.unit_epsilon),
    )


def local_sentence(local: LocalNoise) -> str:
    """What a local mechanism protects."""
    return f"{shown(local.column)} in {shown(local.what)}, {words.when(local.time)}: {prose(local.protects)}"


# ---- studies


def study_cost_text(study: CardStudy) -> str:
    """What a study cost every party, as `release_wording.loss_text` writes a loss."""
    epsilon, delta, rho = map(words.amount_text, (study.epsilon, study.delta, study.rho))
    return f"ε {epsilon} at δ {delta} (ρ {rho})"


def study_noise_text(study: CardStudy) -> str:
    """Who drew the noise, and on how many parties it is counted."""
    if study.noise == "key-holder":
        return "key-holder: the key holder drew it and saw the exact sum before it (the weaker mode)"
    least = plural(study.min_honest or 1, "party", "parties")
    return f"distributed: every party drew its own part; it is counted on {least} of {len(study.parties)}"


# ---- fairness


def relative_text(group: FairnessGroup) -> str:
    """A group's mean half-width as a part of its values."""
    if group.relative_half_width is None:
        return "no value to compare"
    return f"± {words.significant(group.relative_half_width * 100, 3)} %"


def ratio_sentence(ratio: float | None) -> str:
    """How far apart the best and the worst are."""
    if ratio is None:
        return "There are fewer than two groups with a value: nothing to compare."
    return f"Best over worst: {words.significant(ratio, 2)} (1 would be equal for all)."


# ---- how to check it


def fingerprint(public: str) -> str | None:
    """The fingerprint of a public identity; None where it is none."""
    from privkit.errors import KeyFileError
    from privkit.keys.identity import PublicIdentity

    try:
        return PublicIdentity.parse(public).fingerprint
    except KeyFileError:
        return None


def verify_command(card: Card) -> str:
    """What checks it."""
    return f"privkit card verify CARD.json{' --signer PUBLIC' if card.public else ''}"
