"""A query as SQL again, in one spelling: what cards, histories and previews show."""

from __future__ import annotations

from sqlglot.dialects.duckdb import DuckDB

from privkit.dp.spelling import function_of
from privkit.dp.sql.words import REFUSED
from privkit.model.amounts import spelled
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
    Not,
    Or,
    Quantile,
    Query,
    Regression,
    Statistic,
)

_KEYWORDS = frozenset(word for phrase in (*DuckDB.Tokenizer.KEYWORDS, *REFUSED) for word in phrase.upper().split())


def write_sql(query: Query, spec: DatasetSpec) -> str:
    """SQL that `parse_sql` reads back as an equal query.

    Args:
        query: A query that passed the checks, in its canonical spelling.
        spec: The dataset's description: whether 18 is a number or a category's text depends on its column.
    """
    columns = {name.casefold() for name in spec.columns}
    outputs = [_grouped(group, spec) for group in query.groups]
    outputs += [f"{_function(s, spec)} AS {identifier(s.name)}" for s in query.statistics]
    sql = f"SELECT {', '.join(outputs)} FROM {identifier(spec.name)}"  # noqa: S608 (it is shown, not run)
    if query.where is not None:
        sql += f" WHERE {write_condition(query.where, spec)}"
    if query.groups:
        sql += f" GROUP BY {', '.join(_reference(g, i, columns) for i, g in enumerate(query.groups, start=1))}"
    return sql


def _grouped(group: Group, spec: DatasetSpec) -> str:
    written = _expression(group, spec)
    same = isinstance(group, ByColumn) and group.name == group.column
    return written if same else f"{written} AS {identifier(group.name)}"


def _reference(group: Group, position: int, columns: set[str]) -> str:
    """How GROUP BY names a group: SQL takes a name for a column's before it takes it for an alias."""
    if isinstance(group, ByColumn):
        return identifier(group.column)
    return str(position) if group.name.casefold() in columns else identifier(group.name)


def _expression(group: Group, spec: DatasetSpec) -> str:
    match group:
        case ByBands():
            bands = " ".join(f"WHEN {write_condition(b.condition, spec)} THEN {_text(b.label)}" for b in group.bands)
            otherwise = "" if group.otherwise is None else f" ELSE {_text(group.otherwise)}"
            return f"CASE {bands}{otherwise} END"
        case ByBuckets():
            low, high = (_literal(value, group.column, spec) for value in (group.low, group.high))
            return f"WIDTH_BUCKET({identifier(group.column)}, {low}, {high}, {group.count})"
    return identifier(group.column)


def _function(statistic: Statistic, spec: DatasetSpec) -> str:
    return f"{function_of(statistic)}({_arguments(statistic, spec)})"


def _arguments(statistic: Statistic, spec: DatasetSpec) -> str:
    match statistic:
        case Count(column=None):
            return "*"
        case CountUnits():
            return f"DISTINCT {identifier(spec.privacy_unit.name)}"
        case Quantile() if function_of(statistic) != "MEDIAN":
            return f"{identifier(statistic.column)}, {spelled(statistic.q)}"
        case Histogram():
            return f"{identifier(statistic.column)}, {statistic.bins}"
        case Covariance():
            return f"{identifier(statistic.x)}, {identifier(statistic.y)}"
        case Regression():
            return ", ".join(identifier(name) for name in (statistic.outcome, *statistic.predictors))
    assert statistic.column is not None
    return identifier(statistic.column)


# ---- conditions


def write_condition(condition: Condition, spec: DatasetSpec) -> str:
    """The condition as it stands after WHERE; parentheses only where AND and OR would be read otherwise."""
    match condition:
        case And():
            parts = [(write_condition(part, spec), isinstance(part, Or)) for part in condition.parts]
            return " AND ".join(f"({text})" if mixed else text for text, mixed in parts)
        case Or():
            return " OR ".join(write_condition(part, spec) for part in condition.parts)
        case Not(part=In() | IsMissing()):
            return _leaf(condition.part, spec, " NOT")
        case Not():
            return f"NOT ({write_condition(condition.part, spec)})"
        case _:
            return _leaf(condition, spec, "")


def _leaf(leaf: Condition, spec: DatasetSpec, negation: str) -> str:
    match leaf:
        case Comparison():
            operator = "<>" if leaf.operator == "!=" else leaf.operator
            return f"{identifier(leaf.column)} {operator} {_literal(leaf.value, leaf.column, spec)}"
        case In():
            values = ", ".join(_literal(value, leaf.column, spec) for value in leaf.values)
            return f"{identifier(leaf.column)}{negation} IN ({values})"
        case IsMissing():
            return f"{identifier(leaf.column)} IS{negation} NULL"
    raise AssertionError(leaf.kind)


def _literal(value: str, column: str, spec: DatasetSpec) -> str:
    match spec.columns[column]:
        case CategoryColumn():
            return _text(value)
        case BooleanColumn():
            return value.upper()
        case DateColumn():
            return f"DATE {_text(value)}"
    return value


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL writes it: in double quotes unless it is one plain word."""
    if name.isascii() and name.isidentifier() and name.upper() not in _KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'
