"""CSV and TSV, read in bounded memory with every cell's exact text.

The file is cut at row ends here and each cut is parsed by Arrow alone. That costs a scan for quotes, and gives what
Arrow's own streaming reader does not: cells larger than its block, exact row numbers, blocks that do not depend on how
much was read at a time, nothing read ahead, and an error for a quote that is never closed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from privkit.errors import ColumnError, InputError
from privkit.io.limits import BYTES_PER_BLOCK, MAX_ROW_BYTES, ROWS_PER_BLOCK

_DELIMITERS = ",;\t|"
_MAX_HEADER_BYTES = 1 << 20


class DelimitedText:
    """One delimited file: the header at once, the rows on demand, all cells `pa.string()` and none null.

    Quoting is RFC 4180's, and a quote is one only where a cell begins. Lines that are empty are not rows, except in a
    file of one column, where each is an empty cell.

    Args:
        pieces: The file as UTF-8, from the start.
        name: For messages.
        delimiter: One character; None to find out from the header line which of `,` `;` tab `|` it is.

    Attributes:
        delimiter: One character.
        newline: LF or CR LF, as the header line ends; LF where it ends with neither.
        schema: The columns.

    Raises:
        InputError: There is no header.
        ColumnError: The header has a name twice.
    """

    def __init__(self, pieces: Iterator[bytes], name: str, delimiter: str | None = None) -> None:
        self.name = name
        self._pieces = pieces
        header, ending, self._rest = self._header()
        text = header.decode()
        self.delimiter = delimiter or _sniffed(text)
        # A file of an old Macintosh ends its lines with a bare CR; it is read, and written with LF.
        self.newline = "\r\n" if ending == b"\r\n" else "\n"
        self._row_end = b"\r" if ending == b"\r" else b"\n"
        self.columns = _names(text, self.delimiter, name)
        self.schema = pa.schema([(column, pa.string()) for column in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, at most 2,048 and about 4 MiB at a time; the same cuts however the file was read.

        Raises:
            InputError: A row has more or fewer cells than the header, is longer than 64 MiB, or has a quote that is
                never closed.
        """
        yield from cut_to_blocks(self._tables())

    def _header(self) -> tuple[bytes, bytes, bytes]:
        """The header line, what it ended with, and what was read after it."""
        data = b""
        for piece in self._pieces:
            data = (data + piece).lstrip(b"\r\n")
            end = _header_end(data)
            if end >= 0 and end + 1 < len(data):
                ending = b"\r\n" if data[end : end + 2] == b"\r\n" else data[end : end + 1]
                return data[:end], ending, data[end + len(ending) :]
            if len(data) > _MAX_HEADER_BYTES:
                raise InputError(
                    f"{self.name}: the header line does not end within 1 MiB", path=self.name, hint=_UNCLOSED_HINT
                )
        if not data:
            raise InputError(f"{self.name}: empty, there is not even a header", path=self.name)
        end = _header_end(data)
        if end == _OPEN_QUOTE:
            raise InputError(f"{self.name}: a quote in the header is never closed", path=self.name, hint=_UNCLOSED_HINT)
        end = len(data) if end == _NO_END else end
        return data[:end], data[end:], b""

    def _tables(self) -> Iterator[pa.RecordBatch]:
        rows = 0
        waiting, held, wanted = [self._rest], len(self._rest), 0
        for piece in self._pieces:
            waiting.append(piece)
            held += len(piece)
            if held < wanted:
                continue
            data = b"".join(waiting)
            cut, _ = self._last_row_end(data)
            if cut:
                batch = self._parsed(data[:cut], rows)
                rows += batch.num_rows
                yield batch
            elif held > MAX_ROW_BYTES:
                raise InputError(
                    f"{self.name}: row {rows + 1} is longer than {MAX_ROW_BYTES >> 20} MiB",
                    path=self.name,
                    row=rows + 1,
                    hint=_UNCLOSED_HINT,
                )
            data = data[cut:]
            # A row that did not end in so much will be looked at again only when there is twice as much of it.
            waiting, held, wanted = [data], len(data), 0 if cut else min(2 * len(data), MAX_ROW_BYTES + 1)
        data = b"".join(waiting)
        cut, is_open = self._last_row_end(data)
        if is_open:
            rows += self._parsed(data[:cut], rows).num_rows if cut else 0
            raise InputError(
                f"{self.name}: row {rows + 1} has a quote that is never closed",
                path=self.name,
                row=rows + 1,
                hint=_UNCLOSED_HINT,
            )
        if data:
            yield self._parsed(data, rows)

    def _last_row_end(self, data: bytes) -> tuple[int, bool]:
        """Where the last whole row of `data` ends (0: none does), and whether a quote is open at the end.

        `data` begins at the beginning of a row.
        """
        if b'"' not in data:
            return data.rfind(self._row_end) + 1, False
        bytes_ = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(bytes_ == _QUOTE)
        if not self._all_regular(bytes_, quotes):
            return self._last_row_end_slowly(data)
        end = len(data)
        while (end := data.rfind(self._row_end, 0, end)) >= 0:
            before = int(np.searchsorted(quotes, end))
            if before % 2 == 0:
                break
            end = int(quotes[before - 1])
        return end + 1, len(quotes) % 2 == 1

    def _all_regular(self, data: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp]) -> bool:
        """Whether counting quotes tells what is quoted.

        It does when each quote that would open (every second one) stands where a cell begins, or right after the
        quote that would have closed (a doubled quote: closed and opened again is the same as never closed).
        """
        opening = quotes[0::2]
        if len(opening) and opening[0] == 0:
            opening = opening[1:]
        allowed = np.zeros(256, dtype=bool)
        allowed[[ord(self.delimiter), _QUOTE, 10, 13]] = True
        return bool(allowed[data[opening - 1]].all())

    def _last_row_end_slowly(self, data: bytes) -> tuple[int, bool]:
        """The same from quote to quote, for cells such as `5" pipe` in which a quote is only a character."""
        starts_cell = (self.delimiter.encode(), b"\n", b"\r")
        at, row_end = 0, 0
        while (quote := data.find(b'"', at)) >= 0:
            row_end = max(row_end, data.rfind(self._row_end, at, quote) + 1)
            if quote and data[quote - 1 : quote] not in starts_cell:
                at = quote + 1
                continue
            at = quote + 1
            while (at := data.find(b'"', at)) >= 0 and data[at + 1 : at + 2] == b'"':
                at += 2
            if at < 0:
                return row_end, True
            at += 1
        return max(row_end, data.rfind(self._row_end, at) + 1), False

    def _parsed(self, data: bytes, rows: int) -> pa.RecordBatch:
        if data.startswith(codecs.BOM_UTF8):  # Arrow would take it for the mark of a file, and out of the cell
            data = codecs.BOM_UTF8 + data
        ragged: list[pacsv.InvalidRow] = []

        def refuse(row: pacsv.InvalidRow) -> str:
            ragged.append(row)
            return "error"

        try:
            table = pacsv.read_csv(
                pa.py_buffer(data),
                read_options=pacsv.ReadOptions(column_names=self.columns, use_threads=False, block_size=len(data) + 1),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=len(self.columns) > 1,
                    invalid_row_handler=refuse,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=self.schema,
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                    null_values=[],
                    check_utf8=False,  # it was, on the way here, with the offset
                ),
            )
        except pa.ArrowException:  # its message quotes the row
            if not ragged:
                raise InputError(
                    f"{self.name}: rows from {rows + 1} on cannot be parsed", path=self.name, row=rows + 1
                ) from None
            number, bad = rows + ragged[0].number, ragged[0]
            cells = "1 cell" if bad.actual_columns == 1 else f"{bad.actual_columns} cells"
            raise InputError(
                f"{self.name}: row {number} has {cells}, the header has {bad.expected_columns}",
                path=self.name,
                row=number,
                hint=f"The delimiter is taken to be {self.delimiter!r}. A cell that holds it must be in quotes.",
            ) from None
        return table.combine_chunks().to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], self.schema)


