import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import privkit.report
from privkit.model.report import ColumnReport, DecidedColumn, Residual
from privkit.report.html import decisions_html, report_fragment, report_html
from tests.report.sample import HOSTILE, report

STYLE = (Path(privkit.report.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags with their attributes, the text outside of styles, and whether every tag is closed."""

    VOID = ("meta", "br", "link", "img", "hr", "input")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data

    def having(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if name in (attributes.get("class") or "").split()]


def test_a_hostile_name_is_text_and_nothing_else():
    html = report_html(report())
    page = Page(html)
    assert not any(tag == "script" for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "visit <script>alert('x')</script> \" onload=\"alert(1) & \\x1b[31m \\u202e" in page.text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "<b>" not in html


def test_nothing_is_loaded():
    page = Page(report_html(report()))
    assert not {tag for tag, _ in page.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
        "base",
    }
    addresses = {
        name: value for _, attributes in page.tags for name, value in attributes.items() if "://" in str(value)
    }
    assert set(addresses) <= {"xmlns"}
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "//" not in STYLE


def test_what_the_page_says():
    text = " ".join(Page(report_html(report())).text.split())
    for words in (
        "De-identification report clinic.csv",
        "This report holds exact counts: it is internal.",
        "Rows 12,000 Columns 4 Cells changed 30,423 Identifiers found again 2 Time 1 min 23 s",
        "ward: 2 % of the cells look like <b>names</b>",
        "PERSON 17,630 ID 12,000 DATE_TIME 2,203 URL 12",
        "name identifier PERSON pseudonym 11,420 PERSON 11,420",
        "notes free text – replace 7,003 PERSON 6,210, DATE_TIME 2,203, URL 12",
        "every column of 1,000 of the output's 12,000 rows. It still finds something in 14 cells",
        "In 2 places one still stands",
        f"default sha256 {'ab' * 32}",
        "3f9a01bc: who holds this key file can restore",
        f"en_core_web_sm 3.8.0 sha256 {'cd93e9ca' * 8}",
        "Detector full",
    ):
        assert words in text


def test_what_the_page_says_of_a_clean_run_without_key_and_model():
    clean = Residual(rows_checked=12_000, cells_with_findings=0, input_identifiers_found=0)
    text = " ".join(Page(report_html(report(residual=clean, key_id=None, models=[], warnings=[]))).text.split())
    assert "every column of all of the output's 12,000 rows. It found nothing." in text
    assert "None stands there." in text
    assert "made for this run and forgotten" in text
    assert "none: patterns only" in text
    assert "Warnings" not in text


def test_the_chart_has_one_bar_for_each_column_and_says_so_in_words():
    html = report_html(report())
    page = Page(html)
    assert len(page.having("bar")) == len(page.having("rail")) == 4
    chart = page.having("chart")[0]
    described = (chart["aria-labelledby"] or "").split()
    assert chart["role"] == "img"
    assert [tag for tag, attributes in page.tags if attributes.get("id") in described] == ["title", "desc"]
    assert "notes: PERSON 6,210, DATE_TIME 2,203, URL 12." in page.text
    assert "nothing found" in page.text


def test_the_longest_bar_is_full_and_no_bar_is_longer():
    bars = report_html(report()).split('class="bar"')[1:]
    widths = [
        sum(float(width) for width in re.findall(r'class="k\d" x="[\d.]+%" y="\d+" width="([\d.]+)%"', bar))
        for bar in bars
    ]
    assert max(widths) == pytest.approx(100)
    assert widths[2] == 0
    assert widths[3] == pytest.approx(100 * 8_425 / 12_000, abs=0.01)


def test_rare_entity_types_share_the_last_colour():
    many = {f"TYPE_{i:02}": 100 - i for i in range(12)}
    column = ColumnReport(role="free_text", entity=None, operator="replace", cells_changed=1, entities=many)
    page = Page(report_html(report(columns={"notes": column})))
    assert "5 other types 455" in " ".join(page.text.split())
    assert all(f"{name} {count}" in page.text for name, count in many.items())
    assert {name for i in range(9) for name in [f"k{i}"] if page.having(name)} == {f"k{i}" for i in range(8)}


def test_a_report_without_columns_is_still_a_page():
    assert "Nothing was found in any column." in Page(report_html(report(columns={}, rows=0))).text


def test_the_fragment_styles_nothing_but_itself():
    html = report_fragment(report())
    assert "<html" not in html
    for selector in re.findall(r"(?:^|\})\s*([^{}@]+)\{", STYLE, flags=re.M):
        assert all(part.strip().startswith(".privkit-report") for part in selector.split(",")), selector


def test_the_decisions_of_a_dry_run_as_a_table():
    row = DecidedColumn(
        name=HOSTILE,
        role="identifier",
        entity="PERSON",
        operator=None,
        share=0.974,
        evidence="values: model",
        warnings=("<i>odd</i>",),
    )
    page = Page(decisions_html([row]))
    assert "97%" in page.text
    assert "drop" in page.text
    assert "<i>odd</i>" in page.text
    assert not any(tag in ("script", "i") for tag, _ in page.tags)


def _themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r"\.privkit-report \{([^}]*--paper[^}]*)\}", STYLE)
    names = ("light", "dark", "print")
    assert len(blocks) == len(names)
    return {
        name: {key: _long(value) for key, value in re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block)}
        for name, block in zip(names, blocks, strict=True)
    }


def _long(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_contrast(theme):
    """Relative luminance and contrast as WCAG 2.2 defines them; 4.5:1 for text and, more than asked, for the bars."""
    colours = _themes()[theme]
    pairs = [("ink", "paper"), ("soft", "paper"), ("good", "wash"), ("bad", "wash"), ("soft", "wash"), ("ink", "wash")]
    pairs += [("note", "note-wash"), ("ink", "bad-wash"), *((f"c{i}", "paper") for i in range(8))]
    for front, back in pairs:
        light, dark = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)


def test_a_chart_of_many_columns_leaves_out_those_without_findings():
    few = report()
    (name, column), *_ = few.columns.items()
    empty = column.model_copy(update={"entities": {}, "cells_changed": 0})
    many = few.model_copy(update={"columns": {name: column, **{f"c{i}": empty for i in range(40)}}})
    page = report_html(many)
    assert page.count('class="bar"') == 1
    assert "40 more columns hold nothing that was found." in page
    assert ">c39<" in page  # in the table
    few = few.model_copy(update={"columns": {name: column, "c0": empty}})
    assert report_html(few).count('class="bar"') == 2
    assert "more column" not in report_html(few)
