"""The release step: its statistics priced, released one by one, written together.

It may be cut off anywhere: an answer that was paid for is stored, and the same price finds it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from privkit.budget import as_loss
from privkit.cards import now
from privkit.dp.plan import Plan, plan
from privkit.dp.sql import parse_sql
from privkit.io.staged import Staged, check_place
from privkit.model.canonical import sha256_of
from privkit.model.pipeline import PlannedStatistic, PlannedStep, ReleaseStep
from privkit.model.pipeline_state import PLACE, Releases, StepRecord
from privkit.model.release import Loss
from privkit.pipeline.prices import Price, exact_sum, prices
from privkit.pipeline.work import Work, standing
from privkit.report.files import report_json
from privkit.session import Released


def plan_release(work: Work, number: int, step: ReleaseStep) -> PlannedStep:
    """What a release step would do and cost; from declarations and the ledger alone."""
    total, found = _priced(work, step)
    measure = work.dataset.spec.budget.measure
    planned = []
    for one, price in zip(step.statistics, found, strict=True):
        epsilon, rho = _paid(measure, price.loss)
        preview = work.session.preview(
            one.sql, epsilon=epsilon, rho=rho, confidence=step.confidence, assume_units=one.assume_units
        )
        planned.append(
            PlannedStatistic(
                sql=preview.sql,
                cost=preview.cost,
                stored=preview.stored,
                share=float(price.loss / total),
                groups=preview.groups,
                half_widths=preview.half_widths,
                why=price.why,
            )
        )
    stands = standing(work, number, _inputs(work, step), step.output)
    limit = work.session.limit
    fresh = [price.loss for price, one in zip(found, planned, strict=True) if not one.stored]
    cost = as_loss(exact_sum(fresh), limit) if fresh and stands.state != "done" else None
    return PlannedStep(
        number=number,
        kind="release",
        state=stands.state,
        why=stands.why,
        reads=(work.spec.dataset, work.dataset.spec.source or ""),
        writes=(step.output,),
        cost=cost,
        statistics=tuple(planned),
    )


def run_release(work: Work, number: int, step: ReleaseStep) -> None:
    """Releases the statistics and writes them.

    Raises:
        PrivkitError: As `Session.sql`; what was charged is stored, and the same pipeline gives it again for free.
        OutputError: The output exists and is not this pipeline's.
    """
    inputs = _inputs(work, step)
    stands = standing(work, number, inputs, step.output)
    output = work.path(step.output)
    check_place(output, "the release", force=work.force or stands.ours or stands.begun is not None)
    _, found = _priced(work, step)
    measure = work.dataset.spec.budget.measure
    work.keep(StepRecord(number=number, kind="release", inputs=inputs, time=now()))
    released: list[Released] = []
    for one, price in zip(step.statistics, found, strict=True):
        work.tell(f"releasing {len(released) + 1} of {len(found)}")
        epsilon, rho = _paid(measure, price.loss)
        released.append(work.session.sql(one.sql, epsilon=epsilon, rho=rho, confidence=step.confidence))
        work.at("after a statistic")
    spec = work.dataset.spec
    written = Releases(dataset=spec.name, version=spec.version, releases=tuple(one.release for one in released))
    with Staged() as staged:
        staged.add(output, report_json(written) + "\n")
        staged.publish()
    work.at("after an output")
    work.keep(
        StepRecord(
            number=number,
            kind="release",
            inputs=inputs,
            files=work.hashes(step.output),
            stored=tuple(one.stored for one in released),
            time=now(),
        )
    )


def _priced(work: Work, step: ReleaseStep) -> tuple[Decimal, tuple[Price, ...]]:
    return prices(step, _plans(work, step), work.session.limit)


def _plans(work: Work, step: ReleaseStep) -> Sequence[Plan]:
    spec = work.dataset.spec
    return [plan(parse_sql(one.sql, spec), spec) for one in step.statistics]


def _paid(measure: str, loss: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """ε and ρ, of which one is given."""
    return (None, loss) if measure == "zcdp" else (loss, None)


def _inputs(work: Work, step: ReleaseStep) -> dict[str, str]:
    asked = step.model_dump(mode="json", exclude={"output"})
    return {"the statistics": sha256_of(asked), "the description": work.described(), PLACE: step.output}


def cost_of(steps: Sequence[PlannedStep]) -> Decimal:
    """What all steps would charge, in the ledger's measure."""
    return exact_sum(_counted(step.cost) for step in steps if step.cost is not None)


def _counted(cost: Loss) -> Decimal:
    return cost.epsilon if cost.rho is None else cost.rho
