"""(ε, δ) ↔ ρ, against a second implementation of the published formula."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.dp.conversion import epsilon_of, rho_of
from privkit.errors import UsageError


def log_delta(rho: float, epsilon: float) -> float:
    """ln of min over α = 1 + x of exp(x·((1 + x)ρ − ε))·(1 − 1/α)^x/α: a scan over ln x, then a finer one, thrice."""
    low, high = -12.0, 90.0
    for _ in range(4):
        at = np.linspace(low, high, 4001)
        x = np.exp(at)
        found = x * ((1 + x) * rho - epsilon) - x * np.log1p(1 / x) - np.log1p(x)
        best, step = int(np.argmin(found)), at[1] - at[0]
        low, high = at[best] - 2 * step, at[best] + 2 * step
    return min(0.0, float(found.min()))


def amounts(low: float, high: float) -> st.SearchStrategy[Decimal]:
    return st.floats(math.log(low), math.log(high)).map(lambda x: Decimal(repr(math.exp(x))))


def test_known_answers():
    one, tenth = rho_of(Decimal(1), Decimal("1e-6")), rho_of(Decimal("0.1"), Decimal("1e-6"))
    assert one == pytest.approx(Decimal("0.024356"), rel=Decimal("1e-5"))
    assert tenth == pytest.approx(Decimal("0.00032105"), rel=Decimal("1e-5"))
    assert 75 * tenth <= one < 76 * tenth
    assert len(one.as_tuple().digits) <= 12
    assert epsilon_of(Decimal(0), Decimal("1e-6")) == 0


@settings(max_examples=150, deadline=None)
@given(amounts(1e-3, 1000), amounts(1e-30, 0.1))
def test_never_optimistic_and_tight(epsilon, delta):
    rho = rho_of(epsilon, delta)
    wanted = math.log(delta)
    assert log_delta(float(rho), float(epsilon)) <= wanted + 1e-9
    assert log_delta(float(rho) * (1 + 1e-6), float(epsilon)) > wanted
    back = epsilon_of(rho, delta)
    assert epsilon * (1 - Decimal("1e-8")) <= back <= epsilon * (1 + Decimal("1e-11"))


@settings(max_examples=80, deadline=None)
@given(amounts(1e-6, 1000), amounts(1e-30, 0.5))
def test_there_and_back_at_the_extremes(epsilon, delta):
    rho = rho_of(epsilon, delta)
    assert rho > 0
    assert log_delta(float(rho), float(epsilon)) <= math.log(delta) + 1e-9
    assert epsilon_of(rho, delta) <= epsilon * (1 + Decimal("1e-11"))


@settings(max_examples=80, deadline=None)
@given(amounts(1e-12, 1000), amounts(1e-30, 0.5))
def test_epsilon_is_never_too_small(rho, delta):
    epsilon = epsilon_of(rho, delta)
    assert log_delta(float(rho), float(epsilon)) <= math.log(delta) + 1e-9
    if epsilon > Decimal("1e-6"):
        assert rho_of(epsilon, delta) >= rho * (1 - Decimal("1e-9"))


@settings(max_examples=60, deadline=None)
@given(amounts(1e-4, 100), amounts(1e-20, 0.3), st.floats(1e-6, 1))
def test_monotone(epsilon, delta, part):
    more = epsilon * (1 + Decimal(repr(part)))
    assert rho_of(epsilon, delta) <= rho_of(more, delta)
    assert rho_of(epsilon, delta) <= rho_of(epsilon, min(delta * (1 + Decimal(repr(part))), Decimal("0.9")))
    assert epsilon_of(rho_of(epsilon, delta), delta) <= epsilon_of(rho_of(more, delta), delta)


def test_a_whole_number_of_digits_comes_back_at_most_as_it_was():
    for text in ("0.1", "0.5", "1", "3", "8"):
        assert epsilon_of(rho_of(Decimal(text), Decimal("1e-6")), Decimal("1e-6")) <= Decimal(text)


def test_many_digits_do_not_round_up():
    delta = Decimal("1e-6")
    epsilon = Decimal("0.09999999999999999999999")
    assert rho_of(epsilon, delta) <= rho_of(Decimal("0.1"), delta)
    assert Fraction(epsilon_of(rho_of(epsilon, delta), delta)) <= Fraction(1, 10)


def test_huge_amounts_still_convert():
    rho = rho_of(Decimal(10**6), Decimal("1e-6"))
    assert Decimal(980_000) < rho < Decimal(10**6)
    assert epsilon_of(Decimal(10**6), Decimal("1e-6")) > 10**6


@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [("0", "1e-6"), ("NaN", "1e-6"), ("Infinity", "1e-6"), ("1", "0"), ("1", "1"), ("1", "NaN"), ("-1", "1e-6")],
)
def test_what_cannot_be_converted_is_refused(epsilon, delta):
    with pytest.raises(UsageError, match="must lie between"):
        rho_of(Decimal(epsilon), Decimal(delta))
    if epsilon not in ("0", "1"):
        with pytest.raises(UsageError):
            epsilon_of(Decimal(epsilon), Decimal("1e-6"))
