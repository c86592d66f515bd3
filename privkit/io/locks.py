"""Locks of this process, which those that it forks shall not hold on to."""

from __future__ import annotations

import contextlib
import os

_held: set[int] = set()


def hold(lock: int) -> None:
    """Notes an open, locked file: a forked worker that outlives its parent must not keep the lock alive."""
    _held.add(lock)


def let_go(lock: int) -> None:
    """Closes it."""
    _held.discard(lock)
    os.close(lock)


def _forget() -> None:
    for lock in _held:
        with contextlib.suppress(OSError):
            os.close(lock)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
