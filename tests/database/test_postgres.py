"""A Postgres that is gone, frozen, full or restarted: told at once, and used again by itself."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg
import pytest
from bench.postgres import Postgres
from tests.database.fixtures import emptied
from tests.wall import closed_port

from infway.database import DatabaseError
from infway.database.opening import database_at
from infway.database.postgres import Patience, PostgresDatabase

ONE = "SELECT 1"


@pytest.fixture
def opened(own: Postgres) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase(emptied(own.url()))
    database.open()
    yield database
    database.close()


@pytest.fixture
def hasty(own: Postgres) -> Iterator[PostgresDatabase]:
    """Return a database that waits for nothing as long as others do."""
    patience = Patience(connect=2, turn=0.05, statement=1, lock=1, silence=1.0)
    database = PostgresDatabase(emptied(own.url()), patience)
    database.open()
    yield database
    database.close()


def test_a_url_is_a_postgres(own: Postgres):
    assert database_at(own.url()).kind == "postgres"


def test_a_url_that_is_none_is_not_repeated():
    with pytest.raises(DatabaseError) as told:
        PostgresDatabase("postgresql://me:s3cret@[host/x?nonsense=1")
    assert "s3cret" not in str(told.value)
    assert not told.value.is_away


def test_nobody_there_is_told_at_once():
    url = f"postgresql://me:s3cret@127.0.0.1:{closed_port()}/x"
    with pytest.raises(DatabaseError, match="refused") as told:
        PostgresDatabase(url).open()
    assert told.value.is_away
    assert "s3cret" not in str(told.value)


def test_a_server_that_was_restarted_is_used_again_without_an_error(
    own: Postgres, opened: PostgresDatabase
):
    own.kill()
    with pytest.raises(DatabaseError) as told:
        opened.read(ONE)
    assert told.value.is_away
    own.start()
    assert opened.read(ONE) == [(1,)]
    own.kill()
    own.start()  # the connection that was idle is dead, and nobody has noticed
    assert opened.read(ONE) == [(1,)]


def test_a_server_that_dies_within_a_transaction_keeps_nothing_of_it(
    own: Postgres, opened: PostgresDatabase
):
    opened.migrate("things", ["CREATE TABLE things (name TEXT)"])

    def write() -> None:
        with opened.transaction() as work:
            work.run("INSERT INTO things VALUES ('a')")
            own.kill()
            work.run("INSERT INTO things VALUES ('b')")

    with pytest.raises(DatabaseError) as told:
        write()
    assert told.value.is_away
    own.start()
    assert opened.read("SELECT * FROM things") == []


def test_a_frozen_server_costs_seconds_and_no_more(own: Postgres, hasty: PostgresDatabase):
    with own.silent(), pytest.raises(DatabaseError) as told:
        hasty.read(ONE)  # the idle connection is cut, and a new one is not answered
    assert told.value.is_away
    assert hasty.read(ONE) == [(1,)]
    with pytest.raises(DatabaseError) as told, hasty.transaction() as work, own.silent():
        work.run(ONE)
    assert told.value.is_away
    assert hasty.read(ONE) == [(1,)]


def test_a_statement_that_takes_too_long_is_ended_by_the_server(hasty: PostgresDatabase):
    with pytest.raises(DatabaseError, match="statement timeout") as told:
        hasty.read("SELECT pg_sleep(30)")
    assert told.value.is_away
    assert hasty.read(ONE) == [(1,)]


def test_a_lock_of_somebody_else_is_waited_for_and_then_given_up(hasty: PostgresDatabase):
    hasty.migrate("things", ["CREATE TABLE things (name TEXT)"])
    with hasty.transaction() as work:
        work.run("LOCK TABLE things")
        with pytest.raises(DatabaseError, match=r"(lock|statement) timeout") as told:
            hasty.read("SELECT * FROM things")
    assert told.value.is_away
    assert hasty.read("SELECT * FROM things") == []


def test_a_server_without_a_free_connection_is_away(own: Postgres):
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(closing(psycopg.connect(own.url())))
        database = stack.enter_context(closing(PostgresDatabase(own.url())))
        with pytest.raises(DatabaseError, match=r"too many clients|connection slots") as told:
            database.open()
        assert told.value.is_away
    with closing(PostgresDatabase(own.url())) as database:
        database.open()


def test_a_process_has_so_many_connections_and_waits_for_one(hasty: PostgresDatabase):
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(hasty.transaction())
        with pytest.raises(DatabaseError, match="is used") as told:
            hasty.read(ONE)
        assert told.value.is_away
    assert hasty.read(ONE) == [(1,)]


def test_a_server_that_only_reads_is_away(own: Postgres):
    url = own.database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = url.rsplit("/", 1)[1]
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(PostgresDatabase(url)) as database:
        database.open()
        with pytest.raises(DatabaseError, match="read-only") as told:
            database.migrate("things", ["CREATE TABLE things (name TEXT)"])
        assert told.value.is_away


def test_what_is_kept_is_on_the_disk_whatever_the_server_says_of_others(own: Postgres):
    url = own.database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = url.rsplit("/", 1)[1]
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(PostgresDatabase(url)) as database:
        with pytest.raises(DatabaseError), database.transaction() as work:
            work.run("SELECT 1 / 0")
        assert database.read("SHOW synchronous_commit") == [("on",)]


def test_connections_are_given_back(own: Postgres, opened: PostgresDatabase):
    for _ in range(20):
        opened.read(ONE)
    opened.close()
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'infway'"
    with psycopg.connect(own.url(), autocommit=True) as connection:
        until = "SELECT pg_sleep(0.02)"
        while connection.execute(count).fetchone() != (0,):
            connection.execute(until)


def test_without_the_driver_it_is_told_what_to_install(tmp_path: Path):
    (tmp_path / "psycopg.py").write_text("raise ImportError")
    program = (
        "from infway.database.opening import database_at\n"
        "try:\n    database_at('postgresql://h/d')\n"
        "except Exception as error:\n    print(type(error).__name__, error.is_away, error)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith("DatabaseError False a Postgres needs the extra `postgres`")
