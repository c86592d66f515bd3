import io

import pytest
from rich.console import Console

from privkit.model.policy import Policy
from privkit.model.report import DecidedColumn
from privkit.report import terminal
from tests.report.sample import HOSTILE, report, scan_report

DECISIONS = (
    DecidedColumn(
        name="name", role="identifier", entity="PERSON", operator="pseudonym", share=0.97, evidence="values: model"
    ),
    DecidedColumn(
        name=HOSTILE,
        role="other",
        entity=None,
        operator="keep",
        share=0.0,
        evidence="7 categories",
        warnings=("2 % look like names [bold]",),
    ),
    DecidedColumn(name="ssn", role="identifier", entity="US_SSN", operator=None, share=1.0, evidence="checked"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _plain() -> Console:
    return Console(file=io.StringIO(), width=160, markup=False, highlight=False, emoji=False)


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_decision_table():
    console = _plain()
    console.print(terminal.decision_table(DECISIONS))
    lines = [" ".join(line.split()) for line in _written(console).splitlines()]
    assert lines[0] == "Column Role Entity Operator Matched Evidence"
    assert lines[2] == "name identifier PERSON pseudonym 97% values: model"
    assert lines[3].endswith("\\x1b[31m \\u202e other – keep – 7 categories")
    assert lines[4] == "! 2 % look like names [bold]"
    assert lines[5] == "ssn identifier US_SSN drop 100% checked"


def test_no_name_drives_the_terminal():
    console = _plain()
    console.print(terminal.decision_table(DECISIONS))
    console.print(terminal.scan_table(scan_report()))
    assert "\x1b" not in _written(console)
    assert "\u202e" not in _written(console)


def test_scan():
    console = _plain()
    heading, closing = terminal.scan_lines(scan_report())
    console.print(heading, terminal.scan_table(scan_report()), closing)
    text = " ".join(_written(console).split())
    assert "name identifier PERSON 11,420 PERSON 11,420" in text
    assert text.endswith("12,000 rows, 2 columns, detector patterns, 1.25 s. PII found: PERSON 11,420.")
    assert terminal.scan_lines(scan_report(pii_found=False))[1].plain.endswith("No PII found.")


def test_summary_names_output_key_and_what_was_found_again():
    text = " ".join(line.plain for line in terminal.summary_lines(report(), "out.csv"))
    assert "out.csv: 12,000 rows, 30,423 cells changed in 1 min 23 s" in text
    assert "key 3f9a01bc." in text
    assert "In 2 places one still stands" in text
    assert "no kept key." in terminal.summary_lines(report(key_id=None), "out.csv")[0].plain


def test_policies():
    console = _plain()
    console.print(terminal.policy_table([Policy(name="default", description="identifiers\n  become pseudonyms")]))
    assert "default fullest installed identifiers become pseudonyms" in " ".join(_written(console).split())


def test_no_bar_where_there_is_no_terminal():
    console = _plain()
    with terminal.TerminalObserver(console, decision=console) as observer:
        observer.decided(DECISIONS, "core")
        observer.started(1_000)
        observer.advanced(500, 700)
        observer.warned("row 7 of [x] is odd")
        observer.finished()
    text = _written(console)
    assert observer.detector == "core"
    assert "detector: core" in text
    assert "privkit: warning: row 7 of [x] is odd" in text
    assert "rows/s" not in text


def test_no_bar_where_colours_are_forced_into_a_pipe():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with terminal.TerminalObserver(console, decision=None) as observer:
        observer.started(1_000)
        observer.advanced(500, 700)
    assert _written(console) == ""


@pytest.mark.parametrize(("total", "share"), [(1_000, "70%"), (None, "")])
def test_the_bar_shows_rows_and_goes_away_however_the_run_ends(total, share):
    console = Console(file=Terminal(), force_terminal=True, width=100)

    def run() -> None:
        with terminal.TerminalObserver(console, decision=None) as observer:
            observer.started(total)
            observer.advanced(500, 700)
            assert observer._progress is not None
            observer._progress.refresh()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    text = _written(console)
    assert "500 rows" in text
    assert "rows/s" in text
    assert share in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back
