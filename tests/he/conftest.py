"""One guarded child and one key pair for many tests."""

import pytest

from privkit.he.contexts import SecretContext
from privkit.he.guarded import Guard
from privkit.he.parameters import ALLOWED


@pytest.fixture(scope="session")
def guard():
    with Guard() as child:
        yield child


@pytest.fixture(scope="session")
def context(guard):
    """A key pair of the first entry of the allow-list."""
    return SecretContext.new(ALLOWED["bfv-4096-46-1"], guard=guard)
