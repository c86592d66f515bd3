"""Private scoring: a client's encrypted rows, a model owner's plain model, scores that the client alone can read.

>>> from privkit import scoring
>>> spec = scoring.describe("readmission.model.json")            # doctest: +SKIP  (the owner gives it to clients)
>>> scoring.keygen(spec, "batch.key")                            # doctest: +SKIP  (the client)
>>> scoring.encrypt("patients.csv", "batch.key", "rows.batch")   # doctest: +SKIP  (the client)
>>> scoring.evaluate("rows.batch", model, "rows.answer")         # doctest: +SKIP  (the owner)
>>> scoring.decrypt("rows.answer", "batch.key", "scores.csv")    # doctest: +SKIP  (the client)
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from privkit.errors import InputError, OutputError, ScoringError, VerificationError
from privkit.he import scores
from privkit.he.estimator import from_estimator
from privkit.he.guarded import Guard
from privkit.he.scorefiles import AnswerHeader, BatchHeader, PartReader, PartWriter
from privkit.he.scorekeyfile import ScoreKeyFile
from privkit.he.scorekeys import PublicScoreKey, SecretScoreKey
from privkit.he.scorerows import in_units, scores_csv, within_ranges
from privkit.he.scorespec import Compiled, compile_model, parameters_of, same
from privkit.io.numeric import numbers
from privkit.io.sources import open_source
from privkit.io.staged import Staged, check_place
from privkit.model.canonical import sha256_of
from privkit.model.jsonfile import read_json
from privkit.model.scoring import Feature, ScoringModel, ScoringSpec, WeighedFeature

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Encrypted",
    "Evaluated",
    "Feature",
    "ScoringModel",
    "ScoringSpec",
    "WeighedFeature",
    "check_output",
    "decrypt",
    "decrypt_csv",
    "describe",
    "destroy",
    "encrypt",
    "evaluate",
    "from_estimator",
    "keygen",
]

StrPath = str | os.PathLike[str]
Floats = npt.NDArray[np.float64]
_PIECE = 1 << 20


class Encrypted(NamedTuple):
    """A batch that was written.

    Attributes:
        rows: How many rows.
        bytes: How long the file is.
        sha256: Its SHA-256.
    """

    rows: int
    bytes: int
    sha256: str


class Evaluated(NamedTuple):
    """An answer that was written.

    Attributes:
        rows: How many rows.
        bytes: How long the file is.
        sha256: Its SHA-256.
    """

    rows: int
    bytes: int
    sha256: str


def describe(model: ScoringModel | StrPath) -> ScoringSpec:
    """What clients have to know of a model: columns, ranges, output, errors, parameters; not its coefficients.

    Args:
        model: The model, or its JSON file.

    Raises:
        InputError: The file cannot be read.
        ScoringError: The model does not hold together, or no polynomial is close enough over its scores.
    """
    return compile_model(_model(model)).spec


def keygen(spec: ScoringSpec | StrPath, key: StrPath) -> None:
    """Makes the key of one batch and writes its file, readable by its owner alone, never over another file.

    Args:
        spec: The specification, or its JSON file.
        key: Where to write the key.

    Raises:
        InputError: The specification cannot be read.
        ScoringError: It does not hold together, or names parameters that are not known.
        KeyFileError: The file exists, or cannot be written.
    """
    described = spec if isinstance(spec, ScoringSpec) else read_json(Path(spec), ScoringSpec, ScoringError)
    with Guard() as guard:
        ScoreKeyFile.new(key, described, SecretScoreKey.new(parameters_of(described), guard=guard))


def encrypt(rows: pd.DataFrame | StrPath, key: StrPath, output: StrPath, *, force: bool = False) -> Encrypted:
    """Encrypts rows, for the model that the key was made for. A key encrypts one batch.

    Args:
        rows: A DataFrame, or a file, folder or glob; columns that the model does not read are left out.
        key: The key's file, which remembers the batch.
        output: Where the batch is written.
        force: Whether a file that exists may be replaced.

    Raises:
        ScoringError: The key has encrypted a batch, or rows lie outside the declared ranges (says how many).
        ColumnError: A column is missing, or some of its cells are no numbers.
        InputError: The rows cannot be read.
        KeyFileError: The key cannot be used.
        OutputError: The batch cannot be written.
    """
    check_output(output, "the batch", [key, *([] if _is_frame(rows) else [rows])], force=force)
    held = ScoreKeyFile.load(key)
    if held.header.batch is not None:
        raise ScoringError(f"{os.fspath(key)} has encrypted a batch already", hint="Make a fresh key for each batch.")
    spec = held.header.spec
    mapped = within_ranges(_read(rows, spec), spec)
    with Staged() as staged, Guard() as guard:
        with staged.open(Path(output)) as file:
            writer = PartWriter(file, BatchHeader(spec=spec, key=held.key.id, rows=len(mapped)))
            writer.part(held.key.publish(guard=guard).to_bytes())
            for block in _blocks(len(mapped), held.key.parameters.slots):
                for column in scores.encrypt_columns(held.key, mapped[block], guard=guard):
                    writer.part(column)
        held.used(writer.sha256, len(mapped))  # before anybody can have the batch
        staged.publish()
    return Encrypted(len(mapped), writer.size, writer.sha256)


def evaluate(batch: StrPath, model: ScoringModel | StrPath, output: StrPath, *, force: bool = False) -> Evaluated:
    """Computes the scores of a batch without seeing rows or scores.

    Args:
        batch: The file that a client sent; nothing in it is trusted.
        model: The model, or its JSON file.
        output: Where the answer is written.
        force: Whether a file that exists may be replaced.

    Raises:
        VerificationError: The batch was encrypted for another specification.
        CiphertextError: It is not exactly a batch.
        ScoringError: The model does not hold together.
        InputError: A file cannot be read.
        OutputError: The answer cannot be written.
    """
    check_output(output, "the answer", [batch, *([] if isinstance(model, ScoringModel) else [model])], force=force)
    compiled = compile_model(_model(model))
    digest = _sha256(batch)
    with Staged() as staged, Guard() as guard, _opened(batch) as source:
        reader = PartReader(source, BatchHeader, os.fspath(batch))
        header = reader.header
        if not same(header.spec, compiled.spec):
            raise VerificationError(
                f"{os.fspath(batch)} was encrypted for another specification than {compiled.spec.name!r} has",
                hint="Give clients what `privkit score spec` prints for this model.",
            )
        with staged.open(Path(output)) as file:
            told = AnswerHeader(spec=sha256_of(header.spec), batch=digest, key=header.key, rows=header.rows)
            writer = PartWriter(file, told)
            for part in _answers(reader, compiled, guard):
                writer.part(part)
        reader.end()
        if reader.sha256 != digest:
            raise VerificationError(f"{os.fspath(batch)} changed while it was read")
        staged.publish()
    return Evaluated(header.rows, writer.size, writer.sha256)


def decrypt(
    answer: StrPath, key: StrPath, output: StrPath | None = None, *, force: bool = False, keep_key: bool = False
) -> Floats:
    """Decrypts the scores of the batch that the key encrypted, and destroys the key.

    Do not hand the scores back to whoever computed them: with ciphertext and result they could work out the key, and
    with it the rows (Li and Micciancio, Eurocrypt 2021).

    Args:
        answer: The file that the model's owner sent; nothing in it is trusted.
        key: The key's file; it is destroyed when the scores are written, or returned where no output is given.
        output: Where the scores are written as CSV, readable by their owner alone.
        force: Whether a file that exists may be replaced.
        keep_key: Leaves the key for `destroy`, once the scores are safe.

    Returns:
        float64 array (rows,), in the order of the rows.

    Raises:
        VerificationError: It is an answer to another batch, for another key or of another specification.
        CiphertextError: It is not exactly an answer, or does not decrypt to anything that the model could give.
        KeyFileError: The key cannot be used.
        InputError: The answer cannot be read.
        OutputError: The scores cannot be written.
    """
    if output is not None:
        check_output(output, "the scores", [key, answer], force=force)
    held = ScoreKeyFile.load(key)
    with Guard() as guard, _opened(answer) as source:
        reader = PartReader(source, AnswerHeader, os.fspath(answer))
        _check_binding(reader, held)
        found = np.concatenate(list(_decrypted(reader, held, guard)))
        reader.end()
    if output is not None:
        with Staged() as staged:
            with staged.open(Path(output), private=True) as file:
                file.write(scores_csv(held.header.spec, found).encode())
            staged.publish()
    if not keep_key:
        destroy(key)
    return found


def decrypt_csv(answer: StrPath, key: StrPath) -> str:
    """Decrypts the scores as CSV, and leaves the key: `destroy` it once they are safe.

    Raises:
        PrivkitError: As `decrypt`.
    """
    found = decrypt(answer, key, keep_key=True)
    return scores_csv(ScoreKeyFile.load(key).header.spec, found)


def destroy(key: StrPath) -> None:
    """Overwrites a key's file and removes it: nobody can decrypt its batch or answer any more.

    Raises:
        KeyFileError: It is no such file, or cannot be removed.
    """
    ScoreKeyFile.load(key).destroy()


def _answers(reader: PartReader[BatchHeader], compiled: Compiled, guard: Guard) -> Iterator[bytes]:
    """The answer's parts, one a block."""
    parameters = compiled.circuit.parameters
    largest = _most(parameters.form(0).size)
    with reader.blamed():
        key = PublicScoreKey.from_bytes(reader.part(_most(parameters.key_bytes)), parameters)
        if key.id != reader.header.key:
            raise reader.refused("its key is another than its first line says")
        for block in _blocks(reader.header.rows, parameters.slots):
            columns = (reader.part(largest) for _ in compiled.weights)
            length = block.stop - block.start
            yield scores.evaluate(key, columns, compiled.weights, compiled.circuit, length, guard=guard)


