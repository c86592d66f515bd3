"""A dataset's card as one self-contained HTML page: nothing is loaded, nothing runs."""

from __future__ import annotations

from privkit.model.card import Card
from privkit.model.release import Answer
from privkit.report import card_wording as told
from privkit.report.card_outline import sections
from privkit.report.pages import page
from privkit.report.release_html import AnswerPart, answer_environment


def card_html(card: Card) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser, or printed.

    Args:
        card: The card; neither data, ledger nor any of its files is asked.
    """
    content = (
        answer_environment()
        .get_template("publication.html")
        .render(
            title=told.title_text(card),
            made=told.made_text(card),
            lead=told.lead_text(card),
            statement=told.statement(card),
            numbers=told.key_numbers(card),
            sections=sections(card),
            part=_part,
        )
    )
    return page(f"privkit card: {told.title_text(card)}", content)


def _part(answer: Answer, place: int) -> AnswerPart:
    return AnswerPart(answer, f"query-{place}", f"Values of query {place}")
