"""OpenDP's mechanisms: the smallest noise for a loss, what a noise costs by OpenDP's own map, and the noise itself.

Every scale is a binary float that OpenDP reads exactly, and every loss is compared as a fraction, so that nothing is
rounded in anyone's favour: Fraction(map) ≤ the part of the decimal that is charged. Sampling is OpenDP's (Canonne,
Kamath and Steinke 2020), on 64-bit integers, in which sums beyond the ends stay at the ends. Many Gaussian draws come
from `sampler`, which draws from the same law as exactly, about a hundred times as fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from opendp.domains import atom_domain, map_domain, vector_domain
from opendp.measurements import make_gaussian, make_gaussian_threshold, make_laplace
from opendp.metrics import absolute_distance, l02inf_distance, l1_distance, l2_distance
from opendp.mod import OpenDPException, enable_features

from privkit.dp.sampler import LARGEST, discrete_gaussian
from privkit.dp.vectors import Integers
from privkit.errors import AggregateError
from privkit.model.dataset import Measure

HIGHEST = 2**63 - 1
"""The largest integer that noise can be added to; OpenDP's sums stop there."""

_MANY = 1000  # draws, for which OpenDP takes 10 to 15 ms; the sampler takes up to 9 for a new σ, else 0.2

enable_features("contrib")


# ---- vectors


@lru_cache(maxsize=4096)
def scale_for(measure: Measure, sensitivity: int, loss: Fraction) -> float:
    """The smallest scale, to a rounding or two, whose OpenDP map is at most a loss.

    Args:
        measure: zcdp for the discrete Gaussian, pure for the discrete Laplace.
        sensitivity: Squared L2 distance under zcdp, L1 distance under pure, that one unit moves the vector.
        loss: ρ or ε, exactly.

    Returns:
        σ, from ρ = Δ₂²/2σ², or b, from ε = Δ₁/b. It may be too large for 64-bit integers: compare it with the room.
    """
    start = math.sqrt(sensitivity / (2 * loss)) if measure == "zcdp" else float(sensitivity / loss)
    if start > HIGHEST:
        return start
    most = _float_below(loss)
    expected = enough(start, lambda scale: _exact_loss(measure, sensitivity, scale) <= most)
    return enough(expected, lambda scale: loss_of(measure, sensitivity, scale) <= loss)


def _exact_loss(measure: Measure, sensitivity: int, scale: float) -> Fraction:
    """What OpenDP's map rounds up to a float: asking for it here spares the making of measurements that do not fit."""
    if measure == "pure":
        return sensitivity / Fraction(scale)
    return Fraction(_distance(sensitivity)) ** 2 / (2 * Fraction(scale) ** 2)


def loss_of(measure: Measure, sensitivity: int, scale: float) -> Fraction:
    """What noise of a scale costs, by OpenDP's map: ρ under zcdp, ε under pure, exactly as it states it.

    Args:
        measure: As in `scale_for`.
        sensitivity: As in `scale_for`.
        scale: σ or b.
    """
    distance = _distance(sensitivity) if measure == "zcdp" else sensitivity
    return _exactly(_noise(measure, scale).map(distance))


def noisy(measure: Measure, values: Integers, scale: float) -> Integers:
    """Adds noise to every integer: in one call of OpenDP, or of `sampler` where many are Gaussian.

    Args:
        measure: As in `scale_for`.
        values: int64, one dimension.
        scale: σ or b.

    Returns:
        int64, the same shape; a sum beyond 64 bits stays at their end.

    Raises:
        AggregateError: OpenDP could not draw.
    """
    whole = np.array(values, dtype=np.int64, order="C")  # a view would be read by its memory, not by its strides
    if measure == "zcdp" and len(whole) >= _MANY and 0 < scale <= LARGEST:
        return _held(whole, discrete_gaussian(Fraction(scale) ** 2, len(whole)))
    drawn = _drawn(_noise(measure, scale), whole)
    return np.array(drawn, dtype=np.int64)


