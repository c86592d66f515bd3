"""Records from JSON files that people write: strict, with errors in privkit's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from privkit.errors import InputError, PrivkitError
from privkit.model.misfits import first_misfit

Record = TypeVar("Record", bound=BaseModel)
_MOST_BYTES = 1 << 20


def read_json(path: Path, record: type[Record], error: type[PrivkitError]) -> Record:
    """Reads a file of at most 1 MiB as a record.

    Args:
        path: The file.
        record: What it describes.
        error: What is raised where the content does not fit.

    Raises:
        InputError: The file cannot be read.
        PrivkitError: (as `error`) It is not JSON, a key stands twice, or a value does not fit.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}", path=str(path)) from None
    try:
        data = json.loads(content[:_MOST_BYTES].decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        raise error(f"{path} is not JSON, or a key stands twice in it") from None
    try:
        return record.model_validate(data)
    except ValidationError as err:
        place, told = first_misfit(err, data)
        where = "".join(f"{part}: " for part in (".".join(map(str, place)),) if part)
        raise error(f"{path}: {where}{told}") from None


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
