"""Private scoring: CPU time for 1,000 rows beside plain numpy, bytes a row, precision.

python benchmarks/scoring.py [--rows 8192] [--runs 3]

A logistic model on scikit-learn's bundled breast-cancer data (30 features); its rows are drawn again until there are
enough. Each step is the whole call with its files and its guarded child; CPU time counts both.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import publish
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from privkit import scoring
from privkit.model.scoring import Output, ScoringModel

STRENGTH = 0.1  # of LogisticRegression's C


def spent() -> float:
    """CPU seconds of this process and of the children that it has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + usage.ru_utime + usage.ru_stime


def fitted() -> tuple[Any, pd.DataFrame, dict[str, tuple[float, float]]]:
    """The estimator, its data and the ranges of the columns."""
    table, target = load_breast_cancer(as_frame=True, return_X_y=True)
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH)).fit(table, target)
    return estimator, table, {name: (float(table[name].min()), float(table[name].max())) for name in table}


def scored(
    model: ScoringModel, rows: pd.DataFrame, folder: Path
) -> tuple[dict[str, float], dict[str, int], np.ndarray]:
    """CPU seconds of each step, bytes of each file, and the scores."""
    key, batch, answer = folder / "key", folder / "batch", folder / "answer"
    steps: dict[str, float] = {}

    def step(name: str, function: Callable[[], Any]) -> Any:
        before = spent()
        result = function()
        steps[name] = spent() - before
        return result

    spec = step("spec", lambda: scoring.describe(model))
    step("keygen", lambda: scoring.keygen(spec, key))
    step("encrypt", lambda: scoring.encrypt(rows, key, batch, force=True))
    step("evaluate", lambda: scoring.evaluate(batch, model, answer, force=True))
    sizes = {"batch": batch.stat().st_size, "answer": answer.stat().st_size}
    found = step("decrypt", lambda: scoring.decrypt(answer, key))
    return steps, sizes, found


def plain(model: ScoringModel, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """CPU seconds of numpy for the same rows, and its scores."""
    weights, times = np.array([one.coefficient for one in model.features]), 200
    before = time.process_time()
    for _ in range(times):
        found = rows @ weights + model.intercept
        if model.output == "probability":
            found = 1 / (1 + np.exp(-found))
    return (time.process_time() - before) / times, found


def measured(output: Output, rows: pd.DataFrame, runs: int) -> dict[str, Any]:
    """One kind of output."""
    estimator, _, ranges = fitted()
    model = scoring.from_estimator(estimator, ranges, name="tumour", output=output)
    spec = scoring.describe(model)
    thousands = len(rows) / 1000
    with tempfile.TemporaryDirectory() as folder:
        found = [scored(model, rows, Path(folder)) for _ in range(runs)]
    cost, exact = plain(model, rows.to_numpy())
    steps = {name: statistics.median(one[name] for one, _, _ in found) for name in found[0][0]}
    sizes = found[0][1]
    return {
        "parameters": spec.parameters,
        "degree": spec.degree,
        "range": [spec.low, spec.high],
        "cpu_seconds_a_run": {name: round(one, 3) for name, one in steps.items()},
        "cpu_ms_for_1000_rows": {
            name: round(1000 * steps[name] / thousands, 1) for name in ("encrypt", "evaluate", "decrypt")
        },
        "numpy_cpu_ms_for_1000_rows": round(1000 * cost / thousands, 4),
        "evaluate_times_numpy": round(steps["evaluate"] / cost),
        "bytes_a_row": {name: round(size / len(rows)) for name, size in sizes.items()},
        "stated_precision": spec.precision,
        "largest_error": float(f"{max(np.abs(scores - exact).max() for _, _, scores in found):.2e}"),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    _, table, _ = fitted()
    rows = table.sample(given.rows, replace=True, random_state=1)
    outputs: tuple[Output, ...] = ("log-odds", "probability")
    results = {output: measured(output, rows, given.runs) for output in outputs}
    publish({"benchmark": "scoring", "rows": given.rows, "features": table.shape[1], **results})


if __name__ == "__main__":
    main()
