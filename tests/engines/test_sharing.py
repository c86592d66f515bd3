"""Parts among worker processes: the same bytes as one worker makes, whoever does what and whoever dies."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.engines import sharing, stream
from privkit.errors import InputError, InterruptedRunError
from privkit.io.outputs import Target
from privkit.io.run import Run
from privkit.io.sources import open_source

HANDLERS = """
import os, signal, sys, time
from pathlib import Path
from privkit.engines.stream import Answer, pack_answer, unpack_block
from privkit.io.outputs import Target

def slow(spec):
    seconds, fatal, folder, target = spec.decode().split("|", 3)
    target = Target.from_json(target)
    def handle(packed):
        block = unpack_block(packed)
        time.sleep(float(seconds))
        if fatal == f"{block.part}:{block.index}":
            os.kill(os.getpid(), signal.SIGKILL)
        if folder:
            with open(f"{folder}/{os.getpid()}", "a") as file:
                file.write(f"{block.part}:{block.index}\\n")
        note = {"rows": block.rows, "first": block.first_row}
        data = target.encode(block.frame(), first_row=block.first_row)
        return pack_answer(Answer(block.part, block.index, note, data))
    return handle
"""
ROWS = 64
SCHEMA = pa.schema([("a", pa.string()), ("n", pa.string())])


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Handlers that workers can import, and blocks of few rows in them as here."""
    code = tmp_path / "code"
    code.mkdir()
    limits = f"from privkit.io import csvfile, parquet\ncsvfile.ROWS_PER_BLOCK = parquet.ROWS_PER_BLOCK = {ROWS}\n"
    (code / "shared_handlers.py").write_text(limits + HANDLERS)
    monkeypatch.syspath_prepend(code)
    monkeypatch.setattr("privkit.io.csvfile.ROWS_PER_BLOCK", ROWS)
    monkeypatch.setattr("privkit.io.parquet.ROWS_PER_BLOCK", ROWS)


def parts(folder, sizes, kind="csv"):
    """A folder of parts with so many blocks each (the last block of a part is a short one)."""
    folder.mkdir()
    for number, blocks in enumerate(sizes):
        rows = [(f"part {number} row {row}", str(row)) for row in range(blocks * ROWS - (7 if blocks else 0))]
        if kind == "parquet":
            table = pa.table([[a for a, _ in rows], [n for _, n in rows]], schema=SCHEMA)
            pq.write_table(table, folder / f"{number}.parquet")
        else:
            lines = "".join(f"{a},{n}\n" for a, n in rows)
            (folder / f"{number}.csv").write_text("a,n\n" + lines)
    return folder


class Ran:
    """One run of a folder: what came out, what was told."""

    def __init__(self, source, output, *, workers, seconds=0.0, fatal="", by="", kind="csv", resume=False, told=None):
        self.warnings, self.notes, self.progress = [], Counter(), []
        target = Target(kind, schema=SCHEMA)
        opened = open_source(source)
        spec = f"{seconds}|{fatal}|{by}|{target.to_json()}".encode()
        names = stream_names(opened, kind)
        with Run.open(output, target, names, {}, folder=True, resume=resume, resumable=True) as run:
            self.resumed = run.resumed
            stream.into_run(
                opened,
                "shared_handlers:slow",
                spec,
                run,
                workers=workers,
                progress=lambda *now: (self.progress.append(now), told and told()),
                remember=lambda note: self.notes.update({"rows": note["rows"], "blocks": 1}),
                warned=self.warnings.append,
            )
            run.publish()
        self.total = opened.total
        self.files = contents(output)


def stream_names(opened, kind):
    return [part.name.rpartition(".")[0] + "." + kind for part in opened.parts]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class Killer:
    """Kills a worker, whichever it is, each time so many blocks are done, and a random moment later."""

    def __init__(self, monkeypatch, chance, at):
        self.killed, self.living, self.done = [], [], 0
        self._chance, self._at = chance, sorted(at)
        self._over = threading.Event()
        living = self.living

        class Mortal(sharing.Worker):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                living.append(self)

            def close(self):
                if self in living:
                    living.remove(self)
                super().close()

        monkeypatch.setattr(sharing, "Worker", Mortal)
        self._thread = threading.Thread(target=self._kill)

    def told(self, *_progress):
        self.done += 1

    def _kill(self):
        for blocks in self._at:
            while self.done < blocks or not self.living:
                if self._over.wait(0.002):
                    return
            time.sleep(self._chance.uniform(0, 0.05))
            victim = self._chance.choice(self.living or [None])
            with contextlib.suppress(ProcessLookupError):  # the run is over, and with it the worker
                if victim is not None:
                    os.kill(victim.pid, signal.SIGKILL)
                    self.killed.append(victim.pid)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("sizes", [(9,), (3, 3, 3, 3), (1, 0, 14, 2), (30, 1)])
