"""How each operator of `privkit.model.operators` changes the values of a column, or a finding inside a text.

What the output still tells, operator by operator:

* `pseudonym`, `keyed_hash` and `surrogate` are deterministic under one key: equal values stay equal. Whoever sees the
  output learns which cells are equal, in one column, across columns and across all files made with that key, and how
  often each value comes up. Where the original's frequencies are known (the most common surname, the only patient
  with forty visits) that alone can tell who it is. Use one key for each recipient, so that two recipients cannot join
  what they got; use `redact`, `replace` or `drop` where no joins are needed.
* Reversible tokens also tell the value's length in steps of 16 bytes, `mask` and most surrogates tell it exactly, and
  a date surrogate lies within two years of its date.
* `date_shift` keeps the intervals between dates that share a shift: an unusual series of intervals can be recognised.
* `generalize` keeps what it does not cut. It is no promise of k-anonymity.

Without the key nobody can try guesses against tokens, hashes, surrogates or shifts; with it, everybody can.
"""

from __future__ import annotations

import datetime as dt

from privkit.deid.operators.base import ColumnOperator, RowContext
from privkit.deid.operators.dates import today_utc
from privkit.deid.operators.generalizing import GeneralizeOperator
from privkit.deid.operators.keyed import KeyedHashOperator, PseudonymOperator
from privkit.deid.operators.shifting import DateShiftOperator
from privkit.deid.operators.simple import KeepOperator, MaskOperator, RedactOperator, ReplaceOperator
from privkit.errors import PolicyError
from privkit.keys.keyfile import Key
from privkit.model.operators import (
    DateShift,
    Drop,
    Generalize,
    Keep,
    KeyedHash,
    Mask,
    Operator,
    Pseudonym,
    Redact,
    Replace,
    Surrogate,
)

__all__ = ["ColumnOperator", "RowContext", "build_operator"]


def build_operator(spec: Operator, *, entity: str | None, key: Key, today: dt.date | None = None) -> ColumnOperator:
    """Makes an operator ready for one kind of value.

    Args:
        spec: Which operator, with its parameters.
        entity: Entity type of the values; it names tokens and `<ENTITY>` and decides what a surrogate is.
        key: What tokens, hashes, surrogates and shifts are made with.
        today: The date that `generalize` with `oldest` counts ages from; today in UTC when absent.

    Raises:
        PolicyError: The parameters and the entity type do not go together, or the operator is `drop`, which has no
            value to give.
    """
    match spec:
        case Keep():
            return KeepOperator()
        case Redact():
            return RedactOperator()
        case Replace():
            return ReplaceOperator(spec, entity)
        case Mask():
            return MaskOperator(spec)
        case Pseudonym():
            return PseudonymOperator(spec, entity, key)
        case KeyedHash():
            return KeyedHashOperator(spec, key)
        case Surrogate():
            # Faker takes a while to load: only who asks for surrogates waits for it.
            from privkit.deid.operators.surrogates import SurrogateOperator

            return SurrogateOperator(spec, entity, key)
        case DateShift():
            return DateShiftOperator(spec, entity, key)
        case Generalize():
            return GeneralizeOperator(spec, entity, today or today_utc())
        case Drop():
            raise PolicyError("drop leaves the whole column out: there is no value it could be applied to")
