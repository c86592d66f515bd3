"""Shared fixtures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def key_file(tmp_path):
    """A kept key."""
    from privkit.keys.keyfile import Key

    path = tmp_path / "org.key"
    Key.new(path)
    return path
