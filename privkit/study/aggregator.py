"""The one who adds up: sees ciphertext only, holds no secret, and can be anybody."""

from __future__ import annotations

from collections.abc import Iterable

from privkit.errors import CiphertextError, VerificationError
from privkit.he import guarded, sums
from privkit.he.contexts import PublicContext
from privkit.model.study import AggregateBody
from privkit.study import roster
from privkit.study.messages import Aggregate, Contribution, Invitation, Share
from privkit.study.terms import Terms, terms_of


class Aggregator:
    """Adds contributions up; whoever does it gets the same bytes.

    Args:
        invitation: The key holder's.
        shares: Of all parties.
        key_holder: The key holder's public identity, where it is known from elsewhere.

    Raises:
        VerificationError: A message that does not hold, or does not belong to the session.
        StudyError: A party has not joined.
    """

    def __init__(self, invitation: Invitation, shares: Iterable[Share], *, key_holder: str | None = None) -> None:
        roster.check_invitation(invitation, key_holder)
        self.invitation = invitation
        self.terms: Terms = terms_of(invitation.body)
        self.transcript = roster.agreed(invitation, shares)
        self._contributions: dict[str, Contribution] = {}

    def add(self, contribution: Contribution) -> None:
        """Takes a contribution in.

        Raises:
            VerificationError: It does not belong here, or the party contributed already.
            CiphertextError: Its encrypted vectors are not the study's.
        """
        roster.check_contribution(self.invitation, self.terms, self.transcript, contribution)
        party = contribution.body.party
        if party in self._contributions:
            raise VerificationError(f"{contribution.name}: {party} contributed already")
        self._contributions[party] = contribution

    def aggregate(self) -> Aggregate:
        """The sum of all.

        Raises:
            StudyError: A party has not contributed.
            CiphertextError: An encrypted vector that cannot be added.
        """
        manifest = self.invitation.body
        roster.check_all(self.invitation, self._contributions, "not contributed yet", "contribute")
        ordered = [self._contributions[name] for name in manifest.names]
        lengths, contexts = self.terms.packing.lengths, contexts_of(self.invitation, self.terms)
        with guarded.using(None) as guard:
            parts = [
                sums.add(context, [found.parts[channel] for found in ordered], lengths[channel], guard=guard)
                for channel, context in enumerate(contexts)
            ]
        body = AggregateBody(
            session=manifest.session,
            transcript=self.transcript,
            contributions={name: self._contributions[name].sha256 for name in manifest.names},
        )
        return Aggregate(body, tuple(parts), name="the aggregate")

    def check(self, aggregate: Aggregate) -> None:
        """Adds up again and compares, byte for byte.

        Raises:
            VerificationError: It is not the sum of the contributions.
        """
        roster.check_kind(aggregate, Aggregate)
        expected = self.aggregate()
        if aggregate.body != expected.body:
            raise VerificationError(f"{aggregate.name} is not of these contributions")
        if aggregate.parts != expected.parts:
            raise VerificationError(f"{aggregate.name} is not the sum of the contributions")


def contexts_of(invitation: Invitation, terms: Terms) -> list[PublicContext]:
    """The public contexts of an invitation's channels, their structure checked.

    Raises:
        CiphertextError: One is not what the manifest names.
    """
    found = []
    for number, (content, parameters) in enumerate(zip(invitation.parts, terms.parameters, strict=True), 1):
        try:
            found.append(PublicContext.from_bytes(content, parameters))
        except CiphertextError as err:
            who = invitation.body.key_holder.name
            raise CiphertextError(f"{invitation.name}: context {number} of {who}: {err.message}") from None
    return found
