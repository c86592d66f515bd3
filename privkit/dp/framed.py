"""A pandas frame's columns as Arrow, whatever is in them: the type follows from the dtype, never from the values."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pandas as pd
import pyarrow as pa


def arrow_of(frame: pd.DataFrame, names: Sequence[str]) -> pa.Table:
    """The named columns; numbers without a copy where Arrow can."""
    return pa.table({name: _array(frame[name]) for name in names})


def _array(column: pd.Series[Any]) -> Any:
    """Columns of Python objects are texts, each value as it prints; of a categorical column the values count."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        if column.cat.categories.empty:  # their dtype is then whatever pandas makes of nothing
            return pa.nulls(len(column), pa.string())
        codes = column.cat.codes.to_numpy()
        return _array(column.cat.categories.to_series()).take(pa.array(codes, mask=codes < 0))
    if column.dtype == "float16":  # as Arrow's half floats engines cannot read them, and say so after the charge
        column = column.astype("float32")
    if column.dtype != object:
        with suppress(UnicodeEncodeError):
            return _whole(pa.array(column, from_pandas=column.dtype.kind != "f"))  # NaN may stay: no copy of floats
    return pa.array((_text(value) for value in column), pa.string(), size=len(column))


def _whole(array: Any) -> Any:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _text(value: Any) -> str | None:
    """Null for None, NaN and the like, and for what cannot be printed, such as an integer of 5,000 digits.

    Half a surrogate pair is no UTF-8: it is written as an escape.
    """
    if not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    with suppress(Exception):
        return str(value).encode("utf-8", "backslashreplace").decode()
    return None
