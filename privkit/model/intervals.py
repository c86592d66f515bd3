"""Intervals of measured shares."""

from __future__ import annotations

import math

_Z = 1.959963984540054  # standard normal quantile of 97.5 %


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which stays in 0 … 1 and is not empty at its ends.

    Args:
        hits: At most `trials`.
        trials: At least 1.
    """
    share, square = hits / trials, _Z * _Z
    middle = share + square / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    whole = 1 + square / trials
    low = 0.0 if hits == 0 else max(0.0, (middle - half) / whole)
    high = 1.0 if hits == trials else min(1.0, (middle + half) / whole)
    return low, high
