"""Named columns of a source as numbers; what is no number is counted, never quoted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privkit.errors import ColumnError, InputError
from privkit.io.frames import Leaf
from privkit.io.sources import Source

_KINDS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def numbers(source: Source, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """The columns of all rows.

    Args:
        source: Where they are read from.
        names: Which columns, in the order of the result.

    Returns:
        float64 array (rows, names).

    Raises:
        ColumnError: A column is missing, or some of its cells are empty or no numbers; says how many.
        InputError: The source cannot be read, or has no rows.
    """
    found: list[list[npt.NDArray[np.float64]]] = [[] for _ in names]
    empty, wrong = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for part in range(len(source.parts)):
        for block in source.blocks(part):
            leaves = {leaf.name: leaf for leaf in block.frame().leaves()}
            for place, name in enumerate(names):
                if name not in leaves:
                    raise ColumnError(f"{source.description} has no column {name}", columns=(name,))
                values = _floats(leaves[name], block.rows)
                empty[name] += leaves[name].values.null_count
                wrong[name] += values.null_count - leaves[name].values.null_count
                found[place].append(values.to_numpy(zero_copy_only=False))
    _refuse(source.description, "empty", empty)
    _refuse(source.description, "no number", wrong)
    if not found or not found[0] or not sum(map(len, found[0])):
        raise InputError(f"{source.description} has no rows", path=source.description)
    return np.stack([np.concatenate(column) for column in found], axis=1)


def _floats(leaf: Leaf, rows: int) -> pa.Array:
    """The cells as finite doubles; null where a cell is none."""
    if leaf.rows is not None and not np.array_equal(leaf.rows, np.arange(rows)):
        raise ColumnError(f"column {leaf.name} has not one number in every row", columns=(leaf.name,))
    values = leaf.values
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = pc.utf8_trim_whitespace(values)
        values = pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, None)
    elif not any(is_kind(values.type) for is_kind in _KINDS):
        raise ColumnError(f"column {leaf.name} does not hold numbers", columns=(leaf.name,))
    values = pc.cast(values, pa.float64(), safe=False)
    return pc.if_else(pc.is_finite(values), values, None)


def _refuse(source: str, what: str, counts: dict[str, int]) -> None:
    """Names the first column with such cells, and how many there are."""
    for name, count in counts.items():
        if count:
            cells = f"{count} cells of column {name} are" if count > 1 else f"1 cell of column {name} is"
            raise ColumnError(f"{source}: {cells} {what}", columns=(name,))