def test_workers_make_the_bytes_that_one_makes(tmp_path, sizes, kind):
    source = parts(tmp_path / "in", sizes, kind)
    alone = Ran(source, tmp_path / "alone", workers=1, kind=kind)
    together = Ran(source, tmp_path / "together", workers=3, seconds=0.005, kind=kind)
    assert together.files == alone.files
    assert together.notes == alone.notes
    assert together.notes["blocks"] == sum(sizes)
    assert together.warnings == []
    rows, read = zip(*together.progress, strict=True)
    assert list(rows) == sorted(rows)
    assert list(read) == sorted(read)
    assert rows[-1] == together.notes["rows"]
    assert read[-1] <= together.total


def test_workers_read_parts_themselves_and_share_what_is_left_of_the_last(tmp_path):
    """One part is large: whoever is done with the others takes over a rest of it."""
    source, log = parts(tmp_path / "in", (24, 1, 1, 1)), tmp_path / "log"
    log.mkdir()
    Ran(source, tmp_path / "out", workers=2, seconds=0.05, by=log)
    done = [path.read_text().split() for path in log.iterdir()]
    assert len(done) == 2
    assert sorted(block for blocks in done for block in blocks) == sorted(
        [*(f"0:{n}" for n in range(24)), "1:0", "2:0", "3:0"]
    )
    large = [sum(block.startswith("0:") for block in blocks) for blocks in done]
    assert min(large) >= 6  # of 24: alone it would be 0


def test_a_lease_is_not_read_here(tmp_path, monkeypatch):
    source = parts(tmp_path / "in", (4, 4, 4, 4))
    read = []
    real = stream._read

    def told(file, first):
        read.append(file.index)
        return real(file, first)

    monkeypatch.setattr(stream, "_read", told)
    Ran(source, tmp_path / "out", workers=2)
    assert len(read) <= 1  # a rest that one of them took over, if any


@pytest.mark.parametrize("sizes", [(12,), (6, 6), (2, 2, 2, 2, 2, 2)])
def test_a_worker_that_dies_again_and_again_at_one_block_ends_the_run_and_names_it(tmp_path, sizes):
    source = parts(tmp_path / "in", sizes)
    fatal = f"{len(sizes) - 1}:1"
    with pytest.raises(InterruptedRunError) as caught:
        Ran(source, tmp_path / "out", workers=2, fatal=fatal)
    words = str(caught.value)
    assert "a worker process died (signal 9)" in words
    assert f"{len(sizes) - 1}.csv, " in words
    assert f"row {ROWS + 1}" in words or f"rows {ROWS + 1} to {2 * ROWS}" in words or "rows 65 to" in words
    assert "fewer --workers. Then the same command with --resume continues." in caught.value.hint
    assert not (tmp_path / "out").exists()
    again = Ran(source, tmp_path / "out", workers=2, resume=True)
    assert again.resumed
    assert again.files == Ran(source, tmp_path / "alone", workers=1).files
    assert again.notes["blocks"] == sum(sizes)


def test_a_death_is_told(tmp_path, monkeypatch):
    source = parts(tmp_path / "in", (6, 6, 6))
    with Killer(monkeypatch, random.Random(1), [4]) as killer:
        ran = Ran(source, tmp_path / "out", workers=2, seconds=0.1, told=killer.told)
    assert len(killer.killed) == 1
    assert len(ran.warnings) == 1
    assert "a worker process died (signal 9) at " in ran.warnings[0]
    assert ".csv, from row" in ran.warnings[0]
    assert "does that work again" in ran.warnings[0]


