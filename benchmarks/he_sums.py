"""Exact encrypted sums beside TenSEAL's own calls on the same numbers, in CPU time of all processes, in one run.

python benchmarks/he_sums.py [--values 1000000] [--runs 3]

TenSEAL's calls are those that messages between parties need: encrypt and serialize; load, add and serialize; load and
decrypt. privkit's do the same in a guarded child that is started for each, and check every byte that comes from a peer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tenseal
from measuring import publish

from privkit.he import sums
from privkit.he.contexts import SecretContext
from privkit.he.guarded import Guard
from privkit.he.parameters import ALLOWED

PARAMETERS = ALLOWED["bfv-4096-46-1"]
PARTIES = 3
REGRESSION = 78  # moments of eleven columns: what a linear regression on ten features needs
ROWS, FEATURES = 100_000, 10


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps what native code prints off standard output."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def spent() -> float:
    """CPU seconds of this process and of the children that it has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + usage.ru_utime + usage.ru_stime


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """A result and what it cost."""
    before = spent()
    result = function()
    return result, spent() - before


def ours(context: SecretContext, vectors: list[np.ndarray]) -> tuple[dict[str, float], int]:
    """privkit's encrypt, add and decrypt; CPU seconds, and bytes of one party's message."""
    length = len(vectors[0])
    contents, encrypting = timed(lambda: [sums.encrypt(context.public, vector) for vector in vectors])
    total, adding = timed(lambda: sums.add(context.public, contents, length))
    found, decrypting = timed(lambda: sums.decrypt(context, total, length))
    wanted = np.mod(np.sum([vector.astype(object) for vector in vectors], axis=0), PARAMETERS.plain_modulus)
    assert (found == wanted).all()
    return {"encrypt": encrypting, "add": adding, "decrypt": decrypting}, len(contents[0])


def theirs(vectors: list[np.ndarray]) -> dict[str, float]:
    """TenSEAL's, in this process."""
    key = tenseal.context(
        tenseal.SCHEME_TYPE.BFV,
        poly_modulus_degree=PARAMETERS.degree,
        plain_modulus=PARAMETERS.plain_modulus,
        n_threads=1,
    )
    public = tenseal.context_from(key.serialize(save_galois_keys=False, save_relin_keys=False), n_threads=1)
    centred = [np.where(v > PARAMETERS.plain_modulus // 2, v - PARAMETERS.plain_modulus, v) for v in vectors]

    def encrypt() -> list[bytes]:
        with quiet():
            return [tenseal.bfv_vector(public, vector.tolist()).serialize() for vector in centred]

    def add(contents: list[bytes]) -> bytes:
        total = tenseal.bfv_vector_from(public, contents[0])
        for content in contents[1:]:
            total += tenseal.bfv_vector_from(public, content)
        return total.serialize()

    contents, encrypting = timed(encrypt)
    total, adding = timed(lambda: add(contents))
    _, decrypting = timed(lambda: tenseal.bfv_vector_from(key, total).decrypt())
    return {"encrypt": encrypting, "add": adding, "decrypt": decrypting}


def raw_rows() -> tuple[float, int]:
    """One party's raw rows under CKKS, a column a vector, by TenSEAL: CPU seconds and bytes."""
    key = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, poly_modulus_degree=8192, coeff_mod_bit_sizes=[60, 40, 40, 60], n_threads=1
    )
    key.global_scale = 2.0**40
    columns = np.random.default_rng(0).normal(size=(FEATURES, ROWS))

    def encrypt() -> int:
        return sum(len(tenseal.ckks_vector(key, column.tolist()).serialize()) for column in columns)

    with quiet():
        size, cost = timed(encrypt)
    return cost, size


def in_one_child(context: SecretContext, vectors: list[np.ndarray], rounds: int = 50) -> float:
    """CPU seconds of all parties' encrypt, add and decrypt in a child that runs already: the cryptography alone."""

    def work(times: int) -> None:
        with Guard() as guard:
            guard.load(context)
            for _ in range(times):
                contents = [sums.encrypt(context.public, vector, guard=guard) for vector in vectors]
                total = sums.add(context.public, contents, len(vectors[0]), guard=guard)
                sums.decrypt(context, total, len(vectors[0]), guard=guard)

    _, started = timed(lambda: work(1))
    _, repeated = timed(lambda: work(rounds + 1))
    return (repeated - started) / rounds


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    """The median of each step, and of their sum."""
    steps = {step: statistics.median(one[step] for one in found) for step in found[0]}
    return {**steps, "total": statistics.median(sum(one.values()) for one in found)}


def rounded(numbers: dict[str, float]) -> dict[str, float]:
    """For people."""
    return {name: round(number, 4) for name, number in numbers.items()}


def by_parties(context: SecretContext, draw: np.random.Generator, values: int = 40_960) -> dict[str, dict[str, float]]:
    """CPU seconds of a party and of the aggregate for different numbers of parties."""
    found = {}
    for parties in (3, 10, 64):
        vectors = [draw.integers(0, PARAMETERS.plain_modulus, values) for _ in range(parties)]
        steps, _ = ours(context, vectors)
        found[str(parties)] = rounded({"encrypt_a_party": steps["encrypt"] / parties, "add": steps["add"]})
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    draw = np.random.default_rng(1)
    context, keys = timed(lambda: SecretContext.new(PARAMETERS))
    results: dict[str, Any] = {}
    for name, length in (("large", given.values), ("regression", REGRESSION)):
        vectors = [draw.integers(0, PARAMETERS.plain_modulus, length) for _ in range(PARTIES)]
        runs = [(ours(context, vectors), theirs(vectors)) for _ in range(given.runs)]
        mine, peer = medians([one[0] for one, _ in runs]), medians([one for _, one in runs])
        size = runs[0][0][1]
        results[name] = {
            "values": length,
            "parties": PARTIES,
            "privkit_cpu_seconds": rounded(mine),
            "tenseal_cpu_seconds": rounded(peer),
            "ratio": round(mine["total"] / peer["total"], 3),
            "bytes_a_party": size,
            "bytes_a_value": round(size / length, 2),
        }
    results["regression"]["in_a_running_child_cpu_seconds"] = round(in_one_child(context, vectors), 4)
    raw_cost, raw_size = raw_rows()
    results["regression"]["raw_rows_ckks"] = {
        "rows": ROWS,
        "features": FEATURES,
        "cpu_seconds_a_party": round(raw_cost, 3),
        "bytes_a_party": raw_size,
        "times_the_bytes": round(raw_size / results["regression"]["bytes_a_party"]),
    }
    results["by_parties"] = by_parties(context, draw)
    publish({"benchmark": "he_sums", "parameters": PARAMETERS.name, "new_key_cpu_seconds": round(keys, 4), **results})


if __name__ == "__main__":
    main()
