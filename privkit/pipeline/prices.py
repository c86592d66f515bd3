"""What each statistic of a release step may cost: the step's ε converted once, then divided.

Accuracies are solved first, from declarations alone; weights divide what they leave. Where they leave nothing, those
that are not held give way: every statistic that is not held gets its weight's part (an accuracy counts as weight 1),
but no accuracy more than it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext

from privkit.budget import loss_at
from privkit.dp.accuracy import loss_for
from privkit.dp.measurement import noise_scales
from privkit.dp.plan import Plan
from privkit.errors import UsageError
from privkit.ledger.records import Limit
from privkit.model.amounts import spelled
from privkit.model.pipeline import PipelineStatistic, ReleaseStep

_UNIT = Decimal("1e-34")  # of a price; what is rounded away is not spent


_EXACT = 120  # digits: sums and differences of amounts are exact in it


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum; Python's own rounds after 28 digits."""
    with localcontext(prec=_EXACT):
        return sum(amounts, Decimal(0))


@dataclass(frozen=True)
class Price:
    """What one statistic may cost.

    Attributes:
        loss: In the ledger's measure.
        why: In words.
    """

    loss: Decimal
    why: str


def prices(step: ReleaseStep, plans: Sequence[Plan], limit: Limit) -> tuple[Decimal, tuple[Price, ...]]:
    """The step's total, and each statistic's part of it.

    Args:
        step: The step.
        plans: Of its statistics.
        limit: The ledger's.

    Returns:
        The total in the ledger's measure, and one price a statistic; they add up to at most the total.

    Raises:
        UsageError: The held accuracies alone need more than the total, or one cannot be solved without data.
    """
    aside = exact_sum(made.threshold.delta for made in plans if made.threshold)
    total = loss_at(step.total_epsilon, limit, None if limit.measure == "pure" else aside)
    needs = [_need(one, made, step.confidence) for one, made in zip(step.statistics, plans, strict=True)]
    held = exact_sum(need for one, need in zip(step.statistics, needs, strict=True) if one.hold and need)
    if held > total:
        raise UsageError(
            f"the accuracies that are held need {_symbol(limit)} {spelled(_short(held))} together, and total_epsilon "
            f"{spelled(step.total_epsilon)} is {_symbol(limit)} {spelled(_short(total))}",
            hint="Raise total_epsilon, ask for less accuracy, or leave out hold.",
        )
    with localcontext(prec=_EXACT, rounding=ROUND_DOWN):
        found = _divided(step.statistics, needs, total - held)
    return total, tuple(Price(loss, why) for loss, why in found)


def _need(one: PipelineStatistic, made: Plan, confidence: float) -> Decimal | None:
    if one.accuracy is None:
        return None
    return loss_for(made, one.accuracy, confidence, lambda loss: noise_scales(made, loss), one.assume_units)


def _divided(
    statistics: Sequence[PipelineStatistic], needs: Sequence[Decimal | None], free: Decimal
) -> list[tuple[Decimal, str]]:
    """Prices of all, where `free` is what the held ones leave."""
    soft = sum((need for one, need in zip(statistics, needs, strict=True) if need and not one.hold), Decimal(0))
    weighted = any(need is None for need in needs)
    scarce = soft >= free if weighted else soft > free
    parts = _filled(statistics, needs, free) if scarce else _weighted(statistics, needs, free - soft)
    found = []
    for one, need, part in zip(statistics, needs, parts, strict=True):
        if need is None:
            found.append((part, f"weight {spelled(one.weight or Decimal(1))}"))
        elif part < need:
            found.append((part, f"accuracy {one.accuracy:g}, cut to fit"))
        else:
            found.append((need, f"accuracy {one.accuracy:g}{', held' if one.hold else ''}"))
    return found


def _weighted(statistics: Sequence[PipelineStatistic], needs: Sequence[Decimal | None], rest: Decimal) -> list[Decimal]:
    weights = [one.weight or Decimal(1) if need is None else None for one, need in zip(statistics, needs, strict=True)]
    whole = sum((weight for weight in weights if weight is not None), Decimal(0))
    return [
        need if need is not None else _part(rest, weight or Decimal(1), whole)
        for need, weight in zip(needs, weights, strict=True)
    ]


def _filled(statistics: Sequence[PipelineStatistic], needs: Sequence[Decimal | None], free: Decimal) -> list[Decimal]:
    """Everyone's part by weight; what an accuracy does not need goes to the others."""
    found: dict[int, Decimal] = {i: need for i, need in enumerate(needs) if need is not None and statistics[i].hold}
    open_ = [i for i in range(len(needs)) if i not in found]
    while open_:
        whole = sum((statistics[i].weight or Decimal(1) for i in open_), Decimal(0))
        parts = {i: _part(free, statistics[i].weight or Decimal(1), whole) for i in open_}
        sated = {i: need for i in open_ if (need := needs[i]) is not None and need <= parts[i]}
        found |= sated or parts
        free -= sum(sated.values(), Decimal(0))
        open_ = [i for i in open_ if i not in sated] if sated else []
    return [found[i] for i in range(len(needs))]


def _part(rest: Decimal, weight: Decimal, whole: Decimal) -> Decimal:
    return (rest * weight / whole).quantize(_UNIT, ROUND_DOWN)


def _short(value: Decimal) -> Decimal:
    with localcontext(prec=6):
        return +value


def _symbol(limit: Limit) -> str:
    return "rho" if limit.measure == "zcdp" else "epsilon"
