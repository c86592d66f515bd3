"""The steps of a study over its folder: what the command line does, one function a command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from privkit.dataset import Dataset
from privkit.errors import StudyError, VerificationError
from privkit.ledger.store import System
from privkit.model.study import Contributed, StepStatus, StudyResult, StudyStatus
from privkit.study import roster
from privkit.study.aggregator import Aggregator, contexts_of
from privkit.study.description import Study
from privkit.study.folder import Folder, check_new
from privkit.study.holder import KeyHolder, result_of
from privkit.study.messages import Aggregate, Invitation
from privkit.study.party import Party
from privkit.study.terms import terms_of

Where = str | os.PathLike[str]


def new_study(description: Where, key_holder: Where, output: Where) -> StudyStatus:
    """Starts a session of a study.

    Args:
        description: The `*.study.yaml`.
        key_holder: The key holder's identity file; the secret contexts stay beside it.
        output: The study's folder, new or empty.

    Raises:
        StudyError: The description does not hold together, or the study does not fit: with the numbers.
        QueryError: A statistic that is not understood.
        OutputError: The folder exists, or cannot be written.
    """
    check_new(Path(output))
    holder = KeyHolder.new(Study.load(description), key_holder)
    Folder.new(Path(output), holder.invitation)
    return study_status(output)


def join_study(folder: Where, identity: Where, *, key_holder: str | None = None) -> StudyStatus:
    """Agrees to a study in the name of one of its parties, and publishes its share.

    Args:
        folder: The study's.
        identity: The party's identity file.
        key_holder: The key holder's public identity, known from elsewhere.

    Raises:
        VerificationError: A message does not hold, or the identity is not on the roster.
        StudyError: Everyone has contributed already, or another share of this party is there.
    """
    place = Folder(Path(folder))
    party = Party(place.invitation(), identity, key_holder=key_holder)
    place.publish(party.share())
    return study_status(folder)


def contribute_study(
    folder: Where,
    identity: Where,
    dataset: Dataset,
    *,
    analyst: str | None = None,
    key_holder: str | None = None,
    system: System | None = None,
) -> Contributed:
    """Charges a party's ledger and publishes its contribution.

    Args:
        folder: The study's.
        identity: The party's identity file, the one it joined with.
        dataset: The party's own.
        analyst: Whose quota is charged; the user of the operating system by default.
        key_holder: The key holder's public identity, known from elsewhere.
        system: For fault tests.

    Raises:
        As `Party.contribute`, and StudyError where another contribution of this party is there: nothing was charged.
    """
    system = system or System()
    place = Folder(Path(folder))
    invitation = place.invitation()
    party = Party(invitation, identity, key_holder=key_holder, system=system)
    if place.has_contribution(party.name) and not party.has_contributed():
        raise StudyError(
            f"a contribution of {party.name} is there already, and none is kept beside this identity",
            hint="Nothing was charged. Contribute where you joined; a file that is not yours has to go first.",
        )
    contribution, done = party.contribute(place.shares(invitation), dataset, analyst=analyst)
    system.at("before publishing")
    place.publish(contribution)
    system.at("after publishing")
    return done


def aggregate_study(folder: Where) -> StudyStatus:
    """Adds the contributions up. Anybody can; it needs no identity and sees ciphertext only.

    Raises:
        VerificationError: A message does not hold or does not belong.
        StudyError: A party is missing, or another aggregate is there.
    """
    place = Folder(Path(folder))
    place.publish(_adder(place).aggregate())
    return study_status(folder)


def needed_files(folder: Where, identity: Where | None = None, ledger: Where | None = None) -> list[Path]:
    """The files that a study reads or writes itself, and whose place no output may take.

    Args:
        folder: The study's.
        identity: An identity file that is used.
        ledger: A ledger of the key holder's own.
    """
    own = [] if ledger is None else [Path(f"{os.fspath(ledger)}{end}") for end in ("", "-wal", "-shm", ".lock")]
    return [*([] if identity is None else [Path(identity)]), *own, *Folder(Path(folder)).places()]


def reveal_study(
    folder: Where, identity: Where, *, confidence: float = 0.95, ledger: Where | None = None
) -> tuple[StudyResult, KeyHolder]:
    """Decrypts the sum, once, notes it in the key holder's ledger, destroys the keys, publishes the result.

    Args:
        folder: The study's.
        identity: The key holder's identity file.
        confidence: Of the intervals.
        ledger: A ledger of the key holder's own, to note the reveal in before anything is shown.

    Returns:
        The result, and the key holder; `KeyHolder.arrived` ends the session once the result is where it should be.

    Raises:
        As `KeyHolder.reveal`, and StudyError where no aggregate is there.
    """
    place = Folder(Path(folder))
    invitation = place.invitation()
    holder = KeyHolder(invitation, identity)
    aggregate = place.aggregate()
    if aggregate is None:
        raise StudyError("the contributions have not been added up yet", hint="privkit study aggregate does it.")
    if (found := place.reveal()) is not None:
        result_of(found, invitation)  # a file that is no result of this study would stand in the way of the result
    reveal = holder.reveal(
        place.shares(invitation),
        place.contributions(invitation),
        aggregate,
        confidence=confidence,
        ledger=None if ledger is None else Path(ledger),
    )
    place.publish(reveal)
    return result_of(reveal, invitation), holder


def study_result(folder: Where, *, key_holder: str | None = None) -> StudyResult:
    """The result that the key holder published, its signature checked: for a party, and for whoever has the folder.

    Args:
        folder: The study's.
        key_holder: The key holder's public identity, known from elsewhere.

    Raises:
        StudyError: The study was not revealed yet.
        VerificationError: A message does not hold or does not belong.
    """
    place = Folder(Path(folder))
    found = _looked_at(place, key_holder)
    reveal = place.reveal()
    if reveal is None:
        raise StudyError(f"{folder}: the study was not revealed yet", hint=f"Next: {found.status.next}.")
    return result_of(reveal, found.invitation)


def study_status(folder: Where) -> StudyStatus:
    """Who did what, every signature and hash checked; the sum is not computed again (`verify_study` does).

    Raises:
        VerificationError: A message does not hold or does not belong.
        InputError: The folder is no study.
    """
    return _looked_at(Folder(Path(folder))).status


def verify_study(folder: Where, *, key_holder: str | None = None) -> StudyStatus:
    """Checks everything that is in the folder, and that the aggregate is the sum of the contributions, byte for byte.

    Args:
        folder: The study's.
        key_holder: The key holder's public identity, known from elsewhere.

    Raises:
        VerificationError: Something does not hold.
        CiphertextError: An encrypted vector or a context is not what it should be.
    """
    place = Folder(Path(folder))
    found = _looked_at(place, key_holder)
    contexts_of(found.invitation, terms_of(found.invitation.body))
    if found.status.transcript is not None:
        adder = Aggregator(found.invitation, place.shares(found.invitation), key_holder=key_holder)
        for contribution in place.contributions(found.invitation):
            adder.add(contribution)
        if found.aggregate is not None:
            adder.check(found.aggregate)
    return found.status


@dataclass(frozen=True)
class _Found:
    status: StudyStatus
    invitation: Invitation
    aggregate: Aggregate | None


def _adder(place: Folder) -> Aggregator:
    invitation = place.invitation()
    adder = Aggregator(invitation, place.shares(invitation))
    for contribution in place.contributions(invitation):
        adder.add(contribution)
    return adder


def _looked_at(place: Folder, key_holder: str | None = None) -> _Found:
    """Every message that is there, and whether it may be there."""
    invitation = place.invitation()
    roster.check_invitation(invitation, key_holder)
    terms = terms_of(invitation.body)
    shares = place.shares(invitation)
    for share in shares:
        roster.check_share(invitation, share)
    complete = len(shares) == len(invitation.body.parties)
    transcript = roster.agreed(invitation, shares) if complete else None
    contributions = place.contributions(invitation)
    if contributions and transcript is None:
        raise VerificationError(f"{contributions[0].name} is there before every party has joined")
    for contribution in contributions:
        assert transcript is not None
        roster.check_contribution(invitation, terms, transcript, contribution)
    aggregate, reveal = place.aggregate(), place.reveal()
    if aggregate is not None:
        own = {contribution.body.party: contribution.sha256 for contribution in contributions}
        if (aggregate.body.session, aggregate.body.transcript) != (invitation.body.session, transcript):
            raise VerificationError(f"{aggregate.name} is of another session")
        if aggregate.body.contributions != own or len(aggregate.parts) != len(terms.parameters):
            raise VerificationError(f"{aggregate.name} is not of the contributions that are here")
        roster.check_parts(terms, aggregate, "all parties")
    if reveal is not None:
        result_of(reveal, invitation)
        if aggregate is None or reveal.body.aggregate != aggregate.sha256:
            raise VerificationError(f"{reveal.name} is not of the aggregate that is here")
    joined = {share.body.party for share in shares}
    contributed = {contribution.body.party for contribution in contributions}
    manifest = invitation.body
    status = StudyStatus(
        study=manifest.study,
        session=manifest.session,
        key_holder=manifest.key_holder,
        epsilon=manifest.privacy.epsilon,
        delta=manifest.privacy.delta,
        rho=manifest.rho,
        noise=manifest.noise,
        min_honest=manifest.privacy.min_honest,
        max_parties_per_person=manifest.privacy.max_parties_per_person,
        unit=manifest.unit,
        columns=manifest.columns,
        statistics=tuple(statistic.sql for statistic in manifest.statistics),
        parties=tuple(
            StepStatus(name=p.name, public=p.public, joined=p.name in joined, contributed=p.name in contributed)
            for p in manifest.parties
        ),
        aggregated=aggregate is not None,
        revealed=reveal is not None,
        invitation=invitation.sha256,
        transcript=transcript,
        bytes=place.size(),
        next=_next(manifest.names, joined, contributed, aggregate is not None, reveal is not None),
    )
    return _Found(status, invitation, aggregate)


def _next(names: tuple[str, ...], joined: set[str], contributed: set[str], aggregated: bool, revealed: bool) -> str:
    if missing := [name for name in names if name not in joined]:
        return f"{', '.join(missing)}: privkit study join"
    if missing := [name for name in names if name not in contributed]:
        return f"{', '.join(missing)}: privkit study contribute"
    if not aggregated:
        return "anyone: privkit study aggregate"
    return "nothing: the study is over" if revealed else "the key holder: privkit study reveal"
