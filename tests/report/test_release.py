"""Releases, previews and budgets as text, HTML, Markdown and CSV, from records alone."""

import csv
import io
import itertools
import json
import re
from decimal import Decimal

import pytest
from rich.console import Console

from privkit.errors import OutputError, UsageError
from privkit.model.dataset import DatasetSpec, PrivacyUnit
from privkit.model.estimates import Estimated, Value
from privkit.model.query import ByColumn, Count, Query
from privkit.model.release import HistoryEntry, Loss, Release, Verified
from privkit.report import budget, dataset, terminal
from privkit.report import release as shown_release
from privkit.report.card import release_card
from privkit.report.pictures import pictures
from privkit.report.release_files import check_release_places, needed_files, release_csv, write_release
from privkit.report.release_html import release_fragment, release_html
from privkit.report.release_wording import (
    NOISE_ONLY,
    WEAK,
    amount_text,
    loss_text,
    promise_sentence,
    significant,
    unit_sentences,
    value_text,
)
from tests.report import release_sample as sample
from tests.report.release_sample import COST, HOSTILE
from tests.report.test_html import STYLE, Page


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _plain(width: int = 160) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)


def _tty(width: int) -> Console:
    return Console(file=Terminal(), force_terminal=True, color_system=None, width=width, markup=False, highlight=False)


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _printed(release: Release, console: Console | None = None, **how) -> str:
    console = console or _plain()
    shown_release.print_release(console, release, **({"stored": False} | how))
    return _written(console)


# ---- words


@pytest.mark.parametrize(
    ("typed", "up", "text"),
    [
        ("0.5", True, "0.5"),
        ("0.50", True, "0.5"),
        ("100", True, "100"),
        ("0.000001", True, "1e-6"),
        ("0.00000123", True, "1.23e-6"),
        ("0", True, "0"),
        ("0.0243561111", True, "0.02436"),
        ("0.0243561111", False, "0.02435"),
        ("2.9999999", False, "2.999"),
        ("2.9999999", True, "3"),
        ("2.77434", True, "2.77434"),
        ("2.77434", False, "2.774"),
        ("0.00001234567", True, "1.235e-5"),
    ],
)
def test_amounts_are_as_typed_or_shortened_to_the_safe_side(typed, up, text):
    assert amount_text(Decimal(typed), up=up) == text


def test_a_pure_loss_has_no_rho_and_no_delta():
    assert loss_text(Loss(epsilon=Decimal("0.1"), delta=Decimal(0))) == "ε 0.1"
    assert loss_text(COST) == "ε 0.5 at δ 1e-6 (ρ 0.006322)"


@pytest.mark.parametrize(
    ("value", "number", "interval"),
    [
        (Value(value=1234, low=1216, high=1252), "1,234", "[1,216, 1,252]"),
        (Value(value=51.23456, low=50.1, high=52.4), "51.2", "[50.1, 52.4]"),
        (Value(value=0.5, low=0.4999, high=0.5001), "0.50000", "[0.49990, 0.50010]"),
        (Value(value=48.9, low=11.0, high=80.0), "49", "[11, 80]"),
        (Value(value="2026-03-10", low="2026-03-02", high="2026-03-20"), "2026-03-10", "[2026-03-02, 2026-03-20]"),
        (Value(value=-0.001, low=-1.5, high=1.5), "0.0", "[-1.5, 1.5]"),
        (Value(value=3.0, low=3.0, high=3.0), "3.000", "[3.000, 3.000]"),
        (Value(value=1e22, low=0.9e22, high=1.1e22), "1e22", "[9e21, 1.1e22]"),
        (Value(value=0.0, low=0.0, high=0.0), "0.0", "[0.0, 0.0]"),
        (Value(value=2.5, low=float("-inf"), high=float("inf")), "2.500", "[-∞, ∞]"),
        (Value(withheld="too few"), "withheld", ""),
    ],
)
def test_values_are_rounded_to_what_the_interval_is_wide(value, number, interval):
    text = value_text(value)
    assert (text.value, text.interval) == (number, interval)


def test_a_withheld_value_says_why_and_a_weak_one_that_it_is():
    assert value_text(Value(withheld="too few")).note == "too few"
    assert value_text(Value(value=1.5, low=0.0, high=3.0, weak=True)).note.startswith("weak")
    assert value_text(Value(value=1.5, low=0.0, high=3.0)).note == ""


