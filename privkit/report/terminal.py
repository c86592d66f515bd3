"""Reports for a terminal: tables, warnings and the progress bar. Plain text where the stream is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from privkit.model.diagnosis import Diagnosis
from privkit.model.policy import Policy
from privkit.model.progress import Observer
from privkit.model.report import DecidedColumn, Report, ScanReport
from privkit.report.wording import duration, entity_list, in_order, number, plural, residual_sentences, shown

_NARROW = 72  # characters: a terminal with fewer gets lists instead of tables
_PLAIN_WIDTH = 160  # characters, where there is no terminal to ask


def console(*, stderr: bool) -> Console:
    """A console on one of the standard streams, as they are now; what is printed there is never read as markup."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = _PLAIN_WIDTH
    return made


def decision_table(rows: Sequence[DecidedColumn]) -> Table:
    """The decision: one line a column, its warnings below it."""
    table = plain_table("Column", "Role", "Entity", "Operator", "Matched", "Evidence", right=("Matched",))
    for row in rows:
        table.add_row(
            Text(shown(row.name), style="bold"),
            Text(row.role.replace("_", " "), style=_ROLE_STYLES[row.role]),
            Text(shown(row.entity or "–")),
            Text(shown(row.operator or "drop")),
            Text(f"{row.share:.0%}" if row.role != "other" else "–"),
            Text(shown(row.evidence)),
        )
        for warning in row.warnings:
            table.add_row("", "", "", "", "", Text(f"! {shown(warning)}", style="yellow"))
    return table


def decision_list(rows: Sequence[DecidedColumn]) -> Iterator[Text]:
    """The same for a console that is too narrow for a table."""
    for row in rows:
        yield Text.assemble(
            (shown(row.name), "bold"),
            ": ",
            (row.role.replace("_", " "), _ROLE_STYLES[row.role]),
            f" {shown(row.entity)}" if row.entity else "",
            f", {shown(row.operator or 'drop')}",
            f" ({row.share:.0%})" if row.role != "other" else "",
        )
        for warning in row.warnings:
            yield Text(f"  ! {shown(warning)}", style="yellow")


