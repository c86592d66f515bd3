"""The mean of the parameters of several runs that started from the same point ("model soup", Wortsman et al. 2022).

    python training/average.py WORK/tagger.npz WORK/first.npz WORK/second.npz …

Runs with different dropout and speeds err differently; their mean is better on every development set than most of them,
and costs no more than one.
"""

from __future__ import annotations

import sys

import numpy as np


def main(target: str, *sources: str) -> None:
    """Reads the runs and writes their mean; what is not trained must be the same in all."""
    runs = [np.load(source) for source in sources]
    out = {}
    for name in runs[0].files:
        arrays = [run[name] for run in runs]
        if arrays[0].dtype.kind == "f":
            out[name] = np.mean(arrays, axis=0, dtype=np.float64).astype(np.float32)
        else:
            assert all(np.array_equal(arrays[0], other) for other in arrays[1:]), name
            out[name] = arrays[0]
    np.savez(target, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
