"""Strategies: unbiased for every number of cells, as cheap as they say, and as good as what else there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.dp import prefix
from privkit.dp.prefix import Strategy, strategy_for

MEASURES = ("zcdp", "pure")


def error(strategy: Strategy, measure: str) -> float:
    """Root mean variance of F(k) − F(last)/2, in deviations of a single count's noise."""
    centred = strategy.reconstruct - strategy.reconstruct[-1] / 2
    norm = strategy.l1 if measure == "pure" else np.sqrt(float(strategy.l2_squared))
    return float(norm * np.sqrt((centred**2).sum(axis=1).mean()))


@pytest.mark.parametrize("measure", MEASURES)
@given(cells=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_the_reconstruction_inverts_the_matrix(measure, cells):
    strategy = strategy_for(cells, measure)
    assert strategy.matrix.dtype == np.int64
    assert strategy.matrix.min() >= 0
    np.testing.assert_allclose(strategy.reconstruct @ strategy.matrix, np.tril(np.ones((cells, cells))), atol=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("cells", [1000, 1024])
def test_many_cells_too(measure, cells):
    strategy = strategy_for(cells, measure)
    np.testing.assert_allclose(strategy.reconstruct @ strategy.matrix, np.tril(np.ones((cells, cells))), atol=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("cells", [1, 5, 24, 25, 33, 111, 481])
def test_norms_are_the_worst_columns(measure, cells):
    """One row in any one cell moves what is released by at most the stated norms, and some cell by just so much."""
    strategy = strategy_for(cells, measure)
    moved = strategy.applied(np.eye(cells, dtype=np.int64))
    assert max(int(abs(row).sum()) for row in moved) == strategy.l1
    assert max(sum(int(x) ** 2 for x in row) for row in moved) == strategy.l2_squared
    assert int(strategy.applied(np.ones((1, cells), dtype=np.int64)).max()) == strategy.highest


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("cells", [2, 4, 5, 8, 12, 24, 25, 32, 33, 40, 64, 128, 300, 480, 481, 1024])
def test_nothing_else_is_much_better(measure, cells):
    candidates = [
        Strategy("cells", np.eye(cells, dtype=np.int64), np.tril(np.ones((cells, cells)))),
        prefix._square_root(cells),
        *(prefix._tree(cells, levels) for levels in (2, 3, 4)),
    ]
    best = min(error(candidate, measure) for candidate in candidates)
    assert error(strategy_for(cells, measure), measure) <= 1.04 * best


def test_the_errors_that_are_told():
    assert error(strategy_for(1024, "zcdp"), "zcdp") == pytest.approx(3.20, abs=0.01)
    assert error(strategy_for(1024, "pure"), "pure") == pytest.approx(6.83, abs=0.01)


def test_estimates_from_noise_scatter_as_said():
    strategy = strategy_for(64, "pure")
    rng = np.random.default_rng(5)
    noise = rng.laplace(0, 1, (20_000, strategy.matrix.shape[0])) @ strategy.reconstruct.T
    said = np.sqrt(2 * (strategy.reconstruct**2).sum(axis=1))
    np.testing.assert_allclose(noise.std(axis=0), said, rtol=0.04)
    assert np.all(abs(noise.mean(axis=0)) < 5 * said / np.sqrt(20_000))
