"""Private releases from end to end: what is charged when, what is shown, and what is never."""

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statistics_data import COLUMNS, UNIT, patients

import privkit
from privkit.errors import (
    AggregateError,
    BudgetRefusedError,
    DatasetError,
    LedgerError,
    QueryError,
    UsageError,
)

PURE = {"epsilon": 1, "measure": "pure"}
ZCDP = {"epsilon": 3, "delta": "1e-6", "threshold_delta": "1e-7"}
COUNT = "SELECT COUNT(*) AS n FROM patients"


def dataset(folder, data=None, budget=ZCDP, create=True, **changes):
    described = {"name": "patients", "unit": UNIT, "columns": COLUMNS, "ledger": folder / "ledger.sqlite3", **changes}
    made = privkit.Dataset(patients() if data is None else data, budget=budget, **described)
    if create:
        privkit.create_budget(made)
    return made


def spent(made):
    return privkit.show_budget(made).spent


# ---- amounts


def test_ten_times_a_tenth_fits_in_one_and_the_eleventh_does_not(tmp_path):
    made = dataset(tmp_path, budget=PURE)
    with privkit.Session(made, analyst="ana") as session:
        for _ in range(10):
            session.sql(COUNT, epsilon=0.1, fresh=True)
        assert session.remaining.epsilon == 0
        with pytest.raises(BudgetRefusedError) as refused:
            session.sql(COUNT, epsilon="0.1", fresh=True)
    assert refused.value.exit_code == 3
    assert refused.value.remaining == 0
    assert spent(made).epsilon == 1


def test_seventy_five_gaussian_releases_fit_and_the_next_does_not(tmp_path):
    made = dataset(tmp_path, budget={"epsilon": 1, "delta": "1e-6"})
    with privkit.Session(made, analyst="ana") as session:
        for _ in range(75):
            assert session.sql(COUNT, epsilon="0.1", fresh=True).release.cost.delta == Decimal("1e-6")
        with pytest.raises(BudgetRefusedError, match="left"):
            session.sql(COUNT, epsilon="0.1", fresh=True)
        session.sql(COUNT, epsilon=session.remaining.epsilon, fresh=True)  # what is said to be left can be spent


def test_a_quota_refuses_under_the_total(tmp_path):
    made = dataset(tmp_path, budget=PURE)
    privkit.grant_budget(made, "ben", Decimal("0.3"))
    with privkit.Session(made, analyst="ben") as session:
        session.sql(COUNT, epsilon="0.2")
        assert session.remaining.epsilon == Decimal("0.1")
        assert not session.preview(COUNT, epsilon="0.25").fits
        with pytest.raises(BudgetRefusedError) as refused:
            session.sql(COUNT, epsilon="0.25")
        assert refused.value.quota
    with privkit.Session(made, analyst="ana") as session:
        session.sql(COUNT, epsilon="0.8")
    assert spent(made).epsilon == 1


def test_a_threshold_takes_its_delta_and_is_refused_when_none_is_left(tmp_path):
    made = dataset(tmp_path)
    sql = "SELECT ward, COUNT(*) AS n FROM patients GROUP BY ward"
    with privkit.Session(made) as session:
        for _ in range(10):
            released = session.sql(sql, epsilon="0.2", fresh=True)
            assert {key[0] for key in released.release.keys} <= {"A", "B", "rare"}
        assert privkit.show_budget(made).threshold_delta_spent == Decimal("1e-7")
        assert not session.preview(sql, epsilon="0.2").fits
        with pytest.raises(BudgetRefusedError):
            session.sql(sql, epsilon="0.2", fresh=True)
        session.sql(COUNT, epsilon="0.1")


# ---- stored answers


def test_an_equal_query_gives_the_stored_answer_and_spends_nothing(tmp_path):
    made = dataset(tmp_path)
    with privkit.Session(made, analyst="ana") as session:
        first = session.sql("SELECT region, AVG(age) AS m FROM patients WHERE age >= 18 GROUP BY region", epsilon=0.5)
        before = spent(made)
        again = session.sql("select avg(AGE) as other, REGION from data where 18 <= age group by 2", epsilon=0.4)
        wide = session.sql(first.release.sql, epsilon="0.5", confidence=0.8)
    with privkit.Session(made, analyst="ben") as session:
        theirs = session.sql(first.release.sql, epsilon=0.5)
        assert session.preview(first.release.sql, epsilon=0.5).stored
        assert not session.preview(first.release.sql, epsilon=0.6).stored
    assert spent(made) == before
    assert not first.stored
    assert again.stored
    assert theirs.stored
    assert theirs.release == first.release
    shown, other, narrow = (one.to_pandas()[:3] for one in (first, again, wide))  # of the fourth region nobody is there
    assert other["other"].tolist() == shown["m"].tolist() == narrow["m"].tolist()
    assert (narrow["m_high"] <= shown["m_high"]).all()  # equal where both are cut to the bounds
    assert (narrow["m_high"] < shown["m_high"]).any()


