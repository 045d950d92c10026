"""The ledger in a file: kept once, kept safe, summed right, and refused where it cannot be used."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from infway.ledger.opening import LedgerError
from infway.ledger.rows import Row
from infway.ledger.sqlite import GROUPS, MIGRATIONS, SqliteLedger, summary

DAY = 86_400.0
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


def test_rows_are_read_back_as_they_were_written(path: Path):
    other = ROW._replace(request="r-2", attempt=1, start_ms=None, cost=9 * 10**18)
    write(path, ROW, other)
    assert rows(path) == [ROW, other]


def test_a_ledger_is_opened_again_with_what_it_held(path: Path):
    write(path, ROW)
    write(path, ROW._replace(attempt=1))
    assert len(rows(path)) == 2


def test_a_row_that_is_there_already_is_left_as_it_is(path: Path):
    write(path, ROW, ROW._replace(cost=7))
    write(path, ROW._replace(cost=8), ROW._replace(attempt=1))
    assert [row.cost for row in rows(path)] == [500, 500]


def test_a_batch_is_kept_whole_or_not_at_all(path: Path):
    ledger = SqliteLedger(path)
    ledger.open()
    with pytest.raises(LedgerError):
        ledger.append([ROW, ROW._replace(request="r-2", cost="much")])
    ledger.append([ROW._replace(request="r-3")])
    ledger.close()
    assert [row.request for row in rows(path)] == ["r-3"]


def test_workers_may_open_a_new_ledger_at_once(path: Path):
    def begin(number: int) -> None:
        write(path, ROW._replace(request=f"r-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(24)))
    assert len(rows(path)) == 24


def test_an_older_ledger_takes_the_steps_that_are_missing(path: Path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(MIGRATIONS[0])
        connection.execute("PRAGMA user_version = 1")
    write(path, ROW)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"entries", "entries_at"} <= names
    assert rows(path) == [ROW]


def test_a_ledger_of_a_newer_infway_is_refused(path: Path):
    write(path, ROW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="version 99"):
        SqliteLedger(path).open()
    assert rows(path) == [ROW]


@pytest.mark.parametrize("content", [b"this is no database, and never was one" * 100])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path: Path, content: bytes):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be opened"):
        SqliteLedger(path).open()
    with pytest.raises(LedgerError, match="cannot be read"):
        summary(path, "key", 0.0)
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be opened"):
        SqliteLedger(tmp_path / "file" / "ledger.db").open()


def test_a_ledger_that_is_not_open_says_so(path: Path):
    ledger = SqliteLedger(path)
    with pytest.raises(LedgerError, match="not open"):
        ledger.append([ROW])
    ledger.close()


def test_a_summary_needs_a_ledger(path: Path):
    with pytest.raises(LedgerError, match="cannot be read"):
        summary(path, "key", 0.0)


def test_a_synced_write_ahead_log_is_used(path: Path):
    ledger = SqliteLedger(path)
    ledger.open()
    assert ledger._opened().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._opened().execute("PRAGMA synchronous").fetchone() == (2,)
    ledger.close()


def test_usage_is_summed_by_every_group(path: Path):
    failed = ROW._replace(
        request="r-2", outcome="http_500", model="n", key="k2", at=DAY, cost=9, priced=0
    )
    tries = [
        ROW._replace(attempt=1),
        failed._replace(attempt=1, upstream="one"),
        failed._replace(attempt=2, upstream="two"),
    ]
    write(path, ROW, failed, *tries)
    assert set(GROUPS) == {"key", "model", "upstream", "day", "outcome"}
    lines = {by: summary(path, by, 0.0) for by in GROUPS}
    assert [line.group for line in lines["key"]] == ["key", "k2"]
    assert [line.group for line in lines["model"]] == ["model", "n"]
    assert [line.group for line in lines["day"]] == ["1970-01-01", "1970-01-02"]
    assert [line.group for line in lines["outcome"]] == ["ok", "http_500"]
    assert [(line.group, line.requests) for line in lines["upstream"]] == [
        ("up", 1),
        ("one", 1),
        ("two", 1),
    ]
    for by in ("key", "model", "day", "outcome"):
        assert sum(line.cost for line in lines[by]) == 509
        assert sum(line.requests for line in lines[by]) == 2
        assert sum(line.failed for line in lines[by]) == 1
        assert sum(line.unpriced for line in lines[by]) == 1
        assert sum(line.prompt_tokens for line in lines[by]) == 20


def test_a_summary_begins_where_it_is_told_to(path: Path):
    write(path, ROW, ROW._replace(request="r-2", at=DAY))
    assert [line.requests for line in summary(path, "key", DAY)] == [1]
    assert summary(path, "key", 2 * DAY) == []


def test_the_rows_of_one_request_are_found_by_attempt_while_others_write(path: Path):
    ledger = SqliteLedger(path)
    ledger.open()
    tries = [ROW._replace(attempt=2), ROW._replace(attempt=1)]
    ledger.append([*tries, ROW, ROW._replace(request="r-10")])
    ledger._opened().execute("BEGIN IMMEDIATE")
    assert ledger.rows_of("r-1") == [ROW, tries[1], tries[0]]
    assert ledger.rows_of("r-2") == []
    ledger._opened().execute("ROLLBACK")
    ledger.close()


def test_a_question_never_makes_a_ledger(path: Path):
    with pytest.raises(LedgerError, match="cannot be read"):
        SqliteLedger(path).rows_of("r-1")
    assert not path.exists()
