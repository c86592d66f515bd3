"""What a dataset's description does not allow to be asked. Data is never looked at: a refusal tells nothing.

statistic                       integer, float   boolean   date
SUM, VARIANCE, STDDEV           bounds           as 0, 1   –
AVG                             bounds           as 0, 1   bounds
MEDIAN, QUANTILE, HISTOGRAM     bounds           –         bounds
CORR, COVAR, REGR               bounds           as 0, 1   –
COUNT                           every column
GROUP BY                        in bands         as it is  in bands     (categories as they are)
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from privkit.dp.canonical import check_levels
from privkit.dp.spelling import check_text, declared, function_of, kind_of, value_text
from privkit.errors import QueryError
from privkit.model.canonical import canonical_json
from privkit.model.dataset import BooleanColumn, CategoryColumn, DatasetSpec, DateColumn
from privkit.model.query import (
    And,
    ByBands,
    ByBuckets,
    ByColumn,
    Comparison,
    Condition,
    Count,
    CountUnits,
    Covariance,
    Group,
    Histogram,
    In,
    IsMissing,
    Mean,
    Not,
    Or,
    Quantile,
    Query,
    Regression,
    Statistic,
    columns_of,
    condition_columns,
)

MOST_BYTES = 65_536
"""How long a query's canonical JSON may be: it is kept in the ledger with every charge."""

_DATES = "Dates can be compared, counted, averaged, grouped in bands, and have quantiles and histograms."


def check(query: Query, spec: DatasetSpec) -> None:
    """Refuse a query that the description does not allow.

    Args:
        query: In its canonical spelling, as SQL and the builder make it.
        spec: The dataset's description.

    Raises:
        ColumnError: A column is not declared under this name.
        QueryError: Anything else, with the word that is to blame.
    """
    _check_size(query)
    if query.where is not None:
        _check_condition(query.where, spec)
    for group in query.groups:
        _check_group(group, spec)
    for statistic in query.statistics:
        _check_statistic(statistic, spec)
    _check_once(query)
    _check_names(query)


def _check_size(query: Query) -> None:
    bands = [band.condition for group in query.groups if isinstance(group, ByBands) for band in group.bands]
    for condition in (*bands, *([query.where] if query.where is not None else [])):
        check_levels(condition)
    try:
        size = len(canonical_json(query))
    except UnicodeEncodeError:  # half of a character
        raise QueryError("a text in the query is not valid Unicode") from None
    if size > MOST_BYTES:
        raise QueryError(f"the query is too long: {size:,} bytes, and at most {MOST_BYTES:,} are kept in a ledger")


def _declared(name: str, spec: DatasetSpec) -> None:
    if (found := declared(name, spec)) != name:
        raise QueryError(f"column {found} is called {name} in this query", word=name, hint=f"Write {found}.")


# ---- conditions


def _check_condition(condition: Condition, spec: DatasetSpec) -> None:
    for leaf in _leaves(condition):
        _declared(leaf.column, spec)
        column = spec.columns[leaf.column]
        for value in (leaf.value,) if isinstance(leaf, Comparison) else leaf.values if isinstance(leaf, In) else ():
            _check_spelled(value, leaf.column, spec)
        unordered = isinstance(column, (CategoryColumn, BooleanColumn))
        if unordered and isinstance(leaf, Comparison) and leaf.operator not in ("=", "!="):
            raise QueryError(
                f"{leaf.column} is {kind_of(column)}: it has no order to compare by",
                word=leaf.operator,
                hint="Use =, <> or IN.",
            )


def _leaves(condition: Condition) -> Iterator[Comparison | In | IsMissing]:
    match condition:
        case And() | Or():
            for part in condition.parts:
                yield from _leaves(part)
        case Not():
            yield from _leaves(condition.part)
        case _:
            yield condition


def _check_spelled(value: str, column: str, spec: DatasetSpec) -> None:
    if (text := value_text(value, spec.columns[column], column)) != value:
        raise QueryError(f"{column}: the literal {value!r} is spelled {text!r} in a query", word=value)


# ---- groups


def _check_group(group: Group, spec: DatasetSpec) -> None:
    _declared(group.column, spec)
    column = spec.columns[group.column]
    banded = isinstance(group, (ByBands, ByBuckets))
    if banded and isinstance(column, (CategoryColumn, BooleanColumn)):
        raise QueryError(
            f"{group.column} is {kind_of(column)}: only numbers and dates are grouped in bands",
            word=group.column,
            hint=f"GROUP BY {group.column} groups by it as it is.",
        )
    if isinstance(group, ByColumn) and not isinstance(column, (CategoryColumn, BooleanColumn)):
        raise QueryError(
            f"GROUP BY {group.column}: {kind_of(column)} is grouped in bands, not by each of its values",
            word=group.column,
            hint=_bands_hint(group.column, spec),
        )
    if isinstance(group, ByBands):
        _check_bands(group, spec)
    if isinstance(group, ByBuckets):
        _check_buckets(group, spec)


def _bands_hint(column: str, spec: DatasetSpec) -> str:
    if isinstance(spec.columns[column], DateColumn):
        return f"CASE WHEN {column} < DATE '2026-01-01' THEN 'before' ELSE 'after' END makes bands."
    return f"WIDTH_BUCKET({column}, low, high, n), or CASE WHEN {column} < 18 THEN 'child' ELSE 'adult' END."