def scan_list(report: ScanReport) -> Iterator[Text]:
    """What a scan found, for a console that is too narrow for a table."""
    for name, column in report.columns.items():
        yield Text.assemble(
            (shown(name), "bold"),
            ": ",
            (column.role.replace("_", " "), _ROLE_STYLES[column.role]),
            f", {entity_list(column.entities) or 'nothing'}",
        )


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Prints lines: broken between words on a terminal, whole where another program reads them."""
    for line in lines:
        console.print(line, soft_wrap=not console.is_terminal)


def is_narrow(console: Console) -> bool:
    """Whether tables would have columns of a few letters each."""
    return console.width < _NARROW


def scan_table(report: ScanReport) -> Table:
    """What a scan found, one line a column."""
    table = plain_table("Column", "Role", "Entity", "Cells with PII", "Found", right=("Cells with PII",))
    for name, column in report.columns.items():
        table.add_row(
            Text(shown(name), style="bold"),
            Text(column.role.replace("_", " "), style=_ROLE_STYLES[column.role]),
            Text(shown(column.entity or "–")),
            Text(number(column.cells)),
            Text(entity_list(column.entities) or "–"),
        )
    return table


def scan_lines(report: ScanReport) -> Sequence[Text]:
    """The heading and the closing line of a scan."""
    totals: dict[str, int] = {}
    for column in report.columns.values():
        for entity, count in column.entities.items():
            totals[entity] = totals.get(entity, 0) + count
    found = f"PII found: {entity_list(dict(in_order(totals)), 100)}." if report.pii_found else "No PII found."
    return (
        Text(shown(report.source), style="bold"),
        Text(
            f"{plural(report.rows, 'row')}, {plural(len(report.columns), 'column')}, detector {report.detector}, "
            f"{duration(report.seconds)}. {found}"
        ),
    )


def summary_lines(report: Report, output: str) -> Sequence[Text]:
    """What a run of `deidentify` did: where the output is, how much was changed, what the second look found."""
    where = "standard output" if output == "-" else shown(output)
    changed = sum(column.cells_changed for column in report.columns.values())
    bad = report.residual.cells_with_findings or report.residual.input_identifiers_found
    return (
        Text(
            f"{where}: {plural(report.rows, 'row')}, {plural(changed, 'cell')} changed in "
            f"{duration(report.seconds)}, detector {report.detector}, policy {shown(report.policy.name)}, "
            + (f"key {report.key_id}." if report.key_id else "no kept key."),
            style="bold",
        ),
        *(
            Text(sentence, style="yellow" if bad else "")
            for sentence in residual_sentences(report.residual, report.rows)
        ),
    )


def policy_table(policies: Sequence[Policy]) -> Table:
    """Names and descriptions."""
    table = plain_table("Policy", "Detector", "What it does")
    for policy in policies:
        table.add_row(
            Text(shown(policy.name), style="bold"),
            Text(policy.detector or "fullest installed"),
            Text(shown(" ".join(policy.description.split()))),
        )
    return table


def diagnosis_parts(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    """The state of an installation: detectors, models, extras, packages; problems last."""
    yield Text(
        f"privkit {diagnosis.privkit or '(not installed)'}, Python {diagnosis.python}, {diagnosis.platform}, "
        f"{plural(diagnosis.cpus, 'CPU')}, hyperscan {'works' if diagnosis.hyperscan else 'does not work: slower'}"
    )
    detectors = plain_table("Detector", "State", "Get it with")
    for detector in diagnosis.detectors:
        default = " (default)" if detector.name == diagnosis.default_detector else ""
        detectors.add_row(Text(detector.name, style="bold"), _state(detector.state, default), detector.command or "")
    yield from ("", detectors)
    models = plain_table("Model", "Version", "State", "SHA-256 of its weights")
    for model in diagnosis.models:
        models.add_row(
            Text(model.name, style="bold"),
            model.version or "–",
            _state(model.state),
            model.sha256 or model.command or "",
        )
    yield from ("", models)
    extras = plain_table("Extra", "State", "Get it with")
    for extra in diagnosis.extras:
        extras.add_row(
            Text(extra.name, style="bold"), _state("ok" if extra.installed else "missing"), extra.command or ""
        )
    yield from ("", extras)
    packages = plain_table("Package", "Version", "Wanted", "State", "Get it with")
    for package in diagnosis.packages:
        packages.add_row(
            Text(package.name, style="bold"),
            package.version or "–",
            package.wanted or "any",
            _state(package.state),
            package.command or "",
        )
    yield from ("", packages, "")
    for problem in diagnosis.problems:
        yield Text(f"problem: {shown(problem.what)}", style="red")
        if problem.command:
            yield Text(f"    {shown(problem.command)}")
    if not diagnosis.problems:
        yield Text("No problems found.", style="green")


def _state(state: str, note: str = "") -> Text:
    return Text(state + note, style={"ok": "green", "missing": "yellow"}.get(state, "red"))


class TerminalObserver(Observer, AbstractContextManager["TerminalObserver"]):
    """Shows a run: the decision, warnings, and a progress bar if the console is a terminal.

    As a context manager it takes the bar away however the run ends.

    Args:
        console: Where warnings and the bar go: standard error.
        decision: Where the decision's table goes; None: nowhere.
    """

    def __init__(self, console: Console, *, decision: Console | None) -> None:
        self.detector = ""
        """The detector that the run decided with; empty before that."""
        self._console = console
        self._decision = decision
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def decided(self, decisions: Sequence[DecidedColumn], detector: str) -> None:
        """Shows the table, if it is wanted."""
        self.detector = detector
        if self._decision is not None:
            if is_narrow(self._decision):
                print_lines(self._decision, decision_list(decisions))
            else:
                self._decision.print(decision_table(decisions))
            self._decision.print(Text(f"detector: {detector}", style="dim"))

    def started(self, total_bytes: int | None) -> None:
        """Starts the bar, if there is a terminal."""
        self._stop()
        if not self._console.file.isatty():  # is_terminal would believe FORCE_COLOR
            return
        self._progress = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%" if total_bytes else ""),
            _Rows(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            transient=True,
            refresh_per_second=4,
        )
        self._progress.add_task("", total=total_bytes or None, rows=0)
        self._progress.start()

    def advanced(self, rows: int, consumed_bytes: int) -> None:
        """Moves the bar to what is done since the start."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=consumed_bytes, rows=rows)

    def warned(self, message: str) -> None:
        """Prints the warning above the bar."""
        print_lines(self._console, [Text(f"privkit: warning: {shown(message)}", style="yellow")])

    def finished(self) -> None:
        """Takes the bar away."""
        self._stop()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class _Rows(ProgressColumn):
    """Rows done, and rows per second since the start."""

    def render(self, task: Task) -> Text:
        rows = task.fields["rows"]
        rate = rows / task.elapsed if task.elapsed else 0.0
        return Text(f"{plural(rows, 'row')}, {number(round(rate))} rows/s", style="cyan")


_ROLE_STYLES = {"identifier": "red", "free_text": "magenta", "quasi": "yellow", "other": "dim"}


def plain_table(*headings: str, right: Sequence[str] = ()) -> Table:
    """An empty table with a line under its headings; those in `right` are aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(Text(heading), justify="right" if heading in right else "left", overflow="fold")
    return table
