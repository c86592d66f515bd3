"""Several queries over several parties' tables: one vector of integers, which the parties add up, and its noise.

A party's vector is the bounded aggregate that a release of its own would measure, weighted, all groups and blocks of
all queries one after the other. The sum over the parties is the aggregate of all their rows, as no bound of a unit at
one party depends on the rows of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from privkit.dp.noise import HIGHEST, loss_of, noisy, scale_for
from privkit.dp.plan import Block, Measured, Plan, group_labels, plan
from privkit.dp.shares import SMALLEST, share, share_scale, shared_loss
from privkit.dp.sql import parse_sql
from privkit.dp.threshold import ROOM
from privkit.dp.vectors import Integers
from privkit.dp.writing import write_sql
from privkit.errors import QueryError, StudyError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import Query

if TYPE_CHECKING:
    from privkit.dp.sources import Table

Scales = tuple[Mapping[str, float], ...]
"""σ of the discrete Gaussian noise, by query and vector, in the vector's weighted units."""


@dataclass(frozen=True)
class Drawing:
    """Who draws the noise, and who may know which part of it.

    Attributes:
        noise: `distributed`: each party a share; `key-holder`: whoever decrypts, all of it.
        parties: How many parties there are.
        honest: Of how many the noise is counted on; 1 with `key-holder`.
        multiplicity: In how many parties one person may be: it can move the sum so many times as far.
    """

    noise: Literal["distributed", "key-holder"]
    parties: int
    honest: int
    multiplicity: int

    def spread(self, scale: float) -> float:
        """σ of the noise in the sum of all parties, from that of one drawing."""
        return scale * sqrt(self.parties) if self.noise == "distributed" else scale


@dataclass(frozen=True)
class Segment:
    """Where one block of one query stands in the flat vector.

    Attributes:
        query: The query's number.
        block: The block.
        start: Its first slot.
        groups: Number of groups.
        width: Measured coordinates of a group.
        highest: Largest absolute value of a slot's sum over all parties, by declaration, without noise.
    """

    query: int
    block: Block
    start: int
    groups: int
    width: int
    highest: int

    @property
    def size(self) -> int:
        """Number of slots."""
        return self.groups * self.width

    @property
    def slots(self) -> slice:
        """The slots."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Pool:
    """What a study adds up.

    Attributes:
        plans: One a query, with the bounds of all parties together.
        drawing: Who draws the noise.
    """

    plans: tuple[Plan, ...]
    drawing: Drawing

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The blocks' places, in the order of queries and blocks."""
        found: list[Segment] = []
        for number, made in enumerate(self.plans):
            assert made.keys.cells is not None
            for block in made.blocks:
                start = found[-1].start + found[-1].size if found else 0
                width, highest = block.vector.measured_coordinates, made.highest(block.vector)
                found.append(Segment(number, block, start, len(made.keys.cells), width, highest))
        return tuple(found)

    @property
    def length(self) -> int:
        """Slots of the flat vector."""
        last = self.segments[-1]
        return last.start + last.size

    @property
    def sql(self) -> tuple[str, ...]:
        """The queries, in their canonical spelling."""
        return tuple(write_sql(made.query, made.spec) for made in self.plans)

    def part(self, segment: Segment) -> Fraction:
        """The segment's part of the study's loss: each statistic has an equal one."""
        counts = [len(made.query.statistics) for made in self.plans]
        return Fraction(counts[segment.query], sum(counts)) * segment.block.share

    def part_of(self, number: int) -> Fraction:
        """A query's part of the study's loss."""
        return sum((self.part(segment) for segment in self.segments if segment.query == number), Fraction(0))

    def distance_squared(self, segment: Segment) -> int:
        """Largest squared L2 distance by which one person moves the sum of the segment."""
        return self.drawing.multiplicity**2 * self.plans[segment.query].l2_squared(segment.block.vector)


def pool(spec: DatasetSpec, statistics: Sequence[str], drawing: Drawing) -> Pool:
    """Plans a study's queries.

    Args:
        spec: The study's columns and bounds; `max_units` counts the units of all parties.
        statistics: SQL.
        drawing: Who draws the noise.

    Raises:
        QueryError: A query that is not understood, groups by private categories, or is larger than a sum can hold.
    """
    return Pool(tuple(_planned(parse_sql(sql, spec), spec) for sql in statistics), drawing)


def _planned(query: Query, spec: DatasetSpec) -> Plan:
    private = [group.name for group in query.groups if group_labels(group, spec) is None]
    if private:
        raise QueryError(
            f"the categories of {' and '.join(private)} are not declared: parties can add up only groups that all know",
            word=private[0],
            hint="State `categories` in the study file.",
        )
    return plan(query, spec)


# ---- noise


def drawn_scales(pool: Pool, rho: Decimal) -> Scales:
    """The smallest noise that the study's loss pays for: of one party's share, or of the key holder's drawing.

    Args:
        pool: What is added up.
        rho: The study's loss.

    Raises:
        QueryError: Noise that could leave 64 bits.
    """
    found: list[dict[str, float]] = [{} for _ in pool.plans]
    for segment in pool.segments:
        loss, distance = Fraction(rho) * pool.part(segment), pool.distance_squared(segment)
        if pool.drawing.noise == "distributed":
            scale = share_scale(distance, loss, pool.drawing.honest, segment.size)
        else:
            scale = scale_for("zcdp", distance, loss)
        if highest_sum(pool, segment, scale) > HIGHEST:
            raise QueryError(
                f"{segment.block.vector.name}: at this loss the sum and its noise could leave 64 bits",
                hint="Spend more, or declare a lower max_units, a coarser granularity, or narrower bounds.",
            )
        found[segment.query][segment.block.vector.name] = scale
    return tuple(found)


