"""The annotated corpora that data.toml lists."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path


def corpora(folder: Path, use: str) -> list[Path]:
    """The files for a use (`training` or `development`), each held against its hash."""
    listed = tomllib.loads(Path(__file__).with_name("data.toml").read_text(encoding="utf-8"))["corpus"]
    paths = []
    for each in listed:
        if each["use"] == use:
            path = folder / each["file"]
            if hashlib.sha256(path.read_bytes()).hexdigest() != each["sha256"]:
                raise SystemExit(f"{each['file']} is not the file that data.toml lists: its SHA-256 differs")
            paths.append(path)
    return paths
