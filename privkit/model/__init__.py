"""Frozen records, and how they are read from and written to text. No behaviour beyond validation."""
