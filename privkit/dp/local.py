"""Local mechanisms: noise on single values of rows that leave, drawn by OpenDP.

They protect the substitution of one value of one column: whatever the value was, what leaves is as likely up to a
factor e^ε. They do not protect that a row is there, nor its other columns. A unit with several rows would be protected
with several times ε, so at most `max_rows` of its rows keep a value; the others lose it.

Which rows those are follows from the units' places in the source alone, never from the values.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from opendp.measurements import make_randomized_response
from opendp.mod import OpenDPException
from pydantic import BaseModel, ConfigDict

from privkit.dp.grid import Grid, grid_of
from privkit.dp.noise import loss_of, noisy, scale_for
from privkit.errors import AggregateError, QueryError
from privkit.io.blocks import Block
from privkit.io.frames import ArrowFrame, Frame
from privkit.model.amounts import Amount
from privkit.model.dataset import BooleanColumn, CategoryColumn, Column, DateColumn

MECHANISM = "privkit.dp.local:mechanisms"
"""Names `mechanisms` for workers."""

_PLACES = np.dtype("<u2")
_LAST = 65_535  # far above every `max_rows`: a row that is counted no further must not keep its value

_WIDEST = 1 << 52  # scale of noise in steps: its tails stay far inside 64 bits, and floats hold it

_BOOLEANS = ("false", "true")
_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


class LocalColumn(BaseModel):
    """One column and its mechanism.

    Attributes:
        name: What the source calls it.
        column: Its declaration.
        mechanism: Which.
        epsilon: ε of one value.
        max_rows: Rows of one unit that keep a value.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    column: Column
    mechanism: Literal["randomize", "noise"]
    epsilon: Amount
    max_rows: int


class LocalJob(BaseModel):
    """What a worker must know.

    Attributes:
        columns: The columns.
        places: For each part of the source, base64 of two bytes a row: which row of its unit it is, from 1; 0 where
            the row has no unit, 65535 for the 65535th and all later ones. Empty where every row is a unit.
    """

    model_config = ConfigDict(frozen=True)

    columns: tuple[LocalColumn, ...]
    places: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """JSON."""
        return self.model_dump_json().encode()


def is_bytes(kind: pa.DataType) -> bool:
    """Whether cells of a type are bytes, which need not be text."""
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(found(held) for found in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary))


def check_local(name: str, column: Column, mechanism: str, epsilon: Decimal = Decimal(1)) -> None:
    """Refuses a mechanism on a column that it does not fit, or at an ε whose noise would not fit 64 bits.

    Raises:
        QueryError: It does not.
    """
    if mechanism == "randomize":
        labels = _labels(column)
        if labels is None or len(labels) < 2:
            raise QueryError(f"{name}: randomize needs a category column with two declared categories, or a boolean")
        return
    grid = None if isinstance(column, (CategoryColumn, BooleanColumn, DateColumn)) else grid_of(name, column)
    if grid is None:
        raise QueryError(f"{name}: noise needs a number with declared bounds")
    if grid.steps / Fraction(epsilon) > _WIDEST:
        raise QueryError(f"{name}: noise at so small an epsilon does not fit 64 bits", hint="Give it a larger epsilon.")


def places_of_units(units: Sequence[pa.Array]) -> tuple[str, ...]:
    """Which row of its unit each row is, over all parts of a source.

    Args:
        units: The unit's column, one array a part.

    Returns:
        As `LocalJob.places`. Units are told apart by a 64-bit hash: two that share one count as one, and keep less.
    """
    hashed = [pd.util.hash_array(np.asarray(array.cast(pa.string()).to_pandas(), dtype=object)) for array in units]
    missing = np.concatenate([np.asarray(pc.is_null(array, nan_is_null=True)) for array in units])
    every = np.concatenate(hashed)
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    start = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))
    place = np.empty(len(every), dtype=np.int64)
    place[order] = np.arange(len(ordered)) - start + 1
    found = np.where(missing, 0, np.minimum(place, _LAST)).astype(_PLACES)
    ends = np.cumsum([len(array) for array in units])
    return tuple(base64.b64encode(part.tobytes()).decode() for part in np.split(found, ends[:-1]))


def mechanisms(spec: bytes) -> Callable[[Block], Frame]:
    """Makes what a worker runs on each block before anything else.

    Args:
        spec: A `LocalJob`.

    Raises:
        AggregateError: OpenDP could not draw.
        QueryError: The block is no table, or lacks a column.
    """
    job = LocalJob.model_validate_json(spec)
    places = [np.frombuffer(base64.b64decode(part), dtype=_PLACES) for part in job.places]

    def handle(block: Block) -> Frame:
        frame = block.frame()
        if not isinstance(frame, ArrowFrame):
            raise QueryError("local mechanisms need a table: CSV or Parquet")
        leaves = {leaf.name: leaf.values for leaf in frame.leaves()}
        own = places[block.part][block.first_row : block.first_row + frame.rows] if places else None
        changed: dict[str, pa.Array | None] = {}
        for one in job.columns:
            if one.name not in leaves:
                raise QueryError(f"the source has no column {one.name}")
            if is_bytes(leaves[one.name].type):
                raise QueryError(f"{one.name}: bytes have no local mechanism", hint="Write the column as texts.")
            kept = None if own is None else (own > 0) & (own <= one.max_rows)
            changed[one.name] = _drawn(one, leaves[one.name], kept)
        return frame.rebuilt(changed)

    return handle


