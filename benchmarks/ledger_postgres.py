"""The ledger in PostgreSQL beside the one in SQLite: durable charges a second, by one, by 8, and by 64 over 8 datasets.

Both lie on the same disk, and are measured in turn. The server is Debian's, started on loopback for this run, with its
settings as they come; a charge crosses the loopback several times. What a network adds is not measured.

    python benchmarks/ledger_postgres.py [--folder /tmp] [--times 2000] [--seconds 5] [--rounds 3]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger import CHARGE, WARM, timed
from measuring import publish

from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Limit, Opening

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

Places = list[tuple[str, str]]
"""A place and a dataset for each ledger."""


def made(places: Places) -> Places:
    """Ledgers that no benchmark can exhaust."""
    limit = Limit(measure="pure", epsilon=Decimal(999_999), delta=Decimal(0), loss=Decimal(999_999))
    for place, dataset in places:
        Ledger.create(place, Opening(dataset=dataset, unit="user_id", limit=limit)).close()
    return places


def in_turn(places: dict[str, tuple[str, str]], times: int, folder: Path) -> dict[str, Any]:
    """A bare fsync of one page, then a charge to each ledger, again and again."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ("fsync", *places)}
    ledgers = {name: Ledger.open(*place) for name, place in places.items()}
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        for turn in range(times + WARM):
            file.write(b"x" * 4096)
            spent = {"fsync": timed(lambda: os.fsync(file.fileno()))}
            spent |= {name: timed(lambda ledger=ledger: ledger.charge(CHARGE)) for name, ledger in ledgers.items()}
            if turn >= WARM:
                for name, cost in spent.items():
                    found[name].append(cost)
    for ledger in ledgers.values():
        ledger.close()
    wall = {name: 1000 * statistics.median(one for one, _ in each) for name, each in found.items()}
    cpu = {name: 1000 * statistics.fmean(one for _, one in each) for name, each in found.items()}
    return {
        "median_ms": {name: round(each, 3) for name, each in wall.items()},
        "own_cpu_ms": {name: round(each, 3) for name, each in cpu.items() if name != "fsync"},
        "per_second": {n: round(len(found[n]) / sum(one for one, _ in found[n])) for n in places},
        "ratio": round(wall["postgres"] / wall["sqlite"], 2),
    }


def charge_until(place: tuple[str, str], start: Any, seconds: float, counts: Any) -> None:
    """One of the processes: charges as fast as it is let."""
    with Ledger.open(*place) as ledger:
        start.wait()
        end, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            ledger.charge(CHARGE)
            done += 1
    counts.put((place[1], done))


def together(places: Places, processes: int, seconds: float) -> dict[str, Any]:
    """Processes that charge at the same time, as many on each ledger."""
    context = multiprocessing.get_context("fork")
    start, counts = context.Barrier(processes), context.Queue()
    each = [places[number % len(places)] for number in range(processes)]
    workers = [context.Process(target=charge_until, args=(place, start, seconds, counts)) for place in each]
    for worker in workers:
        worker.start()
    told = [counts.get() for _ in workers]
    for worker in workers:
        worker.join()
    for place, dataset in places:
        with Ledger.open(place, dataset, read_only=True) as ledger:
            assert ledger.standing().entries == 1 + sum(done for name, done in told if name == dataset)
    by_ledger = [sorted(done for name, done in told if name == dataset) for _, dataset in places]
    return {
        "per_second": round(sum(done for _, done in told) / seconds),
        "slowest_to_median": round(min(done[0] / statistics.median(done) for done in by_ledger), 2),
    }


def main() -> None:
    """Measures and prints."""
    from postgres import PASSWORD, Cluster

    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on a disk; both lie within")
    parser.add_argument("--times", type=int, default=2000, help="charges to each of the two")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="of each of the races; the median is given")
    given = parser.parse_args()
    os.environ["PGPASSWORD"] = PASSWORD
    server = Cluster(given.folder.absolute())
    result: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(dir=server.folder.parent) as name:
            folder = Path(name)

            def places(kind: str, what: str, count: int) -> Places:
                if kind == "postgres":
                    url = server.url(server.database())
                    return made([(url, f"d{number}") for number in range(count)])
                return made([(str(folder / f"{what}-{number}"), f"d{number}") for number in range(count)])

            kinds = ("sqlite", "postgres")
            result["one_process"] = in_turn({kind: places(kind, "one", 1)[0] for kind in kinds}, given.times, folder)
            for what, ledgers, processes in (("8_processes", 1, 8), ("64_processes_8_datasets", 8, 64)):
                rounds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
                for number in range(given.rounds):
                    for kind in kinds:
                        where = places(kind, f"{what}-{number}", ledgers)
                        rounds[kind].append(together(where, processes, given.seconds))
                middle = {
                    k: sorted(each, key=lambda one: one["per_second"])[len(each) // 2] for k, each in rounds.items()
                }
                ratio = middle["postgres"]["per_second"] / middle["sqlite"]["per_second"]
                result[what] = {**middle, "ratio": round(ratio, 2)}
    finally:
        server.close()
    publish({"benchmark": "ledger_postgres", **result})


if __name__ == "__main__":
    main()
