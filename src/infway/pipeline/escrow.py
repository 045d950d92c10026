"""Money that is set aside before a request is sent, so that no budget is ever overspent.

The database says how much of each purse this process may spend (ledger/spending.py); requests are
admitted against that in memory, at once, and only where it does not suffice the database is asked
for more. What a request may cost at worst is reserved first and what it did cost is settled after:
`granted - reserved - unwritten` is what is left to promise. The rows that tell a cost move it, in
their own transaction, from the grant to what is spent; until then it is `unwritten` here.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager

from infway.kernel.account import Account
from infway.kernel.errors import InfwayError
from infway.ledger.rows import Row
from infway.ledger.spending import Want
from infway.pipeline.holdings import Holdings
from infway.pipeline.settle import Settlement
from infway.pipeline.stakes import Stake, refusal, unseen
from infway.pipeline.upkeep import Upkeep, Watch, part, unheard

PATIENCE = 2.0
"""Seconds that a request waits for the database of budgets."""

_PAUSE = 0.25  # seconds in which nobody asks again for what there is not


class Escrow:
    """What keeps the requests of one process within their budgets.

    `watch`: told what is spent of each purse, every second.
    """

    def __init__(self, holdings: Holdings, watch: Watch = unheard) -> None:
        self._holdings = holdings
        self._now = holdings.clock.monotonic
        self._upkeep = Upkeep(holdings, watch)
        self._owed: dict[str, tuple[Sequence[Stake], int]] = {}  # by request
        self._fetching: asyncio.Task[None] | None = None
        self._away = 0.0  # until when the database is not asked again

    @property
    def reserved(self) -> int:
        """What is set aside for open requests, in 10^-12 USD, summed over all purses."""
        return sum(stake.reserved for stake in self._holdings.stakes.values())

    @property
    def lapsed(self) -> bool:
        """Whether nothing may be spent before the database was heard of again."""
        return self._holdings.lapsed

    def stakes_of(self, account: Account, at: float) -> list[Stake]:
        """Return what is held of each purse that a request is paid from; `at`: Unix seconds."""
        return self._holdings.of(account, at)

    async def room(self, stakes: Sequence[Stake], amount: int, least: int) -> int:
        """See that `amount` may be promised of each, so far as the budgets have it, and spent.

        Return what may be, which is less where they do not. Raises UnavailableError (503) where
        the database is away, and what was granted is less than `least`.
        """
        for stake in stakes:
            stake.asked = True
        room = self._room(stakes)
        while (room < amount or self.lapsed) and not self._is_dry(stakes, amount):
            if not await self._more(stakes, amount):
                room = self._room(stakes)
                if room < least:
                    raise unseen()
                break
            room = self._room(stakes)
        if room < amount:
            for stake in stakes:
                stake.refused = True
        return room

    async def secure(self, stakes: Sequence[Stake], amount: int) -> None:
        """See that `amount` may be promised of each; raises GatewayError where it may not (402).

        What returns has to be set aside before anything else is awaited.
        """
        if await self.room(stakes, amount, amount) < amount:
            raise refusal(stakes, amount)

    def settled(self, settlement: Settlement) -> None:
        """Free what was set aside for a request; what it cost is owed until its rows are written."""
        funding, settlement.funding = settlement.funding, None
        if funding is None:
            return
        funding.release()
        cost = settlement.cost
        if cost:
            self._owed[settlement.ask.id] = funding.stakes, cost
            for stake in funding.stakes:
                stake.owe(cost)

    def written(self, rows: Iterable[Row]) -> None:
        """Take off what these rows told the database: it is spent there, and off the grants."""
        for row in rows:
            if row.attempt == 0 and (owed := self._owed.pop(row.request, None)) is not None:
                stakes, cost = owed
                for stake in stakes:
                    stake.granted -= cost
                    stake.unwritten -= cost

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Keep what is granted in line with what is needed while the block runs."""
        async with self._upkeep.open():
            yield
        if self._fetching is not None:
            await self._fetching

    def _room(self, stakes: Sequence[Stake]) -> int:
        """Return what may be promised of each: nothing where others may believe this process dead."""
        return 0 if self.lapsed else min(stake.free for stake in stakes)

    def _is_dry(self, stakes: Sequence[Stake], amount: int) -> bool:
        now = self._now()
        return any(stake.free < amount and now < stake.dry for stake in stakes)

    async def _more(self, stakes: Sequence[Stake], amount: int) -> bool:
        """Ask for more of each purse that has too little; return whether there was an answer.

        One asks at a time, for all that wait; it goes on where a request is cancelled.
        """
        if self._now() < self._away:
            return False
        for stake in stakes:
            stake.users += 1
            stake.wanted += amount
        try:
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._fetch())
            done, _ = await asyncio.wait({self._fetching}, timeout=PATIENCE)
            if not done:
                self._away = self._now() + _PAUSE
        finally:
            for stake in stakes:
                stake.users -= 1
                stake.wanted -= amount
        return self._now() >= self._away

    async def _fetch(self) -> None:
        """Take what all that wait need, and a part of the budget besides."""
        holdings = self._holdings
        try:
            if holdings.lapsed:
                await holdings.renew()
            async with holdings.busy:
                lacking = [one for one in holdings.stakes.values() if one.wanted > one.free]
                wants = [
                    Want(one.purse, one.budget.most, one.wanted - one.free + part(one.budget))
                    for one in lacking
                ]
                added = await holdings.take(wants) if wants else {}
                for stake, want in zip(lacking, wants, strict=True):
                    stake.granted += added[stake.purse]
                    if added[stake.purse] < want.amount:
                        stake.dry = self._now() + _PAUSE
        except InfwayError:
            self._away = self._now() + _PAUSE
