"""Private keys: the threshold, its δ with OpenDP's off-by-one paid for, and which keys come out."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import COUNT, MEAN, UNITS, WARD, aggregates, planned

from privkit.dp.measurement import measure, noise_scales
from privkit.dp.noise import above, threshold_loss
from privkit.dp.plan import Aggregates
from privkit.dp.threshold import KeyThreshold, spent_by, surviving, threshold_of
from privkit.errors import QueryError

LOSS = Decimal("0.02")


def tail(scale: float, least: int) -> float:
    """P(X ≥ least) of the discrete Gaussian."""
    reach = int(45 * scale) + 5
    every = np.arange(-reach, reach + 1, dtype=float)
    return float(
        np.exp(-(np.arange(least, reach) ** 2.0) / (2 * scale**2)).sum() / np.exp(-(every**2) / (2 * scale**2)).sum()
    )


def private(**changes: object):
    return planned(COUNT, MEAN, by=WARD, **{"threshold_delta": "1e-7", **changes})


# ---- δ and ρ


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.decimals("0.001", "2", allow_nan=False, places=5),
    st.floats(-12, -3.4).map(lambda x: Decimal(repr(10**x))),
)
def test_the_exact_delta_is_paid_for_and_little_more(groups, loss, delta):
    made = private(groups=groups, threshold_delta=str(delta))
    chosen = threshold_of(made, loss)
    rho, charged = spent_by(made, chosen)
    assert charged <= Fraction(delta)
    assert rho <= Fraction(loss) * made.threshold.share
    assert rho >= Fraction(loss) * made.threshold.share * (1 - Fraction(1, 10**12))
    exact = -np.expm1(groups * np.log1p(-tail(chosen.scale, chosen.threshold - 1)))
    assert exact <= float(charged) * (1 + 1e-9)
    lower = spent_by(made, KeyThreshold(chosen.scale, chosen.threshold - 1))[1] if chosen.threshold > 2 else 1
    assert lower > Fraction(delta), "a lower threshold would do"


def test_opendp_releases_what_equals_the_threshold():
    """The reason for charging one lower; when this changes upstream, the threshold can come down by one."""
    assert above({1: 59, 2: 60, 3: 61}, 0.01, 60) == {2: 60, 3: 61}
    from privkit.dp.noise import _thresholded

    own = _thresholded(10.0, 15).map((1, 1.0, 1.0))[1]
    assert own < tail(10.0, 14), "OpenDP's own δ is enough now"
    assert threshold_loss(1, 10.0, 15)[1] >= tail(10.0, 14)


def test_known_answer():
    chosen = threshold_of(planned(UNITS, by=WARD, groups=4, threshold_delta="1e-7"), Decimal("0.02"))
    assert chosen.scale == pytest.approx(10)
    # 2 + 10·5.45 …: Φ(−5.45) = 2.5e-8, a quarter of δ
    assert chosen.threshold == 57


def test_a_delta_finer_than_floats_is_refused_from_the_declaration():
    with pytest.raises(QueryError, match="finer than OpenDP's floats"):
        noise_scales(private(threshold_delta="1e-20"), LOSS)


def test_noise_on_units_that_could_leave_64_bits_is_refused():
    with pytest.raises(QueryError, match="numbers of units"):
        threshold_of(private(), Decimal("1e-50"))


# ---- keys


def test_keys_come_out_sorted_with_their_own_statistics():
    made = planned(COUNT, by=WARD, groups=1, rows=1, threshold_delta="1e-7")
    name = made.blocks[0].vector.name
    keys = (("zoo",), ("a",), ("m",), ("few",))
    data = Aggregates(keys, {name: np.array([[3000], [1000], [2000], [1]])}, np.array([300, 100, 200, 1]))
    found = measure(made, data, Decimal(1000))
    assert found.keys == (("a",), ("m",), ("zoo",))
    assert found.noisy[name].ravel().tolist() == pytest.approx([1000, 2000, 3000], abs=2)
    assert found.units.tolist() == pytest.approx([100, 200, 300], abs=2)
    assert (found.units_scale, found.threshold) == tuple(vars(threshold_of(made, Decimal(1000))).values())
    assert set(found.scales) == {name}


def test_no_key_in_the_data_and_none_that_survives():
    made = private()
    for size in (0, 7):
        values = {b.vector.name: np.ones((size, len(b.vector.coordinates)), dtype=np.int64) for b in made.blocks}
        found = measure(made, aggregates(made, values, np.ones(size, dtype=np.int64)), LOSS)
        assert found.keys == ()
        assert found.units.shape == (0,)
        for block in made.blocks:
            assert found.noisy[block.vector.name].shape == (0, block.vector.measured_coordinates)


def test_a_key_that_nobody_counts_in_never_comes_out():
    """One unit may be the only one in any number of keys; where the bound on groups took it out, its count is 0."""
    chosen = KeyThreshold(10.0, 2)
    size = 2000
    data = Aggregates(tuple((f"k{i:05d}",) for i in range(size)), {}, np.zeros(size, dtype=np.int64))
    assert surviving(data, chosen)[0] == []
    control = Aggregates(data.keys, {}, np.ones(size, dtype=np.int64))
    assert len(surviving(control, chosen)[0]) > 500


def test_units_alone_are_measured_once():
    made = planned(UNITS, by=WARD, threshold_delta="1e-7")
    assert made.blocks == ()
    found = measure(made, Aggregates((("a",), ("b",)), {}, np.array([500, 3])), LOSS)
    assert found.keys == (("a",),)
    assert found.units.tolist() == pytest.approx([500], abs=120)
    again = measure(made, Aggregates((("a",),), {}, np.array([500])), LOSS)
    assert found.noisy == again.noisy == {}
