"""Noise drawn by several parties: what their sum costs, against its exact distribution."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp

from privkit.dp import shares
from privkit.dp.noise import HIGHEST, loss_of, scale_for
from privkit.dp.shares import SMALLEST, share, share_scale, shared_loss
from privkit.errors import AggregateError, UsageError
from tests.dp.distributions import chi_square

ORDERS = (1.01, 1.1, 1.5, 2.0, 4.0, 8.0, 20.0)
SCALES = (0.5, 0.6, 0.7, 1.0, 3.0)
FALSE_ALARM = 1e-10  # of each test of draws, of which there are six


# ---- the exact distribution


def gaussian(at: np.ndarray, variance: float) -> np.ndarray:
    """Logarithms of the discrete Gaussian's probabilities."""
    reach = np.arange(-math.ceil(60 * math.sqrt(variance)) - 5, math.ceil(60 * math.sqrt(variance)) + 6)
    return -(at**2) / (2 * variance) - logsumexp(-(reach**2) / (2 * variance))


@cache
def summed(scale: float, honest: int, reach: int) -> np.ndarray:
    """Logarithms of the probabilities of −reach … reach of a sum of shares, right to about 1e−12 in its tails too."""
    at = np.arange(-reach, reach + 1)
    if honest == 1:
        return gaussian(at, scale**2)
    before = summed(scale, honest - 1, reach)
    return logsumexp(before[None, :] + gaussian(at[:, None] - at[None, :], scale**2), axis=1)


def divergence(scale: float, honest: int, move: int, order: float) -> float:
    """Rényi's, of the sum of shares and itself moved."""
    reach = math.ceil((order + 2) * move + 10 * math.sqrt(honest) * scale) + 5
    whole = summed(scale, honest, reach + move)
    here, moved = whole[move:-move], whole[: -2 * move]
    return float(logsumexp(order * here + (1 - order) * moved)) / (order - 1)


@pytest.mark.parametrize("honest", [2, 3, 10])
@pytest.mark.parametrize("scale", SCALES)
def test_no_sum_of_shares_loses_more_than_it_claims(scale, honest):
    for move in (1, 2, 3, 7):
        for order in ORDERS:
            lost = divergence(scale, honest, move, order)
            assert lost <= order * float(shared_loss(move**2, scale, honest, 1)) * (1 + 1e-9)
            for dimension in (5, 400):  # as much on each coordinate; and on one of them alone
                claimed = shared_loss(dimension * move**2, scale, honest, dimension)
                assert dimension * lost <= order * float(claimed) * (1 + 1e-9)
                assert lost <= order * float(shared_loss(move**2, scale, honest, dimension)) * (1 + 1e-9)


@pytest.mark.parametrize("honest", [2, 3, 10])
def test_both_bounds_of_the_proposition_hold(honest):
    """Also the one that is not the smaller, so that the smaller is right for the same reason."""
    for scale in SCALES:
        excess = float(shares._excesses(scale, honest)[-1])
        for move in (1, 2, 3, 7):
            one = move**2 / (2 * honest * scale**2)
            for order in ORDERS:
                lost = divergence(scale, honest, move, order)
                assert lost <= (order * one + excess) * (1 + 1e-9)
                assert lost <= order * (math.sqrt(2 * one) + excess) ** 2 / 2 * (1 + 1e-9)


def test_without_the_correction_the_claim_would_be_wrong():
    """A sum of two does lose more than one discrete Gaussian of its variance."""
    found = [divergence(0.5, 2, 1, order) / order / (1 / (4 * 0.5**2)) for order in ORDERS]
    assert max(found) > 1.01
    assert divergence(0.5, 1, 1, 2.0) / 2.0 <= 1 / (2 * 0.5**2) * (1 + 1e-9), "one Gaussian keeps its own claim"


