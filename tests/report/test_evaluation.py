"""A measurement of detection on a page, on a terminal, in files; and its groups, by hand."""

import html as escaping
import io
import json

import pytest
from rich.console import Console

from privkit.model.evaluation import Evaluation
from privkit.report.detection_groups import LARGEST_DIFFERENCE, GroupedSpan, detection_groups
from privkit.report.evaluation_files import evaluation_text
from privkit.report.evaluation_html import evaluation_html
from privkit.report.evaluation_terminal import print_evaluation
from privkit.report.evaluation_wording import share_text
from tests.report import evaluation_sample as sample


def html(evaluation):
    return escaping.unescape(evaluation_html(evaluation))


def terminal(evaluation, width=300, *, tty=False):
    console = Console(
        width=width, file=io.StringIO(), markup=False, highlight=False, force_terminal=tty, color_system=None
    )
    print_evaluation(console, evaluation)
    return console.file.getvalue()


@pytest.mark.parametrize("render", [html, terminal])
def test_everything_stands_there(render):
    text = render(sample.evaluation())
    for part in (
        "Detector core under the policy default, on 321 texts of 4,321 words with 300 evaluated spans",
        *("0.870", "0.880", "0.900", "3.01"),  # recall, fully masked, precision, spurious
        *("9 Xx Xx", "after a word", "3, 1,234", "8 more patterns, missed less often"),
        *("ORG (not evaluated)", "nothing (spurious)", "privkit does not look for it", "left out by --map"),
        "What names a person is found much less often for origin tr<.",
        "Best minus worst: recall 0.183, fully masked 0.195",
        "100 spans without a group",
        *("7d" * 32, "2b" * 32, "cd93e9ca" * 8, "256.8 texts a second"),
        "--map PRSON: the data has no such type",
        "STREET as LOCATION",
        "DATE_TIME",
    ):
        assert part in text, part


@pytest.mark.parametrize("render", [html, terminal])
def test_texts_of_misses_stand_there_only_where_they_were_asked_for(render):
    assert "Privet" not in render(sample.evaluation())
    shown = render(sample.evaluation(shown=True))
    assert "42 Privet Drive; 7 <i>Elm</i> St" in shown
    assert "for your eyes alone" in shown


def test_the_page_is_one_file_and_what_comes_from_outside_is_text():
    page = evaluation_html(sample.evaluation(shown=True))
    assert page.startswith("<!doctype html>")
    assert "<b>" not in page
    assert "<i>Elm" not in page
    assert "tr<" not in page
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page


def test_a_narrow_terminal_gets_lists():
    text = terminal(sample.evaluation(), 50, tty=True)
    assert "Type: PERSON" in text
    assert all(len(line) <= 50 for line in text.splitlines())


def test_the_file_is_json_or_a_page_by_its_name(tmp_path):
    found = sample.evaluation()
    text = evaluation_text(found, tmp_path / "a.JSON")
    assert Evaluation.model_validate_json(text) == found
    assert json.loads(text)["format"] == "privkit evaluation 1"
    assert evaluation_text(found, tmp_path / "a.html") == evaluation_html(found)


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (0.0, "0.000"), (0.9994, "0.999"), (0.9996, "0.999"), (1.0, "1.000")]
)
def test_a_share_is_1_only_where_all_are(share, text):
    assert share_text(share) == text


# ---- groups


def spans(group, found, missed, entity="PERSON", masked=None):
    full = found if masked is None else masked
    return [GroupedSpan(group, entity, place < found, place < full) for place in range(found + missed)]


def test_groups_by_hand():
    (table,) = detection_groups("origin", [*spans("de", 9, 1), *spans("tr", 6, 4, masked=8), *spans(None, 1, 2)])
    assert [(g.group, g.spans, g.recall, g.fully_masked) for g in table.groups] == [
        ("de", 10, 0.9, 0.9),
        ("tr", 10, 0.6, 0.8),
    ]
    assert (table.attribute, table.entity, table.not_stated) == ("origin", None, 3)
    assert table.recall_difference == pytest.approx(0.3)
    assert table.recall_ratio == pytest.approx(2 / 3)
    assert table.masked_difference == pytest.approx(0.1)
    assert table.masked_ratio == pytest.approx(8 / 9)
    for part in ("is found much less often for origin tr: 60 %", "is fully masked much less often", "may be chance"):
        assert part in table.warning
    assert "origin de" not in table.warning


def test_a_difference_that_is_no_chance_is_not_called_one():
    (table,) = detection_groups("origin", [*spans("de", 990, 10), *spans("tr", 500, 500)])
    assert "origin tr: 50 % at the least, against 99 % for the best-off group" in table.warning
    assert "chance" not in table.warning


def test_the_limit_is_exact():
    assert LARGEST_DIFFERENCE == 0.08
    (table,) = detection_groups("o", [*spans("a", 100, 0), *spans("b", 92, 8)])
    assert table.warning is None
    (table,) = detection_groups("o", [*spans("a", 100, 0), *spans("b", 91, 9)])
    assert table.warning is not None


def test_one_group_and_none_compare_with_nothing():
    (table,) = detection_groups("o", spans("a", 3, 1))
    assert (table.recall_difference, table.recall_ratio, table.warning) == (None, None, None)
    (table,) = detection_groups("o", spans(None, 3, 1))
    assert (table.groups, table.not_stated, table.masked_difference) == ((), 4, None)


def test_groups_in_which_nothing_is_found_have_no_ratio():
    (table,) = detection_groups("o", [*spans("a", 0, 3), *spans("b", 0, 2)])
    assert (table.recall_difference, table.recall_ratio, table.warning) == (0.0, None, None)


def test_a_type_has_its_own_table_where_groups_have_enough_of_it():
    people = [*spans("a", 20, 0), *spans("b", 10, 10)]
    places = [*spans("a", 20, 0, "LOCATION"), *spans("b", 19, 0, "LOCATION")]
    assert [table.entity for table in detection_groups("o", [*people, *places])] == [None, "PERSON"]
    assert [table.entity for table in detection_groups("o", people)] == [None]
    whole, own = detection_groups("o", [*people, *places])
    assert own.groups[1].recall == 0.5
    assert whole.groups[1].recall == 29 / 39
    assert own.warning.startswith("PERSON is found much less often")


def test_names_of_groups_are_only_names():
    (table,) = detection_groups("o", [*spans("", 2, 0), *spans("nan", 2, 0), *spans("10", 2, 0), *spans("x\n<", 0, 2)])
    assert [group.group for group in table.groups] == ["", "10", "nan", "x\n<"]
    assert "\n" not in table.warning
