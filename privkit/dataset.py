"""A door: a dataset with its description, and the draft of one.

A `Dataset` is data and what a person declared about it. Opening it reads nothing; a release reads what its query needs.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from privkit.errors import DatasetError, UsageError
from privkit.model.dataset import NAME, Budget, Column, DatasetSpec, PrivacyUnit
from privkit.model.misfits import first_misfit
from privkit.model.yamlfile import read_yaml

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from pyspark.sql import DataFrame as SparkFrame


class Dataset:
    """Data and its description.

    Attributes:
        spec: What was declared.
        folder: What relative paths in the description start from.
        frame: The data, where it is a DataFrame or an Ibis table.
    """

    spec: DatasetSpec
    folder: Path
    frame: object

    def __init__(
        self,
        data: pd.DataFrame | ir.Table | SparkFrame | str | os.PathLike[str],
        *,
        name: str,
        unit: PrivacyUnit | Mapping[str, Any] | str,
        columns: Mapping[str, Column | Mapping[str, Any]],
        budget: Budget | Mapping[str, Any],
        ledger: str | os.PathLike[str] | None = None,
        version: str = "1",
        table: str | None = None,
        engine: str = "duckdb",
        master: str | None = None,
        accept_untested_engine: bool = False,
    ) -> None:
        """Describes data in Python; `Dataset.load` reads the same from a file.

        Args:
            data: A pandas DataFrame, or a file, folder, glob or Ibis URL; or a Spark DataFrame, or an Ibis table, whose
                connection stays open and yours.
            name: What queries call it after FROM.
            unit: The privacy unit: `{"column": …, "max_groups": …, "max_rows_per_group": …, "max_units": …}`, or "row".
            columns: By name, e.g. `{"age": {"type": "integer", "bounds": (0, 110)}}`.
            budget: E.g. `{"epsilon": 3, "delta": "1e-6", "measure": "zcdp"}`.
            ledger: The ledger's file; `NAME.ledger.sqlite3` in the working folder by default.
            version: The owner's label; equal queries on an equal label repeat free. Change it when the data changes.
            table: The table, where `data` is a database.
            engine: What reads files: "duckdb", or "spark" (Parquet only).
            master: Where Spark runs; this machine by default.
            accept_untested_engine: Whether the data may be in BigQuery, Snowflake or Trino, where no test has run.

        Raises:
            DatasetError: The description does not hold together.
        """
        if not isinstance(data, (str, os.PathLike)) and not _is_frame(data):
            raise DatasetError("the data is a pandas or Spark DataFrame, an Ibis table, or the path or URL of a source")
        described = {
            "name": name,
            "source": os.fspath(data) if isinstance(data, (str, os.PathLike)) else None,
            "table": table,
            "engine": engine,
            "master": master,
            "accept_untested_engine": accept_untested_engine,
            "version": version,
            "privacy_unit": dict(unit) if isinstance(unit, Mapping) else unit,
            "budget": dict(budget) if isinstance(budget, Mapping) else budget,
            "ledger": os.fspath(ledger) if ledger is not None else f"{name}.ledger.sqlite3",
            "columns": _plain_columns(columns),
        }
        self.spec = _validated(described)
        self.folder = Path.cwd()
        self.frame = None if isinstance(data, (str, os.PathLike)) else data

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Dataset:
        """Reads a `*.dataset.yaml`; its relative paths start from its own folder.

        Raises:
            DatasetError: The file is missing or does not hold together; with file and line.
        """
        loaded = object.__new__(cls)
        loaded.spec = read_yaml(Path(path), DatasetSpec, error=DatasetError)
        if loaded.spec.source is None:
            raise DatasetError(f"{os.fspath(path)}: source is wanted", path=os.fspath(path))
        loaded.folder = Path(path).absolute().parent
        loaded.frame = None
        return loaded

    @property
    def ledger_path(self) -> str:
        """Where the ledger is: a file, or the URL of a server."""
        return self.spec.ledger if "://" in self.spec.ledger else str(self.folder / self.spec.ledger)

    def __repr__(self) -> str:
        return f"Dataset({self.spec.name!r}, version={self.spec.version!r}, unit={self.spec.privacy_unit.name!r})"


_FRAMES = (("pandas", "DataFrame"), ("pyspark.sql", "DataFrame"), ("ibis.expr.types", "Table"))


def _is_frame(data: object) -> bool:
    """Whether it holds rows itself; what was not imported nobody has one of."""
    loaded = ((sys.modules.get(module), name) for module, name in _FRAMES)
    return any(module is not None and isinstance(data, getattr(module, name)) for module, name in loaded)


def _plain_columns(columns: object) -> object:
    if not isinstance(columns, Mapping):
        return columns
    return {name: dict(column) if isinstance(column, Mapping) else column for name, column in columns.items()}


def _validated(described: Mapping[str, Any]) -> DatasetSpec:
    try:
        return DatasetSpec.model_validate(described)
    except ValidationError as err:
        location, told = first_misfit(err, described)
        where = ".".join(str(part) for part in location)
        raise DatasetError(
            f"{where}: {told}" if where else told,
            hint="`privkit dataset schema` prints what a description may hold.",
        ) from None


# ---- a draft, from names and types


_DRAFT = """\
# {name}: what privkit may release about it. Everything here is public and declared by a person; nothing of it is
# taken from the rows. Fill in what is blank: privkit reads no value to guess it.
name: {name}
source: {source}
version:                  # your label for this state of the data: equal queries on an equal label repeat free
privacy_unit:             # whom the promise protects: `row`, or
  column:                 #   the column that names the person
  max_groups: 1           #   groups of one query that one person can count in
  max_rows_per_group: 1   #   rows of one person that count in one group
  max_units:              #   a public upper bound on the number of people
