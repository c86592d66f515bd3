"""The laws of noise that half-widths rest on: against exact sums, closed forms and draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.dp.estimate import laplace
from privkit.dp.estimate.halfwidths import half_width, integer_half_width, normal_quantile


def masses(scale: float, measure: str, terms: int = 1) -> tuple[np.ndarray, int]:
    """Probabilities of the sum of discrete noises, and the index of 0."""
    reach = int(45 * scale) + 30
    k = np.arange(-reach, reach + 1)
    one = np.exp(-(k**2) / (2 * scale**2)) if measure == "zcdp" else np.exp(-abs(k) / scale)
    one /= one.sum()
    whole = one
    for _ in range(terms - 1):
        whole = np.convolve(whole, one)
    return whole, len(whole) // 2


@pytest.mark.parametrize("measure", ["zcdp", "pure"])
@pytest.mark.parametrize("terms", [1, 2, 3])
@given(scale=st.floats(0.1, 28), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(max_examples=25, deadline=None)
def test_an_integer_half_width_is_the_smallest_that_covers(measure, terms, scale, confidence):
    whole, zero = masses(scale, measure, terms)
    width = integer_half_width(scale, measure, confidence, terms)
    assert whole[zero - width : zero + width + 1].sum() >= confidence - 1e-9
    if width:
        assert whole[zero - width + 1 : zero + width].sum() < confidence + 1e-9


@pytest.mark.parametrize("measure", ["zcdp", "pure"])
@pytest.mark.parametrize("terms", [1, 2, 3])
def test_large_scales_agree_with_the_discrete_law(measure, terms):
    """Beyond scale 50 the continuous law takes over."""
    whole, zero = masses(60.0, measure, terms)
    width = integer_half_width(60.0, measure, 0.95, terms)
    assert whole[zero - width : zero + width + 1].sum() == pytest.approx(0.95, abs=0.002)


def test_gaussian_half_widths_add_in_squares():
    assert normal_quantile(0.95) == pytest.approx(1.959964)
    assert half_width([3.0, -4.0], "zcdp", 0.95) == pytest.approx(5 * 1.959964)


@given(a=st.floats(0.01, 1), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
@settings(max_examples=60, deadline=None)
def test_two_laplaces_have_a_closed_form(a, confidence):
    """P(|aX + bY| > t) = (a²e^(−t/a) − b²e^(−t/b))/(a² − b²), a ≠ b."""
    a = min(a, 0.995)
    width = float(laplace.half_width([1.0, a], confidence))
    tail = (np.exp(-width) - a**2 * np.exp(-width / a)) / (1 - a**2)
    assert tail == pytest.approx(1 - confidence, abs=3e-5)
    assert float(laplace.tail([width], [[1.0, a]])[0]) == pytest.approx(tail, abs=3e-5)


def test_one_laplace_and_none():
    found = laplace.half_width([[2.0, 0.0], [0.0, 0.0]], 0.95)
    assert found == pytest.approx([2 * np.log(20), 0])


@pytest.mark.parametrize(
    "scales", [[1, 1, 1], [1] * 120, [1, 0.5, 0.25, 0.125], list(np.linspace(0.05, 1, 40)), [1] + [0.05] * 200]
)
def test_many_laplaces_against_draws(scales):
    """40 and 201 terms: beyond the twelve largest, the rest is taken as normal."""
    rng = np.random.default_rng(2)
    drawn = np.abs(sum(scale * rng.laplace(size=400_000) for scale in scales))
    for confidence in (0.5, 0.95, 0.99):
        covered = (drawn <= float(laplace.half_width(scales, confidence))).mean()
        assert covered == pytest.approx(confidence, abs=0.003)
    assert (drawn <= 0.95 * float(laplace.half_width(scales, 0.95))).mean() < 0.947  # the check would notice


def test_shapes_and_units():
    scales = np.random.default_rng(1).random((3, 5, 4))
    found = laplace.half_width(scales, 0.9)
    assert found.shape == (3, 5)
    np.testing.assert_allclose(laplace.half_width(1e9 * scales, 0.9), 1e9 * found, rtol=1e-9)
    np.testing.assert_allclose(laplace.half_width(-scales[..., ::-1], 0.9), found, rtol=1e-9)


def test_rare_tails_are_bounded_and_not_estimated():
    """At 99.999 % the half-width of two Laplaces is at most a third too wide, and never too small."""
    for a in (0.1, 0.5, 0.9):
        width = float(laplace.half_width([1.0, a], 0.99999))
        tail = (np.exp(-width) - a**2 * np.exp(-width / a)) / (1 - a**2)
        assert tail <= 1e-5
        narrower = width * 0.75
        assert (np.exp(-narrower) - a**2 * np.exp(-narrower / a)) / (1 - a**2) > 1e-5
    confidences = (0.9, 0.99, 0.999, 0.9999, 0.99999, 0.9999999)
    assert np.all(np.diff([float(laplace.half_width([1.0, 0.7, 0.2], c)) for c in confidences]) > 0)


def test_no_groups():
    assert laplace.half_width(np.empty((0, 3)), 0.95).shape == (0,)
