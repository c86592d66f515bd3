"""Sizes in bytes as people write them: 4GB, 512 MiB, 1.5g."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?)\s*([kmgt]i?|)b?", re.IGNORECASE)


def size_of(value: str | int) -> int:
    """A size in bytes.

    Args:
        value: Bytes, or text such as "4GB" (10⁹), "512MiB" (2²⁰) or "1.5g".

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a size such as 4GB or 512MiB is wanted")
    return int(Decimal(found[1]) * _UNITS[found[2].lower()])
