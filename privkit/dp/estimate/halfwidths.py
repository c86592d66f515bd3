"""Half-widths of sums of independent noises: the numbers a wide interval is made of."""

from __future__ import annotations

from math import ceil, exp, log, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from privkit.dp.estimate import laplace
from privkit.model.dataset import Measure

Floats = npt.NDArray[np.float64]

_LATTICE = 50.0  # scales below are summed integer by integer; above, the continuous law is within 1e-4 of the discrete


def normal_quantile(confidence: float) -> float:
    """The z with P(|Z| ≤ z) = confidence."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def deviation(scale: float, measure: Measure) -> float:
    """Standard deviation of noise of this scale: σ of the Gaussian, √2·b of the Laplace."""
    return scale if measure == "zcdp" else sqrt(2) * scale


def half_width(scales: npt.ArrayLike, measure: Measure, confidence: float) -> Floats:
    """The w with P(|Σ noise_j| ≤ w) = confidence, for continuous noises of these scales.

    Args:
        scales: float64, shape (…, terms); their signs do not matter.
        measure: zcdp for normal noise (exact), pure for Laplace noise (see `laplace.half_width`).
        confidence: In 0 … 1.

    Returns:
        float64, shape (…).
    """
    if measure == "pure":
        return laplace.half_width(scales, confidence)
    found: Floats = normal_quantile(confidence) * np.sqrt((np.asarray(scales, dtype=np.float64) ** 2).sum(axis=-1))
    return found


def integer_half_width(scale: float, measure: Measure, confidence: float, terms: int = 1) -> int:
    """The smallest integer w with P(|Σ noise| ≤ w) ≥ confidence, for `terms` discrete noises of one scale.

    One Laplace: P(|X| > w) = 2e^(−(w + 1)/b)/(1 + e^(−1/b)).
    """
    if terms == 1 and measure == "pure":
        return max(0, ceil(-scale * log((1 - confidence) * (1 + exp(-1 / scale)) / 2) - 1 - 1e-9))
    if scale * sqrt(terms) > _LATTICE:
        return ceil(float(half_width(np.full(terms, scale), measure, confidence)))
    law = _masses(scale, measure)
    whole = law
    for _ in range(terms - 1):
        whole = np.convolve(whole, law)
    middle = len(whole) // 2
    within = whole[middle] + 2 * np.cumsum(np.concatenate([[0.0], whole[middle + 1 :]]))
    return int(np.searchsorted(within, confidence - 1e-12))


def _masses(scale: float, measure: Measure) -> Floats:
    """Probabilities of the discrete law around 0: ∝ e^(−k²/2σ²) or ∝ e^(−|k|/b)."""
    reach = ceil((12 if measure == "zcdp" else 40) * scale) + 2
    index = np.arange(-reach, reach + 1)
    masses = np.exp(-(index**2) / (2 * scale**2)) if measure == "zcdp" else np.exp(-np.abs(index) / scale)
    found: Floats = masses / masses.sum()
    return found
