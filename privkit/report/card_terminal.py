"""A dataset's card on a terminal: what it says, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from privkit.model.card import Card, CardVerified
from privkit.model.estimates import Estimated
from privkit.report import blocks, terminal
from privkit.report import card_wording as told
from privkit.report import release_wording as words
from privkit.report.card_outline import sections
from privkit.report.release import fitting, print_answer, print_mechanisms, print_part
from privkit.report.wording import plural, shown

_WIDEST_BAR = 60  # characters
_SIGNS = {"before": "#", "this": "=", "left": "-"}


def print_card(console: Console, card: Card) -> None:
    """Prints everything that a card says.

    Args:
        console: Where.
        card: The card; neither data, ledger nor any of its files is asked.
    """
    lines = [Text(shown(told.title_text(card)), style="bold"), Text(shown(told.made_text(card)), style="dim")]
    statement = told.statement(card)
    if statement:
        lines.append(Text(shown(statement), style="yellow"))
    lines += [Text(f"{name}: {shown(text)}") for name, text in told.key_numbers(card)]
    terminal.print_lines(console, lines)
    for section in sections(card):
        print_section(console, section)


def print_card_verified(console: Console, verified: CardVerified) -> None:
    """Prints that a card holds, and how far that can be relied on."""
    terminal.print_lines(console, verified_lines(verified))


def verified_lines(verified: CardVerified) -> Iterator[Text]:
    """What was checked, by whom it is signed, and what could not be checked."""
    files = plural(verified.files, "file has its hash", "files have their hashes")
    yield Text(f"{shown(verified.dataset)}, card of {words.when(verified.time)}: {files}", style="green")
    if verified.ledger:
        yield Text("The ledger is there and has the card's last entry.")
    else:
        yield Text("The ledger was not there: whether the card fits it was not checked.", style="yellow")
    if not verified.signed:
        yield Text(told.UNSIGNED, style="yellow")
    else:
        who = _whose(verified.signer)
        yield Text(f"Signed by {who}{shown(verified.fingerprint or 'an identity without a fingerprint')}.")
        if not verified.pinned:
            yield Text(told.NOT_PINNED, style="yellow")
    for note in verified.notes:
        yield Text(told.prose(note), style="yellow")


def _whose(name: str | None) -> str:
    return f"{told.prose(name)}, " if name else ""


def print_section(console: Console, section: blocks.Section, above: str = "") -> None:
    """Prints a section and all that is under it; `above`: the headings that it stands under."""
    heading = f"{above}{shown(section.heading)}"
    console.print()
    terminal.print_lines(console, [Text(heading, style="bold" if above else "bold underline")])
    for block in section.blocks:
        _print_block(console, block)
    for part in section.parts:
        print_section(console, part, above or f"{heading}: ")


def _print_block(console: Console, block: blocks.Block) -> None:
    match block:
        case blocks.Sheet():
            print_part(console, fitting(console, _table(block), _listed(block)))
        case blocks.Results():
            print_answer(console, block.answer)
        case blocks.Noise():
            print_mechanisms(console, block.answer.mechanisms)
            terminal.print_lines(console, map(_method, block.answer.results))
        case _:
            terminal.print_lines(console, _lines(console, block))


def _lines(console: Console, block: blocks.Block) -> Iterator[Text]:
    match block:
        case blocks.Paragraph():
            yield Text(shown(block.text), style="dim" if block.soft else "")
        case blocks.Notice():
            yield Text(shown(block.text), style="yellow")
        case blocks.Bullets():
            yield from (Text(f"- {shown(item)}") for item in block.items)
        case blocks.Facts():
            yield from (Text.assemble((f"{shown(fact.name)}: ", "dim"), shown(fact.text)) for fact in block.items)
        case blocks.Sql() | blocks.Command():
            yield Text(shown(block.text), style="cyan")
        case blocks.Bar():
            yield _bar(console, block)
            yield from (Text(f"{_SIGNS[part.style]} {part.name}: {shown(part.text)}") for part in block.parts)
        case blocks.Tally():
            yield Text(f"{block.title}: {shown(block.description)}.")
        case _:
            return  # a picture: the table beside it has the same


def _bar(console: Console, bar: blocks.Bar) -> Text:
    """A bar in signs: at least one for each part that is not nothing."""
    width = min(_WIDEST_BAR, max(10, console.width - 4))
    signs = "".join(_SIGNS[part.style] * (max(1, round(part.share * width)) if part.share else 0) for part in bar.parts)
    return Text(f"[{signs}]")


def _table(sheet: blocks.Sheet) -> Table:
    table = terminal.plain_table(*map(shown, sheet.headings), right=[shown(sheet.headings[i]) for i in sheet.right])
    for first, *rest in sheet.rows:
        table.add_row(Text(shown(first), style="bold"), *(Text(shown(cell)) for cell in rest))
    return table


def _listed(sheet: blocks.Sheet) -> Iterator[Text]:
    """The same for a terminal that is too narrow for it."""
    for first, *rest in sheet.rows:
        yield Text(f"{shown(sheet.headings[0])}: {shown(first)}", style="bold")
        yield from (
            Text(f"  {shown(heading)}: {shown(cell)}") for heading, cell in zip(sheet.headings[1:], rest, strict=True)
        )


def _method(estimated: Estimated) -> Text:
    return Text(f"{shown(estimated.name)}: {shown(estimated.method)}", style="dim")
