"""The messages of a study: what they say, in one canonical encoding, signed by who says it.

A message is one line of canonical JSON and, after it, its encrypted parts, byte after byte:

    {"body":{…},"kind":"contribution","parts":[{"bytes":…,"sha256":…}],"privkit":"study 1","signature":…,"signer":…}

The signature is over the same line without itself, so over the parts' hashes too. Bytes that are not exactly what
`to_bytes` would write are no message: nothing can be added, left out or spelled otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ValidationError

from privkit.errors import KeyFileError, UsageError, VerificationError
from privkit.keys.identity import SIGNATURE_BYTES, Identity, PublicIdentity
from privkit.keys.privatefile import from_base64
from privkit.model.canonical import canonical_json
from privkit.model.study import AggregateBody, ContributionBody, Manifest, RevealBody, ShareBody

Body = TypeVar("Body", bound=BaseModel)

FORMAT = "study 1"
MOST_HEADER = 16 << 20  # bytes of the JSON line: a manifest with every category of its columns
_PURPOSE = "privkit study message"


@dataclass(frozen=True)
class Message(Generic[Body]):
    """A message. Made by `signed` (an aggregate: by its own constructor) or read by `from_bytes`.

    Attributes:
        body: What it says.
        parts: Encrypted vectors or contexts, in the order that the kind has.
        signer: Public identity of who signed; empty where the kind is not signed.
        signature: 64 bytes, or none.
        name: What it is called in messages to people: its file's name, where it came from one.
    """

    body: Body
    parts: tuple[bytes, ...] = field(default=(), repr=False)
    signer: str = ""
    signature: bytes = field(default=b"", repr=False)
    name: str = field(default="", compare=False)

    kind: ClassVar[str]
    record: ClassVar[type[BaseModel]]
    is_signed: ClassVar[bool] = True

    @classmethod
    def signed(cls, body: Body, identity: Identity, parts: Sequence[bytes] = ()) -> Self:
        """Says something in the name of an identity."""
        message = cls(body, tuple(parts), identity.public.text)
        return replace(message, signature=identity.sign(_PURPOSE, canonical_json(message._statement)))

    @cached_property
    def _statement(self) -> dict[str, Any]:
        return {
            "body": self.body.model_dump(mode="json"),
            "kind": self.kind,
            "parts": [{"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()} for part in self.parts],
            "privkit": FORMAT,
            "signer": self.signer,
        }

    @cached_property
    def _header(self) -> bytes:
        signature = base64.b64encode(self.signature).decode()
        return canonical_json({**self._statement, "signature": signature}) + b"\n"

    def to_bytes(self) -> bytes:
        """The message's one encoding."""
        return b"".join((self._header, *self.parts))

    @cached_property
    def sha256(self) -> str:
        """Of the encoding's first line, which holds the hashes of all the rest."""
        return hashlib.sha256(self._header).hexdigest()

    @classmethod
    def from_bytes(cls, content: bytes, name: str | None = None) -> Self:
        """Reads a message and checks its encoding, its parts' hashes and its signature: not who should have signed.

        Args:
            content: All of it.
            name: What it is called in messages, e.g. its file's name.

        Raises:
            VerificationError: It is no such message, not in its one encoding, or its signature does not hold.
            UsageError: `content` is not bytes.
        """
        called = name or f"the {cls.kind}"
        if not isinstance(content, bytes):
            raise UsageError(f"{called}: the bytes of a message are wanted")
        end = content.find(b"\n", 0, MOST_HEADER)
        if end < 0:
            raise _bad(called, f"is no {cls.kind} of a study")
        fields = _fields(content[:end], called, cls.kind)
        parts = _cut(content, end + 1, fields["parts"], called)
        body = _read(fields["body"], cls.record, called)
        message = cls(body, parts, fields["signer"], _signature(fields["signature"], called), called)
        try:
            written = message._header
        except ValueError:  # JSON's escapes can say half a character, which UTF-8 has no bytes for
            written = b""
        if written != content[: end + 1]:
            raise _bad(called, "is not written in the one way that a message has, or its parts were changed")
        message._check_signature(called)
        return message

    def _check_signature(self, called: str) -> None:
        if not self.is_signed:
            if self.signer or self.signature:
                raise _bad(called, "is signed, which its kind is not")
            return
        try:
            identity = PublicIdentity.parse(self.signer)
        except KeyFileError:
            raise _bad(called, "is not signed by an identity") from None
        if not identity.verify(_PURPOSE, canonical_json(self._statement), self.signature):
            raise _bad(called, "was changed after it was signed")


class Invitation(Message[Manifest]):
    """The key holder's manifest, and as its parts the public contexts, one a channel."""

    kind = "invitation"
    record = Manifest


class Share(Message[ShareBody]):
    """A party agrees to the invitation, and publishes its half of the masks' secrets."""

    kind = "share"
    record = ShareBody


class Contribution(Message[ContributionBody]):
    """A party's vectors, with noise and masks, encrypted: one part a channel."""

    kind = "contribution"
    record = ContributionBody


class Aggregate(Message[AggregateBody]):
    """The sum of all contributions: one part a channel. Not signed: anyone can make the same bytes again."""

    kind = "aggregate"
    record = AggregateBody
    is_signed = False


class Reveal(Message[RevealBody]):
    """The key holder's word that this is what the aggregate held; its one part is the result's JSON."""

    kind = "reveal"
    record = RevealBody


def transcript(invitation: Invitation, shares: Sequence[Share]) -> str:
    """SHA-256 of what all agreed to before anyone contributed: the invitation, and every share in the roster's order.

    Returns:
        64 hexadecimal digits.
    """
    agreed: dict[str, object] = {"invitation": invitation.sha256, "shares": [share.sha256 for share in shares]}
    return hashlib.sha256(canonical_json(agreed)).hexdigest()


# ---- reading what may be hostile


def _fields(line: bytes, called: str, kind: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    wanted = {"body", "kind", "parts", "privkit", "signature", "signer"}
    if not isinstance(fields, dict) or fields.keys() != wanted:
        raise _bad(called, f"is no {kind} of a study")
    if (fields["privkit"], fields["kind"]) != (FORMAT, kind):
        raise _bad(called, f"is no {kind} of this version of privkit")
    if not isinstance(fields["signer"], str) or not isinstance(fields["signature"], str):
        raise _bad(called, f"is no {kind} of a study")
    return fields


def _read(body: object, record: type[BaseModel], called: str) -> Any:
    """What the record's own encoding does not give back again is found by comparing the header."""
    try:
        return record.model_validate(body)
    except (ValidationError, RecursionError):
        raise _bad(called, "says what no message of its kind says") from None


def _cut(content: bytes, start: int, parts: object, called: str) -> tuple[bytes, ...]:
    sizes = [part.get("bytes") if isinstance(part, dict) else None for part in parts] if isinstance(parts, list) else []
    if not all(type(size) is int and size >= 0 for size in sizes) or start + sum(sizes) != len(content):  # type: ignore[arg-type]
        raise _bad(called, "is cut short or has bytes that do not belong to it")
    found = []
    for size in sizes:
        assert isinstance(size, int)
        found.append(content[start : start + size])
        start += size
    return tuple(found)


def _signature(text: str, called: str) -> bytes:
    try:
        signature = from_base64(text)
    except ValueError:
        raise _bad(called, "has a signature that is none") from None
    if len(signature) not in (0, SIGNATURE_BYTES):
        raise _bad(called, "has a signature that is none")
    return signature


def _bad(called: str, what: str) -> VerificationError:
    return VerificationError(f"{called} {what}", hint="Ask its sender for the file again, by another way.")
