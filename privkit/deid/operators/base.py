"""What an operator is, and the way most of them go over a column: each distinct text once."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import pyarrow as pa

from privkit.deid.cells import as_text
from privkit.errors import ColumnError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key


@dataclass(frozen=True)
class RowContext:
    """What an operator may look at beside the value.

    Attributes:
        leaves: The block's leaves by name, as they were read.
        rows: How many rows the block has.
        row_keys: Gives one key for each row, made from the row's own content; called only when needed.
        name_of_row: The row's name of a person, by row number, where an identifier column has one.
    """

    leaves: Mapping[str, Leaf]
    rows: int
    row_keys: Callable[[], Sequence[bytes]]
    name_of_row: Mapping[int, str]

    @cached_property
    def keys(self) -> Sequence[bytes]:
        """`row_keys()`, made once."""
        return self.row_keys()


class ColumnOperator(Protocol):
    """One operator, ready for one kind of column or finding."""

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """The Arrow type that `apply` makes of a column of type `given`.

        Raises:
            PolicyError: The operator can do nothing with such a column.
        """

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """New values for a leaf: as many, nulls null, empty and white-space texts as they are.

        Raises:
            ColumnError: A column that is needed is missing, or the values have no text.
        """

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """What stands in place of one finding inside a text.

        Args:
            value: The finding's text.
            row: Its row in the block, 0-based.
            context: The block it stands in.
        """


class TextOperator(ABC):
    """An operator that looks at nothing but the text of a value: equal texts become equal, whatever their type."""

    def output_type(self, given: pa.DataType) -> pa.DataType:
        """Text, whatever was given."""
        del given
        return pa.string()

    def apply(self, leaf: Leaf, context: RowContext) -> pa.Array:
        """See `ColumnOperator.apply`."""
        del context
        return mapped(texts_of(leaf), self.replaced)

    def apply_text(self, value: str, row: int, context: RowContext) -> str:
        """See `ColumnOperator.apply_text`."""
        del row, context
        return self.replaced((value,))[0] if not is_empty(value) else value

    @abstractmethod
    def replaced(self, values: Sequence[str]) -> Sequence[str]:
        """What stands in place of each of `values`, none of which is empty or white space."""


def is_empty(text: str) -> bool:
    """Whether a cell holds nothing that could be replaced."""
    return not text or text.isspace()


def placeholder(entity: str | None) -> str:
    """`<ENTITY>`, in Presidio's way."""
    return f"<{entity or 'REDACTED'}>"


def texts_of(leaf: Leaf) -> pa.Array:
    """A leaf's values as `as_text` has them.

    Raises:
        ColumnError: The type has no text (binary, maps).
    """
    kind = leaf.values.type
    if pa.types.is_dictionary(kind):
        return texts_of(Leaf(leaf.name, leaf.values.dictionary_decode(), leaf.rows))
    text = as_text(leaf.values)
    if text.null_count > leaf.values.null_count:
        raise ColumnError(
            f"column {leaf.name} has type {kind}, which has no text: it can be kept, dropped or redacted",
            columns=(leaf.name,),
            hint=f"Take it out with --drop {leaf.name}.",
        )
    return text


def mapped(texts: pa.Array, new: Callable[[Sequence[str]], Sequence[str]]) -> pa.Array:
    """Puts `new(distinct texts)` in place of each text.

    Args:
        texts: String array; nulls, empty and white-space texts stay and are not given to `new`.
        new: As many texts, in the same order.
    """
    encoded = texts.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    asked = [text for text in distinct if text and not text.isspace()]
    if len(asked) == len(distinct):
        results: Sequence[str] = new(asked) if asked else []
    else:
        found = dict(zip(asked, new(asked) if asked else (), strict=True))
        results = [found.get(text, text) for text in distinct]
    return pa.array(results, pa.string()).take(encoded.indices)


def row_of(leaf: Leaf, cell: int) -> int:
    """The row that a cell belongs to."""
    return cell if leaf.rows is None else int(leaf.rows[cell])


class Draws:
    """Keyed choices: the same label and value always choose the same, and without the key nothing tells which.

    Args:
        key: The key.
        purpose: What the choices are for.
    """

    def __init__(self, key: Key, purpose: str) -> None:
        self._secret = key.derive(purpose)

    def number(self, *parts: str | bytes) -> int:
        """A number of 256 bits chosen by `parts`, whose borders count: ("ab", "c") is not ("a", "bc")."""
        message = bytearray()
        for part in parts:
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            message += len(data).to_bytes(8) + data
        return int.from_bytes(hmac.digest(self._secret, message, "sha256"))
