"""Ledgers that a test takes away while a gateway runs: a locked file, a Postgres that is dead or frozen."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from bench.postgres import Postgres
from tests.conftest import Gateway
from tests.database.fixtures import emptied

from infway.app import Parts
from infway.database import Database
from infway.database.postgres import Patience, PostgresDatabase
from infway.database.sqlite import SqliteDatabase
from infway.ledger.journal import Journal
from infway.ledger.rows import Row
from infway.ledger.sqlite import OwnLedger
from infway.pipeline.settler import Spooling

_HASTY = Patience(connect=2, turn=0.05, statement=1, lock=1, silence=0.3)
_ALL = f"SELECT {', '.join(Row._fields)} FROM entries ORDER BY request, attempt"


def spooled(folder: Path, rows: int = 100_000, seconds: float = 300.0) -> Callable[[Parts], Parts]:
    """Build with a journal in a folder."""
    journal = Journal(folder)
    return lambda built: replace(built, spooling=Spooling(journal, rows, seconds))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the ledger's file, as another process may."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def killed(server: Postgres) -> Iterator[None]:
    """Have a server dead while the block runs."""
    server.kill()
    yield
    server.start()


@dataclass
class Store:
    """A ledger; it is away while the block of `away` runs."""

    database: Database
    away: Callable[[], AbstractContextManager[None]]

    def parts(
        self, folder: Path, rows: int = 100_000, seconds: float = 300.0
    ) -> Callable[[Parts], Parts]:
        """Build with this ledger, and a journal in a folder."""
        kept = spooled(folder, rows, seconds)
        return lambda built: replace(kept(built), ledger=OwnLedger(self.database))

    async def rows(self, gateway: Gateway) -> list[Row]:
        """Return what it holds, after everything that waits was written."""
        await gateway.app.settler.flush()
        return [Row(*row) for row in self.database.read(_ALL)]


@pytest.fixture(params=["locked", "killed", "frozen"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return a ledger, in each way in which it can be away."""
    if request.param == "locked":
        path = tmp_path / "ledger.db"
        return Store(SqliteDatabase(path), partial(locked, path))
    server: Postgres = request.getfixturevalue("own")
    database = PostgresDatabase(emptied(server.url()), _HASTY)
    away = server.silent if request.param == "frozen" else partial(killed, server)
    return Store(database, away)
