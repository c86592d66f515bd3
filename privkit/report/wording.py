"""The words that the HTML page and the terminal share. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privkit.model.report import Residual

ROLES = {
    "identifier": "every cell is transformed",
    "free_text": "what names a person inside the text is transformed",
    "quasi": "could identify together with others: made coarser",
    "other": "kept",
}


def shown(text: str) -> str:
    r"""`text` with what is not printable written out, so that no name can drive a terminal or turn a line around.

    >>> shown("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def number(value: int | float) -> str:
    """A count with thousands separators; a measure with up to two decimals.

    >>> number(1234567), number(0.5), number(12.0)
    ('1,234,567', '0.5', '12')
    """
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(0.25), duration(95), duration(7500)
    ('0.25 s', '1 min 35 s', '2 h 5 min')
    """
    if seconds < 60:
        return f"{number(round(seconds, 2 if seconds < 10 else 1))} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def plural(count: int, one: str, many: str | None = None) -> str:
    """The count and its noun.

    >>> plural(1, "row"), plural(2000, "row"), plural(0, "entity", "entities")
    ('1 row', '2,000 rows', '0 entities')
    """
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def in_order(entities: Mapping[str, int]) -> list[tuple[str, int]]:
    """Entity types with a count above zero, most frequent first, then by name."""
    return sorted(((name, n) for name, n in entities.items() if n), key=lambda pair: (-pair[1], pair[0]))


def entity_list(entities: Mapping[str, int], width: int | None = None) -> str:
    """`PERSON 812, LOCATION 20`, cut after what fits into `width` characters: `PERSON 812 + 3 more`.

    >>> entity_list({"LOCATION": 20, "PERSON": 812})
    'PERSON 812, LOCATION 20'
    >>> entity_list({"LOCATION": 20, "PERSON": 812, "URL": 1}, width=22)
    'PERSON 812 + 2 more'
    """
    parts = [f"{shown(name)} {number(n)}" for name, n in in_order(entities)]
    if width is None or len(", ".join(parts)) <= width:
        return ", ".join(parts)
    for kept in range(len(parts) - 1, 0, -1):
        text = f"{', '.join(parts[:kept])} + {len(parts) - kept} more"
        if len(text) <= width or kept == 1:
            return text
    return parts[0]


def unread_sentence(cells: int) -> str:
    """What must be said of a column's texts in scripts that no detector reads.

    >>> unread_sentence(1)
    '1 text is in a script other than Latin: numbers and addresses were looked for in it, names and places were not'
    """
    them = "it" if cells == 1 else "them"
    return (
        f"{plural(cells, 'text is', 'texts are')} in a script other than Latin: numbers and addresses were looked for "
        f"in {them}, names and places were not"
    )


def sent_away(remote: Sequence[str]) -> list[str]:
    """What must be said where recognizers send texts to a service; nothing if none does.

    >>> sent_away(["AzureAILanguageRecognizer"])
    ['every text that is searched is sent to a service, as it is: AzureAILanguageRecognizer']
    """
    return [f"every text that is searched is sent to a service, as it is: {', '.join(remote)}"] if remote else []


def residual_sentences(residual: Residual, rows: int) -> Sequence[str]:
    """What the second look at the output covered and what it found, one sentence each."""
    part = "all" if residual.rows_checked >= rows else number(residual.rows_checked)
    cells, places = residual.cells_with_findings, residual.input_identifiers_found
    return (
        f"After the run the detector looked again at every column of {part} of the output's {plural(rows, 'row')}. "
        + (
            "It found nothing."
            if not cells
            else f"It still finds something in {plural(cells, 'cell')}: some may be false alarms, some may be what the "
            "first look missed."
        ),
        "Each row's own identifiers were searched for in that row's output, and a keyed sample of the file's "
        "identifiers in the whole output. "
        + (
            "None stands there."
            if not places
            else f"In {plural(places, 'place')} one still stands: look there before anything leaves."
        ),
    )
