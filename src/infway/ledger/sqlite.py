"""The ledger in a SQLite file, and the questions `infway usage` asks of it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from infway.ledger.opening import LedgerError, opened
from infway.ledger.rows import Row

# Steps that were published are never changed; a new one is added at the end.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE entries (
        request TEXT NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL,
        key TEXT NOT NULL, model TEXT NOT NULL, upstream TEXT NOT NULL,
        outcome TEXT NOT NULL, status INTEGER NOT NULL, stream INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
        cost INTEGER NOT NULL, estimated INTEGER NOT NULL, priced INTEGER NOT NULL,
        start_ms INTEGER, end_ms INTEGER NOT NULL,
        PRIMARY KEY (request, attempt)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX entries_at ON entries (at)",
    "ALTER TABLE entries ADD COLUMN rescue TEXT NOT NULL DEFAULT ''",
)
_INSERT = f"INSERT OR IGNORE INTO entries VALUES ({','.join('?' * len(Row._fields))})"  # noqa: S608 - only question marks
_OF_REQUEST = f"SELECT {','.join(Row._fields)} FROM entries WHERE request = ? ORDER BY attempt"  # noqa: S608 - its own names

GROUPS: dict[str, str] = {
    "key": "key",
    "model": "model",
    "upstream": "upstream",
    "day": "date(at, 'unixepoch')",
    "outcome": "outcome",
}


class SqliteLedger:
    """Rows in one file; safe against a crash of the process and of the machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create or migrate the file."""
        self._connection = opened(self._path, "the ledger", MIGRATIONS, ["synchronous = FULL"])

    def append(self, rows: Sequence[Row]) -> None:
        """Keep the rows in one transaction; raises LedgerError where the file refuses them."""
        connection = self._opened()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(_INSERT, rows)
            except sqlite3.Error:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise LedgerError(f"the ledger {self._path} cannot be written: {error}") from error

    def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of one request, read beside whoever writes, of this process or another."""
        return [Row(*row) for row in _read(self._path, _OF_REQUEST, request)]

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise LedgerError("the ledger is not open")
        return self._connection


class Line(NamedTuple):
    """One group of the usage summary. `cost`: 10^-12 USD."""

    group: str
    requests: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: int
    unpriced: int


def summary(path: Path, by: str, since: float) -> list[Line]:
    """Return what was used since `since` (Unix seconds), grouped `by` a name of GROUPS.

    Money and tokens come from request rows by every group but `upstream`, where the attempts
    count. Raises LedgerError where there is no ledger to read.
    """
    rows = "attempt > 0" if by == "upstream" else "attempt = 0"
    query = (
        f"SELECT {GROUPS[by]} AS grouped, count(*), sum(outcome <> 'ok'), sum(prompt_tokens),"  # noqa: S608 - from GROUPS
        f" sum(completion_tokens), sum(cost), sum(NOT priced) FROM entries"
        f" WHERE {rows} AND at >= ? GROUP BY grouped ORDER BY sum(cost) DESC, grouped"
    )
    return [Line(*row) for row in _read(path, query, since)]


def _read(path: Path, query: str, value: object) -> list[Any]:
    """Return what a query with one value finds; the connection cannot write."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            return connection.execute(query, (value,)).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
