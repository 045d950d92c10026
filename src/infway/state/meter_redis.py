"""Limits counted in Redis for all replicas, and by each process alone while Redis is away.

Requests never wait for a connection, and for a reply no longer than a deadline. Beside them one
wheel looks every fraction of a second whether the store is there, tells it what can be told later,
and finds it again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from math import inf

from infway.beside import beside
from infway.kernel.account import Holder
from infway.kernel.clock import Clock
from infway.state.meter import Need, Ticket, Verdict
from infway.state.meter_alone import TO_COME, OwnMeter
from infway.state.meter_bounds import Bounds
from infway.state.meter_past import Refill
from infway.state.meter_reports import Reports
from infway.state.meter_store import Looked, LostError, Store, Taken, Terms
from infway.state.meter_telling import Telling
from infway.state.outage import Outage
from infway.state.redis import pool_of
from infway.state.redis_pipe import Away

_log = logging.getLogger(__name__)
_NOBODY = Need()
_ROUNDS = 4  # of telling the store what was used while it was told


class RedisMeter:
    """Counts in the Redis at `url`; raises SettingsError where it is no URL.

    `parts`: processes that share the limits, as far as is said; those that count in Redis are seen
    there. `name` sets this one apart from all others.
    """

    def __init__(
        self, url: str, name: str, parts: int, clock: Clock, bounds: Bounds | None = None
    ) -> None:
        self._bounds = bounds = bounds or Bounds()
        self._pool = pool_of(url, socket_timeout=None, health_check_interval=0)
        patience, lease, presence = bounds.milliseconds()
        self._terms = Terms(patience, lease, presence, parts, name)
        self._name = name
        self._number = 0
        self._clock = clock
        self._own = OwnMeter(clock, parts)
        self._store: Store | None = None
        self._failures = 0
        self._reason = ""
        self._again = 0.0  # monotonic seconds, as all that follow: when Redis is looked for again
        self._joined = 0.0
        self._failing = asyncio.Event()
        self._looked = float("-inf")
        self._marks_at = float("-inf")
        self._renewed = 0.0
        self._marked: set[str] = set()
        self._look = Looked("", 0, (), 0)
        self._untold: int | None = 0  # milliseconds: since when the store lacks what was let in
        self._told = Telling(name)
        self.refill = Refill(name, clock)
        self._reports = Reports()
        self.degraded = False
        self.outage = Outage()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Share limits while the block runs."""
        await self._search()
        try:
            if self._store is not None:
                with contextlib.suppress(*Away):  # the wheel will see
                    await self.refill.wait(self._store)
            async with beside(self._run):
                yield
        finally:
            if self._store is not None:
                with contextlib.suppress(*Away):
                    await self._reports.tell(self._store)
                self._store.close()

    async def take(self, holders: Sequence[Holder], need: Need) -> Verdict:
        """Count one try."""
        self._number += 1
        lease = f"{self._name}:{self._number}"
        own: Verdict | None = None
        store = self._store
        if store is None or self._clock.monotonic() < self._joined:
            own = self._own.alone(holders, need, lease)
            if store is None or own.refused is not None:
                return self._begun(own, unheard=True)
        try:
            taken = await store.take(holders, need, lease, self._reports.over(holders))
        except Away as error:
            self._failed(store, error)
            own = own or self._own.alone(holders, need, lease)
            if own.ticket is None:
                self._reports.dropped(holders, lease)
            return self._begun(own)
        except asyncio.CancelledError:
            self._reports.dropped(holders, lease)
            self._give_up(own)
            raise
        self._failures = 0
        if taken.refused is not None:
            self._give_up(own)
            return self._verdict(taken, None)
        ticket = own.ticket if own is not None else None
        ticket = ticket or self._own.note(holders, need)
        ticket.stored, ticket.lease = taken.at, lease
        return self._begun(self._verdict(taken, ticket))

    async def standing(self, holders: Sequence[Holder]) -> Verdict:
        """Return where the limits stand."""
        store = self._store
        if store is not None:
            try:
                return self._verdict(await store.take(holders, _NOBODY, ""), None)
            except Away as error:
                self._failed(store, error)
        return await self._own.standing(holders)

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Put what was really used in the place of what was estimated; the store hears it soon."""
        self._reports.changed(self._own.settle_tokens(ticket, tokens))

    def release(self, ticket: Ticket) -> None:
        """Give the place among those at once back; the store hears it at once, beside all else."""
        self._reports.ended(ticket)
        if self._store is not None and self._untold is None:  # while it is joined, that comes first
            self._reports.tell_soon(self._store, self._failed)
        self._own.release(ticket)

    def _begun(self, verdict: Verdict, *, unheard: bool = False) -> Verdict:
        if verdict.ticket is not None:
            self._reports.begun(verdict.ticket, unheard=unheard)
        return verdict

    def _give_up(self, own: Verdict | None) -> None:
        if own is not None and own.ticket is not None:
            self._own.release(own.ticket)

    def _verdict(self, taken: Taken, ticket: Ticket | None) -> Verdict:
        wall = self._clock.wall()
        dated = (
            one and one._replace(reset=wall + one.reset) for one in (taken.requests, taken.tokens)
        )
        return Verdict(ticket, taken.refused, *dated)

    def _failed(self, store: Store, error: Exception) -> None:
        """Go on alone; the first to fail says so, those that fail with it have nothing to add."""
        if self._store is not store:
            return
        self._store = None
        store.close(error)
        now = self._clock.monotonic()
        fresh = self._looked + self._bounds.patience
        self._own.cut_off(frozenset(self._marked) if now <= fresh else None, int(fresh * 1000))
        self._failing.set()
        lost = isinstance(error, LostError)
        # what was let in last may not have reached a replica of the store that is asked from now on
        since = 0 if lost else self._own.now() - 1000
        self._untold = since if self._untold is None else min(since, self._untold)
        self._missed(error, lost=lost)

    def _missed(self, error: Exception, *, lost: bool = False) -> None:
        if lost and not self.degraded:
            _log.warning("redis lost the counts of limits, they are put together again")
        if not isinstance(error, Away) and repr(error) != self._reason:
            self._reason = repr(error)
            _log.error("limits cannot be counted in redis: %r", error, exc_info=error)
        self._failures += not lost
        if self._failures < self._bounds.failures:
            return
        self._again = self._clock.monotonic() + self._bounds.probe
        if not self.degraded:
            self.degraded = True
            self._own.settle_down()
            so = f"this process alone counts 1/{self._own.parts} of each limit"
            self.outage.fails("meter", so, str(error) or "no answer in time")

    async def _run(self) -> None:
        """Turn the wheel until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._bounds.tick):
                    await self._failing.wait()
            self._failing.clear()
            store = self._store
            try:
                await (self._search() if store is None else self._turn(store))
            except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
                failing = store or self._store
                if failing is None:
                    self._missed(error)
                else:
                    self._failed(failing, error)

    async def _turn(self, store: Store) -> None:
        """Look, and tell what is to be told."""
        began = self._clock.monotonic()
        is_all = began - self._marks_at > self._bounds.marks
        look = await store.look(-1 if is_all else self._look.at - 1)
        if look.epoch != store.epoch:
            raise LostError("it lost its data")
        if look.telling or self.refill.is_open:  # somebody knows what the store does not know yet
            self._joined = max(self._joined, began + self._bounds.brief)
        self._saw(store, look, began, is_all=is_all)
        await self._reports.tell(store)
        await self.refill.turn(store)
        self._failures = 0
        if began - self._renewed > self._bounds.lease / 3:
            await self._renew(store)

    async def _renew(self, store: Store) -> None:
        self._renewed = self._clock.monotonic()
        await self._reports.renew(store, self._look.at)

    def _saw(self, store: Store, look: Looked, began: float, *, is_all: bool) -> None:
        """Keep what was seen; while it is joined again, others that share may not be there yet."""
        self._look, self._looked = look, began
        least = self._terms.parts if began >= self._joined else self._own.parts
        store.parts = self._own.parts = max(least, look.processes)
        if is_all:
            self._marks_at = began
            self._marked.clear()
        self._marked.update(look.marked)

    async def _search(self) -> None:
        """Look for Redis where it is time, until it is found or certainly away."""
        while self._store is None and self._clock.monotonic() >= self._again:
            await self._find()

    async def _find(self) -> None:
        """Look for Redis once, and join it again."""
        bounds = self._bounds
        store: Store | None = None
        try:
            store = await Store.open(self._pool, self._terms, bounds.deadline, bounds.connect)
            began = self._clock.monotonic()
            look = await (store.look(-1) if self._look.epoch else store.meet(bounds.connect))
            since, offset = await self._catch_up(store, look, began)
        except BaseException as error:
            if store is not None:
                store.close()
            if not isinstance(error, Away):
                raise
            self._missed(error)
            return
        await self._join(store, since, offset)

    async def _catch_up(self, store: Store, look: Looked, began: float) -> tuple[int, int]:
        """Tell the store what it lacks, but for what was used since a moment ago.

        Returns that moment, and the offset to the store's clock, in milliseconds.
        """
        if look.epoch != self._look.epoch:
            self._untold = 0
            self._told.forget()
            self.refill.found(look.epoch, look.at)
        since, offset = self._untold or 0, look.at - int(began * 1000)
        self._reports.counted_anew(since + offset if since else 0, TO_COME + 1)
        store.epoch = look.epoch
        if self._look.epoch or self._own.books:
            self._joined = inf  # until all is told, and a while more
        self._saw(store, look, began, is_all=True)
        for _ in range(_ROUNDS):
            now = self._own.now()
            if not await self._told.tell(store, self._own.uses(since), offset):
                break
            since = now
        return since, offset

    async def _join(self, store: Store, since: int, offset: int) -> None:
        """Count in the store again, and tell it what it still lacks."""
        rest = list(self._own.uses(since))
        now, bounds = self._clock.monotonic(), self._bounds
        if now < self._joined:
            whole = self.degraded or not self._untold
            self._joined = now + (bounds.rejoin if whole else bounds.brief)
        self._own.settle_down()
        self._store = store
        try:
            await self._told.tell(store, rest, offset)
            await self._renew(store)
        except Away as error:
            self._failed(store, error)
            return
        anew = self._untold + offset if self._untold else 0
        self._reports.counted_anew(anew, TO_COME)  # more than was estimated may not be among it
        self._told.forget()
        self._untold, self._failures = None, 0
        if self.degraded:
            self.degraded = False
            self.outage.answers("meter")
