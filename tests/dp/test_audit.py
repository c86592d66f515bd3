"""An audit of every mechanism: what noise two neighbouring tables get, against the loss that is claimed for it.

Both neighbours are measured thousands of times by `measure` itself: copies of the groups of one unit, side by side in
one vector, get independent noise. The neighbour has a unit that moves the vector as far as any can. The event is
chosen on one half of the draws and counted on the other; its probabilities are bounded by Clopper and Pearson.

A bound fails with probability below `_BOUND`; about 50 of them are computed for mechanisms that must hold, so a false
alarm of this file has a probability below 1e-6. Each audit runs again with a mechanism that is broken, and must catch
it; and it must find a good part of the claim, or it would catch nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from plans import (
    COUNT,
    COVARIANCE,
    HISTOGRAM,
    MEAN,
    QUANTILE,
    SUM,
    UNITS,
    VARIANCE,
    WARD,
    aggregates,
    furthest,
    planned,
)
from scipy import stats

from privkit.dp import measurement, threshold
from privkit.dp.measurement import measure
from privkit.dp.plan import Block, Measured, Plan
from privkit.dp.vectors import Bernstein, Joint

_BOUND = 1e-8
_ORDERS = (1.5, 2.0, 4.0)
_COPIES = {"zcdp": 5000, "pure": 12_000}
_CLAIM = {"zcdp": Fraction(9, 8), "pure": Fraction(1)}  # the block's part of the loss, about


# ---- the test


@dataclass(frozen=True)
class Event:
    """`sign`·statistic ≥ `least`, seen in how many of how many draws of the two tables."""

    sign: int
    least: float

    def counts(self, one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
        return int((self.sign * one >= self.least).sum()), int((self.sign * other >= self.least).sum())


def bounds(seen: int, draws: int) -> tuple[float, float]:
    """Clopper and Pearson: each is wrong with probability `_BOUND` at most."""
    low = stats.beta.ppf(_BOUND, seen, draws - seen + 1) if seen else 0.0
    high = stats.beta.ppf(1 - _BOUND, seen + 1, draws - seen) if seen < draws else 1.0
    return float(low), float(high)


def proven_loss(kind: str, seen: int, other: int, draws: int) -> float:
    """A loss that an event proves: ε ≥ ln(p/q), or ρ ≥ D_α(p‖q)/α of the Bernoulli variables, for any α ≥ 1.

    ρ-zCDP bounds the Rényi divergence of order α by αρ, and an event's is no larger. α → 1 is Kullback and Leibler's.
    """
    p, q = bounds(seen, draws)[0], bounds(other, draws)[1]
    if not q < p < 1:
        return 0.0
    if kind == "pure":
        return float(np.log(p / q))
    found = [p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))]
    for order in _ORDERS:
        inside = p**order * q ** (1 - order) + (1 - p) ** order * (1 - q) ** (1 - order)
        found.append(np.log(inside) / (order - 1) / order)
    return float(max(found))


def audited(kind: str, with_unit: np.ndarray, without: np.ndarray) -> float:
    """The loss proven by a statistic's draws on either table: shape (draws,) each."""
    half = len(without) // 2
    marks = np.unique(np.quantile(np.concatenate([with_unit, without]), np.linspace(0.02, 0.98, 49)))
    found = 0.0
    for one, other in ((with_unit, without), (without, with_unit)):
        events = [Event(sign, sign * mark) for sign in (1, -1) for mark in marks]
        event = max(events, key=lambda e: proven_loss(kind, *e.counts(one[:half], other[:half]), half))
        found = max(found, proven_loss(kind, *event.counts(one[half:], other[half:]), len(one) - half))
    return found


