"""Amounts of privacy loss on the command line: exact decimals, as they were typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from decimal import Decimal

    _Reader = click.ParamType[Decimal]
else:
    _Reader = click.ParamType  # older releases of click have no type of their own to it


class _Amount(_Reader):
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Reads a decimal above 0; what is none is wrong usage, before anything else happens."""
        from privkit.model.amounts import amount

        try:
            exact = amount(value)
        except ValueError as err:
            self.fail(f"{err}.", param, ctx)
        if exact == 0:
            self.fail("it must be above 0: nothing private is free.", param, ctx)
        return exact


AMOUNT = _Amount()
