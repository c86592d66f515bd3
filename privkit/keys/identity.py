"""Signing identities: who vouches for a checkpoint or a message. Ed25519 (RFC 8032).

A signature is made for one purpose. What is signed is the purpose and the message together, with the purpose's length
in front, so that no signature made for one purpose says anything for another.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privkit.errors import KeyFileError
from privkit.keys.privatefile import MAX_FILE_BYTES, Kind, from_base64, read_private, write_private

KEY_BYTES = 32
SIGNATURE_BYTES = 64
LONGEST_NAME = 100
_SCHEME = "ed25519:"
_DOMAIN = b"privkit signature v1\0"
_KIND = Kind(
    noun="identity",
    article="an",
    why_kept="An identity that was written over is lost, and nobody can sign in its place.",
    command="privkit identity new",
)
_LINE = re.compile(r"(?P<field>name|public|secret)[ \t]*:[ \t]*(?P<value>.*\S)")
_TEXT = """\
# privkit identity. Whoever has this file can sign in its name. Do not give it away, and do not change it.
# Others need only the line `public`: give it to them by a way on which it cannot be exchanged.
name: {name}
public: {public}
secret: {secret}
"""
# Points whose order divides 8, without their sign (RFC 8032 section 5.1.7 lets them pass): under such a key, signatures
# that fit every message can be made without any secret.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


@dataclass(frozen=True)
class PublicIdentity:
    """What others know of an identity, enough to check its signatures.

    Two are equal when their keys are: the name is only what the owner calls it.

    Attributes:
        text: "ed25519:" and the base64 of the public key's 32 bytes.
        name: What the owner calls it; empty where only the key is known.
    """

    text: str
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _public_bytes(self.text)
        if self.name:
            _checked_name(self.name)

    @staticmethod
    def parse(text: str, name: str = "") -> PublicIdentity:
        """Reads a public identity as `text` writes it; space around it does not matter.

        Args:
            text: "ed25519:" and base64.
            name: What to call it.

        Raises:
            KeyFileError: It is no such text, or no key that could be safe.
        """
        return PublicIdentity(text.strip(), name)

    @property
    def fingerprint(self) -> str:
        """A short name for reading aloud: the first 128 bits of the key's SHA-256, 8 groups of 4 hexadecimal digits."""
        digits = hashlib.sha256(_public_bytes(self.text)).hexdigest()
        return "-".join(digits[place : place + 4] for place in range(0, 32, 4))

    def verify(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether this identity signed the message for this purpose.

        Args:
            purpose: What the signature is for.
            message: What was signed.
            signature: 64 bytes; any other length is no signature.
        """
        try:
            Ed25519PublicKey.from_public_bytes(_public_bytes(self.text)).verify(signature, _signed(purpose, message))
        except InvalidSignature:
            return False
        return True


class Identity:
    """A name and an Ed25519 key that signs in it.

    Made by `new` or `load`. It shows its name and its public key, never the secret one, and refuses to be pickled or
    copied.

    Attributes:
        name: What the owner calls it.
        public: What others need.
    """

    name: str
    public: PublicIdentity
    _key: Ed25519PrivateKey

    def __init__(self) -> None:
        raise TypeError("an Identity is made by Identity.new or Identity.load")

    @staticmethod
    def _from(secret: bytes, name: str) -> Identity:
        identity = object.__new__(Identity)
        identity._key = Ed25519PrivateKey.from_private_bytes(secret)
        identity.name = _checked_name(name)
        raw = identity._key.public_key().public_bytes_raw()
        identity.public = PublicIdentity(_SCHEME + base64.b64encode(raw).decode(), name)
        return identity

    @staticmethod
    def new(path: str | os.PathLike[str], name: str) -> Identity:
        """Makes an identity and writes its file, readable by its owner alone (mode 0600), never over another file.

        Args:
            path: Where to write it; the folder must exist.
            name: What to call it: 1 to 100 printable characters on one line.

        Raises:
            KeyFileError: The name does not do, the file exists, or cannot be written.
        """
        secret = os.urandom(KEY_BYTES)
        identity = Identity._from(secret, name)
        text = _TEXT.format(name=name, public=identity.public.text, secret=base64.b64encode(secret).decode())
        write_private(path, text, _KIND)
        return identity

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Identity:
        """Reads an identity file.

        Args:
            path: A file that `new` wrote.

        Raises:
            KeyFileError: The file is missing, not a regular file, open to others, empty, or damaged.
        """
        return _parsed(read_private(path, _KIND), os.fspath(path))

    def sign(self, purpose: str, message: bytes) -> bytes:
        """A signature (64 bytes) of the message for one purpose.

        Args:
            purpose: What the signature is for; `PublicIdentity.verify` wants the same.
            message: What is signed.
        """
        return self._key.sign(_signed(purpose, message))

    def __repr__(self) -> str:
        return f"Identity(name={self.name!r}, public={self.public.text!r})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("an Identity is not pickled or copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def _signed(purpose: str, message: bytes) -> bytes:
    label = purpose.encode()
    return _DOMAIN + len(label).to_bytes(8, "big") + label + message


def _public_bytes(text: str) -> bytes:
    try:
        raw = from_base64(text.removeprefix(_SCHEME))
    except ValueError:
        raise _not_public() from None
    if len(raw) != KEY_BYTES or not text.startswith(_SCHEME):
        raise _not_public()
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER:
        raise KeyFileError("this public identity is a point of small order: anybody could sign for it")
    return raw


def _not_public() -> KeyFileError:
    return KeyFileError(
        "this is not a public identity", hint=f"It is `{_SCHEME}` and 44 characters; see: privkit identity show FILE"
    )


def _checked_name(name: str) -> str:
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise KeyFileError(
            f"an identity's name has 1 to {LONGEST_NAME} printable characters, with no space at its ends",
            hint="Take the name that others know you by.",
        )
    return name


def _parsed(content: bytes, path: str) -> Identity:
    if not content.strip():
        raise KeyFileError(f"{path} is empty", hint="Restore it from a copy.")
    fields: dict[str, str] = {}
    for raw in content.split(b"\n"):
        line = raw.decode("utf-8", errors="replace").strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match["field"] in fields:
            raise _damaged(path)
        fields[match["field"]] = match["value"]
    if len(content) > MAX_FILE_BYTES or fields.keys() != {"name", "public", "secret"}:
        raise _damaged(path)
    try:
        identity = Identity._from(from_base64(fields["secret"]), fields["name"])
    except (ValueError, KeyFileError):
        raise _damaged(path) from None
    if identity.public.text != fields["public"]:
        raise _damaged(path)
    return identity


def _damaged(path: str) -> KeyFileError:
    return KeyFileError(
        f"{path} is not a privkit identity file, or it is damaged", hint="Restore it from a copy made when it was new."
    )
