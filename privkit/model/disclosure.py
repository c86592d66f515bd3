"""What a ledger keeps besides losses: rows, and columns under a local mechanism, that left. Never part of any ε."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from privkit.model.amounts import Amount


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Disclosure(_Record):
    """Rows that left the organisation de-identified and without a privacy guarantee: a ledger entry of its own kind.

    Attributes:
        what: The file, as the pipeline names it.
        time: When (UTC, ISO 8601).
        version: The dataset's version label.
        policy: Name of the policy.
        policy_sha256: Of the policy with a rule for each column.
        key_id: Of the key that pseudonyms were made with; None: it was not kept.
        detector: Which.
        residual_cells: Cells, among those looked at again, in which something was still found. The ledger has it; a
            card has it only where its readers get the rows too: it is an exact count.
        residual_identifiers: Places where an identifier of the input still stands; likewise.
        approved_by: Who decided, by their own word.
    """

    what: str
    time: str
    version: str
    policy: str
    policy_sha256: str
    key_id: str | None
    detector: str
    residual_cells: int | None
    residual_identifiers: int | None
    approved_by: str

    def without_counts(self) -> Disclosure:
        """The same for a card whose readers do not get the rows."""
        return self.model_copy(update={"residual_cells": None, "residual_identifiers": None})


class LocalNoise(_Record):
    """One column that left under a local mechanism: a ledger entry of its own kind, never added to the budget's ε.

    Attributes:
        what: The file that the column left in.
        column: Its name.
        mechanism: `randomize` or `noise`.
        epsilon: ε of one value: any two values are that hard to tell apart.
        max_rows: Rows of one unit that kept a value.
        unit_epsilon: max_rows · epsilon: of all values of one unit together.
        protects: In words.
    """

    what: str
    column: str
    mechanism: Literal["randomize", "noise"]
    epsilon: Amount
    max_rows: int
    unit_epsilon: Amount
    protects: str
    time: str
