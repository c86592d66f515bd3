"""Annotated data sets, in the three forms that they are handed on in."""

from privkit.io.annotated.reading import read_annotated, records_annotated

__all__ = ["read_annotated", "records_annotated"]
