"""Sums of integers in TenSEAL's own words: the child's answers to the requests of `privkit.he.sums`."""

from __future__ import annotations

import array
import struct
from collections.abc import Callable
from functools import partial

from privkit.he import requests
from privkit.he.loaded import Loaded


def answers(loaded: Loaded) -> dict[bytes, Callable[[bytes], bytes]]:
    """What to do for each request."""
    return {
        requests.NEW: partial(_new, loaded),
        requests.ENCRYPT: partial(_encrypt, loaded),
        requests.ADD: partial(_add, loaded),
        requests.SUM: partial(_sum, loaded),
        requests.DECRYPT: partial(_decrypt, loaded),
    }


def _new(loaded: Loaded, body: bytes) -> bytes:
    native = loaded.native
    degree, plain_modulus = struct.unpack("<QQ", body)
    context = native.TenSEALContext.new(
        native.SCHEME_TYPE.BFV, degree, plain_modulus, [], native.ENCRYPTION_TYPE.ASYMMETRIC, 1
    )
    written: bytes = context.serialize(True, True, False, False)
    return written


def _encrypt(loaded: Loaded, body: bytes) -> bytes:
    written: bytes = loaded.native.BFVVector(loaded.context, memoryview(body).cast("q").tolist()).serialize()
    return written


def _add(loaded: Loaded, body: bytes) -> bytes:
    (number,) = struct.unpack_from("<Q", body)
    vector = loaded.native.BFVVector(loaded.context, body[8:])
    if number in loaded.sums:
        loaded.sums[number] += vector
    else:
        loaded.sums[number] = vector
    return b""


def _sum(loaded: Loaded, body: bytes) -> bytes:
    (number,) = struct.unpack("<Q", body)
    written: bytes = loaded.sums.pop(number).serialize()
    return written


def _decrypt(loaded: Loaded, body: bytes) -> bytes:
    values = loaded.native.BFVVector(loaded.context, body).decrypt(loaded.context.secret_key())
    return array.array("q", values).tobytes()