def _check_bands(group: ByBands, spec: DatasetSpec) -> None:
    labels = [band.label for band in group.bands] + ([] if group.otherwise is None else [group.otherwise])
    for label in labels:
        check_text(label, "a band's label")
    if twice := [label for i, label in enumerate(labels) if label in labels[:i]]:
        raise QueryError(
            f"two bands of {group.column} are labelled {twice[0]!r}", word=twice[0], hint="Join their conditions by OR."
        )
    for band in group.bands:
        _check_band(band.condition, group.column, spec)


def _check_band(condition: Condition, column: str, spec: DatasetSpec) -> None:
    if others := sorted(condition_columns(condition) - {column}):
        raise QueryError(
            f"the bands of {column} name {others[0]} too: a CASE is over one column",
            word=others[0],
            hint="Group by two expressions, or put the other condition into WHERE.",
        )
    if any(isinstance(leaf, IsMissing) for leaf in _leaves(condition)):
        raise QueryError(
            f"IS NULL in the bands of {column}: rows without a value are in no band",
            word="IS NULL",
            hint=f"COUNT(*) with WHERE {column} IS NULL counts them.",
        )
    _check_condition(condition, spec)


def _check_buckets(group: ByBuckets, spec: DatasetSpec) -> None:
    for value in (group.low, group.high):
        _check_spelled(value, group.column, spec)
    date = isinstance(spec.columns[group.column], DateColumn)
    if group.low >= group.high if date else Decimal(group.low) >= Decimal(group.high):
        raise QueryError(
            f"WIDTH_BUCKET({group.column}, {group.low}, {group.high}, …): the low end must be below the high end",
            word=group.low,
        )


# ---- statistics


def _check_statistic(statistic: Statistic, spec: DatasetSpec) -> None:
    function = function_of(statistic)
    for column in columns_of(statistic):
        _declared(column, spec)
        if not isinstance(statistic, Count):
            _check_measurable(column, function, statistic, spec)
    match statistic:
        case CountUnits() if spec.privacy_unit.row:
            raise QueryError(
                "COUNT(DISTINCT …): every row is a privacy unit of its own here",
                word="DISTINCT",
                hint="COUNT(*) counts the rows.",
            )
        case Covariance() if statistic.x == statistic.y:
            hint = f"VARIANCE({statistic.x}) is its covariance with itself, and its correlation is 1."
            raise QueryError(
                f"{function}({statistic.x}, {statistic.y}): two columns are wanted", word=function, hint=hint
            )
        case Regression():
            _check_predictors(statistic)


def _check_predictors(statistic: Regression) -> None:
    names = (statistic.outcome, *statistic.predictors)
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise QueryError(
            f"REGR({', '.join(names)}) names {twice[0]} twice",
            word=twice[0],
            hint="The first column is explained by all the others.",
        )


def _check_measurable(name: str, function: str, statistic: Statistic, spec: DatasetSpec) -> None:
    column, along = spec.columns[name], isinstance(statistic, (Quantile, Histogram))
    what = f"{function}({', '.join(columns_of(statistic))})"
    if isinstance(column, CategoryColumn):
        hint = f"COUNT(*) with GROUP BY {name} counts its categories."
        raise QueryError(f"{what}: {name} is a category, not a number", word=name, hint=hint)
    if isinstance(column, BooleanColumn):
        if along:
            hint = f"AVG({name}) is the share of rows in which it is true."
            raise QueryError(f"{what}: {name} is true or false, not a number to order by", word=name, hint=hint)
        return
    if isinstance(column, DateColumn) and not along and not isinstance(statistic, Mean):
        raise QueryError(f"{what}: {name} is a date, not a number", word=name, hint=_DATES)
    if column.bounds is None:
        raise QueryError(
            f"{what}: {name} has no declared bounds, and without them one person could change it without limit",
            word=name,
            hint=f"Declare `bounds: [low, high]` of {name}, from what can be known without looking at the data.",
        )


# ---- the whole


def _check_once(query: Query) -> None:
    seen: set[bytes] = set()
    for group in query.groups:
        key = canonical_json(group.model_copy(update={"name": ""}))
        if key in seen:
            raise QueryError(f"two groups are the same: {group.name}", word=group.name)
        seen.add(key)


def _check_names(query: Query) -> None:
    taken: dict[str, tuple[int, str]] = {}
    for number, (name, results) in enumerate(_results(query)):
        check_text(name, "the name of a result")
        if not name.strip() or len(name) > 200:
            raise QueryError("a result's name has 1 to 200 characters", word=name[:40])
        for result in results:
            owner, other = taken.setdefault(result.casefold(), (number, name))
            if owner != number:
                same = name.casefold() == other.casefold()
                raise QueryError(
                    f"two results are called {name}" if same else f"{other} and {name} would both make {result}",
                    word=name,
                    hint=f"Name one of them otherwise: … AS {_free(name)}. A statistic x makes x, x_low and x_high.",
                )


def _free(name: str) -> str:
    return f"{name}_2" if name.isidentifier() else "other"


def _results(query: Query) -> Iterator[tuple[str, tuple[str, ...]]]:
    for group in query.groups:
        yield group.name, (group.name,)
    for statistic in query.statistics:
        yield statistic.name, (statistic.name, f"{statistic.name}_low", f"{statistic.name}_high")
