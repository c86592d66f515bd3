"""Encrypted studies on a terminal: how far one is, what a party did, what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from privkit.model.dataset import Column
from privkit.model.study import Contributed, StudyResult, StudyStatus
from privkit.report import study_wording as words
from privkit.report import terminal
from privkit.report.release import fitting, print_answer, print_part
from privkit.report.release_wording import NOISE_ONLY, amount_text, declaration_text
from privkit.report.wording import number, plural, shown


def print_status(console: Console, status: StudyStatus) -> None:
    """Prints who did what, what is agreed to, and what comes next."""
    privacy = f"ε {amount_text(status.epsilon)} at δ {amount_text(status.delta)} (ρ {amount_text(status.rho)})"
    who = (
        "by the key holder (weaker mode)"
        if status.noise == "key-holder"
        else f"by all, that of {status.min_honest} counted on"
    )
    lines = [
        Text.assemble((f"Study {shown(status.study)}", "bold"), f", session {status.session}"),
        Text(f"Costs every party {privacy}; noise drawn {who}."),
        Text(f"Key holder {shown(status.key_holder.name)}, {status.key_holder.public}"),
        Text(words.counted_sentence(status.unit, status.max_parties_per_person)),
        *(Text(f"  {shown(sql)}", style="dim") for sql in status.statistics),
        *(Text(f"  {shown(name)}: {_declared(column)}", style="dim") for name, column in status.columns.items()),
        Text(),
    ]
    terminal.print_lines(console, lines)
    print_part(console, fitting(console, _parties(status), _party_lines(status)))
    console.print()
    done = [step for step, there in (("aggregated", status.aggregated), ("revealed", status.revealed)) if there]
    terminal.print_lines(
        console,
        [
            Text(f"{', '.join(done) or 'not aggregated yet'}; {number(status.bytes)} bytes; all that is there holds."),
            Text(f"Next: {status.next}.", style="bold"),
        ],
    )


def _declared(column: Column) -> str:
    return declaration_text(column.model_dump(mode="json", exclude_none=True))


def _parties(status: StudyStatus) -> Table:
    table = terminal.plain_table("Party", "Joined", "Contributed", "Identity")
    for party in status.parties:
        table.add_row(
            Text(shown(party.name), style="bold"), _mark(party.joined), _mark(party.contributed), Text(party.public)
        )
    return table


def _party_lines(status: StudyStatus) -> Iterator[Text]:
    for party in status.parties:
        steps = (("joined", party.joined), ("contributed", party.contributed))
        done = ", ".join(step if there else f"not {step}" for step, there in steps)
        yield Text.assemble((shown(party.name), "bold"), f": {done}")
        yield Text(f"  {party.public}")


def _mark(there: bool) -> Text:
    return Text("yes", style="green") if there else Text("no", style="yellow")


def contributed_lines(done: Contributed) -> Iterator[Text]:
    """What a party's contribution cost and how large it is."""
    size = f"{number(done.bytes)} bytes"
    if done.again:
        yield Text(
            f"{shown(done.party)} contributed before: the same {size} again, nothing charged.", style="bold green"
        )
        return
    loss = f"ε {amount_text(done.epsilon)} at δ {amount_text(done.delta)} (ρ {amount_text(done.rho)})"
    yield Text(f"{shown(done.party)} contributed {size} to {shown(done.study)}.", style="bold")
    yield Text(f"Charged {loss}, entry {done.sequence} of its ledger.")


def print_result(console: Console, result: StudyResult) -> None:
    """Prints every statistic's values with their intervals, then the promise and what it rests on."""
    for answer in result.statistics:
        terminal.print_lines(console, [Text(shown(answer.sql), style="bold")])
        print_answer(console, answer)
        console.print()
    parties = plural(len(result.parties), "party", "parties")
    told = (NOISE_ONLY, words.promise_sentence(result), *words.trust_sentences(result))
    terminal.print_lines(console, [Text(f"Of {parties}: {words.roster_text(result)}."), *map(Text, told)])
