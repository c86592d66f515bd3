"""Scores in TenSEAL's own words: the child's answers to the requests of `privkit.he.scores`."""

from __future__ import annotations

import array
import json
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from privkit.he import requests
from privkit.he.loaded import Loaded

_WEIGHTED = -1  # the weighted sum's number among the sums


def answers(loaded: Loaded) -> dict[bytes, Callable[[bytes], bytes]]:
    """What to do for each request."""
    return {
        requests.NEW_APPROXIMATE: partial(_new, loaded),
        requests.PUBLISH: partial(_publish, loaded),
        requests.ENCRYPT_COLUMN: partial(_encrypt, loaded),
        requests.WEIGH: partial(_weigh, loaded),
        requests.RUN: partial(_run, loaded),
        requests.DECRYPT_COLUMN: partial(_decrypt, loaded),
    }


def _new(loaded: Loaded, body: bytes) -> bytes:
    native = loaded.native
    degree, scale_bits, *bits = struct.unpack(f"<{len(body) // 8}Q", body)
    context = native.TenSEALContext.new(native.SCHEME_TYPE.CKKS, degree, 0, bits, native.ENCRYPTION_TYPE.ASYMMETRIC, 1)
    context.global_scale = 2.0**scale_bits
    written: bytes = context.serialize(True, True, False, False)
    return written


def _publish(loaded: Loaded, body: bytes) -> bytes:
    """The public half of the loaded context, with fresh relinearisation keys where they are asked for."""
    if body:
        loaded.context.generate_relin_keys()
    written: bytes = loaded.context.serialize(True, False, False, bool(body))
    return written


def _encrypt(loaded: Loaded, body: bytes) -> bytes:
    written: bytes = loaded.native.CKKSVector(loaded.context, memoryview(body).cast("d").tolist()).serialize()
    return written


def _weigh(loaded: Loaded, body: bytes) -> bytes:
    """Multiplies a vector of n values by a constant in its first n slots and by 0 in all others, and adds it up."""
    length, constant = struct.unpack_from("<Qd", body)
    vector = loaded.native.CKKSVector(loaded.context, body[16:])
    vector.mul_plain_([constant] * length)
    if _WEIGHTED in loaded.sums:
        loaded.sums[_WEIGHTED] += vector
    else:
        loaded.sums[_WEIGHTED] = vector
    return b""


def _run(loaded: Loaded, body: bytes) -> bytes:
    """Runs a program over the weighted sum, and adds an encryption of zero to what comes out.

    Without that, the answer's second polynomial would be a plain linear function of the question's, and whoever asked
    could read the weights from it.
    """
    program = json.loads(body)
    values = [loaded.sums.pop(_WEIGHTED)]
    for operation in program:
        values.append(_applied(values, *operation))
    result = values[-1]
    result += loaded.native.CKKSVector(loaded.context, [0.0] * result.size())
    written: bytes = result.serialize()
    return written


def _applied(values: list[Any], operation: str, left: int, right: Any) -> Any:
    """One operation, into a new value.

    Where two operands are at different levels, TenSEAL lowers one of them in place: the left one, in a copy of its own,
    as the program has the one with more primes there. (The vectors' own `copy` would copy the context too.)
    """
    first = values[left]
    if operation == "times":
        return first.square() if left == right else first.mul(values[right])
    if operation == "plus":
        return first.add(values[right])
    if operation == "scaled":
        return first.mul_plain(right)
    if operation == "shifted":
        return first.add_plain(right)
    if operation == "shifted in its slots":  # and not in those that no row has
        return first.add_plain([right] * first.size())
    raise ValueError(operation)


def _decrypt(loaded: Loaded, body: bytes) -> bytes:
    values = loaded.native.CKKSVector(loaded.context, body).decrypt(loaded.context.secret_key())
    return array.array("d", values).tobytes()
