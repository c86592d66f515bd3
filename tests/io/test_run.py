"""A run's output: there whole or not at all, and the same bytes whatever happened on the way."""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.errors import InputError, InterruptedRunError, OutputError
from privkit.io import run as run_module
from privkit.io.frames import ArrowFrame
from privkit.io.outputs import Target
from privkit.io.run import Run

SCHEMA = pa.schema([pa.field("a", pa.string(), metadata={"note": "kept"}), ("n", pa.int64())])
CSV = Target("csv", schema=SCHEMA)
PARQUET = Target("parquet", schema=SCHEMA)
WITH_PRIVKIT = {**os.environ, "PYTHONPATH": str(Path(run_module.__file__).parents[2])}  # installed or not
MANIFEST = {"source": "s1", "policy": "p1", "key": "k1"}


def block(target, index, rows=3):
    numbers = range(index * rows, (index + 1) * rows)
    batch = pa.RecordBatch.from_pydict({"a": [f"cell {i}" for i in numbers], "n": list(numbers)}, schema=SCHEMA)
    return target.encode(ArrowFrame(batch))


def lines(first, last):
    return "".join(f"cell {i},{i}\n" for i in range(first, last)).encode()


def write(run, blocks=4, parts=1, *, publish=True):
    for part in range(parts):
        for index in range(run.finished(part), blocks):
            run.append(part, block(run.target, index), {"rows": 3, "index": index})
        run.finish_part(part)
    if publish:
        run.publish()


def start(output, target=CSV, parts=("out",), **options):
    return Run.open(output, target, parts, MANIFEST, **options)


def state_of(output):
    return output.with_name(f".{output.name}.privkit")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.csv"


# --- From start to end -----------------------------------------------------------------------------------------------


def test_a_file(output):
    umask = os.umask(0o027)
    try:
        with start(output) as run:
            assert not run.resumed
            write(run, publish=False)
            assert not output.exists()
            assert run.part_path(0).read_bytes() == b"a,n\n" + lines(0, 12)
            run.publish()
    finally:
        os.umask(umask)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    assert list(output.parent.iterdir()) == [output]


def test_the_state_is_private(output):
    umask = os.umask(0)
    try:
        with start(output) as run:
            run.append(0, b"x", {})
            state = state_of(output)
            assert stat.S_IMODE(state.stat().st_mode) == 0o700
            files = [path for path in state.rglob("*") if path.is_file()]
            assert {path.name for path in files} == {"lock", "state.json", "journal.jsonl", "part-0.data"}
            assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    finally:
        os.umask(umask)
    assert not state.exists()


def test_notes_add_up(output):
    with start(output) as run:
        write(run, publish=False)
        assert [note["index"] for note in run.notes()] == [0, 1, 2, 3]
        assert sum(note["rows"] for note in run.notes()) == 12


@pytest.mark.parametrize("target", [CSV, Target("csv", "gz", schema=SCHEMA), Target("jsonl", "gz", schema=SCHEMA)])
def test_a_part_without_blocks(output, target):
    with start(output, target) as run:
        run.finish_part(0)
        run.finish_part(0)
        run.publish()
    assert output.read_bytes() == target.empty()


def test_a_folder(tmp_path):
    output = tmp_path / "out"
    with start(output, parts=("b.csv", "sub/a.csv", "sub/empty.csv"), folder=True) as run:
        write(run, blocks=2, parts=2, publish=False)
        run.finish_part(2)
        run.publish()
    assert {str(p.relative_to(output)): p.read_bytes() for p in output.rglob("*.csv")} == {
        "b.csv": b"a,n\n" + lines(0, 6),
        "sub/a.csv": b"a,n\n" + lines(0, 6),
        "sub/empty.csv": b"a,n\n",
    }
    umask = run_module._umask()
    assert stat.S_IMODE((output / "sub").stat().st_mode) == 0o777 & ~umask
    assert list(tmp_path.iterdir()) == [output]


def test_a_folder_without_parts(tmp_path):
    with start(tmp_path / "out", parts=(), folder=True) as run:
        run.publish()
    assert list((tmp_path / "out").iterdir()) == []


