"""Tokens back into a text, with the place of each.

Who wrote the file cut the text apart and did not keep the spaces. Where a comment holds the text itself, it is used;
else spaces are put where English has them. A detector sees nearly what stood there, and spans keep whole tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

_NO_SPACE_BEFORE = frozenset(
    {*".,;:!?%)]}…’”»", "...", "''", "n't", "'s", "'re", "'ve", "'ll", "'d", "'m", "’s", "n’t"}
)
_NO_SPACE_AFTER = frozenset({*"([{#@“«‘", "$", "£", "€", "``"})
# As the Penn Treebank writes them.
_ESCAPED = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"'}


def joined(tokens: Sequence[str], original: str | None = None) -> tuple[str, list[tuple[int, int]]]:
    """A text, and start and end of each token in it.

    Args:
        tokens: Not empty ones, in order.
        original: The text, if it is known: used where every token stands in it, in order, with nothing but white
            space between.
    """
    if original is not None:
        places = _places(tokens, original)
        if places is not None:
            return original, places
    return _spaced(tokens)


def _places(tokens: Sequence[str], text: str) -> list[tuple[int, int]] | None:
    places = []
    at = 0
    for token in tokens:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith(token, at):
            return None
        places.append((at, at + len(token)))
        at += len(token)
    return places if not text[at:].strip() else None


def _spaced(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    glued = True  # nothing stands before the first
    quoted = False
    for word in tokens:
        opens = word == "``" or (word == '"' and not quoted)
        closes = word == "''" or (word == '"' and quoted)
        written = _ESCAPED.get(word, word)
        if not (glued or closes or word.lower() in _NO_SPACE_BEFORE or written in _NO_SPACE_BEFORE):
            pieces.append(" ")
            at += 1
        pieces.append(written)
        places.append((at, at + len(written)))
        at += len(written)
        quoted = opens or (quoted and not closes)
        glued = opens or word in _NO_SPACE_AFTER or written in _NO_SPACE_AFTER
    return "".join(pieces), places
