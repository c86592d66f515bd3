"""Sizes that bound the memory of a run."""

from __future__ import annotations

ROWS_PER_BLOCK = 2_048
BYTES_PER_BLOCK = 4 << 20
"""A block closes before the row that would take its cells beyond this; one longer row is a block of its own."""
MAX_ROW_BYTES = 64 << 20
"""The longest row of a CSV file, and the longest line of JSON, that is read."""
CHUNK_BYTES = 1 << 20
"""How much of a file is read at a time."""
EXPANSION_FREE_BYTES = 64 << 20
"""So much may come out of a compressed file before the ratio is looked at."""
