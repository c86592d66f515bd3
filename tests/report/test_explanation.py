"""The page of an explanation: all of it text, nothing of it markup, nothing loaded."""

import json

import jsonschema

from privkit.io.staged import Staged
from privkit.model.explanation import ExplainedRows
from privkit.report.explanation import explanation_html, stage_explanation
from tests.report.explanation_sample import TEXT, explanation
from tests.report.test_html import Page


def test_hostile_texts_are_text_and_nothing_else():
    html = explanation_html(explanation())
    page = Page(html)
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "form", "a", "b", "base"} == set()
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert page.text.count("<script>alert('x')</script>") >= 4
    assert "url(" not in html
    assert "@import" not in html


def test_the_page_says_what_was_found_and_why():
    page = Page(explanation_html(explanation()))
    text = " ".join(page.text.split())
    for wanted in (
        "Row 3",
        "part.csv",
        "0.50 → 0.85",
        "below threshold",
        "<PERSON>",
        "The row is empty",
        "the same",
    ):
        assert wanted in text, wanted
    assert "the policy's operator for the role" in text
    assert "an option of this run" in text
    marked = [tag for tag, _ in page.tags if tag == "mark"]
    assert len(marked) == 1
    # Line ends of a text are kept, so that it can be read.
    assert "\nAnna Berg" in page.text or "\n" in TEXT
    labels = [attributes.get("aria-labelledby") for tag, attributes in page.tags if tag == "section"]
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert labels == ["row-3", "row-4"]
    assert set(labels) <= ids


def test_json_comes_back(tmp_path):
    record = explanation()
    with Staged() as staged:
        stage_explanation(staged, tmp_path / "why.JSON", record)
        staged.publish()
    text = (tmp_path / "why.JSON").read_text(encoding="utf-8")
    assert ExplainedRows.model_validate_json(text) == record
    jsonschema.validate(json.loads(text), ExplainedRows.model_json_schema())
