"""The words of private statistics that the terminal, the HTML page and the Markdown card share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Any

from privkit.model.amounts import spelled
from privkit.report.wording import plural, shown

if TYPE_CHECKING:
    from privkit.model.dataset import Measure, PrivacyUnit
    from privkit.model.disclosure import Disclosure
    from privkit.model.estimates import Estimated, Value
    from privkit.model.release import Answer, HalfWidth, Loss, Release, ThresholdMechanism

NOISE_ONLY = (
    "The intervals cover the noise only, each by itself: not what clipping to the bounds, leaving out rows beyond the "
    "unit's bounds, or rounding to the grid changed, and not that the data may be a sample of something larger."
)
PICTURES_READ = (
    "In the pictures a dot is a value and the line through it its interval; in a histogram the thin line on a bar is "
    "the interval of its count."
)
NOISE_READ = (
    "Scales and distances are in the measured vector's own integer units. The losses are OpenDP's, and so is the "
    "noise; a thousand Gaussian numbers and more come from privkit's own exact sampler of the same law."
)
WEAK = "weak: the noise is so large that the interval may cover less often than it says."
NOT_COVERED = (
    "That a group with certain habits shows in the statistics, and what follows from that for its members: a release "
    "protects whether and how somebody took part, not what is true of people in general.",
    "Anything else that was given out about the same people: record-level data, other ledgers, copies of this one.",
    "How long the computation took, and what whoever ran it saw besides the answer.",
)

_NOISE_NOTE = "the interval covers the noise"  # every estimate says so of itself; NOISE_ONLY says it of all
_WEAK_NOTE = "weak where"  # says when a value is marked: of use only where one is
_DIGITS_AS_TYPED = 6  # an amount that a person typed is shown as it is, a computed one with four digits
_SHORT = 4


def amount_text(value: Decimal, *, up: bool = True) -> str:
    """An amount of loss: as typed, or with four digits where it was computed.

    Args:
        value: The amount.
        up: Round what is shortened up (what was spent), else down (what is left, which nobody typed).

    >>> amount_text(Decimal("0.10")), amount_text(Decimal("0.000001")), amount_text(Decimal("0.024356123"))
    ('0.1', '1e-6', '0.02436')
    """
    if value == 0:
        return "0"
    trimmed = value.normalize(Context(prec=60))
    if len(trimmed.as_tuple().digits) > (_DIGITS_AS_TYPED if up else _SHORT):
        context = Context(prec=_SHORT, rounding=ROUND_CEILING if up else ROUND_FLOOR)
        trimmed = context.plus(value).normalize(context)
    if trimmed.adjusted() >= -3:
        return spelled(trimmed)
    digits = "".join(map(str, trimmed.as_tuple().digits))
    return f"{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{trimmed.adjusted()}"


def loss_text(loss: Loss, *, up: bool = True) -> str:
    """A loss as people read it: `ε 0.5 at δ 1e-6 (ρ 0.006321)`."""
    text = f"ε {amount_text(loss.epsilon, up=up)}"
    if loss.delta:
        text += f" at δ {amount_text(loss.delta, up=up)}"
    return text if loss.rho is None else f"{text} (ρ {amount_text(loss.rho, up=up)})"


def limit_text(loss: Loss) -> str:
    """A budget or a quota: ε and δ as they were typed, ρ rounded down."""
    typed = loss_text(loss.model_copy(update={"rho": None}))
    return typed if loss.rho is None else f"{typed} (ρ {amount_text(loss.rho, up=False)})"


def counted(loss: Loss, measure: Measure) -> Decimal:
    """The amount that the ledger adds: ρ under zcdp, ε under pure."""
    return loss.rho if measure == "zcdp" and loss.rho is not None else loss.epsilon


def measure_text(measure: Measure) -> str:
    """How a ledger counts, in words."""
    if measure == "zcdp":
        return "zcdp: each release costs ρ and the ρ add up; Gaussian noise"
    return "pure: each release costs ε and the ε add up; Laplace noise"


def unit_text(unit: PrivacyUnit) -> str:
    """Whom the promise protects: `all rows that share one patient_id`, `one row`."""
    return "one row" if unit.row else f"all rows that share one {shown(unit.name)}"


def unit_sentences(unit: PrivacyUnit) -> Sequence[str]:
    """Whom the promise protects, what counts of one, and which tables it cannot tell apart."""
    if unit.row:
        return (
            "Protected is one row: every row counts as another person. If a person has several rows, only each row by "
            "itself is protected.",
            "Neighbouring tables, which the answer hardly tells apart, differ by one row, there or not there.",
        )
    name = shown(unit.name)
    return (
        f"Protected is whoever stands behind one value of {name}, with all rows that carry it. Rows without a {name} "
        "are left out.",
        f"Neighbouring tables, which the answer hardly tells apart, differ by all rows of one {name}, there or not "
        "there.",
        f"Of one {name} at most {plural(unit.max_groups, 'group')} of a query count, and in each at most "
        f"{plural(unit.max_rows_per_group, 'row')}; what is beyond that is left out or scaled down. This is enforced "
        "whatever the data looks like.",
    )


def promise_sentence(loss: Loss, unit: PrivacyUnit) -> str:
    """What (ε, δ) of a release means for one unit."""
    who = "row" if unit.row else shown(unit.name)
    factor = math.exp(min(float(loss.epsilon), 700.0))
    allowance = f", apart from a small allowance for rare events (δ = {amount_text(loss.delta)})" if loss.delta else ""
    return (
        f"Whatever somebody knows already, this release multiplies the odds that one {who} is in the data by at most "
        f"{significant(factor)} (e^ε), or divides them by that{allowance}; the odds between two guesses of what it "
        "holds by at most the square of it. Releases from the same data add up: the ledger's total bounds them "
        "together."
    )


def threshold_sentence(threshold: ThresholdMechanism, unit: PrivacyUnit) -> str:
    """How private keys were chosen, and what that hides."""
    who = "rows" if unit.row else f"distinct {shown(unit.name)}s"
    return (
        f"The groups' names are private: a group is shown where its number of {who}, with noise of scale "
        f"{significant(threshold.scale)}, reaches {threshold.threshold:,}. Rarer groups are missing from the result, "
        f"and so is how many they are. This takes δ {amount_text(threshold.delta)} of the budget's threshold_delta."
    )


def stored_sentence(release: Release) -> str:
    """That nothing was spent, and on which answer that rests."""
    return f"Stored answer of {when(release.time)}: nothing spent."


def when(time: str) -> str:
    """A UTC time to the second, for people.

    >>> when("2026-11-22T01:30:04.123456+00:00")
    '2026-11-22 01:30:04 UTC'
    """
    return shown(time[:19].replace("T", " ")) + " UTC"


def vector_text(value: float) -> str:
    """A scale or distance in a vector's integer units."""
    return significant(value)


