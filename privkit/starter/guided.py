"""From what a person declared to the two files that say it, and the budget."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privkit.budget import open_ledger
from privkit.dataset import Dataset, dataset_name
from privkit.dp.reading import can_name_units
from privkit.dp.sources import declared_as, open_table, schema_of
from privkit.errors import LedgerError, UsageError
from privkit.model.amounts import spelled
from privkit.model.dataset import EPSILON_CAP, Budget, Column, DatasetSpec, PrivacyUnit
from privkit.model.operators import Pseudonym
from privkit.model.pipeline import DeidentifyStep, PipelineSpec, ReleaseStep, Step
from privkit.model.release import BudgetStanding
from privkit.report.start_files import dataset_yaml, pipeline_yaml
from privkit.starter.placing import Placing, check_places
from privkit.starter.suggestions import compared_groups, first_group, first_statistics, names_person

OUTPUTS = "out"
DESCRIBED = "whom it protects, what may be asked about, what may be spent"
ORDERED = "what is shared, step by step, and the card beside it"
CREATED = "the budget, and from now on what was spent of it"
_ROWS = (".csv", ".tsv", ".parquet")  # that a de-identified copy can be made of, under the same ending
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True)
class Headers:
    """What a source says before a row is read.

    Attributes:
        types: By column: integer, float, boolean, date or category, as its type suggests.
        typed: Whether the types mean anything: a text file has none, and all are drafted as categories.
        units: Columns whose type can name a person.
    """

    types: Mapping[str, str]
    typed: bool
    units: frozenset[str]


@dataclass(frozen=True)
class Started:
    """What a guided start made.

    Attributes:
        spec: The description.
        steps: The pipeline.
        dataset: The description's file.
        pipeline: The pipeline's file.
        files: All files of it, the two included, and what each is.
        budget: How the budget stands; None where it was not created.
    """

    spec: DatasetSpec
    steps: PipelineSpec
    dataset: Path
    pipeline: Path
    files: Mapping[Path, str]
    budget: BudgetStanding | None


def read_headers(source: str, table: str | None = None) -> Headers:
    """A source's column names and types; no row is read.

    Args:
        source: File, glob or Ibis URL.
        table: The table, where the source is a database.

    Raises:
        DatasetError: The source is missing, cannot be opened, or names two columns alike.
        MissingExtraError: The backend of the source's URL is not installed.
    """
    types = schema_of(source, Path.cwd(), table)
    typed = "://" in source or source.lower().endswith((".parquet", ".pq"))
    return Headers(
        types={name: declared_as(kind) for name, kind in types.items()},
        typed=typed,
        units=frozenset(name for name, kind in types.items() if can_name_units(kind)),
    )


def start(
    source: str | os.PathLike[str],
    *,
    unit: PrivacyUnit,
    columns: Mapping[str, Column],
    budget: Budget,
    name: str | None = None,
    version: str = "1",
    table: str | None = None,
    folder: str | os.PathLike[str] = ".",
    force: bool = False,
    open_budget: bool = False,
) -> Started:
    """Writes NAME.dataset.yaml and NAME.pipeline.yaml; of the source only names and types are read.

    Args:
        source: File, glob or Ibis URL; relative paths start from the working folder.
        unit: Whom the promise protects.
        columns: What may be asked about, by the names that queries call them.
        budget: What may be spent.
        name: What queries call the dataset; from the table's or the file's name by default.
        version: The owner's label for this state of the data.
        table: The table, where the source is a database.
        folder: Where the files go; it is made if it is missing.
        force: Whether files that exist may be replaced. A ledger never is.
        open_budget: Whether to create the budget too, which is fixed for ever.

    Raises:
        DatasetError: The declarations do not hold together, do not fit the source, or disagree with a budget that
            exists.
        LedgerError: The budget is to be created and exists.
        OutputError: A file exists and `force` is not given, or a place cannot be written. Nothing is left then.
        UsageError: The budget is to be created, and is so large that it needs a reason.
    """
    text, place = os.fspath(source), Path(folder)
    chosen = name or dataset_name(table or text)
    described = Dataset(
        _seen_from(text, place),
        name=chosen,
        unit=unit.model_dump(exclude_none=True),
        columns={called: column.model_dump(by_alias=True, exclude_none=True) for called, column in columns.items()},
        budget=budget.model_dump(),
        version=version,
        table=table,
    )
    described.folder = place.absolute()
    dataset, pipeline = check_named_places(chosen, place, force=force)
    _check_budget(described, dataset, open_budget)
    steps = _first_steps(described.spec, dataset)
    texts = {
        dataset: dataset_yaml(described.spec, dataset.name),
        pipeline: pipeline_yaml(
            steps,
            pipeline.name,
            budget=budget,
            offered=_offered(described.spec, place, chosen),
            comparable=first_group(described.spec),
        ),
    }
    with Placing() as placing:
        placing.folder(place)
        with open_table(described.spec, described.folder):  # checks names and types; rows are read by nobody
            pass
        standing = placing.ledger(described) if open_budget else None
        placing.texts(texts)
    files = {dataset: DESCRIBED, pipeline: ORDERED} | ({place / described.spec.ledger: CREATED} if open_budget else {})
    return Started(described.spec, steps, dataset, pipeline, files, standing)


def check_named_places(name: str, folder: Path, *, force: bool) -> tuple[Path, Path]:
    """Where a dataset's description and pipeline go.

    Raises:
        OutputError: One exists and `force` is not given, or cannot be written.
    """
    dataset, pipeline = folder / f"{name}.dataset.yaml", folder / f"{name}.pipeline.yaml"
    check_places({dataset: "the description", pipeline: "the pipeline"}, folder, force=force)
    return dataset, pipeline


def _seen_from(source: str, folder: Path) -> str:
    """A source's relative path, from the folder that the description will lie in."""
    scheme, mark, rest = source.rpartition("://")
    if (mark and scheme != "duckdb") or Path(rest).is_absolute():
        return source
    return scheme + mark + Path(os.path.relpath(rest, folder)).as_posix()


