"""Noise that several parties draw together: each adds a share, and nobody knows the sum of the shares.

A sum of discrete Gaussians is none itself, but nearly so. Kairouz, Liu and Steinke 2021 (The Distributed Discrete
Gaussian Mechanism, arXiv 2102.06387), Proposition 14, of h of them with σ ≥ 1/2 on each of d coordinates: for all
α ≥ 1 and every move Δ ∈ Z^d, D_α(Z ‖ Z + Δ) is at most

    α·‖Δ‖₂²/2hσ² + τd        and        (α/2)·(‖Δ‖₂/√h·σ + τ√d)²,        τ = 10·Σ_{k=1}^{h−1} e^(−2π²σ²·k/(k+1)).

(A third bound needs ‖Δ‖₁.) `dp_accounting` of google-research/federated computes the same. As α ≥ 1, both are zCDP.

The first can be seen in a few lines. Let P_k be the sum of k, Q_k the discrete Gaussian of variance kσ², and c the
least number with |ln P_k − ln Q_k − constant| ≤ c/2 everywhere. Convolving keeps it, and Q_k * Q_1 is Q_(k+1) times
Σ_y e^(−(y − v)²/2s²), s² = σ²k/(k+1), at some real v: by Poisson's summation √2π·s·(1 + 2·Σ_m q^(m²)·cos 2πmv), whose
largest and smallest values have a ratio with logarithm 4·Σ_n artanh q^(2n−1) ≤ 4q/(1 − q²)² < 4.1q,
q = e^(−2π²s²) < 0.085. So c ≤ 4.1·Σ_k q_k < τ/2. The privacy loss of a sum then differs from the one with Q by at
most c < τ on each coordinate; the latter is linear, and a discrete Gaussian's moment generating function is at most
the continuous one's (Canonne, Kamath and Steinke 2020), so that 1/(α − 1)·ln E e^((α−1)·loss) ≤ αΔ²/2hσ² + cd.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import TypeVar

import numpy as np

from privkit.dp.enclosures import exp_of_minus
from privkit.dp.noise import HIGHEST, added, loss_of, noisy, root_up, scale_for
from privkit.dp.vectors import Integers
from privkit.errors import AggregateError, UsageError

SMALLEST = 0.5
"""The least scale of one of several shares: Proposition 14 holds from there on."""

_Number = TypeVar("_Number", float, Fraction)
_PI_SQUARED = Fraction(98696044010893, 10**13)  # rounded down
_BITS = 160  # of what is computed by integers; terms below 2^−160 count as 2^−160


@lru_cache(maxsize=4096)
def share_scale(sensitivity_squared: int, loss: Fraction, honest: int, dimension: int) -> float:
    """The smallest scale of one party's share at which the honest parties' shares cost at most a loss.

    Args:
        sensitivity_squared: Squared L2 distance that one unit moves the sum of the parties' vectors, at least 1.
        loss: ρ, above 0, exactly.
        honest: Parties whose shares nobody else knows, at least 1.
        dimension: Coordinates of the vector.

    Returns:
        σ of each party's discrete Gaussian, to a rounding or two; at least `SMALLEST` where there are several. It may
        be too large for 64-bit integers: compare it with the room.

    Raises:
        UsageError: Amounts below these ranges.
    """
    _check(sensitivity_squared, honest, dimension)
    if loss <= 0:
        raise UsageError("a loss above 0 is wanted")
    if honest == 1:
        return scale_for("zcdp", sensitivity_squared, loss)
    start = math.sqrt(sensitivity_squared / (2 * loss * honest))
    if start > HIGHEST:
        return start
    return _least(
        max(SMALLEST, start * (1 - 2**-48)),
        lambda scale: shared_loss(sensitivity_squared, scale, honest, dimension) <= loss,
    )


def shared_loss(sensitivity_squared: int, scale: float, honest: int, dimension: int) -> Fraction:
    """What a sum of shares costs: ρ, rounded up.

    With L, OpenDP's map of one discrete Gaussian of the sum's variance hσ² (its scale rounded down to a float, so that
    L ≥ Δ²/2hσ²), the two bounds are L + τd and (√2L + τ√d)²/2 = L + τ·√(2L·d) + τ²d/2. The smaller one holds. So does
    the bound of fewer shares, as more noise takes nothing back: near σ = 1/2, where τ grows faster than L falls, it
    may be smaller.

    Args:
        sensitivity_squared: As in `share_scale`.
        scale: σ of one party's share; OpenDP reads the float exactly.
        honest: As in `share_scale`; with 1, it is OpenDP's own map.
        dimension: As in `share_scale`.

    Raises:
        UsageError: A scale below `SMALLEST` for several parties, where a sum has no proven loss, or beyond 64 bits; or
            other amounts below their ranges.
    """
    _check(sensitivity_squared, honest, dimension)
    if honest == 1:
        return loss_of("zcdp", sensitivity_squared, scale)
    if not SMALLEST <= scale <= 2**64:
        raise UsageError(f"a share of noise has a scale of at least {SMALLEST} and at most 2^64")
    excesses = _excesses(scale, honest)
    parties = _best(sensitivity_squared, scale, excesses, dimension)
    one = loss_of("zcdp", sensitivity_squared, _root_down(parties * Fraction(scale) ** 2))
    root = Fraction(root_up(2 * one)) * Fraction(root_up(Fraction(dimension)))
    return one + _correction(root, excesses[parties - 1], dimension)


def share(values: Integers, scale: float) -> Integers:
    """A party's vector with its share of the noise.

    Args:
        values: int64, one dimension.
        scale: σ of the share.

    Returns:
        int64, the same shape.

    Raises:
        AggregateError: A sum, or a share, that leaves 64 bits, or noise that could not be drawn. Held at the end it
            would make the parties' total wrong; with the room that a study checks beforehand, it never happens.
    """
    drawn = noisy("zcdp", np.zeros(len(values), dtype=np.int64), scale)
    total, crossed = added(np.asarray(values, dtype=np.int64), drawn)
    if crossed.any() or (drawn >= HIGHEST).any() or (drawn < -HIGHEST).any():
        raise AggregateError("a share of the noise left 64 bits")
    return total


def _correction(root: _Number, excess: _Number, dimension: int) -> _Number:
    """What the smaller bound adds to L, from √(2L·d) and τ."""
    return min(excess * dimension, excess * root + excess * excess * dimension / 2)


def _best(sensitivity_squared: int, scale: float, excesses: Sequence[Fraction], dimension: int) -> int:
    """The number of shares whose bound is the smallest, by floats: any of them holds."""

    def bound(parties: int) -> float:
        one = sensitivity_squared / (2 * parties * scale**2)
        return one + _correction(math.sqrt(2 * one * dimension), float(excesses[parties - 1]), dimension)

    return min(range(len(excesses), 0, -1), key=bound)


def _excesses(scale: float, honest: int) -> list[Fraction]:
    """τ, rounded up, of 1, 2, … shares up to `honest`."""
    whole = 2 * _PI_SQUARED * Fraction(scale) ** 2
    terms = (exp_of_minus(whole * Fraction(k, k + 1), _BITS)[1] for k in range(1, honest))
    return [Fraction(10 * total, 2**_BITS) for total in accumulate(terms, initial=0)]


def _least(low: float, fits: Callable[[float], bool]) -> float:
    """The smallest float from `low` upwards that fits, where all above it do: by halving."""
    if fits(low):
        return low
    high = low * (1 + 2**-44)
    while not fits(high):
        low, high = high, high + 2 * (high - low)
    while low < (middle := low + (high - low) / 2) < high:
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _root_down(value: Fraction) -> float:
    """A float that is at most the square root, and at most two units in the last place below it."""
    root = math.sqrt(value)
    while Fraction(root) ** 2 > value:
        root = math.nextafter(root, 0)
    return root


def _check(sensitivity_squared: int, honest: int, dimension: int) -> None:
    if min(sensitivity_squared, honest, dimension) < 1:
        raise UsageError("a distance, a number of parties and a number of coordinates of at least 1 are wanted")
