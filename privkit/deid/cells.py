"""Cells of any Arrow type, as text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def as_text(values: pa.Array) -> pa.Array:
    """The cells' plain text: integers without a point, dates as ISO 8601, `true` and `false`.

    A moment's text is the same in whatever unit and zone it is kept: it is told in UTC, and a fraction of its second
    ends with a digit above zero. So engines that keep it in their own way make the same tokens of it.

    Args:
        values: Any Arrow array; types that have no text (maps, binary) give nulls.

    Returns:
        A string array of the same length; nulls stay null.
    """
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_timestamp(kind) and kind.tz:
        values = values.cast(pa.timestamp(kind.unit, "UTC"))
    try:
        texts = pc.cast(values, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.nulls(len(values), pa.string())
    if (pa.types.is_timestamp(kind) or pa.types.is_time(kind)) and kind.unit != "s":
        texts = pc.replace_substring_regex(texts, r"\.?0+(Z?)$", r"\1")
    return texts


def nonempty(values: pa.Array) -> int:
    """How many cells are neither null nor, for texts, empty or white space."""
    if is_text(values.type):
        full = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), ""), False)
        return int(pc.sum(full).as_py() or 0)
    return int(len(values) - values.null_count)
