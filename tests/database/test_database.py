"""The database: the same promises whatever keeps them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from infway.database import Database, DatabaseError, Work
from infway.database.opening import database_at

TABLE = "CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID"
PUT = "INSERT INTO things VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
ALL = "SELECT name, size FROM things ORDER BY name"


@pytest.fixture
def things(database: Database) -> Database:
    database.migrate("things", [TABLE])
    return database


def test_what_a_transaction_wrote_is_read(things: Database):
    with things.transaction() as work:
        work.run(PUT, ("a", 1))
    assert things.read(ALL) == [("a", 1)]
    assert things.read("SELECT size FROM things WHERE name = ?", ("a",)) == [(1,)]
    assert things.read("SELECT size FROM things WHERE name = ?", ("b",)) == []


def test_a_transaction_sees_what_it_wrote_and_others_do_not_yet(things: Database):
    with things.transaction() as work:
        work.run(PUT, ("a", 1))
        assert work.run(ALL) == [("a", 1)]
        assert things.read(ALL) == []


def test_a_transaction_that_fails_leaves_nothing(things: Database):
    def write(second: object) -> None:
        with things.transaction() as work:
            work.run(PUT, ("a", 1))
            if second is None:
                raise KeyError
            work.run(PUT, ("b", None))

    with pytest.raises(KeyError):
        write(None)
    with pytest.raises(DatabaseError) as told:
        write("b")
    assert not told.value.is_away
    assert things.read(ALL) == []
    with things.transaction() as work:
        work.run(PUT, ("c", 3))
    assert things.read(ALL) == [("c", 3)]


def test_many_rows_are_counted_without_those_that_were_there(things: Database):
    with things.transaction() as work:
        assert work.many(PUT, []) == 0
        assert work.many(PUT, [("a", 1), ("b", 2), ("a", 3)]) == 2
        assert work.many(PUT, [("b", 1), ("c", 2)]) == 1
        assert work.many("DELETE FROM things WHERE name = ?", [("a",), ("b",), ("x",)]) == 2


def test_a_statement_returns_what_it_did(things: Database):
    with things.transaction() as work:
        assert work.run(f"{PUT} RETURNING size", ("a", 1)) == [(1,)]
        assert work.run(f"{PUT} RETURNING size", ("a", 1)) == []
        assert work.run("DELETE FROM things RETURNING name") == [("a",)]


def test_values_come_back_as_they_went(things: Database):
    step = "CREATE TABLE values_ (i INTEGER, r REAL, t TEXT, b BLOB) STRICT"
    things.migrate("values", [step])
    row = (2**63 - 1, 0.1, "ü '?' % %s 漢", bytes(range(256)))
    with things.transaction() as work:
        work.run("INSERT INTO values_ VALUES (?, ?, ?, ?)", row)
        work.run("INSERT INTO values_ VALUES (?, ?, ?, ?)", (None, None, None, None))
    assert things.read("SELECT * FROM values_ WHERE i IS NOT NULL") == [row]
    assert things.read("SELECT t FROM values_ WHERE t LIKE '%? ''?'' \\%%'") == []
    assert things.read("SELECT '100 %', '?', 7 % 4") == [("100 %", "?", 3)]


def test_sums_are_whole_numbers(things: Database):
    with things.transaction() as work:
        work.many(PUT, [("a", 2**61), ("b", 2**61)])
    ((total,),) = things.read("SELECT sum(size) FROM things")
    assert (total, type(total)) == (2**62, int)


def test_steps_are_taken_once_and_in_order(database: Database):
    steps = [TABLE, "INSERT INTO things VALUES ('a', 1)"]
    database.migrate("things", steps)
    database.migrate("things", steps)
    assert database.read(ALL) == [("a", 1)]

    def double(work: Work) -> None:
        work.run("UPDATE things SET size = size * 2")

    database.migrate("things", [*steps, double])
    database.migrate("other", ["CREATE TABLE others (name TEXT)"])
    assert database.read(ALL) == [("a", 2)]


def test_steps_are_taken_all_or_none(database: Database):
    with pytest.raises(DatabaseError) as told:
        database.migrate("things", [TABLE, "INSERT INTO nothing VALUES (1)"])
    assert not told.value.is_away
    with pytest.raises(DatabaseError):
        database.read(ALL)
    database.migrate("things", [TABLE])
    assert database.read(ALL) == []


def test_a_room_that_is_newer_than_this_infway_is_refused(things: Database):
    things.migrate("things", [TABLE, "INSERT INTO things VALUES ('a', 1)"])
    with pytest.raises(DatabaseError, match="things is of version 2; this infway knows 1") as told:
        things.migrate("things", [TABLE])
    assert not told.value.is_away


def test_processes_may_migrate_at_once(place: str | Path):
    def begin(_: int) -> None:
        with closing(database_at(place)) as database:
            database.open()
            database.migrate("things", [TABLE, "INSERT INTO things VALUES ('a', 1)"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(16)))
    with closing(database_at(place)) as database:
        database.open()
        assert database.read(ALL) == [("a", 1)]


@pytest.mark.parametrize("threads", [8])
def test_threads_write_and_read_at_once(things: Database, threads: int):
    def add(number: int) -> None:
        with things.transaction() as work:
            work.run(PUT, ("sum", 0))
            ((size,),) = work.run("SELECT size FROM things WHERE name = 'sum' FOR UPDATE")
            work.run("UPDATE things SET size = ? WHERE name = 'sum'", (size + number,))
        things.read(ALL)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add, range(100)))
    assert things.read(ALL) == [("sum", 4950)]


def test_a_database_is_opened_again_with_what_it_held(things: Database):
    with things.transaction() as work:
        work.run(PUT, ("a", 1))
    things.close()
    things.close()
    things.open()
    things.open()
    assert things.read(ALL) == [("a", 1)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda database: database.read("SELECT nonsense"),
        lambda database: database.read("SELECT name FROM things WHERE size = ?"),
        lambda database: database.migrate("more", ["CREATE nonsense"]),
    ],
)
def test_what_makes_no_sense_is_no_reason_to_come_again(
    things: Database, ask: Callable[[Database], object]
):
    with pytest.raises(DatabaseError) as told:
        ask(things)
    assert not told.value.is_away
    assert things.read(ALL) == []


@pytest.mark.parametrize(
    "values", [("big", 2**63), ("small", -(2**63) - 1), ("\ud800", 1)], ids=ascii
)
def test_a_value_that_no_database_takes_is_told_as_such(
    things: Database, values: tuple[str, int]
) -> None:
    def write(many: bool) -> None:
        with things.transaction() as work:
            work.run(PUT, ("before", 1))
            if many:
                work.many(PUT, [values, ("other", 2)])
            else:
                work.run(PUT, values)

    asked = "SELECT size FROM things WHERE name = ? OR size = ?"
    for ask in (lambda: things.read(asked, values), lambda: write(False), lambda: write(True)):
        with pytest.raises(DatabaseError) as told:
            ask()
        assert not told.value.is_away
        assert things.read(ALL) == []
