"""The ledger over a database, SQLite or Postgres."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from infway.database import Database, DatabaseError, Work
from infway.database.steps import see_version
from infway.ledger.counting import COUNTERS, Dimension, Ids, count
from infway.ledger.fitting import fitting
from infway.ledger.returning import Place, forgotten, hold, remember
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
    ) RETURNING request, attempt, boot, at
    """
_ASKED = 200  # requests of one question
_THERE = f"SELECT request, attempt FROM entries WHERE request IN ({', '.join('?' * _ASKED)})"  # noqa: S608 - our own
_REMOVE = "DELETE FROM entries WHERE request = ? AND attempt = ?"
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
    "SELECT owner, since FROM journals",
    "SELECT owner, request, attempt, at FROM forgotten",
)


class _Again(Exception):
    """Some of the rows are, or were, there already; nothing was kept."""


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
        """Keep the rows and count them in one transaction; those that were there count nowhere.

        Nor do those that are forgotten since.
        """
        single = {(row.request, row.attempt): fitting(row) for row in reversed(rows)}
        ordered = [single[place] for place in sorted(single)]
        for keep in (_all, _missing, _one_by_one):
            with suppress(_Again):
                with self._writing() as work:
                    ids = count(work, keep(work, ordered, owner), owner, self._ids)
                self._ids.learn(ids)
                return

    def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of one request."""
        return [Row(*row) for row in self._database.read(_OF_REQUEST, (request,))]

    def sweep(self, before: float, most: int) -> int:
        """Forget rows, oldest first, in a transaction that holds nobody up for long."""
        with self._writing() as work:
            rows = work.run(_FORGET, (before, most))
            remember(work, rows)
            return len(rows)

    def hold(self, owner: str, since: float | None) -> None:
        """Note which rows the journal of a process may bring once more."""
        with self._writing() as work:
            hold(work, owner, since)

    @contextmanager
    def _writing(self) -> Generator[Work, None, None]:
        """Begin a transaction; raises NewerError where a newer infway has changed the tables."""
        with self._database.transaction() as work:
            see_version(work, "ledger", STEPS)
            yield work

    def close(self) -> None:
        """There is nothing of its own to give back."""


def _all(work: Work, rows: Sequence[Row], owner: str) -> Sequence[Row]:
    """Keep rows of which none was there before."""
    if work.many(_INSERT, rows) != len(rows):
        raise _Again
    if not forgotten(work, owner).isdisjoint(row[:2] for row in rows):
        raise _Again
    return rows


def _missing(work: Work, rows: Sequence[Row], owner: str) -> Sequence[Row]:
    """Keep rows of which some were there before; return the others.

    A journal that is taken over brings thousands of rows that are there: one question for many.
    """
    there: set[Place] = set()
    requests = sorted({row.request for row in rows})
    for start in range(0, len(requests), _ASKED):
        asked = requests[start : start + _ASKED]
        there.update(work.run(_THERE, asked + asked[-1:] * (_ASKED - len(asked))))
    new = [row for row in rows if row[:2] not in there]
    if work.many(_INSERT, new) != len(new):
        raise _Again
    return _never_there(work, new, owner)


def _one_by_one(work: Work, rows: Sequence[Row], owner: str) -> Sequence[Row]:
    """Keep rows that another process may be keeping right now; return those that were not there."""
    new = [row for row in rows if work.run(f"{_INSERT} RETURNING 1", row)]
    return _never_there(work, new, owner)


def _never_there(work: Work, kept: Sequence[Row], owner: str) -> Sequence[Row]:
    """Return rows without those that are forgotten, which are removed again."""
    known = forgotten(work, owner)
    work.many(_REMOVE, [row[:2] for row in kept if row[:2] in known])
    return [row for row in kept if row[:2] not in known]
