"""Requests that may be delivered twice, and what was answered the first time (fault matrix, row 81).

Whoever is the first to claim a caller's idempotency key answers; everybody else is told so, or
what was answered. A claim ends with its process, and what was answered after some hours.
"""

from collections.abc import Sequence
from typing import NamedTuple

from infway.database import Database, DatabaseError, Value

STEPS = (
    """
    CREATE TABLE replays (
        caller TEXT NOT NULL, name TEXT NOT NULL, asked BLOB NOT NULL, owner TEXT NOT NULL,
        at REAL NOT NULL, status INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (caller, name)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX replays_at ON replays (at)",
    "CREATE INDEX replays_owner ON replays (owner)",
    "ALTER TABLE replays ADD COLUMN size INTEGER NOT NULL DEFAULT 512",
    "UPDATE replays SET size = 512 + length(head) + length(body)",
    "CREATE INDEX replays_sizes ON replays (caller, at, size)",
)

OPEN = 0
"""The status of what is not answered yet."""
_ROW = 512  # bytes that each takes besides its reply: those of the table, which has them by default
_ABANDONED = (
    86_400.0  # seconds after which a claim is nobody's: its process died, and no other found that
)

_CLAIM = (
    "INSERT INTO replays (caller, name, asked, owner, at, status, head, body)"
    " VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (caller, name) DO NOTHING RETURNING 1"
)
_FIND = "SELECT asked, status, head, body FROM replays WHERE caller = ? AND name = ?"
_KEEP = (
    "UPDATE replays SET status = ?, head = ?, body = ?, size = ?, at = ?, owner = ''"
    " WHERE caller = ? AND name = ? AND owner = ?"
)
_FREE = "DELETE FROM replays WHERE caller = ? AND name = ? AND owner = ?"
_RELEASE = "DELETE FROM replays WHERE owner = ? OR owner LIKE ?"
_FORGET = """
    DELETE FROM replays WHERE (caller, name) IN (
        SELECT caller, name FROM replays WHERE at < ? AND (status <> 0 OR at < ?)
        ORDER BY at LIMIT ?
    ) RETURNING 1
    """
_HELD = "SELECT caller, SUM(size) FROM replays GROUP BY caller"
_HELD_BY = "SELECT COALESCE(SUM(size), 0) FROM replays WHERE caller = ?"
_OLDEST = (
    "SELECT caller, name, size FROM replays WHERE caller = ? AND status <> 0 ORDER BY at LIMIT ?"
)
_DROP = "DELETE FROM replays WHERE caller = ? AND name = ? AND status <> 0"
_TRIES = 8  # how often a claim may meet another that is freed at that very moment


class Once(NamedTuple):
    """One request of one caller. `name`: with the path, what the caller calls it by."""

    caller: str
    name: str
    asked: bytes


class Kept(NamedTuple):
    """What was asked by this name before. `asked`: the digest of it; `status` OPEN: not yet answered.

    `head` is empty where the answer was not kept.
    """

    asked: bytes
    status: int
    head: bytes
    body: bytes


class Memory(NamedTuple):
    """How long replies are kept, in seconds, and how many bytes: of one, in all, of one caller.

    0 seconds: none is kept at all.
    """

    keep: float = 86_400.0
    size: int = 2**20
    total: int = 2**30
    per_key: int = 2**27


class Claim(NamedTuple):
    """A request that is to be answered here. `owner`: nobody else's, as `owner_of` names it."""

    once: Once
    owner: str


def owner_of(process: str, number: int) -> str:
    """Return the owner of one claim of a run of a process."""
    return f"{process}.{number}"


def size_of(answer: Kept) -> int:
    """Return how many bytes it takes to keep an answer."""
    return _ROW + len(answer.head) + len(answer.body)


class Replays:
    """Where they are kept. Times are Unix seconds.

    Called from background threads. Everything raises DatabaseError. Each claim has an owner of its
    own, so that what is said of it twice, since an answer was lost, can harm no later one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the table where there is none."""
        self._database.migrate("replays", STEPS)

    def claim(self, once: Once, owner: str, now: float) -> Kept | None:
        """Take a request for this owner: None where it is the first; else what there is of it."""
        for _ in range(_TRIES):
            with self._database.transaction() as work:
                if work.run(_CLAIM, (*once, owner, now, b"", b"")):
                    return None
                # in Postgres each statement sees what others have done by then: it may be free now
                found = work.run(_FIND, once[:2])
            if found:
                return Kept(*found[0])
        raise DatabaseError("a claim was taken and freed again each time", is_away=True)

    def end(self, ended: Sequence[tuple[Claim, Kept | None]], now: float) -> None:
        """Keep what was answered; None: nothing that counts, the request may be made again."""
        kept = [
            (one.status, one.head, one.body, size_of(one), now, *once[:2], owner)
            for (once, owner), one in ended
            if one is not None
        ]
        freed = [(*once[:2], owner) for (once, owner), one in ended if one is None]
        with self._database.transaction() as work:
            work.many(_KEEP, kept)
            work.many(_FREE, freed)

    def release(self, process: str) -> None:
        """Free whatever a process had claimed and not answered, that is dead or ends now."""
        with self._database.transaction() as work:
            work.run(_RELEASE, (process, f"{process}.%"))

    def sweep(self, before: float, most: int) -> int:
        """Forget what was answered before a time, at most so many; return how many it were.

        What is under way stays, unless it was claimed so long before that nobody can be at it.
        """
        with self._database.transaction() as work:
            return len(work.run(_FORGET, (before, before - _ABANDONED, most)))

    def held(self) -> dict[str, int]:
        """Return how many bytes there are of each caller."""
        return dict(self._database.read(_HELD))

    def trim(self, caller: str, size: int, most: int) -> int:
        """Forget the oldest answers of a caller who has more than `size` bytes, at most so many.

        Return how many it were.
        """
        with self._database.transaction() as work:
            over: int = work.run(_HELD_BY, (caller,))[0][0] - size
            oldest: list[Sequence[Value]] = []
            for *which, held in work.run(_OLDEST, (caller, most)) if over > 0 else ():
                oldest.append(which)
                over -= held
                if over <= 0:
                    break
            work.many(_DROP, oldest)
        return len(oldest)
