"""Databases for tests: a file of its own for each, and the emptied database of one Postgres."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from bench.postgres import NoPostgresError, Postgres

from infway.database import Database
from infway.database.opening import database_at


def _running() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except NoPostgresError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run a Postgres for all tests of a session."""
    yield from _running()


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """Run a Postgres that the tests of a module may kill."""
    yield from _running()


def emptied(url: str) -> str:
    """Forget all that a Postgres database holds, and who uses it still; return its URL.

    A new database of the server costs twenty times as much.
    """
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) {others}")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@pytest.fixture
def two(postgres: Postgres) -> Iterator[tuple[Database, Database]]:
    """Two processes' ways to one empty Postgres."""
    url = emptied(postgres.url())
    with closing(database_at(url)) as one, closing(database_at(url)) as other:
        yield one, other


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Return where an empty database is, of either kind."""
    if request.param == "sqlite":
        return tmp_path / "deep" / "ledger.db"
    server: Postgres = request.getfixturevalue("postgres")
    return emptied(server.url())


@pytest.fixture
def database(place: str | Path) -> Iterator[Database]:
    """Return an empty database, open."""
    database = database_at(place)
    database.open()
    yield database
    database.close()