def _check_binding(reader: PartReader[AnswerHeader], held: ScoreKeyFile) -> None:
    header, known = reader.header, held.header
    wanted = {"key": held.key.id, "batch": known.batch, "spec": sha256_of(known.spec), "rows": known.rows}
    called = {"key": "another key", "batch": "another batch", "spec": "another specification", "rows": "other rows"}
    for field, value in wanted.items():
        if getattr(header, field) != value:
            raise VerificationError(
                f"this is an answer for {called[field]} than this key's",
                hint="Each key decrypts the answer to its batch.",
            )


def _decrypted(reader: PartReader[AnswerHeader], held: ScoreKeyFile, guard: Guard) -> Iterator[Floats]:
    spec, parameters = held.header.spec, held.key.parameters
    largest = _most(parameters.form(spec.level).size)
    with reader.blamed():
        for block in _blocks(reader.header.rows, parameters.slots):
            part, length = reader.part(largest), block.stop - block.start
            yield in_units(scores.decrypt(held.key, part, length, spec.level, guard=guard), spec)


def _read(rows: pd.DataFrame | StrPath, spec: ScoringSpec) -> Floats:
    if _is_frame(rows):
        from privkit.io.memory import open_frame

        source = open_frame(rows)  # type: ignore[arg-type]
    else:
        source = open_source(os.fspath(rows))  # type: ignore[arg-type]
    return numbers(source, [feature.name for feature in spec.features])


