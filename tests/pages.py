"""Runs what a page shows: its blocks in their order, in one fresh folder, as a reader would.

```bash, ```python        is run, and has to end with code 0
```console                each line after `$ ` is run; the lines below it are what it prints, `…` for anything
<!-- exits N -->          above a block: it has to end with code N instead
<!-- file NAME -->        above a block: it is written to NAME instead of being run
<!-- not run: REASON -->  above a block: it is only shown
<!-- needs postgres -->    anywhere: the page needs a server, which it calls db.example
<!-- before               what the page takes as given: is run, and not shown on the site
bash commands
-->
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUN = ("bash", "python", "console")
NEEDS_POSTGRES = "<!-- needs postgres -->\n"

_PIECE = re.compile(
    r"^<!-- before\n(?P<before>.*?)^-->$"
    r"|^(?:<!-- (?P<mark>(?:exits \d+|file \S+|not run: [^\n]+)) -->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Piece:
    """A block of a page, and what stands above it."""

    language: str
    code: str
    mark: str = ""

    @property
    def is_run(self) -> bool:
        return self.language in RUN and not self.mark.startswith(("file ", "not run: "))


def pieces(page: Path) -> list[Piece]:
    """The blocks of a page; `before` is a language of its own."""
    found = []
    for match in _PIECE.finditer(page.read_text(encoding="utf-8")):
        if match["before"] is not None:
            found.append(Piece("before", match["before"]))
        else:
            found.append(Piece(match["language"], match["code"], match["mark"] or ""))
    return found


@dataclass
class Place:
    """A folder with the examples in it, and `privkit` on its path.

    Args:
        folder: Where; must be empty or not there.
        command: What `privkit` and `python -c` are, where they are not started anew each time (see warm.py).
        words: What some words of a page are in truth.
    """

    folder: Path
    command: Path | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        programs = self.folder / "bin"
        programs.mkdir()
        _write_program(programs / "python", f'exec "{sys.executable}" "$@"')
        if self.command is None:
            _write_program(programs / "privkit", f'exec "{sys.executable}" -m privkit "$@"')
        else:
            (programs / "privkit").symlink_to(self.command)
            (programs / "python-c").symlink_to(self.command)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        self.environment["COLUMNS"] = "100"

    def true(self, code: str) -> str:
        """A block as it is run, or written to a file."""
        for word, truth in self.words.items():
            code = code.replace(word, truth)
        return code

    def run(self, language: str, code: str, *, merged: bool = False) -> subprocess.CompletedProcess[str]:
        python = [sys.executable, "-W", "error", "-c"] if self.command is None else [str(self.folder / "bin/python-c")]
        runner = python if language == "python" else ["bash", "-euo", "pipefail", "-c"]
        return subprocess.run(
            [*runner, self.true(code)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=300,
        )


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def run_page(page: Path, place: Place) -> list[str]:
    """Runs a page; what each bash and python block printed.

    Raises:
        AssertionError: A block ended with another code, or printed something else than the page says.
    """
    printed = []
    for piece in pieces(page):
        wanted = int(piece.mark.split()[1]) if piece.mark.startswith("exits ") else 0
        if piece.mark.startswith("file "):
            (place.folder / piece.mark.split()[1]).write_text(place.true(piece.code), encoding="utf-8")
        elif piece.language == "console" and piece.is_run:
            for command, expected in _commands(piece.code):
                done = place.run("bash", command, merged=True)
                assert done.returncode == wanted, f"{page.name}: {command}\n{done.stdout}"
                assert _fits(done.stdout, expected), f"{page.name}: {command}\n{done.stdout}"
        elif piece.language == "before" or piece.is_run:
            done = place.run(piece.language, piece.code)
            assert done.returncode == wanted, f"{page.name}:\n{piece.code}\n{done.stdout}\n{done.stderr}"
            if piece.is_run:
                printed.append(done.stdout)
    return printed


def _commands(code: str) -> list[tuple[str, str]]:
    """Each command of a console block, with its `\\` continuations, and what is shown of its output."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in code.splitlines():
        if line.startswith("$ ") or inside:
            command = line.removeprefix("$ ") if not inside else line
            found = [*found[:-1], (f"{found[-1][0]}\n{command}", "")] if inside else [*found, (command, "")]
            inside = line.endswith("\\")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def _fits(printed: str, expected: str) -> bool:
    """Whether it is what is shown; nothing shown fits everything."""
    if not expected.strip():
        return True
    spoken = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    shown = "\n".join(line.rstrip() for line in expected.strip().splitlines())
    return re.fullmatch(re.escape(shown).replace("…", ".*?"), spoken, re.DOTALL) is not None
