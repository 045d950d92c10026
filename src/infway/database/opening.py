"""Which database is meant: a URL is Postgres, a path is a SQLite file."""

from pathlib import Path

from infway.database import Database, DatabaseError
from infway.database.sqlite import SqliteDatabase


def database_at(place: str | Path, *, is_checked: bool = False) -> Database:
    """Return the database at a path or a postgresql:// URL, not yet open.

    `is_checked`: a file was found whole a moment ago, by who started this process. Raises DatabaseError where the extra `postgres` is needed and not installed.
    """
    if isinstance(place, Path):
        return SqliteDatabase(place, is_checked=is_checked)
    # only whoever has a Postgres needs its driver
    try:
        from infway.database.postgres import PostgresDatabase  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DatabaseError(
            "a Postgres needs the extra `postgres`: `pip install infway[postgres]`,"
            " or `make install-postgres`"
        ) from error
    return PostgresDatabase(place)
