"""Shared fixtures."""

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
