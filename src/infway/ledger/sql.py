"""The ledger over a database, SQLite or Postgres."""

from collections.abc import Sequence

from infway.database import Database, DatabaseError, Work
from infway.ledger.counting import COUNTERS, Dimension, Ids, count
from infway.ledger.fitting import fitting
from infway.ledger.rows import Row
from infway.ledger.tables import STEPS

_COLUMNS = ", ".join(Row._fields)
_INSERT = (
    f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608 - our own names
    " ON CONFLICT (request, attempt) DO NOTHING"
)
_OF_REQUEST = f"SELECT {_COLUMNS} FROM entries WHERE request = ? ORDER BY attempt"  # noqa: S608 - our own names
_FORGET = """
    DELETE FROM entries WHERE (request, attempt) IN (
        SELECT request, attempt FROM entries WHERE at < ? ORDER BY at LIMIT ?
    ) RETURNING 1
    """
_SUMS = ", ".join(COUNTERS)
# Every table with every column that is used: what a migration left half done fails here
_WHOLE = (
    f"SELECT {_COLUMNS} FROM entries",  # noqa: S608 - our own names
    f"SELECT dimension, hour, {_SUMS} FROM hours",  # noqa: S608 - our own names
    f"SELECT dimension, day, {_SUMS} FROM days",  # noqa: S608 - our own names
    f"SELECT id, {', '.join(Dimension._fields)} FROM dimensions",  # noqa: S608 - our own names
    "SELECT dimension, tag FROM dimension_tags",
    "SELECT holder, period, high, low FROM spent",
    "SELECT holder, period, owner, amount, expires FROM grants",
    "SELECT request, key, at, asked, asked_size, answered, answered_size FROM contents",
)


class _Again(Exception):
    """Some of the rows were there already; nothing was kept."""


class SqlLedger:
    """Rows, and the sums that go with them. The database is opened and closed by its owner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = Ids()

    def open(self) -> None:
        """Make or migrate the tables, and see that they are whole."""
        self._database.migrate("ledger", STEPS)
        try:
            for query in _WHOLE:
                self._database.read(f"{query} LIMIT 0")
        except DatabaseError as error:
            if error.is_away:
                raise
            raise DatabaseError(f"the ledger is not whole: {error}") from error

    def append(self, rows: Sequence[Row], owner: str = "") -> None:
        """Keep the rows and count them in one transaction; those that were there count nowhere."""
        single = {(row.request, row.attempt): fitting(row) for row in reversed(rows)}
        ordered = [single[place] for place in sorted(single)]
        try:
            with self._database.transaction() as work:
                if work.many(_INSERT, ordered) != len(ordered):
                    raise _Again
                ids = count(work, ordered, owner, self._ids)
        except _Again:
            with self._database.transaction() as work:
                ids = count(work, _new(work, ordered), owner, self._ids)
        self._ids.learn(ids)

    def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of one request."""
        return [Row(*row) for row in self._database.read(_OF_REQUEST, (request,))]

    def sweep(self, before: float, most: int) -> int:
        """Forget rows, oldest first, in a transaction that holds nobody up for long."""
        with self._database.transaction() as work:
            return len(work.run(_FORGET, (before, most)))

    def close(self) -> None:
        """There is nothing of its own to give back."""


def _new(work: Work, rows: Sequence[Row]) -> list[Row]:
    """Keep rows one by one; return those that were not there."""
    return [row for row in rows if work.run(f"{_INSERT} RETURNING 1", row)]
