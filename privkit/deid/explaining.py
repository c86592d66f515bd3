"""Why a run does with some rows what it does: its own steps, taken once more over the rows that somebody chose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from privkit.deid.plan import Plan
from privkit.deid.work import Job
from privkit.errors import UsageError
from privkit.io.blocks import Block
from privkit.io.sources import Source
from privkit.model.canonical import sha256_of
from privkit.model.explanation import Because, ExplainedRow, ExplainedRows
from privkit.model.operators import Operator
from privkit.model.policy import Policy
from privkit.model.report import PolicyInfo

MOST_ROWS = 500
"""So many rows are explained at most: somebody is to read it."""

FIRST_ROWS = range(1, 11)
"""The rows that are explained if nobody chose any."""


def check_rows(rows: Collection[int]) -> None:
    """Refuses a choice of rows before anything is read.

    Args:
        rows: 1-based numbers.

    Raises:
        UsageError: There are too many, or one is no number of a row.
    """
    if len(set(rows)) > MOST_ROWS:
        raise UsageError(
            f"{len(set(rows)):,} rows are too many to explain: {MOST_ROWS} at most",
            hint="Choose a few: --explain-rows 3,17-19.",
        )
    if any(row < 1 for row in rows):
        raise UsageError("rows are counted from 1", hint="--explain-rows 3,17-19")


def explained_rows(
    source: Source, plan: Plan, job: Job, rows: Collection[int], because: Mapping[str, Because]
) -> ExplainedRows:
    """Why each cell of some rows comes out as it does.

    Args:
        source: Must be one that can be read twice.
        plan: What was decided about it.
        job: What the workers will do.
        rows: 1-based numbers, counted through all of the source's files; `FIRST_ROWS` if there are none.
        because: What chose each column's operator.

    Raises:
        UsageError: A row is not there, or too many are wanted.
        DetectorError: A text could not be searched to its end.
    """
    check_rows(rows)
    wanted = sorted(set(rows or FIRST_ROWS))
    transformer, prepared = job.transformer(), job.prepared()
    explained: list[ExplainedRow] = []
    seen = 0
    for block, before in _numbered(source, wanted[-1]):
        seen = before + block.rows
        here = {row: row - before - 1 for row in wanted if before < row <= seen}
        if here:
            cells = transformer.explain(prepared(block), list(here.values()), because)
            explained += [ExplainedRow(row=row, file=block.name, cells=tuple(cells[at])) for row, at in here.items()]
    if rows and wanted[-1] > seen:
        raise UsageError(f"--explain-rows: there is no row {wanted[-1]:,}, the source has {seen:,}")
    return ExplainedRows(
        source=source.description.encode("utf-8", "backslashreplace").decode(),
        detector=plan.detector.name,
        models=list(plan.detector.models),
        policy=PolicyInfo(name=plan.policy.name, sha256=sha256_of(plan.policy)),
        columns=plan.decisions,
        rows=tuple(explained),
    )


def _numbered(source: Source, last: int) -> Iterator[tuple[Block, int]]:
    """The blocks up to row `last`, each with the number of rows before it."""
    before = 0
    for part in range(len(source.parts)):
        for block in source.blocks(part):
            yield block, before
            before += block.rows
            if before >= last:
                return


def reasons(
    policy: Policy, plan: Plan, columns: Mapping[str, Operator | str], drop: Collection[str], keep: Collection[str]
) -> dict[str, Because]:
    """What chose the operator of each column.

    Args:
        policy: As it was before the plan: with nothing in it that the plan decided.
        plan: The plan.
        columns: The options of the run that the plan was made with, as `make_plan` takes them.
        drop: See there.
        keep: See there.
    """
    found: dict[str, Because] = {}
    for name, rule in plan.policy.columns.items():
        own = policy.columns.get(name)
        if name in columns or name in drop or name in keep:
            found[name] = "option"
        elif own is not None and own.operator is not None:
            found[name] = "column"
        elif rule.role == "free_text":
            found[name] = "role" if policy.accept_free_text else "accept_free_text"
        elif own is None and policy.columns and policy.unknown == "drop":
            found[name] = "unknown"
        elif rule.entity is not None and rule.entity in policy.entities:
            found[name] = "entity"
        else:
            found[name] = "role"
    return found
