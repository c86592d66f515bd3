"""Runs that do not end well: killed, interrupted, two at once, no room. What is left, and how it goes on."""

import os
import signal
import subprocess
import sys
import time

import pytest
from people import people, write_csv

COMMAND = [sys.executable, "-m", "privkit", "deidentify"]
BLOCKS = 8


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
