"""Sums of encrypted integers: exact, and refused where they would not be."""

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privkit.errors import CiphertextError, StudyError
from privkit.he import sums
from privkit.he.contexts import PublicContext, SecretContext
from privkit.he.parameters import ALLOWED


def _total(vectors, modulus):
    return np.array(sum(vector.astype(object) for vector in vectors) % modulus, dtype=np.int64)


def test_a_known_answer(context, guard):
    left = sums.encrypt(context.public, np.array([1, 2, 3], dtype=np.int64), guard=guard)
    right = sums.encrypt(context.public, np.array([10, 20, 30], dtype=np.int64), guard=guard)
    both = sums.add(context.public, [left, right], 3, guard=guard)
    assert sums.decrypt(context, both, 3, guard=guard).tolist() == [11, 22, 33]


@pytest.mark.parametrize("name", ["bfv-4096-46-4", "bfv-4096-50-1"])
@pytest.mark.parametrize(("parties", "length"), [(2, 1), (3, 78), (3, 4096), (2, 4097), (64, 5000), (3, 100_000)])
def test_sums_are_exact_to_the_last_integer(guard, name, parties, length):
    context = SecretContext.new(ALLOWED[name], guard=guard)
    modulus = context.parameters.plain_modulus
    rng = np.random.default_rng(parties * length)
    vectors = [rng.integers(0, modulus, length) for _ in range(parties)]
    encrypted = (sums.encrypt(context.public, vector, guard=guard) for vector in vectors)
    contents = list(encrypted)
    total = sums.add(context.public, contents, length, guard=guard)
    found = sums.decrypt(context, total, length, guard=guard)
    assert found.dtype == np.int64
    assert np.array_equal(found, _total(vectors, modulus))


