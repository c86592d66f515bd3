"""The door to de-identification: `deidentify`, `deidentify_text`, `scan`, `reidentify`.

The way through: open the source → look at a sample → decide about each column → stream every block through workers
into a journaled output → publish it whole → report. The command line and Python take the same way.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from privkit import __version__
from privkit.deid.counts import Counts
from privkit.deid.explaining import check_rows, explained_rows, reasons
from privkit.deid.findings import Finding
from privkit.deid.plan import Known, Plan, known_files, make_plan, needles, output_schema, restored_schema, unwatched
from privkit.deid.policies import policy_names
from privkit.deid.policies.choice import chosen_policy
from privkit.deid.spark import SparkRun, check_target, opened_on_spark, target_on_spark
from privkit.deid.work import DEIDENTIFYING, RESTORING, SCANNING, Before, Job
from privkit.engines.local import processors
from privkit.engines.spark import is_address, is_spark_frame
from privkit.engines.stream import Note, answers, into_memory, into_run
from privkit.errors import KeyFileError, OutputError, UsageError
from privkit.io.frames import RecordFrame
from privkit.io.memory import frame_from_blocks, open_frame, open_records, records_from_blocks
from privkit.io.outputs import Target, is_partitioned, kind_of, part_names, split_name, target_for
from privkit.io.run import Run, check_output
from privkit.io.sources import Source, open_source
from privkit.io.staged import Staged, check_place
from privkit.keys.keyfile import Key
from privkit.model.canonical import sha256_of
from privkit.model.explanation import ExplainedRows, Explanation
from privkit.model.operators import Drop, Operator
from privkit.model.policy import DetectorName, Policy, Recall
from privkit.model.presidio import PresidioConfiguration
from privkit.model.progress import Observer, SilentObserver
from privkit.model.report import ColumnReport, DecidedColumn, PolicyInfo, Report, Residual, ScannedColumn, ScanReport
from privkit.model.yamlfile import write_yaml
from privkit.report.explanation import check_explanation_path, stage_explanation
from privkit.report.files import check_report_path, report_text
from privkit.report.wording import sent_away, unread_sentence

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame as SparkFrame

    from privkit.deid.transform import Transformer

_BYTES_FOR_A_WORKER = 1 << 20
_NAMES_SHOWN = 10
_MOST_WORKERS = 512

Engine = Literal["local", "spark"]


@dataclass(frozen=True)
class Deidentified:
    """What `deidentify` gives back.

    Attributes:
        frame: The de-identified DataFrame, when the source was one, pandas' or Spark's. Spark's is held on the workers'
            disks until `frame.unpersist()`, so that the report is about these very rows.
        records: The de-identified records, when the source was a list of records.
        report: Counts of what was done; None on a dry run.
        decisions: One row for each column: role, entity, operator, share of cells matched.
        policy: The resolved policy: with a rule for each column, to be saved and used again.
    """

    frame: Any
    records: list[dict[str, Any]] | None
    report: Report | None
    decisions: tuple[DecidedColumn, ...]
    policy: Policy

    def _repr_html_(self) -> str:
        from privkit.report.html import decisions_html, report_fragment

        return decisions_html(self.decisions) if self.report is None else report_fragment(self.report)


@dataclass(frozen=True)
class DeidentifiedText:
    """A text without its people, and what was found: entity types and offsets into the text that was given."""

    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Reidentified:
    """What `reidentify` gives back: how many tokens were opened, and the frame or records if these were given."""

    tokens: int
    foreign_tokens: int
    rows: int
    frame: pd.DataFrame | None = None
    records: list[dict[str, Any]] | None = None


def deidentify(
    source: str | Path | pd.DataFrame | SparkFrame | Sequence[Mapping[str, Any]],
    output: str | Path | None = None,
    *,
    policy: str | Path | Policy = "default",
    key: str | Path | Key | None = None,
    columns: Mapping[str, Operator | str] | None = None,
    entities: Mapping[str, Operator] | None = None,
    drop: Collection[str] = (),
    keep: Collection[str] = (),
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
    known: Sequence[Known] = (),
    engine: Engine = "local",
    master: str | None = None,
    workers: int | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    max_expansion: float = 200.0,
    accept_free_text: bool | None = None,
    dry_run: bool = False,
    resume: bool = False,
    force: bool = False,
    save_policy: str | Path | None = None,
    report: str | Path | None = None,
    explain: str | Path | None = None,
    explain_rows: Collection[int] = (),
    observer: Observer | None = None,
    before: Before | None = None,
    publishing: Callable[[Report], None] | None = None,
) -> Deidentified:
    """De-identifies a file, a folder of files, a DataFrame or a list of records.

    Args:
        source: A path, a folder, a glob, `-` (standard input), a DataFrame (of pandas or Spark), or a list of mappings.
        output: Where the result goes: a path (a folder for a partitioned source), or `-` for standard output. Not
            for DataFrames and records, whose result is returned.
        policy: A built-in policy's name, a YAML file, or a `Policy`.
        key: A key file or `Key`; without one a key is made for this run and forgotten.
        columns: Operators for whole columns, by name; the text "free_text" for one that is to be searched inside.
        entities: Operators by entity type, in columns and in texts.
        drop: Columns to leave out.
        keep: Columns to keep as they are.
        detector: `patterns`, `core` or `full` (or `spacy`); the policy's, else the fullest installed.
        recall: `high`, `balanced` or `precise`; the policy's by default.
        language: Of the texts, ISO 639-1; the policy's, else English.
        country: Whose national numbers are read, ISO 3166-1 alpha-2; the policy's, else the language decides.
        presidio: More recognizers and a model, in Presidio's own form: a YAML file or a `PresidioConfiguration`; the
            policy's by default.
        known: Names from other files to look for in each row's texts.
        engine: `local`, or `spark`: Parquet, CSV and TSV files go through Spark's workers into a folder. A Spark
            DataFrame goes through its own session whatever stands here.
        master: Where Spark runs, such as "local[4,3]" or "spark://host:7077"; the session that is active in this
            process, else this machine, if None.
        workers: Processes; as many as there are processors, fewer for small inputs, if None. Not for Spark.
        format: The source's format where its name does not say.
        encoding: Of text sources.
        max_expansion: How many times its size a compressed source may grow.
        accept_free_text: Overrides the policy: False drops free-text columns.
        dry_run: Decide only; nothing is written but `save_policy`.
        resume: Go on with a run that was interrupted (needs a kept key).
        force: Replace an existing output.
        save_policy: Where to write the resolved policy, as YAML.
        report: Where to write the report: .json or .html.
        explain: Where to write why some rows come out as they do: JSON if the name ends in .json, else HTML. The file
            holds their texts; nobody but its owner can open it. The source is read a second time for it.
        explain_rows: Which rows, 1-based, counted through all files of the source; the first ten if none are named,
            500 at most.
        observer: Hears of the decision and the progress.
        before: What workers do to each block first: a pipeline's local mechanisms.
        publishing: Called with the report when all is done, just before the output gets its name; what it raises
            leaves no output.

    Raises:
        PrivkitError: See `privkit.errors`; no output is left then.
        UsageError: Options that cannot go together.
    """
    started = time.monotonic()
    observer = observer or SilentObserver()
    in_memory = not isinstance(source, (str, Path))
    on_spark = engine == "spark" or is_spark_frame(source)
    _check_engine(
        source,
        engine,
        master,
        spark_cannot={
            "--resume": resume,
            "--explain": explain is not None,
            "--workers": workers is not None,
            "a pipeline's local mechanisms": before is not None,
        }
        if on_spark
        else {},
    )
    if in_memory and output is not None:
        raise UsageError("a DataFrame or list of records is returned, not written: leave output out")
    if not in_memory and output is None and not dry_run:
        raise UsageError("an output is needed")
    kept = _key(key)
    if resume and not kept.kept:
        raise UsageError(
            "--resume needs --key: the key of the interrupted run was not kept",
            hint="Start anew without --resume, or give a key file next time (`privkit key new`).",
        )
    if dry_run and report is not None:
        raise UsageError("a dry run has nothing to report", hint="--save-policy writes its decision down.")
    chosen = chosen_policy(
        policy,
        entities=entities,
        accept_free_text=accept_free_text,
        detector=detector,
        recall=recall,
        language=language,
        country=country,
        presidio=presidio,
    )
    if explain_rows and explain is None:
        raise UsageError("--explain-rows chooses rows for --explain", hint="Add --explain FILE.")
    check_rows(explain_rows)
    with (
        opened_on_spark(source, format, encoding, max_expansion, master)
        if on_spark
        else contextlib.nullcontext(_opened(source, format, encoding, max_expansion)) as opened
    ):
        if on_spark and output is not None:
            check_target(str(output), opened)
        if explain is not None and not in_memory and not opened.resumable:
            raise UsageError(
                "--explain reads the source a second time, and a pipe can be read only once",
                hint="Save it to a file first.",
            )
        if resume and (output is None or str(output) == "-" or not opened.resumable):
            raise UsageError(
                "--resume needs a source and an output that are files", hint="Start anew without --resume."
            )
        _check_places(
            opened,
            None if dry_run or is_address(output) else output,
            read={
                "key": key,
                "policy": _policy_file(policy),
                "Presidio configuration": presidio,
                **{f"--known {one.path}": one.path for one in known},
            },
            save_policy=save_policy,
            report=report,
            explain=explain,
            force=force,
            resume=resume,
        )
        plan = make_plan(opened, chosen, columns or {}, drop, keep)
        observer.decided(plan.decisions, plan.detector.name)
        warnings = [*sent_away(plan.detector.remote), *_skipped_files(opened), *_absent_columns(chosen, plan)]
        warnings += [f"{row.name}: {warning}" for row in plan.decisions for warning in row.warnings]
        if plan.policy.kept_key and not kept.kept:
            warnings.append(
                f"policy {plan.policy.name} promises reversibility and no key was given: the tokens cannot be reversed"
            )
        for warning in warnings:
            observer.warned(warning)
        saved = write_yaml(plan.policy.model_copy(update={"name": Path(save_policy).stem})) if save_policy else ""
        job = Job(
            policy=plan.policy,
            secret=base64.b64encode(kept.secret()).decode(),
            kept=kept.kept,
            known=known_files(known, encoding, max_expansion),
            needles=needles(plan, kept),
            before=before,
        )
        target, schema = Target("memory"), None
        if on_spark:
            schema = output_schema(opened, plan, job, table=True)
        if not in_memory and not dry_run:
            schema = schema or output_schema(opened, plan, job, table=_writes_table(str(output)))
            target = (target_on_spark if on_spark else target_for)(str(output), opened, schema)
        job = job.model_copy(update={"target": target.to_json()})
        explained: ExplainedRows | None = None
        if explain is not None:
            why = reasons(chosen, plan, columns or {}, drop, keep)
            explained = explained_rows(opened, plan, job, explain_rows, why)

        def stage(staged: Staged) -> None:
            """What the run writes beside its output and its report."""
            if save_policy is not None:
                staged.add(Path(save_policy), saved)
            if explain is not None and explained is not None:
                stage_explanation(staged, Path(explain), explained)

        if dry_run:
            with Staged() as staged:
                stage(staged)
                staged.publish()
            return Deidentified(None, None, None, plan.decisions, plan.policy)

        def reported(counts: Counts) -> Report:
            found = [*_unmatched(entities or {}, plan, counts), *_unread(plan, counts)]
            for warning in found:
                observer.warned(warning)
            seconds = time.monotonic() - started
            return _report(opened, plan, counts, kept if kept.kept else None, seconds, [*warnings, *found])

        results: list[Report] = []
        with Staged() as staged:

            def prepare(counts: Counts) -> None:
                """What goes beside the output is on the disk before the output gets its name."""
                results.append(reported(counts))
                stage(staged)
                if report is not None:
                    staged.add(Path(report), report_text(results[0], Path(report)))
                if publishing is not None:
                    publishing(results[0])

            if on_spark:
                assert schema is not None
                work = SparkRun(
                    opened,
                    job,
                    target.schema or schema,
                    sample=plan.sample,
                    encoding=encoding,
                    max_expansion=max_expansion,
                    master=master,
                    observer=observer,
                )
                made = None
                if in_memory:
                    made = work.into_frame(prepare)
                else:
                    work.into_folder(str(output), target, force=force, accept=prepare)
                staged.publish()
                return Deidentified(made, None, results[0], plan.decisions, plan.policy)
            _, memory = _stream(
                opened,
                job,
                DEIDENTIFYING,
                target,
                destination=None if in_memory else str(output),
                workers=_workers(workers, opened),
                observer=observer,
                force=force,
                resume=resume,
                resumable=kept.kept,
                manifest=_manifest(opened, plan, kept, encoding, before) if kept.kept and not in_memory else {},
                accept=prepare,
            )
            staged.publish()
        result = results[0]
        dropped = {name for name, rule in plan.policy.columns.items() if isinstance(rule.operator, Drop)}
        frame, records = _from_memory(source, memory, dropped)
        return Deidentified(frame, records, result, plan.decisions, plan.policy)


def deidentify_text(
    text: str,
    *,
    policy: str | Path | Policy = "default",
    key: str | Path | Key | None = None,
    entities: Mapping[str, Operator] | None = None,
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
) -> DeidentifiedText:
    """De-identifies one text.

    Args:
        text: Any text.
        policy: A built-in policy's name, a YAML file, or a `Policy`.
        key: A key file or `Key`; without one a key is made and forgotten.
        entities: Operators by entity type.
        detector: `patterns`, `core` or `full` (or `spacy`); the policy's, else the fullest installed.
        recall: `high`, `balanced` or `precise`; the policy's by default.
        language: Of the texts, ISO 639-1; the policy's, else English.
        country: Whose national numbers are read, ISO 3166-1 alpha-2; the policy's, else the language decides.
        presidio: More recognizers and a model, in Presidio's own form: a YAML file or a `PresidioConfiguration`; the
            policy's by default.

    Raises:
        PrivkitError: See `privkit.errors`.
    """
    chosen = chosen_policy(
        policy,
        entities=entities,
        detector=detector,
        recall=recall,
        language=language,
        country=country,
        presidio=presidio,
    )
    rewritten, spans = _transformer(chosen, key).rewrite_text(text)
    return DeidentifiedText(rewritten, tuple(spans))


def explain_text(
    text: str,
    *,
    policy: str | Path | Policy = "default",
    key: str | Path | Key | None = None,
    entities: Mapping[str, Operator] | None = None,
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
) -> Explanation:
    """Why `deidentify_text` writes a text as it does: each finding with its score, and what became of it.

    The result holds the text; its `repr` does not show it.

    Args:
        text: Any text.
        policy: See `deidentify_text`.
        key: See there.
        entities: See there.
        detector: See there.
        recall: See there.
        language: See there.
        country: See there.
        presidio: See there.

    Raises:
        PrivkitError: See `privkit.errors`.
    """
    chosen = chosen_policy(
        policy,
        entities=entities,
        detector=detector,
        recall=recall,
        language=language,
        country=country,
        presidio=presidio,
    )
    return _transformer(chosen, key).explain_text(text)


def scan(
    source: str | Path | pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    policy: str | Path | Policy = "default",
    detector: DetectorName | None = None,
    recall: Recall | None = None,
    language: str | None = None,
    country: Collection[str] = (),
    presidio: str | Path | PresidioConfiguration | None = None,
    workers: int | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    max_expansion: float = 200.0,
    observer: Observer | None = None,
) -> ScanReport:
    """Decides and counts as `deidentify` would, and writes nothing.

    `pii_found` is true when an identifier column holds anything, or a text holds a finding; quasi-identifiers alone
    (ages, postcodes) do not make it true.

    Raises:
        PrivkitError: See `privkit.errors`.
    """
    started = time.monotonic()
    observer = observer or SilentObserver()
    # A scan only looks: what a policy would refuse or drop is counted like everything else.
    chosen = chosen_policy(
        policy,
        accept_free_text=True,
        detector=detector,
        recall=recall,
        language=language,
        country=country,
        presidio=presidio,
    ).model_copy(update={"unknown": "keep"})
    opened = _opened(source, format, encoding, max_expansion)
    plan = make_plan(opened, chosen, {}, (), ())
    plan = Plan(unwatched(plan.policy), plan.decisions, plan.sample, plan.detector)
    observer.decided(plan.decisions, plan.detector.name)
    warnings = sent_away(plan.detector.remote)
    for warning in warnings:
        observer.warned(warning)
    job = Job(policy=plan.policy, secret=base64.b64encode(Key.ephemeral().secret()).decode(), kept=False)
    counts = Counts()
    observer.started(opened.total)
    for answer in answers(
        opened,
        SCANNING,
        job.to_bytes(),
        workers=_workers(workers, opened),
        progress=observer.advanced,
        warned=observer.warned,
    ):
        counts.add(Counts.from_note(answer.note))
    observer.finished()
    scanned = {}
    for row in plan.decisions:
        column = counts.column(row.name)
        scanned[row.name] = ScannedColumn(
            role=row.role,
            entity=row.entity,
            cells=column.cells,
            entities=dict(sorted(column.entities.items())),
            cells_unread=column.unread,
        )
    unread = _unread(plan, counts)
    for warning in unread:
        observer.warned(warning)
    return ScanReport(
        source=_as_text(opened.description),
        rows=counts.rows,
        columns=scanned,
        detector=plan.detector.name,
        models=list(plan.detector.models),
        policy=PolicyInfo(name=plan.policy.name, sha256=sha256_of(plan.policy)),
        pii_found=any(column.role in ("identifier", "free_text") and column.cells for column in scanned.values()),
        seconds=round(time.monotonic() - started, 3),
        warnings=[*warnings, *unread],
        remote=list(plan.detector.remote),
    )


def reidentify(
    source: str | Path | pd.DataFrame | Sequence[Mapping[str, Any]],
    output: str | Path | None = None,
    *,
    key: str | Path | Key,
    workers: int | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    max_expansion: float = 200.0,
    force: bool = False,
    observer: Observer | None = None,
) -> Reidentified:
    """Restores every pseudonym that `key` made, in cells and inside texts.

    Tokens of other keys are left and counted; a source that holds only such is refused: the key is the wrong one.

    Raises:
        KeyFileError: The key is the wrong one, or a token was altered.
        PrivkitError: See `privkit.errors`; no output is left then.
    """
    observer = observer or SilentObserver()
    kept = _key(key)
    in_memory = not isinstance(source, (str, Path))
    if not in_memory and output is None:
        raise UsageError("an output is needed")
    opened = _opened(source, format, encoding, max_expansion)
    _check_places(opened, output, read={"key": key}, force=force)
    schema = restored_schema(opened)
    if not in_memory and schema is None and _writes_table(str(output)):
        raise UsageError(f"{output}: records are restored to .jsonl")
    target = Target("memory") if in_memory else target_for(str(output), opened, schema)
    job = Job(
        policy=Policy(),
        secret=base64.b64encode(kept.secret()).decode(),
        kept=True,
        target=target.to_json(),
    )

    counts, memory = _stream(
        opened,
        job,
        RESTORING,
        target,
        destination=None if in_memory else str(output),
        workers=_workers(workers, opened),
        observer=observer,
        force=force,
        accept=lambda counts: _check_right_key(counts, kept),
    )
    frame, records = _from_memory(source, memory, set())
    return Reidentified(counts.tokens, counts.foreign_tokens, counts.rows, frame, records)


def _transformer(policy: Policy, key: str | Path | Key | None) -> Transformer:
    """A policy made ready for single texts."""
    kept = _key(key)
    return Job(policy=policy, secret=base64.b64encode(kept.secret()).decode(), kept=kept.kept).transformer()


def _check_engine(source: object, engine: str, master: str | None, *, spark_cannot: Mapping[str, bool]) -> None:
    """Refuses an engine that is not there, and what the one that was chosen cannot do."""
    if engine not in ("local", "spark"):
        raise UsageError(f"there is no engine {engine!r}", hint="The engines are: local, spark.")
    if is_spark_frame(source):
        if master is not None:
            raise UsageError("a Spark DataFrame has its own session: leave master out")
    elif engine == "local":
        if master is not None:
            raise UsageError("--master says where Spark runs", hint="Add --engine spark.")
        if is_address(source):
            raise UsageError("addresses are read by Spark", hint="Add --engine spark.")
        return
    elif not isinstance(source, (str, Path)):
        raise UsageError(
            "--engine spark takes files and Spark DataFrames",
            hint="Leave the engine out, or make one of it: session.createDataFrame(…).",
        )
    elif str(source) == "-":
        raise UsageError("--engine spark cannot read standard input", hint="Save it to a file first.")
    for what, wanted in spark_cannot.items():
        if wanted:
            raise UsageError(f"{what} cannot go with Spark", hint=_WITHOUT_SPARK.get(what))


_WITHOUT_SPARK = {
    "--resume": "Spark does failed parts of the work again itself; a run that ended is started anew.",
    "--explain": "The local engine explains the same rows: without --engine spark, on a part of the source.",
    "--workers": "How many there are, Spark decides: --master 'local[4,3]', or the cluster's settings.",
}


def _key(key: str | Path | Key | None) -> Key:
    if key is None:
        return Key.ephemeral()
    return key if isinstance(key, Key) else Key.load(key)


def _opened(source: Any, format: str | None, encoding: str, max_expansion: float) -> Source:
    if isinstance(source, (str, Path)):
        return open_source(source, format=cast(Any, format), encoding=encoding, max_expansion=max_expansion)
    if isinstance(source, Sequence):
        return open_records(source)
    if is_spark_frame(source):
        raise UsageError("of Spark DataFrames, privkit de-identifies rows only", hint="Write it to files first.")
    return open_frame(source)


def _check_places(
    source: Source,
    output: str | Path | None,
    *,
    read: Mapping[str, object],
    save_policy: str | Path | None = None,
    report: str | Path | None = None,
    explain: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
) -> None:
    """Everything that would be written is checked before anything is decided: a long run must not fail at its end.

    Args:
        source: What is read.
        output: A path, `-`, or None where nothing is written.
        read: What else is read, by what it is called in messages: paths, other values are passed over.
        save_policy: See `deidentify`.
        report: See `deidentify`.
        explain: See `deidentify`.
        force: Whether files may be replaced. What is read never is.
        resume: Whether an interrupted run may have written some of them.
    """
    written: dict[str, Path] = {}
    beside = (("saved policy", save_policy), ("report", report), ("explanation", explain))
    for what, name in (("output", output), *beside):
        if name is not None and not str(name):
            raise UsageError(f"the {what}'s name is empty", hint="Name a file.")
    if output is not None and str(output) != "-":
        written["output"] = Path(output)
    written |= {what: Path(name) for what, name in beside if name is not None}
    places = {what: _real(place) for what, place in written.items()}
    if len(set(places.values())) < len(places):
        raise UsageError("output, report, explanation and saved policy must be different files")
    for what, place in places.items():
        # A decision may be written over the policy that it came from, if --force says so.
        others = {name: value for name, value in read.items() if (what, name) != ("saved policy", "policy")}
        _keep_apart(f"the {what} {written[what]}", place, source, others)
    if "output" in written:
        _check_output(written["output"], folder=is_partitioned(source), force=force, resume=resume)
    if output is not None:
        kind_of(str(output), source)
    if "report" in written:
        check_report_path(written["report"], force=force or resume)
    if "explanation" in written:
        check_explanation_path(written["explanation"], force=force or resume)
    if "saved policy" in written:
        check_place(written["saved policy"], "the saved policy", force=force or resume)


def _keep_apart(what: str, place: Path, source: Source, read: Mapping[str, object]) -> None:
    """Refuses to write `place` where something stands that the run reads: no --force lets it be lost."""
    hint = "Give another name."
    for part in source.parts:
        origin = _real(part.path) if part.path is not None else None
        if origin is not None and origin.is_relative_to(place):
            raise OutputError(f"{what} and the source are the same place", hint=hint)
    folder = Path(source.description)
    if source.partitioned and folder.is_dir() and place.is_relative_to(_real(folder)):
        raise OutputError(f"{what} lies inside the source", hint="It would be read as a part of it next time.")
    for name, value in read.items():
        if isinstance(value, (str, Path)) and _real(Path(value)).is_relative_to(place):
            raise OutputError(f"{what} would replace {value} ({name}), which this run reads", hint=hint)


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except OSError:
        raise OutputError(
            f"where {path} is cannot be told: the current folder does not exist any more",
            hint="Change to another folder.",
        ) from None


def _check_output(output: Path, *, folder: bool, force: bool, resume: bool) -> None:
    if resume and Run.peek(output) is not None:
        return  # what is there may be this very run's: it looks itself
    if resume and output.exists() and not force:
        raise OutputError(
            f"{output} exists, and nothing is left of an interrupted run of it",
            hint="It is finished. Use --force to make it again.",
        )
    check_output(output, folder=folder, force=force)


def _policy_file(policy: str | Path | Policy) -> Path | None:
    if isinstance(policy, Policy) or policy in policy_names():
        return None
    return Path(policy)


def _skipped_files(source: Source) -> list[str]:
    if not source.skipped:
        return []
    shown = ", ".join(source.skipped[:_NAMES_SHOWN]) + (", …" if len(source.skipped) > _NAMES_SHOWN else "")
    return [f"{len(source.skipped)} file(s) of unknown extension in {source.description} are left out: {shown}"]


def _absent_columns(policy: Policy, plan: Plan) -> list[str]:
    """A column that the policy decides about and the source lacks may stand there under another name."""
    there = {row.name for row in plan.decisions}
    absent = [name for name in policy.columns if name not in there]
    # JSON records need not have every key, so the sample says little about them.
    if not absent or any(isinstance(frame, RecordFrame) for frame in plan.sample):
        return []
    return [f"policy {policy.name} decides about columns that the source does not have: {', '.join(absent)}"]


def _unmatched(entities: Collection[str], plan: Plan, counts: Counts) -> list[str]:
    """Entity types that an option names and nothing turned out to be: perhaps misspelt."""
    seen = {row.entity for row in plan.decisions}
    for row in plan.decisions:
        seen.update(counts.column(row.name).entities)
    return [f"--entity {name}: nothing of this type was found" for name in entities if name not in seen]


def _unread(plan: Plan, counts: Counts) -> list[str]:
    """What nobody looked for people in."""
    return [
        f"{row.name}: {unread_sentence(unread)}" for row in plan.decisions if (unread := counts.column(row.name).unread)
    ]


def _writes_table(output: str) -> bool:
    return split_name(Path(output).name)[1] not in (None, "jsonl")


def _workers(asked: int | None, source: Source) -> int:
    if asked is not None:
        if not 1 <= asked <= _MOST_WORKERS:
            raise UsageError(f"--workers takes 1 to {_MOST_WORKERS}")
        return asked
    # A worker loads its models anew: a few seconds that a small input does not earn back.
    worth = 1 if source.total is None else source.total // _BYTES_FOR_A_WORKER
    return max(1, min(processors(), worth))


def _manifest(source: Source, plan: Plan, key: Key, encoding: str, before: Before | None) -> dict[str, str]:
    """What must be equal for a later run to go on with this one's blocks."""
    return {
        "source": source.fingerprint() if source.resumable else "",
        "encoding": encoding,
        "policy": sha256_of(plan.policy),
        "key": key.id,
        "models": ",".join(model.sha256 for model in plan.detector.models),
        "before": "" if before is None else sha256_of(before),
        "privkit": __version__,
    }