@pytest.mark.parametrize("honest", [2, 3, 10])
@pytest.mark.parametrize("scale", SCALES)
def test_a_sum_is_as_near_to_one_gaussian_as_the_docstring_proves(scale, honest):
    reach = math.ceil(20 * math.sqrt(honest) * scale)
    apart = summed(scale, honest, 3 * reach)[2 * reach : -2 * reach]
    apart = apart - gaussian(np.arange(-reach, reach + 1), honest * scale**2)
    smoothed = [math.exp(-2 * math.pi**2 * scale**2 * k / (k + 1)) for k in range(1, honest)]
    assert np.ptp(apart) <= 4.1 * sum(smoothed) + 1e-9
    assert 10 * sum(smoothed) == pytest.approx(float(shares._excesses(scale, honest)[-1]), rel=1e-12)
    if scale == 0.5:
        assert np.ptp(apart) > 0.3, "nor much nearer"


# ---- losses


def test_known_losses():
    assert float(shared_loss(1, 10.0, 4, 1)) == pytest.approx(1 / 800, rel=1e-12)
    assert float(shared_loss(100, 20.0, 2, 10**6)) == pytest.approx(100 / 1600, rel=1e-12)
    excess = 10 * math.exp(-(math.pi**2))
    assert float(shared_loss(1, 1.0, 2, 1)) == pytest.approx((math.sqrt(1 / 2) + excess) ** 2 / 2, rel=1e-9)
    assert float(shared_loss(64, 1.0, 2, 4)) == pytest.approx(16 + 4 * excess, rel=1e-9)


losses = st.fractions("1/1000000", 40, max_denominator=10**9)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**12), st.floats(0.5, 10**6), st.integers(1, 10**6))
def test_one_share_is_opendps_gaussian(squared, scale, dimension):
    assert shared_loss(squared, scale, 1, dimension) == loss_of("zcdp", squared, scale)
    assert share_scale(squared, Fraction(1, 7), 1, dimension) == scale_for("zcdp", squared, Fraction(1, 7))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**9), st.floats(0.5, 50), st.integers(1, 20), st.integers(1, 10**6))
def test_a_sum_costs_at_least_one_gaussian_and_less_with_more_shares(squared, scale, honest, dimension):
    loss = shared_loss(squared, scale, honest, dimension)
    assert loss >= squared / (2 * honest * Fraction(scale) ** 2)
    assert loss <= shared_loss(squared, scale, max(1, honest - 1), dimension) * (1 + Fraction(1, 10**12))
    assert loss <= shared_loss(squared, scale, honest, dimension + 1)
    assert loss <= shared_loss(squared + 1, scale, honest, dimension)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**12), losses, st.integers(2, 12), st.integers(1, 10**6))
def test_the_smallest_scale_fits_and_the_float_before_it_does_not(squared, loss, honest, dimension):
    scale = share_scale(squared, loss, honest, dimension)
    assert shared_loss(squared, scale, honest, dimension) <= loss
    if scale > SMALLEST:
        assert shared_loss(squared, math.nextafter(scale, 0), honest, dimension) > loss
    assert scale <= share_scale(squared, loss, honest - 1, dimension) * (1 + 1e-12) or scale == SMALLEST


def test_many_parties_draw_as_much_as_one_would():
    one = scale_for("zcdp", 10**6, Fraction(1, 100))
    for honest in (2, 3, 10, 64):
        assert math.sqrt(honest) * share_scale(10**6, Fraction(1, 100), honest, 1000) == pytest.approx(one, rel=1e-12)


def test_a_large_loss_leaves_the_smallest_scale():
    assert share_scale(1, Fraction(1000), 3, 10) == SMALLEST


def test_noise_too_large_for_64_bits_is_told_by_its_scale():
    assert share_scale(10**6, Fraction(1, 10**40), 2, 1) > HIGHEST
    assert share_scale(1, Fraction(1, 2**128), 2, 1) == pytest.approx(2.0**63)


