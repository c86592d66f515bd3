"""Scores under encryption: right, within their stated errors, silent in every other slot, and strict about bytes."""

import os
import pickle
import random
import struct

import numpy as np
import pytest
from he.mutations import mutated
from numpy.polynomial import chebyshev as numpy_chebyshev

from privkit.errors import CiphertextError
from privkit.he import chebyshev, requests, scores, structure
from privkit.he.circuit import Circuit, simulate
from privkit.he.ckks import ALLOWED, of_depth
from privkit.he.guarded import Guard
from privkit.he.scorekeys import PublicScoreKey, SecretScoreKey

MUTATIONS = int(os.environ.get("PRIVKIT_FUZZ", "4000"))
SEED = os.environ.get("PRIVKIT_FUZZ_SEED", "1")
SHALLOW = ALLOWED["ckks-8192-1"]


@pytest.fixture(scope="module")
def guard():
    with Guard() as child:
        yield child


@pytest.fixture(scope="module")
def key(guard):
    return SecretScoreKey.new(SHALLOW, guard=guard)


@pytest.fixture(scope="module")
def public(key, guard):
    return key.publish(guard=guard)


def _linear(bias, parameters=SHALLOW):
    circuit = Circuit(parameters)
    circuit.shifted(circuit.input, bias, in_slots=True)
    return circuit


def _columns(key, rows, guard):
    return list(scores.encrypt_columns(key, rows, guard=guard))


def test_a_known_answer(key, public, guard):
    rows = np.array([[0.5, -0.25], [1.0, 1.0], [-1.0, 0.125]])
    columns = _columns(key, rows, guard)
    answer = scores.evaluate(public, iter(columns), [0.5, -0.25], _linear(0.125), 3, guard=guard)
    found = scores.decrypt(key, answer, 3, 1, guard=guard)
    assert np.allclose(found, [0.4375, 0.375, -0.40625], atol=1e-7)


@pytest.mark.parametrize("rows", [1, 700, 4096])
def test_linear_scores_are_within_the_simulated_error(key, public, guard, rows):
    numbers = np.random.default_rng(rows)
    table, weights = numbers.uniform(-1, 1, (rows, 30)), numbers.uniform(-1 / 30, 1 / 30, 30)
    answer = scores.evaluate(public, iter(_columns(key, table, guard)), weights, _linear(0.1), rows, guard=guard)
    found = scores.decrypt(key, answer, rows, 1, guard=guard)
    exact = table @ weights + 0.1
    simulated = simulate(_linear(0.1), np.linspace(-1, 1, 4096), 30, np.random.default_rng(0))
    assert np.abs(found - exact).max() < 2 * np.abs(simulated - np.linspace(-1, 1, 4096) - 0.1).max()
    assert np.abs(found - exact).max() < 1e-6


@pytest.mark.parametrize(("low", "high"), [(-6, 5), (-100, 100)])
def test_probabilities_are_within_the_simulated_error(guard, low, high):
    coefficients, error = chebyshev.fit_sigmoid(low, high, 4e-4)
    deepest = Circuit(of_depth(10))
    parameters = of_depth(chebyshev.evaluate(deepest, deepest.input, coefficients).level)
    circuit = Circuit(parameters)
    level = chebyshev.evaluate(circuit, circuit.input, coefficients).level
    key = SecretScoreKey.new(parameters, guard=guard)
    table = np.linspace(-1, 1, 8192)[:, None]
    columns = _columns(key, table, guard)
    answer = scores.evaluate(key.publish(guard=guard), iter(columns), [1.0], circuit, 8192, guard=guard)
    found = scores.decrypt(key, answer, 8192, level, guard=guard)
    exact = numpy_chebyshev.chebval(table[:, 0], coefficients)
    simulated = np.abs(simulate(circuit, table[:, 0], 1, np.random.default_rng(0)) - exact).max()
    off = np.abs(found - exact).max()
    assert simulated / 8 < off < 2 * simulated
    true = chebyshev.sigmoid((low + high) / 2 + (high - low) / 2 * table[:, 0])
    assert np.abs(found - true).max() < error + 2 * simulated < 1e-3


