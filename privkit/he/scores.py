"""Scores of encrypted rows: encrypt columns, weigh and sum them, run a program over the sum, decrypt what comes out.

One ciphertext holds one feature of as many rows as it has slots. So a weighted sum of features is a sum of ciphertexts
times constants: no rotation, hence no Galois keys (megabytes each), no partial sums left in other slots, and every slot
of every ciphertext does its share of the work. A row by itself costs as much as a full batch: this is for batches.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from privkit.errors import CiphertextError
from privkit.he import guarded, requests, structure
from privkit.he.circuit import Circuit
from privkit.he.ckks import ScoreParameters
from privkit.he.guarded import Guard
from privkit.he.objects import uncompressed
from privkit.he.scorekeys import PublicScoreKey, SecretScoreKey

Floats = npt.NDArray[np.float64]


def encrypt_columns(key: SecretScoreKey, rows: Floats, *, guard: Guard) -> Iterator[bytes]:
    """Encrypts the rows of one block, one vector a feature.

    Args:
        key: The batch's key.
        rows: float64 array (n, features), n at most the slots of a ciphertext, every number within ±1.
        guard: The child process.

    Yields:
        A TenSEAL CKKS vector of n numbers for each feature, in order.

    Raises:
        InterruptedRunError: The child died.
    """
    assert 1 <= len(rows) <= key.parameters.slots
    assert float(np.abs(rows).max()) <= 1
    for column in rows.T:
        guard.load(key)
        yield guard.ask(requests.ENCRYPT_COLUMN, np.ascontiguousarray(column).data.cast("B"))


def check(content: bytes, parameters: ScoreParameters, length: int, level: int) -> None:
    """Refuses bytes that are not a vector of `length` numbers at a level; no native SEAL reads them.

    Raises:
        CiphertextError: They are anything else.
    """
    _native(content, parameters, length, level)


def evaluate(
    key: PublicScoreKey,
    columns: Iterator[bytes],
    weights: Sequence[float],
    circuit: Circuit,
    length: int,
    *,
    guard: Guard,
) -> bytes:
    """Weighs and sums the columns of one block, and runs a program over the sum.

    Slots beyond `length` are multiplied by 0 together with the weights, so they hold nothing of what was sent in them;
    an encryption of zero is added to the result.

    Args:
        key: The public key that came with the batch.
        columns: One vector a feature; each is checked.
        weights: One a feature, within ±1; those that are 0 at the parameters' precision are left out.
        circuit: The program.
        length: How many rows the block has.
        guard: The child process.

    Returns:
        A TenSEAL CKKS vector of `length` numbers at the level that the program ends at.

    Raises:
        CiphertextError: A column is not what it should be.
        InterruptedRunError: The child died, and not of these bytes.
    """
    parameters = key.parameters
    with guarded.peers_bytes():
        guard.load(key)
        for weight in weights:
            body = _native(next(columns), parameters, length, 0)
            held = weight * circuit.correction(0)
            if abs(held) * parameters.scale >= 1:
                guard.ask(requests.WEIGH, struct.pack("<Qd", length, held), body)
        return guard.ask(requests.RUN, json.dumps(circuit.operations).encode())


def decrypt(key: SecretScoreKey, content: bytes, length: int, level: int, *, guard: Guard) -> Floats:
    """Decrypts a vector; its owner alone may see what comes out.

    Args:
        key: The batch's key.
        content: The vector; it is checked.
        length: How many numbers it holds.
        level: The level that the program ended at.
        guard: The child process.

    Returns:
        float64 array (length,). Under another key, noise: nothing in the bytes tells.

    Raises:
        CiphertextError: It is no such vector.
        InterruptedRunError: The child died, and not of these bytes.
    """
    body = _native(content, key.parameters, length, level)
    with guarded.peers_bytes():
        guard.load(key)
        values = np.frombuffer(guard.ask(requests.DECRYPT_COLUMN, body), dtype=np.float64)
    if len(values) != length or not np.isfinite(values).all():
        raise CiphertextError(f"it does not decrypt to {length} numbers")
    return values


def _native(content: bytes, parameters: ScoreParameters, length: int, level: int) -> bytes:
    """A vector checked and put together anew, uncompressed: what the child is given."""
    if not 1 <= length <= parameters.slots:
        raise CiphertextError(f"one ciphertext holds 1 to {parameters.slots} numbers, not {length}")
    form = parameters.form(level)
    tail = b"\x19" + struct.pack("<d", parameters.scale)
    (inner,) = structure.read_vector(content, form, length, parameters.slots, tail).ciphertexts()
    return structure.write_vector([uncompressed(inner)], length, parameters.slots, tail)
