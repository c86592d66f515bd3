"""(ε, δ) and ρ: OpenDP's conversion (Canonne, Kamath and Steinke 2020, Proposition 12), each way rounded against us.

A ρ-zCDP release is (ε, δ)-DP where δ ≥ min over α > 1 of exp((α − 1)(αρ − ε))·(1 − 1/α)^α/(α − 1). OpenDP computes
that δ for a ρ and an ε, rounded up; both functions look for the last decimal of 12 digits at which it is small enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain
from opendp.measurements import make_gaussian
from opendp.metrics import absolute_distance
from opendp.mod import OpenDPException, enable_features

from privkit.dp.noise import root_up
from privkit.errors import UsageError

_DOWN = Context(prec=12, rounding=ROUND_DOWN)
_UP = Context(prec=12, rounding=ROUND_UP)
_FINEST = Decimal(1).scaleb(-60)  # what a ledger can write down
_LARGEST = Decimal(10) ** 6
_BELOW_ONE = 1 - Decimal("1e-12")
_TINY = 5e-324
_TANGENTS = 8  # of Newton's steps in plain floats, each squaring the error
_ARRIVED = 1e-9  # such a step's error is squared
_PLAIN = 0.01
_NEAR = 1e-9  # between ends so near to each other the secant rule needs a step or two

enable_features("contrib")


@lru_cache(maxsize=1024)
def rho_of(epsilon: Decimal, delta: Decimal) -> Decimal:
    """The largest ρ that is (ε, δ)-DP by OpenDP's conversion.

    Args:
        epsilon: 1e-15 … a million.
        delta: 1e-60 … 1 − 1e-12.

    Returns:
        12 digits, rounded down.

    Raises:
        UsageError: Amounts outside these ranges.
    """
    _check("epsilon", epsilon, Decimal("1e-15"), _LARGEST)
    _check("delta", delta, _FINEST, _BELOW_ONE)
    at, limit = _float_below(epsilon), _float_below(delta)
    rho = _DOWN.create_decimal(_estimated_rho(at, limit))
    while _delta_of(rho, at) > limit:
        rho = rho.next_minus(_DOWN)
    while _delta_of(more := rho.next_plus(_DOWN), at) <= limit:
        rho = more
    return rho


@lru_cache(maxsize=1024)
def epsilon_of(rho: Decimal, delta: Decimal) -> Decimal:
    """The smallest ε at which ρ is (ε, δ)-DP by OpenDP's conversion: for display.

    Args:
        rho: 0 … a million.
        delta: 1e-60 … 1 − 1e-12.

    Returns:
        12 digits, rounded up; 0 where δ alone is enough.

    Raises:
        UsageError: Amounts outside these ranges.
    """
    _check("rho", rho, Decimal(0), _LARGEST)
    _check("delta", delta, _FINEST, _BELOW_ONE)
    limit = _float_below(delta)
    estimated = None if rho == 0 else _estimated_epsilon(rho, limit)
    if estimated is None:
        return Decimal(0)
    epsilon = _UP.create_decimal(estimated)
    while _delta_of(rho, _float_below(epsilon)) > limit:
        epsilon = epsilon.next_plus(_UP)
    while _delta_of(rho, _float_below(less := epsilon.next_minus(_UP))) <= limit:
        epsilon = less
    return epsilon


def _delta_of(rho: Decimal, epsilon: float) -> float:
    """δ at ε, rounded up."""
    try:
        return float(_profile(rho).delta(epsilon))
    except OpenDPException:  # its floats overflow where δ would be far above 1
        return 1.0


@lru_cache(maxsize=16)
def _profile(rho: Decimal) -> Any:
    """With σ = 1 a distance d costs ρ = d²/2."""
    return _measurement().map(root_up(2 * Fraction(rho)))


@cache
def _measurement() -> Any:
    return make_zCDP_to_approxDP(make_gaussian(atom_domain(T="i64"), absolute_distance(T="f64"), scale=1.0))


# ---- estimates: how good they are decides how many steps are left, not what comes out


def _estimated_rho(epsilon: float, delta: float) -> float:
    """Where OpenDP's δ meets the limit, looked for around where the formula's does."""

    def excess(log_rho: float) -> float:
        return math.log(max(_delta_of(Decimal(math.exp(log_rho)), epsilon), _TINY) / delta)

    def tangent(log_rho: float) -> tuple[float, float]:
        order, log_delta = _tangent(math.exp(log_rho), epsilon)
        return log_delta - math.log(delta), order * (order + 1) * math.exp(log_rho)

    root = math.sqrt(-math.log(delta))  # Bun and Steinke 2016: ε = ρ + 2·√(ρ·ln(1/δ)) is a ρ from below
    simple = 2 * math.log(epsilon / (math.hypot(root, math.sqrt(epsilon)) + root))
    near = _followed(tangent, simple)
    if near is None:
        return math.exp(_root(excess, simple, simple + 0.5))
    return math.exp(near if _is_plain(epsilon, delta) else _root(excess, near - _NEAR, near + _NEAR))


def _estimated_epsilon(rho: Decimal, delta: float) -> float | None:
    """None where δ alone is enough."""

    def excess(epsilon: float) -> float:
        return -math.log(max(_delta_of(rho, epsilon), _TINY) / delta)

    def tangent(epsilon: float) -> tuple[float, float]:
        order, log_delta = _tangent(float(rho), epsilon)
        return math.log(delta) - log_delta, order

    simple = float(rho) + 2 * math.sqrt(-float(rho) * math.log(delta))
    near = _followed(tangent, simple)
    if near is not None and _is_plain(near, delta):
        return near
    if _delta_of(rho, 0.0) <= delta:
        return None
    if near is None or near <= 0:
        return _root(excess, 0.0, simple)
    return _root(excess, near * (1 - _NEAR), near * (1 + _NEAR))


def _is_plain(epsilon: float, delta: float) -> bool:
    """Where the formula in floats has OpenDP's root to about 12 digits, so that nobody need look for it."""
    return _PLAIN <= epsilon <= 1 / _PLAIN and delta <= _PLAIN