def _check_budget(dataset: Dataset, file: Path, wanted: bool) -> None:
    """A budget that exists must be the declared one, and one that needs a reason is created by itself."""
    if os.path.lexists(dataset.ledger_path):
        if wanted:
            raise LedgerError(
                f"{dataset.spec.ledger} exists: a budget is created once",
                hint="Leave --create-budget out to keep it, or give the dataset another --name.",
            )
        open_ledger(dataset, read_only=True).close()
    elif wanted and dataset.spec.budget.epsilon > EPSILON_CAP:
        raise UsageError(
            f"epsilon {spelled(dataset.spec.budget.epsilon)} is above {EPSILON_CAP}: its budget needs a reason",
            hint=f"Leave --create-budget out; then: privkit budget create {file} --accept-high-loss REASON",
        )


def _first_steps(spec: DatasetSpec, file: Path) -> PipelineSpec:
    group = first_group(spec)
    release = ReleaseStep(
        output=f"{OUTPUTS}/stats.json",
        total_epsilon=spec.budget.epsilon / 2,
        statistics=tuple(first_statistics(spec)),
    )
    return PipelineSpec(
        dataset=file.name,
        steps=(Step(release=release),),
        fairness=compared_groups(group),
        card=f"{OUTPUTS}/card.html",
    )


def _offered(spec: DatasetSpec, folder: Path, name: str) -> DeidentifyStep | None:
    """A copy of the rows, where the source is one file that a copy can be made of."""
    source = spec.source or ""
    plain = source.lower()
    compression = next((ending for ending in _COMPRESSED if plain.endswith(ending)), "")
    ending = next((one for one in _ROWS if plain.removesuffix(compression).endswith(one)), None)
    if ending is None or not (folder / source).is_file():
        return None
    columns: Mapping[str, Any] = {}
    if spec.privacy_unit.column is not None and names_person(spec.privacy_unit.column):
        columns = {spec.privacy_unit.column: Pseudonym()}
    return DeidentifyStep(
        output=f"{OUTPUTS}/{name}{ending}{compression}", policy="pseudonymize", key=f"{name}.key", columns=columns
    )