def _is_frame(rows: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


def _blocks(rows: int, slots: int) -> Iterator[slice]:
    for start in range(0, rows, slots):
        yield slice(start, min(start + slots, rows))


def _most(size: int) -> int:
    """How long a compressed object and what stands around it may be."""
    return 2 * size + _PIECE


def _model(given: ScoringModel | StrPath) -> ScoringModel:
    return given if isinstance(given, ScoringModel) else read_json(Path(given), ScoringModel, ScoringError)


def _opened(path: StrPath) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as err:
        raise InputError(f"{os.fspath(path)} cannot be read: {err.strerror}", path=os.fspath(path)) from None


def _sha256(path: StrPath) -> str:
    digest = hashlib.sha256()
    with _opened(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def check_output(output: StrPath, what: str, inputs: Iterable[object], *, force: bool) -> None:
    """Refuses a place before the work, where it would be refused after it.

    Args:
        output: Where something is to be written.
        what: What it is called in messages.
        inputs: What it is made from; those that are paths are never replaced.
        force: Whether another file that exists may be.

    Raises:
        OutputError: The place is an input, exists without `force`, or its folder is missing or closed.
    """
    place = Path(output)
    for given in inputs:
        if isinstance(given, str | os.PathLike) and os.path.realpath(place) == os.path.realpath(given):
            raise OutputError(f"{what} {place} would replace a file that it is made from", hint="Give another name.")
    check_place(place, what, force=force)
