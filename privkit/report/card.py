"""A release as a Markdown card: what is published beside the numbers, for people without privkit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from privkit.model.release import Answer, Release
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
        results(release),
        _protected(release),
        _cost(release),
        mechanisms(release),
        _made(release),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def md(text: str) -> str:
    """Text from outside, so that none of it is markup."""
    return _SPECIAL.sub(r"\\\1", shown(text))


def fenced(text: str, language: str = "sql") -> Iterator[str]:
    """A block of code."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{language}", shown(text), fence)


def table(headings: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """A Markdown table of texts that are escaped already."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _asked(release: Release) -> Iterator[str]:
    yield f"# Private statistics of {md(release.dataset)}"
    yield ""
    yield f"Asked by {md(release.analyst)} on {words.when(release.time)}, data version {md(release.version)}."
    yield ""
    yield from fenced(release.sql)
    if release.disclosed:
        yield ""
        yield f"**{md(words.disclosed_sentence(release.disclosed))}**"
    if release.accepted_high_loss:
        yield ""
        yield f"**{md(words.high_loss_sentence(release.accepted_high_loss))}**"
    if release.untested_engine:
        yield ""
        yield f"**{md(words.untested_sentence(release.untested_engine))}**"


def results(answer: Answer, heading: str = "## Results", *, general: bool = True) -> Iterator[str]:
    """The values with their intervals, and what to know when reading them.

    Args:
        answer: The query's answer.
        heading: Stands above; empty: none.
        general: Also what is to be known about every interval.
    """
    if heading:
        yield from (heading, "")
    if not answer.keys:
        yield "No group has enough units to be shown."
    else:
        headings = [*map(md, answer.groups), "statistic", "value", words.level_text(answer.confidence), "remark"]
        yield from table(headings, _value_rows(answer))
    if general:
        yield from ("", words.NOISE_ONLY)
        if words.has_weak(answer):
            yield from ("", words.WEAK)
    for note in words.notes_of(answer):
        yield ""
        yield md(note)


def _value_rows(answer: Answer) -> Iterator[Sequence[str]]:
    for place, key in enumerate(answer.keys):
        for estimated in answer.results:
            for value in estimated.values[place]:
                text = words.value_text(value)
                name = estimated.name if value.label is None else f"{estimated.name}: {value.label}"
                yield (*map(md, key), md(name), text.value, text.interval or "–", md(text.note) or "–")


def _protected(release: Release) -> Iterator[str]:
    yield "## Whom it protects"
    yield ""
    for sentence in words.unit_sentences(release.privacy_unit):
        yield f"- {md(sentence)}"
    yield f"- {md(words.promise_sentence(release.cost, release.privacy_unit))}"
    if release.threshold is not None:
        yield f"- {md(words.threshold_sentence(release.threshold, release.privacy_unit))}"
    yield ""
    yield "Not covered:"
    yield ""
    for sentence in words.NOT_COVERED:
        yield f"- {sentence}"


def _cost(release: Release) -> Iterator[str]:
    yield "## What it cost"
    yield ""
    yield from table(("", "privacy loss"), iter(words.account_rows(release)))
    yield ""
    yield (
        f"Left of the budget: {words.left_text(release)}. Counted as {words.measure_text(release.measure)}. Ledger "
        f"entry {number(release.accounting.sequence)}, `{shown(release.accounting.entry)}`, head of the chain "
        f"`{shown(release.accounting.head)}`."
    )


def mechanisms(answer: Answer, heading: str = "## How it was made") -> Iterator[str]:
    """The vectors, their noise, and how the estimates are made."""
    yield from (heading, "", *noise_table(answer))
    yield from ("", "Scales and distances are in the measured vector's own integer units.", "", *methods(answer))


def noise_table(answer: Answer) -> Iterator[str]:
    """The vectors and their noise."""
    headings = ("measured", "noise", "scale", "one unit moves it by at most", "share", "for")
    rows = (
        (
            md(mechanism.vector),
            mechanism.noise,
            words.significant(mechanism.scale),
            words.significant(mechanism.distance),
            md(mechanism.share),
            md(", ".join(mechanism.serves)),
        )
        for mechanism in answer.mechanisms
    )
    yield from table(headings, rows)


def methods(answer: Answer) -> Iterator[str]:
    """How the estimates are made."""
    for estimated in answer.results:
        yield f"- {md(estimated.name)}: {md(estimated.method)}"


def _made(release: Release) -> Iterator[str]:
    yield "## Versions"
    yield ""
    software = ", ".join(f"{md(name)} {md(version)}" for name, version in release.software.items())
    yield f"{software or 'not recorded'}. {plural(len(release.declared), 'declared column')} in the query."
