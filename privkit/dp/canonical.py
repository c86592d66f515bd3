"""One spelling of conditions and queries, so that equal queries are equal records: SQL and the builder both end here.

Conditions are brought into negation normal form, which SQL's three-valued logic allows: NOT (a AND b) is NOT a OR NOT
b, NOT a < 1 is a >= 1, for missing values too. What is left under NOT is IN and IS NULL.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from privkit.dp.spelling import declared, default_name, made, value_text
from privkit.errors import QueryError
from privkit.model.canonical import canonical_json
from privkit.model.dataset import BooleanColumn, CategoryColumn, DatasetSpec, DateColumn
from privkit.model.query import (
    And,
    Band,
    ByBands,
    ByBuckets,
    Comparison,
    Condition,
    Group,
    In,
    IsMissing,
    Not,
    Or,
    Query,
    Regression,
    Statistic,
)

MOST_LEVELS = 24
"""How deep AND and OR may stand in one another."""

_Operator = Literal["=", "!=", "<", "<=", ">", ">="]
_OPPOSITE: dict[str, _Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


# ---- conditions


def canonical_condition(condition: Condition, spec: DatasetSpec) -> Condition:
    """The one spelling of a condition.

    Raises:
        ColumnError: A column is not declared.
        QueryError: A literal is of another type than its column, or the condition is nested too deeply.
    """
    check_levels(condition)
    return _normal(condition, spec, negated=False)


def check_levels(condition: Condition) -> None:
    """Refuse a condition so deep that reading it would exhaust the stack.

    Raises:
        QueryError: It is.
    """
    waiting: list[tuple[Condition, int]] = [(condition, 0)]
    while waiting:
        one, level = waiting.pop()
        if level > MOST_LEVELS:
            raise QueryError(
                f"the condition is nested more than {MOST_LEVELS} deep", hint="IN (…) lists alternatives on one level."
            )
        parts = one.parts if isinstance(one, (And, Or)) else (one.part,) if isinstance(one, Not) else ()
        waiting += [(part, level + 1) for part in parts]


def _normal(condition: Condition, spec: DatasetSpec, *, negated: bool) -> Condition:
    match condition:
        case Not():
            return _normal(condition.part, spec, negated=not negated)
        case And() | Or():
            kind: type[And | Or] = And if isinstance(condition, And) is not negated else Or
            return _joined(kind, [_normal(part, spec, negated=negated) for part in condition.parts])
        case Comparison():
            return _compared(condition, spec, negated=negated)
        case In():
            return _listed(condition, spec, negated=negated)
    leaf = IsMissing(column=declared(condition.column, spec))
    return Not(part=leaf) if negated else leaf


def _compared(condition: Comparison, spec: DatasetSpec, *, negated: bool) -> Comparison:
    name = declared(condition.column, spec)
    value = value_text(condition.value, spec.columns[name], name)
    operator = _OPPOSITE[condition.operator] if negated else condition.operator
    if operator == "!=" and isinstance(spec.columns[name], BooleanColumn):
        operator, value = "=", "false" if value == "true" else "true"
    return Comparison(column=name, operator=operator, value=value)


def _listed(condition: In, spec: DatasetSpec, *, negated: bool) -> Condition:
    name = declared(condition.column, spec)
    column = spec.columns[name]
    values = {value_text(value, column, name) for value in condition.values}
    if len(values) == 1:
        return _compared(Comparison(column=name, operator="=", value=values.pop()), spec, negated=negated)
    number = not isinstance(column, (CategoryColumn, BooleanColumn, DateColumn))
    leaf = In(column=name, values=tuple(sorted(values, key=Decimal if number else None)))
    return Not(part=leaf) if negated else leaf


def _joined(kind: type[And | Or], parts: list[Condition]) -> Condition:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    once = {canonical_json(part): part for part in flat}
    ordered = tuple(once[key] for key in sorted(once))
    return ordered[0] if len(ordered) == 1 else kind(parts=ordered)


# ---- queries


def canonical_query(query: Query, spec: DatasetSpec) -> Query:
    """The one spelling of a query: declared names, one spelling of conditions and literals, no name left out.

    Raises:
        ColumnError: A column is not declared.
        QueryError: A literal is of another type than its column, or a condition is nested too deeply.
    """
    return made(
        Query,
        statistics=tuple(_statistic(statistic, spec) for statistic in query.statistics),
        where=None if query.where is None else canonical_condition(query.where, spec),
        groups=tuple(_group(group, spec) for group in query.groups),
    )


def _statistic(statistic: Statistic, spec: DatasetSpec) -> Statistic:
    fields: dict[str, Any] = {}
    for field in ("column", "x", "y", "outcome"):
        if (name := getattr(statistic, field, None)) is not None:
            fields[field] = declared(name, spec)
    if isinstance(statistic, Regression):
        fields["predictors"] = tuple(declared(name, spec) for name in statistic.predictors)
    copied = statistic.model_copy(update=fields)
    return copied if copied.name else copied.model_copy(update={"name": default_name(copied)})


def _group(group: Group, spec: DatasetSpec) -> Group:
    column = declared(group.column, spec)
    fields: dict[str, Any] = {"column": column}
    if not isinstance(spec.columns[column], (CategoryColumn, BooleanColumn)):  # else it is refused by the checks
        if isinstance(group, ByBands):
            fields["bands"] = tuple(
                Band(label=band.label, condition=canonical_condition(band.condition, spec)) for band in group.bands
            )
        if isinstance(group, ByBuckets):
            fields["low"] = value_text(group.low, spec.columns[column], column)
            fields["high"] = value_text(group.high, spec.columns[column], column)
    copied = group.model_copy(update=fields)
    return copied if copied.name else copied.model_copy(update={"name": default_name(copied)})