@pytest.mark.parametrize(
    "change",
    [
        {"version": "2"},
        {"columns": COLUMNS | {"age": {"type": "integer", "bounds": (0, 100)}}},
        {"unit": UNIT | {"max_rows_per_group": 2}},
    ],
)
def test_another_label_or_other_bounds_are_another_question(tmp_path, change):
    sql = "SELECT AVG(age) AS m FROM patients"
    with privkit.Session(dataset(tmp_path)) as session:
        session.sql(sql, epsilon=0.1)
    with privkit.Session(dataset(tmp_path, create=False, **change)) as session:
        assert not session.sql(sql, epsilon=0.1).stored


def test_whether_an_answer_is_stored_never_depends_on_the_data(tmp_path):
    with privkit.Session(dataset(tmp_path)) as session:
        first = session.sql(COUNT, epsilon=0.1)
    gone = dataset(tmp_path, data=patients().iloc[:0], create=False)
    with privkit.Session(gone) as session:
        assert session.sql(COUNT, epsilon=0.1).release == first.release
        fresh = session.sql(COUNT, epsilon=0.1, fresh=True)
    assert not fresh.stored
    assert fresh.release.drawn != first.release.drawn


# ---- nothing is charged for what is refused; nothing private is read for a preview


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("SELECT COUNT(*) FROM patients", {}), UsageError),
        ((COUNT, {"epsilon": 0.1, "rho": 0.1}), UsageError),
        ((COUNT, {"epsilon": 0}), UsageError),
        ((COUNT, {"epsilon": -1}), UsageError),
        ((COUNT, {"epsilon": float("nan")}), UsageError),
        ((COUNT, {"epsilon": "inf"}), UsageError),
        ((COUNT, {"epsilon": "much"}), UsageError),
        ((COUNT, {"epsilon": 0.1, "confidence": 1.0}), UsageError),
        (("SELECT COUNT(DISTINCT patient) FROM patients", {"epsilon": 0.1, "confidence": 1 - 1e-16}), UsageError),
        ((COUNT, {"accuracy": 0}), UsageError),
        (("SELECT AVG(age) FROM patients", {"accuracy": 1}), UsageError),
        (("SELECT SUM(region) FROM patients", {"epsilon": 0.1}), QueryError),
        (("SELECT SUM(height) FROM patients", {"epsilon": 0.1}), privkit.PrivkitError),
        (("SELECT MAX(age) FROM patients", {"epsilon": 0.1}), QueryError),
        (("DROP TABLE patients", {"epsilon": 0.1}), QueryError),
        ((COUNT, {"epsilon": 100}), BudgetRefusedError),
        (("SELECT ward, COUNT(*) FROM patients GROUP BY ward", {"epsilon": 0.1, "threshold_delta": 1}), QueryError),
    ],
)
def test_what_is_refused_costs_nothing(tmp_path, arguments, error):
    made = dataset(tmp_path)
    entries = privkit.show_budget(made).entries
    (sql, options) = arguments
    with privkit.Session(made) as session, pytest.raises(error):
        session.sql(sql, **options)
    assert privkit.show_budget(made).entries == entries


def test_a_preview_reads_no_data_and_writes_nothing(tmp_path):
    made = dataset(tmp_path, data=tmp_path / "never_made.parquet")
    with privkit.Session(made) as session:
        shown = session.preview("SELECT region, COUNT(*) AS n, AVG(age) AS m FROM patients GROUP BY region", epsilon=1)
        assert shown.groups == 4
        assert shown.half_widths[0].half_width > 0
        assert shown.half_widths[1].half_width is None
        assert session.preview(COUNT, accuracy=20).half_widths[0].half_width <= 20
        with pytest.raises(DatasetError, match="never_made"):
            session.sql(COUNT, epsilon=1)
    assert privkit.show_budget(made).entries == 1


