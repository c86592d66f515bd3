"""The second look: what still stands in the output that came in as an identifier.

Three questions, asked of every block while its input is still at hand: do cells that were to be replaced still hold
their value; does a row's own identifier stand anywhere else in its output; and does one of a keyed sample of the file's
identifiers? On sampled rows the detector also searches the output again, kept columns first.

No findings are what an operator wrote itself (`<PERSON>`, a token), what the column was decided to hold (a date in a
column of dates), and short numbers: an amount of eight digits and less that a recognizer takes for something is a
false alarm, and a file has thousands of them. Numbers that were identifiers in the same row are still looked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.cells import as_text, is_text, nonempty
from privkit.deid.counts import Counts
from privkit.deid.linked import Term, fold, linked_findings, terms_of
from privkit.deid.operators.dates import read_date
from privkit.deid.rows import RowTerms, row_of
from privkit.deid.texts import TextScanner
from privkit.io.frames import Leaf
from privkit.model.operators import Keep
from privkit.model.policy import ColumnRule, Policy

_WORD = re.compile(r"\w+")
# Digits, separators and signs of currencies and units: numbers, amounts, times.
_PLAIN = re.compile(r"[\d\s.,:;/%+\-−()'’$€£¥₹<>=~±°]*")
_FEWEST_DIGITS = 9
# A shorter number is an identifier only where it is the whole cell.
_SHORT_NUMBER = 6
# What a detector may say of cells that were decided to be something else by name.
_EXPLAINED = {
    "COARSE_LOCATION": frozenset({"COARSE_LOCATION", "LOCATION", "NRP"}),
    "LOCATION": frozenset({"LOCATION"}),
    "DATE_TIME": frozenset({"DATE_TIME"}),
    "DATE_OF_BIRTH": frozenset({"DATE_OF_BIRTH", "DATE_TIME"}),
    "AGE": frozenset({"AGE", "DATE_TIME"}),
}
_DATES = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})
Spans = Mapping[int, tuple[tuple[int, int], ...]]


class Residue:
    """Searches outputs for what came in.

    Args:
        scanner: The run's detector under its policy.
        needles: Identifiers of the file, as (text, entity), searched in every row.
    """

    def __init__(self, scanner: TextScanner, needles: Sequence[tuple[str, str]]) -> None:
        self._scanner = scanner
        self._needles: dict[str, list[Term]] = {}
        for text, entity in needles:
            if (terms := terms_of(text, entity)) and (words := _WORD.findall(terms[0].folded)):
                self._needles.setdefault(words[0], []).append(terms[0])

    def check(
        self,
        leaves: Sequence[Leaf],
        changed: Mapping[str, pa.Array | None],
        made: Mapping[str, Spans],
        rules: Mapping[str, ColumnRule],
        policy: Policy,
        terms: RowTerms,
        counts: Counts,
        check_rows: int,
    ) -> None:
        """Adds to `counts` what still stands in the output of one block.

        Args:
            leaves: The input.
            changed: The output of each leaf that is not as it was; None where it was dropped.
            made: In text leaves, the spans that operators wrote, by cell.
            rules: The rule of each leaf.
            policy: The run's policy.
            terms: Each row's identifiers.
            counts: Where the findings go.
            check_rows: How many rows the detector searches again.
        """
        open_leaves: list[tuple[Leaf, pa.Array, Spans]] = []
        for leaf in leaves:
            rule = rules[leaf.name]
            output = changed.get(leaf.name, leaf.values)
            if output is None:
                continue
            if rule.role == "free_text":
                open_leaves.append((leaf, output, made.get(leaf.name, {})))
            elif isinstance(policy.column_operator(rule), Keep):
                if rule.role != "identifier":
                    open_leaves.insert(0, (leaf, output, {}))
            elif rule.role == "identifier":
                counts.identifiers.update(_if_any(leaf.name, _unchanged(leaf.values, output)))
        self._search_identifiers(open_leaves, terms, counts)
        if check_rows and counts.rows:
            self._scan_again(open_leaves, rules, counts, check_rows)

    def _search_identifiers(
        self, open_leaves: Sequence[tuple[Leaf, pa.Array, Spans]], terms: RowTerms, counts: Counts
    ) -> None:
        if not terms and not self._needles:
            return
        for leaf, output, spans in open_leaves:
            if pa.types.is_floating(output.type) or pa.types.is_boolean(output.type):
                continue  # a measurement that happens to equal a number is not an identifier
            cells = as_text(output).to_pylist()
            # A patient called Jordan may lie in the Jordan wing: of names in a category only whole ones tell.
            category = _is_category(cells)
            found = 0
            for cell, text in enumerate(cells):
                if text:
                    row = row_of(leaf, cell)
                    plain = category or _PLAIN.fullmatch(text) is not None
                    own = () if not terms else terms.whole(row) if plain else terms.parts(row)
                    found += self._identifiers_in(text, own, spans.get(cell, ()))
            counts.identifiers.update(_if_any(leaf.name, found))

    def _identifiers_in(self, text: str, own: Sequence[Term], spans: Sequence[tuple[int, int]]) -> int:
        """How many of the row's own identifiers and of the needles stand in the text, outside of `spans`."""
        folded = fold(text).text
        found = {
            term.folded for term in own if (term.digits or term.folded in folded) and _stands_in(text, term, spans)
        }
        if self._needles:
            for word in self._needles.keys() & set(_WORD.findall(folded)):
                found.update(term.folded for term in self._needles[word] if _stands_in(text, term, spans))
        # A name counts once, not again for its parts and for the ways they are joined.
        return sum(1 for one in found if not any(one != other and one in other for other in found))

    def _scan_again(
        self,
        open_leaves: Sequence[tuple[Leaf, pa.Array, Spans]],
        rules: Mapping[str, ColumnRule],
        counts: Counts,
        check_rows: int,
    ) -> None:
        rows = counts.rows
        picked = set(np.linspace(0, rows - 1, min(rows, check_rows), dtype=np.int64).tolist())
        counts.rows_checked += len(picked)
        for leaf, output, spans in open_leaves:
            if not is_text(output.type):
                continue
            expected = rules[leaf.name].entity
            cells = [
                (cell, text)
                for cell, text in enumerate(output.to_pylist())
                if text and row_of(leaf, cell) in picked and not _needs_no_scan(text, expected)
            ]
            distinct = list(dict.fromkeys(text for _, text in cells))
            scanned = dict(zip(distinct, self._scanner.scan(distinct), strict=True))
            explained = _EXPLAINED.get(expected or "", frozenset((expected,)))
            hits = sum(
                any(
                    finding.entity not in explained and not _overlaps(finding.start, finding.end, spans.get(cell, ()))
                    for finding in scanned[text]
                )
                for cell, text in cells
            )
            counts.residual.update(_if_any(leaf.name, hits))


def _stands_in(text: str, term: Term, spans: Sequence[tuple[int, int]]) -> bool:
    if term.folded.isdigit() and len(term.folded) < _SHORT_NUMBER:
        return text.strip() == term.needle
    return any(not _overlaps(one.start, one.end, spans) for one in linked_findings(text, (term,)))


def _is_category(cells: Sequence[str | None]) -> bool:
    full = [cell for cell in cells if cell]
    return len(set(full)) <= min(50, len(full) / 2)


def _needs_no_scan(text: str, entity: str | None) -> bool:
    if _PLAIN.fullmatch(text) is not None and sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return True
    return entity in _DATES and (text.strip().isdigit() or read_date(text) is not None)


def _unchanged(before: pa.Array, after: pa.Array) -> int:
    same = pc.fill_null(pc.equal(as_text(before), as_text(after)), False)
    if not pc.any(same).as_py():
        return 0
    return nonempty(before.filter(same))


def _overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < right and left < end for left, right in spans)


def _if_any(name: str, count: int) -> dict[str, int]:
    return {name: count} if count else {}
