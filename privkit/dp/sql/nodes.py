"""Parts of a parsed query: a column, a literal, and what is said of everything that is neither."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from privkit.dp.spelling import declared, kind_of, value_text
from privkit.dp.sql.words import GRAMMAR, STATISTICS
from privkit.errors import QueryError
from privkit.model.dataset import BooleanColumn, CategoryColumn, DatasetSpec, DateColumn

_N = "privkit's variances and covariances divide by the number of rows; ask for {} (for n − 1, multiply by n/(n − 1))."
_FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(("VAR_SAMP", "VAR"), _N.format("VARIANCE or VAR_POP")),
    **dict.fromkeys(("STDDEV_SAMP", "STD", "STDEV"), _N.format("STDDEV or STDDEV_POP")),
    "COVAR_SAMP": _N.format("COVAR or COVAR_POP"),
    **dict.fromkeys(
        ("MIN", "MAX", "FIRST", "LAST", "ANY_VALUE", "ARG_MIN", "ARG_MAX", "MODE"),
        "It would be one person's value: ask for a quantile, such as QUANTILE_CONT(x, 0.01) or QUANTILE_CONT(x, 0.99).",
    ),
    "APPROX_QUANTILE": "Write QUANTILE_CONT(x, q).",
    "APPROX_COUNT_DISTINCT": "COUNT(DISTINCT unit) counts privacy units.",
    "DATE": "Write DATE '2026-01-31'.",
    "CAST": "A column has the type that the dataset's description declares.",
    **dict.fromkeys(("REGR_SLOPE", "REGR_INTERCEPT"), "REGR(y, x) gives the intercept and the slope."),
}
_ARITHMETIC: dict[type[exp.Expression], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_PARTS = {"joins": ",", "field": "IN", "except_": "EXCLUDE"}  # where sqlglot's name of a part is no word of SQL's
_DAYS = "Dates are compared with days: DATE '2026-01-31'."
_ARITHMETIC_HINT = "No arithmetic: compute from the noisy results afterwards, or add a column to the source."


@dataclass(frozen=True)
class Scope:
    """What names mean in one query.

    Attributes:
        spec: The dataset.
        tables: What may stand before a column's dot, case-folded.
    """

    spec: DatasetSpec
    tables: frozenset[str]


def not_understood(node: exp.Expression, hint: str | None = None) -> QueryError:
    """What is said of a part of a query that is not understood, by the word that its writer wrote."""
    if isinstance(node, exp.Distinct):
        return QueryError("DISTINCT is not understood here", word="DISTINCT", hint="COUNT(DISTINCT unit) is.")
    if isinstance(node, exp.Anonymous):
        name = function_name(node)
        known = _FUNCTIONS.get(name, STATISTICS)
        return QueryError(f"{name}(…) is not understood{_place(name, known)}", word=name, hint=known)
    if isinstance(node, exp.Concat):
        return QueryError("texts side by side are not understood", word=written(node.expressions[0]), hint=hint)
    for kind, sign in _ARITHMETIC.items():
        if isinstance(node, kind):
            return QueryError(f"{sign} is not understood", word=sign, hint=_ARITHMETIC_HINT)
    word = written(node)
    return QueryError(f"{word} is not understood", word=word, hint=hint or GRAMMAR)


def _place(name: str, hint: str) -> str:
    return " here" if hint is STATISTICS and f"{name}(" in STATISTICS.replace(",", "(") else ""


def written(node: exp.Expression) -> str:
    """A part of a query as text, cut to 60 characters."""
    try:
        text = " ".join(str(node.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE)).split())
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError):  # no reason to fail otherwise
        text = type(node).__name__.upper()
    return text if len(text) <= 60 else text[:59] + "…"


def function_name(node: exp.Anonymous) -> str:
    """The function's name in capitals."""
    name = node.this
    return str(name.this if isinstance(name, exp.Identifier) else name).upper()


