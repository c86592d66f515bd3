"""Releases over more data than memory: the same integers, on disk for nobody else, and nothing left behind."""

import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import privkit
from privkit.dp.bounding import aggregate
from privkit.dp.embedded import LEAST_MEMORY, Room
from privkit.dp.plan import plan
from privkit.dp.sources import open_table
from privkit.dp.sql import parse_sql
from privkit.errors import UsageError
from privkit.model.sizes import size_of

ROWS = 1_000_000
MEMORY = "100MB"
SQL = "SELECT region, COUNT(*) AS n, AVG(income) AS mean FROM people GROUP BY region"
DESCRIPTION = """
name: people
version: "1"
source: people.parquet
ledger: people.sqlite3
privacy_unit: {column: user, max_groups: 1, max_rows_per_group: 2, max_units: 2000000}
budget: {epsilon: 4, measure: pure}
columns:
  region: {type: category, categories: [r0, r1, r2, r3, r4]}
  income: {type: float, bounds: [0, 1000], granularity: 1}
"""
CLI = [sys.executable, "-m", "privkit"]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A Parquet file of a million units with long names, in no order."""
    path = tmp_path_factory.mktemp("people") / "people.parquet"
    numbers = pa.array([i * 7_919 % ROWS for i in range(ROWS)])
    user = pc.binary_join_element_wise("unit-000000-", numbers.cast(pa.string()), "")
    region = pc.binary_join_element_wise("r", pc.bit_wise_and(numbers, 3).cast(pa.string()), "")
    income = pc.bit_wise_and(numbers, 511).cast(pa.float64())
    pq.write_table(pa.table({"user": user, "region": region, "income": income}), path)
    return path


@pytest.fixture
def described(people, tmp_path):
    """The description, its budget created, and a folder to spill to."""
    (tmp_path / "people.parquet").symlink_to(people)
    path = tmp_path / "people.yaml"
    path.write_text(DESCRIPTION)
    privkit.create_budget(privkit.Dataset.load(path))
    (tmp_path / "spill").mkdir(mode=0o700)
    return path


class Watch:
    """Looks at a folder all the time: the most bytes that were in it, and whether others could have read them."""

    def __init__(self, folder):
        self.most, self.loose = 0, False
        self._folder, self._over = folder, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._over.wait(0.002):
            self.most = max(self.most, spilled(self._folder))
            for made in self._folder.iterdir():
                try:
                    self.loose |= bool(made.lstat().st_mode & 0o077)
                except FileNotFoundError:
                    continue

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def spilled(folder):
    """Bytes in the private folders in it."""
    size = 0
    for path in folder.glob("privkit-spill-*/**/*"):
        try:
            size += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return size


def integers(path, room):
    dataset = privkit.Dataset.load(path)
    made = plan(parse_sql(SQL, dataset.spec), dataset.spec)
    with open_table(dataset.spec, dataset.folder, room=room) as table:
        found = aggregate(made, table)
        limit = table.backend.raw_sql("SELECT current_setting('memory_limit')").fetchone()[0]
    return {name: vector.tolist() for name, vector in found.vectors.items()}, size_of(limit)


def test_the_same_integers_with_less_memory_than_data(described):
    folder = described.parent / "spill"
    whole, _ = integers(described, Room())
    with Watch(folder) as seen:
        found, limit = integers(described, Room.asked(folder, MEMORY))
    assert found == whole
    assert np.sum([np.sum(vector) for vector in whole.values()]) > ROWS
    assert 0.99e8 < limit < 1.01e8
    assert seen.most > 10_000_000  # it did spill
    assert not seen.loose
    assert list(folder.iterdir()) == []


def test_the_control_with_enough_memory_nothing_is_spilled(described):
    folder = described.parent / "spill"
    with Watch(folder) as seen:
        integers(described, Room(spill=folder))
    assert seen.most == 0


def started(described, **more):
    command = [*CLI, "release", str(described), SQL, "--epsilon", "0.5", "--yes", "--fresh", "--memory", MEMORY]
    command += ["--spill", str(described.parent / "spill")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **more)


def kinds(described):
    return [entry.kind for entry in privkit.budget_history(privkit.Dataset.load(described))]


def test_killed_in_mid_query_it_leaves_a_folder_that_the_next_start_removes(described):
    folder = described.parent / "spill"
    process = started(described)
    deadline = time.monotonic() + 120
    while spilled(folder) < 1_000_000:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()
    (left,) = folder.iterdir()
    assert stat.S_IMODE(left.stat().st_mode) == 0o700
    assert spilled(folder) > 0
    assert kinds(described) == ["opened", "charged"]
    process = started(described)
    _, message = process.communicate(timeout=120)
    assert process.returncode == 0, message
    assert list(folder.iterdir()) == []
    assert kinds(described) == ["opened", "charged", "charged", "released"]


def test_a_full_disk_is_an_error_after_one_charge_and_leaves_nothing(described):
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = started(described, preexec_fn=limited)
    _, message = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "privkit: error: the engine could not compute the aggregate" in message
    assert "stays charged" in message
    assert "Traceback" not in message
    assert list((described.parent / "spill").iterdir()) == []
    assert kinds(described) == ["opened", "charged", "failed"]


def test_ctrl_c_in_mid_query_leaves_nothing(described):
    folder = described.parent / "spill"
    process = started(described)
    while spilled(folder) == 0 and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=120)
    assert "Traceback" not in message
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--spill", "none"), 1, "the folder none does not exist"),
        (("--memory", "much"), 2, "memory: a size such as 4GB or 512MiB is wanted"),
        (("--memory", "1MB"), 2, "memory: an engine needs 100MB and more"),
        (("--spill", ""), 2, "empty"),
    ],
)
def test_what_is_refused_costs_nothing(described, capsys, monkeypatch, options, code, words):
    from privkit.cli import main

    monkeypatch.chdir(described.parent)
    assert main(["release", "people.yaml", SQL, "--epsilon", "0.5", "--yes", *options]) == code
    assert words in capsys.readouterr().err
    assert kinds(described) == ["opened"]


def test_in_python(described):
    folder = described.parent / "spill"
    dataset = privkit.Dataset.load(described)
    with Watch(folder) as seen, privkit.Session(dataset, spill=folder, memory=100_000_000) as session:
        released = session.sql(SQL, epsilon="0.5")
    assert released.release.results[0].name == "n"
    assert seen.most > 0
    assert list(folder.iterdir()) == []
    with pytest.raises(UsageError):
        privkit.Session(dataset, memory="x")


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("512MiB", 512 * 2**20), ("1.5 g", 1_500_000_000), ("123", 123), (7, 7), ("2KiB", 2048)],
)
def test_sizes(text, size):
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1,5GB", "4 potatoes", True, None, 1.5])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="a size such as 4GB"):
        size_of(text)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="what is taken is read in /proc")
def test_a_lower_limit_of_the_process_lowers_the_engines(described):
    """DuckDB looks at the machine and its control group, and not at `ulimit`."""
    code = (
        "import resource, sys\n"
        "from test_spilling import Path, Room, integers\n"
        "from privkit.dp.embedded import _left\n"
        "most = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize() + 3_000_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "left = _left()\n"
        "_, limit = integers(Path(sys.argv[1]), Room(spill=Path(sys.argv[1]).parent / 'spill'))\n"
        "print(left, limit)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(described)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    left, limit = map(int, done.stdout.split())
    assert LEAST_MEMORY <= limit <= 0.8 * left < 2_500_000_000