def _all_slots(key, answer, rows, level, guard):
    """The answer read as one that fills every slot."""
    form = key.parameters.form(level)
    tail = b"\x19" + struct.pack("<d", key.parameters.scale)
    packed = structure.read_vector(answer, form, rows, key.parameters.slots, tail).packed
    whole = structure.write_vector(packed, key.parameters.slots, key.parameters.slots, tail)
    return scores.decrypt(key, whole, key.parameters.slots, level, guard=guard)


def test_other_slots_hold_nothing_of_the_model(key, public, guard):
    """A client that fills the slots beyond its rows is told nothing of them: one answer is not 4,096."""
    numbers = np.random.default_rng(3)
    table, weights = numbers.uniform(-1, 1, (4096, 5)), [0.2, -0.1, 0.3, 0.05, -0.3]
    full = _columns(key, table, guard)
    tail = b"\x19" + struct.pack("<d", SHALLOW.scale)
    claimed = [
        structure.write_vector(structure.read_vector(one, SHALLOW.form(0), 4096, 4096, tail).packed, 2, 4096, tail)
        for one in full
    ]
    answer = scores.evaluate(public, iter(claimed), weights, _linear(0.1), 2, guard=guard)
    slots = _all_slots(key, answer, 2, 1, guard)
    assert np.allclose(slots[:2], table[:2] @ weights + 0.1, atol=1e-6)
    assert np.abs(slots[2:]).max() < 1e-6
    # The control: asked for as rows, they are all answered.
    whole = scores.evaluate(public, iter(full), weights, _linear(0.1), 4096, guard=guard)
    assert np.allclose(_all_slots(key, whole, 4096, 1, guard), table @ weights + 0.1, atol=1e-6)


def test_a_polynomial_says_the_same_in_every_other_slot(guard):
    parameters = ALLOWED["ckks-16384-5"]
    circuit, coefficients = Circuit(parameters), [0.5, 0.25, 0.0, -0.05]
    value = chebyshev.evaluate(circuit, circuit.shifted(circuit.input, 0.3, in_slots=True), coefficients)
    key = SecretScoreKey.new(parameters, guard=guard)
    columns = _columns(key, np.array([[0.5], [-0.5]]), guard)
    answer = scores.evaluate(key.publish(guard=guard), iter(columns), [0.5], circuit, 2, guard=guard)
    slots = _all_slots(key, answer, 2, value.level, guard)
    assert np.allclose(slots[:2], numpy_chebyshev.chebval([0.55, 0.05], coefficients), atol=1e-6)
    assert np.allclose(slots[2:], 0.5, atol=1e-6)


def test_the_answer_is_no_plain_combination_of_what_was_sent(key, public, guard):
    """Without fresh randomness, equal questions have equal answers, and the weights are a linear equation away."""
    columns = _columns(key, np.full((4, 2), 0.5), guard)
    first, second = (
        scores.evaluate(public, iter(columns), [0.5, 0.25], _linear(0.0), 4, guard=guard) for _ in range(2)
    )
    assert first != second
    assert np.allclose(*(scores.decrypt(key, one, 4, 1, guard=guard) for one in (first, second)), atol=1e-6)


def test_only_the_keys_that_a_program_needs_are_made(key, public, guard):
    assert public._keys.relin is None
    deep = SecretScoreKey.new(ALLOWED["ckks-16384-5"], guard=guard).publish(guard=guard)
    assert deep._keys.relin is not None
    # Nothing follows the relinearisation keys: no Galois keys, in either; the reader refuses any.
    for one in (public, deep):
        content = one.to_bytes()
        with pytest.raises(CiphertextError):
            PublicScoreKey.from_bytes(content + b"\x2a\x00", one.parameters)
    assert len(public.to_bytes()) < 400_000


