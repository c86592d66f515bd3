"""A whole query: SELECT … FROM … WHERE … GROUP BY …"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from sqlglot import exp, parse
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token

from privkit.dp.canonical import canonical_condition, canonical_query
from privkit.dp.checks import check
from privkit.dp.spelling import made
from privkit.dp.sql.conditions import read_condition
from privkit.dp.sql.nodes import Scope, bare, is_column, only, plain_name, whole_number, written
from privkit.dp.sql.outputs import read_group, read_statistic
from privkit.dp.sql.words import GRAMMAR, words_of
from privkit.errors import QueryError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import ByColumn, Condition, Group, Query, Statistic

_ANY_TABLE = "data"


class PrivkitSQL(DuckDB):
    """DuckDB's words without its functions: each stays under the name it was written with.

    sqlglot's own tables take VAR_SAMP and VARIANCE for one function, and rewrite others.
    """

    class Parser(DuckDBParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


def parse_sql(text: str, spec: DatasetSpec) -> Query:
    """The query that SQL asks.

    Args:
        text: One SELECT, from the dataset's name or `data`.
        spec: The dataset's description.

    Returns:
        A checked query in its canonical spelling. Groups come in the order in which they are selected; one that is
        in GROUP BY alone comes after them, for a number is of little use without the group it is of.

    Raises:
        ColumnError: A column is not declared.
        QueryError: A word is not understood, or the description does not allow what is asked.
    """
    try:
        select = _parsed(text, spec)
        query = canonical_query(_Select(select, Scope(spec, _tables(select, spec))).query(), spec)
        check(query, spec)
    except RecursionError:
        raise _too_deep() from None
    return query


def parse_condition(text: str, spec: DatasetSpec) -> Condition:
    """A condition, as it stands after WHERE, in its canonical spelling.

    Raises:
        ColumnError: A column is not declared.
        QueryError: It is not understood.
    """
    try:
        return _condition(text, spec)
    except RecursionError:
        raise _too_deep() from None


def _condition(text: str, spec: DatasetSpec) -> Condition:
    words = words_of(text, _known(spec))
    if not words:
        raise QueryError("the condition is empty", hint="For example: age >= 18 AND region = 'north'.")
    select = _tree(f"SELECT COUNT(*) FROM {_ANY_TABLE} WHERE {text}", words)  # noqa: S608 (it is parsed, not run)
    only(select, "expressions", "from_", "where")
    where = select.args["where"]
    scope = Scope(spec, frozenset((_ANY_TABLE, spec.name.casefold())))
    return canonical_condition(read_condition(where.this, scope), spec)


def _too_deep() -> QueryError:
    """Depth is bounded so that this cannot happen but far down in somebody else's stack."""
    return QueryError("the query is nested too deeply", hint="Python's stack is nearly used up by what calls privkit.")


def _known(spec: DatasetSpec) -> frozenset[str]:
    unit = spec.privacy_unit.column
    return frozenset(name.casefold() for name in (spec.name, *spec.columns, *([unit] if unit else [])))


def _parsed(text: str, spec: DatasetSpec) -> exp.Select:
    words = words_of(text, _known(spec))
    while words and words[-1].text == ";":
        words.pop()
    if not words:
        raise QueryError("the query is empty", hint=GRAMMAR)
    if words[0].text.upper() != "SELECT":
        raise QueryError(f"{words[0].text} is not understood at the start", word=words[0].text, hint=GRAMMAR)
    return _tree(text, words)


def _tree(text: str, words: list[Token]) -> exp.Select:
    try:
        statements = [one for one in parse(text, read=PrivkitSQL) if one is not None]
    except ParseError as error:
        raise _unparsed(error, words) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        # what sqlglot itself trips over is nothing that is understood here
        raise QueryError("the query is not understood", hint=GRAMMAR) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise QueryError(f"{words[0].text} is not understood", word=words[0].text, hint=GRAMMAR)
    return statements[0]


def _unparsed(error: ParseError, words: list[Token]) -> QueryError:
    word = str((error.errors[0] if error.errors else {}).get("highlight") or words[-1].text)[:60]
    where = "ends too early or is" if word == words[-1].text else "is"
    return QueryError(f"the query {where} not understood at {word}", word=word, hint=GRAMMAR)