def only(node: exp.Expression, *handled: str) -> None:
    """Refuse a node that says more than `handled`: nothing of a query is passed over in silence.

    Raises:
        QueryError: It does.
    """
    for name, value in node.args.items():
        if name not in handled and (isinstance(value, exp.Expression) or value):
            word = _PARTS.get(name, name.strip("_").replace("_", " ").upper())
            where = "" if isinstance(node, exp.Select) else f" in {written(node)}"
            raise QueryError(f"{word} is not understood{where}", word=word, hint=GRAMMAR)


def bare(node: exp.Expression) -> exp.Expression:
    """What stands within parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_column(node: exp.Expression) -> bool:
    """Whether it is a name."""
    return isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier)


def plain_name(node: exp.Expression, scope: Scope) -> str:
    """A column's name as it is written, its table's name checked and taken off.

    Raises:
        QueryError: It is no name, or of another table.
    """
    node = bare(node)
    if not is_column(node):
        raise not_understood(node, "The name of a declared column is wanted here.")
    only(node, "this", "table")
    table = node.args.get("table")
    if table is not None and table.name.casefold() not in scope.tables:
        raise QueryError(f"{table.name} is not the query's dataset", word=table.name, hint=f"It is {scope.spec.name}.")
    return str(node.this.name)


def column_name(node: exp.Expression, scope: Scope) -> str:
    """The declared name of a column.

    Raises:
        ColumnError: It is not declared.
        QueryError: It is no column's name, or the privacy unit's.
    """
    return declared(plain_name(node, scope), scope.spec)


def literal_text(node: exp.Expression, column: str, scope: Scope) -> str:
    """The canonical text of a literal that a column is compared with.

    Raises:
        QueryError: It is no literal, or one of another type than the column.
    """
    node = bare(node)
    kind, text = _literal(node)
    declaration = scope.spec.columns[column]
    wanted: tuple[str, ...]
    match declaration:
        case CategoryColumn():
            wanted, hint = ("text",), f"Quote it: '{text}'."
        case BooleanColumn():
            wanted, hint = ("truth",), f"Write {column} = TRUE or {column} = FALSE."
        case DateColumn():
            wanted, hint = ("text", "date"), _DAYS
        case _:
            wanted, hint = ("number",), "Numbers stand without quotes."
    if kind not in wanted:
        raise QueryError(f"{column} is {kind_of(declaration)} and {written(node)} is not", word=text, hint=hint)
    return value_text(text, declaration, column)


def _literal(node: exp.Expression) -> tuple[str, str]:
    match node:
        case exp.Literal():
            return ("text" if node.is_string else "number"), str(node.this)
        case exp.Neg() if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return "number", f"-{node.this.this}"
        case exp.Boolean():
            return "truth", str(node.this).lower()
        case exp.Null():
            raise QueryError("NULL is compared with IS NULL or IS NOT NULL", word="NULL")
        case exp.Cast() if isinstance(node.this, exp.Literal) and node.this.is_string:
            only(node, "this", "to")
            if node.to.this == exp.DataType.Type.DATE:
                return "date", str(node.this.this)
            word = node.to.sql(dialect="duckdb")
            raise QueryError(f"a {word} is not understood", word=word, hint=_DAYS)
    if is_column(node):
        raise QueryError(
            f"{node.name} is compared with as if it were a value",
            word=node.name,
            hint="A column is compared with literals; texts stand in single quotes.",
        )
    raise not_understood(node, "A number, a 'text', DATE '2026-01-31', TRUE or FALSE is wanted here.")


def whole_number(node: exp.Expression, what: str) -> int:
    """A whole number that is written as one.

    Raises:
        QueryError: It is something else.
    """
    kind, text = _literal(bare(node))
    if kind != "number" or not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise QueryError(f"{what} is a whole number", word=text)
    return int(text)


def text_of(node: exp.Expression, what: str) -> str:
    """A text in single quotes.

    Raises:
        QueryError: It is something else.
    """
    kind, text = _literal(bare(node))
    if kind != "text":
        raise QueryError(f"{what} is a text", word=text, hint=f"Quote it: '{text}'.")
    return text