def test_a_half_width_from_an_earlier_count_says_so(tmp_path):
    with privkit.Session(dataset(tmp_path)) as session:
        mean = "SELECT AVG(age) AS m FROM patients"
        assert session.preview(mean, epsilon=1).half_widths[0].half_width is None
        session.sql(COUNT, epsilon=1)
        (known,) = session.preview(mean, epsilon=1).half_widths
        (assumed,) = session.preview(mean, epsilon=1, assume_units=1000).half_widths
        assert session.preview(mean, accuracy=known.half_width).cost.epsilon <= Decimal("1.01")
    assert known.half_width > 0
    assert "entry 2" in known.note
    assert assumed.half_width > 0
    assert "entry" not in assumed.note


def test_refusals_are_the_same_whatever_the_data(tmp_path):
    words = []
    for i, frame in enumerate([patients(), patients().iloc[:0], patients(50).assign(age=5, region="nowhere")]):
        (tmp_path / str(i)).mkdir()
        with privkit.Session(dataset(tmp_path / str(i), data=frame)) as session:
            said = []
            for sql in ("SELECT SUM(ward) FROM data", "SELECT AVG(age) FROM data GROUP BY age", "SELECT"):
                with pytest.raises(privkit.PrivkitError) as caught:
                    session.sql(sql, epsilon=1)
                said.append((str(caught.value), caught.value.hint))
            plan = session.preview("SELECT region, SUM(income) AS s FROM data GROUP BY region", epsilon=1)
            words.append((said, plan))
    assert words[0] == words[1] == words[2]


# ---- ledgers and descriptions


def test_a_budget_must_be_created_and_is_created_once(tmp_path):
    made = dataset(tmp_path, create=False)
    with pytest.raises(LedgerError, match="ledger"):
        privkit.Session(made)
    privkit.create_budget(made)
    with pytest.raises(LedgerError):
        privkit.create_budget(made)


@pytest.mark.parametrize(
    "change",
    [{"budget": {"epsilon": 4, "delta": "1e-6", "threshold_delta": "1e-7"}}, {"budget": PURE}, {"unit": "row"}],
)
def test_a_description_that_disagrees_with_its_budget_is_refused(tmp_path, change):
    dataset(tmp_path)
    change = {"unit": {"row": True, "max_units": 20_000}} if "unit" in change else change
    with pytest.raises(DatasetError, match="disagree"):
        privkit.Session(dataset(tmp_path, create=False, **change))


def test_the_ledger_of_another_dataset_is_refused(tmp_path):
    dataset(tmp_path)
    with pytest.raises(LedgerError, match="patients"):
        privkit.Session(dataset(tmp_path, create=False, name="visits"))


def test_a_budget_above_the_cap_needs_a_reason_that_every_release_shows(tmp_path):
    made = dataset(tmp_path, budget={"epsilon": 20, "measure": "pure"}, create=False)
    with pytest.raises(DatasetError, match="above 8"):
        privkit.create_budget(made)
    privkit.create_budget(made, accept_high_loss="synthetic data")
    with privkit.Session(made) as session:
        released = session.sql(COUNT, epsilon=1)
    assert released.release.accepted_high_loss == "synthetic data"
    assert "synthetic data" in released.card


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": {"epsilon": 1, "delta": "1e-4"}},
        {"budget": {"epsilon": 0, "delta": "1e-6"}},
        {"budget": {"epsilon": "nan", "delta": "1e-6"}},
        {"budget": {"epsilon": 1, "measure": "pure", "delta": "1e-6"}},
        {"unit": {"column": "patient_id"}},
        {"unit": "row", "budget": {"epsilon": 1, "delta": "1e-5"}},
        {"unit": {"column": "patient_id", "row": True, "max_units": 10}},
        {"columns": {"age": {"type": "integer", "bounds": (10, 0)}}},
        {"columns": {"a b": {"type": "boolean"}}},
        {"columns": {"age": {"type": "boolean"}, "AGE": {"type": "boolean"}}},
        {"columns": {"income": {"type": "float", "bounds": (0, 1), "granularity": "0.3"}}},
    ],
)
def test_descriptions_that_do_not_hold_together(tmp_path, wrong):
    with pytest.raises(DatasetError) as caught:
        dataset(tmp_path, create=False, **wrong)
    assert caught.value.hint


# ---- results