def test_parquet(output, monkeypatch):
    monkeypatch.setattr(run_module, "_GROUP_ROWS", 7)
    with start(output, PARQUET) as run:
        write(run, blocks=5)
    file = pq.ParquetFile(output)
    assert file.read().to_pydict() == {"a": [f"cell {i}" for i in range(15)], "n": list(range(15))}
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [6, 6, 3]
    assert file.schema_arrow.field("a").metadata[b"note"] == b"kept"


def test_parquet_groups_are_bounded_in_bytes(output, monkeypatch):
    monkeypatch.setattr(run_module, "_GROUP_BYTES", 1)
    with start(output, PARQUET) as run:
        write(run, blocks=3)
    assert pq.ParquetFile(output).num_row_groups == 3


def test_parquet_without_blocks_and_with_dictionaries(output):
    schema = pa.schema([pa.field("d", pa.dictionary(pa.int8(), pa.string()), metadata={"k": "v"})], metadata={"m": "n"})
    target = Target("parquet", schema=schema)
    with start(output, target) as run:
        run.finish_part(0)
        run.publish()
    assert pq.read_table(output).num_rows == 0
    assert pq.read_schema(output).field("d").metadata[b"k"] == b"v"
    batch = pa.RecordBatch.from_arrays([pa.array(["x", "y", "x"]).dictionary_encode()], names=["d"])
    with start(output, target, force=True) as run:
        run.append(0, target.encode(ArrowFrame(batch)), {})
        run.append(0, target.encode(ArrowFrame(batch.slice(1))), {})
        run.finish_part(0)
        run.publish()
    table = pq.read_table(output)
    assert table["d"].to_pylist() == ["x", "y", "x", "y", "x"]
    assert pa.types.is_dictionary(table.schema.field("d").type)


def test_a_temporary_run(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Run.temporary(CSV, ("x.csv",)) as run:
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        write(run, publish=False)
        assert list(run.blocks(0)) == [b"a,n\n" + lines(0, 3), lines(3, 6), lines(6, 9), lines(9, 12)]
        stream = io.BytesIO()
        run.copy_to(stream)
        with pytest.raises(ValueError):
            run.publish()
    assert stream.getvalue() == b"a,n\n" + lines(0, 12)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_over_writes_nothing(output):
    with start(output) as run:
        run.append(0, b"x", {})
    with pytest.raises(ValueError):
        run.append(0, b"y", {})
    assert list(output.parent.iterdir()) == []


def test_publish_wants_all_parts(output):
    with start(output) as run, pytest.raises(ValueError):
        run.publish()


# --- What stands in the way ------------------------------------------------------------------------------------------


def refused(output, match, **options):
    before = {path: path.lstat().st_ino for path in output.parent.rglob("*")}
    with pytest.raises(OutputError, match=match) as caught:
        start(output, **options)
    assert {path: path.lstat().st_ino for path in output.parent.rglob("*")} == before
    return caught.value


def test_an_existing_file(output):
    output.write_text("old")
    output.chmod(0o600)
    assert "--force" in refused(output, "exists").hint
    assert "--force" in refused(output, "exists", resume=True).hint
    with start(output, force=True) as run:
        write(run, publish=False)
        assert output.read_text() == "old"
        run.publish()
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600, "not opened to more people than before"


def test_links_folders_and_devices(tmp_path, output):
    output.symlink_to(tmp_path / "elsewhere")
    refused(output, "symbolic link", force=True)
    output.unlink()
    output.mkdir()
    refused(output, "is a folder", force=True)
    output.rmdir()
    os.mkfifo(output)
    refused(output, "not a regular file", force=True)
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "is a file", folder=True, force=True)


def test_places_that_cannot_be_written(tmp_path, monkeypatch):
    assert "mkdir" in refused(tmp_path / "no" / "out.csv", "does not exist").hint
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="does not exist"):
        start(tmp_path / "file" / "out.csv")
    for name in ("..", "."):
        with pytest.raises(OutputError, match="not a name"):
            start(Path(name), folder=True)
    refused(tmp_path / ("x" * 250), "too long")
    monkeypatch.setattr(os, "access", lambda *_: False)
    refused(tmp_path / "out.csv", "not writable")


