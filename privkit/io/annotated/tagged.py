"""A token a line with a tag: CoNLL, IOB, IOB2, IO, BIOES, and UNER's files.

    # text = Ask Fatima in Leeds.        a comment; one with the text gives the spaces back
    1   Ask     O       -   -            columns by tabs or spaces; a number before the token, others after the tag
    2   Fatima  B-PER   -   -

The tag's column is the last one in which every line has a tag. Blank lines end a sentence; each is a text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from privkit.errors import InputError
from privkit.io.annotated.joining import joined
from privkit.model.annotated import AnnotatedSpan, AnnotatedText

_TAG = re.compile(r"O|[BIESLU]-\S+")
_NUMBER = re.compile(r"\d+(?:[-.]\d+)?")
_COMMENT = re.compile(r"#\s*(?P<key>[\w. -]+?)\s*=\s*(?P<value>.*)", re.DOTALL)
_DOCUMENT = "-DOCSTART-"
_BEGINS, _ENDS = "BSU", "ELSU"
_HINT = "A line is a token and its tag (O, B-PER, I-PER, …), separated by a tab or spaces."


class _Line(NamedTuple):
    number: int
    fields: list[str]


class _Sentence(NamedTuple):
    lines: list[_Line]
    comments: dict[str, str]


def tagged_texts(text: str, name: str) -> list[AnnotatedText]:
    """The sentences of a file, joined into texts; `# key = value` above one is an attribute of it.

    Raises:
        InputError: A line has no tag, or fewer columns than the others; with its number.
    """
    sentences = list(_sentences(text))
    lines = [line for sentence in sentences for line in sentence.lines]
    if not lines:
        return []
    token, tag = _columns(lines, name)
    return [_text(sentence, token, tag) for sentence in sentences if sentence.lines]


def _sentences(text: str) -> Iterator[_Sentence]:
    by_tabs = _has_tabs(text)
    lines: list[_Line] = []
    comments: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip() or line.startswith(_DOCUMENT):
            if lines:
                yield _Sentence(lines, comments)
                lines, comments = [], {}
            continue
        fields = [field.strip() for field in line.split("\t")] if by_tabs else line.split()
        if _is_comment(line, fields, by_tabs):
            match = _COMMENT.fullmatch(line)
            if match and not lines:
                comments[match["key"]] = match["value"]
            continue
        lines.append(_Line(number, fields))
    if lines:
        yield _Sentence(lines, comments)


def _has_tabs(text: str) -> bool:
    for line in text.split("\n"):
        if line.strip() and not line.startswith(("#", _DOCUMENT)):
            return "\t" in line
    return False


def _is_comment(line: str, fields: Sequence[str], by_tabs: bool) -> bool:
    """A token may begin with `#` too: then it has a tag behind it."""
    if not line.startswith("#"):
        return False
    return len(fields) < 2 if by_tabs else not (len(fields) > 1 and _TAG.fullmatch(fields[-1]))


def _columns(lines: Sequence[_Line], name: str) -> tuple[int, int]:
    """Where token and tag stand; every line has them."""
    width = min(len(line.fields) for line in lines)
    tags = [column for column in range(1, width) if all(_TAG.fullmatch(line.fields[column]) for line in lines)]
    if not tags:
        raise _untagged(lines, width, name)
    tag = tags[-1]
    numbered = tag >= 2 and all(_NUMBER.fullmatch(line.fields[0]) for line in lines)
    token = 1 if numbered else 0
    for line in lines:
        if not line.fields[token] and line.fields[tag] != "O":
            raise InputError(f"{name}: line {line.number} has no token", path=name, row=line.number, hint=_HINT)
    return token, tag


def _untagged(lines: Sequence[_Line], width: int, name: str) -> InputError:
    """Blames the first line that breaks the column in which tags stand most often."""
    most = max(len(line.fields) for line in lines)
    counts = {
        column: sum(len(line.fields) > column and bool(_TAG.fullmatch(line.fields[column])) for line in lines)
        for column in range(1, most)
    }
    best = max(counts, key=lambda column: (counts[column], column), default=1)
    bad = next(line for line in lines if len(line.fields) <= best or not _TAG.fullmatch(line.fields[best]))
    what = "has too few columns" if len(bad.fields) <= best or width < 2 else "has no tag"
    return InputError(f"{name}: line {bad.number} {what}", path=name, row=bad.number, hint=_HINT)


def _text(sentence: _Sentence, token: int, tag: int) -> AnnotatedText:
    lines = [line for line in sentence.lines if line.fields[token]]  # a token may have been a space of some kind
    text, places = joined([line.fields[token] for line in lines], sentence.comments.get("text"))
    spans = tuple(
        AnnotatedSpan(places[first][0], places[last][1], label)
        for first, last, label in _chunks([line.fields[tag] for line in lines])
    )
    attributes = {key: value for key, value in sentence.comments.items() if key != "text"}
    return AnnotatedText(text, spans, attributes)


def _chunks(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """First and last token of each entity, and its label.

    B (S, U) begins one. I (E, L) goes on with one of its label that was not ended, and else begins one: so plain IO and
    the first IOB, in which B only parts neighbours, are read alike.
    """
    begun: tuple[int, str] | None = None
    for place, found in enumerate(tags):
        prefix, _, label = found.partition("-")
        goes_on = begun is not None and begun[1] == label and prefix not in ("O", *_BEGINS)
        if begun is not None and not goes_on:
            yield begun[0], place - 1, begun[1]
            begun = None
        if prefix == "O":
            continue
        if begun is None:
            begun = place, label
        if prefix in _ENDS:
            yield begun[0], place, begun[1]
            begun = None
    if begun is not None:
        yield begun[0], len(tags) - 1, begun[1]