def _held(one: Integers, other: Integers) -> Integers:
    """Sums that stay at the end of 64 bits that they would cross, as OpenDP's do."""
    total, crossed = added(one, other)
    return np.where(crossed, np.where(one < 0, -HIGHEST - 1, HIGHEST), total)


def added(one: Integers, other: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Sums modulo 2^64, and which of them left 64 bits: their sign is neither term's.

    Args:
        one: int64.
        other: int64, the same shape.
    """
    total = one + other
    return total, (one ^ total) & (other ^ total) < 0


@lru_cache(maxsize=256)
def _distance(squared: int) -> float:
    return root_up(Fraction(squared))


@lru_cache(maxsize=64)
def _noise(measure: Measure, scale: float) -> Any:
    domain, metric = _space(measure)
    return (make_gaussian if measure == "zcdp" else make_laplace)(domain, metric, scale=scale)


@cache
def _space(measure: Measure) -> tuple[Any, Any]:
    metric = l2_distance(T="f64") if measure == "zcdp" else l1_distance(T="i64")
    return vector_domain(atom_domain(T="i64")), metric


# ---- counts of private keys


def threshold_loss(groups: int, scale: float, least: int) -> tuple[Fraction, Fraction]:
    """What it costs to release the keys whose noisy number of units is at least `least`: (ρ, δ), exactly.

    OpenDP 0.16 releases a number that equals its threshold, while its δ leaves that case out (opendp issue 2922). So
    what is charged is the map of the measurement whose threshold is one lower; its δ, 1 − (1 − P(N ≥ least − 2))^G
    for a Gaussian N, is then above the exact 1 − (1 − P(X ≥ least − 1))^G of the discrete one.

    Args:
        groups: Keys that one unit can count in, once each.
        scale: σ.
        least: At least 2: below, the noise would have nothing to hide.
    """
    distance = (groups, root_up(Fraction(groups)), 1.0)
    rho, delta = _thresholded(scale, least - 1).map(distance)
    return _exactly(rho), _exactly(delta)


def above(units: Mapping[int, int], scale: float, least: int) -> dict[int, int]:
    """Noisy numbers of units, of those keys alone where they are at least `least`.

    Args:
        units: Number of distinct units by key, at least 1 each: what nobody is in must not be named.
        scale: σ.
        least: The threshold.

    Raises:
        AggregateError: OpenDP could not draw.
    """
    kept: dict[int, int] = _drawn(_thresholded(scale, least), dict(units))
    return kept


def _thresholded(scale: float, threshold: int) -> Any:
    domain = map_domain(atom_domain(T="i64"), atom_domain(T="i64"))
    metric = l02inf_distance(absolute_distance(T="f64"))
    return make_gaussian_threshold(domain, metric, scale=scale, threshold=threshold)


# ---- numbers


def enough(start: float, fits: Callable[[float], bool]) -> float:
    """The first float from `start` upwards that fits. Where `start` is right but for rounding, that wastes nothing."""
    while not fits(start):
        start = math.nextafter(start, math.inf)
    return start


def root_up(value: Fraction) -> float:
    """A float that is at least the square root, and at most two units in the last place above it."""
    root = math.sqrt(value)
    while Fraction(root) ** 2 < value:
        root = math.nextafter(root, math.inf)
    return root


def _float_below(value: Fraction) -> Fraction:
    """The largest float up to a value above 0, or one beside it."""
    nearest = float(value)
    return Fraction(nearest if Fraction(nearest) <= value else math.nextafter(nearest, 0.0))


def _exactly(loss: float) -> Fraction:
    return Fraction(loss) if math.isfinite(loss) else Fraction(2**1100)


def _drawn(measurement: Any, values: Any) -> Any:
    try:
        return measurement(values)
    except (OpenDPException, TypeError, ValueError):
        raise AggregateError("OpenDP could not draw the noise") from None
