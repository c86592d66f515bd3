"""A study's result as one self-contained HTML page: nothing is loaded, nothing runs."""

from __future__ import annotations

from privkit.model.study import StudyResult
from privkit.report import study_wording as words
from privkit.report import wording
from privkit.report.pages import page
from privkit.report.release_html import AnswerPart, answer_environment
from privkit.report.release_wording import NOISE_ONLY, PICTURES_READ


def study_html(result: StudyResult) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser."""
    return page(f"privkit study: {wording.shown(result.study)}", study_fragment(result))


def study_fragment(result: StudyResult) -> str:
    """The same content as one element, with its style, for a notebook's output cell."""
    return (
        answer_environment()
        .get_template("study.html")
        .render(
            result=result,
            roster=words.roster_text(result),
            parts=[
                AnswerPart(found, f"privkit-{result.session[:12]}-{number}", f"Values of statistic {number}")
                for number, found in enumerate(result.statistics, 1)
            ],
            promised=[
                *words.unit_sentences(result),
                words.promise_sentence(result),
                *words.trust_sentences(result),
            ],
            not_covered=words.NOT_COVERED,
            noise_only=NOISE_ONLY,
            pictures_read=PICTURES_READ,
            scales=words.scale_sentence(result),
            declared=words.declared(result),
        )
    )
