"""Shared fixtures."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

# A shell that runs the tests in the background ignores these, and every process started from here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def key_file(tmp_path):
    """A kept key."""
    from privkit.keys.keyfile import Key

    path = tmp_path / "org.key"
    Key.new(path)
    return path


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for the whole of this process's tests, its password in the environment."""
    import postgres as servers

    servers.require()
    cluster = servers.Cluster()
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PGPASSWORD", servers.PASSWORD)
            yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def spark():
    """A Spark session on two local workers for the whole of this process's tests."""
    if shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Java is missing in CI")
        pytest.skip("needs Java 17 for Spark")
    from privkit.engines.spark import spark_session

    with spark_session("local[2,3]") as session:  # three tries for a task: a worker may be killed
        session.conf.set("spark.sql.shuffle.partitions", "4")
        yield session
