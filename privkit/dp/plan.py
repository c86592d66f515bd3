"""From a query and a dataset's description to a plan: which vectors, over which groups, at which share of the loss.

Nothing here sees data. Every refusal follows from the query and the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import lcm, prod, sqrt

from privkit.dp.grid import Grid, grid_of
from privkit.dp.prefix import strategy_for
from privkit.dp.vectors import Bernstein, Cells, CentredSum, Integers, Joint, Moments, RowCount, Total, Units, Vector
from privkit.errors import QueryError
from privkit.model.canonical import sha256_of
from privkit.model.dataset import BooleanColumn, CategoryColumn, DatasetSpec, Measure
from privkit.model.query import (
    ByBands,
    ByBuckets,
    ByColumn,
    Count,
    CountUnits,
    Covariance,
    Group,
    Histogram,
    Mean,
    Quantile,
    Query,
    Regression,
    Statistic,
    Sum,
    Variance,
    columns_of,
)

KEYS = "keys"
"""Name of the vector that private group keys are chosen by."""

_MOST_GROUPS = 100_000
_MOST_MEASURED = 20_000_000  # noisy integers of one release: about six minutes of OpenDP's Laplace sampler
_QUANTILE_CELLS = 1024
_COMMON_STEPS = 4096  # of several columns' common grid, where their own have no small common multiple
_HIGHEST = 2**62  # what a weighted coordinate may reach by declaration; the rest of 64 bits is for noise


@dataclass(frozen=True)
class Keys:
    """The groups of a query.

    Attributes:
        groups: What rows are grouped by.
        cells: The groups' keys, one text for each of `groups`, all that are public, in the order of the declarations;
            one empty key without GROUP BY; None where a category is private.
    """

    groups: tuple[Group, ...]
    cells: tuple[tuple[str, ...], ...] | None


@dataclass(frozen=True)
class UnitBounds:
    """What of one privacy unit can count in this query.

    Attributes:
        column: The unit's column as the source calls it; None where every row is a unit.
        groups: G, groups at most.
        rows: M, rows at most in one group.
        units: Units at most, in all.
    """

    column: str | None
    groups: int
    rows: int
    units: int


@dataclass(frozen=True)
class Block:
    """A vector and its part of the release's loss.

    Attributes:
        vector: What is measured.
        share: Part of the loss, in 0 … 1; the shares of a plan add up to 1.
        serves: Names of the statistics that are estimated from it.
    """

    vector: Vector
    share: Fraction
    serves: tuple[str, ...]


@dataclass(frozen=True)
class Threshold:
    """Private group keys: those are released whose noisy number of units is above a threshold.

    Attributes:
        delta: δ that the release takes for it.
        share: Part of the loss that the noise on the numbers of units takes.
    """

    delta: Decimal
    share: Fraction


@dataclass(frozen=True)
class Plan:
    """All that a release does, but for how much it costs.

    Attributes:
        spec: The dataset.
        query: What was asked.
        keys: The groups.
        bounds: What of one unit counts.
        blocks: The vectors, each with its share.
        sources: For each statistic's name, the names of the blocks it is estimated from.
        threshold: Set where a category is private.
    """

    spec: DatasetSpec
    query: Query
    keys: Keys
    bounds: UnitBounds
    blocks: tuple[Block, ...]
    sources: Mapping[str, tuple[str, ...]]
    threshold: Threshold | None

    @property
    def measure(self) -> Measure:
        """How loss is measured."""
        return self.spec.budget.measure

    def block(self, name: str) -> Block:
        """The block of this name."""
        return next(block for block in self.blocks if block.vector.name == name)

    def l1(self, vector: Vector) -> int:
        """Largest L1 distance that one unit moves a weighted vector of all groups."""
        return self.bounds.groups * self._rows(vector) * vector.row_l1

    def l2_squared(self, vector: Vector) -> int:
        """Largest squared L2 distance that one unit moves a weighted vector of all groups."""
        return self.bounds.groups * self._rows(vector) ** 2 * vector.row_l2_squared

    def highest(self, vector: Vector) -> int:
        """Largest absolute value of a weighted coordinate of one group, by declaration: aggregates are cut to it."""
        return self.bounds.units * self._rows(vector) * vector.row_highest

    def ranges(self, vector: Vector) -> tuple[tuple[int, int], ...]:
        """Lowest and highest value of each unweighted coordinate of one group: aggregates are cut to them."""
        most = self.bounds.units * self._rows(vector)
        row = vector.row_ranges if isinstance(vector, Moments) else ((0, 1),) * len(vector.coordinates)
        return tuple((most * low, most * high) for low, high in row)

    @cached_property
    def key(self) -> str:
        """SHA-256 of what makes an answer the same: query, bounds, groups, mechanism and version label.

        The names that the query gives to its results are left out, and so is the cost: a more accurate answer
        serves too.
        """
        query = self.query.model_dump(mode="json")
        for item in (*query["statistics"], *query["groups"]):
            item.pop("name")
        columns = {n: c.model_dump(mode="json") for n, c in self.spec.columns.items() if n in self.query.columns()}
        return sha256_of(
            {
                "format": 1,
                "dataset": self.spec.name,
                "version": self.spec.version,
                "unit": self.spec.privacy_unit.model_dump(mode="json"),
                "measure": self.measure,
                "columns": columns,
                "query": query,
                "blocks": [[b.vector.name, str(b.share), type(b.vector).__name__] for b in self.blocks],
                "threshold": None if self.threshold is None else [str(self.threshold.delta), str(self.threshold.share)],
            }
        )

    def _rows(self, vector: Vector) -> int:
        return 1 if isinstance(vector, Units) else self.bounds.rows


@dataclass(frozen=True, repr=False)
class Aggregates:
    """Private: the exact vectors, before noise. Shows nothing.

    Attributes:
        keys: Group keys, one a row of the arrays: the plan's where they are public, else those in the data, sorted.
        vectors: Block name → int64, shape (groups, coordinates), without weights.
        units: int64, shape (groups,), distinct units, where the plan has a threshold.
    """

    keys: tuple[tuple[str, ...], ...]
    vectors: Mapping[str, Integers]
    units: Integers | None = None


@dataclass(frozen=True)
class Measured:
    """What was drawn: from here on everything is post-processing.

    Attributes:
        keys: Group keys, one a row of the arrays; of private keys those above the threshold, sorted.
        noisy: Block name → int64, shape (groups, measured coordinates), weighted, with noise.
        scales: Block name → scale of the noise in weighted units (σ of the discrete Gaussian, b of the Laplace).
        units: int64, shape (groups,): noisy distinct units of the surviving private keys.
        units_scale: Its noise's scale.
        threshold: What they had to exceed or equal.
    """

    keys: tuple[tuple[str, ...], ...]
    noisy: Mapping[str, Integers]
    scales: Mapping[str, float]
    units: Integers | None = None
    units_scale: float | None = None
    threshold: int | None = None


def plan(query: Query, spec: DatasetSpec, threshold_delta: Decimal | None = None) -> Plan:
    """Plans a query that was checked.

    Args:
        query: From `parse_sql` or the builder.
        spec: The dataset.
        threshold_delta: δ that a release with private categories may take; a tenth of the budget's by default.

    Raises:
        QueryError: Private categories without a threshold δ, more groups or cells than a release can hold, or a sum
            that could leave 64 bits for the declared number of units.
    """
    keys = Keys(query.groups, _cells(query.groups, spec))
    if keys.cells is not None and len(keys.cells) > _MOST_GROUPS:
        raise QueryError(f"{len(keys.cells):,} groups: at most {_MOST_GROUPS:,} can be released together")
    delta = _threshold_delta(keys, spec, threshold_delta)
    needs = _needs(query.statistics, spec)
    made = Plan(
        spec,
        query,
        keys,
        _bounds(keys, spec),
        tuple(_shared(needs, delta is not None)),
        {s.name: tuple(n.vector.name for n in needs if s.name in n.serves) for s in query.statistics},
        None if delta is None else Threshold(delta, _threshold_share(query.statistics)),
    )
    for block in made.blocks:
        _check_size(made, block.vector)
    return made


# ---- groups


def _cells(groups: Sequence[Group], spec: DatasetSpec) -> tuple[tuple[str, ...], ...] | None:
    labels = [group_labels(group, spec) for group in groups]
    if any(label is None for label in labels):
        return None
    if prod(len(label) for label in labels if label is not None) > 10 * _MOST_GROUPS:
        raise QueryError(f"too many groups: at most {_MOST_GROUPS:,} can be released together")
    return tuple(product(*(label for label in labels if label is not None)))


def group_labels(group: Group, spec: DatasetSpec) -> tuple[str, ...] | None:
    """The keys a group expression can have, in their order; None where its categories are private."""
    match group:
        case ByColumn():
            column = spec.columns[group.column]
            if isinstance(column, BooleanColumn):
                return ("false", "true")
            assert isinstance(column, CategoryColumn)
            return column.categories
        case ByBands():
            labels = [band.label for band in group.bands] + ([group.otherwise] if group.otherwise is not None else [])
            return tuple(dict.fromkeys(labels))
        case ByBuckets():
            return tuple(str(i) for i in range(group.count + 2))


def _bounds(keys: Keys, spec: DatasetSpec) -> UnitBounds:
    unit = spec.privacy_unit
    groups = unit.max_groups if keys.cells is None else min(unit.max_groups, len(keys.cells))
    return UnitBounds(unit.column, groups, unit.max_rows_per_group, unit.most_units)


def _threshold_delta(keys: Keys, spec: DatasetSpec, wanted: Decimal | None) -> Decimal | None:
    if keys.cells is not None:
        return None
    private = [g.column for g in keys.groups if isinstance(g, ByColumn) and group_labels(g, spec) is None]
    names, budget = " and ".join(private), spec.budget
    if budget.measure == "pure" or not budget.threshold_delta:
        why = "a pure budget has no delta" if budget.measure == "pure" else "the budget has threshold_delta 0"
        raise QueryError(
            f"the categories of {names} are private and {why}: a group that appears would tell that somebody is in it",
            word=private[0],
            hint="Declare the categories, or create the budget with `measure: zcdp` and a threshold_delta.",
        )
    delta = budget.threshold_delta / 10 if wanted is None else wanted
    if not 0 < delta <= budget.threshold_delta:
        raise QueryError(
            f"a threshold delta above 0 and up to the budget's threshold_delta ({budget.threshold_delta}) is wanted"
        )
    return delta


# ---- vectors


@dataclass(frozen=True)
class _Need:
    """A vector, the statistics it serves, and how much of their part of the loss it takes."""

    vector: Vector
    serves: tuple[str, ...]
    weight: Fraction


def _needs(statistics: Sequence[Statistic], spec: DatasetSpec) -> list[_Need]:
    """The vectors of a query. What a vector of higher degree holds already is not measured again."""
    rest, found = list(statistics), []
    for make in (_joint_needs, _variance_needs, _cell_needs, _unit_needs, _moment_needs):
        for need in make(rest, spec):
            found.append(need)
        served = {name for need in found for name in need.serves}
        rest = [statistic for statistic in rest if statistic.name not in served]
    assert not rest
    return found


def _joint_needs(statistics: Sequence[Statistic], spec: DatasetSpec) -> Iterator[_Need]:
    sets = {frozenset(columns_of(s)) for s in statistics if isinstance(s, (Covariance, Regression))}
    taken: set[str] = set()
    for columns in sorted(sets, key=sorted):
        names = sorted(columns)
        vector = Joint(f"moments of {', '.join(names)}", _present(names, spec), _common(names, spec))
        own = [s for s in statistics if isinstance(s, (Covariance, Regression)) and columns == frozenset(columns_of(s))]
        also = [s for s in statistics if s.name not in taken and _is_low(s) and _fits(s, names, vector.present, spec)]
        taken |= {s.name for s in also}
        yield _need(vector, own + also)


def _variance_needs(statistics: Sequence[Statistic], spec: DatasetSpec) -> Iterator[_Need]:
    taken: set[str] = set()
    weights = (7, 13, 7) if spec.budget.measure == "zcdp" else (1, 1, 1)
    for column in dict.fromkeys(s.column for s in statistics if isinstance(s, Variance)):
        own: list[Statistic] = [s for s in statistics if isinstance(s, Variance) and s.column == column]
        present = _present([column], spec)
        also: list[Statistic] = [
            s
            for s in statistics
            if s.name not in taken and not isinstance(s, Variance) and _is_low(s) and _fits(s, [column], present, spec)
        ]
        taken |= {s.name for s in also}
        yield _need(Bernstein(f"moments of {column}", present, (_grid(column, spec),), 2, weights), own + also)


def _cell_needs(statistics: Sequence[Statistic], spec: DatasetSpec) -> Iterator[_Need]:
    for column in dict.fromkeys(s.column for s in statistics if isinstance(s, Quantile)):
        grid = _grid(column, spec)
        cells = min(_QUANTILE_CELLS, grid.steps + 1)
        strategy = strategy_for(cells, spec.budget.measure)
        vector = Cells(f"distribution of {column}", _present([column], spec), grid, cells, strategy)
        yield _need(vector, [s for s in statistics if isinstance(s, Quantile) and s.column == column])
    for column, bins in dict.fromkeys((s.column, s.bins) for s in statistics if isinstance(s, Histogram)):
        grid = _grid(column, spec)
        if bins > grid.steps + 1:
            raise QueryError(
                f"HISTOGRAM({column}, {bins}): the column has {grid.steps + 1:,} distinct values on its grid",
                word=str(bins),
                hint="Ask for fewer bins, or declare a finer granularity.",
            )
        vector = Cells(f"histogram of {column} in {bins}", _present([column], spec), grid, bins)
        own = [s for s in statistics if isinstance(s, Histogram) and (s.column, s.bins) == (column, bins)]
        yield _need(vector, own)


def _unit_needs(statistics: Sequence[Statistic], _spec: DatasetSpec) -> Iterator[_Need]:
    own = [s for s in statistics if isinstance(s, CountUnits)]
    if own:
        yield _need(Units("units", frozenset()), own)


def _moment_needs(statistics: Sequence[Statistic], spec: DatasetSpec) -> Iterator[_Need]:
    """Counts, sums and means, by the columns that must be present in a row that counts."""
    families: dict[frozenset[str], list[Statistic]] = {}
    for statistic in statistics:
        families.setdefault(_present(columns_of(statistic), spec), []).append(statistic)
    for present, family in families.items():
        means = {s.column for s in family if isinstance(s, Mean)}
        for column in dict.fromkeys(s.column for s in family if isinstance(s, Sum) and s.column not in means):
            own = [s for s in family if isinstance(s, Sum) and s.column == column]
            yield _need(_total(column, present, spec), own)
        rest = [s for s in family if not isinstance(s, Sum) or s.column in means]
        if rest:
            yield from (_pure_means if spec.budget.measure == "pure" else _zcdp_means)(rest, present, spec)


def _zcdp_means(family: Sequence[Statistic], present: frozenset[str], spec: DatasetSpec) -> Iterator[_Need]:
    """A count and a centred sum for each column, with the split that makes the means' error smallest.

    With ρ split 1 : v : … : v over count and c sums, the variance of a mean is proportional to (1 + cv)(1/v + d²),
    d = |mean − middle|/half. v = 1 where the count is shown as well; else v = 1/c + 2/√c, which is at most
    1 + 1/(1 + 2√c) times the best for any d (4/3 for one mean): it makes d = 0 and d = 1 equally far from their best.
    """
    columns = list(dict.fromkeys(s.column for s in family if isinstance(s, Mean)))
    shown = len(family) > len([s for s in family if isinstance(s, Mean)])
    split = Fraction(1) if shown or not columns else _minimax_split(len(columns))
    whole, part = Fraction(len(family)), 1 + len(columns) * split
    name = "rows" if not present else f"rows with {', '.join(sorted(present))}"
    yield _Need(RowCount(name, present), tuple(s.name for s in family), whole / part)
    for column in columns:
        serves = tuple(s.name for s in family if isinstance(s, (Mean, Sum)) and s.column == column)
        vector = CentredSum(f"centred sum of {column}", present, (_grid(column, spec),))
        yield _Need(vector, serves, whole * split / part)


def _minimax_split(columns: int) -> Fraction:
    return Fraction(1 / columns + 2 / sqrt(columns)).limit_denominator(1000)


def _pure_means(family: Sequence[Statistic], present: frozenset[str], spec: DatasetSpec) -> Iterator[_Need]:
    """For each mean (R − k, k), whose L1 is that of one number; the first one serves the count too."""
    columns = list(dict.fromkeys(s.column for s in family if isinstance(s, Mean)))
    counts = [s for s in family if isinstance(s, Count)]
    for column in columns:
        own = [s for s in family if isinstance(s, (Mean, Sum)) and s.column == column]
        serves = own + (counts if column == columns[0] else [])
        yield _need(Bernstein(f"sum of {column} and of its rest", present, (_grid(column, spec),)), serves)
    if counts and not columns:
        yield _need(RowCount("rows" if not present else f"rows with {', '.join(sorted(present))}", present), counts)


def _total(column: str, present: frozenset[str], spec: DatasetSpec) -> Total:
    grid = _grid(column, spec)
    offset = grid.low / grid.step
    return Total(f"sum of {column}", present, (grid,), offset.numerator, offset.denominator)


def _need(vector: Vector, statistics: Sequence[Statistic]) -> _Need:
    return _Need(vector, tuple(s.name for s in statistics), Fraction(len(statistics)))


def _is_low(statistic: Statistic) -> bool:
    return isinstance(statistic, (Count, Sum, Mean, Variance))


def _fits(statistic: Statistic, columns: Iterable[str], present: frozenset[str], spec: DatasetSpec) -> bool:
    """Whether moments of `columns`, over rows where `present` are there, hold this statistic."""
    own = columns_of(statistic)
    inside = set(own) <= set(columns) or isinstance(statistic, Count)
    return inside and _present(own, spec) == present


def _present(columns: Iterable[str], spec: DatasetSpec) -> frozenset[str]:
    return frozenset(c for c in columns if getattr(spec.columns[c], "missing", None) is None)


def _grid(column: str, spec: DatasetSpec) -> Grid:
    declared = spec.columns[column]
    grid = None if isinstance(declared, CategoryColumn) else grid_of(column, declared)
    assert grid is not None, "the query was not checked"
    return grid


def _common(columns: Sequence[str], spec: DatasetSpec) -> tuple[Grid, ...]:
    """One number of steps for all: their least common multiple where it is small, so that every value stays exact."""
    grids = [_grid(column, spec) for column in columns]
    steps = lcm(*(grid.steps for grid in grids))
    return tuple(grid.regridded(steps if steps <= _COMMON_STEPS else _COMMON_STEPS) for grid in grids)


# ---- shares and limits


def _threshold_share(statistics: Sequence[Statistic]) -> Fraction:
    """The keys count as one more statistic."""
    shown = [s for s in statistics if not isinstance(s, CountUnits)]
    return Fraction(1, len(shown) + 1)


def _shared(needs: Sequence[_Need], private: bool) -> Iterator[Block]:
    """Each statistic has an equal part; statistics that one vector serves pool theirs.

    With private keys the numbers of units are released with the keys, and are not measured again.
    """
    measured = [need for need in needs if not (private and isinstance(need.vector, Units))]
    whole = sum((need.weight for need in measured), Fraction(1 if private else 0))
    for need in measured:
        yield Block(need.vector, need.weight / whole, need.serves)


def _check_size(made: Plan, vector: Vector) -> None:
    if made.highest(vector) >= _HIGHEST:
        units = f"{made.bounds.units:,} units with {made.bounds.rows:,} rows each"
        raise QueryError(
            f"{vector.name}: a sum over {units} could leave 64 bits",
            hint="Declare a lower max_units or max_rows_per_group, a coarser granularity, or narrower bounds.",
        )
    groups = 1 if made.keys.cells is None else len(made.keys.cells)
    if groups * vector.measured_coordinates > _MOST_MEASURED:
        raise QueryError(
            f"{vector.name}: {groups * vector.measured_coordinates:,} numbers, more than one release can hold",
            hint="Ask for fewer groups, or fewer bins.",
        )
