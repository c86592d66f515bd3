# ruff: noqa: E501 - tables of queries, one a line
"""What a description does not allow is refused, whoever made the query; no other way of asking gets round it."""

import pytest

from privkit.dp.canonical import canonical_query
from privkit.dp.checks import check
from privkit.errors import ColumnError, QueryError
from privkit.model.dataset import DatasetSpec
from privkit.model.query import (
    And,
    Band,
    ByBands,
    ByBuckets,
    ByColumn,
    Comparison,
    Count,
    CountUnits,
    Covariance,
    Histogram,
    In,
    IsMissing,
    Mean,
    Not,
    Or,
    Quantile,
    Query,
    Regression,
    Sum,
    Variance,
)

SPEC = DatasetSpec.model_validate(
    {
        "name": "patients",
        "version": "1",
        "privacy_unit": {"column": "patient_id", "max_units": 20000},
        "budget": {"epsilon": "3", "delta": "1e-6"},
        "ledger": "ledger.sqlite3",
        "columns": {
            "number": {"type": "integer", "bounds": [0, 110]},
            "real": {"type": "float", "bounds": [0, 10]},
            "open_number": {"type": "integer"},
            "open_real": {"type": "float"},
            "public": {"type": "category", "categories": ["a", "b"]},
            "private": {"type": "category"},
            "flag": {"type": "boolean"},
            "day": {"type": "date", "bounds": ["2020-01-01", "2026-12-31"]},
            "open_day": {"type": "date"},
            "patient_id": {"type": "integer", "bounds": [0, 9]},
        },
    }
)
N = Count(name="n")
LOW = Comparison(column="number", operator="<", value="18")


def of(column):
    """Every statistic of a column."""
    return {
        "count": Count(name="x", column=column),
        "sum": Sum(name="x", column=column),
        "mean": Mean(name="x", column=column),
        "variance": Variance(name="x", column=column),
        "stddev": Variance(name="x", column=column, root=True),
        "quantile": Quantile(name="x", column=column, q="0.9"),
        "median": Quantile(name="x", column=column, q="0.5"),
        "histogram": Histogram(name="x", column=column, bins=3),
        "covariance": Covariance(name="x", x="real" if column != "real" else "number", y=column),
        "correlation": Covariance(name="x", x=column, y="real" if column != "real" else "number", scaled=True),
        "regression": Regression(name="x", outcome="flag" if column != "flag" else "number", predictors=(column,)),
        "outcome": Regression(name="x", outcome=column, predictors=("flag" if column != "flag" else "number",)),
    }


ALONG = {"quantile", "median", "histogram"}
EVERY = set(of("number"))
ALLOWED = {
    "number": EVERY,
    "real": EVERY,
    "open_number": {"count"},
    "open_real": {"count"},
    "public": {"count"},
    "private": {"count"},
    "flag": EVERY - ALONG,
    "day": {"count", "mean"} | ALONG,
    "open_day": {"count"},
    "patient_id": set(),
}


@pytest.mark.parametrize("column", ALLOWED)
@pytest.mark.parametrize("statistic", sorted(EVERY))
def test_a_statistic_wants_a_column_it_can_be_bounded_for(column, statistic):
    query = Query(statistics=(of(column)[statistic],))
    if statistic in ALLOWED[column]:
        check(query, SPEC)
        return
    with pytest.raises(QueryError) as caught:
        check(query, SPEC)
    assert caught.value.word == column
    assert caught.value.hint


GROUPED = {
    "column": lambda column, low, high: ByColumn(column=column, name="g"),
    "buckets": lambda column, low, high: ByBuckets(column=column, name="g", low=low, high=high, count=3),
    "bands": lambda column, low, high: ByBands(
        column=column,
        name="g",
        bands=(Band(label="x", condition=Comparison(column=column, operator="=", value=low)),),
    ),
}
ENDS = {"public": ("a", "b"), "private": ("a", "b"), "flag": ("false", "true")}
DAYS = ("2020-01-01", "2021-01-01")


@pytest.mark.parametrize("column", ALLOWED)
@pytest.mark.parametrize("how", GROUPED)
def test_categories_are_grouped_as_they_are_and_numbers_in_bands(column, how):
    low, high = ENDS.get(column, DAYS if "day" in column else ("1", "5"))
    query = Query(statistics=(N,), groups=(GROUPED[how](column, low, high),))
    if column != "patient_id" and (column in ENDS) == (how == "column"):
        check(query, SPEC)
        return
    with pytest.raises(QueryError) as caught:
        check(query, SPEC)
    assert caught.value.word == column


def bands(*pairs, otherwise=None):
    made = tuple(Band(label=label, condition=condition) for label, condition in pairs)
    return ByBands(column="number", name="g", bands=made, otherwise=otherwise)


def nested(levels):
    condition = LOW
    for level in range(levels):
        kind = (And, Or)[level % 2]
        condition = kind(parts=(condition, Comparison(column="number", operator="=", value=str(level))))
    return condition


def negated(levels):
    condition = LOW
    for _ in range(levels):
        condition = Not(part=condition)
    return condition


