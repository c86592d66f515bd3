"""The hook for pre-commit and the example of a GitHub Action: what they call exists, and does what they are for."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from pages import ROOT, Place

from privkit.cli import root

WORKFLOW = yaml.safe_load((ROOT / "examples/github-action/privkit-scan.yml").read_text(encoding="utf-8"))
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CLINIC = ROOT / "examples/clinic/clinic.csv"


def _exists(words: list[str]) -> None:
    """That a command line's command and options are there."""
    command: click.Command = root
    assert words[0] == "privkit"
    for word in words[1:]:
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            assert found is not None, word
            command = found
        elif word.startswith("--") and word != "--":
            assert word in {option for one in command.params for option in one.opts}, word


def _steps() -> dict[str, dict]:
    (job,) = WORKFLOW["jobs"].values()
    return {step["name"]: step for step in job["steps"] if "name" in step}


def test_the_commands_of_both_exist():
    _exists(shlex.split(HOOK["entry"]))
    joined = re.sub(r"\\\n\s*", " ", "\n".join(step["run"] for step in _steps().values()))
    called = re.findall(r"\bprivkit [a-z]+ --.*", joined)
    assert len(called) == 1
    _exists(shlex.split(called[0]))
    documented = (ROOT / "docs/how-to/ci-and-pre-commit.md").read_text(encoding="utf-8")
    assert f"id: {HOOK['id']}" in documented
    assert "examples/github-action/privkit-scan.yml" in documented


def test_the_workflow_may_read_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "secrets." not in (ROOT / "examples/github-action/privkit-scan.yml").read_text(encoding="utf-8")
    (job,) = WORKFLOW["jobs"].values()
    checkout = job["steps"][0]
    assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize(
    ("name", "looked_at"),
    [
        ("a.csv", True), ("data/b.parquet", True), ("c.txt", True), ("d.jsonl.gz", True), ("e.tsv.zst", True),
        ("requirements.txt", False), ("docs/requirements-dev.txt", False), ("CMakeLists.txt", False), ("x.py", False),
        ("constraints.txt", False), ("csv", False),
    ],
)  # fmt: skip
def test_the_hook_looks_at_data_files(name, looked_at):
    taken = re.search(HOOK["files"], name) and not re.search(HOOK["exclude"], name)
    assert bool(taken) == looked_at


def test_the_hook_refuses_a_file_with_people(tmp_path):
    place = Place(tmp_path)
    (tmp_path / "clean.csv").write_text("colour,size\nred,1\nblue,2\n", encoding="utf-8")
    call = f"{HOOK['entry']} --detector patterns"
    assert place.run("bash", f"{call} clean.csv").returncode == 0
    done = place.run("bash", f"{call} clean.csv examples/clinic/clinic.csv")
    assert done.returncode == 4, done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_the_workflow_refuses_a_change_with_people(tmp_path):
    place = Place(tmp_path)
    work, step = tmp_path / "work", _steps()["Scan what this pull request changes"]
    assert step["env"]["BASE"] == "${{ github.event.pull_request.base.sha }}"
    nobody = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
    nobody |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    environment = {**place.environment, **nobody, "RUNNER_TEMP": str(tmp_path)}

    def shell(code: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", code],
            cwd=work,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def committed(name: str, source: Path | str) -> str:
        content = source.read_bytes() if isinstance(source, Path) else source.encode()
        (work / name).write_bytes(content)
        assert shell("git add -A && git commit -qm 'A change'").returncode == 0
        return shell("git rev-parse HEAD").stdout.strip()

    work.mkdir()
    assert shell("git init -q").returncode == 0
    base = committed("old patients.csv", CLINIC)
    committed("notes.md", "Call Jasmine Todd on +1 716 555 0157.\n")
    assert shell(step["run"], BASE=base).returncode == 0  # nothing to scan
    committed("-clean file.csv", "colour,size\nred,1\nblue,2\n")
    done = shell(step["run"], BASE=base)
    assert done.returncode == 0, done.stderr
    assert "-clean file.csv" in done.stdout
    committed("new patients.csv", CLINIC)
    done = shell(step["run"], BASE=base)
    assert done.returncode != 0
    assert "new patients.csv" in done.stdout
    assert "old patients.csv" not in done.stdout
