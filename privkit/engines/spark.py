"""Spark sessions: the caller's own, or one of privkit's that ends with the work. pyspark only here.

Spark's log and its exceptions quote rows. A session that privkit starts therefore has no standard error;
PRIVKIT_DEBUG=1 gives it back.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from privkit.errors import EngineError, MissingExtraError

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",  # days do not depend on where a cluster stands
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
    "spark.io.encryption.enabled": "true",  # what is spilled, shuffled or shipped in large pieces waits on disks
}
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_HERE = "local[*,3]"  # on one machine Spark tries a task once unless it is told how often: a killed worker is no reason
_EXTRA_HINT = "pip install 'privkit-toolkit[spark]'; it needs Java 17 as well."


@contextmanager
def spark_session(master: str | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A Spark session: the one that is active in this process, which stays, or a new one, which is stopped.

    Args:
        master: Where it runs ("local[4]", "spark://host:7077", "yarn"); None: the active session, else this machine
            with all its processors and three tries for each task.
        settings: More of Spark's, for a session that is started.

    Raises:
        MissingExtraError: PySpark is not installed.
        EngineError: Spark does not start, or runs elsewhere already.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError("Spark: pyspark is not installed", hint=_EXTRA_HINT) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        if master is not None and active.sparkContext.master != master:
            raise EngineError(
                f"a Spark session on {active.sparkContext.master} is active in this process; {master} was asked for",
                hint="Stop it first, or leave the master out to use it.",
            )
        yield active
        return
    started = _started(SparkSession.builder, master or _HERE, settings or {})
    try:
        yield started
    finally:
        with suppress(Exception):
            started.stop()


def _started(builder: Any, master: str, more: Mapping[str, str]) -> Any:
    local = master.startswith("local")
    settings = {**more, **_SETTINGS}
    if local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else whatever python3 is in the path
        # Workers find what this process finds, wherever it had it from.
        settings |= {**_LOOPBACK, "spark.executorEnv.PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    for name, value in settings.items():
        builder = builder.config(name, value)
    with suppress(Exception), _no_standard_error(), _own_signals():
        started = builder.master(master).appName("privkit").getOrCreate()
        started.sparkContext.setLogLevel("OFF")
        return started
    raise EngineError(
        f"Spark does not start on {master}",
        hint="Is Java 17 installed, and does the master answer? PRIVKIT_DEBUG=1 shows what Spark says.",
    )


def is_spark_frame(value: object) -> bool:
    """Whether `value` is a Spark DataFrame; pyspark is not loaded for the question."""
    loaded = sys.modules.get("pyspark.sql")
    return loaded is not None and isinstance(value, loaded.DataFrame)


def is_address(place: object) -> bool:
    """Whether a source or an output is an address such as hdfs://host/folder, which Spark reads and writes itself."""
    return isinstance(place, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place) is not None


@contextmanager
def configured(session: Any, settings: Mapping[str, str]) -> Iterator[None]:
    """Settings of a session that hold inside; afterwards it has its own again.

    Args:
        session: Whoever's it is.
        settings: Those that can be changed while a session runs.
    """
    before = {name: session.conf.get(name, None) for name in settings}
    for name, value in settings.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        with suppress(Exception):  # the session may have ended
            for name, value in before.items():
                if value is None:
                    session.conf.unset(name)
                else:
                    session.conf.set(name, value)


@contextmanager
def log_unheard() -> Iterator[None]:
    """Without PySpark's own log of errors, which writes what a cell holds to standard error."""
    log = logging.getLogger("SQLQueryContextLogger")
    before, log.disabled = log.disabled, os.environ.get("PRIVKIT_DEBUG") != "1"
    try:
        yield
    finally:
        log.disabled = before


@contextmanager
def _own_signals() -> Iterator[None]:
    """PySpark puts a handler of Ctrl-C in the place of the caller's, and leaves it there: it is taken out again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _no_standard_error() -> Iterator[None]:
    """What is started in here, the JVM and all that it starts, has none."""
    if os.environ.get("PRIVKIT_DEBUG") == "1":
        yield
        return
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
