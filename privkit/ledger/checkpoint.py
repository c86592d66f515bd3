"""A signed statement of how far a ledger had come, to be kept where the ledger's keeper cannot change it.

With it, a chain that was computed anew, a cut tail and an older copy are found, up to the checkpoint: what was done to
entries after it is not, nor what somebody does who also holds the signing key.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.errors import InputError, KeyFileError, VerificationError
from privkit.io.staged import Staged, check_place
from privkit.keys.identity import Identity, PublicIdentity
from privkit.keys.privatefile import from_base64
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Sha256
from privkit.ledger.store import System
from privkit.ledger.stores import Place, open_store
from privkit.ledger.verifying import Verified, verify_store
from privkit.model.canonical import canonical_json

PURPOSE = "ledger checkpoint"
_LARGEST_FILE = 65536


class Checkpoint(BaseModel):
    """The end of a ledger's chain at some time, signed.

    Attributes:
        format: What this is.
        dataset: Name of the ledger's dataset.
        sequence: How many entries it had.
        head: Hash of the last one, and so of all before it.
        time: UTC, ISO 8601, by the signer's clock.
        signer: What the signer calls itself.
        public: The signer's public key, as `PublicIdentity.text` writes it.
        signature: Base64 of the Ed25519 signature over the canonical JSON of all of the above.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["privkit ledger checkpoint 1"] = "privkit ledger checkpoint 1"
    dataset: str
    sequence: Annotated[int, Field(ge=1, strict=True)]
    head: Sha256
    time: str
    signer: str
    public: str
    signature: str

    @property
    def identity(self) -> PublicIdentity:
        """Who signed it, by its own account.

        Raises:
            VerificationError: That is no public identity.
        """
        try:
            return PublicIdentity.parse(self.public, self.signer)
        except KeyFileError:
            raise _bad("names no public identity as its signer") from None

    def check_signature(self, signer: PublicIdentity | None = None) -> None:
        """Checks that it was signed by whom it names, and that this is whom one expects.

        Args:
            signer: Who must have signed it; None: whoever it names, which finds accidents only.

        Raises:
            VerificationError: It was changed, or somebody else signed it.
        """
        if signer is not None and signer != self.identity:
            raise _bad("was signed by another identity than the one given")
        try:
            signature = from_base64(self.signature)
        except ValueError:
            raise _bad("has a signature that is none") from None
        if not self.identity.verify(PURPOSE, _signed(self.model_dump(mode="json")), signature):
            raise _bad("was changed after it was signed")


def checkpoint(ledger: Ledger, identity: Identity) -> Checkpoint:
    """Signs the end of a ledger. It does not look at the entries: verify the ledger first.

    Args:
        ledger: An open ledger.
        identity: Who signs.

    Raises:
        VerificationError: The ledger's last entry is not the one that its totals are of.
    """
    end, time = ledger.end()
    statement: dict[str, Any] = {
        "format": "privkit ledger checkpoint 1",
        "dataset": ledger.opening.dataset,
        "sequence": end.sequence,
        "head": end.hash,
        "time": time,
        "signer": identity.name,
        "public": identity.public.text,
    }
    signature = identity.sign(PURPOSE, _signed(statement))
    return Checkpoint(**statement, signature=base64.b64encode(signature).decode())


def verify_checkpoint(
    place: Place,
    checkpoint: Checkpoint,
    signer: PublicIdentity | None = None,
    *,
    system: System | None = None,
) -> Verified:
    """Verifies a ledger, and that it still has all that a checkpoint was signed over.

    Args:
        place: The ledger's file, or the URL of its database.
        checkpoint: The checkpoint.
        signer: Who must have signed it; None: whoever it names. Then whoever changed the ledger may have signed anew.
        system: For tests.

    Raises:
        LedgerError: The ledger is missing, or cannot be read.
        VerificationError: The signature, the ledger, or the two together do not hold.
    """
    checkpoint.check_signature(signer)
    return verify_pinned(place, checkpoint.dataset, {checkpoint.sequence: checkpoint.head}, system=system)


def verify_pinned(place: Place, dataset: str, pinned: Mapping[int, str], *, system: System | None = None) -> Verified:
    """Verifies a ledger, and that it still has the entries that something signed tells of.

    Args:
        place: The ledger's file, or the URL of its database.
        dataset: Whose ledger it must be.
        pinned: Hashes of entries by sequence.
        system: For tests.

    Raises:
        LedgerError: The ledger is missing, or cannot be read.
        VerificationError: It does not hold, is of another dataset, or lacks what was signed.
    """
    store = open_store(place, dataset, read_only=True, system=system or System())
    try:
        found = Ledger(store).opening.dataset
        if found != dataset:
            raise _bad(f"is of the dataset {dataset}, and the ledger of {found}")
        return verify_store(store, pinned)
    finally:
        store.close()


def write_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint, *, force: bool = False) -> None:
    """Writes a checkpoint as canonical JSON and a line end.

    Raises:
        OutputError: The file exists and `force` is not given, or it cannot be written.
    """
    check_place(Path(path), "checkpoint", force=force)
    with Staged() as staged:
        staged.add(Path(path), canonical_json(checkpoint).decode() + "\n")
        staged.publish()


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint; whether it holds is not looked at.

    Raises:
        InputError: The file cannot be read.
        VerificationError: It is no checkpoint.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{os.fspath(path)} cannot be read: {error.strerror}", path=os.fspath(path)) from None
    try:
        read = Checkpoint.model_validate_json(content) if len(content) <= _LARGEST_FILE else None
    except ValueError:
        read = None
    if read is None:
        raise _bad(f"in {os.fspath(path)} is none, or it is damaged")
    return read


def _signed(statement: dict[str, Any]) -> bytes:
    return canonical_json({name: value for name, value in statement.items() if name != "signature"})


def _bad(what: str) -> VerificationError:
    return VerificationError(f"the checkpoint {what}", hint="Take the checkpoint from where it was kept.")
