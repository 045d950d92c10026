"""Ledgers that a test takes away while a gateway runs: a locked file, a Postgres that is dead, frozen or full."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from bench.postgres import UNPRIVILEGED, Postgres
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

_ROOM = 24 * 2**20  # bytes of a small disk
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


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """Mount a file system with little room while the block runs; skips where that cannot be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Take all the room that is left in a file system while the block runs."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    filler.unlink()


@contextmanager
def roomless(server: Postgres) -> Iterator[tuple[str, Path]]:
    """Yield the URL of a database that lies in a small file system, and where that is."""
    with mounted(server.folder / "small") as folder:
        place = folder / "data"
        place.mkdir()
        shutil.chown(place, UNPRIVILEGED)
        with closing(psycopg.connect(server.url(), autocommit=True)) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
            connection.execute("CREATE DATABASE small TABLESPACE small")
            yield server.url("small"), folder
            connection.execute("DROP DATABASE small WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")
    (server.folder / "small").rmdir()


@pytest.fixture(params=["locked", "killed", "frozen", "full"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a ledger, in each way in which it can be away."""
    if request.param == "locked":
        path = tmp_path / "ledger.db"
        yield Store(SqliteDatabase(path), partial(locked, path))
        return
    server: Postgres = request.getfixturevalue("own")
    if request.param == "full":
        with roomless(server) as (url, folder):
            yield Store(PostgresDatabase(url, _HASTY), partial(filled, folder))
        return
    database = PostgresDatabase(emptied(server.url()), _HASTY)
    away = server.silent if request.param == "frozen" else partial(killed, server)
    yield Store(database, away)
