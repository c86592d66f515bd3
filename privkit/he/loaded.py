"""The context that the guarded child holds; part of the child."""

from __future__ import annotations

from typing import Any


class Loaded:
    """TenSEAL's native module and one context at a time.

    Args:
        native: The module.

    Attributes:
        native: The module.
        context: The context.
        sums: Vectors that are being added up under it, by number.
    """

    def __init__(self, native: Any) -> None:
        self.native = native
        self.context: Any = None
        self.sums: dict[int, Any] = {}

    def load(self, body: bytes) -> bytes:
        """Loads a context; its parameters, as SEAL understood them, go back for comparison."""
        self.sums.clear()
        self.context = self.native.TenSEALContext.deserialize(body, 1)
        written: bytes = self.context.serialize(False, False, False, False)
        return written
