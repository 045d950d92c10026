"""The ledger: rows kept once, kept safe and counted right, in either database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.row import DAY, HOUR, ROW, request
from tests.ledger.sums import assert_sums_equal_rows

from infway.database import Database, DatabaseError, NewerError
from infway.database.opening import database_at
from infway.database.steps import ALONE, see_version, take_steps
from infway.ledger.rows import Row, tags_of, tags_text
from infway.ledger.sql import SqlLedger
from infway.ledger.tables import STEPS

READ = f"SELECT {', '.join(Row._fields)} FROM entries ORDER BY request, attempt"


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    ledger = SqlLedger(database)
    ledger.open()
    return ledger


def rows(database: Database) -> list[Row]:
    return [Row(*row) for row in database.read(READ)]


def test_rows_are_read_back_as_they_were_written(ledger: SqlLedger, database: Database):
    full = Row(
        "r-2", 1, 1.5, "k", "m", "u", "http_500", 500, 0, 1, 2, 3, 4, 9 * 10**18, 1, 0, None, 7,
        "splice", "org", "project", '["a", "ü"]', 5, "native", "boot-1", 12.25,
    )  # fmt: skip
    ledger.append([ROW, full])
    assert rows(database) == [ROW, full]
    assert_sums_equal_rows(database)


def test_tags_are_kept_in_order_and_once():
    assert tags_of(tags_text(("b", "a", "b", '"'))) == ('"', "a", "b")
    assert tags_text(()) == ROW.tags == "[]"


def test_a_ledger_is_opened_again_with_what_it_held(place: str | Path):
    for attempt in (0, 1):
        with closing(database_at(place)) as database:
            database.open()
            ledger = SqlLedger(database)
            ledger.open()
            ledger.append([ROW._replace(attempt=attempt)])
            ledger.close()
            assert len(rows(database)) == attempt + 1
            assert_sums_equal_rows(database)


def test_a_row_that_is_there_already_is_left_as_it_is_and_counted_once(
    ledger: SqlLedger, database: Database
):
    ledger.append([ROW, ROW._replace(cost=7)])
    ledger.append([ROW._replace(cost=8), ROW._replace(attempt=1)])
    ledger.append([ROW])
    ledger.append([])
    assert [row.cost for row in rows(database)] == [500, 500]
    assert_sums_equal_rows(database)


def test_a_batch_is_kept_whole_or_not_at_all(ledger: SqlLedger, database: Database):
    with pytest.raises(DatabaseError):
        ledger.append([ROW, ROW._replace(request="r-2", end_ms="long")])  # type: ignore[arg-type] # on purpose
    assert rows(database) == []
    ledger.append([ROW._replace(request="r-3")])
    assert [row.request for row in rows(database)] == ["r-3"]
    assert_sums_equal_rows(database)


def test_what_no_database_can_hold_is_made_to_fit(ledger: SqlLedger, database: Database):
    odd = ROW._replace(model="a\0b\ud800", prompt_tokens=10**30, cached_tokens=-5, cost=10**30)
    ledger.append([odd, odd._replace(request="r-2")])
    kept = rows(database)
    assert [(row.model, row.prompt_tokens, row.cached_tokens) for row in kept] == [
        ("a\ufffdb?", 10**12, 0)
    ] * 2
    assert {row.cost for row in kept} == {2**63 - 1}
    assert_sums_equal_rows(database)


WORDS = ("key", "model", "upstream", "native", "organisation", "project")
ANY = st.text(st.characters(exclude_categories=()), max_size=8)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.fixed_dictionaries(dict.fromkeys(WORDS, ANY)), st.lists(ANY, max_size=3).map(tuple))
def test_no_word_of_a_row_holds_up_the_others(
    ledger: SqlLedger, database: Database, words: dict[str, str], tags: tuple[str, ...]
):
    before = len(rows(database))
    odd = ROW._replace(request=f"r-{before}", tags=tags_text(tags), **words)
    ledger.append([odd, odd._replace(request=f"r-{before + 1}", model="m")])
    assert len(rows(database)) == before + 2


def test_processes_may_open_a_new_ledger_at_once(place: str | Path):
    def begin(number: int) -> None:
        with closing(database_at(place)) as database:
            database.open()
            ledger = SqlLedger(database)
            ledger.open()
            ledger.append(request(f"r-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(24)))
    with closing(database_at(place)) as database:
        database.open()
        assert len(rows(database)) == 48
        assert_sums_equal_rows(database)


def test_the_same_rows_from_several_processes_at_once_count_once(place: str | Path):
    batches = [request(f"r-{number}", tags=["t"], key=f"k{number % 3}") for number in range(40)]

    def write(backwards: int) -> None:
        with closing(database_at(place)) as database:
            database.open()
            ledger = SqlLedger(database)
            ledger.open()
            for start in range(0, 40, 4):
                part = [row for batch in batches[start : start + 4] for row in batch]
                ledger.append(part[::-1] if backwards % 2 else part)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    with closing(database_at(place)) as database:
        database.open()
        assert len(rows(database)) == 80
        assert_sums_equal_rows(database)


def test_the_rows_of_one_request_are_found_by_attempt_while_others_write(
    ledger: SqlLedger, database: Database
):
    tries = [ROW._replace(attempt=2), ROW._replace(attempt=1)]
    ledger.append([*tries, ROW, ROW._replace(request="r-10")])
    with database.transaction() as work:
        work.run("UPDATE entries SET cost = 0")
        assert ledger.rows_of("r-1") == [ROW, tries[1], tries[0]]
    assert ledger.rows_of("r-2") == []


def test_rows_are_forgotten_oldest_first_and_sums_stay(ledger: SqlLedger, database: Database):
    old = [row for number in range(10) for row in request(f"r-{number}", at=DAY * number)]
    ledger.append(old)
    before = database.read("SELECT sum(rows), sum(low), sum(high) FROM days")
    spent = database.read("SELECT * FROM spent ORDER BY holder, period")
    assert ledger.sweep(DAY * 5, 4) == 4
    assert [row.request for row in rows(database)][:2] == ["r-2", "r-2"]
    assert ledger.sweep(DAY * 5, 100) == 6
    assert ledger.sweep(DAY * 5, 100) == 0
    assert len(rows(database)) == 10
    assert database.read("SELECT sum(rows), sum(low), sum(high) FROM days") == before
    assert database.read("SELECT * FROM spent ORDER BY holder, period") == spent


def test_a_ledger_of_a_newer_infway_is_refused(ledger: SqlLedger, database: Database):
    ledger.append([ROW])
    with database.transaction() as work:
        work.run("UPDATE infway_versions SET version = 99 WHERE room = 'ledger'")
    with pytest.raises(DatabaseError, match="version 99") as told:
        SqlLedger(database).open()
    assert not told.value.is_away
    assert rows(database) == [ROW]


def set_version(database: Database, version: int, room: str = "ledger") -> None:
    with database.transaction() as work:
        work.run("UPDATE infway_versions SET version = ? WHERE room = ?", (version, room))


def test_a_ledger_that_a_newer_infway_migrates_meanwhile_is_not_written(
    ledger: SqlLedger, database: Database
):
    ledger.append([ROW])
    set_version(database, 99)
    for write in (
        lambda: ledger.append([ROW._replace(request="r-2")], "me"),
        lambda: ledger.hold("me", 1.0),
        lambda: ledger.sweep(DAY * 1000, 10),
    ):
        with pytest.raises(NewerError, match="ledger is of version 99") as told:
            write()
        assert not told.value.is_away
    assert rows(database) == [ROW]
    assert database.read("SELECT * FROM journals") == []
    set_version(database, len(STEPS))
    ledger.append([ROW._replace(request="r-2")], "me")
    assert len(rows(database)) == 2


def test_who_writes_waits_for_a_migration_that_goes_on(two: tuple[Database, Database]):
    mine, theirs = two
    ledger = SqlLedger(mine)
    ledger.open()
    with ThreadPoolExecutor(1) as pool:
        with theirs.transaction() as work:
            work.run(ALONE)
            take_steps(work, "ledger", [*STEPS, "ALTER TABLE entries ADD COLUMN more INTEGER"])
            writing = pool.submit(ledger.append, [ROW])
        with pytest.raises(NewerError):
            writing.result(20)
    assert rows(mine) == []


def test_who_starts_waits_for_nobody_who_writes(two: tuple[Database, Database]):
    mine, theirs = two
    SqlLedger(mine).open()
    with theirs.transaction() as work:
        see_version(work, "ledger", STEPS)
        SqlLedger(mine).open()


@pytest.mark.parametrize(
    "broken",
    ["ALTER TABLE entries DROP COLUMN native", "DROP TABLE dimension_tags", "DROP TABLE contents"],
)
def test_a_migration_that_was_left_half_done_is_refused_and_left_alone(
    ledger: SqlLedger, database: Database, broken: str
):
    ledger.append([ROW])
    with database.transaction() as work:
        work.run(broken)
    with pytest.raises(DatabaseError, match="not whole") as told:
        SqlLedger(database).open()
    assert not told.value.is_away
    assert database.read("SELECT request FROM entries") == [("r-1",)]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    with closing(database_at(tmp_path_factory.mktemp("several") / "ledger.db")) as database:
        database.open()
        ledger = SqlLedger(database)
        ledger.open()
        yield ledger


ANY_ROW = st.builds(
    lambda number, attempt, at, key, outcome, tags, cost, priced: ROW._replace(
        request=f"r-{number}", attempt=attempt, at=at, key=key, outcome=outcome,
        tags=tags_text(tuple(tags)), cost=cost, priced=priced, project=key.upper(),
    ),
    st.integers(0, 30),
    st.integers(0, 2),
    st.sampled_from([0.0, 1.0, HOUR - 0.001, HOUR, DAY - 1, DAY, 31 * DAY, 1e9]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["ok", "http_500"]),
    st.lists(st.sampled_from(["x", "y"])),
    st.integers(0, 2**63 - 1),
    st.integers(0, 1),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(ANY_ROW, max_size=12), max_size=6))
def test_sums_equal_rows_whatever_comes_however_often(several: SqlLedger, batches: list[list[Row]]):
    for batch in batches:
        several.append(batch)
        assert_sums_equal_rows(several._database)
