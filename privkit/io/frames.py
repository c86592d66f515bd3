"""Decoded blocks and the leaves in them: one walk over flat and nested data, for Arrow batches and for JSON records.

A leaf is one, possibly nested, column of cells, and its name is its path: `name`, `patient.name` (a member),
`tags[]` (the elements of a list), `visits[].doctor`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privkit.errors import ColumnError, InputError

MAX_DEPTH = 100
"""Deepest nesting of lists and objects that is read."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """One column of cells of a frame.

    Attributes:
        name: The path.
        values: Flat array of any Arrow type, nulls allowed, one element for each cell. In a `RecordFrame` it is
            `pa.string()`: text as it is, numbers and booleans as their JSON text, null as null.
        rows: int64, shape (len(values),), not decreasing: the 0-based row of the frame that each value belongs to;
            None when there is one value for each row, in order.
    """

    name: str
    values: pa.Array
    rows: npt.NDArray[np.int64] | None = None


class Frame(ABC):
    """A decoded block: rows of flat or nested columns."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Number of rows."""

    @abstractmethod
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves, in the order of the columns.

        Raises:
            ColumnError: Two leaves have the same path.
        """

    @abstractmethod
    def rebuilt(self, changed: Mapping[str, pa.Array | None]) -> Frame:
        """A new frame with other values in some leaves; this one stays as it is.

        Args:
            changed: By leaf name, as many values as the leaf has, of any Arrow type; None drops the leaf. A list or
                object that has nothing left in it because of that is dropped too.

        Raises:
            ColumnError: The number of values is not the leaf's, or (Arrow only) there is no such leaf.
        """

    @abstractmethod
    def head(self, rows: int) -> Frame:
        """The first `rows` rows, or all if there are fewer."""


class ArrowFrame(Frame):
    """A frame over one Arrow record batch.

    Strings, numbers, booleans, dates, times and whatever else is not nested are leaves; structs and lists (also
    large and fixed-size ones) are walked, at will inside each other. Dictionaries are decoded. Maps, unions and
    binary values stay opaque: a leaf of that very type, which can be kept, dropped or replaced, not looked into.

    Args:
        batch: The rows.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self._leaves: tuple[Leaf, ...] | None = None

    @property
    def rows(self) -> int:
        return int(self.batch.num_rows)

    def leaves(self) -> tuple[Leaf, ...]:
        if self._leaves is None:
            found: list[Leaf] = []
            for field, column in zip(self.batch.schema, self.batch.columns, strict=True):
                found.extend(_arrow_leaves(field.name, column, None, 0))
            _refuse_doubles([leaf.name for leaf in found])
            self._leaves = tuple(found)
        return self._leaves

    def rebuilt(self, changed: Mapping[str, pa.Array | None]) -> ArrowFrame:
        lengths = {leaf.name: len(leaf.values) for leaf in self.leaves()}
        for name, values in changed.items():
            _check_length(name, values, lengths.get(name))
        fields, columns = [], []
        for field, column in zip(self.batch.schema, self.batch.columns, strict=True):
            new = _arrow_rebuilt(field.name, column, changed)
            if new is not None:
                fields.append(field if new is column else _retyped(field, new.type))
                columns.append(new)
        schema = pa.schema(fields, metadata=self.batch.schema.metadata)
        if not columns:  # a batch without columns still has its rows
            return ArrowFrame(self.batch.select([]))
        return ArrowFrame(pa.RecordBatch.from_arrays(columns, schema=schema))

    def head(self, rows: int) -> ArrowFrame:
        return self if rows >= self.rows else ArrowFrame(self.batch.slice(0, max(rows, 0)))


