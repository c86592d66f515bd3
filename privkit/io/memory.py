"""Data in memory: a pandas DataFrame or a list of records, in and out."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from privkit.errors import InputError
from privkit.io.blocks import Block, Dialect, Format, Part, arrow_blocks, batch_from_ipc, halved
from privkit.io.csvfile import refuse_doubled_names
from privkit.io.frames import Frame, json_text, leaf_names, plain_type
from privkit.io.jsonlines import line_blocks, parse_lines
from privkit.io.limits import ROWS_PER_BLOCK
from privkit.io.sources import Source

_MAX_STRING_BYTES = (1 << 31) - 1


def open_frame(frame: pd.DataFrame) -> Source:
    """The frame's rows; its index is not looked at.

    Column names become text. A column that Arrow has no one type for (an object column of text and numbers, say)
    goes as text.

    Args:
        frame: It is not written to.

    Raises:
        ColumnError: Two columns have the same name.
    """
    return _FrameSource(frame)


def open_records(records: Sequence[Mapping[str, Any]]) -> Source:
    """The records, as lines of JSON.

    What JSON has no value for becomes text (dates, decimals), or null (NaN).

    Args:
        records: JSON-like objects; they are not written to.

    Raises:
        InputError: While reading: a record is not a mapping, or holds what cannot be made JSON.
    """
    return _RecordSource(records)


def frame_from_blocks(
    original: pd.DataFrame, outputs: Iterable[bytes], dropped: Set[str] = frozenset()
) -> pd.DataFrame:
    """Puts the outputs of `open_frame`'s blocks together.

    Args:
        original: The frame that was given to `open_frame`.
        outputs: One Arrow IPC stream for each block, in order.
        dropped: Names of columns to leave out; needed only for a frame without rows, which has no blocks to tell.

    Returns:
        A frame with the original's index and order of columns. A column in which nothing changed is the original's
        own; so is, in a column of Python objects, each cell in which nothing changed. A changed column keeps its
        dtype if its type is still the same (dates stay dates), else takes the new type's (text: `str`).
    """
    batches = [batch_from_ipc(payload) for payload in outputs]
    labels, columns = [], []
    table = pa.Table.from_batches(batches) if batches else None
    for position, label in enumerate(original.columns):
        name, given = str(label), original.iloc[:, position]
        if name in dropped or (table is not None and name not in table.column_names):
            continue
        labels.append(position)
        columns.append(given if table is None else _column(given, table.column(name).combine_chunks()))
    # Built by position: labels may be tuples, numbers or of a MultiIndex, and stay what they are.
    made = pd.DataFrame(dict(enumerate(columns)), index=original.index)
    made.columns = original.columns[labels]
    return made


def records_from_blocks(outputs: Iterable[bytes]) -> list[dict[str, Any]]:
    """Puts the outputs of `open_records`' blocks together: raw lines of JSON objects, or Arrow IPC streams."""
    records: list[dict[str, Any]] = []
    for payload in outputs:
        if payload.startswith(b"\xff\xff\xff\xff"):
            records.extend(batch_from_ipc(payload).to_pylist())
        else:
            records.extend(parse_lines(payload, first_row=len(records)).records)
    return records


class _MemorySource(Source):
    def __init__(self, description: str, format: Format) -> None:
        self.description = description
        self.format = format
        self.dialect = Dialect()
        self.parts = (Part(None, description, format),)

    def sample(self, rows: int = 10_000, bytes: int = 32 << 20) -> tuple[Frame, ...]:
        frames = []
        for block in self.blocks(0):
            frames.append(block.frame().head(rows))
            rows -= block.rows
            bytes -= len(block.payload)
            if rows <= 0 or bytes <= 0:
                break
        return tuple(frames)

    def fingerprint(self) -> str:
        return secrets.token_hex(32)


class _FrameSource(_MemorySource):
    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__("DataFrame", "parquet")
        names = [str(label) for label in frame.columns]
        refuse_doubled_names(names, self.description)
        arrays = [_arrow(frame.iloc[:, position]) for position in range(len(names))]
        self._schema = pa.schema([(name, array.type) for name, array in zip(names, arrays, strict=True)])
        leaf_names(self._schema)
        self._batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema) if arrays else None
        self._rows = len(frame)
        self._bytes = self.total = sum(array.nbytes for array in arrays)

    def schema(self) -> pa.Schema:
        return self._schema

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        if part != 0:
            raise IndexError(part)
        self.consumed = 0
        for block in arrow_blocks(self._batches(), 0, self.description):
            self.consumed = self._bytes * (block.first_row + block.rows) // self._rows
            if block.index >= skip:
                yield block

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._batch is not None:
            for start in range(0, self._batch.num_rows, ROWS_PER_BLOCK):
                yield from halved(self._batch.slice(start, ROWS_PER_BLOCK))


class _RecordSource(_MemorySource):
    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("records", "jsonl")
        self._records = records

    def schema(self) -> None:
        return None

    def blocks(self, part: int, skip: int = 0) -> Iterator[Block]:
        if part != 0:
            raise IndexError(part)
        lines = (_line(record, row) for row, record in enumerate(self._records, 1))
        first = 0
        for index, (payload, rows) in enumerate(line_blocks(lines, self.description)):
            if index >= skip:
                yield Block(0, index, first, rows, "jsonl", payload, self.description)
            first += rows


