"""A gateway whose keys have budgets and limits, with its admin API, over one database of either kind."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tests.api.administering import FIRST, Admin
from tests.api.caller import KEY
from tests.api.serving import served
from tests.conftest import Start

from infway.accounts.digests import Digests
from infway.accounts.gatehouse import Gatehouse
from infway.api.administration.accounting import Archive
from infway.api.administration.served import Administered, admin_front
from infway.app import Parts
from infway.database import Database
from infway.kernel.clock import system_clock
from infway.kernel.ids import Ids
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger

ACME = {
    "organisations": [{"name": "acme", "budgets": [{"usd": "50", "per": "month"}]}],
    "projects": [{"name": "chat", "organisation": "acme"}, {"name": "lone"}],
    "plans": {"small": {"requests_per_minute": 50, "tokens_per_minute": 10_000}},
    "keys": [
        {
            "name": "tests", "key": KEY, "project": "chat", "plan": "small", "tags": ["a", "=b"],
            "budgets": [{"usd": "10", "per": "total"}, {"usd": "70", "per": "day"}],
        },
        {"name": "other", "key": KEY[::-1], "project": "lone"},
    ],
}  # fmt: skip
OTHER = ("Authorization", f"Bearer {KEY[::-1]}")


@dataclass
class Accounted(Admin):
    """An administrator of it, who can also end what waits to be written."""

    async def written(self) -> None:
        """Write all rows and contents that wait."""
        app = self.gateway.app
        await app.settler.flush()
        await app.records.flush()

    async def limited(self) -> "Accounted":
        """Return an administrator of the organisation `acme` alone."""
        said = {"capabilities": ["usage:read", "contents:read"], "organisation": "acme"}
        made = await self.made("/admins", said)
        return Accounted(self.gateway, self.port, made["key"])


@asynccontextmanager
async def accounted(start: Start, database: Database, **tree: object) -> AsyncIterator[Accounted]:
    """Start it."""
    gatehouse = Gatehouse(database, Digests(b"pepper"), system_clock(), secrets.randbelow)

    def built(parts: Parts) -> Parts:
        ledger, funds = SqlLedger(database), Spending(database)
        return replace(parts, ledger=ledger, funds=funds, gatehouse=gatehouse, database=database)

    said = {"admin": {"key": FIRST}, "accounts": {"refresh": 0.01}, **ACME, **tree}
    gateway = await start(parts_of=built, **said)
    app = gateway.app
    archive = Archive(database, app.settler.rows_of)
    subject = Administered(gatehouse, archive, app.decisions, app.metrics.refused, lambda: None)
    front = admin_front(subject, Ids(7), system_clock(), docs=True)
    async with served(front) as port:
        yield Accounted(gateway, port)