def test_an_existing_folder(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    with start(output, folder=True, parts=("a.csv",)) as run:  # an empty one is nothing to lose
        write(run)
    assert "--force" in refused(output, "exists", folder=True).hint
    (output / "old.csv").write_text("old")
    with start(output, folder=True, force=True, parts=("b.csv",)) as run:
        write(run, blocks=1, publish=False)
        assert (output / "old.csv").exists()
        run.publish()
    assert {path.name for path in output.iterdir()} == {"b.csv"}
    assert list(tmp_path.iterdir()) == [output]


def test_force_does_not_remove_what_is_no_dataset(tmp_path):
    output = tmp_path / "home"
    (output / "sub").mkdir(parents=True)
    (output / "sub" / "thesis.tex").touch()
    refused(output, "thesis.tex", folder=True, force=True)


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "a/../../x", ""])
def test_parts_stay_inside(tmp_path, name):
    with pytest.raises(OutputError, match="inside"):
        start(tmp_path / "out", folder=True, parts=(name,))


def test_what_appears_in_the_meantime_is_not_lost(tmp_path, output):
    run = start(output)
    write(run, publish=False)
    output.write_text("somebody else's")
    with pytest.raises(OutputError, match="exists"), run:
        run.publish()
    assert output.read_text() == "somebody else's"
    folder = tmp_path / "folder"
    run = start(folder, folder=True, parts=("a.csv",))
    write(run, publish=False)
    folder.mkdir()
    (folder / "x.csv").touch()
    with pytest.raises(OutputError, match="exists"), run:
        run.publish()
    assert {path.name for path in tmp_path.rglob("*")} == {"out.csv", "folder", "x.csv"}


def test_what_appears_at_the_very_moment_is_not_lost(output, monkeypatch):
    monkeypatch.setattr(run_module, "_check_output", lambda *_, **__: None)
    run = start(output)
    write(run, publish=False)
    output.write_text("somebody else's")
    with pytest.raises(OutputError, match="in the meantime"), run:
        run.publish()
    assert output.read_text() == "somebody else's"


def test_without_hard_links(output, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", no_links)
    with start(output) as run:
        write(run)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)


# --- Two runs --------------------------------------------------------------------------------------------------------


def test_another_live_run(output):
    with start(output) as run:
        for resume in (True, False):
            with pytest.raises(InterruptedRunError, match="another run is writing"):
                start(output, resume=resume, force=True)
        write(run)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)


