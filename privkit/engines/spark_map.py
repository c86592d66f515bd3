"""One function over the partitions of a Spark DataFrame, in Spark's Python workers, and the counts of each partition.

What goes to a worker is the name of a factory and bytes: the handler is made once in each worker process. What comes
back beside the rows is one note for each partition, in an accumulator: a task that Spark runs twice, after a failure
or on speculation, gives the note of the same partition again, and it counts once.

Spark's exceptions and logs quote what a worker raised, and what a worker raises may quote a cell. So a worker raises
nothing but `TaskError`, whose text is an error of privkit's own, encoded, or the name of an exception's type.
"""

from __future__ import annotations

import base64
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel, TaskContext
from pyspark.accumulators import Accumulator, AccumulatorParam

from privkit.engines.spark import log_unheard
from privkit.engines.stream import Note
from privkit.engines.workers import decoded_error, encoded_error, load_handler, settled
from privkit.errors import EngineError, PrivkitError

BatchHandler = Callable[[Iterator[pa.RecordBatch]], Generator[pa.RecordBatch, None, Note]]
"""Takes the batches of a partition, yields those of its output, and returns the partition's note."""

_MARK = "privkit-task-error"
_MARKED = re.compile(rf"{_MARK}:([A-Za-z0-9+/=]+)")
_LONGEST_CHAIN = 20
_DRAINED_SECONDS = 30


class TaskError(Exception):
    """What ended a task; holds no words but privkit's."""


class _ByPartition(AccumulatorParam[dict[int, Note]]):
    """Notes by the partition's number: of one that was done twice there is one."""

    def zero(self, value: dict[int, Note]) -> dict[int, Note]:
        del value
        return {}

    def addInPlace(self, value1: dict[int, Note], value2: dict[int, Note]) -> dict[int, Note]:
        value1.update(value2)
        return value1


class Tally:
    """The notes of the partitions that are done.

    Args:
        session: The Spark session that the work runs in.
    """

    def __init__(self, session: Any) -> None:
        self.accumulator: Accumulator[dict[int, Note]] = session.sparkContext.accumulator({}, _ByPartition())

    def notes(self) -> list[Note]:
        """One for each partition that was worked through, in no order."""
        return list(self.accumulator.value.values())


def mapped(frame: Any, factory: str, spec: bytes, schema: Any, tally: Tally) -> Any:
    """The DataFrame that a handler makes of `frame`, partition by partition; nothing runs yet.

    Args:
        frame: A Spark DataFrame.
        factory: "package.module:function"; called once in each worker process with `spec`, returns a `BatchHandler`.
        spec: What the workers must know.
        schema: Of the result, a `StructType`.
        tally: Gets each partition's note when it is done.
    """
    return frame.mapInArrow(partial(_worked, factory=factory, spec=spec, done=tally.accumulator), schema)


def held(frame: Any) -> Any:
    """The DataFrame, to be kept on the workers' disks once it is evaluated."""
    return frame.persist(StorageLevel.DISK_ONLY)


def _worked(
    batches: Iterator[pa.RecordBatch], *, factory: str, spec: bytes, done: Accumulator[dict[int, Note]]
) -> Iterator[pa.RecordBatch]:
    """What a worker runs for one partition."""
    try:
        handler = _handler(factory, spec)
        with settled():
            note = yield from handler(batches)
    except PrivkitError as err:
        raise TaskError(f"{_MARK}:{base64.b64encode(encoded_error(err)).decode()}") from None
    except Exception as err:
        raise TaskError(type(err).__name__) from None
    context = TaskContext.get()
    assert context is not None
    done.add({context.partitionId(): note})


@lru_cache(maxsize=2)
def _handler(factory: str, spec: bytes) -> BatchHandler:
    handler: Any = load_handler(factory, spec)
    made: BatchHandler = handler
    return made


@contextmanager
def spark_jobs(session: Any) -> Iterator[None]:
    """Around Spark's work: its errors become ours, and none of its tasks is left running when the block ends early.

    Raises:
        PrivkitError: What a handler raised in a worker.
        EngineError: Whatever else went wrong; Spark's own words are not repeated.
    """
    context = session.sparkContext
    kept = {name: context.getLocalProperty(name) for name in ("spark.jobGroup.id", "spark.job.description")}
    group = f"privkit-{secrets.token_hex(8)}"
    context.setJobGroup(group, "privkit")
    try:
        with log_unheard():
            yield
    except PrivkitError:
        _cancel(context, group)
        raise
    except Exception as err:
        ours = _ours(err)
        _cancel(context, group)
        raise ours from None
    except BaseException:
        _cancel(context, group)
        raise
    finally:
        with suppress(Exception):
            for name, value in kept.items():
                context.setLocalProperty(name, value)


def _cancel(context: Any, group: str) -> None:
    """Ends what still runs, and waits until it has: a task must not write once its folder is being removed."""
    with suppress(Exception):
        context.cancelJobGroup(group)
        tracker, until = context.statusTracker(), time.monotonic() + _DRAINED_SECONDS
        while any(_runs(tracker, job) for job in tracker.getJobIdsForGroup(group)) and time.monotonic() < until:
            time.sleep(0.05)


def _runs(tracker: Any, job: int) -> bool:
    about = tracker.getJobInfo(job)
    stages = [tracker.getStageInfo(stage) for stage in (about.stageIds if about is not None else ())]
    return any(stage is not None and stage.numActiveTasks > 0 for stage in stages)


def _ours(err: Exception) -> PrivkitError:
    """An error of privkit's for what Spark raised."""
    text = "\n".join(_words(err))
    found = _MARKED.search(text)
    if found is not None:
        with suppress(Exception):
            told = decoded_error(base64.b64decode(found[1]))
            if isinstance(told, PrivkitError):
                return told
    if "TaskError" in text:
        kind = re.search(r"TaskError: ([A-Za-z_]\w*)\s*$", text, re.MULTILINE)
        return EngineError(
            f"Spark: a worker failed{f' ({kind[1]})' if kind else ''}; nothing was written",
            hint="What it said is not shown because it may hold data.",
        )
    for sign, message, hint in _SIGNS:
        if sign in text:
            return EngineError(f"Spark: {message}; nothing was written", hint=hint)
    return EngineError(
        f"Spark could not finish the work ({type(err).__name__}); nothing was written",
        hint="Its own words may hold data and are not shown; PRIVKIT_DEBUG=1 lets its log through.",
    )


_SIGNS = (
    (
        "Python worker exited unexpectedly",
        "a Python worker died, each time that it was tried",
        "Signal 9 is often the system running out of memory: fewer cores for each executor, or more memory.",
    ),
    (
        "FAILED_READ_FILE",
        "a file of the source cannot be read to its end",
        "Is one of them broken? Copy or download it again.",
    ),
    (
        "No module named 'privkit'",
        "the workers' Python has no privkit",
        "Install privkit-toolkit on each machine of the cluster, or ship an environment (spark.archives).",
    ),
    (
        "PYTHON_VERSION_MISMATCH",
        "the workers run another Python than this process",
        "Set PYSPARK_PYTHON to the same version everywhere.",
    ),
)


def _words(err: Exception) -> Iterator[str]:
    """What an exception of Spark's says, down to its first cause: to look for signs in, never to be shown."""
    with suppress(Exception):
        yield str(err)
    at = getattr(err, "java_exception", None) or getattr(err, "_origin", None)
    for _ in range(_LONGEST_CHAIN):
        if at is None:
            return
        with suppress(Exception):
            yield f"{at.getClass().getName()}: {at.getMessage()}"
        try:
            at = at.getCause()
        except Exception:
            return
