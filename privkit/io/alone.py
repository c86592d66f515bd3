"""One process at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privkit.errors import OutputError, PrivkitError


@contextmanager
def alone(lock: Path, busy: PrivkitError) -> Iterator[None]:
    """Holds a lock file (0600; it stays, empty) while the block runs.

    Args:
        lock: The file; its folder must exist.
        busy: What is raised where another process holds it.

    Raises:
        PrivkitError: `busy`.
        OutputError: The file cannot be opened.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise OutputError(f"{lock}: cannot be opened ({err.strerror})") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise busy from None
        yield
    finally:
        os.close(descriptor)
