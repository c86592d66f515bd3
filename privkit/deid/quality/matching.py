"""One text: what is marked in it against what would be replaced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from privkit.model.annotated import AnnotatedText

FULLY = 95
"""Percent of a span's characters that must be replaced for it to count as fully masked."""


class Replaced(NamedTuple):
    """A span that would be replaced, with its type as it is compared."""

    start: int
    end: int
    entity: str


class Marked(NamedTuple):
    """A marked span, judged.

    Attributes:
        text: Number of its text, from 0.
        start: First character.
        end: One past the last.
        label: What the data set calls its type.
        entity: Its type; where it is not evaluated, the data set's name for it.
        evaluated: Whether its type is.
        predicted: The type that it was found as: its own, else the one that covers most of it; None: nothing was found.
        covered: How many of its characters would be replaced.
        attributes: Those of the span, and of its text where the span has none of the name.
    """

    text: int
    start: int
    end: int
    label: str
    entity: str
    evaluated: bool
    predicted: str | None
    covered: int
    attributes: Mapping[str, str]

    @property
    def found(self) -> bool:
        """Whether a finding of its own type overlaps it."""
        return self.evaluated and self.predicted == self.entity

    @property
    def masked(self) -> bool:
        """Whether it is fully masked."""
        return 100 * self.covered >= FULLY * (self.end - self.start)


class Judged(NamedTuple):
    """A replaced span: whether it is right, and whether anything at all was marked there."""

    entity: str
    right: bool
    spurious: bool


def judged(
    number: int, annotated: AnnotatedText, replaced: Sequence[Replaced], entities: Mapping[str, str]
) -> tuple[list[Marked], list[Judged]]:
    """Marked and replaced spans of one text, each judged by the other.

    Args:
        number: Of the text, from 0.
        annotated: The text.
        replaced: In order, none overlapping another.
        entities: The data set's types that are evaluated, and what they are taken for.
    """
    ends = [span.end for span in replaced]
    right, touched = [False] * len(replaced), [False] * len(replaced)
    marked = []
    for span in annotated.spans:
        entity = entities.get(span.label)
        by_type: dict[str, int] = {}
        place = bisect_right(ends, span.start)
        while place < len(replaced) and replaced[place].start < span.end:
            other = replaced[place]
            shared = min(span.end, other.end) - max(span.start, other.start)
            by_type[other.entity] = by_type.get(other.entity, 0) + shared
            touched[place] = True
            right[place] = right[place] or other.entity == entity
            place += 1
        marked.append(
            Marked(
                number,
                span.start,
                span.end,
                span.label,
                span.label if entity is None else entity,
                entity is not None,
                _found_as(entity, by_type),
                sum(by_type.values()),
                {**annotated.attributes, **span.attributes},
            )
        )
    return marked, [
        Judged(span.entity, right=right[place], spurious=not touched[place]) for place, span in enumerate(replaced)
    ]


def _found_as(entity: str | None, by_type: Mapping[str, int]) -> str | None:
    if entity in by_type:
        return entity
    return min(by_type, key=lambda found: (-by_type[found], found), default=None)
