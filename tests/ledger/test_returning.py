"""A journal that comes back when its rows are forgotten: none counts twice, and none is lost."""

import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.row import DAY, ROW
from tests.ledger.row import request as rows_of

from infway.database import Database
from infway.database.opening import database_at
from infway.ledger.purses import Purse
from infway.ledger.rows import Row
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.ledger.tables import STEPS

TOTAL = Purse("key:key", "total")
OLDER = f"INSERT INTO entries ({', '.join(Row._fields)}) VALUES ({', '.join('?' * len(ROW))})"
MARKS = "SELECT owner, request, attempt FROM forgotten ORDER BY owner, request, attempt"


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    ledger = SqlLedger(database)
    ledger.open()
    return ledger


def of_journal(name: str, at: float, journal: str = "dead") -> list[Row]:
    return rows_of(name, at=at, boot=journal)


def summed(database: Database) -> list[tuple[int, ...]]:
    """What was counted: of hours, of days, and what is spent."""
    tables = [("hours", "rows"), ("days", "rows"), ("hours", "low"), ("days", "low")]
    found = [database.read(f"SELECT sum({what}) FROM {table}")[0] for table, what in tables]
    return [*found, (Spending(database).spent(TOTAL),)]


def test_a_journal_that_comes_back_after_the_sweep_counts_no_row_again(
    ledger: SqlLedger, database: Database
):
    written = [row for day in range(4) for row in of_journal(f"r-{day}", day * DAY)]
    ledger.hold("dead", 0.0)
    ledger.append(written, "dead")
    before = summed(database)
    assert ledger.sweep(2 * DAY, 100) == 4
    ledger.append(written, "dead")
    assert summed(database) == before
    assert database.read("SELECT count(*) FROM entries") == [(4,)]
    never = of_journal("never-written", 0.5 * DAY)
    ledger.append([*written, *never], "dead")
    assert summed(database)[0] == (before[0][0] + 2,)
    assert summed(database)[-1] == (before[-1][0] + ROW.cost,)
    assert ledger.rows_of("never-written") == sorted(never)


def test_marks_stay_as_long_as_a_journal_may_come_back_and_no_longer(
    ledger: SqlLedger, database: Database
):
    ledger.hold("dead", 0.0)
    ledger.hold("live", DAY)
    for name, journal, at in (("a", "dead", 0.0), ("b", "live", 0.5 * DAY), ("c", "live", DAY)):
        ledger.append(of_journal(name, at, journal), journal)
    ledger.append(of_journal("d", 0.0, "gone"), "gone")
    ledger.sweep(2 * DAY, 100)
    marked = [("dead", "a", 0), ("dead", "a", 1), ("live", "c", 0), ("live", "c", 1)]
    assert database.read(MARKS) == marked
    ledger.hold("live", 1.5 * DAY)
    ledger.sweep(2 * DAY, 100)
    assert database.read(MARKS) == marked[:2]
    ledger.hold("dead", None)
    ledger.sweep(2 * DAY, 100)
    assert database.read(MARKS) == []
    assert database.read("SELECT owner FROM journals") == [("live",)]


def test_rows_that_come_back_while_they_are_forgotten_count_no_second_time(
    two: tuple[Database, Database],
):
    ledger, returned = SqlLedger(two[0]), of_journal("r", 0.0)
    ledger.open()
    ledger.hold("dead", 0.0)
    ledger.append(returned, "dead")
    before = summed(two[0])
    coming = threading.Thread(target=SqlLedger(two[1]).append, args=(returned, "dead"))
    with two[0].transaction() as work:
        gone = work.run("DELETE FROM entries RETURNING boot, request, attempt, at")
        coming.start()
        while not work.run("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            work.run("SELECT pg_stat_clear_snapshot()")
        work.many("INSERT INTO forgotten VALUES (?, ?, ?, ?)", gone)
    coming.join()
    assert summed(two[0]) == before
    assert two[0].read("SELECT count(*) FROM entries") == [(0,)]


def test_a_ledger_from_before_journals_were_noted_is_taken_over(place: str | Path):
    with closing(database_at(place)) as database:
        database.open()
        database.migrate("ledger", STEPS[:-2])
        with database.transaction() as work:
            work.run(OLDER, ROW)
        ledger = SqlLedger(database)
        ledger.open()
        assert [row.request for row in ledger.rows_of("r-1")] == ["r-1"]
        test_marks_stay_as_long_as_a_journal_may_come_back_and_no_longer(ledger, database)
