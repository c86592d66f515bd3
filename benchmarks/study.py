"""Encrypted studies: bytes and CPU seconds of a party, against encrypting its rows; what grows with the parties.

One run, one input. `cryptography` is masks, encryption, addition and decryption, in this process and in the guarded
child together; starting the child and importing is not in it. The rows are encrypted as TenSEAL's CKKS tutorial does
it: a vector of 4,096 values at a time, degree 8192, coefficient moduli of 60, 40, 40 and 60 bits.

    python benchmarks/study.py [--rows 100000] [--parties 3 10 64] [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else a second thread's waiting counts as work

import numpy as np
import pandas as pd
import tenseal as ts
from measuring import publish

import privkit
from privkit.dp.pooled import party_vector, with_share
from privkit.dp.sources import open_table
from privkit.he import masks, sums
from privkit.he.contexts import SecretContext
from privkit.he.guarded import Guard
from privkit.keys.agreement import AgreementSecret
from privkit.model.study import StudyKeyHolder, StudyResult, StudySpec
from privkit.study import result_of
from privkit.study.terms import Terms, draw_up, party_spec

PREDICTORS = tuple(f"x{number}" for number in range(10))
GROUPS = tuple(f"g{number:03d}" for number in range(1000))
COLUMNS = {name: {"type": "float", "bounds": [0, 100], "granularity": "0.1"} for name in (*PREDICTORS, "y")} | {
    "ward": {"type": "category", "categories": list(GROUPS)}
}
STATISTICS = {
    "regression on 10 columns": f"SELECT REGR(y, {', '.join(PREDICTORS)}) AS fit FROM data",
    "means of 1,000 groups": "SELECT ward, AVG(y) AS y FROM data GROUP BY ward",
    "histograms of 1,000 groups, 100 bins each": "SELECT ward, HISTOGRAM(y, 100) AS y FROM data GROUP BY ward",
}
Result = TypeVar("Result")


class Clock:
    """CPU seconds of this process and of a guarded child, by phase."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard
        self.spent: dict[str, list[float]] = {}

    def __call__(self, phase: str, work: Callable[[], Result]) -> Result:
        before = self._now()
        found = work()
        self.spent.setdefault(phase, []).append(self._now() - before)
        return found

    def _now(self) -> float:
        child = self._guard._child if self._guard is not None else None
        # The CPU-time clock of another process, as clock_getcpuclockid(3) makes it.
        return time.process_time() + (time.clock_gettime((~child.pid << 3) | 2) if child is not None else 0.0)


def frame(seed: int, rows: int) -> pd.DataFrame:
    """A party's rows, each another person: ten predictors and an outcome on a grid of 0.1 within 0 … 100."""
    draw = np.random.default_rng(seed)
    predictors = np.round(draw.uniform(0, 100, (rows, len(PREDICTORS))), 1)
    outcome = 20 + predictors @ np.linspace(-0.1, 0.2, len(PREDICTORS)) + draw.normal(0, 8, rows)
    made = pd.DataFrame(predictors, columns=list(PREDICTORS))
    made["y"] = np.round(np.clip(outcome, 0, 100), 1)
    made["ward"] = pd.Series(draw.choice(GROUPS, rows), dtype="str")
    made["pid"] = np.arange(rows)
    return made


def identities(folder: Path, parties: int) -> dict[str, Path]:
    """Identity files of some parties and of a key holder."""
    files = {name: folder / f"{name}.identity" for name in (*(f"p{i:02d}" for i in range(parties)), "holder")}
    for name, path in files.items():
        privkit.Identity.new(path, name)
    return files


def described(files: dict[str, Path], sql: str) -> StudySpec:
    """A study of one statistic."""
    parties = [{"name": n, "public": privkit.Identity.load(p).public.text} for n, p in files.items() if n != "holder"]
    return StudySpec.model_validate(
        {
            "study": "bench",
            "parties": parties,
            "privacy": {"epsilon": "2", "delta": "1e-9", "min_honest": len(parties) - 1},
            "unit": {"max_groups": 1, "max_rows_per_group": 1, "max_units": 200_000},
            "columns": COLUMNS,
            "statistics": [sql],
        }
    )


# ---- the cryptography alone


