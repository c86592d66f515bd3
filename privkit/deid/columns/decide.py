"""The decision: role and entity of each column, from its values, its name and its type.

Rules are tried from the most specific to the safest. Where nothing is sure, text is taken for free text rather than for
something to keep; numbers and categories are kept, because replacing them would break the data and hide nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from privkit.deid.columns.column import Column, Decision, Rule
from privkit.deid.columns.names import hint_of
from privkit.deid.columns.numeric import decide_numbers
from privkit.deid.columns.texts import TEXT_RULES
from privkit.deid.columns.values import Profile, profile_of, spans_lives
from privkit.deid.findings import Detector
from privkit.io.frames import Frame

SAMPLE_ROWS = 10_000


def decide(sample: Sequence[Frame], detector: Detector | None) -> tuple[Decision, ...]:
    """Decides about every leaf of a sample.

    Args:
        sample: Frames of one source; at most 10,000 of their rows are looked at, the head of each.
        detector: What looks at short texts that no pattern and no name explains; None: patterns and names alone.

    Returns:
        One decision for each leaf, in order of first appearance.

    Raises:
        DetectorError: The detector did not finish.
    """
    chunks: dict[str, list[pa.Array]] = {}
    rows = sum(frame.rows for frame in sample)
    for frame in sample:
        quota = frame.rows if rows <= SAMPLE_ROWS else max(1, frame.rows * SAMPLE_ROWS // rows)
        for leaf in frame.leaves():
            cells = leaf.values
            if quota < frame.rows:
                # Rows of a list's members are in order, so the first rows' members stand first.
                cells = cells[: quota if leaf.rows is None else int(np.searchsorted(leaf.rows, quota))]
            chunks.setdefault(leaf.name, []).append(cells)
    return tuple(_decide(name, profile_of(arrays), detector) for name, arrays in chunks.items())


def decide_leaf(name: str, values: pa.Array, detector: Detector | None = None) -> Decision:
    """Decides about one leaf, e.g. one that the sample did not show.

    Args:
        name: The leaf's path.
        values: Its cells, any Arrow type.
        detector: As for `decide`.
    """
    return _decide(name, profile_of([values]), detector)


def _decide(name: str, profile: Profile, detector: Detector | None) -> Decision:
    column = Column(name, profile, hint_of(name), detector)
    rules = _BY_KIND.get(profile.kind, TEXT_RULES) if profile.cells else (_empty,)
    for rule in rules:
        decision = rule(column)
        if decision is not None:
            return decision
    return column.decision("other", None, 0, "nothing recognised", certain=False)


def _empty(column: Column) -> Decision | None:
    """No cell says anything: the name decides, as far as the type allows."""
    kind, hint = column.profile.kind, column.hint
    if kind in ("boolean", "opaque", "time", "date"):
        return None if kind == "opaque" else _BY_KIND[kind][0](column)
    if hint is None or hint.role == "other" or (kind in ("integer", "number") and hint.kind in ("person", "free_text")):
        sure = kind in ("integer", "number") or hint is not None
        return column.decision(
            "other", hint.entity if hint and hint.role == "other" else None, 0, "empty", certain=sure
        )
    return column.decision(hint.role, hint.entity, 0, "name (empty in the sample)")


def _opaque(column: Column) -> Decision:
    return column.decision(
        "other",
        None,
        0,
        "type",
        certain=False,
        warnings=("its values are of a type that is not looked into: keep, drop or redact it on purpose",),
    )


def _boolean(column: Column) -> Decision:
    return column.decision("other", None, 1, "type")


def _moment(column: Column) -> Decision:
    if column.is_named("birth"):
        return column.decision("quasi", "DATE_OF_BIRTH", 1, "name and type")
    if spans_lives(column.profile):
        if column.hint is None:
            return column.decision("quasi", "DATE_OF_BIRTH", 1, "values: dates over many decades")
        warning = "its dates go back many decades: name it if these are dates of birth"
        return column.decision("other", "DATE_TIME", 1, "type", warnings=(warning,))
    return column.decision("other", "DATE_TIME", 1, "type")


def _time(column: Column) -> Decision:
    return column.decision("other", "DATE_TIME", 1, "type")


_BY_KIND: dict[str, tuple[Rule, ...]] = {
    "boolean": (_boolean,),
    "date": (_moment,),
    "time": (_time,),
    "opaque": (_opaque,),
    "integer": (decide_numbers,),
    "number": (decide_numbers,),
}
