"""A study's description, as a person wrote it."""

from __future__ import annotations

import os
from pathlib import Path

from privkit.errors import StudyError, UsageError
from privkit.model.study import StudySpec
from privkit.model.yamlfile import read_yaml


class Study:
    """A study's description.

    Attributes:
        spec: What it says.
    """

    def __init__(self, spec: StudySpec) -> None:
        if not isinstance(spec, StudySpec):
            raise UsageError("a StudySpec is wanted", hint="Study.load(path) reads a study file.")
        self.spec = spec

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Reads a `*.study.yaml`.

        Raises:
            StudyError: The file is missing or does not hold together; with file and line.
        """
        return cls(read_yaml(Path(path), StudySpec, error=StudyError))

    def __repr__(self) -> str:
        return f"Study({self.spec.study!r}, parties={[party.name for party in self.spec.parties]!r})"
