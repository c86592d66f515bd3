"""A dataset's card as a page, as Markdown and on a terminal: whole, escaped, and never promising more than it may."""

import io
import itertools
import re
from decimal import Decimal

import jsonschema
import pytest
from rich.console import Console

from privkit.model.card import Card, CardVerified, FairnessTable, PublishedFile
from privkit.model.pipeline import About
from privkit.model.release import Loss
from privkit.report import blocks, card_outline
from privkit.report import card_wording as told
from privkit.report import release_wording as words
from privkit.report.card_html import card_html
from privkit.report.card_markdown import card_markdown
from privkit.report.card_terminal import print_card, print_card_verified, verified_lines
from privkit.report.wording import number
from tests.report import card_sample as sample
from tests.report.release_sample import HOSTILE, loss
from tests.report.test_html import STYLE, Page

# Fields that no rendering shows, and why. Paths are those of the record, with * for any name or place.
LEFT_OUT = {
    "statistics.*.answer.query.*": "the SQL says the same",
    "statistics.*.answer.privacy_unit.*": "the guarantee has it, for all statistics",
    "statistics.*.answer.measure": "the guarantee has it, for all statistics",
    "statistics.*.answer.drawn": "a card carries no integers as drawn",
    "statistics.*.answer.drawn_units": "likewise",
    "statistics.*.answer.declared.*": "the card has the declarations of all columns",
    "statistics.*.answer.results.*.notes.*": "the notes that say of one interval what is said of all of them",
    "statistics.*.answer.results.*.values.*": "rounded to what its interval is worth: looked at below",
    "statistics.*.stored": "in words",
    "declared.*.categories.*": "counted",
    "guarantee.statistics_only": "in words",
    "guarantee.trust": "in words",
    "guarantee.unit.row": "in words",
    "odds.*": "rounded, so that the range never looks narrower: looked at below",
    "fairness.*.groups.*.relative_half_width": "in percent: looked at below",
    "fairness.*.ratio": "rounded: looked at below",
}


def _plain(width: int = 160) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)


def _printed(card: Card, console: Console | None = None) -> str:
    console = console or _plain()
    print_card(console, card)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _text(card: Card) -> str:
    return " ".join(Page(card_html(card)).text.split())


def _unmarked(markdown: str) -> str:
    """Markdown without its escapes and line breaks."""
    return " ".join(re.sub(r"\\([\\`*{}\[\]<>#|~&$^_])", r"\1", markdown).split())


RENDERED = {
    "html": _text,
    "markdown": lambda card: _unmarked(card_markdown(card)),
    "terminal": lambda card: " ".join(_printed(card).split()),
}
renderings = pytest.mark.parametrize("render", RENDERED.values(), ids=RENDERED)


# ---- whole


