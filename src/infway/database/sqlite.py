"""A database in one SQLite file, which several processes of one machine may share."""

import os
import sqlite3
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import sleep

from infway.database import UNFIT, DatabaseError, Rows, Step, Value, Work
from infway.database.dialect import in_groups, in_sqlite
from infway.database.steps import VERSIONS, take_steps

_HEAD = b"SQLite format 3\0"  # how each file begins
_FOREIGN = "the file is none of SQLite's"
_PAUSE = 0.05  # seconds between two tries where SQLite itself does not wait
_READERS = 4  # connections that are kept for the next question
_CACHE = 8_192  # KiB of pages in the writer's memory: a batch changes pages all over a large file
_CHECKED = 2**26  # bytes of a file that is read whole at the start: a fraction of a second
_FIRST = "ledger"  # the room whose version older files keep in their header
# What passes: https://www.sqlite.org/rescode.html, primary codes
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)

_open: Counter[Path] = Counter()  # how often this process has opened each file
_entering = Lock()


class SqliteDatabase:
    """A file with a log ahead of it, written through to the disk at every commit."""

    kind = "sqlite"

    def __init__(self, path: Path, wait: float = 5.0, *, is_checked: bool = False) -> None:
        """`wait`: seconds for another writer, of this process or another.

        `is_checked`: the file was opened before by who started this process, and found whole.
        """
        self._path = path
        self._is_checked = is_checked
        self._wait = wait
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self._turn = Lock()

    def open(self) -> None:
        """Make the file where there is none; one that is broken is refused and left alone."""
        if self._writer is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _entering:
                if not _open[self._path.absolute()]:
                    self._check_file()
                with self._named("cannot be opened"):
                    self._writer = self._begun()
                _open[self._path.absolute()] += 1
        except OSError as error:
            raise DatabaseError(f"the database {self._path} cannot be opened: {error}") from error

    def migrate(self, room: str, steps: Sequence[Step]) -> None:
        """Take the missing steps of a room in one transaction."""
        with self.transaction() as work:
            work.run(VERSIONS)
            header: int = work.run("PRAGMA user_version")[0][0]
            old = room == _FIRST
            take_steps(work, room, steps, header if old else 0)
            if old:  # an older infway that finds the file refuses it
                work.run(f"PRAGMA user_version = {len(steps)}")

    @contextmanager
    def transaction(self) -> Generator[Work, None, None]:
        """Hold the file's one write lock until the block ends."""
        if not self._turn.acquire(timeout=self._wait):
            raise DatabaseError(f"the database {self._path} is busy", is_away=True)
        try:
            writer = self._writer
            if writer is None:
                raise DatabaseError(f"the database {self._path} is not open", is_away=True)
            with self._named("cannot be written"):
                writer.execute("BEGIN IMMEDIATE")
                try:
                    yield _Work(writer)
                    writer.execute("COMMIT")
                except BaseException:
                    _roll_back(writer)
                    raise
        finally:
            self._turn.release()

    def read(self, query: str, values: Sequence[Value] = ()) -> Rows:
        """Return what one question finds; the connection cannot write, nor make a file."""
        with self._named("cannot be read"):
            try:
                reader = self._readers.pop()
            except IndexError:
                reader = self._connected("ro")
            try:
                found: Rows = reader.execute(in_sqlite(query), values).fetchall()
            except BaseException:
                reader.close()
                raise
        if self._writer is not None and len(self._readers) < _READERS:
            self._readers.append(reader)
        else:
            reader.close()
        return found

    def close(self) -> None:
        """Close the file; a transaction that runs now ends first."""
        with self._turn:
            writer, self._writer = self._writer, None
            while self._readers:
                self._readers.pop().close()
            if writer is not None:
                writer.close()
                with _entering:
                    _open[self._path.absolute()] -= 1

    def _check_file(self) -> None:
        """Make the file, private to its owner; SQLite takes a small one that is none for empty.

        Only where this process has no connection to it: to close a file takes away all POSIX locks
        that the process has on it, and then another process, which finds none, takes the log for
        its own and removes it (https://www.sqlite.org/howtocorrupt.html, 2.2).
        """
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as file:
            head = file.read(len(_HEAD))
        if head and head != _HEAD:
            raise DatabaseError(f"the database {self._path} cannot be opened: {_FOREIGN}")

    def _begun(self) -> sqlite3.Connection:
        connection = self._connected("rw")
        try:
            write_ahead(connection, self._wait)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            if not self._is_checked and self._path.stat().st_size <= _CHECKED:
                said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if said != "ok":
                    raise DatabaseError(f"the database {self._path} is broken: {said}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connected(self, mode: str) -> sqlite3.Connection:
        place = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(
            place, uri=True, isolation_level=None, check_same_thread=False, timeout=self._wait
        )

    @contextmanager
    def _named(self, what: str) -> Generator[None, None, None]:
        try:
            yield
        except (sqlite3.Error, *UNFIT) as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            said = _FOREIGN if code == sqlite3.SQLITE_NOTADB else error
            raise DatabaseError(
                f"the database {self._path} {what}: {said}", is_away=code in _PASSING
            ) from error


class _Work:
    """A transaction of the writer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, query: str, values: Sequence[Value] = ()) -> Rows:
        return self._connection.execute(in_sqlite(query), values).fetchall()

    def many(self, query: str, rows: Sequence[Sequence[Value]]) -> int:
        many = self._connection.executemany
        return sum(
            max(0, many(in_sqlite(one), group).rowcount) for one, group in in_groups(query, rows)
        )


def _roll_back(connection: sqlite3.Connection) -> None:
    """Undo what was begun; SQLite has done so itself where the disk was full or failed."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def write_ahead(connection: sqlite3.Connection, wait: float) -> None:
    """Keep a log ahead of the file, so that processes read and write beside one another.

    SQLite does not wait for a lock here, and processes that start at once are in one another's
    way. `wait`: seconds until sqlite3.OperationalError.
    """
    for left in reversed(range(round(wait / _PAUSE) + 1)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            sleep(_PAUSE)
        else:
            return