def statistic(kind: str, noisy: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The likelihood ratio's logarithm, up to a factor: Gaussian x·d, Laplace |x| − |x − d|. Shape (draws,)."""
    wide, by = noisy.reshape(len(noisy), -1).astype(float), move.ravel().astype(float)
    return wide @ by / np.abs(by).max() if kind == "zcdp" else (np.abs(wide) - np.abs(wide - by)).sum(axis=1)


def single(made: Plan) -> tuple[Plan, Block]:
    """The plan with its last block alone, at its share."""
    return replace(made, blocks=made.blocks[-1:]), made.blocks[-1]


def draws_of(made: Plan, block: Block, loss: Decimal, row: np.ndarray, copies: int) -> np.ndarray:
    """Noisy vectors of tables that hold the rows in each of G groups: shape (copies, G, coordinates)."""
    size = made.bounds.groups
    values = {block.vector.name: np.repeat(row, copies * size, axis=0)}
    found = measure(made, aggregates(made, values), loss)
    return found.noisy[block.vector.name].reshape(copies, size, -1)


def proven(made: Plan, block: Block, loss: Decimal, row: np.ndarray, copies: int) -> float:
    kind, size = made.measure, made.bounds.groups
    move = np.repeat(block.vector.weighted(row), size, axis=0)
    tables = [draws_of(made, block, loss, rows, copies) for rows in (row, 0 * row)]
    return audited(kind, *(statistic(kind, noisy, move) for noisy in tables))


# ---- vectors


@dataclass(frozen=True)
class Case:
    """One vector; its broken twin draws at `broken` of the scale. Wide vectors get fewer copies and a worse twin."""

    name: str
    made: Callable[[], Plan]
    broken: float = 0.5
    copies: float = 1.0
    finds: float = 0.2


CASES = [
    *(
        Case(f"{name} {kind}", lambda kind=kind, asked=asked: planned(*asked, measure=kind))
        for kind in ("zcdp", "pure")
        for name, asked in {
            "count": (COUNT,),
            "units": (UNITS,),
            "sum": (SUM,),
            "mean": (MEAN,),
            "count and mean": (COUNT, MEAN),
            "variance": (VARIANCE,),
            "histogram": (HISTOGRAM,),
        }.items()
    ),
    Case("covariance zcdp", lambda: planned(COVARIANCE)),
    Case("covariance pure", lambda: planned(COVARIANCE, measure="pure", groups=1), broken=0.25, finds=0.1),
    Case("square-root cells zcdp", lambda: planned(QUANTILE, steps=11), copies=0.7),
    Case("few cells pure", lambda: planned(QUANTILE, measure="pure", steps=3)),
    Case("tree of cells pure", lambda: planned(QUANTILE, measure="pure", groups=1, steps=35), 0.25, 0.3, 0.1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_vector_loses_no_more_than_it_claims(case, monkeypatch):
    made, block = single(case.made())
    row = furthest(made, block.vector)
    loss = Decimal(float(_CLAIM[made.measure] / block.share))
    claim, copies = float(Fraction(loss) * block.share), int(case.copies * _COPIES[made.measure])
    found = proven(made, block, loss, row, copies)
    assert case.finds * claim <= found <= claim
    whole = measurement.scale_for
    monkeypatch.setattr(measurement, "scale_for", lambda *given: case.broken * whole(*given))
    assert proven(made, block, loss, row, copies) > claim, "a broken mechanism was not caught"


class WeightlessBernstein(Bernstein):
    """Broken: its distance is that of the coordinates before their weights."""

    @property
    def row_l2_squared(self) -> int:
        return self.steps**4


class WeightlessJoint(Joint):
    """Broken: the same, n counting for 1, the sums for R, the moments for R² and R²/4 at most."""

    @property
    def row_l2_squared(self) -> int:
        return 1 + len(self.grids) * self.steps**2 + len(self.pairs) * self.steps**4


@pytest.mark.parametrize(("asked", "broken"), [(VARIANCE, WeightlessBernstein), (COVARIANCE, WeightlessJoint)])
def test_weights_that_the_distance_forgets_are_caught(asked, broken):
    made, block = single(planned(asked))
    row, loss = furthest(made, block.vector), Decimal("1.125")
    vector = broken(**{name: getattr(block.vector, name) for name in block.vector.__dataclass_fields__})
    twin = replace(made, blocks=(replace(block, vector=vector),))
    assert proven(twin, twin.blocks[0], loss, row, 5000) > float(loss)


def test_groups_that_the_distance_forgets_are_caught():
    made, block = single(planned(COUNT, groups=4))
    row, loss = furthest(made, block.vector), Decimal("1.125")
    one_group = replace(made, bounds=replace(made.bounds, groups=1))
    move, size = np.repeat(block.vector.weighted(row), 4, axis=0), 4
    draws = []
    for rows in (row, 0 * row):
        flat = draws_of(one_group, block, loss, rows, 5000 * size)
        draws.append(statistic("zcdp", flat.reshape(5000, size), move))
    assert audited("zcdp", *draws) > float(loss)


# ---- private keys


@pytest.fixture
def fresh_thresholds() -> Iterator[None]:
    """What a broken twin computes must not stay behind."""
    yield
    threshold._threshold.cache_clear()
    threshold._scale.cache_clear()


def private(groups: int = 2) -> Plan:
    """δ = 0.0455 is a little above 1 − Φ(2)², what OpenDP states for σ = 1, threshold 3 and two keys: 0.04498."""
    return planned(UNITS, by=WARD, groups=groups, units=4, threshold_delta="0.0455")


def with_units(made: Plan, count: int, copies: int, loss: Decimal) -> Measured:
    return measure(made, aggregates(made, {}, np.full(copies * made.bounds.groups, count, dtype=np.int64)), loss)


def seen_keys(made: Plan, copies: int) -> int:
    """In how many copies a key came out that one unit alone has: without the unit, none could."""
    found = with_units(made, 1, copies, Decimal(made.bounds.groups) / 2)
    return len({int(key[0][1:]) // made.bounds.groups for key in found.keys})


def test_keys_of_one_unit_come_out_no_more_often_than_delta(monkeypatch, fresh_thresholds):
    made, copies = private(), 8000
    delta = float(made.threshold.delta)
    assert bounds(seen_keys(made, copies), copies)[0] <= delta
    assert bounds(seen_keys(made, copies), copies)[1] >= delta / 10, "the threshold is far too high"
    paid = threshold.threshold_loss
    monkeypatch.setattr(threshold, "threshold_loss", lambda groups, scale, least: paid(groups, scale, least + 1))
    threshold._threshold.cache_clear()
    assert bounds(seen_keys(made, copies), copies)[0] > delta, "the missing off-by-one was not caught"


def test_numbers_of_units_lose_no_more_than_they_claim(monkeypatch, fresh_thresholds):
    made, copies, loss = private(), 5000, Decimal("1.125")

    def found() -> float:
        tables = [with_units(made, count, copies, loss).units.reshape(copies, -1) for count in (1001, 1000)]
        return audited("zcdp", *(statistic("zcdp", noisy - 1000, np.ones(2)) for noisy in tables))

    assert 0.2 * float(loss) <= found() <= float(loss)
    whole = threshold._scale
    monkeypatch.setattr(threshold, "_scale", lambda groups, part: whole(groups, part) / 2)
    assert found() > float(loss), "a broken mechanism was not caught"
    monkeypatch.undo()
