"""A party: agrees, charges its own ledger, and sends its bounded sums with noise and masks, encrypted.

The order of a contribution is the ledger's promise and the study's: head-room (from declarations) → charge (durable) →
aggregate → noise → masks → encryption → own outbox (durable) → out. A second time the same bytes go out, for free.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from privkit.budget import as_loss, charged, open_ledger, whoami
from privkit.dataset import Dataset
from privkit.dp.pooled import check_party, party_vector, with_share
from privkit.errors import AggregateError, LedgerError, PrivkitError, StudyError, UsageError, VerificationError
from privkit.he import guarded, masks, sums
from privkit.he.contexts import PublicContext
from privkit.keys.agreement import AgreementSecret
from privkit.keys.identity import Identity
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Receipt
from privkit.ledger.store import System
from privkit.model.canonical import canonical_json
from privkit.model.dataset import DatasetSpec
from privkit.model.study import Contributed, ContributionBody, ShareBody
from privkit.study import roster
from privkit.study.aggregator import contexts_of
from privkit.study.messages import Contribution, Invitation, Share
from privkit.study.state import State
from privkit.study.terms import party_spec, terms_of

if TYPE_CHECKING:
    from privkit.dp.sources import Table

_SECRET, _SHARE, _CONTRIBUTION = "share.secret", "share", "contribution"
_PURPOSE = b"privkit study mask v1"


class Party:
    """One party in one session.

    Args:
        invitation: The key holder's.
        identity: The party's identity file; what the party keeps stands beside it.
        key_holder: The key holder's public identity, where it is known from elsewhere.
        state: Where to keep secrets and what was sent; beside the identity by default.
        system: For fault tests.

    Attributes:
        name: The party's name on the roster.
        terms: What the study asks for.

    Raises:
        VerificationError: The invitation does not hold, or the identity is not on its roster.
        StudyError: The manifest does not hold together.
    """

    def __init__(
        self,
        invitation: Invitation,
        identity: str | os.PathLike[str],
        *,
        key_holder: str | None = None,
        state: Path | None = None,
        system: System | None = None,
    ) -> None:
        roster.check_invitation(invitation, key_holder)
        self.invitation, self.terms = invitation, terms_of(invitation.body)
        self._identity = Identity.load(identity)
        self._system = system or System()
        found = [p.name for p in invitation.body.parties if p.public == self._identity.public.text]
        if not found:
            raise VerificationError(
                f"{os.fspath(identity)} is the identity of nobody on the roster of {invitation.body.study}",
                hint=f"The roster has: {', '.join(invitation.body.names)}.",
            )
        self.name = found[0]
        session = invitation.body.session
        self._state = State(state) if state is not None else State.beside(Path(identity), session)

    # ---- joining

    def share(self) -> Share:
        """Agrees to the invitation; the same bytes however often it is called.

        Raises:
            VerificationError: This identity agreed to another invitation of the same session.
            OutputError: What has to be kept cannot be written.
        """
        contexts_of(self.invitation, self.terms)
        with self._state.alone():
            kept = self._state.get(_SHARE)
            if kept is None:
                kept = self._made_share()
            share = Share.from_bytes(kept, f"the share of {self.name}")
        roster.check_share(self.invitation, share)
        return share

    def _made_share(self) -> bytes:
        secret = self._state.get(_SECRET)  # kept by a run that was cut off before it had a share
        if secret is None:
            secret = AgreementSecret().to_bytes()
            self._state.keep(_SECRET, secret)
        body = ShareBody(
            session=self.invitation.body.session,
            invitation=self.invitation.sha256,
            party=self.name,
            share=AgreementSecret(secret).public.hex(),
        )
        content = Share.signed(body, self._identity).to_bytes()
        self._state.keep(_SHARE, content)
        return content

    # ---- contributing

    def has_contributed(self) -> bool:
        """Whether a contribution is kept, which `contribute` would give again."""
        return self._state.has(_CONTRIBUTION)

    def contribute(
        self, shares: Iterable[Share], dataset: Dataset, *, analyst: str | None = None
    ) -> tuple[Contribution, Contributed]:
        """Charges the party's ledger and makes its contribution; a contribution that was made is given again, free.

        Args:
            shares: Of all parties.
            dataset: The party's own, with a zcdp budget.
            analyst: Whose quota is charged; the user of the operating system by default.

        Returns:
            The message to publish, which is kept already, and what was done.

        Raises:
            StudyError: A party has not joined; this one has not; or the ledger is pure. Nothing was charged.
            VerificationError: A message that does not belong to the session. Nothing was charged.
            DatasetError: The description or the source does not have what the study reads. Nothing was charged.
            BudgetRefusedError: It does not fit. Nothing was charged.
            AggregateError: The engine failed after the charge; what was charged stays charged.
            UsageError: Something is of another type. Nothing was charged.
        """
        from privkit.dp.sources import open_table  # ibis and pandas: no other step of a study needs them

        if not isinstance(dataset, Dataset):
            raise UsageError("a party contributes a privkit.Dataset", hint="Dataset.load(path) reads its description.")
        shares = tuple(shares)
        agreed = roster.agreed(self.invitation, shares)
        with self._state.alone():
            kept = self._state.get(_CONTRIBUTION)
            if kept is not None:
                return self._again(kept, agreed)
            secret = self._secret(shares)
            own = party_spec(self.terms, dataset.spec)
            contexts = contexts_of(self.invitation, self.terms)
            with open_ledger(dataset, system=self._system) as ledger:
                _check_zcdp(ledger)
                with open_table(own, dataset.folder, dataset.frame) as table:
                    check_party(self.terms.pool, own, table)
                    receipt = ledger.charge(self._charge(ledger, dataset, analyst))
                    with charged(ledger, receipt):
                        values = self._vector(own, table)
                        parts = self._encrypted(values, contexts, secret, shares, agreed)
                        contribution = self._contribution(parts, agreed)
                        self._system.at("before outbox")
                        self._state.keep(_CONTRIBUTION, contribution.to_bytes())
                    self._system.at("after outbox")
                    _answered(ledger, receipt, contribution)
            self._state.destroy(_SECRET)
        return contribution, self._done(contribution, receipt)

    def _again(self, kept: bytes, agreed: str) -> tuple[Contribution, Contributed]:
        contribution = Contribution.from_bytes(kept, f"the contribution of {self.name}")
        if contribution.body.transcript != agreed:
            raise VerificationError(
                f"a share was exchanged after {self.name} contributed",
                hint="This session cannot go on: the masks would not cancel. Start a new one.",
            )
        self._state.destroy(_SECRET)
        return contribution, self._done(contribution, None)

    def _secret(self, shares: tuple[Share, ...]) -> AgreementSecret:
        kept = self._state.get(_SECRET)
        if kept is None:
            raise StudyError(
                f"{self.name} has joined elsewhere: the secret half of its share is not beside this identity",
                hint="Contribute where you joined, with the same identity file.",
            )
        secret = AgreementSecret(kept)
        published = next(share for share in shares if share.body.party == self.name)
        if published.body.share != secret.public.hex():
            raise VerificationError(f"{published.name} is not the share that {self.name} keeps the secret of")
        return secret

    def _charge(self, ledger: Ledger, dataset: Dataset, analyst: str | None) -> Charge:
        manifest = self.invitation.body
        return Charge(
            loss=manifest.rho,
            analyst=analyst if analyst is not None else whoami(),
            what={
                "study": manifest.study,
                "session": manifest.session,
                "sql": f"study {manifest.study} of {len(manifest.parties)} parties: "
                + "; ".join(statistic.sql for statistic in manifest.statistics),
                "version": dataset.spec.version,
                "cost": as_loss(manifest.rho, ledger.opening.limit, Decimal(0)).model_dump(mode="json"),
                "unit": manifest.unit.model_dump(mode="json"),
            },
        )

    def _vector(self, own: DatasetSpec, table: Table) -> masks.Integers:
        """The party's sums, with its share of the noise where the parties draw it."""
        failed = AggregateError("the aggregate could not be computed", hint="PRIVKIT_DEBUG=1 shows more, and data.")
        try:
            flat = party_vector(self.terms.pool, own, table)
            distributed = self.invitation.body.noise == "distributed"
            return with_share(self.terms.pool, flat, self.terms.scales) if distributed else flat
        except PrivkitError:
            raise
        except Exception:
            if os.environ.get("PRIVKIT_DEBUG") == "1":
                raise
        raise failed

    def _encrypted(
        self,
        values: masks.Integers,
        contexts: list[PublicContext],
        secret: AgreementSecret,
        shares: tuple[Share, ...],
        agreed: str,
    ) -> list[bytes]:
        hidden = []
        for context, residues in zip(contexts, self.terms.packing.split(values), strict=True):
            before, after = self._seeds(secret, shares, agreed, context.parameters.name)
            hidden.append(masks.masked(residues, context.parameters.plain_modulus, added=after, subtracted=before))
        with guarded.using(None) as guard:
            return [sums.encrypt(context, part, guard=guard) for context, part in zip(contexts, hidden, strict=True)]

    def _seeds(
        self, secret: AgreementSecret, shares: tuple[Share, ...], agreed: str, channel: str
    ) -> tuple[list[bytes], list[bytes]]:
        """Of the pairs with parties before this one on the roster, and of those with parties after it."""
        names = self.invitation.body.names
        own = names.index(self.name)
        by_name = {share.body.party: bytes.fromhex(share.body.share) for share in shares}

        def seed(place: int) -> bytes:
            pair = sorted((place, own))
            purpose = b"\0".join([_PURPOSE, channel.encode(), *(names[i].encode() for i in pair)])
            return secret.seed(by_name[names[place]], bytes.fromhex(agreed), purpose)

        return [seed(i) for i in range(own)], [seed(i) for i in range(own + 1, len(names))]

    def _contribution(self, parts: list[bytes], agreed: str) -> Contribution:
        body = ContributionBody(
            session=self.invitation.body.session,
            transcript=agreed,
            party=self.name,
            scales=roster.declared_scales(self.terms),
        )
        return Contribution.signed(body, self._identity, parts)

    def _done(self, contribution: Contribution, receipt: Receipt | None) -> Contributed:
        manifest = self.invitation.body
        return Contributed(
            study=manifest.study,
            party=self.name,
            again=receipt is None,
            epsilon=manifest.privacy.epsilon,
            delta=manifest.privacy.delta,
            rho=manifest.rho,
            sequence=None if receipt is None else receipt.sequence,
            bytes=len(contribution.to_bytes()),
        )


def _check_zcdp(ledger: Ledger) -> None:
    if ledger.opening.limit.measure != "zcdp":
        raise StudyError(
            "this dataset's budget is pure: a study's Gaussian noise has no cost in it",
            hint="A study needs a budget with `measure: zcdp`.",
        )


def _answered(ledger: Ledger, receipt: Receipt, contribution: Contribution) -> None:
    try:
        ledger.answer(receipt.id, canonical_json({"contribution": contribution.sha256}))
    except LedgerError as err:
        err.hint = "It was charged and the contribution is kept: contribute again, which charges nothing more."
        raise
