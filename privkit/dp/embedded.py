"""The DuckDB inside this process: what it may read, how much memory it takes, and where the rest of the data waits."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis

from privkit.errors import UsageError
from privkit.model.sizes import size_of

LEAST_MEMORY = 100 * 10**6  # below, DuckDB fails at a few million units although it spills
_SHARE = 0.8  # of what the system allows: DuckDB's own share of the machine's memory
_CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


@dataclass(frozen=True)
class Room:
    """What an embedded engine may take.

    Attributes:
        spill: Where it makes its private folder for what does not fit into memory; the system's temporary folder if
            None.
        memory: Its limit in bytes; if None, DuckDB's own (four fifths of the machine's or the container's), or four
            fifths of what a lower limit of this process leaves.
    """

    spill: Path | None = None
    memory: int | None = None

    @classmethod
    def asked(cls, spill: str | Path | None, memory: str | int | None) -> Room:
        """As a user says it.

        Args:
            spill: A folder that exists.
            memory: Bytes, or text such as "4GB".

        Raises:
            UsageError: No size, or less than 100 MB.
        """
        try:
            size = None if memory is None else size_of(memory)
        except ValueError as err:
            raise UsageError(f"memory: {err}") from None
        if size is not None and size < LEAST_MEMORY:
            raise UsageError("memory: an engine needs 100MB and more")
        if spill is not None and not str(spill):
            raise UsageError("the spill folder's name is empty", hint="Name a folder.")
        return cls(None if spill is None else Path(spill), size)


ANY_ROOM = Room()
"""What is taken where nobody says anything."""


def connected(paths: Sequence[str], database: str, spill: Path, room: Room) -> Any:
    """A DuckDB that can read `paths` and nothing else, loads no extension, and spills to a folder of its own.

    Args:
        paths: Files, absolute.
        database: A DuckDB file, opened to read, or `:memory:`.
        spill: The folder, private already.
        room: Its memory.

    Returns:
        Ibis's connection.
    """
    settings = {**_CLOSED, "temp_directory": str(spill), "preserve_insertion_order": "false"}
    backend = ibis.duckdb.connect(database, read_only=database != ":memory:", **settings)
    memory = _memory(backend, room)
    if memory is not None:
        backend.raw_sql(f"SET memory_limit = '{memory}B'")
    backend.raw_sql("SET enable_progress_bar = false")
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    backend.raw_sql(f"SET allowed_paths = [{listed}]")
    backend.raw_sql("SET enable_external_access = false")
    backend.raw_sql("SET lock_configuration = true")
    return backend


def _memory(backend: Any, room: Room) -> int | None:
    """The limit to set; None to leave DuckDB's, which knows the machine and its control group and no `ulimit`."""
    if room.memory is not None:
        return room.memory
    allowed = _left()
    if allowed is None:
        return None
    own = size_of(backend.raw_sql("SELECT current_setting('memory_limit')").fetchone()[0])
    mine = max(int(_SHARE * allowed), LEAST_MEMORY)
    return mine if mine < own else None


def _left() -> int | None:
    """What `ulimit -v` or `-d` leaves to this process, in bytes; None where neither is set."""
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    finite = [limit for limit in limits if limit != resource.RLIM_INFINITY]
    if not finite:
        return None
    taken = 0
    with suppress(OSError, ValueError):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return max(min(finite) - taken, 0)
