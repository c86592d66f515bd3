"""`privkit scan`."""

from __future__ import annotations

import json
from typing import Any

import click

from privkit.cli import _options, _output


@click.command("scan")
@click.argument("sources", nargs=-1, required=True, type=_options.PLACE, metavar="SOURCE...")
@_options.detecting_options
@_options.reading_options
@click.option("--fail-on-pii", is_flag=True, help="Exit 4 when personal data is found.")
@_options.json_option
@click.pass_context
def command(
    context: click.Context, /, sources: tuple[str, ...], as_json: bool, fail_on_pii: bool, **options: Any
) -> None:
    """Say what personal data stands in which column of each SOURCE, and write nothing.

    With --json and several sources, prints {"sources": [one report each]}.
    """
    from privkit import scan
    from privkit.report import terminal

    out, console = terminal.console(stderr=False), terminal.console(stderr=True)
    reports = []
    for source in sources:
        with _output.running(), terminal.TerminalObserver(console, decision=None) as observer:
            reports.append(scan(source, observer=observer, **options))
        if not as_json:
            heading, closing = terminal.scan_lines(reports[-1])
            terminal.print_lines(out, [heading])
            if terminal.is_narrow(out):
                terminal.print_lines(out, terminal.scan_list(reports[-1]))
            else:
                out.print(terminal.scan_table(reports[-1]))
            terminal.print_lines(out, [closing])
    if as_json:
        records = [report.model_dump(mode="json") for report in reports]
        _output.print_json(
            json.dumps(records[0] if len(records) == 1 else {"sources": records}, indent=2, ensure_ascii=False)
        )
    if fail_on_pii and any(report.pii_found for report in reports):
        context.exit(4)