def _leaves(value, path=()):
    """(path, value) of everything in a record that is neither empty nor a container."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*path, str(place)))
    elif value is not None:
        yield path, value


def _is_left_out(path):
    def fits(pattern):
        parts = pattern.split(".")
        if len(path) < len(parts) or (len(path) > len(parts) and parts[-1] != "*"):
            return False
        return all(want in ("*", have) for want, have in zip(parts, path, strict=False))

    return any(fits(pattern) for pattern in LEFT_OUT)


def _spellings(value):
    if isinstance(value, bool):
        return {str(value).lower()}
    if isinstance(value, str) and re.fullmatch(r"[0-9]*\.?[0-9]+", value):  # an amount
        return {value, words.amount_text(Decimal(value)), words.amount_text(Decimal(value), up=False)}
    if isinstance(value, (int, float)):
        return {number(value), words.significant(value), f"{value * 100:.4g} %", f"{value:.3f}", str(value)}
    spelled = {value, value.replace("_", " ")}
    return spelled | {words.when(value)} if re.match(r"\d{4}-\d\d-\d\dT", value) else spelled


def test_every_field_of_a_card_is_on_its_page():
    card = sample.everything()
    assert all(getattr(card, name) not in (None, (), {}) for name in Card.model_fields)
    text = _text(card)
    missing = {
        ".".join(path): value
        for path, value in _leaves(card.model_dump())
        if not _is_left_out(path) and not any(spelled in text for spelled in _spellings(value))
    }
    assert missing == {}


def test_nothing_is_left_out_for_a_field_that_is_not_there():
    paths = [path for path, _ in _leaves(sample.everything().model_dump())]
    stale = [
        pattern
        for pattern in LEFT_OUT
        if not any(".".join(path).startswith(pattern.split("*")[0]) for path in paths) and "drawn" not in pattern
    ]
    assert stale == []


@renderings
def test_what_is_rounded_or_in_words_is_there_all_the_same(render):
    text = render(sample.everything())
    for part in (
        "1,234",
        "[1,216, 1,252]",
        "withheld",
        "too few rows for a mean",
        "Where a number is marked weak",
        "under 0.1 %",
        "95.3 %",
        "who held it to be 50 % likely can be brought to no less than 4.7 % and to no more than 95.3 %",
        "ε 1.3012 at δ 1e-6 (ρ 0.03353)",
        "paid for before and shown again, so nothing was spent now",
        "± 40 %",
        "no value to compare",
        "Best over worst: 0.036",
        "central: whoever keeps the data and runs privkit sees it all",
        "differ by all rows of one patient_id",
        "at most 20.09 (e^ε with ε = 3)",
        "about one in 1,000,000 for any one person",
        "The budget is above ε 8, at which a promise says little. The reason given: approved by the board",
        "21fe-31df-a154-a261-626b-f854-046f-d227",
        "privkit card verify CARD.json --signer PUBLIC",
        "reaches 41",
        told.NO_GUARANTEE,
        told.SIGNER_READ,
    ):
        assert part in text, part


@renderings
def test_all_renderings_have_all_sections_and_texts(render):
    text = render(sample.everything())

    def look(section):
        assert section.heading in text
        for block in section.blocks:
            if isinstance(block, blocks.Facts):
                assert all(fact.text in text for fact in block.items)
            if isinstance(block, blocks.Sheet):
                assert all(cell in text for row in block.rows for cell in row)
            if isinstance(block, (blocks.Paragraph, blocks.Notice, blocks.Sql)):
                assert block.text in text
            if isinstance(block, blocks.Bullets):
                assert all(item in text for item in block.items)
        for part in section.parts:
            look(part)

    for section in card_outline.sections(sample.everything()):
        look(section)


@renderings
@pytest.mark.parametrize("field", About.model_fields)
def test_what_nobody_stated_reads_not_stated(render, field):
    whole, without = sample.card(), sample.card(about=sample.card().about.model_copy(update={field: "  \n"}))
    none = sample.card(about=sample.card().about.model_copy(update={field: None}))
    assert render(whole).count("not stated") == 0
    assert render(without).count("not stated") == render(none).count("not stated") == 1


@renderings
def test_a_bare_card(render):
    text = render(sample.minimal())
    assert text.count("not stated") == len(About.model_fields) + 1  # and what is not protected
    there = (
        "What was given out of patients",
        "No rows of this dataset were given out.",
        told.UNSIGNED,
        "none is named",
    )
    for part in there:
        assert part in text
    for part in ("The numbers", "Joint studies under", "noise of their own", "covers the statistics alone", "belief"):
        assert part not in text


def test_a_card_is_its_json_and_its_schema_says_how():
    schema = Card.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for card in (sample.everything(), sample.minimal()):
        text = card.model_dump_json()
        assert Card.model_validate_json(text) == card
        jsonschema.validate(card.model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(card.model_dump(mode="json") | {"more": 1}, schema)


# ---- escaped


def _hostile(value, keep=("measure", "mechanism", "noise", "kind", "trust", "format", "operator", "type")):
    """The record's data with a hostile text in place of every text that nobody checks."""
    if isinstance(value, dict):
        return {name: inner if name in keep else _hostile(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hostile(inner) for inner in value]
    free = isinstance(value, str) and not re.fullmatch(r"[0-9a-f]{64}|[0-9.e-]+|ed25519:.*|north|south|west", value)
    return HOSTILE if free else value


def hostile() -> Card:
    """A card in which every free text is hostile."""
    data = sample.everything().model_dump(mode="json")
    card = _hostile(data)
    for statistic, kept in zip(card["statistics"], data["statistics"], strict=True):
        statistic["answer"]["query"] = kept["answer"]["query"]
        statistic["answer"]["privacy_unit"]["column"] = HOSTILE
        statistic["answer"]["declared"] = {HOSTILE: {"type": HOSTILE, HOSTILE: [HOSTILE]}}
    card["declared"] = {HOSTILE: {"type": HOSTILE, HOSTILE: [HOSTILE], "bounds": [HOSTILE, HOSTILE]}}
    card["implementation"]["software"] = {HOSTILE: HOSTILE}
    card["public"] = card["signature"] = HOSTILE
    for rows in card["deidentified"]:
        for column in rows["columns"]:
            column["operator"] = HOSTILE
    card["studies"] = data["studies"]
    card["studies"][0] |= {"study": HOSTILE, "session": HOSTILE, "party": HOSTILE}
    card["studies"][0] |= {"statistics": [HOSTILE], "parameters": [HOSTILE], "collusion": [HOSTILE]}
    card["studies"][0]["key_holder"]["name"] = HOSTILE
    return Card.model_validate(card)


def test_a_hostile_card_is_text_and_loads_nothing():
    html = card_html(hostile())
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {
        *("script", "link", "img", "iframe", "object", "embed", "form", "base", "b", "button"),
    }
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {n for _, a in page.tags for n, v in a.items() if "://" in str(v)} <= {"xmlns"}
    targets = {attributes.get("href") for tag, attributes in page.tags if tag == "a"}
    assert all(re.fullmatch(r"#[a-z-]+", target or "") for target in targets)
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert re.search(r"no\|rth <script>alert\('x'\)</script> \" onload=\"alert\(1\) & \\x1b\[31m \\u202e", page.text)
    assert not re.search(r"\b(id|aria-labelledby|class)=\"[^\"]*[<>/|]", html)


def test_a_hostile_card_is_no_markup_in_markdown():
    card = card_markdown(hostile())
    assert "\x1b" not in card
    assert "\u202e" not in card
    fence, lines = "", []
    for line in card.splitlines():
        if fence or line.startswith("```"):
            fence = "" if line == fence else fence or re.match("`+", line)[0]
            continue
        lines.append(line)
    assert fence == ""
    free = re.sub(r"`[A-Za-z0-9 :+/=._-]+`", "", re.sub(r"\\.", "", "\n".join(lines)))
    for mark in ("<", "`", "[bold", "*y", "]("):
        assert mark not in free, mark
    assert not [line for line in lines if line.startswith("#") and not re.match(r"#{1,5} \S", line)]
    assert len([line for line in lines if line.startswith("# ")]) == 1
    for _, table in itertools.groupby(lines, key=lambda line: line.startswith("|")):
        rows = list(table)
        if rows[0].startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_a_hostile_card_drives_no_terminal():
    for width in (60, 160):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, markup=False)
        text = _printed(hostile(), console)
        assert "\x1b[31m" not in text
        assert "\u202e" not in text
        assert "\\x1b[31m" in re.sub(r"\s", "", text)


