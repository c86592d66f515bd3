"""The sampler of discrete Gaussians: its law, and what decides where floats and tables cannot.

References are computed with decimals of 120 digits. The tests of draws are about 40; each gives a false alarm with a
probability of `FALSE_ALARM` at most, so that together they do once in a billion runs.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privkit.dp import noise, sampler
from privkit.dp.enclosures import exp_of_minus
from privkit.dp.sampler import LARGEST, discrete_gaussian
from privkit.errors import AggregateError
from tests.dp.distributions import chi_square, exact_pmf

FALSE_ALARM = 2e-11
FARTHEST = stats.norm.isf(FALSE_ALARM / 2)  # 6.7 standard deviations
ONES = 2**64 - 1
SCALES = (0.3, 0.5, 0.9, 3.7, 11.5, 127.99, 128.0, 130.3, 200.5)


@pytest.fixture(autouse=True)
def _digits():
    with localcontext() as context:
        context.prec = 120
        yield


def drawn(scale: float, size: int) -> np.ndarray:
    return discrete_gaussian(Fraction(scale) ** 2, size)


class Given:
    """Words that a test chose, array by array; as many as were asked for, or it is another path."""

    def __init__(self, *arrays: list[int]) -> None:
        self.arrays = [np.array(array, dtype=np.uint64) for array in arrays]

    def __call__(self, count: int) -> np.ndarray:
        array = self.arrays.pop(0)
        assert len(array) == count
        return array


# ---- the law


@pytest.mark.parametrize("scale", SCALES)
def test_draws_follow_the_exact_probabilities(scale):
    reach = int(40 * scale) + 2
    draws = drawn(scale, 200_000)
    assert draws.dtype == np.int64
    assert chi_square(draws, exact_pmf("zcdp", scale, reach), reach) > FALSE_ALARM
    assert chi_square(draws, exact_pmf("zcdp", 1.05 * scale, reach), reach) < FALSE_ALARM, "the test finds nothing"


@pytest.mark.parametrize("scale", [0.7, 2.3, 150.0])
def test_draws_are_as_opendps(scale):
    ours = drawn(scale, 20_000)
    theirs = np.array(noise._noise("zcdp", scale)(np.zeros(20_000, dtype=np.int64)))
    low, high = np.quantile(ours, [0.005, 0.995])
    cells = np.unique(np.linspace(low, high, 40).astype(int))
    table = [np.bincount(np.searchsorted(cells, draws), minlength=len(cells) + 1) for draws in (ours, theirs)]
    held = np.sum(table, axis=0) > 0
    assert stats.chi2_contingency(np.array(table)[:, held]).pvalue > FALSE_ALARM
    table[1] = np.bincount(np.searchsorted(cells, drawn(1.2 * scale, 20_000)), minlength=len(cells) + 1)
    held = np.sum(table, axis=0) > 0
    assert stats.chi2_contingency(np.array(table)[:, held]).pvalue < FALSE_ALARM, "the test finds nothing"


def moments_off(draws: np.ndarray, scale: float) -> float:
    """The first four moments and |x|'s, of scales where they are the normal law's, in standard deviations off."""
    z = draws / scale
    wanted = [
        (z, 0, 1),
        (z**2, 1, 2),
        (z**3, 0, 15),
        (z**4, 3, 96),
        (np.abs(z), np.sqrt(2 / np.pi), 1 - 2 / np.pi),
        (z[1:] * z[:-1], 0, 1),
    ]
    return max(abs(values.mean() - mean) / np.sqrt(variance / len(values)) for values, mean, variance in wanted)


@pytest.mark.parametrize("scale", [11.5, 127.0, 128.0, 1000.3, 1e9, 2.0**40 + 0.5, float(LARGEST)])
def test_moments_are_the_normal_laws(scale):
    assert moments_off(drawn(scale, 500_000), scale) < FARTHEST


def coins_off(draws: np.ndarray, scale: float) -> float:
    """The mean exponent of the second coin, in standard deviations off: what shows best whether it is thrown."""
    law = sampler._law(Fraction(scale) ** 2)
    at = np.arange(int(40 * scale))
    g = (at**2 - (at // law.width * law.width) ** 2) / (2 * scale**2)
    pmf = np.exp(-(at**2) / (2 * scale**2))
    pmf[1:] *= 2
    pmf /= pmf.sum()
    mean = (pmf * g).sum()
    return float(abs(g[np.abs(draws)].mean() - mean) / np.sqrt((pmf * (g - mean) ** 2).sum() / len(draws)))


def test_the_second_coin_is_thrown():
    assert coins_off(drawn(1000.3, 5_000_000), 1000.3) < FARTHEST


@pytest.mark.parametrize("scale", [1e12, float(LARGEST)])
def test_wide_draws_are_normal_and_even_in_their_last_digits(scale):
    draws = drawn(scale, 200_000)
    assert stats.kstest(draws / scale, stats.norm.cdf).pvalue > FALSE_ALARM
    for cells in (2, 7, 256):
        assert stats.chisquare(np.bincount(draws % cells, minlength=cells)).pvalue > FALSE_ALARM


@pytest.mark.parametrize("scale", [0.9, 60.0, 500.0])
def test_signs_are_even(scale):
    draws = drawn(scale, 200_000)
    for number in (draws[draws != 0], draws[np.abs(draws) == 1], draws[np.abs(draws) > 2 * scale]):
        assert stats.binomtest(int((number > 0).sum()), len(number)).pvalue > FALSE_ALARM


def test_tiny_noise_is_nearly_always_0():
    """P(1) = e^(−50) at σ = 0.1; at 0.25 P(x ≠ 0) = 6.7e−4."""
    assert not drawn(0.1, 100_000).any()
    assert stats.binomtest(int((drawn(0.25, 200_000) != 0).sum()), 200_000, 6.7048e-4).pvalue > FALSE_ALARM


def test_a_normal_draw_rounded_is_caught():
    reach = 30
    rounded = np.rint(np.random.default_rng(1).normal(0, 0.7, 200_000)).astype(np.int64)
    assert chi_square(rounded, exact_pmf("zcdp", 0.7, reach), reach) < FALSE_ALARM


def test_a_sampler_without_the_second_coin_is_caught(monkeypatch):
    monkeypatch.setattr(sampler, "_kept", lambda law, block, place, words: np.ones(len(block), dtype=bool))
    assert coins_off(drawn(1000.3, 5_000_000), 1000.3) > FARTHEST


def test_a_sampler_that_counts_0_twice_is_caught(monkeypatch):
    def twice(law, count, words):
        block = sampler._looked_up(law, words(count) >> np.uint64(1), words)
        return np.where(words(count) & np.uint64(1), block, -block)

    monkeypatch.setattr(sampler, "_candidates", twice)
    assert chi_square(drawn(11.5, 200_000), exact_pmf("zcdp", 11.5, 400), 400) < FALSE_ALARM


@pytest.mark.parametrize("size", [0, 1, 2**15 - 1, 2**15 + 1, 100_003])
def test_any_number_of_draws(size):
    assert drawn(3.0, size).shape == (size,)


def test_any_rational_is_a_variance():
    draws = discrete_gaussian(Fraction(10, 3), 200_000)
    assert chi_square(draws, exact_pmf("zcdp", (10 / 3) ** 0.5, 80), 80) > FALSE_ALARM


@pytest.mark.parametrize("variance", [Fraction(0), Fraction(-1), Fraction(LARGEST) ** 2 + 1])
def test_other_variances_are_refused(variance):
    with pytest.raises(ValueError, match="a variance above 0"):
        discrete_gaussian(variance, 1)


# ---- blocks, against sums of decimals


def cumulated(scale: float) -> list[Decimal]:
    """S_0, S_1, … to 1 − 1e−100."""
    law = sampler._law(Fraction(scale) ** 2)
    slope = Decimal(law.slope.numerator) / Decimal(law.slope.denominator)
    weights = [Decimal(1)]
    while weights[-1] > Decimal("1e-110"):
        weights.append((-slope * len(weights) ** 2).exp())
    total, sums = sum(weights), [weights[0]]
    for weight in weights[1:]:
        sums.append(sums[-1] + weight)
    return [part / total for part in sums]


def words_of(uniform: Decimal, words: int) -> list[int]:
    """The first 63 bits of U (its word's last bit, the sign, is 0), and then 64 by 64."""
    bits = int(uniform * 2 ** (63 + 64 * words))
    first = bits >> 64 * words
    return [first << 1, *(bits >> 64 * (words - 1 - i) & ONES for i in range(words))]


def block_of(scale: float, words: list[int]) -> tuple[int, int]:
    """The block that words give, and how many of them were not needed."""
    given = Given(*([word] for word in words))
    law = sampler._law(Fraction(scale) ** 2)
    block = sampler._looked_up(law, given(1) >> np.uint64(1), given)
    return int(block[0]), len(given.arrays)


@pytest.mark.parametrize("scale", [0.3, 3.7, 40.0, 1000.3])
def test_tables_hold_the_cumulative_sums(scale):
    law, sums = sampler._law(Fraction(scale) ** 2), cumulated(scale)
    assert [int(part * 2**63) for part in sums[: len(law.ends)]] == law.ends.tolist()
    assert law.ends[-1] == 2**63 - 1


@pytest.mark.parametrize("scale", [0.1, 0.3, 3.7, 1000.3])
@pytest.mark.parametrize("bits", [8, 64, 130])
def test_bounds_of_the_cumulative_sums_hold_and_are_close(scale, bits):
    """What follows the last weight counts: without it, the bounds from below would be too high."""
    sums = cumulated(scale)
    bounds = list(sampler._cumulated(sampler._law(Fraction(scale) ** 2).slope, bits))
    for exact, (low, high) in zip(sums, bounds, strict=False):
        assert low <= Fraction(exact) + Fraction(1, 10**100)
        assert high >= Fraction(exact) - Fraction(1, 10**100)
        assert high - low < Fraction(1, 2**bits)
    assert bounds[-1][0] > 1 - Fraction(1, 2**bits)


@pytest.mark.parametrize("scale", [0.3, 3.7, 1000.3])
def test_on_an_end_further_bits_decide(scale):
    """U is S_k, but for 2^−100 more or less: the first 63 bits are the table's, the next 64 tell."""
    law, sums = sampler._law(Fraction(scale) ** 2), cumulated(scale)
    apart = Decimal(2) ** -100
    for k in range(0, len(law.ends) * 9 // 10 or 1, max(1, len(law.ends) // 20)):
        below, above = words_of(sums[k] - apart, 1), words_of(sums[k] + apart, 1)
        assert below[0] >> 1 == above[0] >> 1 == law.ends[k]
        assert block_of(scale, below) == (k, 0)
        assert block_of(scale, above) == (k + 1, 0)
        plain = [(int(law.ends[k]) - 1) << 1, 0]
        assert block_of(scale, plain) == (k, 1), "a word beside the end needs no further bits"


def test_as_many_bits_are_taken_as_it_needs():
    sums = cumulated(3.7)
    for apart, taken in ((-250, 3), (-170, 2), (-100, 1)):
        for sign, block in ((-1, 4), (1, 5)):
            words = words_of(sums[4] + sign * Decimal(2) ** apart, 3)
            assert block_of(3.7, words) == (block, 3 - taken)


@pytest.mark.parametrize("scale", [0.1, 0.3, 3.7, 1000.3])
def test_tails_beyond_the_table_are_drawn_too(scale):
    """The last word of the table stands for all blocks above: U within 2^−63 of 1, here down to 2^−300."""
    law, sums = sampler._law(Fraction(scale) ** 2), cumulated(scale)
    for depth in (63, 64, 90, 150, 300):
        uniform = 1 - Decimal(2) ** -depth * 3 / 4
        wanted = sum(part <= uniform for part in sums)
        assert block_of(scale, words_of(uniform, 6))[0] == wanted
    assert wanted >= len(law.ends)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_any_word_gives_its_block(word):
    sums = cumulated_once(3.7)
    assert block_of(3.7, [word << 1, 0, 0, 0])[0] == sum(part <= Decimal(word) / 2**63 for part in sums)


_ONCE: dict[float, list[Decimal]] = {}


def cumulated_once(scale: float) -> list[Decimal]:
    with localcontext() as context:
        context.prec = 120
        return _ONCE.setdefault(scale, cumulated(scale))


def test_the_sign_is_a_bit_that_the_block_does_not_use():
    law = sampler._law(Fraction(3.7) ** 2)
    word = int(law.ends[4]) - 1 << 1
    assert sampler._candidates(law, 2, Given([word, word + 1])).tolist() == [4, -4]
    assert sampler._candidates(law, 3, Given([0, 1, word])).tolist() == [0, 4], "−0 is drawn again"


def test_a_number_beyond_64_bits_is_an_error():
    """At the largest σ, one of 64 σ; wider blocks, which no σ has, show that a draw says so."""
    widest = sampler._law(Fraction(LARGEST) ** 2)
    assert sampler._within_64_bits(4094, widest.width) == 4094
    with pytest.raises(AggregateError, match="left 64 bits"):
        sampler._within_64_bits(4095, widest.width)
    wider = replace(widest, width=2**54, variance=widest.variance * 2**6)
    assert wider.slope == widest.slope
    with pytest.raises(AggregateError, match="left 64 bits"):
        sampler._looked_up(wider, np.array([ONES >> 1], dtype=np.uint64), Given([0]))


# ---- places, against exponentials of decimals


PLACES = [(0, 1), (0, 14), (1, 7), (100, 0), (300, 14), (590, 1), (590, 14)]


def coin(block: int, place: int, words: list[int]) -> tuple[bool, int]:
    """Whether a number of σ = 1000.3 is kept by a U of these bits, and how many words were not needed."""
    given = Given(*([word] for word in words))
    law = sampler._law(Fraction(1000.3) ** 2)
    kept = sampler._kept(law, np.array([block]), np.array([place]), given)
    return bool(kept[0]), len(given.arrays)


def chance(block: int, place: int) -> Decimal:
    law = sampler._law(Fraction(1000.3) ** 2)
    g = law.exponent(block, place)
    return (-Decimal(g.numerator) / Decimal(g.denominator)).exp()


@pytest.mark.parametrize(("block", "place"), PLACES)
def test_a_coin_is_exact_around_its_probability(block, place):
    """Words at the end of the margin are decided by the float, those inside by one word more: all of them rightly."""
    p = chance(block, place)
    end = int(p * 2**53)
    for off in (-10_000, -40, -35, -30, -5, -1, 1, 5, 30, 35, 40, 10_000):
        if 0 <= end + off < 2**53:
            kept, left = coin(block, place, [end + off << 11, 0])
            assert kept == (end + off < p * 2**53)
            assert left == (abs(off) > 32)


@pytest.mark.parametrize(("block", "place"), [p for p in PLACES if p[1]])
def test_on_its_probability_further_bits_decide(block, place):
    p = chance(block, place)
    for apart, taken in ((-100, 1), (-150, 2), (-210, 3)):
        for sign, wanted in ((-1, True), (1, False)):
            bits = int((p + sign * Decimal(2) ** apart) * 2 ** (53 + 192))
            words = [bits >> 192 << 11, bits >> 128 & ONES, bits >> 64 & ONES, bits & ONES]
            assert coin(block, place, words) == (wanted, 3 - taken)


def test_a_certain_number_is_kept_by_any_word():
    assert coin(100, 0, [ONES, 0]) == (True, 0)


def test_blocks_beyond_the_table_are_decided_exactly():
    p = chance(5000, 14)
    for off in (-1000, 1000):
        assert coin(5000, 14, [int(p * 2**53) + off << 11, 0]) == (off < 0, 0)


def test_places_are_uniform():
    raw = np.array([0, 6, 7, ONES // 7 * 7 - 1, ONES // 7 * 7, ONES], dtype=np.uint64)
    place, uniform = sampler._placed(7, raw)
    assert place[:4].tolist() == [0, 6, 0, 6]
    assert uniform.tolist() == [True] * 4 + [False] * 2
    assert sampler._placed(8, raw)[1].all(), "2^64 is a multiple of 8"


# ---- bounds


@settings(max_examples=300, deadline=None)
@given(st.fractions(0, 300), st.integers(1, 250))
def test_bounds_of_exponentials_hold_and_are_close(x, bits):
    with localcontext() as context:
        context.prec = 250
        exact = (-Decimal(x.numerator) / Decimal(x.denominator)).exp() * 2**bits
    low, high = exp_of_minus(x, bits)
    assert low <= exact <= high
    assert high - low <= 3


def test_bounds_of_extreme_exponentials():
    assert exp_of_minus(Fraction(10**30), 400) == (0, 1)
    low, high = exp_of_minus(Fraction(0), 64)
    assert low <= 2**64 <= high
