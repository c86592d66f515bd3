"""Units of a private group: their noisy number is seen only where it reached a threshold."""

from __future__ import annotations

from collections.abc import Callable
from math import erfc, log, sqrt

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate.shown import Intervals
from privkit.dp.vectors import Integers

Floats = npt.NDArray[np.float64]

_HALVINGS = 60
_REACH = 40.0  # standard deviations below the threshold at which the search for an end stops


def above_threshold(noisy: Integers, scale: float, threshold: int, most: int, confidence: float) -> Intervals:
    """Intervals that hold among the groups that appear: tests of u given that its noisy number reached the threshold.

    With X = u + noise, u is kept unless P(X ≥ x | X ≥ threshold) or P(X ≤ x | X ≥ threshold) is below half the miss
    rate (Gaussian noise, to half an integer). A group just above the threshold says little about u, and its interval is
    long downwards; far above it this is the usual interval. Where all of it is below x it is drawn out to x, which is
    shown as it was drawn. A group that appears has at least one unit.

    Args:
        noisy: int64, shape (groups,), each at least `threshold`.
        scale: σ of the noise.
        threshold: The lowest number that appears.
        most: What u cannot exceed by declaration.
        confidence: Of the interval.
    """
    side, seen = (1 - confidence) / 2, noisy.astype(np.float64)
    edge = threshold - 0.5

    def kept_above(u: float, x: float) -> float:
        return _log_survival((x - 0.5 - u) / scale) - _log_survival((edge - u) / scale) - log(side)

    def kept_below(u: float, x: float) -> float:
        return _log_survival((x + 0.5 - u) / scale) - _log_survival((edge - u) / scale) - log(1 - side)

    lows = {x: _crossing(kept_above, x, edge - _REACH * scale, x) for x in set(seen.tolist())}
    highs = {x: _crossing(kept_below, x, edge - _REACH * scale, x + _REACH * scale) for x in lows}
    low, high = (np.array([ends[x] for x in seen.tolist()]) for ends in (lows, highs))
    return Intervals(seen, np.clip(low, 1, most), np.clip(np.maximum(high, seen), 1, most))


def _crossing(rising: Callable[[float, float], float], x: float, low: float, high: float) -> float:
    """Where a rising function of u crosses 0."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle, x) >= 0 else (middle, high)
    return (low + high) / 2


def _log_survival(z: float) -> float:
    """The logarithm of P(Z > z); beyond z = 30 by its asymptotic series."""
    if z < 30:
        return log(erfc(z / sqrt(2)) / 2)
    return -z * z / 2 - log(z * sqrt(2 * np.pi)) + log(1 - 1 / z**2 + 3 / z**4)
