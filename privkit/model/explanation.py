"""Why a text, or a row, came out as it did: each finding, each decision, and what decided it.

These records hold the texts themselves. They are made on request only, are written to files that nobody but their owner
can open, and show no text when they are printed or logged.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from privkit.model.policy import Role
from privkit.model.report import DecidedColumn, ModelInfo, PolicyInfo

Outcome = Literal["replaced", "kept", "merged", "below_threshold", "allowed", "refused", "blank"]
Because = Literal["option", "column", "entity", "role", "unknown", "accept_free_text"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExplainedFinding(_Record):
    """Something that was found in a text, and what became of it.

    Attributes:
        start: First character, 0-based.
        end: One past the last character.
        text: What stands there.
        entity: Entity type.
        recognizer: Who found it: a recognizer's name; `privkit.linked` is the row's own identifiers, `privkit.deny` the
            policy's deny-list, `privkit.quasi` its rules for ages and postcodes.
        score_before: Confidence before context words, in 0..1.
        score: Confidence in 0..1.
        context: The word near it that raised the score; empty if none did.
        threshold: The score that it needed, by the policy; 0 if it needed none.
        outcome: `replaced` and `kept` by its operator; `merged`: its characters are part of a finding that won over
            it; `below_threshold` and `allowed` by the policy; `refused` by the detector itself; `blank`: white space.
        why: The same in words, with what it lost to.
    """

    start: int
    end: int
    text: str = Field(repr=False)
    entity: str
    recognizer: str
    score_before: float
    score: float
    context: str = Field(repr=False)
    threshold: float
    outcome: Outcome
    why: str


class Replacement(_Record):
    """A place of the text that was written anew, or kept on purpose; places do not overlap.

    Attributes:
        start: First character, 0-based.
        end: One past the last character.
        text: What stood there.
        entity: The type that won.
        recognizer: Who found what won.
        score: The winner's, in 0..1.
        operator: What was done.
        because: What chose the operator: an `option` of this run, the policy's rule for the `column` or the `entity`,
            or its operator for the `role`.
        output: What stands there now.
    """

    start: int
    end: int
    text: str = Field(repr=False)
    entity: str
    recognizer: str
    score: float
    operator: str
    because: Because
    output: str = Field(repr=False)


class Explanation(_Record):
    """Why a text came out as it did.

    Attributes:
        text: The text.
        output: What it became; None where it does not reach the output.
        findings: All that was said of it, in order of place.
        replacements: What was done, in order of place.
    """

    text: str = Field(repr=False)
    output: str | None = Field(repr=False)
    findings: tuple[ExplainedFinding, ...] = ()
    replacements: tuple[Replacement, ...] = ()


class ExplainedCell(Explanation):
    """One cell of a row. One that was not searched inside has no findings: its column decided.

    Attributes:
        column: The column's name.
        role: What the column was taken for.
        entity: Entity type of its cells; None for free text and other.
        operator: What was done with the cell, or with findings in it that no entity's operator is for.
        because: What chose that operator: an `option` of this run, the policy's rule for the `column` or the `entity`,
            its operator for the `role`, its `unknown: drop`, or its `accept_free_text: false`.
        searched: Whether it was searched inside.
    """

    column: str
    role: Role
    entity: str | None
    operator: str
    because: Because
    searched: bool = False


class ExplainedRow(_Record):
    """One row.

    Attributes:
        row: 1-based number in the source, headers not counted; of several files, counted on through all of them.
        file: The file it stands in.
        cells: Those that are not empty.
    """

    row: int
    file: str
    cells: tuple[ExplainedCell, ...]


class ExplainedRows(_Record):
    """Why some rows came out as they did: what `--explain` writes."""

    source: str
    detector: str
    models: list[ModelInfo]
    policy: PolicyInfo
    columns: tuple[DecidedColumn, ...]
    rows: tuple[ExplainedRow, ...]
    internal: Literal["This file holds the texts themselves: it is as confidential as the source."] = (
        "This file holds the texts themselves: it is as confidential as the source."
    )