def cryptography(terms: Terms, clock: Clock, guard: Guard) -> None:
    """What a session of these terms computes on ciphertext and masks, on made-up sums; checks that they come out."""
    names, draw = terms.manifest.names, np.random.default_rng(5)
    flats = [draw.integers(-(10**6), 10**6, terms.pool.length) for _ in names]
    secrets, agreed = [AgreementSecret() for _ in names], bytes(32)
    pairs = [secret.public for secret in secrets]
    contexts = clock("keys", lambda: [SecretContext.new(found, guard=guard) for found in terms.parameters])

    def seed(one: int, other: int, channel: str) -> bytes:
        return secrets[one].seed(pairs[other], agreed, f"{channel} {min(one, other)} {max(one, other)}".encode())

    def masked(place: int) -> list[masks.Integers]:
        residues = terms.packing.split(flats[place])
        return [
            masks.masked(
                part,
                found.plain_modulus,
                added=[seed(place, i, found.name) for i in range(place + 1, len(names))],
                subtracted=[seed(place, i, found.name) for i in range(place)],
            )
            for part, found in zip(residues, terms.parameters, strict=True)
        ]

    sent = []
    for place in range(len(names)):
        hidden = clock("masks, a party", lambda place=place: masked(place))
        guard._loaded = None  # another party's child has to load the context first
        sent.append(
            clock(
                "encryption, a party",
                lambda hidden=hidden: [
                    sums.encrypt(context.public, part, guard=guard)
                    for context, part in zip(contexts, hidden, strict=True)
                ],
            )
        )
    lengths = terms.packing.lengths
    added = clock(
        "addition",
        lambda: [
            sums.add(context.public, [parts[i] for parts in sent], lengths[i], guard=guard)
            for i, context in enumerate(contexts)
        ],
    )
    opened = clock(
        "decryption",
        lambda: [sums.decrypt(c, part, n, guard=guard) for c, part, n in zip(contexts, added, lengths, strict=True)],
    )
    assert np.array_equal(terms.packing.joined(opened), sum(flats)), "the sum is not the plain one"


def medians(terms: Terms, runs: int) -> dict[str, float]:
    """CPU seconds by phase, medians, and of the whole session."""
    with Guard() as guard:
        SecretContext.new(terms.parameters[0], guard=guard)  # starts the child
        cryptography(terms, Clock(guard), guard)  # and warms it
        clock = Clock(guard)
        for _ in range(runs):
            cryptography(terms, clock, guard)
    found = {phase: statistics.median(each) for phase, each in clock.spent.items()}
    party = found["masks, a party"] + found["encryption, a party"]
    whole = party * len(terms.manifest.parties) + found["addition"] + found["decryption"]
    return {
        **{phase: round(each, 5) for phase, each in found.items()},
        "a party": round(party, 5),
        "all": round(whole, 4),
    }


# ---- a whole session


def session(folder: Path, sql: str, rows: int, runs: int) -> tuple[dict[str, Any], StudyResult]:
    """Three parties from their tables to the result; what each contribution was made of."""
    folder.mkdir()
    files = identities(folder, 3)
    holder = privkit.KeyHolder.new(described(files, sql), files["holder"])
    invitation, terms = holder.invitation, holder.terms
    parties = {name: privkit.Party(invitation, files[name]) for name in terms.manifest.names}
    shares = [party.share() for party in parties.values()]
    adder, phases, contributions = privkit.Aggregator(invitation, shares), Clock(), []
    for seed, (name, party) in enumerate(parties.items()):
        source = folder / f"{name}.parquet"
        frame(seed, rows).to_parquet(source)
        own = privkit.Dataset(
            source,
            name=name,
            unit={"column": "pid", "max_units": 200_000},
            columns=COLUMNS,
            budget={"epsilon": 8, "delta": "1e-9"},
            ledger=folder / f"{name}.ledger.sqlite3",
        )
        privkit.create_budget(own)
        contribution, _ = phases("whole contribution", lambda party=party, own=own: party.contribute(shares, own))
        contributions.append(contribution)
        adder.add(contribution)
        with open_table(party_spec(terms, own.spec), own.folder, None) as table:
            flat = phases(
                "aggregate", lambda own=own, table=table: party_vector(terms.pool, party_spec(terms, own.spec), table)
            )
        phases("noise", lambda flat=flat: with_share(terms.pool, flat, terms.scales))
    reveal = holder.reveal(shares, contributions, adder.aggregate())
    spent = {phase: round(statistics.median(each), 4) for phase, each in phases.spent.items()}
    found = {
        "slots": terms.pool.length,
        "channels": len(terms.parameters),
        "bytes_a_party": max(len(contribution.to_bytes()) for contribution in contributions),
        "cpu_seconds_of_cryptography": medians(terms, runs),
        "cpu_seconds_of_a_party": spent,
    }
    return found, result_of(reveal, invitation)


