# ruff: noqa: E501 - tables of queries, one a line
"""The builder makes the record that the same SQL makes."""

import subprocess
import sys
from decimal import Decimal

import pytest

from privkit.dp.builder import bands, buckets, query
from privkit.dp.sql import parse_sql
from privkit.errors import ColumnError, QueryError
from privkit.model.canonical import canonical_json
from privkit.model.dataset import DatasetSpec
from privkit.model.query import Comparison, In, IsMissing, Not

SPEC = DatasetSpec.model_validate(
    {
        "name": "patients",
        "version": "1",
        "privacy_unit": {"column": "patient_id", "max_units": 20000},
        "budget": {"epsilon": "3", "delta": "1e-6"},
        "ledger": "ledger.sqlite3",
        "columns": {
            "age": {"type": "integer", "bounds": [0, 110]},
            "income": {"type": "float", "bounds": [0, 200000]},
            "region": {"type": "category", "categories": ["north", "south"]},
            "smoker": {"type": "boolean"},
            "visit": {"type": "date", "bounds": ["2020-01-01", "2026-12-31"]},
        },
    }
)
PAIRS = [
    (query().count(), "SELECT COUNT(*) FROM data"),
    (query().count("AGE", name="n").count_units(), "SELECT COUNT(age) n, COUNT(DISTINCT patient_id) FROM data"),
    (query().sum("age").mean("income"), "SELECT SUM(age), AVG(income) FROM data"),
    (query().variance("age").stddev("age"), "SELECT VARIANCE(age), STDDEV(age) FROM data"),
    (query().median("income").quantile("income", 0.9), "SELECT MEDIAN(income), QUANTILE_CONT(income, 0.9) FROM data"),
    (query().quantile("visit", Decimal("0.10"), name="q"), "SELECT QUANTILE_CONT(visit, 0.1) q FROM data"),
    (query().histogram("age", bins=11), "SELECT HISTOGRAM(age, 11) FROM data"),
    (
        query().correlation("age", "income").covariance("age", "income", name="c"),
        "SELECT CORR(age, income), COVAR(age, income) c FROM data",
    ),
    (query().regression("income", ["age", "smoker"]), "SELECT REGR(income, age, smoker) FROM data"),
    (query().regression("income", "age"), "SELECT REGR(income, age) FROM data"),
    (
        query().where("age >= 18").where("smoker OR region = 'north'", Not(part=IsMissing(column="visit"))).count(),
        "SELECT COUNT(*) FROM data WHERE age >= 18 AND (smoker OR region = 'north') AND visit IS NOT NULL",
    ),
    (
        query().where(In(column="Age", values=("2.0", "1", "2")), Comparison(column="smoker", operator="!=", value="TRUE")).count(),
        "SELECT COUNT(*) FROM data WHERE NOT smoker AND age IN (1, 2)",
    ),
    (query().by("region", s="smoker").count(), "SELECT region, smoker s, COUNT(*) FROM data GROUP BY 1, 2"),
    (
        query().count().by(band=bands("age", {"child": "age < 18", "adult": "age < 65"}, otherwise="old")),
        "SELECT CASE WHEN age < 18 THEN 'child' WHEN age < 65 THEN 'adult' ELSE 'old' END band, COUNT(*) FROM data GROUP BY band",
    ),
    (
        query().by(bands("age", {"child": Comparison(column="age", operator="<", value="18")})).count(),
        "SELECT COUNT(*) FROM data GROUP BY CASE WHEN age < 18 THEN 'child' END",
    ),
    (
        query().by(buckets("age", 0, 100, 10), month=buckets("visit", "2020-01-01", "2021-01-01", 12)).count(),
        "SELECT WIDTH_BUCKET(age, 0, 100, 10), WIDTH_BUCKET(visit, '2020-01-01', '2021-01-01', 12) month, COUNT(*) FROM data GROUP BY 1, 2",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("built", "text"), PAIRS, ids=[text for _, text in PAIRS])
def test_it_makes_what_sql_makes(built, text):
    made = built.build(SPEC)
    assert made == parse_sql(text, SPEC)
    assert canonical_json(made) == canonical_json(parse_sql(text, SPEC))


def test_a_step_leaves_the_one_before_as_it_was():
    first = query().count()
    first.where("smoker").sum("age").by("region")
    assert first.build(SPEC) == parse_sql("SELECT COUNT(*) FROM data", SPEC)


REFUSED = {
    "nothing": lambda: query().where("smoker"),
    "q": lambda: query().quantile("age", 1.5),
    "NaN": lambda: query().quantile("age", float("nan")),
    "bins": lambda: query().histogram("age", bins=0),
    "predictors": lambda: query().regression("income", []),
    "buckets": lambda: query().by(buckets("age", 0, 1, 0)).count(),
    "bucket ends": lambda: query().by(buckets("age", "low", "high", 3)).count(),
    "no bands": lambda: query().by(bands("age", {})).count(),
    "a category banded": lambda: query().by(bands("region", {"a": "region = 'north'"})).count(),
    "not bounded": lambda: query().sum("region"),
    "unit": lambda: query().by("patient_id").count(),
    "SQL": lambda: query().where("age >").count(),
    "more than a condition": lambda: query().where("age > 1 GROUP BY region").count(),
    "no text": lambda: query().count(column=7),
    "no condition": lambda: query().where(7).count(),
    "names": lambda: query().count(name="x").sum("age", name="x_low"),
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
def test_it_refuses_what_sql_refuses(asked):
    with pytest.raises(QueryError):
        asked().build(SPEC)


def test_an_unknown_column_is_found_by_build():
    with pytest.raises(ColumnError):
        query().mean("ages").build(SPEC)


def test_sqlglot_is_loaded_only_for_sql():
    code = (
        "import sys; from privkit.dp.builder import query, bands; assert 'sqlglot' not in sys.modules; "
        "query().where('x > 1'); assert 'sqlglot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