def significant(value: float, digits: int = 4) -> str:
    """A number with a few digits and thousands separators.

    >>> significant(1.6487212), significant(12.0), significant(123456.7), significant(2e-7), significant(3.6e17)
    ('1.649', '12', '123,457', '2e-7', '3.6e17')
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "not a number"
    if value and not 1e-4 <= abs(value) < 1e15:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    places = max(0, digits - 1 - _magnitude(value))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)) + 1e-9) if value else 0


@dataclass(frozen=True)
class ValueText:
    """A value as it is shown.

    Attributes:
        value: The number, or `withheld`.
        interval: `[low, high]`; empty where there is none.
        note: Why it is withheld, or `weak`; empty otherwise.
    """

    value: str
    interval: str
    note: str


def value_text(value: Value) -> ValueText:
    """A value, rounded to what its interval is wide: two digits of the half-width, never coarser than ones."""
    if value.value is None:
        return ValueText("withheld", "", shown(value.withheld or ""))
    note = "weak" if value.weak else ""
    places = _places(value)
    interval = ""
    if value.low is not None and value.high is not None:
        interval = f"[{rounded(value.low, places)}, {rounded(value.high, places)}]"
    return ValueText(rounded(value.value, places), interval, note)


def rounded(value: float | str, places: int) -> str:
    """A number with so many decimals; a day as it is.

    >>> rounded(1234.567, 1), rounded(-0.04, 1), rounded(4.2e-12, 13), rounded("2026-11-22", 0)
    ('1,234.6', '0.0', '4.2e-12', '2026-11-22')
    """
    if isinstance(value, str):
        return shown(value)
    if places > 9 or abs(value) >= 1e15:
        return significant(value, 6)
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def _places(value: Value) -> int:
    """Decimals that are worth showing."""
    numbers = [n for n in (value.value, value.low, value.high) if not isinstance(n, str) and n is not None]
    if not numbers or all(isinstance(number, int) for number in numbers):
        return 0
    low, high = (value.low, value.high) if len(numbers) == 3 else (None, None)
    assert not isinstance(low, str)
    assert not isinstance(high, str)
    half = (high - low) / 2 if low is not None and high is not None else 0.0
    if not math.isfinite(half) or half <= 0:
        half = abs(numbers[0]) / 100 or 1.0
    return max(0, 1 - _magnitude(half)) if math.isfinite(half) else 0


def level_text(confidence: float) -> str:
    """`95 % interval`."""
    return f"{confidence * 100:.4g} % interval"


def half_width_text(half: HalfWidth) -> str:
    """`± 6 rows`, or that it cannot be known."""
    if half.half_width is None:
        return "not known beforehand"
    return f"± {significant(half.half_width, 3)} {shown(half.unit)}"


def is_single(estimated: Estimated) -> bool:
    """Whether the statistic has one value a group: it is a column then, otherwise a table of its own."""
    return all(len(values) == 1 for values in estimated.values)


def key_text(names: Sequence[str], key: Sequence[str]) -> str:
    """A group as one text, `region north, smoker true`; `all rows` without groups."""
    return ", ".join(f"{shown(name)} {shown(text)}" for name, text in zip(names, key, strict=True)) or "all rows"


def notes_of(answer: Answer) -> Iterator[str]:
    """What the estimates say besides their values, each once, with the statistics that say it in front."""
    about: dict[str, list[str]] = {}
    for estimated in answer.results:
        weak = any(value.weak for values in estimated.values for value in values)
        for note in estimated.notes:
            if note.startswith(_WEAK_NOTE) and not weak:
                continue
            about.setdefault(note, []).append(estimated.name)
    for note, names in about.items():
        if not note.startswith(_NOISE_NOTE):
            yield note if note.startswith(f"{names[0]}: ") else f"{', '.join(names)}: {note}"


def has_weak(answer: Answer) -> bool:
    """Whether any value is marked weak."""
    return any(value.weak for estimated in answer.results for values in estimated.values for value in values)


def account_rows(release: Release) -> Sequence[tuple[str, str]]:
    """The account as (what, how much)."""
    account = release.accounting
    return (
        ("This release", loss_text(release.cost)),
        ("Spent before it", loss_text(account.before)),
        ("Spent after it", loss_text(account.after)),
        ("The budget", limit_text(account.limit)),
    )


def left_text(release: Release) -> str:
    """What is left of the dataset's budget after the release, in the ledger's own measure."""
    account = release.accounting
    left = counted(account.limit, release.measure) - counted(account.after, release.measure)
    return f"{'ρ' if release.measure == 'zcdp' else 'ε'} {amount_text(max(left, Decimal(0)), up=False)}"


def percent_text(share: Decimal) -> str:
    """Part of a whole, never 0 % where there is something, never 100 % where something is left.

    >>> percent_text(Decimal("0.125")), percent_text(Decimal("0.001")), percent_text(Decimal("0.9999"))
    ('12%', 'under 1%', 'over 99%')
    """
    if 0 < share < Decimal("0.01"):
        return "under 1%"
    if Decimal("0.99") < share < 1:
        return "over 99%"
    return f"{share:.0%}"


def declaration_text(column: Mapping[str, Any]) -> str:
    """A column's description: `integer, bounds 0 … 110`."""
    parts = [str(column["type"])]
    for name, value in column.items():
        if name == "type":
            continue
        if name == "bounds":
            parts.append(f"bounds {value[0]} … {value[1]}")
        elif isinstance(value, list):
            parts.append(f"{len(value)} {name}")
        else:
            parts.append(f"{name.rstrip('_')} {value}")
    return shown(", ".join(parts))


def disclosed_sentence(disclosed: Sequence[Disclosure]) -> str:
    """That rows were given out, and that ε does not cover them."""
    files = ", ".join(f"{shown(one.what)} ({when(one.time)[:10]})" for one in disclosed)
    return (
        "Rows of this dataset were given out as well. The privacy loss ε on this card covers the statistics alone; the "
        f"rows have no differential privacy guarantee. Given out so far: {files or 'not recorded on this card'}."
    )


def untested_sentence(engine: str) -> str:
    """That the aggregates were computed where no test has run."""
    return (
        f"The aggregates were computed by {shown(engine)}. privkit's tests look at its SQL for this engine and have "
        "never run it: whether its values are what ε is charged for is not known as for DuckDB, PostgreSQL and Spark."
    )


def high_loss_sentence(reason: str) -> str:
    """That the budget is above what is usual, and why somebody accepted that."""
    return f"The budget is above ε 8, at which a promise says little. The reason given: {shown(reason)}"
