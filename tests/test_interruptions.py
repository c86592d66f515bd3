"""Runs that do not end well: killed, interrupted, two at once, no room. What is left, and how it goes on."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from people import people, write_csv

from privkit.cli import main
from privkit.errors import OutputError

COMMAND = [sys.executable, "-m", "privkit", "deidentify"]
BLOCKS = 8
linux = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found in /proc")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    rows = people(200)
    folder = tmp_path_factory.mktemp("interrupted")
    return write_csv(folder / "clinic.csv", (rows * 100)[: 2_048 * BLOCKS])


@pytest.fixture
def run(clinic, key_file):
    def start(output, *options, **more):
        command = [*COMMAND, str(clinic), "-o", str(output), "--key", str(key_file), "--detector", "patterns"]
        return subprocess.Popen([*command, "--workers", "1", *options], stderr=subprocess.PIPE, text=True, **more)

    return start


def journaled(output):
    """How many blocks a running process has finished."""
    journal = output.with_name(f".{output.name}.privkit") / "journal.jsonl"
    return journal.read_text().count('"index"') if journal.exists() else 0


def wait_for_blocks(process, output, count):
    deadline = time.monotonic() + 120
    while journaled(output) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finished(process):
    _, message = process.communicate(timeout=300)
    return process.returncode, message


def test_a_killed_run_is_resumed_to_the_same_bytes_without_doing_finished_blocks_again(run, tmp_path):
    whole, output = tmp_path / "whole.csv", tmp_path / "out.csv"
    assert finished(run(whole))[0] == 0
    process = run(output)
    wait_for_blocks(process, output, 3)
    process.kill()
    process.communicate()
    assert not output.exists()
    done = journaled(output)
    assert 3 <= done < BLOCKS
    state = tmp_path / ".out.csv.privkit"
    assert oct(state.stat().st_mode & 0o777) == "0o700"
    assert {oct(p.stat().st_mode & 0o777) for p in state.iterdir() if p.is_file()} == {"0o600"}
    kept = (state / "journal.jsonl").read_text().splitlines()[:done]
    resumed = run(output, "--resume", env={**os.environ, "PRIVKIT_DEBUG": "1"})
    code, message = finished(resumed)
    assert code == 0, message
    assert output.read_bytes() == whole.read_bytes()
    assert not state.exists()
    assert len(kept) == done


def test_a_run_is_not_resumed_with_another_policy(run, tmp_path):
    output = tmp_path / "out.csv"
    process = run(output)
    wait_for_blocks(process, output, 1)
    process.kill()
    process.communicate()
    code, message = finished(run(output, "--resume", "--drop", "age"))
    assert code == 1
    assert "policy" in message


def test_ctrl_c_ends_with_130_and_no_output_and_says_how_to_go_on(run, tmp_path):
    output = tmp_path / "out.csv"
    process = run(output)
    wait_for_blocks(process, output, 1)
    process.send_signal(signal.SIGINT)
    code, message = finished(process)
    assert code == 130
    assert "--resume" in message
    assert "Traceback" not in message
    assert not output.exists()


def test_without_a_kept_key_nothing_is_left(clinic, tmp_path):
    output = tmp_path / "out.csv"
    command = [*COMMAND, str(clinic), "-o", str(output), "--detector", "patterns", "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_blocks(process, output, 1)
    process.send_signal(signal.SIGINT)
    assert finished(process)[0] == 130
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_one_output(run, tmp_path):
    output = tmp_path / "out.csv"
    first = run(output)
    wait_for_blocks(first, output, 1)
    first.send_signal(signal.SIGSTOP)
    try:
        code, message = finished(run(output))
        assert code == 1
        assert "another run" in message
    finally:
        first.send_signal(signal.SIGCONT)
    assert finished(first)[0] == 0


def test_no_room_is_an_error_and_leaves_no_output(run, tmp_path):
    import resource

    output = tmp_path / "out.csv"

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    code, message = finished(run(output, preexec_fn=limited))
    assert code == 1
    assert "Traceback" not in message
    assert not output.exists()


def children(process):
    """Process ids of the workers."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == process.pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def is_alive(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pids):
    deadline = time.monotonic() + 60
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@linux
def test_a_worker_that_is_killed_is_replaced_and_its_work_done_again(run, tmp_path):
    whole, output = tmp_path / "whole.csv", tmp_path / "out.csv"
    reports = tmp_path / "whole.json", tmp_path / "out.json"
    assert finished(run(whole, "--report", str(reports[0])))[0] == 0
    process = run(output, "--workers", "2", "--report", str(reports[1]))
    wait_for_blocks(process, output, 1)
    os.kill(children(process)[0], signal.SIGKILL)
    code, message = finished(process)
    assert code == 0, message
    assert "a worker process died (signal 9) at " in message
    assert "clinic.csv, rows " in message
    assert output.read_bytes() == whole.read_bytes()
    first, second = (json.loads(report.read_text()) for report in reports)
    assert first["rows"] == second["rows"]
    assert first["columns"] == second["columns"]
    assert first["residual"] == second["residual"]


