"""Completion in shells, as click has it: scripts for three of them, and answers without heavy imports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"pandas", "pyarrow", "numpy", "pydantic", "rich", "spacy", "presidio_analyzer", "opendp", "tenseal", "yaml"}


def asked(instruction: str, words: str = "", at: int = 0) -> str:
    """What `privkit` prints for a shell."""
    code = (
        "import atexit, sys\n"
        "sys.argv = ['privkit']\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "from privkit.__main__ import main\n"
        "sys.exit(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_PRIVKIT_COMPLETE": instruction}
    environment |= {"COMP_WORDS": words, "COMP_CWORD": str(at)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) & HEAVY == set()
    return done.stdout


@pytest.mark.parametrize(
    ("shell", "registers"),
    [("bash", "complete -o nosort -F _privkit_completion"), ("zsh", "compdef"), ("fish", "complete --no-files")],
)
def test_a_script_for_each_shell(shell, registers):
    script = asked(f"{shell}_source")
    assert registers in script
    assert "_PRIVKIT_COMPLETE" in script


@pytest.mark.parametrize(
    ("words", "at", "wanted"),
    [
        ("privkit ", 1, "plain,deidentify"),
        ("privkit bud", 1, "plain,budget"),
        ("privkit budget ", 2, "plain,verify"),
        ("privkit study contribute --data", 3, "plain,--dataset"),
        ("privkit deidentify in.csv --detector p", 4, "plain,patterns"),
        ("privkit deidentify pat", 2, "file,pat"),
        ("privkit scan a.csv b", 3, "file,b"),
        ("privkit deidentify in.csv -o out", 4, "file,out"),
        ("privkit release pat", 2, "file,pat"),
        ("privkit deidentify in.csv --key c", 4, "file,c"),
    ],
)
def test_words_are_completed(words, at, wanted):
    assert wanted in asked("bash_complete", words, at).splitlines()


def test_bash_takes_the_script(tmp_path):
    script = tmp_path / "complete.bash"
    script.write_text(asked("bash_source"), encoding="utf-8")
    (tmp_path / "privkit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m privkit "$@"\n', encoding="utf-8")
    (tmp_path / "privkit").chmod(0o755)
    typed = 'COMP_WORDS=(privkit budget ver); COMP_CWORD=2; _privkit_completion privkit; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", f"source {script}; {typed}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("verify\n", 0), done.stderr
