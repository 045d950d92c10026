"""Gateways whose keys have budgets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.api.caller import KEY
from tests.conftest import Gateway, Start, Tree

from infway.app import Parts
from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending, Sums
from infway.ledger.sql import SqlLedger

TOTAL: Tree = {"per": "total", "usd": "1"}


@dataclass
class Budgeted:
    """A gateway that keeps to budgets, and the database that has them."""

    gateway: Gateway
    database: Database

    async def sums(self, holder: str = "key:tests", period: str = "total") -> Sums:
        """Return what is known of a purse, after everything that waits was written."""
        await self.gateway.app.settler.flush()
        purse = Purse(holder, period)
        return Spending(self.database).sums([purse])[purse]


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """Return a database for the block."""
    database = SqliteDatabase(path)
    database.open()
    try:
        yield database
    finally:
        database.close()


def kept_in(database: Database) -> Mapping[str, object]:
    """Return how a gateway is started whose ledger and budgets are there."""

    def built(parts: Parts) -> Parts:
        return replace(parts, ledger=SqlLedger(database), funds=Spending(database))

    return {"parts_of": built}


async def budgeted(
    start: Start, database: Database, *says: object, key: Tree | None = None, **tree: object
) -> Budgeted:
    """Start a gateway whose one key has budgets: one of 1 USD in all, if nothing else is said."""
    told = {"budgets": [TOTAL]} if key is None else key
    keys = [{"name": "tests", "key": KEY, **told}]
    return Budgeted(await start(*says, keys=keys, **kept_in(database), **tree), database)
