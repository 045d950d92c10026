"""Kept responses in a SQLite file, or in memory where no file is named."""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infway.ledger.opening import LedgerError, opened
from infway.ledger.responses import RUNNING, Kept, TooLarge

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
_READ = "BEGIN"
_LONGEST = 10_000  # turns of one conversation that are followed back
_SIZE = "length(responses.response) + length(responses.input)"
_CHAIN = f"""
    WITH RECURSIVE chain (id, turn) AS (
        VALUES (?, 0)
        UNION ALL
        SELECT previous, turn + 1 FROM chain JOIN responses USING (id)
        WHERE previous IS NOT NULL AND turn < {_LONGEST}
    )
    SELECT {{}} FROM chain LEFT JOIN responses
    ON responses.id = chain.id AND responses.key = ?
    """  # noqa: S608 - our own number
_TURNS = _CHAIN.format(_OF_TABLE) + "ORDER BY turn DESC"
_TURNS_SIZE = _CHAIN.format(f"total({_SIZE})")
_HOLDER = f"""
    SELECT responses.id, {_SIZE} FROM items JOIN responses ON responses.id = items.response
    WHERE items.item = ? AND responses.key = ? ORDER BY responses.created DESC LIMIT 1
    """  # noqa: S608 - our own columns
_FIND = f"SELECT {_COLUMNS} FROM responses WHERE id = ? AND key = ?"  # noqa: S608 - our own columns
_HELD = f"SELECT sum({_SIZE}) AS held FROM responses GROUP BY key ORDER BY held"  # noqa: S608 - our own columns
_FORGET = f"""
    DELETE FROM responses WHERE id IN (
        SELECT id FROM (
            SELECT id, sum({_SIZE})
                OVER (PARTITION BY key ORDER BY created DESC, id DESC) AS filled FROM responses
        ) WHERE filled > ?
    )
    """  # noqa: S608 - our own columns


class SqliteResponses:
    """Kept responses in one file, which several processes may share."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create or migrate the file."""
        settings = ["synchronous = NORMAL", "foreign_keys = ON"]
        self._connection = opened(self._path, "the responses file", _MIGRATIONS, settings)

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
        with self._transaction(_READ) as connection:
            row = connection.execute(_FIND, (id_, key)).fetchone()
        return None if row is None else Kept(*row)

    def chain(self, id_: str, key: str, limit: int) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing.

        Raises TooLarge where they have more than `limit` bytes, before any is read.
        """
        with self._transaction(_READ) as connection:
            _check(connection.execute(_TURNS_SIZE, (id_, key)).fetchone()[0], limit)
            rows = connection.execute(_TURNS, (id_, key)).fetchall()
        return [] if any(row[0] is None for row in rows) else [Kept(*row) for row in rows]

    def holders(self, items: Sequence[str], key: str, limit: int) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids, each read once.

        Raises TooLarge where they have more than `limit` bytes, before any is read.
        """
        with self._transaction(_READ) as connection:
            rows = {item: connection.execute(_HOLDER, (item, key)).fetchone() for item in items}
            places = {item: row for item, row in rows.items() if row is not None}
            sizes: dict[str, int] = dict(places.values())
            _check(sum(sizes.values()), limit)
            read = {id_: Kept(*connection.execute(_FIND, (id_, key)).fetchone()) for id_ in sizes}
        return {item: read[id_] for item, (id_, _) in places.items()}

    def remove(self, id_: str, key: str) -> bool:
        """Forget a response."""
        with self._transaction() as connection:
            query = "DELETE FROM responses WHERE id = ? AND key = ?"
            return connection.execute(query, (id_, key)).rowcount > 0

    def sweep(self, before: float, size: int) -> int:
        """Forget what is older than `before`, and what is beyond `size` bytes; return how many.

        Room is shared fairly: the oldest of the keys that hold most go first.
        """
        with self._transaction() as connection:
            gone = connection.execute("DELETE FROM responses WHERE created < ?", (before,)).rowcount
            held = [row[0] for row in connection.execute(_HELD)]
            if sum(held) <= size:
                return gone
            return gone + connection.execute(_FORGET, (_share(held, size),)).rowcount

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


def _check(size: float, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"{size:.0f} bytes are more than the {limit} that may be read")


def _share(held: Sequence[int], size: int) -> int:
    """Return the bytes that each key may keep. `held`: those of each, smallest first.

    What the small ones leave of their share, the others get.
    """
    for place, mine in enumerate(held):
        share = size // (len(held) - place)
        if mine > share:
            return share
        size -= mine
    return held[-1]


def _insert(connection: sqlite3.Connection, kept: Kept) -> None:
    query = f"INSERT OR REPLACE INTO responses ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608 - our own columns
    connection.execute(query, kept[:8])
    rows = [(item, kept.id) for item in kept.items]
    connection.executemany("INSERT OR IGNORE INTO items VALUES (?, ?)", rows)