class RecordFrame(Frame):
    """A frame over parsed JSON records.

    A cell that is not changed, or whose new text is its old text, keeps its JSON value: numbers stay numbers. A key
    that a record lacks stays absent. The same path reached in two ways (a key `a.b`, and `b` inside `a`) is one leaf.
    A null where other records of the frame have a list or an object makes no leaf of its own.

    Args:
        records: The records; they are never written to.
        first_row: 0-based row of the first one in its part, for messages.

    Raises:
        InputError: A record is nested deeper than 100 levels.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]], *, first_row: int = 0) -> None:
        self.records: list[dict[str, Any]] = [r if isinstance(r, dict) else dict(r) for r in records]
        self._first_row = first_row
        self._leaves: tuple[Leaf, ...] | None = None

    @property
    def rows(self) -> int:
        return len(self.records)

    def leaves(self) -> tuple[Leaf, ...]:
        if self._leaves is None:
            cells = _Cells()
            for row, record in enumerate(self.records):
                try:
                    cells.add_object(record, None, row, 0)
                except _TooDeepError:
                    number = self._first_row + row + 1
                    raise InputError(f"row {number} is nested deeper than {MAX_DEPTH} levels", row=number) from None
            self._leaves = tuple(cells.leaves(len(self.records)))
        return self._leaves

    def rebuilt(self, changed: Mapping[str, pa.Array | None]) -> RecordFrame:
        news: dict[str, Iterator[Any]] = {}
        for leaf in self.leaves():
            values = changed.get(leaf.name)
            if values is not None:
                _check_length(leaf.name, values, len(leaf.values))
                news[leaf.name] = iter(_json_values(values, leaf.values))
        dropped = frozenset(name for name, values in changed.items() if values is None)
        if not news and not dropped:
            return self
        writer = _Writer(news, dropped, opened_by(dropped))
        return RecordFrame([writer.object(record, None) for record in self.records], first_row=self._first_row)

    def head(self, rows: int) -> RecordFrame:
        return self if rows >= self.rows else RecordFrame(self.records[: max(rows, 0)], first_row=self._first_row)


def leaf_names(schema: pa.Schema) -> tuple[str, ...]:
    """Names of the leaves that a batch of this schema has, in order.

    Raises:
        ColumnError: Two leaves have the same path, for example a column `a.b` beside a struct `a` with a member `b`.
    """
    return tuple(leaf.name for leaf in ArrowFrame(_empty(schema)).leaves())


def output_schema(schema: pa.Schema, types: Mapping[str, pa.DataType | None]) -> pa.Schema:
    """The schema that `ArrowFrame.rebuilt` gives when leaves become other types.

    Args:
        schema: Of the input.
        types: New type by leaf name, for the leaves that are changed; None for a leaf that is dropped.

    Raises:
        ColumnError: There is no such leaf.
    """
    changed = {name: None if kind is None else pa.array([], kind) for name, kind in types.items()}
    return ArrowFrame(_empty(schema)).rebuilt(changed).batch.schema


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The same type with dictionaries, run-end encodings and views, at any depth, made plain."""
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if kind == pa.string_view():
        return pa.string()
    if kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind.fields])
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_large_list(kind) or pa.types.is_large_list_view(kind):
        return pa.large_list(_plain_field(kind.value_field))
    if pa.types.is_list(kind) or pa.types.is_list_view(kind):
        return pa.list_(_plain_field(kind.value_field))
    return kind


def opened_by(names: frozenset[str]) -> frozenset[str]:
    """Paths of the lists and objects that the leaves `names` stand in."""
    found: set[str] = set()
    for name in names:
        for at, character in enumerate(name):
            if at and (character == "." or name.startswith("[]", at)):
                found.add(name[:at])
    return frozenset(found)


# --- Arrow -----------------------------------------------------------------------------------------------------------


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(plain_type(field.type)).remove_metadata()


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _decoded(array: pa.Array) -> pa.Array:
    """The array with what encloses its values taken off: extension, dictionary, run ends, views."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _decoded(array.storage)
    if pa.types.is_dictionary(kind):
        return _decoded(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return _decoded(pc.run_end_decode(array))
    if kind in (pa.string_view(), pa.binary_view()) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return array.cast(plain_type(kind))
    return array


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _list_lengths(array: pa.Array) -> npt.NDArray[np.int64]:
    """int64, shape (len(array),): elements in each list, 0 for a null one."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)


