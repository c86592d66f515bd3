"""The deidentify step: rows leave, and the ledger remembers that they did.

What is recorded is durable before the output gets its name: a disclosure of its own kind, never an ε. Columns under a
local mechanism are drawn first, by workers that the step brings (`privkit.dp.local`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from privkit.budget import open_ledger, whoami
from privkit.cards import now
from privkit.deid.policies import load_policy, policy_names
from privkit.deid.work import Before, detector_of
from privkit.deidentifier import deidentify
from privkit.dp.local import MECHANISM, LocalColumn, LocalJob, check_local, is_bytes, places_of_units, protects
from privkit.errors import UsageError
from privkit.io.run import OtherRunError, Run
from privkit.io.sources import Source, open_source
from privkit.keys.keyfile import Key
from privkit.ledger.entries import DISCLOSED, LOCAL
from privkit.model.canonical import sha256_of
from privkit.model.card import CardColumn, DeidentifiedRows
from privkit.model.disclosure import Disclosure, LocalNoise
from privkit.model.pipeline import DeidentifyStep, PlannedStep
from privkit.model.pipeline_state import PLACE, StepRecord
from privkit.model.policy import Policy
from privkit.model.report import Report
from privkit.pipeline.measuring import check_evaluation, check_models
from privkit.pipeline.work import Work, standing

NO_GUARANTEE = "rows leave without a differential privacy guarantee; the ledger records it, and every card says so"

# What was measured on texts that are not this dataset's: person names that are fully covered, of presidio-research's
# synthetic texts and of English Web Treebank's (training/README.md says how).
_RECALL = {
    "patterns": "names in free text are not looked for, but the row's own; patterns find what has a fixed form",
    "spacy": "of person names in texts .72 (synthetic) and .74 (web) were fully covered; not measured on this data",
    "core": "of person names in texts .90 (synthetic) and .89 (web) were fully covered; not measured on this data",
    "full": "of person names in texts .93 (synthetic) and .92 (web) were fully covered; not measured on this data",
}


def plan_deidentification(work: Work, number: int, step: DeidentifyStep) -> PlannedStep:
    """What a de-identification would read and write; its rows are not looked at."""
    _check(work, step)
    source = _source(work)
    stands = standing(work, number, _inputs(work, step, source), step.output)
    notes = [NO_GUARANTEE]
    for name, one in step.local.items():
        notes.append(
            f"{name}: {one.mechanism} at ε {one.epsilon} a value, {one.max_rows} row(s) of a unit: {protects(name)}"
        )
    beside = [name for name in (step.key, step.evaluation) if name is not None]
    reads = (work.spec.dataset, work.dataset.spec.source or "", *beside)
    own = [] if step.policy in policy_names() else [step.policy]
    return PlannedStep(
        number=number,
        kind="deidentify",
        state=stands.state,
        why=stands.why,
        reads=(*reads, *own),
        writes=(step.output, *([step.report] if step.report else [])),
        notes=tuple(notes),
    )


def run_deidentification(work: Work, number: int, step: DeidentifyStep) -> None:
    """Writes the de-identified copy, its disclosure in the ledger first.

    Raises:
        PrivkitError: As `deidentify`; no output is left then.
    """
    _check(work, step)
    source = _source(work)
    inputs = _inputs(work, step, source)
    stands = standing(work, number, inputs, step.output)
    output = work.path(step.output)
    there = work.hashes(step.output)
    if stands.begun is not None and stands.begun.rows is not None and there not in ({}, stands.begun.instead):
        work.keep(stands.begun.model_copy(update={"files": there, "instead": {}, "time": now()}))
        return  # it was cut off after the output had its name
    if step.evaluation is not None:
        detector = detector_of(_detecting(work, step))
        check_models(work, step.evaluation, detector.name, detector.models)
    work.tell(f"de-identifying {work.dataset.spec.source}")

    def publishing(report: Report) -> None:
        disclosure = _disclosure(work, step, report)
        if stands.begun is not None and stands.begun.rows is not None and not step.local:
            # Of a run that was cut off: noted already, or about to be. Noise may have left with it, though: a draw
            # that cannot be told from a second one counts as a second one.
            known = stands.begun.rows.disclosure
            disclosure = known if _same(known, disclosure) else disclosure
        rows = _rows(work, step, report, disclosure)
        record = StepRecord(number=number, kind="deidentify", inputs=inputs, rows=rows, time=disclosure.time)
        work.keep(record.model_copy(update={"instead": there}))
        _note(work, step, disclosure)
        work.at("before an output")

    run = partial(
        deidentify,
        str(work.dataset.folder / str(work.dataset.spec.source)),
        output,
        policy=_policy(work, step),
        key=work.path(step.key) if step.key else None,
        columns=step.columns,
        keep=[*step.keep, *(work.dataset.spec.source_name(name) for name in step.local)],
        drop=step.drop,
        detector=step.detector,
        language=step.language,
        country=step.country,
        report=work.path(step.report) if step.report else None,
        force=work.force or stands.ours,
        observer=work.observer,
        before=_before(work, step, source),
        publishing=publishing,
    )
    try:
        run(resume=_resumes(work, step))
    except OtherRunError:
        run(resume=False)  # what was cut off was started with something else, and nobody has seen it
    work.at("after an output")
    record = work.state.step(number)
    assert record is not None
    work.keep(record.model_copy(update={"files": work.hashes(step.output), "instead": {}}))


def _check(work: Work, step: DeidentifyStep) -> None:
    spec = work.dataset.spec
    if "://" in (spec.source or "://"):
        hint = "A database's rows are not read here."
        raise UsageError("deidentify needs a dataset whose source is a file", hint=hint)
    if step.evaluation is not None:
        check_evaluation(work, step.evaluation, _detecting(work, step))
    for name, one in step.local.items():
        if name not in spec.columns:
            raise UsageError(f"local: the dataset has no column {name}")
        check_local(name, spec.columns[name], one.mechanism, one.epsilon)
        source = spec.source_name(name)
        if source in step.columns or source in step.drop or source in step.keep:
            raise UsageError(f"{name}: it has a local mechanism and an operator as well", hint="Take one of them out.")
        if [spec.source_name(other) for other in step.local].count(source) > 1:
            raise UsageError(f"{name}: the source's column {source} has two local mechanisms", hint="Take one out.")


def _detecting(work: Work, step: DeidentifyStep) -> Policy:
    """The step's policy with the detector that the step names, if it does."""
    policy = _policy(work, step)
    return policy if step.detector is None else policy.model_copy(update={"detector": step.detector})


