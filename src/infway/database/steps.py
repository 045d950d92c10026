"""Migrations: which steps each room has taken, in a table of the database itself."""

from collections.abc import Sequence

from infway.database import DatabaseError, Step, Work

VERSIONS = (
    "CREATE TABLE IF NOT EXISTS infway_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL)"
)


def take_steps(work: Work, room: str, steps: Sequence[Step], taken: int = 0) -> None:
    """Take the steps that a room lacks, in this transaction.

    `taken`: how many it has taken where the table says nothing. Raises DatabaseError where it has
    taken more than these: a newer infway was here.
    """
    known = work.run("SELECT version FROM infway_versions WHERE room = ?", (room,))
    version: int = known[0][0] if known else taken
    if version > len(steps):
        raise DatabaseError(f"the {room} is of version {version}; this infway knows {len(steps)}")
    for step in steps[version:]:
        if isinstance(step, str):
            work.run(step)
        else:
            step(work)
    if version < len(steps) or not known:
        work.run(
            "INSERT INTO infway_versions VALUES (?, ?)"
            " ON CONFLICT (room) DO UPDATE SET version = excluded.version",
            (room, len(steps)),
        )
