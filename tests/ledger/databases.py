"""Databases for tests of ledgers in PostgreSQL: made by their owner, written by a role that may only append."""

import psycopg
from contracts.ledger_store import pure

from privkit.ledger.ledger import Ledger
from privkit.ledger.postgres_schema import ROLES

APPENDER = "appender"


class Databases:
    """Hands out databases with privkit's tables in them, empty; those that were given back are emptied and reused."""

    def __init__(self, cluster):
        self.cluster = cluster
        self._free, self._taken = [], []
        if not cluster.sql("SELECT 1 FROM pg_roles WHERE rolname = 'privkit_append'"):
            cluster.sql(ROLES.partition("\n")[0])
        cluster.sql(f"CREATE ROLE {APPENDER} LOGIN IN ROLE privkit_append PASSWORD '{cluster.password}'")
        self._template = cluster.database()
        Ledger.create(cluster.url(self._template), pure(dataset="first")).close()
        cluster.sql(EMPTIED, self._template)
        cluster.sql(ROLES.partition("\n")[2], self._template)

    def take(self):
        """The URL of an empty one, for the role that may only append."""
        name = self._free.pop() if self._free else self.cluster.database(self._template)
        self._taken.append(name)
        return self.cluster.url(name, APPENDER)

    def give_back(self):
        """Empties all that are out."""
        for name in self._taken:
            with self.connect(self.cluster.url(name)) as connection:
                connection.execute(EMPTIED)
        self._free += self._taken
        self._taken.clear()

    def owners(self, url):
        """The same database, for its owner."""
        return self.cluster.url(database_of(url))

    def connect(self, url):
        """A superuser's connection to it, on which no trigger fires."""
        connection = psycopg.connect(self.owners(url), autocommit=True, password=self.cluster.password)
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET search_path = privkit")
        return connection

    def create(self, url, opening, **options):
        """A ledger, made by the owner and opened by the role that may only append."""
        Ledger.create(self.owners(url), opening, **options).close()
        return Ledger.open(url, opening.dataset, **options)


EMPTIED = (
    "SET session_replication_role = replica; "
    "TRUNCATE privkit.ledgers, privkit.entries, privkit.answers, privkit.analysts RESTART IDENTITY"
)


def database_of(url):
    """Its database's name."""
    return url.rpartition("/")[2].partition("?")[0]
