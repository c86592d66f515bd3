"""Records of estimates: numbers with their intervals."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Record):
    """A number with its interval.

    Attributes:
        label: None where a statistic is one number; "[0, 10)" for a histogram's bin, "(intercept)" or a column's name
            for a regression's term.
        value: In the column's unit; a day as YYYY-MM-DD; None where it is withheld.
        low: Lower end of the interval, in the same unit; None where it is withheld.
        high: Upper end.
        weak: The noise is so large that the interval may cover less often than it says.
        withheld: Why there is no value.
    """

    label: str | None = None
    value: int | float | str | None = None
    low: int | float | str | None = None
    high: int | float | str | None = None
    weak: bool = False
    withheld: str | None = None


class Estimated(_Record):
    """One statistic of every group.

    Attributes:
        name: The name that the query gives to it.
        values: For each group, in the order of the release's keys, its values: one, or one for each bin or term.
        method: How the intervals are made.
        notes: What to know when reading them.
    """

    name: str
    values: tuple[tuple[Value, ...], ...]
    method: str
    notes: tuple[str, ...] = ()
