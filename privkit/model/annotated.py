"""Text in which somebody marked what names a person: what a detector is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

AnnotatedFormat = Literal["presidio", "iob", "jsonl"]


class AnnotatedSpan(NamedTuple):
    """A span that an annotator marked.

    Attributes:
        start: First character, 0-based.
        end: One past the last character.
        label: What the data set calls its type.
        attributes: What else is said of it, e.g. the origin of a name.
    """

    start: int
    end: int
    label: str
    attributes: Mapping[str, str] = {}


@dataclass(frozen=True)
class AnnotatedText:
    """A text with its marked spans.

    Attributes:
        text: The text.
        spans: In order of their start.
        attributes: What is said of the whole text.
    """

    text: str
    spans: tuple[AnnotatedSpan, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AnnotatedSet:
    """A data set.

    Attributes:
        source: What it is called.
        format: How it was written.
        sha256: Of its bytes, 64 hexadecimal digits.
        texts: In the order of the file.
    """

    source: str
    format: AnnotatedFormat
    sha256: str
    texts: tuple[AnnotatedText, ...]
