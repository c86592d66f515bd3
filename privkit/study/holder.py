"""The key holder: makes a session's keys, and decrypts one sum, once.

Everything else that it could decrypt is uniform noise, because of the masks. The order of a reveal: verify → decrypt →
estimate → kept (durable) → ledger, where there is one → keys destroyed → shown. A second time nothing is decrypted:
what was kept is given again, until it was seen to have arrived.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, localcontext
from math import sqrt
from pathlib import Path

from privkit.dp.conversion import epsilon_of
from privkit.dp.estimate import check_confidence, estimate
from privkit.dp.plan import Measured
from privkit.dp.pooled import can_be, measured, with_noise
from privkit.dp.vectors import Integers
from privkit.errors import LedgerError, StudyError, VerificationError
from privkit.he import sums
from privkit.he.contexts import SecretContext
from privkit.keys.identity import Identity
from privkit.ledger.entries import REVEALED
from privkit.ledger.ledger import Ledger
from privkit.model.canonical import canonical_json
from privkit.model.release import Answer, Drawn, Loss, Mechanism
from privkit.model.software import versions_of
from privkit.model.study import RevealBody, StudyKeyHolder, StudyResult, StudySpec
from privkit.report.study_card import study_card
from privkit.study import roster
from privkit.study.aggregator import Aggregator
from privkit.study.description import Study
from privkit.study.messages import Aggregate, Contribution, Invitation, Reveal, Share
from privkit.study.state import State
from privkit.study.terms import Terms, draw_up, terms_of

_INVITATION, _REVEAL, _OVER = "invitation", "reveal", "over"


class KeyHolder:
    """The key holder of one session. Made by `new`, or again from its invitation.

    Args:
        invitation: Its own.
        identity: The identity file that signed it; the secret contexts stand beside it.
        state: Where they are instead.

    Attributes:
        invitation: What the parties join.
        terms: What the study asks for.

    Raises:
        VerificationError: The invitation does not hold, or is another key holder's.
    """

    def __init__(self, invitation: Invitation, identity: str | os.PathLike[str], *, state: Path | None = None) -> None:
        self._identity = Identity.load(identity)
        roster.check_invitation(invitation, self._identity.public.text)
        self.invitation, self.terms = invitation, terms_of(invitation.body)
        session = invitation.body.session
        self._state = State(state) if state is not None else State.beside(Path(identity), session)

    @classmethod
    def new(cls, study: Study | StudySpec, identity: str | os.PathLike[str], *, state: Path | None = None) -> KeyHolder:
        """Starts a session: fresh contexts, whose secret halves stay beside the identity.

        Args:
            study: The study's description.
            identity: The key holder's identity file.
            state: Where to keep the secrets instead; a folder for this session alone.

        Raises:
            StudyError: The study does not hold together, or does not fit: with the numbers.
            QueryError: A statistic that is not understood.
            OutputError: What has to be kept cannot be written.
            UsageError: It is no description of a study.
        """
        described = study if isinstance(study, Study) else Study(study)
        signer = Identity.load(identity)
        terms = draw_up(described.spec, StudyKeyHolder(name=signer.name, public=signer.public.text))
        keep = State(state) if state is not None else State.beside(Path(identity), terms.manifest.session)
        publics = []
        for number, parameters in enumerate(terms.parameters):
            secret = SecretContext.new(parameters)
            keep.keep(_secret_name(number), secret.to_bytes())
            publics.append(secret.public.to_bytes())
        invitation = Invitation.signed(terms.manifest, signer, publics)
        keep.keep(_INVITATION, invitation.to_bytes())
        return cls(Invitation.from_bytes(invitation.to_bytes()), identity, state=state)

    def reveal(
        self,
        shares: Iterable[Share],
        contributions: Iterable[Contribution],
        aggregate: Aggregate,
        *,
        confidence: float = 0.95,
        ledger: Path | None = None,
    ) -> Reveal:
        """Decrypts the sum, once, and destroys the keys.

        Args:
            shares: Of all parties.
            contributions: Of all parties: the sum is added up again and compared.
            aggregate: The sum.
            confidence: Of the intervals.
            ledger: A ledger of the key holder's, in which the reveal is noted before anything is shown.

        Returns:
            The result, signed; `result_of` reads it.

        Raises:
            VerificationError: A message that does not hold, a sum that is not that of the contributions, or one that
                no contributions of this session can have: nothing is shown.
            StudyError: The study was revealed before.
            LedgerError: The ledger cannot be written; nothing is shown.
            UsageError: Another confidence than 0.5 to just below 1, or something is of another type.
        """
        check_confidence(confidence)
        roster.check_kind(aggregate, Aggregate)
        with self._state.alone():
            if self._state.get(_OVER) is not None:
                raise self._over()
            kept = self._state.get(_REVEAL)
            if kept is None:
                adder = Aggregator(self.invitation, shares)
                for contribution in contributions:
                    adder.add(contribution)
                adder.check(aggregate)
                reveal = self._opened(adder, aggregate, confidence)
                self._state.keep(_REVEAL, reveal.to_bytes())
            else:
                reveal = Reveal.from_bytes(kept, "the result that was kept")
                if reveal.body.aggregate != aggregate.sha256:
                    raise VerificationError(f"{aggregate.name} is not the one that was decrypted")
            if ledger is not None:
                _note(ledger, reveal)
            for number in range(len(self.terms.parameters)):
                self._state.destroy(_secret_name(number))
        return reveal

    def arrived(self) -> None:
        """Says that the result is where it should be: from now on the session is over for good."""
        with self._state.alone():
            if self._state.get(_OVER) is None:
                self._state.keep(_OVER, _now().encode())

    def _over(self) -> StudyError:
        return StudyError(
            f"the study {self.invitation.body.study} was revealed and its keys are destroyed",
            hint="It cannot be opened again. What came of it stands in result.bin in the study's folder.",
        )

    def _opened(self, adder: Aggregator, aggregate: Aggregate, confidence: float) -> Reveal:
        terms, residues = self.terms, []
        for number, parameters in enumerate(terms.parameters):
            secret = self._state.get(_secret_name(number))
            if secret is None:
                raise StudyError("the session's secret context is not beside this identity: it was made elsewhere")
            context = SecretContext.from_bytes(secret, parameters)
            residues.append(sums.decrypt(context, aggregate.parts[number], terms.packing.lengths[number]))
        total = self._joined(residues, aggregate)
        if terms.manifest.noise == "key-holder":
            total = with_noise(terms.pool, total, terms.scales)
        time = _now()
        found = measured(terms.pool, total, terms.scales)
        result = self._result(adder, aggregate, found, confidence, time)
        body = RevealBody(
            session=terms.manifest.session, transcript=adder.transcript, aggregate=aggregate.sha256, time=time
        )
        return Reveal.signed(body, self._identity, [canonical_json(result)])

    def _joined(self, residues: list[Integers], aggregate: Aggregate) -> Integers:
        """The signed sum; nobody can tell whose contribution it is that does not fit."""
        terms = self.terms
        try:
            total = terms.packing.joined(residues)
            fits = can_be(terms.pool, total, terms.scales)
        except OverflowError:
            fits = False
        if not fits:
            raise VerificationError(
                f"{aggregate.name} holds no sum that the study's parties can have: masks are left in it",
                hint="A party sent other vectors than it made for this session. Start a new one, with fresh keys.",
            )
        return total

    def _result(
        self, adder: Aggregator, aggregate: Aggregate, found: tuple[Measured, ...], confidence: float, time: str
    ) -> StudyResult:
        manifest = self.terms.manifest
        result = StudyResult(
            study=manifest.study,
            session=manifest.session,
            time=time,
            key_holder=manifest.key_holder,
            parties=manifest.parties,
            contributions=aggregate.body.contributions,
            privacy=manifest.privacy,
            rho=manifest.rho,
            noise=manifest.noise,
            unit=manifest.unit,
            statistics=tuple(
                answer_of(self.terms, number, measured, confidence) for number, measured in enumerate(found)
            ),
            channels=manifest.channels,
            invitation=self.invitation.sha256,
            transcript=adder.transcript,
            aggregate=aggregate.sha256,
            software=versions_of("privkit-toolkit", "opendp", "tenseal"),
        )
        return result.model_copy(update={"card": study_card(result)})


def result_of(reveal: Reveal, invitation: Invitation) -> StudyResult:
    """The result that a key holder's reveal holds.

    Args:
        reveal: Read by `from_bytes`.
        invitation: Checked.

    Raises:
        VerificationError: It is another key holder's, of another session, or holds no result of this study.
    """
    if reveal.signer != invitation.body.key_holder.public:
        raise VerificationError(f"{reveal.name} is not signed by the key holder")
    if reveal.body.session != invitation.body.session or len(reveal.parts) != 1:
        raise VerificationError(f"{reveal.name} is of another session")
    try:
        result = StudyResult.model_validate_json(reveal.parts[0])
    except (ValueError, RecursionError):
        result = None
    body = reveal.body
    if result is None or (result.session, result.transcript, result.aggregate, result.invitation) != (
        body.session,
        body.transcript,
        body.aggregate,
        invitation.sha256,
    ):
        raise VerificationError(f"{reveal.name} holds no result of this study")
    return result


def answer_of(terms: Terms, number: int, found: Measured, confidence: float) -> Answer:
    """One query's answer, as a local release gives it.

    Args:
        terms: The study's.
        number: The query's.
        found: The noisy sum.
        confidence: Of the intervals.
    """
    made, manifest = terms.pool.plans[number], terms.manifest
    part = terms.pool.part_of(number)
    with localcontext(rounding=ROUND_CEILING):
        loss = manifest.rho * part.numerator / part.denominator
    spec = made.spec
    return Answer(
        sql=manifest.statistics[number].sql,
        query=made.query,
        privacy_unit=spec.privacy_unit,
        measure="zcdp",
        cost=Loss(epsilon=epsilon_of(loss, manifest.privacy.delta), delta=manifest.privacy.delta, rho=loss),
        mechanisms=_mechanisms(terms, number, found),
        groups=tuple(group.name for group in made.query.groups),
        keys=found.keys,
        drawn=tuple(Drawn(vector=n, values=tuple(map(tuple, v.tolist()))) for n, v in found.noisy.items()),
        confidence=confidence,
        results=estimate(made, found, confidence),
        declared={n: spec.columns[n].model_dump(mode="json", exclude_none=True) for n in made.query.columns()},
    )


def _mechanisms(terms: Terms, number: int, found: Measured) -> tuple[Mechanism, ...]:
    pool = terms.pool
    return tuple(
        Mechanism(
            vector=segment.block.vector.name,
            noise="discrete Gaussian",
            scale=found.scales[segment.block.vector.name],
            share=str(pool.part(segment)),
            distance=sqrt(pool.distance_squared(segment)),
            serves=segment.block.serves,
        )
        for segment in pool.segments
        if segment.query == number
    )


def _note(ledger: Path, reveal: Reveal) -> None:
    """Once: a reveal that was noted before a crash is found by its aggregate."""
    with Ledger.open(ledger) as opened:
        if opened.revealed(reveal.body.aggregate):
            return
        try:
            opened.note(REVEALED, {**reveal.body.model_dump(mode="json"), "result": reveal.sha256})
        except LedgerError as err:
            err.hint = "Nothing was shown. What was decrypted is kept: reveal again when the ledger can be written."
            raise


def _secret_name(number: int) -> str:
    return f"context-{number + 1}.secret"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
