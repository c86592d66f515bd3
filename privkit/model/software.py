"""Versions of what computed a number, for records of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata


def versions_of(*packages: str) -> Mapping[str, str]:
    """The versions of those packages that are installed, by name."""
    return {package: version for package in packages if (version := _version(package)) is not None}


@cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
