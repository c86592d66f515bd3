"""What a query selects: statistics and groups, from sqlglot's tree to records without names."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from privkit.dp.spelling import made, names_unit
from privkit.dp.sql.conditions import read_condition
from privkit.dp.sql.nodes import (
    Scope,
    bare,
    column_name,
    function_name,
    is_column,
    literal_text,
    not_understood,
    only,
    plain_name,
    text_of,
    whole_number,
    written,
)
from privkit.dp.sql.words import STATISTICS
from privkit.errors import QueryError
from privkit.model.query import (
    Band,
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
    Regression,
    Statistic,
    Sum,
    Variance,
    condition_columns,
)

_Arguments = list[exp.Expression]


def read_statistic(node: exp.Expression, scope: Scope) -> Statistic | None:
    """A statistic without a name; None where it is something else.

    Raises:
        ColumnError: A column is not declared.
        QueryError: Its arguments are not understood.
    """
    node = bare(node)
    if isinstance(node, exp.WithinGroup):
        return _within_group(node, scope)
    if not isinstance(node, exp.Anonymous) or (read := _READERS.get(function_name(node))) is None:
        return None
    only(node, "this", "expressions")
    return read(function_name(node), list(node.expressions), scope)


def _count(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
    _expect(name, arguments, 1, "COUNT(*) counts rows, COUNT(x) those in which x is not missing.")
    argument = bare(arguments[0])
    match argument:
        case exp.Star():
            only(argument)
            return Count(name="")
        case exp.Literal() if argument.this == "1" and not argument.is_string:
            return Count(name="")
        case exp.Distinct():
            only(argument, "expressions")
            return _count_units(list(argument.expressions), scope)
    return Count(name="", column=column_name(argument, scope))


def _count_units(arguments: _Arguments, scope: Scope) -> Statistic:
    unit = scope.spec.privacy_unit
    written_names = [plain_name(argument, scope) for argument in arguments]
    if not unit.row and (len(arguments) != 1 or not names_unit(written_names[0], scope.spec)):
        word = ", ".join(written_names)
        raise QueryError(
            f"COUNT(DISTINCT {word}): only privacy units are counted",
            word=word,
            hint=f"COUNT(DISTINCT {unit.column}) counts them.",
        )
    return CountUnits(name="")


def _of_one(record: type[Sum | Mean | Variance], **more: object) -> Callable[[str, _Arguments, Scope], Statistic]:
    def read(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
        _expect(name, arguments, 1, f"Write {name}(x).")
        return record.model_validate({"name": "", "column": column_name(arguments[0], scope), **more})

    return read


def _median(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
    _expect(name, arguments, 1, "Write MEDIAN(x).")
    return made(Quantile, name="", column=column_name(arguments[0], scope), q="0.5")


def _quantile(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
    _expect(name, arguments, 2, f"Write {name}(x, 0.9).")
    return made(Quantile, name="", column=column_name(arguments[0], scope), q=_share(arguments[1]))


def _share(node: exp.Expression) -> str:
    node = bare(node)  # 'text' keeps its quotes, and so is no number
    return str(node.this) if isinstance(node, exp.Literal) and not node.is_string else written(node)


def _within_group(node: exp.WithinGroup, scope: Scope) -> Statistic:
    only(node, "this", "expression")
    inner, order = node.this, node.expression
    if not isinstance(inner, exp.Anonymous) or function_name(inner) not in ("PERCENTILE_CONT", "PERCENTILE_DISC"):
        raise not_understood(inner, "WITHIN GROUP goes with PERCENTILE_CONT(q).")
    only(inner, "this", "expressions")
    only(order, "expressions")
    name = function_name(inner)
    usage = f"Write {name}(0.9) WITHIN GROUP (ORDER BY x)."
    _expect(name, inner.expressions, 1, usage)
    _expect(name, order.expressions, 1, usage)
    only(order.expressions[0], "this")  # DESC among what it may say
    return made(Quantile, name="", column=column_name(order.expressions[0].this, scope), q=_share(inner.expressions[0]))


def _percentile(name: str, _: _Arguments, __: Scope) -> Statistic:
    raise QueryError(f"{name} wants WITHIN GROUP", word=name, hint=f"Write {name}(0.9) WITHIN GROUP (ORDER BY x).")


def _histogram(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
    _expect(name, arguments, 2, "Write HISTOGRAM(x, 10) for 10 bins between the bounds of x.")
    bins = whole_number(arguments[1], "the number of bins")
    return made(Histogram, name="", column=column_name(arguments[0], scope), bins=bins)


def _of_two(*, scaled: bool) -> Callable[[str, _Arguments, Scope], Statistic]:
    def read(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
        _expect(name, arguments, 2, f"Write {name}(x, y).")
        x, y = (column_name(argument, scope) for argument in arguments)
        return Covariance(name="", x=x, y=y, scaled=scaled)

    return read


def _regression(name: str, arguments: _Arguments, scope: Scope) -> Statistic:
    if len(arguments) < 2:
        _expect(name, arguments, 2, "Write REGR(y, x1, x2, …): y explained by the others.")
    outcome, *predictors = (column_name(argument, scope) for argument in arguments)
    return made(Regression, name="", outcome=outcome, predictors=tuple(predictors))


def _expect(name: str, arguments: _Arguments, count: int, hint: str) -> None:
    if len(arguments) != count:
        number = "one argument" if count == 1 else f"{count} arguments"
        raise QueryError(f"{name} wants {number} here, not {len(arguments)}", word=name, hint=hint)


_READERS: dict[str, Callable[[str, _Arguments, Scope], Statistic]] = {
    "COUNT": _count,
    "SUM": _of_one(Sum),
    "AVG": _of_one(Mean),
    "MEAN": _of_one(Mean),
    "VARIANCE": _of_one(Variance),
    "VAR_POP": _of_one(Variance),
    "STDDEV": _of_one(Variance, root=True),
    "STDDEV_POP": _of_one(Variance, root=True),
    "MEDIAN": _median,
    "QUANTILE": _quantile,
    "QUANTILE_CONT": _quantile,
    "QUANTILE_DISC": _quantile,
    "PERCENTILE_CONT": _percentile,
    "PERCENTILE_DISC": _percentile,
    "HISTOGRAM": _histogram,
    "CORR": _of_two(scaled=True),
    "COVAR": _of_two(scaled=False),
    "COVAR_POP": _of_two(scaled=False),
    "REGR": _regression,
}


# ---- groups


def read_group(node: exp.Expression, scope: Scope) -> Group:
    """A group expression without a name.

    Raises:
        ColumnError: A column is not declared.
        QueryError: It is no expression that rows are grouped by.
    """
    node = bare(node)
    if is_column(node):
        return ByColumn(name="", column=column_name(node, scope))
    if isinstance(node, exp.Case):
        return _bands(node, scope)
    if isinstance(node, exp.Anonymous) and function_name(node) == "WIDTH_BUCKET":
        return _buckets(node, scope)
    if isinstance(node, exp.Star):
        raise QueryError("* alone selects rows, and rows never leave", word="*", hint=STATISTICS)
    raise not_understood(node)


def _bands(node: exp.Case, scope: Scope) -> Group:
    if node.this is not None:
        raise QueryError(
            f"CASE {written(node.this)} WHEN … is not understood",
            word="CASE",
            hint=f"Write CASE WHEN {written(node.this)} = … THEN … END.",
        )
    only(node, "ifs", "default")
    bands = tuple(_band(branch, scope) for branch in node.args["ifs"])
    default = node.args.get("default")
    otherwise = None if default is None or isinstance(default, exp.Null) else text_of(default, "a band's label")
    return made(ByBands, name="", column=min(condition_columns(bands[0].condition)), bands=bands, otherwise=otherwise)


def _band(branch: exp.If, scope: Scope) -> Band:
    only(branch, "this", "true")
    return Band(label=text_of(branch.args["true"], "a band's label"), condition=read_condition(branch.this, scope))


def _buckets(node: exp.Anonymous, scope: Scope) -> Group:
    only(node, "this", "expressions")
    _expect("WIDTH_BUCKET", node.expressions, 4, "Write WIDTH_BUCKET(x, 0, 100, 10).")
    subject, low, high, count = node.expressions
    column = column_name(subject, scope)
    return made(
        ByBuckets,
        name="",
        column=column,
        low=literal_text(low, column, scope),
        high=literal_text(high, column, scope),
        count=whole_number(count, "the number of buckets"),
    )
