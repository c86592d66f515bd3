"""The store that keeps ledgers in PostgreSQL: the contract as a role that may only append, and what a server can do."""

import pytest
from contracts.ledger_store import LedgerStoreContract


class TestPostgresStore(LedgerStoreContract):
    elsewhere = "no ledger of staff"

    @pytest.fixture
    def place(self, databases):
        self.databases = databases
        yield databases.take
        databases.give_back()

    def create(self, place, opening, **options):
        return self.databases.create(place, opening, **options)
