"""Notes of ~127 characters and a CSV through the detector `full`: privkit against stock Presidio, in one go.

Stock is `AnalyzerEngine.analyze` on the notes, and `BatchAnalyzerEngine.analyze_dict` with `BatchAnonymizerEngine` at
its defaults on the CSV's rows (see notes.py and deidentify_csv.py). privkit on the CSV is the whole command, start-up
and residual check included. How much of the notes Rampart read is measured too: the rest was left out.

    python benchmarks/full.py [--notes 2048] [--rows 100000] [--stock-rows 400]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from deidentify_csv import stock_cpu_ms, stock_engines
from inputs import People, write_csv
from measuring import call_cost, command_cost, publish


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--stock-rows", type=int, default=400)
    given = parser.parse_args()
    publish(
        {"benchmark": "full", "notes": measured_notes(given.notes), "csv": measured_csv(given.rows, given.stock_rows)}
    )


def measured_notes(count: int) -> dict[str, object]:
    """CPU milliseconds a note, and texts per CPU-second against stock's."""
    from privkit.deid.recognizers.agreement import LEAST
    from privkit.deid.recognizers.build import build_detector
    from privkit.deid.recognizers.full import FullDetector
    from privkit.deid.recognizers.rampart import Rampart
    from privkit.deid.recognizers.tagger.recognizer import TaggerRecognizer

    people = People()
    notes = [people.note() for _ in range(count)]
    few = notes[: max(1, count // 16)]
    stock = stock_engines()[0].analyzer_engine
    detector = build_detector("full")
    core = build_detector("core")
    assert isinstance(detector, FullDetector)
    # As many notes beforehand as a run has behind it when it is under way: caches are filled, filters are built.
    before = [people.note() for _ in range(2_048)]
    detector.detect(before)
    core.detect(before)
    model = Rampart()
    cpu_ms = {
        "presidio_analyze": call_cost(lambda: [stock.analyze(text=note, language="en") for note in few]) / len(few),
        "privkit_full": call_cost(lambda: detector.detect(notes)) / len(notes),
        "privkit_core": call_cost(lambda: core.detect(notes)) / len(notes),
        "rampart_everything": call_cost(lambda: model.detect(notes)) / len(notes),
    }
    read = map(detector.parts, notes, TaggerRecognizer(doubt=LEAST).doubtful(notes), core.detect(notes))
    characters = sum(end - start for parts in read for start, end in parts)
    return {
        "notes": count,
        "cpu_ms_per_note": {name: round(1000 * seconds, 3) for name, seconds in cpu_ms.items()},
        "share_read_by_rampart": round(characters / sum(map(len, notes)), 3),
        "ratio": round(cpu_ms["presidio_analyze"] / cpu_ms["privkit_full"], 2),
    }


def measured_csv(rows: int, stock_rows: int) -> dict[str, object]:
    """CPU milliseconds a row, and rows per CPU-second against stock's."""
    stock = stock_cpu_ms(stock_rows)
    with tempfile.TemporaryDirectory() as folder:
        source = write_csv(Path(folder) / "people.csv", rows)
        cost = command_cost(
            [sys.executable, "-m", "privkit", "deidentify", str(source), "-o", f"{folder}/out.csv"]
            + ["--detector", "full", "--workers", "1"]
        )
    ours = cost.cpu / rows * 1000
    return {
        "rows": rows,
        "cpu_ms_per_row": {"presidio_defaults": round(stock, 2), "privkit_full": round(ours, 3)},
        "ratio": round(stock / ours, 2),
        "peak_mb": round(cost.peak_mb),
    }


if __name__ == "__main__":
    main()
