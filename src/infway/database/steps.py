"""Migrations: which steps each room has taken, in a table of the database itself; and what is there."""

from collections.abc import Mapping, Sequence

from infway.database import Database, DatabaseError, Step, Work

VERSIONS = (
    "CREATE TABLE IF NOT EXISTS infway_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL)"
)

# What each kind of database says of its tables
_TABLES: Mapping[str, str] = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    "postgres": (
        "SELECT 1 FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_name = ?"
    ),
}


def has_table(database: Database, name: str) -> bool:
    """Tell whether a table is there, without making anything. Raises DatabaseError."""
    return bool(database.read(_TABLES[database.kind], (name,)))


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
