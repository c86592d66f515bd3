"""Databases for the tests of ledgers in PostgreSQL."""

import pytest


@pytest.fixture(scope="session")
def databases(postgres):
    """Databases with privkit's tables, and the role that may only append."""
    from ledger.databases import Databases

    return Databases(postgres)


@pytest.fixture
def database(databases):
    """The URL of an empty database, for the role that may only append."""
    yield databases.take()
    databases.give_back()
