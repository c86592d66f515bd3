"""`privkit study`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.model.study import StudyResult, StudyStatus

_CUT_OFF = (
    "What was charged stays charged; what was contributed or decrypted is kept: the same command goes on from there."
)
_identity = click.option(
    "--identity", required=True, type=_options.PATH, metavar="FILE", help="Your identity (privkit identity new)."
)
_pinned = click.option(
    "--key-holder", "pinned", metavar="PUBLIC", help="The key holder's public identity, known from elsewhere."
)
_folder = click.argument("folder", type=_options.PATH)


@click.group("study", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Compute joint statistics of several parties; nobody sees another's data, and each party's budget is charged.

    A study is a FOLDER that the parties exchange by any means. In order: one key holder `new`; every party `join`, then
    `contribute`; anyone `aggregate`; the key holder `reveal`. `status` says what comes next.
    """
    bare(context)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of study files, for editors."""
    from privkit.model.study import StudySpec

    _output.print_json(json.dumps(StudySpec.model_json_schema(), indent=2))


@command.command("new")
@click.argument("study", type=_options.PATH, metavar="STUDY.yaml")
@click.option("--key-holder", required=True, type=_options.PATH, metavar="FILE", help="The key holder's identity file.")
@click.option("-o", "--output", required=True, type=_options.PATH, metavar="FOLDER", help="Folder of the study; new.")
@_options.json_option
def new(study: Path, key_holder: Path, output: Path, as_json: bool) -> None:
    """Start a session: check that the study fits, make fresh keys, write the invitation into FOLDER.

    The secret keys stay beside the key holder's identity file, and are destroyed when the sum was decrypted.
    """
    from privkit.study.steps import new_study

    with _output.running():
        status = new_study(study, key_holder, output)
    _show(status, as_json)


@command.command("join")
@_folder
@_identity
@_pinned
@_options.json_option
def join(folder: Path, identity: Path, pinned: str | None, as_json: bool) -> None:
    """Agree to the study in FOLDER: sign its invitation, publish your half of the masks' secrets.

    Read what it asks first: `privkit study status FOLDER`. Nothing is charged before `contribute`.
    """
    from privkit.study.steps import join_study

    with _output.running():
        status = join_study(folder, identity, key_holder=pinned)
    _show(status, as_json)


@command.command("contribute")
@_folder
@_identity
@click.option(
    "--dataset", required=True, type=_options.PATH, metavar="DATASET.yaml", help="Your own data's description."
)
@click.option("--analyst", metavar="NAME", help="Whose quota it is; by default the user of the operating system.")
@_pinned
@_options.json_option
def contribute(
    folder: Path, identity: Path, dataset: Path, analyst: str | None, pinned: str | None, as_json: bool
) -> None:
    """Charge your ledger, then publish your sums with noise and masks, encrypted.

    A second time the same bytes are published again and nothing is charged. Exits 3 where the budget has no room.
    """
    from privkit import Dataset
    from privkit.report import study, terminal
    from privkit.study.steps import contribute_study

    with _output.running(_CUT_OFF):
        done = contribute_study(folder, identity, Dataset.load(dataset), analyst=analyst, key_holder=pinned)
    if as_json:
        _output.print_json(json.dumps(done.model_dump(mode="json"), indent=2, ensure_ascii=False))
    terminal.print_lines(terminal.console(stderr=True), study.contributed_lines(done))


@command.command("aggregate")
@_folder
@_options.json_option
def aggregate(folder: Path, as_json: bool) -> None:
    """Add the contributions up. Anybody can: it takes no key, sees ciphertext only, and gives the same bytes."""
    from privkit.study.steps import aggregate_study

    with _output.running():
        status = aggregate_study(folder)
    _show(status, as_json)


def _output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--card", type=_options.PATH, metavar="FILE", help="Write the card as Markdown."),
        click.option("--html", type=_options.PATH, metavar="FILE", help="Write a page with pictures and the promise."),
        click.option(
            "-o",
            "--output",
            required=True,
            type=_options.PLACE,
            metavar="FILE",
            help="Write the result as JSON; `-` is standard output.",
        ),
    ):
        command = option(command)
    return command


@command.command("reveal")
@_folder
@_identity
@_output_options
@click.option("--confidence", type=float, default=0.95, show_default=True, metavar="C", help="Of the intervals.")
@click.option("--ledger", type=_options.PATH, metavar="FILE", help="A ledger of yours, to note the reveal in first.")
def reveal(folder: Path, identity: Path, confidence: float, ledger: Path | None, **options: Any) -> None:
    """Decrypt the sum, once, write what it held, and destroy the session's keys."""
    from privkit.study.steps import needed_files, reveal_study

    with _output.running(_CUT_OFF):
        places = _checked_places(options, keep=needed_files(folder, identity, ledger))
        result, holder = reveal_study(folder, identity, confidence=confidence, ledger=ledger)
        _write_result(result, places, options["output"])
        holder.arrived()
    _output.tell("The session's keys are destroyed.")


@command.command("result")
@_folder
@_output_options
@_pinned
def result(folder: Path, pinned: str | None, **options: Any) -> None:
    """Write the result that the key holder published in FOLDER, every signature and hash checked."""
    from privkit.study.steps import needed_files, study_result

    with _output.running():
        places = _checked_places(options, keep=needed_files(folder))
        _write_result(study_result(folder, key_holder=pinned), places, options["output"])


def _checked_places(options: dict[str, Any], keep: list[Path]) -> dict[str, Path]:
    from privkit.report.release_files import check_release_places

    named = {"the output": options["output"], "the page": options["html"], "the card": options["card"]}
    places = {what: Path(path) for what, path in named.items() if path is not None and path != "-"}
    check_release_places(places, force=options["force"], keep=keep)
    return places


def _write_result(result: StudyResult, places: dict[str, Path], output: str) -> None:
    from privkit.report import files, study, terminal
    from privkit.report.study_files import write_study_result

    write_study_result(result, json=places.get("the output"), html=places.get("the page"), card=places.get("the card"))
    if output == "-":
        _output.print_json(files.report_json(result))
    study.print_result(terminal.console(stderr=True), result)


@command.command("status")
@_folder
@_options.json_option
def status(folder: Path, as_json: bool) -> None:
    """Say who did what and what comes next, every signature and hash checked."""
    from privkit.study.steps import study_status

    with _output.running():
        found = study_status(folder)
    _show(found, as_json)


@command.command("verify")
@_folder
@_pinned
@_options.json_option
def verify(folder: Path, pinned: str | None, as_json: bool) -> None:
    """Check every file of FOLDER and add the contributions up again. Exits 5 where something does not hold."""
    from privkit.study.steps import verify_study

    with _output.running():
        found = verify_study(folder, key_holder=pinned)
    _show(found, as_json)
    if pinned is None:
        _output.tell("The key holder is not pinned: --key-holder PUBLIC says who it has to be.")


def _show(status: StudyStatus, as_json: bool) -> None:
    from privkit.report import study, terminal

    if as_json:
        _output.print_json(json.dumps(status.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        study.print_status(terminal.console(stderr=False), status)
