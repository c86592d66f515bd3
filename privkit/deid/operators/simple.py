"""Presidio's operators: keep, redact, replace, mask."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.cells import is_text
from privkit.deid.operators.base import RowContext, TextOperator, placeholder
from privkit.io.frames import Leaf
from privkit.model.operators import Mask, Replace


class KeepOperator:
    """Leaves every value as it is."""

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """The type that was given."""
        return given

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """The values themselves."""
        del context
        return leaf.values

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """The value itself."""
        del row, context
        return value


class RedactOperator:
    """Removes values: an empty text in a text column, null in any other."""

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """The type that was given."""
        return given

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """See `ColumnOperator.apply`."""
        del context
        values = leaf.values
        if not is_text(values.type):
            return pa.nulls(len(values), values.type)
        empty = pc.equal(pc.utf8_trim_whitespace(values), pa.scalar("", values.type))
        return pc.if_else(pc.or_(empty, pc.is_null(values)), values, pa.scalar("", values.type))

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """Nothing in place of the value."""
        del value, row, context
        return ""


class ReplaceOperator(TextOperator):
    """Puts one text in place of every value."""

    def __init__(self, spec: Replace, entity: str | None) -> None:
        self._new = placeholder(entity) if spec.new_value is None else spec.new_value

    def replaced(self, values: Sequence[str]) -> Sequence[str]:
        """The same text for all."""
        return [self._new] * len(values)


class MaskOperator(TextOperator):
    """Overwrites characters of each value."""

    def __init__(self, spec: Mask) -> None:
        self._spec = spec

    def replaced(self, values: Sequence[str]) -> Sequence[str]:
        """Values with as many characters overwritten, from the start or from the end."""
        return [self._masked(value) for value in values]

    def _masked(self, value: str) -> str:
        wanted = self._spec.chars_to_mask
        count = len(value) if wanted is None else min(len(value), wanted)
        stars = self._spec.masking_char * count
        return value[: len(value) - count] + stars if self._spec.from_end else stars + value[count:]
