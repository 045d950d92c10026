"""Where records are kept: SQLite by default, Postgres by URL, behind one small protocol.

Only background threads come here, never the path of a request. SQL is written once, in SQLite's
words with `?` for values; what Postgres says otherwise is a table in `dialect.py`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from infway.kernel.errors import InfwayError

Value = str | bytes | int | float | None
UNFIT = (OverflowError, UnicodeEncodeError)
"""What drivers say of values that no database takes: more than 64 bits, half a character."""
Rows = list[tuple[Any, ...]]


class DatabaseError(InfwayError):
    """The database did not do what it was asked; nothing of the transaction is kept.

    `is_away`: it may do so later (it is gone, locked, full, or has no connection left); otherwise
    coming again does not help: the file is none of ours, broken, or written by a newer infway.
    Where an answer to a commit was lost, the transaction may be kept all the same, so whatever is
    tried again must be such that twice does no harm.
    """

    def __init__(self, message: str, *, is_away: bool = False) -> None:
        super().__init__(message)
        self.is_away = is_away


class NewerError(DatabaseError):
    """A newer infway has changed the tables: this one knows too little of them to write."""


class Work(Protocol):
    """One transaction."""

    def run(self, query: str, values: Sequence[Value] = ()) -> Rows:
        """Run one statement; return the rows that it gives, none where it gives none."""
        ...

    def many(self, query: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run one statement for each of the rows; return how many rows of the table it changed.

        Of an insert that updates what is there, no two rows may be for the same one.
        """
        ...


Step = str | Callable[[Work], None]
"""One step of a migration: a statement, or what must be worked out here."""


class Database(Protocol):
    """A database, for any number of threads at once. Everything raises DatabaseError.

    Every call ends in seconds, whatever the other side does.
    """

    @property
    def kind(self) -> str:
        """`sqlite` or `postgres`."""
        ...

    def open(self) -> None:
        """Make it ready: the file is made where there is none, the server is asked for a word."""
        ...

    def migrate(self, room: str, steps: Sequence[Step]) -> None:
        """Take the steps of a room that were not taken yet, all or none; the first is number 1.

        Steps that were published are never changed; new ones are added at the end. Several
        processes may come at once. A room that has taken more steps than these is refused.
        """
        ...

    def transaction(self) -> AbstractContextManager[Work]:
        """Do several things or none; SQLite's one writer waits here for another to end."""
        ...

    def read(self, query: str, values: Sequence[Value] = ()) -> Rows:
        """Return what one question finds, beside whoever writes."""
        ...

    def close(self) -> None:
        """Give every connection back; one that is used now is given back after that."""
        ...
