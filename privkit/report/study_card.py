"""A study's result as a Markdown card: what is published beside the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from privkit.model.release import Answer
from privkit.model.study import StudyResult
from privkit.report import study_wording as words
from privkit.report.card import fenced, md, methods, noise_table, results, table
from privkit.report.release_wording import NOISE_ONLY, WEAK, amount_text, declaration_text, has_weak, loss_text, when


def study_card(result: StudyResult) -> str:
    """Who learned what together, whom it protects and against whom, what it cost, what came out.

    Args:
        result: The result; its own card is not looked at.

    Returns:
        Markdown (with tables, as GitHub reads them); whatever came from outside is escaped.
    """
    parts = [_head(result)]
    for number, answer in enumerate(result.statistics, 1):
        parts += [iter([f"## Statistic {number}", "", *fenced(answer.sql)])]
        parts += [results(answer, "### Results", general=False)]
        parts += [_made(answer)]
    parts += [_protected(result), _agreed(result), _cost(result), _session(result)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(result: StudyResult) -> Iterator[str]:
    yield f"# Joint statistics of the study {md(result.study)}"
    yield ""
    yield f"Of {md(words.roster_text(result))}; decrypted by {md(result.key_holder.name)} on {when(result.time)}."
    yield ""
    yield NOISE_ONLY
    yield ""
    yield words.scale_sentence(result)


def _made(answer: Answer) -> Iterator[str]:
    if has_weak(answer):
        yield from (WEAK, "")
    yield from ("### How it was made", "", *noise_table(answer), "", *methods(answer))


def _protected(result: StudyResult) -> Iterator[str]:
    yield "## Whom it protects, and against whom"
    yield ""
    for sentence in (*words.unit_sentences(result), words.promise_sentence(result), *words.trust_sentences(result)):
        yield f"- {md(sentence)}"
    yield ""
    yield "Not covered:"
    yield ""
    for sentence in words.NOT_COVERED:
        yield f"- {sentence}"


def _agreed(result: StudyResult) -> Iterator[str]:
    yield "## What was agreed"
    yield ""
    for name, column in words.declared(result).items():
        yield f"- {md(name)}: {md(declaration_text(column))}"
    if not words.declared(result):
        yield "The statistics name no column."


def _cost(result: StudyResult) -> Iterator[str]:
    yield "## What it cost"
    yield ""
    yield (
        f"The whole study: ε {amount_text(result.privacy.epsilon)} at δ {amount_text(result.privacy.delta)} "
        f"(ρ {amount_text(result.rho)}), charged to every party's ledger before its contribution left. In ρ "
        "the parts add up."
    )
    yield ""
    rows = ((str(number), loss_text(answer.cost)) for number, answer in enumerate(result.statistics, 1))
    yield from table(("statistic", "its part"), rows)


def _session(result: StudyResult) -> Iterator[str]:
    yield "## The session"
    yield ""
    rows = ((md(p.name), f"`{p.public}`", f"`{result.contributions[p.name]}`") for p in result.parties)
    yield from table(("party", "identity", "SHA-256 of its contribution"), rows)
    yield ""
    yield f"- Session `{result.session}`, invitation `{result.invitation}`, transcript `{result.transcript}`."
    yield f"- Aggregate `{result.aggregate}`; key holder `{result.key_holder.public}`."
    yield f"- Encryption: BFV, {', '.join(f'{c.parameters} ({c.length:,} slots)' for c in result.channels)}."
    software = ", ".join(f"{md(name)} {md(version)}" for name, version in result.software.items())
    yield f"- Versions: {software or 'not recorded'}."
