"""The log ahead of a SQLite file, which lets workers read and write beside one another."""

import sqlite3
from time import sleep

_TRIES = 100
_PAUSE = 0.05  # seconds: with the tries, as long as the other waits for a lock


def write_ahead(connection: sqlite3.Connection) -> None:
    """Turn it on; raises sqlite3.Error.

    SQLite does not wait for a lock here, and workers that start at once are in one another's way.
    """
    for left in reversed(range(_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            sleep(_PAUSE)
        else:
            return
