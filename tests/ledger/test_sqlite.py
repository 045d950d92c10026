"""The ledger in a file of its own: opened, refused, and left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infway.database import DatabaseError
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger

ROW = Row(
    "r-1", 0, 0.0, "key", "model", "up", "ok", 200, 1, 10, 20, 3, 4, 500, 0, 1, 40, 90
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.db"


def write(path: Path, *rows: Row) -> None:
    ledger = SqliteLedger(path)
    ledger.open()
    ledger.append(rows)
    ledger.close()


def rows(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as connection:
        return [Row(*row) for row in connection.execute("SELECT * FROM entries")]


def test_a_ledger_in_a_file_opens_and_closes_it_itself(path: Path):
    write(path, ROW)
    write(path, ROW._replace(attempt=1))
    assert rows(path) == [ROW, ROW._replace(attempt=1)]
    ledger = SqliteLedger(path)
    with pytest.raises(DatabaseError, match="not open"):
        ledger.append([ROW])
    ledger.close()


@pytest.mark.parametrize("content", [b"this is no database, and never was one" * 100])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path: Path, content: bytes):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="cannot be opened"):
        SqliteLedger(path).open()
    with pytest.raises(DatabaseError, match="cannot be read"):
        SqliteLedger(path).rows_of("r-1")
    assert path.read_bytes() == content


def test_a_question_never_makes_a_ledger(path: Path):
    with pytest.raises(DatabaseError, match="cannot be read"):
        SqliteLedger(path).rows_of("r-1")
    assert not path.exists()
