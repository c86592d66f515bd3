"""What published pages are made of: sections of blocks, from which a page, Markdown and the terminal are made.

Texts are plain; whoever renders a block escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from privkit.model.release import Answer
from privkit.report.pictures import Picture
from privkit.report.wording import number


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `soft`: less important than others."""

    kind: ClassVar[str] = "paragraph"
    text: str
    soft: bool = False


@dataclass(frozen=True)
class Notice:
    """What must not be passed over."""

    kind: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A name and what goes with it; `code`: a hash, a key or another text that nobody reads aloud."""

    name: str
    text: str
    code: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and texts."""

    kind: ClassVar[str] = "facts"
    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes:
        name: What it is called where one jumps from table to table.
        headings: Of its columns; the first column names its rows.
        rows: Of texts.
        code: Places of columns of hashes.
        right: Places of columns of numbers.
    """

    kind: ClassVar[str] = "sheet"
    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[int, ...] = ()
    right: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.headings) for row in self.rows)


@dataclass(frozen=True)
class Sql:
    """A query."""

    kind: ClassVar[str] = "sql"
    text: str


@dataclass(frozen=True)
class Command:
    """What to type."""

    kind: ClassVar[str] = "command"
    text: str


@dataclass(frozen=True)
class Results:
    """A query's values with their intervals; `place` numbers it."""

    kind: ClassVar[str] = "results"
    answer: Answer
    place: int


@dataclass(frozen=True)
class Noise:
    """A query's mechanisms; `place` numbers it."""

    kind: ClassVar[str] = "noise"
    answer: Answer
    place: int


@dataclass(frozen=True)
class Drawing:
    """A picture of marks; whoever cannot draw leaves it out: the same stands in a table."""

    kind: ClassVar[str] = "drawing"
    picture: Picture
    id: str


@dataclass(frozen=True)
class Segment:
    """A part of a bar: its name, its amount in words, its share in 0 … 1, and which of the style's parts it is."""

    name: str
    text: str
    share: float
    style: str


@dataclass(frozen=True)
class Bar:
    """One bar of several parts that make up a whole."""

    kind: ClassVar[str] = "bar"
    title: str
    parts: tuple[Segment, ...]
    id: str

    @property
    def description(self) -> str:
        """The bar in words."""
        return "; ".join(f"{part.name}: {part.text}" for part in self.parts)


@dataclass(frozen=True)
class Tally:
    """Bars of counts, one a name."""

    kind: ClassVar[str] = "tally"
    title: str
    counts: tuple[tuple[str, int], ...]
    id: str

    @property
    def description(self) -> str:
        """The bars in words."""
        return ", ".join(f"{name} {number(count)}" for name, count in self.counts)

    def width(self, count: int) -> float:
        """A bar's width in percent."""
        return round(100 * count / max(most for _, most in self.counts), 2)


@dataclass(frozen=True)
class Shares:
    """Bars of shares: a name, a share in 0 … 1 (None: there is none) and what is written beside it.

    Whoever cannot draw leaves them out: the same stands in a table.
    """

    kind: ClassVar[str] = "shares"
    title: str
    shares: tuple[tuple[str, float | None, str], ...]
    id: str

    @property
    def description(self) -> str:
        """The bars in words."""
        return ", ".join(f"{name} {text}" for name, _, text in self.shares)


Block = Paragraph | Notice | Bullets | Facts | Sheet | Sql | Command | Results | Noise | Drawing | Bar | Tally | Shares


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, and what is under that."""

    id: str
    heading: str
    blocks: tuple[Block, ...] = ()
    parts: tuple[Section, ...] = ()
