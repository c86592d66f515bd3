"""What a span looks like, without what it says."""

from __future__ import annotations

import re
from typing import Literal

Context = Literal[
    "start of the text",
    "start of a line",
    "after a label",
    "after a title",
    "after a bracket or quote",
    "after another mark",
    "after a number",
    "after a capitalised word",
    "after a word",
]

_MOST_PIECES = 12  # of a shape: longer ones are cut
_KEPT = frozenset(".,;:'\"-/@&#()+_")
_TITLES = frozenset(
    {
        *("mr", "mrs", "ms", "miss", "dr", "prof", "sir", "dame", "rev", "fr", "herr", "frau", "mme", "mlle"),
        *("monsieur", "madame", "sr", "sra", "srta", "señor", "señora", "dott"),
    }
)
_WORD_BEFORE = re.compile(r"(?P<word>\w[\w'’]*)(?P<dot>\.?)[^\S\n]*\Z")


def shape_of(text: str) -> str:
    """Letters and digits by their kind alone, runs of a kind as one, white space as one space.

    `Xx` is a capitalised word, `XX` capitals, `X` a single one, `xx` small letters, `xX` mixed, `w` a script without
    capitals, `9` digits, `?` any other sign; usual punctuation stays.

    >>> shape_of("Anna Smith"), shape_of("SMITH, Anna"), shape_of("42 Elm St."), shape_of("a.b@example.org")
    ('Xx Xx', 'XX, Xx', '9 Xx Xx.', 'xx.xx@xx.xx')
    """
    pieces: list[str] = []
    for match in re.finditer(r"\s+|\d+|[^\W\d_]+|.", text, re.DOTALL):
        found = match.group()
        if found.isspace():
            piece = " "
        elif found[0].isdigit():
            piece = "9"
        elif found[0].isalpha():
            piece = _letters(found)
        else:
            piece = found if found in _KEPT else "?"
        if pieces and piece == pieces[-1]:
            continue  # two words are never neighbours: only signs repeat
        if len(pieces) == _MOST_PIECES:
            return "".join(pieces) + "…"
        pieces.append(piece)
    return "".join(pieces)


def context_of(text: str, start: int) -> Context:
    """What stands before a span, as one of a few classes."""
    before = text[max(0, start - 80) : start]
    if not text[:start].strip():
        return "start of the text"
    rest = before.rstrip()
    if "\n" in before[len(rest) :]:
        return "start of a line"
    last = rest[-1:]
    if last in (":", "="):
        return "after a label"
    if last and last in "([{<\"'“‘«„":
        return "after a bracket or quote"
    match = _WORD_BEFORE.search(before)
    if match is None:
        return "after another mark"
    word = match["word"]
    if word.casefold() in _TITLES:
        return "after a title"
    if match["dot"]:
        return "after another mark"
    if word[-1].isdigit():
        return "after a number"
    return "after a capitalised word" if word[0].isupper() else "after a word"


def _letters(found: str) -> str:
    if found.islower():
        return "xx"
    if found.isupper():
        return "XX" if len(found) > 1 else "X"
    if found[0].isupper() and found[1:].islower():
        return "Xx"
    return "xX" if found.lower() != found.upper() else "w"
