"""Fairness tables from released values: by hand, and what they warn of."""

import builtins
import sys

import pytest

from privkit.errors import MissingExtraError
from privkit.model.estimates import Estimated, Value
from privkit.model.query import ByColumn, Count, Query
from privkit.report.fairness import LEAST_RATIO, fairness_tables, relative_half_width
from tests.report import card_sample as sample


def tables(answer, attributes=("region",)):
    return fairness_tables([sample.statistic(answer)], attributes)


@pytest.mark.parametrize(
    ("value", "relative"),
    [
        (Value(value=200, low=180, high=220), 0.1),
        (Value(value=-50.0, low=-60.0, high=-40.0), 0.2),
        (Value(value=10, low=10, high=10), 0.0),
        (Value(value=0, low=-5, high=5), None),
        (Value(withheld="too few units"), None),
        (Value(value=5), None),
        (Value(value=5.0, low=float("-inf"), high=float("inf")), None),
        (Value(value="2026-01-01", low="2025-12-01", high="2026-02-01"), None),
    ],
)
def test_relative_half_width(value, relative):
    assert relative_half_width(value) == relative


def test_an_even_release_by_hand():
    (table,) = tables(sample.counts({"a": 100.0, "b": 125.0}, half=10.0))
    assert (table.attribute, table.statistic) == ("region", "n")
    assert table.sql.startswith("SELECT region")
    assert [(g.group, g.relative_half_width, g.values) for g in table.groups] == [("a", 0.1, 1), ("b", 0.08, 1)]
    assert table.ratio == pytest.approx(0.8)
    assert table.warning is None


def test_an_uneven_release_names_the_worst_off_and_what_helps():
    (table,) = tables(sample.counts({"a": 1000.0, "b<": 100.0, "c": 900.0, "d": 40.0}, half=10.0))
    assert table.ratio == pytest.approx(0.01 / 0.25)
    for part in (
        "region d and region b<:",
        "± 25 %",
        "± 1 % for the best-off group",
        "coarser bands, more of the",
    ):
        assert part in table.warning, part
    assert "region c" not in table.warning
    assert "region a" not in table.warning


def test_the_limit_is_exact():
    assert tables(sample.counts({"a": 200.0, "b": 100.0}, half=10.0))[0].ratio == LEAST_RATIO
    assert tables(sample.counts({"a": 200.0, "b": 100.0}, half=10.0))[0].warning is None
    assert tables(sample.counts({"a": 201.0, "b": 100.0}, half=10.0))[0].warning is not None


def test_a_withheld_group_is_in_the_table_and_the_warning():
    (table,) = tables(sample.counts({"a": 100.0, "b": None, "c": 90.0, "d": 0.0}, half=10.0))
    assert [(g.group, g.values) for g in table.groups] == [("a", 1), ("b", 0), ("c", 1), ("d", 0)]
    assert table.groups[1].relative_half_width is None
    assert table.ratio == pytest.approx(0.9)
    assert "no value that could be compared for region b and region d" in table.warning


@pytest.mark.parametrize("values", [{"a": 100.0}, {"a": None}, {"a": None, "b": None}, {}])
def test_there_is_no_ratio_of_fewer_than_two_groups(values):
    (table,) = tables(sample.counts(values))
    assert table.ratio is None
    assert table.warning is None
    assert len(table.groups) == len(values)


def test_exact_values_are_even():
    (table,) = tables(sample.counts({"a": 100.0, "b": 7.0}, half=0.0))
    assert (table.ratio, table.warning) == (1.0, None)


def _crossed():
    keys = (("n", "f"), ("n", "m"), ("s", "f"), ("s", "m"))
    values = ((100, 10), (100, 30), (100, 20), (50, 30))
    return sample.counts(
        {},
        query=Query(
            statistics=(Count(name="n"),),
            groups=(ByColumn(column="region", name="area"), ByColumn(column="sex", name="sex")),
        ),
        groups=("area", "sex"),
        keys=keys,
        results=(
            Estimated(name="n", values=tuple((Value(value=v, low=v - h, high=v + h),) for v, h in values), method="m"),
        ),
    )


def test_groups_of_two_columns_are_averaged_over_the_other():
    by_region, by_sex = tables(_crossed(), ("region", "sex"))
    assert [(g.group, g.relative_half_width, g.values) for g in by_region.groups] == [
        ("n", pytest.approx(0.2), 2),
        ("s", pytest.approx(0.4), 2),
    ]
    assert by_region.ratio == pytest.approx(0.5)
    assert [(g.group, g.relative_half_width) for g in by_sex.groups] == [
        ("f", pytest.approx(0.15)),
        ("m", pytest.approx(0.45)),
    ]
    assert by_sex.ratio == pytest.approx(1 / 3)


def test_bands_of_a_column_are_its_groups_and_other_queries_are_passed_over():
    banded = sample.counts({"65+": 500.0, "under 65": 600.0}, query=sample.banded(), groups=("band",))
    assert [table.attribute for table in tables(banded, ("age", "region", "age"))] == ["age"]
    assert tables(sample.counts({"a": 1.0}), ("sex",)) == ()


def test_days_and_statistics_of_several_values_are_left_out():
    assert [table.statistic for table in tables(sample.answer())] == ["n", "age"]


def test_names_are_only_names():
    (table,) = tables(sample.counts({"": 1000.0, "nan": 1000.0, "x\n|<b>": 10.0}, half=5.0))
    assert [group.group for group in table.groups] == ["", "nan", "x\n|<b>"]
    assert all(group.values == 1 for group in table.groups)
    assert "\n" not in table.warning


def test_without_fairlearn_only_who_asks_is_refused(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **how):
        if name.startswith("fairlearn"):
            raise ImportError(name)
        return real(name, *rest, **how)

    for name in [name for name in sys.modules if name.startswith("fairlearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert fairness_tables([sample.statistic(sample.answer())], ()) == ()
    with pytest.raises(MissingExtraError) as caught:
        tables(sample.answer())
    assert caught.value.hint == "pip install 'privkit-toolkit[fairness]'"