budget:
  epsilon:                # for all releases together, for ever: 1 is strong, 3 usual, 8 the most without a reason
  delta:                  # far below 1 / max_units, e.g. 1e-6; 0 with `measure: pure`
  measure: zcdp           # zcdp for many releases, pure for a few
  threshold_delta: 0      # above 0 only for categories that are private
ledger: {name}.ledger.sqlite3
columns:                  # delete what nobody should ask about
{columns}
"""
_LINES = {
    "integer": "{{type: integer, bounds: }}   # [lowest, highest] that count; values beyond count as the bound",
    "float": "{{type: float, bounds: , granularity: }}   # [lowest, highest], and the step that matters",
    "category": "{{type: category, categories: }}   # all that may appear; delete `categories: ` if they are private",
    "boolean": "{{type: boolean}}",
    "date": "{{type: date, bounds: }}   # [first, last]",
}


def draft_dataset(source: str | os.PathLike[str], *, name: str | None = None, table: str | None = None) -> str:
    """Drafts a description from the source's column names and types, with blanks for what a person must state.

    Args:
        source: File, glob or Ibis URL. Of a CSV only the header is read, so every column is drafted as a category.
        name: What queries shall call it; from the table's or the file's name by default.
        table: The table, where the source is a database.

    Returns:
        YAML text. Until the blanks are filled, loading it says which is missing.

    Raises:
        DatasetError: The source is missing or cannot be read.
        UsageError: Queries could not write the name.
    """
    from privkit.dp.sources import drafted_types

    spec = os.fspath(source)
    if name is not None and not NAME.fullmatch(name):
        raise UsageError("a name is at most 63 letters of a to z, digits and _, and begins with no digit")
    columns = drafted_types(spec, Path.cwd(), table)
    taken: set[str] = set()
    lines = [_drafted(column, kind, taken) for column, kind in columns.items()]
    held = f"\ntable: {_quoted(table)}" if table else ""
    chosen = name or dataset_name(table or spec)
    return _DRAFT.format(name=chosen, source=_quoted(spec) + held, columns="\n".join(lines))


def dataset_name(source: str) -> str:
    """What queries may call a dataset: the last part of `source` with letters in it, of `2026/*.csv` the folder's."""
    for part in reversed(source.split("/")):
        plain = unicodedata.normalize("NFKD", part.split(".")[0]).encode("ascii", "ignore").decode()
        if any(letter.isalnum() for letter in plain):
            return query_name(plain, set())[:63]
    return "data"


def _drafted(column: str, kind: str, taken: set[str]) -> str:
    name = query_name(column, taken)
    line = _LINES[kind].format()
    renamed = f"from: {_quoted(column)}, " if name != column else ""
    return f"  {name}: " + line.replace("{", "{" + renamed, 1)


def query_name(text: str, taken: set[str]) -> str:
    """A name that a query can write, near to `text` and not among `taken` (to which it is added)."""
    base = "".join(c if c.isalnum() or c == "_" else "_" for c in text) or "column"
    base = base if base.isidentifier() else f"_{base}"
    name, number = base, 2
    while name.casefold() in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name.casefold())
    return name


def _quoted(text: str) -> str:
    """A YAML scalar that is safe within flow braces."""
    plain = text.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum()
    return text if plain and text[0].isalnum() else "'" + text.replace("'", "''") + "'"
