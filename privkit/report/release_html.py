"""A release as one self-contained HTML page, or as a fragment for a notebook: nothing is loaded, nothing runs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jinja2

from privkit.model.estimates import Estimated
from privkit.model.release import Release
from privkit.report import release_wording as words
from privkit.report import wording
from privkit.report.pages import environment, page
from privkit.report.pictures import pictures


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


def release_html(release: Release, *, stored: bool = False) -> str:
    """The whole page, UTF-8 text to be written to a file and opened in any browser."""
    return page(f"privkit release: {wording.shown(release.dataset)}", release_fragment(release, stored))


def release_fragment(release: Release, stored: bool) -> str:
    """The same content as one element, with its style, for a notebook's output cell."""
    return (
        _environment()
        .get_template("release.html")
        .render(
            release=release,
            stored=words.stored_sentence(release) if stored else "",
            single=_single_table(release),
            long=[_long_table(release, e) for e in release.results if not words.is_single(e)],
            pictures=pictures(release),
            unit=words.unit_sentences(release.privacy_unit),
            promise=words.promise_sentence(release.cost, release.privacy_unit),
            threshold=release.threshold and words.threshold_sentence(release.threshold, release.privacy_unit),
            high_loss=release.accepted_high_loss and words.high_loss_sentence(release.accepted_high_loss),
            noise_only=words.NOISE_ONLY,
            weak=words.WEAK if words.has_weak(release) else "",
            not_covered=words.NOT_COVERED,
            notes=list(words.notes_of(release)),
            account=words.account_rows(release),
            left=words.left_text(release),
            measure=words.measure_text(release.measure),
            methods=[(estimated.name, estimated.method) for estimated in release.results],
            id=f"privkit-{''.join(c for c in release.id if c.isalnum())[:24]}{'-stored' if stored else ''}",
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    return environment(
        shown=wording.shown,
        number=wording.number,
        significant=words.significant,
        amount=words.amount_text,
        loss=words.loss_text,
        when=words.when,
        declaration=_declaration,
    )


def _single_table(release: Release) -> _Table | None:
    """The statistics with one value a group, side by side."""
    single = [estimated for estimated in release.results if words.is_single(estimated)]
    rows = (
        _Row(key, tuple(_Cell(e.name, words.value_text(e.values[place][0])) for e in single))
        for place, key in enumerate(release.keys)
    )
    return _Table("", tuple(estimated.name for estimated in single), tuple(rows)) if single else None


def _long_table(release: Release, estimated: Estimated) -> _Table:
    """One line for each value, its label beside the group's key."""
    rows = (
        _Row((*key, value.label or ""), (_Cell("value", words.value_text(value)),))
        for key, values in zip(release.keys, estimated.values, strict=True)
        for value in values
    )
    return _Table(estimated.name, ("value",), tuple(rows))


def _declaration(column: dict[str, Any]) -> str:
    """`integer, bounds 0 … 110`."""
    parts = [str(column["type"])]
    for name, value in column.items():
        if name == "type":
            continue
        if name == "bounds":
            parts.append(f"bounds {value[0]} … {value[1]}")
        elif isinstance(value, list):
            parts.append(f"{len(value)} {name}")
        else:
            parts.append(f"{name.rstrip('_')} {value}")
    return wording.shown(", ".join(parts))
