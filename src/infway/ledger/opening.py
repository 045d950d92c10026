"""Opening a SQLite file: its log, its locks, and the steps from older versions to this one."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from infway.database.sqlite import write_ahead
from infway.kernel.errors import InfwayError

_MEMORY = ":memory:"
_WAIT = 5.0  # seconds for another process's lock


class LedgerError(InfwayError):
    """The ledger cannot be used: unreadable, or written by a newer infway."""


def opened(
    path: Path | None, what: str, steps: Sequence[str], settings: Sequence[str]
) -> sqlite3.Connection:
    """Return a connection to a file that has taken every step; raises LedgerError.

    `path` None: in memory. `what`: its name in errors. `settings`: pragmas that hold for this
    connection.
    """
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # private to its owner, whoever may see the folder
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(
            path or _MEMORY, isolation_level=None, check_same_thread=False, timeout=_WAIT
        )
        try:
            write_ahead(connection, _WAIT)
            for setting in settings:
                connection.execute(f"PRAGMA {setting}")
            _migrate(connection, what, steps)
        except (sqlite3.Error, LedgerError):
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{what} {path or _MEMORY} cannot be opened: {error}") from error
    return connection


def _migrate(connection: sqlite3.Connection, what: str, steps: Sequence[str]) -> None:
    """Take every step that is missing, in one transaction: workers may start at once."""
    connection.execute("BEGIN IMMEDIATE")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise LedgerError(f"{what} is of version {version}; this infway knows {len(steps)}")
    for step in steps[version:]:
        connection.execute(step)
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")
