"""What a guided start proposes: from column names, types and plain answers; never from a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import NamedTuple

from pydantic import ValidationError

from privkit.budget import counts_until_zcdp
from privkit.deid.columns.names import hint_of
from privkit.dp.builder import QueryBuilder, query
from privkit.dp.writing import write_sql
from privkit.errors import UsageError
from privkit.model.dataset import (
    Budget,
    CategoryColumn,
    Column,
    DatasetSpec,
    FloatColumn,
    IntegerColumn,
    Measure,
    PrivacyUnit,
)
from privkit.model.misfits import first_misfit
from privkit.model.pipeline import PipelineStatistic
from privkit.report.wording import plural


class Sensitivity(NamedTuple):
    """How bad it would be if it came out, and the ε that suits.

    Attributes:
        epsilon: Of the whole budget.
        meaning: In plain words.
    """

    epsilon: Decimal
    meaning: str


SENSITIVITIES: Mapping[str, Sensitivity] = {
    "low": Sensitivity(Decimal(4), "a nuisance at worst: what somebody borrowed, or which bus they took"),
    "medium": Sensitivity(Decimal(2), "embarrassing or costly: income, grades, purchases, a place of work"),
    "high": Sensitivity(Decimal(1), "does lasting harm: health, children, beliefs, crime, where one lives"),
}
_MOST_GROUPS = 50  # of a first statistic: with more, each gets little of the budget
_MOST_NUMBERS = 3
_LARGEST_DELTA_DIGITS = 6


def suggested_delta(unit: PrivacyUnit) -> Decimal:
    """A power of ten, at most a tenth of one over the number of people, and at most 1e-6.

    >>> suggested_delta(PrivacyUnit(column="patient", max_units=2_000_000))
    Decimal('1E-8')
    """
    limit = 10 * unit.highest_delta.denominator
    return Decimal(1).scaleb(-max(len(str(limit - 1)), _LARGEST_DELTA_DIGITS))


def suggested_budget(
    unit: PrivacyUnit,
    columns: Mapping[str, Column],
    *,
    epsilon: Decimal,
    delta: Decimal | None = None,
    measure: Measure = "zcdp",
) -> Budget:
    """A budget; where categories are private, a tenth of δ is set aside for them.

    Raises:
        UsageError: The amounts do not go together.
    """
    described = {"epsilon": epsilon, "measure": measure, "delta": Decimal(0) if delta is None else delta}
    if measure == "zcdp":
        chosen = suggested_delta(unit) if delta is None else delta
        private = any(isinstance(column, CategoryColumn) and column.categories is None for column in columns.values())
        described |= {"delta": chosen, "threshold_delta": chosen / 10 if private else Decimal(0)}
    try:
        return Budget.model_validate(described)
    except ValidationError as err:
        raise UsageError(first_misfit(err, described)[1]) from None


def measure_sentence(budget: Budget, unit: PrivacyUnit) -> str:
    """Which measure adds less noise, for how many releases.

    Args:
        budget: A zcdp budget.
        unit: Whom it protects.
    """
    crossing = counts_until_zcdp(budget, unit)
    if crossing < 1:
        return "zcdp adds less noise from the first release on"
    return (
        f"pure adds less noise for up to about {plural(max(round(crossing), 1), 'equal count')} in all, zcdp for more"
    )


def names_person(column: str) -> bool:
    """Whether a column's name promises somebody's id."""
    hint = hint_of(column)
    return hint is not None and hint.kind == "id"


def worth_asking(column: str) -> bool:
    """Whether statistics about a column make sense, by its name: not about identifiers, nor about free text."""
    hint = hint_of(column)
    return hint is None or hint.role not in ("identifier", "free_text")


def first_statistics(spec: DatasetSpec) -> Sequence[PipelineStatistic]:
    """A handful of statistics to begin with: counts and means by the first group, then one for each number."""
    numbers = [name for name, column in spec.columns.items() if _is_bounded(column)]
    group = first_group(spec)
    beginning = query().count(name=_free("n", spec))
    if group is not None:
        beginning = beginning.by(group)
        if numbers:
            beginning = beginning.mean(numbers[0], name=_free(f"mean_{numbers[0]}", spec))
    asked: list[tuple[QueryBuilder, int]] = [(beginning, 2)]
    for name in numbers[:_MOST_NUMBERS]:
        asked.append((query().median(name, name=_free(f"median_{name}", spec)), 1))
    return tuple(
        PipelineStatistic(sql=write_sql(one.build(spec), spec), weight=Decimal(weight)) for one, weight in asked
    )


def first_group(spec: DatasetSpec) -> str | None:
    """The first column that people are usually grouped by: few public categories."""
    for name, column in spec.columns.items():
        if isinstance(column, CategoryColumn) and column.categories and len(column.categories) <= _MOST_GROUPS:
            return name
    return None


def compared_groups(column: str | None) -> tuple[str, ...]:
    """Columns whose groups the card is to compare; none without Fairlearn, an extra that the comparison needs."""
    return () if column is None or find_spec("fairlearn") is None else (column,)


def _is_bounded(column: Column) -> bool:
    return isinstance(column, (IntegerColumn, FloatColumn)) and column.bounds is not None


def _free(name: str, spec: DatasetSpec) -> str:
    """A result's name that is no column's."""
    taken = {column.casefold() for column in spec.columns}
    while name.casefold() in taken:
        name += "_"
    return name