REFUSED = {
    "unit in WHERE": Query(statistics=(N,), where=Comparison(column="patient_id", operator="=", value="1")),
    "unit IS NULL": Query(statistics=(N,), where=IsMissing(column="patient_id")),
    "unit deep in WHERE": Query(statistics=(N,), where=Not(part=And(parts=(LOW, In(column="patient_id", values=("1",)))))),
    "order of a category": Query(statistics=(N,), where=Comparison(column="private", operator="<", value="b")),
    "order of a boolean": Query(statistics=(N,), where=Comparison(column="flag", operator=">", value="false")),
    "undeclared category": Query(statistics=(N,), where=In(column="public", values=("a", "c"))),
    "no number": Query(statistics=(N,), where=Comparison(column="number", operator="=", value="one")),
    "NaN": Query(statistics=(N,), where=Comparison(column="real", operator="=", value="nan")),
    "infinite": Query(statistics=(N,), where=Comparison(column="real", operator="<", value="inf")),
    "foreign digits": Query(statistics=(N,), where=Comparison(column="number", operator="=", value="١٨")),
    "no day": Query(statistics=(N,), where=Comparison(column="day", operator="=", value="2023-02-30")),
    "no boolean": Query(statistics=(N,), where=Comparison(column="flag", operator="=", value="1")),
    "another spelling of a number": Query(statistics=(N,), where=Comparison(column="number", operator="=", value="18.0")),
    "another spelling of a boolean": Query(statistics=(N,), where=Comparison(column="flag", operator="=", value="TRUE")),
    "another spelling of a column": Query(statistics=(Sum(name="x", column="Number"),)),
    "too deep": Query(statistics=(N,), where=nested(40)),
    "very deep": Query(statistics=(N,), where=negated(3000)),
    "very deep in a band": Query(statistics=(N,), groups=(bands(("a", negated(3000))),)),
    "too long": Query(statistics=(N,), where=In(column="private", values=tuple(str(i) for i in range(30_000)))),
    "half a character": Query(statistics=(N,), where=Comparison(column="private", operator="=", value="\ud800")),
    "NUL": Query(statistics=(N,), where=Comparison(column="private", operator="=", value="\0")),
    "two bands of one label": Query(statistics=(N,), groups=(bands(("a", LOW), ("a", Not(part=LOW))),)),
    "ELSE of a band's label": Query(statistics=(N,), groups=(bands(("a", LOW), otherwise="a"),)),
    "a label with a line break": Query(statistics=(N,), groups=(bands(("a\nb", LOW)),)),
    "a band of another column": Query(statistics=(N,), groups=(bands(("a", Comparison(column="real", operator="=", value="1"))),)),
    "a band of the missing": Query(statistics=(N,), groups=(bands(("a", Or(parts=(LOW, IsMissing(column="number"))))),)),
    "a band of what is there": Query(statistics=(N,), groups=(bands(("a", Not(part=IsMissing(column="number")))),)),
    "buckets from high to low": Query(statistics=(N,), groups=(ByBuckets(column="number", name="g", low="10", high="9", count=2),)),
    "the same group twice": Query(statistics=(N,), groups=(ByColumn(column="public", name="a"), ByColumn(column="public", name="b"))),
    "two groups of a name": Query(statistics=(N,), groups=(ByColumn(column="public", name="a"), ByColumn(column="flag", name="A"))),
    "two statistics of a name": Query(statistics=(N, Sum(name="n", column="number"))),
    "a name that is an interval's end": Query(statistics=(N, Sum(name="n_LOW", column="number"))),
    "a group that is an interval's end": Query(statistics=(N,), groups=(ByColumn(column="public", name="n_high"),)),
    "a name of blanks": Query(statistics=(Count(name="  "),)),
    "a name with an escape": Query(statistics=(Count(name="\x1b[2J"),)),
    "a name without end": Query(statistics=(Count(name="n" * 201),)),
    "x with itself": Query(statistics=(Covariance(name="c", x="real", y="real"),)),
    "y explained by itself": Query(statistics=(Regression(name="r", outcome="real", predictors=("number", "real")),)),
    "x twice": Query(statistics=(Regression(name="r", outcome="real", predictors=("number", "number")),)),
}  # fmt: skip


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
def test_what_the_description_does_not_allow_is_refused(query):
    with pytest.raises(QueryError) as caught:
        check(query, SPEC)
    assert len(caught.value.message) < 300


def test_numbers_are_compared_as_numbers():
    check(Query(statistics=(N,), groups=(ByBuckets(column="number", name="g", low="9", high="10", count=2),)), SPEC)
    check(Query(statistics=(N,), groups=(ByBuckets(column="real", name="g", low="-9", high="-1", count=2),)), SPEC)


def test_units_are_counted_unless_every_row_is_one():
    query = Query(statistics=(CountUnits(name="u"),))
    check(query, SPEC)
    rows = SPEC.model_copy(update={"privacy_unit": SPEC.privacy_unit.model_validate("row")})
    with pytest.raises(QueryError, match="every row is a privacy unit"):
        check(query, rows)


@pytest.mark.parametrize(
    "query",
    [
        Query(statistics=(Sum(name="x", column="nmber"),)),
        Query(statistics=(N,), where=IsMissing(column="nmber")),
        Query(statistics=(N,), groups=(ByColumn(column="nmber", name="g"),)),
        Query(statistics=(Regression(name="r", outcome="real", predictors=("number", "nmber")),)),
    ],
)
def test_an_unknown_column_is_named_with_its_neighbours(query):
    for door in (check, canonical_query):
        with pytest.raises(ColumnError) as caught:
            door(query, SPEC)
        assert caught.value.columns == ("nmber",)
        assert "number" in caught.value.hint


def test_the_canonical_spelling_passes():
    spelled = canonical_query(
        Query(
            statistics=(Sum(name="", column="NUMBER"),),
            where=And(parts=(Comparison(column="Flag", operator="!=", value="TRUE"), Not(part=Not(part=LOW)))),
            groups=(ByBuckets(column="real", name="", low="0.0", high="1e1", count=2),),
        ),
        SPEC,
    )
    check(spelled, SPEC)
    assert spelled == Query(
        statistics=(Sum(name="sum_number", column="number"),),
        where=And(parts=(Comparison(column="flag", operator="=", value="false"), LOW)),
        groups=(ByBuckets(column="real", name="real_bucket", low="0", high="10", count=2),),
    )
