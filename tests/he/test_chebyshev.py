"""The sigmoid's polynomial and its evaluation, without encryption: degree, error, levels, factors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev as numpy_chebyshev
from tenseal import sealapi

from privkit.he import chebyshev, primes
from privkit.he.circuit import Circuit, simulate
from privkit.he.ckks import ALLOWED, ScoreParameters, of_depth

DEEPEST = ALLOWED["ckks-16384-10"]
EXACT = ScoreParameters("exact", 16384, 10, 34)


@pytest.fixture
def exact(monkeypatch):
    """Simulations without errors, so that what is left is the program's own."""
    monkeypatch.setattr(ScoreParameters, "rounding_noise", 0.0)


def _program(coefficients, parameters=DEEPEST):
    circuit = Circuit(parameters)
    return circuit, chebyshev.evaluate(circuit, circuit.input, coefficients)


def _simulated(circuit, values):
    return simulate(circuit, values, 1, np.random.default_rng(0))


@pytest.mark.parametrize("name", list(ALLOWED))
def test_the_primes_are_seals_own_and_as_many_bits_as_are_safe(name):
    entry = ALLOWED[name]
    theirs = sealapi.CoeffModulus.Create(entry.degree, list(entry.bits))
    assert entry.coefficient_moduli == tuple(modulus.value() for modulus in theirs)
    assert sum(entry.bits) <= sealapi.CoeffModulus.MaxBitCount(entry.degree, sealapi.SEC_LEVEL_TYPE.TC128)


@pytest.mark.parametrize("number", [2**31 - 1, 1099511480321, 2, 97])
def test_primes(number):
    assert number == 2 or primes._passes(number, 2, *_odd(number))
    composite = number * 1_000_003
    assert not all(primes._passes(composite, base, *_odd(composite)) for base in primes._BASES)


def _odd(number):
    odd, halvings = number - 1, 0
    while odd and odd % 2 == 0:
        odd, halvings = odd // 2, halvings + 1
    return odd, halvings


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-4, 4), (-8, 3), (2, 30), (-90, 46), (-100, 100)])
def test_the_polynomial_is_as_close_as_it_says(low, high):
    coefficients, error = chebyshev.fit_sigmoid(low, high, 4e-4)
    x = np.linspace(-1, 1, 100_001)
    off = np.abs(numpy_chebyshev.chebval(x, coefficients) - 1 / (1 + np.exp(-(low + high) / 2 - (high - low) / 2 * x)))
    assert error <= 4e-4
    assert off.max() <= error
    assert off.max() >= error / 3
    fewer, _ = chebyshev.fit_sigmoid(low, high, 1e-2)
    assert len(fewer) <= len(coefficients)


def test_scores_too_far_apart_have_no_polynomial():
    assert chebyshev.fit_sigmoid(-400, 400, 1e-3) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 255), st.integers(0, 2**32 - 1), st.sampled_from(["all", "odd", "even", "few"]))
def test_any_polynomial_is_evaluated_exactly(degree, seed, which):
    numbers = np.random.default_rng(seed)
    coefficients = numbers.uniform(-1, 1, degree + 1)
    if which == "odd":
        coefficients[::2] = 0
    elif which == "even":
        coefficients[1::2] = 0
    elif which == "few":
        coefficients[numbers.random(degree + 1) < 0.8] = 0
    coefficients[-1] = 1
    circuit, value = _program([float(one) for one in coefficients])
    assert value.factor == pytest.approx(1, rel=1e-9)
    assert value.level <= np.ceil(np.log2(degree + 1)) + 2
    x = np.linspace(-1, 1, 501)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScoreParameters, "rounding_noise", 0.0)
        found = _simulated(circuit, x)
    # What is left is the rounding of constants to the scale, 2^-34, once a coefficient.
    assert np.abs(found - numpy_chebyshev.chebval(x, coefficients)).max() < 1e-4


def test_primes_that_are_not_the_scale_would_be_seen(exact):
    """The control: the same program, with a result that takes every prime for the scale, is off."""
    coefficients = np.zeros(256)
    coefficients[255] = 1
    circuit, _ = _program(list(coefficients))
    x = np.linspace(-1, 1, 501)
    wanted = numpy_chebyshev.chebval(x, coefficients)
    assert np.abs(_simulated(circuit, x) - wanted).max() < 1e-4
    circuit.correction = lambda level: 1.0
    assert np.abs(_simulated(circuit, x) - wanted).max() > 1e-3


def test_products_are_few():
    for degree, most in ((15, 8), (63, 18), (127, 25), (255, 37)):
        circuit, _ = _program([0.1] * (degree + 1))
        assert sum(name == "times" for name, _, _ in circuit.operations) <= most


def test_the_shallowest_parameters_are_taken():
    assert of_depth(1).name == "ckks-8192-1"
    assert of_depth(2).name == "ckks-16384-5"
    assert of_depth(9).depth == 9


def test_the_sigmoid_does_not_overflow():
    assert chebyshev.sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]
