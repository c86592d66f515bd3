"""The guided start: what it writes, from names and types alone; and the demo."""

import csv
import datetime
import json
import math
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import privkit
from privkit.dp.sources import Table
from privkit.errors import DatasetError, LedgerError, OutputError, UsageError
from privkit.model.dataset import Budget, CategoryColumn, DatasetSpec, FloatColumn, IntegerColumn, PrivacyUnit
from privkit.model.pipeline import About, PipelineSpec
from privkit.model.yamlfile import parse_yaml, read_yaml
from privkit.report.start import highest_belief, odds_lines
from privkit.report.start_files import dataset_yaml, pipeline_yaml
from privkit.starter import make_demo, read_headers, start
from privkit.starter.declared import columns_of, parse_column, unit_of
from privkit.starter.suggestions import (
    SENSITIVITIES,
    first_statistics,
    suggested_budget,
    suggested_delta,
    worth_asking,
)

UNIT = PrivacyUnit(column="person", max_groups=2, max_rows_per_group=3, max_units=5000)
BUDGET = Budget(epsilon=Decimal(2), delta=Decimal("1e-6"), measure="zcdp")


def write_visits(folder: Path, ages: list[int]) -> Path:
    table = {
        "person": [f"p{i}" for i in range(len(ages))],
        "age": ages,
        "region": ["north" if i % 2 else "SECRET" for i in ages],
    }
    pq.write_table(pa.table(table), folder / "visits.parquet")
    return folder / "visits.parquet"


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_visits(tmp_path, [20, 30, 41])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def columns(*texts: str, held=("person", "age", "region")):
    return columns_of([parse_column(text) for text in texts], held)


def begin(**how):
    given = {"unit": UNIT, "columns": columns("age=integer[0,110]", "region=category[north|south]"), "budget": BUDGET}
    return start(how.pop("source", "visits.parquet"), **given | how)


# ---- what a person declares


@pytest.mark.parametrize(
    ("text", "name", "column"),
    [
        ("age=integer[0,110]", "age", IntegerColumn(type="integer", bounds=(0, 110))),
        ("age = =integer[-5, 5]", "age = ", IntegerColumn(type="integer", bounds=(-5, 5))),
        (
            "los=float[0,60]:0.1",
            "los",
            FloatColumn(type="float", bounds=(Decimal(0), Decimal(60)), granularity=Decimal("0.1")),
        ),
        ("score=float", "score", FloatColumn(type="float")),
        ("r=category[a=integer|b, c]", "r", CategoryColumn(type="category", categories=("a=integer", "b, c"))),
        ("r=category[a, ]b[]", "r", CategoryColumn(type="category", categories=("a", "]b["))),
        ("ward=category", "ward", CategoryColumn(type="category")),
        ("größe cm=integer", "größe cm", IntegerColumn(type="integer")),
    ],
)
def test_a_column_is_declared_in_one_word(text, name, column):
    assert parse_column(text) == (name, column)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("age", "NAME=TYPE is wanted"),
        ("=integer", "NAME=TYPE is wanted"),
        ("age=text", "NAME=TYPE is wanted"),
        ("age=integer[0]", "age: two bounds are wanted"),
        ("age=integer[0,x]", "age: bounds: a whole number is wanted"),
        ("age=integer[9,1]", "age: the lower bound must be below the upper one"),
        ("age=integer[0,1]:2", "age: granularity: there is no such key"),
        ("los=float[0,1]:0.3", "los: the bounds must be a whole number of granularity steps apart"),
        ("smoker=boolean[0,1]", "smoker: a boolean has no bounds"),
        ("r=category[a|a]", "r: a category stands twice"),
        ("day=date[2026-01-01,yesterday]", "day: bounds: a day such as 2026-11-22 is wanted"),
    ],
)
def test_what_is_no_declaration_is_said(text, told):
    with pytest.raises(UsageError) as caught:
        parse_column(text)
    assert told in caught.value.message
    assert caught.value.exit_code == 2


def test_columns_get_names_that_queries_can_write():
    found = columns("a b=integer", "a-b=integer", "Größe=float", held=("a b", "a-b", "Größe"))
    assert {name: column.from_ for name, column in found.items()} == {"a_b": "a b", "a_b_2": "a-b", "Größe": None}
    with pytest.raises(UsageError, match="no column agee"):
        columns("agee=integer")
    with pytest.raises(UsageError, match="age is declared twice"):
        columns("age=integer", "age=float")


def test_a_unit_says_what_is_missing():
    assert unit_of("row", max_groups=None, max_rows_per_group=None, max_units=None) == PrivacyUnit(row=True)
    with pytest.raises(UsageError, match="max_units is wanted"):
        unit_of("person", max_groups=1, max_rows_per_group=1, max_units=None)
    with pytest.raises(UsageError, match="leave max_groups"):
        unit_of("row", max_groups=2, max_rows_per_group=1, max_units=None)


