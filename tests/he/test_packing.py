"""Residues and back: every signed integer that a span allows."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.he.packing import Packing, Span
from privkit.he.parameters import ALLOWED

LARGE = tuple(entry.plain_modulus for entry in ALLOWED.values() if entry.plain_modulus < 2**46)[:2]
SMALL = (2097143, 2097133, 2097131)  # primes below 2^21: values of 64 bits can need all three
SETS = [moduli[:count] for moduli in (LARGE, SMALL) for count in range(1, len(moduli) + 1)]


def limit(moduli):
    """The largest value for which the moduli are enough, within 64 bits."""
    return min((prod(moduli) - 1) // 2, 2**63 - 1)


def packed_and_summed(packing, vectors):
    split = [packing.split(vector) for vector in vectors]
    return [
        (sum(parts[channel].astype(object) for parts in split) % modulus).astype(np.int64)
        for channel, modulus in enumerate(packing.moduli)
    ]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_sum_of_any_parties_comes_back(data):
    moduli = data.draw(st.sampled_from(SETS))
    most = limit(moduli)
    spans, flat = [], []
    for number in range(data.draw(st.integers(1, 4))):
        highest = data.draw(st.one_of(st.integers(0, most), st.sampled_from([0, 1, limit(moduli[:1]), most])))
        highest = highest if number else most  # a modulus that no slot needs is none of a study's
        size = data.draw(st.integers(1, 5))
        near = st.sampled_from([-highest, highest, 0, -1 if highest else 0])
        flat += data.draw(st.lists(st.one_of(st.integers(-highest, highest), near), min_size=size, max_size=size))
        spans.append(Span(size, highest))
    packing = Packing(tuple(spans), moduli)
    total = np.array(flat, dtype=np.int64)
    first = np.array([data.draw(st.integers(min(0, v), max(0, v))) for v in flat], dtype=np.int64)
    residues = packed_and_summed(packing, [first, total - first])
    assert tuple(len(part) for part in residues) == packing.lengths
    assert packing.joined(residues).tolist() == flat


@pytest.mark.parametrize("moduli", SETS)
def test_the_extremes_come_back(moduli):
    highest = limit(moduli)
    packing = Packing((Span(4, highest),), moduli)
    flat = np.array([highest, -highest, highest - 1, 1 - highest], dtype=np.int64)
    assert all((part >= 0).all() and (part < m).all() for part, m in zip(packing.split(flat), moduli, strict=True))
    assert packing.joined(packing.split(flat)).tolist() == flat.tolist()


def test_as_few_residues_as_are_enough():
    one, two, three = (limit(SMALL[:count]) for count in (1, 2, 3))
    packing = Packing((Span(3, one), Span(5, one + 1), Span(7, 0), Span(2, two), Span(1, two + 1)), SMALL)
    assert [packing.residues(span) for span in packing.spans] == [1, 2, 1, 2, 3]
    assert packing.lengths == (18, 8, 1)
    assert [len(part) for part in packing.split(np.full(18, one))] == [18, 8, 1]
    assert packing.residues(Span(1, three)) == 3


@pytest.mark.parametrize("moduli", SETS)
def test_a_span_that_fits_no_moduli_is_refused(moduli):
    highest = (prod(moduli) - 1) // 2
    Packing((Span(1, highest),), moduli)
    with pytest.raises(AssertionError, match="does not fit"):
        Packing((Span(1, 1), Span(1, highest + 1)), moduli)


def test_what_is_beyond_64_bits_is_an_error_and_no_other_number():
    packing = Packing((Span(1, 2**70),), LARGE)
    residues = [np.array([2**65 % modulus], dtype=np.int64) for modulus in LARGE]
    with pytest.raises(OverflowError):
        packing.joined(residues)
