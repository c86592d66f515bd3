"""Every error that privkit raises on purpose.

    PrivkitError                 exit 1   something was wrong and privkit knows what
    ├── InputError               exit 1   a source that cannot be read as what it says it is
    ├── OutputError              exit 1   a place that cannot be written
    ├── SpecError                exit 1   what a person wrote into a YAML file, and what does not hold together
    │   ├── PolicyError          exit 1   a policy, or an option that changes it, that does not hold together
    │   ├── DatasetError         exit 1   a dataset's description that does not hold together
    │   ├── StudyError           exit 1   a study that does not fit, is not as far yet, or is over
    │   └── PipelineError        exit 1   a pipeline's file that does not hold together
    ├── ColumnError              exit 1   a column that is missing, doubled, or not what it was taken for
    ├── KeyFileError             exit 1   a key file that is missing, loose, broken or the wrong one
    ├── DetectorError            exit 1   a detector that is missing, altered, or could not finish
    ├── MissingExtraError        exit 1   an optional package that is not installed
    ├── InterruptedRunError      exit 1   a run that another run left behind, or that died
    ├── QueryError               exit 1   a query that is not understood, or that its dataset's description forbids
    ├── LedgerError              exit 1   a ledger that is missing, busy, of another dataset or cannot be written
    ├── AggregateError           exit 1   an engine that could not compute an aggregate
    ├── ScoringError             exit 1   a scoring model, specification, key or batch that does not hold together
    ├── UsageError               exit 2   options that cannot go together
    ├── BudgetRefusedError       exit 3   a charge that the budget, or the analyst's quota, has no room for
    ├── VerificationError        exit 5   a ledger, checkpoint, message or signature that does not hold
    └── CiphertextError          exit 5   bytes that are no context or ciphertext of the parameters they should have
    (exit 4: `scan --fail-on-pii` found PII; exit 5: `evaluate --min-recall` was not reached; exit 130: Ctrl-C. None is
    an error in the program.)

What may stand in a message: file names, column names, row numbers, byte offsets, counts, entity types, option names.
Never: the value of a cell, a key's bytes, a text that was searched. Where a library's message may quote a value, its
text is not repeated: the error says what and where in privkit's own words.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar


class PrivkitError(Exception):
    """Root of the tree.

    Args:
        message: What is wrong and where.
        hint: What the user can do next; shown on a line of its own.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(PrivkitError):
    """A source that is missing, empty, cut, undecodable, ragged or too large when expanded.

    Args:
        message: What is wrong.
        path: The file, as the user named it.
        row: 1-based record number in the file, the header not counted, where one row is to blame.
        offset: Byte offset in the (decompressed) file, where bytes are to blame.
        hint: What the user can do next.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        row: int | None = None,
        offset: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.row = row
        self.offset = offset


class OutputError(PrivkitError):
    """An output that exists, equals the source, cannot be written, or does not fit on the disk."""


class SpecError(PrivkitError):
    """What a person wrote into a YAML file, and what does not hold together.

    Args:
        message: What is wrong.
        path: The file, if it came from one.
        line: 1-based line in that file.
        hint: What the user can do next.
    """

    def __init__(
        self, message: str, *, path: str | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line


class PolicyError(SpecError):
    """An invalid policy or operator."""


class ColumnError(PrivkitError):
    """A column that is unknown, doubled, or turned out to hold something else than what was decided.

    Args:
        message: What is wrong.
        columns: Names of the columns it is about.
        hint: What the user can do next.
    """

    def __init__(self, message: str, *, columns: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.columns = columns


class KeyFileError(PrivkitError):
    """A key file that is missing, readable by others, malformed, or not the one that made the tokens."""


class DetectorError(PrivkitError):
    """A detector that is not installed, whose weights were altered, or whose recognizer did not finish.

    Args:
        message: What is wrong.
        recognizer: Name of the recognizer at fault, if one is.
        hint: What the user can do next.
    """

    def __init__(self, message: str, *, recognizer: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.recognizer = recognizer


class MissingExtraError(PrivkitError):
    """An optional package that is needed and not installed; the hint holds the command that installs it."""


class InterruptedRunError(PrivkitError):
    """State of an earlier run that cannot be continued, a run under way, or a worker that died."""


class EngineError(PrivkitError):
    """An engine that does not start, or whose work failed; its own words may quote data and are not repeated."""


class DatasetError(SpecError):
    """A dataset's description that is missing, invalid, or disagrees with its budget or its source's schema."""


class QueryError(PrivkitError):
    """A query that is not understood, or asks what the dataset's description does not allow.

    Args:
        message: What is wrong; it may quote the query, which is the user's own.
        word: The part of the query that is to blame, if one is.
        hint: What is understood instead.
    """

    def __init__(self, message: str, *, word: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.word = word


class LedgerError(PrivkitError):
    """A ledger that is missing, busy, damaged, of another dataset, on a network filesystem, or not writable."""


class AggregateError(PrivkitError):
    """An engine that could not compute an aggregate; its own words may quote data and are not repeated."""


class StudyError(SpecError):
    """A study that does not fit its parameters, whose step comes too early or too late, or that is over."""


class PipelineError(SpecError):
    """A pipeline's file that is missing or does not hold together."""


class ScoringError(PrivkitError):
    """A scoring model or specification that does not hold together, rows outside its ranges, a key that was used."""


class UsageError(PrivkitError):
    """Options that cannot go together, or a value that no run could use."""

    exit_code = 2


class BudgetRefusedError(PrivkitError):
    """A charge that does not fit; nothing was charged.

    Args:
        message: What was asked and what is left.
        requested: The loss asked for, in the ledger's measure (ρ for zcdp, ε for pure).
        remaining: The loss that is left to whoever asked, in the same measure.
        quota: Whether it was the analyst's quota that refused, and not the dataset's total.
        hint: What the user can do next.
    """

    exit_code = 3

    def __init__(
        self, message: str, *, requested: Decimal, remaining: Decimal, quota: bool = False, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.requested = requested
        self.remaining = remaining
        self.quota = quota


class VerificationError(PrivkitError):
    """A chain, a checkpoint or a signature that does not hold.

    Args:
        message: What was found.
        sequence: Number of the first entry that does not hold, if one is to blame.
        hint: What the user can do next.
    """

    exit_code = 5

    def __init__(self, message: str, *, sequence: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sequence = sequence


class CiphertextError(PrivkitError):
    """Bytes that are not a context, key or ciphertext of the parameters they should have; none reached native code."""

    exit_code = 5
