"""What `privkit doctor` found: versions, models with hashes, what is missing and the command to get it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from privkit.model.policy import DetectorName

PackageState = Literal["ok", "missing", "outside"]
ModelState = Literal["ok", "missing", "altered"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageHealth(_Record):
    """A package that privkit is used with; `outside` means a version that `wanted` does not allow."""

    name: str
    version: str | None
    wanted: str
    state: PackageState
    command: str | None = None


class ModelHealth(_Record):
    """A detector's model: the hash of its weights as they are on disk, and as they were tested (hexadecimal)."""

    name: str
    version: str | None
    sha256: str | None
    expected_sha256: str
    state: ModelState
    detail: str | None = None
    command: str | None = None


class DetectorHealth(_Record):
    """Whether a detector can be used here; if not, the command that gets what it lacks."""

    name: DetectorName
    state: ModelState
    models: tuple[str, ...] = ()
    command: str | None = None


class ExtraHealth(_Record):
    """An optional part: whether all that it needs is there, and the command that gets the rest."""

    name: str
    installed: bool
    packages: tuple[PackageHealth, ...]
    command: str | None = None


class Problem(_Record):
    """Something that stops privkit from working as it should, and what to do about it."""

    what: str
    command: str | None


class Diagnosis(_Record):
    """The state of this installation; `problems` is empty when all is well, missing extras are no problem."""

    privkit: str | None
    python: str
    platform: str
    cpus: int
    hyperscan: bool
    default_detector: DetectorName | None
    detectors: tuple[DetectorHealth, ...]
    models: tuple[ModelHealth, ...]
    packages: tuple[PackageHealth, ...]
    extras: tuple[ExtraHealth, ...]
    problems: tuple[Problem, ...]
