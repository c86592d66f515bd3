"""Whether messages belong together: to one session, from who may send them, each once, and from everyone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from privkit.errors import CiphertextError, StudyError, UsageError, VerificationError
from privkit.he import sums
from privkit.keys import agreement
from privkit.keys.identity import PublicIdentity
from privkit.study.messages import Aggregate, Contribution, Invitation, Message, Share, transcript
from privkit.study.terms import Terms

Sent = TypeVar("Sent", Share, Contribution)


def check_kind(message: object, kind: type[Message[Any]]) -> None:
    """Refuses what is not a message of a kind: a path, bytes, or another message.

    Raises:
        UsageError: It is something else.
    """
    if not isinstance(message, kind):
        raise UsageError(
            f"a message of the type {kind.__name__} is wanted, not {type(message).__name__}",
            hint=f"{kind.__name__}.from_bytes reads one.",
        )


def check_invitation(invitation: Invitation, key_holder: str | None = None) -> None:
    """Checks that the key holder whom the manifest names signed it, and that this is whom one expects.

    Args:
        invitation: Read by `from_bytes`.
        key_holder: The key holder's public identity, known from elsewhere.

    Raises:
        VerificationError: Somebody else signed it.
        UsageError: It is no invitation.
        KeyFileError: `key_holder` is no public identity.
    """
    check_kind(invitation, Invitation)
    manifest = invitation.body
    if invitation.signer != manifest.key_holder.public:
        raise VerificationError(f"{invitation.name} is not signed by the key holder, {manifest.key_holder.name}")
    if key_holder is not None and _pinned(key_holder) != manifest.key_holder.public:
        raise VerificationError(
            f"{invitation.name}: its key holder, {manifest.key_holder.name}, is another identity than the one given"
        )
    if len(invitation.parts) != len(manifest.channels):
        raise VerificationError(
            f"{invitation.name} has {len(invitation.parts)} contexts for {len(manifest.channels)} channels"
        )


def _pinned(key_holder: object) -> str:
    if not isinstance(key_holder, str):
        raise UsageError("the key holder's public identity is wanted as a text", hint="It begins with `ed25519:`.")
    return PublicIdentity.parse(key_holder).text


def check_share(invitation: Invitation, share: Share) -> None:
    """Checks that a share is of this session, by a party of the roster, over this very invitation.

    Raises:
        VerificationError: It is not; names file and party.
    """
    _check_sender(invitation, share, share.body.party, share.body.session)
    if share.body.invitation != invitation.sha256:
        raise VerificationError(
            f"{share.name}: {share.body.party} agreed to another invitation",
            hint="The invitation was changed after the party joined, or the file is of another study.",
        )
    if share.parts:
        raise VerificationError(f"{share.name}: a share has no parts")
    try:
        agreement.check_share(bytes.fromhex(share.body.share))
    except VerificationError as err:
        raise VerificationError(f"{share.name}: the share of {share.body.party}: {err.message}") from None


def agreed(invitation: Invitation, shares: Iterable[Share]) -> str:
    """The transcript of a session that everyone joined.

    Args:
        invitation: Checked.
        shares: Of all parties, in any order.

    Returns:
        64 hexadecimal digits.

    Raises:
        VerificationError: A share that does not belong, or two of one party.
        StudyError: A party has not joined yet.
    """
    found = by_party(shares, Share)
    for share in found.values():
        check_share(invitation, share)
    check_all(invitation, found, "not joined yet", "join")
    return transcript(invitation, [found[name] for name in invitation.body.names])


def check_contribution(invitation: Invitation, terms: Terms, agreed: str, contribution: Contribution) -> None:
    """Checks that a contribution is of this session, after these shares, with enough noise, and well-formed ciphertext.

    Args:
        invitation: Checked.
        terms: The invitation's.
        agreed: The transcript.
        contribution: Read by `from_bytes`.

    Raises:
        VerificationError: It does not belong here, or declares less noise than the manifest; names file and party.
        CiphertextError: An encrypted vector is not one of the study's.
    """
    check_kind(contribution, Contribution)
    body, manifest = contribution.body, invitation.body
    _check_sender(invitation, contribution, body.party, body.session)
    if body.transcript != agreed:
        raise VerificationError(
            f"{contribution.name}: {body.party} contributed after other shares than those that are here",
            hint="A share was exchanged after that; a study goes on only with the shares that everyone saw.",
        )
    wanted = declared_scales(terms)
    if [scales.keys() for scales in body.scales] != [scales.keys() for scales in wanted] or any(
        own[name] < least[name] for own, least in zip(body.scales, wanted, strict=True) for name in least
    ):
        raise VerificationError(f"{contribution.name}: {body.party} declares less noise than the manifest wants")
    if len(contribution.parts) != len(manifest.channels):
        raise VerificationError(f"{contribution.name}: {body.party} sent {len(contribution.parts)} encrypted vectors")
    check_parts(terms, contribution, body.party)


def check_parts(terms: Terms, message: Contribution | Aggregate, whose: str) -> None:
    """Checks the structure of a message's encrypted vectors, before native code sees a byte of them.

    Raises:
        CiphertextError: One is not what the study's channel has; names file and party.
    """
    for parameters, length, part in zip(terms.parameters, terms.packing.lengths, message.parts, strict=True):
        try:
            sums.check(part, parameters, length)
        except CiphertextError as err:
            raise CiphertextError(f"{message.name}: the encrypted vector of {whose}: {err.message}") from None


def declared_scales(terms: Terms) -> tuple[Mapping[str, float], ...]:
    """σ of the noise that a contribution has to declare: none where the key holder draws it."""
    return terms.scales if terms.manifest.noise == "distributed" else tuple({} for _ in terms.scales)


def by_party(messages: Iterable[Sent], kind: type[Sent]) -> dict[str, Sent]:
    """Messages by who says that they sent them.

    Args:
        messages: Of one kind.
        kind: Which.

    Raises:
        VerificationError: Two of one party.
        UsageError: One is of another kind.
    """
    found: dict[str, Sent] = {}
    for message in messages:
        check_kind(message, kind)
        party = message.body.party
        if party in found:
            raise VerificationError(f"{message.name}: there are two {message.kind}s of {party}")
        found[party] = message
    return found


def _check_sender(invitation: Invitation, message: Share | Contribution, party: str, session: str) -> None:
    manifest = invitation.body
    public = manifest.public(party)
    if public is None:
        raise VerificationError(f"{message.name}: {party} is not on the study's roster")
    if session != manifest.session:
        raise VerificationError(
            f"{message.name}: {party} sent it in another session", hint="It was replayed, or misfiled."
        )
    if message.signer != public:
        raise VerificationError(f"{message.name} is not signed by {party}")


def check_all(invitation: Invitation, found: Mapping[str, object], what: str, command: str) -> None:
    """Checks that every party of the roster is among `found`.

    Raises:
        StudyError: Somebody is missing.
    """
    missing = [name for name in invitation.body.names if name not in found]
    if missing:
        raise StudyError(
            f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} {what}",
            hint=f"Every party of the roster has to: privkit study {command}. Without it the session cannot go on.",
        )
