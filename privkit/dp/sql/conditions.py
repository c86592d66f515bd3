"""WHERE and WHEN: from sqlglot's tree to a condition."""

from __future__ import annotations

from sqlglot import exp

from privkit.dp.spelling import kind_of
from privkit.dp.sql.nodes import Scope, bare, column_name, is_column, literal_text, not_understood, only, written
from privkit.errors import QueryError
from privkit.model.dataset import BooleanColumn
from privkit.model.query import And, Comparison, Condition, In, IsMissing, Not, Or

_COMPARISONS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_CONDITIONS = "Conditions are =, <>, <, <=, >, >=, IN, BETWEEN, IS [NOT] NULL and boolean columns, with AND, OR, NOT."


def read_condition(node: exp.Expression, scope: Scope) -> Condition:
    """A condition on declared columns.

    Raises:
        ColumnError: A column is not declared.
        QueryError: It is no condition that is understood.
    """
    node = bare(node)
    match node:
        case exp.And() | exp.Or():
            kind: type[And | Or] = And if isinstance(node, exp.And) else Or
            return kind(parts=tuple(read_condition(part, scope) for part in _chain(node)))
        case exp.Not():
            only(node, "this")
            return Not(part=read_condition(node.this, scope))
        case exp.Between():
            return _between(node, scope)
        case exp.In():
            return _in(node, scope)
        case exp.Is():
            return _is(node, scope)
    if type(node) in _COMPARISONS:
        return _comparison(node, scope)
    if is_column(node):
        return _truth(node, scope)
    raise not_understood(node, _CONDITIONS)


def _chain(node: exp.Expression) -> list[exp.Expression]:
    """The parts of a AND b AND …, which sqlglot nests to the left: without recursion, a chain may be long."""
    kind, parts = type(node), []
    while type(node) is kind:
        only(node, "this", "expression")
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]


def _comparison(node: exp.Expression, scope: Scope) -> Condition:
    only(node, "this", "expression")
    operator, left, right = _COMPARISONS[type(node)], bare(node.this), bare(node.expression)
    if not is_column(left) and is_column(right):
        operator, left, right = _MIRRORED[operator], right, left
    if isinstance(left, tuple(_COMPARISONS)):
        raise QueryError(
            f"{written(node)}: comparisons do not chain", word=written(node), hint="Write x BETWEEN low AND high."
        )
    column = column_name(left, scope)
    return Comparison.model_validate(
        {"column": column, "operator": operator, "value": literal_text(right, column, scope)}
    )


def _between(node: exp.Between, scope: Scope) -> Condition:
    only(node, "this", "low", "high")
    column = column_name(node.this, scope)
    low, high = (literal_text(node.args[end], column, scope) for end in ("low", "high"))
    return And(
        parts=(
            Comparison(column=column, operator=">=", value=low),
            Comparison(column=column, operator="<=", value=high),
        )
    )


def _in(node: exp.In, scope: Scope) -> Condition:
    only(node, "this", "expressions")
    column = column_name(node.this, scope)
    if not node.expressions:
        raise QueryError("IN () lists no value", word="IN", hint=_CONDITIONS)
    return In(column=column, values=tuple(literal_text(value, column, scope) for value in node.expressions))


def _is(node: exp.Is, scope: Scope) -> Condition:
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Null):
        word = f"IS {written(node.expression)}"
        raise QueryError(
            f"{word} is not understood", word=word, hint="IS NULL and IS NOT NULL are; for booleans write = TRUE."
        )
    return IsMissing(column=column_name(node.this, scope))


def _truth(node: exp.Expression, scope: Scope) -> Condition:
    column = column_name(node, scope)
    if not isinstance(scope.spec.columns[column], BooleanColumn):
        raise QueryError(
            f"{column} is {kind_of(scope.spec.columns[column])}: as a condition it must be compared",
            word=column,
            hint=f"For example: {column} IS NOT NULL.",
        )
    return Comparison(column=column, operator="=", value="true")