@linux
def test_workers_that_are_killed_again_and_again_are_an_error_that_can_be_resumed(run, tmp_path):
    whole, output = tmp_path / "whole.csv", tmp_path / "out.csv"
    assert finished(run(whole))[0] == 0
    process = run(output, "--workers", "2")
    wait_for_blocks(process, output, 1)
    while process.poll() is None:
        for worker in children(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        time.sleep(0.01)
    code, message = finished(process)
    assert code == 1
    assert "a worker process died (signal 9) at " in message
    assert "and so did 2 others before it" in message
    assert "fewer --workers. Then the same command with --resume continues." in message
    assert not output.exists()
    code, message = finished(run(output, "--resume"))
    assert code == 0, message
    assert output.read_bytes() == whole.read_bytes()


@linux
def test_workers_end_when_their_parent_is_killed(run, tmp_path):
    output = tmp_path / "out.csv"
    process = run(output, "--workers", "2")
    wait_for_blocks(process, output, 1)
    workers = children(process)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    wait_for_end(workers)


@linux
def test_a_busy_worker_ends_with_its_parent(tmp_path):
    (tmp_path / "busy.py").write_text(
        "def handler(spec):\n    def handle(item):\n        while True: pass\n    return handle\n"
    )
    (tmp_path / "parent.py").write_text(
        "import threading, time\n"
        "from privkit.engines.workers import Worker\n"
        "workers = [Worker('busy:handler', b''), Worker('busy:handler', b'')]\n"
        "for worker in workers:\n"
        "    threading.Thread(target=lambda asked: next(asked), args=(worker.ask(b'1'),), daemon=True).start()\n"
        "time.sleep(1)\n"
        "print(*(worker.pid for worker in workers), flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[1]}"}
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE, text=True, env=environment
    )
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert [is_alive(pid) for pid in workers] == [True, True]
    parent.kill()
    parent.communicate()
    wait_for_end(workers)


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "hung up")]
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_leaves_nothing_of_a_run_that_nobody_could_resume(clinic, tmp_path, number, code, word, workers):
    output = tmp_path / "out.csv"
    command = [*COMMAND, str(clinic), "-o", str(output), "--detector", "patterns", "--workers", workers]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_blocks(process, output, 1)
    process.send_signal(number)
    found, message = finished(process)
    assert found == code
    assert f"privkit: error: {word}" in message
    assert "Traceback" not in message
    assert list(tmp_path.iterdir()) == []


def test_impatience_does_not_cut_the_cleaning_up_short(clinic, tmp_path):
    output = tmp_path / "out.csv"
    command = [*COMMAND, str(clinic), "-o", str(output), "--detector", "patterns", "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_blocks(process, output, 1)
    while process.poll() is None and (tmp_path / ".out.csv.privkit").exists():
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, message = finished(process)
    assert "Traceback" not in message
    assert "privkit: error: interrupted" in message
    assert list(tmp_path.iterdir()) == []


def test_what_was_ignored_stays_ignored(clinic, tmp_path):
    output = tmp_path / "out.csv"
    command = [*COMMAND, str(clinic), "-o", str(output), "--detector", "patterns", "--workers", "1"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_for_blocks(process, output, 1)
    process.send_signal(signal.SIGHUP)  # as under nohup
    assert finished(process)[0] == 0
    assert output.exists()


def test_ctrl_c_before_anything_began_is_quiet(tmp_path):
    for delay in (0.02, 0.06, 0.1, 0.2, 0.4):
        process = subprocess.Popen([*COMMAND, "no.csv", "-o", "o.csv"], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        code, message = finished(process)
        assert code != 0
        assert "privkit/cli" not in message
    assert list(tmp_path.iterdir()) == []


@linux
@pytest.mark.parametrize("option", ["--report", "--save-policy"])
def test_no_room_for_the_report_leaves_no_output(clinic, tmp_path, monkeypatch, capsys, option):
    sync = os.fsync

    def fail(descriptor):
        if "r.json" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr("os.fsync", fail)
    command = ["deidentify", str(clinic), "-o", str(tmp_path / "o.csv"), option, str(tmp_path / "r.json")]
    assert main([*command, "--detector", "patterns", "--workers", "1"]) == 1
    assert "r.json: cannot be written (No space left on device)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_the_report_of_a_run_with_a_key_is_mended_by_resume(
    clinic, tmp_path, key_file, monkeypatch, capsys
):
    output, report = tmp_path / "o.csv", tmp_path / "r.json"
    command = ["deidentify", str(clinic), "-o", str(output), "--report", str(report), "--key", str(key_file)]
    command += ["--detector", "patterns", "--workers", "1"]

    def fail(self, path, text):
        raise OutputError(f"{path}: cannot be written", hint="Make room.")

    with monkeypatch.context() as patched:
        patched.setattr("privkit.io.staged.Staged.add", fail)
        assert main(command) == 1
    assert "Make room. Then the same command with --resume continues." in capsys.readouterr().err
    assert not output.exists()
    assert main([*command, "--resume"]) == 0
    assert output.exists()
    assert report.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "org.key", "r.json"]