def test_the_unit_in_words():
    row = " ".join(unit_sentences(PrivacyUnit(row=True)))
    person = " ".join(unit_sentences(PrivacyUnit(column="pid", max_groups=2, max_rows_per_group=1, max_units=10)))
    assert "each row by itself is protected" in row
    assert "differ by all rows of one pid" in person
    assert "at most 2 groups" in person
    assert "at most 1 row;" in person


def test_the_promise_names_the_factor():
    assert "at most 1.649 (e^ε)" in promise_sentence(COST, PrivacyUnit(row=True))
    assert "δ = 1e-6" in promise_sentence(COST, PrivacyUnit(row=True))
    pure = Loss(epsilon=Decimal(1_000), delta=Decimal(0))
    assert "δ" not in promise_sentence(pure, PrivacyUnit(row=True))  # nor does a huge ε overflow


def test_significant():
    assert [significant(x) for x in (0, 1e-9, -12345.678, 0.000123456, 99999)] == [
        "0", "1e-9", "-12,346", "0.0001235", "99,999",
    ]  # fmt: skip


# ---- terminal


def test_a_release_on_a_terminal():
    lines = [" ".join(line.split()) for line in _printed(sample.release()).splitlines()]
    assert lines[0] == "region n 95 % interval age 95 % interval day 95 % interval"
    assert lines[2] == "south 1,234 [1,216, 1,252] 51.2 [50.1, 52.4] 2026-03-10 [2026-03-02, 2026-03-20]"
    assert lines[3].endswith("861 [843, 879] 49 [11, 80] weak 2026-04-10 [2026-04-02, 2026-04-20]")
    assert lines[4] == "west -3 [-21, 15] withheld (1) 2026-05-10 [2026-05-02, 2026-05-20]"
    assert "(1) too few rows for a mean" in lines
    assert WEAK in lines
    assert "south [20, 40) 340 [325, 355]" in lines
    assert "west age -0.30 [-1.11, 0.51]" in lines
    assert "Spent ε 0.5 at δ 1e-6 (ρ 0.006322)." in lines
    assert "Left of the budget: ρ 0.1776." in lines
    assert NOISE_ONLY in lines
    assert "age: values beyond the bounds count as the bound" in lines
    assert sum("covers the noise" in line or "cover the noise" in line for line in lines) == 1


def test_a_stored_answer_says_so_and_of_what_date():
    text = _printed(sample.release(), stored=True, remaining=sample.loss("2.1", "0.1"))
    assert "Stored answer of 2026-11-22 01:30:04 UTC: nothing spent." in text
    assert "Spent ε" not in text
    assert "Left for analyst ana: ε 2.1 at δ 1e-6 (ρ 0.1)." in text


def test_no_value_is_cut_whatever_the_width_and_the_number_of_groups():
    keys = tuple((f"group {i} " + "x" * 40,) for i in range(300))
    values = tuple((Value(value=10_000 + i, low=9_000 + i, high=11_000 + i),) for i in range(300))
    many = tuple(Estimated(name=f"count_number_{i}", values=values, method="m") for i in range(12))
    release = sample.release(
        keys=keys, results=many, query=Query(statistics=tuple(Count(name=one.name) for one in many))
    )
    for console in (_plain(), _tty(80), _tty(40)):
        text = _printed(release, console).replace("\n", "").replace(" ", "")
        assert all(text.count(f"{10_000 + i:,}") >= 12 for i in (0, 150, 299))
        assert all("".join(key[0].split()) in text for key in keys)
        assert "…" not in text


@pytest.mark.parametrize("width", [40, 71, 90])
def test_a_narrow_terminal_gets_lists(width):
    text = _printed(sample.release(), _tty(width))
    assert "  n: 1,234 [1,216, 1,252]" in text
    assert "  age: withheld (1)" in text
    assert "  age: 2.12 [1.31, 2.94]" in text


def test_no_name_drives_the_terminal():
    hostile = sample.release(
        groups=(HOSTILE,),
        analyst=HOSTILE,
        accepted_high_loss=HOSTILE,
        results=(Estimated(name=HOSTILE, values=((Value(value=1),),) * 3, method=HOSTILE, notes=(HOSTILE,)),),
    )
    text = _printed(hostile, remaining=COST) + _printed(hostile, _tty(60), remaining=COST)
    assert "\u202e" not in text
    assert "\x1b[31m" not in text
    assert "[bold]" in text