def test_results_as_a_frame(tmp_path):
    with privkit.Session(dataset(tmp_path)) as session:
        released = session.sql(
            "SELECT region, COUNT(*) AS n, HISTOGRAM(age, 2) AS h, REGR(income, age) AS fit FROM data GROUP BY region",
            epsilon=2.5,
        )
    frame = released.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame["region"].tolist() == ["north", "south", "east", "west"]
    assert list(frame.columns)[:4] == ["region", "n", "n_low", "n_high"]
    assert {"fit[(intercept)]", "fit[age]", "fit[age]_low"} <= set(frame.columns)
    assert (frame["n_low"] <= frame["n_high"]).all()
    assert abs(frame["n"].iloc[3]) < 200  # declared and without rows
    assert json.loads(released.release.model_dump_json())["sql"] == released.release.sql
    assert "<table" in released._repr_html_()


def test_rows_are_units_when_the_description_says_so(tmp_path):
    made = dataset(tmp_path, unit={"row": True, "max_units": 10_000}, budget={"epsilon": 8, "measure": "pure"})
    with privkit.Session(made) as session:
        frame = session.sql("SELECT COUNT(*) AS n, COUNT(age) AS known FROM data", epsilon=8).to_pandas()
    assert abs(frame["n"][0] - 2_000) < 20
    assert abs(frame["known"][0] - 1_882) < 20


def test_the_short_form_of_rows_as_units(tmp_path):
    with privkit.Session(dataset(tmp_path, unit="row", budget={"epsilon": 1, "delta": "1e-6"})) as session:
        assert session.sql("SELECT region, COUNT(*) AS n FROM data GROUP BY region", epsilon=1).release.privacy_unit.row


def test_the_builder_asks_the_same_question(tmp_path):
    with privkit.Session(dataset(tmp_path)) as session:
        session.sql("SELECT region, AVG(age) AS m FROM data WHERE age >= 18 GROUP BY region", epsilon=1)
        built = privkit.query().where("age >= 18").by("region").mean("age", name="m")
        assert session.sql(built, epsilon=1).stored


def test_the_history_tells_what_was_asked_and_paid(tmp_path):
    made = dataset(tmp_path)
    with privkit.Session(made, analyst="ana") as session:
        session.sql(COUNT, epsilon="0.25")
    opened, charged, released = privkit.budget_history(made)
    assert (opened.kind, charged.kind, released.kind) == ("opened", "charged", "released")
    assert charged.cost.epsilon == Decimal("0.25")
    assert charged.analyst == "ana"
    assert charged.what == COUNT
    assert [e.kind for e in privkit.budget_history(made, analyst="ben")] == []


def test_a_stored_answer_without_a_group_is_estimated_again(tmp_path):
    made = dataset(tmp_path, patients().head(3))
    sql = "SELECT ward, SUM(age) AS s, VARIANCE(age) AS v, HISTOGRAM(age, 3) AS h FROM patients GROUP BY ward"
    with privkit.Session(made) as session:
        assert session.sql(sql, epsilon=0.1).release.keys == ()
        again = session.sql(sql, epsilon=0.1, confidence=0.8)
    assert again.stored
    assert [result.values for result in again.release.results] == [(), (), ()]


# ---- failures after the charge


def test_an_engine_that_fails_keeps_the_charge_and_tells_no_value(tmp_path, monkeypatch):
    made = dataset(tmp_path, budget=PURE)

    def broken(_plan, _table):
        raise ValueError("could not convert the string 'Jane Doe, HIV positive'")

    import privkit.session as door

    monkeypatch.setattr(door, "aggregate", broken)
    with privkit.Session(made) as session, pytest.raises(AggregateError) as told:
        session.sql(COUNT, epsilon="0.1")
    assert "Jane" not in str(told.value)
    assert told.value.__context__ is None
    monkeypatch.setattr(door, "aggregate", lambda *_: (_ for _ in ()).throw(AggregateError("it could not be computed")))
    with privkit.Session(made) as session, pytest.raises(AggregateError):
        session.sql(COUNT, epsilon="0.1")
    assert "stays charged" in told.value.hint
    history = list(privkit.budget_history(made))
    assert [entry.kind for entry in history] == ["opened", "charged", "failed", "charged", "failed"]
    assert "Jane" not in "".join(entry.what for entry in history)
    assert spent(made).epsilon == Decimal("0.2")
    with privkit.Session(made) as session:
        monkeypatch.undo()
        assert not session.sql(COUNT, epsilon="0.1").stored


