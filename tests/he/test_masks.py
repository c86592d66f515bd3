"""Masks: the same numbers however many are taken at once, and uniform also where many words are rejected."""

import numpy as np
import pytest
from scipy import stats

from privkit.he import masks

SEED = bytes(range(32))
HALF_REJECTED = 2**45 + 1


@pytest.mark.parametrize("modulus", [2, 65537, HALF_REJECTED, 70368743669761, 2**62])
def test_a_mask_does_not_depend_on_how_the_stream_is_cut(modulus, monkeypatch):
    whole = masks.mask(SEED, modulus, 70_000)
    assert np.array_equal(masks.mask(SEED, modulus, 1_000), whole[:1_000])
    monkeypatch.setattr(masks, "_AT_ONCE", 7)
    assert np.array_equal(masks.mask(SEED, modulus, 1_000), whole[:1_000])
    assert whole.min() >= 0
    assert whole.max() < modulus
    assert np.any(masks.mask(bytes(32), modulus, 1_000) != whole[:1_000])


def test_a_mask_is_uniform_where_half_of_the_words_are_rejected():
    found = masks.mask(SEED, HALF_REJECTED, 200_000)
    counts = np.bincount(found * 64 // HALF_REJECTED, minlength=64)
    assert stats.chisquare(counts).pvalue > 1e-6  # the seed is fixed: no false alarms


@pytest.mark.parametrize("modulus", [70368743669761, 1125899906826241, 2**62])
def test_masks_cancel(modulus):
    values = np.array([0, 1, modulus - 1, modulus // 2])
    seeds = [bytes([number]) * 32 for number in range(3)]
    first = masks.masked(values, modulus, added=seeds[:2], subtracted=[])
    second = masks.masked(values, modulus, added=seeds[2:], subtracted=seeds[:1])
    third = masks.masked(values, modulus, added=[], subtracted=seeds[1:])
    total = sum(one.astype(object) for one in (first, second, third)) % modulus
    assert list(total) == [int(value) * 3 % modulus for value in values]
