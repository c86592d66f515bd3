"""The Dockerfile, as far as it can be checked without a container engine."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def instructions():
    """(instruction, its text) for each line of the Dockerfile that is one."""
    lines = re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def _copied(instructions) -> list[str]:
    found = [shlex.split(text) for word, text in instructions if word == "COPY"]
    return [name for words in found if not words[0].startswith("--from") for name in words[:-1]]


def test_what_is_copied_is_there_and_reaches_the_builder(instructions):
    assert _copied(instructions)
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    for name in _copied(instructions):
        assert (ROOT / name).exists(), name
        assert name in let_through, name


def test_what_is_copied_is_enough_to_build_the_package(instructions, tmp_path):
    for name in _copied(instructions):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"privkit/__main__.py", "privkit/deid/policies/default.yaml"} <= set(names)


def test_what_is_run_names_what_the_image_has(instructions):
    base = {"python", "useradd", "mkdir", "chown"}  # of Debian and of the Python image
    for word, text in instructions:
        if word == "RUN":
            for command in text.split("&&"):
                program = shlex.split(command)[0]
                assert program in base or program.startswith("/opt/privkit/bin/"), program
    (installed,) = (text for word, text in instructions if word == "RUN" and "pip install" in text)
    assert "--constraint constraints.txt" in installed
    extra = re.search(r"\.\[(\w+)\]", installed)
    assert extra is not None
    assert extra[1] in PROJECT["project"]["optional-dependencies"]


def test_the_image_is_pinned_runs_as_nobody_special_and_calls_privkit(instructions):
    bases = [text.split()[0] for word, text in instructions if word == "FROM"]
    assert set(bases) == {"python:3.11-slim"}  # the version that constraints.txt was written with
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    last = dict(instructions)  # of each instruction the last one
    assert last["USER"] == "privkit"
    assert json.loads(last["ENTRYPOINT"])[0] in PROJECT["project"]["scripts"]
    words = [word for word, _ in instructions]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "ADD" not in words
    assert not re.search(r"curl|wget|apt-get", DOCKERFILE)
