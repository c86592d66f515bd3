"""Started by test_faults.py: writers that are killed with SIGKILL, and what is true of the ledger afterwards.

Each writer is a forked child of this process, which has one thread. It does what a release does: charge, draw, store
the answer, show it; "shown" is a line in a file of its own, down on the disk. `answers-first` shows before it charges:
the same check must catch that.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from privkit.errors import BudgetRefusedError, LedgerError, VerificationError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Limit, Opening
from privkit.ledger.store import System
from privkit.ledger.verifying import Verified, verify

KEY = "a" * 64
URLS = [option for option in sys.argv[1:] if "://" in option]  # of the owner and of who may only append, for PostgreSQL


def main() -> None:
    what, root, *options = sys.argv[1:]
    works = {
        "steps": steps,
        "random": at_random,
        "race": race,
        "file-limit": file_limit,
        "crowd": crowd,
        "stops": stops,
    }
    print(json.dumps(works[what](Path(root), "answers-first" in options)))


class Kept(NamedTuple):
    """A ledger, and the folder of what was shown."""

    folder: Path
    place: Path | str
    dataset: str

    def open(self, system: System = System()) -> Ledger:  # noqa: B008
        return Ledger.open(self.place, self.dataset, system=system)

    def verify(self) -> Verified:
        return verify(self.place, self.dataset)


def create(folder: Path, loss: str, dataset: str = "d") -> Kept:
    limit = Limit(measure="pure", epsilon=loss, delta=0, loss=loss)
    owners, place = URLS or [folder / "ledger"] * 2
    Ledger.create(owners, Opening(dataset=dataset, unit="row", limit=limit)).close()
    return Kept(folder, place, dataset)


def release(ledger: Ledger, name: str, shown: int, answers_first: bool, at: Callable[[str], None]) -> None:
    """One release; what is shown is the answer, which names it."""
    answer = f"{name}\n".encode()
    if answers_first:
        show(shown, answer, at)
    receipt = ledger.charge(Charge(loss="0.1", analyst=name.split(".")[0], key=KEY, what={"name": name}))
    ledger.answer(receipt.id, answer)
    if not answers_first:
        show(shown, answer, at)


def show(shown: int, answer: bytes, at: Callable[[str], None]) -> None:
    os.write(shown, answer)
    os.fsync(shown)
    at("shown")


def check(kept: Kept) -> dict[str, int]:
    """What must never be: a shown answer without its charge or its stored copy, a total over the limit, no ledger."""
    verified = kept.verify()  # readable, whole, and under its limits
    assert verified.spent <= verified.opening.limit.loss
    with kept.open() as ledger:
        charged = {e.id: e.record["what"]["name"] for e in ledger.entries() if e.kind == "charged"}
        released = {charged[e.id] for e in ledger.entries() if e.kind == "released"}
    seen = [line for file in kept.folder.glob("shown-*") for line in file.read_text().split("\n")[:-1]]
    return {
        "entries": verified.entries,
        "shown": len(seen),
        "not charged": len(set(seen) - set(charged.values())),
        "not stored": len(set(seen) - released),
    }


def fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def open_shown(folder: Path, name: str) -> int:
    return os.open(folder / f"shown-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def steps(root: Path, answers_first: bool) -> dict[str, object]:
    """Dies at its N-th step, for every N that there is; then somebody else goes on."""
    result: dict[str, object] = {"killed at": [], "not charged": 0, "not stored": 0, "usable": 0}
    for number in range(1, 100):
        folder = root / str(number)
        folder.mkdir()
        kept = create(folder, "0.2", f"d{number}")
        passed: list[str] = []

        def dies(step: str, number: int = number, folder: Path = folder, passed: list[str] = passed) -> None:
            passed.append(step)
            if len(passed) == number:
                (folder / "step").write_text(step)
                os.kill(os.getpid(), signal.SIGKILL)

        def work(kept: Kept = kept, dies: Callable[[str], None] = dies) -> None:
            shown = open_shown(kept.folder, "a")
            with kept.open(System(at=dies)) as ledger:
                release(ledger, "a.1", shown, answers_first, dies)

        status = os.waitpid(fork(work), 0)[1]
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return result
        result["killed at"].append((folder / "step").read_text())
        found = check(kept)
        result["not charged"] += found["not charged"]
        result["not stored"] += found["not stored"]
        with kept.open() as ledger:
            release(ledger, "b.1", open_shown(folder, "b"), False, lambda _: None)
        result["usable"] += kept.verify().entries >= 3
    raise AssertionError("it never came to its end")


def at_random(root: Path, answers_first: bool, writers: int = 4) -> dict[str, object]:
    """Kills one of several writers, again and again, at random times."""
    kills = 100 if answers_first else 240
    chance = random.Random(7)
    kept = create(root, "1000000")
    with kept.open() as ledger:
        ledger.grant("1", Decimal("900000"), "900000", "test")
    running: dict[int, int] = {}
    generation = 0

    def start(writer: int) -> None:
        nonlocal generation
        generation += 1
        name = f"{writer}.{generation}"

        def work() -> None:
            shown = open_shown(root, name)
            with kept.open() as ledger:
                for number in range(10**9):
                    release(ledger, f"{name}.{number}", shown, answers_first, lambda _: None)

        running[writer] = fork(work)

    for writer in range(writers):
        start(writer)
    died_alone = 0
    for number in range(kills):
        time.sleep(chance.uniform(0.001, 0.03))
        writer = chance.randrange(writers)
        os.kill(running[writer], signal.SIGKILL)
        died_alone += not os.WIFSIGNALED(os.waitpid(running[writer], 0)[1])
        start(writer)
        if number % 40 == 0:
            kept.verify()  # while others write
    for child in running.values():
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return {"kills": kills + writers, "died alone": died_alone, **check(kept)}


def race(root: Path, _: bool, processes: int = 8, charges: int = 2400) -> dict[str, object]:
    """Starts all at once, until nothing is left; 0.1 each."""
    kept = create(root, str(Decimal("0.1") * charges + Decimal("0.05")))
    codes, told = spent_by([kept] * processes)
    verified = kept.verify()
    return {
        "codes": codes,
        "counts": sorted(count for count, _ in told),
        "refused at": sorted({rest for _, rest in told}),
        "left": str(verified.remaining),
        "entries": verified.entries,
    }


def spent_by(kept: list[Kept]) -> tuple[list[int], list[tuple[int, str]]]:
    """A process for each, all started at once: how they ended, how often each charged, and what each was left with."""
    root = kept[0].folder
    go, say_go = os.pipe()

    def work(number: int) -> Callable[[], None]:
        def spend() -> None:
            count, remaining = 0, ""
            with kept[number].open() as ledger:
                (root / f"ready-{number}").touch()
                os.read(go, 1)
                try:
                    while True:
                        ledger.charge(Charge(loss="0.1", analyst=f"p{number}", what={}))
                        count += 1
                except BudgetRefusedError as error:
                    remaining = str(error.remaining)
            (root / f"count-{number}").write_text(f"{count} {remaining}")

        return spend

    children = [fork(work(number)) for number in range(len(kept))]
    while len(list(root.glob("ready-*"))) < len(kept):
        time.sleep(0.01)
    os.write(say_go, b"." * len(kept))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    told = [(root / f"count-{number}").read_text().split() for number in range(len(kept))]
    return codes, [(int(count), rest) for count, rest in told]


def crowd(root: Path, _: bool, datasets: int = 8, processes: int = 8, charges: int = 160) -> dict[str, object]:
    """Several processes on each of several ledgers in one database, until nothing is left in any; 0.1 each."""
    ledgers = [create(root, str(Decimal("0.1") * charges), f"d{number}") for number in range(datasets)]
    codes, told = spent_by([kept for kept in ledgers for _ in range(processes)])
    counts = [count for count, _ in told]
    return {
        "codes": codes,
        "counts": [sorted(counts[n * processes : (n + 1) * processes]) for n in range(datasets)],
        "entries": [kept.verify().entries for kept in ledgers],
        "left": [str(kept.verify().remaining) for kept in ledgers],
    }


def stops(root: Path, answers_first: bool, writers: int = 4) -> dict[str, object]:
    """Writers that go on whatever becomes of their server, until somebody says that it is enough."""
    kept = create(root, "1000000")

    def work(writer: int) -> Callable[[], None]:
        def spend() -> None:
            shown, broke, number = open_shown(root, str(writer)), 0, 0
            while not (root / "enough").exists():
                try:
                    with kept.open() as ledger:
                        while not (root / "enough").exists():
                            number += 1
                            release(ledger, f"{writer}.{number}", shown, answers_first, lambda _: None)
                except LedgerError:
                    broke += 1
                    time.sleep(0.02)
            (root / f"broke-{writer}").write_text(str(broke))

        return spend

    children = [fork(work(writer)) for writer in range(writers)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * writers
    return {"broke": sum(int((root / f"broke-{writer}").read_text()) for writer in range(writers)), **check(kept)}


def file_limit(root: Path, _: bool) -> dict[str, object]:
    """A disk that refuses what goes beyond a size, as a full one does in the middle of a write."""
    kept = create(root, "1000")

    def work() -> None:
        with kept.open() as ledger:
            ledger.charge(Charge(loss="0.1", analyst="a", what={"name": "a"}))
            size = (root / "ledger-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, resource.RLIM_INFINITY))
            count, head = 1, ledger.standing().head
            try:
                while True:
                    receipt = ledger.charge(Charge(loss="0.1", analyst="a", what={"name": "x" * 1000}))
                    count, head = count + 1, receipt.head
            except (LedgerError, VerificationError) as error:
                told, same = str(error), ledger.standing().head == head
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            ledger.charge(Charge(loss="0.1", analyst="a", what={"name": "b"}))
        (root / "told").write_text(json.dumps({"told": told, "same": same, "charges": count + 1}))

    assert os.waitstatus_to_exitcode(os.waitpid(fork(work), 0)[1]) == 0
    return {**json.loads((root / "told").read_text()), "entries": kept.verify().entries}


if __name__ == "__main__":
    main()
