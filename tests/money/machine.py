"""Any course of requests, ends, faults, deaths and silences: no budget is ever overspent."""

import asyncio
from collections.abc import Coroutine
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.ledger.sums import assert_sums_equal_rows
from tests.money.shaky import OFFER, Fault, Process

from infway.database import DatabaseError
from infway.database.sqlite import SqliteDatabase
from infway.kernel.account import Account, Budget, Holder, Period, period_of
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.pipeline.holdings import GONE, LEASE

BEGIN = 1_763_337_600.0  # midnight of UTC
DAY = 86_400.0
WHO = st.integers(0, 2)
AMOUNTS = st.integers(0, 1500)
SHARES = st.floats(0, 1)
_T = TypeVar("_T")
FAULTS = st.lists(st.sampled_from(Fault), max_size=4)


async def refusal(work: Coroutine[object, object, None]) -> int | None:
    """Return the status with which something is refused, None where it is not."""
    try:
        await work
    except GatewayError as error:
        return error.status
    return None


class Money(RuleBasedStateMachine):
    """Three processes, the budgets of a key and of its project, and one database."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = SqliteDatabase(Path(self.folder.name) / "ledger.db")
        self.database.open()
        SqlLedger(self.database).open()
        self.spending = Spending(self.database)
        self.runner = asyncio.Runner()
        self.now = 0.0
        self.clock = Clock(lambda: self.now, lambda: BEGIN + self.now)
        self.born = 0
        self.live = [self.newborn() for _ in range(3)]
        self.dead: list[Process] = []
        self.caps: dict[str, int] = {}  # of the key's day, its total, and the project's total
        self.most: dict[Purse, int] = {}

    def run(self, work: Coroutine[object, object, _T]) -> _T:
        """Run something to its end, and what it began besides."""

        async def all_of_it() -> _T:
            try:
                return await work
            finally:
                others = asyncio.all_tasks() - {asyncio.current_task()}
                await asyncio.gather(*others, return_exceptions=True)

        return self.runner.run(all_of_it())

    @initialize(day=AMOUNTS, total=st.integers(0, 6000), project=st.integers(0, 6000))
    def begin(self, day: int, total: int, project: int) -> None:
        self.caps = {"day": day, "total": total, "project": project}

    def newborn(self) -> Process:
        self.born += 1
        return Process(f"p{self.born}", self.clock, self.database)

    @property
    def account(self) -> Account:
        key = (Budget(Period.DAY, self.caps["day"]), Budget(Period.TOTAL, self.caps["total"]))
        project = (Budget(Period.TOTAL, self.caps["project"]),)
        holders = Holder("key:k", budgets=key), Holder("project:p", budgets=project)
        return Account(project="p", holders=holders)

    def purses(self) -> dict[Purse, int]:
        day = period_of(Period.DAY, self.clock.wall())
        return {
            Purse("key:k", day): self.caps["day"],
            Purse("key:k", "total"): self.caps["total"],
            Purse("project:p", "total"): self.caps["project"],
        }

    @rule(who=WHO, amount=AMOUNTS, faults=FAULTS)
    def ask(self, who: int, amount: int, faults: list[Fault]) -> None:
        process = self.live[who]
        process.shaky.faults = list(faults)
        self.now += 1  # nobody asks a database again at once that was away
        refused = self.run(refusal(process.begin(self.account, amount)))
        assert refused in ({None, 402, 503} if faults else {None, 402})
        process.shaky.faults = []

    @rule(who=WHO, amounts=st.lists(AMOUNTS, max_size=6), leaving=st.integers(0, 6))
    def ask_at_once_and_leave(self, who: int, amounts: list[int], leaving: int) -> None:
        process = self.live[who]

        async def crowd() -> None:
            tasks = [asyncio.create_task(process.begin(self.account, amount)) for amount in amounts]
            await asyncio.sleep(0)
            for task in tasks[:leaving]:
                task.cancel()
            for told in await asyncio.gather(*tasks, return_exceptions=True):
                assert told is None or isinstance(told, GatewayError | asyncio.CancelledError)

        self.run(crowd())

    @rule(who=WHO, share=SHARES)
    def settle(self, who: int, share: float) -> None:
        for settlement in self.live[who].owing()[:1]:
            self.live[who].end(settlement, share)
            settlement.close("ok", 200)

    @rule(who=WHO, share=SHARES, faults=FAULTS)
    def fail_and_try_again(self, who: int, share: float, faults: list[Fault]) -> None:
        process = self.live[who]
        for settlement in process.owing()[:1]:
            process.end(settlement, share)
            process.shaky.faults = list(faults)
            funding = settlement.funding
            assert funding is not None
            if self.run(funding.secures(settlement.attempts, OFFER)):
                process.attempt(settlement)
            else:
                settlement.close("http_500", 502)
            process.shaky.faults = []

    @rule(who=WHO, fault=st.sampled_from(Fault))
    def write(self, who: int, fault: Fault) -> None:
        self.run(self.live[who].write(fault))

    @rule(who=WHO, faults=FAULTS)
    def look(self, who: int, faults: list[Fault]) -> None:
        process = self.live[who]
        process.shaky.faults = list(faults)
        self.now += 1
        try:
            self.run(process.upkeep.look())
        except DatabaseError:
            assert faults
        process.shaky.faults = []

    @rule(who=WHO)
    def die(self, who: int) -> None:
        self.dead.append(self.live[who])
        self.live[who] = self.newborn()

    @rule(share=SHARES)
    def recover(self, share: float) -> None:
        for process in self.dead:
            process.leave(repeat(share))
        self.dead = []

    @rule()
    def midnight(self) -> None:
        self.now += DAY - self.now % DAY

    @rule(who=WHO, amount=AMOUNTS)
    def be_silent_for_long(self, who: int, amount: int) -> None:
        """One is stopped, whatever it owes, and the others ask for what it has; then it goes on."""
        others = [process for number, process in enumerate(self.live) if number != who]
        for _ in range(3):
            for process in others:
                self.run(process.upkeep.look())
                self.run(process.upkeep.sweep())
            self.now += (GONE + LEASE) / 1.9
        for process in others:
            self.run(refusal(process.begin(self.account, amount)))

    @rule(name=st.sampled_from(["day", "total", "project"]), cap=st.integers(0, 6000))
    def change_a_budget(self, name: str, cap: int) -> None:
        """Change a budget; each process hears of it by the next request that is paid from it."""
        self.caps[name] = cap
        for process in self.live:
            process.holdings.of(self.account, self.clock.wall())

    @invariant()
    def no_budget_is_overspent(self) -> None:
        if not self.caps:
            return
        for purse, sums in self.spending.sums(self.purses()).items():
            cap, taken = self.purses()[purse], sums.spent + sums.granted
            # one that was made smaller may be beyond it already: it must not grow
            assert taken <= max(cap, self.most.get(purse, 0))
            self.most[purse] = max(cap, taken)

    @invariant()
    def what_is_under_way_is_within_the_budgets_too(self) -> None:
        """What is spent, and what those who owe it have not told: nobody else may have it."""
        known = [one for one in (*self.live, *self.dead) if not one.is_misled]
        for purse, sums in self.spending.sums(self.purses() if self.caps else ()).items():
            stakes = [one.holdings.stakes.get(purse) for one in known]
            owed = sum(one.reserved + one.unwritten for one in stakes if one is not None)
            cap = self.purses()[purse]
            assert sums.spent + owed <= max(cap, self.most.get(purse, 0))

    @invariant()
    def what_is_reserved_is_what_is_open(self) -> None:
        for process in self.live:
            said = [one.funding for one in process.open]
            fundings = [one for one in said if one is not None]
            assert process.reserved == sum(one.amount * len(one.stakes) for one in fundings)

    def teardown(self) -> None:
        for process in self.live:
            for settlement in process.owing():
                process.end(settlement, 1.0)
                settlement.close("ok", 200)
            self.run(process.write(Fault.NONE))
        self.recover(1.0)
        self.now += 1
        for _ in range(4):
            for process in self.live:
                self.run(process.upkeep.look())
        self.no_budget_is_overspent()
        assert all(process.reserved == 0 for process in self.live)
        assert all(not process.holdings.stakes for process in self.live)
        assert self.database.read("SELECT * FROM grants") == []
        assert_sums_equal_rows(self.database)
        self.runner.close()
        for process in self.live:
            process.thread.shutdown()
        self.database.close()
        self.folder.cleanup()
