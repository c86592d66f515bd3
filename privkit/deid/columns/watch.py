"""The cheap check on a column that is kept: would this block's cells be an identifier column?"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.columns.patterns import QUASI, is_card, pattern_of, shares_of_patterns
from privkit.deid.columns.values import spread

FEWEST = 5
ENOUGH = 0.9
_PROBE = 16
_SMALLEST_CARD = 10**12


def identifier_in(values: pa.Array) -> str | None:
    """The entity that at least nine in ten of the distinct non-empty cells are, patterns only; None for most columns.

    A few cells are looked at first, so that a column of names of products or of amounts costs no more than finding its
    distinct values.

    Args:
        values: One block's cells of a column, any Arrow type. Fewer than five distinct non-empty cells say nothing.

    Returns:
        An identifier's entity; never one that only narrows people down (postcodes, coordinates).
    """
    type_ = values.type
    if pa.types.is_dictionary(type_):
        values = values.dictionary_decode()
        type_ = values.type
    if pa.types.is_integer(type_):
        largest = pc.max(values).as_py()
        if largest is None or largest < _SMALLEST_CARD:
            return None
    elif not (pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)):
        return None
    distinct = pc.unique(values)
    if len(distinct) < FEWEST:
        return None
    cells = len(distinct)
    probe = [distinct[i].as_py() for i in range(0, cells, max(1, cells // _PROBE))][:_PROBE]
    if sum(1 for cell in probe if cell is not None and _entity(cell)) < len(probe) / 2:
        return None
    texts = [text for cell in distinct.to_pylist() if cell is not None and (text := str(cell).strip())]
    if len(texts) < FEWEST:
        return None
    return _prevailing(spread(texts, 1_000))


def _prevailing(texts: Sequence[str]) -> str | None:
    shares = {entity: share for entity, share in shares_of_patterns(texts).items() if entity not in QUASI}
    whole = next((entity for entity, share in shares.items() if share >= ENOUGH), None)
    if whole is not None or sum(shares.values()) < ENOUGH:
        return whole
    return "ID" if sum(1 for text in texts if pattern_of(text, but=QUASI)) >= ENOUGH * len(texts) else None


def _entity(cell: object) -> str | None:
    if isinstance(cell, int):
        return "CREDIT_CARD" if is_card(str(cell)) else None
    text = str(cell).strip()
    return pattern_of(text, but=QUASI) if text else None
