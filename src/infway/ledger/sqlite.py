"""The ledger that looks after its database, and in a SQLite file."""

from pathlib import Path

from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.ledger.sql import SqlLedger


class OwnLedger(SqlLedger):
    """The ledger that opens its database first and closes it last, whoever else uses it."""

    def __init__(self, database: Database) -> None:
        self._own = database
        super().__init__(database)

    def open(self) -> None:
        """Create or migrate the tables."""
        self._own.open()
        super().open()

    def close(self) -> None:
        """Close the database."""
        self._own.close()


class SqliteLedger(OwnLedger):
    """The ledger in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(SqliteDatabase(path))