def against_numpy(result: StudyResult, rows: int) -> dict[str, Any]:
    """The coefficients beside least squares on the pooled rows."""
    pooled = pd.concat([frame(seed, rows) for seed in range(3)])
    matrix = np.column_stack([np.ones(len(pooled)), pooled[list(PREDICTORS)]])
    exact = np.linalg.lstsq(matrix, pooled.y, rcond=None)[0]
    values = result.statistics[0].results[0].values[0]
    apart = [abs(float(value.value) - number) for value, number in zip(values, exact, strict=True)]
    half = [(value.high - value.low) / 2 for value in values]
    return {
        "largest_difference_of_a_slope": float(f"{max(apart[1:]):.3g}"),
        "widest_half_interval_of_a_slope": float(f"{max(half[1:]):.3g}"),
        "differences_in_half_intervals": [round(a / h, 2) for a, h in zip(apart, half, strict=True)],
    }


def against_means(result: StudyResult, rows: int) -> dict[str, Any]:
    """The groups' means beside those of the pooled rows."""
    exact = pd.concat([frame(seed, rows) for seed in range(3)]).groupby("ward").y.mean()
    values = [value for (value,) in result.statistics[0].results[0].values]
    apart = [abs(v.value - exact[key]) for v, (key,) in zip(values, result.statistics[0].keys, strict=True)]
    inside = [v.low <= exact[key] <= v.high for v, (key,) in zip(values, result.statistics[0].keys, strict=True)]
    return {
        "median_difference": round(statistics.median(apart), 3),
        "inside_their_interval": round(float(np.mean(inside)), 3),
    }


def encrypted_rows(rows: int) -> dict[str, Any]:
    """One party's ten columns and outcome under CKKS, value by value: bytes sent and CPU seconds of encrypting."""
    context = ts.context(ts.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 40, 60], n_threads=1)
    context.global_scale = 2.0**40
    columns = frame(0, rows)[[*PREDICTORS, "y"]].to_numpy().T
    size, before = 0, time.process_time()
    for column in columns:
        for start in range(0, rows, 4096):
            size += len(ts.ckks_vector(context, column[start : start + 4096].tolist()).serialize())
    return {"bytes_a_party": size, "cpu_seconds_a_party": round(time.process_time() - before, 3)}


def grown(folder: Path, parties: int, sql: str, runs: int) -> dict[str, float]:
    """The cryptography of a session of so many parties."""
    folder.mkdir()
    files = identities(folder, parties)
    public = privkit.Identity.load(files["holder"]).public.text
    terms = draw_up(described(files, sql), StudyKeyHolder(name="holder", public=public))
    return medians(terms, runs)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--parties", type=int, nargs="+", default=[3, 10, 64])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    ours: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (label, sql) in enumerate(STATISTICS.items()):
            ours[label], result = session(folder / str(number), sql, given.rows, given.runs)
            if number == 0:
                ours[label]["against_numpy"] = against_numpy(result, given.rows)
            elif number == 1:
                ours[label]["against_exact_means"] = against_means(result, given.rows)
        regression, means = list(STATISTICS.values())[:2]
        grows = {
            label: {f"{n} parties": grown(folder / f"{label}{n}", n, sql, given.runs) for n in given.parties}
            for label, sql in (("regression", regression), ("means", means))
        }
    rows, first = encrypted_rows(given.rows), ours["regression on 10 columns"]
    publish(
        {
            "benchmark": "study",
            "parties": 3,
            "rows_a_party": given.rows,
            "studies": ours,
            "rows_encrypted_with_ckks": rows,
            "ratio": {
                "bytes": round(rows["bytes_a_party"] / first["bytes_a_party"]),
                "cpu": round(rows["cpu_seconds_a_party"] / first["cpu_seconds_of_cryptography"]["a party"]),
            },
            "cpu_seconds_of_cryptography_by_parties": grows,
        }
    )


if __name__ == "__main__":
    main()