def _line(record: object, row: int) -> bytes:
    if not isinstance(record, Mapping):
        raise InputError(f"record {row} is not a mapping", row=row)
    given = record if isinstance(record, dict) else dict(record)
    try:
        return orjson.dumps(given, default=str, option=_JSON_OPTIONS)
    except TypeError:  # integers beyond 64 bits are more than orjson takes
        pass
    try:
        return json.dumps(_without_nan(given), default=str, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError):  # also UnicodeEncodeError; the message may quote a value
        raise InputError(
            f"record {row} cannot be written as JSON", row=row, hint="Keys and values must be those that JSON has."
        ) from None


_JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE


def _without_nan(value: Any) -> Any:
    """As orjson has it: NaN and the infinities are null."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _arrow(series: pd.Series[Any]) -> pa.Array:
    """The column as one Arrow array of a plain type; as text if there is no such type."""
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _texts(series)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if not _is_plain(array.type):
        if plain_type(array.type) == array.type or not _is_plain(plain_type(array.type)):
            return _texts(series)
        array = array.cast(plain_type(array.type))
    if pa.types.is_binary(array.type) and any(isinstance(value, str) for value in series):
        return _texts(series)  # Arrow takes text among bytes for bytes
    if pa.types.is_large_string(array.type) and array.nbytes < _MAX_STRING_BYTES:
        array = array.cast(pa.string())
    return array


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a type has no extension, dictionary, view or run ends in it."""
    if isinstance(kind, pa.BaseExtensionType) or plain_type(kind) != kind:
        return False
    return all(_is_plain(kind.field(i).type) for i in range(kind.num_fields))


def _texts(series: pd.Series[Any]) -> pa.Array:
    return pa.array([_text(value) for value in series], pa.string())


def _text(value: Any) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (bool, int, float)):
        return json_text(value)
    if isinstance(value, (dict, list)):
        try:
            value = json.dumps(value, default=str, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            value = str(value)
    # Half a surrogate pair is text to Python and not to Arrow.
    return str(value).encode("utf-8", "backslashreplace").decode()


def _column(given: pd.Series[Any], new: pa.Array) -> pd.Series[Any]:
    """The output's column: the original's own if nothing changed in it, else with its dtype where that still fits."""
    old = _arrow(given)
    if _same(old, new):
        return given
    if given.dtype == np.dtype(object) and _keeps_objects(given, old, new):
        merged = [_merged(*cells) for cells in zip(given, old.to_pylist(), new.to_pylist(), strict=True)]
        return pd.Series(merged, index=given.index, dtype=object)
    if isinstance(given.dtype, pd.ArrowDtype):
        arrow_backed: pd.Series[Any] = new.to_pandas(types_mapper=pd.ArrowDtype)
        return arrow_backed.set_axis(given.index)
    if _keeps_dtype(given.dtype, old, new):
        values = given.dtype.__from_arrow__(new) if hasattr(given.dtype, "__from_arrow__") else new.to_pandas().array
        return pd.Series(values, index=given.index, dtype=given.dtype)
    made = new.to_pandas().astype("str") if _is_text(new.type) else new.to_pandas()
    return pd.Series(made.array, index=given.index)


def _same(old: pa.Array, new: pa.Array) -> bool:
    if old.type != new.type and not (_is_text(old.type) and _is_text(new.type)):
        return False
    if old.type != new.type:
        new = new.cast(old.type)
    if pa.types.is_floating(old.type):  # NaN is unchanged when it is NaN still
        both_nan = pc.and_(pc.is_nan(old), pc.is_nan(new))
        alike = pc.or_(pc.equal(old, new), both_nan)
        return old.is_null().equals(new.is_null()) and pc.all(pc.fill_null(alike, True)).as_py() is not False
    return bool(old.equals(new))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _keeps_objects(given: pd.Series[Any], old: pa.Array, new: pa.Array) -> bool:
    """Whether cells are lists or mappings, or text among other things, so that each cell is looked at by itself."""
    if pa.types.is_nested(old.type):
        return True
    if not (_is_text(old.type) and _is_text(new.type)):
        return False
    return any(not isinstance(value, str) and _text(value) is not None for value in given)


def _keeps_dtype(dtype: Any, old: pa.Array, new: pa.Array) -> bool:
    if isinstance(dtype, pd.StringDtype):
        return _is_text(new.type)
    if isinstance(dtype, (pd.CategoricalDtype, pd.PeriodDtype, pd.IntervalDtype, pd.SparseDtype)):
        return False
    if old.type != new.type:
        return False
    if isinstance(dtype, np.dtype):
        return dtype.kind in "fmM" or (dtype.kind in "biu" and not new.null_count)
    return hasattr(dtype, "__from_arrow__")


def _merged(value: Any, old: Any, new: Any) -> Any:
    """The cell `value`, with what differs between `old` and `new`, its Arrow images, put in."""
    if old == new:
        return value
    if isinstance(value, Mapping) and isinstance(old, dict) and isinstance(new, dict):
        # Arrow gives each struct all members; a key that this mapping lacks stays absent.
        return {key: _merged(inner, old.get(key), new[key]) for key, inner in value.items() if key in new}
    if isinstance(value, (list, tuple)) and isinstance(new, list) and len(value) == len(new) == len(old):
        cells = [_merged(*three) for three in zip(value, old, new, strict=True)]
        return tuple(cells) if isinstance(value, tuple) else cells
    return new
