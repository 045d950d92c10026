"""Databases for tests: a file of its own for each, and a database of its own in one Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.postgres import NoPostgresError, Postgres

from infway.database import Database
from infway.database.opening import database_at


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run a Postgres for all tests of a session."""
    try:
        server = Postgres()
    except NoPostgresError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Return where a new, empty database is, of either kind."""
    if request.param == "sqlite":
        return tmp_path / "deep" / "ledger.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def database(place: str | Path) -> Iterator[Database]:
    """Return a new database, open."""
    database = database_at(place)
    database.open()
    yield database
    database.close()