# ---- what is suggested


@pytest.mark.parametrize("units", [1, 9, 999, 10**5, 10**5 + 1, 10**7, 2**40])
def test_delta_is_far_below_one_over_the_people(units):
    unit = PrivacyUnit(column="p", max_units=units)
    delta = suggested_delta(unit)
    assert delta <= min(Decimal("1e-6"), 1 / (10 * Decimal(units)))
    assert len(delta.as_tuple().digits) == 1


def test_a_budget_sets_delta_aside_only_for_private_categories():
    public, private = columns("region=category[a]"), columns("region=category")
    assert suggested_budget(UNIT, public, epsilon=Decimal(1)).threshold_delta == 0
    assert suggested_budget(UNIT, private, epsilon=Decimal(1)).threshold_delta == Decimal("1e-7")
    assert suggested_budget(UNIT, private, epsilon=Decimal(1), measure="pure").delta == 0
    with pytest.raises(UsageError, match="pure budget has delta 0"):
        suggested_budget(UNIT, public, epsilon=Decimal(1), delta=Decimal("1e-6"), measure="pure")


def test_the_more_sensitive_the_less_may_be_learned():
    epsilons = [SENSITIVITIES[name].epsilon for name in ("low", "medium", "high")]
    assert epsilons == sorted(epsilons, reverse=True)
    assert max(epsilons) < 8


def test_the_table_of_epsilon_says_what_bayes_says():
    assert highest_belief(0.1, Decimal(2)) == pytest.approx(0.1 * math.e**2 / (0.1 * math.e**2 + 0.9))
    assert highest_belief(0.5, Decimal(10**6)) == 1
    lines = odds_lines(Decimal("1.5"))
    (marked,) = [line for line in lines if line.startswith(">")]
    assert "1.5" in marked
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("name", "worth"),
    [("age", True), ("ward", True), ("region", True), ("email", False), ("notes", False), ("patient_id", False)],
)
def test_identifiers_and_texts_are_not_proposed(name, worth):
    assert worth_asking(name) is worth


@pytest.mark.parametrize("name", ["order", "select", "Größe", "n", "count"])
def test_first_statistics_are_queries_that_the_description_allows(name, tmp_path):
    frame_columns = {
        name: {"type": "integer", "bounds": (0, 9)},
        "group": {"type": "category", "categories": ["it's", "b"]},
        "ward": {"type": "category"},
        "day": {"type": "date"},
    }
    dataset = privkit.Dataset(
        "x.csv", name="table", unit=UNIT.model_dump(exclude_none=True), columns=frame_columns,
        budget=BUDGET.model_dump(), ledger=tmp_path / "l.sqlite3",
    )  # fmt: skip
    privkit.create_budget(dataset)
    with privkit.Session(dataset) as session:
        found = first_statistics(dataset.spec)
        assert len(found) == 2
        for statistic in found:
            assert session.preview(statistic.sql, rho="0.001").sql == statistic.sql


# ---- what is written


def test_the_files_read_back_as_what_was_declared(place):
    started = begin()
    assert set(started.files) == {Path("visits.dataset.yaml"), Path("visits.pipeline.yaml")}
    assert privkit.Dataset.load("visits.dataset.yaml").spec == started.spec
    assert read_yaml(Path("visits.pipeline.yaml"), PipelineSpec) == started.steps
    assert started.spec.privacy_unit == UNIT
    assert started.budget is None
    assert not Path("visits.ledger.sqlite3").exists()
    text = Path("visits.pipeline.yaml").read_text()
    assert "# - deidentify:" in text
    taken_in = "\n".join(
        line.removeprefix("# ") if line.startswith(("# - ", "#     ")) else line for line in text.splitlines()
    )
    step = parse_yaml(taken_in, PipelineSpec).steps[0].deidentify
    assert step.output == "out/visits.parquet"


def test_rows_leave_only_when_somebody_says_so(place):
    assert [step.kind for step in begin().steps.steps] == ["release"]


