"""What was asked and answered, word for word, where that is switched on; nothing by default."""

from collections.abc import Sequence
from typing import NamedTuple

from infway.database import Database
from infway.ledger.tables import STEPS

_COLUMNS = "request, key, at, asked, asked_size, answered, answered_size"
_INSERT = (
    f"INSERT INTO contents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names
    " ON CONFLICT (request) DO NOTHING"
)
_FIND = f"SELECT {_COLUMNS} FROM contents WHERE request = ?"  # noqa: S608 - our own names
_FORGET = """
    DELETE FROM contents WHERE request IN (
        SELECT request FROM contents WHERE at < ? ORDER BY at LIMIT ?
    ) RETURNING 1
    """


class Content(NamedTuple):
    """One request and its reply. `at`: Unix seconds.

    `asked_size` and `answered_size` are the bytes that there were, of which the first are kept.
    """

    request: str
    key: str
    at: float
    asked: bytes
    asked_size: int
    answered: bytes
    answered_size: int


class Contents:
    """Where they are kept, in the ledger's tables. Everything raises DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the tables where there are none; they are the ledger's."""
        self._database.migrate("ledger", STEPS)

    def write(self, contents: Sequence[Content]) -> None:
        """Keep some; one that is there already is left as it is."""
        with self._database.transaction() as work:
            work.many(_INSERT, contents)

    def find(self, request: str) -> Content | None:
        """Return what is kept of a request."""
        found = self._database.read(_FIND, (request,))
        return Content(*found[0]) if found else None

    def sweep(self, before: float, most: int) -> int:
        """Forget what is older than `before` (Unix seconds), at most so many; return how many."""
        with self._database.transaction() as work:
            return len(work.run(_FORGET, (before, most)))