def _arrow_leaves(name: str, array: pa.Array, rows: npt.NDArray[np.int64] | None, depth: int) -> Iterator[Leaf]:
    if depth > MAX_DEPTH:
        raise ColumnError(f"the column {name[:40]} is nested deeper than {MAX_DEPTH} levels")
    array = _decoded(array)
    if pa.types.is_struct(array.type) and array.type.num_fields:
        # flatten() carries a null struct's nullness into its members and minds the slice, field() does neither.
        for field, member in zip(array.type.fields, array.flatten(), strict=True):
            yield from _arrow_leaves(f"{name}.{field.name}", member, rows, depth + 1)
    elif _is_list(array.type):
        lengths = _list_lengths(array)
        owners = np.arange(len(array), dtype=np.int64) if rows is None else rows
        yield from _arrow_leaves(f"{name}[]", array.flatten(), np.repeat(owners, lengths), depth + 1)
    else:
        yield Leaf(name, array, rows)


def _arrow_rebuilt(name: str, array: pa.Array, changed: Mapping[str, pa.Array | None]) -> pa.Array | None:
    """`array` with the changed leaves under the path `name` put in: itself if there are none, None if nothing stays."""
    if name in changed:
        new = changed[name]
        return new.combine_chunks() if isinstance(new, pa.ChunkedArray) else new
    if not any(path.startswith((f"{name}.", f"{name}[]")) for path in changed):
        return array
    plain = _decoded(array)
    if pa.types.is_struct(plain.type):
        return _struct_rebuilt(name, array, plain, changed)
    if _is_list(plain.type):
        return _list_rebuilt(name, array, plain, changed)
    return array


def _struct_rebuilt(
    name: str, array: pa.Array, plain: pa.Array, changed: Mapping[str, pa.Array | None]
) -> pa.Array | None:
    fields, members, same = [], [], True
    for field, member in zip(plain.type.fields, plain.flatten(), strict=True):
        new = _arrow_rebuilt(f"{name}.{field.name}", member, changed)
        same = same and new is member
        if new is not None:
            fields.append(field if new is member else _retyped(field, new.type))
            members.append(new)
    if same:
        return array
    if not members:
        return None
    # A member that may not be null is null all the same where its struct is; from_arrays takes the mask for that.
    return pa.StructArray.from_arrays(members, fields=fields, mask=plain.is_null())


def _list_rebuilt(
    name: str, array: pa.Array, plain: pa.Array, changed: Mapping[str, pa.Array | None]
) -> pa.Array | None:
    elements = plain.flatten()
    new = _arrow_rebuilt(f"{name}[]", elements, changed)
    if new is None or new is elements:
        return None if new is None else array
    field, nulls = _retyped(plain.type.value_field, new.type), plain.is_null()
    if pa.types.is_fixed_size_list(plain.type):
        size = plain.type.list_size
        present = np.repeat(~np.asarray(nulls.to_numpy(zero_copy_only=False)), size)
        slots = pa.array(np.cumsum(present) - 1, mask=~present)  # a null list has `size` slots that mean nothing
        return pa.FixedSizeListArray.from_arrays(new.take(slots), type=pa.list_(field, size), mask=nulls)
    offsets = np.concatenate(([0], np.cumsum(_list_lengths(plain))))
    if pa.types.is_large_list(plain.type):
        kind, cls, ends = pa.large_list(field), pa.LargeListArray, pa.array(offsets, pa.int64())
    else:
        kind, cls, ends = pa.list_(field), pa.ListArray, pa.array(offsets, pa.int32())
    return cls.from_arrays(ends, new, type=kind, mask=nulls)


def _retyped(field: pa.Field, kind: pa.DataType) -> pa.Field:
    # Always nullable: every block of a run must have the same schema, whichever of them got nulls from an operator.
    return field.with_type(kind).with_nullable(True)


