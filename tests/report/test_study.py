"""A study's result, and how far one is, as text, HTML and Markdown, from records alone."""

import io
import itertools
import re
from decimal import Decimal

import pytest
from rich.console import Console

from privkit.model.dataset import CategoryColumn, FloatColumn
from privkit.model.release import Answer
from privkit.model.study import (
    Channel,
    Contributed,
    StepStatus,
    StudyKeyHolder,
    StudyParty,
    StudyPrivacy,
    StudyResult,
    StudyStatus,
    StudyUnit,
)
from privkit.report import study as shown_study
from privkit.report.release_wording import NOISE_ONLY
from privkit.report.study_card import study_card
from privkit.report.study_html import study_html
from tests.report import release_sample
from tests.report.release_sample import HOSTILE
from tests.report.test_html import STYLE, Page

PARTIES = tuple(StudyParty(name=name, public=f"ed25519:{name[0] * 43}=") for name in ("north", "south", "west"))
HOLDER = StudyKeyHolder(name="analyst", public=f"ed25519:{'k' * 43}=")
PRIVACY = StudyPrivacy(epsilon=Decimal("2"), delta=Decimal("1e-6"), min_honest=2)
WEAKER = {"noise": "key-holder", "privacy": PRIVACY.model_copy(update={"min_honest": None})}


def answer(**changes) -> Answer:
    """What a release's sample has, as an answer alone."""
    release = release_sample.release(**changes)
    return Answer.model_validate({name: getattr(release, name) for name in Answer.model_fields})


def regression() -> Answer:
    """One answer without groups."""
    full = answer()
    fit = full.results[-1]
    return full.model_copy(
        update={"groups": (), "keys": ((),), "results": (fit.model_copy(update={"values": fit.values[:1]}),)}
    )


def result(**changes) -> StudyResult:
    fields = {
        "study": "flu",
        "session": "5e" * 16,
        "time": "2026-11-28T11:24:07.123Z",
        "key_holder": HOLDER,
        "parties": PARTIES,
        "contributions": {party.name: party.name[0].encode().hex() * 32 for party in PARTIES},
        "privacy": PRIVACY,
        "rho": Decimal("0.08816345"),
        "noise": "distributed",
        "unit": StudyUnit(max_groups=1, max_rows_per_group=2, max_units=10_000),
        "statistics": (answer(), regression()),
        "channels": (Channel(parameters="bfv-4096-46-1", length=5_000), Channel(parameters="bfv-4096-46-2", length=7)),
        "invitation": "1a" * 32,
        "transcript": "2b" * 32,
        "aggregate": "3c" * 32,
        "software": {"privkit-toolkit": "0.1.0", "tenseal": "0.3.18"},
    }
    made = StudyResult(**fields | changes)
    return made.model_copy(update={"card": study_card(made)})


def hostile() -> StudyResult:
    return result(
        key_holder=HOLDER.model_copy(update={"name": HOSTILE}),
        statistics=(
            answer(
                sql=HOSTILE, groups=(HOSTILE,), declared={HOSTILE: {"type": HOSTILE, HOSTILE: [HOSTILE]}}
            ),
        ),
        software={HOSTILE: HOSTILE},
    )  # fmt: skip


def status(**changes) -> StudyStatus:
    fields = {
        "study": "flu",
        "session": "5e" * 16,
        "key_holder": HOLDER,
        "epsilon": Decimal("2"),
        "delta": Decimal("1e-6"),
        "rho": Decimal("0.08816345"),
        "noise": "distributed",
        "min_honest": 2,
        "max_parties_per_person": 1,
        "unit": StudyUnit(max_groups=1, max_rows_per_group=2, max_units=10_000),
        "columns": {
            "los": FloatColumn(type="float", bounds=(0, 60), granularity="0.5"),
            "ward": CategoryColumn(type="category", categories=("a", "b")),
        },
        "statistics": ("SELECT ward, COUNT(*) AS n, AVG(los) AS m FROM flu GROUP BY ward",),
        "parties": tuple(
            StepStatus(name=party.name, public=party.public, joined=True, contributed=party.name != "west")
            for party in PARTIES
        ),
        "aggregated": False,
        "revealed": False,
        "invitation": "1a" * 32,
        "transcript": "2b" * 32,
        "bytes": 314_159,
        "next": "west: privkit study contribute",
    }
    return StudyStatus(**fields | changes)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _written(printing, shown, width: int | None = None) -> str:
    """Without a width: as it is piped."""
    if width is None:
        console = Console(file=io.StringIO(), width=80, markup=False, highlight=False, emoji=False)
    else:
        console = Console(
            file=Terminal(), force_terminal=True, color_system=None, width=width, markup=False, highlight=False
        )
    printing(console, shown)
    return console.file.getvalue()


