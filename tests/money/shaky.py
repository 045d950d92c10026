"""A way to the database of budgets that fails as it is told, and the processes that come by it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from tests.wall.asking import ask, offer

from infway.database import Database, DatabaseError
from infway.kernel.account import Account
from infway.kernel.chat import Principal
from infway.kernel.clock import Clock
from infway.ledger.journal import Journal
from infway.ledger.rows import Row
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.pipeline.cost import Cost
from infway.pipeline.escrow import Escrow
from infway.pipeline.holdings import Holdings
from infway.pipeline.settle import Settlement
from infway.pipeline.stakes import Funding, Worst
from infway.pipeline.tried import Attempt
from infway.pipeline.upkeep import Upkeep

OFFER = offer()
_T = TypeVar("_T")


class Fault(Enum):
    """What happens to one call of the database."""

    NONE = "none"
    AWAY = "away"  # it is not done
    LOST = "lost"  # it is done, and the answer does not come


class Shaky:
    """Spending, by calls that fail in the order of `faults`, then never."""

    def __init__(self, database: Database) -> None:
        self._spending = Spending(database)
        self.faults: list[Fault] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        function = getattr(self._spending, name)
        return lambda *values: self.call(function, *values)

    def call(self, function: Callable[..., _T], *values: object) -> _T:
        """Call, or fail as is next."""
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.AWAY:
            raise DatabaseError("away", is_away=True)
        done = function(*values)
        if fault is Fault.LOST:
            raise DatabaseError("lost", is_away=True)
        return done


@dataclass
class Process:
    """One gateway as far as money is concerned.

    `ended`: settled, and not written yet; `is_misled`: some of it is, and nobody said so.
    """

    name: str
    clock: Clock
    database: Database
    journal: Journal = field(default_factory=Journal)
    open: dict[Settlement, None] = field(default_factory=dict)
    ended: list[list[Row]] = field(default_factory=list)
    is_misled: bool = False
    count: int = 0

    def __post_init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self.shaky = Shaky(self.database)
        self.ledger = SqlLedger(self.database)
        self.holdings = Holdings(self.shaky, self.name, self.clock, self.thread)  # type: ignore[arg-type]
        self.escrow = Escrow(self.holdings)
        self.upkeep = Upkeep(self.holdings, lambda *_: None)

    def take(self, settlement: Settlement) -> None:
        """Take what was settled, as the settler does."""
        self.open.pop(settlement, None)
        self.escrow.settled(settlement)
        self.ended.append(settlement.rows())

    async def begin(self, account: Account, amount: int) -> None:
        """Admit a request that may cost so much; raises GatewayError where it may not be."""
        self.count += 1
        who = Principal("k", account=account)
        one = ask(id=f"{self.name}-{self.count}")
        settlement = Settlement(one, who, self.clock.monotonic(), self)
        stakes = self.escrow.stakes_of(account, settlement.at)
        await self.escrow.secure(stakes, amount)
        worst = Worst({OFFER.id: amount})
        settlement.funding = Funding(self.escrow, stakes, amount, worst, settlement.charge)
        self.attempt(settlement)

    def attempt(self, settlement: Settlement) -> None:
        """Begin an attempt of a request."""
        settlement.begin(Attempt(OFFER, self.clock.monotonic()), settlement.ask)

    def end(self, settlement: Settlement, share: float) -> None:
        """End the last attempt of a request: it cost a share of what it might."""
        attempt = settlement.attempts[-1]
        assert settlement.funding is not None
        before = sum(one.cost.total for one in settlement.attempts[:-1])
        attempt.cost = Cost(int((settlement.funding.amount - before) * share))
        attempt.ended = self.clock.monotonic()

    async def write(self, fault: Fault) -> None:
        """Write what has ended; what fails is written again the next time."""
        rows = [row for group in self.ended for row in group]
        self.shaky.faults = [fault]
        loop = asyncio.get_running_loop()
        append = self.ledger.append
        try:
            await loop.run_in_executor(self.thread, self.shaky.call, append, rows, self.name)
        except DatabaseError:
            self.is_misled |= fault is Fault.LOST
            return
        self.is_misled = False
        self.escrow.written(rows)
        self.ended = []

    def leave(self, costs: Iterator[float]) -> None:
        """Write what a process left that died: its journal becomes rows, then its grants are freed."""
        for settlement in list(self.open):
            self.end(settlement, next(costs))
            settlement.close("interrupted", 0)
        rows = [row for group in self.ended for row in group]
        self.ledger.append(rows, self.name)
        Spending(self.database).release(self.name)

    @property
    def reserved(self) -> int:
        """What is set aside for open requests, over all purses."""
        return sum(stake.reserved for stake in self.holdings.stakes.values())

    def owing(self) -> Sequence[Settlement]:
        """The requests that are open, oldest first."""
        return list(self.open)
