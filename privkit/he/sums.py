"""Exact sums of encrypted integers: encrypt, check, add, decrypt. BFV, batched; no rotation and no multiplication.

A vector of n values is one TenSEAL BFV vector of ceil(n / N) ciphertexts, N values each. It passes to and from the
guarded child in runs of a few ciphertexts, so a request's time and memory do not grow with n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from privkit.errors import CiphertextError, StudyError
from privkit.he import guarded, requests, structure
from privkit.he.contexts import PublicContext, SecretContext
from privkit.he.guarded import Guard
from privkit.he.objects import uncompressed
from privkit.he.parameters import Parameters

Integers = npt.NDArray[np.int64]


def encrypt(context: PublicContext, values: Integers, *, guard: Guard | None = None) -> bytes:
    """Encrypts a vector.

    Args:
        context: Whose owner alone can decrypt.
        values: int64 array (n,), n at least 1, each in 0..t-1 with t the plain modulus.
        guard: A child process that runs already; one for this call by default.

    Returns:
        A TenSEAL BFV vector, about 21.6 bytes a value when n is a multiple of N.

    Raises:
        StudyError: A value is outside 0..t-1, where BFV would reduce it without a word, or there is none.
        CiphertextError: SEAL refuses the context.
        InterruptedRunError: The child died.
    """
    parameters = context.parameters
    values = _residues(values, parameters)
    packed: list[memoryview] = []
    with guarded.using(guard) as child:
        with guarded.peers_bytes():
            child.load(context)
        for run in _runs(len(values), parameters):
            part = np.ascontiguousarray(values[run])
            answer = child.ask(requests.ENCRYPT, part.data.cast("B"))
            packed += _vector(answer, parameters, len(part)).packed
    return structure.write_vector(packed, len(values), parameters.degree)


def check(content: bytes, parameters: Parameters, length: int) -> None:
    """Refuses bytes that are not a vector of `length` values under `parameters`; no native SEAL reads them.

    Which key they are encrypted with cannot be seen: under another key they decrypt to noise. So whoever sends them
    signs the context's hash beside them.

    Args:
        content: The bytes.
        parameters: What they have to be of.
        length: How many values they have to hold.

    Raises:
        CiphertextError: They are anything else.
    """
    for _ in _vector(content, parameters, length).ciphertexts():
        pass


def add(context: PublicContext, contents: Iterable[bytes], length: int, *, guard: Guard | None = None) -> bytes:
    """Adds vectors, slot by slot, modulo t. Anybody can, and gets the same bytes.

    Args:
        context: What they were encrypted with.
        contents: At least one vector; each is checked as `check` does, and held one at a time.
        length: How many values each holds.
        guard: A child process that runs already; one for this call by default. Not to be used while `contents` runs.

    Returns:
        A TenSEAL BFV vector.

    Raises:
        CiphertextError: One of them is no such vector; the message counts from 1.
        StudyError: None is given, or more than the parameters' noise has room for.
        InterruptedRunError: The child died, and not of these bytes.
    """
    parameters = context.parameters
    runs = list(_runs(length, parameters))
    with guarded.using(guard) as child, guarded.peers_bytes():
        child.load(context)
        count = 0
        for count, content in enumerate(contents, 1):
            if count > parameters.most_parties:
                raise StudyError(f"{parameters.name} has room for sums of {parameters.most_parties} ciphertexts")
            try:
                for number, body in enumerate(_native_runs(content, parameters, length)):
                    child.ask(requests.ADD, guarded.numbered(number), body)
            except CiphertextError as err:
                raise CiphertextError(f"vector {count} of the sum: {err.message}") from None
        if not count:
            raise StudyError("a sum of no ciphertexts has no value")
        packed: list[memoryview] = []
        for number, run in enumerate(runs):
            answer = child.ask(requests.SUM, guarded.numbered(number))
            packed += _vector(answer, parameters, run.stop - run.start).packed
    return structure.write_vector(packed, length, parameters.degree)


def decrypt(context: SecretContext, content: bytes, length: int, *, guard: Guard | None = None) -> Integers:
    """Decrypts a vector, exactly.

    Under another key than it was encrypted with, the values are noise: nothing in the bytes tells.

    Args:
        context: The key pair.
        content: The vector; it is checked as `check` does.
        length: How many values it holds.
        guard: A child process that runs already; one for this call by default.

    Returns:
        int64 array (length,), each in 0..t-1.

    Raises:
        CiphertextError: It is no such vector.
        InterruptedRunError: The child died, and not of these bytes.
    """
    if not isinstance(context, SecretContext):
        raise TypeError("only a SecretContext decrypts")
    parameters = context.parameters
    with guarded.using(guard) as child, guarded.peers_bytes():
        child.load(context)
        parts = [child.ask(requests.DECRYPT, body) for body in _native_runs(content, parameters, length)]
    values = np.frombuffer(b"".join(parts), dtype=np.int64)
    if len(values) != length:
        raise CiphertextError(f"it decrypts to {len(values)} values, not {length}")
    return np.where(values < 0, values + parameters.plain_modulus, values)


def _residues(values: Integers, parameters: Parameters) -> Integers:
    """The values as TenSEAL takes them: the upper half of 0..t-1 as negative numbers."""
    modulus = parameters.plain_modulus
    if values.ndim != 1 or values.dtype != np.int64 or not values.size:
        raise StudyError("what is encrypted is an int64 array of one dimension with at least one value")
    outside = int(np.count_nonzero((values < 0) | (values >= modulus)))
    if outside:
        raise StudyError(f"{outside} of {len(values)} values are outside 0..{modulus - 1} and would be changed")
    return np.where(values > modulus // 2, values - modulus, values)


def _runs(length: int, parameters: Parameters) -> Iterator[slice]:
    """Which values go to the child together."""
    step = requests.CIPHERTEXTS * parameters.degree
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def _form(parameters: Parameters) -> structure.Form:
    return structure.ciphertext_form(parameters.data_id, parameters.degree, parameters.data_moduli)


def _vector(content: bytes, parameters: Parameters, length: int) -> structure.Vector:
    return structure.read_vector(content, _form(parameters), length, parameters.degree)


def _native_runs(content: bytes, parameters: Parameters, length: int) -> Iterator[bytes]:
    """A vector checked and put together anew, uncompressed, in runs that the child takes."""
    ciphertexts = _vector(content, parameters, length).ciphertexts()
    for run in _runs(length, parameters):
        size = run.stop - run.start
        objects = [uncompressed(next(ciphertexts)) for _ in structure.chunks(size, parameters.degree)]
        yield structure.write_vector(objects, size, parameters.degree)