def test_an_empty_result_is_said():
    empty = sample.release(keys=(), results=(Estimated(name="n", values=(), method="m"),), threshold=sample.threshold())
    assert "No group has enough units to be shown." in _printed(empty)
    assert "No group has enough units to be shown." in Page(release_html(empty)).text
    assert "No group has enough units to be shown." in release_card(empty)
    assert release_csv(empty) == "region,n,n_low,n_high\n"


def _previewed(console: Console, **changes) -> str:
    shown_release.print_preview(console, sample.preview(**changes))
    return " ".join(_written(console).split())


def test_a_preview():
    text = _previewed(_plain())
    assert "Cost ε 0.5 at δ 1e-6 (ρ 0.006322), 1 group." in text
    assert "Left after it: ε 1.512 at δ 1e-6 (ρ 0.1776)." in text
    assert "n ± 18.2 rows" in text
    assert "age not known beforehand depends on how many rows there are" in text
    assert "moments <age> discrete Gaussian 18,234 4,096 1/2 n, age" in text
    assert "A note [bold]." in text
    assert "n: ± 18.2 rows" in _previewed(_tty(50))


def test_a_preview_of_what_does_not_fit_is_stored_or_has_private_groups():
    assert "It does not fit: left is ε 1.512" in _previewed(_plain(), fits=False)
    assert "nothing would be spent" in _previewed(_plain(), fits=False, stored=True)
    private = _previewed(_plain(), groups=None, threshold=sample.threshold())
    assert "private groups" in private
    assert "41 noisy units" in private
    assert "δ 1e-8" in private


# ---- budget


def test_a_budget_with_a_bar():
    console = _plain()
    budget.print_budget(console, sample.standing())
    lines = _written(console).splitlines()
    assert lines[1] == "[" + "#" * 15 + "-" * 45 + "] 25% spent"
    assert lines[2] == "spent     ε 1.001 at δ 1e-6 (ρ 0.05)"
    assert lines[3] == "left      ε 2.419 at δ 1e-6 (ρ 0.15)"
    assert "9 entries" in lines[6]
    assert lines[7] == "quota     ana: ε 1 at δ 1e-6 (ρ 0.02), of which ε 0.5 at δ 1e-6 (ρ 0.006) is spent"


@pytest.mark.parametrize(
    ("rho", "percent", "filled"),
    [("0", "0%", 0), ("0.0001", "under 1%", 1), ("0.1", "50%", 30), ("0.19999", "over 99%", 59), ("0.2", "100%", 60)],
)
def test_the_bar_is_empty_or_full_only_where_the_budget_is(rho, percent, filled):
    console = _plain()
    budget.print_budget(console, sample.standing(spent=sample.loss("1", rho)))
    bar = _written(console).splitlines()[1]
    assert bar.count("#") == filled
    assert bar.endswith(f"] {percent} spent")


def test_the_bar_on_a_terminal_is_as_wide_as_it_is():
    for width in (30, 80):
        console = _tty(width)
        budget.print_budget(console, sample.standing())
        bar = _written(console).splitlines()[1]
        assert len(bar) <= width
        assert set(bar) >= {"█", "░"}


def test_a_high_loss_stands_everywhere():
    reason = "approved by <the> board"
    console = _plain()
    budget.print_budget(console, sample.standing(accepted_high_loss=reason, threshold_delta=Decimal("1e-7")))
    release = sample.release(accepted_high_loss=reason)
    assert reason in _written(console)
    assert "0 of δ 1e-7 spent on private categories" in _written(console)
    assert reason in _printed(release)
    assert reason in Page(release_html(release)).text
    assert "approved by \\<the\\> board" in release_card(release)


def _history():
    for i in range(3_000):
        yield HistoryEntry(sequence=i + 1, time="2026-11-22T01:30:04+00:00", kind="charged", analyst="ana", cost=COST)
    yield HistoryEntry(
        sequence=3_001, time="2026-11-22T01:30:05+00:00", kind="opened", what="SELECT \x1b[31m " + "y" * 300
    )


def test_a_long_history_has_one_whole_line_an_entry():
    console = _plain()
    budget.print_history(console, _history())
    lines = _written(console).splitlines()
    assert len(lines) == 3_001
    assert lines[0].split(maxsplit=5)[:4] == ["1", "2026-11-22", "01:30:04", "UTC"]
    assert lines[-1].endswith("y" * 300)
    assert "\x1b" not in lines[-1]


