"""A gateway that was stopped, or whose machine slept, while the database is away: it spends nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.api.budgeted import TOTAL, opened
from tests.api.caller import KEY, refused
from tests.api.upstream import Asked, Script, fault, whole
from tests.conftest import Start

from infway.app import Parts
from infway.database import Database
from infway.kernel.clock import Clock, system_clock
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.pipeline.holdings import GONE

KEYS = [{"name": "tests", "key": KEY, "budgets": [TOTAL]}]
SMALL = {"max_tokens": 50}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "budgets.db") as database:
        yield database


@dataclass
class Sleeper:
    """A machine whose monotonic clock stands still while it sleeps.

    `fails`: its upstream does. `dozes`: it falls asleep while the upstream works.
    """

    database: Database
    slept: float = 0.0
    fails: bool = False
    dozes: bool = False

    def parts(self, built: Parts) -> Parts:
        ours = system_clock()
        clock = Clock(ours.monotonic, lambda: ours.wall() + self.slept)
        ledger = SqlLedger(self.database)
        return replace(built, ledger=ledger, funds=Spending(self.database), clock=clock)

    def sleep(self) -> None:
        """Sleep for long, and wake where the database cannot be reached."""
        self.database.close()
        self.slept += GONE + 60

    def say(self, _: Asked) -> Script:
        if self.dozes:
            self.sleep()
        return fault(500) if self.fails else whole()


async def test_a_request_is_refused_until_the_database_was_heard_of(
    database: Database, start: Start
) -> None:
    one = Sleeper(database)
    gateway = await start(one.say, keys=KEYS, parts_of=one.parts)
    assert (await gateway.chat(**SMALL)).status == 200
    await gateway.app.settler.flush()
    one.sleep()
    heard = await gateway.chat(**SMALL)
    refused(heard, 503, "accounting_unavailable")
    assert heard.header("retry-after") is not None
    assert len(gateway.upstream.asked) == 1
    database.open()
    while (await gateway.chat(**SMALL)).status == 503:
        await asyncio.sleep(0.05)
    assert len(gateway.upstream.asked) == 2


@pytest.mark.parametrize("dozes", [False, True])
async def test_what_failed_is_not_tried_again(
    database: Database, start: Start, *, dozes: bool
) -> None:
    one = Sleeper(database, fails=True, dozes=dozes)
    gateway = await start(one.say, keys=KEYS, parts_of=one.parts)
    assert (await gateway.chat(**SMALL)).status == 502
    assert (len(gateway.upstream.asked) == 1) is dozes
    if dozes:
        database.open()
