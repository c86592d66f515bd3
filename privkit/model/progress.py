"""What a run tells whoever watches it: the decision, how far it is, what it warns of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from privkit.model.report import DecidedColumn


class Observer(Protocol):
    """Watches one run. The calls come from the process that the run was started in, in the order written here."""

    def decided(self, decisions: Sequence[DecidedColumn], detector: str) -> None:
        """The role of each column is known; `detector` is the one that will be used. Nothing is written yet."""

    def started(self, total_bytes: int | None) -> None:
        """The stream begins; `total_bytes` is what there is to read (compressed size), where that is known."""

    def advanced(self, rows: int, consumed_bytes: int) -> None:
        """So many rows are done and so many bytes of the source are read: both since the start, not since last time."""

    def warned(self, message: str) -> None:
        """Something the user should know. Never holds a cell's value."""

    def finished(self) -> None:
        """The stream is over and the output is in its place."""


class SilentObserver(Observer):
    """Watches and says nothing."""

    def decided(self, decisions: Sequence[DecidedColumn], detector: str) -> None:
        """Says nothing."""

    def started(self, total_bytes: int | None) -> None:
        """Says nothing."""

    def advanced(self, rows: int, consumed_bytes: int) -> None:
        """Says nothing."""

    def warned(self, message: str) -> None:
        """Says nothing."""

    def finished(self) -> None:
        """Says nothing."""