def test_what_a_person_wrote_on_several_lines_is_one_text():
    about = About(purpose="Billing,\n  planning.\n", intended_uses="a\u2028b")
    text = _text(sample.card(about=about))
    assert "Billing, planning." in text
    assert "a b" in text


# ---- no more than it may


@renderings
def test_a_card_with_disclosures_says_that_epsilon_covers_the_statistics_alone(render):
    said = (
        "Rows of this dataset were given out as well. The privacy loss ε on this card covers the statistics alone; the "
        "rows have no differential privacy guarantee. Given out so far: out/patients.parquet (2026-11-20), "
        "out/older.parquet (2026-06-03)."
    )
    assert said in render(sample.card())
    assert said in render(sample.card(deidentified=()))
    # Also where the record contradicts itself: the disclosures count.
    assert said in render(sample.card(guarantee=sample.guarantee(statistics_only=False)))
    without = sample.card(disclosed=(), deidentified=())
    assert "Given out so far: not recorded on this card" in render(without)
    clean = sample.card(disclosed=(), deidentified=(), guarantee=sample.guarantee(statistics_only=False))
    assert "covers the statistics alone" not in render(clean)
    assert "all that was given out through this ledger" in render(clean)


def test_the_statement_stands_before_the_first_heading_of_the_page():
    html = card_html(sample.card())
    assert html.index("covers the statistics alone") < html.index("<h2")


