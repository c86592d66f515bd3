"""Noise on a plan's vectors: scales, exact costs, layout, and the distribution that is drawn from."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import COUNT, COVARIANCE, HISTOGRAM, MEAN, QUANTILE, SUM, UNITS, VARIANCE, WARD, aggregates, planned
from scipy import stats

from privkit.dp import noise
from privkit.dp.measurement import cost_of, measure, noise_scales
from privkit.dp.noise import HIGHEST, loss_of, noisy, scale_for
from privkit.dp.plan import KEYS
from privkit.errors import AggregateError, QueryError, UsageError
from tests.dp.distributions import chi_square, exact_pmf

FALSE_ALARM = 1e-9  # of each test of a distribution, of which there are about ten
LOUD = Decimal(10**6)  # so large a loss that nearly no noise is left
EVERY = (COUNT, UNITS, SUM, MEAN, VARIANCE, HISTOGRAM, QUANTILE, COVARIANCE)
losses = st.decimals("1e-6", "50", allow_nan=False, places=9)
shares = st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(1562, 11313), Fraction(7, 4096)])


# ---- costs


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 2**60), losses, shares)
def test_laplace_is_the_smallest_that_the_part_pays_for(distance, loss, share):
    part = Fraction(loss) * share
    scale = scale_for("pure", distance, part)
    if scale > HIGHEST:
        return
    assert loss_of("pure", distance, scale) <= part < loss_of("pure", distance, math.nextafter(scale, 0))
    assert abs(Fraction(scale) * part / distance - 1) < Fraction(1, 10**9)
    assert loss_of("pure", distance, scale) >= distance / Fraction(scale), "the map claims less than the theorem"


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 2**120), losses, shares)
def test_gaussian_is_the_smallest_that_the_part_pays_for(squared, loss, share):
    part = Fraction(loss) * share
    scale = scale_for("zcdp", squared, part)
    if scale > HIGHEST:
        return
    assert loss_of("zcdp", squared, scale) <= part < loss_of("zcdp", squared, math.nextafter(scale, 0))
    assert abs(Fraction(scale) ** 2 * 2 * part / squared - 1) < Fraction(1, 10**9)
    assert loss_of("zcdp", squared, scale) >= squared / (2 * Fraction(scale) ** 2), "the map claims less"


def test_ten_tenths_are_one_and_the_eleventh_is_not():
    made, tenth = planned(COUNT, measure="pure"), Decimal("0.1")
    cost = cost_of(made, noise_scales(made, tenth))
    assert 10 * cost <= 1 < 11 * cost
    assert Fraction(1, 10) - cost < Fraction(1, 10**15)
    assert Fraction(0.1) > Fraction(1, 10), "the float nearest to a tenth is above it, which is why this is a test"


@pytest.mark.parametrize("kind", ["zcdp", "pure"])
@settings(max_examples=20, deadline=None)
@given(loss=st.decimals("0.001", "8", allow_nan=False, places=6))
def test_parts_add_up_to_at_most_the_loss(kind, loss):
    made = planned(*EVERY, measure=kind)
    cost = cost_of(made, noise_scales(made, loss))
    assert Fraction(loss) * (1 - Fraction(1, 10**12)) < cost <= Fraction(loss)


def test_parts_with_private_keys_add_up_to_at_most_the_loss():
    made = planned(*EVERY, by=WARD, threshold_delta="1e-8")
    for loss in (Decimal("0.1"), Decimal("0.0243559703595"), Decimal(3)):
        scales = noise_scales(made, loss)
        assert set(scales) == {KEYS} | {block.vector.name for block in made.blocks}
        assert Fraction(loss) * (1 - Fraction(1, 10**12)) < cost_of(made, scales) <= Fraction(loss)


@pytest.mark.parametrize("loss", ["0", "-1", "NaN", "Infinity"])
def test_no_loss_is_refused(loss):
    with pytest.raises(UsageError, match="above 0"):
        noise_scales(planned(COUNT), Decimal(loss))


@pytest.mark.parametrize("kind", ["zcdp", "pure"])
def test_noise_that_could_leave_64_bits_is_refused(kind):
    made = planned(VARIANCE, measure=kind, units=2, steps=2**24)
    assert noise_scales(made, Decimal(10))
    with pytest.raises(QueryError, match="moments of age: at this loss the noise could leave 64 bits"):
        noise_scales(made, Decimal("1e-12"))
    with pytest.raises(QueryError, match="64 bits"):
        noise_scales(planned(COUNT, measure=kind), Decimal("1e-60"))


def test_a_distance_beyond_64_bits_is_refused():
    made = planned(VARIANCE, measure="pure", groups=8, rows=2**10, units=2, steps=2**25)
    assert made.l1(made.blocks[0].vector) > HIGHEST
    with pytest.raises(QueryError, match="64 bits"):
        noise_scales(made, LOUD)


def test_cells_cut_one_by_one_cannot_wrap_when_added():
    """Each of the cells may be at its highest, so the strategy's sums reach a row sum of its matrix as often."""
    with pytest.raises(QueryError, match="distribution of age"):
        planned(QUANTILE, units=2**38, rows=1, groups=1, steps=4095)
    fine = planned(QUANTILE, units=2**36, rows=1, groups=1, steps=4095)
    vector = fine.blocks[0].vector
    full = np.array([[high for _, high in fine.ranges(vector)]], dtype=np.int64)
    reached = vector.weighted(full)
    assert (reached == vector.weighted(full.astype(object))).all()
    assert int(reached.max()) + 80 * noise_scales(fine, Decimal(1))[vector.name] <= HIGHEST
    assert (vector.weighted(4 * full) != vector.weighted(4 * full.astype(object))).any(), "the refusal has no reason"


