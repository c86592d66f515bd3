"""The files of a guided start: a dataset's description and a pipeline, with a word on each line for who reads them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import yaml

from privkit.model.amounts import spelled
from privkit.model.dataset import (
    Budget,
    CategoryColumn,
    Column,
    DatasetSpec,
    FloatColumn,
    PrivacyUnit,
)
from privkit.model.pipeline import About, DeidentifyStep, PipelineSpec, PipelineStatistic, ReleaseStep
from privkit.report.wording import shown

_COMMENT_AT = 34  # the column that comments start in, where the text before leaves room
_NULLS = ("null", "~")
_Line = tuple[str, str]  # text, comment

_ABOUT = {
    "title": "what to call it",
    "purpose": "why the data was collected and is shared",
    "intended_uses": "what the output is good for",
    "unsuitable_uses": "what it must not, or cannot sensibly, be used for",
    "collection": "how and from whom it was collected, and over which time",
    "contact": "whom to ask",
    "license": "under which terms the output is given",
    "rows": "how many rows or people, only where that is public already",
}
_MEASURES = {
    "zcdp": "releases cost ρ and the ρ add up; Gaussian noise",
    "pure": "releases cost ε and the ε add up; Laplace noise",
}


def dataset_yaml(spec: DatasetSpec, file: str) -> str:
    """A description with comments; reading it gives an equal record.

    Args:
        spec: What was declared.
        file: What the file is going to be called.
    """
    heading = (
        f"# What privkit may release about {shown(spec.name)}, and whom that protects. Everything here is public",
        "# and was declared by a person; nothing of it was taken from the rows. What it means, in words:",
        f"#   privkit dataset check {shown(file)}",
    )
    table = [(f"table: {_scalar(spec.table)}", "")] if spec.table else []
    lines: list[_Line] = [
        (f"name: {_scalar(spec.name)}", f"queries say: FROM {shown(spec.name)}"),
        (f"source: {_scalar(spec.source or '')}", ""),
        *table,
        (
            f"version: {_always_quoted(spec.version)}",
            "change it when the data changes: equal queries on it repeat free",
        ),
        *_unit_lines(spec.privacy_unit),
        *_budget_lines(spec.budget, spec.privacy_unit),
        (f"ledger: {_scalar(spec.ledger)}", "`privkit budget create` makes it, once; every release is written there"),
        ("columns:", "what may be asked about; add or delete lines at will"),
    ]
    return "\n".join((*heading, *_aligned(lines), *_column_lines(spec.columns), ""))


def pipeline_yaml(
    spec: PipelineSpec,
    file: str,
    *,
    budget: Budget,
    offered: DeidentifyStep | None = None,
    comparable: str | None = None,
) -> str:
    """A pipeline with comments; reading it gives an equal record.

    Args:
        spec: What is to be done.
        file: What the file is going to be called.
        budget: The dataset's, which the release step takes a part of.
        offered: A step that stands there as comments, to be taken in by whoever wants it.
        comparable: A column whose groups the card could compare; a comment where `fairness` says none.
    """
    heading = (
        "# How the dataset is shared: what one command does, step by step.",
        f"#   privkit run {shown(file)} --dry-run     cost and accuracy of everything; spends nothing",
        f"#   privkit run {shown(file)}               asks once, then does it",
    )
    parts = [*_aligned([(f"dataset: {_scalar(spec.dataset)}", "whom it protects, and the budget")])]
    parts += _aligned(_about_lines(spec.about))
    parts += ["steps:", *_offer_lines(offered)]
    for step in spec.steps:
        if step.deidentify is not None:
            parts += _deidentify_lines(step.deidentify)
        if step.release is not None:
            parts += _release_lines(step.release, budget)
    parts += _aligned(_closing_lines(spec, comparable))
    return "\n".join((*heading, *parts, ""))


# ---- the description


def _unit_lines(unit: PrivacyUnit) -> Iterator[_Line]:
    yield "privacy_unit:", "whom the promise protects"
    if unit.row:
        yield "  row: true", "every row is another person; of a person with more, only each row by itself is protected"
    else:
        name = shown(unit.name)
        yield f"  column: {_scalar(unit.name)}", f"whoever stands behind one {name}, with all their rows"
        yield f"  max_groups: {unit.max_groups}", "groups of one query that one of them can count in; enforced"
        yield f"  max_rows_per_group: {unit.max_rows_per_group}", "rows of one of them that count in a group; enforced"
    if unit.max_units is not None:
        yield f"  max_units: {unit.max_units}", "no more of them than this, whatever the file holds"


def _budget_lines(budget: Budget, unit: PrivacyUnit) -> Iterator[_Line]:
    factor = math.exp(min(float(budget.epsilon), 700.0))
    yield "budget:", "for all releases together, by everyone and for ever"
    yield (
        f"  epsilon: {_amount(budget.epsilon)}",
        f"the odds that one person is in the data change by a factor of at most {factor:,.3g}",
    )
    if budget.delta:
        yield f"  delta: {_amount(budget.delta)}", f"but for this allowance; it must be far below 1/{_units(unit)}"
    yield f"  measure: {budget.measure}", _MEASURES[budget.measure]
    if budget.threshold_delta:
        yield f"  threshold_delta: {_amount(budget.threshold_delta)}", "the part of delta for groups with private names"


def _units(unit: PrivacyUnit) -> str:
    return f"{unit.highest_delta.denominator:,}"


def _column_lines(columns: Mapping[str, Column]) -> Iterator[str]:
    width = max(len(_scalar(name)) for name in columns) + 1
    for name, column in columns.items():
        text = f"  {_scalar(name) + ':':<{width}} {_flow(_plain_column(column))}"
        yield _commented(text, _column_comment(column), 0)


def _column_comment(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        return "" if column.categories is not None else "private: shown only where enough people are, if at all"
    if getattr(column, "bounds", ()) is None:
        return "without bounds: it can be counted and compared, not summed"
    if isinstance(column, FloatColumn) and column.granularity is None:
        return "in 4,096 steps; `granularity: 0.1` takes others"
    return ""


def _plain_column(column: Column) -> dict[str, Any]:
    """The column as a person writes it: type first, `from` last, what is at its default left out."""
    held = column.model_dump(mode="json", by_alias=True, exclude_none=True)
    renamed = {"from": held.pop("from")} if "from" in held else {}
    return {"type": held.pop("type"), **held, **renamed}


# ---- the pipeline


def _about_lines(about: About) -> Iterator[_Line]:
    yield "about:", "what only a person can say; the card shows it, or `not stated`"
    for name, comment in _ABOUT.items():
        text: str | None = getattr(about, name)
        yield (f"  {name}: {_scalar(text)}", "") if text else (f"  {name}:", comment)


def _offer_lines(offered: DeidentifyStep | None) -> Iterator[str]:
    if offered is None:
        return
    yield "# A de-identified copy of the rows has no ε: it is a disclosure of its own kind, and every card says so."
    yield "# Whoever decides that it may leave deletes the `#` of these lines" + (
        f", after: privkit key new {shown(offered.key)}" if offered.key else ""
    )
    for line in _deidentify_lines(offered):
        yield f"# {line}"


def _deidentify_lines(step: DeidentifyStep) -> Iterator[str]:
    lines: list[_Line] = [
        ("- deidentify:", "a copy of the rows in which nobody is named; rows have no ε, the card says so"),
        (f"    output: {_scalar(step.output)}", ""),
        (f"    policy: {_scalar(step.policy)}", f"`privkit policy show {shown(step.policy)}` prints what it does"),
    ]
    if step.key is not None:
        lines.append((f"    key: {_scalar(step.key)}", "whoever holds it can turn pseudonyms back: never give it away"))
    if step.detector is not None:
        lines.append((f"    detector: {step.detector}", "what looks for names in the texts"))
    if step.columns:
        lines.append(("    columns:", "decided by a person; other columns follow the policy"))
    yield from _aligned(lines)
    for name, operator in step.columns.items():
        parameters = operator.model_dump(mode="json", exclude_defaults=True)
        yield f"      {_scalar(name)}: {_flow({'operator': operator.operator} | parameters)}"


def _release_lines(step: ReleaseStep, budget: Budget) -> Iterator[str]:
    yield from _aligned(
        (
            ("- release:", "numbers with noise that hides whether any one person is in the data"),
            (f"    output: {_scalar(step.output)}", ""),
            (
                f"    total_epsilon: {_amount(step.total_epsilon)}",
                f"for the whole step; the budget has {_amount(budget.epsilon)}",
            ),
            ("    statistics:", "what accuracies leave is divided by the weights"),
        )
    )
    for statistic in step.statistics:
        yield f"    - sql: {_scalar(statistic.sql)}"
        yield from _aligned(_price_lines(statistic))


def _price_lines(statistic: PipelineStatistic) -> Iterator[_Line]:
    if statistic.weight is not None:
        yield f"      weight: {_amount(statistic.weight)}", ""
    if statistic.accuracy is not None:
        yield f"      accuracy: {statistic.accuracy:g}", "half the width of its interval, at the most"
    if statistic.hold:
        yield "      hold: true", "keep that, whatever the others get"
    if statistic.assume_units is not None:
        yield f"      assume_units: {statistic.assume_units}", "people in a group, for planning"


def _closing_lines(spec: PipelineSpec, comparable: str | None) -> Iterator[_Line]:
    if spec.fairness:
        names = ", ".join(_scalar(name) for name in spec.fairness)
        yield f"fairness: [{names}]", "the card compares how exact the numbers of these groups are"
    elif comparable is not None:
        comment = "the card compares its groups; needs: pip install 'privkit-toolkit[fairness]'"
        yield f"# fairness: [{_scalar(comparable)}]", comment
    yield f"card: {_scalar(spec.card)}", "what is published beside it; written as .json, .html and .md"
    if spec.sign is not None:
        yield f"sign: {_scalar(spec.sign)}", "signs the card"
    else:
        yield "# sign: org.identity", "signs the card; `privkit identity new org.identity` makes one"


# ---- YAML


def _aligned(lines: Sequence[_Line] | Iterator[_Line]) -> Iterator[str]:
    for text, comment in lines:
        yield _commented(text, comment, _COMMENT_AT)


def _commented(text: str, comment: str, at: int) -> str:
    return f"{text:<{at}}  # {comment}" if comment else text


def _amount(value: Decimal) -> str:
    """Exact, and short where it is small: 1e-6."""
    return f"{value.normalize():e}" if value > 0 and value.adjusted() < -3 else spelled(value)


def _flow(value: Any) -> str:
    """One line of YAML; texts are quoted where they need it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _scalar(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _scalar(text: str) -> str:
    """A text that privkit's YAML reads back as it is, also within braces; plain where that is safe."""
    letters = "".join(c for c in text if c not in " _-./=<>()*")
    begins = text[:1].isalnum() or text[:1] == "_" or (text[:1] in "-." and text[1:2].isdigit())
    plain = begins and text == text.strip() and text.isprintable() and text.casefold() not in _NULLS
    if plain and all(c.isalnum() or c == "," for c in letters) and (("," not in text) or text.startswith("SELECT ")):
        return text
    if '"' in text and text.isprintable():  # SQL's own quotes
        return "'" + text.replace("'", "''") + "'"
    return _always_quoted(text)


def _always_quoted(text: str) -> str:
    written: str = yaml.dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return written.rstrip("\n")
