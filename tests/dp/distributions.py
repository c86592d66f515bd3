"""Exact probabilities of noise, and whether draws follow them."""

from __future__ import annotations

import numpy as np
from scipy import stats


def chi_square(draws: np.ndarray, pmf: np.ndarray, reach: int) -> float:
    """p-value of `draws` against probabilities of −reach … reach, tails pooled until each cell expects 20."""
    seen = np.bincount(np.clip(draws, -reach, reach) + reach, minlength=2 * reach + 1)
    expected = pmf * len(draws)
    first = int(np.argmax(np.cumsum(expected) >= 20))
    inner = slice(first, 2 * reach + 1 - first)
    pooled = [np.concatenate([[c[:first].sum()], c[inner], [c[inner.stop :].sum()]]) for c in (seen, expected)]
    return float(stats.chisquare(pooled[0], pooled[1] * pooled[0].sum() / pooled[1].sum()).pvalue)


def exact_pmf(kind: str, scale: float, reach: int) -> np.ndarray:
    """Probabilities of −reach … reach."""
    at = np.arange(-reach, reach + 1, dtype=float)
    raw = np.exp(-(at**2) / (2 * scale**2)) if kind == "zcdp" else np.exp(-np.abs(at) / scale)
    return raw / raw.sum()
