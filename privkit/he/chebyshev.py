"""Polynomials in the Chebyshev basis: one that is close to the sigmoid, and how to evaluate it in few products.

The monomial basis would lose all digits at the degrees that wide ranges need; T_0, T_1, … stay within ±1 on [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from privkit.he.circuit import Circuit, Value

Floats = npt.NDArray[np.float64]
HIGHEST_DEGREE = 255
_POINTS = 64  # a degree; between neighbouring points a polynomial's error grows by less than 1 in 3,000


def sigmoid(scores: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    exponential = np.exp(-np.abs(scores))
    result: Floats = np.where(scores >= 0, 1.0, exponential) / (1 + exponential)
    return result


def fit_sigmoid(low: float, high: float, error: float) -> tuple[list[float], float] | None:
    """The polynomial of least degree that is within `error` of the sigmoid between two scores.

    It interpolates at Chebyshev's points, which comes within a small factor of the best polynomial of its degree
    (Trefethen, Approximation Theory and Approximation Practice, chapter 16).

    Args:
        low: Lowest score.
        high: Highest score, above it.
        error: Largest absolute difference.

    Returns:
        Coefficients in the Chebyshev basis over [low, high] mapped to [-1, 1], and the largest difference found on
        a grid that is fine enough, rounded up; None where degree 255 is not enough.
    """
    middle, half = (low + high) / 2, (high - low) / 2
    grid = np.cos(np.linspace(0, np.pi, _POINTS * HIGHEST_DEGREE))
    wanted = sigmoid(middle + half * grid)
    for degree in range(3, HIGHEST_DEGREE + 1, 2):
        points = chebyshev.chebpts1(degree + 1)
        coefficients = _interpolated(sigmoid(middle + half * points), points)
        found = 1.001 * float(np.abs(chebyshev.chebval(grid, coefficients) - wanted).max())
        if found <= error:
            return [float(one) for one in coefficients], found
    return None


def _interpolated(values: Floats, points: Floats) -> Floats:
    """Coefficients of the polynomial through values at Chebyshev's points: discrete orthogonality of T_0, T_1, …"""
    coefficients: Floats = chebyshev.chebvander(points, len(points) - 1).T @ values * (2 / len(points))
    coefficients[0] /= 2
    return coefficients


def evaluate(circuit: Circuit, x: Value, coefficients: Sequence[float]) -> Value:
    """Adds the evaluation of a polynomial to a program: Paterson and Stockmeyer's way in the Chebyshev basis.

    T_1 … T_{k-1} are made once, and T_k, T_2k, T_4k, …. A polynomial of degree below 2g is q·T_g + r with q and r of
    degree below g, and so on down to degrees below k, which are sums of constants times T_1 … T_{k-1} (Chen, Chillotti
    and Song, Eurocrypt 2019, section 4).

    Args:
        circuit: The program.
        x: The argument, within ±1.
        coefficients: In the Chebyshev basis, of degree 3 to 255.

    Returns:
        The value, with the factor 1.
    """
    return _Evaluation(circuit, x, len(coefficients) - 1).value(list(coefficients), 1.0)


class _Evaluation:
    """One polynomial's evaluation: the Chebyshev polynomials of x that exist so far."""

    def __init__(self, circuit: Circuit, x: Value, degree: int) -> None:
        self._circuit = circuit
        self._made = {1: x}
        self._negligible = 4 / circuit.parameters.scale
        halvings = math.ceil(math.log2(degree + 1))
        self._small = 1 << max(2, halvings // 2)

    def value(self, coefficients: list[float], factor: float) -> Value:
        if len(coefficients) <= self._small:
            return self._leaf(coefficients, factor)
        giant = self._giant(coefficients)
        quotient, rest = _divided(coefficients, giant)
        turned = self._polynomial(giant)
        if not self._significant(quotient):
            product = self._circuit.scaled(turned, quotient[0], factor)
        else:
            level = max(self._level(quotient), turned.level)
            wanted = factor * self._circuit.correction(level) / turned.factor
            product = self._circuit.product(self.value(quotient, wanted), turned)
        return self._with_rest(product, rest)

    def _with_rest(self, product: Value, rest: list[float]) -> Value:
        if not self._significant(rest):
            return self._circuit.shifted(product, rest[0])
        return self._circuit.plus(product, self.value(rest, product.factor))

    def _leaf(self, coefficients: list[float], factor: float) -> Value:
        terms = [self._circuit.scaled(self._polynomial(i), coefficients[i], factor) for i in self._terms(coefficients)]
        total = terms[0]
        for term in terms[1:]:
            total = self._circuit.plus(total, term)
        return self._circuit.shifted(total, coefficients[0])

    def _terms(self, coefficients: list[float]) -> list[int]:
        return [i for i in range(1, len(coefficients)) if abs(coefficients[i]) > self._negligible]

    def _significant(self, coefficients: list[float]) -> bool:
        return bool(self._terms(coefficients))

    def _giant(self, coefficients: list[float]) -> int:
        giant = self._small
        while 2 * giant < len(coefficients):
            giant *= 2
        return giant

    def _level(self, coefficients: list[float]) -> int:
        """The level that `value` will come out at."""
        if len(coefficients) <= self._small:
            return 1 + max(self._polynomial(i).level for i in self._terms(coefficients))
        giant = self._giant(coefficients)
        quotient, rest = _divided(coefficients, giant)
        level = self._polynomial(giant).level
        if self._significant(quotient):
            level = max(level, self._level(quotient))
        return max(level + 1, self._level(rest) if self._significant(rest) else 0)

    def _polynomial(self, number: int) -> Value:
        """T_number(x), by T_{a+b} = 2·T_a·T_b - T_{a-b} with a and b as equal as can be."""
        if number not in self._made:
            a, b = (number + 1) // 2, number // 2
            left, right = self._polynomial(a), self._polynomial(b)
            difference = None if a == b else self._polynomial(a - b)
            product = self._circuit.product(left, right)
            doubled = self._circuit.plus(product, product)
            if difference is None:
                self._made[number] = self._circuit.shifted(doubled, -1.0)
            else:
                taken = self._circuit.scaled(difference, -1.0, doubled.factor)
                self._made[number] = self._circuit.plus(doubled, taken)
        return self._made[number]


def _divided(coefficients: list[float], giant: int) -> tuple[list[float], list[float]]:
    """Q and r with q·T_g + r = p; from 2·T_g·T_i = T_{g+i} + T_{g-i}."""
    rest = coefficients[:giant]
    quotient = [coefficients[giant]] + [2 * one for one in coefficients[giant + 1 :]]
    for i, one in enumerate(coefficients[giant + 1 :], 1):
        rest[giant - i] -= one
    return quotient, rest
