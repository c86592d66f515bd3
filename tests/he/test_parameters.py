"""The allow-list: what is exact for how many, and which channels a total gets."""

import math
import struct

import numpy as np
import pytest
from he.ring import coefficients, key_times
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import StudyError
from privkit.he import sums
from privkit.he.contexts import SecretContext
from privkit.he.encoding import Reader
from privkit.he.objects import unpack
from privkit.he.parameters import ALLOWED, LARGEST_ERROR, choose, noise_bound
from privkit.he.structure import secret_form

ENTRIES = list(ALLOWED.values())


def test_every_plain_modulus_gives_each_slot_a_number_of_its_own():
    assert len({entry.plain_modulus for entry in ENTRIES}) == len(ENTRIES) == 8
    for entry in ENTRIES:
        assert entry.plain_modulus % (2 * entry.degree) == 1
        assert pow(3, entry.plain_modulus - 1, entry.plain_modulus) == 1


def test_the_coefficient_modulus_is_within_what_is_safe_at_128_bits():
    for entry in ENTRIES:
        assert entry.degree == 4096
        assert math.prod(entry.coefficient_moduli).bit_length() <= 109


def test_most_parties_is_the_last_number_that_the_condition_holds_for():
    for entry in ENTRIES:
        quotient = math.prod(entry.data_moduli)
        noise = noise_bound(entry.degree, entry.coefficient_moduli[-1])
        assert 2 * entry.plain_modulus * entry.most_parties * noise < quotient
        assert 2 * entry.plain_modulus * (entry.most_parties + 1) * noise >= quotient
        assert entry.most_parties >= 1000


def _noise(context, content, length):
    """The invariant noise of the first ciphertext, times q/t: own arithmetic, from the bytes."""
    parameters = context.parameters
    q, t = math.prod(parameters.data_moduli), parameters.plain_modulus
    inner = next(sums._vector(content, parameters, length).ciphertexts())
    words = np.frombuffer(inner, "<u8", offset=97).reshape(2, 2, parameters.degree)
    c0, c1 = (coefficients(words[half], parameters.data_moduli) for half in range(2))
    under_key = [(a + b) % q for a, b in zip(c0, key_times(secret(context), c1), strict=True)]
    return max(abs(((2 * t * v + q) // (2 * q)) * q - t * v) / t for v in under_key)


def secret(context):
    """The secret key's coefficients, -1, 0 or 1."""
    parameters = context.parameters
    form = secret_form(parameters.key_id, parameters.degree, parameters.coefficient_moduli)
    reader = Reader(context.to_bytes())
    reader.take(len(context.public.to_bytes()))
    inner = unpack(Reader(reader.field(b"\x1a", 2 * form.size)).field(b"\x0a", 2 * form.size), form.size)
    words = np.frombuffer(inner, "<u8", offset=len(form.head)).reshape(-1, parameters.degree)
    first = parameters.coefficient_moduli[0]
    found = coefficients(words[:1], (first,), ntt=True)
    return [value - first if value > 1 else value for value in found]


def test_the_noise_of_real_ciphertexts_is_within_the_bound(guard):
    for name in ("bfv-4096-46-1", "bfv-4096-50-2"):
        context = SecretContext.new(ALLOWED[name], guard=guard)
        parameters = context.parameters
        assert set(secret(context)) == {-1, 0, 1}
        bound = noise_bound(parameters.degree, parameters.coefficient_moduli[-1])
        rng = np.random.default_rng(11)
        values = rng.integers(0, parameters.plain_modulus, (8, parameters.degree))
        vectors = [sums.encrypt(context.public, one, guard=guard) for one in values]
        single = _noise(context, vectors[0], parameters.degree)
        total = _noise(context, sums.add(context.public, vectors, parameters.degree, guard=guard), parameters.degree)
        # Without the division by the special prime it would be near 21 * sqrt(N), twenty times as much.
        assert 10 < single < bound / 10
        assert single / 2 < total < 8 * bound


def test_a_key_with_the_largest_errors_could_not_be_noisier():
    entry = ENTRIES[0]
    everything = (2 * entry.degree + 1) * LARGEST_ERROR / entry.coefficient_moduli[-1] + (entry.degree + 1) / 2 + 1 / 2
    assert everything <= noise_bound(entry.degree, entry.coefficient_moduli[-1]) < everything + 1


@given(st.integers(0, 2**190), st.integers(1, 1000))
def test_chosen_channels_hold_the_total_and_one_fewer_would_not(highest, parties):
    chosen = choose(highest, parties)
    assert math.prod(entry.plain_modulus for entry in chosen) > 2 * highest
    assert all(entry.most_parties >= parties for entry in chosen)
    assert len(set(chosen)) == len(chosen)
    assert len(chosen) == 1 or 2 ** (50 * (len(chosen) - 1)) <= 2 * highest


@pytest.mark.parametrize(("highest", "parties"), [(2**199, 3), (2**184, 2000), (1, 20_000), (-1, 2), (5, 0)])
def test_what_does_not_fit_is_refused_with_the_numbers(highest, parties):
    with pytest.raises(StudyError) as caught:
        choose(highest, parties)
    assert str(parties) in str(caught.value)


def test_the_hash_of_the_parameters_names_every_number():
    assert len({entry.sha256 for entry in ENTRIES}) == len(ENTRIES)
    entry = ENTRIES[0]
    assert struct.unpack("<Q", entry.written()[-8:]) == (entry.plain_modulus,)
