"""Private group keys: which are released, and what that takes of ρ and δ.

A key is released where its number of distinct units, with noise, reaches a threshold. It must be so high that a key
that only one unit has is released with probability δ at most, together with all other such keys of that unit:

    1 − (1 − P(X ≥ threshold − 1))^G ≤ δ        (Rogers 2023, arXiv 2309.09170)

What it hides is who has a key; that a key has many units is what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from privkit.dp.noise import HIGHEST, above, enough, threshold_loss
from privkit.dp.plan import Aggregates, Plan
from privkit.dp.vectors import Integers
from privkit.errors import QueryError

ROOM = 80
"""Scales of noise that must fit between what an aggregate can reach and the end of 64 bits."""


@dataclass(frozen=True)
class KeyThreshold:
    """How private keys are chosen.

    Attributes:
        scale: σ of the discrete Gaussian noise on the numbers of units.
        threshold: The lowest noisy number that is released.
    """

    scale: float
    threshold: int


def threshold_of(plan: Plan, loss: Decimal) -> KeyThreshold:
    """The smallest scale, and for it the lowest threshold, that the plan's part of the loss and its δ pay for.

    Args:
        plan: With a threshold.
        loss: ρ of the whole release.

    Raises:
        QueryError: The loss or δ is too small for numbers of 64 bits.
    """
    assert plan.threshold is not None
    scale = _scale(plan.bounds.groups, Fraction(loss) * plan.threshold.share)
    if plan.bounds.units + ROOM * scale > HIGHEST:
        raise QueryError("at this loss the noise on the numbers of units could leave 64 bits", hint="Spend more.")
    return KeyThreshold(scale, _threshold(plan.bounds.groups, scale, Fraction(plan.threshold.delta)))


def spent_by(plan: Plan, chosen: KeyThreshold) -> tuple[Fraction, Fraction]:
    """(ρ, δ) that choosing the keys takes, by OpenDP's map."""
    return threshold_loss(plan.bounds.groups, chosen.scale, chosen.threshold)


def surviving(aggregates: Aggregates, chosen: KeyThreshold) -> tuple[list[int], Integers]:
    """Draws which keys are released.

    A key that no unit counts in is left out before: the data may hold any number of those for one unit, of which the
    bound on its groups says nothing.

    Args:
        aggregates: With `units`.
        chosen: From `threshold_of`.

    Returns:
        Rows of the aggregates' arrays, in the order of their keys, and the noisy numbers of units: int64, same length.

    Raises:
        AggregateError: OpenDP could not draw.
    """
    assert aggregates.units is not None
    counts = {row: count for row, count in enumerate(aggregates.units.tolist()) if count > 0}
    kept = above(counts, chosen.scale, chosen.threshold)
    rows = sorted(kept, key=lambda row: aggregates.keys[row])
    return rows, np.array([kept[row] for row in rows], dtype=np.int64)


@lru_cache(maxsize=1024)
def _scale(groups: int, loss: Fraction) -> float:
    start = math.sqrt(groups / (2 * loss))
    if start > HIGHEST:
        return start
    return enough(start, lambda scale: threshold_loss(groups, scale, 2)[0] <= loss)


@lru_cache(maxsize=1024)
def _threshold(groups: int, scale: float, delta: Fraction) -> int:
    guess = 2 - NormalDist().inv_cdf(min(float(delta) / groups, 0.5)) * scale
    return _lowest(math.ceil(guess), lambda least: threshold_loss(groups, scale, least)[1] <= delta)


def _lowest(start: int, fits: Callable[[int], bool]) -> int:
    """The lowest integer from 2 on that fits, where higher ones fit better."""
    high, step = start, 1
    while not fits(high):
        high, step = high + step, 2 * step
        if high > HIGHEST // 2:
            raise QueryError("the threshold's delta is finer than OpenDP's floats", hint="1e-13 is fine enough.")
    low, step = high - 1, 1
    while low >= 2 and fits(low):
        high, low, step = low, low - 2 * step, 2 * step
    low = max(low, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
