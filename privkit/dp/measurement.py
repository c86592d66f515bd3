"""Measurements: a plan's vectors with OpenDP's noise, at the smallest scale that their part of the loss pays for.

Every vector gets its noise in one call on all groups together, at the joint distance that one unit moves them. What is
charged is the loss that was asked for, exactly; the sum of OpenDP's own maps stays at or below it (`cost_of`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from privkit.dp.noise import HIGHEST, loss_of, noisy, scale_for
from privkit.dp.plan import KEYS, Aggregates, Block, Measured, Plan
from privkit.dp.threshold import ROOM, KeyThreshold, spent_by, surviving, threshold_of
from privkit.dp.vectors import Integers, Vector
from privkit.errors import QueryError, UsageError


def noise_scales(plan: Plan, loss: Decimal) -> dict[str, float]:
    """The noise of a release, from declarations alone.

    Args:
        plan: What is released.
        loss: ρ or ε of the whole release.

    Returns:
        Block name → σ of the discrete Gaussian (zcdp) or b of the discrete Laplace (pure), in weighted units; and under
        `KEYS` that on the numbers of units where keys are private.

    Raises:
        QueryError: Noise that could leave 64 bits, or a threshold's δ too fine for OpenDP.
        UsageError: A loss that is not above 0.
    """
    if not (loss.is_finite() and loss > 0):
        raise UsageError("a loss above 0 is wanted")
    scales = {block.vector.name: _scale(plan, block, loss) for block in plan.blocks}
    return scales if plan.threshold is None else {KEYS: threshold_of(plan, loss).scale, **scales}


def cost_of(plan: Plan, scales: Mapping[str, float]) -> Fraction:
    """What noise of these scales costs, by OpenDP's own maps: ρ or ε, the choice of private keys included.

    Args:
        plan: What is released.
        scales: As `noise_scales` gives them.
    """
    blocks = [loss_of(plan.measure, _distance(plan, b.vector), scales[b.vector.name]) for b in plan.blocks]
    keys = Fraction(0) if plan.threshold is None else spent_by(plan, KeyThreshold(scales[KEYS], 2))[0]
    return sum(blocks, keys)


def measure(plan: Plan, aggregates: Aggregates, loss: Decimal) -> Measured:
    """Adds the noise.

    Call it after the loss was charged.

    Args:
        plan: What is released.
        aggregates: Its vectors, cut to `plan.ranges`, on which it relies: what is beyond could wrap around.
        loss: ρ or ε of the whole release.

    Raises:
        AggregateError: OpenDP could not draw.
        QueryError: As `noise_scales`.
    """
    scales = noise_scales(plan, loss)
    if plan.threshold is None:
        return Measured(aggregates.keys, _noisy(plan, aggregates.vectors, scales), scales)
    chosen = threshold_of(plan, loss)
    rows, units = surviving(aggregates, chosen)
    kept = {name: values[rows] for name, values in aggregates.vectors.items()}
    return Measured(
        tuple(aggregates.keys[row] for row in rows),
        _noisy(plan, kept, scales),
        {name: scale for name, scale in scales.items() if name != KEYS},
        units,
        chosen.scale,
        chosen.threshold,
    )


def _noisy(plan: Plan, vectors: Mapping[str, Integers], scales: Mapping[str, float]) -> dict[str, Integers]:
    names = {block.vector.name: block.vector for block in plan.blocks}
    return {name: _drawn(plan, vector, vectors[name], scales[name]) for name, vector in names.items()}


def _drawn(plan: Plan, vector: Vector, values: Integers, scale: float) -> Integers:
    weighted = vector.weighted(values)
    return noisy(plan.measure, weighted.ravel(), scale).reshape(weighted.shape)


def _scale(plan: Plan, block: Block, loss: Decimal) -> float:
    distance = _distance(plan, block.vector)
    countable = plan.measure == "zcdp" or distance <= HIGHEST
    scale = scale_for(plan.measure, distance, Fraction(loss) * block.share) if countable else math.inf
    if scale <= 0 or plan.highest(block.vector) + ROOM * scale > HIGHEST:
        raise QueryError(
            f"{block.vector.name}: at this loss the noise could leave 64 bits",
            hint="Spend more, or declare a lower max_rows_per_group, a coarser granularity, or narrower bounds.",
        )
    return scale


def _distance(plan: Plan, vector: Vector) -> int:
    """Squared L2 under zcdp, L1 under pure."""
    return plan.l2_squared(vector) if plan.measure == "zcdp" else plan.l1(vector)
