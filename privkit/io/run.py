"""A run's output: journaled while it grows, whole or not there at the end, continued after a crash.

Beside OUTPUT stands a hidden folder, `.{name}.privkit` (0700, its files 0600), until the run is over:

    lock            held (flock) by the run that is alive
    state.json      what the run was started with; written once, before any data
    journal.jsonl   one line for each block, finished part, and the publication
    part-N.data     the blocks of part N, as the target encoded them
    part-N.file     part N of a Parquet output, assembled from its blocks
    out/            finished parts, under their own names
    old/            with `force`: the folder that is being replaced

A block's bytes are written before its journal line, so that a line never speaks of bytes that are not there. When a
run is opened again, whatever stands behind the last line is cut off and the checksums of blocks in unfinished parts
are compared; the blocks that are left are exactly those that need not be made again. Data reach the disk (fsync) when
a part is finished, before its journal line does; OUTPUT gets its name by a link or a rename, which happens or doesn't.

Locks and file modes are POSIX's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO, Literal, NoReturn, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import InterruptedRunError, OutputError, PrivkitError
from privkit.io import locks
from privkit.io.outputs import Target, split_name
from privkit.io.scratch import Scratch
from privkit.io.staged import NO_LINKS

_VERSION = 1  # of the state folder; a state of another version is not continued
_GROUP_ROWS = 1 << 18  # a Parquet row group ends at this many rows …
_GROUP_BYTES = 64 << 20  # … or this many bytes of Arrow data, whichever comes first: the memory that assembly needs
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "a file size limit"}

_STATE_FILES = ("journal.jsonl", "state.json")


class OtherRunError(InterruptedRunError):
    """What an earlier run left was started with something else: it can only be started anew."""


class _Part:
    """What is known of one part: where its blocks end in the data file, and their checksums."""

    def __init__(self) -> None:
        self.ends = array("q")
        self.checksums = array("L")
        self.data: int | None = None  # file descriptor, while the part is being written
        self.size: int | None = None  # bytes of the finished file

    @property
    def end(self) -> int:
        return self.ends[-1] if self.ends else 0


class Run:
    """The output of one run; use it as a context manager.

    Left without `publish`, `discard` or `keep`, it removes everything it wrote, unless it is resumable and a rerun can
    mend what happened: Ctrl-C or another exit from outside (any exception that is not an `Exception`), a full disk or
    other write error, a worker that died (`InterruptedRunError`), too little memory, or an OUTPUT that somebody else
    made in the meantime. An error in the source, the policy or the key is not mended by running again, so its state
    goes.

    Attributes:
        output: The final path; None for a temporary run.
        target: What encodes the blocks.
        parts: Names of the parts, relative to a folder output.
        resumed: Whether blocks of an earlier run were found and kept.
        saved: What `open` was given as `saved`, by this run or the one that is continued.
    """

    def __init__(self, state: Path, lock: int, target: Target, parts: Sequence[str], *, resumable: bool) -> None:
        """Use `open` or `temporary` instead."""
        self.output: Path | None = None
        self.target = target
        self.parts = tuple(parts)
        self.resumed = False
        self.saved: Mapping[str, str] | None = None
        self._state = state
        self._lock: int | None = lock
        self._resumable = resumable
        self._folder = False
        self._force = False
        self._published = False
        self._mendable = False
        self._parts = [_Part() for _ in self.parts]
        self._journal: int | None = None

    # Opening

    @classmethod
    def open(
        cls,
        output: Path,
        target: Target,
        parts: Sequence[str],
        manifest: Mapping[str, str],
        *,
        folder: bool = False,
        resume: bool = False,
        force: bool = False,
        resumable: bool = False,
        saved: Mapping[str, str] | None = None,
    ) -> Run:
        """Start a run, or continue one.

        Args:
            output: The final path: a file, or the folder of a partitioned output.
            target: What encodes the blocks.
            parts: Names of the parts; for a folder, relative paths inside it.
            manifest: What must be equal for a run to be continued (fingerprint of the source, hash of the policy, …).
                Parts and target are compared in any case.
            folder: Whether `output` is a folder.
            resume: Continue an earlier run's state. Without one, and without OUTPUT, the run starts at the beginning.
            force: Replace an existing OUTPUT. A run that is continued keeps the answer it was started with.
            resumable: Whether the state may be kept for a later `resume`.
            saved: Texts to keep in the state; a run that is continued has those of its start.

        Raises:
            OutputError: OUTPUT exists, is of another kind, or cannot be written there.
            InterruptedRunError: Another run is writing OUTPUT, or the state is not that of this run.
        """
        _check_names(parts, folder)
        with _writing(output):
            _check_place(output)
            state = _state_of(output)
            if not state.exists():
                _check_output(output, folder, force)  # before anything is made
            lock = _take_lock(state, output)
        run = cls(state, lock, target, parts, resumable=resumable)
        run.output = output
        run._folder = folder
        try:
            run._begin(dict(manifest), resume, force, dict(saved or {}))
        except BaseException:
            run._release(remove=not run._has_state())
            raise
        return run

    @classmethod
    def temporary(cls, target: Target, parts: Sequence[str]) -> Run:
        """A run in a private temporary folder: for `copy_to` and `blocks`; it is never published nor kept.

        Raises:
            OutputError: There is no room for temporary files.
        """
        _check_names(parts, folder=True)
        with _writing(None):
            scratch = Scratch("run")
            run = cls(scratch.path, scratch.lock, target, parts, resumable=False)
            try:
                run._start_journal()
            except BaseException:
                run._release(remove=True)
                raise
        return run

    @staticmethod
    def peek(output: Path) -> dict[str, object] | None:
        """What the state beside OUTPUT was started with: `manifest`, `saved`, `parts`, `resumable`, `force`.

        None if there is no state. Nothing is changed or locked.

        Raises:
            InterruptedRunError: There is a state that cannot be read.
            OutputError: The state's folder is not a private folder of this user.
        """
        _check_place(output)
        state = _state_of(output)
        if not state.is_symlink() and not state.exists():
            return None
        _check_private(state)
        return _read_state(state, output)

    def _begin(self, manifest: dict[str, str], resume: bool, force: bool, saved: dict[str, str]) -> None:
        assert self.output is not None
        about: dict[str, object] = {
            "version": _VERSION,
            "manifest": manifest,
            "parts": list(self.parts),
            "folder": self._folder,
            "target": self.target.fingerprint(),
            "saved": saved,
            "force": force,
            "resumable": self._resumable,
        }
        with _writing(self.output):
            self._restore_old()
        found = _read_state(self._state, self.output) if resume else None
        if found is not None:
            self._check_same(found, about)
            self._force = force or bool(found["force"])
            self.saved = _texts(found["saved"])
            with _writing(self.output):
                self._replay()
            if not self._published:
                _check_output(self.output, self._folder, self._force)
            self.resumed = True
            return
        _check_output(self.output, self._folder, force)
        self._force = force
        self.saved = saved
        with _writing(self.output):
            self._clear()
            self._start_journal()
            # Not orjson: a file name need not be text, and is then spelt with lone surrogates.
            _write_whole(self._state / "state.json", json.dumps(about).encode())

    def _check_same(self, found: Mapping[str, object], about: Mapping[str, object]) -> None:
        if not found["resumable"]:
            raise OtherRunError(
                f"the interrupted run of {self.output} had no kept key and cannot be continued",
                hint="Start from the beginning without --resume.",
            )
        was, now = _texts(found["manifest"]), _texts(about["manifest"])
        differing = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        differing += [
            word
            for key, word in (("parts", "parts"), ("folder", "kind of output"), ("target", "output format"))
            if found[key] != about[key] and word not in differing
        ]
        if differing:
            raise OtherRunError(
                f"the interrupted run of {self.output} was started with something else: {', '.join(differing)}",
                hint="Give the same source, policy, key and options, or start from the beginning without --resume.",
            )

    def _start_journal(self) -> None:
        self._journal = os.open(self._state / "journal.jsonl", os.O_CREAT | os.O_EXCL | _APPEND, 0o600)

    def _has_state(self) -> bool:
        return (self._state / "state.json").exists()

    # What is there

    def finished(self, part: int) -> int:
        """How many blocks of a part are in the journal."""
        return len(self._parts[part].ends)

    def part_finished(self, part: int) -> bool:
        """Whether `finish_part` has been done for a part, by this run or the one that is continued."""
        return self._parts[part].size is not None

    def part_path(self, part: int) -> Path:
        """Where a finished part stands until it is published, for reading it once more.

        Raises:
            ValueError: The part is not finished.
        """
        if not self.part_finished(part):
            raise ValueError("the part is not finished")
        if self._published and self.output is not None:
            return self.output / self.parts[part] if self._folder else self.output
        return self._final(part)

    def folder_path(self) -> Path:
        """Where an engine that writes its files itself puts the whole folder, for a run that has no parts of its own.

        It is not there yet; `publish` gives it the output's name.

        Raises:
            ValueError: The run has parts, or its output is no folder.
        """
        if self.parts or not self._folder:
            raise ValueError("the run writes its parts itself")
        return self._state / "out"

    def notes(self) -> Iterator[dict[str, object]]:
        """The notes of all blocks in the journal, those of a continued run included, in order of writing."""
        for line, _ in _lines(self._state / "journal.jsonl"):
            if "index" in line:
                yield line["note"]

    def blocks(self, part: int) -> Iterator[bytes]:
        """The blocks of a part as they were appended (the first with the part's header); not of a Parquet part."""
        place = self._parts[part]
        path = self.part_path(part) if place.size is not None else self._data(part)
        if not place.ends:
            return
        with path.open("rb") as file:
            start = 0
            for end in place.ends:
                yield file.read(end - start)
                start = end

    # Writing

    def append(self, part: int, data: bytes, note: Mapping[str, object]) -> None:
        """Add the next block of a part.

        Args:
            part: Index of the part.
            data: What the target's `encode` gave for the block.
            note: What to remember of the block, as JSON: counts, never values.

        Raises:
            OutputError: It cannot be written.
        """
        place = self._parts[part]
        if place.size is not None:
            raise ValueError("the part is finished")
        with self._mending():
            if place.data is None:
                place.data = self._open_data(part)
            if not place.ends:
                data = self.target.header() + data
            _write(place.data, data)
            end, checksum = place.end + len(data), zlib.crc32(data)
            self._log({"part": part, "index": len(place.ends), "end": end, "crc32": checksum, "note": note})
        place.ends.append(end)
        place.checksums.append(checksum)

    def finish_part(self, part: int) -> None:
        """Complete a part, one without blocks included; again does nothing. Parquet is assembled here.

        Raises:
            OutputError: It cannot be written.
        """
        place = self._parts[part]
        if place.size is not None:
            return
        with self._mending():
            if place.data is None:
                place.data = self._open_data(part)
            if self.target.format == "parquet":
                path = self._assemble(part, place.data)
            else:
                path = self._data(part)
                if not place.ends:
                    _write(place.data, self.target.empty())
                os.fsync(place.data)
            os.close(place.data)
            place.data = None
            size = path.stat().st_size
            self._log({"finished": part, "size": size})
            self._sync_journal()
            place.size = size
            self._settle(part)

    def publish(self) -> None:
        """Give the output its name, all of it at once, and remove the state.

        Raises:
            OutputError: OUTPUT was made by somebody else in the meantime, or cannot be written.
        """
        if self.output is None or not all(map(self.part_finished, range(len(self.parts)))):
            raise ValueError("a run is published when it has an output and all its parts are finished")
        with self._mending():
            if not self._published:
                if self._folder:
                    self._publish_folder(self.output)
                else:
                    self._publish_file(self.output)
                self._published = True
                with contextlib.suppress(OSError):  # some file systems sync no folders, and OUTPUT has its name
                    _sync_folder(self.output.parent)
        self._release(remove=True)

    def copy_to(self, stream: BinaryIO) -> None:
        """Write the finished parts, one after the other, to a stream."""
        for part in range(len(self.parts)):
            with self.part_path(part).open("rb") as file:
                shutil.copyfileobj(file, stream, 1 << 20)
        stream.flush()

    def discard(self) -> None:
        """Remove everything the run wrote. OUTPUT is as it was before."""
        self._release(remove=True)

    def keep(self) -> None:
        """Leave the state for a later run with `resume`; a temporary run has none and is removed."""
        self._release(remove=self.output is None)

    def spare(self) -> None:
        """Something beside the output went wrong that a rerun can mend: a resumable run keeps its state."""
        self._mendable = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if self._lock is not None:
            outside = error is not None and not isinstance(error, Exception)
            mendable = outside or self._mendable or isinstance(error, (InterruptedRunError, MemoryError))
            if error is not None and mendable and self._resumable:
                self.keep()
                if isinstance(error, PrivkitError) and self.output is not None:
                    error.hint = f"{error.hint or ''} Then the same command with --resume continues.".lstrip()
            else:
                self.discard()
        return False

    # The journal

    def _log(self, line: Mapping[str, object]) -> None:
        assert self._journal is not None
        _write(self._journal, orjson.dumps(line) + b"\n")

    def _sync_journal(self) -> None:
        assert self._journal is not None
        os.fsync(self._journal)

    def _replay(self) -> None:
        """Find out what an earlier run finished, and cut off what it did not."""
        path = self._state / "journal.jsonl"
        whole = 0
        published: list[int] | None = None
        for line, end in _lines(path):
            if not self._take(line):
                break
            published = line.get("publish", published)
            whole = end
        if published is not None and self.output is not None:
            self._published = _identity(self.output) == published
        kept = [len(place.ends) for place in self._parts]
        for part in range(len(self.parts)):
            self._verify(part)
        if kept != [len(place.ends) for place in self._parts]:
            self._rewrite_journal(path, whole)
            self._journal = os.open(path, _APPEND)
        else:
            self._journal = os.open(path, os.O_CREAT | _APPEND, 0o600)
            _cut(self._journal, whole)

    def _take(self, line: dict[str, Any]) -> bool:
        """Note one line of the journal; False if it cannot follow the lines before."""
        match line:
            case {"part": int(part), "index": int(index), "end": int(end), "crc32": int(checksum)}:
                place = self._parts[part] if 0 <= part < len(self._parts) else None
                if place is None or index != len(place.ends) or end < place.end or place.size is not None:
                    return False
                place.ends.append(end)
                place.checksums.append(checksum)
                return True
            case {"finished": int(part), "size": int(size)} if 0 <= part < len(self._parts):
                self._parts[part].size = size
                return True
            case {"publish": list()}:
                return True
        return False

    def _verify(self, part: int) -> None:
        """Keep the blocks of a part that are in its data file as the journal has them."""
        place = self._parts[part]
        if self._published:
            return
        if place.size is not None:
            final, made = self._final(part), self._made(part)
            here = final if final.exists() else made
            if here.exists() and here.stat().st_size == place.size:
                self._settle(part)
                return
            final.unlink(missing_ok=True)
            place.size = None
        data = self._open_data(part)
        try:
            good, start = 0, 0
            for end, checksum in zip(place.ends, place.checksums, strict=True):
                block = _read_at(data, start, end - start)
                if len(block) != end - start or zlib.crc32(block) != checksum:
                    break
                good, start = good + 1, end
            del place.ends[good:], place.checksums[good:]
            _cut(data, start)
        finally:
            os.close(data)

    def _rewrite_journal(self, path: Path, whole: int) -> None:
        kept = bytearray()
        for line, end in _lines(path):
            if end > whole:
                break
            lost = line.get("index", -1) >= len(self._parts[line["part"]].ends) if "part" in line else False
            undone = "finished" in line and self._parts[line["finished"]].size is None
            if not lost and not undone and "publish" not in line:
                kept += orjson.dumps(line) + b"\n"
        _write_whole(path, bytes(kept))

    # Files

    def _data(self, part: int) -> Path:
        return self._state / f"part-{part}.data"

    def _made(self, part: int) -> Path:
        """A whole part that is not in its place yet: the blocks themselves, where they need no assembling."""
        return self._state / f"part-{part}.file" if self.target.format == "parquet" else self._data(part)

    def _final(self, part: int) -> Path:
        return self._state / "out" / self.parts[part]

    def _open_data(self, part: int) -> int:
        return os.open(self._data(part), os.O_CREAT | os.O_RDWR | _APPEND, 0o600)

    def _settle(self, part: int) -> None:
        """Bring a finished part to its place under out/; again does nothing."""
        final, data, made = self._final(part), self._data(part), self._made(part)
        if not final.exists() and made.exists():
            final.parent.mkdir(parents=True, exist_ok=True)
            made.rename(final)
        data.unlink(missing_ok=True)

    def _assemble(self, part: int, data: int) -> Path:
        """Make a Parquet file of a part's blocks, with memory for one row group."""
        path = self._made(part)
        schema = self.target.schema
        assert schema is not None
        with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            try:
                writer = pq.ParquetWriter(file, schema)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                raise OutputError(
                    "a Parquet file cannot hold all of these column types", hint="Choose another output format."
                ) from None
            try:
                for group in self._groups(part, data):
                    writer.write_table(self.target.assembled(group), row_group_size=_GROUP_ROWS)
            except BaseException:
                with contextlib.suppress(Exception):  # closing writes the footer, which fails again on a full disk
                    writer.close()
                raise
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        return path

    def _groups(self, part: int, data: int) -> Iterator[list[pa.RecordBatch]]:
        group: list[pa.RecordBatch] = []
        rows = size = start = 0
        for end in self._parts[part].ends:
            with pa.ipc.open_stream(_read_at(data, start, end - start)) as reader:
                for batch in reader:
                    if group and (rows + batch.num_rows > _GROUP_ROWS or size + batch.nbytes > _GROUP_BYTES):
                        yield group
                        group, rows, size = [], 0, 0
                    group.append(batch)
                    rows += batch.num_rows
                    size += batch.nbytes
            start = end
        if group:
            yield group

    def _publish_file(self, output: Path) -> None:
        path = self._final(0)
        mode = 0o666 & ~_umask()
        _check_output(output, folder=False, force=self._force)
        if output.exists():
            mode &= stat.S_IMODE(output.stat().st_mode)  # replacing a file does not open it to more people
        path.chmod(mode)
        self._log({"publish": _identity(path)})
        self._sync_journal()
        if self._force:
            path.replace(output)
            return
        try:
            output.hardlink_to(path)  # unlike a rename, this never replaces a file that appeared in the meantime
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            _check_output(output, folder=False, force=False)
            path.rename(output)

    def _publish_folder(self, output: Path) -> None:
        tree, old, umask = self._state / "out", self._state / "old", _umask()
        tree.mkdir(exist_ok=True)
        for path in (tree, *tree.rglob("*")):
            path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
            if path.is_dir():
                with contextlib.suppress(OSError):
                    _sync_folder(path)
        _check_output(output, folder=True, force=self._force)
        self._log({"publish": _identity(tree)})
        self._sync_journal()
        if self._force and output.exists():
            output.rename(old)
        tree.rename(output)  # onto nothing, or onto an empty folder

    def _clear(self) -> None:
        """Remove the state, all but the lock.

        What makes it a state goes first, so that a crash half-way leaves nothing that could be taken for one; after
        the publication it goes last, so that a run that is continued knows it.
        """
        self._restore_old()
        names = [path.name for path in self._state.iterdir() if path.name != "lock"]
        for name in sorted(names, key=lambda name: (name in _STATE_FILES) == self._published):
            path = self._state / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _restore_old(self) -> None:
        """Put the folder that was to be replaced back, if the new one did not come."""
        old = self._state / "old"
        if self.output is not None and old.exists() and not self.output.exists():
            old.rename(self.output)

    def _release(self, *, remove: bool) -> None:
        """Close everything; with `remove`, leave nothing of the state."""
        if self._lock is None:
            return
        for place in self._parts:
            if place.data is not None:
                os.close(place.data)
                place.data = None
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None
        try:
            if remove:
                with _writing(self.output):
                    self._clear()
                    (self._state / "lock").unlink(missing_ok=True)
                    with contextlib.suppress(OSError):  # another run may have come into the folder already
                        self._state.rmdir()
        finally:
            locks.let_go(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def _mending(self) -> Iterator[None]:
        """Say of a write that failed that a rerun can mend it."""
        if self._lock is None or self._mendable:
            raise ValueError("the run is over")
        try:
            with _writing(self.output):
                yield
        except OutputError:
            self._mendable = True
            raise


_APPEND = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


def _state_of(output: Path) -> Path:
    return output.parent / f".{output.name}.privkit"


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, Mapping) else {}


def check_output(output: Path, *, folder: bool, force: bool) -> None:
    """Refuses an output before a long run, as `Run.open` does.

    Args:
        output: The final path: a file, or the folder of a partitioned output.
        folder: Whether it is a folder.
        force: Whether an existing one may be replaced.

    Raises:
        OutputError: OUTPUT exists, is of another kind, or cannot be written there.
    """
    with _writing(output):
        _check_place(output)
        _check_output(output, folder, force)


def _check_names(parts: Sequence[str], folder: bool) -> None:
    """Parts must stay inside the folder, and there is one part in a file."""
    if not folder and len(parts) != 1:
        raise ValueError("an output that is one file has one part")
    for name in parts:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.name in ("", "."):
            raise OutputError(f"{name!r} is not the name of a file inside the output's folder")
    if len(set(parts)) != len(parts):
        raise OutputError("two parts of the output would have the same name")


def _check_place(output: Path) -> None:
    if output.name in ("", ".."):
        raise OutputError(f"{output} is not a name for an output", hint="Name the file or folder to write.")
    parent = output.parent
    if not parent.is_dir():
        raise OutputError(f"the folder {parent} does not exist", hint=f"Create it first: mkdir -p {parent}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {parent} is not writable", hint="Name an output in another folder.")


def _check_output(output: Path, folder: bool, force: bool) -> None:
    """Refuse to write over what is of another kind, or exists without `force`.

    Raises:
        OutputError: OUTPUT is in the way.
    """
    if output.is_symlink():
        raise OutputError(f"{output} is a symbolic link", hint="Name the file that it points to.")
    if not output.exists():
        return
    if folder:
        if not output.is_dir():
            raise OutputError(f"{output} is a file, and the output of several files is a folder", hint="Name a folder.")
        if not any(output.iterdir()):
            return
        if force:
            _check_replaceable(output)
    elif output.is_dir():
        raise OutputError(f"{output} is a folder", hint="Name a file in it.")
    elif not output.is_file():
        raise OutputError(f"{output} is not a regular file", hint="Write to the standard output instead: -o -")
    if not force:
        raise OutputError(f"{output} exists", hint="Use --force to replace it.")


def _check_replaceable(output: Path) -> None:
    """`--force` removes the old folder: not when it holds more than datasets."""
    for path in output.rglob("*"):
        if path.is_symlink() or (not path.is_dir() and not path.name.startswith(("_", ".")) and not _is_data(path)):
            raise OutputError(
                f"{output} holds {path.relative_to(output)}, which is no part of a dataset, and is not replaced",
                hint="Remove the folder yourself, or choose another one.",
            )


def _is_data(path: Path) -> bool:
    return path.is_file() and split_name(path.name)[1] is not None


def _check_private(state: Path) -> None:
    about = state.lstat()
    # Only whether others may write: file systems without modes (FAT, network shares) show all folders as readable.
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
        raise OutputError(
            f"{state} is in the way: it is not a private folder of this user",
            hint="Remove it if no other run is using it.",
        )


def _take_lock(state: Path, output: Path) -> int:
    """The state's folder, made if need be, and its lock: a file descriptor."""
    while True:
        made = False
        with contextlib.suppress(FileExistsError):
            state.mkdir(0o700)
            made = True
        try:
            if not made:
                _check_private(state)
            lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            continue  # a run that ended at this moment removed the folder
        except OSError:
            if made:
                state.rmdir()
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise InterruptedRunError(
                f"another run is writing {output}", hint="Wait until it is done, or choose another output."
            ) from None
        except BaseException:
            os.close(lock)
            raise
        if _identity(state / "lock") == _identity(lock):
            locks.hold(lock)
            return lock
        os.close(lock)  # a run that ended at this moment removed the file: what was locked is not in the folder


def _identity(place: Path | int) -> list[int] | None:
    """What stays with a file when it is renamed; None if there is none."""
    try:
        about = os.fstat(place) if isinstance(place, int) else place.lstat()
    except FileNotFoundError:
        return None
    return [about.st_dev, about.st_ino]


def _read_state(state: Path, output: Path) -> dict[str, object] | None:
    try:
        found = json.loads((state / "state.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("version") != _VERSION:
        raise InterruptedRunError(
            f"the state of the interrupted run of {output} is not readable by this version of privkit",
            hint=f"Remove {state} and run again without --resume.",
        )
    return found


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """The journal's whole lines, each with the offset behind it. Ends before a torn one."""
    if not path.exists():
        return
    with path.open("rb") as file:
        end = 0
        for text in file:
            if not text.endswith(b"\n"):
                return
            try:
                line = orjson.loads(text)
            except orjson.JSONDecodeError:
                return
            if not isinstance(line, dict):
                return
            end += len(text)
            yield line, end


def _read_at(file: int, start: int, size: int) -> bytes:
    """`size` bytes from `start` on, or what there is of them."""
    pieces = []
    while size and (piece := os.pread(file, size, start)):  # one call gives at most 2 GiB
        pieces.append(piece)
        start, size = start + len(piece), size - len(piece)
    return b"".join(pieces)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)


def _cut(file: int, size: int) -> None:
    os.ftruncate(file, size)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _umask() -> int:
    """The process's umask, which can only be read by setting it: to the strictest, in case another thread writes."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


@contextlib.contextmanager
def _writing(output: Path | None) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        _fail(error, output)


def _fail(error: OSError, output: Path | None) -> NoReturn:
    where = f"{output} could not be written" if output is not None else "temporary files could not be written"
    full = _FULL.get(error.errno or 0)
    if full is not None:
        place = output.parent if output is not None else Path(tempfile.gettempdir())
        raise OutputError(f"disk full: {where} ({full})", hint=f"Make room in {place}.") from None
    if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
        raise OutputError(f"{where}: it was made by somebody else in the meantime", hint="Use --force.") from None
    reason = os.strerror(error.errno) if error.errno else "the system refused"
    raise OutputError(f"{where}: {reason.lower()}") from None