def _drawn(one: LocalColumn, values: pa.Array, kept: npt.NDArray[np.bool_] | None) -> pa.Array:
    drawn = _randomized(one, values) if one.mechanism == "randomize" else _noisy(one, values)
    if kept is not None:
        drawn = pc.if_else(pa.array(kept), drawn, pa.scalar(None, drawn.type))
    return drawn


# ---- categories


def _randomized(one: LocalColumn, values: pa.Array) -> pa.Array:
    """k-ary randomized response: a value that is missing or undeclared comes out as each category alike."""
    labels = _labels(one.column)
    assert labels is not None
    codes = {label: code for code, label in enumerate(labels)}
    measurement, _ = response(len(labels), one.epsilon)
    undeclared = len(labels)  # no category's code
    texts = _texts(one.column, values)
    drawn = [labels[_draw(measurement, undeclared if text is None else codes.get(text, undeclared))] for text in texts]
    if pa.types.is_boolean(values.type):
        return pa.array([label == "true" for label in drawn], pa.bool_())
    return pa.array(drawn, pa.string())


@lru_cache(maxsize=64)
def response(categories: int, epsilon: Decimal) -> tuple[Any, Fraction]:
    """OpenDP's randomized response at the largest probability of the truth that ε pays for, and what it costs.

    The probability is e^ε/(e^ε + k − 1) (Kairouz, Oh and Viswanath 2014), nudged down until OpenDP's own map is at
    most ε.
    """
    truth = min(1 / (1 + (categories - 1) * math.exp(-float(epsilon))), math.nextafter(1.0, 0.0))  # 1 costs infinity
    codes = list(range(categories))
    while True:
        measurement = make_randomized_response(codes, truth, T="i64")
        cost = Fraction(measurement.map(1))  # type: ignore[no-untyped-call]
        if cost <= Fraction(epsilon):
            return measurement, cost
        truth = math.nextafter(truth, 0.0)


def _labels(column: Column) -> tuple[str, ...] | None:
    if isinstance(column, BooleanColumn):
        return _BOOLEANS
    return column.categories if isinstance(column, CategoryColumn) else None


def _texts(column: Column, values: pa.Array) -> list[str | None]:
    texts: list[str | None] = values.cast(pa.string()).to_pylist()
    if not isinstance(column, BooleanColumn):
        return texts
    spelled = {**dict.fromkeys(_TRUE, "true"), **dict.fromkeys(_FALSE, "false")}
    return [None if text is None else spelled.get(text.strip().lower()) for text in texts]


def _draw(measurement: Any, code: int) -> int:
    try:
        return int(measurement(code))
    except (OpenDPException, TypeError, ValueError):
        raise AggregateError("OpenDP could not draw a randomized response") from None


# ---- numbers


def _noisy(one: LocalColumn, values: pa.Array) -> pa.Array:
    """Discrete Laplace noise on the column's grid: any two values are at most R steps apart.

    What leaves is cut neither to the bounds nor to a narrow type (it has 64 bits), so that means over many values stay
    right. A missing value counts as what the column declares, else as the middle of the bounds.
    """
    assert not isinstance(one.column, CategoryColumn)
    grid = grid_of(one.name, one.column)
    assert grid is not None
    scale = scale_for("pure", grid.steps, Fraction(one.epsilon))
    assert loss_of("pure", grid.steps, scale) <= Fraction(one.epsilon)
    drawn = noisy("pure", _indices(grid, values), scale)
    if grid.kind == "integer":
        found: pa.Array = pa.array(int(grid.low) + drawn, pa.int64())  # narrower ones would wrap around
        if pa.types.is_floating(values.type):
            return found.cast(pa.float64(), safe=False)
        return found if pa.types.is_integer(values.type) else found.cast(pa.string())
    digits = max(0, -math.floor(math.log10(float(grid.step)))) + 1
    numbers = (float(grid.low) + drawn * float(grid.step)).round(digits)
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return pa.array(numbers, pa.float64())
    return pa.array([repr(float(number)) for number in numbers], pa.string())


def _indices(grid: Grid, values: pa.Array) -> npt.NDArray[np.int64]:
    """K of each value: ⌊(clip(x) − low)/step + ½⌋."""
    read: pd.Series[float] = pd.to_numeric(pd.Series(values.to_pylist(), dtype=object), errors="coerce")
    numbers = read.to_numpy(dtype=np.float64)
    instead = grid.steps // 2 if grid.missing is None else grid.missing
    clipped = np.clip(numbers, float(grid.low), float(grid.high))
    found = np.floor((clipped - float(grid.low)) / float(grid.step) + 0.5)
    return np.where(np.isnan(found), instead, np.clip(found, 0, grid.steps)).astype(np.int64)


def protects(name: str) -> str:
    """What a local mechanism on a column promises, in words."""
    return f"substitution of one value of column {name}; presence and other columns unprotected"
