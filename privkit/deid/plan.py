"""What a run will do, decided before it does anything: roles and rules from a sample, schemas, names to look for."""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from privkit.deid.columns import Decision, decide, holds_identifier
from privkit.deid.findings import Detector
from privkit.deid.mentions import with_mentions
from privkit.deid.resolve import resolve
from privkit.deid.rows import cells_of
from privkit.deid.work import Job, KnownFile, detector_of
from privkit.errors import ColumnError, InputError
from privkit.io.blocks import Block, batch_to_ipc
from privkit.io.frames import ArrowFrame, Frame, RecordFrame
from privkit.io.frames import output_schema as schema_with
from privkit.io.parquet import ORIGINAL_TYPE
from privkit.io.sources import Source, open_source
from privkit.keys.keyfile import Key
from privkit.model.operators import Drop, Keep, Operator, Pseudonym
from privkit.model.policy import ColumnRule, Policy
from privkit.model.report import DecidedColumn

_SAMPLED_NEEDLES = 500


@dataclass(frozen=True)
class Known:
    """Names that stand in another file: `column` of the file at `path`, joined by the column `on` of both."""

    path: str | Path
    column: str
    on: str


@dataclass(frozen=True)
class Plan:
    """A source that was looked at: the resolved policy and what it was resolved from."""

    policy: Policy
    decisions: tuple[DecidedColumn, ...]
    sample: tuple[Frame, ...]
    detector: Detector


def make_plan(
    source: Source, policy: Policy, columns: Mapping[str, Operator | str], drop: Collection[str], keep: Collection[str]
) -> Plan:
    """Looks at a sample of `source` and decides about each column.

    Raises:
        ColumnError: An option names a column that is not there, or nobody has decided about one.
        DetectorError: The policy's detector is missing or its weights were altered.
        InputError: The source cannot be read.
    """
    detector = detector_of(policy)
    sample = source.sample()
    if source.format == "txt":
        decisions: tuple[Decision, ...] = (_whole_text(),)
    else:
        decisions = decide(sample, detector) if sample else _by_name_only(source, detector)
        _check_keys([one.name for one in decisions], {*policy.columns, *columns, *drop, *keep})
        decisions = with_mentions(decisions, sample)
    resolved, rows = resolve(policy, decisions, detector=detector.name, columns=columns, drop=drop, keep=keep)
    return Plan(resolved, rows, sample, detector)


def _check_keys(names: Sequence[str], decided: Collection[str]) -> None:
    """Refuses data whose column names or JSON keys are e-mail addresses or the like: no operator changes names."""
    holding = sum(1 for name in names if name not in decided and holds_identifier(name))
    if holding:
        raise ColumnError(  # it must not name them
            f"{holding} of the data's column names or JSON keys hold an e-mail address, a telephone or a social "
            "security number, and would be written as they are",
            hint='Turn keys into values first: {"key": …, "value": …}; or name such a column in --keep or --drop.',
        )


def _whole_text() -> Decision:
    return Decision(name="text", role="free_text", entity=None, share=1.0, evidence="a text file")


def _by_name_only(source: Source, detector: Detector) -> tuple[Decision, ...]:
    """A header without rows still has names to go by."""
    schema = source.schema()
    if schema is None:
        return ()
    return decide((ArrowFrame(_no_rows(schema)),), detector)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def unwatched(policy: Policy) -> Policy:
    """The policy with no column watched: for a scan, which counts and keeps nothing."""
    rules = {name: rule.model_copy(update={"watch": False}) for name, rule in policy.columns.items()}
    return policy.model_copy(update={"columns": rules})


def known_files(known: Sequence[Known], encoding: str, max_expansion: float) -> tuple[KnownFile, ...]:
    """The names that `known` points to, read whole: by the text of the key column.

    Raises:
        InputError: A file cannot be read.
        ColumnError: It has not the columns that were named.
    """
    files = []
    for one in known:
        source = open_source(one.path, encoding=encoding, max_expansion=max_expansion)
        names: dict[str, set[str]] = {}
        for part in range(len(source.parts)):
            for block in source.blocks(part):
                leaves = {leaf.name: leaf for leaf in block.frame().leaves()}
                missing = [name for name in (one.column, one.on) if name not in leaves]
                if missing:
                    raise ColumnError(
                        f"{one.path}: no column {missing[0]}",
                        columns=tuple(missing),
                        hint=f"Its columns are: {', '.join(leaves)}.",
                    )
                keys = dict(cells_of(leaves[one.on]))
                for row, name in cells_of(leaves[one.column]):
                    if row in keys:
                        names.setdefault(keys[row].strip(), set()).add(name.strip())
        files.append(KnownFile(on=one.on, names={key: tuple(sorted(found)) for key, found in names.items()}))
    return tuple(files)


