"""The law of a sum of independent Laplace variables of different scales."""

from __future__ import annotations

from math import pi
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SINGLE = 12  # the largest scales are treated one by one; the rest, each a small part, as one normal variable
_PERIOD = 48.0  # in units: what lies beyond 24 (e⁻²⁴ of the mass) is folded back by the sum below
_RARE = 5e-4  # tails below it are bounded instead: the sum is right to 1e-5
_NODES = 288
_STEPS = 60
_START = 1.05  # normal half-widths: near the root at 95 %
_EXACT = 1e-4  # of a standard deviation; as Newton's errors are squared, what is left is far smaller
_AT_ONCE = 4096  # rows


def half_width(scales: npt.ArrayLike, confidence: float) -> Floats:
    """The w with P(|Σ scale_j·X_j| ≤ w) = confidence, X_j independent standard Laplace.

    Args:
        scales: float64, shape (…, terms), ≥ 0.
        confidence: In 0 … 1.

    Returns:
        float64, shape (…); 0 where all scales are 0.
    """
    every = np.abs(np.asarray(scales, dtype=np.float64))
    shape, every = every.shape[:-1], every.reshape(-1, every.shape[-1])
    found = np.zeros(len(every))
    for start in range(0, len(every), _AT_ONCE):
        found[start : start + _AT_ONCE] = _half_widths(every[start : start + _AT_ONCE], confidence)
    return found.reshape(shape)


def tail(width: npt.ArrayLike, scales: npt.ArrayLike) -> Floats:
    """P(|Σ scale_j·X_j| > width).

    Args:
        width: float64, shape (…).
        scales: float64, shape (…, terms), the largest above 0.

    Returns:
        float64, shape (…), right to about 1e-5.
    """
    every = np.abs(np.asarray(scales, dtype=np.float64))
    wide = np.broadcast_to(np.asarray(width, dtype=np.float64), every.shape[:-1])
    top, rest = _parts(every.reshape(-1, every.shape[-1]))
    unit = _unit(top, rest)
    return _Inversion(top / unit[:, None], rest / unit).tail(wide.reshape(-1) / unit).reshape(wide.shape)


def _half_widths(scales: Floats, confidence: float) -> Floats:
    if scales.shape[1] == 2:
        return _of_two(scales, 1 - confidence)
    top, rest = _parts(scales)
    unit = _unit(top, rest)
    law = _Inversion(top / unit[:, None], rest / unit)
    outside = 1 - confidence
    found = law.half_width(outside) if outside >= _RARE else law.bound(outside)
    return np.where(top[:, 0] > 0, found * unit, 0.0)


def _of_two(scales: Floats, outside: float) -> Floats:
    """Exact at any confidence: P(|aX + bY| > t) = (a²e^(−t/a) − b²e^(−t/b))/(a² − b²).

    With a = 1 and c = 1/b − 1 it is e^(−t)·(1 − b²e^(−ct))/(1 − b²), and the density e^(−t)·(1 − be^(−ct))/(1 − b²):
    written with expm1, both stay exact where b is nearly 1. The tail is convex: Newton's steps come from the left.
    """
    unit = scales.max(axis=1)
    ratio = np.clip(scales.min(axis=1) / np.where(unit > 0, unit, 1.0), 1e-9, 1 - 1e-9)
    log, rate = np.log(ratio), 1 / ratio - 1
    whole, width = np.expm1(2 * log), np.full(len(unit), -np.log(outside))
    for _ in range(_STEPS):
        excess = np.expm1(2 * log - rate * width) / whole - outside * np.exp(width)
        change = excess * whole / np.expm1(log - rate * width)
        width = width + change
        if np.all(np.abs(change) <= 1e-12 * width):
            break
    found: Floats = width * unit
    return found


def _unit(top: Floats, rest: Floats) -> Floats:
    """The largest scale, or a quarter of the whole deviation where that is more: the law is then well inside 24."""
    unit = np.maximum(top[:, 0], _deviation(top, rest) / 4)
    return np.where(unit > 0, unit, 1.0)


def _deviation(top: Floats, rest: Floats) -> Floats:
    found: Floats = np.sqrt(2 * (top**2).sum(axis=1) + rest**2)
    return found


def _parts(scales: Floats) -> tuple[Floats, Floats]:
    """The largest scales, falling, and the standard deviation of all others together."""
    ordered = -np.sort(-scales, axis=1) if scales.shape[1] <= _SINGLE else _largest_first(scales)
    return ordered[:, :_SINGLE], np.sqrt(2 * (ordered[:, _SINGLE:] ** 2).sum(axis=1))


def _largest_first(scales: Floats) -> Floats:
    parted = -np.partition(-scales, _SINGLE, axis=1)
    parted[:, :_SINGLE] = -np.sort(-parted[:, :_SINGLE], axis=1)
    return parted


class _Inversion:
    """P(|X| > t) = 1 − (2/π)∫ sin(ut)/u·φ(u) du over u > 0 (Gil-Pelaez 1951), φ(u) = e^(−r²u²/2)·Π 1/(1 + c²u²).

    The midpoint sum with step h gives the law folded by 2π/h, exactly but for where it stops: at u = 288·2π/48, beyond
    which φ is below 1e-3 and the integral's rest below 1e-5; a single Laplace has its own formula.
    """

    def __init__(self, top: Floats, rest: Floats) -> None:
        step = 2 * pi / _PERIOD
        self._nodes = (np.arange(_NODES) + 0.5) * step
        squares = self._nodes**2
        phi = np.exp(-0.5 * rest[:, None] ** 2 * squares)
        for scale in top.T:
            phi /= 1 + scale[:, None] ** 2 * squares
        self._weights = phi * (2 / pi * step)
        self._alone = (rest == 0) & (top[:, 1:].max(axis=1, initial=0.0) < 1e-9)
        self._deviation = _deviation(top, rest)
        self._top, self._rest = top, rest

    def tail(self, width: Floats) -> Floats:
        """float64, shape (rows,)."""
        inside = (self._weights * np.sin(np.outer(width, self._nodes)) / self._nodes).sum(axis=1)
        return np.where(self._alone, np.exp(-width), np.clip(1 - inside, 0.0, 1.0))

    def half_width(self, outside: float) -> Floats:
        """Newton's steps; the tail is convex, so that they come to the root from the left."""
        width = _START * NormalDist().inv_cdf(1 - outside / 2) * self._deviation
        for _ in range(_STEPS):
            density = (self._weights * np.cos(np.outer(width, self._nodes))).sum(axis=1)
            change = (self.tail(width) - outside) / np.maximum(density, 1e-9)
            width = np.clip(width + change, width / 2, width * 2)
            if np.all(np.abs(change) <= _EXACT * self._deviation):
                break
        return np.where(self._alone, -np.log(outside), width)

    def bound(self, outside: float) -> Floats:
        """A half-width that is never too small: P(|X| > t) ≤ 2e^(−st)·E e^(sX) (Chernoff).

        At 99.999 % it is less than a third too wide.
        """
        largest = np.maximum(self._top[:, :1], 1e-12)
        s = np.linspace(0.01, 0.99, 99) / largest
        cumulant = self._rest[:, None] ** 2 * s**2 / 2
        for scale in self._top.T:
            cumulant = cumulant - np.log1p(-((scale[:, None] * s) ** 2))
        found: Floats = np.where(self._alone, -np.log(outside), ((cumulant + np.log(2 / outside)) / s).min(axis=1))
        return found
