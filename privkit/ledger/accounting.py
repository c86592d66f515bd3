"""Exact sums, and what is refused.

Decimal's own contexts round after 28 digits, which would let a total pass its limit by what was rounded away. Here an
operation that had to round raises instead; amounts have at most 40 digits down to 1e-60, so none has to.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import NamedTuple

from privkit.errors import BudgetRefusedError
from privkit.ledger.records import Charge, Limit, Spend
from privkit.model.amounts import spelled

_EXACT = decimal.Context(
    prec=200, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow, decimal.DivisionByZero]
)
_NAMES = {"zcdp": "ρ", "pure": "ε"}


class Allowance(NamedTuple):
    """What one analyst spent in all, and the quota where one was granted; both in the ledger's measure."""

    spent: Decimal
    quota: Decimal | None
    epsilon: str | None


FREE = Allowance(Decimal(0), None, None)
"""An analyst of whom the ledger knows nothing yet."""


def plus(first: Decimal, second: Decimal) -> Decimal:
    """The exact sum."""
    return _EXACT.add(first, second)


def left(limit: Decimal, spent: Decimal) -> Decimal:
    """What is left under a limit: never below 0, though a quota may be set below what was spent."""
    return max(_EXACT.subtract(limit, spent), Decimal(0))


def spend_plus(spent: Spend, charge: Charge) -> Spend:
    """The totals with one charge more."""
    return Spend(plus(spent.loss, charge.loss), plus(spent.delta, charge.delta))


def remaining(limit: Limit, spent: Spend) -> Spend:
    """What is left of the dataset's total."""
    return Spend(left(limit.loss, spent.loss), left(limit.threshold_delta, spent.delta))


def check_fits(limit: Limit, spent: Spend, allowance: Allowance, charge: Charge) -> None:
    """Refuses what would pass the dataset's total or the analyst's quota; what fits exactly fits.

    Raises:
        BudgetRefusedError: It does not fit.
    """
    total = remaining(limit, spent)
    own = total.loss if allowance.quota is None else min(total.loss, left(allowance.quota, allowance.spent))
    symbol, asked = _NAMES[limit.measure], f"and {spelled(charge.loss)} was asked for"
    if charge.loss > total.loss:
        raise BudgetRefusedError(
            f"the budget has {symbol} = {spelled(total.loss)} left, {asked}",
            requested=charge.loss,
            remaining=own,
            hint="Ask for less, or for an answer that is stored already; what is spent does not come back.",
        )
    if charge.delta > total.delta:
        raise BudgetRefusedError(
            f"of threshold_delta {spelled(total.delta)} is left, and {spelled(charge.delta)} was asked for",
            requested=charge.loss,
            remaining=own,
            hint="Group by declared categories, which need no threshold, or ask for a smaller δ.",
        )
    if charge.loss > own:
        raise BudgetRefusedError(
            f"the quota of {charge.analyst} has {symbol} = {spelled(own)} left, {asked}",
            requested=charge.loss,
            remaining=own,
            quota=True,
            hint="Ask for less, or whoever keeps the budget for a larger grant: privkit budget grant.",
        )