# ---- the page


def test_a_page_of_a_hostile_study_is_text_and_loads_nothing():
    html = study_html(hostile())
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base", "b"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {n for _, a in page.tags for n, v in a.items() if "://" in str(v)} <= {"xmlns"}
    assert "decrypted by no|rth <script>alert('x')</script> \" onload=\"alert(1) & \\x1b[31m \\u202e" in page.text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "url(" not in html.split("</style>")[1]


def test_no_value_is_missing_on_the_page():
    page = Page(study_html(result()))
    text = " ".join(page.text.split())
    for part in (
        "1,234 [1,216, 1,252]",
        "withheld too few rows for a mean",
        "(intercept) 310 [270, 351]",
        "age 2.12 [1.31, 2.94]",
        "Privacy loss ε 2",
        "Noise everyone's",
        "Intervals 95 %",
        "at most 7.389 (e^ε with ε = 2)",
        "integer, bounds 0 … 110",
        "bfv-4096-46-1 (5,000 slots), bfv-4096-46-2 (7 slots)",
        "ρ 0.08817, charged to every party's ledger",
        "tenseal 0.3.18",
        *("1a" * 32, "2b" * 32, "3c" * 32, "5e" * 16, HOLDER.public),
        *(f"{party.public} contribution {party.name[0].encode().hex() * 32}" for party in PARTIES),
    ):
        assert part in text, part
    for once in (NOISE_ONLY, "In the pictures a dot", "Scales and distances are"):
        assert text.count(once) == 1, once
    values = [
        value for one in result().statistics for each in one.results for values in each.values for value in values
    ]
    assert page.text.count("[") >= sum(value.value is not None for value in values)


def test_a_short_table_of_one_statistic_stands_before_its_pictures():
    page = study_html(result(statistics=(regression(),)))
    assert page.index("(intercept)</th>") < page.index("<svg")
    assert "All values of" not in page


def test_the_page_can_be_read_aloud_and_every_class_has_a_style():
    html = study_html(result())
    page = Page(html)
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in itertools.pairwise(headings))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    style = html.partition("</style>")[2].partition("</style>")[0] + STYLE
    used = {name for _, attributes in page.tags for name in (attributes.get("class") or "").split()}
    assert {name for name in used if f".{name}" not in style} == set()


@pytest.mark.parametrize("shows", [study_html, study_card], ids=["page", "card"])
def test_who_drew_the_noise_and_whose_is_counted_on(shows):
    together = " ".join(shows(result()).replace("&#39;", "'").split())
    assert "as long as at least 2 parties of 3 keep theirs to themselves" in together
    assert "together with up to 1 party" in together
    assert "the loss is computed for the noise of 2 parties alone" in together
    assert "Proposition 14" in together
    one = result(privacy=PRIVACY.model_copy(update={"min_honest": 1}))
    assert "Proposition 14" not in shows(one)
    weaker = " ".join(shows(result(**WEAKER)).replace("&#39;", "'").split())
    assert "Weaker mode: the noise was drawn by the key holder" in weaker
    assert "keep theirs to themselves" not in weaker


# ---- the card


