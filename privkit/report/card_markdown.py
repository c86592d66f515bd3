"""A dataset's card as Markdown: the same as its page, for whoever reads text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from privkit.model.card import Card
from privkit.report import blocks
from privkit.report import card_wording as told
from privkit.report.card import fenced, md, methods, noise_table, results, table
from privkit.report.card_outline import sections
from privkit.report.wording import shown

_PLAIN_CODE = re.compile(r"[A-Za-z0-9 :+/=._-]+")


def card_markdown(card: Card) -> str:
    """Everything that the card says.

    Args:
        card: The card; neither data, ledger nor any of its files is asked.

    Returns:
        Markdown (with tables, as GitHub reads them); whatever came from outside is escaped.
    """
    parts = ["\n".join(_head(card)), *(text for section in sections(card) for text in _section(section, 2))]
    return "\n\n".join(parts) + "\n"


def _head(card: Card) -> Iterator[str]:
    yield f"# {md(told.title_text(card))}"
    yield from ("", md(told.made_text(card)) + ".", "", md(told.lead_text(card)))
    statement = told.statement(card)
    if statement:
        yield from ("", f"**{md(statement)}**")
    yield ""
    yield from (f"- {md(name)}: {md(text)}" for name, text in told.key_numbers(card))


def _section(section: blocks.Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {md(section.heading)}"
    for block in section.blocks:
        text = "\n".join(_block(block))
        if text:
            yield text
    for part in section.parts:
        yield from _section(part, level + 1)


def _block(block: blocks.Block) -> Iterator[str]:
    match block:
        case blocks.Paragraph():
            yield md(block.text)
        case blocks.Notice():
            yield f"**{md(block.text)}**"
        case blocks.Bullets():
            yield from (f"- {md(item)}" for item in block.items)
        case blocks.Facts():
            yield from (
                f"- {md(fact.name)}: {_code(fact.text) if fact.code else md(fact.text)}" for fact in block.items
            )
        case blocks.Sheet():
            yield from table(tuple(map(md, block.headings)), (_cells(block, row) for row in block.rows))
        case blocks.Sql():
            yield from fenced(block.text)
        case blocks.Command():
            yield from fenced(block.text, "sh")
        case blocks.Results():
            yield from results(block.answer, "", general=False)
        case blocks.Noise():
            yield from (*noise_table(block.answer), "", *methods(block.answer))
        case blocks.Bar():
            yield from (f"- {md(part.name)}: {md(part.text)}" for part in block.parts)
        case blocks.Tally():
            yield f"{md(block.title)}: {md(block.description)}."
        case blocks.Drawing() | blocks.Shares():
            return  # the table beside it has the same


def _cells(sheet: blocks.Sheet, row: Sequence[str]) -> Sequence[str]:
    return [_code(cell) if place in sheet.code else md(cell) for place, cell in enumerate(row)]


def _code(text: str) -> str:
    """A hash or a key, as code; what does not look like one, as text."""
    return f"`{text}`" if _PLAIN_CODE.fullmatch(text) else md(shown(text))
