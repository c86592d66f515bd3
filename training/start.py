"""What the tagger starts from: word vectors and the entity recognizer's first layers of spaCy's en_core_web_md (MIT),
and the frequencies and Brown clusters of spacy-lookups-data (MIT).

    python training/start.py MODEL_FOLDER LOOKUPS_FOLDER WORK/start.npz

The 300-dimensional vectors are projected on the 64 directions that the recognizer's own first layer uses most.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import regex
import spacy

_DIMENSIONS = 64
_FORM = regex.compile(r"\p{Latin}[\p{Latin}\p{M}'’.&-]{0,22}|[^\w\s]|\d{1,4}|['’]\w{1,2}")


def main(folder: str, lookups: str, out: str) -> None:
    """Reads the model and writes its parts as arrays."""
    nlp = spacy.load(folder)
    model = nlp.get_pipe("ner").model.get_ref("tok2vec").layers[0]
    arrays: dict[str, np.ndarray] = {}
    projection = None
    hashed, maxouts, norms = [], [], []
    for node in model.walk():
        if node.name == "static_vectors":
            projection = node.get_param("W")
        elif node.name == "hashembed":
            hashed.append((node.attrs["seed"], node.get_param("E")))
        elif node.name == "maxout":
            maxouts.append((node.get_param("W"), node.get_param("b")))
        elif node.name == "layernorm":
            norms.append((node.get_param("G"), node.get_param("b")))
    assert projection is not None
    print("hashed", [(seed, table.shape) for seed, table in hashed])
    print("maxout", [weights.shape for weights, _ in maxouts])
    for i, (_, table) in enumerate(hashed):
        arrays[f"hashed{i}"] = table
    for i, ((weights, bias), (gain, shift)) in enumerate(zip(maxouts, norms, strict=True)):
        arrays |= {f"W{i}": weights, f"b{i}": bias, f"gain{i}": gain, f"shift{i}": shift}
    vectors = nlp.vocab.vectors
    u, s, vt = np.linalg.svd(vectors.data @ projection.T, full_matrices=False)
    print("energy kept", float((s[:_DIMENSIONS] ** 2).sum() / (s**2).sum()))
    arrays["vectors"] = (u[:, :_DIMENSIONS] * s[:_DIMENSIONS]).astype(np.float32)
    arrays["projection"] = np.ascontiguousarray(vt[:_DIMENSIONS].T).astype(np.float32)
    known = vectors.key2row
    forms, rows = [], []
    for form in nlp.vocab.strings:
        row = known.get(nlp.vocab.strings[form])
        if row is not None and _FORM.fullmatch(form):
            forms.append(form)
            rows.append(row)
    read = lambda name: json.loads(gzip.decompress((Path(lookups) / f"en_lexeme_{name}.json.gz").read_bytes()))
    chances, clusters = read("prob"), read("cluster")
    row_of = dict(zip(forms, rows, strict=True))
    # Forms without a vector still count when they are frequent, or in a cluster.
    more = [f for f, p in chances.items() if f not in row_of and _FORM.fullmatch(f) and (p > -16.2 or clusters.get(f))]
    forms = sorted([*row_of, *more])
    arrays["forms"] = np.frombuffer("\n".join(forms).encode(), dtype=np.uint8)
    # Row 0 stands for no vector, chance 0 for none known: about -20, in steps of a fifteenth.
    arrays["rows"] = np.array([row_of.get(form, -1) + 1 for form in forms], dtype=np.uint16)
    arrays["chances"] = np.array(
        [round(15 * max(chances[form] + 20, 0)) if form in chances else 0 for form in forms], dtype=np.uint8
    )
    numbers = {code: number for number, code in enumerate(sorted(set(clusters.values()) - {0}), start=1)}
    arrays["clusters"] = np.array([numbers.get(clusters.get(form, 0), 0) for form in forms], dtype=np.uint16)
    print("more forms", len(more), "clusters", len(numbers), "in a cluster", int((arrays["clusters"] > 0).sum()))
    print("forms", len(forms))
    np.savez(Path(out), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
