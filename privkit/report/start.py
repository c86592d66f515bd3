"""What a guided start says: the table of what ε means, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from privkit.model.amounts import spelled
from privkit.report.wording import number

EPSILONS = tuple(map(Decimal, ("0.5", "1", "2", "4", "8")))
PRIORS = (0.01, 0.1, 0.5)


def highest_belief(prior: float, epsilon: Decimal) -> float:
    """The most that somebody can come to believe that one person is in the data, from every release together.

    Args:
        prior: What they believed before, in 0 … 1.
        epsilon: ε of the budget; δ is left aside.

    >>> round(highest_belief(0.5, Decimal(1)), 3)
    0.731
    """
    odds = prior / (1 - prior) * math.exp(min(float(epsilon), 700.0))
    return odds / (1 + odds)


def odds_lines(chosen: Decimal | None = None) -> Sequence[str]:
    """A table of what ε means: how far the odds, and three beliefs, can change that one person is in the data.

    Args:
        chosen: Its line is marked; it gets one where the table has none.
    """
    heading = "".join(f"{f'{prior * 100:.0f} % becomes':>15}" for prior in PRIORS)
    lines = [f"{'ε':>9}{'odds change by':>18}{heading}"]
    for epsilon in sorted({*EPSILONS, *([chosen] if chosen is not None else [])}):
        factor = math.exp(min(float(epsilon), 700.0))
        beliefs = "".join(f"{_percent(highest_belief(prior, epsilon)):>15}" for prior in PRIORS)
        mark = ">" if epsilon == chosen else " "
        lines.append(f"{mark}{spelled(epsilon):>8}{'× ' + number(round(factor, 1)):>18}{beliefs}")
    return lines


def _percent(share: float) -> str:
    return "above 99.9 %" if share > 0.999 else f"{share * 100:.1f} %"
