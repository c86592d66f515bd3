"""The SQL for engines that no test can run on: it is kept, read by people when it changes, and looked through here.

`RENEW_SNAPSHOTS=1 pytest tests/dp/test_warehouses.py` writes the files in `snapshots/` anew; read the difference.
"""

import os
from decimal import Decimal
from pathlib import Path

import ibis
import pytest
import sqlglot
from ibis.backends.sql import compilers
from sqlglot import exp

from privkit.dp.bounding import _asked, _Question, check_askable
from privkit.dp.dialects import COMPILED, engine_of
from privkit.dp.plan import plan
from privkit.dp.sources import Table
from privkit.errors import QueryError
from privkit.model.query import And, ByBuckets, ByColumn, Comparison, Count, CountUnits, Mean, Quantile, Query, Variance
from tests.dp.made import spec_of

SNAPSHOTS = Path(__file__).parent / "snapshots"
COMPILERS = {
    "bigquery": compilers.BigQueryCompiler,
    "snowflake": compilers.SnowflakeCompiler,
    "trino": compilers.TrinoCompiler,
}
SCHEMA = {"u": "string", "x": "float64", "y": "int64", "z": "decimal(24, 3)", "b": "boolean", "d": "date"}
SCHEMA |= {"g": "string", "h": "string"}
MOMENTS = Query(
    statistics=(Mean(name="m", column="x"), Variance(name="v", column="y"), CountUnits(name="u")),
    where=And(
        parts=(
            Comparison(column="d", operator=">=", value="2024-02-29"),
            Comparison(column="z", operator="<", value="1.0001"),
            Comparison(column="b", operator="=", value="true"),
        )
    ),
    groups=(ByColumn(column="g", name="g"),),
)
CELLS = Query(
    statistics=(Quantile(name="q", column="x", q=Decimal("0.5")), Count(name="n")),
    groups=(ByColumn(column="h", name="h"), ByBuckets(column="y", name="b", low="-2.5", high="9", count=3)),
)
ROWS = Query(statistics=tuple(Mean(name=c, column=c) for c in "zbd"))
PLANS = {"moments": plan(MOMENTS, spec_of(2, 2)), "cells": plan(CELLS, spec_of(2, 3))}
PLANS["rows"] = plan(ROWS, spec_of(by_row=True))


def sql_of(name, made, schema=SCHEMA):
    """What the engine would be asked, one text for each of the plan's queries."""
    source = ibis.table(schema, name="visits")
    asked = _asked.__wrapped__(_Question(made.key, source.op(), engine_of(name), made))
    compiler = COMPILERS[name]()
    expressions = [asked.sums, *asked.cells.values()]
    return [compiler.to_sqlglot(e).sql(compiler.dialect, pretty=True) for e in expressions if e is not None]


def parsed(name):
    return [sqlglot.parse_one(sql, dialect=name) for made in PLANS.values() for sql in sql_of(name, made)]


@pytest.mark.parametrize("name", COMPILED)
def test_the_sql_is_what_it_was(name):
    found = "\n\n".join(f"-- {what}\n{sql};" for what, made in PLANS.items() for sql in sql_of(name, made)) + "\n"
    kept = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("RENEW_SNAPSHOTS") == "1":
        kept.write_text(found, encoding="utf-8")
    assert found == kept.read_text(encoding="utf-8")


def _is(node, dialect, *kinds):
    """Whether it is a cast to one of the types, as the dialect writes them."""
    return isinstance(node, exp.Cast) and node.to.sql(dialect) in kinds


WIDE = {"bigquery": "BIGNUMERIC", "snowflake": "DECIMAL(38, 0)", "trino": "DECIMAL(38, 0)"}


@pytest.mark.parametrize("name", COMPILED)
def test_sums_are_wide_and_exact(name):
    """Over rows and units in the wide type; windows count rows, which 64 bits hold."""
    sums = [s for tree in parsed(name) for s in tree.find_all(exp.Sum)]
    assert len(sums) > 10
    for each in sums:
        if isinstance(each.parent, exp.Window):
            assert each.this.name == "held"
        elif isinstance(each.this, exp.If):  # of what is wide already: DIV of sums, or a sum of ones
            assert name == "bigquery"
            counted = each.this.args["false"].name.startswith("rows")
            assert counted or each.this.args["true"].find(exp.IntDiv), each.sql(name)
        else:
            assert _is(each.this, name, WIDE[name]), each.sql(name)