def test_verified():
    def said(**fields):
        found = Verified(dataset="patients", entries=7, head="ab" * 32, **fields)
        return " ".join(line.plain for line in budget.verified_lines(found))

    assert "7 entries hold together" in said()
    assert "only against a checkpoint" in said()
    assert "up to entry 5; signed by aa-bb" in said(checkpoint=5, signer="aa-bb")
    assert "not pinned" in said(checkpoint=5, signer="aa-bb")
    assert "not pinned" not in said(checkpoint=5, signer="aa-bb", pinned=True)


# ---- HTML


def test_a_page_of_a_hostile_release_is_text_and_loads_nothing():
    release = sample.release(
        dataset="patients",
        analyst=HOSTILE,
        version=HOSTILE,
        sql=HOSTILE,
        groups=(HOSTILE,),
        accepted_high_loss=HOSTILE,
        threshold=sample.threshold(),
        declared={HOSTILE: {"type": HOSTILE, HOSTILE: [HOSTILE]}},
        software={HOSTILE: HOSTILE},
    )
    html = release_html(release)
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base", "b"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {n for _, a in page.tags for n, v in a.items() if "://" in str(v)} <= {"xmlns"}
    assert "no|rth <script>alert('x')</script> \" onload=\"alert(1) & \\x1b[31m \\u202e" in page.text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "url(" not in html.split("</style>")[1]


def test_the_page_has_values_promise_account_and_mechanisms():
    page = Page(release_html(sample.release(threshold=sample.threshold())))
    text = " ".join(page.text.split())
    for part in (
        "1,234 [1,216, 1,252]",
        "withheld too few rows for a mean",
        "age: values beyond the bounds count as the bound",
        NOISE_ONLY,
        "at most 1.649 (e^ε)",
        "differ by all rows of one patient_id",
        "reaches 41",
        "discrete Gaussian 18,234 4,096 1/2 n, age",
        "Spent before it ε 0.8124 at δ 1e-6 (ρ 0.016)",
        "ab" * 32,
        "integer, bounds 0 … 110",
        "opendp 0.16.0",
    ):
        assert part in text, part
    assert "Stored answer" not in text
    assert "Stored answer of 2026-11-22" in Page(release_html(sample.release(), stored=True)).text


def test_tables_and_pictures_can_be_read_aloud():
    page = Page(release_html(sample.release()))
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in itertools.pairwise(headings))
    cells = [attributes for tag, attributes in page.tags if tag == "th"]
    assert all(attributes.get("scope") in ("col", "row") for attributes in cells)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawn = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(drawn) == 3 + 3 + 2  # three of one value, a histogram of each group, two coefficients
    for attributes in drawn:
        assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)
    assert not re.search(r"\bid=\"[^\"]*[<>/]", release_html(sample.release()))


def test_two_releases_in_one_notebook_share_no_id():
    fragment = release_fragment(sample.release(), False)
    other = release_fragment(sample.release(id="another"), True)
    assert not fragment.startswith("<!doctype")
    first, second = ({a["id"] for _, a in Page(part).tags if "id" in a} for part in (fragment, other))
    assert first
    assert not first & second


def test_every_class_of_the_page_has_a_style():
    html = release_html(sample.release(threshold=sample.threshold(), accepted_high_loss="r"), stored=True)
    style = html.partition("</style>")[2].partition("</style>")[0] + STYLE
    used = {name for _, attributes in Page(html).tags for name in (attributes.get("class") or "").split()}
    assert {name for name in used if f".{name}" not in style} == set()


# ---- pictures


def test_marks_stand_in_order_and_within_the_picture():
    n, age, day, *_ = pictures(sample.release())
    assert [mark.text.value for mark in n.marks] == ["1,234", "861", "-3"]
    assert n.zero is not None
    for picture in (n, age, day):
        for mark in picture.marks:
            if mark.at is not None:
                assert 0 <= mark.low <= mark.at <= mark.high <= 100
        ticks = [tick.at for tick in picture.ticks]
        assert 2 <= len(ticks) <= 6
        assert ticks == sorted(ticks)
    assert age.marks[2].at is None
    assert next(tick.text for tick in day.ticks).startswith("2026-03-")
    assert n.marks[0].at > n.marks[1].at > n.marks[2].at


