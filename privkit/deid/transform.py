"""One block of rows, de-identified: columns by their rule, texts by their findings.

The way through: leaves → rules → terms of each row (linked detection) → findings in texts, and the names in a row's
other texts → operators → the frame put together again. Every step looks at the block alone and draws on the key, never
on what went before: so blocks can be done in any order, by any process, twice after a crash, and give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from privkit.deid.cells import as_text, is_text, nonempty
from privkit.deid.columns import decide_leaf, holds_identifier, identifier_in
from privkit.deid.counts import Counts
from privkit.deid.fates import Fates
from privkit.deid.findings import Detector, Finding
from privkit.deid.linked import Term, linked_findings
from privkit.deid.operators import ColumnOperator, RowContext, build_operator
from privkit.deid.recognizers.memory import Wanted, sought, wanted_names
from privkit.deid.residual import Residue
from privkit.deid.rows import KnownNames, RowTerms, cells_of, row_keys, row_of, row_terms
from privkit.deid.scripts import is_unread
from privkit.deid.texts import TextScanner, merged
from privkit.errors import ColumnError
from privkit.io.frames import Frame, Leaf
from privkit.io.outputs import guarded
from privkit.keys.keyfile import Key
from privkit.model.explanation import Because, ExplainedCell, Explanation, Replacement
from privkit.model.operators import Drop, Keep, Operator, Redact
from privkit.model.policy import ColumnRule, Policy

_KEPT = ColumnRule(role="other")
_SEARCHED = ColumnRule(role="free_text")
_DROPPED = ColumnRule(role="free_text", operator=Drop())


@dataclass(frozen=True)
class _Rewritten:
    """A text leaf after its findings were replaced; `made` holds the output spans that operators wrote, by cell."""

    values: pa.Array
    made: Mapping[int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True)
class _Scanned:
    """What was found in texts, by text; and by row the names that several texts of it share to look for."""

    found: Mapping[str, list[Finding]]
    names: Mapping[int, Wanted]


class Transformer:
    """A resolved policy made ready: every column has its rule, every operator its key.

    Args:
        policy: With a rule for each column that the sample showed.
        detector: Searches the texts.
        key: Makes tokens, hashes, surrogates and shifts.
        spreadsheet: Write cells that an operator made so that a spreadsheet does not run them (CSV and TSV).
        known: Names from other files.
        needles: Identifiers, as (text, entity), that are searched in the whole output: the residual check's keyed
            sample.
    """

    def __init__(
        self,
        policy: Policy,
        detector: Detector,
        key: Key,
        *,
        spreadsheet: bool = False,
        known: Sequence[KnownNames] = (),
        needles: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._policy = policy
        self._scanner = TextScanner(detector, policy)
        self._key = key
        self._spreadsheet = spreadsheet
        self._known = known
        self._residue = Residue(self._scanner, needles)
        # Only e-mail surrogates ask for the name in their row.
        self._invents = "surrogate" in {spec.operator for spec in _operators_of(policy)}
        self._operators: dict[tuple[Operator, str | None], ColumnOperator] = {}

    def transform(self, frame: Frame, *, check_rows: int = 0) -> tuple[Frame, Counts]:
        """De-identifies one frame.

        Args:
            frame: Rows as they were read.
            check_rows: How many rows of the output the detector searches again.

        Returns:
            The rows to write, and what was done to them.

        Raises:
            ColumnError: A kept column, or one that the sample did not show, turned out to identify people.
            DetectorError: A text could not be searched to its end.
        """
        counts = Counts(rows=frame.rows)
        leaves = frame.leaves()
        rules = {leaf.name: self._rule(leaf) for leaf in leaves}
        terms = row_terms(leaves, rules, self._known)
        context = self._context(frame.rows, leaves, rules)
        scanned = self._scan([leaf for leaf in leaves if self._searches(rules[leaf.name])])
        changed: dict[str, pa.Array | None] = {}
        made: dict[str, Mapping[int, tuple[tuple[int, int], ...]]] = {}
        for leaf in leaves:
            rule = rules[leaf.name]
            operator = self._policy.column_operator(rule)
            if isinstance(operator, Drop):
                changed[leaf.name] = None
                counts.column(leaf.name).changed += nonempty(leaf.values)
                self._count_cells(leaf, rule, counts)
            elif self._searches(rule):
                rewritten = self._rewrite(leaf, rule, scanned, terms, context, counts)
                made[leaf.name] = rewritten.made
                self._settle(leaf, rewritten.values, changed, counts)
            else:
                self._count_cells(leaf, rule, counts)
                if not isinstance(operator, Keep):
                    applied = self._operator(operator, rule.entity).apply(leaf, context)
                    self._settle(leaf, applied, changed, counts)
        output = frame.rebuilt(changed) if changed else frame
        self._residue.check(leaves, changed, made, rules, self._policy, terms, counts, check_rows)
        return output, counts

    def examine(self, frame: Frame) -> Counts:
        """What `transform` would find, without changing anything."""
        counts = Counts(rows=frame.rows)
        leaves = frame.leaves()
        rules = {leaf.name: self._rule(leaf) for leaf in leaves}
        terms = row_terms(leaves, rules, self._known)
        scanned = self._scan([leaf for leaf in leaves if rules[leaf.name].role == "free_text"])
        for leaf in leaves:
            if rules[leaf.name].role == "free_text":
                counts.column(leaf.name).unread += _unread(leaf)
                for _, found in self._findings(leaf, rules[leaf.name], scanned, terms):
                    _count_findings(leaf.name, found, counts)
            else:
                self._count_cells(leaf, rules[leaf.name], counts)
        return counts

    def rewrite_text(self, text: str) -> tuple[str, list[Finding]]:
        """One text by itself: what it becomes, and the spans of the input that were replaced."""
        rule = ColumnRule(role="free_text")
        spans = self._spans(text, self._scanner.scan([text])[0], rule)
        context = self._context(1, (Leaf("text", pa.array([text]), None),), {"text": rule})
        return self._replaced(text, spans, rule, 0, context)[0], spans

    def replaced(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Texts by themselves: the spans of each that would be written anew, in order; what is kept is in none."""
        rule = ColumnRule(role="free_text")
        return [
            [span for span in self._spans(text, found, rule) if not self._keeps(span.entity, rule)]
            for text, found in zip(texts, self._scanner.scan(texts), strict=True)
        ]

    def explain_text(self, text: str) -> Explanation:
        """Why `rewrite_text` writes a text as it does."""
        rule = ColumnRule(role="free_text")
        context = self._context(1, (Leaf("text", pa.array([text]), None),), {"text": rule})
        return self._explained(text, rule, "role", 0, RowTerms({}), {}, context)

    def explain(
        self, frame: Frame, rows: Collection[int], because: Mapping[str, Because]
    ) -> dict[int, list[ExplainedCell]]:
        """Why `transform` writes some rows of a frame as it does, by the same steps.

        Args:
            frame: Rows as they were read.
            rows: 0-based positions in the frame.
            because: What chose each column's operator; `role` for a column that is not in it.

        Returns:
            By position, the cells that are not empty.

        Raises:
            ColumnError: See `transform`.
            DetectorError: See there.
        """
        leaves = frame.leaves()
        rules = {leaf.name: self._rule(leaf) for leaf in leaves}
        terms = row_terms(leaves, rules, self._known)
        context = self._context(frame.rows, leaves, rules)
        names = self._scan([leaf for leaf in leaves if self._searches(rules[leaf.name])], rows).names
        found: dict[int, list[ExplainedCell]] = {row: [] for row in rows}
        for leaf in leaves:
            rule = rules[leaf.name]
            operator = self._policy.column_operator(rule)
            why = because.get(leaf.name, "role")
            before = as_text(leaf.values)
            inside = self._searches(rule)
            whole = before
            if not inside and not isinstance(operator, (Drop, Keep)):
                whole = as_text(self._guarded(self._operator(operator, rule.entity).apply(leaf, context), before))
            for cell, text in enumerate(before.to_pylist()):
                row = row_of(leaf, cell)
                if row not in found or not text or text.isspace():
                    continue
                searched = inside and is_text(leaf.values.type)
                if searched:
                    told = self._explained(text, rule, why, row, terms, names.get(row, {}), context)
                    shown = self._guarded(pa.array([told.output]), pa.array([text]))[0].as_py()
                    told = told.model_copy(update={"output": shown})
                else:
                    told = Explanation(text=text, output=None if isinstance(operator, Drop) else whole[cell].as_py())
                found[row].append(
                    ExplainedCell(
                        **dict(told),
                        column=leaf.name,
                        role=rule.role or "other",
                        entity=rule.entity,
                        operator=operator.operator,
                        because=why,
                        searched=searched,
                    )
                )
        return found

    def output_of_nothing(self, frame: Frame) -> Frame:
        """`frame` (without rows) as it would come out: its schema is the output's."""
        changed: dict[str, pa.Array | None] = {}
        for leaf in frame.leaves():
            rule = self._rule(leaf)
            operator = self._policy.column_operator(rule)
            if isinstance(operator, Drop):
                changed[leaf.name] = None
            elif rule.role == "free_text" and not isinstance(operator, Keep):
                changed[leaf.name] = pa.array([], pa.string()) if is_text(leaf.values.type) else leaf.values
            elif not isinstance(operator, Keep):
                given = leaf.values.type
                changed[leaf.name] = pa.array([], self._operator(operator, rule.entity).output_type(given))
        return frame.rebuilt(changed) if changed else frame

    def _rule(self, leaf: Leaf) -> ColumnRule:
        rule = self._policy.columns.get(leaf.name)
        if rule is not None and rule.role is not None:
            self._watch(leaf, rule)
            return rule
        if rule is None and holds_identifier(leaf.name):
            raise ColumnError(
                "further down, the data has JSON keys that are e-mail addresses, telephone or social security numbers",
                hint='Turn keys into values first: {"key": …, "value": …}.',
            )
        # The sample did not show this column, or showed only empty cells: nobody has decided about it.
        if nonempty(leaf.values) == 0:
            return _KEPT
        if rule is None and self._policy.unknown == "drop":
            return ColumnRule(role="other", operator=Drop())
        if rule is None and self._policy.unknown == "refuse":
            raise ColumnError(
                f"column {leaf.name} stands in a later part of the data and the policy does not name it",
                columns=(leaf.name,),
                hint="Add it to the policy, or take it out with --drop.",
            )
        decision = decide_leaf(leaf.name, leaf.values)
        if decision.role != "other" or (self._policy.unknown == "refuse" and not decision.certain):
            holds = "something that is not recognised" if decision.role == "other" else decision.role.replace("_", " ")
            raise ColumnError(
                f"column {leaf.name} was empty or absent in the sample and holds {decision.entity or holds} further "
                "down",
                columns=(leaf.name,),
                hint=f"Decide about it: --drop {leaf.name}, --keep {leaf.name}, or --column {leaf.name}=OPERATOR.",
            )
        if is_text(leaf.values.type):
            # Texts that nobody has decided about are searched: whatever else one block would make of them, another
            # might not, and what becomes of a cell must not depend on which rows stand beside it.
            return _SEARCHED if self._policy.accept_free_text else _DROPPED
        return _KEPT

    def _watch(self, leaf: Leaf, rule: ColumnRule) -> None:
        if rule.role != "other" or not rule.watch:
            return
        if not isinstance(self._policy.column_operator(rule), Keep):
            return
        entity = identifier_in(leaf.values)
        if entity is not None:
            raise ColumnError(
                f"column {leaf.name} is kept, and further down it looks like {entity}",
                columns=(leaf.name,),
                hint=f"If it must go: --column {leaf.name}=pseudonym or --drop {leaf.name}. "
                f"If it may stay: --keep {leaf.name}.",
            )

    def _operator(self, spec: Operator, entity: str | None) -> ColumnOperator:
        known = self._operators.get((spec, entity))
        if known is None:
            known = self._operators[(spec, entity)] = build_operator(spec, entity=entity, key=self._key)
        return known

    def _context(self, rows: int, leaves: Sequence[Leaf], rules: Mapping[str, ColumnRule]) -> RowContext:
        names: dict[int, str] = {}
        for leaf in leaves if self._invents else ():
            rule = rules[leaf.name]
            if rule.role == "identifier" and rule.entity == "PERSON":
                for row, value in cells_of(leaf):
                    names[row] = f"{names[row]} {value}" if row in names else value
        return RowContext(
            leaves={leaf.name: leaf for leaf in leaves},
            rows=rows,
            row_keys=lambda: row_keys(rows, leaves),
            name_of_row=names,
        )

    def _searches(self, rule: ColumnRule) -> bool:
        """Whether a column's texts are searched, and written anew."""
        return rule.role == "free_text" and not isinstance(self._policy.column_operator(rule), (Drop, Keep))

    def _scan(self, leaves: Sequence[Leaf], rows: Collection[int] | None = None) -> _Scanned:
        """Searches the texts of columns, each distinct one once, and gathers what several texts of a row know.

        Args:
            leaves: The columns.
            rows: The rows whose texts are searched; all of them if None.
        """
        columns = [leaf for leaf in leaves if is_text(leaf.values.type)]
        cells = [
            (leaf, [text if rows is None or row_of(leaf, i) in rows else None for i, text in enumerate(texts)])
            for leaf in columns
            if (texts := leaf.values.to_pylist())
        ]
        distinct = [
            text for text in dict.fromkeys(text for _, texts in cells for text in texts) if text and not text.isspace()
        ]
        found = dict(zip(distinct, self._scanner.scan(distinct), strict=True))
        names: dict[int, dict[str, tuple[float, bool]]] = {}
        if len(columns) > 1 or any(leaf.rows is not None for leaf in columns):
            for leaf, texts in cells:
                for cell, text in enumerate(texts):
                    if text is not None and (findings := found.get(text)):
                        known = wanted_names(text, findings)
                        if known:
                            names.setdefault(row_of(leaf, cell), {}).update(known)
        return _Scanned(found, names)

    def _findings(
        self, leaf: Leaf, rule: ColumnRule, scanned: _Scanned, terms: RowTerms
    ) -> Iterable[tuple[int, list[Finding]]]:
        """Merged findings by cell, for cells that have any."""
        texts: list[str | None] = leaf.values.to_pylist() if is_text(leaf.values.type) else []
        for cell, text in enumerate(texts):
            if text is None or text not in scanned.found:
                continue
            found = scanned.found[text]
            row = row_of(leaf, cell)
            added = self._of_row(text, found, terms.of(row), scanned.names.get(row, {}))
            if added:
                found = [*found, *self._scanner.counted(text, added)]
            if found and (spans := self._spans(text, found, rule)):
                yield cell, spans

    def _of_row(self, text: str, found: Sequence[Finding], terms: Sequence[Term], names: Wanted) -> list[Finding]:
        """What a text's row adds to what was found in the text: its identifiers, and names in its other texts."""
        return [
            *(linked_findings(text, terms) if terms else ()),
            *(sought(text, names, found) if names else ()),
        ]

    def _spans(self, text: str, found: Sequence[Finding], rule: ColumnRule) -> list[Finding]:
        """Merged findings; those that are to be kept cover nothing that is not."""
        kept = {one.entity for one in found if self._keeps(one.entity, rule)}
        if not kept:
            return merged(text, found)
        spans = merged(text, [one for one in found if one.entity not in kept])
        apart = [
            one
            for one in merged(text, [one for one in found if one.entity in kept])
            if not any(one.start < span.end and span.start < one.end for span in spans)
        ]
        return sorted([*spans, *apart])

    def _keeps(self, entity: str, rule: ColumnRule) -> bool:
        return isinstance(self._policy.finding_operator(rule, entity), Keep)

    def _rewrite(
        self, leaf: Leaf, rule: ColumnRule, scanned: _Scanned, terms: RowTerms, context: RowContext, counts: Counts
    ) -> _Rewritten:
        if not is_text(leaf.values.type):
            return _Rewritten(leaf.values, {})
        counts.column(leaf.name).unread += _unread(leaf)
        texts = leaf.values.to_pylist()
        made: dict[int, tuple[tuple[int, int], ...]] = {}
        for cell, spans in self._findings(leaf, rule, scanned, terms):
            _count_findings(leaf.name, spans, counts)
            texts[cell], made[cell] = self._replaced(texts[cell], spans, rule, row_of(leaf, cell), context)
        return _Rewritten(pa.array(texts, pa.string()), made)

    def _replaced(
        self, text: str, spans: Sequence[Finding], rule: ColumnRule, row: int, context: RowContext
    ) -> tuple[str, tuple[tuple[int, int], ...]]:
        """`text` with each span written by its operator, and where these writings stand in the result."""
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        done = length = 0
        for span in spans:
            spec = self._inside(rule, span.entity)
            between, value = text[done : span.start], text[span.start : span.end]
            operator = self._operator(spec, span.entity)
            new = value if isinstance(spec, Keep) else operator.apply_text(value, row, context)
            pieces += (between, new)
            places.append((length + len(between), length + len(between) + len(new)))
            length = places[-1][1]
            done = span.end
        return "".join((*pieces, text[done:])), tuple(places)

    def _explained(
        self,
        text: str,
        rule: ColumnRule,
        because: Because,
        row: int,
        terms: RowTerms,
        names: Wanted,
        context: RowContext,
    ) -> Explanation:
        """The way of one text through `_findings`, `_spans` and `_replaced`, told."""
        heard = self._scanner.explain(text)
        added = self._scanner.added(text)
        counted = self._scanner.counted(text, [*heard.found, *added])
        added = [*added, *self._of_row(text, counted, terms.of(row), names)]
        spans = self._spans(text, self._scanner.counted(text, [*heard.found, *added]), rule)
        output, places = self._replaced(text, spans, rule, row, context)
        fates = Fates(
            text,
            heard,
            verdict=lambda finding: self._scanner.verdict(text, finding),
            threshold=self._policy.score_threshold,
            spans=spans,
            operator=lambda entity: self._policy.finding_operator(rule, entity),
        )
        return Explanation(
            text=text,
            output=output,
            findings=fates.of(added),
            replacements=tuple(
                Replacement(
                    start=span.start,
                    end=span.end,
                    text=text[span.start : span.end],
                    entity=span.entity,
                    recognizer=span.recognizer,
                    score=span.score,
                    operator=self._inside(rule, span.entity).operator,
                    because="entity" if span.entity in self._policy.entities else because,
                    output=output[start:end],
                )
                for span, (start, end) in zip(spans, places, strict=True)
            ),
        )

    def _inside(self, rule: ColumnRule, entity: str) -> Operator:
        """What is done with a finding inside a text, where only the finding can be left out."""
        spec = self._policy.finding_operator(rule, entity)
        return Redact() if isinstance(spec, Drop) else spec

    def _guarded(self, values: pa.Array, before: pa.Array) -> pa.Array:
        return guarded(values, before) if self._spreadsheet and is_text(values.type) else values

    def _settle(self, leaf: Leaf, values: pa.Array, changed: dict[str, pa.Array | None], counts: Counts) -> None:
        """Takes an operator's output in, counts what it changed, and disarms it for spreadsheets."""
        before = as_text(leaf.values)
        differs = pc.fill_null(pc.not_equal(as_text(values), before), False)
        gone = pc.and_(pc.is_valid(leaf.values), pc.is_null(values))
        counts.column(leaf.name).changed += pc.sum(pc.or_(differs, gone)).as_py() or 0
        changed[leaf.name] = self._guarded(values, before)

    def _count_cells(self, leaf: Leaf, rule: ColumnRule, counts: Counts) -> None:
        column = counts.column(leaf.name)
        if rule.role in ("identifier", "quasi") and rule.entity is not None:
            cells = nonempty(leaf.values)
            column.cells += cells
            if cells:
                column.entities[rule.entity] += cells


def _operators_of(policy: Policy) -> Iterable[Operator]:
    yield from policy.roles.values()
    yield from policy.entities.values()
    yield from (rule.operator for rule in policy.columns.values() if rule.operator is not None)


def _unread(leaf: Leaf) -> int:
    """Cells of a script that the detector does not read."""
    texts = Counter(leaf.values.to_pylist() if is_text(leaf.values.type) else ())
    return sum(count for text, count in texts.items() if text and is_unread(text))


def _count_findings(name: str, found: Sequence[Finding], counts: Counts) -> None:
    column = counts.column(name)
    column.cells += 1
    column.entities.update(finding.entity for finding in found)
