"""Files that come together: all of them, or none that was not there before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from privkit.budget import create_budget
from privkit.dataset import Dataset
from privkit.errors import OutputError
from privkit.io.staged import Staged, check_place
from privkit.model.release import BudgetStanding

Result = TypeVar("Result")

_SIDES = ("", ".lock", "-wal", "-shm")  # what lies beside a ledger


class Placing:
    """Makes folders and files; what it made is gone again when its block ends with an exception, Ctrl-C included."""

    def __init__(self) -> None:
        self._undo = ExitStack()

    def folder(self, path: Path) -> None:
        """Makes a folder, unless it is there.

        Raises:
            OutputError: It cannot be made.
        """
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            try:
                one.mkdir()
            except OSError as err:
                raise OutputError(f"the folder {one} cannot be made ({err.strerror})", hint="Name another.") from None
            self._undo.callback(_remove_folder, one)
        if not path.is_dir():
            raise OutputError(f"{path} is not a folder", hint="Name another with --output-folder.")

    def made(self, path: Path, make: Callable[[], Result]) -> Result:
        """Lets `make` write a file that is never written over, such as a key."""
        self._forget(path)
        return make()

    def ledger(self, dataset: Dataset) -> BudgetStanding:
        """Creates a dataset's budget.

        Raises:
            LedgerError: It exists, or cannot be written.
        """
        for side in _SIDES:
            self._forget(Path(f"{dataset.ledger_path}{side}"))
        return create_budget(dataset)

    def texts(self, texts: Mapping[Path, str]) -> None:
        """Writes texts, all of them prepared before the first gets its name.

        Raises:
            OutputError: One cannot be written.
        """
        with Staged() as staged:
            for path, text in texts.items():
                staged.add(path, text)
                self._forget(path)
            staged.publish()

    def _forget(self, path: Path) -> None:
        """Removes it in the end, unless it was there before."""
        if not os.path.lexists(path):
            self._undo.callback(path.unlink, missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._undo.pop_all()
        else:
            self._undo.close()


def check_places(paths: Mapping[Path, str], folder: Path, *, force: bool) -> None:
    """Refuses places before anything is made.

    Args:
        paths: What is to be written, with what it is called in messages.
        folder: Where all of it goes; it may be missing still.
        force: Whether files that exist may be replaced.

    Raises:
        OutputError: A file exists and `force` is not given, or the place cannot be written.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder", hint="Name another with --output-folder.")
    held = [path.name for path in paths if os.path.lexists(path)]
    if held and not force:
        raise OutputError(f"{', '.join(held)}: there already", hint="Take another folder or name, or give --force.")
    for path, what in paths.items():
        check_place(path, what, force=force)


def _remove_folder(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:  # somebody put something into it
        return
