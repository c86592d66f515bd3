"""A release as a Markdown card: what is published beside the numbers, for people without privkit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from privkit.model.release import Release
from privkit.report import release_wording as words
from privkit.report.wording import number, plural, shown

_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&$^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def release_card(release: Release) -> str:
    """What was asked, whom it protects, what it cost, how it was made, what came out and how far to trust it.

    Args:
        release: The release; neither data nor ledger is asked.

    Returns:
        Markdown (with tables, as GitHub reads them); whatever came from outside is escaped.
    """
    parts = (
        _asked(release),
        _results(release),
        _protected(release),
        _cost(release),
        _mechanisms(release),
        _made(release),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _md(text: str) -> str:
    """Text from outside, so that none of it is markup."""
    return _SPECIAL.sub(r"\\\1", shown(text))


def _fenced(text: str) -> Iterator[str]:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}sql", shown(text), fence)


def _table(headings: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _asked(release: Release) -> Iterator[str]:
    yield f"# Private statistics of {_md(release.dataset)}"
    yield ""
    yield f"Asked by {_md(release.analyst)} on {words.when(release.time)}, data version {_md(release.version)}."
    yield ""
    yield from _fenced(release.sql)
    if release.accepted_high_loss:
        yield ""
        yield f"**{_md(words.high_loss_sentence(release.accepted_high_loss))}**"


def _results(release: Release) -> Iterator[str]:
    yield "## Results"
    yield ""
    if not release.keys:
        yield "No group has enough units to be shown."
    else:
        headings = [*map(_md, release.groups), "statistic", "value", words.level_text(release.confidence), "remark"]
        yield from _table(headings, _value_rows(release))
    yield ""
    yield words.NOISE_ONLY
    if words.has_weak(release):
        yield ""
        yield words.WEAK
    for note in words.notes_of(release):
        yield ""
        yield _md(note)


def _value_rows(release: Release) -> Iterator[Sequence[str]]:
    for place, key in enumerate(release.keys):
        for estimated in release.results:
            for value in estimated.values[place]:
                text = words.value_text(value)
                name = estimated.name if value.label is None else f"{estimated.name}: {value.label}"
                yield (*map(_md, key), _md(name), text.value, text.interval or "–", _md(text.note) or "–")


def _protected(release: Release) -> Iterator[str]:
    yield "## Whom it protects"
    yield ""
    for sentence in words.unit_sentences(release.privacy_unit):
        yield f"- {_md(sentence)}"
    yield f"- {_md(words.promise_sentence(release.cost, release.privacy_unit))}"
    if release.threshold is not None:
        yield f"- {_md(words.threshold_sentence(release.threshold, release.privacy_unit))}"
    yield ""
    yield "Not covered:"
    yield ""
    for sentence in words.NOT_COVERED:
        yield f"- {sentence}"


def _cost(release: Release) -> Iterator[str]:
    yield "## What it cost"
    yield ""
    yield from _table(("", "privacy loss"), iter(words.account_rows(release)))
    yield ""
    yield (
        f"Left of the budget: {words.left_text(release)}. Counted as {words.measure_text(release.measure)}. Ledger "
        f"entry {number(release.accounting.sequence)}, `{shown(release.accounting.entry)}`, head of the chain "
        f"`{shown(release.accounting.head)}`."
    )


def _mechanisms(release: Release) -> Iterator[str]:
    yield "## How it was made"
    yield ""
    headings = ("measured", "noise", "scale", "one unit moves it by at most", "share", "for")
    rows = (
        (
            _md(mechanism.vector),
            mechanism.noise,
            words.significant(mechanism.scale),
            words.significant(mechanism.distance),
            _md(mechanism.share),
            _md(", ".join(mechanism.serves)),
        )
        for mechanism in release.mechanisms
    )
    yield from _table(headings, rows)
    yield ""
    yield "Scales and distances are in the measured vector's own integer units."
    yield ""
    for estimated in release.results:
        yield f"- {_md(estimated.name)}: {_md(estimated.method)}"


def _made(release: Release) -> Iterator[str]:
    yield "## Versions"
    yield ""
    software = ", ".join(f"{_md(name)} {_md(version)}" for name, version in release.software.items())
    yield f"{software or 'not recorded'}. {plural(len(release.declared), 'declared column')} in the query."
