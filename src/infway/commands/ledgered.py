"""The ledger from the command line: read where it is, while the gateway runs."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from infway.commands.configuration import configured
from infway.commands.surroundings import Surroundings
from infway.configured import database_of
from infway.database import Database
from infway.database.steps import has_table
from infway.settings import Settings


class Read(NamedTuple):
    """A configuration, and the ledger that goes with it."""

    settings: Settings
    database: Database


@contextmanager
def ledger_read(surroundings: Surroundings, config: Path | None) -> Generator[Read, None, None]:
    """Have the ledger for the block; it is not changed, nor made where there is none.

    Raises SettingsError, DatabaseError, and ClickException where there is none yet.
    """
    settings = configured(surroundings, config).settings
    path = settings.ledger.path or surroundings.data.ledger
    where = f"at {path}" if settings.store.url is None else "in the database of store.url"
    none_yet = click.ClickException(f"There is no ledger yet {where}: `infway serve` makes it.")
    if settings.store.url is None and not path.exists():
        raise none_yet
    database = database_of(settings, surroundings.data)
    try:
        if not has_table(database, "entries"):  # the file is empty, or only keys were made in it
            raise none_yet
        yield Read(settings, database)
    finally:
        database.close()
