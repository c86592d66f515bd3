"""Gaussian noise: microseconds a draw of OpenDP's sampler and of privkit's, in one run, at the same scales.

OpenDP draws at most a hundred thousand at a time here, as its time a draw does not depend on how many; privkit's is
given for a new scale, whose table it must make first, and for one that it has met.

    python benchmarks/noise.py [--scales 3.7 60 1000.3] [--draws 1000 10000 100000 1000000] [--runs 5]
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from functools import partial

import numpy as np
from measuring import call_cost, publish
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features

from privkit.dp import sampler

OPENDP_DRAWS = 100_000

enable_features("contrib")


def opendp_draws(scale: float, size: int) -> None:
    space = vector_domain(atom_domain(T="i64")), l2_distance(T="f64")
    make_gaussian(*space, scale=scale)(np.zeros(size, dtype=np.int64))


def privkit_draws(scale: float, size: int) -> None:
    sampler.discrete_gaussian(Fraction(scale) ** 2, size)


def new_scale(scale: float, size: int) -> None:
    sampler._law.cache_clear()
    privkit_draws(scale, size)


def measured(scale: float, size: int, runs: int) -> dict[str, float]:
    few = min(size, OPENDP_DRAWS)
    theirs = call_cost(partial(opendp_draws, scale, few), runs) / few
    first = call_cost(partial(new_scale, scale, size), runs) / size
    ours = call_cost(partial(privkit_draws, scale, size), runs) / size
    return {
        "scale": scale,
        "draws": size,
        "opendp_microseconds": round(theirs * 1e6, 3),
        "privkit_microseconds": round(ours * 1e6, 3),
        "privkit_new_scale_microseconds": round(first * 1e6, 3),
        "ratio": round(theirs / ours, 1),
        "ratio_new_scale": round(theirs / first, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[3.7, 60.0, 1000.3])
    parser.add_argument("--draws", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    opendp_draws(1.0, 10)
    publish({"cpu": [measured(scale, size, given.runs) for scale in given.scales for size in given.draws]})


if __name__ == "__main__":
    main()