def _followed(tangent: Callable[[float], tuple[float, float]], here: float) -> float | None:
    """Newton's steps in plain floats, from a value and its derivative; None where they lead nowhere."""
    try:
        for _ in range(_TANGENTS):
            value, slope = tangent(here)
            here -= value / slope
            if abs(value / slope) <= _ARRIVED * abs(here):
                break
    except (ArithmeticError, ValueError):
        return None
    return here if math.isfinite(here) else None


def _tangent(rho: float, epsilon: float) -> tuple[float, float]:
    """α − 1 where the formula's exponent is least, and ln δ there, in plain floats: for estimates only.

    With u = α − 1 the exponent is u·((u + 1)ρ − ε) + u·ln u − (u + 1)·ln(u + 1), its derivative
    (2u + 1)ρ − ε − ln(1 + 1/u). By u its derivatives in ln ρ and ε are u(u + 1)ρ and −u.
    """
    log_u = math.log(max(epsilon / (2 * rho), 1e-6))
    for _ in range(60):
        u = math.exp(log_u)
        slope = u * (2 * rho + 1 / (u * (u + 1)))
        change = ((2 * u + 1) * rho - epsilon - math.log1p(1 / u)) / slope
        log_u -= min(max(change, -2.0), 2.0)
        if abs(change) < 1e-14:
            break
    u = math.exp(log_u)
    return u, u * ((u + 1) * rho - epsilon) + u * math.log(u) - (u + 1) * math.log1p(u)


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function is 0: the secant rule, held between two ends of different sign."""
    before, after = excess(low), excess(high)
    while before > 0:
        low, high, before, after = low - 2 * (high - low), low, excess(low - 2 * (high - low)), before
    while after < 0:
        low, high, before, after = high, high + 2 * (high - low), after, excess(high + 2 * (high - low))
    last, last_value, here, value = low, before, high, after
    for _ in range(100):
        slope = (value - last_value) / (here - last)
        following = here - value / slope if slope else (low + high) / 2
        if abs(following - here) <= 1e-13 * abs(here):
            break
        if not low < following < high:
            following = (low + high) / 2
        last, last_value, here, value = here, value, following, excess(following)
        low, high = (here, high) if value < 0 else (low, here)
    return here


def _float_below(value: Decimal) -> float:
    nearest = float(value)
    return nearest if Fraction(nearest) <= Fraction(value) else math.nextafter(nearest, 0.0)


def _check(name: str, value: Decimal, low: Decimal, high: Decimal) -> None:
    if not (value.is_finite() and low <= value <= high):
        raise UsageError(f"{name} must lie between {low} and {high} to be converted")
