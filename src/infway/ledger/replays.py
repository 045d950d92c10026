"""Requests that may be delivered twice, and what was answered the first time (fault matrix, row 81).

Whoever is the first to claim a caller's idempotency key answers; everybody else is told so, or
what was answered. A claim ends with its process, and whatever is kept after some hours.
"""

from typing import NamedTuple

from infway.database import Database

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
)

OPEN = 0
"""The status of what is not answered yet."""

_CLAIM = (
    "INSERT INTO replays VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (caller, name) DO NOTHING"
    " RETURNING 1"
)
_FIND = "SELECT asked, status, head, body FROM replays WHERE caller = ? AND name = ?"
_KEEP = (
    "UPDATE replays SET status = ?, head = ?, body = ?, owner = '' WHERE caller = ? AND name = ?"
    " AND owner = ?"
)
_FREE = "DELETE FROM replays WHERE caller = ? AND name = ? AND owner = ?"
_RELEASE = "DELETE FROM replays WHERE owner = ?"
_FORGET = "DELETE FROM replays WHERE at < ?"


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


class Replays:
    """Where they are kept. `owner`: this run of this process. Times are Unix seconds.

    Called from background threads. Everything raises DatabaseError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the table where there is none."""
        self._database.migrate("replays", STEPS)

    def claim(self, once: Once, owner: str, now: float) -> Kept | None:
        """Take a request for this process: None where it is the first; else what there is of it."""
        with self._database.transaction() as work:
            if work.run(_CLAIM, (*once, owner, now, b"", b"")):
                return None
            return Kept(*work.run(_FIND, once[:2])[0])

    def keep(self, once: Once, owner: str, answer: Kept) -> None:
        """Keep what was answered."""
        with self._database.transaction() as work:
            work.run(_KEEP, (answer.status, answer.head, answer.body, *once[:2], owner))

    def free(self, once: Once, owner: str) -> None:
        """Let a request be made again: nothing was answered that counts."""
        with self._database.transaction() as work:
            work.run(_FREE, (*once[:2], owner))

    def release(self, owner: str) -> None:
        """Free what a process had claimed that is dead."""
        with self._database.transaction() as work:
            work.run(_RELEASE, (owner,))

    def sweep(self, before: float) -> None:
        """Forget what is older than `before`."""
        with self._database.transaction() as work:
            work.run(_FORGET, (before,))