def test_bars_stand_on_zero():
    bars = next(p for p in pictures(sample.release()) if p.bars and "west" in p.heading)
    assert bars.heading == "ages, region west"
    for bar, count in zip(bars.bars, (-4, 2, 9, -10), strict=True):
        edge = bar.top + bar.height if count > 0 else bar.top
        assert edge == pytest.approx(bars.baseline, abs=0.2)
        assert bar.high < bar.low
        assert bar.high >= 0
        assert bar.low <= 150


def test_pictures_of_many_groups_say_what_they_leave_out():
    keys = tuple((str(i),) for i in range(100))
    release = sample.release(
        query=Query(statistics=(Count(name="n"),), groups=(ByColumn(column="region", name="region"),)),
        keys=keys,
        results=(Estimated(name="n", values=tuple((Value(value=i, low=i, high=i),) for i in range(100)), method="m"),),
    )
    (picture,) = pictures(release)
    assert (len(picture.marks), picture.left_out) == (40, 60)
    text = Page(release_html(release)).text
    assert "60 more groups are in the table alone." in text
    assert " 99" in text


@pytest.mark.parametrize(
    "value",
    [
        Value(value=0, low=0, high=0),
        Value(value=5, low=5, high=5),
        Value(value=5),
        Value(value=1.5, low=float("-inf"), high=float("inf")),
        Value(value=1e300, low=-1e300, high=1e300),
        Value(value=1e-300, low=0.0, high=2e-300),
        Value(value="2026-01-01", low="2026-01-01", high="2026-01-01"),
        Value(withheld="no"),
    ],
)
def test_no_value_breaks_a_page(value):
    query = Query(statistics=(Count(name="n"),))
    one = sample.release(
        query=query, groups=(), keys=((),), results=(Estimated(name="n", values=((value,),), method="m"),)
    )
    Page(release_html(one))
    assert release_card(one)
    assert _printed(one)


# ---- card


def test_a_card_holds_what_a_reader_needs_and_no_markup_from_outside():
    card = release_card(sample.release(threshold=sample.threshold()))
    for part in (
        "# Private statistics of patients",
        "| south | n | 1,234 | [1,216, 1,252] | – |",
        "| west | age | withheld | – | too few rows for a mean |",
        NOISE_ONLY,
        "| Spent after it | ε 1 at δ 1e-6 (ρ 0.02233) |",
        "| moments \\<age\\> | discrete Gaussian | 18,234 | 4,096 | 1/2 | n, age |",
        "patient_id",
        "opendp 0.16.0",
    ):
        assert part in card, part
    assert "<script>" not in card.replace("\\<", "")
    assert "\x1b" not in card
    rows = [line for line in card.splitlines() if line.startswith("| no")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)


def test_sql_with_fences_stays_in_its_fence():
    card = release_card(sample.release(sql="SELECT ```` x"))
    assert "`````sql\nSELECT ```` x\n`````" in card


# ---- files


def test_csv_has_a_line_a_group_and_three_columns_a_value():
    rows = list(csv.reader(io.StringIO(release_csv(sample.release()))))
    assert rows[0][:4] == ["region", "n", "n_low", "n_high"]
    assert "ages[[20, 40)]_low" in rows[0]
    assert "cost[(intercept)]" in rows[0]
    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[1][1:7] == ["1234", "1216", "1252", "51.23456", "50.1", "52.4"]
    assert rows[2][0] == HOSTILE
    assert rows[3][4:7] == ["", "", ""]


def test_files_are_written_together(tmp_path):
    release = sample.release()
    write_release(release, stored=True, json=tmp_path / "r.json", csv=tmp_path / "r.csv", html=tmp_path / "r.html")
    assert Release.model_validate_json((tmp_path / "r.json").read_text()) == release
    assert (tmp_path / "r.csv").read_text() == release_csv(release)
    assert "Stored answer" in (tmp_path / "r.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.html", "r.json"]


def test_a_file_that_cannot_be_written_leaves_none(tmp_path):
    with pytest.raises(OutputError):
        write_release(sample.release(), stored=False, json=tmp_path / "r.json", csv=tmp_path / "no" / "r.csv")
    assert list(tmp_path.iterdir()) == []