def kill_at_random(tmp_path, monkeypatch, runs, *, until_different=False):
    """How many workers died, and in which runs what came out was not what an undisturbed run gives."""
    different, deaths = [], 0
    for run in range(runs):
        chance = random.Random(run)
        sizes = [(4, 4, 4), (12,), (10, 1, 1), (3, 1, 4, 1, 5)][run % 4]
        kind = ("csv", "parquet")[run // 4 % 2]
        place = tmp_path / str(run)
        place.mkdir()
        source = parts(place / "in", sizes, kind)
        expected = Ran(source, place / "alone", workers=1, kind=kind)
        with monkeypatch.context() as patched, Killer(patched, chance, chance.choices(range(11), k=3)) as killer:
            try:
                ran = Ran(source, place / "out", workers=2, seconds=0.04, kind=kind, told=killer.told)
            except InputError:  # only in the control
                ran = None
            except InterruptedRunError:  # three times at one block
                ran = Ran(source, place / "out", workers=2, kind=kind, resume=True)
        deaths += len(killer.killed)
        if ran is None or ran.files != expected.files or ran.notes != expected.notes:
            different.append(run)
            if until_different:
                break
    return deaths, different


def test_whoever_is_killed_whenever_the_bytes_and_counts_are_the_same(tmp_path, monkeypatch):
    deaths, different = kill_at_random(tmp_path, monkeypatch, 10)
    assert deaths >= 20
    assert different == []


@pytest.mark.parametrize("wrong", [1, -1])
def test_the_control_a_lease_that_goes_on_at_the_wrong_block_is_seen(tmp_path, monkeypatch, wrong):
    """The same kills, and the block in work is left out, or the one before is done twice."""
    real = sharing._Crew._replaced

    def forgetful(self, worker, task, fate):
        if isinstance(task, sharing._Lease):
            task.number = max(task.number + wrong, 0)
        return real(self, worker, task, fate)

    monkeypatch.setattr(sharing._Crew, "_replaced", forgetful)
    deaths, different = kill_at_random(tmp_path, monkeypatch, 20, until_different=True)
    assert deaths
    assert different


RUN = """
import sys
from pathlib import Path
import test_sharing
from privkit.io import csvfile
csvfile.ROWS_PER_BLOCK = test_sharing.ROWS
place = Path(sys.argv[1])
test_sharing.Ran(place / "in", place / "out", workers=2, seconds=0.1, resume=True)
"""


def _written(journal):
    """How many blocks it tells of; a run that begins again may just be making it anew."""
    try:
        return journal.read_text().count('"index"')
    except FileNotFoundError:
        return 0


def test_a_parent_that_is_killed_goes_on_with_parts_half_done(tmp_path):
    """Several parts are under way at once; whatever of each is in the journal stays."""
    source = parts(tmp_path / "in", (9, 7, 5, 12, 1))
    expected = Ran(source, tmp_path / "alone", workers=1)
    path = os.pathsep.join(map(str, (tmp_path / "code", Path(__file__).parents[2], Path(__file__).parent)))
    state, chance, kills = tmp_path / ".out.privkit" / "journal.jsonl", random.Random(3), 0
    for blocks in (3, 9, 17, 25):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], env={**os.environ, "PYTHONPATH": path})
        while process.poll() is None and _written(state) < blocks:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.wait()
        kills += process.returncode == -signal.SIGKILL
    assert kills == 4
    lines = [json.loads(line) for line in state.read_text().splitlines() if '"index"' in line]
    order = [line["part"] for line in lines]
    assert order != sorted(order)  # parts were mixed
    ran = Ran(source, tmp_path / "out", workers=2, resume=True)
    assert ran.resumed
    assert ran.files == expected.files
    assert ran.notes == expected.notes


def test_a_source_that_waits_can_be_interrupted(tmp_path):
    """What only this process can read is read by its own thread: Ctrl-C ends the wait for a pipe."""
    command = [sys.executable, "-m", "privkit", "deidentify", "-", "--format", "csv", "-o", str(tmp_path / "o.csv")]
    command += ["--detector", "patterns", "--workers", "2"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    process.stdin.write("id,email\n" + "".join(f"{n},person{n}@example.org\n" for n in range(45_000)))  # > 1 MiB
    process.stdin.flush()
    journal, deadline = tmp_path / ".o.csv.privkit" / "journal.jsonl", time.monotonic() + 120
    while (
        process.poll() is None
        and time.monotonic() < deadline
        and (not journal.exists() or '"index"' not in journal.read_text())
    ):
        time.sleep(0.01)
    time.sleep(1)  # all that came is read: now it waits for more
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    message = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert process.returncode == 130
    assert "Fatal" not in message
    assert "Traceback" not in message
    assert not (tmp_path / "o.csv").exists()
