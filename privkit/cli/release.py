"""`privkit release`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.cli._amounts import AMOUNT
from privkit.errors import BudgetRefusedError, PrivkitError, UsageError

if TYPE_CHECKING:
    from privkit import Dataset, Released, Session
    from privkit.model.dataset import DatasetSpec
    from privkit.model.release import Loss, Preview

_STORED = "The answer is paid for and stored: the same command, with another place, gives it again for free."
_INTERRUPTED = (
    "What was charged stays charged, `privkit budget history` says; a stored answer comes again for free with the same "
    "command."
)
_ASKED = ("epsilon", "rho", "accuracy", "confidence", "threshold_delta", "assume_units")


@click.command("release")
@click.argument("dataset", type=_options.PATH, metavar="DATASET.yaml")
@click.argument("sql")
@click.option("--epsilon", type=AMOUNT, metavar="E", help="ε of this release alone, at the budget's δ.")
@click.option("--rho", type=AMOUNT, metavar="R", help="ρ of this release, where the budget is zcdp.")
@click.option("--accuracy", type=float, metavar="A", help="Half-width that every interval shall have at the most.")
@click.option(
    "--confidence", type=float, default=0.95, show_default=True, metavar="C", help="Of the intervals, each by itself."
)
@click.option("--analyst", metavar="NAME", help="Whose quota it is; by default the user of the operating system.")
@click.option(
    "--threshold-delta", type=AMOUNT, metavar="D", help="δ for private categories; by default a tenth of what is set."
)
@click.option(
    "--assume-units", type=click.IntRange(min=1), metavar="N", help="Units in a group, where a half-width needs it."
)
@click.option("--spill", type=_options.PLACE, metavar="FOLDER", help="Where data waits that does not fit into memory.")
@click.option("--memory", metavar="SIZE", help="How much the engine in this process may take: 4GB, 512MiB.")
@click.option("--fresh", is_flag=True, help="Draw again and pay, although an equal answer is stored.")
@click.option("--dry-run", is_flag=True, help="Show mechanism, cost and half-widths; spend nothing, read no data.")
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@click.option(
    "-o",
    "--output",
    type=_options.PLACE,
    metavar="FILE",
    help="Write the whole release as JSON; `-` is standard output.",
)
@click.option("--csv", type=_options.PATH, metavar="FILE", help="Write the values as CSV, one line a group.")
@click.option("--html", type=_options.PATH, metavar="FILE", help="Write a page with pictures and what is promised.")
@click.option("--card", type=_options.PATH, metavar="FILE", help="Write a card beside it: .json, .html and .md.")
@click.option("--sign", type=_options.PATH, metavar="IDENTITY", help="Identity file that signs the card.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@_options.json_option
@click.pass_context
def command(context: click.Context, /, dataset: Path, sql: str, as_json: bool, **options: Any) -> None:
    """Answer SQL about a dataset with noise, charged to its budget before the answer exists.

    SQL is `SELECT region, COUNT(*) AS n, AVG(age) FROM patients WHERE age >= 18 GROUP BY region` and the like. Exactly
    one of --epsilon, --rho and --accuracy says what it may cost. An equal query that was paid for is answered from the
    ledger, for free. Exits 3 where the budget, or the analyst's quota, has no room.
    """
    places = _refuse_contradictions(as_json, options)
    from privkit import Dataset, Session
    from privkit.report.release_files import check_release_places, needed_files

    with _output.running(_INTERRUPTED):
        described = Dataset.load(dataset)
        needed = needed_files(dataset, described.spec, described.ledger_path)
        check_release_places(places, force=options["force"], keep=needed)
        _check_card(options)
        with Session(described, options["analyst"], spill=options["spill"], memory=options["memory"]) as session:
            if not _wanted(session, sql, as_json, options):
                context.exit(0 if options["dry_run"] else 1)
            _tell_of_spark(described.spec, session, sql, options)
            released = session.sql(sql, fresh=options["fresh"], **_asked(options))
            with _said_that_it_is_stored():
                _write(released, places)
                _write_card(described, released, list(places.values()), options)
                _show(released, session.remaining, as_json, options["output"])


def _refuse_contradictions(as_json: bool, options: dict[str, Any]) -> dict[str, Path]:
    """Whatever can be refused without the dataset; and the files to write, by what they are called in messages."""
    if sum(options[name] is not None for name in ("epsilon", "rho", "accuracy")) != 1:
        raise UsageError(
            "exactly one of --epsilon, --rho and --accuracy is wanted",
            hint="--epsilon 0.1 says what the answer may cost, --accuracy 50 how wide its intervals may be.",
        )
    _output.no_json_beside_data(as_json, options["output"])
    named = {"the output": options["output"], "the CSV": options["csv"], "the page": options["html"]}
    places = {what: Path(path) for what, path in named.items() if path is not None and path != "-"}
    if options["dry_run"] and (places or options["card"] or options["output"] == "-"):
        raise UsageError("--dry-run writes no file", hint="--json prints what it would do as JSON.")
    if not (options["dry_run"] or options["yes"] or _output.on_a_terminal()):
        raise UsageError(
            "a release spends budget for ever, and there is no terminal to ask on: --yes is needed",
            hint="--dry-run shows what it would cost and spends nothing.",
        )
    return places


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in _ASKED}


def _wanted(session: Session, sql: str, as_json: bool, options: dict[str, Any]) -> bool:
    """Whether to spend: not in a dry run, with --yes, or when whoever sits there says so after seeing the preview."""
    if options["yes"] and not options["dry_run"]:
        return True
    preview = session.preview(sql, **_asked(options))
    if options["fresh"]:
        preview = preview.model_copy(update={"stored": False})
    if options["dry_run"]:
        _show_preview(preview, as_json)
        if not (preview.fits or preview.stored):
            raise _refusal(preview)
        return False
    return _agreed(preview)


def _agreed(preview: Preview) -> bool:
    """What is stored is free, and what does not fit will be refused: neither is worth a question."""
    if preview.stored or not preview.fits:
        return True
    from privkit.report import release, terminal

    release.print_preview(terminal.console(stderr=True), preview)
    try:
        if click.confirm("Spend it?", default=False, err=True):
            return True
    except click.Abort as err:
        if not isinstance(err.__context__, EOFError):  # Ctrl-C, or SIGTERM
            raise
        _output.tell("")  # the end of input is a no; the question's line is still open
    _output.tell("Nothing was spent.")
    return False


def _tell_of_spark(spec: DatasetSpec, session: Session, sql: str, options: dict[str, Any]) -> None:
    """It takes some seconds to start, and longer over many rows."""
    wanted = spec.engine == "spark" or (spec.source or "").startswith("pyspark://")
    if wanted and (options["fresh"] or not session.preview(sql, **_asked(options)).stored):
        where = spec.master or "this machine"
        _output.tell(f"Starting Spark on {where}; it computes the aggregates, and only they come back.")


def _show_preview(preview: Preview, as_json: bool) -> None:
    from privkit.report import files, release, terminal

    if as_json:
        _output.print_json(files.report_json(preview))
    else:
        release.print_preview(terminal.console(stderr=False), preview)


def _refusal(preview: Preview) -> BudgetRefusedError:
    from privkit.report.release_wording import amount_text, loss_text

    cost, left = preview.cost, preview.remaining
    taken = f" and δ {amount_text(preview.threshold_delta)} of threshold_delta" if preview.threshold_delta else ""
    return BudgetRefusedError(
        f"it would not fit: it costs {loss_text(cost)}{taken}, and {loss_text(left, up=False)} is left",
        requested=cost.epsilon if cost.rho is None else cost.rho,
        remaining=left.epsilon if left.rho is None else left.rho,
        hint="Ask for less; `privkit budget show` says what is left to whom.",
    )


def _write(released: Released, places: dict[str, Path]) -> None:
    from privkit.report.release_files import write_release

    write_release(
        released.release,
        stored=released.stored,
        json=places.get("the output"),
        csv=places.get("the CSV"),
        html=places.get("the page"),
    )


def _check_card(options: dict[str, Any]) -> None:
    if options["sign"] is not None and options["card"] is None:
        raise UsageError("--sign signs a card", hint="Give --card FILE as well.")
    if options["card"] is None:
        return
    from privkit import Identity
    from privkit.cards import check_card_place

    check_card_place(options["card"], force=options["force"])
    if options["sign"] is not None:
        Identity.load(options["sign"])


def _write_card(dataset: Dataset, released: Released, files: list[Path], options: dict[str, Any]) -> None:
    if options["card"] is not None:
        from privkit.cards import card_of_release, write_card

        card = card_of_release(dataset, released, options["card"], files=files, identity=options["sign"])
        write_card(card, options["card"])


def _show(released: Released, remaining: Loss, as_json: bool, output: str | None) -> None:
    """The values, or the JSON alone where standard output is for another program; then what it cost."""
    from privkit.report import files, release, terminal

    if not as_json and output != "-":
        release.print_release(
            terminal.console(stderr=False), released.release, stored=released.stored, remaining=remaining
        )
    else:
        _output.print_json(_json(released, remaining) if as_json else files.report_json(released.release))
        lines = release.spent_lines(released.release, stored=released.stored, remaining=remaining)
        terminal.print_lines(terminal.console(stderr=True), lines)
    if sys.stdout is not None:  # it was closed before privkit began
        sys.stdout.flush()


def _json(released: Released, remaining: Loss) -> str:
    record = {"stored": released.stored, "remaining": remaining.model_dump(mode="json")}
    return json.dumps(record | released.release.model_dump(mode="json"), indent=2, ensure_ascii=False)


@contextmanager
def _said_that_it_is_stored() -> Iterator[None]:
    """From here on nothing can be lost: whatever fails, the answer waits in the ledger."""
    try:
        yield
    except PrivkitError as err:
        err.hint = f"{err.hint} {_STORED}" if err.hint else _STORED
        raise
    except OSError as err:
        err.add_note(_STORED)
        raise
