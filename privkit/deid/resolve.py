"""From a policy, what the sample showed and what the user said, to a rule for every column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from privkit.deid.columns import Decision, hint_of
from privkit.errors import ColumnError, UsageError
from privkit.model.operators import DateShift, Drop, Generalize, Keep, KeyedHash, Operator, Pseudonym, Surrogate
from privkit.model.policy import ColumnRule, DetectorName, Policy
from privkit.model.report import DecidedColumn

FREE_TEXT = "free_text"
_MAKES_IDENTIFIERS = (Pseudonym, KeyedHash, Surrogate)


def resolve(
    policy: Policy,
    decisions: Sequence[Decision],
    *,
    detector: DetectorName,
    columns: Mapping[str, Operator | str],
    drop: Collection[str],
    keep: Collection[str],
) -> tuple[Policy, tuple[DecidedColumn, ...]]:
    """The policy with a rule for each decided column, and the same as a table.

    What the user said for this run comes first, then the policy's own `columns`, then the decision.

    Args:
        policy: As loaded.
        decisions: What the sample showed, one for each column.
        detector: The detector that is in use; the resolved policy names it.
        columns: Operators for whole columns; the text "free_text" for a column that is to be searched inside.
        drop: Columns to leave out.
        keep: Columns to keep as they are, even if they look like identifiers.

    Raises:
        ColumnError: An option names a column that is not there; under `unknown: refuse`, nobody decided about one; or
            the policy keeps one whose cells are plainly identifiers.
        UsageError: A column is named by more than one option.
    """
    _check_names([d.name for d in decisions], columns, drop, keep)
    rules: dict[str, ColumnRule] = {}
    undecided: list[str] = []
    changed: dict[str, str] = {}
    for decision in decisions:
        name = decision.name
        rule = policy.columns.get(name)
        spoken_for = name in columns or name in drop or name in keep
        if rule is not None and not spoken_for and _contradicts(policy, rule, decision):
            changed[name] = decision.entity or "identifiers"
        if rule is None and not spoken_for:
            # A policy with columns was decided by somebody: what it does not name is unknown. One without leaves the
            # decision to the sample, and unknown is what the sample could not recognise.
            unknown = bool(policy.columns) or not decision.certain
            if unknown and policy.unknown == "refuse":
                undecided.append(name)
            elif policy.columns and policy.unknown == "drop":
                rule = ColumnRule(role=decision.role, entity=decision.entity, operator=Drop())
        rules[name] = _with_user(_completed(rule, decision), decision, columns.get(name), name in drop, name in keep)
    if changed:
        raise ColumnError(
            f"policy {policy.name} keeps columns that hold something else now: "
            + ", ".join(f"{name} ({entity})" for name, entity in changed.items()),
            columns=tuple(changed),
            hint="If they must go: --drop COL or --column COL=pseudonym. If they may stay: --keep COL, or "
            "`watch: false` in the policy.",
        )
    if undecided:
        raise ColumnError(
            f"policy {policy.name} refuses columns that nobody has decided about: {', '.join(undecided)}",
            columns=tuple(undecided),
            hint="Look at each and say --keep COL, --drop COL or --column COL=OPERATOR; "
            "--save-policy writes the decision down.",
        )
    resolved = policy.model_copy(update={"columns": rules, "detector": detector})
    final = {decision.name: _final(resolved, rules[decision.name], decision) for decision in decisions}
    resolved = resolved.model_copy(update={"columns": final})
    return resolved, tuple(_row(resolved, decision, final[decision.name]) for decision in decisions)


def _contradicts(policy: Policy, rule: ColumnRule, decision: Decision) -> bool:
    """Whether a column that the policy keeps, and watches, holds identifiers by its values, whatever it is called."""
    kept = rule.role == "other" and rule.watch and isinstance(policy.column_operator(rule), Keep)
    # Near-unique codes may be anything: somebody who keeps them has looked.
    plain = decision.role == "identifier" and decision.evidence.startswith("values: ")
    return kept and plain and (decision.entity != "ID" or decision.evidence.endswith("copies of the row's identifiers"))


def _check_names(
    known: Sequence[str], columns: Mapping[str, Operator | str], drop: Collection[str], keep: Collection[str]
) -> None:
    missing = [name for name in (*columns, *drop, *keep) if name not in known]
    if missing:
        raise ColumnError(
            f"no such column: {', '.join(dict.fromkeys(missing))}",
            columns=tuple(missing),
            hint=f"The columns are: {', '.join(known)}.",
        )
    named = [*columns, *drop, *keep]
    doubled = sorted({name for name in named if named.count(name) > 1})
    if doubled:
        raise UsageError(f"named by more than one of --column, --drop and --keep: {', '.join(doubled)}")


def _completed(rule: ColumnRule | None, decision: Decision) -> ColumnRule:
    """The policy's rule with the decision where it is silent."""
    if rule is None:
        role = None if decision.evidence == "empty" else decision.role
        return ColumnRule(role=role, entity=decision.entity)
    if rule.role is None and decision.evidence != "empty":
        return rule.model_copy(update={"role": decision.role, "entity": rule.entity or decision.entity})
    return rule


