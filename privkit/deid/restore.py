"""Pseudonyms back to what they stood for, with the key that made them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.cells import is_text
from privkit.deid.counts import Counts
from privkit.errors import ColumnError, InputError
from privkit.io.frames import ArrowFrame, Frame
from privkit.io.outputs import unguarded
from privkit.keys.keyfile import Key
from privkit.keys.tokens import Tokens

_SEALED = r"_k[a-z2-7]{12}"


class Restorer:
    """Opens every reversible token in every text cell.

    Args:
        key: The key that made the tokens.
        spreadsheet: The cells come from CSV or TSV, where `deidentify` disarmed what a spreadsheet would run.
        schema: The output's: a column that had another type before it held tokens gets it back.
    """

    def __init__(self, key: Key, *, spreadsheet: bool, schema: pa.Schema | None) -> None:
        self._tokens = Tokens(key)
        self._spreadsheet = spreadsheet
        # The leaves of the output's columns, as they were before.
        self._types = {} if schema is None else {leaf.name: leaf.values.type for leaf in _no_rows(schema).leaves()}

    def restore(self, frame: Frame) -> tuple[Frame, Counts]:
        """The frame with its tokens opened, and how many there were, of this key and of others.

        Raises:
            InputError: A token of this key was altered.
            ColumnError: Restored cells are not of the type that the column had.
        """
        counts = Counts(rows=frame.rows)
        changed: dict[str, pa.Array | None] = {}
        for leaf in frame.leaves():
            if is_text(leaf.values.type):
                values = self._restored(leaf.name, leaf.values, counts)
                kind = self._types.get(leaf.name)
                if kind is not None:
                    values = _typed(leaf.name, values, kind)
                if values is not leaf.values:
                    changed[leaf.name] = values
        return (frame.rebuilt(changed) if changed else frame), counts

    def _restored(self, name: str, values: pa.Array, counts: Counts) -> pa.Array:
        # The pattern of a token begins so rarely that one vectorised look spares most columns the slow way.
        hits = pc.fill_null(pc.match_substring_regex(values, _SEALED), False)
        if not pc.any(hits).as_py():
            return values
        cells = values.to_pylist()
        for cell in pc.indices_nonzero(hits).to_pylist():
            try:
                restored = self._tokens.restore(cells[cell])
            except InputError as err:
                raise InputError(f"column {name}: {err.message}", hint=err.hint) from None
            counts.tokens += restored.opened
            counts.foreign_tokens += restored.foreign
            cells[cell] = restored.text
        output = pa.array(cells, pa.string())
        return pc.if_else(hits, unguarded(output), output) if self._spreadsheet else output


def _no_rows(schema: pa.Schema) -> ArrowFrame:
    return ArrowFrame(pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema))


def _typed(name: str, values: pa.Array, kind: pa.DataType) -> pa.Array:
    if is_text(kind):
        return values
    try:
        if pa.types.is_null(kind):
            return pa.nulls(len(values)) if values.null_count == len(values) else values
        if pa.types.is_time(kind):
            # There is no cast from text to a time of day, but one to a moment of the first day.
            moments = pc.cast(pc.binary_join_element_wise("1970-01-01", values, " "), pa.timestamp("ns"))
            return pc.cast(pc.cast(moments, pa.time64("ns")), kind)
        if pa.types.is_duration(kind):
            return pc.cast(pc.cast(values, pa.int64()), kind)
        return pc.cast(values, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ColumnError(
            f"column {name} held {kind} before it was pseudonymised and the restored cells are not {kind}",
            columns=(name,),
            hint="Was the file changed, or only partly pseudonymised? Restore it to .csv instead.",
        ) from None
