"""A database in Postgres, which any number of replicas share. Needs the extra `postgres`."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any, NamedTuple

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper

from infway.database import UNFIT, DatabaseError, Rows, Step, Value, Work
from infway.database.dialect import in_groups, in_postgres
from infway.database.leash import Leash
from infway.database.steps import ALONE, VERSIONS, lacks, take_steps
from infway.kernel.clock import system_clock

_MOST = 8  # connections of one process: whoever reads a lot does not keep the ledger waiting
_STEP = 3600  # seconds of one step of a migration: it may read every row there is
_ONE_AT_A_TIME = 0x696E66776179  # "infway": whose turn it is to migrate
# What passes, by the class of its code: https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = frozenset({"08", "40", "53", "55", "57", "58"})
# What is said to be written is: no journal brings it once more
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'"
)
_READ_ONLY_SERVER = "25006"  # a replica that is not yet, or no longer, the first

_Connection = psycopg.Connection[tuple[Any, ...]]


class Patience(NamedTuple):
    """How long things may take, in seconds.

    `connect`: to get a connection (libpq knows no less than 2), `turn`: until one of ours is free,
    `statement`: of one, `lock`: of it for a lock, `silence`: that the server may say nothing
    beyond that.
    """

    connect: int = 3
    turn: float = 5.0
    statement: int = 10
    lock: int = 5
    silence: float = 3.0


class PostgresDatabase:
    """A few connections, made when they are needed and again when they broke."""

    kind = "postgres"

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        try:
            named = conninfo_to_dict(url)
        except psycopg.Error:  # its text may hold the password
            raise DatabaseError("the URL of the database is no postgresql:// URL") from None
        self._url = url
        self._patience = patience or Patience()
        self._name = f"{named.get('host') or 'local'}/{named.get('dbname') or ''}"
        self._idle: list[_Connection] = []
        self._free = BoundedSemaphore(_MOST)
        self._leash = Leash(system_clock().monotonic)
        self._open = True

    def open(self) -> None:
        """Ask the server for a word."""
        self._open = True
        self.read("SELECT 1")

    def migrate(self, room: str, steps: Sequence[Step]) -> None:
        """Take the missing steps of a room in one transaction, one process at a time."""
        with self._begun("BEGIN", _STEP) as work:
            work.run("SELECT pg_advisory_xact_lock(?)", (_ONE_AT_A_TIME,))
            work.run(VERSIONS)
            if lacks(work, room, steps):  # else whoever starts waits for nobody who writes
                work.run(ALONE)
            take_steps(work, room, steps)

    @contextmanager
    def transaction(self) -> Generator[Work, None, None]:
        """Do several things or none."""
        with self._begun("BEGIN") as work:
            yield work

    def read(self, query: str, values: Sequence[Value] = ()) -> Rows:
        """Return what one question finds."""
        with self._begun("BEGIN READ ONLY") as work:
            return work.run(query, values)

    def close(self) -> None:
        """Close what is idle; the rest goes when it is given back."""
        self._open = False
        self._drop()

    @contextmanager
    def _begun(self, begin: str, longest: int | None = None) -> Generator[Work, None, None]:
        """Run a transaction; `longest`: seconds of a statement, and for a lock."""
        patience = self._patience
        if not self._free.acquire(timeout=patience.turn):
            raise DatabaseError(f"every connection to {self._name} is used", is_away=True)
        limit = longest or patience.statement
        first = (
            f"{begin}; SET LOCAL statement_timeout = '{limit}s';"
            f" SET LOCAL lock_timeout = '{longest or patience.lock}s'"
        )
        try:
            with self._named():
                work = self._work(first, limit + patience.silence)
                try:
                    yield work
                    work.plain("COMMIT")
                except BaseException:
                    work.roll_back()
                    raise
                finally:
                    self._keep(work.connection)
        finally:
            self._free.release()

    def _work(self, first: str, limit: float) -> "_Work":
        """Begin on an idle connection, or on a new one: where one died, so did the others."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connected()
        else:
            try:
                _Work(connection, self._leash, self._patience.silence).plain(first)
            except psycopg.OperationalError:
                self._drop(connection)
                connection = self._connected()
            else:
                return _Work(connection, self._leash, limit)
        _Work(connection, self._leash, self._patience.silence).plain(first)
        return _Work(connection, self._leash, limit)

    def _drop(self, *connections: _Connection) -> None:
        for connection in (*connections, *self._idle):
            connection.close()
        self._idle.clear()

    def _connected(self) -> _Connection:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            cursor_factory=psycopg.RawCursor,  # the statements are in Postgres' own words
            connect_timeout=self._patience.connect,
            application_name="infway",
        )
        connection.adapters.register_loader("numeric", _WholeLoader)
        connection.adapters.register_dumper(int, Int8Dumper)  # one size: one prepared statement
        try:
            _Work(connection, self._leash, self._patience.silence).plain(_DURABLE)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _keep(self, connection: _Connection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if self._open and not connection.closed and connection.info.transaction_status == idle:
            self._idle.append(connection)
        else:
            connection.close()

    @contextmanager
    def _named(self) -> Generator[None, None, None]:
        try:
            yield
        except psycopg.Error as error:
            state = error.sqlstate or ""
            away = (
                isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
                or state[:2] in _PASSING
                or state == _READ_ONLY_SERVER
            )
            said = " ".join(str(error).split())
            raise DatabaseError(f"the database {self._name}: {said}", is_away=away) from error
        except UNFIT as error:
            raise DatabaseError(f"the database {self._name}: {error}") from error


class _Work:
    """A transaction. `limit`: seconds after which a statement's connection is cut."""

    def __init__(self, connection: _Connection, leash: Leash, limit: float) -> None:
        self.connection = connection
        self._leash = leash
        self._limit = limit

    def run(self, query: str, values: Sequence[Value] = ()) -> Rows:
        with self._leash.hold(self.connection, self._limit):
            cursor = self.connection.execute(in_postgres(query).encode(), values)
            return cursor.fetchall() if cursor.description else []

    def many(self, query: str, rows: Sequence[Sequence[Value]]) -> int:
        changed = 0
        with self.connection.cursor() as cursor:
            for told, group in in_groups(query, rows):
                with self._leash.hold(self.connection, self._limit):
                    cursor.executemany(in_postgres(told).encode(), group)
                    changed += max(0, cursor.rowcount)
        return changed

    def plain(self, query: str) -> None:
        """Run statements of our own, without values, in one message."""
        with self._leash.hold(self.connection, self._limit):
            self.connection.execute(query.encode())

    def roll_back(self) -> None:
        """Undo what was begun, where anybody is there to hear it."""
        if not self.connection.closed:
            with suppress(psycopg.Error):
                self.plain("ROLLBACK")


class _WholeLoader(Loader):
    """Sums of whole numbers are `numeric` in Postgres, and whole here."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))