def test_an_answer_that_cannot_be_kept_never_says_that_nothing_was_charged(tmp_path, monkeypatch):
    made = dataset(tmp_path, budget=PURE)

    def full(*_):
        raise LedgerError("the disk is full", hint="Nothing was charged. Make room, try again.")

    with privkit.Session(made) as session:
        monkeypatch.setattr(session._ledger, "answer", full)
        with pytest.raises(LedgerError) as told:
            session.sql(COUNT, epsilon="0.1")
    assert "stays charged" in told.value.hint
    assert "Nothing was charged" not in told.value.hint
    assert spent(made).epsilon == Decimal("0.1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": 5},
        {"query": None},
        {"accuracy": "5", "epsilon": None},
        {"accuracy": True, "epsilon": None},
        {"confidence": "0.95"},
        {"confidence": None},
        {"assume_units": "5"},
        {"assume_units": -5},
        {"assume_units": 0.5},
    ],
    ids=str,
)
def test_wrong_types_are_refused_in_words(tmp_path, wrong):
    made = dataset(tmp_path, budget=PURE)
    with privkit.Session(made) as session, pytest.raises(UsageError):
        session.preview(**{"query": COUNT, "epsilon": "0.1", **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": [1]},
        {"data": {"id": [1]}},
        {"unit": None},
        {"unit": 5},
        {"columns": ["age"]},
        {"columns": None},
        {"budget": 3},
    ],
    ids=str,
)
def test_a_dataset_of_wrong_types_is_refused_in_words(wrong):
    right = {
        "data": "a.csv",
        "name": "people",
        "unit": {"column": "id", "max_units": 10},
        "columns": {"age": {"type": "integer"}},
        "budget": {"epsilon": 1, "delta": "1e-6"},
    }
    privkit.Dataset(**right)
    with pytest.raises(DatasetError):
        privkit.Dataset(**{**right, **wrong})


def test_a_session_of_no_dataset_is_refused():
    with pytest.raises(UsageError):
        privkit.Session("patients.dataset.yaml")


def test_half_floats_of_a_frame_are_read(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "age": np.array([1, 2], "float16")})
    columns = {"age": {"type": "float", "bounds": (0, 110), "granularity": 1}}
    unit = {"column": "id", "max_units": 10}
    made = privkit.Dataset(
        frame, name="f", unit=unit, columns=columns, budget={"epsilon": 1, "measure": "pure"}, ledger=tmp_path / "l"
    )
    privkit.create_budget(made)
    with privkit.Session(made) as session:
        assert session.sql("SELECT AVG(age) AS age FROM f", epsilon=1).release.results[0].name == "age"


STEPS = ["before begin", "after insert", "before commit", "after commit", "before answer", "after answer", "shown"]
WRITER = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import privkit
from privkit.ledger.store import System
from test_session import COUNT, PURE, dataset

folder, step, nth = Path({folder!r}), {step!r}, {nth}
seen = 0
def at(name):
    global seen
    seen += name == step
    if seen == nth and name == step:
        os.kill(os.getpid(), signal.SIGKILL)
with privkit.Session(dataset(folder, budget=PURE, create=False), system=System(at=at)) as session:
    released = session.sql(COUNT, epsilon="0.1", fresh=True)
    with open(folder / "shown", "a") as file:
        file.write(released.release.id + "\\n")
        file.flush()
        os.fsync(file.fileno())
    at("shown")
"""


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_no_charge_and_shows_no_answer_unpaid(tmp_path, step, nth):
    made = dataset(tmp_path, budget=PURE)
    code = WRITER.format(tests=str(Path(__file__).parent), folder=str(tmp_path), step=step, nth=nth)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    once = step in ("before answer", "after answer", "shown")
    assert done.returncode == (0 if once and nth == 2 else -signal.SIGKILL), done.stderr
    privkit.verify_budget(made)
    history = list(privkit.budget_history(made))
    charged = {entry.id for entry in history if entry.kind == "charged"}
    answered = {entry.id for entry in history if entry.kind == "released"}
    shown = set((tmp_path / "shown").read_text().split()) if (tmp_path / "shown").exists() else set()
    assert shown <= answered <= charged
    at_the_charge = nth == 1 and step in ("before begin", "after insert", "before commit")
    assert len(charged) == (0 if at_the_charge else 1)
    assert len(shown) == (1 if step == "shown" or done.returncode == 0 else 0)
    assert spent(made).epsilon == Decimal("0.1") * len(charged)
    with privkit.Session(made) as session:  # and the ledger goes on
        session.sql(COUNT, epsilon="0.1", fresh=True)