_QUOTE = ord('"')
_UNCLOSED_HINT = "Look for a quote that opens a cell and is never closed."


def cut_to_blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cuts batches of strings anew: by rows and bytes alone, so that the cuts do not depend on the given ones."""
    held: pa.RecordBatch | None = None
    for batch in batches:
        if held is not None and held.num_rows:
            batch = pa.concat_batches([held, batch])
        ends = _row_ends(batch)
        start = 0
        while (stop := _block_end(ends, start)) is not None:
            yield batch.slice(start, stop - start)
            start = stop
        held = batch.slice(start)
    if held is not None and held.num_rows:
        yield held


def _row_ends(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """int64, shape (rows + 1,): bytes of text before each row."""
    ends = np.zeros(batch.num_rows + 1, dtype=np.int64)
    for column in batch.columns:
        ends[1:] += pc.binary_length(column).to_numpy(zero_copy_only=False)
    return np.cumsum(ends)


def _block_end(ends: npt.NDArray[np.int64], start: int) -> int | None:
    """The row that the block from `start` on ends before; None if more rows could still belong to it."""
    rows = len(ends) - 1 - start
    fitting = int(np.searchsorted(ends, ends[start] + BYTES_PER_BLOCK, side="right")) - 1 - start
    if rows <= fitting and rows < ROWS_PER_BLOCK:
        return None
    return start + max(1, min(fitting, ROWS_PER_BLOCK))


def _header_end(data: bytes) -> int:
    """Offset of the line end that closes the header; `_NO_END` or `_OPEN_QUOTE` if it is not in `data`."""
    at = 0
    while True:
        end = min((end for end in (data.find(b"\n", at), data.find(b"\r", at)) if end >= 0), default=_NO_END)
        quote = data.find(b'"', at, len(data) if end == _NO_END else end)
        if quote < 0:
            return end
        at = quote + 1
        if quote and data[quote - 1] not in _CELL_STARTS:
            continue
        while (at := data.find(b'"', at)) >= 0 and data[at + 1 : at + 2] == b'"':
            at += 2
        if at < 0:
            return _OPEN_QUOTE
        at += 1


_NO_END, _OPEN_QUOTE = -1, -2
_CELL_STARTS = (_DELIMITERS + "\r\n").encode()


def _sniffed(header: str) -> str:
    """The delimiter that the header line has most of, outside quotes; the comma on a tie."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for character in header:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in counts:
            counts[character] += 1
    return max(counts, key=counts.__getitem__)


def _names(header: str, delimiter: str, name: str) -> list[str]:
    try:
        names = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter))
    except csv.Error:
        raise InputError(f"{name}: the header line cannot be parsed", path=name) from None
    refuse_doubled_names(names, name)
    return names


def refuse_doubled_names(names: Sequence[str], source: str) -> None:
    """Refuses columns that have the same name.

    Raises:
        ColumnError: With the names.
    """
    seen: set[str] = set()
    doubled = tuple(dict.fromkeys(column for column in names if column in seen or seen.add(column)))  # type: ignore[func-returns-value]
    if doubled:
        shown = ", ".join(column or '"" (no name)' for column in doubled)
        raise ColumnError(
            f"{source}: more than one column is named {shown}", columns=doubled, hint="Give each column its own name."
        )
