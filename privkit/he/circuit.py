"""Programs over ciphertexts: what is multiplied with what, at which level, and what the errors come to.

TenSEAL divides each product by a prime near Δ and calls the result's scale Δ again, which is off by that prime's
distance from Δ. Here every value carries its factor, (what is held) / (what is meant), so the error is known exactly
and put right in the next constant; a program ends with the factor 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from privkit.he.ckks import ScoreParameters

Floats = npt.NDArray[np.float64]
Operation = tuple[str, int, float | int]


class Value(NamedTuple):
    """A value of a program.

    Attributes:
        number: Its place among the values.
        level: How many primes were divided away.
        factor: What is held in the place of 1.
    """

    number: int
    level: int
    factor: float


class Circuit:
    """A program under construction; value 0 is the weighted sum of the features, at level 1.

    Args:
        parameters: Whose primes the divisions are by.

    Attributes:
        operations: (name, number of the left operand, number of the right one or a constant), in order; each makes
            one value. Of two operands the left one has at least as many primes.
    """

    def __init__(self, parameters: ScoreParameters) -> None:
        self.parameters = parameters
        self.operations: list[Operation] = []
        self.input = Value(0, 1, 1.0)

    def product(self, left: Value, right: Value) -> Value:
        """The product."""
        left, right = sorted((left, right), key=_level)
        factor = left.factor * right.factor / self.correction(right.level)
        return self._made("times", left, right.number, right.level + 1, factor)

    def scaled(self, value: Value, constant: float, factor: float = 1.0) -> Value:
        """The product with a constant, held with a factor of choice."""
        held = constant * factor * self.correction(value.level) / value.factor
        return self._made("scaled", value, held, value.level + 1, factor)

    def plus(self, left: Value, right: Value) -> Value:
        """The sum of two values with the same factor."""
        assert math.isclose(left.factor, right.factor, rel_tol=1e-9)
        left, right = sorted((left, right), key=_level)
        return self._made("plus", left, right.number, right.level, left.factor)

    def shifted(self, value: Value, constant: float, *, in_slots: bool = False) -> Value:
        """The sum with a constant; `in_slots` only where rows are."""
        name = "shifted in its slots" if in_slots else "shifted"
        return self._made(name, value, constant * value.factor, value.level, value.factor)

    def correction(self, level: int) -> float:
        """The prime that a product at this level is divided by, over Δ."""
        return self.parameters.level_moduli(level)[-1] / self.parameters.scale

    def _made(self, name: str, left: Value, right: float | int, level: int, factor: float) -> Value:
        assert level <= self.parameters.depth
        self.operations.append((name, left.number, right))
        return Value(len(self.operations), level, factor)


def _level(value: Value) -> int:
    return value.level


def simulate(circuit: Circuit, values: Floats, features: int, generator: np.random.Generator) -> Floats:
    """What the program makes of values, with the errors that SEAL makes, in plain floats.

    Args:
        circuit: The program.
        values: float64 array (n,): the weighted sum, exact.
        features: How many ciphertexts it is the sum of.
        generator: Draws the errors; a fixed seed gives a fixed estimate.

    Returns:
        float64 array (n,).
    """
    parameters, noise = circuit.parameters, circuit.parameters.rounding_noise
    # Each feature was encrypted, which is an error times its weight, and divided by a prime, which is an error itself.
    held, levels = [values + generator.normal(0, noise * math.sqrt(features + 1), len(values))], [1]
    for name, left, right in circuit.operations:
        level = levels[left]
        if name == "times":
            level = max(level, levels[int(right)])
            # Relinearising adds an error too: the special prime makes it smaller than the division's.
            value = held[left] * held[int(right)] / circuit.correction(level)
            value, level = value + generator.normal(0, 1.5 * noise, len(values)), level + 1
        elif name == "scaled":
            value = held[left] * (round(right * parameters.scale) / parameters.scale) / circuit.correction(level)
            value, level = value + generator.normal(0, noise, len(values)), level + 1
        elif name == "plus":
            value, level = held[left] + held[int(right)], max(level, levels[int(right)])
        else:
            value = held[left] + right
        held.append(value)
        levels.append(level)
    return held[-1] + generator.normal(0, noise, len(values))  # the encryption of zero