def test_pi_is_rounded_down():
    assert 0 < math.pi**2 - float(shares._PI_SQUARED) < 1e-12
    assert Fraction("3.14159265358979323846") ** 2 > shares._PI_SQUARED


@pytest.mark.parametrize("scale", [0.0, 0.4999999999999999, math.nan, math.inf])
def test_scales_without_a_proof_are_refused(scale):
    with pytest.raises(UsageError, match=r"at least 0\.5"):
        shared_loss(1, scale, 2, 1)
    assert shared_loss(1, 0.4, 1, 1) == loss_of("zcdp", 1, 0.4), "one share needs no such proof"


@pytest.mark.parametrize("given", [(0, 2, 1), (1, 0, 1), (1, 2, 0)])
def test_amounts_below_1_are_refused(given):
    squared, honest, dimension = given
    with pytest.raises(UsageError, match="at least 1"):
        shared_loss(squared, 1.0, honest, dimension)
    with pytest.raises(UsageError, match="at least 1"):
        share_scale(squared, Fraction(1), honest, dimension)


@pytest.mark.parametrize("loss", [Fraction(0), Fraction(-1)])
def test_no_loss_is_refused(loss):
    with pytest.raises(UsageError, match="above 0"):
        share_scale(1, loss, 2, 1)


# ---- draws


@pytest.mark.parametrize(("scale", "honest"), [(0.5, 2), (0.7, 3), (3.0, 10)])
def test_sums_of_shares_follow_their_exact_probabilities(scale, honest):
    values = np.arange(honest * 100_000, dtype=np.int64).reshape(honest, -1)
    total = sum(share(party, scale) for party in values) - values.sum(axis=0)
    reach = math.ceil(12 * math.sqrt(honest) * scale)
    assert total.dtype == np.int64
    assert chi_square(total, np.exp(summed(scale, honest, reach)), reach) > FALSE_ALARM
    assert chi_square(total, np.exp(summed(1.1 * scale, honest, reach)), reach) < FALSE_ALARM, "it finds nothing"


@pytest.mark.parametrize("honest", [2, 5, 64])
def test_shares_of_the_smallest_scale_have_the_variance_that_is_paid_for(honest):
    scale, size = share_scale(10**4, Fraction(1, 50), honest, 100), 50_000
    total = sum(share(np.zeros(size, dtype=np.int64), scale) for _ in range(honest))
    ratio = float((total.astype(float) ** 2).sum()) / (10**4 / (2 / 50))
    assert stats.chi2.ppf(FALSE_ALARM / 2, size) < ratio < stats.chi2.isf(FALSE_ALARM / 2, size)


def many_shares(values):
    """Of which each crosses the end with a probability of about a half, if not more."""
    for _ in range(100):
        share(values, 1000.0)


@pytest.mark.parametrize("size", [1, 10, 5000])
def test_a_sum_beyond_64_bits_is_refused(size):
    """By OpenDP's path and by the sampler's."""
    for end in (HIGHEST, -HIGHEST - 1):
        near = np.full(size, end - int(math.copysign(10**6, end)), dtype=np.int64)
        assert np.abs(share(near, 1000.0) - near).max() < 10**6
        with pytest.raises(AggregateError, match="left 64 bits"):
            many_shares(np.full(size, end, dtype=np.int64))


@pytest.mark.parametrize("size", [200, 5000])
def test_a_share_that_left_64_bits_itself_is_refused(size):
    """With such a scale OpenDP holds nearly half of its draws at the ends; a value of the other sign hides that."""
    with pytest.raises(AggregateError, match="left 64 bits"):
        share(np.zeros(size, dtype=np.int64), 2.0**64)


def test_views_are_read_by_their_strides():
    wide = np.arange(40, dtype=np.int64).reshape(8, 5) * 1000
    assert (share(wide[:, 2][::-1], 0.01) == wide[:, 2][::-1]).all()
