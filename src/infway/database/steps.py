"""Migrations: which steps each room has taken, in a table of the database itself; and what is there."""

from collections.abc import Mapping, Sequence

from infway.database import Database, NewerError, Step, Work

VERSIONS = (
    "CREATE TABLE IF NOT EXISTS infway_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL)"
)

ALONE = "LOCK TABLE infway_versions IN ACCESS EXCLUSIVE MODE"
"""Postgres: waits for all who write, and lets others wait, in the order in which they came."""

_VERSION = "SELECT version FROM infway_versions WHERE room = ?"

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


def lacks(work: Work, room: str, steps: Sequence[Step]) -> bool:
    """Tell whether a room has other steps to take, or has taken others, than these."""
    return work.run(_VERSION, (room,)) != [(len(steps),)]


def take_steps(work: Work, room: str, steps: Sequence[Step], taken: int = 0) -> None:
    """Take the steps that a room lacks, in this transaction.

    `taken`: how many it has taken where the table says nothing. Raises NewerError where it has
    taken more than these: a newer infway was here.
    """
    known = work.run(_VERSION, (room,))
    version: int = known[0][0] if known else taken
    _compare(room, version, steps)
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


def see_version(work: Work, room: str, steps: Sequence[Step]) -> None:
    """See, before a transaction writes, that nobody has taken more steps since the start.

    It stays so until the end of the transaction: who takes steps has the table of versions for
    itself. Raises NewerError where somebody has.
    """
    known = work.run(_VERSION, (room,))
    _compare(room, known[0][0] if known else 0, steps)


def _compare(room: str, version: int, steps: Sequence[Step]) -> None:
    if version > len(steps):
        raise NewerError(f"the {room} is of version {version}; this infway knows {len(steps)}")
