"""`deidentify` on Spark: rows per second on one core and on two, and the driver's memory over the number of rows.

Rows per second count from the start of Spark's work to the published folder, in a session whose workers have done a
small run before: starting the JVM and loading models come once, however many rows there are. The driver is the Python
process and its JVM, which with a local master is also where Spark reads and writes; it has 512 MB of heap for that, and
collects garbage only when it needs to, so that what it holds is seen in the heap after a collection.

    python benchmarks/spark.py                 # both, at their defaults
    python benchmarks/spark.py scaling [--rows 200000] [--runs 3] [--detector patterns]
    python benchmarks/spark.py memory [--sizes 100000 1000000 5000000]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from inputs import COLUMNS, rows
from measuring import command_result, own_peak_mb, publish

from privkit import deidentify
from privkit.engines.spark import spark_session
from privkit.model.progress import SilentObserver

_PARTS = 8
_DRAWN = 50_000


class _Clock(SilentObserver):
    """When Spark's work began and when its output had its name."""

    def started(self, total_bytes: int | None) -> None:
        del total_bytes
        self.begun = time.perf_counter()

    def finished(self) -> None:
        self.ended = time.perf_counter()


def _write_notes(folder: Path, count: int) -> Path:
    """Structured columns and a note, each row drawn anew, in parts of equal size."""
    folder.mkdir()
    drawn = rows(count)
    for part in range(_PARTS):
        columns = list(zip(*(next(drawn) for _ in range(count // _PARTS)), strict=True))
        table = pa.table({name: pa.array(cells) for name, cells in zip(COLUMNS, columns, strict=True)})
        pq.write_table(table, folder / f"p{part}.parquet")
    return folder


def _write_structured(folder: Path, count: int) -> Path:
    """Structured columns alone: people drawn once, with a number of their own in each row."""
    folder.mkdir()
    base = list(zip(*rows(min(count, _DRAWN), note=False), strict=True))
    for start in range(0, count, _DRAWN):
        size = min(_DRAWN, count - start)
        columns = {name: pa.array(cells[:size]) for name, cells in zip(COLUMNS, base, strict=False)}
        columns["patient_id"] = pa.array(range(10_000_000 + start, 10_000_000 + start + size))
        pq.write_table(pa.table(columns), folder / f"p{start // _DRAWN:04d}.parquet")
    return folder


def _timed(source: Path, output: Path, detector: Any) -> float:
    clock = _Clock()
    deidentify(source, output, engine="spark", detector=detector, force=True, observer=clock)
    return clock.ended - clock.begun


def _one_session(given: argparse.Namespace) -> None:
    """What a child process does: one session, a small run, a measured one."""
    source = Path(given.source)
    with tempfile.TemporaryDirectory() as folder, spark_session(given.master) as session:
        if given.warm:
            _timed(Path(given.warm), Path(folder) / "warm.parquet", given.detector)
        seconds = _timed(source, Path(folder) / "out.parquet", given.detector)
        jvm = session.sparkContext._gateway.proc.pid
        runtime = session._jvm.java.lang.Runtime.getRuntime()
        runtime.gc()
        heap = (runtime.totalMemory() - runtime.freeMemory()) / 1e6
        status = Path(f"/proc/{jvm}/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    found = {"seconds": seconds, "python_peak_mb": own_peak_mb(), "jvm_peak_mb": peak, "jvm_heap_after_gc_mb": heap}
    json.dump(found, sys.stdout)


def _child(source: Path, master: str, detector: str, warm: Path | None) -> dict[str, Any]:
    command = [sys.executable, __file__, "session", "--source", str(source), "--master", master]
    command += ["--detector", detector, *(["--warm", str(warm)] if warm else [])]
    return command_result(command, PYSPARK_SUBMIT_ARGS="--driver-memory 512m pyspark-shell")[0]


def _scaling(given: argparse.Namespace) -> None:
    seconds: dict[str, list[float]] = {"1": [], "2": []}
    with tempfile.TemporaryDirectory() as folder:
        warm = _write_notes(Path(folder) / "warm", 4_000)
        source = _write_notes(Path(folder) / "in", given.rows)
        for _ in range(given.runs):
            for cores, found in seconds.items():
                found.append(_child(source, f"local[{cores}]", given.detector, warm)["seconds"])
    count = given.rows // _PARTS * _PARTS
    medians = {cores: statistics.median(found) for cores, found in seconds.items()}
    publish(
        {
            "benchmark": "spark scaling",
            "rows": count,
            "detector": given.detector,
            "runs": given.runs,
            "seconds": {cores: [round(one, 1) for one in found] for cores, found in seconds.items()},
            "rows_per_second": {cores: round(count / median) for cores, median in medians.items()},
            "ratio": round(medians["1"] / medians["2"], 2),
        }
    )


def _memory(given: argparse.Namespace) -> None:
    curve = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            found = _child(_write_structured(Path(folder) / "in", size), "local[2]", "patterns", None)
        curve.append({"rows": size, **{name: round(value, 1) for name, value in found.items()}})
    first, last = curve[0], curve[-1]
    publish(
        {
            "benchmark": "spark driver memory",
            "detector": "patterns",
            "curve": curve,
            "ratio": {
                name: round(last[name] / first[name], 2)
                for name in ("python_peak_mb", "jvm_heap_after_gc_mb", "jvm_peak_mb")
            },
        }
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="what")
    scaling = commands.add_parser("scaling")
    scaling.add_argument("--rows", type=int, default=200_000)
    scaling.add_argument("--runs", type=int, default=3)
    scaling.add_argument("--detector", default="patterns")
    memory = commands.add_parser("memory")
    memory.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    session = commands.add_parser("session")
    for name in ("--source", "--master", "--detector", "--warm"):
        session.add_argument(name)
    given = parser.parse_args()
    what = {"scaling": _scaling, "memory": _memory, "session": _one_session}
    for one in [given] if given.what else [parser.parse_args([name]) for name in ("scaling", "memory")]:
        what[one.what](one)


if __name__ == "__main__":
    main()