def test_the_card_escapes_markdown():
    card = hostile().card
    assert "no\\|rth \\<script\\>alert('x')\\</script\\>" in card
    assert "\\`x\\` \\*y\\*" in card
    assert "\x1b" not in card
    assert "\u202e" not in card
    prose = re.sub(r"^(`{3,})sql\n.*?\n\1$", "", card, flags=re.MULTILINE | re.DOTALL)
    assert "<script" not in prose.replace("\\<script", "")
    rows = [line for line in prose.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (3, 4, 6, 7) for row in rows)  # no cell ends early


def test_the_card_has_all_and_says_once_what_holds_for_all():
    card = result().card
    for part in (
        "# Joint statistics of the study flu",
        "Of north, south, west; decrypted by analyst on 2026-11-28 11:24:07 UTC.",
        "1,234 | [1,216, 1,252]",
        "withheld | – | too few rows for a mean",
        "cost: (intercept)",
        "- age: integer, bounds 0 … 110",
        "ε 2 at δ 1e-6 (ρ 0.08817), charged to every party's ledger",
        "at most 2 rows",
        *(f"`{party.public}` | `{party.name[0].encode().hex() * 32}`" for party in PARTIES),
    ):
        assert part in card, part
    assert card.count(NOISE_ONLY) == card.count("Scales and distances are") == 1
    assert not re.search(r"[ \t]$", card, flags=re.MULTILINE)


# ---- the terminal


@pytest.mark.parametrize("width", [None, 40, 60, 80, 100, 200])
def test_no_value_of_a_result_is_cut_on_any_terminal(width):
    text = _written(shown_study.print_result, result(), width)
    together = "".join(text.split())
    for value in ("1,234", "[1,216,1,252]", "withheld(1)", "310", "[270,351]", "2.12", "[1.31,2.94]"):
        assert value in together, value
    assert "…" not in text
    assert "Of 3 parties: north, south, west." in " ".join(text.split())
    if width is not None:
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [None, 40, 60, 80, 100, 200])
def test_how_far_a_study_is_on_any_terminal(width):
    text = _written(shown_study.print_status, status(), width)
    for party in PARTIES:
        assert party.public in text or width == 40  # 52 letters: whole, to be compared and copied
        assert party.public in "".join(text.split())
    words = " ".join(text.split())
    assert "Next: west: privkit study contribute." in words
    assert "Costs every party ε 2 at δ 1e-6 (ρ 0.08817); noise drawn by all, that of 2 counted on." in words
    assert "not aggregated yet; 314,159 bytes; all that is there holds." in words
    assert "A person is at one party and counts there in 1 group of a statistic with 2 rows each" in words
    assert "a party has at most 10,000 people." in words
    assert "los: float, bounds 0 … 60, granularity 0.5" in words
    assert "ward: category, 2 categories" in words
    if width is not None:
        assert max(map(len, text.splitlines())) <= width


def test_narrow_terminals_get_lists():
    words = " ".join(_written(shown_study.print_status, status(), 60).split())
    assert "west: joined, not contributed" in words
    assert "north: joined, contributed" in words


def test_no_name_drives_the_terminal():
    text = _written(shown_study.print_result, hostile()) + _written(shown_study.print_result, hostile(), 60)
    text += _written(shown_study.print_status, status(key_holder=HOLDER.model_copy(update={"name": HOSTILE})))
    assert "\u202e" not in text
    assert "\x1b[31m" not in text
    assert "[bold]" in text


def test_what_a_contribution_cost():
    fields = {"study": "flu", "party": "north", "epsilon": Decimal("2"), "delta": Decimal("1e-6"), "bytes": 89_121}
    first = Contributed(**fields, rho=Decimal("0.08816345"), again=False, sequence=2)
    lines = [line.plain for line in shown_study.contributed_lines(first)]
    assert lines == [
        "north contributed 89,121 bytes to flu.",
        "Charged ε 2 at δ 1e-6 (ρ 0.08817), entry 2 of its ledger.",
    ]
    again = first.model_copy(update={"again": True, "sequence": None})
    assert ["nothing charged" in line.plain for line in shown_study.contributed_lines(again)] == [True]