def needles(plan: Plan, key: Key) -> tuple[tuple[str, str], ...]:
    """A keyed sample of the identifiers seen, long enough not to stand in texts by chance."""
    secret = key.derive("privkit residual sample")
    found: set[tuple[str, str]] = set()
    for frame in plan.sample:
        for leaf in frame.leaves():
            rule = plan.policy.columns.get(leaf.name)
            if rule is None or rule.role != "identifier" or rule.entity is None or isinstance(rule.operator, Keep):
                continue
            for _, value in cells_of(leaf):
                text = value.strip()
                if len(text) >= 6 and (rule.entity != "PERSON" or " " in text):
                    found.add((text, rule.entity))
    ranked = sorted(found, key=lambda pair: hmac.digest(secret, "\0".join(pair).encode(), "sha256"))
    return tuple(ranked[:_SAMPLED_NEEDLES])


def output_schema(source: Source, plan: Plan, job: Job, *, table: bool) -> pa.Schema | None:
    """The output's columns and types; None for JSON records that stay such.

    Args:
        source: The input.
        plan: What was decided about it.
        job: What the workers will do.
        table: Whether the output is a table (CSV, TSV, Parquet), so that JSON records must be laid out in columns.

    Raises:
        InputError: JSON records that do not fit a table.
    """
    schema = source.schema()
    if schema is None:
        return _schema_of_records(source, plan) if table else None
    nothing = Block(0, 0, 0, 0, "arrow", batch_to_ipc(_no_rows(schema)))
    frame = job.transformer().output_of_nothing(job.prepared()(nothing))
    assert isinstance(frame, ArrowFrame)
    return _with_original_types(frame.batch.schema, schema, plan.policy)


def _schema_of_records(source: Source, plan: Plan) -> pa.Schema:
    hint = "Write .jsonl, which holds any record."
    kinds: dict[str, set[type]] = {}
    for frame in plan.sample:
        assert isinstance(frame, RecordFrame)
        for record in frame.records:
            for name, value in record.items():
                if isinstance(value, (dict, list)):
                    raise InputError(f"{source.description}: {name} is nested, a table cannot hold it", hint=hint)
                kinds.setdefault(name, set()).update({type(value)} - {type(None)})
    fields = []
    for name, found in kinds.items():
        rule = plan.policy.columns.get(name) or ColumnRule(role="other")
        operator = plan.policy.column_operator(rule)
        if isinstance(operator, Drop):
            continue
        if found <= {str} or not (isinstance(operator, Keep) or rule.role == "free_text"):
            kind = pa.string()
        elif found in ({int}, {float}, {int, float}):
            kind = pa.float64() if float in found else pa.int64()
        elif found == {bool}:
            kind = pa.bool_()
        else:
            raise InputError(f"{source.description}: {name} holds texts and numbers, a table cannot hold it", hint=hint)
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _with_original_types(output: pa.Schema, given: pa.Schema, policy: Policy) -> pa.Schema:
    """The output's columns, each with a note of the types that its pseudonymised leaves had."""
    before = _leaf_types(given)
    changed: dict[str, list[pa.Field]] = {}
    for name, kind in _leaf_types(output).items():
        rule = policy.columns.get(name)
        if rule is not None and isinstance(policy.column_operator(rule), Pseudonym) and before.get(name, kind) != kind:
            changed.setdefault(_column_of(name, output), []).append(pa.field(name, before[name]))
    fields = []
    for field in output:
        if field.name in changed:
            packed = base64.b64encode(pa.schema(changed[field.name]).serialize().to_pybytes())
            field = field.with_metadata({ORIGINAL_TYPE: packed})
        fields.append(field)
    return pa.schema(fields, metadata=output.metadata)


def _leaf_types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {leaf.name: leaf.values.type for leaf in ArrowFrame(_no_rows(schema)).leaves()}


def _column_of(leaf: str, schema: pa.Schema) -> str:
    """The column that a leaf stands in: a column's own name may hold the dots and brackets of paths."""
    return str(max((name for name in schema.names if leaf.startswith(name)), key=len))


def restored_types(schema: pa.Schema) -> dict[str, pa.DataType]:
    """By leaf, the types that columns had before they held tokens (Parquet remembers)."""
    found: dict[str, pa.DataType] = {}
    for field in schema:
        packed = (field.metadata or {}).get(ORIGINAL_TYPE)
        if packed is not None:
            # Somebody may have written the file anew: what is not understood is no type, and the cells stay texts.
            with contextlib.suppress(ValueError, pa.ArrowInvalid, OSError):
                found |= {one.name: one.type for one in pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))}
    known = _leaf_types(schema)
    return {name: kind for name, kind in found.items() if name in known}


def restored_schema(source: Source) -> pa.Schema | None:
    """The output's columns: what had another type before it held tokens gets it back, and no note of it."""
    schema = source.schema()
    if schema is None:
        return None
    restored = schema_with(schema, restored_types(schema))
    return pa.schema([field.remove_metadata() for field in restored], metadata=schema.metadata)
