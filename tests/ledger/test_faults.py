"""Kills, races and full disks: charge before noise, whatever happens."""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SCRIPT = Path(__file__).with_name("killed_writers.py")
STEPS = ["before begin", "after insert", "before commit", "after commit"]
ALL_STEPS = [*STEPS, "before answer", *STEPS, "after answer", "shown"]


@pytest.fixture(params=["sqlite", "postgres"])
def ledgers(request):
    """What the script is told of where ledgers are: nothing for SQLite, two URLs for PostgreSQL."""
    if request.param == "sqlite":
        yield ()
        return
    databases = request.getfixturevalue("databases")
    url = databases.take()
    yield (databases.owners(url), url)
    databases.give_back()


@pytest.mark.slow
@pytest.mark.parametrize("answers_first", [False, True])
def test_a_server_that_is_stopped_again_and_again(tmp_path, databases, database, answers_first):
    """As by a loss of power, with writers in the middle of everything: no answer without its charge."""
    chance = random.Random(7)
    options = (databases.owners(database), database, *(["answers-first"] if answers_first else []))
    with subprocess.Popen(
        [sys.executable, "-W", "error", SCRIPT, "stops", tmp_path, *options], **OUT, env=environment()
    ) as work:
        while not (tmp_path / "shown-0").exists():
            time.sleep(0.05)
        for _ in range(6 if answers_first else 10):
            time.sleep(chance.uniform(0.05, 0.25))
            databases.cluster.stop("immediate")
            databases.cluster.start()
        (tmp_path / "enough").touch()
        printed, told = work.communicate(timeout=120)
    assert work.returncode == 0, told
    found = json.loads(printed)
    assert found["shown"] > 20
    assert found["broke"] > 10
    if answers_first:
        assert found["not charged"] > 0
    else:
        assert (found["not charged"], found["not stored"]) == (0, 0)


OUT = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def environment():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, *arguments],
        env=environment(),
        **OUT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_every_step(tmp_path, ledgers):
    found = run("steps", tmp_path, *ledgers)
    assert found == {"killed at": ALL_STEPS, "not charged": 0, "not stored": 0, "usable": len(ALL_STEPS)}


def test_answering_first_is_caught_at_the_steps(tmp_path, ledgers):
    found = run("steps", tmp_path, "answers-first", *ledgers)
    assert found["killed at"] == ["shown", *ALL_STEPS[:-1]]
    assert found["not charged"] == 4  # shown, before begin, after insert, before commit


@pytest.mark.slow
def test_hundreds_of_random_kills(tmp_path, ledgers):
    found = run("random", tmp_path, *ledgers)
    assert found["kills"] >= 200
    assert found["shown"] > 100
    assert (found["died alone"], found["not charged"], found["not stored"]) == (0, 0, 0)


@pytest.mark.slow
def test_answering_first_is_caught_by_random_kills(tmp_path, ledgers):
    found = run("random", tmp_path, "answers-first", *ledgers)
    assert found["died alone"] == 0
    assert found["not charged"] > 0


@pytest.mark.slow
def test_eight_processes_spend_exactly_what_there_is_and_none_starves(tmp_path, ledgers):
    found = run("race", tmp_path, *ledgers)
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


@pytest.mark.slow
def test_sixty_four_processes_over_eight_ledgers_of_one_database(tmp_path, databases, database):
    """Each has 160 tenths, and none of those who share it gets less than half of what the others get."""
    found = run("crowd", tmp_path, databases.owners(database), database)
    assert found["codes"] == [0] * 64
    assert [float(left) for left in found["left"]] == [0] * 8
    assert found["entries"] == [161] * 8
    for counts in found["counts"]:
        assert sum(counts) == 160
        assert counts[0] >= statistics.median(counts) / 2
