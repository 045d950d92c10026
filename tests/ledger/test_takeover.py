"""A file of an older infway is taken over with all it holds, and counted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.row import DAY, ROW
from tests.ledger.sums import assert_sums_equal_rows

from infway.database import DatabaseError
from infway.database.sqlite import SqliteDatabase
from infway.ledger.purses import Purse
from infway.ledger.rows import Row
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.ledger.tables import STEPS

OLD = 19  # columns of a row in version 3


def older(path: Path, version: int, rows: list[Row]) -> None:
    """Write a file as an infway of that version did."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for step in STEPS[:version]:
            connection.execute(str(step))
        columns = OLD if version == 3 else OLD - 1
        marks = ",".join("?" * columns)
        connection.executemany(
            f"INSERT INTO entries VALUES ({marks})", [row[:columns] for row in rows]
        )
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_file_is_taken_over_and_its_rows_are_counted(tmp_path: Path, version: int):
    path = tmp_path / "ledger.db"
    rows = [
        ROW._replace(request=f"r-{number}", attempt=attempt, at=number * DAY / 3)
        for number in range(40)
        for attempt in (0, 1)
    ]
    older(path, version, rows)
    for _ in range(2):
        with closing(SqliteDatabase(path)) as database:
            database.open()
            ledger = SqlLedger(database)
            ledger.open()
            assert sorted(ledger.rows_of("r-7")) == rows[14:16]
            assert database.read("SELECT count(*) FROM entries") == [(80,)]
            assert_sums_equal_rows(database)
            assert Spending(database).spent(Purse("key:key", "total")) == 40 * ROW.cost
            ledger.append(rows)
            assert_sums_equal_rows(database)


def test_many_old_rows_are_counted_piece_by_piece(tmp_path: Path):
    path = tmp_path / "ledger.db"
    rows = [ROW._replace(request=f"r-{number:05}", at=number * 60.0) for number in range(12_000)]
    older(path, 3, rows)
    with closing(SqliteDatabase(path)) as database:
        database.open()
        SqlLedger(database).open()
        assert_sums_equal_rows(database)


def test_an_older_infway_refuses_a_file_that_was_taken_over(tmp_path: Path):
    path = tmp_path / "ledger.db"
    older(path, 3, [ROW])
    with closing(SqliteDatabase(path)) as database:
        database.open()
        SqlLedger(database).open()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(STEPS) > 3


@pytest.mark.parametrize(
    ("version", "said", "reason"),
    [
        pytest.param(3, 99, "version 99", id="newer than this infway"),
        pytest.param(1, 3, "rescue", id="not what its version says"),
    ],
)
def test_a_file_that_cannot_be_taken_over_is_refused_and_left_alone(
    tmp_path: Path, version: int, said: int, reason: str
):
    path = tmp_path / "ledger.db"
    older(path, version, [ROW])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {said}")
    with closing(SqliteDatabase(path)) as database:
        database.open()
        with pytest.raises(DatabaseError, match=reason) as told:
            SqlLedger(database).open()
        assert not told.value.is_away
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (said,)
        assert connection.execute("SELECT request FROM entries").fetchall() == [("r-1",)]