def _check_length(name: str, values: pa.Array | None, wanted: int | None) -> None:
    if wanted is None:
        raise ColumnError(f"there is no column {name}", columns=(name,))
    if values is not None and len(values) != wanted:
        raise ColumnError(f"the column {name} has {wanted} cells and was given {len(values)}", columns=(name,))


def _refuse_doubles(names: Sequence[str]) -> None:
    if len(set(names)) == len(names):
        return
    doubled = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
    raise ColumnError(
        f"more than one column has the path {', '.join(doubled)}", columns=doubled, hint="Rename one of them."
    )


# --- JSON ------------------------------------------------------------------------------------------------------------


class _TooDeepError(Exception):
    pass


class _Cells:
    """Gathers the cells of records, leaf by leaf, in one walk."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str | None]] = {}
        self.owners: dict[str, list[int]] = {}
        self.nested: set[str] = set()

    def add_object(self, record: dict[str, Any], path: str | None, row: int, depth: int) -> None:
        for key, value in record.items():
            self.add(value, key if path is None else f"{path}.{key}", row, depth + 1)

    def add(self, value: Any, path: str, row: int, depth: int) -> None:
        if isinstance(value, (dict, list)):
            if depth > MAX_DEPTH:
                raise _TooDeepError
            self.nested.add(path)
            if isinstance(value, dict):
                self.add_object(value, path, row, depth)
            else:
                for element in value:
                    self.add(element, f"{path}[]", row, depth + 1)
            return
        texts = self.texts.get(path)
        if texts is None:
            texts = self.texts[path] = []
            self.owners[path] = []
        texts.append(value if value is None or isinstance(value, str) else json_text(value))
        self.owners[path].append(row)

    def leaves(self, rows: int) -> Iterator[Leaf]:
        every = np.arange(rows, dtype=np.int64)
        for path, texts in self.texts.items():
            if path in self.nested and not any(text is not None for text in texts):
                continue
            owners = np.asarray(self.owners[path], dtype=np.int64)
            yield Leaf(path, pa.array(texts, pa.string()), None if np.array_equal(owners, every) else owners)


def json_text(value: object) -> str:
    """The text of a JSON number or boolean."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return float.__repr__(value) if isinstance(value, float) else str(value)


class _Same:
    """Stands for: the cell keeps its JSON value."""


_SAME = _Same()


class _Gone:
    """Stands for: nothing is left here."""


_GONE = _Gone()


def _json_values(new: pa.Array, old: pa.Array) -> list[Any]:
    """What each cell of a leaf becomes: a JSON value, or `_SAME` where the text is the old one."""
    if isinstance(new, pa.ChunkedArray):
        new = new.combine_chunks()
    new = _decoded(new)
    kind = new.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            new = new.cast(pa.string())
        else:
            return list(new.to_pylist())
    return [_SAME if text == was else text for text, was in zip(new.to_pylist(), old.to_pylist(), strict=True)]


class _Writer:
    """Copies records, putting in new values in the order in which `_Cells` met the old ones."""

    def __init__(self, news: dict[str, Iterator[Any]], dropped: frozenset[str], emptied: frozenset[str]) -> None:
        self.news = news
        self.dropped = dropped
        self.emptied = emptied

    def object(self, record: dict[str, Any], path: str | None) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in record.items():
            new = self.value(value, key if path is None else f"{path}.{key}")
            if new is not _GONE:
                made[key] = new
        return made

    def value(self, value: Any, path: str) -> Any:
        made: dict[str, Any] | list[Any]
        if isinstance(value, dict):
            made = self.object(value, path)
        elif isinstance(value, list):
            inner = f"{path}[]"
            made = [new for new in (self.value(element, inner) for element in value) if new is not _GONE]
        else:
            if path in self.dropped:
                return _GONE
            news = self.news.get(path)
            new = _SAME if news is None else next(news)
            return value if new is _SAME else new
        return _GONE if not made and path in self.emptied else made
