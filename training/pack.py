"""Makes the package's file of trained parameters: tables as bytes with a scale a row, matrices in half precision.

python training/pack.py WORK/tagger.npz privkit/deid/recognizers/tagger/tagger.npz
"""

from __future__ import annotations

import hashlib
import lzma
import sys
from pathlib import Path

import numpy as np

_TABLES = ("hashed0", "hashed1", "hashed2", "hashed3", "ngrams", "vectors", "clustered")
_TEXTS = ("forms", "gazetteer")
_NUMBERS = ("rows", "bits", "chances", "clusters")


def packed(array: np.ndarray) -> np.ndarray:
    """Bytes, compressed."""
    return np.frombuffer(lzma.compress(array.tobytes(), preset=9 | lzma.PRESET_EXTREME), dtype=np.uint8)


def main(source: str, target: str) -> None:
    """Reads one file and writes the other."""
    given = np.load(source)
    out: dict[str, np.ndarray] = {}
    for name in given.files:
        array = given[name]
        if name in _TABLES:
            scale = np.maximum(np.abs(array).max(axis=1), 1e-8).astype(np.float32) / 127
            out[name] = packed(np.round(array / scale[:, None]).astype(np.int8))
            out[f"{name}.scale"] = scale
        elif name in _TEXTS or name in _NUMBERS:
            out[name] = packed(array)
        else:
            out[name] = array.astype(np.float16)
    np.savez(Path(target), **out)
    content = Path(target).read_bytes()
    for name, array in sorted(out.items(), key=lambda item: -item[1].nbytes)[:12]:
        print(f"{name:16} {array.nbytes:>9,}")
    print(f"{target}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
