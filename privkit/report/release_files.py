"""A release as files: JSON with everything, CSV with the values, a page of HTML. Whole or not there."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from privkit.errors import OutputError, UsageError
from privkit.io.staged import Staged, check_place
from privkit.model.dataset import DatasetSpec
from privkit.model.estimates import Value
from privkit.model.release import Release
from privkit.report.files import report_json
from privkit.report.release_html import release_html


def check_release_places(places: Mapping[str, Path], *, force: bool, keep: Iterable[Path] = ()) -> None:
    """Refuses places before anything is charged, where they would be refused after it.

    Args:
        places: What each file is called in messages → where it is to be written.
        force: Whether files that exist may be replaced.
        keep: Files that are never replaced: the dataset's description, its data and its ledger.

    Raises:
        UsageError: Two of the places are the same.
        OutputError: A place exists without `force`, is one to keep, or its folder is missing or closed.
    """
    kept = {_real(path) for path in keep}
    seen: dict[str, str] = {}
    for what, path in places.items():
        if (other := seen.setdefault(_real(path), what)) != what:
            raise UsageError(f"{other} and {what} are the same file, {path}", hint="Give them two names.")
        if _real(path) in kept:
            raise OutputError(f"{what} {path} would replace a file that the release needs", hint="Give another name.")
        check_place(path, what, force=force)


def needed_files(description: Path, spec: DatasetSpec, ledger: str) -> list[Path]:
    """The files that a release reads or writes itself: the dataset's description, its ledger and its data.

    Args:
        description: The `*.dataset.yaml`.
        spec: What it says.
        ledger: Where the ledger is; a URL is no file.
    """
    folder, found = description.absolute().parent, [description]
    if "://" not in ledger:
        found += [Path(ledger + end) for end in ("", "-wal", "-shm", "-journal", ".lock")]
    if spec.source is None:
        return found
    source = folder / spec.source.rpartition("://")[2]
    return [*found, source, *Path(source.anchor).glob(str(source.relative_to(source.anchor)))]


def write_release(
    release: Release,
    *,
    stored: bool,
    json: Path | None = None,
    csv: Path | None = None,
    html: Path | None = None,
) -> None:
    """Writes a release's files together; a reader sees an old file or a new one, never a part.

    Args:
        release: The release.
        stored: Whether it is a stored answer; the page says so.
        json: Where the whole record goes.
        csv: Where the table of values goes.
        html: Where the page goes.

    Raises:
        OutputError: One cannot be written.
    """
    with Staged() as staged:
        if json is not None:
            staged.add(json, report_json(release) + "\n")
        if csv is not None:
            staged.add(csv, release_csv(release))
        if html is not None:
            staged.add(html, release_html(release, stored=stored))
        staged.publish()


def release_csv(release: Release) -> str:
    """One line a group: the group columns, then each statistic's name, name_low and name_high.

    A statistic of several values has these three for each, as `name[label]`; what is withheld is empty. The same
    columns as `Released.to_pandas`.
    """
    rows = [_values(release, place) for place in range(len(release.keys))]
    names = list(dict.fromkeys(name for row in rows for name in row)) or [result.name for result in release.results]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*release.groups, *(f"{name}{end}" for name in names for end in ("", "_low", "_high"))])
    for key, row in zip(release.keys, rows, strict=True):
        values = (row.get(name, Value()) for name in names)
        writer.writerow([*key, *(item for value in values for item in (value.value, value.low, value.high))])
    return text.getvalue()


def _values(release: Release, place: int) -> dict[str, Value]:
    return {
        result.name if value.label is None else f"{result.name}[{value.label}]": value
        for result in release.results
        for value in result.values[place]
    }


def _real(path: Path) -> str:
    return os.path.realpath(path)
