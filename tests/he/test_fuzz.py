"""Mutated bytes through the checks and, where they pass, through the child: no crash, no hang, no odd result.

PRIVKIT_FUZZ says how many mutations; `make fuzz` runs a million.
"""

import os
import random
import struct

import numpy as np
import pytest
import zstandard
from he.mutations import mutated

from privkit.errors import CiphertextError
from privkit.he import structure, sums
from privkit.he.contexts import PublicContext, SecretContext

MUTATIONS = int(os.environ.get("PRIVKIT_FUZZ", "4000"))
SEED = os.environ.get("PRIVKIT_FUZZ_SEED", "1")
LENGTH = 5000
pytestmark = pytest.mark.timeout(max(600, MUTATIONS // 50))


def _repacked(content, numbers, form):
    """The vector with the bytes of one ciphertext changed under its compression, where a plain flip seldom reaches."""
    inner = [bytearray(one) for one in structure.read_vector(content, form, LENGTH, form.degree).ciphertexts()]
    one = numbers.choice(inner)
    for _ in range(numbers.randrange(1, 4)):
        if numbers.random() < 0.5:
            one[numbers.randrange(len(form.head))] ^= 1 << numbers.randrange(8)
        else:
            place = len(form.head) + 8 * numbers.randrange((len(one) - len(form.head)) // 8)
            struct.pack_into(
                "<Q", one, place, numbers.choice([0, 1, 2**36, 2**63, 2**64 - 1, numbers.randrange(2**36)])
            )
    packed = []
    for each in inner:
        frame = zstandard.ZstdCompressor(level=1).compress(bytes(each))
        packed.append(struct.pack("<2sBBBBHQ", b"\x5e\xa1", 16, 4, 3, 2, 0, 16 + len(frame)) + frame)
    return structure.write_vector(packed, LENGTH, form.degree)


def test_mutated_vectors(context, guard):
    parameters, form = context.parameters, sums._form(context.parameters)
    good = sums.encrypt(context.public, np.arange(LENGTH), guard=guard)
    numbers = random.Random(f"vectors {SEED}")
    accepted = 0
    for _ in range(MUTATIONS // 2):
        bad = _repacked(good, numbers, form) if numbers.random() < 0.1 else mutated(good, numbers)
        try:
            sums.check(bad, parameters, LENGTH)
        except CiphertextError:
            continue
        accepted += 1
        total = sums.add(context.public, [good, bad], LENGTH, guard=guard)
        values = sums.decrypt(context, total, LENGTH, guard=guard)
        assert values.shape == (LENGTH,)
        assert values.min() >= 0
        assert values.max() < parameters.plain_modulus
    assert accepted > MUTATIONS / 1000  # changed coefficients below their primes, which only a signature finds


@pytest.mark.parametrize("make", [PublicContext, SecretContext])
def test_mutated_contexts(context, guard, make):
    good = context.public.to_bytes() if make is PublicContext else context.to_bytes()
    content = sums.encrypt(context.public, np.arange(LENGTH), guard=guard)
    numbers = random.Random(f"{make.__name__} {SEED}")
    for _ in range(MUTATIONS // 4):
        try:
            found = make.from_bytes(mutated(good, numbers), context.parameters)
        except CiphertextError:
            continue
        if make is PublicContext:
            assert sums.add(found, [content], LENGTH, guard=guard)
        else:
            assert sums.decrypt(found, content, LENGTH, guard=guard).shape == (LENGTH,)
