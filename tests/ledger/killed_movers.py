"""Started by test_moving.py: whoever moves a ledger is killed at its N-th step, for every N that there is.

Afterwards at most one place takes charges, and the same command, run again, brings the budget to the new one.

    killed_movers.py export|import FOLDER OLD NEW        `sqlite`, or the URL of a database
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from privkit.budget import create_budget, export_budget, import_budget, verify_budget
from privkit.dataset import Dataset
from privkit.errors import PrivkitError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge
from privkit.ledger.store import System


def dataset(name: str, ledger: Path | str) -> Dataset:
    budget = {"epsilon": 1, "measure": "pure"}
    return Dataset("x.csv", name=name, unit="row", columns={"a": {"type": "boolean"}}, budget=budget, ledger=ledger)


def takes_charges(one: Dataset) -> bool:
    try:
        with Ledger.open(one.ledger_path, one.spec.name) as ledger:
            ledger.charge(Charge(loss="0.001", analyst="ana", what={}))
    except PrivkitError:
        return False
    return True


def killed(work: Callable[[System], None], number: int, place: Path) -> str | None:
    """The step at which it was killed; None where it came to its end."""
    child = os.fork()
    if not child:
        passed = []

        def at(step: str) -> None:
            passed.append(step)
            if len(passed) == number:
                place.write_text(step)
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            work(System(at=at))
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return place.read_text()
    assert os.waitstatus_to_exitcode(status) == 0
    return None


def main() -> None:
    what, root, *places = sys.argv[1:]
    found: dict[str, list[object]] = {"killed at": [], "took charges": [], "in the end": []}
    for number in range(1, 50):
        folder = Path(root) / str(number)
        folder.mkdir()
        old, new = (
            dataset(f"d{number}", folder / name if place == "sqlite" else place)
            for name, place in zip(("old", "new"), places, strict=True)
        )
        create_budget(old)
        with Ledger.open(old.ledger_path, old.spec.name) as ledger:
            ledger.answer(ledger.charge(Charge(loss="0.1", analyst="ana", what={})).id, b"answer")
        file = folder / "moving.jsonl"

        def export(system: System | None = None, old: Dataset = old, new: Dataset = new, file: Path = file) -> None:
            export_budget(old, file, new.ledger_path, force=True, system=system)

        def bring(system: System | None = None, new: Dataset = new, file: Path = file) -> None:
            import_budget(new, file, system=system)

        if what == "import":
            export()
        step = killed(export if what == "export" else bring, number, folder / "step")
        if step is None:
            print(json.dumps(found))
            return
        found["killed at"].append(step)
        found["took charges"].append([takes_charges(old), takes_charges(new)])
        if what == "export":
            export()
        bring()
        found["in the end"].append([takes_charges(old), takes_charges(new)])
        verify_budget(old)
        verify_budget(new)
    raise AssertionError("it never came to its end")


if __name__ == "__main__":
    main()
