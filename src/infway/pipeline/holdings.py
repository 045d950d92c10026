"""All that one process holds of budgets, and its way to the database that grants it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from infway.kernel.account import Account, period_of
from infway.kernel.clock import Clock
from infway.ledger.purses import Purse
from infway.ledger.spending import Sums, Want
from infway.pipeline.stakes import Stake

LEASE = 60.0
"""Seconds for which a process says that it lives; it says so every second."""

GONE = 900.0
"""Seconds after which a process that could not say so begins nothing more with what it has. What it
holds is its own all the same: no time says what of it was spent and is not written yet."""

_DAY = 86_400
_T = TypeVar("_T")


class Funds(Protocol):
    """Where grants come from: `ledger.spending.Spending`, called from one background thread."""

    def take(self, owner: str, expires: float, wants: Sequence[Want]) -> dict[Purse, int]:
        """Grant what is left of each purse, at most what is wanted; return what was added."""
        ...

    def give_back(self, owner: str, amounts: Mapping[Purse, int]) -> None:
        """Take from an owner's grants what it does not need."""
        ...

    def renew(self, owner: str, expires: float) -> None:
        """Say that an owner lives, until `expires`."""
        ...

    def release(self, owner: str) -> None:
        """Free all grants of an owner."""
        ...

    def leases(self) -> Mapping[str, float]:
        """Return until when each owner said that it lives."""
        ...

    def held(self, owner: str) -> dict[Purse, int]:
        """Return the grants of an owner."""
        ...

    def sums(self, purses: Sequence[Purse]) -> dict[Purse, Sums]:
        """Return what is spent and granted of each purse."""
        ...


class Holdings:
    """Every stake of one process. `owner` names this run of it, in the database and in rows.

    `thread`: the one that also writes rows, so that rows and grants are in one order. `busy`: held
    by whoever changes grants.
    """

    def __init__(self, funds: Funds, owner: str, clock: Clock, thread: Executor) -> None:
        self.funds = funds
        self.owner = owner
        self.clock = clock
        self.stakes: dict[Purse, Stake] = {}
        self.busy = asyncio.Lock()
        self._until: tuple[float, float] | None = None  # by the monotonic clock, and in Unix time
        self._thread = thread
        self._day = -1
        self._names: dict[object, str] = {}

    @property
    def lapsed(self) -> bool:
        """Whether the database was not heard of for so long that nothing held may be spent.

        By either clock: one may stand still while a machine sleeps, the other may be set back.
        """
        if self._until is None:
            return False
        monotonic, wall = self._until
        return self.clock.monotonic() > monotonic or self.clock.wall() > wall

    def of(self, account: Account, at: float) -> list[Stake]:
        """Return what is held of each purse that a request is paid from; `at`: Unix seconds."""
        if int(at // _DAY) != self._day:
            self._day, self._names = int(at // _DAY), {}
        stakes: list[Stake] = []
        for holder in account.holders:
            for budget in holder.budgets:
                name = self._names.get(budget.period)
                if name is None:
                    name = self._names[budget.period] = period_of(budget.period, at)
                purse = Purse(holder.id, name)
                stake = self.stakes.get(purse)
                if stake is None:
                    stake = self.stakes[purse] = Stake(purse, budget)
                stake.budget = budget  # the configuration may have changed
                stakes.append(stake)
        return stakes

    async def take(self, wants: Sequence[Want]) -> dict[Purse, int]:
        """Ask for more; returns what was added. Raises DatabaseError."""
        until = self._from_now()
        added = await self.run(self.funds.take, self.owner, self.clock.wall() + LEASE, wants)
        if self._until is None:
            self._until = until
        return added

    async def renew(self) -> None:
        """Say that this process lives, and hold what the database says. Raises DatabaseError.

        An answer of it may have been lost. It is asked in the thread that also writes rows, whose
        ends are heard of here in the same order: what is held here now is what was held there when
        it was asked.
        """
        async with self.busy:
            until = self._from_now()
            await self.run(self.funds.renew, self.owner, self.clock.wall() + LEASE)
            held = await self.run(self.funds.held, self.owner)
            for purse, stake in self.stakes.items():
                stake.granted = held.pop(purse, 0)
            self._until = until
            if held:  # of periods that are over
                await self.run(self.funds.give_back, self.owner, held)

    async def give_back(self, spare: Mapping[Stake, int]) -> None:
        """Give back so much of stakes. Raises DatabaseError. `busy` is held."""
        for stake, amount in spare.items():
            stake.granted -= amount
        amounts = {stake.purse: amount for stake, amount in spare.items()}
        await self.run(self.funds.give_back, self.owner, amounts)

    def _from_now(self) -> tuple[float, float]:
        return self.clock.monotonic() + GONE, self.clock.wall() + GONE

    async def run(self, function: Callable[..., _T], *values: object) -> _T:
        """Call what takes time in the background."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *values)