@pytest.mark.parametrize("value", [0, 1, "half", "half + 1", "last"])
def test_the_ends_of_the_range_are_exact(context, guard, value):
    modulus = context.parameters.plain_modulus
    number = {"half": modulus // 2, "half + 1": modulus // 2 + 1, "last": modulus - 1}.get(value, value)
    vector = np.full(4096, number, dtype=np.int64)
    one = sums.encrypt(context.public, vector, guard=guard)
    assert np.array_equal(sums.decrypt(context, one, 4096, guard=guard), vector)
    many = sums.add(context.public, [one] * 100, 4096, guard=guard)
    assert np.array_equal(sums.decrypt(context, many, 4096, guard=guard), _total([vector] * 100, modulus))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_vectors_add_up(context, guard, data):
    modulus, length = context.parameters.plain_modulus, data.draw(st.integers(1, 30))
    numbers = st.lists(st.integers(0, modulus - 1), min_size=length, max_size=length)
    vectors = [np.array(one, dtype=np.int64) for one in data.draw(st.lists(numbers, min_size=1, max_size=5))]
    contents = [sums.encrypt(context.public, vector, guard=guard) for vector in vectors]
    total = sums.add(context.public, contents, length, guard=guard)
    assert np.array_equal(sums.decrypt(context, total, length, guard=guard), _total(vectors, modulus))


def test_anybody_gets_the_same_bytes_of_a_sum_in_whatever_order(context, guard):
    contents = [sums.encrypt(context.public, np.arange(5000), guard=guard) for _ in range(3)]
    assert len(set(contents)) == 3
    total = sums.add(context.public, contents, 5000, guard=guard)
    assert sums.add(context.public, iter(contents), 5000) == total
    assert sums.add(context.public, contents[::-1], 5000, guard=guard) == total
    sums.check(total, context.parameters, 5000)


def test_as_few_ciphertexts_as_fit(context, guard):
    content = sums.encrypt(context.public, np.zeros(4096, dtype=np.int64), guard=guard)
    assert len(content) / 4096 < 22
    assert len(sums.encrypt(context.public, np.zeros(4097, dtype=np.int64), guard=guard)) < 2.1 * len(content)


@pytest.mark.parametrize("value", [-1, "modulus", 2**62])
def test_a_value_that_would_be_reduced_is_refused(context, value):
    value = context.parameters.plain_modulus if value == "modulus" else value
    with pytest.raises(StudyError, match=r"1 of 3 values are outside") as caught:
        sums.encrypt(context.public, np.array([1, value, 3], dtype=np.int64))
    assert str(2**62) not in str(caught.value)


@pytest.mark.parametrize("values", [np.zeros(0, np.int64), np.zeros((2, 2), np.int64), np.zeros(3, np.float64)])
def test_what_is_no_vector_of_integers_is_refused(context, values):
    with pytest.raises(StudyError):
        sums.encrypt(context.public, values)


def test_another_length_is_refused_before_anything_is_added(context, guard):
    contents = [sums.encrypt(context.public, np.arange(n), guard=guard) for n in (5, 6)]
    with pytest.raises(CiphertextError, match=r"vector 2 of the sum: .*sizes"):
        sums.add(context.public, contents, 5, guard=guard)
    with pytest.raises(CiphertextError):
        sums.decrypt(context, contents[0], 6, guard=guard)
    with pytest.raises(CiphertextError, match="no value"):
        sums.check(contents[0], context.parameters, 0)


def test_a_sum_of_nothing_and_a_sum_of_too_many_are_refused(context, guard, monkeypatch):
    with pytest.raises(StudyError):
        sums.add(context.public, [], 5, guard=guard)
    content = sums.encrypt(context.public, np.arange(5), guard=guard)
    object.__setattr__(context.parameters, "most_parties", 3)
    try:
        with pytest.raises(StudyError, match="room for sums of 3"):
            sums.add(context.public, [content] * 4, 5, guard=guard)
    finally:
        object.__setattr__(context.parameters, "most_parties", 16367)


def test_other_parameters_are_refused(context, guard):
    other = ALLOWED["bfv-4096-46-2"]
    content = sums.encrypt(context.public, np.arange(5), guard=guard)
    with pytest.raises(CiphertextError):
        sums.check(content, other, 5)
    for make in (PublicContext.from_bytes, SecretContext.from_bytes):
        with pytest.raises(CiphertextError, match="bfv-4096-46-2"):
            make(context.public.to_bytes(), other)


def test_under_another_key_it_is_noise_which_is_why_messages_bind_the_context(context, guard):
    other = SecretContext.new(context.parameters, guard=guard)
    content = sums.encrypt(context.public, np.arange(4096), guard=guard)
    found = sums.decrypt(other, content, 4096, guard=guard)
    assert not np.array_equal(found, np.arange(4096))
    assert other.public.sha256 != context.public.sha256


def test_contexts_come_back_from_their_bytes(context, guard):
    again = SecretContext.from_bytes(context.to_bytes(), context.parameters)
    public = PublicContext.from_bytes(context.public.to_bytes(), context.parameters)
    assert again.public == public == context.public
    assert hash(public) == hash(context.public)
    assert public.sha256 == hashlib.sha256(public.to_bytes()).hexdigest()
    content = sums.encrypt(public, np.arange(7), guard=guard)
    assert sums.decrypt(again, content, 7, guard=guard).tolist() == list(range(7))
    assert not hasattr(public, "decrypt")
    with pytest.raises(TypeError, match="SecretContext"):
        sums.decrypt(public, content, 7, guard=guard)


def test_a_secret_context_is_no_public_one_nor_the_other_way_round(context):
    with pytest.raises(CiphertextError, match="something follows"):
        PublicContext.from_bytes(context.to_bytes(), context.parameters)
    with pytest.raises(CiphertextError, match="cut off"):
        SecretContext.from_bytes(context.public.to_bytes(), context.parameters)


def test_the_rooms_public_names():
    from privkit import he

    assert he.__all__ == sorted(he.__all__)
    assert he.encrypt is sums.encrypt
    assert he.SecretContext is SecretContext
    assert {name for name in he.__all__ if getattr(he, name)} <= set(dir(he))
    with pytest.raises(AttributeError, match="no attribute 'rotate'"):
        he.rotate  # noqa: B018
