"""The second look: what still stands in the output that came in as an identifier.

Three questions, asked of every block while its input is still at hand: do cells that were to be replaced still hold
their value; does a row's own identifier stand anywhere else in its output; and does one of a keyed sample of the file's
identifiers? On sampled rows the detector also searches the output again, kept columns first. What an operator wrote
itself (`<PERSON>`, a token) is not a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.cells import as_text, is_text, nonempty
from privkit.deid.counts import Counts
from privkit.deid.linked import Term, linked_findings, terms_of
from privkit.deid.rows import RowTerms, row_of
from privkit.deid.texts import TextScanner
from privkit.io.frames import Leaf
from privkit.model.operators import Keep
from privkit.model.policy import ColumnRule, Policy

_WORD = re.compile(r"\w+")
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
        for leaf, output, _ in open_leaves:
            if pa.types.is_floating(output.type) or pa.types.is_boolean(output.type):
                continue  # a measurement that happens to equal a number is not an identifier
            found = 0
            for cell, text in enumerate(as_text(output).to_pylist()):
                if text:
                    found += self._identifiers_in(text, terms.whole(row_of(leaf, cell)) if terms else ())
            counts.identifiers.update(_if_any(leaf.name, found))

    def _identifiers_in(self, text: str, own: Sequence[Term]) -> int:
        lowered = text.lower()
        found = {term.folded for term in own if term.folded in lowered and linked_findings(text, [term])}
        if self._needles:
            for word in self._needles.keys() & set(_WORD.findall(lowered)):
                found.update(
                    term.folded
                    for term in self._needles[word]
                    if term.folded in lowered and linked_findings(text, [term])
                )
        return len(found)

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
            cells = [
                (cell, text)
                for cell, text in enumerate(output.to_pylist())
                if text and not text.isspace() and row_of(leaf, cell) in picked
            ]
            distinct = list(dict.fromkeys(text for _, text in cells))
            scanned = dict(zip(distinct, self._scanner.scan(distinct), strict=True))
            expected = rules[leaf.name].entity
            hits = sum(
                any(
                    finding.entity != expected and not _overlaps(finding.start, finding.end, spans.get(cell, ()))
                    for finding in scanned[text]
                )
                for cell, text in cells
            )
            counts.residual.update(_if_any(leaf.name, hits))


def _unchanged(before: pa.Array, after: pa.Array) -> int:
    same = pc.fill_null(pc.equal(as_text(before), as_text(after)), False)
    if not pc.any(same).as_py():
        return 0
    return nonempty(before.filter(same))


def _overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < right and left < end for left, right in spans)


def _if_any(name: str, count: int) -> dict[str, int]:
    return {name: count} if count else {}