def test_weights_too_small_for_the_scale_are_left_out(key, public, guard):
    columns = _columns(key, np.ones((3, 3)), guard)
    answer = scores.evaluate(public, iter(columns), [0.5, 1e-20, 0.0], _linear(0.0), 3, guard=guard)
    assert np.allclose(scores.decrypt(key, answer, 3, 1, guard=guard), 0.5, atol=1e-7)


def test_keys_come_back_from_their_bytes_and_are_not_pickled(key, public):
    again = SecretScoreKey.from_bytes(key.to_bytes(), SHALLOW)
    assert again.id == key.id == public.id == PublicScoreKey.from_bytes(public.to_bytes(), SHALLOW).id
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    for one in (key, public):
        assert len(repr(one)) < 200
        assert key.to_bytes()[-200:].hex()[:30] not in repr(one)
    for kind in (SecretScoreKey, PublicScoreKey):
        with pytest.raises(TypeError, match="from_bytes"):
            kind()
    with pytest.raises(CiphertextError):
        PublicScoreKey.from_bytes(key.to_bytes(), SHALLOW)


@pytest.mark.parametrize(("length", "level"), [(4, 0), (2, 0), (4096, 0), (3, 1), (0, 0), (5000, 0)])
def test_another_length_or_level_is_refused(key, guard, length, level):
    (column,) = _columns(key, np.ones((3, 1)), guard)
    scores.check(column, SHALLOW, 3, 0)
    with pytest.raises(CiphertextError):
        scores.check(column, SHALLOW, length, level)


def test_another_scale_is_refused(key, guard):
    (column,) = _columns(key, np.ones((3, 1)), guard)
    for scale in (2.0**39, 0.0, float("nan"), -(2.0**40), float("inf")):
        with pytest.raises(CiphertextError, match="end"):
            scores.check(column[:-8] + struct.pack("<d", scale), SHALLOW, 3, 0)


@pytest.mark.timeout(max(600, MUTATIONS // 20))
def test_mutated_columns_and_answers(key, public, guard):
    columns = _columns(key, np.ones((3, 2)), guard)
    answer = scores.evaluate(public, iter(columns), [0.5, 0.5], _linear(0.0), 3, guard=guard)
    numbers, blamed = random.Random(f"scores {SEED}"), []
    for _ in range(MUTATIONS // 4):
        if numbers.random() < 0.5:
            try:
                bad = mutated(columns[0], numbers)
                found = scores.evaluate(public, iter([bad, columns[1]]), [0.5, 0.5], _linear(0.0), 3, guard=guard)
            except CiphertextError as err:
                blamed.append(err.message)
                continue
            scores.check(found, SHALLOW, 3, 1)
        else:
            try:
                found = scores.decrypt(key, mutated(answer, numbers), 3, 1, guard=guard)
            except CiphertextError as err:
                blamed.append(err.message)
                continue
            assert found.shape == (3,)
    assert not [message for message in blamed if "passed every check" in message]


@pytest.mark.timeout(max(600, MUTATIONS // 20))
@pytest.mark.parametrize("name", ["ckks-8192-1", "ckks-16384-5"])
def test_mutated_public_keys(guard, name):
    key = SecretScoreKey.new(ALLOWED[name], guard=guard)
    good, numbers = key.publish(guard=guard).to_bytes(), random.Random(f"{name} {SEED}")
    for _ in range(MUTATIONS // (8 if name == "ckks-8192-1" else 80)):
        try:
            found = PublicScoreKey.from_bytes(mutated(good, numbers), ALLOWED[name])
        except CiphertextError:
            continue
        guard.load(found)


def test_an_operation_that_there_is_not_is_refused(key, public, guard):
    (column,) = _columns(key, np.ones((3, 1)), guard)
    circuit = _linear(0.0)
    circuit.operations.append(("exec", 0, 0))
    with pytest.raises(CiphertextError):
        scores.evaluate(public, iter([column]), [0.5], circuit, 3, guard=guard)
    guard.load(public)
    with pytest.raises(CiphertextError):
        guard.ask(requests.RUN, b"[]")  # without a weighted sum
