"""Started by test_run.py: runs that are killed with SIGKILL and continued until they are done.

Each run is a forked child, so that dozens of kills take seconds. A child dies before its N-th call that changes a
file, for every N that there is; of a write, half is done first.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa

from privkit.errors import OutputError
from privkit.io import run as run_module
from privkit.io.frames import ArrowFrame
from privkit.io.outputs import Target
from privkit.io.run import Run

SCHEMA = pa.schema([("a", pa.string()), ("n", pa.int64())])
CALLS = ("write", "fsync", "ftruncate", "link", "rename", "replace", "unlink", "rmdir", "mkdir", "chmod", "open")


def main(root: Path, kind: str, switched_off: str = "") -> None:
    pa.set_cpu_count(1)
    if switched_off == "no-cut":
        run_module._cut = lambda *_: None
    expected = uninterrupted(root / "expected", kind)
    different, kills, at = [], 0, 1
    while True:
        place = root / str(at)
        found, killed = run_until_done(place, kind, at)
        kills += killed
        if found != expected or sorted(p.name for p in place.iterdir()) != ["out"]:
            different.append(at)
        shutil.rmtree(place)
        if at == 20 if kind == "random" else not killed:
            break
        at += 1
    print(json.dumps({"kills": kills, "different": different}))


def run_until_done(place: Path, kind: str, at: int) -> tuple[dict[str, str] | None, int]:
    """Kill once at call `at` (or often, at random times), continue; what is there at the end, and how many kills."""
    chance = random.Random(at)
    kills = 0
    if kind == "random":
        prepare(place, kind)
        for _ in range(4):
            child = fork(lambda: attempt(place, kind, resume=True, slowly=True))
            time.sleep(chance.uniform(0.001, 0.05))
            os.kill(child, signal.SIGKILL)
            kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    else:
        prepare(place, kind)
        child = fork(lambda: (die_at(at), attempt(place, kind, resume=False)))
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    status = os.waitpid(fork(lambda: attempt(place, kind, resume=True)), 0)[1]
    return (contents(place / "out") if status == 0 else None), kills


def uninterrupted(place: Path, kind: str) -> dict[str, str]:
    prepare(place, kind)
    attempt(place, kind, resume=False)
    return contents(place / "out")


def prepare(place: Path, kind: str) -> None:
    place.mkdir(parents=True)
    if kind == "forced-file":
        (place / "out").write_text("old")
    if kind == "forced-folder":
        (place / "out").mkdir()
        (place / "out" / "old.csv").write_text("old")


def contents(output: Path) -> dict[str, str]:
    files = [output] if output.is_file() else [p for p in output.rglob("*") if p.is_file()]
    return {str(p.relative_to(output)): p.read_bytes().hex() for p in files}


def attempt(place: Path, kind: str, *, resume: bool, slowly: bool = False) -> None:
    """One run, as a command would do it."""
    folder = "folder" in kind
    parts = ["a.csv", "sub/b.csv", "c.csv"] if folder else ["out"]
    target = Target("parquet" if kind == "parquet" else "csv", schema=SCHEMA)
    output = place / "out"
    force = "forced" in kind
    if resume and Run.peek(output) is None and not force and output.exists():
        try:  # killed after the end; the refusal tidies up
            Run.open(output, target, parts, {}, folder=folder)
        except OutputError:
            return
    with Run.open(output, target, parts, {}, folder=folder, resume=resume, force=force, resumable=True) as run:
        for part in range(len(parts)):
            for index in range(run.finished(part), 0 if parts[part] == "c.csv" else 3):
                rows = [f"part {part} cell {index} {i}" for i in range(5)]
                batch = pa.RecordBatch.from_pydict({"a": rows, "n": range(5)}, schema=SCHEMA)
                run.append(part, target.encode(ArrowFrame(batch)), {"index": index})
                if slowly:
                    time.sleep(0.004)
            run.finish_part(part)
        counted = [note["index"] for note in run.notes()]
        assert counted == [index for part in parts if part != "c.csv" for index in range(3)], counted
        run.publish()


def fork(act) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def die_at(at: int) -> None:
    """From here on, the `at`-th call that changes a file is the last thing this process does."""
    left = [at]

    def deadly(name):
        real = getattr(os, name)

        def call(*args, **options):
            if name != "open" or args[1] & os.O_CREAT:
                left[0] -= 1
                if left[0] == 0:
                    if name == "write":
                        real(args[0], args[1][: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    for name in CALLS:
        setattr(os, name, deadly(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