@pytest.mark.parametrize(
    "odd",
    [
        "null",
        "~",
        "yes",
        "- a",
        "a: b",
        "a #b",
        "'q\"",
        "{x}",
        "1e3",
        "é\u2028x",
        " lead",
        "日本",
        "😀",
        "a,b",
        "0x1",
        "\\",
    ],
)
def test_odd_names_and_values_survive_the_yaml(odd):
    spec = DatasetSpec(
        name="n", source=odd, version=odd, ledger=odd, budget=BUDGET,
        privacy_unit=PrivacyUnit(column=odd, max_units=10),
        columns={"c": CategoryColumn(type="category", categories=(odd, "x"), from_=odd)},
    )  # fmt: skip
    assert parse_yaml(dataset_yaml(spec, "n.dataset.yaml"), DatasetSpec) == spec
    about = About(title=odd, purpose="line one\nline two")
    steps = {
        "dataset": odd, "about": about, "fairness": [odd], "card": "c.html", "sign": odd,
        "steps": [
            {"deidentify": {"output": odd, "policy": odd, "key": odd,
                            "columns": {odd: {"operator": "replace", "new_value": odd}}}},
            {"release": {"output": f"{odd}.json", "total_epsilon": "1e-7", "statistics": [
                {"sql": f"SELECT '{odd}'", "accuracy": 2.5, "hold": True, "assume_units": 3}, {"sql": odd}]}},
        ],
    }  # fmt: skip
    pipeline = PipelineSpec.model_validate(steps)
    assert parse_yaml(pipeline_yaml(pipeline, "n.pipeline.yaml", budget=BUDGET), PipelineSpec) == pipeline


def test_other_rows_under_the_same_schema_give_the_same_bytes(place, monkeypatch):
    monkeypatch.setattr(Table, "fetch", lambda *_: pytest.fail("rows were read"))
    found = []
    for folder, ages in (("a", [20, 30]), ("b", [5, 7, 9, 2**40])):
        (place / folder).mkdir()
        monkeypatch.chdir(place / folder)
        write_visits(Path(), ages)
        begin()
        found.append([Path(name).read_bytes() for name in ("visits.dataset.yaml", "visits.pipeline.yaml")])
    assert found[0] == found[1]
    assert b"SECRET" not in b"".join(found[0])


def test_of_a_csv_only_the_header_is_read(place):
    found = []
    for rows in ("p1,20,north\n", "p2,SECRET,\x00\n" * 9):
        Path("visits.csv").write_text("person,age,region\n" + rows)
        headers = read_headers("visits.csv")
        assert not headers.typed
        begin(source="visits.csv", force=True)
        found.append(Path("visits.dataset.yaml").read_bytes())
    assert found[0] == found[1]


def test_headers_say_types_and_who_can_be_named(place):
    table = {"id": [1], "x": [1.5], "on": [True], "day": [datetime.date(2026, 1, 1)], "t": ["a"]}
    pq.write_table(pa.table(table), "types.parquet")
    headers = read_headers("types.parquet")
    assert dict(headers.types) == {"id": "integer", "x": "float", "on": "boolean", "day": "date", "t": "category"}
    assert headers.units == {"id", "t"}
    with duckdb.connect("stay.db") as database:
        database.execute("CREATE TABLE stays AS SELECT 'a' AS person, 3 AS age")
    begin(source="duckdb://stay.db", table="stays", columns=columns("age=integer[0,9]"), folder="there")
    loaded = privkit.Dataset.load("there/stays.dataset.yaml")
    assert (loaded.spec.source, loaded.spec.table) == ("duckdb://../stay.db", "stays")


def test_from_another_folder_the_source_is_found(place):
    started = begin(folder="here/there", open_budget=True)
    assert started.spec.source == "../../visits.parquet"
    loaded = privkit.Dataset.load("here/there/visits.dataset.yaml")
    with privkit.Session(loaded) as session:
        session.sql("SELECT COUNT(*) AS n FROM visits", epsilon="0.1")
    assert begin(source=str(place / "visits.parquet"), folder="x").spec.source == str(place / "visits.parquet")


# ---- what is refused, and what is left then


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_nothing_is_overwritten_without_force(place):
    Path("visits.pipeline.yaml").write_text("mine")
    before = files(place)
    with pytest.raises(OutputError, match=r"visits\.pipeline\.yaml: there already"):
        begin()
    assert files(place) == before
    begin(force=True)
    assert Path("visits.pipeline.yaml").read_text() != "mine"


