"""A SQLite file: safe at every commit, refused where it is broken, patient where it is locked."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infway.database import DatabaseError
from infway.database.opening import database_at
from infway.database.sqlite import SqliteDatabase

TABLE = "CREATE TABLE things (name TEXT PRIMARY KEY, size BLOB)"
PUT = "INSERT INTO things VALUES (?, ?)"


def opened(path: Path, wait: float = 5.0) -> SqliteDatabase:
    database = SqliteDatabase(path, wait)
    database.open()
    database.migrate("things", [TABLE])
    return database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


def test_a_path_is_a_sqlite_file(path: Path):
    assert database_at(path).kind == "sqlite"


def test_a_commit_is_on_the_disk_when_it_returns(path: Path):
    with closing(opened(path)) as database, database.transaction() as work:
        assert work.run("PRAGMA synchronous") == [(2,)]
        assert work.run("PRAGMA journal_mode") == [("wal",)]


def test_the_file_is_its_owners_alone(path: Path):
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_question_never_makes_a_file_nor_writes_one(path: Path):
    with pytest.raises(DatabaseError, match="cannot be read"):
        SqliteDatabase(path).read("SELECT 1")
    assert not path.exists()
    with closing(opened(path)) as database, pytest.raises(DatabaseError, match="readonly"):
        database.read("DELETE FROM things RETURNING 1")


def test_what_is_not_open_says_so(path: Path):
    with (
        pytest.raises(DatabaseError, match="not open"),
        SqliteDatabase(path).transaction() as work,
    ):
        work.run("SELECT 1")


def test_another_process_that_writes_is_waited_for_and_then_given_up(path: Path):
    with closing(opened(path, 0.2)) as database, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked") as told, database.transaction():
            pass
        assert told.value.is_away
        assert database.read("SELECT * FROM things") == []
        other.execute("ROLLBACK")
        with database.transaction() as work:
            work.run(PUT, ("a", b""))


def test_another_thread_that_writes_is_waited_for_and_then_given_up(path: Path):
    with (
        closing(opened(path, 0.05)) as database,
        database.transaction(),
        pytest.raises(DatabaseError, match="busy") as told,
        database.transaction(),
    ):
        pass
    assert told.value.is_away


@pytest.mark.parametrize("content", [b"this is no database, and never was one" * 100, b"x"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="cannot be opened") as told:
        SqliteDatabase(path).open()
    assert not told.value.is_away
    assert path.read_bytes() == content


def test_a_file_with_a_broken_page_is_refused_and_left_alone(path: Path):
    with closing(opened(path)) as database, database.transaction() as work:
        work.many(PUT, [(f"{number}", os.urandom(500)) for number in range(200)])
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 6] = b"\xaa" * 4096
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"broken|malformed") as told:
        SqliteDatabase(path).open()
    assert not told.value.is_away
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="cannot be opened"):
        SqliteDatabase(tmp_path / "file" / "some.db").open()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "false", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    said = subprocess.run(command, capture_output=True, check=False)
    if said.returncode:
        pytest.skip("a disk that is small needs the right to mount one")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_loses_nothing_that_was_kept_and_is_used_again_once_there_is_room(
    small_disk: Path,
):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    database = opened(small_disk / "some.db")
    kept = 0

    def write() -> None:
        nonlocal kept
        while kept < 1000:
            with database.transaction() as work:
                work.run(PUT, (f"{kept}", b"x" * 2000))
            kept += 1

    with pytest.raises(DatabaseError) as told:
        write()
    assert told.value.is_away
    assert kept > 50
    assert database.read("SELECT count(*) FROM things") == [(kept,)]
    ballast.unlink()
    with database.transaction() as work:
        work.run(PUT, ("more", b"x" * 2000))
    assert database.read("SELECT count(*) FROM things") == [(kept + 1,)]
    database.close()


def test_two_of_one_process_and_another_process_never_lose_sight_of_one_another(path: Path):
    first = opened(path)
    second = opened(path)
    other = (
        "import sys; from pathlib import Path; from infway.database.opening import database_at\n"
        "d = database_at(Path(sys.argv[1])); d.open()\n"
        "with d.transaction() as work: work.run('INSERT INTO things VALUES (?, ?)', (sys.argv[2], b''))\n"
        "d.close()"
    )
    for count, name in enumerate("abc", 1):
        subprocess.run((sys.executable, "-c", other, path, name), check=True)
        for database in (first, second):
            assert database.read("SELECT count(*) FROM things") == [(count,)]
    first.close()
    second.close()