def _source(work: Work) -> Source:
    return open_source(work.dataset.folder / str(work.dataset.spec.source))


def _policy(work: Work, step: DeidentifyStep) -> Policy:
    return load_policy(step.policy if step.policy in policy_names() else work.path(step.policy))


def _inputs(work: Work, step: DeidentifyStep, source: Source) -> dict[str, str]:
    """A source is known again by its size, its time of change and its ends: its rows leave anyway."""
    asked = step.model_dump(mode="json", exclude={"output", "report", "policy", "key", "evaluation"})
    return {
        "the step": sha256_of(asked),
        "the policy": sha256_of(_policy(work, step)),
        "the key": Key.load(work.path(step.key)).id if step.key else "",
        "the description": work.described(),
        "the source": source.fingerprint(),
        PLACE: step.output,
    }


def _resumes(work: Work, step: DeidentifyStep) -> bool:
    return step.key is not None and Run.peek(work.path(step.output)) is not None


# ---- local mechanisms


def _before(work: Work, step: DeidentifyStep, source: Source) -> Before | None:
    if not step.local:
        return None
    spec = work.dataset.spec
    columns = tuple(
        LocalColumn(
            name=spec.source_name(name),
            column=spec.columns[name],
            mechanism=one.mechanism,
            epsilon=one.epsilon,
            max_rows=one.max_rows,
        )
        for name, one in step.local.items()
    )
    unit = spec.privacy_unit.column
    places = () if unit is None else places_of_units([_column(source, part, unit) for part in range(len(source.parts))])
    job = LocalJob(columns=columns, places=places)
    return Before(factory=MECHANISM, spec=base64.b64encode(job.to_bytes()).decode())


def _column(source: Source, part: int, name: str) -> pa.Array:
    def found() -> Iterator[pa.Array]:
        for block in source.blocks(part):
            leaves = {leaf.name: leaf.values for leaf in block.frame().leaves()}
            if name not in leaves:
                raise UsageError(f"the source has no column {name}, which names the privacy unit")
            if is_bytes(leaves[name].type):
                raise UsageError(f"the column {name} holds bytes: local mechanisms cannot tell its units apart")
            yield leaves[name].cast(pa.string())

    return pa.chunked_array(list(found()), pa.string()).combine_chunks()


# ---- what is remembered


def _note(work: Work, step: DeidentifyStep, disclosure: Disclosure) -> None:
    """Writes the disclosure into the ledger; one that a run before this wrote, and was then cut off, is not doubled."""
    with open_ledger(work.dataset) as ledger:
        if disclosure not in ledger.disclosures():
            ledger.note(DISCLOSED, disclosure.model_dump(mode="json"))
        known = ledger.local_noise()
        for name, one in step.local.items():
            noise = LocalNoise(
                what=step.output,
                column=name,
                mechanism=one.mechanism,
                epsilon=one.epsilon,
                max_rows=one.max_rows,
                unit_epsilon=one.epsilon * one.max_rows,
                protects=protects(name),
                time=disclosure.time,
            )
            if noise not in known:
                ledger.note(LOCAL, noise.model_dump(mode="json"))


def _same(one: Disclosure, other: Disclosure) -> bool:
    return one.model_dump(exclude={"time"}) == other.model_dump(exclude={"time"})


def _disclosure(work: Work, step: DeidentifyStep, report: Report) -> Disclosure:
    return Disclosure(
        what=step.output,
        time=now(),
        version=work.dataset.spec.version,
        policy=report.policy.name,
        policy_sha256=report.policy.sha256,
        key_id=report.key_id,
        detector=report.detector,
        residual_cells=report.residual.cells_with_findings,
        residual_identifiers=report.residual.input_identifiers_found,
        approved_by=work.spec.approved_by or whoami(),
    )


def _rows(work: Work, step: DeidentifyStep, report: Report, disclosure: Disclosure) -> DeidentifiedRows:
    local = {work.dataset.spec.source_name(name): one.mechanism for name, one in step.local.items()}
    return DeidentifiedRows(
        disclosure=disclosure,
        columns=tuple(
            CardColumn(
                name=name,
                role=column.role,
                entity=column.entity,
                operator=column.operator,
                local=local.get(name),
                changed=column.cells_changed if step.counts_on_card else None,
            )
            for name, column in report.columns.items()
        ),
        models=tuple(report.models),
        recall=_RECALL[report.detector],
        rows=report.rows if step.counts_on_card else None,
    )