def test_a_budget_is_created_once_and_never_replaced(place):
    begin(open_budget=True)
    ledger = Path("visits.ledger.sqlite3").read_bytes()
    with pytest.raises(LedgerError, match="created once"):
        begin(open_budget=True, force=True)
    with pytest.raises(DatasetError, match="description and its budget disagree"):
        begin(budget=Budget(epsilon=Decimal(3), delta=Decimal("1e-6")), force=True)
    begin(force=True)
    assert Path("visits.ledger.sqlite3").read_bytes() == ledger


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"unit": PrivacyUnit(column="nobody", max_units=9)}, "the source has no column nobody"),
        ({"source": "gone.parquet"}, "no such file"),
        ({"budget": Budget(epsilon=Decimal(1), delta=Decimal("0.1"))}, "delta must be below"),
        ({"columns": columns("region=integer", "age=date")}, "column age is declared date"),
        (
            {"budget": Budget(epsilon=Decimal(9), delta=Decimal("1e-6")), "open_budget": True},
            "its budget needs a reason",
        ),
    ],
)
def test_what_cannot_be_leaves_nothing(place, how, told):
    before = files(place)
    with pytest.raises(privkit.PrivkitError, match=told):
        begin(folder="new", **how)
    assert files(place) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_run_that_fails_at_the_last_file_leaves_nothing(place, monkeypatch, error):
    real, calls = Path.replace, []

    def replace(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise error
        return real(self, target)

    before = files(place)
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        begin(folder="a/b", open_budget=True)
    assert files(place) == before
    calls.clear()
    with pytest.raises((OutputError, KeyboardInterrupt)):
        make_demo("demo")
    assert files(place) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_folder_is_said(place):
    Path("closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match=r"cannot be made|closed to you"):
        begin(folder="closed")


def test_a_file_is_no_folder(place):
    with pytest.raises(OutputError, match=r"visits\.parquet is not a folder"):
        begin(folder="visits.parquet")
    with pytest.raises(OutputError, match=r"visits\.parquet/x cannot be made|not a folder"):
        begin(folder="visits.parquet/x")


# ---- the demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, make_demo(folder)


def test_the_demo_is_the_same_every_time_but_for_keys(demo, tmp_path):
    folder, _ = demo
    make_demo(tmp_path / "again")
    for name in ("demo.csv", "demo.dataset.yaml", "demo.pipeline.yaml"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert (folder / "demo.key").read_bytes() != (tmp_path / "again" / "demo.key").read_bytes()


def test_the_demo_holds_what_a_pipeline_needs(demo):
    folder, started = demo
    assert started.budget.spent.epsilon == 0
    assert privkit.Dataset.load(started.dataset).spec == started.spec
    steps = read_yaml(started.pipeline, PipelineSpec)
    assert steps == started.steps
    assert [step.kind for step in steps.steps] == ["deidentify", "release"]
    assert (steps.card, steps.sign) == ("out/card.html", "demo.identity")
    assert all(getattr(steps.about, name) for name in About.model_fields if name != "rows")
    privkit.Key.load(folder / "demo.key")
    privkit.Identity.load(folder / "demo.identity")
    with (folder / "demo.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert 2_000 < len(rows) < 5_000
    assert len({row["patient_id"] for row in rows}) <= started.spec.privacy_unit.max_units
    assert all("@example." in row["email"] for row in rows)


@pytest.mark.parametrize("installed", [True, False])
def test_groups_are_compared_only_where_that_can_be_done(place, monkeypatch, installed):
    """Without Fairlearn the run would fail at its card, when the budget is spent."""
    monkeypatch.setattr("privkit.starter.suggestions.find_spec", lambda _: object() if installed else None)
    for started in (begin(), make_demo("demo")):
        assert started.steps.fairness == (("region",) if installed else ())
        assert read_yaml(started.pipeline, PipelineSpec) == started.steps
        commented = "\n# fairness: [region]" in started.pipeline.read_text()
        assert commented is not installed


def test_the_demos_statistics_fit_into_its_step(demo):
    folder, started = demo
    release = started.steps.steps[1].release
    dataset = privkit.Dataset.load(folder / "demo.dataset.yaml")
    with privkit.Session(dataset) as session:
        total = session.preview("SELECT COUNT(*) AS n FROM patients", epsilon=release.total_epsilon)
        assert total.fits
        held = [session.preview(one.sql, accuracy=one.accuracy).cost.rho for one in release.statistics if one.accuracy]
        assert sum(held) < total.cost.rho / 2
        for one in release.statistics:
            assert session.preview(one.sql, rho="0.001").fits


def test_the_demos_rows_can_be_deidentified_as_its_step_says(demo, tmp_path):
    folder, started = demo
    step = started.steps.steps[0].deidentify
    with (folder / "demo.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:200]
    result = privkit.deidentify(
        rows, policy=step.policy, key=folder / step.key, columns=dict(step.columns), detector=step.detector
    )
    for before, after in zip(rows, result.records, strict=True):
        assert before["name"] not in json.dumps(after)
        assert before["region"] == after["region"]
        assert "email" not in after
        assert "-" in after["age"] or after["age"].endswith("+")


def test_the_demo_replaces_data_but_never_a_budget_or_a_key(tmp_path):
    make_demo(tmp_path)
    with pytest.raises(OutputError, match=r"demo\.csv, demo\.dataset\.yaml"):
        make_demo(tmp_path)
    (tmp_path / "demo.csv").write_text("changed")
    kept = {name: (tmp_path / name).read_bytes() for name in ("demo.key", "demo.identity", "demo.ledger.sqlite3")}
    again = make_demo(tmp_path, force=True)
    assert again.budget is None
    assert (tmp_path / "demo.csv").read_text().startswith("patient_id,")
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