def test_a_worker_that_lives_on_does_not_hold_the_lock(output):
    code = """
        import os, sys, time, warnings
        warnings.simplefilter("ignore")
        from pathlib import Path
        from privkit.io.outputs import Target
        from privkit.io.run import Run
        run = Run.open(Path(sys.argv[1]), Target("jsonl"), ["x"], {}, resumable=True)
        if os.fork() == 0:
            os.close(1)
            os.read(0, 1)  # a worker: lives until the test closes this pipe
            os._exit(0)
        os.kill(os.getpid(), 9)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(output)],
        env=WITH_PRIVKIT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout.read() == b"", "parent and worker have both closed it"
    parent.wait()
    try:
        Run.open(output, Target("jsonl"), ["x"], {}, resume=True).discard()
    finally:
        parent.stdin.close()
        parent.stdout.close()


def test_a_state_folder_that_is_not_ours(tmp_path, output):
    (tmp_path / "trap").mkdir()
    state_of(output).symlink_to(tmp_path / "trap")
    for act in (start, Run.peek):
        with pytest.raises(OutputError, match="in the way"):
            act(output)
    state_of(output).unlink()
    state_of(output).mkdir()
    state_of(output).chmod(0o777)
    with pytest.raises(OutputError, match="in the way"):
        start(output)


# --- Interrupted and continued ---------------------------------------------------------------------------------------


def interrupted(output, blocks=2, target=CSV, error=KeyboardInterrupt, **options):
    run = start(output, target, **{"resumable": True, **options})
    for index in range(blocks):
        run.append(0, block(target, index), {"index": index})
    with pytest.raises(error if isinstance(error, type) else type(error)), run:
        raise error


@pytest.mark.parametrize("target", [CSV, PARQUET, Target("csv", "zst", schema=SCHEMA)])
def test_to_the_same_bytes(output, target):
    with start(output, target) as run:
        write(run)
    expected = output.read_bytes()
    output.unlink()
    interrupted(output, target=target, saved={"policy": "text"})
    assert not output.exists()
    peeked = Run.peek(output)
    assert (peeked["manifest"], peeked["saved"]) == (MANIFEST, {"policy": "text"})
    with start(output, target, resume=True, resumable=True) as run:
        assert (run.resumed, run.finished(0), run.saved) == (True, 2, {"policy": "text"})
        assert [note["index"] for note in run.notes()] == [0, 1]
        write(run)
    assert output.read_bytes() == expected
    assert Run.peek(output) is None
    assert list(output.parent.iterdir()) == [output]


def test_nothing_to_continue(output):
    with start(output, resume=True) as run:
        assert not run.resumed
        write(run)
    assert output.exists()


def test_without_resume_it_starts_anew(output):
    interrupted(output)
    with start(output) as run:
        assert (run.resumed, run.finished(0), list(run.notes())) == (False, 0, [])
        write(run)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)


def test_only_the_same_run_is_continued(output):
    interrupted(output)
    for changed, named in [
        ({"manifest": {**MANIFEST, "policy": "p2", "key": "k2"}}, "policy, key"),
        ({"manifest": {"source": "s1", "policy": "p1"}}, "key"),
        ({"target": Target("csv", "gz", schema=SCHEMA)}, "output format"),
        ({"parts": ["y"]}, "parts"),
    ]:
        given = {"target": CSV, "parts": ["out"], "manifest": MANIFEST, **changed}
        with pytest.raises(InterruptedRunError, match=f": {named}$"):
            Run.open(output, **given, resume=True)
    assert start(output, resume=True).finished(0) == 2, "the state was left as it was"


def test_a_run_without_a_kept_key_is_not_continued(output):
    run = start(output, resumable=False)
    run.append(0, block(CSV, 0), {})
    run.keep()
    with pytest.raises(InterruptedRunError, match="no kept key"):
        start(output, resume=True)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KeyboardInterrupt, True),
        (SystemExit, True),
        (InterruptedRunError("a worker died"), True),
        (MemoryError, True),
        (InputError("row 3"), False),
        (RuntimeError, False),
    ],
)
def test_what_is_kept(output, error, kept):
    interrupted(output, error=error)
    assert (Run.peek(output) is not None) == kept
    assert state_of(output).exists() == kept
    if kept:
        start(output, force=True).discard()
    interrupted(output, error=error, resumable=False)
    assert list(output.parent.iterdir()) == []


def test_force_is_remembered(output):
    output.write_text("old")
    interrupted(output, force=True)
    assert output.read_text() == "old"
    with start(output, resume=True) as run:
        write(run)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)


def damage(output, act):
    interrupted(output, blocks=3)
    act(state_of(output))
    with start(output, resume=True) as run:
        kept = run.finished(0)
        assert [note["index"] for note in run.notes()] == list(range(kept))
        write(run)
    assert output.read_bytes() == b"a,n\n" + lines(0, 12)
    return kept


def edited(name, change):
    def act(state):
        (state / name).write_bytes(change((state / name).read_bytes()))

    return act


@pytest.mark.parametrize(
    ("act", "kept"),
    [
        (edited("part-0.data", lambda data: data + b"torn"), 3),
        (edited("part-0.data", lambda data: data[:-1]), 2),
        (edited("part-0.data", lambda data: data[:-1] + b"X"), 2),
        (edited("part-0.data", lambda data: b"X" + data[1:]), 0),
        (lambda state: (state / "part-0.data").unlink(), 0),
        (edited("journal.jsonl", lambda text: text[:-1]), 2),
        (edited("journal.jsonl", lambda text: text + b'{"part":0,"ind'), 3),
        (edited("journal.jsonl", lambda text: text + bytes(100)), 3),
        (edited("journal.jsonl", lambda text: text + b'{"part":0,"index":9,"end":1,"crc32":0,"note":{}}\n'), 3),
        (edited("journal.jsonl", lambda text: text + b'{"finished":0,"size":5}\n'), 3),
        (lambda state: (state / "journal.jsonl").unlink(), 0),
    ],
)
def test_damage_is_cut_off(output, act, kept):
    assert damage(output, act) == kept


def test_a_finished_part_that_is_gone_is_made_again(tmp_path):
    output = tmp_path / "out"
    parts = ("a.csv", "b.csv")
    run = start(output, parts=parts, folder=True, resumable=True)
    write(run, parts=2, publish=False)
    run.keep()
    (state_of(output) / "out" / "a.csv").unlink()
    with start(output, parts=parts, folder=True, resume=True) as run:
        assert (run.finished(0), run.part_finished(0)) == (0, False)
        assert (run.finished(1), run.part_finished(1)) == (4, True)
        write(run, parts=2)
    assert (output / "a.csv").read_bytes() == (output / "b.csv").read_bytes() == b"a,n\n" + lines(0, 12)


def test_a_state_of_another_version(output):
    interrupted(output)
    edited("state.json", lambda text: json.dumps({**json.loads(text), "version": 99}).encode())(state_of(output))
    with pytest.raises(InterruptedRunError, match="version"):
        start(output, resume=True)
    start(output).discard()


# --- Full disks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resumable", [False, True])
@pytest.mark.parametrize("target", [CSV, PARQUET])
def test_a_full_disk(output, monkeypatch, target, resumable):
    real, room = os.write, [600]

    def tight(file, data):
        room[0] -= len(data)
        if room[0] < 0:
            real(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "full")
        return real(file, data)

    run = start(output, target, resumable=resumable)
    monkeypatch.setattr(os, "write", tight)
    with pytest.raises(OutputError, match="disk full") as caught, run:
        write(run, blocks=100)
    monkeypatch.setattr(os, "write", real)
    assert caught.value.hint
    assert not output.exists()
    assert state_of(output).exists() == resumable
    if resumable:
        with start(output, target, resume=True) as run:
            write(run, blocks=100)
        assert output.exists()


def test_a_file_that_may_not_grow(output):
    """The system's own refusal, also where Arrow does the writing."""
    random = os.urandom(30_000).hex()
    batch = pa.RecordBatch.from_pydict({"a": [random], "n": [1]}, schema=SCHEMA)
    run = start(output, PARQUET)
    run.append(0, PARQUET.encode(ArrowFrame(batch)), {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputError, match="disk full"), run:
            run.finish_part(0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(output.parent.iterdir()) == []


def test_no_room_for_the_state(output, monkeypatch):
    def full(*_):
        raise OSError(errno.EDQUOT, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="quota"):
        start(output)
    assert list(output.parent.iterdir()) == []


# --- SIGKILL ---------------------------------------------------------------------------------------------------------

KILLED = Path(__file__).with_name("killed_runs.py")


def killed_runs(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, str(KILLED), str(tmp_path), *arguments],
        env=WITH_PRIVKIT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["csv", "parquet", "folder", "forced-file", "forced-folder"])
def test_killed_before_any_system_call_it_comes_to_the_same_bytes(tmp_path, kind):
    result = killed_runs(tmp_path, kind)
    assert result["kills"] > 25, "as many points as there are calls that change files"
    assert result["different"] == []


def test_killed_at_random_times_it_comes_to_the_same_bytes(tmp_path):
    result = killed_runs(tmp_path, "random")
    assert result["kills"] > 0
    assert result["different"] == []


def test_without_cutting_it_does_not(tmp_path):
    """The control: the tests above see what goes wrong when what stands behind the journal's last line stays."""
    assert killed_runs(tmp_path, "csv", "no-cut")["different"] != []
