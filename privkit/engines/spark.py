"""Spark sessions: the caller's own, or one of privkit's that ends with the work. pyspark only here.

Spark's log and its exceptions quote rows. A session that privkit starts therefore has no standard error;
PRIVKIT_DEBUG=1 gives it back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from privkit.errors import EngineError, MissingExtraError

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",  # days do not depend on where a cluster stands
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
}
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


@contextmanager
def spark_session(master: str | None = None) -> Iterator[Any]:
    """A Spark session: the one that is active in this process, which stays, or a new one, which is stopped.

    Args:
        master: Where it runs ("local[4]", "spark://host:7077", "yarn"); None: the active session, else this machine
            with all its processors.

    Raises:
        MissingExtraError: PySpark is not installed.
        EngineError: Spark does not start, or runs elsewhere already.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError(
            "Spark: pyspark is not installed", hint="pip install 'privkit-toolkit[spark]'; it needs Java 17 as well."
        ) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        if master is not None and active.sparkContext.master != master:
            raise EngineError(
                f"a Spark session on {active.sparkContext.master} is active in this process; {master} was asked for",
                hint="Stop it first, or leave the master out to use it.",
            )
        yield active
        return
    started = _started(SparkSession.builder, master or "local[*]")
    try:
        yield started
    finally:
        with suppress(Exception):
            started.stop()


def _started(builder: Any, master: str) -> Any:
    local = master.startswith("local")
    if local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else whatever python3 is in the path
    for name, value in {**_SETTINGS, **(_LOOPBACK if local else {})}.items():
        builder = builder.config(name, value)
    with suppress(Exception), _no_standard_error():
        started = builder.master(master).appName("privkit").getOrCreate()
        started.sparkContext.setLogLevel("OFF")
        return started
    raise EngineError(
        f"Spark does not start on {master}",
        hint="Is Java 17 installed, and does the master answer? PRIVKIT_DEBUG=1 shows what Spark says.",
    )


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
