"""Kills, races and full disks: charge before noise, whatever happens."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WITH_PRIVKIT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
SCRIPT = Path(__file__).with_name("killed_writers.py")
STEPS = ["before begin", "after insert", "before commit", "after commit"]
ALL_STEPS = [*STEPS, "before answer", *STEPS, "after answer", "shown"]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, *arguments],
        env=WITH_PRIVKIT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_every_step(tmp_path):
    found = run("steps", tmp_path)
    assert found == {"killed at": ALL_STEPS, "not charged": 0, "not stored": 0, "usable": len(ALL_STEPS)}


def test_answering_first_is_caught_at_the_steps(tmp_path):
    found = run("steps", tmp_path, "answers-first")
    assert found["killed at"] == ["shown", *ALL_STEPS[:-1]]
    assert found["not charged"] == 4  # shown, before begin, after insert, before commit


@pytest.mark.slow
def test_hundreds_of_random_kills(tmp_path):
    found = run("random", tmp_path)
    assert found["kills"] >= 200
    assert found["shown"] > 100
    assert (found["died alone"], found["not charged"], found["not stored"]) == (0, 0, 0)


@pytest.mark.slow
def test_answering_first_is_caught_by_random_kills(tmp_path):
    found = run("random", tmp_path, "answers-first")
    assert found["died alone"] == 0
    assert found["not charged"] > 0


@pytest.mark.slow
def test_eight_processes_spend_exactly_what_there_is_and_none_starves(tmp_path):
    found = run("race", tmp_path)
    assert found["codes"] == [0] * 8
    assert sum(found["counts"]) == 2400
    assert found["refused at"] == ["0.05"]
    assert (found["left"], found["entries"]) == ("0.05", 2401)
    assert min(found["counts"]) >= statistics.median(found["counts"]) / 3


def test_a_disk_that_takes_no_more(tmp_path):
    found = run("file-limit", tmp_path)
    assert "full" in found["told"]
    assert found["same"]
    assert found["charges"] > 3
    assert found["entries"] == found["charges"] + 1
