"""Models that a user brings: the folders they are in, their hashes, and that nothing is fetched to load them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from privkit.errors import DetectorError
from privkit.model.report import ModelInfo

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def spacy_model(name: str) -> ModelInfo:
    """A spaCy model that is installed as a package, or that stands in a folder.

    Args:
        name: As `spacy.load` takes it.

    Raises:
        DetectorError: It is neither; spaCy and Presidio would download it.
    """
    from spacy.util import get_package_path, is_package

    if is_package(name):
        return ModelInfo(name=name, version=metadata.version(name), sha256=hash_of(get_package_path(name)))
    folder = Path(name)
    if not folder.is_dir():
        raise DetectorError(
            f"the spaCy model {name} is not installed, and nothing is downloaded here",
            hint=f"Install it first, which runs pip: python -m spacy download {name}",
        )
    return ModelInfo(name=folder.resolve().name, version=_version_in(folder / "meta.json"), sha256=hash_of(folder))


def hub_model(name: str) -> tuple[Path, ModelInfo]:
    """A model in the form of Hugging Face's hub: a folder, or what an earlier download left in the hub's cache.

    Args:
        name: The folder, or the name on the hub.

    Returns:
        The folder, and the model as a report names it; from a cache, its version is the commit.

    Raises:
        DetectorError: It is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder, ModelInfo(name=folder.resolve().name, version="", sha256=hash_of(folder))
    try:
        with offline():
            from huggingface_hub import snapshot_download

            folder = Path(snapshot_download(name, local_files_only=True))
    except Exception:  # not installed, not in the cache, not a name: whatever it is, the model is not here
        raise DetectorError(
            f"the model {name} is not on this machine, and nothing is downloaded here",
            hint=f"Fetch it first (hf download {name} --local-dir FOLDER), and write the folder for its name.",
        ) from None
    return folder, ModelInfo(name=name, version=folder.name, sha256=hash_of(folder))


@lru_cache(maxsize=16)
def hash_of(folder: Path) -> str:
    """SHA-256, hexadecimal, of a folder: of the names and SHA-256s of its files, in the order of their names."""
    total = hashlib.sha256()
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(files):
        if "__pycache__" in name.split("/"):
            continue  # made anew by each version of Python
        with files[name].open("rb") as file:
            total.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


@contextmanager
def offline() -> Iterator[None]:
    """A block in which Hugging Face's libraries fetch nothing, whether they are loaded already or in the block."""
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    constants = sys.modules.get("huggingface_hub.constants")
    told = getattr(constants, "HF_HUB_OFFLINE", None)
    if constants is not None:
        vars(constants)["HF_HUB_OFFLINE"] = True
    try:
        yield
    finally:
        if constants is not None:
            vars(constants)["HF_HUB_OFFLINE"] = told
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _version_in(meta: Path) -> str:
    try:
        return str(json.loads(meta.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
