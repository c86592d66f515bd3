"""What each statistic of a release step may cost."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_data import COLUMNS, UNIT

from privkit.budget import limit_of, loss_at
from privkit.dp.plan import plan
from privkit.dp.sql import parse_sql
from privkit.errors import UsageError
from privkit.model.dataset import DatasetSpec
from privkit.model.pipeline import ReleaseStep
from privkit.pipeline.prices import prices

COUNT = "SELECT COUNT(*) AS n FROM patients"
MEAN = "SELECT AVG(age) AS m FROM patients"
SUM = "SELECT SUM(age) AS s FROM patients"


def spec(**budget):
    return DatasetSpec.model_validate(
        {
            "name": "patients",
            "version": "1",
            "ledger": "l.sqlite3",
            "privacy_unit": UNIT,
            "columns": COLUMNS,
            "budget": budget or {"epsilon": 3, "delta": "1e-6", "threshold_delta": "1e-7"},
        }
    )


def priced(*statistics, total="1", described=None):
    described = described or spec()
    step = ReleaseStep.model_validate({"output": "o.json", "total_epsilon": total, "statistics": statistics})
    plans = [plan(parse_sql(one.sql, described), described) for one in step.statistics]
    whole, found = prices(step, plans, limit_of(described.budget))
    assert sum(Fraction(price.loss) for price in found) <= Fraction(whole)
    return whole, found


def test_weights_divide_the_total_and_a_missing_weight_is_one():
    whole, (two, one) = priced({"sql": COUNT, "weight": 2}, {"sql": MEAN})
    assert two.loss == pytest.approx(2 * one.loss)
    assert two.loss + one.loss == pytest.approx(whole)
    assert (two.why, one.why) == ("weight 2", "weight 1")


def test_the_total_is_that_of_one_release_of_its_epsilon():
    whole, _ = priced({"sql": COUNT})
    assert whole == loss_at(Decimal(1), limit_of(spec().budget), Decimal(0))
    private = {"sql": "SELECT ward, COUNT(*) AS n FROM patients GROUP BY ward"}
    less, _ = priced(private)
    assert less == loss_at(Decimal(1), limit_of(spec().budget), Decimal("1e-8")) < whole


def test_a_pure_budget_is_divided_in_epsilon():
    whole, found = priced({"sql": COUNT}, {"sql": SUM}, described=spec(epsilon=1, measure="pure"))
    assert whole == 1
    assert [price.loss for price in found] == [Decimal("0.5")] * 2


def test_accuracies_are_solved_first_and_weights_divide_the_rest():
    whole, (first, second, third) = priced({"sql": COUNT, "accuracy": 100}, {"sql": MEAN}, {"sql": SUM, "weight": 3})
    alone, (same,) = priced({"sql": COUNT, "accuracy": 100}, total="3")
    assert first.loss == same.loss < alone
    assert third.loss == pytest.approx(3 * second.loss)
    assert first.loss + second.loss + third.loss == pytest.approx(whole)


def test_an_accuracy_that_does_not_fit_is_cut_unless_it_is_held():
    needy = {"sql": COUNT, "accuracy": 8}
    whole, (cut, other) = priced(needy, {"sql": MEAN}, total="0.5")
    assert cut.why == "accuracy 8, cut to fit"
    assert cut.loss == pytest.approx(whole / 2)
    assert other.loss == pytest.approx(whole / 2)
    with pytest.raises(UsageError, match="that are held need rho"):
        priced({**needy, "hold": True}, {"sql": MEAN}, total="0.5")


def test_a_held_accuracy_stays_while_others_give_way():
    held = {"sql": COUNT, "accuracy": 60, "hold": True}
    _, (alone,) = priced(held)
    whole, (kept, soft, weighted) = priced(held, {"sql": SUM, "accuracy": 300}, {"sql": MEAN})
    assert kept.loss == alone.loss
    assert "cut to fit" in soft.why
    assert soft.loss == pytest.approx(weighted.loss)
    assert kept.loss + soft.loss + weighted.loss == pytest.approx(whole)


def test_what_an_accuracy_does_not_need_goes_to_the_others():
    modest, needy = {"sql": COUNT, "accuracy": 400}, {"sql": SUM, "accuracy": 100}
    whole, (little, much, rest) = priced(modest, needy, {"sql": MEAN})
    assert little.why == "accuracy 400"
    assert much.loss == pytest.approx((whole - little.loss) / 2)
    assert rest.loss == pytest.approx(much.loss)


def test_an_accuracy_that_needs_data_is_refused_unless_a_number_is_assumed():
    with pytest.raises(UsageError, match="cannot be known beforehand"):
        priced({"sql": MEAN, "accuracy": 1})
    _, (found,) = priced({"sql": MEAN, "accuracy": 5, "assume_units": 5000})
    assert found.loss > 0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.builds(lambda w: {"sql": COUNT, "weight": w}, st.decimals("0.001", "1000", places=3)),
            st.builds(lambda a: {"sql": COUNT, "accuracy": a}, st.floats(5, 5000)),
        ),
        min_size=1,
        max_size=12,
    ),
    st.decimals("0.01", "3", places=2),
)
def test_prices_never_add_up_to_more_than_the_total_and_none_is_nothing(statistics, total):
    whole, found = priced(*statistics, total=str(total))
    assert all(price.loss > 0 for price in found)
    if any("weight" in one for one in statistics):
        assert sum(price.loss for price in found) >= whole * Decimal("0.999999999999999999999")
