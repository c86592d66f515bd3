"""The ledger: is appending as fast at 100,000 entries as at 1,000; how many durable charges a second, by one and by 8.

A charge is durable when it returns, so a disk's own fsync is its floor: it is measured in turn with the charges. The
ledger is grown in memory where the system has such a place (/dev/shm), then copied to the disk.

    python benchmarks/ledger.py [--folder .] [--lengths 1000 10000 100000] [--times 1000] [--seconds 10]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from measuring import publish

from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Limit, Opening

WARM = 100  # turns that are not counted
ANSWER = b'{"results": [' + b"1234.5678, " * 200 + b"0]}"  # about that of ten groups
CHARGE = Charge(
    loss=Decimal("0.000244140625"),
    analyst="benchmark",
    key="0" * 64,
    what={"sql": "SELECT region, COUNT(*) AS n, AVG(income) AS income FROM people GROUP BY region", "version": "1"},
)


def new_ledger(path: Path) -> Ledger:
    """A ledger that no benchmark can exhaust."""
    limit = Limit(measure="pure", epsilon=Decimal(999_999), delta=Decimal(0), loss=Decimal(999_999))
    return Ledger.create(path, Opening(dataset="people", unit="user_id", limit=limit))


def spend(ledger: Ledger) -> None:
    """A whole release's part: a charge and its answer, two entries."""
    ledger.answer(ledger.charge(CHARGE).id, ANSWER)


# ---- one process


def grown(wanted: list[int], folder: Path) -> list[Path]:
    """Ledgers of so many entries, half of them charges and half answers."""
    memory, found = Path("/dev/shm"), []
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else folder) as growing:
        path, entries = Path(growing) / "ledger.sqlite3", 1
        new_ledger(path).close()
        for length in wanted:
            with Ledger.open(path) as ledger:
                for _ in range((length - entries + 1) // 2):
                    spend(ledger)
                entries = ledger.standing().entries
            found.append(Path(shutil.copy(path, folder / f"{length}.sqlite3")))
    return found


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def in_turn(paths: list[Path], times: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """A bare fsync of one page, then a charge to each ledger, again and again: a disk's mood is shared by all."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ("fsync", *(path.stem for path in paths))}
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile(dir=folder, buffering=0))
        ledgers = {path.stem: stack.enter_context(Ledger.open(path)) for path in paths}
        for turn in range(times + WARM):
            file.write(b"x" * 4096)
            spent = {"fsync": timed(lambda: os.fsync(file.fileno()))}
            spent |= {name: timed(lambda ledger=ledger: ledger.charge(CHARGE)) for name, ledger in ledgers.items()}
            if turn >= WARM:
                for name, cost in spent.items():
                    found[name].append(cost)
    return found


def by_length(costs: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """Medians of one charge by the ledger's length, and what one process books a second, all checkpoints included."""
    wall = {name: 1000 * statistics.median(one for one, _ in each) for name, each in costs.items()}
    cpu = {name: 1000 * statistics.fmean(one for _, one in each) for name, each in costs.items()}
    lengths = [name for name in costs if name != "fsync"]
    charges = [one for name in lengths for one, _ in costs[name]]
    return {
        "fsync_median_ms": round(wall["fsync"], 3),
        "charge_median_ms": {name: round(wall[name], 3) for name in lengths},
        "charge_cpu_ms": {name: round(cpu[name], 3) for name in lengths},
        "longest_to_shortest": round(wall[lengths[-1]] / wall[lengths[0]], 2),
        "charges_per_second": round(len(charges) / sum(charges)),
        "charges_per_second_by_the_median": round(1 / statistics.median(charges)),
    }


# ---- eight processes


def charge_until(path: Path, start: Any, seconds: float, counts: Any) -> None:
    """One of the processes: charges as fast as it is let."""
    with Ledger.open(path) as ledger:
        ledger.charge(CHARGE)
        start.wait()
        end, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            ledger.charge(CHARGE)
            done += 1
    counts.put(done)


def together(processes: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Processes that charge one ledger at the same time."""
    path = folder / f"{processes}.sqlite3"
    new_ledger(path).close()
    context = multiprocessing.get_context("spawn")
    start, counts = context.Barrier(processes), context.Queue()
    workers = [context.Process(target=charge_until, args=(path, start, seconds, counts)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    done = sorted(counts.get() for _ in workers)
    for worker in workers:
        worker.join()
    with Ledger.open(path, read_only=True) as ledger:
        assert ledger.standing().entries == 1 + processes + sum(done)
    return {
        "processes": processes,
        "per_second": round(sum(done) / seconds),
        "charges_of_each": done,
        "slowest_to_median": round(done[0] / statistics.median(done), 2),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=Path(), help="on a disk; the ledgers are made within")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--times", type=int, default=1000, help="charges to each of them")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        one = by_length(in_turn(grown(given.lengths, folder), given.times, folder))
        many = together(given.processes, given.seconds, folder)
    publish({"benchmark": "ledger", "one_process": one, "many_processes": many})


if __name__ == "__main__":
    main()