@pytest.mark.parametrize("name", COMPILED)
def test_no_quotient_of_integers_is_one_of_doubles(name):
    """Divided by `/` is a double by the grid's step; else a multiple of the divisor."""
    exact = 0
    for tree in parsed(name):
        for each in tree.find_all(exp.Div):
            if _is(each.expression, name, "DOUBLE", "FLOAT64", "DOUBLE PRECISION"):
                continue
            assert name != "bigquery"
            multiple = each.this.unnest()
            assert isinstance(multiple, exp.Sub), each.sql(name)
            rest = multiple.expression.unnest()
            assert isinstance(rest, exp.Mod)
            assert rest.this.unnest() == multiple.this.unnest()
            assert rest.expression.unnest() == each.expression.unnest()
            exact += 1
        exact += sum(1 for each in tree.find_all(exp.IntDiv))
    assert exact > 4


@pytest.mark.parametrize("name", COMPILED)
def test_hashes_are_the_first_digits_of_an_md5_of_utf8(name):
    texts = "".join("".join(sql.split()) for made in PLANS.values() for sql in sql_of(name, made))
    wanted = {
        "bigquery": "CAST(CONCAT('0x',SUBSTRING(TO_HEX(MD5(",
        "snowflake": "TO_NUMBER(SUBSTRING(MD5(",
        "trino": "FROM_BASE(SUBSTR(TO_HEX(MD5(TO_UTF8(",
    }
    assert texts.upper().count(wanted[name].upper()) >= 2
    assert ("'XXXXXXXX'" in texts) == (name == "snowflake")


@pytest.mark.parametrize("name", COMPILED)
def test_whole_numbers_are_of_64_bits_or_wide(name):
    """A cast of a literal says its type, so that no product is computed in less; BigQuery's NUMERIC has 29 digits."""
    for tree in parsed(name):
        for each in tree.find_all(exp.Cast):
            if name == "bigquery" and each.to.sql(name) == "NUMERIC":
                # z < 1.0001, compared as the source holds it; z within its bounds, which 29 digits hold
                assert isinstance(each.parent, exp.LT) or each.this.find(exp.Greatest), each.sql(name)
            if each.this.is_string and each.this.name.lstrip("-").isdigit():
                assert each.to.sql(name) in ("INT64", "BIGINT", WIDE[name], "DECIMAL(38, 3)", "NUMERIC"), each.sql(name)


class Backend:
    """Compiles as the engine's own backend does."""

    def __init__(self, name):
        self.compiler = COMPILERS[name]()

    def compile(self, expression):
        return self.compiler.to_sqlglot(expression).sql(self.compiler.dialect)


def table_of(name, **kinds):
    schema = SCHEMA | kinds
    return Table(Backend(name), ibis.table(schema, name="visits"), schema, engine_of(name))


@pytest.mark.parametrize("name", COMPILED)
def test_what_would_be_read_otherwise_is_refused_before_anything_is_charged(name):
    for made in PLANS.values():
        check_askable(made, table_of(name))
    for column, kind, what in (
        ("x", "string", "a text that spells a number"),
        ("y", "string", "a text that spells a number"),
        ("d", "string", "a text that spells a date"),
        ("d", "timestamp('UTC')", "the day of a time with a zone"),
    ):
        made = plan(Query(statistics=(Mean(name="m", column=column),)), spec_of())
        with pytest.raises(QueryError, match=f"{name}: {what}"):
            check_askable(made, table_of(name, **{column: kind}))
    check_askable(plan(Query(statistics=(Mean(name="m", column="d"),)), spec_of()), table_of(name, d="timestamp"))
    spec = spec_of()
    wide = {**spec.columns, "g": spec.columns["g"].model_copy(update={"categories": tuple(map(str, range(501)))})}
    made = plan(Query(statistics=(Count(name="n"),), groups=MOMENTS.groups), spec.model_copy(update={"columns": wide}))
    with pytest.raises(QueryError, match=rf"501 categories: on {name} at most 500"):
        check_askable(made, table_of(name))
