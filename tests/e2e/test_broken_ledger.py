"""Row 66: a ledger that is broken, half migrated or newer is refused at the start, and left alone."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.conftest import write_config
from tests.e2e.gateway import INFWAY, free_port, run

from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger

ROW = Row("r-1", 0, 1e9, "key", "model", "up", "ok", 200, 1, 10, 20, 3, 4, 500, 0, 1, 40, 90)
BROKEN_CONFIGURATION = 78  # EX_CONFIG


def no_database(path: Path) -> None:
    path.write_bytes(b"this is no database, and never was one" * 200)


def broken_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xaa" * 4096
    path.write_bytes(content)


def half_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE entries DROP COLUMN native")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE infway_versions SET version = 99 WHERE room = 'ledger'")
        connection.commit()


def state(path: Path) -> object:
    """Return the rows, versions and tables of the file; the file itself where nobody can tell."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            wholes = ("SELECT * FROM entries", "SELECT * FROM infway_versions")
            tables = "SELECT name FROM sqlite_master ORDER BY name"
            return [connection.execute(query).fetchall() for query in (*wholes, tables)]
    except sqlite3.DatabaseError:
        return path.read_bytes()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (no_database, "cannot be opened"),
        (broken_page, ""),
        (half_migrated, "not whole"),
        (newer, "version 99"),
    ],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_is_refused_with_a_reason_and_left_alone(
    upstream, tmp_path: Path, harm: Callable[[Path], None], reason: str, workers: str
):
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.open()
    ledger.append([ROW])
    ledger.close()
    harm(path)
    before = state(path)
    config = write_config(tmp_path, upstream.url, ledger={"path": str(path)})
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "PORT": str(free_port())}
    command = (INFWAY, "serve", "-c", config, "--workers", workers)
    done = run(*command, environment=environment)
    assert done.returncode == BROKEN_CONFIGURATION, done.stderr
    assert str(path) in done.stderr or "ledger" in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert state(path) == before
