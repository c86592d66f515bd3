"""Workers that go wrong, for tests of what becomes of a run on Spark. Loaded in Spark's Python workers."""

import os
import signal

from pyspark import TaskContext

from privkit.deid.partitions import deidentifying
from privkit.errors import InputError


def _attempt():
    context = TaskContext.get()
    return context.partitionId(), context.attemptNumber()


def _killed():
    os.kill(os.getpid(), signal.SIGKILL)


def _raised():
    raise ValueError("Jane Roe 555-0100")


def _wrong(spec, when, how):
    """The real work, and in some tasks, after the first batch of the output, the end."""
    work = deidentifying(spec)

    def handle(batches):
        inner = work(batches)
        given = 0
        while True:
            try:
                batch = next(inner)
            except StopIteration as end:
                return end.value
            yield batch
            given += 1
            if given == 1 and when(*_attempt()):
                how()

    return handle


def killed_once(spec):
    return _wrong(spec, lambda partition, attempt: partition == 1 and attempt == 0, _killed)


def failing_once(spec):
    return _wrong(spec, lambda partition, attempt: attempt == 0, _raised)


def always_killed(spec):
    return _wrong(spec, lambda partition, attempt: partition == 1, _killed)


def always_failing(spec):
    return _wrong(spec, lambda partition, attempt: partition == 1, _raised)


def losing_a_row(spec):
    """A worker that writes less than it counts."""
    work = deidentifying(spec)

    def handle(batches):
        inner = work(batches)
        while True:
            try:
                batch = next(inner)
            except StopIteration as end:
                return end.value
            yield batch.slice(1)

    return handle


_loads = []


def counting(spec):
    """Passes rows on; its notes tell which process did it, and how often the handler was made there."""
    _loads.append(spec)

    def handle(batches):
        rows = 0
        for batch in batches:
            rows += batch.num_rows
            yield batch
        return {"rows": rows, "process": os.getpid(), "loads": len(_loads)}

    return handle


def refusing(spec):
    def handle(batches):
        for batch in batches:
            if batch.num_rows:
                raise InputError("row 7 is broken", path="a.csv", row=7, hint="Mend it.")
            yield batch
        return {}

    return handle
