"""Kept responses in a SQLite file, or in memory where no file is named."""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infway.ledger.responses import RUNNING, Kept
from infway.ledger.sqlite import LedgerError

# Steps that were published are never changed; a new one is added at the end.
_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE responses (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, created REAL NOT NULL, touched REAL NOT NULL,
        status TEXT NOT NULL, previous TEXT, response BLOB NOT NULL, input BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX responses_created ON responses (created)",
    """
    CREATE TABLE items (
        item TEXT NOT NULL, response TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
        PRIMARY KEY (item, response)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX items_response ON items (response)",
)
_COLUMNS = "id, key, created, touched, status, previous, response, input"
_OF_TABLE = ", ".join(f"responses.{name}" for name in _COLUMNS.split(", "))
_STILL = f"status IN ({', '.join(repr(word) for word in RUNNING)})"
_MEMORY = ":memory:"
_READ = "BEGIN"
_LONGEST = 10_000  # turns of one conversation that are followed back


class SqliteResponses:
    """Kept responses in one file, which several processes may share."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create or migrate the file."""
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path or _MEMORY, isolation_level=None, check_same_thread=False, timeout=5.0
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
                _migrate(connection)
            except (sqlite3.Error, LedgerError):
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(f"the responses in {self._path} cannot be opened: {error}") from error
        self._connection = connection

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, kept: Sequence[Kept]) -> None:
        """Keep responses in one transaction."""
        with self._transaction() as connection:
            for one in kept:
                _insert(connection, one)

    def finish(self, kept: Kept) -> bool:
        """Replace a response that is still being made."""
        with self._transaction() as connection:
            query = f"SELECT 1 FROM responses WHERE id = ? AND {_STILL}"  # noqa: S608 - words of RUNNING
            if connection.execute(query, (kept.id,)).fetchone() is None:
                return False
            _insert(connection, kept)
            return True

    def touch(self, id_: str, status: str, now: float) -> bool:
        """Say that somebody is at a response."""
        query = f"UPDATE responses SET touched = ?, status = ? WHERE id = ? AND {_STILL}"  # noqa: S608 - words of RUNNING
        with self._transaction() as connection:
            return connection.execute(query, (now, status, id_)).rowcount > 0

    def find(self, id_: str, key: str) -> Kept | None:
        """Return a response of a key."""
        query = f"SELECT {_COLUMNS} FROM responses WHERE id = ? AND key = ?"  # noqa: S608 - our own columns
        with self._transaction(_READ) as connection:
            row = connection.execute(query, (id_, key)).fetchone()
        return None if row is None else Kept(*row)

    def chain(self, id_: str, key: str) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing."""
        query = f"""
            WITH RECURSIVE chain (id, turn) AS (
                VALUES (?, 0)
                UNION ALL
                SELECT previous, turn + 1 FROM chain JOIN responses USING (id)
                WHERE previous IS NOT NULL AND turn < {_LONGEST}
            )
            SELECT {_OF_TABLE} FROM chain LEFT JOIN responses
            ON responses.id = chain.id AND responses.key = ? ORDER BY turn DESC
            """  # noqa: S608 - our own columns
        with self._transaction(_READ) as connection:
            rows = connection.execute(query, (id_, key)).fetchall()
        return [] if any(row[0] is None for row in rows) else [Kept(*row) for row in rows]

    def holders(self, items: Sequence[str], key: str) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids."""
        query = f"""
            SELECT items.item, {_OF_TABLE} FROM items JOIN responses ON responses.id = items.response
            WHERE items.item = ? AND responses.key = ? ORDER BY responses.created DESC LIMIT 1
            """  # noqa: S608 - our own columns
        with self._transaction(_READ) as connection:
            found = [connection.execute(query, (item, key)).fetchone() for item in items]
        return {row[0]: Kept(*row[1:]) for row in found if row is not None}

    def remove(self, id_: str, key: str) -> bool:
        """Forget a response."""
        with self._transaction() as connection:
            query = "DELETE FROM responses WHERE id = ? AND key = ?"
            return connection.execute(query, (id_, key)).rowcount > 0

    def sweep(self, before: float, size: int) -> int:
        """Forget what is older than `before`, and the oldest beyond `size` bytes."""
        with self._transaction() as connection:
            gone = connection.execute("DELETE FROM responses WHERE created < ?", (before,)).rowcount
            query = """
                DELETE FROM responses WHERE id IN (
                    SELECT id FROM (
                        SELECT id, sum(length(response) + length(input))
                            OVER (ORDER BY created DESC, id DESC) AS filled FROM responses
                    ) WHERE filled > ?
                )
                """
            return gone + connection.execute(query, (size,)).rowcount

    @contextmanager
    def _transaction(
        self, begin: str = "BEGIN IMMEDIATE"
    ) -> Generator[sqlite3.Connection, None, None]:
        connection = self._connection
        if connection is None:
            raise LedgerError("the kept responses are not open")
        try:
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise LedgerError(f"the responses in {self._path} cannot be used: {error}") from error


def _insert(connection: sqlite3.Connection, kept: Kept) -> None:
    query = f"INSERT OR REPLACE INTO responses ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608 - our own columns
    connection.execute(query, kept[:8])
    rows = [(item, kept.id) for item in kept.items]
    connection.executemany("INSERT OR IGNORE INTO items VALUES (?, ?)", rows)


def _migrate(connection: sqlite3.Connection) -> None:
    """Take every step that is missing, in one transaction: workers may start at once."""
    connection.execute("BEGIN IMMEDIATE")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise LedgerError(
            f"the kept responses are of version {version}; this infway knows {len(_MIGRATIONS)}"
        )
    for step in _MIGRATIONS[version:]:
        connection.execute(step)
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    connection.execute("COMMIT")