@renderings
def test_local_epsilon_is_in_its_own_table_and_never_added(render):
    card = sample.card()
    text = render(card)
    for one in card.local:
        for epsilon in (one.epsilon, one.unit_epsilon):
            assert text.count(words.amount_text(epsilon)) >= 1
            for base in (card.guarantee.limit, card.accounting.before, card.accounting.after):
                assert words.amount_text(base.epsilon + epsilon) not in text
    total = sum(one.unit_epsilon for one in card.local)
    assert words.amount_text(total) not in text
    assert words.amount_text(total + card.guarantee.limit.epsilon) not in text
    assert told.LOCAL_APART in text
    without = render(sample.card(local=()))
    for mine, theirs in zip(told.key_numbers(card), told.key_numbers(sample.card(local=())), strict=True):
        assert mine == theirs
    assert "noise of their own" not in without


@renderings
def test_counts_stand_only_where_the_card_has_them(render):
    rows = sample.deidentified()
    quiet = rows.model_copy(
        update={
            "disclosure": rows.disclosure.without_counts(),
            "columns": tuple(column.model_copy(update={"changed": None}) for column in rows.columns),
            "rows": None,
        }
    )
    text = render(sample.card(deidentified=(quiet,), disclosed=(quiet.disclosure,)))
    for count in ("12,004", "12,003", "11,987", "14 cells", "2 places", "Cells changed"):
        assert count in render(sample.card())
        assert count not in text
    assert "not on this card: these are exact counts" in text


def test_the_budget_adds_up():
    card = sample.card()
    bar = next(b for s in card_outline.sections(card) for b in s.blocks if isinstance(b, blocks.Bar))
    assert sum(part.share for part in bar.parts) == pytest.approx(1)
    assert bar.description == ("Spent before: ρ 0.0161, 11%; Spent with this card: ρ 0.01743, 12%; Left: ρ 0.1115, 77%")
    assert told.others_sentence(card) is None
    more = sample.card(accounting=sample.accounting(after=loss("1.4", "0.05")))
    assert "Others charged the same budget meanwhile" in _text(more)


@pytest.mark.parametrize(("before", "after"), [("0", "0"), ("0", "0.1451"), ("0.2", "0.3"), ("0.1", "0.05")])
def test_no_account_breaks_a_card(before, after):
    for measure in ("zcdp", "pure"):
        for limit in ("0", "0.1451"):
            whole = Loss(epsilon=Decimal(limit), delta=Decimal(0), rho=Decimal(limit))
            guarantee = sample.guarantee(measure=measure, limit=whole)
            account = sample.accounting(before=loss(before, before), after=loss(after, after))
            card = sample.card(guarantee=guarantee, accounting=account)
            page = Page(card_html(card))
            widths = [float(a["width"][:-1]) for a in page.having("before") + page.having("left") if a.get("width")]
            assert all(0 <= width <= 100 for width in widths)
            assert card_markdown(card)
            assert _printed(card)


