"""Rows and scores in their units, and as they are encrypted: within ±1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from privkit.errors import CiphertextError, ScoringError
from privkit.model.scoring import ScoringSpec

Floats = npt.NDArray[np.float64]
_TOO_FAR = 10  # times the precision: what no error of the encryption explains


def within_ranges(table: Floats, spec: ScoringSpec) -> Floats:
    """The rows with each feature's range mapped to ±1.

    Args:
        table: float64 array (rows, features), finite.
        spec: Whose features they are.

    Raises:
        ScoringError: Values are outside; the message names the columns and how many.
    """
    outside = [
        (feature.name, int(np.count_nonzero((column < feature.low) | (column > feature.high))))
        for feature, column in zip(spec.features, table.T, strict=True)
    ]
    told = [f"{name} ({count})" for name, count in outside if count]
    if told:
        raise ScoringError(
            f"values outside the ranges that the model declares, by column: {', '.join(told)}",
            hint="The polynomial and the precision hold within the ranges alone. Leave those rows out.",
        )
    middle = np.array([feature.middle for feature in spec.features])
    half = np.array([feature.half for feature in spec.features])
    mapped: Floats = np.clip((table - middle) / half, -1, 1)
    return mapped


def in_units(values: Floats, spec: ScoringSpec) -> Floats:
    """Decrypted numbers as scores.

    Raises:
        CiphertextError: No rows within the ranges can have such scores: a changed answer, or another key's.
    """
    if spec.output == "probability":
        low, high, found = 0.0, 1.0, values
    else:
        low, high, found = spec.low, spec.high, spec.middle + spec.half * values
    margin = _TOO_FAR * spec.precision
    if found.min() < low - margin or found.max() > high + margin:
        raise CiphertextError("it decrypts to numbers that the model cannot give: it was changed, or is another key's")
    return np.clip(found, low, high)


def scores_csv(spec: ScoringSpec, found: Floats) -> str:
    """Scores as CSV: the row's number, from 1, and what the model's owner calls an output."""
    lines = [f"row,{spec.output.replace('-', '_')}", *(f"{row},{score:.9g}" for row, score in enumerate(found, 1))]
    return "\n".join(lines) + "\n"
