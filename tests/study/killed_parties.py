"""Started by test_faults.py: a party and a key holder that are killed with SIGKILL, and what is true afterwards.

Each runs as a forked child of this process, which itself computes nothing. `publishes-first` is the control: a party
that lets its contribution out before it is charged, which the same check must catch.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb  # noqa: F401  (loaded once, before the forks)
import ibis.backends.duckdb  # noqa: F401
import opendp.prelude  # noqa: F401
import pyarrow.parquet  # noqa: F401

import privkit
from privkit.errors import PrivkitError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Receipt
from privkit.ledger.store import System
from privkit.report.study_files import write_study_result
from privkit.session import Session  # noqa: F401
from privkit.study import Contribution, folder, holder, state, steps

Dies = Callable[[str], None]


def main() -> None:
    what, joined, root, *options = sys.argv[1:]
    works = {"steps": at_steps, "random": at_random, "race": race, "reveal": reveal_at_steps, "file-limit": file_limit}
    print(json.dumps(works[what](Path(joined), Path(root), "publishes-first" in options)))


# ---- a party


def contribute(place: Path, dies: Dies, publishes_first: bool = False) -> None:
    data = privkit.Dataset.load(place / "north.dataset.yaml")
    real_link = os.link

    def link(source: Path, target: Path) -> None:
        dies(f"before naming {Path(target).name}")
        real_link(source, target)
        dies(f"after naming {Path(target).name}")

    if publishes_first:
        charges = []
        charge, answer = Ledger.charge, Ledger.answer
        receipt = Receipt("0" * 32, 2, "", "", None, None, None)
        Ledger.charge = lambda self, charge: charges.append(charge) or receipt
        Ledger.answer = lambda self, id, answer: None
    os.link = link
    steps.contribute_study(place / "flu", place / "north.identity", data, system=System(at=dies))
    if publishes_first:
        Ledger.charge, Ledger.answer = charge, answer
        with Ledger.open(place / "north.ledger.sqlite3", system=System(at=dies)) as ledger:
            ledger.charge(charges[0])


def charges(place: Path) -> int:
    with Ledger.open(place / "north.ledger.sqlite3", read_only=True) as ledger:
        session = steps.study_status(place / "flu").session
        return sum(e.kind == "charged" and e.record["what"]["session"] == session for e in ledger.entries())


def outbox(place: Path) -> bytes | None:
    session = steps.study_status(place / "flu").session
    path = place / "north.identity.studies" / session / "contribution"
    return path.read_bytes() if path.exists() else None


def check(place: Path, found: dict[str, object]) -> None:
    """What must never be after a kill; then the party starts again."""
    seen, kept, before = place / "flu" / "contribution-north.bin", outbox(place), charges(place)
    if seen.exists():
        Contribution.from_bytes(seen.read_bytes())  # whole
        found["not charged"] += before == 0
        found["not kept"] += kept != seen.read_bytes()
    found["charged for nothing"] += before > 1
    codes = [os.waitstatus_to_exitcode(os.waitpid(fork(lambda: contribute(place, lambda _: None)), 0)[1])]
    found["finished"] += codes == [0] and seen.read_bytes() == outbox(place)
    found["changed"] += kept is not None and kept != seen.read_bytes()
    found["charged again"] += charges(place) - before != (0 if kept is not None else 1)
    found["left over"] += len(list((place / "flu").glob(".share*"))) + len(left(place / "north.identity.studies"))


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def nothing_yet() -> dict[str, object]:
    names = ("not charged", "not kept", "charged for nothing", "changed", "charged again", "left over", "finished")
    return dict.fromkeys(names, 0)


def at_steps(joined: Path, root: Path, publishes_first: bool) -> dict[str, object]:
    """Dies at its N-th step, for every N that there is; then starts again."""
    found = {"killed at": [], **nothing_yet()}
    for number in range(1, 100):
        place = root / str(number)
        shutil.copytree(joined, place)
        status = os.waitpid(fork(lambda: contribute(place, dying(place, number), publishes_first)), 0)[1]  # noqa: B023
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return found
        found["killed at"].append((place / "step").read_text())
        check(place, found)
        shutil.rmtree(place)
    raise AssertionError("it never came to its end")


def dying(place: Path, number: int) -> Dies:
    passed = []

    def dies(step: str) -> None:
        passed.append(step)
        if len(passed) == number:
            (place / "step").write_text(step)
            os.kill(os.getpid(), signal.SIGKILL)

    return dies


def at_random(joined: Path, root: Path, publishes_first: bool, kills: int = 12) -> dict[str, object]:
    """Dies at any time of its run."""
    chance, found = random.Random(4), {"kills": 0, **nothing_yet()}
    shutil.copytree(joined, root / "whole")
    start = time.monotonic()
    os.waitpid(fork(lambda: contribute(root / "whole", lambda _: None)), 0)
    took = time.monotonic() - start
    for number in range(kills):
        place = root / str(number)
        shutil.copytree(joined, place)
        child = fork(lambda: contribute(place, lambda _: None, publishes_first))  # noqa: B023
        time.sleep(chance.uniform(0, took))
        os.kill(child, signal.SIGKILL)
        found["kills"] += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        check(place, found)
        shutil.rmtree(place)
    return found


def race(joined: Path, root: Path, _: bool) -> dict[str, object]:
    """One identity, three processes at once."""
    place = root / "race"
    shutil.copytree(joined, place)
    go, say_go = os.pipe()

    def work(number: int) -> None:
        os.read(go, 1)
        try:
            contribute(place, lambda _: None)
            told = "done"
        except PrivkitError as error:
            told = error.message
        (place / f"told-{number}").write_text(told)

    children = [fork(lambda number=number: work(number)) for number in range(3)]
    os.write(say_go, b"...")
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    seen = (place / "flu" / "contribution-north.bin").read_bytes()
    told = sorted({path.read_text() for path in place.glob("told-*")})
    return {"codes": codes, "told": told, "charges": charges(place), "same": seen == outbox(place)}


def file_limit(joined: Path, root: Path, _: bool) -> dict[str, object]:
    """A disk that has room for the ledger, and none for the contribution."""
    place = root / "full"
    shutil.copytree(joined, place)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (130_000, resource.RLIM_INFINITY))
        try:
            contribute(place, lambda _: None)
            told = ["nothing", "", 0]
        except PrivkitError as error:
            told = [error.message, error.hint, error.exit_code]
        (place / "told").write_text(json.dumps(told))

    assert os.waitstatus_to_exitcode(os.waitpid(fork(work), 0)[1]) == 0
    kept = outbox(place)
    files = sorted(path.name for path in (place / "flu").iterdir())
    hidden = [path.name for path in left(place)]
    found = {"told": json.loads((place / "told").read_text()), "kept": kept, "files": files, "hidden": hidden}
    found["charges"] = charges(place)
    assert os.waitstatus_to_exitcode(os.waitpid(fork(lambda: contribute(place, lambda _: None)), 0)[1]) == 0
    return {**found, "charges then": charges(place)}


# ---- the key holder


def reveal(place: Path, dies: Dies) -> None:
    """As the command does it, with a place to die before and after everything that it does."""

    def around(owner: object, name: str) -> None:
        work = getattr(owner, name)

        def done(*arguments: object, **options: object) -> object:
            dies(f"before {name}")
            result = work(*arguments, **options)
            dies(f"after {name}")
            return result

        setattr(owner, name, done)

    real_decrypt = holder.sums.decrypt

    def decrypt(*arguments: object, **options: object) -> object:
        with (place / "decrypted").open("a") as file:
            file.write("x")
        return real_decrypt(*arguments, **options)

    holder.sums.decrypt = decrypt
    for owner, name in (
        (holder, "with_noise"),
        (os, "link"),
        (Ledger, "note"),
        (state.State, "destroy"),
        (folder.Folder, "publish"),
        (holder.KeyHolder, "arrived"),
    ):
        around(owner, name)
    result, key_holder = steps.reveal_study(
        place / "flu", place / "analyst.identity", ledger=place / "analyst.ledger.sqlite3"
    )
    write_study_result(result, json=place / "result.json")
    dies("after output")
    key_holder.arrived()


def reveal_at_steps(aggregated: Path, root: Path, _: bool) -> dict[str, object]:
    names = ("shown unnoted", "changed", "decrypted again", "noted again", "keys left", "not over", "left over")
    found = {"killed at": [], "finished": 0, **dict.fromkeys(names, 0)}
    for number in range(1, 100):
        place = root / str(number)
        shutil.copytree(aggregated, place)
        status = os.waitpid(fork(lambda: reveal(place, dying(place, number))), 0)[1]  # noqa: B023
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return found
        step = (place / "step").read_text()
        found["killed at"].append(step)
        kept = next(place.glob("analyst.identity.studies/*/reveal"), None)
        before = kept.read_bytes() if kept else None
        seen = [path for path in (place / "flu" / "result.bin", place / "result.json") if path.exists()]
        found["shown unnoted"] += bool(seen) and (notes(place) != 1 or before is None)
        over = bool(list(place.glob("analyst.identity.studies/*/over")))
        decrypted = (place / "decrypted").stat().st_size if (place / "decrypted").exists() else 0
        code = os.waitstatus_to_exitcode(os.waitpid(fork(lambda: reveal(place, lambda _: None)), 0)[1])  # noqa: B023
        found["finished"] += code == (1 if over else 0)
        now = next(place.glob("analyst.identity.studies/*/reveal")).read_bytes()
        found["changed"] += before not in (None, now) or (place / "flu" / "result.bin").read_bytes() != now
        again = (place / "decrypted").stat().st_size - decrypted
        found["decrypted again"] += before is not None and again != 0
        found["noted again"] += notes(place) != 1
        found["keys left"] += len(list(place.glob("analyst.identity.studies/*/*secret*")))
        found["left over"] += len(left(place / "analyst.identity.studies"))
        code = os.waitstatus_to_exitcode(os.waitpid(fork(lambda: reveal(place, lambda _: None)), 0)[1])  # noqa: B023
        found["not over"] += code != 1
        steps.study_status(place / "flu")
        shutil.rmtree(place)
    raise AssertionError("it never came to its end")


def notes(place: Path) -> int:
    with Ledger.open(place / "analyst.ledger.sqlite3", read_only=True) as ledger:
        return sum(entry.kind == "revealed" for entry in ledger.entries())


def fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        code = 70
        try:
            work()
            code = 0
        except PrivkitError as error:
            code = error.exit_code
            sys.stderr.write(f"{error.message}\n")
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


if __name__ == "__main__":
    main()