@pytest.mark.parametrize(
    ("percent", "up", "text"),
    [
        (10, None, "10 %"),
        (0.0503, False, "under 0.1 %"),
        (0, False, "0 %"),
        (16.8677, True, "16.9 %"),
        (16.9, True, "16.9 %"),
        (99.97, True, "over 99.9 %"),
        (100, True, "100 %"),
    ],
)
def test_beliefs_are_rounded_to_the_wide_side(percent, up, text):
    assert told.belief_text(percent, up=up) == text


def test_the_key_of_a_forged_card_is_not_in_the_command():
    assert sample.PUBLIC not in told.verify_command(sample.card())
    assert "none: this is no public identity" in _text(sample.card(public="ed25519:short"))


def test_a_file_without_bytes_and_a_warning():
    file = PublishedFile(path="rows.csv", bytes=None, sha256="ab" * 32)
    assert "rows.csv not on this card" in _text(sample.minimal(files=(file,)))
    even = FairnessTable(attribute="a", statistic="n", sql="s", groups=(), ratio=None)
    assert "fewer than two groups" in _text(sample.minimal(fairness=(even,)))


# ---- the page


def test_the_page_can_be_read_aloud():
    html = card_html(sample.everything())
    page = Page(html)
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in itertools.pairwise(headings))
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"][1:] for tag, attributes in page.tags if tag == "a"]
    assert set(links) <= set(ids)
    drawn = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(drawn) == 1 + (3 + 3 + 2) + 1 + 1 + 1 + 1  # beliefs, two queries', operators, budget, detection
    assert all(set(attributes["aria-labelledby"].split()) <= set(ids) for attributes in drawn)
    assert all(attributes["aria-label"] for tag, attributes in page.tags if attributes.get("role") == "region")
    labels = [attributes["aria-label"] for _, attributes in page.tags if attributes.get("role") == "region"]
    assert len(labels) == len(set(labels))
    assert '<html lang="en">' in html
    assert [tag for tag, _ in page.tags].count("main") == 1


def test_every_class_of_the_page_has_a_style():
    html = card_html(sample.everything())
    style = html.partition("</style>")[2].partition("</style>")[0] + STYLE
    used = {name for _, attributes in Page(html).tags for name in (attributes.get("class") or "").split()}
    assert {name for name in used if f".{name}" not in style} == set()


# ---- a card that holds


def _verified(**fields) -> str:
    found = CardVerified(**{"dataset": "patients", "time": "2026-11-22T01:30:04Z", "files": 3, "ledger": True} | fields)
    return " ".join(line.plain for line in verified_lines(found))


def test_verified():
    signed = {"signed": True, "signer": "Northern clinics", "fingerprint": "21fe-31df"}
    text = _verified(**signed, pinned=False)
    for part in ("patients, card of 2026-11-22 01:30:04 UTC: 3 files have their hashes", "The ledger is there"):
        assert part in text
    assert "Signed by Northern clinics, 21fe-31df." in text
    assert "The signer is not pinned" in text
    assert "not pinned" not in _verified(**signed, pinned=True)
    assert told.UNSIGNED in _verified(signed=False, pinned=False)
    assert "whether the card fits it was not checked" in _verified(signed=False, pinned=False, ledger=False)
    console = _plain()
    fields = {"dataset": HOSTILE, "time": HOSTILE, "notes": (HOSTILE,), "signed": True, "signer": HOSTILE}
    print_card_verified(console, CardVerified(files=1, ledger=False, pinned=False, fingerprint=HOSTILE, **fields))
    assert "\x1b" not in console.file.getvalue()
    assert "1 file has its hash" in console.file.getvalue()