def _stream(
    source: Source,
    job: Job,
    task: str,
    target: Target,
    *,
    destination: str | None,
    workers: int,
    observer: Observer,
    force: bool,
    resume: bool = False,
    resumable: bool = False,
    manifest: Mapping[str, str] | None = None,
    accept: Callable[[Counts], None] = lambda _counts: None,
) -> tuple[Counts, list[bytes]]:
    """Every block through `task`, to `destination` (None: into memory), published once `accept` agrees."""
    counts = Counts()
    spec = job.to_bytes()

    def remember(note: Note) -> None:
        counts.add(Counts.from_note(note))

    observer.started(source.total)
    if destination is None:
        data = into_memory(
            source,
            task,
            spec,
            workers=workers,
            progress=observer.advanced,
            remember=remember,
            warned=observer.warned,
        )
        accept(counts)
        observer.finished()
        return counts, data
    names = part_names(source, target)
    if destination == "-":
        run = Run.temporary(target, names)
    else:
        run = Run.open(
            Path(destination),
            target,
            names,
            manifest or {},
            folder=is_partitioned(source),
            resume=resume,
            force=force,
            resumable=resumable and source.resumable,
        )
    with run:
        into_run(
            source,
            task,
            spec,
            run,
            workers=workers,
            progress=observer.advanced,
            remember=remember,
            warned=observer.warned,
        )
        try:
            accept(counts)
        except OutputError:
            run.spare()
            raise
        if destination == "-":
            _to_stdout(run)
        else:
            run.publish()
    observer.finished()
    return counts, []