# ---- what is measured


@pytest.mark.parametrize("kind", ["zcdp", "pure"])
def test_noise_is_added_to_the_weighted_vectors_group_by_group(kind):
    made = planned(*EVERY, measure=kind, groups=1, rows=1)
    exact = {}
    for number, block in enumerate(made.blocks):
        size = len(block.vector.coordinates)
        exact[block.vector.name] = np.arange(5 * size, dtype=np.int64).reshape(5, size) * 10**6 + number
    found = measure(made, aggregates(made, exact), LOUD)
    assert found.keys == tuple((f"g{i:07d}",) for i in range(5))
    assert found.scales == noise_scales(made, LOUD)
    for block in made.blocks:
        name, wanted = block.vector.name, block.vector.weighted(exact[block.vector.name])
        assert found.noisy[name].shape == wanted.shape
        assert found.noisy[name].dtype == np.int64
        assert np.abs(found.noisy[name] - wanted).max() <= max(1, 30 * found.scales[name])


def test_the_same_aggregates_get_fresh_noise():
    made = planned(COUNT, MEAN)
    values = {b.vector.name: np.zeros((50, len(b.vector.coordinates)), dtype=np.int64) for b in made.blocks}
    one, two = (measure(made, aggregates(made, values), Decimal("0.1")) for _ in range(2))
    assert all((one.noisy[name] != two.noisy[name]).any() for name in values)
    assert not any(array.any() for array in values.values()), "measuring changed the aggregates"


def test_a_group_without_rows_and_no_group_at_all():
    made = planned(COUNT)
    name = made.blocks[0].vector.name
    some = measure(made, aggregates(made, {name: np.zeros((8, 1), dtype=np.int64)}), Decimal("0.1"))
    assert some.noisy[name].shape == (8, 1)
    assert (some.noisy[name] != 0).any()
    none = measure(made, aggregates(made, {name: np.zeros((0, 1), dtype=np.int64)}), Decimal("0.1"))
    assert none.noisy[name].shape == (0, 1)


def test_views_are_read_by_their_strides():
    wide = np.arange(40, dtype=np.int64).reshape(8, 5) * 1000
    for view in (wide[::2, ::-1].ravel(), wide.T[1], wide[:, 2], wide[:, 2][::-1]):
        assert (noisy("zcdp", view, 0.01) == view).all()


def test_opendp_failures_are_told_in_our_words(monkeypatch):
    def failing(measure, scale):
        def draw(values):
            raise noise.OpenDPException("FailedFunction", "secret value 4711")

        return draw

    monkeypatch.setattr(noise, "_noise", failing)
    with pytest.raises(AggregateError, match="could not draw") as caught:
        noisy("zcdp", np.zeros(3, dtype=np.int64), 1.0)
    assert caught.value.__suppress_context__
    assert "4711" not in str(caught.value)


def test_few_draws_are_opendps_and_many_gaussian_ones_are_not(monkeypatch):
    """Where OpenDP may not be called, only many Gaussian draws of a scale within bounds can be had."""
    monkeypatch.setattr(noise, "_noise", None)
    many = np.zeros(noise._MANY, dtype=np.int64)
    assert noisy("zcdp", many, 3.0).any()
    for kind, values, scale in (("zcdp", many[1:], 3.0), ("pure", many, 3.0), ("zcdp", many, 2.0**58)):
        with pytest.raises(TypeError):
            noisy(kind, values, scale)


# ---- the distribution


@pytest.mark.parametrize(
    ("kind", "scale"), [("zcdp", 0.7), ("zcdp", 2.3), ("zcdp", 11.5), ("pure", 0.6), ("pure", 3.4)]
)
def test_draws_follow_the_exact_probabilities(kind, scale):
    reach = math.ceil(40 * scale)
    draws = noisy(kind, np.zeros(30_000, dtype=np.int64), scale)
    assert chi_square(draws, exact_pmf(kind, scale, reach), reach) > FALSE_ALARM
    assert chi_square(draws, exact_pmf(kind, 1.3 * scale, reach), reach) < FALSE_ALARM, "the test finds nothing"


@pytest.mark.parametrize("kind", ["zcdp", "pure"])
def test_wide_noise_is_the_continuous_one_on_a_fine_grid(kind):
    scale = 1e12
    draws = noisy(kind, np.zeros(20_000, dtype=np.int64), scale) / scale
    against = stats.norm if kind == "zcdp" else stats.laplace
    assert stats.kstest(draws, against.cdf).pvalue > FALSE_ALARM
    assert abs(stats.spearmanr(draws[:-1], draws[1:]).statistic) < 0.05  # neighbours have nothing to do with each other
    assert stats.kstest(draws / 1.3, against.cdf).pvalue < FALSE_ALARM, "the test finds nothing"


@pytest.mark.parametrize(("kind", "size"), [("zcdp", 300), ("zcdp", 3000), ("pure", 300)])
def test_sums_stay_at_the_ends_of_64_bits(kind, size):
    top, bottom = noisy(kind, np.full(size, HIGHEST), 1e6), noisy(kind, np.full(size, -HIGHEST - 1), 1e6)
    assert (top > HIGHEST - 10**8).all()
    assert (bottom < -HIGHEST + 10**8).all()
    assert (top == HIGHEST).any()
    assert (top < HIGHEST).any()
