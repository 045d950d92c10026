"""What keeps the grants of one process in line with what it needs, once a second."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from infway.beside import beside
from infway.kernel.account import Budget, Period, period_of
from infway.kernel.errors import InfwayError
from infway.kernel.money import usd_text
from infway.ledger.purses import Purse
from infway.pipeline.holdings import GONE, LEASE, Holdings
from infway.pipeline.stakes import Stake

_log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at what is granted and not needed."""

PARTS = 256
"""Part of a budget that is taken at once: large enough to ask rarely, small enough to strand none."""

_SWEEP = 60  # looks between two for processes that are gone
_DAY = 86_400
_LOST = 30 * _DAY  # seconds of silence after which a machine is taken not to come back
_OPEN = range(-1, 4)  # days that a request may be of: clocks differ, and it may last for two days
_NAMED = 5  # purses that a warning names

Watch = Callable[[Budget, Purse, int], None]


def unheard(_budget: Budget, _purse: Purse, _spent: int) -> None:
    """Tell nobody."""


def part(budget: Budget) -> int:
    """Return what is taken of a budget beyond what is needed, in 10^-12 USD."""
    return budget.most // PARTS


class Upkeep:
    """Gives back what nobody needs, says that this process lives, and sees what is spent.

    `watch` is told what is spent of each purse that is in use.
    """

    def __init__(self, holdings: Holdings, watch: Watch) -> None:
        self._holdings = holdings
        self._watch = watch
        self._looks = 0
        self._silent: dict[str, tuple[float, float]] = {}  # by owner: its lease, and since when
        self._given_up: set[str] = set()  # owners that were silent for too long

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Look every second while the block runs; then give back what is free."""
        try:
            async with beside(self._keep):
                yield
        finally:
            for stake in self._holdings.stakes.values():
                stake.asked = False
            with suppress(InfwayError):
                await self._give_back()

    async def _keep(self) -> None:
        is_away = False
        while True:
            await asyncio.sleep(PAUSE)
            try:
                await self.look()
            except InfwayError as error:
                if not is_away:
                    _log.warning(
                        "budgets keep to what was granted until the store is back: %s", error
                    )
                is_away = True
            else:
                if is_away:
                    _log.info("the store of budgets is back")
                is_away = False

    async def look(self) -> None:
        """Do all that is due. Raises DatabaseError."""
        holdings = self._holdings
        if holdings.stakes:
            await holdings.renew()
            await self._see()
            await self._give_back()
        self._looks += 1
        if self._looks % _SWEEP == 0:
            await self.sweep()

    async def _give_back(self) -> None:
        """Give back what is free and not needed."""
        holdings = self._holdings
        async with holdings.busy:
            spare = {stake: _spare(stake) for stake in holdings.stakes.values()}
            spare = {stake: amount for stake, amount in spare.items() if amount > 0}
            for stake in holdings.stakes.values():
                stake.asked = stake.refused = False
                stake.peak = stake.reserved + stake.unwritten
            if spare:
                await holdings.give_back(spare)

    async def _see(self) -> None:
        """See what is spent, and forget what nobody used since the last look."""
        holdings = self._holdings
        resting = [one for one in holdings.stakes.values() if not one.in_use]
        sums = await holdings.run(holdings.funds.sums, list(holdings.stakes))
        for purse, known in sums.items():
            stake = holdings.stakes.get(purse)
            if stake is not None:
                stake.left = known.left(stake.budget.most)
                self._watch(stake.budget, purse, known.spent)
        for stake in resting:
            if not stake.in_use:
                holdings.stakes.pop(stake.purse, None)

    async def sweep(self) -> None:
        """Look for processes that are silent: what they hold of periods that are over is freed.

        Of the others nobody may have it: what such a process has spent may be written at any time,
        when it goes on or its journal is found, for a month. Clocks of other machines may be wrong:
        a lease counts that nobody moved for so long.
        """
        holdings, now = self._holdings, self._holdings.clock.monotonic()
        leases = await holdings.run(holdings.funds.leases)
        known = self._silent
        self._silent = {
            owner: (lease, known[owner][1] if known.get(owner, (None,))[0] == lease else now)
            for owner, lease in leases.items()
            if owner != holdings.owner
        }
        silent = [one for one, (_, since) in self._silent.items() if now - since > GONE + LEASE]
        for owner in silent:
            if holdings.clock.wall() - leases[owner] > _LOST:
                _log.warning("what %s held is freed: it has been silent for a month", owner)
                await holdings.run(holdings.funds.release, owner)
            else:
                await self._give_up(owner, is_new=owner not in self._given_up)
        self._given_up = set(silent)

    async def _give_up(self, owner: str, *, is_new: bool) -> None:
        """Free what an owner has of periods that are over, and tell of the rest."""
        holdings, now = self._holdings, self._holdings.clock.wall()
        held = await holdings.run(holdings.funds.held, owner)
        current = {period_of(one, now - days * _DAY) for one in Period for days in _OPEN}
        over = {purse: held.pop(purse) for purse in list(held) if purse.period not in current}
        if over:
            await holdings.run(holdings.funds.give_back, owner, over)
        if held and is_new:
            named = sorted(held.items())[:_NAMED]
            _log.warning(
                "process %s is silent, and what it holds counts as spent until it goes on or its"
                " journal is found: %s",
                owner,
                "; ".join(
                    f"{' '.join(purse)}: {usd_text(amount, 6)} USD" for purse, amount in named
                ),
            )


def _spare(stake: Stake) -> int:
    """Return what of a stake is to be given back.

    What was needed since the last look is kept, unless others may need it now: the purse is empty
    but for what processes hold.
    """
    if not stake.asked or stake.refused or stake.left < part(stake.budget):
        return stake.free
    amount = stake.free - (stake.peak + part(stake.budget) - stake.reserved - stake.unwritten)
    return amount if amount > part(stake.budget) else 0