def _to_stdout(run: Run) -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed", hint="Give -o a file name.")
    try:
        run.copy_to(sys.stdout.buffer)
    except BrokenPipeError:
        raise  # the reader has seen enough
    except OSError as err:
        raise OutputError(
            f"standard output could not be written ({err.strerror})", hint="Is there room where it goes?"
        ) from None


def _check_right_key(counts: Counts, key: Key) -> None:
    if counts.foreign_tokens and not counts.tokens:
        raise KeyFileError(
            f"wrong key: none of the {counts.foreign_tokens} token(s) was made with key {key.id}",
            hint="The report of the run that made them names the key's id.",
        )


def _report(
    source: Source, plan: Plan, counts: Counts, key: Key | None, seconds: float, warnings: Sequence[str]
) -> Report:
    columns = {}
    for row in plan.decisions:
        column = counts.column(row.name)
        columns[row.name] = ColumnReport(
            role=row.role,
            entity=row.entity,
            operator=row.operator,
            cells_changed=column.changed,
            entities=dict(sorted(column.entities.items())),
            cells_unread=column.unread,
        )
    return Report(
        source=_as_text(source.description),
        rows=counts.rows,
        columns=columns,
        detector=plan.detector.name,
        models=list(plan.detector.models),
        policy=PolicyInfo(name=plan.policy.name, sha256=sha256_of(plan.policy)),
        key_id=key.id if key is not None else None,
        residual=Residual(
            rows_checked=counts.rows_checked,
            cells_with_findings=counts.residual.total(),
            input_identifiers_found=counts.identifiers.total(),
            columns=dict(sorted((counts.residual + counts.identifiers).items())),
        ),
        seconds=round(seconds, 3),
        warnings=list(warnings),
        remote=list(plan.detector.remote),
    )


def _as_text(name: str) -> str:
    """A file's name need not be text: bytes that are none are written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _from_memory(
    source: object, outputs: list[bytes], dropped: set[str]
) -> tuple[pd.DataFrame | None, list[dict[str, Any]] | None]:
    if isinstance(source, (str, Path)):
        return None, None
    if isinstance(source, Sequence):
        return None, records_from_blocks(outputs)
    return frame_from_blocks(cast(Any, source), outputs, dropped), None