def test_places_are_refused_beforehand(tmp_path):
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to("d.yaml")
    (tmp_path / "d.yaml").write_text("x")
    a, there = tmp_path / "a", tmp_path / "there"
    check_release_places({"the output": a}, force=False)
    check_release_places({"the output": there}, force=True)
    with pytest.raises(UsageError, match="the output and the CSV are the same file"):
        check_release_places({"the output": a, "the CSV": tmp_path / "." / "a"}, force=False)
    with pytest.raises(OutputError, match="exists already"):
        check_release_places({"the output": there}, force=False)
    with pytest.raises(OutputError, match="does not exist"):
        check_release_places({"the output": tmp_path / "no" / "a"}, force=False)
    with pytest.raises(OutputError, match="would replace a file that the release needs"):
        check_release_places({"the output": tmp_path / "link"}, force=True, keep=[tmp_path / "d.yaml"])


def _spec(**changes) -> DatasetSpec:
    fields = {
        "name": "patients",
        "source": "data/*.csv",
        "version": "1",
        "privacy_unit": {"column": "pid", "max_units": 1_000},
        "budget": {"epsilon": "3.0", "delta": "1e-6"},
        "ledger": "ledger.sqlite3",
        "columns": {
            "age": {"type": "integer", "bounds": [0, 110], "missing": 40},
            "note": {"type": "float"},
            "los": {"type": "float", "bounds": [0, 60], "granularity": "0.1"},
            "ward": {"type": "category"},
            "region": {"type": "category", "categories": ["a", "b"]},
            "smoker": {"type": "boolean"},
        },
    }
    return DatasetSpec.model_validate(fields | changes)


def test_the_files_of_a_dataset_are_known(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.csv").write_text("x")
    found = needed_files(tmp_path / "d.yaml", _spec(), str(tmp_path / "ledger.sqlite3"))
    assert {tmp_path / "d.yaml", tmp_path / "data" / "1.csv", tmp_path / "ledger.sqlite3"} <= set(found)
    url = needed_files(tmp_path / "d.yaml", _spec(source="duckdb://a.db"), "postgresql://host/db")
    assert set(url) == {tmp_path / "d.yaml", tmp_path / "a.db"}
    assert needed_files(tmp_path / "d.yaml", _spec(source=None), "postgresql://h/d") == [tmp_path / "d.yaml"]


def test_a_description_in_words():
    console = _plain()
    dataset.print_dataset(console, "d.yaml", _spec(), "zcdp suits.")
    text = " ".join(_written(console).split())
    for part in (
        "d.yaml: valid; dataset patients, version 1",
        "whoever stands behind one value of pid",
        "may cost ε 3 at δ 1e-6",
        "age integer, 0 … 110, what is beyond counts as the bound; missing counts as 40",
        "note float, without bounds: it can be counted and compared, not summed",
        "los float, 0 … 60, in steps of 0.1",
        "ward category, private values: it cannot be grouped by while threshold_delta is 0",
        "region category, 2 public values",
        "zcdp suits.",
    ):
        assert part in text, part
    record = json.loads(json.dumps(dataset.dataset_record(_spec(), "a")))
    assert record["valid"] is True
    assert DatasetSpec.model_validate(record["dataset"]) == _spec()


def test_a_draft_is_written_whole_and_never_over_a_file(tmp_path):
    path = tmp_path / "d.yaml"
    dataset.write_draft("name:", path, source="a.csv", force=False)
    with pytest.raises(OutputError):
        dataset.write_draft("other", path, source="a.csv", force=False)
    assert path.read_text() == "name:"
    dataset.write_draft("other", path, source="a.csv", force=True)
    assert path.read_text() == "other"


def test_a_draft_never_replaces_its_own_source(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("data")
    for source in (str(path), f"{tmp_path}/*.csv", f"duckdb://{path}"):
        with pytest.raises(OutputError, match="its own source"):
            dataset.write_draft("name:", path, source=source, force=True)
    assert path.read_text() == "data"


def test_weak_is_explained_only_where_a_value_is_weak():
    told = "weak where the noisy number of rows is below 4 standard deviations of its noise"
    release = sample.release()
    results = tuple(one.model_copy(update={"notes": (told,)}) for one in release.results)
    strong = tuple(
        one.model_copy(
            update={"values": tuple(tuple(v.model_copy(update={"weak": False}) for v in vs) for vs in one.values)}
        )
        for one in results
    )
    assert told in _printed(release.model_copy(update={"results": results}), stored=False)
    assert told not in _printed(release.model_copy(update={"results": strong}), stored=False)


def test_lines_are_whole_where_another_program_reads_them():
    console = _plain(40)
    terminal.print_lines(console, shown_release.spent_lines(sample.release(accepted_high_loss="x" * 200), stored=False))
    assert "x" * 200 in _written(console)
