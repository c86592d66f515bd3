"""A release as one self-contained HTML page, or as a fragment for a notebook: nothing is loaded, nothing runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from privkit.model.estimates import Estimated
from privkit.model.release import Answer, Release
from privkit.report import release_wording as words
from privkit.report import wording
from privkit.report.pages import environment, page
from privkit.report.pictures import Picture, pictures

_SHORT = 24  # rows of a table that is not put off until after the pictures


@dataclass(frozen=True)
class _Cell:
    label: str
    text: words.ValueText


@dataclass(frozen=True)
class _Row:
    key: tuple[str, ...]
    cells: tuple[_Cell, ...]


@dataclass(frozen=True)
class _Table:
    """A table of values: `heading` is empty for the one of all statistics with a single value."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[_Row, ...]


@dataclass(frozen=True)
class AnswerPart:
    """What the templates show of one query's answer.

    Attributes:
        id: Begins the ids of its pictures: unique on a page.
        name: What its tables are called where one jumps from region to region: unique on a page too.
    """

    answer: Answer
    id: str
    name: str = "Values"

    @property
    def first(self) -> _Table | None:
        """What stands before the pictures: the statistics with one value a group, or else a short table of one."""
        single = _single_table(self.answer)
        if single is not None:
            return single
        return self._tables[0] if len(self._tables) == 1 and len(self._tables[0].rows) <= _SHORT else None

    @property
    def long(self) -> list[_Table]:
        """The others, a table each."""
        return [table for table in self._tables if table is not self.first]

    @functools.cached_property
    def _tables(self) -> list[_Table]:
        return [_long_table(self.answer, e) for e in self.answer.results if not words.is_single(e)]

    @property
    def pictures(self) -> Sequence[Picture]:
        """Values with intervals, and histograms."""
        return pictures(self.answer)

    @property
    def noise_only(self) -> str:
        """What intervals cover."""
        return words.NOISE_ONLY

    @property
    def pictures_read(self) -> str:
        """How the pictures are read."""
        return words.PICTURES_READ

    @property
    def noise_read(self) -> str:
        """How the table of mechanisms is read."""
        return words.NOISE_READ

    @property
    def weak(self) -> str:
        """What the mark means, where there is one."""
        return words.WEAK if words.has_weak(self.answer) else ""

    @property
    def notes(self) -> list[str]:
        """What the estimates say of themselves."""
        return list(words.notes_of(self.answer))

    @property
    def methods(self) -> list[tuple[str, str]]:
        """How each statistic's interval is made."""
        return [(estimated.name, estimated.method) for estimated in self.answer.results]


def release_html(release: Release, *, stored: bool = False) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser."""
    return page(f"privkit release: {wording.shown(release.dataset)}", release_fragment(release, stored))


def release_fragment(release: Release, stored: bool) -> str:
    """The same content as one element, with its style, for a notebook's output cell."""
    return (
        answer_environment()
        .get_template("release.html")
        .render(
            release=release,
            part=AnswerPart(release, f"privkit-{_plain(release.id)}{'-stored' if stored else ''}"),
            stored=words.stored_sentence(release) if stored else "",
            unit=words.unit_sentences(release.privacy_unit),
            promise=words.promise_sentence(release.cost, release.privacy_unit),
            threshold=release.threshold and words.threshold_sentence(release.threshold, release.privacy_unit),
            disclosed=release.disclosed and words.disclosed_sentence(release.disclosed),
            high_loss=release.accepted_high_loss and words.high_loss_sentence(release.accepted_high_loss),
            untested=release.untested_engine and words.untested_sentence(release.untested_engine),
            not_covered=words.NOT_COVERED,
            account=words.account_rows(release),
            left=words.left_text(release),
            measure=words.measure_text(release.measure),
        )
    )


def _plain(id: str) -> str:
    return "".join(c for c in id if c.isalnum())[:24]


@functools.cache
def answer_environment() -> jinja2.Environment:
    """Templates of what shows answers, with the filters that they use."""
    return environment(
        shown=wording.shown,
        number=wording.number,
        significant=words.significant,
        amount=words.amount_text,
        loss=words.loss_text,
        when=words.when,
        declaration=words.declaration_text,
    )


def _single_table(answer: Answer) -> _Table | None:
    """The statistics with one value a group, side by side."""
    single = [estimated for estimated in answer.results if words.is_single(estimated)]
    rows = (
        _Row(key, tuple(_Cell(e.name, words.value_text(e.values[place][0])) for e in single))
        for place, key in enumerate(answer.keys)
    )
    return _Table("", tuple(estimated.name for estimated in single), tuple(rows)) if single else None


def _long_table(answer: Answer, estimated: Estimated) -> _Table:
    """One line for each value, its label beside the group's key."""
    rows = (
        _Row((*key, value.label or ""), (_Cell("value", words.value_text(value)),))
        for key, values in zip(answer.keys, estimated.values, strict=True)
        for value in values
    )
    return _Table(estimated.name, ("value",), tuple(rows))
