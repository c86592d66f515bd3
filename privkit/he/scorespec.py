"""From a model to its specification and its program: depth, parameters and precision, before anything is encrypted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from privkit.errors import ScoringError
from privkit.he import chebyshev
from privkit.he.circuit import Circuit, simulate
from privkit.he.ckks import ALLOWED, ScoreParameters, of_depth
from privkit.model.scoring import Feature, ScoringModel, ScoringSpec

_POLYNOMIAL_SHARE = 0.4  # of the tolerance; what is left is for the encryption's errors
_SAFETY = 2.0  # above the largest of the simulated errors
_SIMULATED = 4096
_ESTIMATES = {"polynomial_error", "precision"}  # may differ in the last digit between machines


@dataclass(frozen=True)
class Compiled:
    """What a model's owner runs.

    Attributes:
        spec: What clients are told.
        weights: One a feature, for features mapped to ±1; the sum of their absolute values is at most 1.
        circuit: The program over the weighted sum.
    """

    spec: ScoringSpec
    weights: tuple[float, ...]
    circuit: Circuit


def compile_model(model: ScoringModel) -> Compiled:
    """Chooses the parameters for a model and writes its program.

    Each feature is mapped from its range to ±1, and the score from [low, high], which no row within the ranges can
    leave, to ±1 too: so every number that is encrypted is of the same size, and the errors are known beforehand.

    Args:
        model: The model.

    Raises:
        ScoringError: Its log-odds can be so far apart that no polynomial of the allowed depth is within the tolerance.
    """
    low, high = _outwards(model.middle - model.reach, model.middle + model.reach)
    coefficients, error = _polynomial(model, low, high)
    spec = ScoringSpec(
        name=model.name,
        output=model.output,
        features=tuple(Feature(name=one.name, low=one.low, high=one.high) for one in model.features),
        low=low,
        high=high,
        degree=max(1, len(coefficients) - 1),
        polynomial_error=error,
        precision=1.0,
        level=1,
        parameters="",
    )
    bias = (model.middle - spec.middle) / spec.half
    parameters, level = _parameters(coefficients, bias)
    circuit, _ = _program(parameters, coefficients, bias)
    spec = spec.model_copy(update={"level": level, "parameters": parameters.name})
    precision = error + _SAFETY * _encryption_error(circuit, coefficients, bias, spec)
    if model.output == "probability" and precision > model.tolerance:
        raise _too_far_apart(model, low, high)
    weights = tuple(one.coefficient * one.half / spec.half for one in model.features)
    return Compiled(spec.model_copy(update={"precision": _up(precision)}), weights, circuit)


def parameters_of(spec: ScoringSpec) -> ScoreParameters:
    """The parameters that a specification names.

    Raises:
        ScoringError: The allow-list has none of that name, or they do not reach the level.
    """
    entry = ALLOWED.get(spec.parameters)
    if entry is None or spec.level > entry.depth:
        raise ScoringError(f"the specification's parameters {spec.parameters!r} are not known here, or not deep enough")
    return entry


def same(left: ScoringSpec, right: ScoringSpec) -> bool:
    """Whether two specifications are of the same computation; estimates of its errors may differ."""
    return left.model_dump(exclude=_ESTIMATES) == right.model_dump(exclude=_ESTIMATES)


def _polynomial(model: ScoringModel, low: float, high: float) -> tuple[list[float], float]:
    """The polynomial in the Chebyshev basis and its error; none for a score as it is."""
    if model.output != "probability":
        return [], 0.0
    fitted = chebyshev.fit_sigmoid(low, high, _POLYNOMIAL_SHARE * model.tolerance)
    if fitted is None:
        raise _too_far_apart(model, low, high)
    coefficients, error = fitted
    return coefficients, _up(error)


def _parameters(coefficients: list[float], bias: float) -> tuple[ScoreParameters, int]:
    """The shallowest parameters that the program fits, and the level that it ends at."""
    _, level = _program(of_depth(max(entry.depth for entry in ALLOWED.values())), coefficients, bias)
    return of_depth(level), level


def _program(parameters: ScoreParameters, coefficients: list[float], bias: float) -> tuple[Circuit, int]:
    circuit = Circuit(parameters)
    value = circuit.shifted(circuit.input, bias, in_slots=True)
    if coefficients:
        value = chebyshev.evaluate(circuit, value, coefficients)
    return circuit, value.level


def _encryption_error(circuit: Circuit, coefficients: list[float], bias: float, spec: ScoringSpec) -> float:
    """The largest error, in the output's unit, of simulated encryptions of scores all over the range."""
    scores = np.linspace(-1, 1, _SIMULATED)
    found = simulate(circuit, scores - bias, len(spec.features), np.random.default_rng(0))
    if coefficients:
        return float(np.abs(found - np.polynomial.chebyshev.chebval(scores, coefficients)).max())
    return float(np.abs(found - scores).max()) * spec.half


def _outwards(low: float, high: float) -> tuple[float, float]:
    """Both ends to two digits of the larger one, away from each other."""
    place = math.floor(math.log10(max(abs(low), abs(high)))) - 1
    lowest = math.floor(low / 10.0**place)
    return _at(lowest, place), _at(max(math.ceil(high / 10.0**place), lowest + 1), place)


def _up(error: float) -> float:
    """To two digits, upwards."""
    place = math.floor(math.log10(error)) - 1
    return _at(math.ceil(error / 10.0**place), place)


def _at(digits: int, place: int) -> float:
    """The float that is written so: a product would be off in its last digit."""
    return float(f"{digits}e{place}")


def _too_far_apart(model: ScoringModel, low: float, high: float) -> ScoringError:
    return ScoringError(
        f"the log-odds of rows within the ranges lie anywhere from {low:g} to {high:g}: no polynomial of degree up to"
        f" {chebyshev.HIGHEST_DEGREE} gives their probability within {model.tolerance:g}",
        hint='Narrow the ranges, allow a larger tolerance, or ask for "log-odds", which take no polynomial.',
    )
