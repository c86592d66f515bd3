"""Which confidences an interval can have."""

from __future__ import annotations

from numbers import Real
from typing import Any

from privkit.errors import UsageError

HIGHEST = 0.999999999
"""Beyond, floats lose the rest: an estimate would fail after what it is of was paid for."""


def check_confidence(confidence: Any) -> None:
    """Refuses a confidence before anything is spent or decrypted.

    Raises:
        UsageError: It is no number from 0.5 to `HIGHEST`.
    """
    is_number = isinstance(confidence, Real) and not isinstance(confidence, bool)
    if not is_number or not 0.5 <= confidence <= HIGHEST:
        raise UsageError(f"a confidence from 0.5 to {HIGHEST} is wanted")