def _with_user(
    rule: ColumnRule, decision: Decision, operator: Operator | str | None, dropped: bool, kept: bool
) -> ColumnRule:
    role = rule.role or decision.role
    if dropped:
        return rule.model_copy(update={"role": role, "operator": Drop()})
    if kept:
        return rule.model_copy(update={"role": role, "operator": Keep(), "watch": False})
    if operator is None:
        return rule
    if isinstance(operator, str):
        return ColumnRule(role="free_text", operator=rule.operator if rule.role == "free_text" else None)
    if isinstance(operator, _MAKES_IDENTIFIERS):
        hint = hint_of(decision.name)
        promised = hint.entity if hint is not None and hint.role == "identifier" else None
        entity = rule.entity or decision.entity or promised or "ID"
        return ColumnRule(role="quasi" if role == "quasi" else "identifier", entity=entity, operator=operator)
    if role == "free_text":
        role = "other"  # the whole cell, not the findings inside
    return ColumnRule(role=role, entity=rule.entity or decision.entity, operator=operator, watch=False)


def _final(policy: Policy, rule: ColumnRule, decision: Decision) -> ColumnRule:
    """The rule with its operator written out, so that the decision can be read, kept and run again."""
    if rule.role is None:
        return rule
    if rule.role == "free_text":
        if not policy.accept_free_text and not isinstance(rule.operator, Keep):
            return rule.model_copy(update={"operator": Drop()})
        return rule.model_copy(update={"operator": rule.operator or policy.roles["free_text"]})
    operator = policy.column_operator(rule)
    if isinstance(operator, (DateShift, Generalize)) and operator.format is None and decision.format is not None:
        operator = operator.model_copy(update={"format": decision.format})
    return rule.model_copy(update={"operator": operator})


def _row(policy: Policy, decision: Decision, rule: ColumnRule) -> DecidedColumn:
    operator = policy.column_operator(rule)
    return DecidedColumn(
        name=decision.name,
        role=rule.role or decision.role,
        entity=rule.entity,
        operator=operator.operator,
        share=decision.share,
        evidence=decision.evidence,
        warnings=(*decision.warnings, *_unexplained(decision, rule, operator)),
    )


def _unexplained(decision: Decision, rule: ColumnRule, operator: Operator) -> tuple[str, ...]:
    """A warning where texts are kept only because nothing in them was recognised, and nobody said so."""
    kept = rule.watch and rule.role == "other" and isinstance(operator, Keep)
    if not kept or decision.certain or decision.warnings or decision.evidence == "empty":
        return ()
    return ("kept, because nothing in it was recognised: look at it",)
