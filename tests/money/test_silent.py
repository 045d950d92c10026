"""A process that nobody hears of while it owes something, and what it finds when it goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.money.shaky import OFFER, Fault, Process

from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.kernel.account import Account, Budget, Holder, Period
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.pipeline.holdings import GONE, LEASE

CAP = 1000
NOON = 1_763_380_800.0
DAY = 86_400.0
TOTAL = Account(project="p", holders=(Holder("project:p", budgets=(Budget(Period.TOTAL, CAP),)),))
DAILY = Account(project="p", holders=(Holder("project:p", budgets=(Budget(Period.DAY, CAP),)),))
PURSE = Purse("project:p", "total")


@dataclass
class Two:
    """Two processes on one budget: `one` falls silent, `other` looks after what it left."""

    database: Database
    monotonic: float = 0.0
    wall: float = NOON

    def __post_init__(self) -> None:
        clock = Clock(lambda: self.monotonic, lambda: self.wall)
        self.one = Process("one", clock, self.database)
        self.other = Process("other", clock, self.database)
        self.spending = Spending(self.database)

    def wait(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    async def look_after(self, times: int = 3) -> None:
        """Let so much time go by that the silent one is given up, several times over."""
        for _ in range(times):
            await self.other.upkeep.sweep()
            self.wait(GONE + LEASE + 1)


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[Two]:
    database = SqliteDatabase(folder / "ledger.db")
    database.open()
    SqlLedger(database).open()
    there = Two(database)
    try:
        yield there
    finally:
        for process in (there.one, there.other):
            process.thread.shutdown()
        database.close()


async def refused(process: Process, amount: int, account: Account = TOTAL) -> int | None:
    try:
        await process.begin(account, amount)
    except GatewayError as error:
        return error.status
    return None


@pytest.mark.parametrize("ends_first", [True, False])
async def test_nobody_spends_what_a_silent_process_has_spent_or_may(
    tmp_path: Path, *, ends_first: bool
) -> None:
    async with two(tmp_path) as there:
        await there.one.begin(TOTAL, 900)
        (settlement,) = there.one.owing()
        if ends_first:
            there.one.end(settlement, 1.0)
            settlement.close("ok", 200)
        await there.look_after()
        assert await refused(there.other, 900) == 402
        if not ends_first:
            there.one.end(settlement, 1.0)
            settlement.close("ok", 200)
        await there.one.write(Fault.NONE)
        assert there.spending.sums([PURSE])[PURSE].spent == 900


@pytest.mark.parametrize("stopped", ["monotonic", "wall"])
async def test_who_was_silent_begins_no_attempt_before_the_database_was_heard_of(
    tmp_path: Path, stopped: str
) -> None:
    """Neither clock is enough: one may stand still in a machine that sleeps, the other be set back."""
    async with two(tmp_path) as there:
        await there.one.begin(TOTAL, 400)
        (settlement,) = there.one.owing()
        there.one.end(settlement, 0.0)
        before = getattr(there, stopped)
        there.wait(GONE + 1)
        setattr(there, stopped, before)
        funding = settlement.funding
        assert funding is not None
        there.one.shaky.faults = [Fault.AWAY]
        assert not funding.covers(settlement.attempts, OFFER)
        assert not await funding.secures(settlement.attempts, OFFER)
        assert funding.refusal().status == 503
        there.wait(1.0)
        assert await funding.secures(settlement.attempts, OFFER)


async def test_who_was_silent_and_has_lost_what_it_held_begins_no_attempt(tmp_path: Path) -> None:
    async with two(tmp_path) as there:
        await there.one.begin(TOTAL, 900)
        (settlement,) = there.one.owing()
        there.one.end(settlement, 0.0)
        there.wait(GONE + 1)
        there.spending.release("one")
        await there.other.begin(TOTAL, 900)
        funding = settlement.funding
        assert funding is not None
        assert not await funding.secures(settlement.attempts, OFFER)
        assert funding.refusal().status == 402


async def test_what_a_silent_process_held_of_a_period_that_is_long_over_is_freed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with two(tmp_path) as there:
        await there.one.begin(DAILY, 900)
        await there.one.begin(TOTAL, 900)
        assert there.spending.held("one").keys() == {Purse("project:p", "2025-11-17"), PURSE}
        await there.look_after()
        assert len(there.spending.held("one")) == 2
        there.wait(4 * DAY)
        await there.other.upkeep.sweep()
        assert there.spending.held("one").keys() == {PURSE}
        told = [said for said in caplog.messages if "process one" in said]
        assert len(told) == 1
        assert "project:p total" in told[0]


async def test_what_a_process_held_that_is_silent_for_a_month_is_freed_at_last(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with two(tmp_path) as there:
        await there.one.begin(TOTAL, 900)
        there.wait(29 * DAY)
        await there.look_after()
        assert await refused(there.other, 900) == 402
        there.wait(2 * DAY)
        await there.other.upkeep.sweep()
        assert there.spending.held("one") == {}
        assert await refused(there.other, 900) is None
        assert "what one held is freed: it has been silent for a month" in caplog.messages
