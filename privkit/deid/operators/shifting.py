"""Moves dates by whole days that the key chooses: one shift for each row, or for each value of a unit column.

The shift depends on nothing but the key, the largest shift and the unit's text (or the row's content), not on the
column or the file: so all dates of one patient move together, and the days between them stay what they were. The one
exception are dates so near the end of the calendar that the shift would leave it: they move the other way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.operators.base import Draws, RowContext, is_empty, placeholder, row_of, texts_of
from privkit.deid.operators.dates import DateForm, form_of, read_date, shifted
from privkit.errors import ColumnError, PolicyError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.model.operators import DateShift

_DAYS_PER = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days since 1970-01-01
_INT64 = np.iinfo(np.int64)


class DateShiftOperator:
    """Moves dates, and keeps the way they are written, their time of day and their time zone.

    Args:
        spec: Largest shift, unit column, format of a text column.
        entity: Entity type, for the `<ENTITY>` that stands in place of what is no date.
        key: Chooses the shifts.

    Raises:
        PolicyError: A format that names no day.
    """

    def __init__(self, spec: DateShift, entity: str | None, key: Key) -> None:
        self._days = spec.days
        self._unit = spec.unit
        self._form: DateForm | None = form_of(spec.format) if spec.format is not None else None
        if self._form is not None and not self._form.has_day:
            raise PolicyError(
                f"date_shift: the format {spec.format!r} names no day", hint="Use generalize for years and months."
            )
        self._placeholder = placeholder(entity or "DATE_TIME")
        self._draws = Draws(key, "date shift")

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """Dates and timestamps keep their type; everything else is text."""
        return given if _is_date(given) else pa.string()

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """See `ColumnOperator.apply`.

        Raises:
            ColumnError: The unit column is missing.
        """
        rows = np.arange(len(leaf.values)) if leaf.rows is None else leaf.rows
        if _is_date(leaf.values.type):
            shifts = self._shifts(rows, context)
            return _moved(leaf.values, np.array(shifts, np.int64))
        texts = texts_of(leaf).to_pylist()
        wanted = [cell for cell, text in enumerate(texts) if text is not None and not is_empty(text)]
        for cell, days in zip(wanted, self._shifts(rows[wanted], context), strict=True):
            texts[cell] = self._moved_text(texts[cell], days)
        return pa.array(texts, pa.string())

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """The date moved by its row's shift, or `<DATE_TIME>` where it is not understood."""
        if is_empty(value):
            return value
        return self._moved_text(value, self._shifts((row,), context)[0])

    def _moved_text(self, text: str, days: int) -> str:
        moment = read_date(text, self._form)
        if moment is None or not moment.form.has_day:
            return self._placeholder
        date = shifted(moment.date, days)
        if date is None:
            return self._placeholder
        written = moment.form.write(text, moment, date)
        # Two digits for the year cannot say every date: what does not read back as itself is not written.
        again = moment.form.read(written)
        return written if again is not None and again.date == date else self._placeholder

    def _shifts(self, rows: Sequence[int] | np.ndarray, context: RowContext) -> list[int]:
        """The shift, in days, of each of `rows`."""
        units = self._units(context)
        made: dict[int, int] = {}
        for row in (int(row) for row in rows):
            if row not in made:
                unit = units.get(row)
                # A row without a unit shares its shift with nobody.
                made[row] = self._shift("unit", unit) if unit is not None else self._shift("row", context.keys[row])
        return [made[int(row)] for row in rows]

    def _shift(self, kind: str, value: str | bytes) -> int:
        choice = self._draws.number(kind, value) % (2 * self._days)
        return choice - self._days if choice < self._days else choice - self._days + 1

    def _units(self, context: RowContext) -> dict[int, str]:
        """Text of the unit column by row; of a row's several values, the first."""
        if self._unit is None:
            return {}
        leaf = context.leaves.get(self._unit)
        if leaf is None:
            raise ColumnError(
                f"date_shift: there is no column {self._unit} to take the unit from",
                columns=(self._unit,),
                hint="unit= names the column whose equal values share one shift, e.g. patient_id.",
            )
        units: dict[int, str] = {}
        for cell, text in enumerate(texts_of(leaf).to_pylist()):
            if text is not None and not is_empty(text):
                units.setdefault(row_of(leaf, cell), text.strip())
        return units


def _is_date(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _moved(values: pa.Array, days: np.ndarray) -> pa.Array:
    """Dates or timestamps moved by whole days of their own calendar: a time zone's local time of day stays.

    Args:
        values: date32, date64 or timestamp array.
        days: int64, a shift for each value.
    """
    kind = values.type
    if not pa.types.is_timestamp(kind):
        return _added(values.cast(pa.date32()), days, 1).cast(kind)
    if kind.tz is None:
        return _added(values, days, _DAYS_PER[kind.unit])
    local = _added(pc.local_timestamp(values), days, _DAYS_PER[kind.unit])
    # An hour that the clocks leave out or have twice takes the moment that exists, or the first.
    return pc.assume_timezone(local, kind.tz, ambiguous="earliest", nonexistent="latest").cast(kind)


def _added(values: pa.Array, days: np.ndarray, per_day: int) -> pa.Array:
    """`values + days`; `values - days` where the sum would leave the calendar or the type."""
    whole = pa.int32() if pa.types.is_date32(values.type) else pa.int64()
    numbers = pc.fill_null(values.cast(whole), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    step = days * per_day
    first = max(_FIRST_DAY * per_day, int(_INT64.min))
    last = min((_LAST_DAY + 1) * per_day - 1, int(_INT64.max))
    leaves = ((step > 0) & (numbers > last - np.maximum(step, 0))) | (
        (step < 0) & (numbers < first - np.minimum(step, 0))
    )
    moved = np.where(leaves, numbers - step, numbers + step)
    return pa.array(
        moved.astype(whole.to_pandas_dtype()), whole, mask=pc.is_null(values).to_numpy(zero_copy_only=False)
    ).cast(values.type)
