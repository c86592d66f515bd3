"""The contribute step: this dataset's part in an encrypted study that was joined before."""

from __future__ import annotations

from privkit.budget import as_loss
from privkit.cards import now
from privkit.model.card import CardStudy
from privkit.model.pipeline import ContributeStep, PlannedStep
from privkit.model.pipeline_state import PLACE, StepRecord
from privkit.pipeline.work import Work, standing
from privkit.report.study_wording import trust_sentences
from privkit.study.folder import Folder
from privkit.study.party import Party


def plan_contribution(work: Work, number: int, step: ContributeStep) -> PlannedStep:
    """What a contribution would do and cost; from the study's invitation alone."""
    folder, party = _party(work, step)
    stands = standing(work, number, _inputs(party, step), None)
    contributed = party.has_contributed()
    manifest = party.invitation.body
    missing = [name for name in manifest.names if name not in {s.body.party for s in folder.shares(party.invitation)}]
    why = stands.why
    if contributed and stands.state != "done":
        why = "it was contributed before: the same bytes are published again, for free"
    elif missing:
        why = f"it cannot be done yet: {', '.join(missing)} has to join first"
    free = contributed or stands.state == "done"
    return PlannedStep(
        number=number,
        kind="contribute",
        state=stands.state,
        why=why,
        reads=(work.spec.dataset, work.dataset.spec.source or "", step.study),
        writes=(f"{step.study.rstrip('/')}/contribution-{party.name}.bin",),
        cost=None if free else as_loss(manifest.rho, work.session.limit),
        notes=tuple(statistic.sql for statistic in manifest.statistics),
    )


def run_contribution(work: Work, number: int, step: ContributeStep) -> None:
    """Charges the ledger and publishes the contribution; one that was made is published again, for free.

    Raises:
        PrivkitError: As `Party.contribute`.
    """
    folder, party = _party(work, step)
    work.tell(f"contributing to {party.invitation.body.study}")
    contribution, _ = party.contribute(folder.shares(party.invitation), work.dataset, analyst=work.spec.analyst)
    folder.publish(contribution)
    work.at("after an output")
    work.keep(
        StepRecord(number=number, kind="contribute", inputs=_inputs(party, step), study=_card_study(party), time=now())
    )


def _party(work: Work, step: ContributeStep) -> tuple[Folder, Party]:
    folder = Folder(work.path(step.study))
    return folder, Party(folder.invitation(), work.path(step.identity))


def _inputs(party: Party, step: ContributeStep) -> dict[str, str]:
    return {"the study": party.invitation.sha256, "the identity": party.name, PLACE: step.study}


def _card_study(party: Party) -> CardStudy:
    manifest = party.invitation.body
    return CardStudy(
        study=manifest.study,
        session=manifest.session,
        party=party.name,
        parties=manifest.parties,
        key_holder=manifest.key_holder,
        epsilon=manifest.privacy.epsilon,
        delta=manifest.privacy.delta,
        rho=manifest.rho,
        min_honest=manifest.privacy.min_honest,
        noise=manifest.noise,
        parameters=tuple(f"{channel.parameters} ({channel.length:,} slots)" for channel in manifest.channels),
        statistics=tuple(statistic.sql for statistic in manifest.statistics),
        collusion=tuple(trust_sentences(manifest)),
    )
