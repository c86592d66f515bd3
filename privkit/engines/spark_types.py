"""Arrow's types in Spark: which columns Spark can hold, and as what."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from privkit.errors import InputError

_DECIMAL_DIGITS = 38


def held_by_spark(schema: pa.Schema) -> pa.Schema:
    """The schema with each type as Spark holds it.

    Unsigned integers become the next larger signed ones, moments count microseconds, all lists and texts are of the
    plain kind, and a column of nothing becomes one of text.

    Args:
        schema: Plain types, as a `Source` has them.

    Raises:
        InputError: There is no such type in Spark; the columns are named.
    """
    fields, refused = [], []
    for field in schema:
        kind = _held(field.type)
        if kind is None:
            refused.append(f"{field.name} ({field.type})")
        else:
            fields.append(pa.field(field.name, kind, True, field.metadata))
    if refused:
        raise InputError(
            f"Spark has no type for the column(s) {', '.join(refused)}",
            hint="Leave --engine spark out, or write these columns in another type first.",
        )
    return pa.schema(fields)


def spark_schema(schema: pa.Schema) -> Any:
    """`held_by_spark`'s schema as a `StructType`, with the notes that privkit keeps in columns' metadata."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    return StructType(
        [
            StructField(
                field.name,
                from_arrow_type(field.type, prefer_timestamp_ntz=True),
                True,
                {key.decode(): value.decode() for key, value in (field.metadata or {}).items()},
            )
            for field in schema
        ]
    )


def arrow_schema(given: Any) -> pa.Schema:
    """The columns of a Spark DataFrame as Arrow has them; moments in UTC.

    Args:
        given: A `StructType`.

    Raises:
        InputError: A column is of a type that Arrow does not have; it is named.
    """
    from pyspark.sql.pandas.types import to_arrow_type

    fields, refused = [], []
    for field in given.fields:
        try:
            fields.append(pa.field(field.name, to_arrow_type(field.dataType)))
        except Exception:  # its kind differs between Spark's versions
            refused.append(f"{field.name} ({field.dataType.simpleString()})")
    if refused:
        raise InputError(
            f"Spark gives Python no values of the column(s) {', '.join(refused)}",
            hint="Leave them out or cast them before.",
        )
    return pa.schema(fields)


def fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with its columns in the types of `schema`, which has as many.

    Raises:
        ArrowInvalid: A value does not fit.
    """
    columns = [_as(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    if not columns:
        return batch
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    return pa.nulls(len(column), kind) if pa.types.is_null(kind) else column.cast(kind)


def _held(kind: pa.DataType) -> pa.DataType | None:
    """The type that Spark has for one of Arrow's."""
    types = pa.types
    if types.is_struct(kind):
        members = [(field.name, _held(field.type)) for field in kind.fields]
        return None if any(member is None for _, member in members) or not members else pa.struct(members)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inner = _held(kind.value_type)
        return None if inner is None else pa.list_(pa.field("element", inner))
    if types.is_map(kind):
        key, value = _held(kind.key_type), _held(kind.item_type)
        return None if key is None or value is None else pa.map_(key, value)
    if types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if types.is_decimal(kind):
        fits = 0 <= kind.scale <= kind.precision <= _DECIMAL_DIGITS
        return pa.decimal128(kind.precision, kind.scale) if fits else None
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    return _PLAIN.get(kind)


_PLAIN = {
    **{kind: kind for kind in (pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64())},
    **{pa.string(): pa.string(), pa.large_string(): pa.string(), pa.date32(): pa.date32(), pa.date64(): pa.date32()},
    **{pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.uint64(): pa.decimal128(20, 0)},
    pa.null(): pa.string(),
}
