"""Canonical JSON: equal records have equal bytes, and so equal hashes."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel


def canonical_json(record: BaseModel | dict[str, object]) -> bytes:
    """UTF-8 JSON with sorted keys, no spaces and no NaN.

    Raises:
        ValueError: A float is NaN or infinite.
    """
    data = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256_of(record: BaseModel | dict[str, object]) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(record)).hexdigest()
