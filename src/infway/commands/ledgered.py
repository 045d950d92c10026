"""The ledger from the command line: read where it is, while the gateway runs."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from infway.commands.configuration import configured
from infway.commands.registered import SPAN, seconds_of
from infway.commands.surroundings import Surroundings
from infway.configured import database_of
from infway.database import Database
from infway.kernel.clock import system_clock
from infway.settings import Settings


class Ago(click.ParamType[float]):
    """A span back from now, like `24h` or `7d`, or a date; becomes Unix seconds."""

    name = "span or date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read either form."""
        text = str(value)
        if span := SPAN.fullmatch(text):
            return system_clock().wall() - seconds_of(span)
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self.fail("write a span like 30m, 24h, 7d or 4w, or a date like 2026-01-31", param, ctx)


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
    if settings.store.url is None and not path.exists():
        raise click.ClickException(f"There is no ledger yet at {path}: `infway serve` makes it.")
    database = database_of(settings, surroundings.data)
    try:
        yield Read(settings, database)
    finally:
        database.close()