def highest_sum(pool: Pool, segment: Segment, scale: float) -> int:
    """Largest absolute value of a slot over all parties, noise included (80 of its deviations: it is never beyond)."""
    return segment.highest + int(ROOM * pool.drawing.spread(scale)) + 1


def check_scales(pool: Pool, scales: Scales, rho: Decimal, whose: str) -> None:
    """Refuses noise that costs more than the study's loss, or that does not fit the study's vectors.

    Args:
        pool: What is added up.
        scales: What somebody else says the noise is.
        rho: What it may cost in all.
        whose: Who says so, for the message.

    Raises:
        StudyError: It does.
    """
    names: list[set[str]] = [set() for _ in pool.plans]
    for segment in pool.segments:
        names[segment.query].add(segment.block.vector.name)
    if [set(found) for found in scales] != names:
        raise StudyError(f"{whose} declares noise for other vectors than the study has")
    least = SMALLEST if pool.drawing.noise == "distributed" else 0
    if not all(least <= scale <= HIGHEST for found in scales for scale in found.values()):
        raise StudyError(f"{whose} declares noise that nobody can draw, or whose cost is not proven")
    costs = (_cost(pool, s, scales[s.query][s.block.vector.name]) for s in pool.segments)
    if (total := sum(costs, Fraction(0))) > Fraction(rho):
        cost = f"{float(total):.6g}" if total < 10**6 else "over a million"
        raise StudyError(f"{whose} declares noise that would cost rho {cost}, above the study's {float(rho):.6g}")


def _cost(pool: Pool, segment: Segment, scale: float) -> Fraction:
    distance = pool.distance_squared(segment)
    if pool.drawing.noise == "distributed":
        return shared_loss(distance, scale, pool.drawing.honest, segment.size)
    return loss_of("zcdp", distance, scale)


# ---- one party


def check_party(pool: Pool, spec: DatasetSpec, table: Table) -> None:
    """Whether a party's engine can be asked what `party_vector` asks.

    Raises:
        QueryError: It cannot.
    """
    from privkit.dp.bounding import check_askable

    for shared in pool.plans:
        check_askable(plan(shared.query, spec), table)


def party_vector(pool: Pool, spec: DatasetSpec, table: Table) -> Integers:
    """A party's own sums, bounded as the study has it: private.

    Args:
        pool: What is added up.
        spec: The party's table under the study's columns and bounds.
        table: The party's rows, opened for `spec`.

    Returns:
        int64, shape (pool.length,).

    Raises:
        AggregateError: The engine failed.
    """
    from privkit.dp.bounding import aggregate  # ibis and pandas: whoever only adds up or looks needs neither

    flat = np.empty(pool.length, dtype=np.int64)
    for number, shared in enumerate(pool.plans):
        own = plan(shared.query, spec)
        assert [block.vector for block in own.blocks] == [block.vector for block in shared.blocks]
        found = aggregate(own, table).vectors
        for segment in pool.segments:
            if segment.query == number:
                vector = segment.block.vector
                flat[segment.slots] = vector.weighted(found[vector.name]).ravel()
    return flat


def with_share(pool: Pool, flat: Integers, scales: Scales) -> Integers:
    """Adds one party's share of the noise.

    Args:
        pool: What is added up; its noise is distributed.
        flat: int64, shape (pool.length,).
        scales: σ of a share.

    Returns:
        int64, shape (pool.length,).
    """
    found = np.empty_like(flat)
    for segment in pool.segments:
        found[segment.slots] = share(flat[segment.slots], scales[segment.query][segment.block.vector.name])
    return found


# ---- the sum


def can_be(pool: Pool, total: Integers, scales: Scales) -> bool:
    """Whether a sum is within what its parties can have sent; where a mask is left in it, it is not.

    Args:
        pool: What was added up.
        total: int64, shape (pool.length,).
        scales: σ of one drawing.
    """
    for segment in pool.segments:
        highest = highest_sum(pool, segment, scales[segment.query][segment.block.vector.name])
        if ((total[segment.slots] > highest) | (total[segment.slots] < -highest)).any():
            return False
    return True


def with_noise(pool: Pool, total: Integers, scales: Scales) -> Integers:
    """Adds the key holder's noise to the sum of all parties.

    Args:
        pool: What was added up; its noise is the key holder's.
        total: int64, shape (pool.length,).
        scales: σ of it.

    Returns:
        int64, shape (pool.length,).
    """
    found = np.empty_like(total)
    for segment in pool.segments:
        scale = scales[segment.query][segment.block.vector.name]
        found[segment.slots] = noisy("zcdp", total[segment.slots], scale)
    return found


def measured(pool: Pool, total: Integers, scales: Scales) -> tuple[Measured, ...]:
    """The noisy sum as what each query measured, for `estimate`.

    Args:
        pool: What was added up.
        total: int64, shape (pool.length,), noise included.
        scales: σ of one drawing; all parties' shares together are wider.
    """
    found = []
    for number, made in enumerate(pool.plans):
        own = [segment for segment in pool.segments if segment.query == number]
        assert made.keys.cells is not None
        found.append(
            Measured(
                made.keys.cells,
                {s.block.vector.name: total[s.slots].reshape(s.groups, s.width) for s in own},
                {name: pool.drawing.spread(scale) for name, scale in scales[number].items()},
            )
        )
    return tuple(found)
