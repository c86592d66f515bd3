"""A scikit-learn estimator's numbers as a scoring model, by its attributes alone: scikit-learn is not imported."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from privkit.errors import ScoringError
from privkit.he.chebyshev import sigmoid
from privkit.model.scoring import Output, ScoringModel, WeighedFeature

Floats = npt.NDArray[np.float64]
_PROBED = 16


def from_estimator(
    estimator: Any,
    ranges: Mapping[str, tuple[float, float]],
    *,
    name: str,
    output: Output | None = None,
    tolerance: float = 1e-3,
) -> ScoringModel:
    """A fitted linear or logistic model, or a pipeline of scalers that ends in one.

    What the model gives is compared with what the estimator itself gives for a few rows within the ranges: an estimator
    with another link (a Poisson regression, a support vector machine's margin taken for log-odds) is found out.

    Args:
        estimator: Something with `coef_` and `intercept_`: one output, or two classes. In a pipeline, each step before
            it has `mean_` or `scale_` and does `(x - mean_) / scale_`, like StandardScaler.
        ranges: Column → lowest and highest value; declared, in the order of the estimator's columns.
        name: What to call the model.
        output: "probability" by default where the estimator has `predict_proba`, otherwise "score"; or "log-odds".
        tolerance: The largest error that a probability may have.

    Raises:
        ScoringError: It is no such estimator, or gives something else, or its columns are not those of `ranges`.
    """
    *scalers, last = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    if not (hasattr(last, "coef_") and hasattr(last, "intercept_")):
        raise ScoringError(f"{type(last).__name__} has no coef_ and intercept_", hint="Fit a linear or logistic model.")
    coefficients, intercept = _one_row(last.coef_, "coef_"), _one_number(last.intercept_)
    for scaler in reversed(scalers):
        coefficients, intercept = _unscaled(scaler, coefficients, intercept)
    _compare(estimator, list(ranges), len(coefficients))
    probable = hasattr(last, "predict_proba")
    chosen: Output = output or ("probability" if probable else "score")
    if not probable and chosen != "score":
        raise ScoringError(f"a {type(last).__name__} gives no {chosen}")
    features = tuple(
        WeighedFeature(name=column, low=low, high=high, coefficient=float(coefficient))
        for (column, (low, high)), coefficient in zip(ranges.items(), coefficients, strict=True)
    )
    model = ScoringModel(name=name, output=chosen, features=features, intercept=intercept, tolerance=tolerance)
    _probe(estimator, model)
    return model


def _probe(estimator: Any, model: ScoringModel) -> None:
    """Refuses an estimator that gives something else than the model for rows within the ranges."""
    method = {"probability": "predict_proba", "log-odds": "decision_function"}.get(model.output)
    method = method or ("decision_function" if hasattr(estimator, "decision_function") else "predict")
    if not hasattr(estimator, method):
        return
    low, high = (np.array([getattr(one, end) for one in model.features]) for end in ("low", "high"))
    rows = low + (high - low) * np.random.default_rng(0).random((_PROBED, len(low)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of columns without names
        given = np.asarray(getattr(estimator, method)(rows), dtype=np.float64)
    given = given[:, -1] if given.ndim == 2 else given
    wanted = rows @ np.array([one.coefficient for one in model.features]) + model.intercept
    if model.output == "probability":
        wanted = sigmoid(wanted)
    if not np.allclose(given, wanted, rtol=1e-6, atol=1e-6 * max(1.0, float(np.abs(wanted).max()))):
        raise ScoringError(
            f"the estimator's {method} is not the {model.output} of a linear model with its coef_ and intercept_",
            hint="Linear regressions, logistic regressions and their like are taken.",
        )


def _one_row(values: Any, what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 2 and len(found) == 1:
        found = found[0]
    if found.ndim != 1:
        raise ScoringError(f"{what} has the shape {found.shape}: one output, or two classes, are wanted")
    return found


def _one_number(values: Any) -> float:
    found = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(found) != 1:
        raise ScoringError(f"intercept_ has {len(found)} numbers: one is wanted")
    return float(found[0])


def _unscaled(scaler: Any, coefficients: Floats, intercept: float) -> tuple[Floats, float]:
    """The same model for what goes into a scaler: w·(x - mean)/scale + b = (w/scale)·x + (b - (w/scale)·mean)."""
    mean, scale = getattr(scaler, "mean_", None), getattr(scaler, "scale_", None)
    if (mean is None and scale is None) or hasattr(scaler, "components_"):
        raise ScoringError(
            f"the pipeline's step {type(scaler).__name__} is no scaler with mean_ and scale_",
            hint="Fold it into the coefficients, or fit without it.",
        )
    coefficients = coefficients if scale is None else coefficients / np.asarray(scale, dtype=np.float64)
    return coefficients, intercept if mean is None else intercept - float(coefficients @ np.asarray(mean))


def _compare(estimator: Any, columns: Sequence[str], count: int) -> None:
    if len(columns) != count:
        raise ScoringError(f"the estimator has {count} columns, and {len(columns)} ranges are given")
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and list(known) != list(columns):
        raise ScoringError("the ranges are not those of the estimator's columns, in its order")