def _tables(select: exp.Select, spec: DatasetSpec) -> frozenset[str]:
    source = select.args.get("from_")
    if source is None:
        raise QueryError("FROM is missing", word="FROM", hint=f"Write FROM {spec.name}.")
    only(source, "this")
    table = source.this
    name = table.name if isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier) else written(table)
    if name.casefold() not in (_ANY_TABLE, spec.name.casefold()) or table.args.get("db"):
        shown = written(table)
        raise QueryError(f"FROM {shown}: this dataset is {spec.name}", word=shown, hint=f"Write FROM {spec.name}.")
    only(table, "this", "alias")
    names = {_ANY_TABLE, spec.name.casefold()}
    if (alias := table.args.get("alias")) is not None:
        only(alias, "this")
        names.add(alias.name.casefold())
    return frozenset(names)


class _Select:
    """Reads one SELECT; holds what its columns stand for while GROUP BY is read."""

    def __init__(self, select: exp.Select, scope: Scope) -> None:
        only(select, "expressions", "from_", "where", "group")
        self._select = select
        self._scope = scope
        self._outputs: list[tuple[exp.Expression, Statistic | Group]] = []

    def query(self) -> Query:
        self._outputs = [self._output(node) for node in self._select.expressions]
        where, group = self._select.args.get("where"), self._select.args.get("group")
        condition = None if where is None else read_condition(where.this, self._scope)
        statistics = tuple(item for _, item in self._outputs if not _is_group(item))
        if not statistics:
            raise QueryError(
                "the query asks for no statistic", word="SELECT", hint="For example COUNT(*); rows never leave."
            )
        return made(Query, statistics=statistics, where=condition, groups=self._groups(group))

    def _output(self, node: exp.Expression) -> tuple[exp.Expression, Statistic | Group]:
        name = ""
        if isinstance(node, exp.Alias):
            only(node, "this", "alias")
            name, node = node.alias, node.this
            if not name:
                raise QueryError("a result has an empty name", word='""')
        item: Statistic | Group = read_statistic(node, self._scope) or read_group(node, self._scope)
        return node, item.model_copy(update={"name": name})

    def _groups(self, group: exp.Group | None) -> tuple[Group, ...]:
        asked: list[Group] = []
        if group is not None:
            only(group, "expressions")
            asked = [self._grouped(node) for node in group.expressions]
        selected = [cast(Group, item) for _, item in self._outputs if _is_group(item)]
        wanted = [_nameless(one) for one in asked]
        for item in selected:
            if _nameless(item) not in wanted:
                raise self._not_grouped(item)
        known = [_nameless(item) for item in selected]
        return tuple(selected + [one for one in asked if _nameless(one) not in known])

    def _grouped(self, node: exp.Expression) -> Group:
        node = bare(node)
        if isinstance(node, exp.Literal) and not node.is_string:
            return self._at(whole_number(node, "a position in GROUP BY"), written(node))
        if is_column(node) and (aliased := self._aliased(node)) is not None:
            return aliased
        if read_statistic(node, self._scope) is not None:
            raise QueryError(f"GROUP BY {written(node)}: a statistic is no group", word=written(node))
        return read_group(node, self._scope)

    def _at(self, position: int, shown: str) -> Group:
        if not 1 <= position <= len(self._outputs) or not _is_group(self._outputs[position - 1][1]):
            raise QueryError(
                f"GROUP BY {shown}: no group is selected at this position", word=shown, hint="Positions count from 1."
            )
        return cast(Group, self._outputs[position - 1][1])

    def _aliased(self, node: exp.Expression) -> Group | None:
        """The selected group of this name, unless a column has it too: columns come first, as in SQL."""
        name = plain_name(node, self._scope).casefold()
        column = name in (column.casefold() for column in self._scope.spec.columns)
        found = [cast(Group, i) for _, i in self._outputs if _is_group(i) and i.name.casefold() == name]
        if not found or node.args.get("table") is not None:
            return None
        if not column:
            return found[0]
        if isinstance(found[0], ByColumn) and found[0].column.casefold() == name:
            return found[0]
        raise QueryError(
            f"GROUP BY {node.name} could mean the column or the alias", word=node.name, hint="Choose another alias."
        )

    def _not_grouped(self, item: Group) -> QueryError:
        shown = next(written(node) for node, one in self._outputs if one is item)
        return QueryError(
            f"{shown} is selected, but it is neither a statistic nor in GROUP BY",
            word=shown,
            hint=f"Add GROUP BY {shown}." if isinstance(item, ByColumn) else "Add its name to GROUP BY.",
        )


def _is_group(item: Statistic | Group) -> bool:
    return item.kind in ("column", "bands", "buckets")


def _nameless(group: Group) -> Group:
    return group.model_copy(update={"name": ""})
